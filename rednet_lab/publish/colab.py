"""The cell that fetches the course where it is missing, on Colab say: `python -m rednet_lab.publish colab [--write]`.

It is the same in every notebook, right behind the parameters. In a checkout it does nothing. Colab's own packages
stay as they are. The repository's address stands in pyproject.toml, under [project.urls], alone.
"""

from __future__ import annotations

import copy
import re
from pathlib import Path

import nbformat

from rednet_lab.files import write_text
from rednet_lab.names import ROOT

ID = "fetch-the-course"
BEGIN = "# On Colab, say, this fetches the course (the packages it needs are there); in a checkout it does nothing."
CELL = """{begin}
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


def cell(url: str) -> str:
    """Return the cell's code."""
    return CELL.format(begin=BEGIN, address=url)


def is_ours(one) -> bool:
    """Tell whether a cell is this cell, of any version."""
    return one.get("id") == ID or one.source.startswith(BEGIN)


def fit(notebook, url: str) -> None:
    """Put the cell where it belongs, in place of an older one. Raises ValueError without a parameters cell."""
    notebook.cells = [one for one in notebook.cells if not is_ours(one)]
    places = [n for n, one in enumerate(notebook.cells) if "parameters" in one.metadata.get("tags", [])]
    if not places:
        raise ValueError("no cell is tagged parameters")
    new = nbformat.v4.new_code_cell(cell(url), id=ID, metadata={"jupyter": {"source_hidden": True}})
    notebook.cells.insert(places[0] + 1, new)


def links(url: str, path: str = "notebooks/00_tour.ipynb") -> str:
    """Return the Markdown of the three ways in; raises ValueError for an address that is not GitHub's."""
    name = re.fullmatch(r"https://github\.com/([\w.-]+/[\w.-]+?)(?:\.git)?", url)
    if not name:
        raise ValueError(f"Binder and Colab open repositories on GitHub, not {url or 'one without an address'}")
    colab, binder = "https://colab.research.google.com", "https://mybinder.org"
    return (
        f"[![Open in Colab]({colab}/assets/colab-badge.svg)]({colab}/github/{name[1]}/blob/main/{path})\n"
        f"[![Launch Binder]({binder}/badge_logo.svg)]({binder}/v2/gh/{name[1]}/main?urlpath=lab/tree/{path})\n"
        f"[Open in Codespaces](https://codespaces.new/{name[1]})"
    )


def mend(write: bool, *folders: Path) -> int:
    """Look at every notebook, with `write` mend it; print what was found, and the badges where the address is known."""
    folders = folders or (ROOT / "notebooks", ROOT / "teach")
    url, wrong, files = address(), 0, [file for folder in folders for file in sorted(folder.glob("*.ipynb"))]
    for file in files:
        notebook = nbformat.read(file, as_version=nbformat.NO_CONVERT)
        before = copy.deepcopy(notebook)
        fit(notebook, url)
        if notebook == before:
            continue
        if write:
            write_text(file, nbformat.writes(notebook) + "\n")
        wrong += not write
        print(f"{'written' if write else 'not as it should be'}: {file.name}")
    missing = 'pyproject.toml names no address: add [project.urls] with Repository = "https://github.com/..."'
    print(links(url) if url else missing)
    print(f"{len(files)} notebooks, {wrong} without the cell as it should be")
    return 1 if wrong else 0
