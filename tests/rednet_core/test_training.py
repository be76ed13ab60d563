"""The training loop: its arithmetic by hand, and that a killed run ends as if nothing had happened."""

import math
import os
import random
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from data_prep.synthetic import SyntheticClips
from rednet_core import checkpoint, inputs, objective, training
from rednet_core.augment import NONE
from rednet_core.batches import Clips, Stills
from rednet_core.checkpoint import CheckpointError
from rednet_core.training import COLUMNS, TrainConfig, Trainer, make_optimiser
from tests.helpers import make_data, tiny_net

ROOT = Path(__file__).resolve().parents[2]


def trainer(kind="stills", path=None, callbacks=(), net_changes=None, noise=0, **changes):
    """A small Trainer: "stills" is stage 1, "identity" stage 2 with dropout, "clips" and "synthetic" stage 3."""
    videos = [(k, range(6)) for k in range(5)]
    data = make_data(videos, size=40)
    rows = np.arange(30)
    net_changes = dict(net_changes or {})
    if kind == "stills":
        draw, make = Stills(data, rows, 4, seed=1), inputs.still_inputs
    elif kind == "identity":
        draw, make = Stills(data, rows, 4, seed=1), inputs.still_inputs
        net_changes |= {"identities": 5}
    else:
        source = Clips if kind == "clips" else SyntheticClips
        draw, make = source(data, rows, 2, frames=3, seed=1), partial(inputs.clip_inputs, kind=source)
        net_changes |= {"temporal": True, "identities": 5}
    net = tiny_net(seed=3, **net_changes)
    torch.rand(noise)  # numbers that somebody else draws
    config = TrainConfig(**{"steps": 12, "rate": 0.01, "checkpoint_seconds": 0.0, **changes})
    return Trainer(net, config, draw.batch, make, path, callbacks)


def weights(net):
    return {name: value.detach().clone() for name, value in net.state_dict().items()}


def assert_same(one, other):
    assert one.keys() == other.keys()
    for name in one:
        assert torch.equal(one[name], other[name]), name


# --------------------------------------------------------------------------------------------------- arithmetic


def recorded(kind="stills", **changes):
    """A trainer that remembers the inputs of every step."""
    run, seen = trainer(kind, **changes), []
    make = run.make_inputs

    def remember(*args):
        seen.append(make(*args))
        return seen[-1]

    run.make_inputs = remember
    return run, seen


def gradients(net, given, factors, weight):
    """Gradient of the weighted sum of the terms on these inputs."""
    net.train().zero_grad()
    out = net(given.x, given.z0, given.frames)
    raw = objective.terms(net, out, given, weight)
    sum(factors[name] * value for name, value in raw.items()).backward()
    return {name: p.grad.clone() for name, p in net.named_parameters()}, raw


def test_two_steps_are_sgd_with_momentum_by_hand():
    run, seen = recorded(rate=0.05, momentum=0.9, weight_decay=0.01, schedule="constant")
    reference = trainer().net  # the same weights
    state = weights(reference)
    velocity = {name: torch.zeros_like(p) for name, p in reference.named_parameters()}
    sums = {"detection": 0.0, "regression": 0.0}
    for step in range(2):
        record = run.train_step()
        run.step += 1
        # lambda of Eq. 8: ten times the detection term, on the means so far
        _, raw = gradients(reference, seen[step], {"detection": 1.0, "regression": 1.0}, 15.0)
        reference.load_state_dict(state)  # the look at the terms moved the running statistics
        sums = {name: sums[name] + float(raw[name].detach()) for name in sums}
        factors = {"detection": 1.0, "regression": 10 * sums["detection"] / sums["regression"]}
        gradient, raw = gradients(reference, seen[step], factors, 15.0)
        assert record.detection == pytest.approx(float(raw["detection"].detach()), rel=1e-4)
        assert record.regression == pytest.approx(float(raw["regression"].detach()), rel=1e-4)
        assert math.isnan(record.identity)
        expected = record.detection + factors["regression"] * record.regression
        assert record.total == pytest.approx(expected, rel=1e-4)
        with torch.no_grad():
            for name, p in reference.named_parameters():
                decay = 0.01 if p.ndim > 1 else 0.0
                velocity[name] = 0.9 * velocity[name] + gradient[name] + decay * p
                p -= 0.05 * velocity[name]
        state = weights(reference)
        for name, value in weights(run.net).items():
            torch.testing.assert_close(value, state[name], atol=2e-5, rtol=1e-3, msg=lambda m, n=name: f"{n}: {m}")


