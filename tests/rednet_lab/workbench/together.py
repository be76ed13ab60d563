"""What every process of a training runs, in test_team: networks through their three stages, on a small data set.

The third has no batch norm: where several train it, each computes its share in two parts.

    torchrun --nproc-per-node 2 together.py FOLDER [die]

The first process writes FOLDER/weights.pt. With "die" the second one is lost in the middle of stage 2.
"""

import os
import sys
from pathlib import Path

import numpy as np
import torch

from data_prep.tracker_error import TrackerError
from rednet_core import checkpoint, stages
from rednet_core.augment import Augmentation
from rednet_core.batches import Clips, Stills
from rednet_core.eccv import RATIO, EccvConfig, EccvNet
from rednet_core.rednet import RedNet
from rednet_core.training import TrainConfig
from rednet_lab.workbench.team import begin, in_parts, join, team
from tests.helpers import make_data, tiny

HOW = Augmentation(contrast=0.2, brightness=0.1)
NETS = {
    "journal": (RedNet, tiny(dropout=0.0), (1.0, 10.0, 1.0)),
    "eccv": (EccvNet, EccvConfig(32, 0.125, (1,) * 5, "ibug68", hidden=16, dropout=0.0), RATIO),
    "parted": (RedNet, tiny(dropout=0.0, batch_norm=False), (1.0, 10.0, 1.0)),
}


def data():
    """A small data set in which points are missing unevenly and nobody knows some persons."""
    faces = make_data([(k, range(4)) for k in range(6)], size=48)
    faces.table["mask"][::3, 20:40] = False
    faces.table["identity"][8:12] = -1
    return faces


STEPS = 2


def lost(run, record) -> None:
    if run.team.share[0] == 1 and run.net.f_cls is not None and run.step == 1:
        os._exit(1)


def trainer(name: str, stage: int, net=None, parts: int = 1, **more):
    """Return a stage's Trainer (1 to 3) of a network, which goes on from `net`."""
    network, config, ratio = NETS[name]
    plan = TrainConfig(STEPS, "sgd", 0.01, schedule="constant", ratio=ratio, checkpoint_seconds=0.0)
    faces, rows = data(), np.arange(24)
    drawn = Stills(faces, rows, 8) if stage < 3 else Clips(faces, rows, 4 if name == "parted" else 2, 3)
    more |= join(drawn)
    if net is None:
        net = stages.new_network(config, faces, rows, 0, network=network)
    if stage == 1:
        run = stages.stage1(config, drawn, plan, HOW, "cpu", network, **more)
    elif stage == 2:
        run = stages.stage2(net, drawn, plan, HOW, **more)
    else:
        run = stages.stage3(net, drawn, plan, TrackerError("jitter"), run=more)
    if parts > 1:
        run.compute = in_parts(run.net, parts)
    return run


def three_stages(folder: Path, name: str, callbacks: tuple) -> dict:
    """Train a network through its stages, each from its checkpoint in `folder`; return the weights after each."""
    net, found = None, {}
    for stage in (1, 2, 3):
        parts = 2 if team() and name == "parted" else 1
        run = trainer(name, stage, net, parts, checkpoint_path=folder / f"{name}{stage}.pt", callbacks=callbacks)
        run.run()
        net = run.net
        found[f"{name}{stage}"] = net.state_dict()
    return found


def train(folder: Path, callbacks: tuple = ()) -> None:
    """Train all networks."""
    found = {}
    for name in NETS:
        found |= three_stages(folder, name, callbacks)
    if not team() or team().lead:
        checkpoint.write(folder / "weights.pt", found)


if __name__ == "__main__":
    torch.set_num_threads(1)
    begin()
    train(Path(sys.argv[1]), (lost,) * (sys.argv[2:] == ["die"]))
