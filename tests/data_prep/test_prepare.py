"""From reader to store: the crop convention by an explicit loop, what is skipped and counted, any number of workers."""

import json
import os
from dataclasses import dataclass

import cv2
import numpy as np
import pytest

from data_prep import prepare as preparing
from data_prep.errors import DataError
from data_prep.item import Item
from data_prep.prepare import PrepareReport, prepare
from data_prep.store import Store
from rednet_core.markup import SEVEN
from tests.data_prep.makers import Pictures
from tests.helpers import blob, centroid, face, loop_box


@dataclass
class One(Pictures):
    """A reader of one given item."""

    item: Item = None
    count: int = 1

    def __getitem__(self, k):
        return Item(**vars(self.item))


def loop_crop(image, box, size):
    """The crop convention, pixel by pixel: crop pixel k stands for the box's k-th of `size` equal parts."""
    result = np.zeros((size, size, 3))
    height, width = image.shape[:2]
    for row in range(size):
        for column in range(size):
            x = box[0] - box[2] / 2 + (column + 0.5) * box[2] / size
            y = box[1] - box[2] / 2 + (row + 0.5) * box[2] / size
            x, y = min(max(x, 0), width - 1), min(max(y, 0), height - 1)  # the border is repeated
            x0, y0 = min(int(x), width - 2), min(int(y), height - 2)
            fx, fy = x - x0, y - y0
            part = image[y0 : y0 + 2, x0 : x0 + 2].astype(float)
            result[row, column] = (part[0, 0] * (1 - fx) + part[0, 1] * fx) * (1 - fy) + (
                part[1, 0] * (1 - fx) + part[1, 1] * fx
            ) * fy
    return result


# ------------------------------------------------------------------------------------------ the crop convention


@pytest.mark.parametrize("margin", [1.0, 1.5])
def test_the_crop_is_the_face_box_with_a_margin_by_a_loop(tmp_path, margin):
    reader = Pictures()
    store, report = prepare(reader, tmp_path / "store", size=60, margin=margin)
    assert len(store) == report.kept == 5
    for k in range(5):
        item = reader[k]
        box = loop_box(item.points) * [1, 1, margin]
        np.testing.assert_allclose(store.table["box"][k], box, rtol=1e-5)
        # OpenCV rounds places to 1/32 pixel
        np.testing.assert_allclose(store.crops[k], loop_crop(item.image, box, 60), atol=2.5)
        scale = 60 / box[2]
        expected = [[(x - box[0]) * scale + 29.5, (y - box[1]) * scale + 29.5] for x, y in item.points]
        np.testing.assert_allclose(store.table["points"][k], expected, atol=1e-3)
        assert store.identities[store.table["identity"][k]] == f"person {k}" and store.table["yaw"][k] == k
    assert store.meta["margin"] == margin and store.meta["source"] == {"reader": "drawn"}


@pytest.mark.parametrize(
    "side, size", [(40.0, 64), (300.0, 32), (500.0, 48)], ids=["enlarged", "a tenth", "odd factor"]
)
def test_points_stay_on_their_pixels(side, size):
    points = face((400.3, 391.8), side)
    for place in (36, 8, 54):
        picture = np.repeat((255 * blob(800, points[place], side / 12)).round().astype(np.uint8)[..., None], 3, -1)
        item = Item("k", picture, points, np.ones(68, bool), np.ones(68, bool))
        box = loop_box(points) * [1, 1, 1.6]
        crop, moved = preparing.cut(item, box, size)
        np.testing.assert_allclose(centroid(crop[..., 0]), moved[place], atol=0.1)
        assert moved.dtype == np.float32 and crop.dtype == np.uint8


def test_what_lies_outside_repeats_the_border():
    picture = np.zeros((40, 50, 3), np.uint8)
    picture[:, 0], picture[0, :], picture[:, -1], picture[-1, :] = (200, 0, 0), (0, 200, 0), (0, 0, 200), (90, 90, 90)
    item = Item("k", picture, face((25, 20), 30), np.ones(68, bool), np.ones(68, bool))
    crop, _ = preparing.cut(item, np.array([24.5, 19.5, 80.0]), 80)
    assert (crop[40, :14] == picture[20, 0]).all() and (crop[40, -14:] == picture[20, -1]).all()
    assert (crop[:19, 40] == picture[0, 25]).all() and (crop[-19:, 40] == picture[-1, 25]).all()
    np.testing.assert_array_equal(crop[20:60, 15:65], picture)