def test_one_step_of_adamw_by_hand():
    run, seen = recorded(rate=0.003, optimiser="adamw", weight_decay=0.1, schedule="constant")
    reference = trainer().net
    state = weights(reference)
    _, raw = gradients(reference, seen_inputs(run), {"detection": 1.0, "regression": 1.0}, 15.0)
    factors = {"detection": 1.0, "regression": float(10 * raw["detection"].detach() / raw["regression"].detach())}
    reference.load_state_dict(state)
    gradient, _ = gradients(reference, seen_inputs(run), factors, 15.0)
    run.train_step()
    for name, p in reference.named_parameters():
        g = gradient[name]
        clear = g.abs() > 1e-5  # where the gradient is rounding noise, so is its sign
        shrunk = p.detach() * (1 - 0.003 * (0.1 if p.ndim > 1 else 0))
        expected = shrunk - 0.003 * g / (g.abs() + 1e-8)  # the first step of Adam is the gradient's sign
        found = run.net.get_parameter(name).detach()
        torch.testing.assert_close(found[clear], expected[clear], atol=2e-5, rtol=1e-3)
        assert clear.any()


def seen_inputs(run):
    """The inputs that the trainer's next step will see."""
    generator = torch.Generator().manual_seed(run.config.seed * 1_000_003 + run.step)
    return run.make_inputs(run.draw(run.step), run.net, generator)


def test_norms_and_biases_are_not_decayed():
    net = tiny_net(temporal=True, identities=3)
    for optimiser in ("sgd", "adamw"):
        groups = make_optimiser(net, TrainConfig(steps=1, optimiser=optimiser, weight_decay=0.3)).param_groups
        decay = {id(p): group["weight_decay"] for group in groups for p in group["params"]}
        assert len(decay) == len(list(net.parameters()))
        for name, p in net.named_parameters():
            assert decay[id(p)] == (0.0 if "bias" in name or ".norm." in name else 0.3), name


def test_the_rate_follows_the_schedule_and_is_recorded():
    run = trainer(schedule="tenths", steps=10, rate=0.02)
    history = run.run()
    expected = [0.02] * 6 + [0.002] * 3 + [0.0002]
    np.testing.assert_allclose(history[:, COLUMNS.index("rate")], expected, rtol=1e-5)
    assert run.optimiser.param_groups[0]["lr"] == run.optimiser.param_groups[1]["lr"] == pytest.approx(0.0002)


def test_the_papers_settings_are_the_defaults():
    config = TrainConfig(steps=1)
    assert (config.optimiser, config.rate, config.momentum) == ("sgd", 0.01, 0.9)
    assert (config.foreground_weight, config.ratio) == (15, (1, 10, 1))


def test_the_loss_falls_on_a_few_faces():
    data = make_data([(k, [0]) for k in range(6)], size=40)
    stills = Stills(data, np.arange(6), 6)
    net = tiny_net(seed=0, sigma=10.0, radius=10.0)
    config = TrainConfig(steps=90, optimiser="adamw", rate=0.02, schedule="one_cycle")
    run = Trainer(net, config, stills.batch, partial(inputs.still_inputs, how=NONE))
    history = run.run()
    for term, share in (("detection", 0.5), ("regression", 0.2)):
        values = history[:, COLUMNS.index(term)]
        assert values[-5:].mean() < share * values[:5].mean(), term
    assert not net.training
    given = inputs.still_inputs(stills.batch(0), net, torch.Generator(), NONE)
    with torch.no_grad():
        found = net.points(net(given.x, given.z0))
    assert (found - given.points).norm(dim=-1).mean() < 2.0  # of 32 pixels


def test_history_and_callbacks_see_every_step():
    seen = []
    run = trainer("identity", steps=4, callbacks=(lambda who, record: seen.append((who, record)),))
    history = run.run()
    assert [record.step for _, record in seen] == [0, 1, 2, 3] and all(who is run for who, _ in seen)
    rows = [[getattr(record, column) for column in COLUMNS] for _, record in seen]
    np.testing.assert_allclose(history, rows, rtol=1e-6)
    assert history.isfinite().all()


def test_a_run_can_stop_on_the_way_and_go_on():
    run = trainer()
    history = run.run(until=5)
    assert run.step == 5 and history[:5, 0].isfinite().all() and history[5:].isnan().all()
    run.run()
    assert run.step == 12
    assert_same(weights(run.net), weights(ran("stills", "sgd")[0]))


# ----------------------------------------------------------------------------------------------------- resuming

_runs = {}


