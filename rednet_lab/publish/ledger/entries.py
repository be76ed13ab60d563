"""The hand-written half of the ledger: entries/*.yaml read into LedgerEntry, and where their links lead.

Errors name file, id and field. Code and tests are looked up in the source, results in their files; nothing is run.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path

import yaml

from rednet_lab.experiments.intervals import LedgerError, Part
from rednet_lab.files import read_json
from rednet_lab.names import ROOT

HERE = Path(__file__).resolve().parent
KINDS = ("claim", "equation", "hyper-parameter", "table", "figure", "reading")
PAPERS = ("journal", "ECCV", "both", "authors' code")
LISTS = ("code", "tests", "notebooks", "results", "claims")
READS = ("rednet_lab/publish/ledger/entries/*.yaml",)


@dataclass(frozen=True)
class LedgerEntry:
    """One thing that a paper says, where, and what here belongs to it.

    code is "path" or "path::Object.attribute"; tests "path::test_name"; notebooks names without .ipynb; results
    "run/notebook/results.json#numbers.name" (or figures., tables.), below figures/evidence/; claims the ids whose
    words a table or figure shows. value is a hyper-parameter in the paper, default the object that holds it, setting
    its path in a Profile. differs says where we depart from the paper, not_attempted why there is nothing.
    """

    id: str
    kind: str
    paper: str
    where: str
    says: str
    printed: str = ""
    code: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    notebooks: tuple[str, ...] = ()
    results: tuple[str, ...] = ()
    claims: tuple[str, ...] = ()
    value: object = None
    default: str = ""
    setting: str = ""
    differs: str = ""
    not_attempted: str = ""

    @property
    def claimed(self) -> tuple[str, ...]:
        """The claims whose words are this entry's status: its own id for a claim."""
        return (self.id,) if self.kind == "claim" else self.claims


def load(folder: Path = HERE / "entries") -> list[LedgerEntry]:
    """Return all entries, by kind and then in the order of the files. Raise LedgerError for what is no entry."""
    found: list[LedgerEntry] = []
    for file in sorted(folder.glob("*.yaml")):
        content = _read(file)
        common = {name: content[name] for name in ("kind", "paper") if name in content}
        found += [_entry(file, {**common, **plain}) for plain in content.get("entries") or []]
    ids = [entry.id for entry in found]
    if twice := sorted({i for i in ids if ids.count(i) > 1}):
        raise LedgerError(f"{folder}: ids given twice: {', '.join(twice)}")
    return sorted(found, key=lambda e: (KINDS.index(e.kind), e.kind != "claim" and PAPERS.index(e.paper)))


def _read(file: Path) -> dict:
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise LedgerError(f"{file}: not readable as YAML: {error}") from error
    if not isinstance(content, dict):
        raise LedgerError(f"{file}: wanted names with values at the top")
    return content


def _entry(file: Path, plain: dict) -> LedgerEntry:
    where = f"{file.name}, {plain.get('id', 'an entry without id')}"
    try:
        entry = LedgerEntry(**{name: tuple(v) if isinstance(v, list) else v for name, v in plain.items()})
    except TypeError as error:  # it names what is unknown or missing
        raise LedgerError(f"{where}: {error}") from error
    for field in fields(entry):
        kind = {"str": str, "object": object}.get(field.type, tuple)
        if not isinstance(getattr(entry, field.name), kind):
            wanted = "a text (quote what looks like a number)" if kind is str else "a list of texts"
            raise LedgerError(f"{where}: {field.name} must be {wanted}")
    for name, known in (("kind", KINDS), ("paper", PAPERS)):
        if plain[name] not in known:
            raise LedgerError(f"{where}: {name} {plain[name]!r}, known: {', '.join(known)}")
    return entry


# ---------------------------------------------------------------------------------------------------------- the links


def problems(entries: list[LedgerEntry], parts: list[Part], results: Path, root: Path = ROOT) -> list[str]:
    """Return a sentence for every link that leads nowhere and every interval without a claim.

    `results` is the folder of the evidence.
    """
    found = [f"{entry.id}: {what}" for entry in entries for what in _of_entry(entry, results, root)]
    claims = {entry.id: entry for entry in entries if entry.kind == "claim"}
    for entry in entries:
        found += [f"{entry.id}: claim {claim} is not in the ledger" for claim in entry.claims if claim not in claims]
    for part in parts:
        told = f"{part.claim}: {part.run}/{part.notebook} has an interval of it"
        if part.claim not in claims:
            found.append(f"{told}, the ledger has no such claim")
        elif part.notebook not in claims[part.claim].notebooks:
            found.append(f"{told}; add it to its notebooks")
    return found


def _of_entry(entry: LedgerEntry, results: Path, root: Path) -> list[str]:
    if entry.not_attempted:
        linked = [name for name in LISTS if getattr(entry, name)]
        return [f"is not attempted, yet has {', '.join(linked)}"] if linked else []
    found = [] if entry.code or entry.default else ["has no code (or say why under not_attempted)"]
    found += [] if entry.tests else ["has no test"]
    code = [*entry.code, *([entry.default] if entry.default else [])]
    found += [f"code {link} is not there" for link in code if not in_source(link, root)]
    found += [f"test {link} is not there" for link in entry.tests if "::test_" not in link or not in_source(link, root)]
    found += [f"notebook {n} is not there" for n in entry.notebooks if not (root / f"notebooks/{n}.ipynb").is_file()]
    for link in entry.results:
        if looked_up(link, results) is None:
            found.append(f"result {link} is not there; run its notebook")
    return found


def in_source(link: str, root: Path = ROOT) -> bool:
    """Tell whether "path" is a file, or "path::Name.attribute" is defined in it, an argument of a function counts."""
    path, _, name = link.partition("::")
    if not (root / path).is_file():
        return False
    node: ast.AST = _tree(root / path)
    for part in name.split(".") if name else ():
        inside = [*ast.iter_child_nodes(node), *ast.iter_child_nodes(getattr(node, "args", ast.Pass()))]
        found = next((one for one in inside if part in _named(one)), None)
        if found is None:
            return isinstance(node, ast.Assign | ast.AnnAssign)  # SEVEN.n_points: an object's, which is not looked for
        node = found
    return True


def _named(node: ast.AST) -> set[str]:
    """Return the names that a statement or an argument defines."""
    if isinstance(node, ast.Assign | ast.AnnAssign):
        return {one.id for one in ast.walk(node) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)}
    return {getattr(node, "name", getattr(node, "arg", ""))}


@cache
def _tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def looked_up(link: str, results: Path) -> dict | None:
    """Return the number, figure or table of "run/notebook/results.json#numbers.name" below `results`, or None."""
    path, _, key = link.partition("#")
    kind, _, name = key.partition(".")
    content = read_json(results / path, {})
    if kind == "numbers":
        return content.get("numbers", {}).get(name)
    for item in content.get(kind, []) if kind in ("figures", "tables") else []:
        if Path(item["file"]).stem == name and (results / path).with_name(item["file"]).is_file():
            return item
    return None
