"""What a training costs is counted before it: against sums by hand, and against what the papers' networks have."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from rednet_core.eccv import EccvConfig
from rednet_core.rednet import NetConfig
from rednet_core.training import TrainConfig
from rednet_lab.workbench import gpu_check, train
from rednet_lab.workbench.price import PASSES, agreed, cost, multiply_adds, planned, price
from rednet_lab.workbench.profiles import PROFILES
from rednet_lab.workbench.stages import suited
from tests.helpers import tiny, tiny_net


def test_work_grows_with_the_picture_and_with_the_steps():
    one, larger = (multiply_adds(tiny(input_size=size)) for size in (32, 64))
    assert larger == pytest.approx(4 * one)
    assert multiply_adds(tiny(steps=("detection",) * 3)) > 1.3 * multiply_adds(tiny(steps=("detection",) * 2))


def test_what_is_kept_for_the_backward_pass_is_what_autograd_keeps():
    """Counted on meta against the same hooks on real tensors, which hold real memory."""
    net, seen = tiny_net().train(), {}
    own = {p.data_ptr() for p in net.parameters()}

    def keep(t: torch.Tensor) -> torch.Tensor:
        if t.numel() and t.untyped_storage().data_ptr() not in own:
            seen[t.untyped_storage().data_ptr()] = t.untyped_storage().nbytes()
            held.append(t)
        return t

    held: list = []
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda t: t):
        out = net(torch.rand(1, 3, 32, 32), net.first_guess(1))
    targets = sum(8 * m.numel() for m in out.maps)
    assert cost(tiny(), TrainConfig(1)).kept == pytest.approx(sum(seen.values()) + targets, rel=0.05)
    assert cost(tiny(), TrainConfig(1, precision="bfloat16")).kept == cost(tiny(), TrainConfig(1)).kept / 2


@pytest.mark.parametrize(("config", "least", "most"), [(NetConfig(), 70, 80), (EccvConfig(), 30, 37)])
def test_the_papers_networks(config, least, most):
    assert least < multiply_adds(config) / 1e9 < most


def test_a_table_has_the_stages_and_their_sum():
    trainings = gpu_check.chain(PROFILES["smoke"], gpu_check.faces(48), 5, eccv=False)
    table = price(trainings)
    assert list(table["stage"]) == ["journal stills", "journal people", "journal clips", "all"]
    assert table["million pictures"].iloc[-1] == pytest.approx(table["million pictures"][:-1].sum())
    pictures = 5 * trainings[0].plan.batch
    assert table["multiply-adds (1e15)"][0] * 1e15 == pytest.approx(
        pictures * PASSES * multiply_adds(trainings[0].config)
    )
    assert table["memory (GB)"].iloc[-1] == table["memory (GB)"][:-1].max()


def test_a_card_without_bfloat16_has_float16_and_a_processor_float32(monkeypatch):
    wanted = TrainConfig(1, precision="bfloat16")
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda emulated: False)
    assert suited(wanted, torch.device("cuda")).precision == "float16"
    for units, precision in ((True, "bfloat16"), (False, "float32")):
        monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda units=units: units, raising=False)
        assert suited(wanted, torch.device("cpu")).precision == precision
    monkeypatch.delattr(torch.cpu, "_is_avx512_bf16_supported")  # a PyTorch that cannot tell
    assert suited(wanted, torch.device("cpu")).precision == "float32"
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda emulated: True)
    assert suited(wanted, torch.device("cuda")) is wanted


def test_gpu_check_runs_on_a_processor_and_tells_a_loss_that_is_off(monkeypatch):
    table = gpu_check.check(PROFILES["smoke"], torch.device("cpu"), 4)
    assert len(table) == 6 and (table["pictures a second"] > 0).all() and (table["share of the peak"] > 0).all()
    assert not table["loss against the CPU's"].str.contains("FAULT").any()
    losses = iter([np.array([1.0, 1.0]), np.array([1.0, 1.2])] * 6)
    monkeypatch.setattr(gpu_check, "first_losses", lambda *_: next(losses))
    monkeypatch.setattr(gpu_check, "measure", lambda *_: 1.0)
    table = gpu_check.check(PROFILES["smoke"], torch.device("cpu"), 4)
    assert table["loss against the CPU's"].str.contains("FAULT").all()


def test_the_price_is_told_and_nothing_trained(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("REDNET_CACHE", str(tmp_path))
    monkeypatch.setenv("REDNET_PARTS", "1")
    monkeypatch.setattr(train, "train_all", lambda *_: pytest.fail("trained"))
    assert train.main(["--profile", "smoke", "--price"]) == 0
    said = capsys.readouterr().out
    assert "hours, T4" in said and "stage 3" in said and "half-precision peak" in said
    assert "First 162 faces are rendered" in said and not any(tmp_path.iterdir())  # not for the price
    assert train.main(["--profile", "smoke", "--price", "--parts", "2"]) == 0
    parted = capsys.readouterr().out.splitlines()
    assert float(parted[1].split()[-2]) < float(said.splitlines()[1].split()[-2])  # the memory of a part


def test_faces_are_counted_as_they_are_rendered(open_lab):
    real, counted = open_lab(), planned(open_lab())
    for one, other in zip(real.chain + real.eccv_chain(), counted.chain + counted.eccv_chain(), strict=True):
        assert len(one.role.rows) == len(other.role.rows) and one.train == other.train
        assert one.stage != "clips" or one.role.clips(3, 2) == other.role.clips(3, 2)
    assert price(real.chain).equals(price(counted.chain))
    twice = price(counted.chain, 2)
    assert twice["steps"][0] == 2 * price(counted.chain)["steps"][0]


def test_who_can_be_asked_is_asked(open_lab, monkeypatch, capsys):
    lab = planned(open_lab())
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    for answer, goes_on in (("y", True), ("", False), ("no", False)):
        monkeypatch.setattr("builtins.input", lambda _, answer=answer: answer)
        assert agreed(lab, lab.chain, False) is goes_on
    assert agreed(lab, lab.chain, True)


def test_the_gpu_profile_takes_a_step_on_a_processor():
    """Two pictures, two clips: bfloat16 and float32 agree, stage by stage."""
    cpu, before = torch.device("cpu"), None
    for training in gpu_check.chain(PROFILES["gpu"], gpu_check.faces(64), 1, eccv=False):
        training = replace(training, plan=replace(training.plan, frames=min(training.plan.frames, 2)))
        plain = replace(training, changes=(("precision", "float32"),))
        one, other = (gpu_check.first_losses(each, before, cpu) for each in (plain, training))
        np.testing.assert_allclose(one, other, rtol=gpu_check.AGREES)
        before = replace(training, plan=replace(training.plan, batch=2)).trainer(before, cpu).net
