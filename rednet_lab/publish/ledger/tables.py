"""The ledger's tables: claims with the bench's words, what is covered, all entries by kind; and how they are written.

Links in them are paths from the repository's root, made relative where they are written.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path

import matplotlib.pyplot as plt

from rednet_lab.experiments import board, charts, endpoints
from rednet_lab.experiments.board import Judged
from rednet_lab.experiments.intervals import COMPUTED, Part, read_parts
from rednet_lab.files import figures, signed
from rednet_lab.names import EVIDENCE, ROOT
from rednet_lab.publish.ledger.entries import KINDS, LedgerEntry, load, looked_up
from rednet_lab.workbench.profiles import PROFILES

LINK = re.compile(r"\[((?:[^\[\]]|\[[^\]]*\])*)\]\(/([^)]+)\)")
READS = ("figures/evidence/*/*/results.json", "figures/evidence/*/*/intervals.json")
NOT_ATTEMPTED, BUILT = "not attempted", "built and tested"
MEANINGS = {
    endpoints.REPRODUCED: "the papers' finding on their own data at their size (profile `full`), or arithmetic",
    endpoints.SUPPORTED: "the effect that the claim wants is there, corrected for all claims; other data, other sizes",
    endpoints.NOT_SEEN: "an effect of the size that matters would have been seen; it is smaller here",
    endpoints.OPPOSITE: "the effect goes the other way here, corrected for all claims; other data, other sizes",
    endpoints.CONTRADICTED: "the other way on the papers' own data at their size, or arithmetic that differs",
    endpoints.OPEN: "six trainings or more cannot tell; the smallest effect that they could have seen stands beside",
    endpoints.NOT_TESTABLE: "a gate failed: too short a training, or the treatment did not arrive",
    endpoints.WAITING: "fewer than six trainings so far",
    BUILT: "nothing to measure: the code is there, and a test holds it to the paper",
    NOT_ATTEMPTED: "not built, for the reason given",
}
SYMBOLS = dict(zip(MEANINGS, "✓✓ ✓ ○ ↔ ✗ ? – … ■ –".split(), strict=True))
LIMIT = 100.0  # per cent: intervals in the picture are cut there, with an arrow head
SOURCE_WORDS = {"face_world": "face world", "udacity": "real faces", "prepared": "prepared data", COMPUTED: "computed"}
PLURALS = {kind: f"{kind.capitalize()}s" for kind in KINDS}
FULL_NAMES = {
    "all": "code, tests, notebooks",
    "journal": "the journal paper (IJCV 2018)",
    "ECCV": "the ECCV paper (2016)",
    "both": "both papers",
    "authors' code": "the authors' released code",
}


def page_of(kind: str) -> str:
    """Return the page of a kind of entries, as a path from the root."""
    return f"figures/ledger/{PLURALS[kind].lower()}.md"


@dataclass(frozen=True)
class Table:
    """A title, columns and rows of cells: Markdown, whose links are paths from the root that begin with a slash."""

    title: str
    columns: tuple[str, ...]
    rows: list[list[str]]


def link(text: str, path: str) -> str:
    """Return a link to a path from the repository's root."""
    return f"[{text}](/{path})"


def without_links(cell: str) -> str:
    """Return a cell's words."""
    return LINK.sub(r"\1", cell)


def markdown(table: Table, folder: str = "") -> str:
    """Return a table as Markdown, its links made relative to `folder` (a path from the root)."""
    lines = [f"## {table.title}", ""] if table.title else []
    lines += ["| " + " | ".join(table.columns) + " |", "|" + "---|" * len(table.columns)]
    for row in table.rows:
        cells = [cell.strip().replace("|", "\\|").replace("\n", "<br>") for cell in row]
        lines.append("| " + " | ".join(cells) + " |")
    return LINK.sub(lambda found: f"[{found[1]}]({posixpath.relpath(found[2], folder or '.')})", "\n".join(lines))


# ------------------------------------------------------------------------------------------------------- the ledger


