"""From the head's frame to the picture: rotation, perspective, placement, and framing by the face box.

Head and camera frames are in mm with y up and z towards the viewer; pictures are in pixels with y down and pixel
centres at whole numbers. Signs follow AFLW (see `Factors`). Framing moves the landmarks only, not the whole head, so
it takes well under a millisecond.
"""

from dataclasses import replace
from functools import lru_cache

import numpy as np

from data_prep.face_world.head.expressions import EXPRESSIONS
from data_prep.face_world.head.flesh import head
from data_prep.face_world.head.landmarks import landmark_table
from rednet_core.geometry import face_box
from rednet_core.markup import IBUG68

ANCHOR = np.array([0.0, -34.3, 70.0])  # midway between eyes and mouth: what `x`, `y` and `scale` refer to
PIVOT = np.array([0.0, -75.0, -18.0])  # top of the spine: what head and shoulders turn about
BOX_MM = 205.0  # side of an average frontal face's box: three times the distance between eyes and mouth


def rotation(yaw, pitch, roll):
    """Return the matrix (3, 3) float64 that turns head coordinates to the camera's: pitch first, then
    yaw, then roll.
    """
    a, b, c = np.radians([yaw, pitch, roll])
    turn = np.array([[np.cos(a), 0, -np.sin(a)], [0, 1, 0], [np.sin(a), 0, np.cos(a)]])
    nod = np.array([[1, 0, 0], [0, np.cos(b), np.sin(b)], [0, -np.sin(b), np.cos(b)]])
    tilt = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return tilt @ turn @ nod


def turned(points, matrix):
    """Return points (..., 3) times a rotation (3, 3), summed by hand so the result does not depend on a BLAS."""
    m = matrix.astype(points.dtype)
    x, y, z = points[..., 0], points[..., 1], points[..., 2]
    result = np.empty(points.shape, points.dtype)
    for k in range(3):
        result[..., k] = m[k, 0] * x + m[k, 1] * y + m[k, 2] * z
    return result


def project(camera_points, factors, matrix, size):
    """Return pixels and depth (..., 3) of camera points (mm): x, y in a picture of that size, z in pixels, nearer
    larger.
    """
    anchor = (matrix @ ANCHOR).astype(camera_points.dtype)
    relative = camera_points - anchor
    pixels_mm = factors.scale * size / BOX_MM
    shrink = factors.distance / np.maximum(factors.distance - relative[..., 2], 50.0)
    side = factors.scale * size
    middle = (size - 1) / 2
    x = middle + factors.x * side + pixels_mm * shrink * relative[..., 0]
    y = middle + factors.y * side - pixels_mm * shrink * relative[..., 1]
    return np.stack([x, y, pixels_mm * relative[..., 2]], -1).astype(np.float32)


_SIX = (36, 39, 42, 45, 48, 54)  # eye and mouth corners: all that the face box needs


@lru_cache(maxsize=1)
def _corner_bases():
    """Return rest points (6, 3) of eye and mouth corners and their displacement bases (n, 6, 3), shapes then
    expressions.
    """
    index, weight = landmark_table()
    index, weight = index[list(_SIX)], weight[list(_SIX)]
    model = head()
    parts = [
        model.rest[None],
        model.shapes.reshape(-1, *model.rest.shape),
        model.expressions.reshape(-1, *model.rest.shape),
    ]
    return [(part[:, index] * weight[..., None]).sum(2) for part in parts]


def corner_points(factors):
    """Return eye and mouth corners (6, 3) in mm of the factors' face, head frame."""
    rest, shapes, expressions = _corner_bases()
    strengths = factors.expression
    amounts = np.array([strengths.get(name, 0.0) for name in EXPRESSIONS], np.float32)
    moved = (np.asarray(factors.shape, np.float32)[:, None, None] * shapes).sum(0)
    return rest[0] + moved + (amounts[:, None, None] * expressions).sum(0)


def box_of(factors):
    """Return the face box (centre x, centre y, side) of the factors in a picture of side 1."""
    turn = rotation(factors.yaw, factors.pitch, factors.roll)
    pixels = project(turned(corner_points(factors).astype(np.float64), turn), factors, turn, 1000)[:, :2]
    points = np.zeros((68, 2))
    points[list(_SIX)] = pixels
    box = face_box(points, IBUG68)
    return np.array([(box[0] + 0.5) / 1000, (box[1] + 0.5) / 1000, box[2] / 1000])


def framed(factors, side, offset=(0.0, 0.0)):
    """Return the factors with scale, x and y changed so that the face box has that side (1 is the frame's side) and its
    centre lies `offset` (two numbers, in frame sides) from the frame's centre."""
    centred = replace(factors, scale=0.5, x=0.0, y=0.0)
    box = box_of(centred)
    scale = 0.5 * side / box[2]
    # the box's centre moves with the scale about the frame's centre
    shift = (np.asarray(box[:2]) - 0.5) * (scale / 0.5)
    x, y = (np.asarray(offset) - shift) / scale
    return replace(factors, scale=float(scale), x=float(x), y=float(y))
