"""What is made and not typed (`python -m rednet_lab.publish.readme`): README's tables, figures/README.md, the ledger.

The README's stand between markers: the series (rednet_lab/series.py), the results and the claims (results.json and
verdicts.json files under figures/evidence/). figures/README.md is the ledger, figures/ledger.html (not tracked)
the same for a browser. With --check nothing is written; the exit code says whether both READMEs are up to date.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from rednet_lab.files import figures, read_json, write_text
from rednet_lab.names import ROOT
from rednet_lab.publish.ledger import pages, render, writing
from rednet_lab.series import SERIES

README = ROOT / "README.md"
FIGURES = ROOT / "figures"
EVIDENCE = FIGURES / "evidence"  # what is tracked of runs
RUNS = {"quick": "face world", "quick-udacity": "real faces"}  # folders of the evidence
SNAPSHOTS = "snapshots"  # in a folder of the evidence: small copies of executed notebooks
# What a row says, the notebook that measured it, and its number there.
ROWS = (
    ("stills: mean shape", "50_stage1", "stills_mean_shape"),
    ("stills: after stage 1", "50_stage1", "stills_stage1"),
    ("stills: after stage 2", "52_stage2", "stills_stage2"),
    ("stills: failures after stage 2 (error above 10 %)", "52_stage2", "stills_stage2_failures"),
    ("video, common: mean shape in the true boxes", "54_stage3", "common_mean_shape"),
    ("video, common: tracked after stage 1", "54_stage3", "common_stage1"),
    ("video, common: tracked after stage 3", "54_stage3", "common_stage3"),
    ("video, common: SDM, tracked likewise", "78_comparison", "common_sdm"),
    ("video, challenging: mean shape in the true boxes", "54_stage3", "challenging_mean_shape"),
    ("video, challenging: tracked after stage 1", "54_stage3", "challenging_stage1"),
    ("video, challenging: tracked after stage 3", "54_stage3", "challenging_stage3"),
    ("video, challenging: SDM, tracked likewise", "78_comparison", "challenging_sdm"),
)


def series_table(folder: Path) -> str:
    """The series as a Markdown table: minutes of a first quick run, the executed snapshots under `folder`."""
    lines = ["| | notebook | minutes on `quick` | executed |", "|---|---|---|---|"]
    for entry in SERIES:
        minutes = f"{entry.minutes:g}" if entry.minutes else ""
        copy = f"quick/{SNAPSHOTS}/{entry.name}.ipynb"
        seen = f"[as it ran](figures/evidence/{copy})" if (folder / copy).is_file() else ""
        lines.append(f"| {entry.number} | [{entry.title}](notebooks/{entry.name}.ipynb) | {minutes} | {seen} |")
    return "\n".join(lines)


def results_table(folder: Path) -> str:
    """The results of the evidence under `folder` as a Markdown table; a dash where a run has no such number."""
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


def ledger_of(folder: Path) -> render.Ledger:
    """The ledger with the verdicts of the evidence under `folder`."""
    return pages.open_ledger(folder, *(folder / run for run in RUNS))


def claims_table(folder: Path) -> str:
    """The papers' claims with the verdicts of the evidence under `folder`, a line each."""
    ledger = ledger_of(folder)
    table = writing.markdown(render.claims_compact(ledger))
    words = "; ".join(f"{symbol} {status}" for status, symbol in render.SYMBOLS.items() if status != render.BUILT)
    return f"{table}\n\n{words}. What these words mean, and all parts: [figures/README.md](figures/README.md)."


def rendered(text: str, folder: Path) -> str:
    """A README's text with its made parts made anew; raises ValueError where a marker is missing."""
    parts = {"series": series_table(folder), "results": results_table(folder), "claims": claims_table(folder)}
    for name, content in parts.items():
        begin, end = f"<!-- made: {name} -->", f"<!-- end: {name} -->"
        if text.count(begin) != 1 or text.count(end) != 1:
            raise ValueError(f"README.md: wanted one {begin} and one {end}")
        made = f"{begin}\n{content}\n{end}"
        text = re.sub(re.escape(begin) + ".*?" + re.escape(end), lambda _, made=made: made, text, flags=re.S)
    return text


def tracked_pages() -> dict[Path, str]:
    """The two tracked files as they should be now."""
    text = README.read_text(encoding="utf-8")
    return {README: rendered(text, EVIDENCE), FIGURES / "README.md": pages.figures_readme(ledger_of(EVIDENCE))}


def main(arguments: list[str] | None = None) -> int:
    """Write what is made, or only check it."""
    parser = argparse.ArgumentParser(prog="python -m rednet_lab.publish.readme", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a README is not up to date")
    check = parser.parse_args(arguments).check
    old = []
    for path, made in tracked_pages().items():
        name = path.relative_to(ROOT).as_posix()
        if path.is_file() and path.read_text(encoding="utf-8") == made:
            print(f"{name} is up to date")
            continue
        old.append(name)
        if not check:
            write_text(path, made)
            print(f"{name} written")
    if check:
        if old:
            print(f"{', '.join(old)} not up to date: run python -m rednet_lab.publish.readme", file=sys.stderr)
        return 1 if old else 0
    write_text(FIGURES / "ledger.html", pages.page(ledger_of(EVIDENCE)))
    print("figures/ledger.html written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
