"""Several processes, on one machine or many, train one network: each a share of every batch, all the same weights.

    torchrun --nproc-per-node 4 -m rednet_lab.workbench.train --profile full --source prepared --data FOLDER

Gradients are averaged after the backward pass, by one all-reduce, instead of by torch's DistributedDataParallel: the
network stays the network (its type decides the losses, its mean shape the guesses), and f_cls may be unused where
nobody of a share is known. Batch norm has the statistics of the whole batch, in each spatial step. What a term is
divided by (annotated points, known persons) is counted over all. So R processes end with the weights of one that
trains with the same batches, up to the order of sums. Dropout alone is drawn by each process for itself.

Where a batch does not fit on a card, `in_parts` computes it part by part, and sums the gradients (`--parts`).
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from rednet_core.batches import Clips, Stills
from rednet_core.eccv import EccvNet
from rednet_core.inputs import Inputs
from rednet_core.layers import StepBatchNorm2d
from rednet_core.network import RecurrentNet
from rednet_core.objective import TERMS


class SharedGenerator(torch.Generator):
    """A generator that draws for the pictures of all processes and gives those of one: see `augment.rand`."""

    share = (0, 1)


class NormOfAll(torch.autograd.Function):
    """Batch norm with the mean and variance of all processes' x, which are equally many; also returns these two."""

    @staticmethod
    def forward(ctx, x: Tensor, weight: Tensor, bias: Tensor, eps: float) -> tuple[Tensor, Tensor, Tensor]:
        """Return (x - mean) / sqrt(var + eps) * weight + bias, x (N, C, H, W), mean (C,) and var (C,)."""
        own = torch.stack(torch.var_mean(x.float(), (0, 2, 3), correction=0))
        each = [torch.empty_like(own) for _ in range(dist.get_world_size())]
        dist.all_gather(each, own)
        vars_, means = torch.stack(each, 1)
        mean = means.mean(0)
        var = (vars_ + (means - mean).square()).mean(0)
        ctx.save_for_backward(x, weight, mean, (var + eps).rsqrt())
        ctx.mark_non_differentiable(mean, var)
        return F.batch_norm(x, mean, var, weight, bias, False, 0.0, eps), mean, var

    @staticmethod
    def backward(ctx, gradient: Tensor, *_) -> tuple:
        """Return the gradients of x, which has a part in all processes' outputs, and of this one's weight and bias."""
        (x, weight, mean, scale), each = ctx.saved_tensors, (-1, 1, 1)
        dy, normal = gradient.float(), (x.float() - mean.view(each)) * scale.view(each)
        own = torch.stack([(dy * normal).sum((0, 2, 3)), dy.sum((0, 2, 3))])
        of_all = own.clone()
        dist.all_reduce(of_all)
        by_normal, by_one = of_all * len(mean) / (x.numel() * dist.get_world_size())
        dx = (dy - by_one.view(each) - normal * by_normal.view(each)) * (weight * scale).view(each)
        return dx.to(x.dtype), own[0], own[1], None


def batch_norm(
    x: Tensor,
    running_mean: Tensor,
    running_var: Tensor,
    weight: Tensor,
    bias: Tensor,
    training: bool,
    momentum: float,
    eps: float,
) -> Tensor:
    """Return what F.batch_norm does, with the mean and variance of all processes' x (N, C, H, W) in training."""
    if not training:
        return F.batch_norm(x, running_mean, running_var, weight, bias, False, momentum, eps)
    out, mean, var = NormOfAll.apply(x, weight, bias, eps)
    count = x.numel() / len(mean) * dist.get_world_size()
    with torch.no_grad():
        running_mean.lerp_(mean, momentum)
        running_var.lerp_(var * count / max(count - 1, 1), momentum)
    return out


