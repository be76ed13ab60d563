"""The ledger's tables: claims with their verdicts, what is covered, and all entries by kind and paper."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rednet_lab.files import figures
from rednet_lab.names import ROOT
from rednet_lab.publish.ledger import links
from rednet_lab.publish.ledger.entries import KINDS, Entry
from rednet_lab.publish.ledger.settings import in_profile
from rednet_lab.publish.ledger.verdicts import BUILT, COMPUTED, MEANINGS, NOT_ATTEMPTED, SYMBOLS, Part, overall
from rednet_lab.publish.ledger.writing import Cell, Link, Table

SOURCE_WORDS = {"face_world": "face world", "udacity": "real faces", "prepared": "prepared data", COMPUTED: "computed"}
PLURALS = {
    "claim": "Claims",
    "equation": "Equations",
    "hyper-parameter": "Hyper-parameters",
    "table": "Tables",
    "figure": "Figures",
    "reading": "Where something had to be decided",
}
FULL_NAMES = {
    "all": "code, tests, notebooks",
    "journal": "the journal paper (IJCV 2018)",
    "ECCV": "the ECCV paper (2016)",
    "both": "both papers",
    "authors' code": "the authors' released code",
}
MOST_PARTS = 3  # of a claim in the compact table


@dataclass(frozen=True)
class Ledger:
    """Entries and verdicts together, with the folder of runs that results are looked up in."""

    entries: list[Entry]
    parts: list[Part]
    results: Path

    def status(self, entry: Entry) -> tuple[str, int, int]:
        """Status, decided parts, parts: from verdicts where the entry stands for claims, else from its links."""
        if entry.not_attempted:
            return NOT_ATTEMPTED, 0, 0
        if entry.claimed:
            return overall(self.parts_of(entry))
        return BUILT, 0, 0

    def parts_of(self, entry: Entry) -> list[Part]:
        """The parts of the claims that this entry stands for."""
        return [part for part in self.parts if part.claim in entry.claimed]

    def seen(self, entry: Entry, notebooks: list[str]) -> dict[str, bool]:
        """Whether an entry has code, a test, a notebook that is there, and a result or a verdict."""
        found = any(links.looked_up(link, self.results) for link in entry.results)
        return {
            "code": bool(entry.code or entry.default),
            "test": bool(entry.tests),
            "notebook": any(name in notebooks for name in entry.notebooks),
            "result": found or any(part.ours for part in self.parts_of(entry)),
        }


def signed(value: float) -> str:
    """A number with its sign and three figures."""
    return ("−" if value < 0 else "+" if value > 0 else "") + figures(abs(float(value)))


def plain(value: object) -> str:
    """A value as a reader wants it: 15, 0.0273, 7, 5, 3; empty for none."""
    if value is None:
        return ""
    if isinstance(value, tuple):
        return ", ".join(map(plain, value))
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def who(part: Part) -> str:
    """On what a part was measured: data, profile, seeds."""
    seeds = f", {len(part.seeds)} seed{'s' * (len(part.seeds) != 1)}" if part.seeds else ""
    if part.source == COMPUTED:
        return "computed"
    return f"{SOURCE_WORDS.get(part.source, part.source)}, {part.profile}{seeds}"


def named(part: Part) -> str:
    """A part's name, with the data where it is not the face world's."""
    told = "" if part.source in ("face_world", COMPUTED) else f" ({SOURCE_WORDS.get(part.source, part.source)})"
    return part.part + told


def measured(part: Part) -> str:
    """Our figures of a part: without to with, effect, interval."""
    ours = part.ours
    if not ours:
        return "not measured"
    unit = f" {ours['unit']}" if ours.get("unit") else ""
    both = all(ours.get(name) is not None for name in ("without", "with"))
    values = f"{figures(float(ours['without']))} → {figures(float(ours['with']))}{unit}, " if both else ""
    interval = f" [{signed(ours['low'])}, {signed(ours['high'])}]" if "low" in ours else ""
    return f"{values}{signed(ours['effect'])}{interval}{unit if not both else ''}"


def quoted(part: Part) -> str:
    """The paper's figures of a part."""
    told = part.paper
    if not told:
        return ""
    unit = f" {told['unit']}" if told.get("unit") else ""
    if told.get("without") is None or told.get("with") is None:
        return figures(float(told["effect"])) + unit if told.get("effect") is not None else ""
    return f"{figures(float(told['without']))} → {figures(float(told['with']))}{unit}"


