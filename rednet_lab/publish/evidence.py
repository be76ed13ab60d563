"""Publishing a run: its small results are copied from figures/runs/<run> to figures/evidence/<run>, which git tracks.

Nothing else writes there. Evidence of more trainings is not replaced by fewer, a smoke run is no evidence, and of a run
on real faces only numbers are copied: their pictures are not ours to spread.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import nbformat

from rednet_lab.files import read_json, remove, write_text
from rednet_lab.names import EVIDENCE, ROOT, USUAL_SOURCE
from rednet_lab.publish import pages, snapshots

MOST_BYTES = 100_000  # of a figure or table
NUMBERS = (".csv", ".json")


class PublishError(ValueError):
    """A run that cannot be published; the text says why."""


def publish(run: Path, root: Path = ROOT, force: bool = False) -> list[str]:
    """Copy a run's small results to the evidence, renew the made pages; return what was done, a line each.

    Raise PublishError where the run is a smoke run, has no results or broken ones, or (without `force`) where it would
    replace evidence of more trainings.
    """
    found = {path.parent.name: read_json(path) for path in sorted(run.glob("*/results.json"))}
    if not found:
        raise PublishError(f"{run}: no results in it; a run's folder looks like figures/runs/quick")
    for name, results in found.items():
        if not isinstance(results, dict) or not isinstance(results.get("stamp"), dict):
            raise PublishError(f"{run / name}: its results.json is broken; run the notebook again")
        if results["stamp"].get("profile") not in ("quick", "full"):
            raise PublishError(f"{run}: profile {results['stamp'].get('profile')} is no evidence of anything")
    to = root / EVIDENCE / run.name
    fewer = [what for name in found for what in fewer_trainings(run / name, to / name)]
    if fewer and not force:
        raise PublishError("fewer trainings than are published (--force replaces them all the same):\n  "
                           + "\n  ".join(fewer))  # fmt: skip
    said = [line for name, results in found.items() for line in _copy(run / name, to / name, results)]
    said += _snapshots(run, to, [name for name, results in found.items() if _own_faces(results)])
    return said + [f"{path.relative_to(root).as_posix()} written" for path in pages.renew(root)]


def fewer_trainings(new: Path, old: Path) -> list[str]:
    """Return a sentence for each part that a notebook's old intervals.json has of more seeds than the new."""

    def seeds(folder: Path) -> dict[tuple, int]:
        content = read_json(folder / "intervals.json", {})
        rows = content.get("intervals", []) if isinstance(content, dict) else []
        return {(row.get("claim"), row.get("part"), row.get("source")): len(row.get("seeds") or []) for row in rows}

    published, here = seeds(old), seeds(new)
    return [f"{old.name}, {claim}, {part}: {count} published, {here.get((claim, part, source), 'none')} in this run"
            for (claim, part, source), count in published.items()
            if here.get((claim, part, source), -1) < count]  # fmt: skip


def _own_faces(results: dict) -> bool:
    return results["stamp"].get("source") == USUAL_SOURCE


def _copy(folder: Path, to: Path, results: dict) -> list[str]:
    """Copy one notebook's listed files beside its old ones, then put the new folder in their place."""
    said = []
    listed = [item["file"] for kind in ("figures", "tables") for item in results.get(kind) or []]
    to.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=to.parent) as made:
        for name in ("results.json", "intervals.json", *listed):
            file = folder / name
            if not file.resolve().is_relative_to(folder.resolve()):
                raise PublishError(f"{folder.name}: {name} lies outside its folder")
            if not _own_faces(results) and file.suffix not in NUMBERS:
                continue
            if file.is_file() and file.stat().st_size > MOST_BYTES and name in listed:
                said.append(f"left out: {folder.name}/{name}, {file.stat().st_size // 1000} KB")
            elif file.is_file():
                shutil.copyfile(file, Path(made) / name)
            elif name != "intervals.json":
                raise PublishError(f"{folder.name}: {name} is listed in results.json and not there")
        remove(to)
        shutil.copytree(made, to)
    return [*said, f"{to.parent.name}/{to.name} published"]


def _snapshots(run: Path, to: Path, names: list[str]) -> list[str]:
    """Write the executed snapshots of some notebooks; return one line that says how large they are."""
    size = count = 0
    for name in names:
        file = run / "executed" / f"{name}.ipynb"
        if not file.is_file():
            continue
        notebook = nbformat.read(file, as_version=4)
        snapshots.strip(notebook)
        text = nbformat.writes(notebook) + "\n"
        write_text(to / pages.SNAPSHOTS / file.name, text)
        size, count = size + len(text.encode()), count + 1
    return [f"{count} executed snapshots, {size / 1e6:.1f} MB"] if count else []
