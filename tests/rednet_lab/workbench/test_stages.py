"""The one assembly of trainings, and the ECCV network's three stages: what joins when, from what, by which plan."""

import pytest
import torch

from rednet_core.eccv import RATIO, EccvNet
from rednet_lab.workbench import stages as module
from rednet_lab.workbench.profiles import FULL, QUICK, SMOKE
from rednet_lab.workbench.stages import Training, eccv_plans


def test_at_full_size_the_plans_are_the_papers():
    """ECCV 5.1: SGD with momentum 0.9 from 0.01 on, falling by a fifth every ten epochs; 30, 20, 50; five clips."""
    plans = eccv_plans(FULL)
    assert [plan.epochs for plan in plans] == [30, 20, 50] and (plans[2].batch, plans[2].frames) == (5, 10)
    for plan in plans:
        train = plan.train
        assert (train.optimiser, train.momentum, train.rate, train.schedule) == ("sgd", 0.9, 0.01, "steps")
        assert train.ratio == RATIO


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
