"""The bench: person folds, records that are resumed and shared, and the board made anew from records alone."""

import time

import numpy as np
import pytest

from data_prep.readers.face_world import COVERED, FaceWorldVideos, cover
from rednet_lab.experiments import board, endpoints, trial, variants
from rednet_lab.experiments.endpoints import QUESTIONS, path_of, read, write
from rednet_lab.experiments.trial import Task, Trial, off
from rednet_lab.workbench.folds import dealt
from tests.helpers import make_data

RULES, CLAIMS = endpoints.load()


# --------------------------------------------------------------------------------------------------------- the data


class Named:
    """Prepared data of twenty persons, three pictures of each, all for training."""

    def __init__(self):
        data = make_data([(v, range(3)) for v in range(60)], size=8)
        self.table, self.identities = data.table, [f"person {n}" for n in range(20)]
        self.table["identity"] = np.arange(len(self.table)) % 20

    def rows(self, split, group=None):
        if split is None:
            return np.arange(len(self.table))
        return np.arange(len(self.table)) if split == "train" else np.zeros(0, int)


def test_every_person_is_tested_once_and_never_by_a_training_that_saw_them():
    data = Named()
    folds = [dealt(data, 6, seed) for seed in range(6)]
    splits = ("train", "validation", "test")
    persons = [{name: {*data.table["identity"][fold.rows(name)]} for name in splits} for fold in folds]
    assert sorted(np.concatenate([fold.rows("test") for fold in folds])) == list(range(len(data.table)))
    for each in persons:
        assert not each["train"] & each["test"] and not each["train"] & each["validation"]
        assert not each["validation"] & each["test"] and set.union(*each.values()) == set(range(20))
    fixed = [dealt(data, 6, seed, fixed=True).rows("train") for seed in range(6)]
    assert len({tuple(rows) for rows in fixed}) == 6  # other persons in each training


def test_covers_come_at_a_fixed_rate_hide_enough_and_spare_the_first_frames():
    for video in range(40):
        there = [cover(0, video, t) is not None for t in range(40)]
        assert 3 <= sum(there[:20]) <= 8 and 3 <= sum(there[20:]) <= 8 and not any(there[:2])
    shares = [cover(0, video, t)[0] for video in range(40) for t in range(20) if cover(0, video, t)]
    assert min(shares) >= 0.3 and max(shares) <= 1.0
    plain, hidden = (FaceWorldVideos(0, 1, 20, 1, 20, 48, covers) for covers in (False, True))
    frame = next(t for t in range(20) if cover(0, 0, t))
    assert hidden[frame].group == COVERED and hidden[0].group == plain[0].group != COVERED
    assert hidden[frame].visible.sum() < plain[frame].visible.sum()
    np.testing.assert_array_equal(hidden[frame].points, plain[frame].points)  # they count in the loss all the same
    assert hidden[frame].mask.all() and plain.description != hidden.description


def test_a_box_that_is_off_is_off_by_ten_per_cent_at_most():
    boxes = np.tile([50.0, 60.0, 40.0], (100, 1))
    moved = off(boxes) - boxes
    assert 3.5 < np.abs(moved).max() <= 4.0 and len(np.unique(moved)) == 300


# ------------------------------------------------------------------------------------------------------------ the work


@pytest.fixture
def work(open_lab, tmp_path, monkeypatch):
    """A Trial of profile tiny with two learning rates."""
    open_lab()
    monkeypatch.setattr(trial, "RATES", (2e-3, 8e-3))
    monkeypatch.setattr(trial, "PARTS", 4)
    found = Trial("face_world", "", "cpu", "tiny", tmp_path / "bench")
    found.out = str(tmp_path / "out")
    return found


def test_rates_are_chosen_records_written_and_nothing_done_twice(work, capsys):
    tasks = [task for task in work.tasks(["C8"]) if task.seed == 0]
    assert {task.tag for task in tasks} == {"rate-0.002", "rate-0.008", "twice", ""}
    assert [task.tag for task in tasks].index("twice") < [task.name for task in tasks].index(
        "f_REG with encoder features"
    )
    for task in tasks:
        work.do(task)
    facts, arrays = read(path_of(work.folder, "face_world", variants.WITH_FEATURES.name, 0))
    errors = {
        rate: read(path_of(work.folder, "face_world", variants.WITH_FEATURES.name, 0, f"rate-{rate:g}"))[1][
            "validation"
        ]
        for rate in trial.RATES
    }
    assert facts["rate"] == min(errors, key=lambda rate: errors[rate].mean())
    assert facts["endpoints"] == endpoints.fingerprint() and facts["seconds"] > 0 and facts["pictures"] > 0
    assert arrays["stills.errors"].shape == arrays["stills.off"].shape == arrays["stills.person"].shape
    assert all(map(work.record, tasks))
    row = next(row for row in board.rows(work.folder) if row.claim == "C8" and row.source == "face_world")
    short = row.converged >= CLAIMS["C8"].effect
    assert row.trainings == 1 and row.judgement.word == (endpoints.NOT_TESTABLE if short else endpoints.WAITING)
    # Both heads stand on one and the same network.
    heads = [
        work.bench(0).trained(work.settled(v), 0).net.state_dict()
        for v in (variants.WITH_FEATURES, variants.WITHOUT_FEATURES)
    ]
    base = work.bench(0).trained(work.settled(variants.ECCV), 0).net.state_dict()
    weights = [name for name in base if "running" not in name and "num_batches" not in name]
    assert all(head[name].equal(base[name]) for head in heads for name in weights)


