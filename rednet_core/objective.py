"""The joint objective l_d + lambda l_r + gamma l_cls (Eq. 8, 11, 14), and how lambda and gamma are found."""

from dataclasses import dataclass, field
from functools import reduce, singledispatch

import torch
from torch import Tensor

from rednet_core import geometry, losses, maps
from rednet_core.inputs import Inputs
from rednet_core.network import Prediction, RecurrentNet

TERMS = ("detection", "regression", "identity")


def identity_term(out: Prediction, inputs: Inputs) -> dict[str, Tensor]:
    """Return l_cls (Eq. 13) over the pictures of known persons, where there are any and f_cls is there."""
    if out.identity is None or not (inputs.identity >= 0).any():
        return {}
    return {"identity": losses.identity_loss(out.identity.float(), inputs.identity)}


@singledispatch  # by the kind of network: the ECCV paper's has losses of its own
def terms(net: RecurrentNet, out: Prediction, inputs: Inputs, weight: losses.Weight) -> dict[str, Tensor]:
    """Return the raw terms l_d, l_r, l_cls that this network has, each a mean over pictures (and steps of a kind)."""
    config, seven = net.config, list(net.markup.seven)
    found: dict[str, list[Tensor]] = {}
    discs: dict[int, Tensor] = {}  # by the maps' size
    for kind, raw in zip(config.steps, out.maps, strict=True):
        # Losses in full precision, whatever the network ran in, laid out as the targets are: a sixth of a step's time.
        raw, size = raw.to(torch.float32, memory_format=torch.contiguous_format), raw.shape[-1]
        points = geometry.rescale(inputs.points, config.input_size, size)
        if size not in discs:
            discs[size] = maps.draw_discs(points, size, maps.per_map(config.radius, size))  # (N, L, m, m)
        if kind == "detection":
            loss = losses.detection_loss(raw, discs[size][:, seven], inputs.mask[:, seven], weight)
        else:
            target = maps.draw_gaussians(points, size, maps.per_map(config.sigma, size), config.heat)
            loss = losses.regression_loss(raw, target, discs[size], inputs.mask, weight)
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
        """Return the factor of every term seen: 1 for the first (l_d, or l_r in a single step), lambda, gamma."""
        wanted = dict(zip(TERMS, self.ratio, strict=True))
        means = {name: self.sums[name] / self.counts[name] for name in TERMS if name in self.counts}
        first = next(iter(means))
        unit = means[first] / wanted[first]
        return {name: wanted[name] * unit / max(mean, 1e-12) for name, mean in means.items()}

    def total(self, raw: dict[str, Tensor]) -> Tensor:
        """Return the objective sum_t l_d^t + lambda l_r^t + gamma l_cls^t (Eq. 14; less: Eq. 11, 8).

        The sum over the T frames of a clip is a mean here, as each term is one over all pictures of the batch.
        """
        factors = self.factors()
        return reduce(torch.add, (factors[name] * value for name, value in raw.items()))
