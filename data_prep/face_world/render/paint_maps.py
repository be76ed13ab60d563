"""Maps of the skin: for every texel of the unrolled head, how much of each feature lies there.

The unrolled head is the grid of `anatomy` stretched to a picture: u along the columns, v along the rows, 0 to 1.
Every map is a formula of the resting position, evaluated once per process; a person's paint is these maps times
that person's numbers.
"""

from functools import lru_cache

import cv2
import numpy as np

from data_prep.face_world.basics import bell, smoothstep, spline
from data_prep.face_world.head.anatomy import MOUTH_X, brow_line, lid_curves, lip_curves, smooth_grid
from data_prep.face_world.head.regions import hairline
from data_prep.face_world.head.relief import sculpted_points

TEXELS = 7  # per grid cell
_CHEEK_LINE = np.array([[0, -84], [18, -80], [26, -72], [31, -58], [42, -50], [55, -38], [66, -24], [73, -8], [90, 4]])


def rest_texels():
    """Return x, y, z, |x| and angle (H, W) of every texel of the resting head."""
    points = sculpted_points()
    rows, columns = points.shape[:2]
    v, u = np.meshgrid(
        np.linspace(0, rows - 1, rows * TEXELS, dtype=np.float32),
        np.linspace(0, columns - 1, columns * TEXELS, dtype=np.float32),
        indexing="ij",
    )
    packed = np.dstack([points, np.broadcast_to(smooth_grid().phi[:, None], points.shape[:2] + (1,))[..., 0]])
    x, y, z, phi = cv2.split(cv2.remap(packed.astype(np.float32), u, v, cv2.INTER_LINEAR))
    return x, y, z, np.abs(x), phi


def _lips(x, y, r):
    upper, line, lower = lip_curves(x)
    inside = (
        smoothstep(upper - y, -0.6, 0.6) * smoothstep(y - lower, -0.6, 0.6) * smoothstep(r, MOUTH_X + 0.5, MOUTH_X - 1)
    )
    return inside, line


def _brow(r, y):
    t = np.clip((r - 14) / 46, -0.3, 1.2)
    half = spline(t, [-0.3, 0.0, 0.12, 0.5, 0.85, 1.0, 1.2], [0.2, 2.0, 3.9, 4.1, 2.8, 1.4, 0.2])
    return np.clip(1 - np.abs(y - brow_line(r) + 1.0 - 0.6 * t) / (2 * half), 0, 1) * smoothstep(half, 0.2, 1.2)


def _creases(x, y, r, line):
    nostril = 0.8 * bell(np.hypot((r - 6.6) / 3.0, (y + 46.8) / 1.5), 0, 1, 3)
    wing = bell(np.hypot(r - 12.0, (y + 42.5) * 1.05), 7.2, 0.9) * smoothstep(r, 12, 16) * smoothstep(y, -50, -46)
    seam = bell(y, line, 0.75) * smoothstep(r, MOUTH_X + 2.5, MOUTH_X - 2)
    corner = bell(np.hypot(r - MOUTH_X - 0.6, (y - line) * 1.1), 0, 2.0)
    return np.clip(nostril + 0.35 * wing + 0.75 * seam + 0.45 * corner, 0, 1)


def _folds(y, r):
    """Return the nasolabial and marionette folds, and the furrow under the eye."""
    nasal = bell(r, 19.5 + 0.45 * np.clip(-42 - y, 0, 40), 1.6) * smoothstep(y, -78, -66) * smoothstep(y, -38, -45)
    marionette = 0.6 * bell(r, 29 + 0.1 * (-70 - y), 1.3) * smoothstep(y, -94, -84) * smoothstep(y, -68, -74)
    trough = 0.5 * bell(y, -9 - 0.35 * np.clip(34 - r, 0, 18), 1.4) * bell(r, 26, 13, 3)
    return np.clip(nasal + marionette + trough, 0, 1)


def _wrinkles(x, y, r):
    lines = sum(bell(y, level + 1.5 * np.cos(x / 11 + level), 0.8) for level in (35, 43.5, 52, 60))
    frown = bell(r, 7.5, 0.9) * bell(y, 24, 7)
    angle, reach = np.arctan2(y - 1, r - 43), np.hypot(r - 43, y - 1)
    crow = np.clip(np.cos(9 * angle), 0, 1) ** 3 * bell(reach, 11, 5) * smoothstep(r, 46, 50)
    return np.clip(lines * smoothstep(r, 52, 30) + frown + 0.8 * crow, 0, 1)


