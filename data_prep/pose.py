"""Head pose estimated from landmarks with a generic 3-D face and cv2.solvePnP.

For data sets that give no pose. What comes out is an estimate, and is to be called one; signs are AFLW's:
yaw > 0 nose to the viewer's left, pitch > 0 looking up, roll > 0 head tilted counter-clockwise on the screen.
"""

import math
from typing import NamedTuple

import cv2
import numpy as np

from rednet_core.markup import Markup

# A generic adult face in millimetres at the seven points and, where a markup has it, the chin: x to the viewer's
# right, y down, z away from the viewer; origin between the eyes. Rounded from common anthropometric averages
# (outer eye corners 90 mm apart, inner 33 mm, nose tip 45 mm below and 30 mm before the eyes, mouth 50 mm wide).
GENERIC_SEVEN = np.array(
    [[-45, 0, 8], [-16, 2, 0], [16, 2, 0], [45, 0, 8], [0, 44, -32], [-25, 72, -4], [25, 72, -4]], np.float64
)
FOCAL_LENGTH = 4.0  # in picture sizes: far enough to be nearly a weak perspective, as face crops are


class Pose(NamedTuple):
    """Angles in degrees."""

    yaw: float
    pitch: float
    roll: float


UNKNOWN_POSE = Pose(np.nan, np.nan, np.nan)


def estimate_pose(points: np.ndarray, markup: Markup, image_size: tuple[int, int]) -> Pose:
    """Return the pose of points (L, 2) in a picture of image_size (height, width); NaN where solvePnP finds none."""
    seen = np.asarray(points, np.float64)[list(markup.seven)]
    size = float(max(image_size))
    centre = seen.mean(0)
    # The camera looks at the face itself: off-axis perspective would otherwise read as a turn of the head.
    camera = np.array([[FOCAL_LENGTH * size, 0, centre[0]], [0, FOCAL_LENGTH * size, centre[1]], [0, 0, 1]])
    try:
        found, turn, _ = cv2.solvePnP(GENERIC_SEVEN, seen, camera, None, flags=cv2.SOLVEPNP_SQPNP)
    except cv2.error:  # points that are no face at all, such as seven in one place
        return UNKNOWN_POSE
    if not found or not np.isfinite(turn).all():
        return UNKNOWN_POSE
    return angles(cv2.Rodrigues(turn)[0])


def angles(rotation: np.ndarray) -> Pose:
    """Return yaw, pitch, roll of a rotation (3, 3) that carries the frontal face to the seen one (x right, y down, z
    away).

    A head nods, then turns, then tilts in the picture's plane, as in the face world: turning the picture changes
    roll alone, and roll is the slope of the line from eye to eye (AFLW's, DATASETS 2.5).
    """
    across = rotation[:, 0].tolist()  # where the line from eye to eye points
    yaw = math.atan2(-across[2], math.hypot(across[0], across[1]))
    pitch = math.atan2(-rotation[2, 1], rotation[2, 2])
    roll = math.atan2(-across[1], across[0])
    return Pose(math.degrees(yaw), math.degrees(pitch), math.degrees(roll))