def ran(kind, optimiser):
    """Weights and history of 12 steps straight through, computed once."""
    if (kind, optimiser) not in _runs:
        run = trainer(kind, optimiser=optimiser)
        _runs[kind, optimiser] = run, run.run()
    run, history = _runs[kind, optimiser]
    return run.net, history


CASES = [(kind, optimiser) for kind in ("stills", "identity", "clips", "synthetic") for optimiser in ("sgd", "adamw")]


@pytest.mark.parametrize("kind, optimiser", CASES)
def test_a_resumed_run_is_bit_for_bit_the_undisturbed_one(tmp_path, kind, optimiser):
    straight, history = ran(kind, optimiser)
    path = tmp_path / "run.pt"
    trainer(kind, path, optimiser=optimiser).run(until=5)
    torch.manual_seed(99)  # whatever the new process did with its random numbers
    torch.rand(7)
    resumed = trainer(kind, path, optimiser=optimiser, net_changes=None)
    assert resumed.step == 5
    found = resumed.run()
    assert_same(weights(straight), weights(resumed.net))
    assert found.numpy().tobytes() == history.numpy().tobytes()


def test_the_cases_would_notice_a_difference():
    """Another seed for dropout and augmentation gives other weights, so equality above means something."""
    for kind in ("stills", "identity", "clips"):
        other = trainer(kind, seed=1)
        other.run()
        straight = ran(kind, "sgd")[0]
        assert not torch.equal(other.net.heads["regression"].weight, straight.heads["regression"].weight)


def test_dropouts_random_numbers_are_part_of_the_checkpoint(tmp_path):
    path = tmp_path / "run.pt"
    trainer("identity", path).run(until=5)
    content = checkpoint.read(path)
    torch.manual_seed(5)
    content["rng"]["cpu"] = torch.get_rng_state()
    del content["format"]
    checkpoint.write(path, content)
    resumed = trainer("identity", path)
    resumed.run()
    straight = ran("identity", "sgd")[0]
    assert not torch.equal(resumed.net.f_cls.classify.weight, straight.f_cls.classify.weight)


def test_a_finished_run_is_not_trained_again(tmp_path):
    path = tmp_path / "run.pt"
    first = trainer("stills", path)
    first.run()
    stamp = path.stat().st_mtime_ns
    again = trainer("stills", path)
    history = again.run()
    assert again.step == 12 and not again.net.training
    assert_same(weights(first.net), weights(again.net))
    assert history.numpy().tobytes() == first.history.numpy().tobytes()
    assert path.stat().st_mtime_ns == stamp


def test_checkpoints_are_written_by_the_clock_and_at_the_end(tmp_path):
    path, seen = tmp_path / "run.pt", []
    run = trainer("stills", path, steps=4, checkpoint_seconds=1e6, callbacks=(lambda *_: seen.append(path.exists()),))
    run.run()
    assert seen == [False, False, False, True]
    seen.clear()
    path.unlink()
    often = trainer("stills", path, steps=4, checkpoint_seconds=0.0, callbacks=(lambda *_: seen.append(path.exists()),))
    often.run()
    assert seen == [True] * 4


def test_a_training_checkpoint_is_a_network_too(tmp_path):
    run = trainer("clips", tmp_path / "run.pt", steps=2)
    run.run()
    assert_same(weights(checkpoint.load_net(tmp_path / "run.pt")), weights(run.net))


def child(path):
    """What the process that is killed does: train, and say every step."""
    torch.set_num_threads(1)
    run = trainer("identity", path, steps=40, callbacks=(lambda _, record: print(record.step, flush=True),))
    run.run()
    print("finished", flush=True)


def test_a_run_killed_at_any_moment_ends_with_the_same_weights(tmp_path):
    path, dice = tmp_path / "run.pt", random.Random(time.time_ns())
    code = f"from tests.rednet_core.test_training import child; child({str(path)!r})"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command, kills, said = [sys.executable, "-c", code], 0, []
    for attempt in range(3):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, cwd=tmp_path)
        patience = dice.randint(2, 7) if attempt < 2 else None
        for count, line in enumerate(process.stdout):
            said.append(line.strip())
            if count == patience:
                time.sleep(dice.random() * 0.05)  # somewhere in a step, or in the writing of a checkpoint
                process.kill()
        process.stdout.close()
        kills += process.wait() != 0
    assert said[-1] == "finished" and 1 <= kills <= 2  # a very fast machine may be done before the second
    straight = trainer("identity", steps=40)
    straight.run()
    assert_same(weights(straight.net), weights(checkpoint.load_net(path)))
    steps = [int(line) for line in said if line.isdigit()]
    assert steps == sorted(set(steps))  # no step was made twice: each process went on where the last one stood
    assert steps[-1] == 39 and len(steps) >= 38  # one may have been saved but not said before each kill


