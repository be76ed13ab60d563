"""From the head's frame to the picture: rotation, perspective and placement.

Head and camera frames are in mm with y up and z towards the viewer; pictures are in pixels with y down and
pixel centres at whole numbers. Signs follow AFLW (see `Factors`).
"""

import numpy as np

ANCHOR = np.array([0.0, -34.3, 70.0])  # midway between eyes and mouth: what `x`, `y` and `scale` refer to
PIVOT = np.array([0.0, -75.0, -18.0])  # top of the spine: what head and shoulders turn about
BOX_MM = 205.0  # side of an average frontal face's box: three times the distance between eyes and mouth


def rotation(yaw, pitch, roll):
    """Matrix (3, 3) float64 that turns head coordinates to the camera's: pitch first, then yaw, then roll."""
    a, b, c = np.radians([yaw, pitch, roll])
    turn = np.array([[np.cos(a), 0, -np.sin(a)], [0, 1, 0], [np.sin(a), 0, np.cos(a)]])
    nod = np.array([[1, 0, 0], [0, np.cos(b), np.sin(b)], [0, -np.sin(b), np.cos(b)]])
    tilt = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return tilt @ turn @ nod


def turned(points, matrix):
    """Points (..., 3) times a rotation (3, 3), summed by hand so the result does not depend on a BLAS."""
    m = matrix.astype(points.dtype)
    x, y, z = points[..., 0], points[..., 1], points[..., 2]
    result = np.empty(points.shape, points.dtype)
    for k in range(3):
        result[..., k] = m[k, 0] * x + m[k, 1] * y + m[k, 2] * z
    return result


def project(camera_points, factors, matrix, size):
    """Pixels and depth (..., 3) of camera points (mm): x, y in a picture of that size, z in pixels, nearer larger."""
    anchor = (matrix @ ANCHOR).astype(camera_points.dtype)
    relative = camera_points - anchor
    pixels_mm = factors.scale * size / BOX_MM
    shrink = factors.distance / np.maximum(factors.distance - relative[..., 2], 50.0)
    side = factors.scale * size
    middle = (size - 1) / 2
    x = middle + factors.x * side + pixels_mm * shrink * relative[..., 0]
    y = middle + factors.y * side - pixels_mm * shrink * relative[..., 1]
    return np.stack([x, y, pixels_mm * relative[..., 2]], -1).astype(np.float32)