def test_work_stops_in_time_and_tells_how_to_go_on(work, capsys):
    work.work(["C8"], minutes=0)
    assert not list(work.folder.rglob("*.npz")) and "0 of" in capsys.readouterr().out
    work.deadline = time.monotonic() - 1
    with pytest.raises(trial.TimeUp):
        work.do(Task("C4", variants.CASCADE, 1, "rate-0.002"))
    assert not work.record(Task("C4", variants.CASCADE, 1, "rate-0.002"))


def test_no_pair_has_sides_of_two_precisions(work, monkeypatch):
    own = work.bench(0).lab.results.stamp["precision"]
    task = next(task for task in work.tasks(["C4"]) if task.variant)
    write(path_of(work.folder, work.source, task.name, task.seed, task.tag), {"endpoints": endpoints.fingerprint()}, {})
    work.work(["C4"], minutes=0)  # a record that does not say is taken for like
    facts = {"endpoints": endpoints.fingerprint(), "precision": "float16"}
    write(path_of(work.folder, work.source, task.name, task.seed, task.tag), facts, {})
    with pytest.raises(SystemExit, match=f"C4: not all of its records were trained in {own}"):
        work.work(["C4"], minutes=0)
    work.work(["C8"], minutes=0)  # which has none of them
    monkeypatch.setattr(work, "tasks", lambda claims: [task])  # nothing is left to train
    work.work(["C4"], minutes=0)


def test_all_three_stages_leave_what_their_claims_ask_for(work):
    for variant in (endpoints.TRACKED, variants.IDENTITY):
        work.do(Task("C6", variant, 0))
    _, tracked = read(path_of(work.folder, "face_world", endpoints.TRACKED.name, 0))
    assert {"videos.errors", "videos.wiped", "videos.mean_guess", "videos.group", "parts", "curve"} <= set(tracked)
    _, people = read(path_of(work.folder, "face_world", variants.IDENTITY.name, 0))
    assert set(people["recognised"]) <= {0.0, 100.0} and len(people["recognised.loss"]) == len(people["recognised"])


# ------------------------------------------------------------------------------------------------------------ the board


def test_every_claim_has_its_question_on_its_own_data():
    assert set(QUESTIONS) == set(CLAIMS)
    for claim, question in QUESTIONS.items():
        if CLAIMS[claim].kind == "sampled":
            assert (question.sources[0] == "face_world") == (CLAIMS[claim].data == "face world")


def made(folder, name, shift, seeds=6, tag="", source="udacity", error=8.0, kind="stills"):
    """Write records of a variant whose errors are so much off those of another of the same items."""
    for seed in range(seeds):
        draw, persons = np.random.default_rng(seed), 40
        person = np.repeat(np.arange(persons), 5)
        base = error + draw.normal(0, 1, persons)[person] + draw.normal(0, 0.5, len(person))
        own = np.random.default_rng([seed, len(name)])
        errors = base + shift + own.normal(0, 0.3, len(person)) + own.normal(0, 0.05)
        arrays = {"stills.errors": errors, "stills.seven": errors, f"{kind}.person": person, "validation": errors}
        arrays["parts"] = errors
        arrays["stills.group"] = np.where(person % 2, "common", "challenging")
        facts = {"endpoints": endpoints.fingerprint(), "seconds": 600.0}
        write(path_of(folder, source, name, seed, tag), facts, arrays)


def row_of(folder, claim, source="udacity"):
    return next(row for row in board.rows(folder) if (row.claim, row.source) == (claim, source))


