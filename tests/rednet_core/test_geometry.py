"""Changes of frame against pixel arithmetic by hand, OpenCV and drawn pictures."""

import math

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rednet_core import geometry
from rednet_core.markup import IBUG68, SEVEN
from tests.helpers import blob, centroid, face, loop_box

coordinate = st.floats(-500, 500)
side = st.floats(10, 2000)
turn = st.floats(-math.pi, math.pi)
boxes = st.tuples(coordinate, coordinate, side)


def by_hand(box, size, angle, point):
    """Where a crop shows a point, step by step: from the box's centre, turned, magnified, to the crop's middle."""
    across, down = point[0] - box[0], point[1] - box[1]
    across, down = (
        math.cos(angle) * across - math.sin(angle) * down,
        math.sin(angle) * across + math.cos(angle) * down,
    )
    pixel = size / box[2]
    # In edge coordinates (pixel k spans k .. k + 1) the crop's middle is size / 2; centres are half a pixel less.
    return size / 2 + pixel * across - 0.5, size / 2 + pixel * down - 0.5


def test_face_box_is_the_authors_arithmetic():
    rng = np.random.default_rng(0)
    points = rng.normal(0, 50, (20, 68, 2))
    boxes = geometry.face_box(points, IBUG68)
    assert boxes.shape == (20, 3)
    for k in range(20):
        np.testing.assert_allclose(boxes[k], loop_box(points[k]), rtol=1e-12)


def test_face_box_of_seven_points_is_that_of_their_68():
    points = face((30, 40), 90, 0.3) + np.random.default_rng(1).normal(0, 2, (68, 2))
    seven = points[[36, 39, 42, 45, 30, 48, 54]]
    np.testing.assert_allclose(geometry.face_box(seven, SEVEN), geometry.face_box(points, IBUG68), rtol=1e-12)


def test_the_nose_does_not_enter_the_face_box():
    points = face((30, 40), 90)
    moved = points.copy()
    moved[30] += 1000
    np.testing.assert_array_equal(geometry.face_box(moved, IBUG68), geometry.face_box(points, IBUG68))


def test_face_box_of_a_face_put_in_a_box_is_that_box():
    np.testing.assert_allclose(geometry.face_box(face((12, -7), 55, 0.4), IBUG68), [12, -7, 55], atol=1e-9)


def test_eyes_and_mouth_are_means():
    eyes, mouth = geometry.eyes_and_mouth(face((0, 0), 6), IBUG68)
    np.testing.assert_allclose(eyes, [0, -1], atol=1e-12)
    np.testing.assert_allclose(mouth, [0, 1], atol=1e-12)


@given(boxes, st.integers(8, 512), turn, st.tuples(coordinate, coordinate))
def test_crop_matrix_is_pixel_arithmetic(box, size, angle, point):
    matrix = geometry.crop_matrix(np.array(box), size, angle)
    seen = geometry.apply(matrix, np.array([point]))[0]
    np.testing.assert_allclose(seen, by_hand(box, size, angle, point), rtol=1e-9, atol=1e-6)


@given(boxes, st.integers(8, 512))
def test_a_crop_shows_exactly_the_boxs_square(box, size):
    x, y, length = box
    corners = np.array([[x - length / 2, y - length / 2], [x + length / 2, y + length / 2]])
    seen = geometry.apply(geometry.crop_matrix(np.array(box), size), corners)
    np.testing.assert_allclose(seen, [[-0.5, -0.5], [size - 0.5, size - 0.5]], atol=1e-6)


def test_a_crop_of_the_whole_picture_changes_nothing():
    matrix = geometry.crop_matrix(np.array([31.5, 31.5, 64.0]), 64)
    np.testing.assert_allclose(matrix, [[1, 0, 0], [0, 1, 0]], atol=1e-12)


def test_a_positive_angle_turns_the_picture_clockwise_on_the_screen():
    box = np.array([50.0, 50.0, 100.0])
    seen = geometry.apply(geometry.crop_matrix(box, 100, math.radians(10)), np.array([[50.0, 50.0], [80.0, 50.0]]))
    assert seen[1, 0] > seen[0, 0]
    assert seen[1, 1] > seen[0, 1]  # y points down: what was level on the right has sunk


@given(boxes, st.integers(8, 512), turn)
def test_round_trip_through_a_matrix_and_its_inverse(box, size, angle):
    points = np.random.default_rng(0).uniform(-300, 300, (5, 2))
    matrix = geometry.crop_matrix(np.array(box), size, angle)
    back = geometry.apply(geometry.invert(matrix), geometry.apply(matrix, points))
    np.testing.assert_allclose(back, points, atol=1e-6)


def test_invert_is_opencvs_inverse():
    rng = np.random.default_rng(3)
    for _ in range(10):
        matrix = rng.normal(size=(2, 3))
        np.testing.assert_allclose(geometry.invert(matrix), cv2.invertAffineTransform(matrix), rtol=1e-6, atol=1e-9)


def test_apply_is_a_loop():
    rng = np.random.default_rng(4)
    matrix, points = rng.normal(size=(3, 2, 3)), rng.normal(size=(3, 5, 2))
    seen = geometry.apply(matrix, points)
    for n in range(3):
        for i in range(5):
            x, y = points[n, i]
            a = matrix[n]
            np.testing.assert_allclose(seen[n, i, 0], a[0, 0] * x + a[0, 1] * y + a[0, 2])
            np.testing.assert_allclose(seen[n, i, 1], a[1, 0] * x + a[1, 1] * y + a[1, 2])


