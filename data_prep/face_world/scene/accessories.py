"""Glasses, masks and scarves: solid things worn on the face, built in the head frame."""

import numpy as np

from data_prep.face_world.basics import smoothstep
from data_prep.face_world.head.anatomy import smooth_grid
from data_prep.face_world.scene.mesh import angles, column_subset, lifted, on_head

_BEND = 0.0055  # 1/mm: how far glasses curve back with the square of x
_REST_COLUMNS = smooth_grid().middle + np.array([-12, -9, -3, 0, 3, 9, 12])  # where glasses may touch brow and nose
_REST_HEIGHTS = np.array([17.0, 17, 6, 2, 6, 17, 17])[None]


def glasses_patches(grid, flesh, factors):
    """Return a list of (points, kind) of the glasses on a moved head (R, C, 3): kinds 'lens' and 'frame'; points (T, M,
    3) mm.

    The eyeballs' centres (the last two flesh points) say where the lenses go.
    """
    tall, _, thick = factors.glasses_shape
    high, wide = 13 + 12 * tall + 3 * (factors.glasses == "dark"), 25.5 + 3 * tall
    width = 0.9 + 3.2 * thick**1.5
    rests = on_head(grid, _REST_COLUMNS, _REST_HEIGHTS)
    rests = rests[..., 2] + _BEND * rests[..., 0] ** 2
    front = max(flesh[-2, 2] + 26.0, float(rests.max()) + 2.5)  # mm before the eyes, and off brow and nose
    rim = [(1, -width * 0.4, 0), (1, 0, 1.6), (1, width * 0.7, 0)]
    patches = []
    for side, eye in ((-1, flesh[-2]), (1, flesh[-1])):
        x, y = side * max(abs(eye[0]) + 1, wide + 7), eye[1] - 3
        oval = _Oval(x, y, front, wide, high, 2 + 5 * (1 - factors.glasses_shape[1]))
        patches.append((np.stack([oval.ring(scale, 0, 0) for scale in (0.0, 0.5, 1.0)]), "lens"))
        patches.append((np.stack([oval.ring(*part) for part in rim]), "frame"))
        outer, inner = x + side * (wide + width * 0.3), x - side * wide * 0.93
        arm = [[outer, y + high * 0.45, front - _BEND * outer**2], [side * 78, y + high * 0.45, 55]]
        arm += [[side * 81, 3.0, 2], [side * 79, -8.0, -14]]
        patches.append((_strip(np.array(arm), 1.2 + width * 0.6, side), "frame"))
        bridge = np.array([[inner, y + 4, front - 1], [0, y + 6.5, front + 1.5]])
        patches.append((_strip(bridge, 0.8 + width * 0.5, -side), "frame"))
    return [(points.astype(np.float32), kind) for points, kind in patches]


class _Oval:
    """The outline of a lens: a rounded rectangle of half axes wide and high (mm), bent back with x."""

    def __init__(self, x, y, front, wide, high, power):
        angle = np.linspace(0, 2 * np.pi, 29)
        self.cos, self.sin = np.cos(angle), np.sin(angle)
        self.x, self.y, self.front, self.wide, self.high = x, y, front, wide, high
        self.outline = [np.sign(v) * np.abs(v) ** (2 / power) for v in (self.cos, self.sin)]

    def ring(self, scale, grow, depth):
        """Return points (29, 3) of the outline scaled, grown by mm and moved towards the viewer by depth mm."""
        x = self.x + scale * self.wide * self.outline[0] + grow * self.cos
        y = self.y + scale * self.high * self.outline[1] + grow * self.sin
        return np.stack([x, y, self.front - _BEND * x * x + depth], -1)


def _strip(path, half, side):
    """Return a ribbon (3, n, 3) along path (n, 3), `half` mm up and down and bulging a little, facing outwards on
    `side`.
    """
    up = np.array([0, half, 0])
    ribbon = np.stack([path + up, path + [0.8 * side, 0, 0.5], path - up])
    return ribbon if side > 0 else ribbon[:, ::-1]


def cover_patch(grid, factors):
    """Return (points, attributes) of a scarf or mask on the moved head (R, C, 3); attributes: across, along, 1,
    openness.
    """
    if factors.cover == "none":
        return None
    columns = column_subset(2)
    phi = angles(columns)
    side = np.abs(np.degrees(phi))
    if factors.cover == "mask":
        keep = side < 86
        columns, phi, side = columns[keep], phi[keep], side[keep]
        top = np.interp(side, [0, 12, 25, 50, 86], [-14, -20, -25, -24, -20])
        bottom = np.interp(side, [0, 30, 55, 86], [-118, -108, -84, -38])
        rows, lift = 12, 5.0
    else:
        top = np.interp(factors.cover_height, [0, 0.35, 0.6, 1], [-150, -112, -60, -30]) - 0.25 * np.clip(
            side - 60, 0, 60
        )
        bottom = np.full(len(phi), -200.0)
        rows, lift = 14, 9.0
    t = np.linspace(0, 1, rows)[:, None]
    heights = top + (bottom - top) * t
    floor = np.interp(side, [0, 40, 60, 80, 100, 180], [-112, -98, -80, -50, -36, -50])
    on_top = np.maximum(heights, floor)
    tuck = smoothstep(t, 0.0, 0.15) * 0.6 + 0.4
    folds = (0.6 if factors.cover == "mask" else 3.0) * np.sin(
        heights / (5.5 if factors.cover == "mask" else 8) + np.sin(3 * phi)
    )
    points = lifted(grid, columns, on_top, (lift * tuck + folds * t).astype(np.float32))
    if factors.cover == "mask":  # cloth is tight: it bridges the hollows
        skin = points[..., 2] - lift * tuck + 1.5
        for _ in range(3):
            points[1:-1, 1:-1] = (points[:-2, 1:-1] + points[2:, 1:-1] + points[1:-1, :-2] + points[1:-1, 2:]) / 4
        points[..., 2] = np.maximum(points[..., 2] + 2.0, skin + lift)
    fall = on_top - heights
    points[..., 1] -= fall
    inward = 1 - 0.18 * smoothstep(fall, 0, 60)
    points[..., 0] *= inward
    points[..., 2] *= 1 - 0.25 * smoothstep(fall, 0, 60)
    attributes = np.stack([78 * phi + 0 * heights, -heights, 1 + 0 * heights, 0.8 + 0 * heights], -1)
    return points.astype(np.float32), attributes.astype(np.float32)
