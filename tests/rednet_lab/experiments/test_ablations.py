"""The ablations: effects and intervals, variants, and a bench that shares its work."""

import os
import shutil
import subprocess
import sys
from dataclasses import fields, replace

import numpy as np
import pytest

from rednet_core.eccv import EccvConfig
from rednet_core.rednet import NetConfig
from rednet_core.training import TrainConfig
from rednet_lab.experiments import EXPERIMENTS, Bench, Intervals, board, charts, difference, effect, quoted
from rednet_lab.experiments import __main__ as command_
from rednet_lab.experiments.bench import Measured
from rednet_lab.experiments.variants import (
    BASE,
    DETECTION,
    IDENTITY,
    NO_NORM_SLOW,
    REPLACED,
    TEMPORAL,
    VIDEO_IDENTITY,
    VIDEOS_ONLY,
    ablation_profile,
)
from rednet_lab.experiments.watch import PARTS, watched_on
from rednet_lab.names import ROOT
from rednet_lab.statistics import statistic
from rednet_lab.workbench.lab import Results
from rednet_lab.workbench.profiles import PROFILES

RNG = np.random.default_rng(0)
ALL = tuple({v.name: v for variants in EXPERIMENTS.values() for v in variants}.values())


# ------------------------------------------------------------------------------------------------- statistics


def test_statistics_are_those_of_the_definition():
    errors = RNG.gamma(2, 4, (3, 50))
    assert np.allclose(statistic(errors), errors.mean(1))
    assert np.allclose(statistic(errors, "std"), errors.std(1))
    assert np.allclose(statistic(errors, "failure"), 100 * (errors > 10).mean(1))
    with pytest.raises(ValueError, match="median"):
        statistic(errors, "median")


def test_effect_is_the_paired_difference():
    first = RNG.gamma(2, 4, (3, 60))
    found = effect(first, first - 1.5, np.arange(60))
    assert found.mean == pytest.approx(-1.5) and found.low == pytest.approx(-1.5) and found.high == pytest.approx(-1.5)
    assert found.first == pytest.approx(first.mean()) and found.second == pytest.approx(first.mean() - 1.5)
    assert found.high < 0 and found.each == pytest.approx((-1.5,) * 3)


def test_items_of_a_cluster_count_as_one():
    """Ten copies of each item tell nothing new: the interval must not shrink."""
    first, second = RNG.normal(8, 2, (3, 30)), RNG.normal(7, 2, (3, 30))
    alone = effect(first, second, np.arange(30))
    copies = effect(np.repeat(first, 10, 1), np.repeat(second, 10, 1), np.repeat(np.arange(30), 10))
    blind = effect(np.repeat(first, 10, 1), np.repeat(second, 10, 1), np.arange(300))
    assert copies.test == pytest.approx(alone.test, rel=1e-6)
    assert blind.test < 0.5 * alone.test


def test_seeds_that_disagree_widen_the_interval():
    first = RNG.normal(8, 1, (1, 400)).repeat(3, 0)
    shift = np.array([[-1.0], [0.0], [1.0]])
    apart, alike = effect(first, first + shift, np.arange(400)), effect(first, first + 0 * shift, np.arange(400))
    assert apart.train == pytest.approx(1 / np.sqrt(3)) and alike.train == 0
    assert apart.high - apart.low > 4 and apart.low < 0 < apart.high


def test_one_seed_decides_nothing():
    first = RNG.normal(8, 1, (1, 100))
    found = effect(first, first - 3, np.arange(100))
    assert not found.low <= 0 <= found.high and found.seeds == 1


def test_the_interval_covers_the_truth_as_often_as_it_says():
    """Draw seeds and test items anew many times: a 95 % interval holds the true effect about 95 times in 100."""
    rng, held, runs = np.random.default_rng(1), 0, 100
    for _ in range(runs):
        items, seeds = rng.normal(0, 1.0, 40), rng.normal(0, 0.2, (3, 1))
        first = rng.normal(8, 1, 40)[None].repeat(3, 0)
        found = effect(first, first - 0.5 + items + seeds + rng.normal(0, 0.3, (3, 40)), np.arange(40))
        held += found.low <= -0.5 <= found.high
    assert 0.90 <= held / runs <= 0.99


@pytest.mark.parametrize(("shape", "many"), [((3, 40), 40), ((2, 40), 40), ((3, 39), 40)])
def test_what_is_not_paired_is_refused(shape, many):
    if shape == (3, 40):
        effect(np.ones((3, 40)), np.ones(shape), np.arange(many))
        return
    with pytest.raises(ValueError, match="not paired"):
        effect(np.ones((3, 40)), np.ones(shape), np.arange(many))