@pytest.mark.parametrize("shrink", [1.9, 2.5, 3.9, 6, 11])
def test_a_large_shrink_is_averaged(shrink):
    """Noise of spread 1 averaged over shrink x shrink pixels has 1 / shrink of it; sampling alone keeps a half."""
    noise = np.random.default_rng(3).integers(0, 256, (400, 400, 3), dtype=np.uint8)
    item = Item("k", noise, face((199.5, 199.5), 30), np.ones(68, bool), np.ones(68, bool))
    crop, _ = preparing.cut(item, np.array([199.7, 199.9, 24 * shrink]), 24)
    assert crop.astype(float).std() / noise.astype(float).std() < 1.45 / shrink


def test_a_shrink_by_a_whole_number_is_the_mean_of_blocks():
    picture = np.random.default_rng(4).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    item = Item("k", picture, face((31.5, 31.5), 30), np.ones(68, bool), np.ones(68, bool))
    crop, _ = preparing.cut(item, np.array([31.5, 31.5, 64.0]), 16)
    np.testing.assert_allclose(crop, picture.reshape(16, 4, 16, 4, 3).astype(float).mean((1, 3)), atol=1)


def test_without_margin_the_whole_frame_is_kept(tmp_path):
    store, _ = prepare(Pictures(count=3, height=64, width=64), tmp_path / "square", size=64, margin=None)
    for k in range(3):
        np.testing.assert_array_equal(store.crops[k], Pictures(height=64, width=64)[k].image)
        np.testing.assert_allclose(store.table["points"][k], Pictures(height=64, width=64)[k].points, atol=1e-3)


def test_without_margin_a_frame_that_is_not_square_is_padded_by_its_border(tmp_path):
    reader = Pictures(count=2, height=60, width=80)
    store, _ = prepare(reader, tmp_path / "store", size=80, margin=None)
    for k in range(2):
        np.testing.assert_array_equal(store.crops[k, 10:70], reader[k].image)
        np.testing.assert_array_equal(store.crops[k, 3], reader[k].image[0])
        np.testing.assert_allclose(store.table["points"][k], reader[k].points + [0, 10], atol=1e-3)
        np.testing.assert_allclose(store.table["box"][k], [39.5, 29.5, 80])


def test_without_margin_corners_need_not_be_annotated(tmp_path):
    item = Pictures()[0]
    item.mask = item.mask.copy()
    item.mask[36] = False
    store, _ = prepare(One(item=item), tmp_path / "store", size=32, margin=None)
    assert not store.table["mask"][0, 36]


# ------------------------------------------------------------------------------------------ skipped and counted


def test_bad_items_are_skipped_counted_and_listed(tmp_path):
    seen = []
    reader = Pictures(count=6, bad=(1, 4, 5))
    store, report = prepare(reader, tmp_path / "store", size=16, progress=lambda *d: seen.append(d))
    assert store.table["key"].tolist() == ["picture 0", "picture 2", "picture 3"]
    assert report.kept == 3 and len(report.skipped) == 3 and store.meta["skipped"] == 3
    assert report.summary() == "3 kept, 3 skipped; 3 x image file is missing"
    listed = json.loads((tmp_path / "store" / "skipped.json").read_text(encoding="utf-8"))
    assert listed == [{"where": f"picture {k}.png", "why": "image file is missing"} for k in (1, 4, 5)]
    assert seen == [(k, 6) for k in range(7)]


def test_the_summary_names_the_commonest_reasons():
    report = PrepareReport(kept=2, skipped=[("a", "x"), ("b", "y"), ("c", "y"), ("d", "z"), ("e", "w")])
    assert report.summary().startswith("2 kept, 5 skipped; 2 x y; 1 x x")


@pytest.mark.parametrize("count", [0, 3])
def test_a_reader_without_a_good_item_is_an_error_and_leaves_nothing(tmp_path, count):
    with pytest.raises(DataError, match=f"no usable item among {count}: 0 kept, {count} skipped"):
        prepare(Pictures(count=count, bad=(0, 1, 2)), tmp_path / "store", size=16)
    assert os.listdir(tmp_path) == []


