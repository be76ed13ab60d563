"""The cells that notebooks have in common; `python -m rednet_lab.publish readme` renews them.

Right behind the parameters stands what fetches the course where it is missing, on Colab say; in a checkout it does
nothing, and Colab's own packages stay as they are. The repository's address stands in pyproject.toml, under
[project.urls], alone. Below the title and at the end stands a notebook's place in the series: the picture of its result
as it ran, so that something is seen before anything is run, and the ways on and back. Exercises stand where they are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from rednet_lab.exercises import NAMES, load
from rednet_lab.exercises.notebooks import place
from rednet_lab.files import read_json
from rednet_lab.names import EVIDENCE, ROOT
from rednet_lab.series import Entry, parts

WORDS = "[words and symbols](../teach/words.md)"
FETCHES = "fetch-the-course"  # the id of the cell
FETCH = """# On Colab, say, this fetches the course (the packages it needs are there); in a checkout it does nothing.
import importlib.util
import os
import subprocess
import sys

if importlib.util.find_spec("rednet_lab") is None and not os.path.isdir("../rednet_lab"):
    address = os.environ.get("REDNET_COURSE", "{address}")
    if address:
        subprocess.run(["git", "clone", "--quiet", "--depth", "1", address, "rednet-course"], check=True)
        subprocess.run([sys.executable, *"-m pip install --quiet --no-deps -e rednet-course".split()], check=True)
        os.chdir("rednet-course/notebooks")
        sys.path.insert(0, os.path.dirname(os.getcwd()))
    else:
        print("The course is not here: open this notebook in a copy of it, or set REDNET_COURSE to its address.")"""


def address(pyproject: Path = ROOT / "pyproject.toml") -> str:
    """Return the repository's public address, or an empty text while pyproject.toml names none."""
    urls = re.search(r"^\[project\.urls\]\n(.*?)(?=^\[|\Z)", pyproject.read_text(encoding="utf-8"), re.M | re.S)
    found = re.search(r'^Repository\s*=\s*"(https://[^"]+)"', urls[1], re.M) if urls else None
    return found[1].rstrip("/") if found else ""


def badges(url: str) -> str:
    """Return the Markdown of the three ways in; what is missing where the address is not GitHub's."""
    name, path = re.fullmatch(r"https://github\.com/([\w.-]+/[\w.-]+?)(?:\.git)?", url), "notebooks/00_tour.ipynb"
    if not name:
        return 'no badges: add [project.urls] with Repository = "https://github.com/..." to pyproject.toml'
    colab, binder = "https://colab.research.google.com", "https://mybinder.org"
    return (
        f"[![Open in Colab]({colab}/assets/colab-badge.svg)]({colab}/github/{name[1]}/blob/main/{path})\n"
        f"[![Launch Binder]({binder}/badge_logo.svg)]({binder}/v2/gh/{name[1]}/main?urlpath=lab/tree/{path})\n"
        f"[Open in Codespaces](https://codespaces.new/{name[1]})"
    )


def fetching(url: str) -> dict:
    """Return the cell that fetches the course from an address."""
    cell = {"cell_type": "code", "execution_count": None, "id": FETCHES}
    cell |= {"metadata": {"jupyter": {"source_hidden": True}}, "outputs": []}
    return {**cell, "source": FETCH.format(address=url).splitlines(True)}


def neighbours() -> Iterator[tuple[Entry, str, Entry | None, Entry | None]]:
    """Yield each notebook with its place in words and the ones before and after it, on the path or in its appendix."""
    apart = {title: some for title, some in parts().items() if title.startswith("Appendix")}
    path = [entry for title, some in parts().items() if title not in apart for entry in some]
    for name, some in {"Path": path, **apart}.items():
        for n, entry in enumerate(some):
            around = [some[k] if 0 <= k < len(some) else None for k in (n - 1, n + 1)]
            yield entry, f"{name}, {n + 1} of {len(some)}", *around


def picture(name: str, root: Path) -> str:
    """Return the Markdown of a notebook's main figure in the evidence; the whole network where there is none yet."""
    found = read_json(root / EVIDENCE / "quick" / name / "results.json", {}).get("figures", [])
    found = [figure for figure in found if (root / EVIDENCE / "quick" / name / figure["file"]).is_file()]
    best = max(found, key=lambda figure: figure["hero"], default=None)
    if best is None:
        return "![the whole network](../figures/architecture.svg)"
    alt = best["alt"].replace("[", "(").replace("]", ")")
    caption = best["caption"].partition(" (profile ")[0].rstrip(".")
    return f"![{alt}](../{EVIDENCE}/quick/{name}/{best['file']})\n*As it ran on profile quick: {caption}.*"


def link(entry: Entry) -> str:
    """Return the link from one notebook to another."""
    return f"[{entry.number} {entry.title}]({entry.name}.ipynb)"


def around(entry: Entry, place: str, before: Entry | None, after: Entry | None, root: Path) -> list[dict]:
    """Return the cell below a notebook's title and its last one."""
    ways = [f"{way}: {link(other)}" for way, other in (("back", before), ("next", after)) if other]
    voice = "A block with a bar at its left is the papers' voice, or their authors' code; all else is ours."
    top = f"{picture(entry.name, root)}\n\n{place}; {'; '.join(ways)}; {WORDS}. {voice}"
    end = f"**{'Next' if after else 'The end'}**: {link(after) if after else '[all parts](../README.md#the-series)'}"
    return [
        {"cell_type": "markdown", "id": f"links-{where}", "metadata": {}, "source": text.splitlines(True)}
        for where, text in (("top", top), ("end", f"{end} · [results](../figures/README.md) · {WORDS}"))
    ]


def written(root: Path = ROOT) -> dict[Path, str]:
    """Return the text of every notebook of a checkout with these cells as they should be now."""
    pages, places = {}, {each[0].name: each for each in neighbours()}
    for file in [*(root / "notebooks").glob("*.ipynb"), *(root / "teach").glob("*.ipynb")]:
        notebook = json.loads(file.read_text(encoding="utf-8"))
        top, *end = around(*places[file.stem], root) if file.stem in places else [None]
        cells = [cell for cell in notebook["cells"] if not cell["id"].startswith(("links-", FETCHES))]
        behind = 1 + ["parameters" in cell["metadata"].get("tags", []) for cell in cells].index(True)
        cells[behind:behind] = [fetching(address())]
        cells[1:1] = [top] if top else []
        notebook["cells"] = cells + end
        for name in NAMES:
            if load(name).notebook == file.stem:
                place(notebook, name)
        pages[file] = json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
    return pages
