"""What the authors' code does and the papers do not say (METHOD 4), and where our rules differ from the papers'."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from rednet_core import losses
from rednet_core.checkpoint import grow
from rednet_core.eccv import EccvConfig, EccvNet
from rednet_core.inputs import Inputs
from rednet_core.objective import terms
from rednet_core.rednet import RedNet
from rednet_core.tracking import Tracker
from tests.helpers import settle, tiny, tiny_net


def inputs_of(net, n=3):
    points = 6 + 20 * torch.rand(n, 68, 2, generator=torch.Generator().manual_seed(1))
    x = torch.rand(n, 3, 32, 32, generator=torch.Generator().manual_seed(2))
    return Inputs(x, net.first_guess(n), points, torch.ones(n, 68, dtype=torch.bool), torch.full((n,), -1))


@pytest.mark.parametrize("design", ["vgg", "resnet"])
def test_detection_maps_of_half_the_size_and_heat_maps_times_ten(design):
    """M4.03: detection maps at 64 of 128 px, heat maps of height 10."""
    net = settle(tiny_net(design=design, detection_maps="half", heat=10.0))
    given = inputs_of(net)
    out = net.train()(given.x, given.z0)
    assert out.maps[0].shape == (3, 7, 8, 8) and out.maps[1].shape == (3, 68, 16, 16)
    z = net.feedback(out.maps[0], 1)
    assert z.shape == (3, 7, 16, 16) and 0 <= z.min() and z.max() <= 1
    raw = terms(net, out, given, 15.0)
    plain = terms(tiny_net(design=design, detection_maps="half"), out, given, 15.0)
    assert raw["regression"] > 5 * plain["regression"] and torch.equal(raw["detection"], plain["detection"])
    sum(raw.values()).backward()
    assert net.heads["detection"].weight.grad.any() and net.heads["regression"].weight.grad.any()


def test_points_and_confidence_do_not_depend_on_the_heat():
    net, hot = tiny_net(), tiny_net(heat=10.0)
    maps = torch.rand(2, 68, 16, 16)
    one, ten = RedNet.Answer([maps[:, :7], maps]), RedNet.Answer([maps[:, :7], 10 * maps])
    torch.testing.assert_close(net.points(one), hot.points(ten))
    torch.testing.assert_close(net.confidence(one), hot.confidence(ten))


@pytest.mark.parametrize("network, config", [(RedNet, tiny()), (EccvNet, EccvConfig(32, 0.125, (1,) * 5, "seven"))])
def test_a_cascades_networks_learn_alone_unless_joint(network, config):
    if network is EccvNet:
        config = replace(config, feedback="prob_maps", regression=False)
    for cascade in ("alone", "joint"):
        net = network(replace(config, shared=False, cascade=cascade))
        out = net(torch.rand(2, 3, 32, 32), net.first_guess(2))
        out.maps[-1].square().mean().backward()
        first = net.backbone.A1 if network is RedNet else net.encoder[0]
        assert any(p.grad is not None and p.grad.any() for p in first.parameters()) == (cascade == "joint")


def test_a_trackers_guard_can_be_left_out():
    picture, box = np.zeros((64, 64, 3), np.uint8), np.array([32.0, 32.0, 40.0])
    net = settle(tiny_net())
    net.points = lambda out: torch.full((1, 68, 2), 500.0) + torch.arange(68)[None, :, None]  # far away
    found = {}
    for guarded in (True, False):
        tracker = Tracker(net, guarded=guarded)
        tracker.net.points = net.points
        tracker.start(box)
        tracker.update(picture)
        found[guarded] = tracker.box[0].tolist()
    assert found[True] == box.tolist() and found[False][0] > 100


def test_grow_says_when_statistics_start_anew():
    net = EccvNet(EccvConfig(32, 0.125, (1,) * 5, "seven"))
    with pytest.warns(UserWarning, match="batch-norm statistics of .* layers start anew"):
        grow(net, steps=(7,))


def test_nan_at_a_masked_point_is_harmless_in_every_loss():
    net = tiny_net()
    given = inputs_of(net)
    given.mask[:, [0, 36, 50]] = False
    given.points[~given.mask] = float("nan")
    raw = terms(net, net(given.x, given.z0), given, losses.BALANCE)
    total = sum(raw.values())
    total.backward()
    assert total.isfinite() and all(p.grad is None or p.grad.isfinite().all() for p in net.parameters())
    eccv = EccvNet(EccvConfig(32, 0.125, (1,) * 5))
    raw = terms(eccv, eccv(given.x, eccv.first_guess(3)), given, 15.0)
    sum(raw.values()).backward()
    assert all(value.isfinite() for value in raw.values())
    assert all(p.grad is None or p.grad.isfinite().all() for p in eccv.parameters())
