"""The weighted cross-entropy. Write the detection loss (Eq. 5) with its foreground weight and its mask.

Each pixel costs its sigmoid cross-entropy, a pixel of the disc `weight` times as much. The loss of a point is the mean
over all pixels of its map; the loss of the batch is the mean over the annotated points (mask 1) only.
"""

import torch
import torch.nn.functional as F

PLACE = "20_maps_and_losses", "d935cc82"


def inputs():
    """Draw logits, discs and a mask of two pictures with three points, of which some are not annotated."""
    mask = torch.tensor([[1.0, 0, 1], [1, 1, 0]])
    return torch.randn(2, 3, 6, 6), (torch.rand(2, 3, 6, 6) < 0.2).float(), mask, 15.0


def your_loss(logits, target, mask, weight):
    """Return l_d of logits and target (N, L, H, W) with mask (N, L); a foreground pixel counts `weight` times."""
    ### BEGIN SOLUTION
    loss = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    loss = loss * (1 + (weight - 1) * target)
    per_point = loss.mean((-1, -2)) * mask
    return per_point.sum() / mask.sum()
    ### END SOLUTION


def flawed(x, z, m, weight, divided=False):
    """Return the loss with other weights of the pixels."""
    loss, m = F.binary_cross_entropy_with_logits(x, z, reduction="none") * weight, m[..., None, None]
    return (loss * m).sum() / ((weight if divided else torch.ones_like(z)) * m).sum()


WRONG = {
    "The mask is ignored: points without annotation must not count.": lambda x, z, m, w: your_loss(x, z, 0 * m + 1, w),
    "Masked points still count below the line: divide by mask.sum().": lambda *g: your_loss(*g) * g[2].mean(),
    "The foreground weight is missing.": lambda x, z, m, w: your_loss(x, z, m, 1),
    "A foreground pixel counts once too often: 1 + (weight - 1) target.": lambda *g: your_loss(*g[:3], g[3] + 1),
    "The weight is on the background.": lambda x, z, m, w: flawed(x, z, m, w - (w - 1) * z),
    "Only the foreground counts: the background must cost something, too.": lambda x, z, m, w: flawed(x, z, m, w * z),
    "That is the sum over a map's pixels: take the mean.": lambda *g: 36 * your_loss(*g),
    "The sigmoid is applied twice: these are logits.": lambda x, z, m, w: your_loss(x.sigmoid(), z, m, w),
    "The minus sign is missing, as in the printed Eq. 5.": lambda *g: -your_loss(*g),
    "Divided by the sum of the weights: divide by the number of pixels.": lambda x, z, m, w: flawed(
        x, z, m, 1 + (w - 1) * z, divided=True
    ),
}
