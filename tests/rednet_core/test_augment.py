"""Augmentation against OpenCV's resampling, and points against the pixels they are to stay on."""

import cv2
import numpy as np
import pytest
import torch

from rednet_core import augment, geometry
from rednet_core.augment import NONE, Augmentation
from rednet_core.markup import IBUG68, SEVEN
from tests.helpers import blob, centroid, face, smooth_picture


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


# ---------------------------------------------------------------------------------------------------- resampling


def random_matrices(n, size, picture, seed, low=0.6, high=1.8):
    rng = np.random.default_rng(seed)
    box = np.stack([*rng.uniform(0.35 * picture, 0.65 * picture, (2, n)), size * rng.uniform(low, high, n)], -1)
    return geometry.crop_matrix(box, size, rng.uniform(-0.6, 0.6, n))


@pytest.mark.parametrize("size", [24, 40])
def test_resampling_is_opencvs_warp(size):
    rng = np.random.default_rng(0)
    pictures = np.stack([smooth_picture(50, 60, rng) for _ in range(5)])
    matrices = random_matrices(5, size, 50, 1)
    found = augment.resample(torch.tensor(pictures), torch.tensor(matrices), size)
    assert found.shape == (5, 3, size, size)
    for n in range(5):
        expected = cv2.warpAffine(
            pictures[n].astype(np.float64), matrices[n], (size, size), flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )  # fmt: skip
        # OpenCV rounds places to 1/32 pixel, we do not.
        np.testing.assert_allclose(255 * found[n].permute(1, 2, 0), expected, atol=1.5)


def test_resampling_is_bilinear_by_a_loop():
    rng = np.random.default_rng(2)
    picture = rng.integers(0, 256, (7, 9, 3), dtype=np.uint8)
    matrix = np.array([[1.1, 0.2, -1.3], [-0.15, 0.9, 0.7]])
    found = augment.resample(torch.tensor(picture)[None], torch.tensor(matrix)[None], 8)[0]
    back = cv2.invertAffineTransform(matrix)
    for row in range(8):
        for column in range(8):
            x, y = back @ [column, row, 1]
            x, y = min(max(x, 0), 8), min(max(y, 0), 6)  # the border is repeated
            x0, y0 = min(int(x), 7), min(int(y), 5)
            fx, fy = x - x0, y - y0
            p = picture.astype(float)
            top = p[y0, x0] * (1 - fx) + p[y0, x0 + 1] * fx
            bottom = p[y0 + 1, x0] * (1 - fx) + p[y0 + 1, x0 + 1] * fx
            expected = (top * (1 - fy) + bottom * fy) / 255
            np.testing.assert_allclose(found[:, row, column], expected, atol=1e-6)


@pytest.mark.parametrize("shrink", [2.5, 3.9, 4, 6, 11])
def test_shrinking_averages_and_does_not_skip_pixels(shrink):
    """Single-pixel noise of spread 1 must be averaged away; bilinear sampling alone leaves about a half of it."""
    noise = np.random.default_rng(3).integers(0, 256, (200, 200, 3), dtype=np.uint8)
    box = np.array([[99.5, 99.5, 16 * shrink]])
    found = augment.resample(torch.tensor(noise)[None], torch.tensor(geometry.crop_matrix(box, 16)), 16)
    left = float(found.std() / (noise / 255).std())
    assert left < 1.35 / shrink  # the mean of shrink^2 pixels has 1 / shrink of their spread


def test_shrinking_keeps_points_on_their_pixels():
    dot = (97.0, 61.0)
    picture = np.repeat((255 * blob(160, dot, 9.0)).round().astype(np.uint8)[..., None], 3, -1)
    matrix = geometry.crop_matrix(np.array([[80.0, 75.0, 150.0]]), 20)
    found = augment.resample(torch.tensor(picture)[None], torch.tensor(matrix), 20)
    expected = geometry.apply(matrix, np.array([[dot]]))[0, 0]
    np.testing.assert_allclose(centroid(found[0, 0]), expected, atol=0.1)


def test_a_picture_is_resampled_the_same_in_any_company():
    """Videos are tracked in step: how one is read must not depend on which others run beside it."""
    rng = np.random.default_rng(4)
    pictures = torch.tensor(rng.integers(0, 256, (2, 120, 120, 3), dtype=np.uint8))
    boxes = torch.tensor([[60.0, 60.0, 100.0], [60.0, 60.0, 15.0]])
    matrices = geometry.crop_matrix(boxes, 16)
    both = augment.resample(pictures, matrices, 16)
    for n in range(2):
        torch.testing.assert_close(both[n : n + 1], augment.resample(pictures[n : n + 1], matrices[n : n + 1], 16))


