"""The cost script runs and counts what it says it counts."""

import importlib.util
from argparse import Namespace
from functools import partial
from pathlib import Path

import pytest
import torch

from rednet_core.rednet import NetConfig, RedNet

OPTIONS = Namespace(device="cpu", repeats=1, batch=2, compile=False)


@pytest.fixture(scope="module")
def bench():
    place = Path(__file__).with_name("bench_cost.py")
    spec = importlib.util.spec_from_file_location("bench_cost", place)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("design", ["vgg", "resnet", "eccv"])
def test_a_quick_network_is_measured(bench, design, capsys, monkeypatch):
    monkeypatch.setattr(bench.where_time_goes, "fastest", partial(bench.where_time_goes.fastest, least=0.0))
    found = bench.measure(f"{design}-quick", OPTIONS)
    kind, config = bench.NETWORKS[f"{design}-quick"]
    assert found["px"] == 64 and found["parameters"] == sum(p.numel() for p in kind(config).parameters())
    assert 0 < found["frame"] < 60 and found["pictures"] > 0
    assert found["training memory"] >= found["memory"] >= found["base"] > 10
    assert ("stem each step" in found["ways"]) is (design != "eccv") and not found["compiling"]
    assert all(isinstance(found["ways"][way], float) for way in ("channels_last", "folded", "folded + channels_last"))
    groups = found["where"]["plain"]
    convolving = sum(groups[group][0] for group in bench.where_time_goes.CONVOLUTIONS)
    assert 0.2 < convolving / sum(seconds for seconds, _ in groups.values()) < 1
    assert (groups["unpool"][1] > 0) is (design != "resnet")
    assert groups["norm"][1] > found["where"]["folded + channels_last"]["norm"][1] == 0
    bench.report({f"{design}-quick": found})
    printed = capsys.readouterr().out
    assert printed.count(f"{design}-quick") >= 1 + 1 + len(found["where"])
    assert "Error" not in printed or design == "eccv"


def test_a_way_that_does_not_work_is_reported(bench, monkeypatch):
    def refuse(net):
        raise NotImplementedError("not for this processor\nand more")

    net = RedNet(NetConfig(input_size=32, width=0.125, encoder_convs=(1,) * 5, decoder_convs=(1,) * 4)).eval()
    monkeypatch.setattr(bench.torch, "compile", lambda net: lambda *given: refuse(net))
    found, _ = bench.one_way(net, "compile", torch.rand(1, 3, 32, 32), net.first_guess(1), 1)
    assert found == "NotImplementedError: not for this processor"


def test_the_stem_can_be_computed_in_each_step(bench):
    """... to the same maps, and as often as there are steps."""
    net = RedNet(NetConfig(input_size=32, width=0.125, encoder_convs=(1,) * 5, decoder_convs=(1,) * 4)).eval()
    x, z0, seen = torch.rand(1, 3, 32, 32), net.first_guess(1), []
    net.backbone.A0.convs[0].conv.register_forward_hook(lambda *given: seen.append(1))
    maps = [bench.made_faster(net, way, x, z0)().maps for way in ("plain", "stem each step")]
    assert len(seen) == 1 + 2
    assert all(torch.allclose(one, other, atol=1e-5) for one, other in zip(*maps, strict=True))


def test_operations_have_their_groups_and_bytes(bench):
    where = bench.where_time_goes
    names = {"aten::mkldnn_convolution": "conv", "aten::_slow_conv2d_forward": "im2col conv"}
    names |= {"aten::max_unpool2d": "unpool", "aten::max_pool2d_with_indices": "pool", "aten::view": "other"}
    assert {name: where.group_of(name) for name in names} == names
    x = torch.rand(1, 2, 8, 8)
    with where.Bytes() as counted:
        torch.nn.functional.max_pool2d(x, 2, return_indices=True)
        x.view(-1)
    assert counted.moved["pool"] == 4 * 128 + (4 + 8) * 32 and counted.moved["other"] == 0


def test_multiply_adds_of_the_papers_vgg(bench):
    assert bench.multiply_adds(NetConfig()) / 1e9 == pytest.approx(75.4, abs=0.1)
