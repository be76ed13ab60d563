"""What a training costs, told before it begins: pictures, multiply-adds, hours on known cards, memory, disk.

The network is run once on torch's "meta" device, which does no arithmetic: multiply-adds are counted, and so is what
the backward pass keeps. A training step is three forward passes (forward, gradients of inputs, of weights).
"""

from dataclasses import dataclass

import pandas as pd
import torch
from torch.utils.flop_counter import FlopCounterMode

from rednet_core.eccv import EccvConfig
from rednet_core.rednet import NetConfig, count_parameters
from rednet_core.training import TrainConfig
from rednet_lab.workbench.stages import Training, network_of

# Dense peak of the half-precision units in teraflop a second, by the makers' data sheets. REACHED is the share of it
# that small-channel convolutions with pooling and batch norm between them get: an assumption, to be replaced by what
# `go.py gpu-check` measures.
CARDS = {"T4": 65, "A100": 312, "H100": 989}
REACHED = 0.15
PASSES = 3
BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}


@dataclass(frozen=True)
class Cost:
    """Of one picture: multiply-adds of a forward pass, bytes kept for the backward pass; parameters of the network."""

    multiply_adds: float
    kept: float
    parameters: int


def multiply_adds(config: NetConfig | EccvConfig) -> float:
    """Return the multiply-adds of one picture, without doing them."""
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        net = network_of(config)(config)
        net(torch.empty(1, 3, config.input_size, config.input_size), net.first_guess(1, "zeros"))
    return counter.get_total_flops() / 2


def cost(config: NetConfig | EccvConfig, train: TrainConfig, frames: int = 1) -> Cost:
    """Return what one picture costs; of a clip of `frames` frames, one of them."""
    kept: dict[int, int] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        kept[id(storage)] = storage.nbytes() if tensor.numel() else 0
        held.append(storage)  # an id is a storage's own as long as it lives
        return tensor

    held: list = []
    with torch.device("meta"):
        net = network_of(config)(config).train()
        x = torch.empty(frames, 3, config.input_size, config.input_size)
        z0 = net.first_guess(frames, "zeros")
        weights = {id(p.untyped_storage()) for p in net.parameters()}
        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            out = net(x, z0, frames)
    total = sum(size for key, size in kept.items() if key not in weights)
    total += sum(2 * m.numel() * m.element_size() for m in out.maps)  # targets, and the loss before its mean
    share = BYTES[train.precision] / 4
    return Cost(multiply_adds(config), total / frames * share, count_parameters(net))


def price(trainings: list[Training]) -> pd.DataFrame:
    """Return a table with a row for each training (and their sum): see the module."""
    rows = []
    for each in trainings:
        plan, train = each.plan, each.train
        one = cost(each.config, train, plan.frames)
        pictures = train.steps * plan.batch * plan.frames
        work = pictures * one.multiply_adds * PASSES
        state = 4 if train.optimiser == "sgd" else 8
        memory = one.kept * plan.batch * plan.frames + one.parameters * (8 + state)
        hours = {f"hours, {card}": 2 * work / (peak * 1e12 * REACHED) / 3600 for card, peak in CARDS.items()}
        rows.append(
            {
                "stage": each.name,
                "steps": train.steps,
                "million pictures": pictures / 1e6,
                "multiply-adds (1e15)": work / 1e15,
                **hours,
                "memory (GB)": memory / 1e9,
                "disk (GB)": one.parameters * (8 + state) / 1e9,
            }
        )
    table = pd.DataFrame(rows)
    whole = {**table.sum(numeric_only=True), "stage": "all"}
    whole["memory (GB)"] = table["memory (GB)"].max()
    return pd.concat([table, pd.DataFrame([whole])], ignore_index=True)[list(table.columns)]
