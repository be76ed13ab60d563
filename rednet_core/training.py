"""The training loop of all three stages: batches, objective, optimiser, schedule, checkpoints.

The loop knows nothing of progress bars or plots: callbacks see every step. A `team` trains one
network in several processes (`rednet_lab.workbench.team`). Killed at any point and started
again with the same checkpoint path it ends with the same weights, bit for bit on one CPU thread: batches and
augmentation are drawn from (seed, step), everything else is in the checkpoint.
"""

import contextlib
import math
import time
from collections import namedtuple
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from rednet_core import checkpoint
from rednet_core.batches import Ahead, Batch
from rednet_core.inputs import Inputs
from rednet_core.losses import BALANCE, Weight
from rednet_core.network import RecurrentNet, check, check_names
from rednet_core.objective import TERMS, Balance, terms
from rednet_core.schedules import Schedule, rate_at

Optimiser = Literal["sgd", "adam", "adamw"]
LOW_PRECISION_ON = ("cuda", "cpu")  # kinds of devices that can; a CPU gains where it has bfloat16 units


@dataclass(frozen=True)
class TrainConfig:
    """How a stage is trained. The defaults are the papers' (journal 5.1); a profile may choose others."""

    steps: int  # batches
    optimiser: Optimiser = "sgd"  # momentum 0.9; "adamw" learns faster in a laptop's budget; "adam": authors' code
    rate: float = 0.01  # learning rate at its highest
    encoder_rates: tuple[float, ...] = ()  # of A0..A4 or C0..C4, as shares of the rate; authors' code: 0, 0, .1, .1, .1
    momentum: float = 0.9  # of Adam beta1: 0.5 in the authors' code
    weight_decay: float = 5e-4
    schedule: Schedule = "steps"  # see rednet_core.schedules
    steps_per_epoch: float = 100.0  # for the schedules that count epochs
    foreground_weight: Weight = 15.0  # 4.2; or "balance": background over foreground pixels (authors' code)
    ratio: tuple[float, float, float] = (1.0, 10.0, 1.0)  # l_d : lambda l_r : gamma l_cls (5.1)
    seed: int = 0
    checkpoint_seconds: float = 30.0
    # Of convolutions: autocast; float16, for those without bfloat16, with a scaled loss. f_trn has float32.
    precision: Literal["float32", "bfloat16", "float16"] = "float32"

    def __post_init__(self) -> None:
        check_names(self)
        weight = self.foreground_weight
        wrong = weight != BALANCE if isinstance(weight, str) else not weight > 0
        check(self, (wrong, f"foreground_weight {weight!r}: a number above 0, or {BALANCE!r}"))


COLUMNS = (*TERMS, "total", "rate")
# What one step measured: the raw terms (NaN where a term is not there), the weighted sum, the rate.
Record = namedtuple("Record", "step detection regression identity total rate")
Callback = Callable[["Trainer", Record], None]


def make_optimiser(net: RecurrentNet, config: TrainConfig) -> torch.optim.Optimizer:
    """Return SGD as in the papers, Adam or AdamW; norms and biases do not decay. A group's `share` is of the rate."""
    share: dict[nn.Parameter, float] = {}
    for block, rate in zip(net.encoder_blocks() if config.encoder_rates else (), config.encoder_rates, strict=True):
        share.update(dict.fromkeys(block.parameters(), rate))
    groups: dict[tuple, dict] = {}
    for p in net.parameters():
        kind = (p.ndim > 1, share.get(p, 1.0))
        decay = config.weight_decay if p.ndim > 1 else 0.0
        groups.setdefault(kind, {"params": [], "weight_decay": decay, "share": kind[1]})["params"].append(p)
    ordered = [groups[kind] for kind in sorted(groups, reverse=True)]
    if config.optimiser == "sgd":
        return torch.optim.SGD(ordered, lr=config.rate, momentum=config.momentum)
    adam = torch.optim.Adam if config.optimiser == "adam" else torch.optim.AdamW
    return adam(ordered, lr=config.rate, betas=(config.momentum, 0.999))


STATEFUL = ("net", "optimiser", "scaler")  # of a Trainer


