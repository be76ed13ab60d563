"""The workbench: what it refuses, stages trained once and kept, a training that was stopped goes on."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from rednet_core.eccv import RATIO, EccvNet
from rednet_core.markup import MARKUPS
from rednet_core.rednet import RedNet
from rednet_core.training import COLUMNS
from rednet_lab.names import THREADS, DeviceError, device_name
from rednet_lab.progress import Progress
from rednet_lab.show import plots
from rednet_lab.workbench import lab as module
from rednet_lab.workbench import stages as assembly
from rednet_lab.workbench.lab import choose_device
from tests.rednet_lab.conftest import TINY


def weights(net):
    return {name: value.clone() for name, value in net.state_dict().items()}


def same(first, second):
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


# ------------------------------------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"profile": "quik"}, "profile 'quik', known: smoke, quick, bench, gpu, full"),
        ({"source": "aflw"}, "source 'aflw', known: face_world, udacity, prepared"),
        ({"device": "gpu"}, "device 'gpu', known: auto, cpu, cuda, mps"),
        ({"data": "faces"}, "data: the face world"),
        ({"source": "udacity"}, "data: name the folder"),
    ],
)
def test_a_choice_that_is_none_is_refused_with_the_choices(open_lab, choice, message):
    with pytest.raises(ValueError, match=message):
        open_lab(**choice)


def test_a_device_that_is_not_here_is_refused_with_the_fix(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert choose_device("auto") == choose_device("cpu") == torch.device("cpu")
    for name in ("cuda", "cuda:1", "mps"):
        with pytest.raises(ValueError, match=f"device '{name}': .* use 'cpu'"):
            choose_device(name)
    chosen = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "set_device", chosen.append)
    assert choose_device("auto") == choose_device("cuda") == torch.device("cuda") and not chosen
    assert choose_device("cuda:1") == torch.device("cuda", 1) and chosen == ["cuda:1"]
    for name in ("cuda:", "cuda:x", "cuda:-1", "cpu:1"):
        with pytest.raises(DeviceError, match="known: auto, cpu, cuda, mps, cuda:N"):
            device_name(name)


# --------------------------------------------------------------------------------------------------------- stages


def test_a_stage_is_trained_once_and_loaded_the_next_time(open_lab, monkeypatch):
    first = open_lab().stage1
    assert isinstance(first.net, RedNet) and not first.net.training and first.columns == COLUMNS
    assert first.history.shape == (4, len(COLUMNS)) and torch.isfinite(first.history[:, 0]).all()
    assert first.seconds > 0 and set(first.factors) >= {"regression"}

    def again(*_, **__):
        pytest.fail("trained a second time")

    monkeypatch.setattr(assembly.stages, "stage1", again)
    lab = open_lab("20_b")
    second = lab.stage1
    assert lab.stage1 is second
    assert same(weights(first.net), weights(second.net)) and first.net.config == second.net.config
    torch.testing.assert_close(first.history, second.history, equal_nan=True)
    assert (first.seconds, first.factors) == (second.seconds, second.factors)


def test_a_stage_begins_where_the_one_before_ended(open_lab, monkeypatch):
    lab = open_lab()
    started = {}
    for name in ("stage2", "stage3"):
        real = getattr(assembly.stages, name)

        def spy(net, *rest, real=real, name=name, **choices):
            started[name] = weights(net)
            return real(net, *rest, **choices)

        monkeypatch.setattr(assembly.stages, name, spy)
    third = lab.stage3
    assert third.net.f_trn is not None and third.net.config.hidden == TINY.hidden
    assert lab.stage2.net.config.identities == TINY.people[0] and lab.stage2.net.f_trn is None
    assert lab.stage1.net.config.identities == 0
    assert not started or same(started["stage3"], weights(lab.stage2.net))
    # What was trained before is in what was trained after, and has moved.
    for before, after in ((lab.stage1.net, lab.stage2.net), (lab.stage2.net, third.net)):
        moved = (before.heads["regression"].weight - after.heads["regression"].weight).abs().max()
        assert 0 < moved < 0.2
        torch.testing.assert_close(before.mean_shape, after.mean_shape)


def test_another_choice_is_another_training(open_lab):
    lab = open_lab()
    last = lab.chain[2]
    without = lab.trained(replace(last, config=replace(last.config, temporal=False)))
    assert without.net.f_trn is None and lab.stage3.net.f_trn is not None
    assert lab.demo("tour").net.config == TINY.net
    assert lab.demo("another name").folder == lab.demo("tour").folder  # equal configurations are trained once
    assert lab.demo("shared", step_statistics=False).net.config == replace(TINY.net, step_statistics=False)


def test_the_eccv_network_is_trained_and_kept_the_same_way(open_lab, monkeypatch):
    lab = open_lab()
    plain, probs = lab.demo_eccv(), lab.demo_eccv("probs", feedback="prob_maps", regression=False)
    assert isinstance(plain.net, EccvNet) and plain.net.config == TINY.eccv
    assert probs.net.config == replace(TINY.eccv, feedback="prob_maps", regression=False)
    # Its losses are weighed by its own ratio, not by the journal's.
    first = plain.history[: TINY.eccv_demo.train.steps].mean(0)
    assert plain.factors["regression"] == pytest.approx(float(RATIO[1] * first[0] / first[1]), rel=1e-4)
    monkeypatch.setattr(assembly.stages, "stage1", lambda *_, **__: pytest.fail("trained a second time"))
    again = open_lab("20_c").demo_eccv()
    assert same(weights(plain.net), weights(again.net))


def test_data_are_marked_as_a_network_wants_them(open_lab):
    lab = open_lab()
    data, markup = lab.source.stills().data, MARKUPS[lab.profile.net.markup]
    assert lab.marked(data, "ibug68") is data
    seven = lab.marked(data, "seven")
    np.testing.assert_array_equal(seven.table["points"], data.table["points"][:, list(markup.seven)])
    assert seven.crops is data.crops


def test_seed_and_settings_have_their_own_assets(open_lab, monkeypatch):
    places = []

    def remember(kind, key, make, **_):
        places.append((kind, json.dumps(key, sort_keys=True)))
        raise InterruptedError

    fingerprint = open_lab().source.stills().data.fingerprint
    monkeypatch.setattr(module, "asset", remember)
    for seed, changes in ((0, {}), (1, {}), (0, {"stage1": replace(TINY.stage1, batch=5)}), (0, {})):
        lab = open_lab()
        lab.seed, lab.profile = seed, replace(TINY, **changes)
        with pytest.raises(InterruptedError):
            _ = lab.stage1
    assert len(set(places)) == 3 and places[0] == places[3]
    assert places[0][0] == "tiny-stills" and fingerprint in places[0][1]
    assert all(f'"{name}"' in places[0][1] for name in ("device", "threads", "torch", "code"))


def test_trainings_have_the_same_threads_on_any_machine_and_their_key_and_stamp_say_so(open_lab, monkeypatch):
    torch.set_num_threads(1)
    lab = open_lab()
    training = lab.training("threads", "stills", TINY.net, TINY.demo)
    assert torch.get_num_threads() == training.key(lab.device)["threads"] == lab.results.stamp["threads"] == THREADS
    monkeypatch.setattr(torch, "get_num_threads", lambda: THREADS + 1)
    assert training.key(lab.device)["threads"] == THREADS + 1  # another number is another training


class Stopped(BaseException):
    """As from a keyboard: nothing in the way shall catch it."""


@pytest.mark.parametrize("after", [1, 3])
def test_a_training_that_was_stopped_goes_on_and_ends_the_same(open_lab, monkeypatch, tmp_path, after):
    lab = open_lab()
    changes = (("steps", 5), ("checkpoint_seconds", 0.0))
    training = replace(lab.training("whole", "stills", TINY.net, TINY.demo), changes=changes, seed=after)
    whole = lab.trained(training)
    key = assembly.digest(training.key(lab.device))
    monkeypatch.setenv("REDNET_CACHE", str(tmp_path / "cache"))
    with monkeypatch.context() as patch:

        def stop(progress, done, total, note=""):
            assert total == 5 and "l_r" in note
            if done == after:
                raise Stopped

        patch.setattr(Progress, "__call__", stop)
        with pytest.raises(Stopped):
            lab.trained(training)
    (folder,) = (tmp_path / "cache").glob(f"*-{key}")
    assert (folder / "run.pt").exists() and not (folder / "complete.json").exists()
    cut = lab.trained(training)
    assert json.loads((folder / "complete.json").read_text())["resumed_at"] == after
    assert same(weights(whole.net), weights(cut.net))
    torch.testing.assert_close(whole.history, cut.history, equal_nan=True)
    assert whole.factors == cut.factors
    assert not (folder / "run.pt").exists() and (folder / "net.pt").exists()  # what it needed is gone


# -------------------------------------------------------------------------------------------------------- results


def test_results_go_to_the_runs_folder_with_the_facts_in_their_captions(open_lab, tiny_world, monkeypatch):
    lab = open_lab("99_results", seed=3)
    told = []  # what goes with each picture into the notebook
    monkeypatch.setattr("rednet_lab.workbench.lab.display", lambda figure, metadata: told.append(metadata))
    picture = np.zeros((20, 20, 3), np.uint8)
    lab.figure(plots.grid([picture], 1, 2), "one", "A figure", "nothing on it")
    lab.pictures([picture, picture], 2, "two", "Pictures", "nothing", hero=True)
    lab.table(pd.DataFrame({"a": [1]}), "three", "A table")
    assert lab.number("n", 2, "%") == 2
    assert [metadata["image/png"]["alt"] for metadata in told] == ["nothing on it", "nothing"]
    folder = tiny_world / "out" / "tiny-seed3" / "99_results"
    assert {path.name for path in folder.iterdir()} == {"one.svg", "two.png", "three.csv", "results.json"}
    results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    assert [item["caption"] for item in [*results["figures"], *results["tables"]]] == [
        f"{what} (profile tiny, the embedded face world, seed 3)" for what in ("A figure", "Pictures", "A table")
    ]
    stamp = results["stamp"]
    assert (stamp["profile"], stamp["source"], stamp["seed"], stamp["device"]) == ("tiny", "face_world", 3, "cpu")
    assert not lab.live  # in batch
    monkeypatch.delenv("REDNET_BATCH")
    assert lab.live


def test_a_relative_folder_is_one_of_the_checkout(open_lab):
    assert open_lab(out="figures").folder == module.ROOT / "figures" / "tiny"


def test_real_faces_are_trained_on_like_made_ones(open_lab, udacity):
    lab = open_lab(source="udacity", data=str(udacity))
    assert lab.stage1.net.markup.n_points == 68
    assert lab.run == "tiny-udacity" and "real faces" in lab.caption
    assert lab.results.stamp["data"] == udacity.name  # says which data, not where
