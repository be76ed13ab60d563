"""What is compared: each variant is a training, and differs from its base in one typed option.

The variants of an experiment are listed base first. Where two experiments need the same training it is the same
Variant, trained once.

A new ablation touches four files: its variants and its row of EXPERIMENTS here, its Entry in rednet_lab/series.py, its
notebook, and the claim that it speaks to in publish/ledger/entries/claims.yaml. All other lists are derived.
"""

from dataclasses import dataclass, field, fields, replace

import pandas as pd

from rednet_core.eccv import RATIO, EccvConfig
from rednet_core.training import TrainConfig
from rednet_lab.workbench.profiles import SHORT, Plan, Profile


@dataclass(frozen=True)
class Variant:
    """One training: fields of NetConfig (or EccvConfig) and of TrainConfig that differ from the profile's.

    A rate is given as `rate_share`, of that of the profile.
    stage is the stage trained; `after` the variant whose network it starts from (None: a new network).
    """

    name: str
    net: dict = field(default_factory=dict)
    train: dict = field(default_factory=dict)
    stage: str = "stills"
    after: "Variant | None" = None
    eccv: bool = False  # the ECCV 2016 network
    pictures: float = 1.0  # of the stage's own number of training pictures
    more_steps: int = 0  # spatial steps behind the profile's, alike to its last
    watch: bool = False  # measured along the training, too

    def chain(self) -> list["Variant"]:
        """Return the variants from the one that begins with a new network to this one."""
        return [*(self.after.chain() if self.after else []), self]


SEVEN = {"markup": "seven"}  # a detection step has seven points: all rows of Table 6 are compared on these
BASE = Variant("two steps", watch=True)
TWO_SEVEN = Variant("detection, then regression", SEVEN)
DETECTION = Variant("one step, detection", {**SEVEN, "steps": ("detection",)})
REGRESSION = Variant("one step, regression", {**SEVEN, "steps": ("regression",)})
DETECTION_TWICE = Variant("detection twice", {**SEVEN, "steps": ("detection", "detection")})
PLAIN = Variant("plain heat-map CNN", {"steps": ("regression",)})
CASCADE = Variant("unshared cascade", {"shared": False})
JOINT_CASCADE = Variant("cascade trained jointly", {"shared": False, "cascade": "joint"})
RESNET = Variant("ResNet design", {"design": "resnet"})
SHARED_STATISTICS = Variant("one set of statistics", {"step_statistics": False})
NO_NORM = Variant("no batch norm", {"batch_norm": False}, watch=True)
NO_NORM_SLOW = Variant("no batch norm, a tenth of the rate", {"batch_norm": False}, {"rate_share": 0.1}, watch=True)
DETACHED = Variant("detached feedback", {"detach_feedback": True})

ECCV = Variant("three steps", eccv=True)
ECCV_FOUR = Variant("four steps", eccv=True, more_steps=1)
ECCV_CASCADE = Variant("three steps, unshared", {"shared": False}, eccv=True)
# Both heads learn on one and the same network, which learns no more: `Training.trainer`.
WITH_FEATURES = Variant("f_REG with encoder features", {"regression": True}, eccv=True, after=ECCV)
NO_FEATURES = {"regression": True, "encoder_features": False}
WITHOUT_FEATURES = Variant("f_REG without", NO_FEATURES, eccv=True, after=ECCV)

IDENTITY = Variant("with f_cls", stage="people", after=BASE, watch=True)
NO_IDENTITY = Variant("without f_cls", train={"ratio": (1.0, 10.0, 0.0)}, stage="people", after=BASE, watch=True)
VIDEO_IDENTITY = Variant("with f_cls, on videos", stage="clips", after=IDENTITY, watch=True)
NO_LOSS = {"ratio": (1.0, 10.0, 0.0)}
VIDEO_NO_IDENTITY = Variant("without f_cls, on videos", train=NO_LOSS, stage="clips", after=NO_IDENTITY, watch=True)
LONG_IDENTITY = Variant("4096 units", {"identity_units": 4096}, stage="people", after=BASE)

TEMPORAL = Variant("with f_trn", stage="clips", after=IDENTITY)
REPLACED = Variant("with f_trn, e_p replaced", {"update": "replace"}, stage="clips", after=IDENTITY)
NOT_TEMPORAL = Variant("without f_trn", {"temporal": False}, stage="clips", after=IDENTITY)
VIDEOS_ONLY = Variant("videos alone", stage="clips", pictures=0.0)  # as many pictures as the three stages together
NO_STAGE2 = Variant("without stage 2", stage="clips", after=BASE)

EXPERIMENTS: dict[str, tuple[Variant, ...]] = {
    "71_backbones": (BASE, RESNET, NO_NORM, NO_NORM_SLOW, SHARED_STATISTICS),
    "72_recurrent_steps": (TWO_SEVEN, DETECTION, REGRESSION, DETECTION_TWICE, BASE, DETACHED),
    "73_cascade": (BASE, CASCADE, JOINT_CASCADE, ECCV, ECCV_CASCADE),
    "74_steps_by_yaw": (ECCV_FOUR,),
    "75_temporal": (TEMPORAL, NOT_TEMPORAL, REPLACED, VIDEOS_ONLY, NO_STAGE2),
    "76_identity": (IDENTITY, NO_IDENTITY, LONG_IDENTITY, VIDEO_IDENTITY, VIDEO_NO_IDENTITY),
    "77_f_reg": (WITH_FEATURES, WITHOUT_FEATURES),
    "78_comparison": (TEMPORAL, PLAIN),
}


def difference(variants: tuple[Variant, ...], configs: list) -> pd.DataFrame:
    """The options in which variants' configurations differ, a row an option; configs as `Bench.config` gives them."""
    told = {}
    for v, config in zip(variants, configs, strict=True):
        own = {f.name: getattr(config, f.name) for f in fields(config)}
        own |= {"stage": v.stage, "starts from": v.after.name if v.after else "nothing"}
        own |= {f"train.{name}": value for name, value in v.train.items()}
        told[v.name] = {name: str(value) for name, value in own.items()}
    table = pd.DataFrame(told).fillna("the profile's")
    return table[table.nunique(axis=1) > 1]


def _plan(steps: int, rate: float, batch: int, frames: int = 1, **more) -> Plan:
    return Plan(TrainConfig(steps, "adamw", rate, **SHORT, **more), batch, frames)


def ablation_profile(profile: Profile) -> Profile:
    """The profile with the ablations' sizes: on quick a dozen variants and three seeds in an hour; else the same.

    Chosen by time alone, before any variant was looked at: two thirds of the width, a sixth of the pictures.
    """
    if profile.name == "full":  # the ECCV network's own stage 1 (its 5.1), of the journal's length
        own = replace(profile.stage1, train=replace(profile.stage1.train, ratio=RATIO))
        return replace(profile, eccv=replace(profile.eccv, regression=False), eccv_demo=own)
    small = replace(profile.net, encoder_units=(1, 2, 4, 1), skip_units=1)  # of the ResNet design
    if profile.name != "quick":
        return replace(profile, net=small, eccv=replace(profile.eccv, regression=False))
    return replace(
        profile,
        net=replace(small, width=0.25),
        stage1=_plan(500, 8e-3, 16),
        stage2=_plan(300, 3e-3, 16),
        stage3=_plan(200, 2e-3, 4, frames=10),
        eccv=EccvConfig(64, 0.25, (1,) * 5, "seven", steps=profile.eccv.steps, regression=False),
        eccv_demo=_plan(400, 8e-3, 16, ratio=RATIO),
    )