def test_trainings_with_test_persons_of_their_own_count_these_once():
    """Folds: the spread of the trainings holds that of the persons already."""
    rng, held, runs = np.random.default_rng(2), 0, 100
    for _ in range(runs):
        persons, fold = np.repeat(np.arange(120), 3), np.repeat(np.arange(6), 60)
        off = rng.normal(0, 0.6, 120)[persons] + rng.normal(0, 0.3, 360) + rng.normal(0, 0.1, 6)[fold]
        first = np.where(fold == np.arange(6)[:, None], rng.normal(8, 1, 360), np.nan)
        found = effect(first, first - 0.5 + off, persons)
        held += found.low <= -0.5 <= found.high
    assert 0.88 <= held / runs <= 1.0


def test_ours_stands_beside_the_papers_measure_where_the_floor_acts(tmp_path):
    errors, floor = np.array([[10.0, 20.0, 40.0]]), np.array([[1.0, 1.0, 0.25]])
    about = {"clusters": np.arange(3), "yaw": np.array([0, 20, 80]), "frame": np.zeros(3), "steps": errors[:, None]}
    group = np.array(["common", "common", "challenging"])
    measured = Measured(errors=errors, seven=errors, jitter=errors, group=group, floor=floor, **about)
    row = charts.scores({"net": measured}, what=("mean",)).iloc[0]
    assert row["all mean (%)"] == pytest.approx(70 / 3, abs=1e-3)
    assert row["all mean, floored (%)"] == pytest.approx(40 / 3, abs=1e-3)
    assert row["challenging mean, floored (%)"] == 10 and "common mean, floored (%)" not in row
    found = effect(errors, errors / 2, np.arange(3), floor=floor)
    assert (found.mean, found.floored) == pytest.approx((-35 / 3, -20 / 3))
    assert (
        found.row("old", "new")["effect, floored"] == found.floored
        and found.first == found.row("old", "new")["old (%)"]
    )
    plain = effect(errors, errors / 2, np.arange(3), floor=np.ones((1, 3)))
    assert plain.floored is None and "effect, floored" not in plain.row()
    kept = Intervals(Results(tmp_path / "72", {}), "face_world", "quick", [0])
    for name, one in (("turned", found), ("frontal", plain)):
        kept.add("C2", name, one, "lower")
    assert list(kept.table()["effect, floored"]) == ["-6.67", ""]
    assert [row["ours"].get("floored") for row in kept.rows] == [found.floored, None]


def test_effects_of_a_notebook_are_drawn(tmp_path):
    kept = Intervals(Results(tmp_path / "72", {"profile": "quick"}), "face_world", "quick", [0, 1, 2])
    first = RNG.gamma(2, 4, (3, 60))
    kept.add("C2", "mean", effect(first, first - 1, np.arange(60)), "lower", (6.05, 5.71))
    kept.computed("C11", "parameters", (117, 14.8), (117.5, 14.7), "lower", "M")
    assert len(charts.forest(kept.rows).axes[0].get_yticklabels()) == 2


def test_the_bench_is_drawn_where_it_has_trainings_and_failures_apart():
    for line in (line for line in board.rows() if line.primary):
        figure = charts.bench(line.claim)
        assert (figure is not None) == bool(line.trainings)
        labels = [label.get_text() for label in figure.axes[0].get_yticklabels()] if figure else []
        assert all(label.startswith(line.claim) and "failures" not in label for label in labels)


# --------------------------------------------------------------------------------------------------- variants


@pytest.mark.parametrize("variant", ALL, ids=lambda v: v.name)
def test_variants_change_options_that_exist(variant):
    net = {f.name for f in fields(EccvConfig if variant.eccv else NetConfig)}
    assert set(variant.net) <= net and set(variant.train) <= {f.name for f in fields(TrainConfig)} | {"rate_share"}


def test_names_of_variants_are_their_own():
    def key(v):
        own = {f.name: getattr(v, f.name) for f in fields(v) if f.name not in ("name", "after")}
        return repr(own) + (key(v.after) if v.after else "")

    keys = {v.name: key(v) for v in ALL}
    for variants in EXPERIMENTS.values():
        for v in variants:
            assert keys[v.name] == key(v)
    assert len(set(keys.values())) == len(keys)


@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda p: p.name)
def test_every_profile_has_sizes_for_the_ablations(profile):
    small = ablation_profile(profile)
    assert small.net.width <= profile.net.width and not small.eccv.regression
    assert small.stills == profile.stills and small.videos == profile.videos  # the data is the series' own