@pytest.mark.parametrize("side", [9.0, 40.0, 170.0, 700.0])
@pytest.mark.parametrize("place", [(60, 80), (1, 2), (198, 158), (-500, 900), (np.nan, 30)])
def test_reading_only_what_the_crops_reach_changes_nothing(side, place):
    """The whole picture averaged and sampled, as a short function of its own, in double precision."""
    rng, size = np.random.default_rng(5), 16
    picture = torch.tensor(rng.integers(0, 256, (1, 161, 203, 3), dtype=np.uint8))
    matrix = geometry.crop_matrix(torch.tensor([[*place, side]], dtype=torch.float64), size, torch.tensor([0.4]))
    back, factor = geometry.invert(matrix), max(1, int(side / size + 1e-3))
    whole = torch.nn.functional.avg_pool2d(
        picture.permute(0, 3, 1, 2).double() / 255, factor, ceil_mode=True, count_include_pad=False
    )
    y, x = torch.meshgrid(torch.arange(size).double(), torch.arange(size).double(), indexing="ij")
    source = geometry.apply(back, torch.stack([x, y], -1).view(1, -1, 2)).view(1, size, size, 2)
    grid = (2 * source + 1) / (torch.tensor([whole.shape[3], whole.shape[2]]) * factor) - 1
    expected = torch.nn.functional.grid_sample(whole, grid, padding_mode="border", align_corners=False)
    found = augment.resample(picture, matrix, size)
    if np.isfinite(place).all():
        torch.testing.assert_close(found, expected, atol=1e-9, rtol=0)
    assert found.shape == expected.shape  # a box that is not known gives some crop, not an error


# ----------------------------------------------------------------------------------------------- drawing changes


def many_boxes(n=4000):
    return torch.tensor([[50.0, 60.0, 40.0]]).expand(n, 3)


HOW = Augmentation(scale=0.1, turn=15.0, shift=0.05)


def test_boxes_stay_within_their_limits_and_reach_them():
    box, angle = augment.vary_box(many_boxes(), HOW, generator())
    shift = (box[:, :2] - torch.tensor([50.0, 60.0])) / 40
    scale = 40 / box[:, 2]  # a face drawn larger is a smaller box
    for values, middle, reach in (
        (shift[:, 0], 0, 0.05),
        (shift[:, 1], 0, 0.05),
        (scale, 1, 0.1),
        (torch.rad2deg(angle), 0, 15),
    ):
        values = (values - middle) / reach
        assert values.abs().max() <= 1 + 1e-4
        assert values.max() > 0.99 and values.min() < -0.99
        assert abs(values.mean()) < 0.04
        assert abs(values.std() - 3**-0.5) < 0.02  # uniform
    table = torch.stack([shift[:, 0], shift[:, 1], scale, angle])
    assert (torch.corrcoef(table) - torch.eye(4)).abs().max() < 0.06


def test_the_papers_augmentation_is_the_default():
    how = Augmentation()
    assert (how.scale, how.turn, how.shift * 256, how.flip) == (0.1, 15, 7, 0.5)
    assert (how.contrast, how.brightness) == (0, 0)


def test_no_augmentation_changes_nothing():
    box, angle = augment.vary_box(many_boxes(3), NONE, generator())
    assert torch.equal(box, many_boxes(3)) and (angle == 0).all()
    pictures, points, mask = torch.rand(3, 3, 8, 8), torch.rand(3, 68, 2), torch.rand(3, 68) < 0.5
    flipped = augment.flip_some(pictures, points, mask, IBUG68, NONE, generator())
    assert all(torch.equal(a, b) for a, b in zip(flipped, (pictures, points, mask), strict=True))
    torch.testing.assert_close(augment.vary_light(pictures, NONE, generator()), pictures)


def test_the_same_seed_draws_the_same():
    light = Augmentation(contrast=0.3, brightness=0.2)
    pictures, points, mask = torch.rand(6, 3, 8, 8), torch.rand(6, 68, 2), torch.rand(6, 68) < 0.5

    def everything(seed):
        g = generator(seed)
        return (
            *augment.vary_box(many_boxes(6), HOW, g),
            *augment.flip_some(pictures, points, mask, IBUG68, HOW, g),
            augment.vary_light(pictures, light, g),
        )

    assert all(torch.equal(a, b) for a, b in zip(everything(1), everything(1), strict=True))
    assert not any(torch.equal(a, b) for a, b in zip(everything(1), everything(2), strict=True))


