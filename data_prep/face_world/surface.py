"""Things that sit on the head: points found by angle and height on a moved head, and lifted off it.

Hair, hats, masks and scarves are grids laid over the head like this, so they fit every identity.
"""

from functools import lru_cache

import numpy as np

from data_prep.face_world.anatomy import CROWN_Y, smooth_grid
from data_prep.face_world.mesh import grid_normals
from data_prep.face_world.relief import sculpted_points

_STEP = 1.0  # mm between the entries of the table of rows


@lru_cache(maxsize=1)
def _row_table():
    """Fractional row (heights, C) where each column reaches each height, from the crown down in _STEP mm."""
    points, last = sculpted_points(), smooth_grid().rows["edge"]
    heights = CROWN_Y - _STEP * np.arange(int((CROWN_Y + 118) / _STEP))
    rows = np.arange(last + 1)
    columns = [np.interp(-heights, -points[: last + 1, c, 1], rows) for c in range(points.shape[1])]
    return np.stack(columns, -1).astype(np.float32)


@lru_cache(maxsize=8)
def column_subset(step):
    """Indices of every step-th column, counted from the midline so that both sides match, seam included."""
    middle = smooth_grid().middle
    half = np.unique(np.append(np.arange(0, middle + 1, step), middle))
    return np.concatenate([middle - half[:0:-1], middle + half])


def on_head(grid, columns, heights):
    """Points (T, M, 3) on the moved head (R, C, 3) at column indices (M,) and resting heights (T, M) in mm."""
    table = _row_table()
    place = np.clip((CROWN_Y - heights) / _STEP, 0, len(table) - 1.001)
    low = place.astype(np.int32)
    share = (place - low).astype(np.float32)
    row = table[low, columns] * (1 - share) + table[low + 1, columns] * share
    above = np.minimum(row.astype(np.int32), len(grid) - 2)
    part = (row - above)[..., None]
    return grid[above, columns] * (1 - part) + grid[above + 1, columns] * part


@lru_cache(maxsize=1)
def _smooth_normals():
    return grid_normals(smooth_grid().points).astype(np.float32)


def lifted(grid, columns, heights, thickness):
    """on_head, moved outwards along the smooth head's normals by thickness (T, M) in mm."""
    return on_head(grid, columns, heights) + on_head(_smooth_normals(), columns, heights) * thickness[..., None]


def angles(columns):
    """Angles (M,) in radians of column indices."""
    return smooth_grid().phi[columns]
