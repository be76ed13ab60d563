"""The losses of both tasks of f_srn, with masks and foreground weight.

M_d and M_r of Eq. 5 and 7 are read as the number of map pixels that count, so that the mean does not depend on
how many points a data set annotates. Eq. 5 is printed without its minus sign and with y and z swapped.
"""

import torch.nn.functional as F
from torch import Tensor

FOREGROUND_WEIGHT = 15.0  # "15 in most cases" (journal 4.2)
BALANCE = "balance"  # background over foreground pixels of each map (authors' code)
Weight = float | str  # how often a foreground pixel counts: a number, or BALANCE


def balance(foreground: Tensor) -> Tensor:
    """Background over foreground pixels (..., 1, 1) of maps (..., H, W) of 0 and 1: both then weigh the same."""
    count = foreground.sum((-1, -2), keepdim=True)
    return (foreground.shape[-1] * foreground.shape[-2] - count) / count.clamp(min=1)


def weighted_mean(loss: Tensor, foreground: Tensor, mask: Tensor, weight: Weight) -> Tensor:
    """Mean of loss (N, L, H, W) over the annotated points' pixels, foreground pixels counted `weight` times."""
    weight = balance(foreground) if weight == BALANCE else weight
    loss = loss * (1 + (weight - 1) * foreground)
    per_point = loss.mean((-1, -2)) * mask
    return per_point.sum() / mask.sum().clamp(min=1)


def detection_loss(logits: Tensor, target: Tensor, mask: Tensor, weight: Weight = FOREGROUND_WEIGHT) -> Tensor:
    """l_d (Eq. 5): pixel-wise sigmoid cross-entropy of logits and target (N, C_d, H, W); mask (N, C_d)."""
    loss = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    return weighted_mean(loss, target, mask.to(loss.dtype), weight)


def regression_loss(
    maps: Tensor, target: Tensor, foreground: Tensor, mask: Tensor, weight: Weight = FOREGROUND_WEIGHT
) -> Tensor:
    """l_r (Eq. 7): pixel-wise squared error of maps and target (N, C_r, H, W); mask (N, C_r).

    foreground (N, C_r, H, W) marks the pixels that count `weight` times: the discs of the detection target.
    """
    return weighted_mean((maps - target).square(), foreground, mask.to(maps.dtype), weight)
