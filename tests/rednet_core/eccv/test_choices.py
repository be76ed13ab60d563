"""Every choice of the ECCV network trains, alone and in every pair with another, and does something."""

from itertools import combinations, product

import numpy as np
import pytest
import torch
from torch import nn

from data_prep.landmark_subset import seven_of
from rednet_core.batches import Clips
from rednet_core.eccv import RATIO
from rednet_core.inputs import clip_inputs
from rednet_core.markup import IBUG68
from rednet_core.training import TrainConfig, Trainer
from tests.combinations import pairwise
from tests.helpers import make_data
from tests.rednet_core.eccv.tiny import tiny_eccv

# The first of each is the default (of the tiny network).
CHOICES = {
    "feedback": ("label_map", "prob_maps"),
    "steps": ((20, 12, 12), (20,)),
    "shared": (True, False),
    "step_statistics": (True, False),
    "first_guess": ("mean", "zeros"),
    "detach_feedback": (False, True),
    "temporal": (True, False),
    "update": ("replace", "residual"),
    "pooling": ("switches", "average"),
    "identities": (3, 0),
    "regression": (True, False),
    "encoder_features": (True, False),
    "detach_response": (True, False),
    "markup": ("ibug68", "seven"),
}
DEFAULT = {name: values[0] for name, values in CHOICES.items()}
DATA = make_data([(k, range(4)) for k in range(3)], size=48)
COMBINATIONS = pairwise(CHOICES)


def trained_once(choices):
    """A network of these choices after one step on two clips of three frames, and its prediction of a clip."""
    net = tiny_eccv(input_size=64, dropout=0.0, **choices)  # at 32 the code is one pixel, and both poolings the same
    nn.init.normal_(net.head.weight)
    if net.f_reg is not None:
        nn.init.normal_(net.f_reg.locate.weight)
    if net.f_trn is not None and hasattr(net.f_trn.spread, "weight"):
        nn.init.normal_(net.f_trn.spread.weight)
    data = seven_of(DATA, IBUG68) if net.markup.n_points == 7 else DATA
    config = TrainConfig(steps=1, schedule="constant", ratio=RATIO)
    trainer = Trainer(net, config, Clips(data, np.arange(12), 2, 3).batch, clip_inputs)
    trainer.run()
    x = torch.rand(3, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        return net, trainer.history[0], net(x, net.first_guess(3), frames=3)


def test_pairs_are_few_and_complete():
    assert 6 <= len(COMBINATIONS) <= 16
    for a, b in combinations(CHOICES, 2):
        assert {(c[a], c[b]) for c in COMBINATIONS} == set(product(CHOICES[a], CHOICES[b]))


@pytest.mark.parametrize("choices", COMBINATIONS, ids=lambda c: "-".join(str(v) for v in c.values()))
def test_a_combination_trains_one_step(choices):
    net, record, out = trained_once(choices)
    assert torch.isfinite(record[3]) and torch.isfinite(out.maps[-1]).all()
    assert torch.isfinite(record[1]) == choices["regression"] and torch.isfinite(record[2]) == bool(
        choices["identities"]
    )
    assert not [name for name, p in net.named_parameters() if p.grad is None or (p.grad == 0).all()]


@pytest.fixture(scope="module")
def default():
    return trained_once(DEFAULT)


# A label map carries no gradient: detaching it is nothing (test_network has it for prob_maps).
SINGLE = [(name, values[1]) for name, values in CHOICES.items() if name not in ("detach_feedback", "regression")]


@pytest.mark.parametrize("name, value", SINGLE, ids=[f"{name}={value}" for name, value in SINGLE])
def test_a_choice_does_something(name, value, default):
    """An option that is forgotten on its way would give the default's numbers, all of them."""
    out = trained_once({**DEFAULT, name: value})[2]
    pairs = ((out.maps[-1], default[2].maps[-1]), (out.offsets, default[2].offsets))
    assert [one for one, other in pairs if one.shape != other.shape or not torch.allclose(one, other, atol=1e-6)]


def test_the_same_choices_train_to_the_same_maps(default):
    assert torch.equal(trained_once(DEFAULT)[2].maps[-1], default[2].maps[-1])
