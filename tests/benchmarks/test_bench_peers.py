"""The peers have their published sizes, and the table is printed."""

import re

import pytest
import torch

from rednet_core.rednet import count_parameters
from tests.benchmarks import bench_peers as peers


def test_the_peers_have_their_published_sizes():
    """FAN-4: 24 million parameters; HRNetV2-W18 for 98 points 9.66, of which the last layer depends on the points."""
    assert count_parameters(peers.Fan()) / 1e6 == pytest.approx(24, abs=0.5)
    more = (98 - peers.POINTS) * (270 + 1)
    assert (count_parameters(peers.HrNet()) + more) / 1e6 == pytest.approx(9.66, abs=0.05)


@pytest.mark.parametrize("name", ["fan4", "hrnet18"])
def test_maps_are_a_quarter_of_the_picture_and_folding_changes_nothing(name):
    torch.manual_seed(0)
    net = peers.NETWORKS[name]().eval()
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.running_var, 0.5, 2.0)
    x = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        plain = net(x)
        assert plain.shape == (1, peers.POINTS, 16, 16)
        assert torch.allclose(peers.made(net, "folded", (x,))(), plain, atol=1e-4 * float(plain.abs().max()))


def test_the_table_says_what_cannot_be_measured(monkeypatch, capsys):
    monkeypatch.setattr(peers, "SIZE", 64)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False, raising=False)
    peers.main(["--only", "hrnet18", "--repeats", "1", "--no-compile"])
    said = capsys.readouterr().out
    assert "no bfloat16 units" in said and len(re.findall(r"\d+ \(\d\.\d\d\)", said)) >= 2