class Team:
    """This process's part in a training of all; torch.distributed must have begun (`begin`)."""

    def __init__(self) -> None:
        self.share = dist.get_rank(), dist.get_world_size()
        self.lead = self.share[0] == 0

    def ready(self, net: RecurrentNet) -> None:
        """Give every process the first one's weights, and batch norm the statistics of all."""
        self.net = net
        for value in net.state_dict().values():
            whole = value.contiguous()
            dist.broadcast(whole, 0)
            value.copy_(whole)
        for layer in net.modules():
            if isinstance(layer, StepBatchNorm2d):
                layer.normalise = batch_norm  # type: ignore[method-assign]

    def generator(self, seed: int) -> torch.Generator:
        """Return the generator of a step's inputs: the same numbers in every process, each has its pictures'."""
        generator = SharedGenerator().manual_seed(seed)
        generator.share = self.share  # type: ignore[attr-defined]
        return generator

    def terms(self, raw: dict[str, Tensor], inputs: Inputs) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Return this process's terms, weighted so that their mean over processes is that of all, and that mean."""
        mask, labels = inputs.mask, isinstance(self.net, EccvNet)  # its l_d is a mean over pictures, not over points
        counts = {
            "detection": torch.ones(len(mask)) if labels else mask[:, list(self.net.markup.seven)],
            "regression": mask,
            "identity": inputs.identity >= 0,
        }
        own = torch.zeros(3, len(TERMS), device=mask.device)  # whether it is there, what it is divided by, its sum
        for place, name in enumerate(TERMS):
            if name in raw:
                count = counts[name].sum()
                own[:, place] = torch.stack([torch.ones_like(count), count, raw[name].detach() * count])
        there, count, total = whole = own.clone()
        dist.all_reduce(whole)
        mean, factor = total / count.clamp(min=1), own[1] * self.share[1] / count.clamp(min=1)
        named = {name: place for place, name in enumerate(TERMS) if there[place]}
        return {name: raw[name] * factor[named[name]] for name in raw}, {name: mean[i] for name, i in named.items()}

    def collect(self, net: RecurrentNet) -> None:
        """Replace every gradient by its mean over processes; a parameter that none of them used keeps none."""
        learnt = [p for p in net.parameters() if p.requires_grad]
        used = torch.tensor([float(p.grad is not None) for p in learnt], device=learnt[0].device)
        dist.all_reduce(used)
        learnt = [p for p, n in zip(learnt, used.tolist(), strict=True) if n]
        flat = torch.cat([(torch.zeros_like(p) if p.grad is None else p.grad).flatten() for p in learnt])
        dist.all_reduce(flat)
        for p, gradient in zip(learnt, (flat / self.share[1]).split([p.numel() for p in learnt]), strict=True):
            p.grad = gradient.view_as(p)


def begin(device: str = "cpu") -> None:
    """Meet the other processes, where torchrun started several; each has the GPU of its number on its machine."""
    if int(os.environ.get("WORLD_SIZE", 1)) > 1:
        if device == "cuda":
            torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
        dist.init_process_group("nccl" if device == "cuda" else "gloo")


def team() -> Team | None:
    """Return the team of all that met in `begin`; None where this process trains alone."""
    return Team() if dist.is_available() and dist.is_initialized() else None


def join(drawn: Stills | Clips) -> dict:
    """Return what a Trainer is given (team), and let `drawn` draw this process's share of every batch.

    Raise ValueError where a batch cannot be shared out evenly.
    """
    mine = team()
    if mine:
        if drawn.size % mine.share[1]:
            raise ValueError(f"a batch of {drawn.size} cannot be shared by {mine.share[1]} processes evenly")
        drawn.share = mine.share
    return {"team": mine}


def in_parts(net: RecurrentNet, count: int) -> Callable:
    """Return a call of a network that takes a batch in so many parts: less memory, and summed gradients.

    The losses, and what balances them, are those of the whole batch. So they begin when all parts are through, and
    the backward pass computes each part once more: four passes instead of three. Batch norm has the statistics of a
    part, and its running ones move as fast as before; dropout is drawn for each. Without either the gradients are
    those of the whole batch, up to the order of sums. The call raises ValueError where pictures, or clips, cannot be
    parted evenly.
    """
    norms = [layer for layer in net.modules() if isinstance(layer, StepBatchNorm2d)]
    usual = [layer.momentum for layer in norms]

    def put(values: list[float]) -> None:
        for layer, value in zip(norms, values, strict=True):
            layer.momentum = value

    @contextmanager
    def momenta(values: list[float]) -> Iterator[None]:
        put(values)
        try:
            yield
        finally:
            put(usual)

    def contexts() -> tuple:
        return momenta([1 - (1 - m) ** (1 / count) for m in usual]), momenta([0.0] * len(usual))

    def call(x: Tensor, z0: Tensor, frames: int = 1) -> Any:
        if len(x) // frames % count:
            raise ValueError(f"{len(x) // frames} pictures, or clips, in {count} parts: choose a divisor")
        how = {"use_reentrant": False, "context_fn": contexts}
        parts = [checkpoint(net, *each, frames, **how) for each in zip(x.chunk(count), z0.chunk(count), strict=True)]
        return type(parts[0])(**{name: _joined([vars(part)[name] for part in parts]) for name in vars(parts[0])})

    return call


def _joined(parts: list) -> Any:
    if isinstance(parts[0], list):
        return [_joined(list(each)) for each in zip(*parts, strict=True)]
    return torch.cat(parts) if isinstance(parts[0], Tensor) else None
