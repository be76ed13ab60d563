"""The vectorised SIFT descriptor: as OpenCV's, whatever the light, moving and turning with the picture."""

import cv2
import numpy as np
import pytest
import torch

from rednet_lab.experiments.baselines.sdm import CELLS, LENGTH, ORIENTATIONS, descriptors, orientation_maps
from tests.helpers import smooth_picture

CELL = 5.0
POINTS = torch.tensor([[[30.0, 33.0], [45.3, 28.7], [52.5, 61.0], [66.2, 40.9], [38.0, 64.4]]])


@pytest.fixture(scope="module")
def picture():
    rng = np.random.default_rng(5)
    rough = cv2.GaussianBlur(rng.uniform(0, 255, (96, 96)), (0, 0), 3)
    rough = 255 * (rough - rough.min()) / (rough.max() - rough.min())
    return (0.6 * rough + 0.4 * smooth_picture(96, 96, rng).mean(-1)).round().astype(np.uint8)


def ours(picture, points=POINTS, cell=CELL):
    return descriptors(orientation_maps(torch.from_numpy(np.array(picture, np.float32))[None] / 255), points, cell)


def test_it_agrees_with_opencvs(picture):
    keypoints = [cv2.KeyPoint(float(x), float(y), CELL / 1.5, 0.0) for x, y in POINTS[0]]  # cell = 3 * size / 2
    _, theirs = cv2.SIFT_create().compute(picture, keypoints)
    theirs = torch.from_numpy(theirs / np.linalg.norm(theirs, axis=-1, keepdims=True))
    blurred = cv2.GaussianBlur(picture.astype(np.float32), (0, 0), (1.6**2 - 0.5**2) ** 0.5)  # OpenCV's first octave
    found = ours(blurred)[0]
    assert (found * theirs).sum(-1).min() > 0.97
    wrong = ours(blurred, POINTS + 6)[0]  # elsewhere it is another one
    assert (wrong * theirs).sum(-1).max() < 0.9


def test_light_and_contrast_do_not_matter_and_length_is_one(picture):
    found = ours(picture)
    assert found.shape == (1, 5, LENGTH)
    torch.testing.assert_close(found, ours(0.5 * picture + 60.0), atol=1e-5, rtol=0)
    torch.testing.assert_close(found.norm(dim=-1), torch.ones(1, 5))


def test_a_moved_picture_has_moved_descriptors_and_a_turned_one_turned_ones(picture):
    moved = np.roll(picture, (3, -5), (0, 1))
    torch.testing.assert_close(ours(moved, POINTS + torch.tensor([-5.0, 3.0])), ours(picture), atol=1e-5, rtol=0)
    turned = np.rot90(picture)  # against the clock: (x, y) comes to (y, 95 - x)
    there = torch.stack([POINTS[..., 1], 95 - POINTS[..., 0]], -1)
    cells = ours(picture).unflatten(-1, (CELLS, CELLS, ORIENTATIONS))
    expected = cells.rot90(1, (2, 3)).roll(2, -1)  # the cells turn, and a quarter turn is two of eight orientations
    torch.testing.assert_close(ours(turned, there).unflatten(-1, expected.shape[2:]), expected, atol=1e-5, rtol=0)


def test_one_edge_points_one_way():
    ramp = np.tile(np.arange(96, dtype=np.float32), (96, 1))  # brighter to the right: orientation 0 everywhere
    each = ours(ramp, torch.tensor([[[48.0, 48.0]]])).unflatten(-1, (CELLS * CELLS, ORIENTATIONS))[0, 0]
    assert (each[:, 0] > 0.2).all() and each[:, 1:].abs().max() < 1e-6
    up = ours(ramp.T[::-1].copy(), torch.tensor([[[48.0, 48.0]]])).unflatten(-1, (CELLS * CELLS, ORIENTATIONS))[0, 0]
    assert (up[:, 2] > 0.2).all()  # brighter upwards: a quarter turn against the clock


def test_outside_the_picture_there_is_nothing(picture):
    far = ours(picture, torch.tensor([[[-200.0, 50.0], [48.0, 48.0]]]))
    assert (far[0, 0] == 0).all() and far.isfinite().all() and (far[0, 1] != 0).any()
