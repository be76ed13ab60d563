"""The one assembly of every training: what it is made of, its key in the cache, and its Trainer.

A training is one stage of either network (journal 5.1; ECCV 5.1): "stills" (1, f_srn alone), "people" (2, f_cls joins)
or "clips" (3, f_trn joins). The Lab's stages, the notebooks' demos, the ECCV network's stages and the variants of the
ablations are all `Training`s. No name is in the key: equal configurations are trained once.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import cached_property, partial
from pathlib import Path

import torch

from data_prep.tracker_error import TrackerError
from rednet_core import stages
from rednet_core.augment import Augmentation
from rednet_core.batches import Stills
from rednet_core.checkpoint import grow
from rednet_core.eccv import RATIO, EccvConfig, EccvNet
from rednet_core.inputs import still_inputs
from rednet_core.rednet import NetConfig, RedNet
from rednet_core.training import Callback, TrainConfig, Trainer
from rednet_lab.stamp import module_hash
from rednet_lab.workbench.cache import digest
from rednet_lab.workbench.profiles import Plan, Profile
from rednet_lab.workbench.recipe import PlateauRule, imagenet_file, load_imagenet
from rednet_lab.workbench.sources import Role
from rednet_lab.workbench.team import in_parts, join

STAGES = ("stills", "people", "clips")  # also the names of the source's roles
ECCV_SHARE = 4  # on the small profiles its stages 2 and 3 have one in so many of the journal network's batches


@dataclass(frozen=True)
class Training:
    """One stage of one network, trained on `role` from where `before` ended (None: from a new network).

    config is that of the trained network, its number of persons apart, which the data decides.
    """

    name: str  # for the progress bar
    stage: str
    config: NetConfig | EccvConfig
    role: Role
    data: object  # the role's, with the points that the network has
    plan: Plan
    how: Augmentation | TrackerError  # of stills, or of clips
    seed: int
    before: "Training | None" = None
    changes: tuple[tuple[str, object], ...] = ()  # of the plan's TrainConfig
    imagenet: bool = False  # a new network's encoder begins with ImageNet's weights
    validation: Role | None = None  # stills by whose error the plan's plateau rule goes
    watch: Callable[[Path, TrainConfig], Callback] | None = None  # one that writes into the training's folder
    parts: int = 1  # or the next larger number that parts a batch evenly (`team.in_parts`)

    def __post_init__(self) -> None:
        if self.stage not in STAGES:
            raise ValueError(f"Training {self.name!r}: stage {self.stage!r}, known: {', '.join(STAGES)}")

    @property
    def network(self) -> type:
        """The network's class."""
        return network_of(self.config)

    @property
    def kind(self) -> str:
        """What the cache calls it, behind the profile's name."""
        return f"eccv-{self.stage}" if self.network is EccvNet else self.stage

    @cached_property
    def train(self) -> TrainConfig:
        """How it is trained, with the number of batches that its data makes."""
        return replace(self.plan.config(pictures(self.stage, self.role, self.plan), self.seed), **dict(self.changes))

    def key(self, device: torch.device) -> dict:
        """Return everything that decides what the training ends with, the trainings before it included."""
        before = self.before and self.before.key(device)
        key = {
            "stage": self.stage,
            "net": asdict(self.config),
            "train": asdict(suited(self.train, device)),
            "batch": (self.plan.batch, self.plan.frames, self.plan.each),
            "data": self.role.data.fingerprint,
            "rows": digest({"rows": self.role.rows.tolist()}),
            "synthetic": self.role.synthetic,
            "augmentation": asdict(self.how),
            "before": before and digest(before),
            "watched": self.watch is not None,
            "imagenet": imagenet_file(self.config).name if self.imagenet and not self.before else None,
            "plateau": self.plan.plateau and asdict(self.plan.plateau),
            "validation": self.validation and digest({"rows": self.validation.rows.tolist()}),
            "device": device.type,
            "threads": torch.get_num_threads(),
            "torch": torch.__version__.partition("+")[0],
            "code": module_hash("rednet_core.stages", "data_prep.synthetic", self.network.__module__),
        }
        return key | ({"parts": self.parts} if self.parts > 1 else {})

    def trainer(
        self,
        net: RedNet | EccvNet | None,
        device: torch.device,
        path: Path | None = None,
        callbacks: tuple[Callback, ...] = (),
    ) -> Trainer:
        """Return the Trainer, ready to run; net is what `before` ended with, path the checkpoint."""
        run = self._plain(net, device, path, callbacks)
        own = self.plan.batch // (run.team.share[1] if run.team else 1)
        parts = next((n for n in range(self.parts, own) if own % n == 0), own)
        if self.parts > 1:
            run.compute = in_parts(run.net, parts)
        return run

    def _plain(
        self, net: RedNet | EccvNet | None, device: torch.device, path: Path | None, callbacks: tuple
    ) -> Trainer:
        if self.watch and path:
            callbacks = (*callbacks, self.watch(path.parent, self.train))
        plan, train = self.plan, suited(self.train, device)
        if plan.plateau and path:
            every = max(1, round(train.steps_per_epoch))
            callbacks = (*callbacks, PlateauRule(plan.plateau, self.validation, every, path.parent))
        if self.stage == "clips":
            kind = self.role.kind
            drawn = kind(self.data, self.role.rows, plan.batch, plan.frames, train.seed, plan.each)
        else:
            drawn = Stills(self.data, self.role.rows, plan.batch, train.seed)
        run = {"checkpoint_path": path, "callbacks": callbacks, **join(drawn)}
        if self.stage == "stills" and net is not None:  # f_REG alone, on a network that learns no more
            torch.manual_seed(train.seed)
            net = grow(net, regression=True, encoder_features=self.config.encoder_features)
            for name, weights in net.named_parameters():
                weights.requires_grad_(name.startswith("f_reg."))
            return Trainer(net, train, drawn.batch, partial(still_inputs, how=self.how), **run)
        if self.stage == "stills":
            trainer = stages.stage1(self.config, drawn, train, self.how, device, self.network, **run)
            if self.imagenet and not trainer.step:
                load_imagenet(trainer.net)
            return trainer
        if net is None:
            net = self._untrained(device)
        if self.stage == "people":
            if self.network is RedNet:
                net = grow(net, identity_units=self.config.identity_units)
            return stages.stage2(net, drawn, train, self.how, **run)
        chosen = {name: getattr(self.config, name) for name in ("temporal", "update", "hidden")}
        return stages.stage3(net, drawn, train, self.how, run=run, **chosen)

    def _untrained(self, device: torch.device) -> RedNet | EccvNet:
        """Return a new network with the mean face of the pictures, to begin a later stage from nothing."""
        config = replace(self.config, temporal=False)
        net = stages.new_network(config, self.data, self.role.rows, self.seed, device, self.network)
        if self.imagenet:
            load_imagenet(net)
        return net


