"""Trains and measures the variants of an ablation for several seeds; what is in the cache is not done again.

The data is that of the run's own seed for every training seed, so all variants and seeds are measured on the same
test items. What a variant needs from an earlier stage is trained once and shared.
"""

import time
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd

from rednet_core import metrics
from rednet_core.eccv import EccvConfig
from rednet_core.markup import MARKUPS
from rednet_core.rednet import NetConfig
from rednet_lab.evaluation import COMMON_YAW, Result, floor_of, predict_stills, predict_videos
from rednet_lab.experiments.variants import Variant, ablation_profile
from rednet_lab.experiments.watch import PARTS, Watcher, read_watched, read_watched_faces, watched_on
from rednet_lab.progress import Progress
from rednet_lab.stamp import module_hash
from rednet_lab.workbench import cache
from rednet_lab.workbench.lab import Lab, Trained
from rednet_lab.workbench.profiles import Plan
from rednet_lab.workbench.stages import STAGES, Training, pictures, stage_config

PROBED = 3  # steps timed to say beforehand what a training costs


@dataclass(frozen=True)
class Measured:
    """Per-item figures of one variant over S seeds: errors, seven (S, N) in per cent; steps (S, K, N) on the seven.

    All are by the papers' measure; times floor (S, N), 1 or less, they are by our floored one (`rednet_core.metrics`).
    clusters (N,) are the items' persons (stills) or videos, group (N,) their difficulty, yaw (N,) degrees. jitter
    (S, N) is there for videos, NaN in each first frame.
    """

    errors: np.ndarray
    seven: np.ndarray
    clusters: np.ndarray
    yaw: np.ndarray
    group: np.ndarray
    frame: np.ndarray
    jitter: np.ndarray
    steps: np.ndarray
    floor: np.ndarray

    def keep(self, chosen: np.ndarray) -> "Measured":
        """Return the items of a mask (N,) only."""
        return Measured(**{name: value[..., chosen] for name, value in vars(self).items()})


