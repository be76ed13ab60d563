"""The offsets of $f_{REG}$ and their loss (ECCV Eq. 8). Write the loss.

f_REG answers in sides of the face box, which is the whole input: the middle of the input is ((size - 1) / 2, (size - 1)
/ 2), for pixel centres are whole numbers. Its truth is where a point is, from the middle, in sides, less the mean face.
The loss is half the squared distance, mean over the annotated points.
"""

import torch

PLACE = "44_f_reg", "4ee58148"


def inputs():
    """Draw offsets, true points in pixels of a 16 px input, a mean face in sides and a mask."""
    mask = torch.tensor([[1.0, 0, 1, 1], [1, 1, 0, 1]])
    return torch.randn(2, 4, 2), 16 * torch.rand(2, 4, 2), 0.5 * torch.randn(4, 2), mask, 16


def your_shape_loss(offsets, points, mean, mask, size):
    """Return the loss of offsets (N, L, 2) for points (N, L, 2) in px, the mean face (L, 2) and mask (N, L)."""
    ### BEGIN SOLUTION
    true = (points - (size - 1) / 2) / size - mean
    distance = (offsets - true).square().sum(-1) / 2
    return (distance * mask).sum() / mask.sum()
    ### END SOLUTION


def flawed(o, p, mean, mask, n, middle=None, sides=True, less=1.0, sign=1.0):
    """Return the loss with one thing done wrong."""
    true = sign * ((p - ((n - 1) / 2 if middle is None else middle)) / (n if sides else 1) - less * mean)
    return ((o - true).square().sum(-1) / 2 * mask).sum() / mask.sum()


def root(o, p, mean, mask, n):
    """Return the mean distance, not squared."""
    distance = (o - (p - (n - 1) / 2) / n + mean).norm(dim=-1)
    return (distance * mask).sum() / mask.sum()


WRONG = {
    "The middle is half a pixel off: (size - 1) / 2.": lambda *g: flawed(*g, middle=g[4] / 2),
    "The middle is missing: count from the middle of the input.": lambda *g: flawed(*g, middle=0),
    "The points are in pixels: divide by the size of the input.": lambda *g: flawed(*g, sides=False),
    "The mean face is missing: take it off.": lambda *g: flawed(*g, less=0),
    "The mean face is added: take it off.": lambda *g: flawed(*g, less=-1),
    "The sign is turned: the truth is point less mean face.": lambda *g: flawed(*g, sign=-1),
    "The factor 1/2 is missing.": lambda *g: 2 * your_shape_loss(*g),
    "x and y are averaged and halved: sum them.": lambda *g: your_shape_loss(*g) / 2,
    "The mask is ignored.": lambda o, p, mean, mask, n: your_shape_loss(o, p, mean, torch.ones_like(mask), n),
    "Masked, but divided by all points: divide by mask.sum().": lambda *g: your_shape_loss(*g) * g[3].mean(),
    "That is the distance: Eq. 8 has its square.": root,
}
