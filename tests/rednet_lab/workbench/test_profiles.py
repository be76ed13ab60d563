"""Profiles: how epochs become steps, and that `full` has the papers' sizes."""

import pytest

from data_prep.tracker_error import TrackerError
from rednet_core.eccv import RATIO, EccvConfig
from rednet_core.rednet import NetConfig
from rednet_core.training import TrainConfig
from rednet_lab.names import PROFILE_NAMES, run_name
from rednet_lab.workbench.profiles import PROFILES, Plan, Plateau, Profile


@pytest.mark.parametrize(
    ("pictures", "batch", "epochs", "variations", "steps", "per_epoch"),
    [(100, 10, 3, 1, 30, 10.0), (100, 8, 3, 2, 75, 25.0), (48, 32, 0.5, 10, 8, 15.0), (7, 8, 4, 1, 4, 0.875)],
)
def test_epochs_decide_the_steps(pictures, batch, epochs, variations, steps, per_epoch):
    plan = Plan(TrainConfig(999), batch, epochs=epochs, variations=variations)
    config = plan.config(pictures, 5)
    assert (config.steps, config.steps_per_epoch, config.seed) == (steps, per_epoch, 5)


def test_without_epochs_the_steps_are_the_plans_own():
    plan = Plan(TrainConfig(40, "adamw", 6e-3, schedule="one_cycle"), 8)
    config = plan.config(100, 2)
    assert (config.steps, config.steps_per_epoch, config.seed) == (40, 12.5, 2)
    assert (config.optimiser, config.rate, config.schedule) == ("adamw", 6e-3, "one_cycle")


def test_full_is_the_papers_network_and_training():
    full = PROFILES["full"]
    net = full.net
    assert net == NetConfig()
    assert (net.input_size, net.map_size, net.width, net.radius, net.sigma) == (256, 128, 1.0, 5.0, 5.0)
    assert sum(net.encoder_convs) == 13 and net.steps == ("detection", "regression")  # VGG-16's; K = 2
    assert (full.hidden, full.identity_units, full.update) == (256, 256, "replace")
    stages = (full.stage1, full.stage2, full.stage3)
    for plan in stages:
        assert (plan.train.optimiser, plan.train.rate, plan.train.momentum) == ("sgd", 0.01, 0.9)
        assert plan.train.ratio == (1.0, 10.0, 1.0) and plan.train.foreground_weight == 15
    assert [plan.epochs for plan in stages] == [30, 20, 50]
    assert (full.stage1.variations, full.stage3.frames, full.stage3.batch) == (10, 10, 5)
    assert [plan.plateau for plan in stages] == [Plateau()] * 3  # the journal's rate goes by validation
    assert {plan.train.schedule for plan in stages} == {"constant"} and Plateau().factor == 0.1
    assert (full.stage3.each, full.stage3.variations) == (100, 2)  # random clips of each video, to and fro in time
    assert full.clip_error == TrackerError("none")  # "no augmentation is applied on video training data"
    assert full.imagenet and not PROFILES["quick"].imagenet
    assert full.eccv_augmentation.shift * full.eccv.input_size == full.augmentation.shift * net.input_size == 7
    assert full.eccv == EccvConfig() and (full.eccv.input_size, full.eccv.sides) == (128, (7, 5, 3))
    assert full.eccv_demo.train.ratio == RATIO
    turned = full.augmentation
    assert full.store_size == 1.5 * net.input_size  # room for the augmentation at full resolution
    assert turned == type(turned)()


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_every_profile_can_be_trained(profile):
    assert isinstance(profile, Profile) and PROFILES[profile.name] is profile
    for plan, pictures in (
        (profile.stage1, profile.stills[0]),
        (profile.stage2, profile.people[0] * profile.people[1] * 4 // 5),
        (profile.stage3, profile.videos[0]),
        (profile.demo, profile.stills[0]),
        (profile.eccv_demo, profile.stills[0]),
    ):
        assert 0 < plan.batch <= pictures and plan.config(pictures, 0).steps > 0
    assert profile.stage3.frames <= min(profile.videos[1], profile.videos[3])
    assert profile.people[1] >= 5  # every fifth picture of a person is held back
    assert profile.eccv.sides == (7, 5, 3)  # the paper's squares, in pixels, whatever the map
    assert profile.videos[2] >= 2  # a common and a challenging one


def test_the_runner_knows_these_profiles_and_no_others():
    assert set(PROFILE_NAMES) == set(PROFILES)


def test_names_of_runs():
    assert run_name("quick") == "quick"
    assert run_name("quick", "udacity") == "quick-udacity"
    assert run_name("smoke", seed=3) == "smoke-seed3"
    assert run_name("full", "udacity", 1) == "full-udacity-seed1"
