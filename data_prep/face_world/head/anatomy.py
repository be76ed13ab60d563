"""The head at rest: a grid of points whose rows and columns follow the features of a face.

Head frame, in millimetres of an average adult: x to the viewer's right, y up, z towards the viewer, origin
between the eyes on the vertical axis of the skull. The grid is a tube: columns run round the head (angle phi, 0
at the nose, negative on the viewer's left), rows run from the crown over brows, eyes, nose, lips, chin and jaw
edge down the neck. Two pairs of neighbouring rows are *slits*: they part between the corners of the eyes and of
the mouth, so lids and lips can open, and touch everywhere else. Nothing here knows about one person or pose.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from data_prep.face_world.basics import bell, smoothstep, spline

EYE_X, EYE_Y, EYE_RADIUS = 32.0, 0.2, 12.2
EYE_Z = 65.5
CANTHI = (19.6, 45.4)  # x of inner and outer eye corner
MOUTH_X, MOUTH_Y = 26.0, -68.8  # right mouth corner
CHIN_Y, CROWN_Y = -114.8, 118.0

# Skull above the cheeks: half width, front depth and back depth (mm) at heights y.
_SKULL = np.array(
    [
        # y    half   front  back
        [-20, 77.6, 90.5, 80],
        [-8, 79.0, 90.0, 86],
        [4, 79.4, 90.0, 90],
        [20, 78.6, 93.5, 95],
        [38, 77.8, 95.0, 98],
        [58, 75.4, 92.5, 97],
        [76, 69.2, 85.5, 90],
        [92, 59.6, 73.5, 78],
        [105, 48.5, 56.0, 60],
        [113, 32.0, 36.5, 40],
        [117, 16.0, 18.0, 20],
        [118, 0.0, 0.0, 0],
    ]
)
# The lower edge of the jaw, and behind the ear the nape: phi in degrees, then x, y, z in mm.
_JAW = np.array(
    [
        [0, 0.0, -114.8, 85],
        [12, 13.0, -113.8, 83.5],
        [24, 25.6, -109.8, 77],
        [36, 38.2, -103.0, 65],
        [48, 48.4, -95.0, 52],
        [60, 57.4, -84.5, 38],
        [72, 65.2, -71.0, 24],
        [82, 70.0, -55.0, 14],
        [92, 72.0, -38.0, 4],
        [104, 72.0, -34.0, -12],
        [125, 62.0, -42.0, -42],
        [150, 36.0, -54.0, -64],
        [180, 0.0, -60.0, -70],
    ]
)


def column_angles():
    """Return phi (C,) in radians of the grid's columns, -pi to pi: dense in front, with columns through the corners."""
    inner, outer = (c / 79.3 for c in CANTHI)
    mouth = 0.392  # sin(phi) of the column that meets the mouth corner
    sines = np.concatenate(
        [
            np.linspace(0, inner, 7)[:-1],
            np.linspace(inner, mouth, 6)[:-1],
            np.linspace(mouth, outer, 6)[:-1],
            np.linspace(outer, 0.73, 4),
        ]
    )
    front = np.arcsin(sines)
    half = np.concatenate([front, np.linspace(front[-1], np.pi / 2, 7)[1:], np.linspace(np.pi / 2, np.pi, 7)[1:]])
    return np.concatenate([-half[:0:-1], half])


def jaw_edge(phi):
    """Return point (..., 3) of the lower jaw edge at angle phi (radians)."""
    degrees = np.degrees(np.abs(phi))
    x, y, z = (spline(degrees, _JAW[:, 0], _JAW[:, k]) for k in (1, 2, 3))
    return np.stack([np.sign(phi) * x, y, z], -1)


