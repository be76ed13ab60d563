"""The notebooks' workbench: data, trained stages and results for one choice of profile, source, device and seed.

A notebook opens one with its parameters and asks it for what it needs; what is not in the cache is made, with a
progress bar. Nothing of the method is here.
"""

import math
import os
import time
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from IPython.display import display

from data_prep.landmark_subset import seven_of
from rednet_core import checkpoint
from rednet_core.eccv import EccvConfig, EccvNet
from rednet_core.markup import MARKUPS
from rednet_core.rednet import NetConfig, RedNet
from rednet_core.training import COLUMNS, Trainer
from rednet_lab.files import write_json, write_text, write_whole
from rednet_lab.names import ROOT, THREADS, device_name, run_name
from rednet_lab.parameters import check_kernel
from rednet_lab.progress import Progress, in_batch
from rednet_lab.show import draw, plots
from rednet_lab.show.svg import Drawing
from rednet_lab.stamp import make_stamp
from rednet_lab.workbench.cache import asset
from rednet_lab.workbench.prepared import PreparedSource
from rednet_lab.workbench.profiles import PROFILES, Plan, Profile
from rednet_lab.workbench.sources import FaceWorldSource, UdacitySource
from rednet_lab.workbench.stages import STAGES, Training, eccv_plans, stage_config, suited
from rednet_lab.workbench.studied import Studied

SOURCES = {"face_world": FaceWorldSource, "udacity": UdacitySource, "prepared": PreparedSource}


@dataclass(frozen=True)
class Trained:
    """A trained stage: the network, the history (steps, 5; columns as named) and the seconds it took."""

    net: RedNet | EccvNet
    history: torch.Tensor
    columns: tuple[str, ...]
    seconds: float
    factors: dict[str, float]  # lambda and gamma as they were fixed
    folder: Path  # where it is kept, with what callbacks wrote there


def choose_device(name: str) -> torch.device:
    """The device of a name; "auto" takes CUDA where there is one, else the CPU. Raise ValueError with the fix."""
    if device_name(name) == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise ValueError(f"device {name!r}: this PyTorch sees no CUDA GPU; use 'cpu', or install a CUDA build of it")
    if name.startswith("cuda:"):
        torch.cuda.set_device(name)
    if name == "mps" and not torch.backends.mps.is_available():
        raise ValueError("device 'mps': no Apple GPU here; use 'cpu'")
    return torch.device(name)


class Results:
    """What a notebook leaves behind in its folder: figures, tables and numbers, all of them stamped.

    Every save rewrites results.json atomically: {"stamp", "figures", "tables", "numbers"}, in lists for the index page
    and for later notebooks. facts (profile, data, seed) are put behind each caption.
    """

    def __init__(self, folder: Path, stamp: dict, facts: str = ""):
        self.folder, self.stamp, self.facts = folder, stamp, facts
        self.entries: dict[str, dict[str, dict]] = {"figures": {}, "tables": {}, "numbers": {}}

    def figure(
        self, figure: plt.Figure, name: str, caption: str, alt: str, hero: bool = False, vector: bool = True
    ) -> None:
        """Save a matplotlib figure as <name>.svg, or <name>.png (kept under 100 KB) for pictures, and show it once."""
        path = self.folder / f"{name}.{'svg' if vector else 'png'}"
        # No date in the file: the same figure is the same bytes.
        if vector:
            write_whole(path, lambda part: figure.savefig(part, format="svg", metadata={"Date": None}))
        else:
            write_whole(path, lambda part: part.write_bytes(draw.small_png(figure)))
        self._add("figures", name, {"file": path.name, "caption": caption, "alt": alt, "hero": hero})
        figure.set_layout_engine("none")  # laid out once, which takes as long as drawing: what is shown is what is kept
        display(figure, metadata={"image/png": {"alt": alt}})
        plt.close(figure)  # or it would be shown twice

    def pictures(
        self, pictures: list, columns: int, name: str, caption: str, alt: str, hero: bool = False, width: float = 7.0
    ) -> None:
        """Save and show pictures of one size in a grid."""
        self.figure(plots.grid(pictures, columns, width), name, caption, alt, hero, vector=False)

    def drawing(self, drawing: Drawing, name: str, caption: str, hero: bool = False) -> Drawing:
        """Save a ready SVG drawing as <name>.svg and return it for display; it brings its own words for alt."""
        path = self.folder / f"{name}.svg"
        write_text(path, drawing.svg)
        self._add("figures", name, {"file": path.name, "caption": caption, "alt": drawing.alt, "hero": hero})
        return drawing

    def table(self, frame: pd.DataFrame, name: str, caption: str) -> pd.DataFrame:
        """Save a table as <name>.csv and return it for display."""
        path = self.folder / f"{name}.csv"
        write_whole(path, lambda part: frame.to_csv(part, index=False, lineterminator="\n"))
        self._add("tables", name, {"file": path.name, "caption": caption})
        return frame

    def number(self, name: str, value: float, unit: str = "", label: str = "", note: str = "", headline: bool = False):
        """Keep one figure; `headline` ones are shown on the run's last screen. Returns the value."""
        value = float(value)
        if not math.isfinite(value):
            raise ValueError(f"number {name!r} is not finite: {value}")
        entry = {"value": value, "unit": unit, "label": label or name, "note": note, "headline": headline}
        self._add("numbers", name, entry)
        return value

    def _add(self, kind: str, name: str, entry: dict) -> None:
        if self.facts and "caption" in entry:
            entry["caption"] += f" ({self.facts})"
        self.entries[kind][name] = entry
        content = {"stamp": self.stamp}
        content.update({kind: list(self.entries[kind].values()) for kind in ("figures", "tables")})
        content["numbers"] = self.entries["numbers"]
        write_json(self.folder / "results.json", content)


