"""Sources fill the roles of the papers' training, keep persons apart, and prepare everything once."""

import os
import subprocess
import sys

import numpy as np
import pytest

from data_prep.errors import DataError
from data_prep.jobs import UNGUARDED
from data_prep.prepare import prepare
from data_prep.readers.face_world import FaceWorldStills
from rednet_core.markup import IBUG68
from rednet_lab.names import SOURCES
from rednet_lab.workbench import sources
from rednet_lab.workbench.lab import SOURCES as CLASSES
from rednet_lab.workbench.sources import FaceWorldSource, UdacitySource, stored, synthetic_test_videos, workers
from tests.rednet_lab.conftest import TINY


@pytest.fixture
def world(open_lab):
    return open_lab().source


@pytest.fixture
def real(open_lab, udacity):
    return open_lab(source="udacity", data=str(udacity)).source


def persons(data, rows):
    """Names of the persons in rows of a store."""
    return {data.identities[i] for i in np.unique(data.table["identity"][rows])}


# ------------------------------------------------------------------------------------------------- the face world


def test_roles_of_the_face_world_have_the_profiles_sizes(world):
    stills, people, clips, test = world.stills(), world.people(), world.clips(), world.test_stills()
    assert (len(stills.rows), len(stills.data.rows("validation")), len(test.rows)) == TINY.stills
    assert len(people.rows) + len(people.held_back) == TINY.people[0] * TINY.people[1]
    assert len(clips.rows) == TINY.videos[0] * TINY.videos[1]
    assert {role.synthetic for role in (stills, people, clips, test)} == {False}
    assert stills.data.size == people.data.size == TINY.store_size and clips.data.size == TINY.frame_size
    assert all(role.data.markup is IBUG68 for role in (stills, people, clips))


def test_persons_of_the_face_world_are_in_one_role_and_split_only(world):
    stills, people, clips, videos = world.stills(), world.people(), world.clips(), world.test_videos()
    tested = np.concatenate(list(videos.groups.values()))
    groups = [persons(stills.data, stills.data.rows(split)) for split in ("train", "validation", "test")] + [
        persons(people.data, people.rows),
        persons(clips.data, clips.rows),
        persons(videos.data, tested),
    ]
    assert all(groups) and sum(map(len, groups)) == len(set().union(*groups))
    assert [len(group) for group in groups[:3]] == list(TINY.stills)  # every still is another person


def test_pictures_that_are_held_back_are_others_of_the_same_persons(world):
    role = world.people()
    assert persons(role.data, role.held_back) == persons(role.data, role.rows)
    assert not set(role.held_back) & set(role.rows) and len(role.held_back) == TINY.people[0]


def test_test_videos_are_common_and_challenging_and_whole(world):
    videos = world.test_videos()
    assert list(videos.groups) == ["common", "challenging"]
    for group, rows in videos.groups.items():
        table = videos.data.table[rows]
        assert len(rows) == TINY.videos[2] // 2 * TINY.videos[3]
        for video in np.unique(table["video"]):
            assert list(table["frame"][table["video"] == video]) == list(range(TINY.videos[3]))
            assert videos.data.videos[video].startswith(group)


def test_a_video_keeps_its_whole_frames_and_a_still_its_face(world):
    boxes = world.clips().data.table["box"]
    assert (boxes[:, 2] == TINY.frame_size).all()
    stills = world.stills().data
    points = stills.table["points"]
    assert 0 < points.min() and points.max() < stills.size


def test_everything_is_made_once(world, monkeypatch):
    first = world.stills().data

    def again(*_, **__):
        pytest.fail("prepared a second time")

    monkeypatch.setattr(sources, "prepare", again)
    assert world.stills().data.path == first.path
    world.test_stills(), world.clips(), world.test_videos(), world.people()


