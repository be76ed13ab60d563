"""SIFT descriptors of known size and angle at given points, all pictures and points at once.

Lowe's descriptor (IJCV 2004, section 6) without its detector: 4 x 4 cells of eight gradient orientations each. Where a
gradient falls between cells or orientations it is shared linearly, as Lowe has it; his wide Gaussian over the whole
window acts here cell by cell, not pixel by pixel. The tests hold the result against OpenCV's.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

CELLS, ORIENTATIONS = 4, 8
LENGTH = CELLS * CELLS * ORIENTATIONS
LARGEST = 0.2  # of a normalised descriptor's entries: one strong edge shall not drown the rest


def orientation_maps(pictures: Tensor) -> Tensor:
    """Strength of the gradient in each of eight directions, (N, 8, H, W), of grey pictures (N, H, W)."""
    padded = F.pad(pictures[:, None], (1, 1, 1, 1), mode="replicate")[:, 0]
    dx, dy = padded[:, 1:-1, 2:] - padded[:, 1:-1, :-2], padded[:, :-2, 1:-1] - padded[:, 2:, 1:-1]
    turn = torch.atan2(dy, dx)[:, None] * (ORIENTATIONS / (2 * math.pi))  # in orientations, against the clock
    centres = torch.arange(ORIENTATIONS, device=pictures.device).view(1, -1, 1, 1)
    away = (turn - centres + ORIENTATIONS / 2).remainder(ORIENTATIONS) - ORIENTATIONS / 2
    return (1 - away.abs()).clamp(min=0) * torch.hypot(dx, dy)[:, None]


def _triangles(length: int, cell: float, like: Tensor) -> Tensor:
    """A matrix (length, length) that sums a line's neighbours, one `cell` away no longer: multiplied, a smoothing."""
    places = torch.arange(length, device=like.device, dtype=like.dtype)
    return (1 - (places[:, None] - places).abs() / cell).clamp(min=0)


def descriptors(maps: Tensor, points: Tensor, cell: float) -> Tensor:
    """Descriptors (N, L, 128) at points (N, L, 2) of `orientation_maps`; cell: side in pixels of one of 4 x 4 cells.

    What lies outside a picture has no gradient.
    """
    height, width = maps.shape[2:]
    smooth = _triangles(height, cell, maps) @ maps @ _triangles(width, cell, maps)
    steps = torch.arange(CELLS, device=points.device) - (CELLS - 1) / 2  # cells' centres, in cells
    rows, columns = torch.meshgrid(steps, steps, indexing="ij")
    centres = torch.stack([columns, rows], -1).flatten(0, 1)
    places = points[:, :, None] + cell * centres  # (N, L, 16, 2)
    grid = (2 * places + 1) / places.new_tensor([width, height]) - 1
    cells = F.grid_sample(smooth, grid, padding_mode="zeros", align_corners=False)  # (N, 8, L, 16)
    window = torch.exp(-centres.square().sum(-1) / (2 * (CELLS / 2) ** 2))
    each = (cells * window).permute(0, 2, 3, 1).flatten(2)
    return F.normalize(F.normalize(each, dim=-1).clamp(max=LARGEST), dim=-1)
