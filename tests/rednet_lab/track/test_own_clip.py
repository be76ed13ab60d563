"""A reader's own clip: followed from a box or from what is found, lost by its slip, found again, and played."""

from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from rednet_lab.show import own_file
from rednet_lab.show.player import PLAYER
from rednet_lab.show.trace import Face, FaceTracer
from rednet_lab.track import own_clip
from rednet_lab.track.own_clip import OwnTracker, follow_clip
from tests.helpers import settle, smooth_picture, tiny_net, upload


@pytest.fixture(scope="module")
def tiny():
    """A small network whose steps can be written down."""
    return settle(tiny_net())


@pytest.fixture(scope="module")
def photo():
    """A picture without a face, as PNG, and its pixels."""
    picture = smooth_picture(60, 90, np.random.default_rng(1))
    return cv2.imencode(".png", picture[..., ::-1])[1].tobytes(), picture


@pytest.fixture
def seen(monkeypatch):
    """The disc network's steps are not written down: a trace is the picture alone."""
    monkeypatch.setattr(own_clip, "record", lambda net, seen, images, truth: [SimpleNamespace(image=images[0])])


def test_a_face_that_goes_is_left_out_and_found_again(net, walk, seen):
    clip, told = walk(48, hidden=range(12, 30)), []
    track, said = follow_clip(net, clip, progress=lambda done, total: told.append((done, total)))
    there = [
        next(i for i, image in enumerate(clip) if image is frame.image or image is frame.image.base) for frame in track
    ]
    assert there[:12] == list(range(12)) and max(there) == 47 and not {*range(24, 30)} & {*there}
    assert said.startswith(f"followed in {len(track)} of 48 frames, found 2 times; the last slip 0.") and told[-1] == (
        47,
        48,
    )
    assert all(frame.slip < 0.45 for frame in track[:10])


def test_a_box_that_is_given_is_where_it_starts_and_without_a_face_there_is_nothing(net, walk, picture, seen):
    track, said = follow_clip(net, walk(3), np.array([50.0, 80.0, 50.0]))
    assert len(track) == 3 and said.startswith("followed in 3 of 3 frames, found 1 times; the last slip")
    assert follow_clip(net, [picture()] * 4) == ([], "followed in 0 of 4 frames, found 0 times")


def test_a_clip_is_followed_from_the_box_as_it_was_set(tiny, photo):
    tracker = OwnTracker(tiny)
    assert tracker.button.disabled
    upload(tracker.own.upload, "me.png", photo[0])
    assert not tracker.button.disabled and "1 frames" in tracker.painter.status.value
    tracker.own.box["face size"].value = 60.0
    tracker.button.click()
    (frame,) = tracker.track
    np.testing.assert_allclose(frame.box, [45, 30, 54])
    expected = FaceTracer(tiny).frame(Face("me", photo[1], np.array([45.0, 30.0, 54.0])))
    np.testing.assert_allclose(frame.points, expected.points, atol=1e-3)
    assert "followed in 1 of 1" in tracker.said.value and f"the last slip {frame.slip:.2f}" in tracker.said.value
    assert PLAYER in tracker.result.outputs[0]["data"]["text/html"]
    upload(tracker.own.upload, "you.png", b"words")
    assert tracker.track == [] and tracker.result.outputs == () and tracker.button.disabled


def test_a_path_works_as_an_upload_does_and_a_wrong_one_is_said(tiny, photo, tmp_path):
    (tmp_path / "me.png").write_bytes(photo[0])
    tracker = OwnTracker(tiny)
    tracker.own.path._handle_msg(
        {"content": {"data": {"method": "update", "state": {"value": str(tmp_path / "no.avi")}}}}
    )
    assert "no such file" in tracker.painter.status.value and tracker.button.disabled
    tracker.own.path.value = str(tmp_path / "me.png")
    assert "no frontal face" in tracker.painter.status.value and not tracker.button.disabled


def test_a_reader_without_a_clip_may_try_the_one_that_is_there(tiny, photo):
    upload_of = OwnTracker(tiny)
    assert upload_of.example not in upload_of.painter.panel.children  # there is none to try
    tracker = OwnTracker(tiny, example=[photo[1]] * 3)
    assert tracker.button.disabled
    tracker.example.click()
    assert "a made video" in tracker.painter.status.value and "3 frames" in tracker.painter.status.value
    tracker.button.click()
    assert len(tracker.track) == 1  # it holds no face, and two looks say so


def test_an_error_while_following_is_shown(tiny, photo, monkeypatch):
    monkeypatch.setattr(own_clip, "follow_clip", lambda *arguments: ([], "nobody"))
    tracker = OwnTracker(tiny)
    upload(tracker.own.upload, "me.png", photo[0])
    tracker.button.click()  # ipywidgets writes what a button raises into the log only
    assert "a storyboard of nothing" in tracker.said.value


def test_an_upload_that_is_too_large_is_said_with_another_way_beside_it(tiny, photo, monkeypatch):
    tracker = OwnTracker(tiny)
    assert f"rednet-most-{own_file.MOST_BYTES}" in tracker.own.upload._dom_classes  # widgets.js refuses more than that
    order = list(tracker.painter.controls.values())
    assert order.index(tracker.own.path) == order.index(tracker.own.upload) + 1
    assert "10 MB" in tracker.painter.status.value and "path" in tracker.painter.status.value
    monkeypatch.setattr("rednet_lab.show.footage.MOST_BYTES", 100)
    upload(tracker.own.upload, "me.png", photo[0])  # from a page that let it through
    assert "give its path instead" in tracker.painter.status.value and tracker.button.disabled
