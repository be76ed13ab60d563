"""Neck and shoulders: a simple bust that carries the head and may be turned another way."""

from functools import lru_cache

import numpy as np

# Rings from the collar down: half width, half depth, height in front and at the back (mm, head frame).
_RINGS = np.array(
    [
        [54, 50, -142, -112],
        [62, 57, -147, -115],
        [72, 63, -156, -122],
        [92, 72, -165, -134],
        [120, 84, -172, -148],
        [155, 94, -181, -163],
        [190, 102, -196, -183],
        [214, 108, -220, -212],
        [226, 112, -258, -254],
        [232, 115, -330, -330],
        [236, 116, -480, -480],
    ]
)
COLUMNS = 37


@lru_cache(maxsize=1)
def bust():
    """Return points (rows, COLUMNS, 3) in mm, head frame, facing the viewer."""
    angle = np.linspace(-np.pi, np.pi, COLUMNS)[None]
    half, depth, front, back = (_RINGS[:, k : k + 1] for k in range(4))
    share = (1 + np.cos(angle)) / 2
    sides = np.abs(np.sin(angle))
    y = back + (front - back) * share + 10 * sides * (half < 130)
    x = half * np.sign(np.sin(angle)) * sides**0.85
    z = (
        -22
        + depth * np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** 0.9
        + 14 * share * np.clip((half - 90) / 60, 0, 1)
    )
    return np.stack([x + 0 * y, y + 0 * x, z + 0 * y], -1).astype(np.float32)
