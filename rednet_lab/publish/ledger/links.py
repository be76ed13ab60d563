"""Where the ledger's links lead: code and tests are looked up in the source, results in their files. Nothing is run."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

from rednet_lab.files import read_json
from rednet_lab.names import ROOT
from rednet_lab.publish.ledger.entries import Entry
from rednet_lab.publish.ledger.verdicts import Part

EVIDENCE = "quick"  # the run whose results every entry may point to


def problems(
    entries: list[Entry], parts: list[Part], awaited: dict[str, tuple[str, ...]], results: Path, root: Path = ROOT
) -> list[str]:
    """Everything that is an orphan, a sentence each; `results` is the folder of runs, awaited what is still to come."""
    found = [f"{entry.id}: {what}" for entry in entries for what in _of_entry(entry, awaited, results, root)]
    by_claim = {entry.id: entry for entry in entries if entry.kind == "claim"}
    for entry in entries:
        found += [f"{entry.id}: claim {claim} is not in the ledger" for claim in entry.claims if claim not in by_claim]
    for part in parts:
        if part.claim not in by_claim:
            found.append(f"{part.claim}: {part.run}/{part.notebook} has a verdict on it, the ledger has no such claim")
        elif part.notebook not in by_claim[part.claim].notebooks:
            found.append(f"{part.claim}: {part.run}/{part.notebook} has a verdict on it; add it to its notebooks")
    judged = {part.claim for part in parts}
    for claim in by_claim.values():
        if claim.id not in judged and not claim.not_attempted and not set(claim.notebooks) & set(awaited["results"]):
            found.append(f"{claim.id}: no verdicts.json under {results.name}/ has a part of it")
    return found


def come(awaited: dict[str, tuple[str, ...]], results: Path, root: Path = ROOT) -> list[str]:
    """What is still awaited although it has come; results is the folder of runs."""
    found = [f"notebooks: {n}" for n in awaited["notebooks"] if (root / "notebooks" / f"{n}.ipynb").is_file()]
    return found + [f"results: {name}" for name in awaited["results"] if (results / EVIDENCE / name).is_dir()]


def _of_entry(entry: Entry, awaited: dict[str, tuple[str, ...]], results: Path, root: Path) -> list[str]:
    if entry.not_attempted:
        linked = [name for name in ("code", "tests", "notebooks", "results", "claims") if getattr(entry, name)]
        return [f"is not attempted, yet has {', '.join(linked)}"] if linked else []
    found = []
    if not entry.code and not entry.default:
        found.append("has no code (or say why under not_attempted)")
    if not entry.tests:
        found.append("has no test")
    for link in (*entry.code, *([entry.default] if entry.default else [])):
        if not in_source(link, root):
            found.append(f"code {link} is not there")
    for link in entry.tests:
        if "::test_" not in link or not in_source(link, root):
            found.append(f"test {link} is not there")
    for name in entry.notebooks:
        if name not in awaited["notebooks"] and not (root / "notebooks" / f"{name}.ipynb").is_file():
            found.append(f"notebook {name} is not there")
    for link in entry.results:
        if link.split("/")[1] not in awaited["results"] and looked_up(link, results) is None:
            found.append(f"result {link} is not there; run its notebook")
    return found


def in_source(link: str, root: Path = ROOT) -> bool:
    """Whether "path" is a file, or "path::Name.attribute" is defined in that file."""
    path, _, name = link.partition("::")
    file = root / path
    if not file.is_file():
        return False
    return not name or _defined(str(file), name)


@cache
def _tree(file: str) -> ast.Module:
    return ast.parse(Path(file).read_text(encoding="utf-8"))


def _defined(file: str, name: str) -> bool:
    """Whether a dotted name is defined: classes and functions, what is assigned in them, and their arguments.

    An attribute of what was assigned (SEVEN.n_points) is that of an object: only its first name is looked for.
    """
    body: list[ast.stmt] = _tree(file).body
    for part in name.split("."):
        for node in body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == part:
                arguments = node.args.args + node.args.kwonlyargs if isinstance(node, ast.FunctionDef) else []
                body = [*node.body, *(ast.AnnAssign(ast.Name(a.arg), ast.Name("_"), None, 1) for a in arguments)]
                break
            targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
            if isinstance(node, ast.Assign | ast.AnnAssign) and part in _names(targets):
                return True
        else:
            return False
    return True


def _names(targets: list) -> set[str]:
    return {node.id for target in targets if target for node in ast.walk(target) if isinstance(node, ast.Name)}


def looked_up(link: str, results: Path) -> dict | None:
    """The number, figure or table of "run/notebook/results.json#numbers.name" below `results`, or None."""
    path, _, key = link.partition("#")
    kind, _, name = key.partition(".")
    content = read_json(results / path, {})
    if kind == "numbers":
        return content.get("numbers", {}).get(name)
    for item in content.get(kind, []) if kind in ("figures", "tables") else []:
        if Path(item["file"]).stem == name and (results / path).with_name(item["file"]).is_file():
            return item
    return None