def smooth_skull(phi, y):
    """Return point (..., 3) of the featureless head at angle phi and height y, from the crown to the jaw edge."""
    upper = np.maximum(y, -20)
    half, front, back = (spline(upper, _SKULL[:, 0], _SKULL[:, k]) for k in (1, 2, 3))
    cosine = np.cos(phi)
    x = half * np.sin(phi)
    z = np.where(cosine > 0, front * np.abs(cosine) ** 0.93, -back * np.abs(cosine))
    edge = jaw_edge(phi)
    drop = np.clip((-20 - y) / (-20 - np.minimum(edge[..., 1], -21)), 0, 1)
    taper = 0.35 * drop + 0.65 * drop**2.6  # cheeks hang straight, then turn in to the jaw
    x = x + (edge[..., 0] - x) * taper
    z = z + (edge[..., 2] - z) * (0.25 * drop + 0.75 * drop**3)
    return np.stack([x, y + 0 * x, z], -1)


def lid_curves(x):
    """Return heights (upper, lower) in mm of the open lids' edges at |x|, and 0 <= t <= 1 from inner to
    outer corner.
    """
    t = np.clip((np.abs(x) - CANTHI[0]) / (CANTHI[1] - CANTHI[0]), 0, 1)
    corner = EYE_Y - 1.1 + 1.6 * t
    upper = corner + 5.1 * (4 * t * (1 - t)) ** 0.62 * (1.06 - 0.12 * t)
    lower = corner - 4.2 * (4 * t * (1 - t)) ** 0.8 * (0.88 + 0.24 * t)
    return upper, lower, t


def brow_line(x):
    """Return height in mm of the middle of the eyebrow at |x|."""
    return spline(np.abs(x), [0, 14, 20, 28, 38, 49, 60, 75], [18.6, 19.2, 19.8, 21.9, 22.9, 21.0, 15.2, 9])


def lip_curves(x):
    """Return heights in mm at x of the upper vermilion border, the closed mouth line and the lower border."""
    r = np.clip(np.abs(x) / MOUTH_X, 0, 1)
    line = MOUTH_Y - 0.5 * bell(np.abs(x), 13, 7) + 0.4 * (1 - r)
    upper = line + (1 - r**2.2) * (8.5 - 1.3 * bell(x, 0, 2.6)) * (1 - 0.25 * r)
    lower = line - 10.4 * (1 - r**2.5) ** 0.85
    return upper, line, lower


@dataclass(frozen=True)
class Knot:
    """A named row: its height at the midline, the rows from it to the next, and the curve it follows up to reach."""

    name: str
    y: float
    steps: int
    curve: Callable[[np.ndarray], np.ndarray] | None = None
    reach: float = 0.0
    fade: float = 14.0


KNOTS = (
    Knot("crown", 118.0, 1),
    Knot("cap", 116.5, 3),
    Knot("vertex", 92.0, 5),
    Knot("brow top", 29.0, 2, lambda x: brow_line(x) + 5.0, 60, 20),
    Knot("brow", 22.0, 2, lambda x: brow_line(x), 60, 20),
    Knot("brow foot", 17.0, 2, lambda x: brow_line(x) - 4.5, 60, 20),
    Knot(
        "crease",
        9.0,
        2,
        lambda x: lid_curves(x)[0] + 1.0 + 3.0 * np.maximum(np.sin(np.pi * lid_curves(x)[2]), 0) ** 0.7,
        46,
        10,
    ),
    Knot("upper lid", 4.0, 1, lambda x: lid_curves(x)[0], 46, 10),
    Knot("lower lid", 4.0, 3, lambda x: lid_curves(x)[1], 46, 10),
    Knot("bag", -10.0, 3, lambda x: lid_curves(x)[1] - 7.5, 46, 16),
    Knot("cheek", -23.0, 5),
    Knot("nose tip", -37.0, 6),
    Knot("nose base", -48.0, 3),
    Knot("upper lip", -61.0, 4, lambda x: lip_curves(x)[0], 26.5, 14),
    Knot("upper seam", -68.8, 1, lambda x: lip_curves(x)[1], 26.5, 14),
    Knot("lower seam", -68.8, 4, lambda x: lip_curves(x)[1], 26.5, 14),
    Knot("lower lip", -80.0, 2, lambda x: lip_curves(x)[2], 26.5, 14),
    Knot("sulcus", -89.0, 3),
    Knot("chin", -103.0, 3),
    Knot("edge", -114.8, 3),
    Knot("throat", -128.0, 3),
    Knot("neck", -205.0, 0),
)
SLITS = (("upper lid", "lower lid"), ("upper seam", "lower seam"))


