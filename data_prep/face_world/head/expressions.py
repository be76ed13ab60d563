"""What a face does: named, linear displacements of the head for jaw, mouth, brows and lids.

Each expression is a field like those of `shapes`: how far (mm) points at rest move when it is fully on (1).
Gaze turns the eyeballs instead (see `render.paints`), but the lids follow it, which is a field here too.
"""

import numpy as np

from data_prep.face_world.basics import bell, smoothstep
from data_prep.face_world.head.anatomy import MOUTH_X, lid_curves
from data_prep.face_world.head.regions import Place, brow_weight, lids, lips, move

JAW_AXIS = (-18.0, 2.0)  # y and z (mm) of the axis through the jaw's joints
JAW_ANGLE = np.radians(19.0)  # opening of the jaw at 1


def jaw_swing(y, z, angle):
    """(y, z) after the jaw has dropped by angle (radians) about its joints."""
    cos, sin = np.cos(angle), np.sin(angle)
    dy, dz = y - JAW_AXIS[0], z - JAW_AXIS[1]
    return JAW_AXIS[0] + cos * dy - sin * dz, JAW_AXIS[1] + sin * dy + cos * dz


def _jaw_share(p):
    """How much of the jaw's swing each point follows: 1 at lower lip and chin, 0 above, the cheek in between."""
    cheek = smoothstep(p.y, -42, -96) * smoothstep(p.z, -18, 22)
    lips = smoothstep(p.r, MOUTH_X + 10, MOUTH_X - 2)
    opening = np.clip(1 - (p.r / MOUTH_X) ** 2.6, 0, 1)
    below = 0.42 + 0.58 * np.maximum(opening**0.6, smoothstep(p.y, -76, -88))
    above = 0.42 * (1 - opening**0.6) * smoothstep(p.y, -48, -66)
    near = np.where(p.below, below, above)
    throat = np.where(p.y < -112, smoothstep(p.z, 10, 62) * smoothstep(p.y, -178, -118), 1)
    return (lips * near + (1 - lips) * cheek) * throat


def _jaw(p):
    share = _jaw_share(p)
    y, z = jaw_swing(p.y, p.z, JAW_ANGLE)
    narrow = -0.09 * p.x * share * bell(p.y, -72, 18) * bell(p.r, 0, 34, 4)
    return move(p, x=narrow, y=(y - p.y) * share, z=(z - p.z) * share)


def _corner(p, width=17.0):
    """1 at the mouth corners, fading over lips and cheek."""
    return bell(np.hypot(p.r - MOUTH_X, (p.y + 69) / 0.9), 0, width) * p.front


def _smile(p):
    corner = _corner(p, 19)
    cheek = bell(np.hypot((p.r - 42) / 17, (p.y + 36) / 14), 0, 1) * p.front
    upper, lower = lids(p)
    lips = bell(p.r, 0, 22) * bell(p.y, -69, 11) * p.front
    return move(
        p,
        x=p.side * (8.0 * corner + 1.5 * cheek) * smoothstep(p.r, 0, 10),
        y=7.0 * corner + 3.5 * cheek + 1.4 * lips + 0.9 * lower - 0.4 * upper,
        z=-5.0 * corner + 4.5 * cheek - 2.0 * lips,
    )


def _frown(p):
    corner = _corner(p, 14)
    chin = bell(np.hypot(p.r / 20, (p.y + 92) / 14), 0, 1) * p.front
    lips = bell(p.r, 0, 15) * bell(p.y, -72, 10) * p.front
    return move(p, x=1.5 * p.side * corner, y=-6.0 * corner + 2.2 * chin + 1.4 * lips, z=1.5 * chin)


def _pucker(p):
    mouth = bell(p.r, 0, 32, 3) * bell(p.y, -70, 15, 3) * p.front
    centre = bell(p.r, 0, 15) * bell(p.y, -70, 12) * p.front
    return move(p, x=-0.36 * p.x * mouth, y=-0.10 * (p.y + 70) * mouth, z=3.0 * mouth + 4.5 * centre)


