"""The coordinate frames of a face, and the only module that changes from one to another.

Points are (x, y), 0-based, with pixel centres at whole numbers: pixel (0, 0) covers [-0.5, 0.5] on each axis.
The frames are: *image* (a source picture), *crop* (what a store keeps: the face with a margin), *input* (what
the network sees, n x n) and *map* (its response maps, m x m). A change of frame is a 2 x 3 matrix A with
p' = A [p, 1]. Every function takes NumPy arrays or torch tensors, with any leading batch axes, and returns the
same kind. This module does not know where the points come from.
"""

import sys

from rednet_core.markup import Markup

BOX_SCALE = 3.0  # side of the face box over the distance between eyes and mouth (authors' code; METHOD 1)


def _xp(array):
    """The array module (numpy or torch) that `array` belongs to."""
    return sys.modules["torch" if type(array).__module__.startswith("torch") else "numpy"]


def _mean(points, known):
    """Mean (..., 2) of those of points (..., n, 2) that are known (..., n); NaN where none is."""
    xp, known = _xp(points), known[..., None]
    count = xp.where(known, xp.ones_like(points), 0).sum(-2)
    return xp.where(count > 0, xp.where(known, points, 0).sum(-2), xp.nan) / count.clip(1)


def eyes_and_mouth(points, markup: Markup, mask=None):
    """Return the mean eye corner and the mean mouth corner, each (..., 2), of points (..., L, 2).

    Only annotated corners count, mask (..., L); without a mask all are known, as a network's answer is.
    """
    seven = list(markup.seven)
    mask = _xp(points).ones_like(points[..., 0]) > 0 if mask is None else mask
    points, mask = points[..., seven, :], mask[..., seven]
    return _mean(points[..., :4, :], mask[..., :4]), _mean(points[..., 5:, :], mask[..., 5:])


def face_box(points, markup: Markup, mask=None):
    """Return the authors' face box (..., 3) = centre x, centre y, side in pixels, of points (..., L, 2).

    Centre: half way between the mean eye corner and the mean mouth corner; side: three times their distance
    (journal 5.1 and the authors' code, whose rounding to whole pixels is left out). Corners that are not annotated,
    mask (..., L), are left out; NaN where no eye corner or no mouth corner is known.
    """
    eyes, mouth = eyes_and_mouth(points, markup, mask)
    side = BOX_SCALE * (((eyes - mouth) ** 2).sum(-1) ** 0.5)
    return _xp(points).concatenate([(eyes + mouth) / 2, side[..., None]], -1)


def mean_shape(points, markup: Markup, mask):
    """Return the mean face (L, 2) of points (N, L, 2), in box sides from the face box's centre.

    Each point is averaged over the faces that annotate it, mask (N, L); one that none does is the box's centre.
    """
    xp = _xp(points)
    box = face_box(points, markup, mask)
    known = mask[..., None] & (box[:, None, 2:] > 0)
    inside = (points - box[:, None, :2]) / box[:, None, 2:]
    return xp.where(known, inside, 0).sum(0) / xp.where(known, xp.ones_like(inside), 0).sum(0).clip(1)


def crop_matrix(box, size: int, angle=0.0):
    """Return the matrix (..., 2, 3) from the box's own frame to a size x size crop of it.

    box (..., 3) = centre x, centre y, side; angle in radians turns what is seen clockwise on the screen, and
    has the shape of the box's leading axes (or is one number). The crop shows exactly the square of that side.
    """
    xp = _xp(box)
    angle = xp.zeros_like(box[..., 2]) + angle
    scale = size / box[..., 2]
    cos, sin = scale * xp.cos(angle), scale * xp.sin(angle)
    middle = (size - 1) / 2
    x0 = middle - cos * box[..., 0] + sin * box[..., 1]
    y0 = middle - sin * box[..., 0] - cos * box[..., 1]
    rows = [xp.stack([cos, -sin, x0], -1), xp.stack([sin, cos, y0], -1)]
    return xp.stack(rows, -2)


def apply(matrix, points):
    """Return points (..., L, 2) carried through matrix (..., 2, 3)."""
    return points @ matrix[..., :2].swapaxes(-1, -2) + matrix[..., None, :, 2]


def invert(matrix):
    """Return the matrix (..., 2, 3) that undoes matrix (..., 2, 3)."""
    xp = _xp(matrix)
    a, b, c, d = matrix[..., 0, 0], matrix[..., 0, 1], matrix[..., 1, 0], matrix[..., 1, 1]
    determinant = (a * d - b * c)[..., None]
    left = xp.stack([xp.stack([d, -b], -1), xp.stack([-c, a], -1)], -2) / determinant[..., None]
    shift = -(left @ matrix[..., 2:])
    return xp.concatenate([left, shift], -1)


def compose(second, first):
    """Return the matrix (..., 2, 3) that does `first`, then `second`."""
    xp = _xp(first)
    left = second[..., :2] @ first[..., :2]
    shift = second[..., :2] @ first[..., 2:] + second[..., 2:]
    return xp.concatenate([left, shift], -1)


def rescale(points, old_size: int, new_size: int):
    """Return points of an old_size square picture in the same picture at new_size (input to map, and back)."""
    return (points + 0.5) * (new_size / old_size) - 0.5


def mirror(points, size: int, markup: Markup):
    """Return points (..., L, 2) after the picture of that size is flipped left to right, in the markup's order."""
    flipped = points[..., list(markup.flip), :]
    return _xp(points).stack([size - 1 - flipped[..., 0], flipped[..., 1]], -1)