def word(status: str, decided: int, parts: int) -> str:
    """A status with its symbol, and how many parts are decided."""
    count = f" ({decided} of {parts} parts decided)" if parts else ""
    return f"{SYMBOLS[status]} {status}{count}"


# ------------------------------------------------------------------------------------------------------ the tables


def telling(parts: list[Part]) -> list[Part]:
    """At most MOST_PARTS of a claim's parts: decided ones first, and one at least of each kind of data."""
    parts = sorted(parts, key=lambda part: not part.decided)
    of_each = list({part.source: part for part in reversed(parts)}.values())
    others = [part for part in parts if part not in of_each]
    chosen = of_each[:MOST_PARTS] + others[: max(MOST_PARTS - len(of_each), 0)]
    return [part for part in parts if part in chosen]


def claims_compact(ledger: Ledger) -> Table:
    """The README's table: a line a claim."""
    rows = []
    for claim in (entry for entry in ledger.entries if entry.kind == "claim"):
        parts = ledger.parts_of(claim)
        ours: Cell = []
        for part in telling(parts):
            ours += [f"{named(part)}: {measured(part)}", "\n"]
        if len(parts) > MOST_PARTS:
            ours += [Link(f"and {len(parts) - MOST_PARTS} more", "figures/README.md#claims")]
        if not parts:
            ours = [f"not measured yet (notebook {', '.join(name[:2] for name in claim.notebooks)})"]
        on = list(dict.fromkeys(map(who, parts)))
        cells = [[claim.id], [claim.says], [claim.printed], ours, ["; ".join(on)], [word(*ledger.status(claim))]]
        rows.append(cells)
    columns = ("", "claim", "the papers", "here: without → with, effect [interval]", "measured on", "verdict")
    return Table("", "", columns, rows)


def claims_full(ledger: Ledger) -> Table:
    """Every part of every claim."""
    rows = []
    for claim in (entry for entry in ledger.entries if entry.kind == "claim"):
        head = [[f"**{claim.id}**"], [f"**{claim.says}**", "\n", claim.where], [claim.printed]]
        rows.append([*head, [], [], [f"**{word(*ledger.status(claim))}**"], []])
        for part in ledger.parts_of(claim):
            link = Link(part.notebook[:2], f"notebooks/{part.notebook}.ipynb")
            cells = [[""], [part.part], [quoted(part)], [measured(part)], [who(part)]]
            rows.append(
                [*cells, [f"{SYMBOLS[part.status]} {part.status}"], [link, f" {part.note}" if part.note else ""]]
            )
        if not ledger.parts_of(claim):
            rows[-1][3] = ["not measured yet"]
            rows[-1][6] = _notebooks(claim)
    columns = ("", "claim, part", "the papers", "here: without → with, effect [interval]", "measured on", "verdict",
               "notebook, note")  # fmt: skip
    text = (
        "The papers' figures and ours are of different data and sizes of network: compare directions, not values. "
        "An effect is *with* minus *without*; its 95 % interval is made as notebook 70 tells."
    )
    return Table("Claims", text, columns, rows)


def coverage(ledger: Ledger, notebooks: list[str]) -> Table:
    """How many entries of each kind and paper have code, tests, a notebook, a result."""
    rows = []
    for kind in KINDS:
        for paper in dict.fromkeys(entry.paper for entry in ledger.entries if entry.kind == kind):
            some = [entry for entry in ledger.entries if (entry.kind, entry.paper) == (kind, paper)]
            seen = [ledger.seen(entry, notebooks) for entry in some]
            counts = [[str(sum(one[what] for one in seen))] for what in ("code", "test", "notebook", "result")]
            rows.append([[kind], [paper], [str(len(some))], *counts])
    columns = ("kind", "paper", "entries", "with code", "with a test", "with a notebook", "with a result or verdict")
    return Table("What is covered", "", columns, rows)


