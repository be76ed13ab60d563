"""The notebooks' workbench: data, trained stages and results for one choice of profile, source, device and seed.

A notebook opens one with its parameters and asks it for what it needs; what is not in the cache is made, with a
progress bar. Nothing of the method is here.
"""

import time
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path

import torch

from data_prep.landmark_subset import seven_of
from rednet_core import checkpoint, stages
from rednet_core.eccv import EccvConfig, EccvNet
from rednet_core.markup import MARKUPS
from rednet_core.rednet import NetConfig, RedNet
from rednet_core.training import COLUMNS, Trainer
from rednet_lab.names import DEVICES, ROOT, run_name
from rednet_lab.progress import Progress, in_batch
from rednet_lab.show import plots, style
from rednet_lab.stamp import make_stamp, module_hash
from rednet_lab.workbench.cache import asset
from rednet_lab.workbench.profiles import PROFILES, Plan, Profile
from rednet_lab.workbench.results import Results
from rednet_lab.workbench.sources import MAKERS


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
    """The device of a name; "auto" takes CUDA where there is one, else the CPU. Raises ValueError with the fix."""
    if name not in DEVICES:
        raise ValueError(f"device {name!r}, known: {', '.join(DEVICES)}")
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and not torch.cuda.is_available():
        raise ValueError("device 'cuda': this PyTorch sees no CUDA GPU; use 'cpu', or install a CUDA build of torch")
    if name == "mps" and not torch.backends.mps.is_available():
        raise ValueError("device 'mps': no Apple GPU here; use 'cpu'")
    return torch.device(name)


