"""Pose estimates against faces turned by our own arithmetic, with signs as DATASETS 2.5 has them."""

import math

import numpy as np
import pytest

from data_prep.pose import UNKNOWN_POSE, angles, estimate_pose
from rednet_core.markup import IBUG68, SEVEN
from tests.helpers import face

# A face of our own in millimetres (x to the viewer's right, y up, z towards the viewer), not the code's model:
# outer and inner eye corners, nose tip, mouth corners, by common anthropometric figures.
OWN = np.array(
    [[-44, 33, -26], [-17, 33, -20], [17, 33, -20], [44, 33, -26], [0, -8, 14], [-26, -38, -16], [26, -38, -16]], float
)


def turned(yaw, pitch, roll, shape=OWN, scale=1.3, centre=(100.0, 90.0), distance=1500.0):
    """Where a camera in front sees the face after it has nodded, turned and tilted; degrees, picture pixels."""
    a, b, c = (math.radians(v) for v in (yaw, pitch, roll))
    points = []
    for x, y, z in shape:
        # The nose (z > 0) goes up for pitch > 0 ...
        y, z = y * math.cos(b) + z * math.sin(b), -y * math.sin(b) + z * math.cos(b)
        # ... to the viewer's left for yaw > 0 ...
        x, z = x * math.cos(a) - z * math.sin(a), x * math.sin(a) + z * math.cos(a)
        # ... and the head tilts counter-clockwise for roll > 0 (y is up here).
        x, y = x * math.cos(c) - y * math.sin(c), x * math.sin(c) + y * math.cos(c)
        perspective = scale * distance / (distance - z)
        points.append([centre[0] + perspective * x, centre[1] - perspective * y])
    return np.array(points)


def estimated(yaw, pitch, roll, **choices):
    return estimate_pose(turned(yaw, pitch, roll, **choices), SEVEN, (180, 200))


def test_our_own_signs_are_those_of_datasets_2_5():
    left, up, tilted = turned(30, 0, 0), turned(0, 20, 0), turned(0, 0, 15)
    straight = turned(0, 0, 0)
    assert left[4, 0] < straight[4, 0] - 5  # yaw > 0: the nose points to the viewer's left
    assert up[4, 1] < straight[4, 1] - 3  # pitch > 0: the nose moves from the mouth to the eyes
    eyes = tilted[3] - tilted[0]
    assert -math.degrees(math.atan2(eyes[1], eyes[0])) == pytest.approx(15)  # roll = -atan2(dy, dx), y down


@pytest.mark.parametrize("yaw", [-58, -40, -20, 0, 20, 40, 58])
@pytest.mark.parametrize("pitch", [-20, 0, 20])
@pytest.mark.parametrize("roll", [-25, 0, 25])
def test_pose_comes_back_within_a_few_degrees(yaw, pitch, roll):
    found = estimated(yaw, pitch, roll)
    assert found.yaw == pytest.approx(yaw, abs=3)
    assert found.pitch == pytest.approx(pitch, abs=6)  # which pitch is level is a matter of the face model
    assert found.roll == pytest.approx(roll, abs=2)


def test_a_straight_face_is_nearly_straight():
    found = estimated(0, 0, 0)
    assert abs(found.yaw) < 0.5 and abs(found.roll) < 0.5 and abs(found.pitch) < 6


def test_yaw_is_monotone_up_to_profiles():
    found = [estimated(yaw, 0, 0).yaw for yaw in range(-75, 76, 15)]
    assert all(a < b - 8 for a, b in zip(found, found[1:], strict=False))


def test_size_and_place_in_the_picture_do_not_matter():
    one = estimated(35, 5, 10)
    for scale, centre in ((0.4, (100, 90)), (1.3, (30, 150))):
        other = estimated(35, 5, 10, scale=scale, centre=centre)
        np.testing.assert_allclose(other, one, atol=3)