def test_what_decides_a_store_decides_its_place(hashed_once, cache, monkeypatch):
    made = []

    def fake(reader, path, size, margin, *_):
        made.append((reader, size, margin))
        raise InterruptedError  # the place is all that counts here

    monkeypatch.setattr(sources, "prepare", fake)
    base = FaceWorldStills(0, 2, 1, 1, 32)
    choices = [(base, 24), (base, 32), (FaceWorldStills(1, 2, 1, 1, 32), 24), (FaceWorldStills(0, 2, 2, 1, 32), 24)]
    for reader, size in choices:
        with pytest.raises(InterruptedError):
            stored("stills", reader, size)
    with pytest.raises(InterruptedError):
        stored("stills", base, 24, margin=None)
    with pytest.raises(InterruptedError):
        stored("stills", base, 24)  # the first one again
    monkeypatch.setattr(sources, "module_hash", lambda *_: "other code")
    with pytest.raises(InterruptedError):
        stored("stills", base, 24)
    assert len(made) == 7 and len(list(cache.glob("store-*"))) == 6


def test_a_store_that_was_stopped_is_gone_on_with(hashed_once, cache, monkeypatch):
    reader, done = FaceWorldStills(0, 40, 1, 1, 32), []
    render = FaceWorldStills.__getitem__

    def drawn(self, index):
        done.append(index)
        if len(done) == 40:
            raise KeyboardInterrupt
        return render(self, index)

    monkeypatch.setattr(sources, "workers", lambda: 1)
    monkeypatch.setattr(FaceWorldStills, "__getitem__", drawn)
    with pytest.raises(KeyboardInterrupt):
        stored("stills", reader, 24)
    done.clear()
    monkeypatch.setattr(FaceWorldStills, "__getitem__", lambda self, k: (done.append(k), render(self, k))[1])
    store = stored("stills", reader, 24)
    assert done == list(range(32, 42)), "a chunk of 32 had been noted"
    assert [p.name for p in store.path.parent.iterdir()] == ["store"]
    whole, _ = prepare(reader, cache / "whole", 24)
    assert whole.fingerprint == store.fingerprint


def test_a_store_tells_what_became_of_its_items(world):
    folder = world.stills().data.path.parents[1]
    assert f"{sum(TINY.stills)} kept, 0 skipped" in (folder / "complete.json").read_text(encoding="utf-8")


def test_the_seed_makes_another_world(open_lab):
    readers = [open_lab(seed=seed).source.stills_reader() for seed in (0, 1)]
    assert readers[0].description != readers[1].description
    assert (readers[0][0].image != readers[1][0].image).any()


# ------------------------------------------------------------------------------------------------------ real faces


def test_real_stills_are_split_by_person(real):
    stills, test = real.stills(), real.test_stills()
    splits = [persons(stills.data, stills.data.rows(split)) for split in ("train", "validation", "test")]
    assert [len(group) for group in splits] == [3, 1, 2] and len(set().union(*splits)) == 6
    assert persons(stills.data, stills.rows) == splits[0] and persons(test.data, test.rows) == splits[2]
    assert len(stills.rows) == 27 and len(test.rows) == 18


def test_every_eighth_real_picture_of_a_person_is_held_back(real):
    role = real.people()
    identity = role.data.table["identity"]
    assert persons(role.data, role.held_back) == persons(role.data, role.rows)
    assert sorted([*role.rows, *role.held_back]) == sorted(role.data.rows("train"))
    for person in np.unique(identity[role.rows]):
        own = [row for row in role.data.rows("train") if identity[row] == person]
        assert [row for row in own if row in role.held_back] == own[7::8]
    assert (np.diff(role.rows) > 0).all()


def test_real_clips_are_made_of_stills_and_say_so(real):
    clips = real.clips()
    assert clips.synthetic and len(clips.rows) == 27
    videos = real.test_videos()
    assert "of real stills" in videos.what
    rows = np.concatenate(list(videos.groups.values()))
    table = videos.data.table
    assert sorted(rows) == list(range(18 * TINY.videos[3])) and len(videos.data.crops) == len(rows)
    assert set(persons(clips.data, clips.rows)).isdisjoint(clips.data.identities[i] for i in table["identity"][rows])
    for group, some in videos.groups.items():
        yaw = np.abs(table["yaw"][some])
        assert (yaw < 30).all() if group == "common" else (yaw >= 30).all()
        for video in np.unique(table["video"][some]):
            assert list(table["frame"][some][table["video"][some] == video]) == list(range(TINY.videos[3]))