class Lab:
    """Everything a notebook asks for. See the properties; `results` is where its figures and tables go."""

    def __init__(self, notebook: str, profile: str, source: str, data: str, device: str, seed: int, out: str):
        if profile not in PROFILES:
            raise ValueError(f"profile {profile!r}, known: {', '.join(PROFILES)}")
        if source not in MAKERS:
            raise ValueError(f"source {source!r}, known: {', '.join(MAKERS)}")
        self.profile: Profile = PROFILES[profile]
        self.seed, self.device = seed, choose_device(device)
        self.source = MAKERS[source](self.profile, data, seed)
        if markup := getattr(self.source, "markup", ""):  # the data decides how many points the network has
            self.profile = replace(self.profile, net=replace(self.profile.net, markup=markup))
        self.run = run_name(profile, source, seed)
        folder = Path(out).expanduser()
        parameters = {"profile": profile, "source": source, "data": data, "seed": seed, "device": str(self.device)}
        self.folder = (folder if folder.is_absolute() else ROOT / folder) / self.run
        self.results = Results(self.folder / notebook, make_stamp(parameters))
        self.caption = f"profile {profile}, {self.source.what}, seed {seed}"
        self.watchers: list = []  # each makes, of a stage's name, one more callback for its training
        torch.manual_seed(seed)
        style.use()

    # --- trained stages, each made from the one before ---

    @cached_property
    def stage1(self) -> Trained:
        """The network after stage 1."""
        return self._on_stills("stage1", self.profile.net, self.profile.stage1, RedNet)

    @cached_property
    def stage2(self) -> Trained:
        """The network after stage 2."""
        role, plan, before = self.source.people(), self.profile.stage2, self.stage1
        train = plan.config(len(role.rows), self.seed)
        units = self.profile.identity_units

        def trainer(path, callbacks) -> Trainer:
            net = checkpoint.grow(before.net, identity_units=units)
            return stages.stage2(
                net, role.data, role.rows, train, plan.batch, self.profile.augmentation, path, callbacks
            )

        key = {"before": self._key_of("stage1"), "data": role.data.fingerprint, "units": units}
        return self.trained("stage2", key, plan, train, trainer)

    @cached_property
    def stage3(self) -> Trained:
        """The network after stage 3."""
        return self.stage3_with()

    def stage3_with(self, name: str = "stage3", temporal: bool = True, **choices) -> Trained:
        """Stage 3 with other choices than the profile's (no f_trn, another update), kept under its own name."""
        role, plan, before = self.source.clips(), self.profile.stage3, self.stage2
        train = plan.config(role.clips(plan.frames, plan.each), self.seed)
        choices = {"update": self.profile.update, "hidden": self.profile.hidden, **choices}

        def trainer(path, callbacks) -> Trainer:
            return stages.stage3(
                before.net,
                role.data,
                role.rows,
                train,
                plan.batch,
                plan.frames,
                role.kind,
                temporal,
                path,
                callbacks,
                plan.each,
                self.profile.clip_error,
                **choices,
            )

        key = {"before": self._key_of("stage2"), "data": role.data.fingerprint, "synthetic": role.synthetic, **choices}
        return self.trained(name, {**key, "temporal": temporal}, plan, train, trainer)

    def demo(self, name: str, **choices) -> Trained:
        """A small stage-1 training of its own, for an experiment inside a notebook; choices are NetConfig fields."""
        return self._on_stills(f"demo-{name}", replace(self.profile.net, **choices), self.profile.demo, RedNet)

    def demo_eccv(self, name: str = "labels", **choices) -> Trained:
        """The ECCV network trained for a while, as `demo` does the journal's; choices are EccvConfig fields."""
        return self.stills_eccv(self.profile.eccv_demo, name, **choices)

    def stills_eccv(self, plan: Plan, name: str = "labels", **choices) -> Trained:
        """The ECCV network trained from nothing on the stills by a plan: its stage 1 (`eccv_stages`)."""
        return self._on_stills(f"eccv-{name}", replace(self.profile.eccv, **choices), plan, EccvNet)

    def _on_stills(self, name: str, config: NetConfig | EccvConfig, plan: Plan, network: type) -> Trained:
        """A network trained from nothing on the stills: stage 1 of either paper, at full length or as a demo."""
        role = self.source.stills()
        train = plan.config(len(role.rows), self.seed)
        data = self.marked(role.data, config.markup)

        def trainer(path, callbacks) -> Trainer:
            how = self.profile.augmentation
            return stages.stage1(
                config, data, role.rows, train, plan.batch, how, self.device, path, callbacks, network=network
            )

        key = {"net": asdict(config), "data": role.data.fingerprint}
        return self.trained(name, key, plan, train, trainer, network)

    def marked(self, data, markup: str):
        """Prepared data with the points of that markup: all of them, or the papers' seven."""
        own = self.profile.net.markup
        return data if markup == own else seven_of(data, MARKUPS[own])

    # --- how they are kept ---

    _keys: dict[str, dict]

    def _key_of(self, name: str) -> dict:
        return self._keys[name]

    def trained(self, name: str, key: dict, plan, train, trainer, network: type = RedNet) -> Trained:
        """A trained network from the cache, or trained now (resuming a run that was killed) with a progress bar."""
        full_key = self.full_key(name, key, plan, train, network)
        self.__dict__.setdefault("_keys", {})[name] = full_key

        def make(folder: Path) -> dict:
            began = time.perf_counter()
            with Progress(name.replace("stage", "stage ")) as progress:

                def show(run: Trainer, record) -> None:
                    note = f"l_d {record.detection:.3f}  l_r {record.regression:.4f}"
                    note += "" if record.identity != record.identity else f"  l_cls {record.identity:.2f}"
                    progress(record.step + 1, run.config.steps, note)

                run = trainer(folder / "run.pt", (show, *(watcher(name) for watcher in self.watchers)))
                resumed = run.step
                history = run.run()
            seconds = time.perf_counter() - began
            facts = {"seconds": seconds, "resumed_at": resumed, "factors": run.balance.factors()}
            checkpoint.write(folder / "history.pt", {"history": history})
            checkpoint.save_net(folder / "net.pt", run.net)
            (folder / "run.pt").unlink()
            return facts

        folder, facts = asset(self.kind(name), full_key, make)
        net = checkpoint.load_net(folder / "net.pt", self.device, network)
        history = checkpoint.read(folder / "history.pt")["history"]
        return Trained(net, history, COLUMNS, facts["seconds"], facts["factors"], folder)

    def kind(self, name: str) -> str:
        """What the cache calls a training of this profile."""
        return f"{self.profile.name}-{name}"

    def full_key(self, name: str, key: dict, plan: Plan, train, network: type = RedNet) -> dict:
        """Everything that decides what a training ends with; `cache.made` tells whether it is there."""
        return {
            "name": name,
            **key,
            "plan": asdict(plan),
            "train": asdict(train),
            "augmentation": asdict(self.profile.augmentation),
            "clip_error": asdict(self.profile.clip_error),
            "device": self.device.type,
            "torch": torch.__version__.partition("+")[0],
            "code": module_hash("rednet_core.stages", "data_prep.synthetic", network.__module__),
        }

    # --- results ---

    def figure(self, figure, name: str, caption: str, alt: str, hero: bool = False, vector: bool = True) -> None:
        """Show a figure and save it with the run's facts in its caption."""
        self.results.figure(figure, name, f"{caption} ({self.caption})", alt, hero, vector)
        style.show(figure)

    def pictures(
        self, pictures: list, columns: int, name: str, caption: str, alt: str, hero: bool = False, width: float = 7.0
    ) -> None:
        """Show and save pictures of one size in a grid."""
        self.figure(plots.sheet(pictures, columns, width), name, caption, alt, hero, vector=False)

    def table(self, frame, name: str, caption: str):
        """Save a table and return it for display."""
        return self.results.table(frame, name, f"{caption} ({self.caption})")

    def number(self, name: str, value: float, unit: str = "", label: str = "", note: str = "", headline: bool = False):
        """Keep a figure of the run; headline ones are on its last screen."""
        return self.results.number(name, value, unit, label, note, headline)

    @property
    def live(self) -> bool:
        """Whether somebody is there to move a slider."""
        return not in_batch()
