"""Checkpoints: whole or absent, read without running anybody's code, and clear about what is wrong."""

import os
import pickle
from dataclasses import asdict

import pytest
import torch

from rednet_core import checkpoint
from rednet_core.checkpoint import CheckpointError
from tests.helpers import settle, tiny, tiny_net


def same_weights(one, other):
    one, other = one.state_dict(), other.state_dict()
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def pictures(n=2):
    generator = torch.Generator().manual_seed(1)
    return torch.rand(n, 3, 32, 32, generator=generator), torch.rand(n, 7, 16, 16, generator=generator)


# -------------------------------------------------------------------------------------------------- round trips


def test_what_is_written_is_read(tmp_path):
    content = {"a": torch.arange(5), "b": {"c": [1, 2.5, "x"], "d": (True, None)}}
    checkpoint.write(tmp_path / "new" / "folder" / "file.pt", content)
    found = checkpoint.read(tmp_path / "new" / "folder" / "file.pt")
    assert torch.equal(found["a"], content["a"]) and found["b"] == content["b"]
    assert sorted(os.listdir(tmp_path / "new" / "folder")) == ["file.pt"]


@pytest.mark.parametrize(
    "changes", [{}, {"temporal": True, "identities": 3, "update": "residual"}, {"markup": "seven"}]
)
def test_a_network_comes_back_as_it_was(tmp_path, changes):
    net = settle(tiny_net(**changes))
    checkpoint.save_net(tmp_path / "net.pt", net, stage=2, note="a fact")
    back = checkpoint.load_net(tmp_path / "net.pt")
    assert back.config == net.config and same_weights(net, back) and not back.training
    with torch.no_grad():
        assert torch.equal(back(*pictures()).maps[-1], net(*pictures()).maps[-1])
    assert checkpoint.read(tmp_path / "net.pt")["facts"] == {"stage": 2, "note": "a fact"}


def test_a_configuration_comes_back_as_it_was():
    config = tiny(steps=("detection",) * 3, temporal=True)
    plain = asdict(config)
    assert checkpoint.config_from_plain(plain) == config
    as_lists = {k: list(v) if isinstance(v, tuple) else v for k, v in plain.items()}
    assert checkpoint.config_from_plain(as_lists) == config


def test_a_configuration_from_another_version_is_named():
    plain = asdict(tiny())
    with pytest.raises(CheckpointError, match="colour"):
        checkpoint.config_from_plain({**plain, "colour": "green"})
    with pytest.raises(CheckpointError, match="design 'resnet51'"):
        checkpoint.config_from_plain({**plain, "design": "resnet51"})


# ------------------------------------------------------------------------------------------------------- safety


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "file.pt"
    checkpoint.write(path, {"step": 1})
    before = path.read_bytes()

    def fails(content, file):
        file.write(b"half of it")
        raise OSError("No space left on device")

    monkeypatch.setattr(torch, "save", fails)
    with pytest.raises(OSError, match="No space left"):
        checkpoint.write(path, {"step": 2})
    assert path.read_bytes() == before and os.listdir(tmp_path) == ["file.pt"]


def test_a_crash_before_the_last_moment_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "file.pt"
    checkpoint.write(path, {"step": 1})

    def killed(source, target):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        checkpoint.write(path, {"step": 2})
    assert checkpoint.read(path)["step"] == 1 and os.listdir(tmp_path) == ["file.pt"]