def test_quoted_tables_have_the_rows_that_notebooks_draw():
    for variants, table in ((EXPERIMENTS["72_recurrent_steps"], quoted.TABLE6),):
        assert {v.name for v in variants} >= set(table.index)
    assert {"with f_trn", "without f_trn"} == set(quoted.TABLE8.index)


# ------------------------------------------------------------------------------------------------------ bench


@pytest.fixture
def bench(open_lab):
    return Bench(open_lab("70_protocol"), 2)


def test_a_bench_wants_a_seed(open_lab):
    with pytest.raises(ValueError, match="one training"):
        Bench(open_lab("70_protocol"), 0)


def test_variants_differ_in_what_they_say(bench):
    found = difference((BASE, DETECTION), [bench.config(v) for v in (BASE, DETECTION)])
    assert set(found.index) == {"markup", "steps"}
    longer = bench.config(replace(BASE, more_steps=1))
    assert longer.steps == ("detection", "regression", "regression")
    assert bench.config(TEMPORAL).temporal and bench.config(TEMPORAL).identity_units == bench.profile.identity_units


def test_measures_all_seeds_on_the_same_faces_and_keeps_them(bench, monkeypatch):
    first = bench.stills(BASE)
    assert first.errors.shape == (2, len(first.clusters)) and first.steps.shape[:2] == (2, 2)
    assert not np.allclose(first.errors[0], first.errors[1])  # another training
    np.testing.assert_allclose(first.steps[:, -1], first.seven)
    monkeypatch.setattr(bench, "trained", None)  # not asked again
    np.testing.assert_array_equal(bench.stills(BASE).errors, first.errors)
    half = first.keep(first.yaw < 30)
    assert half.errors.shape[1] == half.steps.shape[2] == (first.yaw < 30).sum()


def test_watched_trainings_tell_their_course(bench):
    seen = bench.watched(BASE, bench.seeds[0])
    assert seen["step"].is_monotonic_increasing and np.isfinite(seen["error"]).all()
    assert seen["left eye"].between(0, 1).all()
    each, persons = bench.watched_faces(BASE)
    assert each.shape == (len(bench.seeds), len(seen), len(persons), len(PARTS))
    np.testing.assert_allclose(each[0].mean(1), seen[list(PARTS)], atol=1e-6)  # the means are these faces' means
    data, rows = watched_on(bench.lab, "clips")  # stage 3 is watched on videos, as the paper's figure 8 is
    each, videos = bench.watched_faces(VIDEO_IDENTITY)
    assert each.shape[2] == len(rows) and set(videos) == set(data.table["video"][rows])
    with pytest.raises(FileNotFoundError, match="not watched"):
        bench.watched(DETECTION, bench.seeds[0])
    with pytest.raises(FileNotFoundError, match="by face"):
        bench.watched_faces(DETECTION)


def test_later_stages_share_the_earlier_ones(bench):
    cost = bench.cost((TEMPORAL, IDENTITY))
    assert list(cost["variant"]) == [BASE.name, IDENTITY.name, TEMPORAL.name]
    bench.videos(TEMPORAL)
    assert bench.cost((TEMPORAL, IDENTITY))["trainings to do"].sum() == 0


def test_equal_configurations_are_one_training(bench):
    """The papers replace e_p, and so does this profile: two variants of one configuration, trained once."""
    assert bench.profile.update == REPLACED.net["update"]
    keys = [bench.training(variant, 0).key(bench.lab.device) for variant in (TEMPORAL, REPLACED)]
    assert keys[0] == keys[1] and keys[0] != bench.training(TEMPORAL, 1).key(bench.lab.device)


def test_a_tenth_of_the_rate_is_a_tenth_of_this_profiles(bench):
    rate = bench.profile.stage1.train.rate
    assert bench.training(NO_NORM_SLOW, 0).train.rate == pytest.approx(rate / 10)
    assert bench.training(BASE, 0).train.rate == rate


def test_videos_alone_see_as_many_pictures_as_three_stages(bench):
    trainings = {v.name: bench.training(v, 0) for v in (BASE, IDENTITY, TEMPORAL, VIDEOS_ONLY)}
    pictures = {name: t.train.steps * t.plan.batch * t.plan.frames for name, t in trainings.items()}
    together = pictures[BASE.name] + pictures[IDENTITY.name] + pictures[TEMPORAL.name]
    assert pictures[VIDEOS_ONLY.name] == pytest.approx(together, abs=20)