# ------------------------------------------------------------------------------------------------------ refusals


@pytest.mark.parametrize(
    "changes, net_changes, field",
    [
        ({"rate": 0.02}, {}, "train: rate"),
        ({"seed": 4}, {}, "train: seed"),
        ({"optimiser": "adamw"}, {}, "train: optimiser"),
        ({"ratio": (1.0, 5.0, 1.0)}, {}, "train: ratio"),
        ({}, {"sigma": 6.0}, "config: sigma"),
        ({}, {"steps": ("detection",) * 2}, "config: steps"),
        ({}, {"dropout": 0.1, "hidden": 8}, "config: dropout, hidden"),
    ],
)
def test_a_checkpoint_of_other_settings_is_refused_by_name(tmp_path, changes, net_changes, field):
    path = tmp_path / "run.pt"
    trainer("stills", path, steps=2).run()
    before = path.read_bytes()
    with pytest.raises(CheckpointError, match=rf"run.pt: was written with other settings \({field}\)"):
        trainer("stills", path, net_changes=net_changes, **{"steps": 2, **changes})
    assert path.read_bytes() == before


def test_a_saved_network_is_no_training_checkpoint(tmp_path):
    path = tmp_path / "net.pt"
    checkpoint.save_net(path, trainer().net)
    with pytest.raises(CheckpointError, match="net.pt: was written with other settings"):
        trainer("stills", path)


def test_a_damaged_checkpoint_is_refused(tmp_path):
    path = tmp_path / "run.pt"
    path.write_bytes(b"PK\x03\x04 nonsense")
    with pytest.raises(CheckpointError, match="run.pt"):
        trainer("stills", path)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_loss_that_is_not_finite_stops_the_run(tmp_path, monkeypatch, value):
    path = tmp_path / "run.pt"
    run = trainer("stills", path)
    run.run(until=3)
    before = path.read_bytes()
    real = training.terms
    monkeypatch.setattr(training, "terms", lambda *a: {k: v * value for k, v in real(*a).items()})
    with pytest.raises(FloatingPointError, match="not finite at step 3: lower the rate"):
        run.run()
    assert path.read_bytes() == before  # the last good checkpoint stays


def test_a_rate_far_too_high_stops_with_a_clear_error():
    with pytest.raises(FloatingPointError, match="loss is not finite at step"):
        trainer(rate=1e30, schedule="constant").run()


@pytest.mark.parametrize("wrong", [{"optimiser": "rmsprop"}, {"schedule": "cosine"}])
def test_a_wrong_choice_is_named(wrong):
    with pytest.raises(ValueError, match=f"{next(iter(wrong))} '{next(iter(wrong.values()))}', known: "):
        TrainConfig(steps=1, **wrong)


@pytest.mark.parametrize("weight", [0.0, -3.0, "balanced"])
def test_a_wrong_foreground_weight_is_named(weight):
    with pytest.raises(ValueError, match=f"foreground_weight {weight!r}: a number above 0, or 'balance'"):
        TrainConfig(steps=1, foreground_weight=weight)


def test_dropout_follows_the_seed_whatever_was_drawn_before():
    noisy = trainer("identity", noise=3)
    noisy.run()
    assert_same(weights(noisy.net), weights(ran("identity", "sgd")[0]))


def test_every_step_asks_for_its_own_batch():
    run, asked = trainer(), []
    draw = run.draw
    run.draw = lambda step: asked.append(step) or draw(step)
    run.run()
    assert asked == list(range(12))


def test_every_step_draws_new_augmentation():
    seeds = {}
    for seed in (0, 1):
        run, found = trainer(seed=seed), []
        make = run.make_inputs
        run.make_inputs = lambda b, n, g, make=make, found=found: found.append(g.initial_seed()) or make(b, n, g)
        run.run()
        seeds[seed] = found
    assert len({*seeds[0], *seeds[1]}) == 24


def test_augmentation_is_drawn_from_seed_and_step():
    """Two trainers that took different ways to step 3 see the same pictures there."""
    one, seen_one = recorded()
    for step in range(4):
        one.step = step
        one.train_step()
    other, seen_other = recorded()
    other.step = 3
    other.train_step()
    assert torch.equal(seen_one[3].x, seen_other[0].x) and not torch.equal(seen_one[2].x, seen_other[0].x)
