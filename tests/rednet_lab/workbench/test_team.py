"""Two processes train one network together, and end with the weights of one; so do parts of a batch."""

import subprocess
import sys
from dataclasses import replace

import pytest
import torch

from rednet_core import checkpoint
from rednet_core.batches import Stills
from rednet_lab.names import ROOT
from rednet_lab.workbench import stages, team, train
from tests.helpers import make_data
from tests.rednet_lab.workbench import together


def torchrun(*arguments) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    return subprocess.run(
        [*command, together.__file__, *map(str, arguments)], cwd=ROOT, capture_output=True, text=True, timeout=300
    )


@pytest.mark.skipif(sys.platform == "win32", reason="torchrun has no gloo of its own there")
def test_two_processes_end_as_one_though_one_of_them_is_lost_on_the_way(tmp_path):
    """All three stages of both networks, with missing points and unknown persons, unevenly shared out."""
    torch.set_num_threads(1)
    for name in ("alone", "two"):
        (tmp_path / name).mkdir()
    together.train(tmp_path / "alone")
    broken = torchrun(tmp_path / "two", "die")
    assert broken.returncode and not (tmp_path / "two" / "weights.pt").exists()
    assert checkpoint.read(tmp_path / "two" / "journal2.pt")["step"] in (1, 2)
    resumed = torchrun(tmp_path / "two")
    assert resumed.returncode == 0, resumed.stderr[-2000:]
    alone, two = (checkpoint.read(tmp_path / name / "weights.pt") for name in ("alone", "two"))
    trained = [name for name in alone if isinstance(alone[name], dict)]
    assert len(trained) == 9
    for name in trained:
        for key, value in alone[name].items():
            torch.testing.assert_close(two[name][key], value, atol=2e-4, rtol=1e-4, msg=f"{name} {key}")


def test_a_batch_that_cannot_be_shared_is_refused(monkeypatch):
    drawn = Stills(make_data([(0, range(4))]), range(4), 3)
    assert team.join(drawn)["team"] is None

    def two() -> team.Team:
        found = object.__new__(team.Team)
        found.share = (0, 2)
        return found

    monkeypatch.setattr(team, "team", two)
    with pytest.raises(ValueError, match="a batch of 3 cannot be shared by 2 processes"):
        team.join(drawn)


@pytest.mark.parametrize("name", ["journal", "parted"])
@pytest.mark.parametrize("stage", [1, 2, 3])
def test_a_batch_in_parts_has_the_gradients_of_the_whole(stage, name):
    """Up to rounding without batch norm; with it each part has its own statistics, and the running ones move once."""
    whole, parts = (together.trainer(name, stage, parts=count) for count in (1, 2))
    one, other = whole.train_step(), parts.train_step()
    seen = [torch.cat([p.grad.flatten() for p in run.net.parameters()]) for run in (whole, parts)]
    off = float((seen[0] - seen[1]).norm() / seen[0].norm())
    if name == "parted":
        assert off < 1e-5 and one[1:4] == pytest.approx(other[1:4], rel=1e-5, nan_ok=True)
        return
    assert 1e-3 < off
    stem = [run.net.backbone.A0.convs[0].norm for run in (whole, parts)]  # of the pictures, which are the same
    torch.testing.assert_close(*(norm.running_mean for norm in stem), rtol=0.1, atol=1e-3)
    assert stem[1].momentum == stem[0].momentum


def test_a_training_in_parts_goes_on_in_the_middle(tmp_path):
    path = tmp_path / "run.pt"
    whole = together.trainer("journal", 2, parts=2)
    whole.run()
    together.trainer("journal", 2, parts=2, checkpoint_path=path).run(until=1)
    rest = together.trainer("journal", 2, parts=2, checkpoint_path=path)
    assert rest.step == 1
    rest.run()
    for one, other in zip(whole.net.state_dict().values(), rest.net.state_dict().values(), strict=True):
        assert torch.equal(one, other)


def test_parts_are_even():
    with pytest.raises(ValueError, match="8 pictures, or clips, in 3 parts"):
        together.trainer("journal", 1, parts=3).train_step()


def test_a_stage_that_cannot_be_shared_is_left_to_another_number_of_processes(open_lab, monkeypatch, capsys):
    lab, both = open_lab(), object.__new__(team.Team)
    both.share, both.lead = (0, 3), True
    monkeypatch.setattr(train, "team", lambda: both)
    for name in ("broadcast", "barrier"):
        monkeypatch.setattr(torch.distributed, name, lambda *_: None)
    monkeypatch.setattr(lab, "trained", lambda _: pytest.fail("trained"))
    train.train_all(lab, [replace(lab.chain[0], seed=5)])
    assert "stage 1: 3 processes cannot share batches of 4 evenly" in capsys.readouterr().out


@pytest.mark.parametrize(("wanted", "found"), [(2, 2), (3, 4), (9, 4)])
def test_parts_are_the_next_number_that_is_even(open_lab, monkeypatch, wanted, found):
    asked = []
    monkeypatch.setattr(stages, "in_parts", lambda net, parts: asked.append(parts))
    replace(open_lab().chain[0], parts=wanted).trainer(None, torch.device("cpu"))
    assert asked == [found]
