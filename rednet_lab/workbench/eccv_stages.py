"""The ECCV 2016 network through its paper's three training stages (ECCV 5.1), as `lab` does it for the journal's."""

from dataclasses import replace
from pathlib import Path

from rednet_core import stages
from rednet_core.eccv import RATIO, EccvNet
from rednet_core.training import Trainer
from rednet_lab.workbench.lab import Lab, Trained
from rednet_lab.workbench.profiles import Plan, Profile

SHARE = 4  # on the small profiles stages 2 and 3 have one in so many of the journal network's batches


def eccv_plans(profile: Profile) -> tuple[Plan, Plan, Plan]:
    """Plans of the three stages: the journal's, 30, 20 and 50 epochs in both papers, with the ECCV network's ratio.

    A small profile counts in batches: its first stage is its short training of the ECCV network, the others are short.
    """
    one, two, three = (
        replace(plan, train=replace(plan.train, ratio=RATIO, steps=-(-plan.train.steps // SHARE)))
        for plan in (profile.stage1, profile.stage2, profile.stage3)
    )
    return one if one.epochs else profile.eccv_demo, two, three


def eccv_stages(lab: Lab) -> dict[str, Trained]:
    """The ECCV network after stages 1, 2 and 3, by name; each starts from the one before, and is cached on its own.

    1: stills, without f_CLS and f_tRNN; 2: f_CLS joins, stills of known persons; 3: f_tRNN joins, clips.
    """
    plans = eccv_plans(lab.profile)
    one = lab.stills_eccv(plans[0])
    two = _second(lab, one, plans[1])
    return {"stage 1": one, "stage 2": two, "stage 3": _third(lab, two, plans[2])}


def _second(lab: Lab, before: Trained, plan: Plan) -> Trained:
    role = lab.source.people()
    train = plan.config(len(role.rows), lab.seed)
    data = lab.marked(role.data, before.net.config.markup)

    def trainer(path: Path, callbacks: tuple) -> Trainer:
        how = lab.profile.augmentation
        return stages.stage2(before.net, data, role.rows, train, plan.batch, how, path, callbacks)

    key = {"before": before.folder.name, "data": role.data.fingerprint}
    return lab.trained("eccv-stage2", key, plan, train, trainer, EccvNet)


def _third(lab: Lab, before: Trained, plan: Plan) -> Trained:
    role = lab.source.clips()
    train = plan.config(role.clips(plan.frames, plan.each), lab.seed)
    data = lab.marked(role.data, before.net.config.markup)
    choices = {"update": lab.profile.update, "hidden": lab.profile.hidden}
    how = {"frames": plan.frames, "kind": role.kind, "each": plan.each, "how": lab.profile.clip_error, **choices}

    def trainer(path: Path, callbacks: tuple) -> Trainer:
        return stages.stage3(
            before.net, data, role.rows, train, plan.batch, checkpoint=path, callbacks=callbacks, **how
        )

    key = {"before": before.folder.name, "data": role.data.fingerprint, "synthetic": role.synthetic, **choices}
    return lab.trained("eccv-stage3", key, plan, train, trainer, EccvNet)