def test_compose_does_first_then_second():
    rng = np.random.default_rng(5)
    first, second, points = rng.normal(size=(4, 2, 3)), rng.normal(size=(4, 2, 3)), rng.normal(size=(4, 6, 2))
    at_once = geometry.apply(geometry.compose(second, first), points)
    np.testing.assert_allclose(at_once, geometry.apply(second, geometry.apply(first, points)))
    other_order = geometry.apply(second, geometry.apply(first, points)) - geometry.apply(
        first, geometry.apply(second, points)
    )
    assert np.abs(other_order).max() > 0.1  # the order matters here, so the test above can fail


@pytest.mark.parametrize("leading", [(), (3,), (2, 3)])
def test_numpy_and_torch_agree_over_any_leading_axes(leading):
    rng = np.random.default_rng(6)
    points = rng.normal(0, 40, (*leading, 68, 2)) + face((50, 50), 100)
    angle = rng.uniform(-1, 1, leading)
    box = geometry.face_box(points, IBUG68)
    matrix = geometry.crop_matrix(box, 64, angle)
    other = geometry.compose(matrix, geometry.invert(matrix[..., ::1, :] * 1.5))
    t_points, t_angle = torch.tensor(points), torch.tensor(angle)
    t_box = geometry.face_box(t_points, IBUG68)
    t_matrix = geometry.crop_matrix(t_box, 64, t_angle)
    t_other = geometry.compose(t_matrix, geometry.invert(t_matrix * 1.5))
    for ours, theirs in (
        (box, t_box),
        (matrix, t_matrix),
        (other, t_other),
        (geometry.apply(matrix, points), geometry.apply(t_matrix, t_points)),
        (geometry.mirror(points, 64, IBUG68), geometry.mirror(t_points, 64, IBUG68)),
        (geometry.rescale(points, 64, 32), geometry.rescale(t_points, 64, 32)),
    ):
        assert isinstance(ours, np.ndarray) and isinstance(theirs, torch.Tensor)
        assert ours.shape == tuple(theirs.shape)
        np.testing.assert_allclose(ours, theirs.numpy(), rtol=1e-9, atol=1e-9)
    assert matrix.shape == (*leading, 2, 3)


def test_float32_stays_float32():
    points = torch.zeros(2, 68, 2) + torch.tensor(face((50, 50), 90), dtype=torch.float32)
    matrix = geometry.crop_matrix(geometry.face_box(points, IBUG68), 32)
    assert matrix.dtype == geometry.apply(matrix, points).dtype == torch.float32


@pytest.mark.parametrize("angle", [0.0, 0.4, -1.2])
@pytest.mark.parametrize("size", [40, 96])
def test_a_dot_in_a_picture_lands_where_the_points_say(angle, size):
    box, dot = np.array([52.3, 47.9, 66.0]), (60.2, 41.7)
    matrix = geometry.crop_matrix(box, size, angle)
    crop = cv2.warpAffine(blob((100, 110), dot, 3.0), matrix, (size, size), flags=cv2.INTER_LINEAR)
    np.testing.assert_allclose(centroid(crop), geometry.apply(matrix, np.array([dot]))[0], atol=0.06)


@given(st.tuples(st.floats(12, 50), st.floats(12, 50)))
def test_rescale_follows_a_picture_that_is_area_averaged(dot):
    small = cv2.resize(blob(64, dot, 3.0), (32, 32), interpolation=cv2.INTER_AREA)
    np.testing.assert_allclose(geometry.rescale(np.array(dot), 64, 32), centroid(small), atol=0.01)
    # Without the half pixel the answer would be a quarter of a pixel off, well beyond this tolerance.


@given(st.tuples(coordinate, coordinate), st.integers(8, 512), st.integers(8, 512))
def test_rescale_there_and_back(point, old, new):
    point = np.array(point)
    np.testing.assert_allclose(geometry.rescale(geometry.rescale(point, old, new), new, old), point, atol=1e-6)


def test_mirror_follows_the_flipped_picture_and_renames_the_points():
    points = face((33, 30), 40, 0.2)
    mirrored = geometry.mirror(points, 64, IBUG68)
    for i, partner in ((36, 45), (48, 54), (8, 8), (0, 16), (60, 64)):
        flipped = cv2.flip(blob(64, points[partner], 1.5), 1)  # the picture of the partner alone
        np.testing.assert_allclose(mirrored[i], centroid(flipped), atol=0.02)


@given(st.integers(8, 300))
def test_mirroring_twice_is_nothing(size):
    points = face((33, 30), 40, 0.2)
    twice = geometry.mirror(geometry.mirror(points, size, IBUG68), size, IBUG68)
    np.testing.assert_allclose(twice, points, atol=1e-9)


def test_importing_frames_does_not_import_torch():
    import subprocess
    import sys

    code = (
        "import sys, rednet_core.geometry, data_prep.prepare, data_prep.readers.udacity; print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=_root())
    assert done.stdout.strip() == "False"


def _root():
    from pathlib import Path

    return Path(__file__).resolve().parents[2]