class Trainer:
    """Trains one network through one stage.

    draw(step) gives the step's Batch (`batches`); make_inputs(batch, net, generator) turns it into Inputs on the
    network's device (`inputs`). With a checkpoint path the run resumes from it if it is there.
    """

    def __init__(
        self,
        net: RecurrentNet,
        config: TrainConfig,
        draw: Callable[[int], Batch],
        make_inputs: Callable[[Batch, RecurrentNet, torch.Generator], Inputs],
        checkpoint_path: Path | str | None = None,
        callbacks: tuple[Callback, ...] = (),
        team: Any = None,
    ):
        self.net, self.config, self.draw, self.make_inputs = net, config, Ahead(draw), make_inputs
        self.team = team
        self.compute: Callable = net  # or another way to its maps: compiled, in parts
        self.path = Path(checkpoint_path) if checkpoint_path else None
        self.callbacks = callbacks
        self.device = net.mean_shape.device
        net.to(memory_format=torch.channels_last)  # type: ignore[call-overload] # a third faster on CPUs, and what tensor cores want
        if team:
            team.ready(net)
        self.optimiser = make_optimiser(net, config)
        self.balance = Balance(config.ratio)
        low = config.precision != "float32" and self.device.type in LOW_PRECISION_ON
        self.autocast = getattr(torch, config.precision) if low else None
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=self.autocast == torch.float16)
        self.history = torch.full((config.steps, len(COLUMNS)), torch.nan)
        self.step = 0
        torch.manual_seed(config.seed)  # dropout
        if self.path and self.path.exists():
            self._restore(checkpoint.read(self.path))

    def train_step(self) -> Record:
        """Take one batch: forward, losses, backward, update."""
        config = self.config
        new_generator = self.team.generator if self.team else torch.Generator().manual_seed
        generator = new_generator(config.seed * 1_000_003 + self.step)
        inputs = self.make_inputs(self.draw(self.step).to(self.device), self.net, generator)
        rate = rate_at(config, self.step)
        for group in self.optimiser.param_groups:
            group["lr"] = rate * group["share"]
        self.net.train()
        x = inputs.x.contiguous(memory_format=torch.channels_last)
        z0 = inputs.z0.contiguous(memory_format=torch.channels_last)
        with torch.autocast(self.device.type, self.autocast) if self.autocast else contextlib.nullcontext():
            out = self.compute(x, z0, inputs.frames)
        own = raw = terms(self.net, out, inputs, config.foreground_weight)
        if self.team:
            own, raw = self.team.terms(own, inputs)  # of its pictures, and of all
        self.balance.observe(raw)
        # Before the update: a bad loss must not spoil the weights.
        record = self._record(raw, self.balance.total(raw).detach(), rate)
        self.optimiser.zero_grad(set_to_none=True)
        self.scaler.scale(self.balance.total(own)).backward()  # as it is where nothing is scaled
        if self.team:
            self.team.collect(self.net)
        self.scaler.step(self.optimiser)
        self.scaler.update()
        return record

    def _record(self, raw: dict[str, Tensor], total: Tensor, rate: float) -> Record:
        row = [*(float(raw[name].detach()) if name in raw else math.nan for name in TERMS), float(total), rate]
        if not math.isfinite(row[-2]):
            raise FloatingPointError(f"loss is not finite at step {self.step}: lower the rate ({rate:g})")
        self.history[self.step] = torch.tensor(row)
        return Record(self.step, *row)

    def run(self, until: int | None = None) -> Tensor:
        """Train to the end (or to step `until`) and return the history (steps, 5): see COLUMNS."""
        last = self.config.steps if until is None else min(until, self.config.steps)
        saved = time.monotonic()
        while self.step < last:
            record = self.train_step()
            self.step += 1
            if self.path and (self.step == last or time.monotonic() - saved > self.config.checkpoint_seconds):
                self.save()
                saved = time.monotonic()
            for callback in self.callbacks:
                callback(self, record)
        self.net.eval()
        return self.history

    def save(self) -> None:
        """Write the checkpoint now; of a team, the first process does."""
        assert self.path is not None
        if self.team and not self.team.lead:
            return
        rng = {"cpu": torch.get_rng_state()}
        if self.device.type == "cuda":
            rng["cuda"] = torch.cuda.get_rng_state(self.device)
        content = {
            "config": asdict(self.net.config),
            "train": asdict(self.config),
            "balance": asdict(self.balance),
            "history": self.history,
            "step": self.step,
            "rng": rng,
        }
        states = {name: getattr(self, name).state_dict() for name in STATEFUL}
        checkpoint.write(self.path, content | states)

    def _restore(self, content: dict) -> None:
        mine = {"config": asdict(self.net.config), "train": asdict(self.config)}
        for part, wanted in mine.items():
            found = content.get(part, {})
            changed = [k for k in wanted if k != "checkpoint_seconds" and found.get(k) != wanted[k]]
            if changed:
                why = f"was written with other settings ({part}: {', '.join(changed)})"
                raise checkpoint.CheckpointError(f"{self.path}: {why}; remove it or give another path")
        for name in STATEFUL:
            getattr(self, name).load_state_dict(content[name])
        self.balance = Balance(**content["balance"])
        self.history, self.step = content["history"], content["step"]
        torch.set_rng_state(content["rng"]["cpu"])
        if "cuda" in content["rng"] and self.device.type == "cuda":
            torch.cuda.set_rng_state(content["rng"]["cuda"], self.device)
