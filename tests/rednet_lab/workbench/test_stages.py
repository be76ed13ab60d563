"""The one assembly of trainings, and the ECCV network's three stages: what joins when, from what, by which plan."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from rednet_core.batches import Stills
from rednet_core.checkpoint import grow
from rednet_core.eccv import RATIO, EccvNet
from rednet_lab.workbench import recipe
from rednet_lab.workbench import stages as module
from rednet_lab.workbench.profiles import FULL, QUICK, SMOKE, Plateau
from rednet_lab.workbench.recipe import PlateauRule, imagenet_file, lowered
from rednet_lab.workbench.stages import Training, eccv_plans


def test_at_full_size_the_plans_are_the_papers():
    """ECCV 5.1: SGD with momentum 0.9 from 0.01 on, falling by a fifth every ten epochs; 30, 20, 50; five clips."""
    plans = eccv_plans(FULL)
    assert [plan.epochs for plan in plans] == [30, 20, 50] and (plans[2].batch, plans[2].frames) == (5, 10)
    for plan in plans:
        train = plan.train
        assert (train.optimiser, train.momentum, train.rate, train.schedule) == ("sgd", 0.9, 0.01, "steps")
        assert train.ratio == RATIO and plan.plateau is None


@pytest.mark.parametrize("profile", [SMOKE, QUICK], ids=lambda p: p.name)
def test_on_the_small_profiles_the_first_stage_is_the_short_training_of_notebook_36(profile):
    one, two, three = eccv_plans(profile)
    assert one == profile.eccv_demo
    assert 1 <= two.train.steps < profile.stage2.train.steps and three.frames == profile.stage3.frames
    assert two.train.ratio == three.train.ratio == RATIO


def test_a_stage_that_is_none_is_refused():
    with pytest.raises(ValueError, match="stage 'films', known: stills, people, clips"):
        Training("x", "films", *[None] * 6)


def test_each_stage_starts_from_the_one_before_and_adds_its_part(open_lab, monkeypatch):
    started = []
    for name in ("stage2", "stage3"):
        real = getattr(module.stages, name)

        def seen(net, *given, real=real, **choices):
            started.append({key: value.clone() for key, value in net.state_dict().items()})
            return real(net, *given, **choices)

        monkeypatch.setattr(module.stages, name, seen)
    lab = open_lab()
    found = lab.eccv_stages()
    assert list(found) == ["stage 1", "stage 2", "stage 3"]
    one, two, three = (each.net for each in found.values())
    assert all(type(net) is EccvNet for net in (one, two, three))
    assert one.f_cls is None and one.f_trn is None and one.f_reg is not None
    assert two.f_cls is not None and two.f_trn is None
    assert three.f_cls is not None and three.f_trn is not None
    for before, net in zip(started, (one, two), strict=True):
        own = net.state_dict()
        assert before.keys() == own.keys() and all(torch.equal(before[key], own[key]) for key in own)
    assert not torch.equal(one.head.weight, two.head.weight) and not torch.equal(two.head.weight, three.head.weight)
    monkeypatch.setattr(module.stages, "stage1", None)
    again = open_lab().eccv_stages()  # from the cache: nothing could be trained now
    assert len(started) == 2 and again["stage 3"].folder == found["stage 3"].folder
    assert lab.demo_eccv().folder == found["stage 1"].folder


def test_it_trains_what_the_cores_stages_train_by_hand(open_lab):
    """The weights of the assembly are those of rednet_core's three stages called one after the other, bit for bit."""
    lab = open_lab("20_by_hand")
    p, source, device, net = lab.profile, lab.source, lab.device, None
    for stage, plan in zip(("stills", "people", "clips"), (p.stage1, p.stage2, p.stage3), strict=True):
        role = getattr(source, stage)()
        if stage == "clips":
            drawn = role.kind(role.data, role.rows, plan.batch, plan.frames, 0, plan.each)
            train = plan.config(role.clips(plan.frames, plan.each), 0)
            run = module.stages.stage3(net, drawn, train, p.clip_error, update=p.update, hidden=p.hidden)
        else:
            drawn, train = Stills(role.data, role.rows, plan.batch, 0), plan.config(len(role.rows), 0)
            if stage == "stills":
                run = module.stages.stage1(p.net, drawn, train, p.augmentation, device)
            else:
                grown = grow(net, identity_units=p.identity_units)
                run = module.stages.stage2(grown, drawn, train, p.augmentation)
        run.run()
        net = run.net
    own, by_hand = lab.stage3.net.state_dict(), net.state_dict()
    assert own.keys() == by_hand.keys() and all(torch.equal(own[name], by_hand[name]) for name in own)


