"""Every choice that the papers leave open trains, alone and in every pair with another, and does something."""

from itertools import combinations, product

import numpy as np
import pytest
import torch

from data_prep.landmark_subset import seven_of
from rednet_core.batches import Clips
from rednet_core.inputs import clip_inputs
from rednet_core.markup import IBUG68
from rednet_core.training import TrainConfig, Trainer
from tests.combinations import pairwise
from tests.helpers import make_data, tiny_net

# The first of each is the default (of the tiny network).
CHOICES = {
    "design": ("vgg", "resnet"),
    "stride": ("first", "last"),
    "markup": ("ibug68", "seven"),
    "steps": (("detection", "regression"), ("detection", "detection"), ("regression",)),
    "shared": (True, False),
    "batch_norm": (True, False),
    "step_statistics": (True, False),
    "detach_feedback": (False, True),
    "feedback_gain": (1.0, 10.0),
    "first_guess": ("mean", "zeros"),
    "temporal": (True, False),
    "update": ("replace", "residual"),
    "pooling": ("average", "switches"),
    "interleave": ("own", "through", "last"),
    "identities": (3, 0),
    "foreground_weight": (15.0, "balance"),
    "optimiser": ("sgd", "adam", "adamw"),
}
OF_TRAINING = ("foreground_weight", "optimiser")
DEFAULT = {name: values[0] for name, values in CHOICES.items()}
DATA = make_data([(k, range(4)) for k in range(3)], size=48)


COMBINATIONS = pairwise(CHOICES)


def trained_once(choices):
    """A network of these choices after one step on two clips of three frames, its record, and its maps of a clip."""
    of_net = {name: value for name, value in choices.items() if name not in OF_TRAINING}
    config = TrainConfig(steps=1, schedule="constant", **{name: choices[name] for name in OF_TRAINING})
    # 64 px: at 32 the code is one pixel, on which average and switches are the same
    net = tiny_net(input_size=64, dropout=0.0, encoder_units=(2, 1, 1, 1), **of_net)
    if net.f_trn is not None and hasattr(net.f_trn.spread, "weight"):
        torch.nn.init.normal_(net.f_trn.spread.weight)
    before = {name: p.detach().clone() for name, p in net.named_parameters()}
    data = seven_of(DATA, IBUG68) if net.markup.n_points == 7 else DATA
    trainer = Trainer(net, config, Clips(data, np.arange(12), 2, 3).batch, clip_inputs)
    trainer.run()
    generator = torch.Generator().manual_seed(0)
    x, z0 = torch.rand(3, 3, 64, 64, generator=generator), torch.rand(3, 7, 32, 32, generator=generator).round()
    with torch.no_grad():
        return net, before, trainer.history[0], net(x, z0, frames=3).maps[-1]


def test_pairs_are_few_and_complete():
    assert 9 <= len(COMBINATIONS) <= 20
    for a, b in combinations(CHOICES, 2):
        met = {(c[a], c[b]) for c in COMBINATIONS}
        assert met == set(product(CHOICES[a], CHOICES[b]))


@pytest.mark.parametrize("choices", COMBINATIONS, ids=lambda c: "-".join(str(v) for v in c.values()))
def test_a_combination_trains_one_step(choices):
    net, before, record, maps = trained_once(choices)
    assert torch.isfinite(record[-2]) and torch.isfinite(maps).all()
    assert torch.isfinite(record[2]) == bool(choices["identities"])
    assert not [name for name, p in net.named_parameters() if p.grad is None or (p.grad == 0).all()]
    still = [name for name, p in net.named_parameters() if p.ndim > 1 and torch.equal(p, before[name])]
    assert not still


@pytest.fixture(scope="module")
def default():
    return trained_once(DEFAULT)


SINGLE = [(name, value) for name, values in CHOICES.items() for value in values[1:] if name != "stride"]


@pytest.mark.parametrize("name, value", SINGLE, ids=[f"{name}={value}" for name, value in SINGLE])
def test_a_choice_does_something(name, value, default):
    """A misspelt or forgotten option would train the default's weights to the default's maps."""
    torch.manual_seed(0)
    other = trained_once({**DEFAULT, name: value})
    if name == "first_guess":  # z_0 is the batch's matter: what the step measured must differ
        assert not torch.equal(other[2][:2], default[2][:2])
    assert other[3].shape != default[3].shape or not torch.allclose(other[3], default[3], atol=1e-6)


def test_the_strides_place_does_something():
    """Blocks of two units are needed, and the ResNet design."""
    first, last = (trained_once({**DEFAULT, "design": "resnet", "stride": s})[3] for s in ("first", "last"))
    assert not torch.allclose(first, last, atol=1e-6)


def test_the_same_choices_train_to_the_same_maps(default):
    """... so that what differs above differs for its choice, not by chance."""
    assert torch.equal(trained_once(DEFAULT)[3], default[3])