@dataclass(frozen=True)
class Ledger:
    """Entries, the bench's lines, and what notebooks measured, with the folder that results are looked up in."""

    entries: list[LedgerEntry]
    lines: list[Judged]
    parts: list[Part]
    results: Path
    shows: str = "the committed evidence"  # whose parts

    def of(self, kind: str) -> list[LedgerEntry]:
        """Return the entries of a kind."""
        return [entry for entry in self.entries if entry.kind == kind]

    def primary(self, claim: str) -> Judged:
        """Return a claim's primary line."""
        return next(line for line in self.lines if line.primary and line.claim == claim)

    def status(self, entry: LedgerEntry) -> str:
        """Return an entry's word: of a claim the bench's, of others those of the claims that they stand for."""
        if entry.not_attempted:
            return NOT_ATTEMPTED
        words = dict.fromkeys(self.primary(claim).judgement.word for claim in entry.claimed)
        return BUILT if not words else next(iter(words)) if len(words) == 1 else "see its claims"

    def parts_of(self, entry: LedgerEntry) -> list[Part]:
        """Return the parts of the claims that this entry stands for."""
        return [part for part in self.parts if part.claim in entry.claimed]

    def seen(self, entry: LedgerEntry) -> dict[str, bool]:
        """Tell whether an entry has code, a test, a notebook that is there, and a result."""
        return {
            "code": bool(entry.code or entry.default),
            "a test": bool(entry.tests),
            "a notebook": bool(notebooks_of(entry)),
            "a result": any(looked_up(result, self.results) for result in entry.results)
            or any(part.ours for part in self.parts_of(entry)),
        }


def open_ledger(evidence: Path = ROOT / EVIDENCE, run: Path | None = None) -> Ledger:
    """Return the ledger with what a run measured where it has something (smoke's never counts), else the evidence's.

    Words, numbers, figures and tables that entries point to are the evidence's always.
    """
    lines = board.rows(evidence / "bench")
    if run is not None and (parts := read_parts(run)):
        return Ledger(load(), lines, parts, evidence, f"this run ({run.name})")
    return Ledger(load(), lines, read_parts(*sorted(path for path in evidence.glob("*") if path.is_dir())), evidence)


# ---------------------------------------------------------------------------------------------------- parts in words


def plain(value: object) -> str:
    """Return a value as a reader wants it: 15, 0.0273, 7, 5, 3; empty for none."""
    if value is None:
        return ""
    if isinstance(value, tuple):
        return ", ".join(map(plain, value))
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def who(part: Part) -> str:
    """Return on what a part was measured: data, profile, seeds."""
    if part.source == COMPUTED:
        return "computed"
    seeds = f", {len(part.seeds)} seed{'s' * (len(part.seeds) != 1)}" if part.seeds else ""
    return f"{SOURCE_WORDS.get(part.source, part.source)}, {part.profile}{seeds}"


def named(part: Part) -> str:
    """Return a part's name, with the data where it is not the face world's."""
    told = "" if part.source in ("face_world", COMPUTED) else f" ({SOURCE_WORDS.get(part.source, part.source)})"
    return part.part + told


def measured(part: Part) -> str:
    """Return our figures of a part: without to with, effect, interval."""
    if not (ours := part.ours):
        return "not measured"
    unit = f" {ours['unit']}" if ours.get("unit") else ""
    interval = f" [{signed(ours['low'])}, {signed(ours['high'])}]" if "low" in ours else ""
    values = f"{figures(float(ours['without']))} → {figures(float(ours['with']))}{unit}"
    return f"{values}, {signed(ours['effect'])}{interval}"


def quoted(part: Part) -> str:
    """Return the paper's figures of a part."""
    if not (told := part.paper):
        return ""
    unit = f" {told['unit']}" if told.get("unit") else ""
    return f"{figures(float(told['without']))} → {figures(float(told['with']))}{unit}"


def word(status: str) -> str:
    """Return a word with its symbol."""
    return f"{SYMBOLS.get(status, '')} {status}".strip()


# -------------------------------------------------------------------------------------- the tables, and one picture


def forest(parts: list[Part]) -> plt.Figure:
    """Draw effect and interval of each part in per cent of the value without, to the right where the paper wants it.

    Parts without a common unit (no value without, no direction) are left out.
    """
    rows = []
    for part in parts:
        if ours := part.relative("ours"):
            told, shares = part.relative("paper"), dict(zip(("effect", "low", "high"), ours, strict=True))
            paper = told and {"without": 0.0, "with": told[0]}
            rows.append({"claim": part.claim, "part": named(part), "ours": shares, "paper": paper})
    return charts.forest(rows, LIMIT, "effect (% of the value without it); right of 0: as the paper claims")