def test_a_mirrored_face_has_yaw_and_roll_reversed():
    seen = turned(30, 8, 12)
    mirrored = np.stack([199 - seen[:, 0], seen[:, 1]], -1)[[3, 2, 1, 0, 4, 6, 5]]
    one, other = (estimate_pose(p, SEVEN, (180, 200)) for p in (seen, mirrored))
    np.testing.assert_allclose(other, [-one.yaw, one.pitch, -one.roll], atol=0.5)


def test_68_points_are_read_at_their_seven():
    points = np.full((68, 2), 1e9)
    points[[36, 39, 42, 45, 30, 48, 54]] = turned(20, 5, -10)
    assert estimate_pose(points, IBUG68, (180, 200)) == estimated(20, 5, -10)


@pytest.mark.parametrize(
    "points", [np.zeros((68, 2)), np.full((68, 2), 50.0), np.full((68, 2), np.nan)], ids=["zero", "one place", "nan"]
)
def test_points_that_are_no_face_have_no_pose(points):
    found = estimate_pose(points, IBUG68, (100, 100))
    assert all(math.isnan(v) for v in found) and len(found) == len(UNKNOWN_POSE) == 3


def test_a_drawn_face_is_seen_from_the_front():
    found = estimate_pose(face((100, 90), 150), IBUG68, (180, 200))
    assert abs(found.yaw) < 1 and abs(found.roll) < 1 and abs(found.pitch) < 30
    tilted = estimate_pose(face((100, 90), 150, turn=math.radians(-20)), IBUG68, (180, 200))
    assert tilted.roll == pytest.approx(20, abs=1.5)  # turned counter-clockwise on the screen


def rotation(yaw, pitch, roll):
    """The same turns as a matrix in the camera's axes: x right, y down, z away from the viewer."""
    axes = np.eye(3) * [1, -1, -1]  # to x right, y up, z towards the viewer
    a, b, c = (math.radians(v) for v in (yaw, pitch, roll))
    turn_yaw = np.array([[math.cos(a), 0, -math.sin(a)], [0, 1, 0], [math.sin(a), 0, math.cos(a)]])
    turn_pitch = np.array([[1, 0, 0], [0, math.cos(b), math.sin(b)], [0, -math.sin(b), math.cos(b)]])
    turn_roll = np.array([[math.cos(c), -math.sin(c), 0], [math.sin(c), math.cos(c), 0], [0, 0, 1]])
    return axes @ turn_roll @ turn_yaw @ turn_pitch @ axes


@pytest.mark.parametrize(
    "yaw, pitch, roll", [(30, 0, 0), (-30, 0, 0), (0, 20, 0), (0, -20, 0), (0, 0, 25), (0, 0, -25)]
)
def test_angles_of_a_single_turn_are_exact(yaw, pitch, roll):
    np.testing.assert_allclose(angles(rotation(yaw, pitch, roll)), [yaw, pitch, roll], atol=1e-9)


def test_angles_of_no_turn_are_zero():
    np.testing.assert_allclose(angles(np.eye(3)), [0, 0, 0], atol=1e-12)


@pytest.mark.parametrize("yaw, pitch, roll", [(35, 15, 20), (-50, -10, -30), (80, 25, 10), (-20, 30, -5)])
def test_angles_of_a_head_that_nods_turns_and_tilts_are_exact(yaw, pitch, roll):
    np.testing.assert_allclose(angles(rotation(yaw, pitch, roll)), [yaw, pitch, roll], atol=1e-9)


def test_turning_the_picture_changes_roll_alone():
    one = angles(rotation(40, 10, 0))
    for c in (-30, 30):
        other = angles(rotation(0, 0, c) @ rotation(40, 10, 0))
        np.testing.assert_allclose(other, [one.yaw, one.pitch, c], atol=1e-9)


def test_the_face_worlds_angles_are_the_same_ones():
    """What is estimated on real faces and what is known of made ones can stand in one table."""
    from data_prep.face_world.factors.camera import rotation as of_face_world

    axes = np.diag([1.0, -1.0, -1.0])  # the face world has y up and z towards the viewer
    for pose in ((35, 15, 20), (-50, -10, -30), (0, 0, 25)):
        np.testing.assert_allclose(angles(axes @ of_face_world(*pose) @ axes), pose, atol=1e-9)
