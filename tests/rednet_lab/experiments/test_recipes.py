"""The log of recipes: every recipe can be built, what is in the log is not run again, a row is added whole."""

import sys
from dataclasses import replace

import pandas as pd
import pytest
import torch

from rednet_core.training import TrainConfig
from rednet_lab.workbench.profiles import QUICK
from rednet_lab.workbench.sources import Role
from tests.benchmarks import bench_recipes as recipes
from tests.benchmarks.bench_recipes import BASE, BASE_NET, RECIPES


@pytest.fixture
def log(tmp_path, monkeypatch):
    """A log of the test's own, and a run that only says that it was asked."""
    monkeypatch.setattr(recipes, "LOG", tmp_path / "figures" / "recipes.csv")
    monkeypatch.setattr(recipes.torch, "set_num_threads", lambda _: None)
    asked = []

    def run(name, data, seed):
        asked.append((name, data, seed))
        return {"recipe": name, "seed": seed, "error (%)": 10.0 + len(asked), "seconds": 1}

    monkeypatch.setattr(recipes, "run", run)
    return asked


def main(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["recipes", "--data", "faces", *arguments])
    recipes.main()


def test_what_is_in_the_log_is_not_run_again(log, monkeypatch, capsys):
    main(monkeypatch, "--only", "base", "batch 8")
    assert log == [("base", "faces", 0), ("batch 8", "faces", 0)]
    before = recipes.LOG.read_text()
    main(monkeypatch, "--only", "base", "batch 8", "sigma 8")
    assert log[2:] == [("sigma 8", "faces", 0)] and recipes.LOG.read_text().startswith(before)
    assert "base, seed 0: in the log already" in capsys.readouterr().out
    main(monkeypatch, "--only", "base", "--seeds", "0", "1")
    assert log[3:] == [("base", "faces", 1)]
    table = pd.read_csv(recipes.LOG)
    assert list(table["recipe"]) == ["base", "batch 8", "sigma 8", "base"] and list(table["seed"]) == [0, 0, 0, 1]
    assert list(table["error (%)"]) == [11, 12, 13, 14]


def test_all_recipes_are_run_in_order_unless_told_otherwise(log, monkeypatch):
    main(monkeypatch)
    assert [name for name, _, _ in log] == list(RECIPES)
    main(monkeypatch)
    assert len(log) == len(RECIPES)


def test_a_run_that_fails_leaves_the_rows_before_it(log, monkeypatch):
    good = recipes.run

    def fails(name, data, seed):
        if name == "batch 8":
            raise FloatingPointError("loss is not finite")
        return good(name, data, seed)

    monkeypatch.setattr(recipes, "run", fails)
    with pytest.raises(FloatingPointError):
        main(monkeypatch, "--only", "base", "batch 8", "sigma 8")
    assert list(pd.read_csv(recipes.LOG)["recipe"]) == ["base"]
    assert [path.name for path in recipes.LOG.parent.iterdir()] == ["recipes.csv"]


@pytest.mark.parametrize("arguments", [["--only", "bsae"], ["--seeds", "x"]])
def test_an_unknown_recipe_or_seed_is_refused_before_anything_runs(log, monkeypatch, arguments):
    with pytest.raises(SystemExit) as ended:
        main(monkeypatch, *arguments)
    assert ended.value.code == 2 and not log


def test_the_data_must_be_named(log, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["recipes"])
    with pytest.raises(SystemExit):
        recipes.main()


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_can_be_built_and_differs_from_the_base(name):
    net_changes, changes, light = RECIPES[name]
    train = {**BASE, **changes}
    images, batch, _ = train.pop("images"), train.pop("batch"), train.pop("first", 0)
    assert TrainConfig(images // batch, **train).steps > 100
    assert replace(BASE_NET, **net_changes).input_size * 3 % 2 == 0
    replace(QUICK.augmentation, **light)
    assert (name == "base") == (RECIPES[name] == ({}, {}, {}))


def test_a_recipe_is_trained_and_scored_on_validation_persons(cache, udacity, hashed_once, monkeypatch):
    monkeypatch.setattr("rednet_lab.workbench.sources.workers", lambda: 1)
    monkeypatch.setenv("REDNET_BATCH", "1")
    monkeypatch.setattr(recipes, "BASE", BASE | {"images": 21, "batch": 7})
    monkeypatch.setattr(recipes, "BASE_NET", replace(BASE_NET, input_size=32, width=0.125))
    row = recipes.run("detached feedback", str(udacity), 2)
    assert (row["recipe"], row["seed"], row["images"]) == ("detached feedback", 2, 21)
    assert row["error (%)"] > 0 and 0 < row["mean shape (%)"] < 25 and len(row["code"]) == 10
    assert str(udacity.parent) not in str(row)


def test_a_recipe_with_the_face_world_first_starts_from_its_weights(cache, udacity, hashed_once, monkeypatch):
    monkeypatch.setattr("rednet_lab.workbench.sources.workers", lambda: 1)
    monkeypatch.setenv("REDNET_BATCH", "1")
    monkeypatch.setattr(recipes, "BASE", BASE | {"images": 7, "batch": 7, "rate": 1e-9})  # as good as no training
    monkeypatch.setattr(recipes, "BASE_NET", replace(BASE_NET, input_size=32, width=0.125))
    role = recipes.FaceWorldSource(recipes.QUICK, "", 0)
    drawn = recipes.stored("udacity", recipes.UdacityFaces(str(udacity)), 48)  # plays the face world: quickly made
    monkeypatch.setattr(type(role), "stills", lambda _: Role(drawn, drawn.rows("train")))
    runs, plain = [], recipes.Trainer.run

    def run(trainer):
        if not runs:
            with torch.no_grad():  # the first training leaves a mark
                trainer.net.heads["detection"].bias.fill_(3.0)
        runs.append((trainer.config.steps, float(trainer.net.heads["detection"].bias.detach().mean())))
        return plain(trainer)

    monkeypatch.setattr(recipes.Trainer, "run", run)
    monkeypatch.setitem(RECIPES, "marked", ({}, {"first": 14}, {}))
    row = recipes.run("marked", str(udacity), 0)
    assert [steps for steps, _ in runs] == [2, 1] and row["images"] == 21
    assert runs[1][1] == pytest.approx(3.0, abs=1e-3)
