"""The losses of f_srn and f_cls, with masks and foreground weight.

M_d and M_r of Eq. 5 and 7 are read as the number of map pixels that count, so that the mean does not depend on
how many points a data set annotates. Eq. 5 and 13 are printed without their minus sign and with y and z swapped.
"""

import torch.nn.functional as F
from torch import Tensor

FOREGROUND_WEIGHT = 15.0  # "15 in most cases" (journal 4.2)
BALANCE = "balance"  # background over foreground pixels of each map (authors' code)
Weight = float | str  # how often a foreground pixel counts: a number, or BALANCE


def balance(foreground: Tensor) -> Tensor:
    """Return background over foreground pixels (..., 1, 1) of maps (..., H, W) of 0 and 1: both then weigh the same."""
    count = foreground.sum((-1, -2), keepdim=True)
    return (foreground.shape[-1] * foreground.shape[-2] - count) / count.clamp(min=1)


def weighted_mean(loss: Tensor, foreground: Tensor, mask: Tensor, weight: Weight) -> Tensor:
    """Return the mean of loss (N, L, H, W) over the annotated points' pixels, foreground counted `weight` times."""
    times = balance(foreground) if isinstance(weight, str) else weight
    loss = loss * (1 + (times - 1) * foreground)
    per_point = loss.mean((-1, -2)) * mask
    return per_point.sum() / mask.sum().clamp(min=1)


def detection_loss(logits: Tensor, target: Tensor, mask: Tensor, weight: Weight = FOREGROUND_WEIGHT) -> Tensor:
    """Return l_d, the pixel-wise sigmoid cross-entropy of z_d with the target y (Eq. 5).

    l_d = -1/M_d sum_c sum_i sum_j [ y log z_d + (1 - y) log(1 - z_d) ], M_d = C_d W H; logits of z_d and target
    (N, C_d, H, W), mask (N, C_d).
    """
    loss = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    return weighted_mean(loss, target, mask.to(loss.dtype), weight)


def regression_loss(
    maps: Tensor, target: Tensor, foreground: Tensor, mask: Tensor, weight: Weight = FOREGROUND_WEIGHT
) -> Tensor:
    """Return l_r, the pixel-wise squared error of the heat maps z_r from the target y (Eq. 7).

    l_r = 1/M_r sum_c sum_i sum_j |z_r - y|^2, M_r = C_r W H; maps and target (N, C_r, H, W), mask (N, C_r).
    foreground (N, C_r, H, W) marks the pixels that count `weight` times: the discs of the detection target.
    """
    loss = F.mse_loss(maps, target, reduction="none")
    return weighted_mean(loss, foreground, mask.to(loss.dtype), weight)


def identity_loss(scores: Tensor, identity: Tensor) -> Tensor:
    """Return l_cls, the N-way cross-entropy of z_i with the persons y (Eq. 13), over the pictures of known persons.

    l_cls = -sum_n y_n log softmax(z_i)_n, mean over pictures; scores z_i (B, N), identity (B,), -1 for nobody known.
    """
    return F.cross_entropy(scores, identity, ignore_index=-1)
