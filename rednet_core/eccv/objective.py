"""The ECCV network's losses: labels at every step (Eq. 4, 6), the shape (Eq. 8), the person (Eq. 7)."""

import torch
import torch.nn.functional as F
from torch import Tensor

from rednet_core import losses
from rednet_core.eccv.labels import label_map
from rednet_core.eccv.network import EccvNet, EccvPrediction
from rednet_core.inputs import Inputs
from rednet_core.objective import identity_term, terms

# For TrainConfig.ratio. f_REG shares no weights with the rest, so its share is but a rate of its own; its loss is that
# of coordinates between 0 and 1, small beside the labels', and the journal's 1 : 10 : 1 makes f_REG diverge under SGD.
RATIO = (1.0, 1e-4, 1.0)


def label_loss(logits: Tensor, target: Tensor, mask: Tensor, weight: losses.Weight) -> Tensor:
    """Return the N-way cross-entropy of a response map with its labels, foreground counted `weight` times.

    l(M*, M) = -1/(W H) sum_ij log softmax(M_ij)_{m*_ij}, the summand of Eq. 4 and 6; logits (N, L + 1, H, W), target
    (N, H, W). A point that is not annotated, mask (N, L), is left out of its picture's softmax: no pixel is said to be
    it, and none not to be it.
    """
    unknown = F.pad(~mask, (1, 0))[..., None, None]  # the background is always known
    logits = logits.masked_fill(unknown, torch.finfo(logits.dtype).min)
    loss = F.cross_entropy(logits, target, reduction="none")[:, None]
    return losses.weighted_mean(loss, (target > 0)[:, None].to(loss.dtype), torch.ones_like(loss[..., 0, 0]), weight)


def shape_loss(net: EccvNet, offsets: Tensor, points: Tensor, mask: Tensor) -> Tensor:
    """Return l_REG = 1/2 |y* - f_REG(M)|^2 (Eq. 8), mean over annotated points; offsets (N, L, 2), mask (N, L).

    y* are the points, less the mean shape, in face-box sides.
    """
    size = net.config.input_size
    true = (points - (size - 1) / 2) / size - net.mean_shape
    distance = torch.where(mask[..., None], offsets - true, 0).square().sum(-1) / 2
    return distance.sum() / mask.sum().clamp(min=1)


@terms.register
def eccv_terms(net: EccvNet, out: EccvPrediction, inputs: Inputs, weight: losses.Weight) -> dict[str, Tensor]:
    """Return the raw terms under the journal's names: detection are the labels, regression is f_REG.

    The paper does not give the labels' truth a size; here it is that of the squares which the step is fed with.
    """
    config, each = net.config, []
    for side, raw in zip(config.sides, out.maps, strict=True):
        target = label_map(inputs.points, inputs.mask, config.map_size, side)
        each.append(label_loss(raw.float(), target, inputs.mask, weight))
    found = {"detection": torch.stack(each).mean()}
    if out.offsets is not None:
        found["regression"] = shape_loss(net, out.offsets.float(), inputs.points, inputs.mask)
    return found | identity_term(out, inputs)
