"""Which trained network a notebook studies: the one that ships, or what notebooks 50 to 54 trained here.

The shipped one ends with stage 1. What stages 2 and 3 add, f_cls and f_trn, is trained on top of it here, and no other
weight changes. That takes a minute and is less than the papers' stages, which train everything.
"""

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
import torch.nn.functional as F

from rednet_core import checkpoint, metrics, stages
from rednet_core.batches import person_labels
from rednet_core.identity import IdentityClassifier
from rednet_core.rednet import RedNet
from rednet_core.tracking import Tracker
from rednet_lab.evaluation import own_boxes, predict_stills, predict_videos
from rednet_lab.names import THREADS
from rednet_lab.progress import Progress
from rednet_lab.series import SERIES
from rednet_lab.show import plots
from rednet_lab.stamp import code_hash, module_hash
from rednet_lab.workbench.cache import BusyError, asset, without
from rednet_lab.workbench.shipped import PLACE, open_weights
from rednet_lab.workbench.stages import suited

READS = ("rednet_lab/weights/world.json",)  # the card: other weights, another card
CHOICES = ("shipped", "mine")
CLIPS = {"smoke": 2, "quick": 40}  # batches of clips for f_trn; 400 elsewhere
LOOKS = {"smoke": 5, "quick": 300}  # passes over the persons' encodings for f_cls, likewise
FEW = 40  # videos, of which those clips are
TIMED = 3  # batches, before the reader is told how long it takes


