"""The joint objective l_d + lambda l_r + gamma l_cls (Eq. 8, 11, 14), and how lambda and gamma are found."""

from dataclasses import dataclass, field
from functools import singledispatch

import torch
import torch.nn.functional as F
from torch import Tensor

from rednet_core import geometry, losses, maps
from rednet_core.inputs import Inputs
from rednet_core.rednet import Prediction, RedNet

TERMS = ("detection", "regression", "identity")


def identity_term(out: Prediction, inputs: Inputs) -> dict[str, Tensor]:
    """l_cls (Eq. 13) over the pictures of known persons, where there are any and f_cls is there."""
    if out.identity is None or not (inputs.identity >= 0).any():
        return {}
    return {"identity": F.cross_entropy(out.identity.float(), inputs.identity, ignore_index=-1)}


@singledispatch  # by the kind of network: the ECCV paper's has losses of its own
def terms(net: RedNet, out: Prediction, inputs: Inputs, weight: losses.Weight) -> dict[str, Tensor]:
    """The raw terms l_d, l_r, l_cls that this network has, each a mean over pictures (and over steps of a kind)."""
    config, seven = net.config, list(net.markup.seven)
    points = geometry.rescale(inputs.points, config.input_size, config.map_size)
    discs = maps.draw_discs(points, config.map_size, config.map_radius)  # (N, L, m, m)
    found: dict[str, list[Tensor]] = {}
    for kind, raw in zip(config.steps, out.maps, strict=True):
        raw = raw.float()  # losses in full precision, whatever the network ran in
        if kind == "detection":
            loss = losses.detection_loss(raw, discs[:, seven], inputs.mask[:, seven], weight)
        else:
            target = maps.draw_gaussians(points, config.map_size, config.map_sigma)
            loss = losses.regression_loss(raw, target, discs, inputs.mask, weight)
        found.setdefault(kind, []).append(loss)
    result = {kind: torch.stack(each).mean() for kind, each in found.items()}
    return result | identity_term(out, inputs)


@dataclass
class Balance:
    """lambda and gamma: the terms shall stand as `ratio` (the paper's 1 : 10 : 1), measured on the first batches.

    A term's mean over its first `batches` batches fixes its factor; until then the factor follows the mean.
    """

    ratio: tuple[float, float, float] = (1.0, 10.0, 1.0)
    batches: int = 5
    counts: dict[str, int] = field(default_factory=dict)
    sums: dict[str, float] = field(default_factory=dict)

    def observe(self, raw: dict[str, Tensor]) -> None:
        """Take one batch's raw terms into account, where a factor is still open."""
        for name, value in raw.items():
            seen = self.counts.get(name, 0)
            if seen < self.batches:
                self.counts[name] = seen + 1
                self.sums[name] = self.sums.get(name, 0.0) + float(value.detach())

    def factors(self) -> dict[str, float]:
        """Factor of every term seen: 1 for the first (l_d, or l_r in a single regression step), lambda, gamma."""
        wanted = dict(zip(TERMS, self.ratio, strict=True))
        means = {name: self.sums[name] / self.counts[name] for name in TERMS if name in self.counts}
        first = next(iter(means))
        unit = means[first] / wanted[first]
        return {name: wanted[name] * unit / max(mean, 1e-12) for name, mean in means.items()}

    def total(self, raw: dict[str, Tensor]) -> Tensor:
        """The weighted sum of the raw terms."""
        factors = self.factors()
        return sum(factors[name] * value for name, value in raw.items())
