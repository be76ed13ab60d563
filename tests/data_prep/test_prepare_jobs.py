"""What prepare adds for real data sets: own boxes, runs of videos, few jobs ahead, seven points of any markup."""

import os

import numpy as np
import pytest

from data_prep import jobs as working
from data_prep.errors import BadItem, DataError
from data_prep.folders import digest, is_data, tree
from data_prep.item import Item
from data_prep.jobs import CHUNK, jobs
from data_prep.landmark_subset import LandmarkSubset
from data_prep.markups import HELEN194, LFW10, TALKING_FACE68
from data_prep.plausible import plausible
from data_prep.prepare import prepare
from data_prep.readers.base import Listed, ListedItem, pair_up
from rednet_core.markup import IBUG68
from tests.data_prep.makers import Pictures, picture, points_of, put
from tests.helpers import loop_box


class Boxed(Pictures):
    """Drawn pictures with a box of their own, and one eye corner unknown in every other one."""

    def __getitem__(self, k):
        item = super().__getitem__(k)
        item.box, item.mask = np.array([50.0, 40.0, 44.0]), item.mask.copy()
        item.mask[36] = k % 2 == 0
        return item


class Films(Pictures):
    """Drawn pictures in runs of three."""

    def runs(self):
        return [range(k, min(k + 3, self.count)) for k in range(0, self.count, 3)]


def test_the_data_sets_own_box_is_used_only_where_the_points_give_none(tmp_path):
    store, report = prepare(Boxed(count=4), tmp_path / "store", size=24, margin=1.5)
    assert report.kept == 4
    for k in range(4):
        expected = loop_box(Pictures()[k].points) * [1, 1, 1.5] if k % 2 == 0 else [50, 40, 66]
        np.testing.assert_allclose(store.table["box"][k], expected, rtol=1e-5)
    assert Boxed()[0].box.tolist() == [50, 40, 44]  # the item's own is left as it was


@pytest.mark.parametrize("box", [[50, 40, 3], [5000, 40, 44], [50, np.nan, 44]])
def test_a_box_of_its_own_must_make_sense_too(tmp_path, box):
    class Odd(Boxed):
        def __getitem__(self, k):
            item = super().__getitem__(1)
            item.box = np.array(box, float)
            return item

    with pytest.raises(DataError, match="face box"):
        prepare(Odd(count=1), tmp_path / "store", size=24)


def test_jobs_are_the_readers_runs_or_chunks():
    assert jobs(Films(count=7)) == ([range(0, 3), range(3, 6), range(6, 7)], True)
    assert jobs(Pictures(count=CHUNK + 1)) == ([range(0, CHUNK), range(CHUNK, CHUNK + 1)], False)


@pytest.mark.parametrize("kind", [Films, Pictures])
def test_workers_results_come_in_order_and_nothing_stays_on_disk(tmp_path, kind):
    reader = kind(count=40, height=40, width=50, bad=(3, 4, 5, 33), side=20.0)
    for workers in (1, 2):
        prepare(reader, tmp_path / str(workers), size=24, workers=workers)
    for name in ("crops.npy", "table.npy", "store.json", "skipped.json"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes(), name
    assert len(os.listdir(tmp_path / "2")) == 4


def test_no_more_jobs_are_under_way_than_twice_the_workers(tmp_path, monkeypatch):
    """However slowly results are taken, crops do not pile up in memory or on disk."""
    under_way, most = [0], [0]

    class Now:
        def __init__(self, value):
            self.value = value

        def result(self):
            under_way[0] -= 1
            return self.value

    class Pool:
        def __init__(self, *_, initargs=(), **__):
            working._start_worker(*initargs)

        def submit(self, work, *job):
            under_way[0] += 1
            most[0] = max(most[0], under_way[0])
            return Now(work(*job))

        def shutdown(self, cancel_futures):
            assert cancel_futures

    monkeypatch.setattr(working, "ProcessPoolExecutor", Pool)
    monkeypatch.setattr(working, "_start_worker", lambda cutter: setattr(working, "_cutter", cutter))
    _, report = prepare(Films(count=30), tmp_path / "store", size=16, workers=2)
    assert report.kept == 30 and most[0] == 4
    working._cutter = None


# ---------------------------------------------------------------------------------------------------- shared parts


class Listing(Listed):
    markup = IBUG68

    def read(self, entry):
        annotated = np.ones(68, bool)
        return Item(entry.key, picture(), points_of(0), annotated, annotated)


def test_a_name_that_is_too_long_is_skipped_and_stops_nothing(tmp_path):
    reader = Listing()
    reader.description = {}
    reader.entries = [ListedItem("x" * 97, tmp_path / "long.jpg"), ListedItem("y" * 96, tmp_path / "fits.jpg")]
    store, report = prepare(reader, tmp_path / "store", size=16)
    assert len(store) == 1 and report.skipped == [(str(tmp_path / "long.jpg"), "name longer than 96 characters")]


@pytest.mark.parametrize(
    "name, expected",
    [("a.jpg", True), ("._a.jpg", False), (".DS_Store", False), ("Thumbs.db", False), ("__MACOSX", False)],
)
def test_what_is_data(tmp_path, name, expected):
    assert is_data(tmp_path / name) is expected


def test_trees_and_digests_follow_the_files(tmp_path):
    put(tmp_path / "b" / "2.pts", b"x")
    put(tmp_path / "a.pts", b"y")
    put(tmp_path / "__MACOSX" / "b" / "._2.pts", b"z")
    files = tree(tmp_path)
    assert [path.name for path in files] == ["a.pts", "2.pts"]
    before = digest(files, tmp_path)
    assert digest(tree(tmp_path), tmp_path) == before
    put(tmp_path / "a.pts", b"yy")
    assert digest(files, tmp_path) != before


def test_pairs_of_two_annotations_are_no_pairs(tmp_path):
    files = [put(tmp_path / name, b"") for name in ("a.jpg", "a.pts", "a.PTS", "b.JPEG", "b.pts")]
    entries = pair_up(files, tmp_path)
    assert [entry.key for entry in entries] == ["a", "b"] and not entries[1].problem
    assert "two annotations of this name" in entries[0].problem


@pytest.mark.parametrize("markup", [IBUG68, TALKING_FACE68, HELEN194], ids=lambda m: m.name)
def test_a_face_is_plausible_in_its_own_markup_upside_down_and_turned(markup, tmp_path):
    points = points_of(0, markup) - [50, 44]
    for angle in np.radians([0, 90, 180, 250]):
        cos, sin = np.cos(angle), np.sin(angle)
        plausible(points @ np.array([[cos, sin], [-sin, cos]]), markup, tmp_path)
    for wrong in (points * [-1, 1], points * [1, -1], points * 0):
        with pytest.raises(BadItem, match="not where those of a face"):
            plausible(wrong, markup, tmp_path)


def test_seven_points_of_a_markup_without_a_nose_are_six(tmp_path):
    class Ten(Pictures):
        def __getitem__(self, k):
            annotated = np.ones(10, bool)
            return Item("k", picture(), points_of(0, LFW10), annotated, annotated)

    reader = Ten(markup=LFW10)
    item = LandmarkSubset(reader)[0]
    assert item.mask.tolist() == item.visible.tolist() == [True] * 4 + [False, True, True]
    assert reader[0].mask.all() and LandmarkSubset(reader).runs() is None and LandmarkSubset(reader).problems() == []
