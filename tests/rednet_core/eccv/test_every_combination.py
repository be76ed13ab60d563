"""Every combination of the ECCV network's options that meet inside forward and backward trains one step.

Gone through completely are the different ones of INSIDE; two steps stand for the papers' three (test_choices.py has
three, at 64 px and through the Trainer). OUTSIDE is paired with everything there.
"""

from dataclasses import fields

import pytest
import torch

from rednet_core.eccv import EccvConfig
from rednet_core.inputs import Inputs
from rednet_core.network import choices_of
from rednet_core.objective import terms
from rednet_core.training import TrainConfig, make_optimiser
from tests.combinations import distinct, networks, reaches, untrained
from tests.rednet_core.eccv.tiny import tiny_eccv

INSIDE = {
    "steps": ((20, 12), (20,)),
    "feedback": ("label_map", "prob_maps"),
    "shared": (True, False),
    "step_statistics": (True, False),
    "cascade": ("alone", "joint"),
    "detach_feedback": (False, True),
    "temporal": (True, False),
    "update": ("replace", "residual"),
    "pooling": ("switches", "average"),
    "identities": (2, 0),
    "regression": (True, False),
    "encoder_features": (True, False),
    "detach_response": (True, False),
}
FLOW = ("cascade", "detach_feedback", "detach_response")  # the rest makes modules
OUTSIDE = {"markup", "first_guess"}


def idle(choices):
    """The options that have nothing to act on beside the others."""
    found = set()
    if len(choices["steps"]) == 1:
        found |= {"shared", "step_statistics", "cascade", "detach_feedback"}
    if not choices["shared"]:
        found |= {"step_statistics"}
    if choices["feedback"] == "label_map":
        found |= {"detach_feedback", "cascade"}
    found |= {"cascade"} if choices["shared"] else {"detach_feedback"} if choices["cascade"] == "alone" else set()
    if not choices["temporal"]:
        found |= {"update", "pooling"}
    if not choices["regression"]:
        found |= {"encoder_features", "detach_response"}
    return found


COMBINATIONS = distinct(INSIDE, idle)
GROUPS = [(steps, feedback) for steps in INSIDE["steps"] for feedback in INSIDE["feedback"]]


def network_of(choices):
    """A tiny network of these choices."""
    net = tiny_eccv(dropout=0.0, markup="seven", **{**choices, "hidden": 8}).train()
    if choices["temporal"] and choices["update"] == "residual":  # it starts from zero
        torch.nn.init.normal_(net.f_trn.spread.weight)
    return net


def problems_of(choices, net):
    """What is wrong with one training step of a network of these choices, in words; nothing if all is well."""
    points = 4 + 24 * torch.rand(4, 7, 2)
    z0 = net.draw_z0(points).requires_grad_()
    mask, persons = torch.ones(4, 7, dtype=torch.bool), torch.tensor([0, 0, 1, 1])
    inputs = Inputs(torch.rand(4, 3, 32, 32), z0, points, mask, persons, frames=2)  # two clips of two frames
    out = net(inputs.x, z0, inputs.frames)
    raw = terms(net, out, inputs, 15.0)

    several = len(choices["steps"]) > 1
    attached = several and choices["feedback"] == "prob_maps" and not net.detached
    last, wrong = [net, *net.cascade][-1].encoder[0].convs[0].conv.weight, []  # behind the map and f_REG's features
    if reaches(out.maps[-1].square().mean(), z0) != (not several or attached):
        wrong.append("the last step and what the first was given")
    if choices["identities"] and choices["temporal"]:  # f_CLS reads C_id: f_tRNN is behind it, but for the loop
        if reaches(raw["identity"], net.f_trn.lstm.weight_ih_l0) != attached:
            wrong.append("f_CLS and f_tRNN")
    if choices["regression"] and reaches(raw["regression"], last) == choices["detach_response"]:
        wrong.append("f_REG and the encoder")
    parts = {"detection": True, "regression": choices["regression"], "identity": choices["identities"]}
    if set(raw) != {name for name, there in parts.items() if there}:
        wrong.append(f"terms {sorted(raw)}")
    return wrong + untrained(net, sum(raw.values()), make_optimiser(net, TrainConfig(1)))


def test_no_option_is_forgotten():
    typed = {field.name for field in fields(EccvConfig) if field.type is bool} | set(choices_of(EccvConfig))
    assert typed <= set(INSIDE) | OUTSIDE


def test_the_different_combinations_are_counted():
    """Two steps: 3 ways of weights and norms with labels, 7 else, 5 of f_tRNN, 2 of f_CLS, 5 of f_REG; and one step."""
    assert len(COMBINATIONS) == (3 + 7) * 5 * 2 * 5 + 2 * 5 * 2 * 5


@pytest.mark.parametrize("steps, feedback", GROUPS, ids=[f"{len(s)}-{f}" for s, f in GROUPS])
def test_every_combination_trains_one_step(steps, feedback):
    mine = [c for c in COMBINATIONS if c["steps"] == steps and c["feedback"] == feedback]
    assert len(mine) >= 50
    bad = [(one, wrong) for one, net in networks(mine, FLOW, network_of) if (wrong := problems_of(one, net))]
    assert not bad, "\n".join(f"{wrong}: {choices}" for choices, wrong in bad[:5]) + f"\n{len(bad)} of {len(mine)}"
