"""Progress: a bar for people, a small file for the runner, and nothing for either where there is no need."""

import json

import pytest

from rednet_lab import progress as module
from rednet_lab.progress import Progress, in_batch


@pytest.fixture
def report(tmp_path, monkeypatch):
    """The file that the runner watches, and a clock that the test moves."""
    file = tmp_path / "50_stage1.progress.json"
    monkeypatch.setenv("REDNET_BATCH", "1")
    monkeypatch.setenv("REDNET_PROGRESS", str(file))
    monkeypatch.setattr(module.time, "monotonic", lambda: report_clock["now"])
    report_clock = {"now": 100.0}
    file_and_clock = (lambda: json.loads(file.read_text(encoding="utf-8")), report_clock)
    yield file_and_clock
    assert [path.name for path in tmp_path.iterdir()] == [file.name]  # nothing half-written


@pytest.fixture
def screen(monkeypatch, capsys):
    """What a person at a screen has been shown."""
    monkeypatch.delenv("REDNET_BATCH", raising=False)
    return lambda: "".join(capsys.readouterr())


def test_the_runner_is_told_and_not_too_often(report):
    told, clock = report
    with Progress("stage 1") as progress:
        progress(1, 9, "l_r 0.5")
        assert told() == {"label": "stage 1", "done": 1, "total": 9, "note": "l_r 0.5"}
        clock["now"] += 0.4
        progress(2, 9)
        assert told()["done"] == 1
        clock["now"] += 0.2
        progress(3, 9)
        assert told()["done"] == 3
        progress(9, 9)  # the end is always told
        assert told() == {"label": "stage 1", "done": 9, "total": 9, "note": ""}
    assert progress.bar is None  # no bar in an executed notebook


def test_a_report_that_cannot_be_put_in_place_is_no_reason_to_stop(report, monkeypatch):
    told, clock = report
    progress = Progress("stage 1")
    progress(1, 9)

    def held(*_):
        raise PermissionError

    with monkeypatch.context() as patch:
        patch.setattr(module.os, "replace", held)
        progress(9, 9)
    assert told()["done"] == 1
    progress(9, 9)
    assert told()["done"] == 9


def test_in_batch_without_a_file_nothing_happens(monkeypatch, screen):
    monkeypatch.setenv("REDNET_BATCH", "1")
    monkeypatch.delenv("REDNET_PROGRESS", raising=False)
    assert in_batch()
    with Progress("stage 1") as progress:
        progress(9, 9)
    assert screen() == ""


def test_people_see_a_bar_with_label_note_and_count(screen):
    assert not in_batch()
    with Progress("stage 1", "face") as progress:
        progress(3, 10, "l_r 0.5")
        assert (progress.bar.n, progress.bar.total) == (3, 10)
        progress(10, 10, "l_r 0.25")
        assert progress.bar.n == 10
    said = screen()
    assert "stage 1" in said and "10/10" in said and "l_r 0.25" in said
    assert progress.bar.disable  # closed


def test_a_run_that_goes_on_does_not_count_what_was_done_before_as_its_speed(screen):
    with Progress("stage 1") as progress:
        progress(51, 100)
        assert (progress.bar.initial, progress.bar.n) == (50, 51)