class Bench:
    """The workbench of an ablation: `seeds` trainings of each variant, counted from `first` (None: the lab's seed)."""

    def __init__(self, lab: Lab, seeds: int = 1, first: int | None = None):
        if seeds < 1:
            raise ValueError(f"seeds is {seeds}: one training of each variant at least")
        self.lab, self.seeds = lab, [n + (lab.seed if first is None else first) for n in range(seeds)]
        self.profile = ablation_profile(lab.profile)
        lab.results.stamp["training_seeds"] = self.seeds

    # --- trainings ---

    def config(self, variant: Variant) -> NetConfig | EccvConfig:
        """Return the configuration: the profile's, with what this variant and those before it change."""
        if variant.after:
            base = self.config(variant.after)
        else:
            base = self.profile.eccv if variant.eccv else self.profile.net
        changes = dict(variant.net)
        if variant.more_steps:
            changes["steps"] = base.steps + base.steps[-1:] * variant.more_steps
        return replace(stage_config(base, variant.stage, self.profile), **changes)

    def _plan(self, variant: Variant) -> Plan:
        p = self.profile
        if variant.stage == "stills":
            return p.eccv_demo if variant.eccv else p.stage1
        plan = p.stage2 if variant.stage == "people" else p.stage3
        if variant.pictures != 1.0:  # from nothing, with three stages' pictures and updates, at the first one's rate
            total = updates = 0.0
            for stage, own in zip(STAGES, (p.stage1, p.stage2, p.stage3), strict=True):
                epoch = pictures(stage, getattr(self.lab.source, stage)(), own)
                steps = own.config(epoch, 0).steps
                total, updates = total + steps * own.batch * own.frames, updates + steps
            each = total / updates  # pictures of an update: as many updates, then, and clips of two persons or more
            frames = min(plan.frames, max(2, round(each / 2)))
            batch = max(2, round(each / frames))
            train = replace(plan.train, steps=round(total / (batch * frames)), rate=p.stage1.train.rate)
            plan = replace(plan, train=train, batch=batch, frames=frames, epochs=0.0)
        return plan

    def training(self, variant: Variant, seed: int) -> Training:
        """Return a variant's training with one seed, as the Lab wants it."""
        config, plan = self.config(variant), self._plan(variant)
        changes = dict(variant.train)
        if "rate_share" in changes:
            changes["rate"] = plan.train.rate * changes.pop("rate_share")
        more = {"seed": seed, "changes": tuple(changes.items())}
        if variant.after:
            more["before"] = self.training(variant.after, seed)
        if variant.watch:
            more["watch"] = partial(Watcher, self.lab, config.markup, variant.stage)
        return self.lab.training(f"{variant.name}, seed {seed}", variant.stage, config, plan, **more)

    def trained(self, variant: Variant, seed: int) -> Trained:
        """Return a variant trained with one seed, from the cache or now."""
        return self.lab.trained(self.training(variant, seed))

    def watched(self, variant: Variant, seed: int) -> pd.DataFrame:
        """Return what was measured along a training that is watched: a row for each place, see `watch`."""
        return read_watched(self.trained(variant, seed).folder)

    def watched_faces(self, variant: Variant) -> tuple[np.ndarray, np.ndarray]:
        """Return accuracies (S, places, M, parts) of faces along the trainings, and their persons or videos (M,)."""
        every = np.stack([read_watched_faces(self.trained(variant, seed).folder) for seed in self.seeds])
        parts = np.stack([np.nanmean(every[..., list(which)], -1) for which in PARTS.values()], -1)
        data, rows = watched_on(self.lab, variant.stage)
        return parts, data.table["video"][rows] if variant.stage == "clips" else persons_of(data.table[rows])

    # --- what it costs ---

    def cost(self, variants: tuple[Variant, ...]) -> pd.DataFrame:
        """Return what trainings of these variants, and of what they start from, will cost; those in the cache nothing.

        Seconds are from a few steps timed here and now, measuring afterwards not counted.
        """
        wanted: dict[str, Variant] = {}
        for variant in variants:
            for each in variant.chain():
                wanted.setdefault(cache.digest(self.training(each, self.seeds[0]).key(self.lab.device)), each)
        rows = []
        for variant in wanted.values():
            training = self.training(variant, self.seeds[0])
            names = [self.lab.asset_name(self.training(variant, seed)) for seed in self.seeds]
            missing = sum(not cache.made(*name) for name in names)
            steps, plan = training.train.steps, training.plan
            minutes = missing * steps * (self._pace(training) if missing else 0.0) / 60
            rows.append((variant.name, variant.stage, steps, steps * plan.batch * plan.frames, missing, minutes))
        columns = ["variant", "stage", "steps", "pictures", "trainings to do", "minutes"]
        return pd.DataFrame(rows, columns=columns).round(1)

    def _pace(self, training: Training) -> float:
        """Return the seconds of a training step, without the stage before: weights do not matter."""
        trainer = training.trainer(None, self.lab.device)
        steps = min(PROBED, trainer.config.steps - 1)
        trainer.run(1)
        began = time.perf_counter()
        trainer.run(1 + steps)
        return (time.perf_counter() - began) / max(steps, 1)

    # --- measuring ---

    def stills(self, variant: Variant, **choices) -> Measured:
        """Return errors on the test stills, each in its annotated box, for every seed; choices go to predict_stills."""
        test = self.lab.source.test_stills()
        table = test.data.table[test.rows]
        yaw = np.nan_to_num(np.abs(table["yaw"]))
        group = np.where(yaw < COMMON_YAW, "common", "challenging")
        about = (persons_of(table), yaw, group, np.zeros(len(table), int))
        what = ("stills", test.data.fingerprint)
        return self._measured(variant, what, test.data, test.rows, about, predict_stills, choices)

    def videos(self, variant: Variant, **choices) -> Measured:
        """Return errors on the test videos in the tracking protocol, for every seed; choices go to the Tracker."""
        videos = self.lab.source.test_videos()
        rows, group = videos.in_order()
        table = videos.data.table[rows]
        about = (table["video"], np.abs(table["yaw"]), group, table["frame"])
        what = ("videos", videos.fingerprint)
        return self._measured(variant, what, videos.data, rows, about, predict_videos, choices)

    def _measured(self, variant, what, data, rows, about, predict, choices) -> Measured:
        config = self.config(variant)
        markup, marked = MARKUPS[config.markup], self.lab.marked(data, config.markup)
        found = [self._measure_one(variant, seed, what, marked, rows, predict, choices, markup) for seed in self.seeds]
        arrays = {name: np.stack([each[name] for each in found]) for name in found[0]}
        return Measured(**arrays, clusters=about[0], yaw=about[1], group=about[2], frame=about[3])

    def _measure_one(self, variant, seed, what, data, rows, predict, choices, markup) -> dict[str, np.ndarray]:
        kind, fingerprint = what
        full = {
            "net": cache.digest(self.training(variant, seed).key(self.lab.device)),
            "what": kind,
            "data": fingerprint,
            "rows": cache.digest({"rows": rows.tolist()}),
            "choices": choices,
            "code": module_hash("rednet_lab.evaluation", "rednet_core.metrics"),
        }

        def make(folder) -> None:
            net = self.trained(variant, seed).net
            with Progress(f"{kind}: {variant.name}, seed {seed}", "step") as progress:
                arrays = figures(predict(net, data, rows, progress=progress, **choices), data, markup)
            np.savez(folder / "measured.npz", **arrays)

        folder, _ = cache.asset(f"measured-{kind}", full, make)
        with np.load(folder / "measured.npz", allow_pickle=False) as file:
            return {name: file[name] for name in file.files}


def persons_of(table: np.ndarray) -> np.ndarray:
    """Return the person of each row, where persons are not known its video, or a number of its own."""
    known = next((name for name in ("identity", "video") if (table[name] >= 0).all()), None)
    return table[known].astype(np.int32) if known else np.arange(len(table), dtype=np.int32)


def figures(found: Result, data, markup) -> dict[str, np.ndarray]:
    """Per-item errors, of all points, of the seven, of these from frame to frame and after each step; and `floor`."""

    def seven(points: np.ndarray) -> np.ndarray:
        points = points if points.shape[1] == 7 else points[:, list(markup.seven)]
        return metrics.seven_nme(points, found.truth, markup, found.mask)

    video, jitter = data.table["video"][found.rows], np.full(len(found.rows), np.nan)
    for v in np.unique(video):  # a video's frames stand in a row, in order
        at = np.flatnonzero(video == v)
        if len(at) > 1:
            jitter[at[1:]] = metrics.jitter(found.points[at], found.truth[at], markup, found.mask[at])
    return {
        "floor": floor_of(found.truth, markup, found.mask),
        "errors": metrics.nme(found.points, found.truth, markup, found.mask),
        "seven": seven(found.points),
        "jitter": jitter,
        "steps": np.stack([seven(p) for p in found.steps]) if found.steps else np.zeros((0, len(found.rows))),
    }
