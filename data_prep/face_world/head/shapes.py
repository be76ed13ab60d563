"""What makes one head differ from another: named, linear displacements of the average head.

Each shape is a field: given points at rest (N, 3) in millimetres it says how far each moves, (N, 3), when its
coefficient is one standard deviation. The list is written by hand from how faces differ, not fitted to anyone.
"""

import numpy as np

from data_prep.face_world.basics import bell, smoothstep
from data_prep.face_world.head.anatomy import CHIN_Y, EYE_X, brow_line
from data_prep.face_world.head.regions import Place, brow_weight, lids, lips, move

SHAPES: dict = {}


def shape(field):
    """Register a field of displacements under its name, with blanks for underscores."""
    SHAPES[field.__name__.replace("_", " ")] = field
    return field


@shape
def face_width(p):
    return move(p, x=0.042 * p.x * smoothstep(p.y, 80, 20))


@shape
def mid_face_height(p):
    return move(p, y=2.0 * smoothstep(p.y, -5, -45) * -1)


@shape
def lower_face_height(p):
    return move(p, y=-2.6 * smoothstep(p.y, -52, CHIN_Y))


@shape
def forehead_height(p):
    return move(p, y=4.5 * smoothstep(p.y, 25, 110))


@shape
def head_depth(p):
    return move(p, z=0.04 * np.minimum(p.z, 0) + 0.02 * np.maximum(p.z, 0))


@shape
def jaw_width(p):
    return move(p, x=3.4 * p.side * smoothstep(p.r, 10, 45) * bell(p.y, -78, 34))


@shape
def jaw_angle(p):
    return move(p, y=-4.0 * bell(p.r, 61, 14) * bell(p.y, -76, 24) * smoothstep(p.z, -20, 10))


@shape
def chin_length(p):
    return move(p, y=-3.2 * smoothstep(p.y, -84, -108) * bell(p.r, 0, 40, 4) * smoothstep(p.z, 20, 60))


@shape
def chin_forward(p):
    return move(p, z=3.0 * smoothstep(p.y, -82, -102) * bell(p.r, 0, 34) * smoothstep(p.z, 10, 60))


@shape
def chin_width(p):
    return move(p, x=2.6 * p.side * smoothstep(p.r, 0, 22) * bell(p.r, 26, 16) * bell(p.y, -108, 13) * p.front)


@shape
def cheekbones(p):
    weight = bell(p.y, -18, 17) * smoothstep(p.r, 18, 50) * smoothstep(p.z, -10, 20)
    return move(p, x=2.2 * p.side * weight, z=2.0 * weight)


@shape
def cheek_fullness(p):
    weight = bell(p.y, -52, 22) * smoothstep(p.r, 24, 46) * smoothstep(p.z, -15, 20)
    return move(p, x=3.2 * p.side * weight, z=2.2 * weight)


@shape
def double_chin(p):
    under = bell(p.y, -122, 14) * smoothstep(p.z, 0, 40)
    return move(
        p, x=3 * p.side * under * smoothstep(p.r, 5, 30), y=-3.0 * under, z=2.0 * under * smoothstep(p.z, 90, 60)
    )


@shape
def forehead_slope(p):
    return move(p, z=-3.2 * smoothstep(p.y, 25, 85) * p.front)


@shape
def brow_ridge(p):
    return move(p, z=1.9 * bell(p.y, brow_line(p.x), 8) * bell(p.r, 22, 26) * p.front)


@shape
def brow_height(p):
    return move(p, y=2.2 * brow_weight(p))


@shape
def brow_arch(p):
    return move(p, y=1.5 * brow_weight(p) * (bell(p.r, 42, 11) - 0.4))


@shape
def brow_tilt(p):
    return move(p, y=1.7 * brow_weight(p) * np.clip((p.r - 35) / 25, -1.2, 1.2))


@shape
def brow_gap(p):
    return move(p, x=1.6 * p.side * brow_weight(p) * bell(p.r, 18, 9))


@shape
def eye_spacing(p):
    return move(p, x=1.5 * p.side * p.eye(24, 16) * smoothstep(p.r, 6, 20))


@shape
def eye_width(p):
    return move(p, x=0.055 * p.side * (p.r - EYE_X) * p.eye(21, 12))


