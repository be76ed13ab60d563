"""Label maps: f_sRNN's way from a response map to the next step's input (ECCV 4.2, Eq. 9).

A label map has one of the labels 0..L at each pixel; 0 is the background, l a small square round landmark l.
Points are (x, y) in map pixels, pixel centres at whole numbers.
"""

import torch
from torch import Tensor

from rednet_core.maps import distances


def label_map(points: Tensor, present: Tensor, size: int, side: float) -> Tensor:
    """Return labels (N, size, size) int64: squares of `side` px round points (N, L, 2), where present (N, L).

    A square stands on the pixel nearest to its point, so that odd sides are met exactly. Where two squares overlap
    the higher label is seen (the paper does not say).
    """
    dx, dy = distances((points + 0.5).floor(), size)  # each (N, L, size)
    across, down = dx.abs() < side / 2, dy.abs() < side / 2
    squares = (down & present[..., None])[..., :, None] & across[..., None, :]  # (N, L, size, size)
    labels = torch.arange(1, points.shape[1] + 1, device=points.device, dtype=torch.int16)  # for memory's sake
    return (squares * labels[:, None, None]).amax(1).long()


def cluster_centres(labels: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Return the mean place (N, L, 2) of each label's pixels in labels (N, H, W), and which have any: bool (N, L)."""
    n, height, width = labels.shape
    place = torch.arange(height * width, device=labels.device).expand(n, -1)
    each = [torch.ones_like(place), place % width, place // width]  # to be summed: pixels, x, y
    pixels, x, y = (
        torch.zeros(n, count + 1, dtype=torch.int64, device=labels.device).scatter_add_(1, labels.flatten(1), values)
        for values in each
    )
    centres = torch.stack([x, y], -1) / pixels.clamp(min=1)[..., None]
    return centres[:, 1:], pixels[:, 1:] > 0


def merge(response: Tensor) -> Tensor:
    """Return the label map m_ij = argmax_l (M_ij)_l (Eq. 9), (N, H, W), of a response map M (N, L + 1, H, W)."""
    return response.argmax(1)
