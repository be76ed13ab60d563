"""The tables of the README that are made, not typed: the series and the results. `python -m rednet_lab.board`.

They stand between markers in README.md and come from rednet_lab/series.py and from the results.json files that a
run left under figures/. With --check nothing is written; the exit code says whether the README is up to date.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from .files import figures, read_json, write_text
from .series import SERIES

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
RUNS = {"quick": "face world", "quick-udacity": "real faces"}  # folders under figures/ whose results are kept
# What a row says, the notebook that measured it, and its number there.
ROWS = (
    ("stills: mean shape", "50_stage1", "stills_mean_shape"),
    ("stills: after stage 1", "50_stage1", "stills_stage1"),
    ("stills: after stage 2", "52_stage2", "stills_stage2"),
    ("stills: failures after stage 2 (error above 10 %)", "52_stage2", "stills_stage2_failures"),
    ("video, common: mean shape in the true boxes", "54_stage3", "common_mean_shape"),
    ("video, common: tracked after stage 1", "54_stage3", "common_stage1"),
    ("video, common: tracked after stage 3", "54_stage3", "common_stage3"),
    ("video, challenging: mean shape in the true boxes", "54_stage3", "challenging_mean_shape"),
    ("video, challenging: tracked after stage 1", "54_stage3", "challenging_stage1"),
    ("video, challenging: tracked after stage 3", "54_stage3", "challenging_stage3"),
)


def series_table() -> str:
    """The series as a Markdown table, with the minutes of a first quick run where they were measured."""
    lines = ["| | notebook | minutes on `quick` |", "|---|---|---|"]
    for entry in SERIES:
        minutes = f"{entry.minutes:g}" if entry.minutes else ""
        lines.append(f"| {entry.number} | [{entry.title}](notebooks/{entry.name}.ipynb) | {minutes} |")
    return "\n".join(lines)


def results_table(folder: Path) -> str:
    """The results of the kept runs under `folder` as a Markdown table; a dash where a run has no such number."""
    runs = {run: _results(folder / run) for run in RUNS}
    runs = {run: results for run, results in runs.items() if results}
    if not runs:
        return "No results yet: `python3 go.py run` makes them."
    lines = ["| error, % of the inter-ocular distance | " + " | ".join(RUNS[run] for run in runs) + " |"]
    lines.append("|---|" + "---|" * len(runs))
    for label, notebook, name in ROWS:
        values = [results.get(notebook, {}).get("numbers", {}).get(name) for results in runs.values()]
        if any(values):
            lines.append(f"| {label} | " + " | ".join(figures(v["value"]) if v else "-" for v in values) + " |")
    stamps = [f"{RUNS[run]}: {_stamp(results)}" for run, results in runs.items()]
    return "\n".join(lines) + "\n\n" + "; ".join(stamps) + "."


def _results(run: Path) -> dict[str, dict]:
    found = {path.parent.name: read_json(path, {}) for path in sorted(run.glob("*/results.json"))}
    return {name: results for name, results in found.items() if results}


def _stamp(results: dict[str, dict]) -> str:
    stamps = [each["stamp"] for each in results.values()]
    seeds, codes = ({str(stamp[key])[:8] for stamp in stamps} for key in ("seed", "code"))
    first = stamps[0]
    where = f"{first['device']}, {first['machine']['cpus']} cores, torch {first['torch']}"
    return f"profile {first['profile']}, seed {' '.join(sorted(seeds))}, {where}, code {' '.join(sorted(codes))}"


def rendered(text: str, folder: Path) -> str:
    """A README's text with its made parts made anew; raises ValueError where a marker is missing."""
    for name, content in (("series", series_table()), ("results", results_table(folder))):
        begin, end = f"<!-- made: {name} -->", f"<!-- end: {name} -->"
        if text.count(begin) != 1 or text.count(end) != 1:
            raise ValueError(f"README.md: wanted one {begin} and one {end}")
        made = f"{begin}\n{content}\n{end}"
        text = re.sub(re.escape(begin) + ".*?" + re.escape(end), lambda _, made=made: made, text, flags=re.S)
    return text


def main(arguments: list[str] | None = None) -> int:
    """Write README.md's made parts, or only check them."""
    parser = argparse.ArgumentParser(prog="python -m rednet_lab.board", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the README is not up to date")
    check = parser.parse_args(arguments).check
    text = README.read_text(encoding="utf-8")
    made = rendered(text, ROOT / "figures")
    if made == text:
        print("README.md is up to date")
        return 0
    if check:
        print("README.md is not up to date: run python -m rednet_lab.board", file=sys.stderr)
        return 1
    write_text(README, made)
    print("README.md written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