@shape
def eye_opening(p):
    upper, lower = lids(p)
    return move(p, y=0.75 * upper - 0.4 * lower)


@shape
def eye_tilt(p):
    return move(p, y=0.055 * (p.r - 30) * p.eye(24, 14))


@shape
def eye_height(p):
    return move(p, y=1.1 * p.eye(26, 17))


@shape
def eye_depth(p):
    return move(p, z=-1.8 * p.eye(20, 12))


@shape
def nose_length(p):
    return move(p, y=-2.6 * p.nose() * smoothstep(p.y, 0, -36))


@shape
def nose_width(p):
    return move(p, x=1.9 * p.side * p.nose() * smoothstep(p.r, 3, 12) * bell(p.y, -42, 10))


@shape
def bridge_width(p):
    return move(p, x=1.2 * p.side * p.nose() * smoothstep(p.r, 1, 8) * bell(p.y, -12, 15))


@shape
def bridge_height(p):
    return move(p, z=2.2 * smoothstep(p.r, 15, 0) * bell(p.y, -4, 15) * p.front)


@shape
def nose_forward(p):
    return move(p, z=2.4 * p.nose() * bell(p.y, -38, 15) * smoothstep(p.r, 18, 4))


@shape
def nose_tip_up(p):
    weight = p.nose() * bell(p.y, -38, 8) * smoothstep(p.r, 16, 3)
    return move(p, y=1.9 * weight)


@shape
def nose_tip_size(p):
    weight = p.nose() * bell(p.y, -37, 7)
    return move(p, x=1.3 * p.side * weight * bell(p.r, 7, 6), z=0.8 * weight * bell(p.r, 0, 10))


@shape
def nose_hump(p):
    return move(p, z=1.7 * bell(p.y, -15, 8) * smoothstep(p.r, 12, 2) * p.front)


@shape
def mouth_width(p):
    return move(p, x=0.075 * p.x * p.mouth())


@shape
def mouth_height(p):
    return move(p, y=1.6 * bell(p.y, -70, 22, 2.5) * bell(p.r, 0, 42, 3) * p.front)


@shape
def upper_lip(p):
    upper, _ = lips(p)
    return move(p, y=1.5 * upper, z=0.8 * upper)


@shape
def lower_lip(p):
    _, lower = lips(p)
    return move(p, y=-1.7 * lower, z=0.8 * lower)


@shape
def lips_forward(p):
    return move(p, z=1.9 * p.mouth())


@shape
def mouth_corners(p):
    return move(p, y=1.0 * p.mouth() * smoothstep(p.r, 12, 26))


@shape
def ear_size(p):
    ear = smoothstep(p.r, 76, 81) * bell(p.z, -12, 30, 4)
    return move(p, x=0.9 * p.side * ear, y=0.07 * (p.y + 12) * ear, z=0.07 * (p.z + 5) * ear)


@shape
def ear_flare(p):
    return move(p, x=p.side * 0.13 * np.clip(5 - p.z, 0, 40) * smoothstep(p.r, 76, 81) * bell(p.z, -12, 30, 4))


@shape
def neck_width(p):
    neck = smoothstep(p.y, -100, -135)
    return move(p, x=0.07 * p.x * neck, z=0.05 * p.z * neck)


@shape
def nose_bent(p):
    return move(p, x=1.1 * p.nose() * smoothstep(p.y, 5, -40))


@shape
def mouth_aside(p):
    return move(p, x=1.0 * p.mouth(), y=0.03 * p.x * p.mouth())


@shape
def jaw_aside(p):
    return move(p, x=1.6 * smoothstep(p.y, -60, CHIN_Y) * smoothstep(p.z, -20, 20))


@shape
def eyes_uneven(p):
    return move(p, y=0.7 * p.side * (p.eye(26, 17) + 0.8 * brow_weight(p)))


SHAPE_NAMES = tuple(SHAPES)


def shape_basis(points, below):
    """Displacements (n_shapes, N, 3) float32, mm a standard deviation, of points (N, 3); below (N,) bool."""
    place = Place(points, below)
    return np.stack([field(place) for field in SHAPES.values()]).astype(np.float32)