def _beard(x, y, z, r, phi, lips_mask):
    upper, line, lower = lip_curves(x)
    cheek = spline(np.degrees(np.abs(phi)), _CHEEK_LINE[:, 0], _CHEEK_LINE[:, 1])
    full = smoothstep(cheek - y, -3, 6) * smoothstep(np.degrees(np.abs(phi)), 92, 84) * smoothstep(y, -150, -126)
    arch = (
        (y < -46) * smoothstep(upper + 12 - 0.1 * r - y, -1, 2) * smoothstep(y, line - 5, line) * smoothstep(r, 36, 26)
    )
    moustache = arch * smoothstep(np.abs(r), 0.5, 3.5)
    goatee = smoothstep(r, 29, 18) * smoothstep(y, -82, -89) + 0.8 * bell(r, 29.5, 3.6) * smoothstep(
        y, -58, -70
    ) * smoothstep(y, -104, -84)
    bare = 1 - lips_mask
    return moustache * bare, np.clip(goatee, 0, 1) * bare * smoothstep(y, -128, -116), np.clip(full, 0, 1) * bare


@lru_cache(maxsize=1)
def skin_places():
    """Return float32 map (H, W, 2): mm across and along the resting skin, where its noise is read."""
    x, y, z, r, phi = rest_texels()
    return np.dstack([70 * phi * smoothstep(y, 135, 60), y - 0.5 * np.minimum(z, 0) * (y > 60)]).astype(np.float32)


CHANNELS = (
    *("lips", "brow", "moustache", "goatee", "full", "blush", "crease", "bags"),
    *("wrinkles", "folds", "scalp", "lashes", "freckled", "gloss", "lid_fold", "shadow"),
)


@lru_cache(maxsize=1)
def feature_maps():
    """Return four uint8 maps (H, W, 4): the CHANNELS, each 0 to 255 (scalp: 128 at the hairline, 2 a millimetre)."""
    x, y, z, r, phi = rest_texels()
    maps = {}
    maps["lips"], line = _lips(x, y, r)
    maps["brow"] = _brow(r, y) * (z > 0)
    maps["moustache"], maps["goatee"], maps["full"] = _beard(x, y, z, r, phi, maps["lips"])
    nose = bell(np.hypot(x / 12, (y + 38) / 9), 0, 1)
    cheek = bell(np.hypot((r - 41) / 15, (y + 30) / 13), 0, 1)
    maps["blush"] = np.clip(0.8 * nose + 0.9 * cheek + 0.4 * bell(np.hypot(x / 16, (y + 102) / 9), 0, 1), 0, 1)
    maps["crease"] = _creases(x, y, r, line)
    top, low, t = lid_curves(x)
    on_eye = smoothstep(r, 17, 20) * smoothstep(r, 48, 45)
    maps["bags"] = bell(np.hypot((r - 29) / 13, (y + 10) / 6), 0, 1) + 0.6 * bell(
        np.hypot((r - 20) / 5, (y - 1) / 6), 0, 1
    )
    maps["wrinkles"], maps["folds"] = _wrinkles(x, y, r), _folds(y, r)
    maps["scalp"] = (128 + 2 * (y - hairline(phi))) / 255
    upper_edge = bell(y - top, 0.3, 1.6) * (0.6 + 0.4 * t) * smoothstep(r, 18, 22) * smoothstep(r, 49, 46)
    maps["lashes"] = upper_edge + 0.5 * bell(y - low, -0.3, 0.9) * on_eye
    maps["freckled"] = bell(np.hypot(r / 48, (y + 22) / 22), 0, 1, 4)
    shine = bell(np.hypot(x / 26, (y - 48) / 18), 0, 1) + bell(r, 0, 5) * bell(y, -18, 22, 4) + nose
    maps["gloss"] = (
        shine + 0.8 * bell(np.hypot((r - 43) / 11, (y + 18) / 8), 0, 1) + 0.5 * bell(x, 0, 12) * bell(y, -101, 8)
    )
    crease = top + 1.0 + 3.0 * np.maximum(np.sin(np.pi * t), 0) ** 0.7
    maps["lid_fold"] = bell(y - crease, 0, 0.9) * on_eye
    maps["shadow"] = bell(np.hypot((r - 32) / 15, (y - 9) / 5), 0, 1, 3) * (z > 0)
    front = z > 0
    stack = np.stack(
        [np.clip(maps[name] * (1 if name == "scalp" or name == "full" else front), 0, 1) for name in CHANNELS], -1
    )
    packed = (255 * stack + 0.5).astype(np.uint8)
    return tuple(np.ascontiguousarray(packed[..., k : k + 4]) for k in range(0, 16, 4))
