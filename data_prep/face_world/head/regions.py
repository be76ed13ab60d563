"""Where on the head something is: coordinates and soft regions shared by shapes, expressions and paint."""

import numpy as np

from data_prep.face_world.basics import bell, smoothstep, spline
from data_prep.face_world.head.anatomy import CANTHI, EYE_X, EYE_Y, MOUTH_Y, brow_line, lid_curves, lip_curves

_HAIRLINE = np.array(  # angle (degrees), height (mm) of the edge of the scalp
    [
        *([0, 67], [16, 69], [30, 67], [40, 60], [47, 50], [55, 41], [62, 32], [68, 18], [73, 2], [80, -12]),
        *([86, -6], [90, 12], [97, 17], [106, 8], [114, -22], [126, -50], [150, -62], [180, -66]),
    ]
)


def hairline(phi):
    """Return the height (mm) of the average hairline at angle phi (radians)."""
    return spline(np.degrees(np.abs(phi)), _HAIRLINE[:, 0], _HAIRLINE[:, 1])


class Place:
    """Points at rest in convenient coordinates: x, y, z, r = |x|, sign of x, and whether they lie below the mouth."""

    def __init__(self, points, below):
        self.x, self.y, self.z = np.moveaxis(np.asarray(points, float), -1, 0)
        self.r, self.side, self.below = np.abs(self.x), np.sign(self.x), below
        self.front = smoothstep(self.z, 0, 45)

    def eye(self, width_x=17.0, width_y=11.0):
        """Return 1 on the eye, fading over its surroundings."""
        return bell(np.hypot((self.r - EYE_X) / width_x, (self.y - EYE_Y) / width_y), 0, 1, 3) * self.front

    def nose(self):
        """Return 1 on the nose, fading out at its sides and root."""
        across = smoothstep(self.r, 24, 13 + 4 * smoothstep(self.y, -20, -40))
        return across * smoothstep(self.y, 14, -6) * smoothstep(self.y, -58, -48) * self.front

    def mouth(self):
        """Return 1 on the lips, fading over the muzzle."""
        return bell(self.r, 0, 36, 4) * bell(self.y, MOUTH_Y, 16, 3) * self.front


def move(place, x=0.0, y=0.0, z=0.0):
    """Return displacements (N, 3) with the given components, each a number or an array (N,)."""
    zero = np.zeros_like(place.x)
    return np.stack([zero + x, zero + y, zero + z], -1)


def lips(place):
    """Return (upper, lower): 0 at the mouth line and the far side, growing outwards over the lip, then fading."""
    upper, line, lower = lip_curves(place.x)
    inside = np.clip(1 - (place.r / 27) ** 2, 0, 1) * place.front
    up = np.clip((place.y - line) / np.maximum(upper - line, 0.6), 0, 3)
    down = np.clip((line - place.y) / np.maximum(line - lower, 0.6), 0, 3)
    grow_up = np.minimum(up, 1) * smoothstep(up, 3, 1) * ~place.below
    grow_down = np.minimum(down, 1) * smoothstep(down, 3, 1) * place.below
    return grow_up * inside, grow_down * inside


def lids(place):
    """Return (upper, lower) weights of the lids' edges: 1 at mid-lid, 0 at the corners, fading away from the eye."""
    top, low, t = lid_curves(place.x)
    arch = np.sin(np.pi * np.clip((place.r - CANTHI[0]) / (CANTHI[1] - CANTHI[0]), 0, 1)) ** 0.75 * place.front
    middle = (top + low) / 2
    upper = arch * np.where(place.y > middle, smoothstep(place.y - top, 11, 0), 0)
    lower = arch * np.where(place.y <= middle, smoothstep(low - place.y, 9, 0), 0)
    return upper, lower


def brow_weight(place):
    """Return 1 on the eyebrow, fading over its surroundings."""
    return bell(place.y, brow_line(place.x) + 2, 10, 2.5) * smoothstep(place.r, 75, 55) * place.front