def test_real_faces_share_one_store(real):
    places = {role.data.path for role in (real.stills(), real.people(), real.clips(), real.test_stills())}
    assert len(places) == 1


# ------------------------------------------------------------------------------------------------- what is refused


def test_data_that_does_not_go_with_its_source_is_refused(tmp_path):
    with pytest.raises(ValueError, match="data: the face world .* leave data empty"):
        FaceWorldSource(TINY, str(tmp_path), 0)
    with pytest.raises(ValueError, match="data: name the folder"):
        UdacitySource(TINY, "", 0)


def test_a_folder_that_is_not_there_or_empty_is_named(tmp_path, cache):
    for folder in (tmp_path / "not there", tmp_path):
        with pytest.raises(DataError, match="Fix: git clone") as caught:
            UdacitySource(TINY, str(folder), 0).stills()
        assert str(folder) in str(caught.value)


def test_sources_have_their_makers():
    assert set(SOURCES) == set(CLASSES)
    assert CLASSES["face_world"] is FaceWorldSource and CLASSES["udacity"] is UdacitySource


@pytest.mark.parametrize(("cores", "processes"), [(1, 1), (2, 2), (8, 8), (64, 8)])
def test_no_more_processes_than_cores_and_eight(monkeypatch, cores, processes):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(cores)), raising=False)
    assert workers() == processes
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert workers() == 1


def test_videos_that_are_made_in_memory_have_a_fingerprint_of_their_frames(world):
    """What is measured on them is cached by it; the ablations on real faces need it."""
    stored_ones = world.test_videos()
    assert stored_ones.fingerprint == stored_ones.data.fingerprint
    stills = world.stills()
    one, same, other, few = (
        synthetic_test_videos(stills.data, stills.rows[:count], 3, seed).fingerprint
        for count, seed in ((4, 0), (4, 0), (4, 1), (3, 0))
    )
    assert one == same and len({one, other, few}) == 3


def test_test_faces_alone_are_the_pictures_of_the_whole_store(open_lab, tmp_path, monkeypatch):
    lab = open_lab()
    whole, few = lab.source.stills().data, lab.source.test_videos(1)
    kept, every = lab.source.test_stills(), lab.source.test_videos()
    monkeypatch.setenv("REDNET_CACHE", str(tmp_path))
    alone = lab.source.test_stills()
    assert len(alone.data) == len(alone.rows)
    assert alone.data.fingerprint == kept.data.fingerprint  # whether the whole store is there or not
    assert np.array_equal(alone.data.crops[alone.rows], whole.crops[whole.rows("test")])
    assert [path.name.rpartition("-")[0] for path in tmp_path.glob("store-*")] == ["store-stills-part"]
    for group, rows in few.groups.items():
        assert len(rows) == TINY.videos[3]
        assert np.array_equal(few.data.crops[rows], every.data.crops[every.groups[group][: len(rows)]])


def test_a_script_without_a_guard_is_told_so_and_does_not_wait_for_its_own_workers(tmp_path):
    lines = ("from data_prep.readers.face_world import FaceWorldStills", "from rednet_lab.workbench import sources")
    lines += ("sources.workers = lambda: 2", "sources.stored('x', FaceWorldStills(0, 3, 1, 1, size=32), 24)")
    script = tmp_path / "mine.py"
    script.write_text("\n".join(lines))
    own = os.environ | {"REDNET_CACHE": str(tmp_path / "cache"), "PYTHONPATH": os.pathsep.join(sys.path)}
    found = subprocess.run([sys.executable, script], env=own, capture_output=True, text=True, timeout=300)
    assert found.returncode == 1 and found.stderr.rstrip().endswith(UNGUARDED)