def listing(ledger: Ledger, some: list[Entry], title: str = "") -> Table:
    """Some entries, a line each; hyper-parameters with their values."""
    rows, numbers = [], any(entry.kind == "hyper-parameter" for entry in some)
    for entry in some:
        note = entry.differs or entry.not_attempted
        says = [entry.says, *(["\n", f"*{note}*"] if note else [])]
        values = [[plain(entry.value)], [_setting(entry)]] if numbers else []
        name = Link(entry.id, "figures/README.md#claims") if entry.kind == "claim" else entry.id
        cells = [[name], [entry.where], says, *values, _code(entry), _tests(entry), _notebooks(entry)]
        rows.append([*cells, _results(ledger, entry), [word(*ledger.status(entry))]])
    values = ("in the paper", "on `full` / `quick`") if numbers else ()
    columns = ("", "where", "in our words", *values, "code", "tests", "notebooks", "here", "status")
    return Table(title, "", columns, rows, level=3)


def listings(ledger: Ledger) -> list[Table]:
    """All entries, in a table for each kind and paper; claims in one."""
    groups: dict[tuple[str, str], list[Entry]] = {}
    for entry in ledger.entries:
        groups.setdefault((entry.kind, "all" if entry.kind == "claim" else entry.paper), []).append(entry)
    return [listing(ledger, some, f"{PLURALS[kind]}: {FULL_NAMES[paper]}") for (kind, paper), some in groups.items()]


def legend() -> Table:
    """What the words of the last column mean."""
    rows = [[[f"{SYMBOLS[status]} {status}"], [meaning]] for status, meaning in MEANINGS.items()]
    return Table("How to read a verdict", "", ("word", "meaning"), rows)


def _setting(entry: Entry) -> str:
    if not entry.setting:
        return ""
    full, quick = (plain(in_profile(entry.setting, name)) for name in ("full", "quick"))
    if full == quick:
        return full
    return f"{full} / {'by batches' if 'epochs' in entry.setting and quick == '0' else quick}"


def _joined(cells: list) -> Cell:
    """Links a line each."""
    return [piece for i, cell in enumerate(cells) for piece in (["\n"] if i else []) + [cell]]


def _code(entry: Entry) -> Cell:
    paths = entry.code or ((entry.default,) if entry.default else ())
    return _joined([Link(f"`{p.rpartition('::')[2].rpartition('/')[2]}`", p.partition("::")[0]) for p in paths])


def _tests(entry: Entry) -> Cell:
    names = [(path, name) for path, _, name in (link.partition("::") for link in entry.tests)]
    return _joined([Link(name.removeprefix("test_").replace("_", " "), path) for path, name in names])


def _notebooks(entry: Entry) -> Cell:
    made = [Link(name[:2], f"notebooks/{name}.ipynb") for name in entry.notebooks
            if (ROOT / "notebooks" / f"{name}.ipynb").is_file()]  # fmt: skip
    return [piece for i, cell in enumerate(made) for piece in ([" "] if i else []) + [cell]]


def _results(ledger: Ledger, entry: Entry) -> Cell:
    """Numbers, figures and tables of the entry's results, and the verdicts of its claims."""
    found: list = []
    for link in entry.results:
        item, path = links.looked_up(link, ledger.results), link.partition("#")[0]
        if item is None:
            continue
        if "value" in item:
            unit = f" {item['unit']}" if item.get("unit") else ""
            found.append(Link(f"{item['label']}: {figures(float(item['value']))}{unit}", f"figures/evidence/{path}"))
        else:
            found.append(Link(item["file"], f"figures/evidence/{Path(path).parent.as_posix()}/{item['file']}"))
    return _joined(found + [Link(claim, "figures/README.md#claims") for claim in entry.claims])
