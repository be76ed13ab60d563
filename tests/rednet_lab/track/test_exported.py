"""The exported graph computes what torch computes: maps, points, memory, another feedback, any number of pictures."""

import numpy as np
import pytest
import torch

from data_prep.errors import DataError
from data_prep.readers.face_world import FaceWorldVideos
from rednet_core import geometry
from rednet_core.rednet import NetConfig, RedNet
from rednet_core.tracking import Tracker
from rednet_lab.track import exported
from rednet_lab.track.exported import Loop, OnnxNet, example, weights_hash, write_onnx
from rednet_lab.workbench.shipped import open_weights

MISSING = [name for name in exported.NEEDS if exported.find_spec(name) is None]
needed = pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)} (pip install '.[onnx]')")
SMALL = {"input_size": 32, "width": 0.125, "encoder_convs": (1,) * 5, "decoder_convs": (1,) * 4}


def small_net(**options) -> RedNet:
    torch.manual_seed(0)
    net = RedNet(NetConfig(**SMALL, **options)).eval()
    for value in net.parameters():
        value.data += 0.1 * torch.randn_like(value)
    return net


@needed
def test_maps_and_memory_are_torchs_for_any_number_of_pictures_and_any_feedback(tmp_path):
    import onnxruntime

    net = small_net(temporal=True, hidden=8)
    write_onnx(net, tmp_path / "net.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "net.onnx", providers=["CPUExecutionProvider"])
    names, told = ([one.name for one in some] for some in (session.get_inputs(), session.get_outputs()))
    answers = []
    for count, mix in ((1, 0.0), (3, 0.0), (3, 1.0)):
        torch.manual_seed(1)
        given = [torch.rand_like(one) for one in example(net, count)]
        given[3][:] = mix
        with torch.no_grad():
            wanted = Loop(net)(*given)
        answers.append(session.run(None, {name: one.numpy() for name, one in zip(names, given, strict=True)}))
        for name, one, other in zip(told, wanted, answers[-1], strict=True):
            assert one.shape == other.shape
            if not name.startswith("points"):  # an untrained map is flat: rounding decides which pixel is highest
                assert np.abs(one.numpy() - other).max() < 1e-4, name
    assert np.abs(answers[2][0] - answers[1][0]).max() < 1e-5 < np.abs(answers[2][1] - answers[1][1]).max()


@needed
def test_the_tracker_has_the_same_points_with_either_engine():
    net, videos = open_weights(), FaceWorldVideos(0, 0, 1, 3, 4, 192)
    items = [videos[i] for i in range(8, 12)]
    other = OnnxNet(net, threads=1)
    assert weights_hash(other) == weights_hash(net) != weights_hash(small_net())  # so it has the same limits of heights
    both = [Tracker(net), Tracker(other)]
    for tracker in both:
        tracker.start(geometry.face_box(items[0].points, net.markup) * (1, 1, 1.1))
    for item in items:
        seen, other = (tracker.update(item.image) for tracker in both)
        assert np.abs(seen.points - other.points).max() < 0.01
        assert seen.confidence == pytest.approx(other.confidence, abs=1e-4)


def test_what_cannot_be_exported_is_named(tmp_path, monkeypatch):
    with pytest.raises(DataError, match="VGG" if not MISSING else "not installed"):
        write_onnx(small_net(shared=False), tmp_path / "net.onnx")
    with pytest.raises(DataError, match="no memory"):
        OnnxNet(small_net(temporal=True, hidden=8))
    monkeypatch.setattr(exported, "find_spec", lambda name: None)
    with pytest.raises(DataError, match="onnxruntime not installed"):
        write_onnx(small_net(), tmp_path / "net.onnx")
