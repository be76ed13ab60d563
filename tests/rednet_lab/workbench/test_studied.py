"""The network that a notebook studies: the shipped one with a branch of its own, or this run's, and what is said."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from rednet_core import stages
from rednet_lab.workbench import stages as lab_stages
from rednet_lab.workbench import studied
from rednet_lab.workbench.cache import BusyError, asset, without


@pytest.fixture
def lab(open_lab, monkeypatch):
    monkeypatch.setattr(studied, "CLIPS", {"tiny": 2})
    monkeypatch.setattr(studied, "LOOKS", {"tiny": 40})
    return open_lab()


@pytest.mark.parametrize(("stage", "own"), [(1, ""), (2, "f_cls"), (3, "f_trn")])
def test_a_branch_is_trained_and_nothing_else_of_the_shipped_network_changes(lab, stage, own):
    net, shipped = lab.network("shipped", stage), lab.shipped.state_dict()
    state = net.state_dict()
    assert all(torch.equal(state[name], value) for name, value in shipped.items())
    assert {name.partition(".")[0] for name in state.keys() - shipped.keys()} == ({own} if own else set())
    again = lab.network("shipped", stage).state_dict()
    assert all(torch.equal(again[name], value) for name, value in state.items())
    if own == "f_trn":
        assert float(state["f_trn.spread.weight"].abs().max()) > 0  # it began as no update at all


def test_where_the_processor_has_no_bfloat16_f_trn_is_not_trained_in_it(lab, monkeypatch):
    # Emulated, a step takes ten times as long: notebook 38 twenty minutes.
    monkeypatch.setattr(lab_stages, "has_bfloat16", lambda device: False)
    plan, seen, stage3 = lab.profile.stage3, [], stages.stage3
    low = replace(plan, train=replace(plan.train, precision="bfloat16"))
    monkeypatch.setattr(lab, "profile", replace(lab.profile, stage3=low))

    def watched(net, clips, train, *arguments, **choices):
        seen.append(train.precision)
        return stage3(net, clips, train, *arguments, **choices)

    monkeypatch.setattr(stages, "stage3", watched)
    lab.network("shipped", 3)
    assert seen == ["float32"]


def test_the_recogniser_learns_the_persons_that_it_is_shown(lab):
    role, net = lab.source.people(), lab.network("shipped", 2)
    tracker = studied.Tracker(net)
    tracker.start(studied.own_boxes(role.data, role.rows, net.markup))
    said = tracker.update(role.data.crops[role.rows]).prediction.identity.argmax(1).numpy()
    labels = studied.person_labels(role.data, role.rows)[role.data.table["identity"][role.rows]]
    assert np.mean(said == labels) > 0.6  # of three


def test_a_choice_that_is_none_is_refused(lab):
    with pytest.raises(ValueError, match="weights 'yours', known: shipped, mine"):
        lab.network("yours")


def test_what_was_not_trained_here_is_none_and_is_not_trained_for_that(open_lab, cache, monkeypatch):
    lab = open_lab()
    monkeypatch.setenv("REDNET_CACHE", str(cache))
    assert lab.mine(3) is None and not list(cache.glob("tiny-*"))
    with without("make"), pytest.raises(BusyError):
        asset("x", {"a": 1}, lambda folder: None)
    assert asset("x", {"a": 1}, lambda folder: None)[0].exists()


def test_the_two_networks_are_drawn_beside_each_other_where_both_are_there(lab, capsys):
    assert lab.mine() is not None or lab.stage1
    lab.beside("shipped")
    said = capsys.readouterr().out
    assert "trained here:" in said and "shipped:" in said and "both_networks" in lab.results.entries["figures"]


def test_a_reader_at_the_screen_is_told_how_long_all_trainings_take(lab, capsys, monkeypatch):
    monkeypatch.delenv("REDNET_BATCH")
    training = lab.chain[2]
    with lab.waited_for(training), lab.waited_for(lab.chain[1]), lab.waited_for(lab.chain[0]):
        say = lab.told(lab.chain[0])
        for _ in range(studied.TIMED + 2):
            say(None, None)
    assert not lab.waiting
    said = capsys.readouterr().out
    assert said.count("stage 1, stage 2, stage 3: not in the cache, trained now and kept; about ") == 1