class Lab(Studied):
    """Everything a notebook asks for: data, trained stages, and a place for figures, tables and numbers (`Results`)."""

    def __init__(self, notebook: str, profile: str, source: str, data: str, device: str, seed: int, out: str):
        check_kernel(out)
        pd.set_option("display.max_columns", None)  # a table is shown whole: the text speaks of its middle, too
        if profile not in PROFILES:
            raise ValueError(f"profile {profile!r}, known: {', '.join(PROFILES)}")
        if source not in SOURCES:
            raise ValueError(f"source {source!r}, known: {', '.join(SOURCES)}")
        self.profile: Profile = PROFILES[profile]
        self.seed, self.device = seed, choose_device(device)
        self.source = SOURCES[source](self.profile, data, seed)
        if markup := getattr(self.source, "markup", ""):  # the data decides how many points the network has
            self.profile = replace(self.profile, net=replace(self.profile.net, markup=markup))
        self.run = run_name(profile, source, seed)
        folder = Path(out).expanduser()
        parameters = {"profile": profile, "source": source, "data": data, "seed": seed, "device": str(self.device)}
        self.folder = (folder if folder.is_absolute() else ROOT / folder) / self.run
        stamp = make_stamp(parameters, ROOT / "notebooks" / f"{notebook}.ipynb")
        stamp["precision"] = suited(self.profile.stage1.train, self.device).precision
        self.caption = f"profile {profile}, {self.source.what}, seed {seed}"
        self.results = results = Results(self.folder / notebook, stamp, self.caption)
        self.figure, self.pictures, self.drawing = results.figure, results.pictures, results.drawing
        self.table, self.number = results.table, results.number
        self.watchers: list = []  # each makes, of a stage's name, one more callback for its training
        torch.set_num_threads(THREADS)  # the one place; trainings have it in their keys
        torch.manual_seed(seed)
        plots.use_style()

    # --- trained stages, each made from the one before ---

    def training(
        self, name: str, stage: str, config: NetConfig | EccvConfig, plan: Plan, before: Training | None = None, **more
    ) -> Training:
        """Return a stage's description, on this run's data; more are further fields of Training."""
        role, p = getattr(self.source, stage)(), self.profile
        how = (isinstance(config, EccvConfig) and p.eccv_augmentation) or p.augmentation
        if stage == "clips":
            how = p.clip_error
        parts = int(os.environ.get("REDNET_PARTS") or 1)
        fields = {"how": how, "seed": self.seed, "before": before, "imagenet": p.imagenet, "parts": parts, **more}
        if plan.plateau:
            part = self.source.validation_stills(plan.plateau.pictures)
            if part.data is role.data:  # not trained on, then
                role = replace(role, rows=np.setdiff1d(role.rows, part.rows))
            fields["validation"] = replace(part, data=self.marked(part.data, config.markup))
        return Training(name, stage, config, role, self.marked(role.data, config.markup), plan, **fields)

    @cached_property
    def stage1(self) -> Trained:
        """The network after stage 1."""
        return self.trained(self._first(1)[-1])

    @cached_property
    def stage2(self) -> Trained:
        """The network after stage 2."""
        return self.trained(self._first(2)[-1])

    @cached_property
    def stage3(self) -> Trained:
        """The network after stage 3."""
        return self.trained(self.chain[2])

    @cached_property
    def chain(self) -> list[Training]:
        """The journal network's three stages."""
        return self._first(3)

    def _first(self, count: int) -> list[Training]:
        p = self.profile
        return self._stages("stage {}", p.net, (p.stage1, p.stage2, p.stage3)[:count])

    def _stages(self, name: str, config: NetConfig | EccvConfig, plans: tuple[Plan, ...]) -> list[Training]:
        """Return the papers' three stages (5.1) of a network, or the first so many: no later one's data is made."""
        chain: list[Training] = []
        for number, (stage, plan) in enumerate(zip(STAGES, plans, strict=False), 1):
            config = stage_config(config, stage, self.profile)
            chain.append(self.training(name.format(number), stage, config, plan, chain[-1] if chain else None))
        return chain

    def demo(self, name: str, **choices) -> Trained:
        """Return a small stage-1 training for an experiment inside a notebook; choices are NetConfig fields."""
        config = replace(self.profile.net, **choices)
        return self.trained(self.training(f"demo-{name}", "stills", config, self.profile.demo))

    def demo_eccv(self, name: str = "labels", **choices) -> Trained:
        """Return the ECCV network trained for a while, as `demo` does the journal's; choices are EccvConfig fields."""
        config = replace(self.profile.eccv, **choices)
        return self.trained(self.training(f"eccv-{name}", "stills", config, self.profile.eccv_demo))

    def eccv_stages(self, **choices) -> dict[str, Trained]:
        """Return the ECCV network after each of its three stages (ECCV 5.1), by name; choices are EccvConfig fields."""
        return {f"stage {number}": self.trained(each) for number, each in enumerate(self.eccv_chain(**choices), 1)}

    def eccv_chain(self, **choices) -> list[Training]:
        """Return the ECCV network's three stages; choices are EccvConfig fields."""
        return self._stages("eccv stage {}", replace(self.profile.eccv, **choices), eccv_plans(self.profile))

    def marked(self, data, markup: str):
        """Return prepared data with the points of that markup: all of them, or the papers' seven."""
        own = self.profile.net.markup
        return data if markup == own else seven_of(data, MARKUPS[own])

    # --- how they are kept ---

    def asset_name(self, training: Training) -> tuple[str, dict]:
        """Return what the cache calls a training, and its key."""
        return f"{self.profile.name}-{training.kind}", training.key(self.device)

    def trained(self, training: Training) -> Trained:
        """Return a training from the cache, or train now (going on where a run was killed) with a progress bar."""

        def make(folder: Path) -> dict:
            before = self.trained(training.before).net if training.before else None
            began = time.perf_counter()
            with Progress(training.name) as progress:

                def show(run: Trainer, record) -> None:
                    terms = {"l_d": record.detection, "l_r": record.regression, "l_cls": record.identity}
                    note = "  ".join(f"{name} {value:.3g}" for name, value in terms.items() if value == value)
                    progress(record.step + 1, run.config.steps, note)

                callbacks = (show, self.told(training), *(watcher(training.name) for watcher in self.watchers))
                try:
                    run = training.trainer(before, self.device, folder / "run.pt", callbacks)
                except checkpoint.CheckpointError as error:  # a damaged one: begin anew
                    print(error)
                    (folder / "run.pt").unlink()
                    run = training.trainer(before, self.device, folder / "run.pt", callbacks)
                resumed = run.step
                history = run.run()
            seconds = time.perf_counter() - began
            facts = {"seconds": seconds, "resumed_at": resumed, "factors": run.balance.factors()}
            checkpoint.write(folder / "history.pt", {"history": history})
            checkpoint.save_net(folder / "net.pt", run.net)
            (folder / "run.pt").unlink()
            return facts

        with self.waited_for(training):
            folder, facts = asset(*self.asset_name(training), make)
        net = checkpoint.load_net(folder / "net.pt", self.device, training.network)
        history = checkpoint.read(folder / "history.pt")["history"]
        return Trained(net, history, COLUMNS, facts["seconds"], facts["factors"], folder)

    @property
    def live(self) -> bool:
        """Whether somebody is there to move a slider."""
        return not in_batch()
