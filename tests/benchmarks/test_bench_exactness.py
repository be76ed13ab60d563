"""The script that measures what faster inference costs in landmark error: on a tiny network, trained while it runs."""

import importlib.util
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from tests.helpers import make_data, settle, tiny_net


@pytest.fixture(scope="module")
def bench():
    place = Path(__file__).with_name("bench_exactness.py")
    spec = importlib.util.spec_from_file_location("bench_exactness", place)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Lab:
    """What the script asks of a Lab; its network is trained only when it is asked for."""

    device = torch.device("cpu")

    def __init__(self):
        data = make_data([(k, range(3)) for k in range(3)], size=48)
        self.source = SimpleNamespace(test_stills=lambda: SimpleNamespace(data=data, rows=np.arange(9)))

    @property
    def stage1(self):
        net = settle(tiny_net(seed=0))
        net(torch.rand(1, 3, 32, 32), net.first_guess(1)).maps[-1].sum().backward()
        torch.nn.init.normal_(net.heads["regression"].weight)  # no flat maps: their peaks are anywhere
        return SimpleNamespace(net=net)


def test_each_way_has_its_row(bench, monkeypatch):
    monkeypatch.setattr(bench, "WAYS", bench.WAYS[:5])  # no graph is exported
    monkeypatch.setattr(torch, "compile", lambda net: net)
    table = bench.measure(Lab()).set_index("way")
    assert list(table.index) == list(bench.WAYS)
    assert (table.loc["float32", ["points move, mean (px)", "at most (px)", "switches flipped (%)"]] == 0).all()
    assert table["at most (px)"]["folded"] < 0.01 and table["switches flipped (%)"]["folded"] < 0.1
    assert table["at most (px)"]["bfloat16"] > 0 and 0 < table["switches flipped (%)"]["bfloat16"] < 50
    assert table.isna().sum().sum() == 1 and np.isnan(table["switches flipped (%)"]["folded, compiled"])
    assert table["change (points)"]["float32"] == 0 and table["at most (px)"]["folded, compiled"] < 0.01


def test_rendered_test_faces_are_aligned_by_the_shipped_network(bench, monkeypatch):
    monkeypatch.setattr(bench, "FACES", 4)
    monkeypatch.setattr(bench, "WAYS", ("float32",))
    with torch.no_grad():
        table = bench.compare(bench.open_weights("world"), bench.rendered(), torch.device("cpu"))
    assert table["error (%)"][0] < 10
