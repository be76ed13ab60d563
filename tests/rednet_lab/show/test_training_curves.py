"""The training dashboard: it shows what the history says, and a watched training is the same training."""

from pathlib import Path

import numpy as np
import pytest
import torch

from rednet_core import stages
from rednet_core.augment import NONE
from rednet_core.batches import Stills
from rednet_core.markup import IBUG68
from rednet_core.training import COLUMNS, TrainConfig
from rednet_lab.show import training_curves
from rednet_lab.show.trace import faces_of
from rednet_lab.show.training_curves import Dashboard, curves, watched
from rednet_lab.workbench.lab import Trained
from tests.helpers import tiny

STEPS = 6


def train(faces, *callbacks):
    config = TrainConfig(STEPS, "adamw", 1e-3, schedule="one_cycle")
    run = stages.stage1(tiny(), Stills(faces, np.arange(8), 4, config.seed), config, NONE, callbacks=callbacks)
    return run, run.run()


@pytest.fixture(scope="module")
def some(faces):
    return faces_of(faces, np.array([0, 5]), IBUG68)


@pytest.fixture(scope="module")
def unwatched(faces):
    torch.set_num_threads(1)
    return train(faces)


def test_a_watched_training_ends_with_the_same_weights_bit_for_bit(faces, some, unwatched, monkeypatch):
    monkeypatch.setattr(training_curves, "PAINTS", 0.0)
    monkeypatch.setattr(training_curves, "LOOKS", 0.0)
    dashboard = Dashboard(some)
    dashboard.shown = True  # no screen here
    run, history = train(faces, dashboard.watcher("stage 1"))
    plain, old = unwatched
    torch.testing.assert_close(history, old, rtol=0, atol=0, equal_nan=True)
    for name, value in plain.net.state_dict().items():
        assert torch.equal(value, run.net.state_dict()[name]), name
    assert len(dashboard.errors) >= 2 and dashboard.errors[-1][0] == STEPS and dashboard.strip is not None
    assert (
        len(dashboard.image.value) > 1000
        and "stage 1" in dashboard.status.value
        and "0:00 left" in dashboard.status.value
    )


def test_without_a_screen_it_writes_lines(faces, some):
    said = []
    dashboard = Dashboard(some, live=False, say=said.append)
    _, history = train(faces, dashboard.watcher("stage 1"))
    assert len(said) == STEPS and not dashboard.shown  # at most ten; each of six steps is one of them
    assert said[-1].startswith(f"stage 1: step {STEPS} of {STEPS}, l_d {history[-1, 0]:.4g}, l_r {history[-1, 1]:.4g}")
    assert "l_cls" not in said[-1] and said[-1].endswith("0:00 left")


def test_a_finished_training_is_shown_from_its_history(some, unwatched):
    run, history = unwatched
    trained = Trained(run.net, history, COLUMNS, 60.0, {}, Path())
    dashboard = Dashboard(some)
    widget = dashboard.replay(trained)
    assert f"step {STEPS} of {STEPS}" in widget.status.value and "0:00 left" in widget.status.value
    for control, value in (("smooth", 2), ("step", 3)):
        before = widget.image.value
        widget.controls[control].value = value
        assert widget.image.value != before, control
    assert f"l_d {history[2, 0]:.4g}" in widget.status.value and "0:30 left" in widget.status.value
    picture = dashboard.picture(history.numpy(), 3, STEPS, 1)
    assert picture.shape[0] > curves(history.numpy(), 3, STEPS, 1).shape[0]  # the faces stand below


def test_later_steps_do_not_show_in_an_earlier_picture(unwatched):
    history = unwatched[1].numpy()
    changed = history.copy()
    changed[4] = history[1]  # within the range that the axes have anyway
    np.testing.assert_array_equal(curves(history, 4, STEPS, 2), curves(changed, 4, STEPS, 2))
    assert (curves(history, 6, STEPS, 2) != curves(changed, 6, STEPS, 2)).any()


def test_the_lab_has_its_trainings_watched(open_lab, cache):
    lab, said = open_lab(), []
    lab.watchers.append(lambda name: lambda run, record: said.append((name, record.step)))
    lab.demo("watched")
    assert said == [("demo-watched", 0), ("demo-watched", 1)]
    lab.demo("watched")  # from the cache
    assert len(said) == 2
    result, dashboard = watched(lab, lambda: lab.demo("watched").seconds, [])
    assert result > 0 and not dashboard.live and len(lab.watchers) == 1