@pytest.mark.parametrize(
    "shift, twice, said",
    [
        (-0.8, 0.0, endpoints.SUPPORTED),
        (0.8, 0.0, endpoints.OPPOSITE),
        (0.0, 0.0, endpoints.NOT_SEEN),
        (-0.8, -0.5, endpoints.NOT_TESTABLE),
    ],
)
def test_a_made_up_truth_gets_its_word_from_files_alone(tmp_path, shift, twice, said):
    made(tmp_path, variants.BASE.name, 0.0)
    made(tmp_path, variants.RESNET.name, shift)
    made(tmp_path, variants.BASE.name, twice, 1, "twice")
    began, row = time.perf_counter(), row_of(tmp_path, "C1")
    assert time.perf_counter() - began < 60
    assert row.judgement.word == said and row.trainings == 6 and row.primary
    assert row.hours(RULES) == pytest.approx(2 * 6 * 20 / 60 if twice else 0.0)  # too short: all again, twice as long
    assert board.settled("C1", "quick", tmp_path) and not board.settled("C1", "smoke", tmp_path)
    assert row.judgement.low < -100 * shift / 8.0 < row.judgement.high


def test_beside_an_endpoint_stand_its_other_statistics_groups_and_boxes(tmp_path):
    made(tmp_path, variants.BASE.name, 0.0)
    made(tmp_path, variants.RESNET.name, -0.8)
    found = board.beside("C1", tmp_path)
    assert list(found) == ["challenging", "common", "spread", "failures"]
    assert all(abs(found[group].mean + 0.8) < 0.1 for group in ("challenging", "common"))
    assert found["failures"].mean < 0 and found["spread"].low < 0 < found["spread"].high
    assert not board.beside("C4", tmp_path) and not board.beside("C5", tmp_path)
    guess = "z0 from the mean face"  # the best baseline of C9 has no such way
    assert guess in board.beside("C14") and board.beside("C9") and guess not in board.beside("C9")
    assert set(board.beside("C12")) >= {"all", "boxes off by 10 %"}  # of its curve's end, in the committed records


@pytest.mark.parametrize("carried, name", [("its memory", "wiped"), ("z0 of the frame before", "mean_guess")])
def test_what_is_carried_from_frame_to_frame_is_judged_in_covered_frames_of_one_network(carried, name):
    found, each = board.beside("C6")[f"covered, with f_trn: by {carried}"], []
    for _, _, (_, arrays) in board.pairs_of("C6"):
        without, with_it = (
            np.minimum(arrays[f"videos.{n}"], 20)[arrays["videos.group"] == "covered"].mean() for n in (name, "errors")
        )
        each.append(with_it - without)
    assert found.each == pytest.approx(each) and found.mean == pytest.approx(np.mean(each))


def test_a_failed_gate_ends_the_work_or_doubles_both_sides(tmp_path):
    work = Trial("udacity", "", folder=tmp_path)

    def left():
        return [
            (t.name, t.seed, t.tag) for t in work.tasks(["C1"]) if not t.tag.startswith("rate-") and not work.record(t)
        ]

    base, resnet = variants.BASE.name, variants.RESNET.name
    assert left()[:3] == [(base, 0, ""), (base, 0, "twice"), (resnet, 0, "")] and len(left()) == 13
    made(tmp_path, base, 0.0, 1)
    made(tmp_path, base, -0.5, 1, "twice")  # 6 %, where less than 3.8 is asked
    row = row_of(tmp_path, "C1")
    assert row.judgement.word == endpoints.NOT_TESTABLE and row.trainings == 0 and row.converged > 3.8
    assert board.settled("C1", "quick", tmp_path) and not board.settled("C2", "quick", tmp_path)
    assert left()[:2] == [(base, 0, "long"), (base, 0, "long-twice")] and {tag for *_, tag in left()[2:]} == {"long"}
    made(tmp_path, base, -0.5, 6, "long")
    made(tmp_path, base, -0.9, 1, "long-twice")  # 5 %
    assert left() == [] and row_of(tmp_path, "C1").judgement.word == endpoints.NOT_TESTABLE
    made(tmp_path, base, -0.6, 1, "long-twice")  # 1 %
    assert left() == [(resnet, seed, "long") for seed in range(6)]
    made(tmp_path, resnet, -1.2, 6, "long")
    row = row_of(tmp_path, "C1")
    assert row.judgement.word == endpoints.SUPPORTED and row.trainings == 6 and 0 < row.converged < 3.8
    assert left() == []


def test_a_gate_that_gives_no_number_has_failed(tmp_path):
    made(tmp_path, variants.BASE.name, 0.0)
    made(tmp_path, variants.RESNET.name, -0.8)
    made(tmp_path, variants.BASE.name, np.nan, 1, "twice")
    assert row_of(tmp_path, "C1").judgement.word == endpoints.NOT_TESTABLE


def test_persons_must_be_recognised_in_every_training_of_a_claim_about_them(tmp_path):
    work = Trial("udacity", "", folder=tmp_path)
    assert {task.name for task in work.tasks(["C7"])} >= {variants.IDENTITY.name, endpoints.TRACKED.name}
    for name in (endpoints.NO_F_CLS.name, endpoints.TRACKED.name):
        made(tmp_path, name, 0.0, kind="parts")
    made(tmp_path, endpoints.NO_F_CLS.name, 0.0, 1, "twice", kind="parts")
    made(tmp_path, variants.IDENTITY.name, 0.0, 5)
    assert row_of(tmp_path, "C7").gate is None and row_of(tmp_path, "C7").judgement.word == endpoints.NOT_TESTABLE


