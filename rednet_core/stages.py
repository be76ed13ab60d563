"""The papers' three training stages (journal 5.1, "Training strategy"), each as a Trainer ready to run.

1. stills, f_srn alone; 2. stills with known persons, f_cls joins; 3. clips, f_trn joins. In every stage the
whole network is trained; each starts from the weights of the one before.
"""

from functools import partial
from pathlib import Path

import numpy as np
import torch

from rednet_core.augment import Augmentation
from rednet_core.batches import Clips, Stills
from rednet_core.checkpoint import grow
from rednet_core.geometry import mean_shape
from rednet_core.inputs import clip_inputs, still_inputs
from rednet_core.rednet import NetConfig, RedNet
from rednet_core.training import Callback, TrainConfig, Trainer

Place = Path | str | None


def stage1(
    config: NetConfig,
    data,
    rows: np.ndarray,
    train: TrainConfig,
    batch: int,
    how: Augmentation,
    device: torch.device | str = "cpu",
    checkpoint: Place = None,
    callbacks: tuple[Callback, ...] = (),
    network: type = RedNet,
) -> Trainer:
    """A new network without f_cls and f_trn on augmented stills; its mean shape is measured on `rows`.

    network is the class: the journal's, or eccv.EccvNet with its own kind of config; stages 2 and 3 take either.
    """
    torch.manual_seed(train.seed)
    net = network(config).to(device)
    shape = mean_shape(np.array(data.table["points"][rows]), net.markup, np.array(data.table["mask"][rows]))
    net.mean_shape.copy_(torch.from_numpy(shape))
    stills = Stills(data, rows, batch, train.seed)
    return Trainer(net, train, stills.batch, partial(still_inputs, how=how), checkpoint, callbacks)


def stage2(
    net: RedNet,
    data,
    rows: np.ndarray,
    train: TrainConfig,
    batch: int,
    how: Augmentation,
    checkpoint: Place = None,
    callbacks: tuple[Callback, ...] = (),
) -> Trainer:
    """f_cls joins: stills of known persons, everything fine-tuned."""
    stills = Stills(data, rows, batch, train.seed)
    if not stills.identities:
        raise ValueError("stage 2 needs pictures of known persons; this data names none")
    torch.manual_seed(train.seed)
    grown = grow(net, identities=stills.identities)
    return Trainer(grown, train, stills.batch, partial(still_inputs, how=how), checkpoint, callbacks)


def stage3(
    net: RedNet,
    data,
    rows: np.ndarray,
    train: TrainConfig,
    batch: int,
    frames: int = 10,
    kind: type[Clips] = Clips,
    temporal: bool = True,
    checkpoint: Place = None,
    callbacks: tuple[Callback, ...] = (),
    each: int | None = None,
    **choices,
) -> Trainer:
    """f_trn joins: clips of `frames` frames, everything fine-tuned, no augmentation.

    kind is the class of the clips: for data without video, one that makes them of stills (data_prep.synthetic).
    temporal=False is Table 8's comparison, the same fine-tuning without f_trn. each: so many random clips of every
    video, 100 in the papers (5.1), all if None.
    choices are further NetConfig fields (hidden, update, ...).
    """
    clips = kind(data, rows, batch, frames, train.seed, each)
    torch.manual_seed(train.seed)
    # The persons of the videos are others than those of stage 2: f_cls gets a new last layer.
    fresh = ("f_cls.classify",)
    grown = grow(net, fresh, identities=clips.identities, temporal=temporal, **choices)
    return Trainer(grown, train, clips.batch, partial(clip_inputs, kind=kind), checkpoint, callbacks)