def knot_heights(phi):
    """Return heights (K, C) of every knot down to the jaw edge at the column angles phi (C,)."""
    edge = jaw_edge(phi)[:, 1]
    side = edge / CHIN_Y
    rows = []
    for knot in KNOTS:
        if knot.name == "throat":
            break
        y = knot.y * side if knot.y < 0 else knot.y + 0 * phi
        for _ in range(3):  # the curve is a function of x, which depends on the height itself
            if knot.curve is None:
                break
            x = smooth_skull(phi, y)[:, 0]
            weight = 1 - smoothstep(np.abs(x), knot.reach, knot.reach + knot.fade)
            weight = weight * (np.cos(phi) > 0)
            default = knot.y * side if knot.y < 0 else knot.y
            y = weight * knot.curve(x) + (1 - weight) * default
        rows.append(y)
    return np.array(rows)


@dataclass(frozen=True)
class Grid:
    """The smooth head (before relief): points (R, C, 3), column angles (C,), row number of each knot."""

    points: np.ndarray
    phi: np.ndarray
    rows: dict

    @property
    def middle(self):
        """Index of the midline column."""
        return len(self.phi) // 2


def _neck_point(phi, name):
    """Return points (C, 3) of the throat ring or of the base of the neck."""
    side, cosine = np.sin(phi), np.cos(phi)
    if name == "throat":
        return np.stack([51.5 * side, -121 + 18 * side**2 + 32 * np.maximum(-cosine, 0), -12 + 52 * cosine], -1)
    return np.stack([56 * side, -205 + 0 * phi, -16 + 56 * cosine], -1)


@lru_cache(maxsize=1)
def smooth_grid():
    """Return the Grid of the featureless head and neck."""
    phi = column_angles()
    heights = knot_heights(phi)
    rows: dict[str, int] = {}
    lines: list[np.ndarray] = []
    for k, knot in enumerate(KNOTS[:-1]):
        rows[knot.name] = len(lines)
        for step in range(knot.steps):
            t = step / knot.steps
            if knot.name in ("edge", "throat"):
                start = jaw_edge(phi) if knot.name == "edge" else _neck_point(phi, "throat")
                end = _neck_point(phi, KNOTS[k + 1].name)
                bulge = np.sin(np.pi * t) * (4.0 if knot.name == "edge" else -3.0)
                point = start + (end - start) * t - [0, bulge, 0] * (np.cos(phi) > 0)[:, None]
            else:
                point = smooth_skull(phi, heights[k] + (heights[k + 1] - heights[k]) * t)
            lines.append(point)
    rows["neck"] = len(lines)
    lines.append(_neck_point(phi, "neck"))
    return Grid(_without_ledge(np.array(lines), phi, rows["edge"]), phi, rows)


def _without_ledge(points, phi, edge):
    """Return the points with the jaw's edge rounded off towards the ears, where no bone makes it sharp."""
    first, last = edge - 8, len(points) - 1
    weight = 0.5 * smoothstep(np.degrees(np.abs(phi)), 35, 80)[None, :, None]
    weight = weight * np.sin(np.pi * np.arange(1, last - first) / (last - first))[:, None, None]
    for _ in range(40):
        inner = points[first + 1 : last]
        inner += weight * ((points[first : last - 1] + points[first + 2 : last + 1]) / 2 - inner)
    for _ in range(5):  # and the throat everywhere
        inner = points[edge + 2 : last]
        inner += 0.4 * ((points[edge + 1 : last - 1] + points[edge + 3 : last + 1]) / 2 - inner)
    return points