class Bomb:
    """Unpickling this opens a file: what a hostile checkpoint would do, harmlessly."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return open, (self.path, "w")


@pytest.mark.parametrize("how", ["pickle", "torch"])
def test_a_foreign_pickle_is_refused_and_its_code_is_not_run(tmp_path, how):
    path, mark = tmp_path / "evil.pt", tmp_path / "it ran"
    with open(path, "wb") as file:
        if how == "pickle":
            pickle.dump({"format": 1, "net": Bomb(mark)}, file, protocol=2)
        else:
            torch.save({"format": 1, "net": Bomb(mark)}, file)
    with pytest.raises(CheckpointError, match="evil.pt: not a readable checkpoint") as caught:
        checkpoint.read(path)
    assert not mark.exists()
    assert "weights_only" not in str(caught.value)  # torch's advice to load it all the same is not passed on
    pickle.loads(pickle.dumps(Bomb(mark)))
    assert mark.exists()  # the bomb works, so the test above could have failed


@pytest.mark.parametrize("keep", [0, 1, 100, 0.5, -1])
def test_a_truncated_file_is_named(tmp_path, keep):
    path = tmp_path / "cut.pt"
    checkpoint.save_net(path, tiny_net())
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * keep) if isinstance(keep, float) else keep])
    with pytest.raises(CheckpointError, match="cut.pt.*remove it and train again"):
        checkpoint.load_net(path)


@pytest.mark.parametrize(
    "content", [{"format": 99}, {}, [1, 2], torch.zeros(3)], ids=["newer", "none", "list", "tensor"]
)
def test_another_format_is_named(tmp_path, content):
    path = tmp_path / "other.pt"
    torch.save(content, path)
    with pytest.raises(CheckpointError, match=r"other.pt: not a checkpoint of this version \(format 1\)"):
        checkpoint.read(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(CheckpointError, match="absent.pt: no such checkpoint"):
        checkpoint.read(tmp_path / "absent.pt")


def test_a_folder_is_no_checkpoint(tmp_path):
    with pytest.raises(CheckpointError, match="not a readable checkpoint"):
        checkpoint.read(tmp_path)


@pytest.mark.parametrize(
    "content, problem",
    [
        ({}, "holds no network"),
        ({"config": {"colour": 1}, "net": {}}, "configuration not understood"),
        ({"config": asdict(tiny()), "net": {}}, "holds no network"),
    ],
)
def test_a_checkpoint_without_a_network_is_named(tmp_path, content, problem):
    checkpoint.write(tmp_path / "odd.pt", content)
    with pytest.raises(CheckpointError, match=f"odd.pt: .*{problem}"):
        checkpoint.load_net(tmp_path / "odd.pt")


# ------------------------------------------------------------------------------------------------------ growing


def test_growing_copies_everything_and_adds_what_is_new():
    net = settle(tiny_net())
    grown = checkpoint.grow(net, identities=4, temporal=True)
    assert grown.config.identities == 4 and grown.config.temporal and grown.f_cls is not None
    for name, value in net.state_dict().items():
        assert torch.equal(grown.state_dict()[name], value), name
    new = set(grown.state_dict()) - set(net.state_dict())
    assert {name.split(".")[0] for name in new} == {"f_cls", "f_trn"}
    assert all(a is not b for a, b in zip(grown.parameters(), net.parameters(), strict=False))
    grown.mean_shape.zero_()
    assert (net.mean_shape != 0).any()  # a copy, not the same memory


def test_growing_with_a_residual_f_trn_does_not_change_the_answers():
    net = settle(tiny_net())
    grown = checkpoint.grow(net, temporal=True, update="residual").eval()
    with torch.no_grad():
        assert torch.equal(grown(*pictures()).maps[1], net(*pictures()).maps[1])


def test_other_persons_get_a_new_last_layer_and_keep_the_rest():
    net = tiny_net(identities=4)
    grown = checkpoint.grow(net, identities=6)
    assert grown.f_cls.classify.weight.shape[0] == 6
    assert torch.equal(grown.f_cls.squeeze.weight, net.f_cls.squeeze.weight)
    assert torch.equal(grown.heads["regression"].weight, net.heads["regression"].weight)


def test_growing_to_nothing_new_is_a_copy():
    net = settle(tiny_net(identities=2))
    assert same_weights(checkpoint.grow(net), net)


def test_shrinking_drops_what_is_not_wanted():
    net = tiny_net(identities=4, temporal=True)
    small = checkpoint.grow(net, identities=0, temporal=False)
    assert small.f_cls is None and small.f_trn is None
    assert torch.equal(small.backbone.A0.convs[0].conv.weight, net.backbone.A0.convs[0].conv.weight)


def test_weights_named_as_fresh_start_anew_and_only_those():
    net = tiny_net(identities=4)
    grown = checkpoint.grow(net, ("f_cls.classify",), identities=4)
    changed = {k for k, v in grown.state_dict().items() if not torch.equal(v, net.state_dict()[k])}
    assert changed == {"f_cls.classify.weight"}  # its bias is zero in both
