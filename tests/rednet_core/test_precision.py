"""Half precision as a GPU has it, emulated by the CPU's autocast; what cuDNN itself does only a GPU can show."""

import numpy as np
import pytest
import torch

from rednet_core import stages, training
from rednet_core.augment import NONE
from rednet_core.batches import Clips, Stills
from rednet_core.eccv import RATIO, EccvConfig, EccvNet
from rednet_core.rednet import RedNet
from rednet_core.training import TrainConfig
from tests.helpers import make_data, tiny

NETS = {"journal": (RedNet, tiny()), "eccv": (EccvNet, EccvConfig(32, 0.125, (1,) * 5, "ibug68", hidden=16))}


@pytest.fixture(scope="module")
def data():
    return make_data([(k, range(4)) for k in range(3)], size=48)


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_stage_3_trains_in_half_precision_with_f_trn_in_float32(name, precision, data):
    """The LSTM is given float32 and gives it back; all else is as asked; float16 alone has its loss scaled."""
    network, config = NETS[name]
    ratio = RATIO if network is EccvNet else (1.0, 10.0, 1.0)
    train = TrainConfig(8, schedule="constant", rate=1e-3, precision=precision, ratio=ratio)
    first = stages.stage1(config, Stills(data, np.arange(12), 4), train, NONE, network=network)
    run = stages.stage3(first.net, Clips(data, np.arange(12), 2, 3), train)
    seen = {}
    run.net.f_trn.lstm.register_forward_hook(lambda m, given, out: seen.update(lstm=(given[0].dtype, out[0].dtype)))
    run.net.f_trn.register_forward_hook(lambda m, given, out: seen.update(code=given[0].dtype, update=out[0].dtype))
    before = {k: v.clone() for k, v in run.net.f_trn.named_parameters()}
    assert run.run()[:, 3].isfinite().all()
    assert seen["lstm"] == (torch.float32, torch.float32)
    assert seen["code"] == seen["update"] == getattr(torch, precision)
    assert run.scaler.is_enabled() == (precision == "float16")
    assert any(not torch.equal(before[k], v) for k, v in run.net.f_trn.named_parameters())


def test_a_scaled_run_resumes(data, tmp_path):
    train = TrainConfig(3, schedule="constant", rate=1e-3, precision="float16", checkpoint_seconds=0.0)
    stills = Stills(data, np.arange(12), 4)
    whole = stages.stage1(tiny(), stills, train, NONE)
    whole.run()
    stages.stage1(tiny(), stills, train, NONE, checkpoint_path=tmp_path / "run.pt").run(until=2)
    rest = stages.stage1(tiny(), stills, train, NONE, checkpoint_path=tmp_path / "run.pt")
    rest.run()
    assert rest.scaler.get_scale() == whole.scaler.get_scale()
    assert all(torch.equal(a, b) for a, b in zip(whole.net.parameters(), rest.net.parameters(), strict=True))


def test_nothing_is_cast_where_a_device_cannot(data, monkeypatch):
    monkeypatch.setattr(training, "LOW_PRECISION_ON", ("cuda",))
    run = stages.stage1(tiny(), Stills(data, np.arange(12), 4), TrainConfig(1, precision="bfloat16"), NONE)
    assert run.autocast is None
    with pytest.raises(ValueError, match="precision 'half', known: float32, bfloat16, float16"):
        TrainConfig(1, precision="half")
