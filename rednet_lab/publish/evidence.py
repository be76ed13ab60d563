"""Publishing a run: its small results are copied from figures/runs/<run> to figures/evidence/<run>, which git tracks.

Nothing else writes there. Evidence of more trainings is not replaced by fewer, a smoke run is no evidence, and of a run
on real faces only numbers are copied: their pictures are not ours to spread. Executed notebooks become small snapshots,
which GitHub shows as they are, and of which the site is made where nothing was executed: players and widgets give way
to their pictures, pictures to smaller ones, what is too long to its beginning; code, text and tables stay whole.
"""

from __future__ import annotations

import io
import re
import shutil
from base64 import b64decode, b64encode
from pathlib import Path

import nbformat
import numpy as np
from PIL import Image

from rednet_lab.files import read_json, remove, write_text
from rednet_lab.names import EVIDENCE, ROOT, RUNS, USUAL_SOURCE
from rednet_lab.publish import pages
from rednet_lab.show import draw

MOST_BYTES = 100_000  # of a figure or table
NUMBERS = (".csv", ".json")
MOST, MOST_TEXT = 30_000, 8_000  # bytes of a picture or a piece of HTML; characters of what a cell printed
# Where results and kernels lay on one machine: nothing that a reader elsewhere could use.
OUT = re.compile(r"""^out = (["'])(?:/|~|[A-Za-z]:).*\1$""", re.M)
KERNEL = re.compile(r"\S*ipykernel_\d+[/\\]")
WIDGET = "application/vnd.jupyter.widget-view+json"
JPEG = b"\xff\xd8"  # what such a file begins with
STEPS = (1.0, 0.85, 0.7, 0.55, 0.45, 0.35, 0.25)


class PublishError(ValueError):
    """A run that cannot be published; the text says why."""


def publish(run: Path, root: Path = ROOT, force: bool = False) -> list[str]:
    """Copy a run's small results to the evidence, renew the made pages; return what was done, a line each.

    Raise PublishError where the run is a smoke run, has no results or broken ones, or (without `force`) where it would
    replace evidence of more trainings.
    """
    found = {path.parent.name: read_json(path, {}) for path in sorted(run.glob("*/results.json"))}
    if not found:
        raise PublishError(f"{run}: no results in it; a run's folder looks like figures/runs/quick")
    for name, results in found.items():
        if not isinstance(results.get("stamp"), dict):
            raise PublishError(f"{run / name}: its results.json is broken; run the notebook again")
        if results["stamp"].get("profile") not in ("quick", "full"):
            raise PublishError(f"{run}: profile {results['stamp'].get('profile')} is no evidence of anything")
    to = root / EVIDENCE / run.name
    fewer = [what for name in found for what in fewer_trainings(run / name, to / name)]
    if fewer and not force:
        raise PublishError("fewer trainings than are published (--force replaces them all the same):\n  "
                           + "\n  ".join(fewer))  # fmt: skip
    said = [line for name, results in found.items() for line in _copy(run / name, to / name, results)]
    own = [name for name, results in found.items() if results["stamp"].get("source") == USUAL_SOURCE]
    said += _snapshots(run, to, own)
    return said + [f"{path.relative_to(root).as_posix()} written" for path in pages.renew(root)]


def fewer_trainings(new: Path, old: Path) -> list[str]:
    """Return a sentence for each part that a notebook's old intervals.json has of more seeds than the new."""

    def seeds(folder: Path) -> dict[tuple, int]:
        rows = read_json(folder / "intervals.json", {}).get("intervals", [])
        return {(row.get("claim"), row.get("part"), row.get("source")): len(row.get("seeds") or []) for row in rows}

    published, here = seeds(old), seeds(new)
    return [f"{old.name}, {claim}, {part}: {count} published, {here.get((claim, part, source), 'none')} in this run"
            for (claim, part, source), count in published.items()
            if here.get((claim, part, source), -1) < count]  # fmt: skip


