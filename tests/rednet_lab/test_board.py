"""The README's made parts: they come from the series and the result files, and a missing marker is an error."""

import json
import shutil
import subprocess

import pytest

from rednet_lab import board
from rednet_lab.series import SERIES


def write_run(folder, run, notebook, **numbers):
    stamp = {
        "profile": "quick",
        "seed": 0,
        "device": "cpu",
        "machine": {"cpus": 2},
        "torch": "9.9",
        "code": "abcdef0123",
    }
    values = {name: {"value": value} for name, value in numbers.items()}
    (folder / run / notebook).mkdir(parents=True)
    text = json.dumps({"stamp": stamp, "numbers": values})
    (folder / run / notebook / "results.json").write_text(text, encoding="utf-8")


def test_results_are_read_from_the_files(tmp_path):
    write_run(tmp_path, "quick", "50_stage1", stills_stage1=6.4321)
    write_run(tmp_path, "quick", "52_stage2", stills_stage2=6.25)
    write_run(tmp_path, "quick-udacity", "50_stage1", stills_stage1=5.111)
    text = board.results_table(tmp_path)
    assert "| stills: after stage 1 | 6.43 | 5.11 |" in text
    assert "| stills: after stage 2 | 6.25 | - |" in text
    assert "mean shape" not in text  # nobody measured it
    assert "profile quick, seed 0, cpu, 2 cores, torch 9.9, code abcdef01" in text


def test_without_results_the_board_says_how_to_make_them(tmp_path):
    assert "python3 go.py run" in board.results_table(tmp_path)


def test_the_series_is_complete_and_links_to_files_that_exist():
    table = board.series_table()
    for entry in SERIES:
        assert f"](notebooks/{entry.name}.ipynb)" in table
        assert (board.ROOT / "notebooks" / f"{entry.name}.ipynb").is_file()


def test_only_what_stands_between_the_markers_changes(tmp_path):
    text = "a\n<!-- made: series -->\nold\n<!-- end: series -->\nb\n<!-- made: results -->\n<!-- end: results -->\nc\n"
    made = board.rendered(text, tmp_path)
    assert "old" not in made and SERIES[0].title in made
    assert made.startswith("a\n<!-- made: series -->\n") and made.endswith("<!-- end: results -->\nc\n")
    assert board.rendered(made, tmp_path) == made
    with pytest.raises(ValueError, match="made: series"):
        board.rendered(text.replace("<!-- made: series -->", ""), tmp_path)


def test_the_readme_says_what_the_result_files_say():
    git = ["git", "-C", str(board.ROOT), "status", "--porcelain", "--", "figures", "README.md"]
    if not shutil.which("git") or subprocess.run(git, capture_output=True, text=True).stdout:
        pytest.skip("figures/ has results of your own run; python -m rednet_lab.board puts them into the README")
    text = board.README.read_text(encoding="utf-8")
    assert board.rendered(text, board.ROOT / "figures") == text, "run python -m rednet_lab.board"
