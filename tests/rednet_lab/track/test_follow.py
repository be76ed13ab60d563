"""Faces are found, followed, lost and found again, with a network that is right by construction (conftest.py)."""

import numpy as np
import pytest
import torch

from rednet_core import geometry
from rednet_core.markup import IBUG68
from rednet_lab.track import follow
from rednet_lab.track.follow import Follower, find_faces, overlap, slip


def test_points_stay_on_a_face_and_are_carried_around_elsewhere(net, picture):
    image = picture((60, 70, 14))
    on, off = slip(net, image, np.array([[60, 70, 50], [150, 40, 50]]))
    assert abs(on) < 0.15 and off == pytest.approx(1.0, abs=0.05)


def test_faces_are_found_where_they_are_and_nothing_where_there_are_none(net, picture):
    found = find_faces(net, picture((50, 60, 13), (150, 100, 18)), most=3)
    assert len(found) == 2
    assert np.hypot(*(found[0][:2] - (150, 100))) < 8 and np.hypot(*(found[1][:2] - (50, 60))) < 8
    assert found[0][2] > found[1][2]  # the largest first
    assert len(find_faces(net, picture(), most=3)) == 0
    assert len(find_faces(net, picture((50, 60, 13), (150, 100, 18)), most=1)) == 1


def test_a_large_picture_is_searched_small_and_answered_in_its_own_pixels(net, picture):
    (box,) = find_faces(net, picture((700, 500, 90), size=(960, 1280)))
    assert np.hypot(*(box[:2] - (700, 500))) < 25


def test_a_face_is_followed_and_keeps_its_number(net, walk):
    follower = Follower(net)
    for t, image in enumerate(walk()):
        (seen,) = follower.update(image)
        middle = seen.points.mean(0)
        assert seen.face == 0 and abs(middle[0] - 50 - 1.5 * t) < 4 and abs(middle[1] - 80) < 4
    assert follower.starts == 1 and seen.slip < 0.3


def test_a_face_that_goes_is_noticed_although_the_confidence_stays_and_comes_back_under_its_number(net, walk):
    follower, told = Follower(net, check=2), []
    for image in walk(48, hidden=range(12, 30)):
        told.append([one.face for one in follower.update(image)])
    assert all(faces == [0] for faces in told[:12])
    assert all(faces == [] for faces in told[16:30])  # lost within two looks
    assert all(faces == [0] for faces in told[42:]) and follower.starts == 1


@pytest.fixture
def honest(net, monkeypatch):
    """Return the disc network with heights that tell: 0.9 on a disc, 0.2 elsewhere; and a list of looks at the slip."""
    looks, real = [], follow.slip
    monkeypatch.setattr(follow, "slip", lambda *given: looks.append(1) or real(*given))
    net.confidence = lambda prediction: torch.where(prediction.maps[0].amax((1, 2, 3)) > 0.7, 0.9, 0.2)
    return net, looks


def test_where_the_height_tells_a_face_is_lost_in_two_frames_and_back_in_the_next_without_looks(honest, walk):
    (net, looks), told = honest, []
    follower = Follower(net, heights=(0.5, 0.8))
    follower.start(np.array([50.0, 80.0, 50.0]))
    for t, image in enumerate(walk(40, hidden=range(12, 14))):
        told.append([one.face for one in follower.update(image)])
        assert t >= 14 or len(looks) == 1  # the first frame's
    assert told == [[0]] * 13 + [[]] + [[0]] * 26 and follower.starts == 1


def test_a_doubtful_height_is_looked_into_now_and_then_and_a_sure_one_hardly_ever(honest, walk):
    net, looks = honest
    for heights, most in (((0.5, 0.95), 6), ((0.5, 0.8), 1), (follow.DOUBTFUL, 6)):
        follower = Follower(net, heights=heights)
        follower.start(np.array([50.0, 80.0, 50.0]))
        looks.clear()
        assert all(follower.update(image) for image in walk(26)) and len(looks) == most
    assert Follower(net).heights == follow.DOUBTFUL  # nobody measured this network's


def test_a_rare_look_finds_what_the_height_does_not(honest, walk):
    net, _ = honest
    net.confidence = lambda prediction: torch.full((len(prediction.maps[0]),), 0.9)
    follower = Follower(net, heights=(0.5, 0.8))
    follower.start(np.array([50.0, 80.0, 50.0]))
    there = [len(follower.update(image)) for image in walk(104, hidden=range(5, 104))]
    assert sum(there) in range(100, 103) and there[:100] == [1] * 100


@pytest.fixture
def searches(monkeypatch):
    """Return a function that follows pictures and says what was told, and in which frames "grid" or "near" was used."""
    frame, found = [0], {"grid": [], "near": []}

    def watch(name, real):
        monkeypatch.setattr(follow, name, lambda where: found[name].append(frame[0]) or real(where))

    watch("grid", follow.grid)
    watch("near", follow.near)

    def run(follower, pictures):
        told = []
        for image in pictures:
            told.append(len(follower.update(image)))
            frame[0] += 1
        return told, found

    return run


def test_the_longer_nothing_is_found_the_rarer_the_whole_picture_is_searched(net, picture, searches):
    follower = Follower(net)
    told, found = searches(follower, [picture()] * 161)
    assert not any(told) and found["grid"] == [0, 10, 30, 70, 150]
    told, _ = searches(follower, [picture((60, 70, 14))] * 70)  # this face is no frontal one to OpenCV
    assert told == [0] * 69 + [1] and found["grid"][-1] == 230 and follower.vain == 0
    searches(follower, [picture()] * 69)  # gone again: it is looked for as at first
    assert np.diff(found["grid"][-3:]).tolist() == [10, 20]


def test_a_place_where_a_face_was_lost_is_searched_for_two_seconds(net, walk, searches):
    _, found = searches(Follower(net, check=2), walk(120, hidden=range(10, 120)))
    lost = found["near"][0] - follow.NEAR_EVERY
    assert found["near"] == list(range(lost + 3, lost + follow.NEAR_FOR + 1, 3))


def test_without_looks_a_lost_face_is_followed_for_ever_as_the_papers_would(net, walk):
    follower = Follower(net, check=0)
    assert all(len(follower.update(image)) == 1 for image in walk(40, hidden=range(12, 40)))


def test_several_faces_keep_their_numbers(net, picture):
    follower = Follower(net, most=2)
    for t in range(30):
        seen = follower.update(picture((50 + t, 50, 13), (150 - t, 110, 16)))
        assert [one.face for one in seen] == [0, 1]
        big, small = seen
        assert abs(big.points.mean(0)[1] - 110) < 6 and abs(small.points.mean(0)[1] - 50) < 6


def test_a_start_box_is_taken_as_it_is(net, walk):
    follower = Follower(net)
    follower.start(np.array([50.0, 80.0, 50.0]))
    (seen,) = follower.update(walk(1)[0])
    assert seen.box == pytest.approx([50, 80, 50])


def test_overlap_of_squares():
    box = np.array([0.0, 0.0, 2.0])
    others = np.array([[0, 0, 2], [1, 0, 2], [5, 5, 2], [0, 0, 1]])
    assert overlap(box, others) == pytest.approx([1, 1 / 3, 0, 1 / 4])


def test_the_yaw_of_a_frontal_face_is_nothing(net, walk):
    (seen,) = Follower(net).update(walk(1)[0])
    assert abs(seen.yaw) < 15 and geometry.face_box(seen.points[None], IBUG68).shape == (1, 3)
