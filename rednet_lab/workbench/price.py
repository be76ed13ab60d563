"""What a training costs, told before it begins: pictures, multiply-adds, hours on known cards, memory, disk.

The network is run once on torch's "meta" device, which does no arithmetic: multiply-adds are counted, and so is what
the backward pass keeps. A training step is three forward passes (forward, gradients of inputs, of weights). Rendered
faces are counted before they are rendered (`Planned`).
"""

import sys
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
import torch
from torch.utils.flop_counter import FlopCounterMode

from data_prep.landmark_subset import InMemory
from rednet_core.eccv import EccvConfig
from rednet_core.markup import IBUG68
from rednet_core.rednet import NetConfig, count_parameters
from rednet_core.training import TrainConfig
from rednet_lab.stamp import cores
from rednet_lab.workbench.profiles import Profile
from rednet_lab.workbench.sources import FaceWorldSource
from rednet_lab.workbench.stages import Training, network_of

# Dense peak of the half-precision units in teraflop a second, by the makers' data sheets. REACHED is the share of it
# that small-channel convolutions with pooling and batch norm between them get: an assumption, to be replaced by what
# `go.py gpu-check` measures.
CARDS = {"T4": 65, "A100": 312, "H100": 989}
REACHED = 0.15
PASSES = 3
KINDS = [("points", "f4", (68, 2)), ("mask", "?", 68), *((name, "i4") for name in ("identity", "video", "frame"))]
RENDERED = 4e-7  # processor seconds a pixel of a rendered face, measured at 192 to 384 px (an EPYC with AVX-512)
BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}


@dataclass(frozen=True)
class Cost:
    """Of one picture: multiply-adds of a forward pass, bytes kept for the backward pass; parameters of the network."""

    multiply_adds: float
    kept: float
    parameters: int


@cache
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


class Planned(FaceWorldSource):
    """The face world before it is rendered: as many rows of each part, and nothing in them."""

    def __init__(self, profile: Profile, seed: int):
        super().__init__(profile, "", seed)
        self.parts: dict[str, InMemory] = {}

    def data(self, part: str, first: int = 0, videos: tuple | None = None) -> InMemory:
        """Return a part's table, in which only splits and videos are right."""
        if part not in self.parts:
            p = self.profile
            (some, each), held = p.people, p.people[1] // 5
            counts, each = {
                "stills": (p.stills, 1),
                "people": ((some * (each - held), some * held, 0), each),
                "videos": ((p.videos[0] * p.videos[1], 0, p.videos[2] * p.videos[3]), p.videos[1]),
            }[part]
            found = InMemory(np.empty(0), np.zeros(sum(counts), KINDS), IBUG68)
            found.table["video"] = np.arange(sum(counts)) // each
            rows = np.split(np.arange(sum(counts)), np.cumsum(counts)[:2])
            found.rows = dict(zip(("train", "validation", "test"), rows, strict=True)).__getitem__  # type: ignore
            found.fingerprint = part  # type: ignore[attr-defined]
            self.parts[part] = found
        return self.parts[part]

    def told(self) -> str:
        """Return what the faces themselves cost."""
        still, frame = self.profile.store_size**2, self.profile.frame_size**2
        pixels = {"stills": still, "people": still, "videos": frame}
        counts = {part: len(self.data(part).table) for part in pixels}
        stored = sum(counts[part] * pixels[part] for part in pixels)
        drawn = stored * 16 / 9 - counts["videos"] * frame * 7 / 9  # stills are rendered finer, and cut
        return (
            f"First {sum(counts.values()):,} faces are rendered, where they are not there yet: {3e-9 * stored:.1f} GB, "
            f"about {drawn * RENDERED / 60 / cores():.0f} minutes on {cores()} cores."
        )


def planned(lab):
    """Return a Lab in which faces are counted, not rendered; other sources stay as they are."""
    if type(lab.source) is FaceWorldSource:
        lab.source = Planned(lab.profile, lab.seed)
    return lab


def agreed(lab, trainings: list[Training], yes: bool, times: int = 1) -> bool:
    """Print what trainings of a `planned` Lab cost, `times` each, and return whether to go on: who can be asked is."""
    print(price(trainings, times).to_string(index=False, float_format=lambda value: f"{value:.3g}"))
    peaks = ", ".join(f"{card} {peak} Tflop/s" for card, peak in CARDS.items())
    print(f"Hours assume {REACHED:.0%} of the card's half-precision peak ({peaks}); `go.py gpu-check` measures it.")
    if isinstance(lab.source, Planned):
        print(lab.source.told())
    return yes or not sys.stdin.isatty() or input("Train? [y/N] ").strip().lower() == "y"


def price(trainings: list[Training], times: int = 1) -> pd.DataFrame:
    """Return a table with a row for each training (and their sum), done `times` times: see the module."""
    rows = []
    for each in trainings:
        plan, train = each.plan, each.train
        one = cost(each.config, train, plan.frames)
        pictures = times * train.steps * plan.batch * plan.frames
        work = pictures * one.multiply_adds * PASSES
        state = 4 if train.optimiser == "sgd" else 8
        memory = one.kept * plan.batch * plan.frames / each.parts + one.parameters * (8 + state)
        hours = {f"hours, {card}": 2 * work / (peak * 1e12 * REACHED) / 3600 for card, peak in CARDS.items()}
        row = {"stage": each.name, "steps": times * train.steps, "million pictures": pictures / 1e6}
        row |= {"multiply-adds (1e15)": work / 1e15, **hours, "memory (GB)": memory / 1e9}
        rows.append({**row, "disk (GB)": times * one.parameters * (8 + state) / 1e9})
    table = pd.DataFrame(rows)
    whole = {**table.sum(numeric_only=True), "stage": "all"}
    whole["memory (GB)"] = table["memory (GB)"].max()
    return pd.concat([table, pd.DataFrame([whole])], ignore_index=True)[list(table.columns)]
