"""The cost script runs and counts what it says it counts."""

import importlib.util
from argparse import Namespace
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
def test_a_quick_network_is_measured(bench, design):
    found = bench.measure(f"{design}-quick", OPTIONS)
    kind, config = bench.NETWORKS[f"{design}-quick"]
    assert found["px"] == 64 and found["parameters"] == sum(p.numel() for p in kind(config).parameters())
    assert 0 < found["frame"] < 60 and found["pictures"] > 0
    assert found["training memory"] >= found["memory"] > 10
    assert ("stem each step" in found["ways"]) is (design != "eccv")
    assert all(isinstance(found["ways"][way], float) for way in ("channels_last", "folded", "folded + channels_last"))


def test_a_way_that_does_not_work_is_reported(bench, monkeypatch):
    def refuse(net):
        raise NotImplementedError("not for this processor\nand more")

    net = RedNet(NetConfig(input_size=32, width=0.125, encoder_convs=(1,) * 5, decoder_convs=(1,) * 4)).eval()
    monkeypatch.setattr(bench.torch, "compile", lambda net: lambda *given: refuse(net))
    found = bench.one_way(net, "compile", torch.rand(1, 3, 32, 32), net.first_guess(1), 1)
    assert found == "NotImplementedError: not for this processor"


def test_multiply_adds_of_the_papers_vgg(bench):
    assert bench.multiply_adds(RedNet, NetConfig()) / 1e9 == pytest.approx(75.4, abs=0.1)
