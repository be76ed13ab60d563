"""The README's made parts: they come from the series and the result files, and a missing marker is an error."""

import json
import shutil
import subprocess

import pytest

from rednet_lab.publish import readme
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
    text = readme.results_table(tmp_path)
    assert "| stills: after stage 1 | 6.43 | 5.11 |" in text
    assert "| stills: after stage 2 | 6.25 | - |" in text
    assert "mean shape" not in text  # nobody measured it
    assert "profile quick, seed 0, cpu, 2 cores, torch 9.9, code abcdef01" in text


def test_without_results_the_board_says_how_to_make_them(tmp_path):
    assert "python3 go.py run" in readme.results_table(tmp_path)


def test_the_series_links_to_the_executed_snapshots(tmp_path):
    assert "as it ran" not in readme.series_table(tmp_path)
    copy = tmp_path / "quick" / readme.SNAPSHOTS / f"{SERIES[1].name}.ipynb"
    copy.parent.mkdir(parents=True)
    copy.write_text("{}", encoding="utf-8")
    lines = [line for line in readme.series_table(tmp_path).splitlines() if "as it ran" in line]
    assert len(lines) == 1 and f"(figures/evidence/quick/snapshots/{SERIES[1].name}.ipynb)" in lines[0]


def test_the_series_is_complete_and_links_to_files_that_exist():
    table = readme.series_table(readme.EVIDENCE)
    for entry in SERIES:
        assert f"](notebooks/{entry.name}.ipynb)" in table
        assert (readme.ROOT / "notebooks" / f"{entry.name}.ipynb").is_file()


MARKERS = [f"<!-- made: {name} -->\nold\n<!-- end: {name} -->\n" for name in ("series", "results", "claims")]


def test_only_what_stands_between_the_markers_changes(tmp_path):
    text = "a\n" + "b\n".join(MARKERS) + "c\n"
    made = readme.rendered(text, tmp_path)
    assert "old" not in made.split("\n") and SERIES[0].title in made
    assert made.startswith("a\n<!-- made: series -->\n") and made.endswith("<!-- end: claims -->\nc\n")
    assert made.count("\nb\n") == 2
    assert readme.rendered(made, tmp_path) == made
    for name in ("series", "claims"):
        with pytest.raises(ValueError, match=f"made: {name}"):
            readme.rendered(text.replace(f"<!-- made: {name} -->", ""), tmp_path)


def test_the_board_has_a_line_for_each_of_the_14_claims(tmp_path):
    lines = readme.claims_table(tmp_path).splitlines()
    assert [line.split(" | ")[0] for line in lines if line.startswith("| C")] == [f"| C{i}" for i in range(1, 15)]
    assert "✗ contradicted" in lines[-1] and "[figures/README.md](figures/README.md)" in lines[-1]


def small_checkout(folder, monkeypatch):
    """A README with markers and an empty folder of figures, in the board's place."""
    (folder / "figures").mkdir()
    (folder / "README.md").write_text("".join(MARKERS), encoding="utf-8")
    for name, path in (
        ("ROOT", folder),
        ("README", folder / "README.md"),
        ("FIGURES", folder / "figures"),
        ("EVIDENCE", folder / "figures"),
    ):
        monkeypatch.setattr(readme, name, path)


def test_check_fails_until_all_pages_are_written(tmp_path, monkeypatch, capsys):
    small_checkout(tmp_path, monkeypatch)
    assert readme.main(["--check"]) == 1 and not (tmp_path / "figures" / "README.md").exists()
    assert "README.md, figures/README.md not up to date" in capsys.readouterr().err
    assert readme.main([]) == 0 and (tmp_path / "figures" / "ledger.html").is_file()
    assert readme.main(["--check"]) == 0
    page = tmp_path / "figures" / "README.md"
    page.write_text(page.read_text(encoding="utf-8").replace("C14", "C15"), encoding="utf-8")
    assert readme.main(["--check"]) == 1
    assert "C15" in page.read_text(encoding="utf-8")


def test_a_broken_verdict_stops_the_board_with_its_name(tmp_path, monkeypatch):
    small_checkout(tmp_path, monkeypatch)
    (tmp_path / "figures" / "quick" / "72_recurrent_steps").mkdir(parents=True)
    (tmp_path / "figures" / "quick" / "72_recurrent_steps" / "verdicts.json").write_text("[]")
    with pytest.raises(ValueError, match="72_recurrent_steps"):
        readme.main([])


def test_the_readmes_say_what_the_result_files_say():
    git = ["git", "-C", str(readme.ROOT), "status", "--porcelain", "--", "figures", "README.md"]
    if not shutil.which("git") or subprocess.run(git, capture_output=True, text=True).stdout:
        pytest.skip(
            "figures/ has results of your own run; python -m rednet_lab.publish.readme puts them into the README"
        )
    for path, made in readme.tracked_pages().items():
        assert path.read_text(encoding="utf-8") == made, f"{path.name}: run python -m rednet_lab.publish.readme"
