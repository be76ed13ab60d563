"""Where the 68 iBUG points lie on the head.

Each point is fixed to the skin as a weighted mean of four neighbouring grid points, so it moves with every
shape and expression. The jaw is the exception: annotators mark the visible contour of the face, so a jaw point
on the far side slides forward along its own height to where the turned head's outline is.
"""

from functools import lru_cache

import numpy as np

from data_prep.face_world.head.anatomy import smooth_grid
from data_prep.face_world.head.relief import sculpted_points

# Row of the grid (a knot, plus rows) and x (mm) at rest on the viewer's right; None finds the row by height y.
_RIGHT = {
    22: (None, 18.5, 20.4),
    23: (None, 28.2, 23.2),
    24: (None, 38.7, 24.2),
    25: (None, 50.0, 21.6),
    26: (None, 59.0, 15.8),
    35: (None, 12.4, -44.6),
    34: (None, 6.9, -46.0),
    42: ("upper lid", 19.8, 0),
    43: ("upper lid", 28.2, 0),
    44: ("upper lid", 37.0, 0),
    45: ("upper lid", 45.2, 0),
    46: ("lower lid", 37.0, 0),
    47: ("lower lid", 28.2, 0),
    54: ("upper seam", 25.8, 0),
    53: ("upper lip", 16.2, 0),
    52: ("upper lip", 5.6, 0),
    55: ("lower lip", 16.4, 0),
    56: ("lower lip", 8.8, 0),
    64: ("upper seam", 23.0, 0),
    63: ("upper seam", 8.0, 0),
    65: ("lower seam", 8.0, 0),
}
_MIDDLE = {27: -0.4, 28: -13.0, 29: -25.4, 30: -36.6, 33: -47.4}
_MIDDLE_ROWS = {51: "upper lip", 57: "lower lip", 62: "upper seam", 66: "lower seam"}
_MIRROR = {22: 21, 23: 20, 24: 19, 25: 18, 26: 17, 35: 31, 34: 32, 42: 39, 43: 38, 44: 37, 45: 36, 46: 41, 47: 40}
_MIRROR |= {54: 48, 53: 49, 52: 50, 55: 59, 56: 58, 64: 60, 63: 61, 65: 67}
# Angle (degrees) and height (mm) of jaw points 16 to 9; point 8 is the chin.
_JAW = ((88, -2), (86, -21), (84, -39), (79, -57), (68, -76), (53, -91), (38, -101.5), (22.5, -109.8))
_SLIDE_STEPS, _SLIDE_TO = 14, 17.0  # samples of a jaw point's path and the angle (degrees) it ends at
SLIDE_SOFTNESS = 0.8  # mm over which the outermost sample of a path is blended with its neighbours


def _blend(row, column):
    """Return flat grid indices (4,) and weights (4,) of the fractional grid position (row, column)."""
    columns = len(smooth_grid().phi)
    r, c = int(row), int(column)
    r, c = min(r, len(smooth_grid().points) - 2), min(c, columns - 2)
    a, b = row - r, column - c
    index = np.array([r * columns + c, r * columns + c + 1, (r + 1) * columns + c, (r + 1) * columns + c + 1])
    return index, np.array([(1 - a) * (1 - b), (1 - a) * b, a * (1 - b), a * b])


def _column_at(row, x):
    """Return fractional column where the grid's row reaches x on its front."""
    grid, points = smooth_grid(), sculpted_points()
    front = np.flatnonzero(np.cos(grid.phi) > 0.05)
    return np.interp(x, points[row, front, 0], front)


def _row_at(column, y, first, last):
    """Return fractional row between rows first and last where the (fractional) column reaches height y."""
    points, c = sculpted_points(), int(column)
    heights = points[first : last + 1, c, 1] * (1 - column + c) + points[first : last + 1, c + 1, 1] * (column - c)
    return first + np.interp(-y, -heights, np.arange(last - first + 1))


def _place(spec):
    name, x, y = spec
    rows = smooth_grid().rows
    if name:
        return rows[name], _column_at(rows[name], x)
    first, last = (rows["brow top"] - 1, rows["brow foot"] + 1) if y > 0 else (rows["cheek"], rows["nose base"] + 2)
    row = float(first)
    for _ in range(8):
        column = _column_at(int(round(row)), x)
        row = _row_at(column, y, first, last)
    return row, column


def _jaw_path(angle, height):
    """Return indices (S, 4) and weights (S, 4) from the jaw point forward along its height; angle in signed degrees."""
    grid = smooth_grid()
    last = grid.rows["edge"]
    angles = np.sign(angle) * np.linspace(abs(angle), min(_SLIDE_TO, abs(angle)), _SLIDE_STEPS)
    columns = np.interp(np.radians(angles), grid.phi, np.arange(len(grid.phi)))
    rows = [min(_row_at(c, height, grid.rows["lower lid"], last), last - 0.05) for c in columns]
    index, weight = zip(*(_blend(row, column) for row, column in zip(rows, columns, strict=True)), strict=True)
    return np.array(index), np.array(weight)


@lru_cache(maxsize=1)
def landmark_table():
    """Return (index, weight): arrays (68, 4) into the flattened grid for every point at its place on the skin."""
    middle, rows = float(smooth_grid().middle), smooth_grid().rows
    index, weight = np.zeros((68, 4), int), np.zeros((68, 4))
    for point, spec in _RIGHT.items():
        row, column = _place(spec)
        index[point], weight[point] = _blend(row, column)
        index[_MIRROR[point]], weight[_MIRROR[point]] = _blend(row, 2 * middle - column)
    for point, y in _MIDDLE.items():
        index[point], weight[point] = _blend(_row_at(middle, y, rows["brow"], rows["upper lip"]), middle)
    for point, name in _MIDDLE_ROWS.items():
        index[point], weight[point] = _blend(rows[name], middle)
    index[8], weight[8] = _blend(rows["edge"] - 0.25, middle)
    paths, weights = jaw_paths()
    index[_SIDES], weight[_SIDES] = paths[:, 0], weights[:, 0]
    return index, weight.astype(np.float32)


_SIDES = np.array([*range(8), *range(16, 8, -1)])  # jaw points off the midline, in the order of jaw_paths


@lru_cache(maxsize=1)
def jaw_paths():
    """Return (index, weight): arrays (16, S, 4) of the paths of the jaw points 0..7 and 16..9."""
    paths = [_jaw_path(side * a, y) for side in (-1, 1) for a, y in _JAW]
    return np.array([p[0] for p in paths]), np.array([p[1] for p in paths], np.float32)


def landmark_points(grid_points, turned_x):
    """Return the 68 points (68, 3) in mm on a head (R*C, 3); turned_x (R*C,) is each point's x after yaw, before roll.

    turned_x decides where the outline of the turned face is: on each side the outermost sample of a jaw point's
    path is taken, softly, so the point never jumps between frames.
    """
    index, weight = landmark_table()
    points = (grid_points[index] * weight[..., None]).sum(1)
    paths, weights = jaw_paths()
    outward = (turned_x[paths] * weights).sum(-1) * np.repeat([-1.0, 1.0], 8)[:, None].astype(np.float32)
    share = np.exp((outward - outward.max(1, keepdims=True)) / SLIDE_SOFTNESS)
    share /= share.sum(1, keepdims=True)
    samples = (grid_points[paths] * weights[..., None]).sum(-2)
    points[_SIDES] = (samples * share[..., None]).sum(1)
    return points
