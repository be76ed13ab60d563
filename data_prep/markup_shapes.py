"""Every markup drawn on one face: its points where they belong on a face of which the 68 are known.

A sketch for pictures and for small synthetic data sets: the order and the meaning of the points are the markup's, the
exact places of those that the 68 do not have (ears, pupils, the thickness of a brow) are ours and measure nothing.
Each markup is a matrix (L, 68), so a sketch moves with its face.
"""

from functools import cache

import numpy as np

from data_prep.markups import AFLW21, COFW29, HELEN194, IBUG68_3D, LFW10, TALKING_FACE68, WFLW98
from rednet_core.markup import IBUG68, SEVEN, Markup

POINT = np.eye(IBUG68.n_points)
BROWS = (range(17, 22), range(26, 21, -1))  # each from the outside in, the viewer's left one first
EYES = ((36, 37, 38, 39, 40, 41), (45, 44, 43, 42, 47, 46))  # outer corner, over the top, inner corner, back below
THICK = 0.2  # a brow's lower edge: so far from the brow to the eye under it
EAR = 0.12  # how far outside the jaw's ends the ears are, in widths of the jaw


def _line(places, count: int) -> np.ndarray:
    """Return `count` points evenly along a polyline through points of the 68 (their numbers, or rows of
    their weights).
    """
    corners = POINT[list(places)] if isinstance(places[0], int) else np.array(places)
    at = np.linspace(0, len(corners) - 1, count)
    low = np.minimum(at.astype(int), len(corners) - 2)
    share = (at - low)[:, None]
    return (1 - share) * corners[low] + share * corners[low + 1]


def _loop(places, count: int) -> np.ndarray:
    """Return `count` points along a closed line, whose middle is the corner opposite to its first."""
    places, half = list(places), len(places) // 2
    over, under = places[: half + 1], [*places[half:], places[0]]
    return np.concatenate([_line(over, count // 2 + 1)[:-1], _line(under, count // 2 + 1)[:-1]])


def _brow(side: int, count: int) -> np.ndarray:
    """Return a closed brow of `count` points: its outer end, along the 68's line to the inner one, and back below."""
    upper = _line(BROWS[side], count // 2 + 1)
    lower = (1 - THICK) * upper[1:-1][::-1] + THICK * POINT[list(EYES[side][:4])].mean(0)
    return np.concatenate([upper, lower])


def _pupil(side: int) -> np.ndarray:
    return POINT[list(EYES[side])].mean(0)


def _mouth() -> np.ndarray:
    return (POINT[62] + POINT[66]) / 2


def _outline() -> np.ndarray:
    """Return the nose from beside its root, on the viewer's left, round its base to the other side: nine points."""
    sides = []
    for corner, wing in ((39, 31), (42, 35)):
        top, middle = 0.7 * POINT[27] + 0.3 * POINT[corner], 0.6 * POINT[29] + 0.4 * POINT[wing]
        sides.append([top, middle, 1.15 * POINT[wing] - 0.15 * POINT[33]])
    return np.array([*sides[0], *POINT[[31, 33, 35]], *sides[1][::-1]])


def _aflw21() -> np.ndarray:
    width = POINT[16] - POINT[0]
    ears = POINT[1] - EAR * width, POINT[15] + EAR * width
    rows = [*_line(range(17, 22), 3), *_line(range(22, 27), 3), POINT[36], _pupil(0), POINT[39], POINT[42], _pupil(1)]
    rows += [POINT[45], ears[0], POINT[31], POINT[30], POINT[35], ears[1], POINT[48], _mouth(), POINT[54], POINT[8]]
    return np.array(rows)


def _talking_face68() -> np.ndarray:
    eyes = []
    for side, (outer, a, b, inner, c, d) in enumerate(EYES):
        top, bottom = (POINT[a] + POINT[b]) / 2, (POINT[c] + POINT[d]) / 2
        eyes += [POINT[outer], top, POINT[inner], bottom, _pupil(side)]
    mouth = [*POINT[48:60], *POINT[[61, 62, 63, 65, 66, 67]], _mouth()]
    brows = [*_brow(1, 6), *_brow(0, 6)]
    return np.array([*_line(range(17), 15), *brows, *eyes, *_outline(), POINT[32], POINT[34], *mouth, POINT[30]])


def _helen194() -> np.ndarray:
    lips = [_loop(range(48, 60), 28), _loop(range(60, 68), 28)]
    eyes, brows = [_loop(eye, 20) for eye in EYES], [_brow(side, 20) for side in (0, 1)]
    return np.concatenate([_line(range(17), 41), _line(_outline(), 17), *lips, *eyes, *brows])


def _lfw10() -> np.ndarray:
    return POINT[[36, 39, 48, 54, 57, 51, 42, 45, 31, 35]]


def _wflw98() -> np.ndarray:
    brows = []
    for side, inner in ((0, (21, 20, 19, 18)), (1, (25, 24, 23, 22))):
        lower = (1 - THICK) * POINT[list(inner)] + THICK * POINT[list(EYES[side][:4])].mean(0)
        brows += [*POINT[range(17, 22) if side == 0 else range(22, 27)], *lower]
    lids = []
    for corner in (36, 39, 42, 45):  # three points between two corners, where the 68 have two
        last = corner + 3 if corner in (36, 42) else corner - 3
        lids += [POINT[corner], *_line([corner, corner + 1, corner + 2, last], 5)[1:4]]
    return np.array([*_line(range(17), 33), *brows, *POINT[27:36], *lids, *POINT[48:68], _pupil(0), _pupil(1)])


def _cofw29() -> np.ndarray:
    rows = [*POINT[[17, 26, 21, 22]]]
    for side in (0, 1):
        rows += [POINT[BROWS[side][2]], _brow(side, 6)[4]]
    rows += [*POINT[[36, 45, 39, 42]]]
    for a, b, c, d in ((37, 38, 40, 41), (43, 44, 46, 47)):
        rows += [(POINT[a] + POINT[b]) / 2, (POINT[c] + POINT[d]) / 2]
    return np.array([*rows, _pupil(0), _pupil(1), *POINT[[31, 35, 30, 33, 48, 54, 51, 62, 66, 57, 8]]])


MAKERS = {
    IBUG68.name: lambda: POINT,
    SEVEN.name: lambda: POINT[list(IBUG68.seven)],
    AFLW21.name: _aflw21,
    TALKING_FACE68.name: _talking_face68,
    HELEN194.name: _helen194,
    LFW10.name: _lfw10,
    IBUG68_3D.name: lambda: POINT,
    WFLW98.name: _wflw98,
    COFW29.name: _cofw29,
}


@cache
def matrix(markup: Markup) -> np.ndarray:
    """Return the matrix (L, 68) that gives a markup's points from the 68; every row's sum is one."""
    return MAKERS[markup.name]()


def sketch(points: np.ndarray, markup: Markup) -> np.ndarray:
    """Return a markup's points (..., L, 2) on a face of which the 68 (..., 68, 2) are known."""
    return matrix(markup) @ np.asarray(points, np.float64)
