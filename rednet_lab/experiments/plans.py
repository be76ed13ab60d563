"""How long and how wide the ablations' networks are trained: shorter than the series' own, alike for all variants."""

from dataclasses import replace

from rednet_core.eccv import RATIO, EccvConfig
from rednet_core.training import TrainConfig
from rednet_lab.workbench.profiles import Plan, Profile

EPOCHS = 8  # points of the curves over training


def _plan(steps: int, rate: float, batch: int, frames: int = 1, ratio=(1.0, 10.0, 1.0)) -> Plan:
    train = TrainConfig(steps, "adamw", rate, schedule="one_cycle", weight_decay=0.01, ratio=ratio)
    return Plan(train, batch, frames)


def ablation_profile(profile: Profile) -> Profile:
    """The profile with the ablations' sizes: on quick a dozen variants and three seeds in an hour; else the same.

    Chosen by time alone, before any variant was looked at: two thirds of the width, a sixth of the pictures.
    """
    if profile.name == "full":
        return replace(profile, eccv=replace(profile.eccv, regression=False), eccv_demo=_full_eccv(profile))
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


def _full_eccv(profile: Profile) -> Plan:
    """The ECCV network's own stage 1 (its 5.1): 30 epochs of ten variations, a fifth off the rate every ten."""
    return replace(profile.stage1, train=replace(profile.stage1.train, ratio=RATIO))