class Studied:
    """The part of the Lab that finds the network to study, and tells the reader what he waits for."""

    waiting: tuple = ()  # trainings that are not done: the one at work last

    def network(self, weights: str = "shipped", stage: int = 1) -> RedNet:
        """Return the network after a stage: "shipped", or "mine", which this run trains if its cache has none.

        Where the data has other points than the shipped network, say so and return this run's own.
        """
        if weights not in CHOICES:
            raise ValueError(f"weights {weights!r}, known: {', '.join(CHOICES)}")
        if weights == "shipped":
            shipped, ours = self.shipped, self.profile.net.markup
            if (theirs := shipped.config.markup) == ours:
                return shipped if stage == 1 else self.branch(stage)
            print(f"The shipped network has the points {theirs}, this data {ours}: this run's own network is taken.")
        return getattr(self, f"stage{stage}").net

    @property
    def shipped(self) -> RedNet:
        """The network that ships, read anew each time: a notebook may change what it has."""
        return open_weights("world").to(self.device)

    def mine(self, stage: int = 1) -> RedNet | None:
        """Return what was trained here, or None where the cache has none."""
        try:
            with without("make"):
                return self.network("mine", stage)
        except BusyError:
            return None

    def branch(self, stage: int) -> RedNet:
        """Return the shipped network with f_cls (stage 2) or f_trn (stage 3), which alone is trained, in a minute."""
        role, shipped = self.source.people() if stage == 2 else self.source.clips(few=FEW), self.shipped
        key = {
            "weights": hashlib.sha256((PLACE / "world.safetensors").read_bytes()).hexdigest(),
            "sizes": asdict(replace(self.profile, net=shipped.config)),
            "data": role.data.fingerprint,
            "seed": self.seed,
            "device": (self.device.type, suited(self.profile.stage3.train, self.device).precision),
            "threads": THREADS,
            "torch": torch.__version__.partition("+")[0],
            "code": (code_hash(__file__), module_hash("rednet_core.stages", "data_prep.synthetic")),
        }
        make = self._with_f_cls if stage == 2 else self._with_f_trn

        def kept(folder: Path) -> None:
            net = make(role, shipped)
            # The statistics of batch norm moved along, too.
            net.load_state_dict({**net.state_dict(), **shipped.state_dict()})
            checkpoint.save_net(folder / "net.pt", net)

        folder, _ = asset(f"{self.profile.name}-branch-{stage}", key, kept)
        return checkpoint.load_net(folder / "net.pt", self.device)

    def _with_f_cls(self, role, net: RedNet) -> RedNet:
        """Train f_cls on e_i as it is: the encodings are read once."""
        tracker, codes = Tracker(net), []
        with Progress("codes of the persons", "face") as progress:
            for start in range(0, len(role.rows), 64):
                rows = role.rows[start : start + 64]
                tracker.start(own_boxes(role.data, rows, net.markup))
                codes.append(tracker.update(role.data.crops[rows]).prediction.e_i[-1].mean((-1, -2), True))
                progress(start + len(rows), len(role.rows))
        labels = person_labels(role.data, role.rows)
        who = torch.from_numpy(labels[role.data.table["identity"][role.rows]]).to(self.device)
        torch.manual_seed(self.seed)
        choices = {"identities": int(labels.max()) + 1, "identity_units": self.profile.identity_units}
        grown, code = checkpoint.grow(net, **choices), torch.cat(codes)
        head: IdentityClassifier = grown.f_cls.train()
        optimiser = torch.optim.AdamW(head.parameters(), 3e-3, weight_decay=0.05)
        for _ in range(LOOKS.get(self.profile.name, 1000)):
            optimiser.zero_grad()
            F.cross_entropy(head(code / code.std()), who).backward()
            optimiser.step()
        with torch.no_grad():
            head.squeeze.weight /= code.std()
        return grown.eval()

    def _with_f_trn(self, role, net: RedNet) -> RedNet:
        """Train f_trn on clips: the gradient passes through the decoder, which does not move."""
        p, plan = self.profile, self.profile.stage3
        clips = role.kind(role.data, role.rows, plan.batch, plan.frames, self.seed, plan.each)
        train = suited(replace(plan.config(0, self.seed), steps=CLIPS.get(p.name, 400)), self.device)
        choices = {"identities": 0, "update": p.update, "hidden": p.hidden, "nameless": True}
        with Progress("f_trn on the shipped network", "batch") as progress:

            def show(run, record) -> None:
                progress(run.step, train.steps, f"l_r {record.regression:.4f}")

            run = stages.stage3(net, clips, train, p.clip_error, run={"callbacks": (show,)}, **choices)
            for name, weight in run.net.named_parameters():
                weight.requires_grad_(name.startswith("f_trn"))
            run.run()
        return run.net

    def beside(self, weights: str, stage: int = 1) -> None:
        """Draw the errors of the shipped network and of the one trained here, on test stills, of stage 3 on videos."""
        nets = {"trained here": self.mine(stage)}
        if weights == "shipped" or stage == 1:
            nets["shipped"] = self.network("shipped", stage)
        found = {name: self._errors(net, stage) for name, net in nets.items() if net}
        print("; ".join(f"{name}: {each.mean():.2f} % on average" for name, each in found.items()))
        if len(found) < 2:
            numbers = ("50", "52", "54")[:stage]
            minutes = sum(entry.minutes for entry in SERIES if entry.number in numbers)
            print(f"To compare, train your own in {', '.join(numbers)}: {minutes:.0f} minutes on two cores.")
            return
        figure, axes = plt.subplots(figsize=(5, 3))
        plots.error_curves(axes, found)
        axes.legend()
        what = "test videos" if stage == 3 else "test stills"
        caption = f"The shipped network and the one that was trained here, after stage {stage}, on {what}"
        self.figure(figure, "both_networks", caption, "two rising curves of the share of faces over the error")

    def _errors(self, net: RedNet, stage: int) -> np.ndarray:
        test = self.source.test_videos() if stage == 3 else self.source.test_stills()
        found = (predict_videos if stage == 3 else predict_stills)(net, test.data, test.rows)
        return metrics.nme(found.points, found.truth, net.markup, found.mask)

    @contextmanager
    def waited_for(self, training) -> Iterator[None]:
        """Within this, a training is waited for."""
        self.waiting = (*self.waiting, training)
        try:
            yield
        finally:
            self.waiting = self.waiting[:-1]

    def told(self, training):
        """Return a callback that says once, to a reader at the screen, what is trained now and for how long."""
        batches, began = 0, 0.0

        def say(run, _) -> None:
            nonlocal batches, began
            batches += 1
            if batches == 1:  # the first one is slower
                began = time.perf_counter()
            if batches == 1 + TIMED and self.live:
                pace = (time.perf_counter() - began) / TIMED / (training.plan.batch * training.plan.frames)
                work = sum(one.train.steps * one.plan.batch * one.plan.frames for one in self.waiting)
                names = ", ".join(one.name for one in reversed(self.waiting))
                print(f"{names}: not in the cache, trained now and kept; about {max(pace * work / 60, 1):.0f} min.")

        return say
