"""The pages that are made and not typed: README's parts, figures/README.md, what_can_be_said.md and ledger/*.md.

All of them show the committed evidence below figures/evidence: the bench's records, from which all statistics are done
anew, and the notebooks' results.json and intervals.json. README's parts stand between markers.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from data_prep.face_world.world import FaceWorld
from rednet_core import geometry
from rednet_core.tracking import Tracker
from rednet_lab.files import figures, read_json, write_text
from rednet_lab.names import EVIDENCE, ROOT
from rednet_lab.publish import cells, teach
from rednet_lab.publish.ledger import tables, words
from rednet_lab.publish.ledger.entries import KINDS
from rednet_lab.series import SERIES, parts
from rednet_lab.show import draw
from rednet_lab.show.trace import record
from rednet_lab.workbench.shipped import open_weights

SNAPSHOTS = "snapshots"  # in a run's folder of the evidence: executed notebooks, made small
RUNS = {"quick": "face world", "quick-udacity": "real faces"}  # the columns of the results table
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
METHOD = ROOT / "figures" / "method.png"
SEED, VIDEO = 1, 20  # a world that no training has seen
FRAMES = (0, 6, 12, 18, 24)  # of the picture's strip; the last one's steps stand above it
SIZE, PANEL = 256, 190  # pixels of a frame, and of each picture
MADE = "Made by `python -m rednet_lab.publish readme` from the result files in `figures/evidence`: edit nothing here."


def written(root: Path = ROOT) -> dict[Path, str]:
    """Return every made page of a checkout as it should be now. Raise ValueError where README lacks a marker."""
    evidence, readme = root / EVIDENCE, root / "README.md"
    ledger = tables.open_ledger(evidence)
    pages = {readme: rendered(readme.read_text(encoding="utf-8"), ledger)}
    pages[root / "figures" / "README.md"] = front_page(evidence, ledger)
    pages[root / "figures" / "what_can_be_said.md"] = words.page(ledger, MADE)
    for kind in KINDS:
        pages[root / tables.page_of(kind)] = ledger_page(ledger, kind)
    return pages | cells.written(root) | teach.written(root)


def renew(root: Path = ROOT, check: bool = False) -> list[Path]:
    """Write the pages that are not up to date, or with `check` only look; return which they were."""
    old = [(path, text) for path, text in written(root).items()
           if not path.is_file() or path.read_text(encoding="utf-8") != text]  # fmt: skip
    for path, text in old if not check else ():
        write_text(path, text)
    return [path for path, _ in old]


# ----------------------------------------------------------------------------------------------------------- README


def rendered(text: str, ledger: tables.Ledger) -> str:
    """Return a README's text with its made parts made anew. Raise ValueError where a marker is missing."""
    made = {"series": series_in_parts(), "claims": tables.markdown(words.claims_short(ledger))}
    for name, content in made.items():
        begin, end = f"<!-- made: {name} -->", f"<!-- end: {name} -->"
        if text.count(begin) != 1 or text.count(end) != 1:
            raise ValueError(f"README.md: wanted one {begin} and one {end}")
        whole = f"{begin}\n{content}\n{end}"
        text = re.sub(re.escape(begin) + ".*?" + re.escape(end), lambda _, whole=whole: whole, text, flags=re.S)
    return text


def series_in_parts() -> str:
    """Return the series as a list of its parts, with the minutes of a first run on profile quick."""
    lines = []
    for title, some in parts().items():
        links = " · ".join(f"[{e.number} {e.title}](notebooks/{e.name}.ipynb)" for e in some)
        lines.append(f"- **{title}** ({sum(entry.minutes for entry in some):.0f} min): {links}")
    return "\n".join(lines)


def method() -> np.ndarray:
    """Return README's picture (H, W, 3): above one frame's way through the network, below the frames that led to it."""
    video = FaceWorld(SEED, SIZE).video(VIDEO, FRAMES[-1] + 1)
    tracker = Tracker(open_weights())
    tracker.start(geometry.face_box(video[0].points[None].astype(np.float32), tracker.net.markup)[0])
    seen = [record(tracker.net, tracker.update(one.image), one.image[None], one.points[None])[0] for one in video]
    last = seen[-1]
    crop = draw.enlarge(last.picture, PANEL)
    z0, (detection, regression) = last.steps[0].feedback, (step.maps for step in last.steps)
    steps = {
        f"frame {FRAMES[-1]}": crop,
        "z0: frame before": draw.overlay(crop, z0.max(0)),
        "step 1: detection": draw.overlay(crop, detection.max(0)),
        "step 2: regression": draw.overlay(crop, regression.max(0)),
        "68 points": draw.face(last.picture, PANEL, last.steps[-1].points),
    }
    strip = {}
    for i in FRAMES:
        boxed = draw.box(draw.enlarge(seen[i].image, PANEL), draw.place(seen[i].box, SIZE, PANEL))
        found = draw.place(seen[i].points, SIZE, PANEL)
        strip[f"frame {i}, NME {seen[i].error:.1f} %"] = draw.points(boxed, found, size=2)
    return draw.panels(steps | strip, len(FRAMES))


