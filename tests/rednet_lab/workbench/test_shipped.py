"""The shipped networks load, are small, keep the figure on their card, and what is damaged is named."""

import json

import pytest
import torch

from data_prep.errors import DataError
from data_prep.readers.face_world import FaceWorldStills
from rednet_core.rednet import NetConfig, RedNet
from rednet_lab.workbench import shipped
from rednet_lab.workbench.shipped import check_figure, export, open_weights, worsened

THERE = sorted(shipped.PLACE.glob("*.safetensors"))


@pytest.mark.parametrize("path", THERE, ids=lambda path: path.stem)
def test_a_shipped_network_keeps_the_figure_of_its_card(path):
    card = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    assert path.stat().st_size < 6_000_000 and card["terms"] and card["recipe"]["train"]["steps"]
    assert check_figure(open_weights(path.stem)) == pytest.approx(card["check"], abs=0.02)


def small_net() -> RedNet:
    torch.manual_seed(0)
    return RedNet(NetConfig(input_size=32, width=0.125, encoder_convs=(1,) * 5, decoder_convs=(1,) * 4))


def test_weights_come_back_as_they_were_to_half_precision(tmp_path):
    net = small_net()
    path = export("mine", net, tmp_path, {"name": "mine"})
    again = open_weights(str(path))
    assert again.config == net.config and not again.training
    for name, value in net.state_dict().items():
        assert torch.allclose(value.float(), again.state_dict()[name].float(), atol=1e-3, rtol=1e-3), name


def test_missing_and_damaged_weights_are_named(tmp_path):
    with pytest.raises(DataError, match="no such weights"):
        open_weights(str(tmp_path / "none.safetensors"))
    path = export("mine", small_net(), tmp_path, {})
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DataError, match="mine.safetensors.*damaged"):
        open_weights(str(path))


def test_worse_pictures_stay_pictures_and_some_stay_as_they_are():
    x = torch.rand(64, 3, 24, 24, generator=torch.Generator().manual_seed(0))
    out = worsened(x, torch.Generator().manual_seed(1))
    same = (out == x).flatten(1).all(1)
    assert out.shape == x.shape and 0 <= float(out.min()) and float(out.max()) <= 1
    assert 2 < int(same.sum()) < 30


def test_a_card_tells_the_face_worlds_thirds_of_skin_tone(monkeypatch, tmp_path):
    monkeypatch.setenv("REDNET_CACHE", str(tmp_path))
    monkeypatch.setattr(shipped, "reader_of", lambda name, data: FaceWorldStills(0, 1, 1, 9, size=48))
    monkeypatch.setattr(shipped, "SIZE", 48)
    for found in shipped.on_face_world(small_net()).values():
        thirds = [found[f"{name} skin"] for name in ("dark", "medium", "light")]
        assert [one["faces"] for one in thirds] == [3, 3, 3]
        assert found["all"]["NME"] == pytest.approx(sum(one["NME"] for one in thirds) / 3, abs=0.01)
