"""Patches, and what lies on the head: rectangular grids of points that become triangles, normals and attributes.

Everything drawn in 3-D is a patch: the head, the ears, an eye, the inside of the mouth, the body, the hair. A patch's
normals come from differences of neighbouring points, which is far cheaper than summing over triangles. Hair, hats,
masks and scarves are grids laid over a moved head by angle and height and lifted off it, so they fit every identity.
"""

from functools import lru_cache

import numpy as np

from data_prep.face_world.head.anatomy import CANTHI, CROWN_Y, MOUTH_X, SLITS, smooth_grid
from data_prep.face_world.head.ears import COLUMNS, ROWS
from data_prep.face_world.head.flesh import head
from data_prep.face_world.head.relief import sculpted_points


@lru_cache(maxsize=64)
def patch_triangles(rows, columns, flip=False):
    """Return triangles (T, 3) of a rows x columns grid, counter-clockwise where columns run left to
    right, rows down.
    """
    index = np.arange(rows * columns, dtype=np.int64).reshape(rows, columns)
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, :-1], index[1:, 1:]
    triangles = np.stack([np.stack([a, c, b], -1), np.stack([b, c, d], -1)], 2).reshape(-1, 3)
    return triangles[:, ::-1].copy() if flip else triangles


def patch_normals(points, flip=False):
    """Return unit normals (R, C, 3) of grid points (R, C, 3), on the side patch_triangles calls outside."""
    along, down = np.empty_like(points), np.empty_like(points)
    along[:, 1:-1] = points[:, 2:] - points[:, :-2]
    along[:, 0], along[:, -1] = points[:, 1] - points[:, 0], points[:, -1] - points[:, -2]
    down[1:-1] = points[2:] - points[:-2]
    down[0], down[-1] = points[1] - points[0], points[-1] - points[-2]
    return _cross_unit(down, along, flip)


def _cross_unit(down, along, flip):
    """Return unit vectors (R, C, 3) along down x along, turned round if flip."""
    dx, dy, dz, ax, ay, az = (v[..., k] for v in (down, along) for k in range(3))
    normal = np.empty_like(down)
    x, y, z = dy * az - dz * ay, dz * ax - dx * az, dx * ay - dy * ax
    length = np.maximum(np.sqrt(x * x + y * y + z * z), 1e-9)
    inverse = (-1 if flip else 1) / length
    normal[..., 0], normal[..., 1], normal[..., 2] = x * inverse, y * inverse, z * inverse
    return normal


def grid_normals(points):
    """Return unit normals (R, C, 3) of the head's grid, one-sided along the slits of eyes and mouth."""
    along, down = np.empty_like(points), np.empty_like(points)
    along[:, 1:-1] = points[:, 2:] - points[:, :-2]
    along[:, 0] = along[:, -1] = points[:, 1] - points[:, -2]  # the seam at the back of the head
    down[1:-1] = points[2:] - points[:-2]
    down[0], down[-1] = points[1] - points[0], points[-1] - points[-2]
    rows = smooth_grid().rows
    for above, below in SLITS:
        a, b = rows[above], rows[below]
        down[a], down[b] = points[a] - points[a - 1], points[b + 1] - points[b]
        closed = ~opening_columns()[above]
        joined = (down[a] + down[b])[closed]
        down[a, closed] = down[b, closed] = joined
    return _cross_unit(down, along, False)


@lru_cache(maxsize=1)
def opening_columns():
    """Return which columns (C,) bool lie within eye or mouth corners, by the name of the slit's upper row."""
    points, rows = sculpted_points(), smooth_grid().rows
    front = np.cos(smooth_grid().phi) > 0
    lid, seam = (np.abs(points[rows[name], :, 0]) for name in ("upper lid", "upper seam"))
    slack = 0.4
    eyes = front & (lid > CANTHI[0] - slack) & (lid < CANTHI[1] + slack)
    return {"upper lid": eyes, "upper seam": front & (seam < MOUTH_X + slack)}


@lru_cache(maxsize=1)
def head_triangles():
    """Return triangles of the head's grid, without the openings of eyes and mouth."""
    rows, columns = head().shape
    triangles = patch_triangles(rows, columns)
    cell = np.arange(len(triangles)) // 2
    row, column = cell // (columns - 1), cell % (columns - 1)
    keep = np.ones(len(triangles), bool)
    for above, _ in SLITS:
        is_open = opening_columns()[above]
        keep &= ~((row == smooth_grid().rows[above]) & is_open[column] & is_open[column + 1])
    return triangles[keep]


@lru_cache(maxsize=1)
def flesh_triangles():
    """Return triangles of head and ears, indices into the flesh."""
    left = patch_triangles(ROWS, COLUMNS, flip=True) + head().ear(0).start
    right = patch_triangles(ROWS, COLUMNS) + head().ear(1).start
    return np.concatenate([head_triangles(), left, right])


def flesh_normals(flesh):
    """Return unit normals (N - 2, 3) of the flesh (N, 3) without the eyeballs."""
    model = head()
    grid = grid_normals(flesh[model.grid].reshape(*model.shape, 3)).reshape(-1, 3)
    left, right = (patch_normals(flesh[model.ear(s)].reshape(ROWS, COLUMNS, 3), s == 0).reshape(-1, 3) for s in (0, 1))
    return np.concatenate([grid, left, right])


@lru_cache(maxsize=1)
def opening_slices():
    """Return column slices of the left eye, the right eye and the mouth."""
    lid, seam = opening_columns()["upper lid"], opening_columns()["upper seam"]
    eyes, mouth = np.flatnonzero(lid), np.flatnonzero(seam)
    middle = smooth_grid().middle
    left, right = eyes[eyes < middle], eyes[eyes > middle]
    return tuple(slice(part[0], part[-1] + 1) for part in (left, right, mouth))


_STEP = 1.0  # mm between the entries of the table of rows


@lru_cache(maxsize=1)
def _row_table():
    """Return fractional row (heights, C) where each column reaches each height, from the crown down in _STEP mm."""
    points, last = sculpted_points(), smooth_grid().rows["edge"]
    heights = CROWN_Y - _STEP * np.arange(int((CROWN_Y + 118) / _STEP))
    rows = np.arange(last + 1)
    columns = [np.interp(-heights, -points[: last + 1, c, 1], rows) for c in range(points.shape[1])]
    return np.stack(columns, -1).astype(np.float32)


@lru_cache(maxsize=8)
def column_subset(step):
    """Return indices of every step-th column, counted from the midline so that both sides match, seam included."""
    middle = smooth_grid().middle
    half = np.unique(np.append(np.arange(0, middle + 1, step), middle))
    return np.concatenate([middle - half[:0:-1], middle + half])


def on_head(grid, columns, heights):
    """Return points (T, M, 3) on the moved head (R, C, 3) at column indices (M,) and resting heights (T, M) in mm."""
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
    """Return `on_head` moved outwards along the smooth head's normals by thickness (T, M) in mm."""
    return on_head(grid, columns, heights) + on_head(_smooth_normals(), columns, heights) * thickness[..., None]


def angles(columns):
    """Return angles (M,) in radians of column indices."""
    return smooth_grid().phi[columns]