# ---------------------------------------------------------------------------------------------------------- figures/


def front_page(evidence: Path, ledger: tables.Ledger) -> str:
    """Return figures/README.md: results, series, claims, and the way to the ledger's pages."""
    pages = "\n".join(f"- [{tables.PLURALS[kind]}](ledger/{Path(tables.page_of(kind)).name}), {len(ledger.of(kind))}"
                      for kind in KINDS)  # fmt: skip
    shown = [words.claims_short(ledger), tables.legend(), tables.coverage(ledger)]
    claims, legend, coverage = (tables.markdown(table, "figures") for table in shown)
    return f"""# Results

{MADE}

Two folders lie here. **evidence/** is committed: results that `python -m rednet_lab.publish evidence RUN` copied out of
runs. This page, the ledger and README show these. **runs/** holds your own runs (`python3 go.py run`). Git ignores it,
and each run has an `index.html` of its own. No real face is in `evidence/`: of runs on real faces it has numbers only.

## One training of each stage

It shows that the method works here. Error (NME) in % of the distance of the outer eye corners, as in the papers; in
brackets by our floored measure, where it differs. A run without brackets is older: its figures are floored.

{results_table(evidence)}

## The papers' claims

{claims}

[What we can and cannot say about these papers](what_can_be_said.md): the words, gates, the smallest effects to be seen.
[What the notebooks measured](ledger/claims.md), without words, with the papers' figures beside. Both are of other data
and sizes of network than the papers': compare directions, not values.

{legend}

## The ledger

What the papers say, and the code, tests and notebooks that belong to it:

{pages}

{coverage}

## The notebooks as they ran

{snapshots_table(evidence)}
"""


def ledger_page(ledger: tables.Ledger, kind: str) -> str:
    """Return the page of one kind of entries."""
    found = [tables.claims_full(ledger)] if kind == "claim" else []
    text = "\n\n".join(tables.markdown(t, "figures/ledger") for t in [*found, *tables.listings(ledger, (kind,))])
    way = "[All results](../README.md); what the words of the last column mean is there."
    return f"# The ledger: {tables.PLURALS[kind].lower()}\n\n{MADE} {way}\n\n{text}\n"


def results_table(folder: Path) -> str:
    """Return the results of the runs under `folder` as a table; a dash where a run has no such number."""
    files = {run: sorted(folder.glob(f"{run}/*/results.json")) for run in RUNS}
    runs = {run: {path.parent.name: read_json(path, {}) for path in paths} for run, paths in files.items() if paths}
    if not runs:
        return "No results yet: `python3 go.py run` makes them."
    lines = ["| | " + " | ".join(RUNS[run] for run in runs) + " |", "|---|" + "---|" * len(runs)]
    for label, notebook, name in ROWS:
        numbers = [results.get(notebook, {}).get("numbers", {}) for results in runs.values()]
        said = [figures(n[name]["value"]) if name in n else "-" for n in numbers]
        ours = [f" ({figures(n[f'{name}_floored']['value'])})" if f"{name}_floored" in n else "" for n in numbers]
        if any(name in n for n in numbers):
            lines.append(f"| {label} | " + " | ".join(map("".join, zip(said, ours, strict=True))) + " |")
    stamps = [f"{RUNS[run]}: {_stamp(results)}" for run, results in runs.items()]
    return "\n".join(lines) + "\n\n" + "; ".join(stamps) + "."


def _stamp(results: dict[str, dict]) -> str:
    stamps = [each["stamp"] for each in results.values()]
    seeds, codes = ({str(stamp[key])[:8] for stamp in stamps} for key in ("seed", "code"))
    where = "{device}, {machine[cpus]} cores, torch {torch}".format_map(stamps[0])
    return f"profile {stamps[0]['profile']}, seed {' '.join(sorted(seeds))}, {where}, code {' '.join(sorted(codes))}"


def snapshots_table(evidence: Path) -> str:
    """Return the series with the minutes of a first quick run and the executed snapshots that are there."""
    lines = ["| | notebook | minutes on `quick` | executed |", "|---|---|---|---|"]
    for entry in SERIES:
        copy = f"quick/{SNAPSHOTS}/{entry.name}.ipynb"
        seen = f"[as it ran](evidence/{copy})" if (evidence / copy).is_file() else ""
        minutes = f"{entry.minutes:g}" if entry.minutes else ""
        lines.append(f"| {entry.number} | [{entry.title}](../notebooks/{entry.name}.ipynb) | {minutes} | {seen} |")
    return "\n".join(lines)
