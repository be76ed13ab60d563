"""Torch on one thread with the same random numbers in every test; a few short videos and a network that knows them."""

from functools import partial

import numpy as np
import pytest
import torch

from rednet_core.augment import NONE
from rednet_core.batches import Stills
from rednet_core.checkpoint import grow
from rednet_core.inputs import still_inputs
from rednet_core.training import TrainConfig, Trainer
from tests.helpers import make_data, tiny_net


@pytest.fixture(autouse=True)
def one_thread_one_seed():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def data():
    videos = [(0, range(3)), (1, range(6)), (2, range(4, 9)), (3, range(6)), (4, range(1))]
    return make_data(videos, size=56)


@pytest.fixture(scope="session")
def trained(data):
    """A network with clear peaks: on the flat maps of an untrained one, rounding decides which pixel is highest."""
    torch.set_num_threads(1)
    net = tiny_net(seed=0, steps=("detection", "regression", "regression"), sigma=10.0, radius=10.0)
    stills = Stills(data, np.arange(len(data.table)), 8)
    config = TrainConfig(steps=70, optimiser="adamw", rate=0.02, schedule="one_cycle")
    Trainer(net, config, stills.batch, partial(still_inputs, how=NONE)).run()
    return net.eval()


@pytest.fixture(scope="session")
def remembering(trained):
    """The trained network with an f_trn that does a little."""
    torch.manual_seed(0)
    net = grow(trained, temporal=True, update="residual").eval()
    torch.nn.init.normal_(net.f_trn.spread.weight, std=10)
    return net