def test_tracked_videos_have_jitter_behind_their_first_frame(bench):
    found = bench.videos(BASE)
    first = found.frame == 0
    assert np.isnan(found.jitter[:, first]).all() and np.isfinite(found.jitter[:, ~first]).all()
    wiped = bench.videos(BASE, guess="zeros")
    assert not np.allclose(wiped.errors, found.errors)


# ---------------------------------------------------------------------------------------------- several processes


def command(*arguments):
    """Start the command in a process of its own, with profile tiny in the place of smoke."""
    code = (
        "import sys\nfrom dataclasses import replace\nfrom rednet_lab.experiments.__main__ import main\n"
        "from rednet_lab.workbench import profiles, sources\nfrom tests.rednet_lab.conftest import TINY\n"
        "profiles.PROFILES['smoke'] = replace(TINY, name='smoke')\nsources.workers = lambda: 1\n"
        "main(['--profile', 'smoke', '--device', 'cpu', *sys.argv[1:]])"
    )
    env = os.environ | {"PYTHONPATH": str(ROOT), "OMP_WAIT_POLICY": "PASSIVE"}
    given = [sys.executable, "-c", code, *arguments]
    return subprocess.Popen(given, env=env, stdout=subprocess.PIPE, text=True, cwd=ROOT)


def test_processes_share_a_list_and_train_nothing_twice(open_lab, tmp_path, monkeypatch):
    lab = open_lab()
    for role in ("stills", "people", "clips"):  # the data, so that nothing but trainings is shared out
        getattr(lab.source, role)()
    shutil.copytree(
        os.environ["REDNET_CACHE"], tmp_path / "cache", ignore=shutil.ignore_patterns("tiny-*", "measured-*")
    )
    monkeypatch.setenv("REDNET_CACHE", str(tmp_path / "cache"))
    only = ("72_recurrent_steps", "77_f_reg")
    running = [command("--seeds", "0", "1", "--only", *only) for _ in range(2)]
    said = [process.communicate()[0].splitlines() for process in running]
    assert [process.returncode for process in running] == [0, 0], said
    trained = [{line.split(": stills")[0] for line in lines if "already" not in line} for lines in said]
    count = 2 * len({v.name for name in only for v in EXPERIMENTS[name]})
    assert all(len(lines) == count for lines in said)  # both know all results in the end
    assert not trained[0] & trained[1] and len(trained[0] | trained[1]) == count
    assert min(map(len, trained)) >= 2, trained  # neither waited for the other
    folders = list((tmp_path / "cache").glob("smoke-*"))
    first = {v.after.name for name in only for v in EXPERIMENTS[name] if v.after} - {
        v.name for name in only for v in EXPERIMENTS[name]
    }
    assert len(folders) == count + 2 * len(first) and all((folder / "complete.json").exists() for folder in folders)


def test_shards_are_parts_of_one_list(open_lab, monkeypatch):
    lab, done = open_lab(), []
    monkeypatch.setattr(command_, "Lab", lambda *_: lab)
    monkeypatch.setattr(command_, "work_through", lambda _, tasks: done.append([(v.name, s) for _, v, s in tasks]))
    for part in ("1/1", "1/3", "2/3", "3/3"):
        command_.main(["--seeds", "0", "1", "--shard", part])
    whole, *parts = done
    assert sorted(sum(parts, [])) == sorted(whole) and max(map(len, parts)) - min(map(len, parts)) <= 1
    for wrong in ("0/3", "4/3", "a/b", "3"):
        with pytest.raises(SystemExit):
            command_.main(["--shard", wrong])


def test_of_long_profiles_the_ablations_price_is_told_first(open_lab, monkeypatch, capsys):
    monkeypatch.setattr(command_, "Lab", lambda *_: open_lab())
    monkeypatch.setattr(command_, "work_through", lambda *_: pytest.fail("trained"))
    command_.main(["--profile", "gpu", "--only", "72_recurrent_steps", "--seeds", "0", "1", "--dry-run"])
    said = capsys.readouterr().out
    assert "hours, T4" in said and "faces are rendered" in said
    for variant in EXPERIMENTS["72_recurrent_steps"]:
        assert variant.name in said
    monkeypatch.setattr(command_, "agreed", lambda lab, trainings, yes, times: yes)
    command_.main(["--profile", "gpu", "--only", "72_recurrent_steps"])
    monkeypatch.setattr(command_, "work_through", lambda lab, tasks: done.append(len(tasks)))
    done = []
    command_.main(["--profile", "gpu", "--only", "72_recurrent_steps", "--yes"])
    assert done == [3 * len(EXPERIMENTS["72_recurrent_steps"])]