def _parting(p):
    """(upper, lower): how far each lip is carried when the lips part, the same at edge and seam, fading beyond."""
    opening = np.clip(1 - (p.r / MOUTH_X) ** 2, 0, 1) ** 0.7 * p.front
    upper = np.where(~p.below, smoothstep(p.y, -46, -60), 0) * opening
    lower = np.where(p.below, smoothstep(p.y, -102, -80), 0) * opening
    return upper, lower


def _lips_apart(p):
    upper, lower = _parting(p)
    return move(p, y=4.2 * upper - 5.0 * lower, z=0.8 * upper + 0.8 * lower)


def _lips_pressed(p):
    upper, lower = lips(p)
    return move(p, y=-2.6 * upper + 3.6 * lower, z=-2.0 * (upper + lower))


def _sneer(p):
    wing = bell(np.hypot((p.r - 17) / 9, (p.y + 44) / 12), 0, 1) * p.front
    upper, _ = _parting(p)
    return move(p, x=0.8 * p.side * wing, y=3.5 * wing + 3.0 * upper, z=0.8 * wing)


def _brows_up(p):
    brow = brow_weight(p)
    forehead = bell(p.y, 45, 22) * smoothstep(p.r, 72, 50) * p.front
    upper, _ = lids(p)
    return move(p, y=7.0 * brow + 3.0 * forehead * (1 - brow) + 1.0 * upper)


def _brows_down(p):
    brow = brow_weight(p)
    inner = brow * smoothstep(p.r, 46, 16)
    upper, _ = lids(p)
    return move(
        p, x=-2.6 * p.side * inner * smoothstep(p.r, 2, 14), y=-2.2 * brow - 3.4 * inner - 0.8 * upper, z=1.6 * inner
    )


def _brows_worried(p):
    inner = brow_weight(p) * smoothstep(p.r, 42, 14)
    return move(p, x=-1.5 * p.side * inner * smoothstep(p.r, 2, 14), y=5.0 * inner - 1.0 * brow_weight(p))


def _close(p, side):
    top, low, _ = lid_curves(p.x)
    upper, lower = lids(p)
    arch = np.maximum(top - low, 0)
    own = p.side == side
    lid = np.where(p.y > (top + low) / 2, smoothstep(p.y - top, 9, 0), 0) * p.front
    return move(
        p, y=own * (-0.86 * arch * lid + 0.14 * arch * lower / np.maximum(lower, 1e-9) * lower), z=own * 0.5 * upper
    )


def _blink_left(p):
    return _close(p, -1)


def _blink_right(p):
    return _close(p, 1)


def _squint(p):
    upper, lower = lids(p)
    cheek = bell(np.hypot((p.r - 38) / 18, (p.y + 16) / 9), 0, 1) * p.front
    return move(p, y=2.2 * lower + 1.6 * cheek - 1.3 * upper - 1.4 * brow_weight(p), z=1.2 * cheek)


def _look_down(p):
    upper, lower = lids(p)
    return move(p, y=-2.6 * upper - 0.9 * lower)


EXPRESSIONS = {
    "jaw": _jaw,
    "smile": _smile,
    "frown": _frown,
    "pucker": _pucker,
    "lips_apart": _lips_apart,
    "lips_pressed": _lips_pressed,
    "sneer": _sneer,
    "brows_up": _brows_up,
    "brows_down": _brows_down,
    "brows_worried": _brows_worried,
    "blink_left": _blink_left,
    "blink_right": _blink_right,
    "squint": _squint,
    "look_down": _look_down,
}


def expression_basis(points, below):
    """Displacements (n_expressions, N, 3) float32 in mm at full strength of points (N, 3); below (N,) bool."""
    place = Place(points, below)
    return np.stack([field(place) for field in EXPRESSIONS.values()]).astype(np.float32)