def _copy(folder: Path, to: Path, results: dict) -> list[str]:
    """Copy one notebook's listed files beside its old ones, then put the new folder in their place."""
    said, small, made = [], [], to.with_name(f".{to.name}.part")
    listed = [item["file"] for kind in ("figures", "tables") for item in results.get(kind) or []]
    for name in ("results.json", "intervals.json", *listed):
        file = folder / name
        if not file.resolve().is_relative_to(folder.resolve()):
            raise PublishError(f"{folder.name}: {name} lies outside its folder")
        if results["stamp"].get("source") != USUAL_SOURCE and file.suffix not in NUMBERS:
            continue
        if file.is_file() and file.stat().st_size > MOST_BYTES and name in listed:
            said.append(f"left out: {folder.name}/{name}, {file.stat().st_size // 1000} KB")
        elif file.is_file():
            small.append(file)
        elif name != "intervals.json":
            raise PublishError(f"{folder.name}: {name} is listed in results.json and not there")
    remove(made)
    made.mkdir(parents=True)
    for file in small:
        shutil.copyfile(file, made / file.name)
    remove(to)
    made.rename(to)
    return [*said, f"{to.parent.name}/{to.name} published"]


def _snapshots(run: Path, to: Path, names: list[str]) -> list[str]:
    """Write the executed snapshots of some notebooks; return one line that says how large they are."""
    size = count = 0
    for name in names:
        file = run / "executed" / f"{name}.ipynb"
        if not file.is_file():
            continue
        notebook = nbformat.read(file, as_version=4)
        strip(notebook)
        text = nbformat.writes(notebook) + "\n"
        write_text(to / pages.SNAPSHOTS / file.name, text)
        size, count = size + len(text.encode()), count + 1
    return [f"{count} executed snapshots, {size / 1e6:.1f} MB"] if count else []


# ------------------------------------------------------------------------------------------------- executed snapshots


def strip(notebook, most: int = MOST) -> None:
    """Make an executed notebook small, in place; no picture or piece of HTML is left of more than `most` bytes."""
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        if "injected-parameters" in cell.metadata.get("tags", []):
            cell.source = OUT.sub(f'out = "{RUNS}"', cell.source)
        for output in cell.get("outputs", []):
            if output.output_type == "stream":
                output.text = shortened(KERNEL.sub("", output.text))
            data = output.get("data", {})
            data.pop(WIDGET, None)
            pictures = [kind for kind in ("image/png", "image/jpeg") if kind in data]
            for kind in pictures:
                packed = smaller(b64decode(data.pop(kind)), most)
                now = "image/jpeg" if packed.startswith(JPEG) else "image/png"
                data[now] = b64encode(packed).decode()
                if kind in output.metadata:  # its size and its words for those who do not see it
                    output.metadata[now] = output.metadata.pop(kind)
            for kind in ("image/svg+xml", "text/html"):
                if kind in data and (pictures or len(data[kind]) > most):
                    size = len(data.pop(kind))
                    if not pictures:
                        data["text/plain"] = f"left out of this copy: {kind} of {size // 1000} KB; run the notebook"
            if "text/plain" in data:
                data["text/plain"] = shortened(data["text/plain"])


def shortened(text: str) -> str:
    """Return a text, of a long one only the beginning."""
    rest = len(text) - MOST_TEXT
    return text if rest <= 0 else f"{text[:MOST_TEXT]}\n... ({rest} more characters; run the notebook)"


def smaller(data: bytes, most: int) -> bytes:
    """Return a PNG or JPEG of at most `most` bytes, made ever smaller; as it is if it fits already.

    A PNG may become a JPEG: photographs stay larger in it, drawings in fewer colours.
    """
    if len(data) <= most:
        return data
    image = Image.open(io.BytesIO(data))
    kinds, image = ("PNG", "JPEG") if image.format == "PNG" else ("JPEG",), image.convert("RGB")
    for step in STEPS:
        size = (max(1, round(image.width * step)), max(1, round(image.height * step)))
        part = np.asarray(image.resize(size, Image.Resampling.LANCZOS))
        found = [draw.palette_png(part) if kind == "PNG" else draw.jpeg(part, 75) for kind in kinds]
        for packed in found:
            if len(packed) <= most:
                return packed
    return min(found, key=len)
