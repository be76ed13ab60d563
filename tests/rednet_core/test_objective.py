"""The joint objective against its terms by hand, and how lambda and gamma are found."""

import numpy as np
import pytest
import torch

from rednet_core import objective
from rednet_core.inputs import Inputs
from rednet_core.objective import Balance
from tests.helpers import tiny_net


def some_inputs(net, n=3, identity=None):
    generator = torch.Generator().manual_seed(1)
    size, count = net.config.input_size, net.markup.n_points
    points = net.mean_points() + 2 * torch.randn(n, count, 2, generator=generator)
    mask = torch.rand(n, count, generator=generator) < 0.8
    identity = torch.tensor(identity or [-1] * n)
    x = torch.rand(n, 3, size, size, generator=generator)
    return Inputs(x, net.draw_z0(points), points, mask, identity)


def by_hand(raw, inputs, net, kind, weight=15.0):
    """One step's loss in float64: its target drawn pixel by pixel, sums over annotated points."""
    m = net.config.map_size
    rows, columns = np.mgrid[0:m, 0:m]
    radius = sigma = 5 * m / 128
    indices = [36, 39, 42, 45, 30, 48, 54] if kind == "detection" else range(68)
    total = count = 0.0
    for n in range(len(raw)):
        for channel, i in enumerate(indices):
            if not inputs.mask[n, i]:
                continue
            x, y = ((float(v) + 0.5) / 2 - 0.5 for v in inputs.points[n, i])
            square = (columns - x) ** 2 + (rows - y) ** 2
            disc, values = square <= radius**2, raw[n, channel].double().detach().numpy()
            if kind == "detection":
                each = np.log1p(np.exp(-np.abs(values))) + np.maximum(values, 0) - values * disc
            else:
                each = (values - np.exp(-square / (2 * sigma**2))) ** 2
            total += (each * np.where(disc, weight, 1)).mean()
            count += 1
    return total / count


def test_terms_are_the_losses_by_hand():
    net = tiny_net(input_size=64)
    inputs = some_inputs(net)
    out = net(inputs.x, inputs.z0)
    found = objective.terms(net, out, inputs, 15.0)
    assert list(found) == ["detection", "regression"]
    for kind, raw in zip(("detection", "regression"), out.maps, strict=True):
        assert float(found[kind].detach()) == pytest.approx(by_hand(raw, inputs, net, kind), rel=1e-4)


def test_the_foreground_weight_is_passed_on():
    net = tiny_net()
    inputs = some_inputs(net)
    out = net(inputs.x, inputs.z0)
    found = objective.terms(net, out, inputs, 3.0)
    assert float(found["detection"].detach()) == pytest.approx(
        by_hand(out.maps[0], inputs, net, "detection", 3.0), rel=1e-4
    )
    assert float(found["regression"].detach()) == pytest.approx(
        by_hand(out.maps[1], inputs, net, "regression", 3.0), rel=1e-4
    )


def test_steps_of_one_kind_count_as_their_mean():
    net = tiny_net(steps=("detection", "detection"))
    inputs = some_inputs(net)
    out = net(inputs.x, inputs.z0)
    found = objective.terms(net, out, inputs, 15.0)
    expected = np.mean([by_hand(raw, inputs, net, "detection") for raw in out.maps])
    assert list(found) == ["detection"] and float(found["detection"].detach()) == pytest.approx(expected, rel=1e-4)


def test_the_identity_term_is_cross_entropy_over_the_known():
    net = tiny_net(identities=4).eval()
    inputs = some_inputs(net, identity=[2, -1, 0])
    out = net(inputs.x, inputs.z0)
    found = objective.terms(net, out, inputs, 15.0)["identity"]
    scores = out.identity.double().detach().numpy()
    expected = np.mean([np.log(np.exp(scores[n]).sum()) - scores[n, person] for n, person in ((0, 2), (2, 0))])
    assert float(found.detach()) == pytest.approx(expected, rel=1e-5)