# ----------------------------------------------------------------------------------------------- the papers' recipe


@pytest.mark.parametrize(
    ("errors", "times"),
    [([], 0), ([5, 4, 3, 2], 0), ([5, 6, 6], 1), ([5, 6, 4, 6, 5], 1), ([5, 5, 5, 5, 5], 2), ([5, 6, 4, 5, 3, 4], 0)],
)
def test_a_rate_is_lowered_where_the_error_stays(errors, times):
    assert lowered(errors, 2) == times


def with_plateau(lab, **rule):
    """A training of 12 steps that is validated every second step, and lowers its rate when the error stays once."""
    plan = replace(lab.profile.demo, plateau=Plateau(patience=1, pictures=3, **rule))
    changes = {"steps": 12, "steps_per_epoch": 2.0, "schedule": "constant", "checkpoint_seconds": 0.0}
    return lab.training("plateau", "stills", lab.profile.net, plan, changes=tuple(changes.items()))


def test_the_rate_goes_by_validation_and_a_stopped_training_goes_on_with_its_own(open_lab, tmp_path):
    lab = open_lab()
    training = with_plateau(lab, factor=0.5)
    assert not set(training.validation.rows) & set(training.role.rows)
    rates = []

    def see(run, record):
        rates.append(run.optimiser.param_groups[0]["lr"])

    whole = training.trainer(None, lab.device, tmp_path / "whole" / "run.pt", (see,))
    whole.run()
    rows = (tmp_path / "whole" / "validation.csv").read_text().splitlines()
    errors = [float(row.split(",")[1]) for row in rows[1:]]
    assert len(errors) == 6 and min(np.diff(rates)) < 0  # it rose at least once here, and the rate fell
    first = training.train.rate
    expected = [first * 0.5 ** lowered(errors[: step // 2], 1) for step in range(12)]
    np.testing.assert_allclose(rates, expected)
    for stop in (3, 8):
        run = training.trainer(None, lab.device, tmp_path / f"cut{stop}" / "run.pt")
        run.run(stop)
        again = training.trainer(None, lab.device, tmp_path / f"cut{stop}" / "run.pt")
        assert again.step == stop
        again.run()
        for name, value in whole.net.state_dict().items():
            assert torch.equal(value, again.net.state_dict()[name]), (stop, name)


def test_the_rate_falls_to_a_floor(open_lab, tmp_path, monkeypatch):
    lab = open_lab()
    training = with_plateau(lab, factor=0.1, floor=0.02)
    run = training.trainer(None, lab.device, tmp_path / "run.pt")
    rule = next(each for each in run.callbacks if isinstance(each, PlateauRule))
    rule.errors = [(-4, 5.0), (-3, 6.0), (-2, 6.0), (-1, 6.0)]
    run.step = 1
    rule(run, None)
    assert {group["share"] for group in run.optimiser.param_groups} == {0.02}


def test_without_a_validation_split_some_training_stills_are_held_out(open_lab):
    lab = open_lab()
    source = lab.source
    stills = source.stills()
    source.stills = lambda: stills
    stills.data.rows = lambda split=None, group=None: np.array([], int)  # a store of training and test stills only
    training = with_plateau(lab)
    held, rows = set(training.validation.rows), set(training.role.rows)
    assert held and not held & rows and held | rows == set(stills.rows)


def test_imagenet_weights_come_from_a_file_or_the_fix_is_told(open_lab, tmp_path, monkeypatch):
    monkeypatch.setenv("REDNET_CACHE", str(tmp_path))
    assert (
        imagenet_file(FULL.net).name
        == imagenet_file(FULL.eccv).name
        == "vgg16_bn-397923af.pth".replace("397923af", "6c64b313")
    )
    assert imagenet_file(replace(FULL.net, design="resnet")).name.startswith("resnet152-")
    assert imagenet_file(replace(FULL.net, batch_norm=False)).name.startswith("vgg16-")
    lab = open_lab()
    training = lab.training("x", "stills", lab.profile.net, lab.profile.demo, imagenet=True)
    monkeypatch.setenv("REDNET_CACHE", str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"there is no .*vgg16_bn.*fetch them once: curl .*https://"):
        training.trainer(None, lab.device)
    file = imagenet_file(training.config)
    file.parent.mkdir()
    file.write_bytes(b"x")
    loaded = []
    monkeypatch.setattr(recipe.pretrained, "load", lambda net, path: loaded.append((net, path)))
    run = training.trainer(None, lab.device)
    assert loaded == [(run.net, file)]
    plain = replace(training, imagenet=False)
    assert training.key(lab.device)["imagenet"] == file.name and plain.key(lab.device)["imagenet"] is None