def test_light_is_gain_and_lift_and_stays_within_white():
    pictures = 0.3 + 0.4 * torch.rand(2000, 3, 4, 4, generator=generator(1))
    how = Augmentation(contrast=0.2, brightness=0.1)
    found = augment.vary_light(pictures, how, generator(2))
    assert found.min() >= 0 and found.max() <= 1
    lift = (found.mean((1, 2, 3)) - pictures.mean((1, 2, 3))) / 0.1
    gain = (found.std((1, 2, 3)) / pictures.std((1, 2, 3))).log() / 0.2
    for values in (lift, gain):
        assert values.abs().max() < 1.02 and values.max() > 0.95 and values.min() < -0.95
    dark = augment.vary_light(torch.zeros(50, 3, 4, 4), Augmentation(contrast=1, brightness=1), generator(3))
    assert dark.min() == 0 and dark.max() <= 1


def test_about_half_are_flipped():
    pictures = torch.arange(4.0).expand(2000, 3, 4, 4)
    points, mask = torch.zeros(2000, 7, 2), torch.ones(2000, 7, dtype=torch.bool)
    flipped, *_ = augment.flip_some(pictures, points, mask, SEVEN, Augmentation(flip=0.5), generator())
    share = float((flipped[:, 0, 0, 0] == 3).float().mean())
    assert 0.45 < share < 0.55
    always, *_ = augment.flip_some(pictures, points, mask, SEVEN, Augmentation(flip=1.0), generator())
    assert (always[:, 0, 0, 0] == 3).all()


def test_a_flip_renames_points_and_mask_together():
    points = torch.tensor(face((15.5, 15.5), 24, 0.2), dtype=torch.float32)[None]
    mask = torch.ones(1, 68, dtype=torch.bool)
    mask[0, 36] = mask[0, 8] = False
    picture = torch.rand(1, 3, 32, 32)
    x, p, m = augment.flip_some(picture, points, mask, IBUG68, Augmentation(flip=1.0), generator())
    assert torch.equal(x, torch.tensor(np.ascontiguousarray(picture.numpy()[..., ::-1])))
    assert torch.nonzero(~m[0]).flatten().tolist() == [8, 45]
    torch.testing.assert_close(p[0, 45], torch.stack([31 - points[0, 36, 0], points[0, 36, 1]]))


@pytest.mark.parametrize("place", [36, 45, 30, 48, 8, 0, 19, 64])
def test_a_blob_on_a_landmark_is_found_at_the_transformed_landmark(place):
    """The whole chain of stills: varied box, resampling, flip. The blob is the named landmark, always."""
    n, size = 24, 64
    points = np.stack([face((60 + k % 3, 58), 66 + k % 5, 0.1 * (k % 4)) for k in range(n)])
    pictures = np.stack([(255 * blob(120, points[k, place], 2.5)).round().astype(np.uint8) for k in range(n)])
    pictures = torch.tensor(np.repeat(pictures[..., None], 3, -1))
    points = torch.tensor(points)
    how, g = Augmentation(scale=0.1, turn=15, shift=0.05, flip=0.5), generator(place)
    box, angle = augment.vary_box(geometry.face_box(points, IBUG68), how, g)
    matrix = geometry.crop_matrix(box, size, angle)
    x, moved = augment.resample(pictures, matrix, size), geometry.apply(matrix, points)
    x, moved, _ = augment.flip_some(x, moved, torch.ones(n, 68, dtype=torch.bool), IBUG68, how, g)
    unflipped = geometry.apply(matrix, points)
    was_flipped = (moved[:, 8] - unflipped[:, 8]).abs().sum(-1) > 1e-9
    assert 0 < was_flipped.sum() < n
    for k in range(n):
        # After a flip the landmark of that name is the partner's picture: look where the blob must be by name.
        name = IBUG68.flip[place] if was_flipped[k] else place
        where = moved[k, name].numpy()
        if (where < 8).any() or (where > size - 9).any():
            continue  # cut off by the border
        np.testing.assert_allclose(centroid(x[k, 0]), where, atol=0.1)
