"""Every combination of the journal network's options that meet inside forward and backward trains one step.

The options of INSIDE decide which way values and gradients go. Their full product is 6,144 combinations, of which 1,328
differ: the rest are the same networks again (statistics per step where there is one step, an LSTM's pooling where there
is no LSTM). Those are gone through, all of them. OUTSIDE, options that change a number, a picture or the place of a
stride but no way, would make it twenty times as long: test_choices.py pairs them with everything, at 64 px and through
the Trainer.
"""

from dataclasses import fields

import pytest
import torch

from rednet_core.inputs import Inputs
from rednet_core.network import choices_of
from rednet_core.objective import terms
from rednet_core.rednet import NetConfig
from rednet_core.training import TrainConfig, make_optimiser
from tests.combinations import distinct, networks, reaches, untrained
from tests.helpers import tiny_net

DETECTION, REGRESSION = "detection", "regression"
INSIDE = {
    "design": ("vgg", "resnet"),
    "steps": ((DETECTION, REGRESSION), (DETECTION, DETECTION), (DETECTION,), (REGRESSION,)),
    "shared": (True, False),
    "batch_norm": (True, False),
    "step_statistics": (True, False),
    "cascade": ("alone", "joint"),
    "detach_feedback": (False, True),
    "temporal": (True, False),
    "update": ("replace", "residual"),
    "pooling": ("average", "switches"),
    "interleave": ("own", "through", "last"),
    "identities": (2, 0),
}
FLOW = ("cascade", "detach_feedback", "interleave")  # the rest makes modules
OUTSIDE = {"stride", "markup", "first_guess", "detection_maps"}  # and feedback_gain, a number


def idle(choices):
    """The options that have nothing to act on beside the others."""
    found = set()
    if len(choices["steps"]) == 1:
        found |= {"shared", "step_statistics", "cascade", "detach_feedback", "interleave"}
    if not choices["batch_norm"] or not choices["shared"]:
        found |= {"step_statistics"}
    found |= {"cascade"} if choices["shared"] else {"detach_feedback"} if choices["cascade"] == "alone" else set()
    if not choices["temporal"]:
        found |= {"update", "pooling", "interleave"}
    return found


COMBINATIONS = distinct(INSIDE, idle)
GROUPS = [(design, steps) for design in INSIDE["design"] for steps in INSIDE["steps"]]


def network_of(choices):
    """A tiny network of these choices."""
    net = tiny_net(dropout=0.0, hidden=8, identity_units=8, markup="seven", **choices).train()
    if choices["temporal"] and choices["update"] == "residual":  # it starts from zero
        torch.nn.init.normal_(net.f_trn.spread.weight)
    return net


def problems_of(choices, net):
    """What is wrong with one training step of a network of these choices, in words; nothing if all is well."""
    points = 4 + 24 * torch.rand(4, net.markup.n_points, 2)
    z0 = net.draw_z0(points).requires_grad_()
    mask, persons = torch.ones(points.shape[:2], dtype=torch.bool), torch.tensor([0, 0, 1, 1])
    inputs = Inputs(torch.rand(4, 3, 32, 32), z0, points, mask, persons, frames=2)  # two clips of two frames
    out = net(inputs.x, z0, inputs.frames)
    raw = terms(net, out, inputs, 15.0)

    several, through = len(choices["steps"]) > 1, choices["temporal"] and choices["interleave"] == "through"
    attached = several and not net.detached
    wrong = []
    reached = reaches(out.maps[-1].square().mean(), z0)
    if reached != (not several or attached or through):
        wrong.append(f"the last step {'reaches' if reached else 'does not reach'} what the first was given")
    if choices["identities"] and choices["temporal"]:  # f_cls reads e_i: f_trn is behind it, but for the loop
        trains = reaches(raw["identity"], net.f_trn.lstm.weight_ih_l0)
        if trains != (attached and choices["interleave"] != "last"):
            wrong.append(f"f_cls {'trains' if trains else 'does not train'} f_trn")
    if set(raw) != set(choices["steps"]) | ({"identity"} if choices["identities"] else set()):
        wrong.append(f"terms {sorted(raw)}")
    return wrong + untrained(net, sum(raw.values()), make_optimiser(net, TrainConfig(1)))


def test_no_option_is_forgotten():
    typed = {field.name for field in fields(NetConfig) if field.type is bool} | set(choices_of(NetConfig))
    assert typed <= set(INSIDE) | OUTSIDE


def test_the_different_combinations_are_counted():
    """Two steps: 2 designs, 2 kinds, 12 of weights, norms and feedback, 13 of f_trn, 2 of f_cls; and one step."""
    assert len(COMBINATIONS) == 2 * 2 * 12 * 13 * 2 + 2 * 2 * 2 * 5 * 2


@pytest.mark.parametrize("design, steps", GROUPS, ids=[f"{d}-{'-'.join(s)}" for d, s in GROUPS])
def test_every_combination_trains_one_step(design, steps):
    mine = [c for c in COMBINATIONS if c["design"] == design and c["steps"] == steps]
    assert len(mine) >= 20
    bad = [(one, wrong) for one, net in networks(mine, FLOW, network_of) if (wrong := problems_of(one, net))]
    assert not bad, "\n".join(f"{wrong}: {choices}" for choices, wrong in bad[:5]) + f"\n{len(bad)} of {len(mine)}"