def test_without_known_persons_there_is_no_identity_term_and_no_nan():
    net = tiny_net(identities=4)
    inputs = some_inputs(net)
    found = objective.terms(net, net(inputs.x, inputs.z0), inputs, 15.0)
    assert "identity" not in found
    balance = Balance()
    balance.observe(found)
    assert balance.total(found).isfinite()
    assert "identity" not in objective.terms(tiny_net(), tiny_net()(inputs.x, inputs.z0), inputs, 15.0)


# ------------------------------------------------------------------------------------------------------- balance


def raw(**values):
    return {name: torch.tensor(value) for name, value in values.items()}


def test_terms_stand_1_10_1_on_the_means_of_the_first_five_batches():
    balance = Balance()
    batches = [raw(detection=2.0 + k, regression=0.5 + 0.1 * k, identity=7.0 - k) for k in range(5)]
    for batch in batches:
        balance.observe(batch)
    means = {name: sum(float(b[name]) for b in batches) / 5 for name in batches[0]}
    factors = balance.factors()
    weighted = {name: factors[name] * means[name] for name in means}
    assert factors["detection"] == pytest.approx(1)
    assert weighted["regression"] == pytest.approx(10 * weighted["detection"])
    assert weighted["identity"] == pytest.approx(weighted["detection"])


def test_after_five_batches_the_factors_are_fixed():
    balance = Balance()
    for _ in range(5):
        balance.observe(raw(detection=2.0, regression=0.5))
    fixed = balance.factors()
    for _ in range(3):
        balance.observe(raw(detection=100.0, regression=100.0))
    assert balance.factors() == fixed == {"detection": pytest.approx(1), "regression": pytest.approx(40)}


def test_until_then_the_factors_follow_the_mean():
    balance = Balance()
    balance.observe(raw(detection=2.0, regression=1.0))
    assert balance.factors()["regression"] == pytest.approx(20)
    balance.observe(raw(detection=2.0, regression=3.0))
    assert balance.factors()["regression"] == pytest.approx(10)


def test_a_term_that_comes_later_gets_its_own_five_batches():
    balance = Balance()
    for _ in range(7):
        balance.observe(raw(detection=2.0, regression=0.5))
    for k in range(8):
        balance.observe(raw(detection=9.0, regression=9.0, identity=3.0 + k))
    assert balance.counts == {"detection": 5, "regression": 5, "identity": 5}
    assert balance.factors()["identity"] == pytest.approx(2.0 / 5.0)  # the mean of 3, 4, 5, 6, 7
    assert balance.factors()["regression"] == pytest.approx(40)


def test_a_single_regression_step_has_factor_one():
    balance = Balance()
    balance.observe(raw(regression=0.3, identity=6.0))
    assert balance.factors()["regression"] == pytest.approx(1)
    assert balance.factors()["identity"] == pytest.approx(0.3 / 6.0 / 10)


def test_the_total_is_the_weighted_sum_and_carries_gradient():
    balance = Balance(ratio=(1.0, 2.0, 1.0))
    values = {"detection": torch.tensor(2.0, requires_grad=True), "regression": torch.tensor(0.5, requires_grad=True)}
    balance.observe(values)
    total = balance.total(values)
    assert float(total.detach()) == pytest.approx(2.0 + 4.0)
    total.backward()
    assert float(values["detection"].grad) == pytest.approx(1)
    assert float(values["regression"].grad) == pytest.approx(8)


def test_a_batch_without_a_term_that_was_seen_before_leaves_it_out():
    balance = Balance()
    balance.observe(raw(detection=2.0, regression=0.5, identity=4.0))
    assert float(balance.total(raw(detection=1.0, regression=1.0))) == pytest.approx(1 + 40)


def test_a_term_of_zero_does_not_give_nan():
    balance = Balance()
    balance.observe(raw(detection=2.0, regression=0.0))
    assert np.isfinite(list(balance.factors().values())).all()


def test_gradients_of_the_whole_objective_are_finite():
    net = tiny_net(identities=3)
    inputs = some_inputs(net, identity=[0, 1, -1])
    found = objective.terms(net, net(inputs.x, inputs.z0), inputs, 15.0)
    balance = Balance()
    balance.observe(found)
    balance.total(found).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in net.parameters())
