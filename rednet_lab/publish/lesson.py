"""What a notebook says of its place in the series: a cell below the title and one at the end.

Both are made of `rednet_lab.series` and the evidence: the picture of the notebook's result as it ran, so that something
is seen before anything is run, and the ways on and back. `python -m rednet_lab.publish readme` renews them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from rednet_lab.files import read_json
from rednet_lab.names import EVIDENCE, ROOT
from rednet_lab.series import Entry, parts

WORDS = "[words and symbols](../teach/words.md)"


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
    return f"![{alt}](../{EVIDENCE}/quick/{name}/{best['file']})\n*As it ran on profile quick: {alt}.*"


def link(entry: Entry) -> str:
    """Return the link from one notebook to another."""
    return f"[{entry.number} {entry.title}]({entry.name}.ipynb)"


def cells(entry: Entry, place: str, before: Entry | None, after: Entry | None, root: Path) -> list[dict]:
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
    pages = {}
    for entry, *where in neighbours():
        file = root / "notebooks" / f"{entry.name}.ipynb"
        if file.is_file():
            notebook = json.loads(file.read_text(encoding="utf-8"))
            rest = [cell for cell in notebook["cells"] if not cell["id"].startswith("links-")]
            top, end = cells(entry, *where, root)
            notebook["cells"] = [rest[0], top, *rest[1:], end]
            pages[file] = json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
    return pages