def test_the_best_baseline_is_chosen_on_the_first_fold_and_trained_alone_on_the_others(work, monkeypatch):
    seen = []

    def fitted(lab, name, seed=None, choices=None):
        seen.append((lab.seed, name, choices))
        return trial.compare.Fitted((name, choices), 0.0)

    def tracked(method, videos):
        name, choices = method
        return {"errors": np.full(4, {"SDM": 6.0, "ESR": 5.0}.get(name, 7.0) - 0.01 * getattr(choices, "kept", 0))}

    monkeypatch.setattr(trial.compare, "fitted", fitted)
    monkeypatch.setattr(trial, "_tracked", tracked)
    for task in (Task("C9", None, 1), Task("C9", None, 0, "twice")):
        work.do(task)
    names = [name for seed, name, _ in seen if seed == 0]
    assert (
        names.count("SDM") == names.count("regression trees") == 2 and names.count("ESR") == 2
    )  # once more for the gate
    assert [name for seed, name, _ in seen if seed == 1] == ["ESR"]
    once, more = (choices.variations for seed, name, choices in seen if (seed, name) == (0, "ESR"))
    assert more == pytest.approx(2 * once, abs=1)
    facts, arrays = read(path_of(work.folder, "face_world", "baselines", 0))
    assert board.best_of(facts) == "ESR" and arrays["validation"].mean() == 5 and facts["methods"]["SDM"]["choice"] == 1
    assert board.fall("C9", "face_world", "", work.folder) == 0


def test_twice_the_steps_are_twice_those_of_all_stages(work):
    bench = work.bench(0)
    once, twice = endpoints.TRACKED, trial.longer(work.bench(0), endpoints.TRACKED, 0, 2, True)
    for one, two in zip(once.chain(), twice.chain(), strict=True):
        assert 2 * bench.training(one, 0).train.steps == bench.training(two, 0).train.steps


def test_five_trainings_and_other_rules_are_not_judged(tmp_path):
    made(tmp_path, variants.BASE.name, 0.0)
    made(tmp_path, variants.RESNET.name, -0.8, 5)
    row = row_of(tmp_path, "C1")
    assert row.judgement.word == endpoints.WAITING and row.judgement.why == "5 of 6 trainings"
    assert row.hours(RULES) == pytest.approx(20 / 60) and not board.settled("C1", "quick", tmp_path)
    path = path_of(tmp_path, "udacity", variants.BASE.name, 0)
    facts, arrays = read(path)
    write(path, facts | {"endpoints": "of other rules"}, arrays)
    assert read(path) is None and row_of(tmp_path, "C1").trainings == 4


def test_the_gain_by_yaw_is_that_of_the_definition(tmp_path):
    rng = np.random.default_rng(0)
    for seed in range(6):
        yaw, first = rng.uniform(0, 90, 300), rng.uniform(6, 10, 300)
        last = np.where(yaw < 15, 0.9 * first, np.where(yaw >= 45, 0.7 * first, first))
        arrays = {"stills.steps": np.stack([first, first, last]), "stills.yaw": yaw, "validation": first}
        arrays["stills.person"] = np.arange(300)
        facts = {"endpoints": endpoints.fingerprint(), "seconds": 60.0}
        write(path_of(tmp_path, "face_world", variants.ECCV.name, seed), facts, arrays)
        if not seed:
            write(path_of(tmp_path, "face_world", variants.ECCV.name, 0, "twice"), facts, arrays)
    row = row_of(tmp_path, "C5", "face_world")
    assert row.found.first == pytest.approx(10, abs=0.1) and row.found.second == pytest.approx(30, abs=0.1)
    assert row.judgement.word == endpoints.SUPPORTED


def test_what_is_counted_is_reproduced(tmp_path):
    found, _ = trial.cost("C11")
    write(path_of(tmp_path, "face_world", "cost C11", 0), {"endpoints": endpoints.fingerprint()}, found)
    assert row_of(tmp_path, "C11", "face_world").judgement.word == endpoints.REPRODUCED


def test_the_committed_records_give_a_board_in_under_a_minute():
    began, rows = time.perf_counter(), board.rows()
    assert time.perf_counter() - began < 60 and {row.claim for row in rows if row.primary} == set(CLAIMS)
    for row in rows:
        if row.endpoint.kind == "sampled" and row.trainings < RULES.trainings:
            short = row.converged is not None and row.converged >= row.endpoint.effect
            assert row.judgement.word == (endpoints.NOT_TESTABLE if short else endpoints.WAITING)