def network_of(config: NetConfig | EccvConfig) -> type:
    """Return the class of a configuration's network."""
    return EccvNet if isinstance(config, EccvConfig) else RedNet


def has_bfloat16(device: torch.device) -> bool:
    """Tell whether a device trains faster in bfloat16: no T4, and no CPU without AVX-512's instructions for it."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(False)
    # Others emulate it (AVX-512 alone) or cannot train in it (AVX2's). Not every PyTorch can tell: then it is float32.
    has = getattr(torch.cpu, "_is_avx512_bf16_supported", bool)
    return device.type != "cpu" or (torch.backends.mkldnn.is_available() and has())


def suited(train: TrainConfig, device: torch.device) -> TrainConfig:
    """Return a TrainConfig for a device: without bfloat16 a GPU has float16 with a scaled loss, a CPU float32."""
    if train.precision != "bfloat16" or has_bfloat16(device):
        return train
    return replace(train, precision="float16" if device.type == "cuda" else "float32")


def pictures(stage: str, role: Role, plan: Plan) -> float:
    """Return how many pictures, or clips, an epoch of a stage has."""
    return role.clips(plan.frames, plan.each) if stage == "clips" else len(role.rows)


def stage_config(config: NetConfig | EccvConfig, stage: str, profile: Profile) -> NetConfig | EccvConfig:
    """Return the configuration of a network after one more stage: f_cls's and f_trn's sizes are the profile's."""
    if stage != "stills" and isinstance(config, NetConfig):
        config = replace(config, identity_units=profile.identity_units)
    if stage == "clips":
        return replace(config, temporal=True, update=profile.update, hidden=profile.hidden)
    return config


def eccv_plans(profile: Profile) -> tuple[Plan, Plan, Plan]:
    """Return the plans of the ECCV network's stages: the journal's, 30, 20 and 50 epochs in both papers, its own ratio.

    A small profile counts in batches: its first stage is its short training of the ECCV network, the others are short.
    """
    one, two, three = (
        replace(plan, train=_eccv_train(plan.train), plateau=None)
        for plan in (profile.stage1, profile.stage2, profile.stage3)
    )
    return one if one.epochs else profile.eccv_demo, two, three


def _eccv_train(train: TrainConfig) -> TrainConfig:
    schedule = "steps" if train.schedule == "constant" else train.schedule  # a fifth off every ten epochs (ECCV 5.1)
    return replace(train, ratio=RATIO, steps=-(-train.steps // ECCV_SHARE), schedule=schedule)