def claims_full(ledger: Ledger) -> Table:
    """Return what notebooks measured of each claim: effects with intervals, without words."""
    rows = []
    for claim in ledger.of("claim"):
        parts = ledger.parts_of(claim)
        head = [f"**{claim.id}**", f"**{claim.says}**\n{claim.where}", claim.printed]
        rows.append([*head, "" if parts else "not measured by a notebook", "", " ".join(notebooks_of(claim))])
        for part in parts:
            notebook = link(part.notebook[:2], f"notebooks/{part.notebook}.ipynb")
            rows.append(["", part.part, quoted(part), measured(part), who(part), f"{notebook} {part.note}"])
    columns = ("", "claim, part", "the papers", "here: without → with, effect [interval]", "measured on")
    return Table("What the notebooks measured, without words", (*columns, "notebook, note"), rows)


def coverage(ledger: Ledger) -> Table:
    """Return how many entries of each kind and paper have code, tests, a notebook, a result."""
    rows = []
    for kind in KINDS:
        for paper in dict.fromkeys(entry.paper for entry in ledger.of(kind)):
            seen = [ledger.seen(entry) for entry in ledger.of(kind) if entry.paper == paper]
            counts = [str(sum(one[what] for one in seen)) for what in seen[0]]
            rows.append([link(kind, page_of(kind)), paper, str(len(seen)), *counts])
    columns = ("code", "a test", "a notebook", "a result")
    return Table("What is covered", ("kind", "paper", "entries", *(f"with {name}" for name in columns)), rows)


def listing(ledger: Ledger, some: list[LedgerEntry], title: str = "") -> Table:
    """Return some entries, a line each; hyper-parameters with their values."""
    rows, numbers = [], any(entry.kind == "hyper-parameter" for entry in some)
    for entry in some:
        note = entry.differs or entry.not_attempted
        says = f"{entry.says}\n*{note}*" if note else entry.says
        values = [plain(entry.value), _setting(entry)] if numbers else []
        parted = [path.partition("::") for path in entry.code or filter(None, [entry.default])]
        code = [link(f"`{(name or path).rpartition('/')[2]}`", path) for path, _, name in parted]
        parted = [path.partition("::") for path in entry.tests]
        tests = [link(name.removeprefix("test_").replace("_", " "), path) for path, _, name in parted]
        links = ["\n".join(code), "\n".join(tests), " ".join(notebooks_of(entry))]
        here = ["\n".join(_results(ledger, entry)), word(ledger.status(entry))]
        rows.append([entry.id, entry.where, says, *values, *links, *here])
    values = ("in the paper", "on `full` / `quick`") if numbers else ()
    columns = ("", "where", "in our words", *values, "code", "tests", "notebooks", "here", "status")
    return Table(title, columns, rows)


def listings(ledger: Ledger, kinds: tuple[str, ...] = KINDS) -> list[Table]:
    """Return all entries of some kinds, in a table for each kind and paper; claims in one."""
    groups: dict[tuple[str, str], list[LedgerEntry]] = {}
    for entry in ledger.entries:
        if entry.kind in kinds:
            groups.setdefault((entry.kind, "all" if entry.kind == "claim" else entry.paper), []).append(entry)
    return [listing(ledger, some, f"{PLURALS[kind]}: {FULL_NAMES[paper]}") for (kind, paper), some in groups.items()]


def legend() -> Table:
    """Return what the words of the last column mean."""
    return Table("The words", ("word", "meaning"), [[word(status), meaning] for status, meaning in MEANINGS.items()])


def _setting(entry: LedgerEntry) -> str:
    if not entry.setting:
        return ""
    full, quick = (plain(attrgetter(entry.setting)(PROFILES[name])) for name in ("full", "quick"))
    if full == quick:
        return full
    return f"{full} / {'by batches' if 'epochs' in entry.setting and quick == '0' else quick}"


def notebooks_of(entry: LedgerEntry) -> list[str]:
    there = [name for name in entry.notebooks if (ROOT / "notebooks" / f"{name}.ipynb").is_file()]
    return [link(name[:2], f"notebooks/{name}.ipynb") for name in there]


def _results(ledger: Ledger, entry: LedgerEntry) -> list[str]:
    """Return numbers, figures and tables of the entry's results, and the claims that it shows."""
    found = []
    for result in entry.results:
        item, path = looked_up(result, ledger.results), "figures/evidence/" + result.partition("#")[0]
        if item is not None and "value" in item:
            unit = f" {item['unit']}" if item.get("unit") else ""
            found.append(link(f"{item['label']}: {figures(float(item['value']))}{unit}", path))
        elif item is not None:
            found.append(link(item["file"], f"{posixpath.dirname(path)}/{item['file']}"))
    return found + [link(claim, page_of("claim")) for claim in entry.claims]
