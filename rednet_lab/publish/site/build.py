"""Builds the site of one run: a page for each executed notebook, a front page, results, the ledger, and search."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import nbformat

from rednet_lab.files import clock, read_json, remove, write_json
from rednet_lab.publish.readme import EVIDENCE, RUNS, SNAPSHOTS, results_table
from rednet_lab.publish.site import search
from rednet_lab.publish.site.frame import Frame
from rednet_lab.publish.site.notebook import Article, article
from rednet_lab.publish.site.parts import Shown, cards, describe, evidence, heroes, latest_stamp, stamp_list
from rednet_lab.publish.site.prose import Prose
from rednet_lab.series import SERIES, Entry

HERE = Path(__file__).parent
MARK = "site.json"  # tells a site of ours from any other folder
LEDGER = re.compile(r"^#+ .*\bledger\b", re.I | re.M)


class SiteError(Exception):
    """The site cannot be built; the text says why and what to do."""


@dataclass
class Part:
    """One notebook of the series on the site; without an executed copy there is `why` and no page."""

    entry: Entry
    shown: Shown
    notebook: nbformat.NotebookNode | None = None
    article: Article | None = None
    why: str = ""

    @property
    def page(self) -> str:
        """Return the page's file name."""
        return f"{self.entry.name}.html"

    @property
    def run(self) -> dict:
        """Return what the runner noted in the executed notebook: stamp, seconds, error."""
        return self.notebook.metadata.get("rednet", {}) if self.notebook else {}

    @property
    def lesson(self) -> str:
        """Return what the notebook says that one will learn, as Markdown, or an empty text."""
        first = self.notebook.cells[0].source if self.notebook and self.notebook.cells else ""
        row = re.search(r"^\| \*\*You will learn\*\* \| (.+) \|$", first, flags=re.MULTILINE)
        return row[1] if row else ""


def build(run: Path, to: Path, series: Sequence[Entry] = SERIES) -> list[Part]:
    """Make the site of a run folder in the folder `to`, whole or not at all; return its parts. Raises SiteError."""
    parts = load(run, series)
    if to.exists() and not (to / MARK).is_file():
        raise SiteError(f"{to} exists and is no site of ours: give another folder with --to, or remove it")
    new = to.with_name(f".{to.name}.new")
    remove(new)
    new.mkdir(parents=True)
    for name, text in pages(run, parts, new):
        (new / name).write_text(text, encoding="utf-8", newline="\n")
    shutil.copyfile(HERE / "site.js", new / "site.js")
    (new / ".nojekyll").touch()  # GitHub Pages shall take the folder as it is
    write_json(new / MARK, {"run": run.name, "stamp": latest_stamp([part.shown for part in parts])})
    remove(to)
    new.replace(to)
    return parts


def load(run: Path, series: Sequence[Entry] = SERIES) -> list[Part]:
    """Read what a run folder holds of the series. Raises SiteError if no notebook was executed."""
    parts = []
    for entry in series:
        results = read_json(run / entry.name / "results.json", {})
        part = Part(entry, Shown(entry, run / entry.name, results, f"figures/{entry.name}"), why="not in this run")
        copies = [run / folder / f"{entry.name}.ipynb" for folder in ("executed", SNAPSHOTS)]
        file = next((copy for copy in copies if copy.is_file()), None)
        if file:
            part.notebook = nbformat.read(file, as_version=4)
        elif (run / "executed" / f"{entry.name}.failed.ipynb").is_file():
            part.why = "failed in this run"
        parts.append(part)
    if not any(part.notebook for part in parts):
        raise SiteError(f"{run}: no executed notebooks in it. Make them with: python3 go.py run")
    return parts


def pages(run: Path, parts: list[Part], to: Path) -> Iterator[tuple[str, str]]:
    """Yield (file name, text) of every page and of the search index; copies the figures that they show to `to`."""
    with_page = tuple(part.entry.name for part in parts if part.notebook)
    for part in parts:
        copy_files(part.shown, to)
        if part.notebook:
            fits = part.run.get("stamp", {}).get("code") == part.shown.stamp.get("code")  # figures of the same run
            told = (part.shown.results, file_of(part.shown, to)) if fits else ()
            part.article = article(part.notebook, *told, pages=with_page)
    ledger = ledger_of(run.parent, with_page)
    frame = Frame(parts, latest_stamp([part.shown for part in parts]), ledger is not None)
    found = []
    for part in parts:
        if part.article:
            yield part.page, frame.notebook(part)
            found += search.entries(part.page, f"{part.entry.number} {part.entry.title}", part.article.html)
    shown = results_body(parts)
    found += search.entries("results.html", "Results", shown)
    yield "results.html", frame.page("Results", shown, "results.html")
    if ledger:
        found += search.entries("ledger.html", "Ledger", ledger)
        yield "ledger.html", frame.page("Ledger", ledger, "ledger.html")
    yield "index.html", frame.page("RED-Net: a course and a reproduction", front(run, parts, ledger), "index.html")
    yield "search.js", search.script(found)


def file_of(shown: Shown, to: Path):
    """Return what gives the address of a notebook's figure file on the site, or None where it is not there."""
    return lambda name: shown.link({"file": name}) if (to / shown.files / name).is_file() else None


