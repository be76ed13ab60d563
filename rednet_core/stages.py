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
from rednet_core.network import RecurrentNet
from rednet_core.protocols import ClipError, FaceData
from rednet_core.rednet import RedNet
from rednet_core.training import Callback, TrainConfig, Trainer

Place = Path | str | None


def stage1(
    config,
    data: FaceData,
    rows: np.ndarray,
    train: TrainConfig,
    batch: int,
    how: Augmentation,
    device: torch.device | str = "cpu",
    checkpoint: Place = None,
    callbacks: tuple[Callback, ...] = (),
    network: type[RecurrentNet] = RedNet,
) -> Trainer:
    """Return the training of a new network without f_cls and f_trn on augmented stills.

    Its mean shape is measured on `rows`. network is the class: the journal's, or eccv.EccvNet with its own kind of
    config; stages 2 and 3 take either.
    """
    torch.manual_seed(train.seed)
    net = network(config).to(device)
    table = data.table[rows]
    shape = mean_shape(np.array(table["points"]), net.markup, np.array(table["mask"]))
    net.mean_shape.copy_(torch.from_numpy(shape))
    stills = Stills(data, rows, batch, train.seed)
    return Trainer(net, train, stills.batch, partial(still_inputs, how=how), checkpoint, callbacks)


def stage2(
    net: RecurrentNet,
    data: FaceData,
    rows: np.ndarray,
    train: TrainConfig,
    batch: int,
    how: Augmentation,
    checkpoint: Place = None,
    callbacks: tuple[Callback, ...] = (),
) -> Trainer:
    """Return the training in which f_cls joins: stills of known persons, everything fine-tuned."""
    stills = Stills(data, rows, batch, train.seed)
    if not stills.identities:
        raise ValueError("stage 2 needs pictures of known persons; this data names none")
    torch.manual_seed(train.seed)
    grown = grow(net, identities=stills.identities)
    return Trainer(grown, train, stills.batch, partial(still_inputs, how=how), checkpoint, callbacks)


def stage3(
    net: RecurrentNet,
    data: FaceData,
    rows: np.ndarray,
    train: TrainConfig,
    batch: int,
    frames: int = 10,
    kind: type[Clips] = Clips,
    temporal: bool = True,
    checkpoint: Place = None,
    callbacks: tuple[Callback, ...] = (),
    each: int | None = None,
    how: ClipError | None = None,
    nameless: bool = False,
    **choices,
) -> Trainer:
    """Return the training in which f_trn joins: clips of `frames` frames, everything fine-tuned (Eq. 14).

    kind is the class of the clips: for data without video, one that makes them of stills (data_prep.synthetic).
    temporal=False is Table 8's comparison, the same fine-tuning without f_trn. each: so many random clips of every
    video, 100 in the papers (5.1), all if None. how: an error of boxes and guesses
    (data_prep.tracker_error); the papers have none. choices are further fields of the
    network's configuration (hidden, update, ...). Raise ValueError where the network has f_cls and nobody in the clips
    is named, unless nameless=True: then f_cls is left out, and with it gamma l_cls.
    """
    clips = kind(data, rows, batch, frames, train.seed, each)
    if net.f_cls is not None and not clips.identities and not nameless:
        raise ValueError(
            "stage 3: nobody in these videos is named, so f_cls cannot be trained on; "
            "prepare them with their persons, or leave f_cls out with nameless=True"
        )
    torch.manual_seed(train.seed)
    # The persons of the videos are others than those of stage 2: f_cls gets a new last layer.
    fresh = ("f_cls.classify",)
    grown = grow(net, fresh, identities=clips.identities, temporal=temporal, **choices)
    return Trainer(grown, train, clips.batch, partial(clip_inputs, kind=kind, how=how), checkpoint, callbacks)
