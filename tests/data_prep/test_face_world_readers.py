"""The face world as data sets: counts, splits, persons, frames, and the same item whatever is read before."""

import pickle

import numpy as np
import pytest

from data_prep.face_world import FaceWorld
from data_prep.item import SPLITS
from data_prep.readers.face_world import GROUPS, FaceWorldPeople, FaceWorldStills, FaceWorldVideos
from rednet_core.markup import IBUG68

STILLS = FaceWorldStills(3, train=4, validation=2, test=3, size=32)
PEOPLE = FaceWorldPeople(3, people=2, pictures=6, size=32)
VIDEOS = FaceWorldVideos(3, train=3, train_frames=3, test=2, test_frames=4, size=32)
READERS = [STILLS, PEOPLE, VIDEOS]


@pytest.fixture(scope="module")
def items():
    """All items of each reader, read in order."""
    return {type(reader): [reader[i] for i in range(len(reader))] for reader in READERS}


def equal(first, second):
    plain = ("key", "identity", "video", "frame", "split", "group", "yaw", "pitch", "roll")
    arrays = ("image", "points", "mask", "visible")
    return all(getattr(first, n) == getattr(second, n) for n in plain) and all(
        np.array_equal(getattr(first, n), getattr(second, n)) for n in arrays
    )


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: type(reader).__name__)
def test_an_item_is_the_same_whatever_was_read_before(items, reader):
    other = pickle.loads(pickle.dumps(reader))  # as a worker process gets it
    order = np.random.default_rng(0).permutation(len(reader))
    for i in (int(order[0]), *(int(i) for i in order[:4])):
        assert equal(other[i], items[type(reader)][i])


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: type(reader).__name__)
def test_items_are_well_formed_and_keys_unique(items, reader):
    every = items[type(reader)]
    assert len(every) == len(reader) and reader.markup is IBUG68
    assert len({item.key for item in every}) == len(every)
    for item in every:
        assert item.image.shape == (32, 32, 3) and item.image.dtype == np.uint8
        assert item.points.shape == (68, 2) and item.mask.all() and item.visible.shape == (68,)
        assert np.isfinite([item.yaw, item.pitch, item.roll]).all() and item.split in SPLITS


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: type(reader).__name__)
def test_past_the_end_there_is_nothing(reader):
    for index in (len(reader), len(reader) + 5, -len(reader) - 1):
        with pytest.raises(IndexError):
            reader[index]
    assert len(list(reader)) == len(reader) and reader[-1].key == reader[len(reader) - 1].key


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: type(reader).__name__)
def test_the_description_tells_every_choice(reader):
    described = [reader.description]
    for name in (name for name in vars(reader)):
        changed = type(reader)(**{**vars(reader), name: getattr(reader, name) + 1})
        described.append(changed.description)
    assert len({repr(one) for one in described}) == len(described)
    assert len({repr(one.description["reader"]) for one in READERS}) == 3


def test_stills_have_their_counts_and_one_person_each(items):
    every = items[FaceWorldStills]
    assert [item.split for item in every] == ["train"] * 4 + ["validation"] * 2 + ["test"] * 3
    assert len({item.identity for item in every}) == 9 and all(not item.video for item in every)
    sample = FaceWorld(3, 32).still(2)
    np.testing.assert_array_equal(every[2].image, sample.image)
    np.testing.assert_array_equal(every[2].points, sample.points)
    assert every[2].yaw == sample.yaw


def test_more_training_stills_leave_the_test_stills_as_they_are(items):
    larger = FaceWorldStills(3, train=9, validation=2, test=3, size=32)
    assert equal(larger[9 + 2], items[FaceWorldStills][4 + 2])
    assert equal(larger[1], items[FaceWorldStills][1])


def test_people_have_many_pictures_and_every_fifth_is_held_back(items):
    every = items[FaceWorldPeople]
    assert [item.split for item in every[:6]] == ["train"] * 4 + ["validation", "train"]
    first, second = ({item.identity for item in part} for part in (every[:6], every[6:]))
    assert len(first) == len(second) == 1 and first != second
    assert all((every[i].image != every[j].image).any() for i in range(6) for j in range(i))


def test_frames_of_a_video_are_consecutive(items):
    every = items[FaceWorldVideos]
    videos = {}
    for item in every:
        videos.setdefault(item.video, []).append(item)
    assert [len(frames) for frames in videos.values()] == [3, 3, 3, 4, 4]
    assert [frames[0].split for frames in videos.values()] == ["train"] * 3 + ["test"] * 2
    assert [frames[0].group for frames in videos.values()] == [GROUPS[i % 2] for i in (0, 1, 2, 0, 1)]
    for frames in videos.values():
        assert [item.frame for item in frames] == list(range(len(frames)))
        assert len({(item.identity, item.split, item.group) for item in frames}) == 1
        steps = [np.abs(b.points - a.points).max() for a, b in zip(frames, frames[1:], strict=False)]
        assert 0 < max(steps) < 4  # it moves, and does not jump
    sample = FaceWorld(3, 32).frame(1, 2, difficulty="challenging")
    np.testing.assert_array_equal(every[5].image, sample.image)


def test_no_person_is_in_two_splits_or_two_sets():
    people = [set() for _ in range(5)]
    stills, clips = FaceWorldStills(0, 30, 10, 10, 16), FaceWorldVideos(0, 26, 1, 26, 1, 16)
    for i in range(len(stills)):
        item = stills[i]
        people[0 if item.split == "train" else 1].add(item.identity)
    for i in range(len(clips)):
        item = clips[i]
        people[2 if item.split == "train" else 3].add(item.identity)
    known = FaceWorldPeople(0, 20, 1, 16)
    people[4] = {known[i].identity for i in range(20)}
    assert sum(map(len, people)) == len(set().union(*people))
    # Of every twelve videos two show the same person, as 300-VW has some persons twice.
    assert len(people[2]) < 26 and min(map(len, people)) >= 20
