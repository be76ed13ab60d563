"""The hand-written half of the ledger: entries/*.yaml read into Entry, with errors that name file, id and field."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import yaml

HERE = Path(__file__).resolve().parent
KINDS = ("claim", "equation", "hyper-parameter", "table", "figure", "reading")
PAPERS = ("journal", "ECCV", "both", "authors' code")
READS = ("rednet_lab/publish/ledger/*.yaml", "rednet_lab/publish/ledger/entries/*.yaml")
LISTS = ("code", "tests", "notebooks", "results", "claims")


class LedgerError(ValueError):
    """An entry or a verdict file is wrong; the text names the file, the field and the fix."""


@dataclass(frozen=True)
class Entry:
    """One thing that a paper says, where, and what here belongs to it.

    code is "path" or "path::Object.attribute"; tests "path::test_name"; notebooks names without .ipynb; results
    "run/notebook/results.json#numbers.name" (or figures., tables.), below figures/evidence/; claims the ids whose
    verdicts a table or figure shows. value is a hyper-parameter in the paper, default the object that holds it, setting
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
        """The claims whose verdicts decide this entry's status: its own id for a claim."""
        return (self.id,) if self.kind == "claim" else self.claims


FIELDS = {field.name for field in fields(Entry)}


def load(folder: Path = HERE / "entries") -> list[Entry]:
    """All entries, by kind and then in the order of the files; raises LedgerError for what is no entry."""
    found: list[Entry] = []
    for file in sorted(folder.glob("*.yaml")):
        content = _read(file)
        common = {name: content[name] for name in ("kind", "paper") if name in content}
        for plain in content.get("entries") or []:
            found.append(_entry(file, {**common, **plain}))
    ids = [entry.id for entry in found]
    if twice := sorted({i for i in ids if ids.count(i) > 1}):
        raise LedgerError(f"{folder}: ids given twice: {', '.join(twice)}")
    return sorted(found, key=lambda e: (KINDS.index(e.kind), e.kind != "claim" and PAPERS.index(e.paper)))


def awaited(file: Path = HERE / "awaited.yaml") -> dict[str, tuple[str, ...]]:
    """Names of notebooks that are still to be written ("notebooks") or run ("results")."""
    content = _read(file)
    return {name: tuple(content.get(name) or ()) for name in ("notebooks", "results")}


def _read(file: Path) -> dict:
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise LedgerError(f"{file}: not readable as YAML: {error}") from error
    if not isinstance(content, dict):
        raise LedgerError(f"{file}: wanted names with values at the top")
    return content


def _entry(file: Path, plain: dict) -> Entry:
    where = f"{file.name}, {plain.get('id', 'an entry without id')}"
    if unknown := set(plain) - FIELDS:
        raise LedgerError(f"{where}: unknown {', '.join(sorted(unknown))}; known: {', '.join(sorted(FIELDS))}")
    for name in ("id", "kind", "paper", "where", "says"):
        if not isinstance(plain.get(name), str) or not plain[name]:
            raise LedgerError(f"{where}: {name} must be a text (quote what looks like a number)")
    for name in LISTS:
        value = plain.get(name, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise LedgerError(f"{where}: {name} must be a list of texts")
        plain[name] = tuple(value)
    for name, known in (("kind", KINDS), ("paper", PAPERS)):
        if plain[name] not in known:
            raise LedgerError(f"{where}: {name} {plain[name]!r}, known: {', '.join(known)}")
    if isinstance(plain.get("value"), list):
        plain["value"] = tuple(plain["value"])
    return Entry(**plain)