def copy_files(shown: Shown, to: Path) -> None:
    """Copy the figures and tables that a notebook's results list; nothing else of a run folder is published."""
    for item in [*shown.items("figures"), *shown.items("tables")]:
        source, target = shown.folder / item["file"], to / shown.files / item["file"]
        if source.is_file() and source.resolve().is_relative_to(shown.folder.resolve()):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)


def front(run: Path, parts: list[Part], ledger: str | None) -> str:
    """Return the front page's inside: what it is, the run's main figures, the series, the results board, the ledger."""
    shown = [part.shown for part in parts]
    stamp = latest_stamp(shown)
    first = next(part for part in parts if part.notebook)
    doors = [(first.page, f"Begin: {first.entry.title}"), ("results.html", "All results")]
    doors += [("ledger.html", "The ledger")] if ledger else []
    links = "".join(f'<a href="{page}">{escape(text)}</a>' for page, text in doors)
    seconds = sum(part.run.get("seconds", 0) for part in parts)
    made = sum(part.notebook is not None for part in parts)
    what = describe(*(stamp.get(name) for name in ("profile", "source", "seed"))) if stamp else run.name
    return f"""<div class="front"><header><h1>RED-Net: a course and a reproduction</h1>
<p class="lead">Recurrent face alignment in video, step by step: a face goes through the same small network again and
again, and each look starts from what the last one found. A series of notebooks builds the network of two papers
(IJCV 2018, ECCV 2016), trains it, takes it apart and measures it. These pages are one run of them.</p>
<p class="doors">{links}</p></header>
{heroes(shown)}{cards(shown)}
<h2 id="series">The series</h2><table class="series">{"".join(map(row, parts))}</table>
{board(run)}{ledger_note(ledger)}
<h2 id="run">This run</h2><p>{escape(what)}: {made} of {len(parts)} notebooks, {clock(seconds)} of work.</p>
{stamp_list(stamp)}</div>"""


def row(part: Part) -> str:
    """Return a notebook's line in the table of the front page."""
    title = escape(part.entry.title)
    title = f'<a href="{part.page}">{title}</a>' if part.notebook else f"{title} <small>({part.why})</small>"
    lesson = re.sub(r"</?p>", "", Prose([], ()).render(part.lesson)).strip()
    took = clock(part.run["seconds"]) if part.run.get("seconds") else ""
    return (f'<tr><td class="number">{part.entry.number}</td><td>{title}<span class="about">{lesson}</span></td>'
            f'<td class="time">{took}</td></tr>')  # fmt: skip


def board(run: Path) -> str:
    """Return the README's table of results, from the evidence or the runs beside this one that have them."""
    folder = next((f for f in (run.parent, EVIDENCE) if any((f / name).is_dir() for name in RUNS)), None)
    if folder is None:
        return ""
    return f'<h2 id="board">Results</h2>{Prose([], ()).render(results_table(folder))}'


def ledger_of(figures: Path, with_page: tuple[str, ...]) -> str | None:
    """Return the ledger as HTML: a Markdown file beside the runs with a heading that says so; or None."""
    for name in ("LEDGER.md", "ledger.md", "README.md"):
        file = figures / name
        text = file.read_text(encoding="utf-8") if file.is_file() else ""
        if LEDGER.search(text):
            prose = Prose([], with_page, folder="figures")
            prose.embed_images, prose.path = True, str(figures)
            return f'<section class="prose">{prose.render(text)}</section>'
    return None


def ledger_note(ledger: str | None) -> str:
    """Say where the claims of the papers are judged, or why not here."""
    if ledger:
        return '<h2 id="ledger">The ledger</h2><p>Each claim of the papers beside what was measured here: ' \
               '<a href="ledger.html">the ledger</a>.</p>'  # fmt: skip
    return '<p class="why">No ledger: there was none beside this run when the pages were made.</p>'


def results_body(parts: list[Part]) -> str:
    """Return the inside of the page with every figure, table and number of the run."""
    sections = []
    for part in parts:
        entry = part.entry
        link = f'<a href="{part.page}">the notebook</a>' if part.notebook else f'<span class="bad">{part.why}</span>'
        if part.notebook or part.shown.results:
            head = f'<h2 id="{entry.name}"><span class="number">{entry.number}</span> {escape(entry.title)}</h2>'
            sections.append(f'<article>{head}<p class="facts">{link}</p>{evidence(part.shown)}</article>')
    return f'<h1 id="results">Results</h1><p>Every figure, table and number of the run.</p>{"".join(sections)}'


def size_of(folder: Path) -> int:
    """Return the bytes of a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def report(to: Path, parts: list[Part]) -> list[str]:
    """Return what was built, in lines for a terminal."""
    made = [part for part in parts if part.article]
    formulas = sum(part.article.html.count("<math") for part in made)
    still = sum(part.article.widgets for part in made)
    lines = [f"{len(made)} of {len(parts)} notebooks, {formulas} formulas, {size_of(to) / 1e6:.1f} MB"]
    lines += [f"{still} live widgets without a player of their own stand still"] if still else []
    lines += [f"  {part.entry.name}: {part.why}" for part in parts if not part.article]
    return lines
