"""Framing: finds the scale and place of the head that put its face box where it is wanted.

Only the landmarks are moved here, not the whole head, so this costs well under a millisecond.
"""

from dataclasses import replace
from functools import lru_cache

import numpy as np

from data_prep.face_world.expressions import EXPRESSIONS
from data_prep.face_world.head import head
from data_prep.face_world.landmarks import landmark_table
from data_prep.face_world.pose import project, rotation, turned
from rednet_core.geometry import face_box
from rednet_core.markup import IBUG68

_SIX = (36, 39, 42, 45, 48, 54)  # eye and mouth corners: all that the face box needs


@lru_cache(maxsize=1)
def _corner_bases():
    """Rest points (6, 3) of eye and mouth corners and their displacement bases (n, 6, 3), shapes then expressions."""
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
    """Eye and mouth corners (6, 3) in mm of the factors' face, head frame."""
    rest, shapes, expressions = _corner_bases()
    strengths = factors.expression
    amounts = np.array([strengths.get(name, 0.0) for name in EXPRESSIONS], np.float32)
    moved = (np.asarray(factors.shape, np.float32)[:, None, None] * shapes).sum(0)
    return rest[0] + moved + (amounts[:, None, None] * expressions).sum(0)


def box_of(factors):
    """The face box (centre x, centre y, side) of the factors in a picture of side 1."""
    turn = rotation(factors.yaw, factors.pitch, factors.roll)
    pixels = project(turned(corner_points(factors).astype(np.float64), turn), factors, turn, 1000)[:, :2]
    points = np.zeros((68, 2))
    points[list(_SIX)] = pixels
    box = face_box(points, IBUG68)
    return np.array([(box[0] + 0.5) / 1000, (box[1] + 0.5) / 1000, box[2] / 1000])


def framed(factors, side, offset=(0.0, 0.0)):
    """The factors with scale, x and y changed so that the face box has that side (1 is the frame's side) and its
    centre lies `offset` (two numbers, in frame sides) from the frame's centre."""
    centred = replace(factors, scale=0.5, x=0.0, y=0.0)
    box = box_of(centred)
    scale = 0.5 * side / box[2]
    # the box's centre moves with the scale about the frame's centre
    shift = (np.asarray(box[:2]) - 0.5) * (scale / 0.5)
    x, y = (np.asarray(offset) - shift) / scale
    return replace(factors, scale=float(scale), x=float(x), y=float(y))