def altered(**changes):
    item = Pictures()[0]
    for name, value in changes.items():
        setattr(item, name, value)
    return item


def without(place):
    mask = np.ones(68, bool)
    mask[place] = False
    return mask


@pytest.mark.parametrize("place", [36, 39, 42, 45, 48, 54])
def test_an_unknown_corner_is_skipped(tmp_path, place):
    with pytest.raises(DataError, match="an eye or mouth corner is not annotated"):
        prepare(One(item=altered(mask=without(place))), tmp_path / "store", size=16)


@pytest.mark.parametrize("place", [30, 0, 8, 60])
def test_another_unknown_point_is_no_reason_to_skip(tmp_path, place):
    store, _ = prepare(One(item=altered(mask=without(place))), tmp_path / "store", size=16)
    assert np.flatnonzero(~store.table["mask"][0]).tolist() == [place]


@pytest.mark.parametrize(
    "points, reason",
    [
        (face((50, 40), 7), "face box smaller than 8 pixels"),
        (np.zeros((68, 2)), "face box smaller than 8 pixels"),
        (np.full((68, 2), np.nan), "face box smaller than 8 pixels"),
        (face((5000, 40), 60), "face box outside the picture or far larger"),
        (face((55, 45), 1e6), "face box outside the picture or far larger"),
    ],
    ids=["small", "zero", "nan", "outside", "huge"],
)
@pytest.mark.parametrize("margin", [1.5])
def test_a_face_box_that_makes_no_sense_is_skipped(tmp_path, points, reason, margin):
    with pytest.raises(DataError, match=reason):
        prepare(One(item=altered(points=points)), tmp_path / "store", size=16, margin=margin)


def test_a_face_that_fills_more_than_its_picture_is_kept(tmp_path):
    """Tight crops round a face, such as YouTube Faces, have face boxes larger than themselves."""
    store, _ = prepare(One(item=altered(points=face((55, 45), 200))), tmp_path / "store", size=16)
    assert len(store) == 1


def test_a_tiny_picture_of_a_large_face_is_no_crash():
    item = Item("k", np.full((3, 4, 3), 7, np.uint8), face((2, 1), 12), np.ones(68, bool), np.ones(68, bool))
    crop, _ = preparing.cut(item, np.array([1.5, 1.0, 900.0]), 16)
    assert (crop == 7).all()


def test_an_error_of_the_reader_itself_is_not_swallowed(tmp_path):
    class Broken(Pictures):
        def __getitem__(self, k):
            raise DataError("the folder has gone")

    with pytest.raises(DataError, match="the folder has gone"):
        prepare(Broken(), tmp_path / "store", size=16)
    assert os.listdir(tmp_path) == []


# --------------------------------------------------------------------------------------------------------- workers


def test_any_number_of_workers_writes_the_same_bytes(tmp_path):
    reader = Pictures(count=40, height=40, width=50, bad=(3, 33), side=20.0)
    reports = [prepare(reader, tmp_path / str(n), size=24, workers=n)[1] for n in (1, 2)]
    assert reports[0] == reports[1] and reports[0].kept == 38
    for name in ("crops.npy", "table.npy", "store.json", "skipped.json"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes(), name
    Store(tmp_path / "2").verify()


def test_two_readings_write_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        prepare(Pictures(), tmp_path / name, size=24)
    for name in ("crops.npy", "table.npy", "store.json", "skipped.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_seven_point_readers_are_prepared_too(tmp_path):
    item = Pictures()[0]
    seven = [36, 39, 42, 45, 30, 48, 54]
    item.points, item.mask, item.visible = item.points[seven], item.mask[seven], item.visible[seven]
    store, _ = prepare(One(item=item, markup=SEVEN), tmp_path / "store", size=40)
    np.testing.assert_allclose(store.table["box"][0], loop_box(Pictures()[0].points) * [1, 1, 1.5], rtol=1e-5)
    assert store.markup is SEVEN


def test_opencv_is_left_as_it_was(tmp_path):
    before = cv2.getNumThreads()
    prepare(Pictures(count=2), tmp_path / "store", size=16)
    assert cv2.getNumThreads() == before
