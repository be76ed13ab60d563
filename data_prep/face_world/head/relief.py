"""The sculpture: brow ridge, sockets, nose, lips, chin and cheeks raised on the smooth head.

Each feature is a named bump of the front surface, in millimetres along z (and x for the wings of the nose), as
a function of the frontal position (x, y). Nothing here knows about one person or pose.
"""

from functools import lru_cache

import numpy as np

from data_prep.face_world.basics import bell, smoothstep, soft_max, spline
from data_prep.face_world.head.anatomy import (
    EYE_RADIUS,
    EYE_X,
    EYE_Y,
    EYE_Z,
    MOUTH_X,
    brow_line,
    lip_curves,
    smooth_grid,
)

_BRIDGE = np.array(  # y, height of the nose's bridge over the face, its half width (mm)
    [
        [16, 0.0, 10.0],
        [8, 0.4, 8.5],
        [2, 2.2, 7.6],
        [-6, 6.2, 7.8],
        [-14, 10.4, 8.4],
        [-22, 14.6, 8.8],
        [-29, 18.2, 8.8],
        [-35, 20.4, 8.6],
        [-40, 18.0, 8.0],
        [-44, 9.0, 7.0],
        [-47, 2.0, 6.0],
        [-52, 0.0, 5.0],
    ]
)


def _dome(x, y, centre, half, height):
    """Return a rounded hill of that height over an ellipse with half axes `half`, soft at its foot."""
    d = ((x - centre[0]) / half[0]) ** 2 + ((y - centre[1]) / half[1]) ** 2
    return height * np.clip(1 - d, 0, 1) ** 0.72


def nose_height(x, y):
    """Return how far (mm) the nose stands out of the face at (x, y)."""
    r = np.abs(x)
    height, width = (spline(-y, -_BRIDGE[:, 0], _BRIDGE[:, k]) for k in (1, 2))
    bridge = height * np.exp(-0.7 * np.abs(r / width) ** 1.8)
    tip = _dome(r, y, (0, -36.8), (11.8, 10.6), 22.6)
    wing = _dome(r, y, (11.4, -41.8), (7.6, 7.2), 11.5)
    column = _dome(r, y, (0, -43.6), (5.0, 7.6), 14.0)
    nose = bridge
    for part in (tip, wing, column):
        nose = soft_max(nose, part, 1.8)
    groove = 1.4 * bell(r, 19.3, 1.8) * bell(y, -41, 5)
    return nose - 1.8 * np.log(2) * smoothstep(nose, 4, 1) - groove


def lips_height(x, y):
    """Return how far (mm) the closed lips stand out of the face at (x, y)."""
    upper, line, lower = lip_curves(x)
    inside = np.clip(1 - (np.abs(x) / (MOUTH_X + 1)) ** 2, 0, 1)
    up = np.clip((y - line) / np.maximum(upper - line, 0.5), 0, 1.6)
    down = np.clip((line - y) / np.maximum(line - lower, 0.5), 0, 1.6)
    profile = np.where(y >= line, spline(up, [0, 0.25, 0.6, 1.0, 1.3, 1.6], [-1.2, 2.1, 3.1, 2.0, 0.6, 0]), 0)
    profile += np.where(y < line, spline(down, [0, 0.2, 0.5, 1.0, 1.3, 1.6], [-1.2, 2.2, 3.6, 1.6, 0.3, 0]), 0)
    return profile * inside**0.6


def face_relief(x, y):
    """Return the height (mm) of all soft features but the nose at the frontal position (x, y)."""
    r = np.abs(x)
    z = 2.8 * bell(r, 31, 16) * bell(y, brow_line(r) - 0.5, 6) + 1.5 * bell(x, 0, 12) * bell(y, 23, 8)
    z += 1.6 * bell(r, 30, 18) * bell(y, 58, 18)  # frontal eminences
    z -= 8.0 * bell(r, 19.0, 6.5) * bell(y, 1, 8) + 2.6 * bell(r, 33, 14) * bell(y, 8, 5)  # sockets
    z -= 3.0 * bell(r, 35, 13) * bell(y, -9, 4.5) + 2.0 * bell(r, 17, 6) * bell(y, -14, 8)
    z += 3.6 * bell(r, 45, 13) * bell(y, -22, 10) + 1.6 * bell(r, 30, 13) * bell(y, -30, 12)  # cheekbones
    z -= 1.6 * bell(r, 55, 9) * bell(y, -58, 16)  # hollow of the cheek
    fold = 20 + 0.5 * np.clip(-42 - y, 0, 40)  # x of the nasolabial fold
    z += (1.5 * bell(r, fold + 6, 6) - 1.5 * bell(r, fold - 1.5, 3.0)) * bell(y, -54, 13)
    z += 4.0 * bell(x, 0, 31) * bell(y, -66, 15)  # dental arch
    z -= 1.3 * bell(x, 0, 3.2) * bell(y, -55, 5) - 0.7 * bell(r, 5, 2.2) * bell(y, -56, 5)  # philtrum
    z -= 4.5 * bell(x, 0, 17) * bell(y, -89, 5.5) + 1.0 * bell(r, MOUTH_X + 2, 5) * bell(y, -70, 6)
    z += 5.5 * bell(x, 0, 17) * bell(y, -102.5, 9.5)  # chin
    return z


def lid_surface(x, y):
    """Return z (mm) of the lids where they lie on the eyeball at (x, y), minus infinity elsewhere."""
    span = (EYE_RADIUS + 1.0) ** 2 - (np.abs(x) - EYE_X) ** 2 - (y - EYE_Y) ** 2
    return np.where(span > 0, EYE_Z + np.sqrt(np.maximum(span, 0)), -np.inf)


@lru_cache(maxsize=1)
def sculpted_points():
    """Return points (R, C, 3) float64 of the average head, relief included."""
    grid = smooth_grid()
    points = grid.points.copy()
    x, y, z = np.moveaxis(points, -1, 0)
    front = smoothstep(np.cos(grid.phi), 0.15, 0.55)[None] * (np.arange(len(points)) < grid.rows["edge"])[:, None]
    z += front * (face_relief(x, y) + lips_height(x, y))
    near_eye = smoothstep(np.hypot((np.abs(x) - EYE_X) / 1.25, y - EYE_Y), 17, 11)
    lids = soft_max(z, lid_surface(x, y), 1.0)
    z[:] = np.where(front > 0, z + near_eye * (lids - z), z)
    z += front * nose_height(x, y)
    temple = bell(np.degrees(np.abs(grid.phi)), 66, 16)[None] * bell(y, 14, 16)
    x -= 2.5 * np.sign(x) * temple
    return points
