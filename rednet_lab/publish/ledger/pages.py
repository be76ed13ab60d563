"""The ledger's two pages: figures/README.md and an HTML page for the site, from the same tables."""

from __future__ import annotations

from pathlib import Path

from rednet_lab.names import ROOT
from rednet_lab.publish.ledger import entries, render, verdicts, writing
from rednet_lab.publish.ledger.render import Ledger
from rednet_lab.publish.ledger.writing import Table

HEAD = """# Results, and the ledger of both papers

What was reproduced, and what was not: every equation, hyper-parameter, table, figure and claim of the journal paper
(IJCV 2018) and of the ECCV paper (2016), with the code, the tests and the notebooks that belong to it and what came
out. This page is made by `python -m rednet_lab.publish.readme`; every figure of ours on it is read from a result file
in this folder. Notebook 90 shows the same with plots.
"""
TAIL = """## What lies in this folder

`python3 go.py run` puts each run into a folder of its own here: `quick/`, `smoke/`, `quick-udacity/`, `quick-seed1/`
and so on. Open its `index.html`. Beside it lie the executed notebooks (`executed/`), each notebook's figures, tables,
`results.json` and, where it has an experiment, `verdicts.json` (a folder for each), and the runner's records and logs
(`.runner/`).

Tracked are this file, the results of `quick/` (figures, tables, numbers), the tables and numbers of `quick-udacity/`
(its pictures show real persons and stay where the data is), and `recipes.csv`, the log of `python -m
rednet_lab.experiments.recipes`. Every file can be made again; a run of yours replaces them, and `git diff` shows what
changed.
"""
CSS = """body{font:16px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:90rem;padding:0 1rem;color:#1b1b1b;
background:#fff}h1,h2,h3{line-height:1.2}.table{overflow-x:auto}table{border-collapse:collapse;font-size:.85rem}
th,td{border-bottom:1px solid #ccc;padding:.3rem .5rem;text-align:left;vertical-align:top}th{position:sticky;top:0;
background:#f3f3f3}td:first-child{white-space:nowrap}tr:target{outline:2px solid #0072b2}
a{color:#0b5394}code{font-size:.95em}"""


def open_ledger(folder: Path, *runs: Path) -> Ledger:
    """The entries, with the verdicts of these runs (their folders) and the results under `folder`."""
    return Ledger(entries.load(), verdicts.read_verdicts(*runs), folder)


def notebooks_here() -> list[str]:
    """Names of the notebooks that are there."""
    return sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))


def tables(ledger: Ledger) -> list[Table]:
    """All tables of the page, in order."""
    found = [render.claims_full(ledger), render.legend(), render.coverage(ledger, notebooks_here())]
    return [*found, *render.listings(ledger)]


def figures_readme(ledger: Ledger) -> str:
    """The text of figures/README.md."""
    return "\n\n".join([HEAD.strip(), *(writing.markdown(t, "figures") for t in tables(ledger)), TAIL.strip()]) + "\n"


def page(ledger: Ledger, folder: str = "figures") -> str:
    """The HTML page, with links from `folder` (below the repository's root)."""
    paragraphs = HEAD.strip().split("\n\n")
    title, text = paragraphs[0].removeprefix("# "), " ".join(paragraphs[1:]).replace("\n", " ")
    body = "\n".join(writing.html(table, folder) for table in tables(ledger))
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><style>{CSS}</style></head><body><main>
<h1>{title}</h1><p>{writing.inline(text)}</p>
{body}
</main></body></html>
"""
