"""The one head everybody shares: points at rest, and how shapes and expressions move them.

The *flesh* is one flat array of points: the grid of head and neck, the two ears, and the centres of the two
eyeballs. It is built once per process, from formulas only.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from data_prep.face_world.head.anatomy import CANTHI, EYE_X, EYE_Y, EYE_Z, smooth_grid
from data_prep.face_world.head.ears import COLUMNS, ROWS, both_ears
from data_prep.face_world.head.expressions import EXPRESSIONS, expression_basis
from data_prep.face_world.head.relief import sculpted_points
from data_prep.face_world.head.shapes import shape_basis


@dataclass(frozen=True)
class Head:
    """Rest points (N, 3) mm and displacement bases (n, N * 3) float32, with the slices of the parts."""

    rest: np.ndarray
    below: np.ndarray
    shapes: np.ndarray
    expressions: np.ndarray
    shape: tuple  # rows and columns of the grid

    @property
    def grid(self):
        """Slice of the head-and-neck grid."""
        return slice(0, self.shape[0] * self.shape[1])

    def ear(self, side):
        """Return slice of an ear: side 0 is the viewer's left."""
        start = self.shape[0] * self.shape[1] + side * ROWS * COLUMNS
        return slice(start, start + ROWS * COLUMNS)


def _eyeball_basis(basis_of):
    """Return displacement (n, 2, 3) of the eyeballs' centres: the mean of their corners', which lids do not move."""
    z = EYE_Z + 8
    corners = np.array([[s * c, EYE_Y, z] for s in (-1, 1) for c in CANTHI])
    moves = basis_of(corners, np.zeros(4, bool))
    return moves.reshape(len(moves), 2, 2, 3).mean(2)


@lru_cache(maxsize=1)
def head():
    """Return the Head (about half a second to build, then kept)."""
    grid, points = smooth_grid(), sculpted_points()
    ears, _ = both_ears()
    below = np.repeat(np.arange(len(points)) >= grid.rows["lower seam"], points.shape[1])
    flesh = np.concatenate([points.reshape(-1, 3), ears.reshape(-1, 3)])
    below = np.concatenate([below, np.zeros(ears.size // 3, bool)])
    eyes = np.array([[-EYE_X, EYE_Y, EYE_Z], [EYE_X, EYE_Y, EYE_Z]])
    bases = []
    for basis_of in (shape_basis, expression_basis):
        moves = np.concatenate([basis_of(flesh, below), _eyeball_basis(basis_of)], 1)
        bases.append(np.ascontiguousarray(moves.reshape(len(moves), -1), np.float32))
    bases[1][:, -6:] = 0  # no expression moves an eyeball
    rest = np.concatenate([flesh, eyes]).astype(np.float32)
    shapes, expressions = bases
    return Head(rest, below, shapes, expressions, points.shape[:2])


@lru_cache(maxsize=64)
def _identity_points(shape):
    """Return neutral flesh (N * 3,) of the shape coefficients (a tuple), kept because videos ask for it again and
    again.
    """
    model = head()
    moved = np.einsum("k,kn->n", np.asarray(shape, np.float32), model.shapes)
    moved += model.rest.ravel()
    return moved


def flesh(shape, expression):
    """Return points (N, 3) float32 in mm of a head: shape coefficients (n_shapes,) and expression strengths by name."""
    model = head()
    points = _identity_points(tuple(shape)).copy()
    names = list(EXPRESSIONS)
    active = [(names.index(name), strength) for name, strength in expression.items() if strength]
    for k, strength in active:
        points += np.float32(strength) * model.expressions[k]
    return points.reshape(-1, 3)
