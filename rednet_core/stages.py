"""The papers' three training stages (journal 5.1, "Training strategy"), each as a Trainer ready to run.

1. stills, f_srn alone; 2. stills with known persons, f_cls joins; 3. clips, f_trn joins. In every stage the
whole network is trained; each starts from the weights of the one before. What is trained on are Stills or Clips
(`batches`); `run` is what the Trainer is given besides: checkpoint_path, callbacks.
"""

from functools import partial
from typing import Any

import numpy as np
import torch

from rednet_core.augment import Augmentation
from rednet_core.batches import Clips, Stills
from rednet_core.checkpoint import grow
from rednet_core.geometry import mean_shape
from rednet_core.inputs import clip_inputs, still_inputs
from rednet_core.network import RecurrentNet
from rednet_core.protocols import FaceData
from rednet_core.rednet import RedNet
from rednet_core.training import TrainConfig, Trainer


def new_network(config, data: FaceData, rows: np.ndarray, seed: int, device="cpu", network=RedNet) -> RecurrentNet:
    """Return an untrained network with the mean shape of these rows of `data`."""
    torch.manual_seed(seed)
    net = network(config).to(device)
    table = data.table[rows]
    shape = mean_shape(np.array(table["points"]), net.markup, np.array(table["mask"]))
    net.mean_shape.copy_(torch.from_numpy(shape))
    return net


def stage1(
    config, stills: Stills, train: TrainConfig, how: Augmentation, device="cpu", network=RedNet, **run
) -> Trainer:
    """Return the training of a new network without f_cls and f_trn on augmented stills (Eq. 8).

    Its mean shape is measured on them. network is the class: the journal's, or eccv.EccvNet with its own kind of
    config; stages 2 and 3 take either.
    """
    net = new_network(config, stills.data, stills.rows, train.seed, device, network)
    return Trainer(net, train, stills.batch, partial(still_inputs, how=how), **run)


def stage2(net: RecurrentNet, stills: Stills, train: TrainConfig, how: Augmentation, **run) -> Trainer:
    """Return the training in which f_cls joins: stills of known persons, everything fine-tuned."""
    if not stills.identities:
        raise ValueError("stage 2 needs pictures of known persons; this data names none")
    torch.manual_seed(train.seed)
    return Trainer(grow(net, identities=stills.identities), train, stills.batch, partial(still_inputs, how=how), **run)


def stage3(
    net: RecurrentNet, clips: Clips, train: TrainConfig, how: Any = None, nameless=False, run: Any = None, **choices
) -> Trainer:
    """Return the training in which f_trn joins: clips of T frames, everything fine-tuned (Eq. 14).

    how: a ClipError (data_prep.tracker_error); the papers have none. choices are further fields of the
    configuration (hidden, update, ...); temporal=False is Table 8's comparison, the same fine-tuning without f_trn.
    Raise ValueError where the network has f_cls and nobody in the clips is named, unless nameless=True: then f_cls is
    left out, and with it gamma l_cls.
    """
    if net.f_cls is not None and not clips.identities and not nameless:
        raise ValueError("stage 3: nobody in these videos is named, so f_cls cannot go on; nameless=True leaves it out")
    torch.manual_seed(train.seed)
    # The persons of the videos are others than those of stage 2: f_cls gets a new last layer.
    grown = grow(net, ("f_cls.classify",), **{"temporal": True, "identities": clips.identities, **choices})
    return Trainer(grown, train, clips.batch, partial(clip_inputs, kind=type(clips), how=how), **(run or {}))
