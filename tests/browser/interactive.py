"""Finds the cells of the series that make a widget, by reading: nothing is executed, and no list is kept by hand.

A name makes widgets if what defines it uses ipywidgets, or uses another name that makes widgets; a cell is
interactive if its code uses such a name. Imports and definitions do not count as use.
"""

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import nbformat

from rednet_lab.names import ROOT

PACKAGE, WIDGETS = "rednet_lab", "ipywidgets"


@dataclass(frozen=True)
class Uses:
    """What one piece of code imports under which name, and the names it defines and uses."""

    imports: dict[str, str]  # name here -> dotted name
    definitions: dict[str, frozenset[str]]  # name -> names that its definition uses
    loose: frozenset[str]  # names used outside of definitions


def names_in(node: ast.AST) -> frozenset[str]:
    """The names read anywhere in a piece of code, `module.name` among them."""
    read = [n for n in ast.walk(node) if isinstance(n, (ast.Name, ast.Attribute)) and isinstance(n.ctx, ast.Load)]
    dotted = {f"{n.value.id}.{n.attr}" for n in read if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name)}
    return frozenset(dotted | {n.id for n in read if isinstance(n, ast.Name)})


def uses_of(source: str, package: str = "") -> Uses:
    """Read one module or cell."""
    tree = ast.parse(source)
    imports: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                imports[alias.asname or alias.name.split(".")[0]] = alias.name
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if node.level:  # relative: only of packages that are read as modules of PACKAGE
                parts = package.split(".")
                module = ".".join([*parts[: len(parts) - node.level + 1], *filter(None, [module])])
            imports |= {alias.asname or alias.name: f"{module}.{alias.name}" for alias in node.names}
    definitions, loose = {}, set()
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef)):
            definitions[node.name] = names_in(node) | own_imports(node)
        elif not isinstance(node, (ast.Import, ast.ImportFrom)):
            loose |= names_in(node)
    return Uses(imports, definitions, frozenset(loose))


def own_imports(node: ast.AST) -> frozenset[str]:
    """The names that a definition imports for itself."""
    inner = [n for n in ast.walk(node) if isinstance(n, (ast.Import, ast.ImportFrom))]
    return frozenset(alias.asname or alias.name.split(".")[0] for n in inner for alias in n.names)


@cache
def makers() -> frozenset[str]:
    """The dotted names of the package that make widgets."""
    modules = {}
    for file in sorted((ROOT / PACKAGE).rglob("*.py")):
        parts = file.relative_to(ROOT).with_suffix("").parts
        dotted = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        inside = dotted if parts[-1] == "__init__" else ".".join(parts[:-1])
        modules[dotted] = uses_of(file.read_text(encoding="utf-8"), inside)
    found: set[str] = set()
    while True:
        more = {
            f"{module}.{name}"
            for module, uses in modules.items()
            for name, used in uses.definitions.items()
            if any(makes(n, uses.imports, found) or f"{module}.{n}" in found for n in used)
        }
        more |= {  # a name passed on by another module
            f"{module}.{name}"
            for module, uses in modules.items()
            for name, dotted in uses.imports.items()
            if dotted in found
        }
        if more <= found:
            return frozenset(found)
        found |= more


def makes(name: str, imports: dict[str, str], known) -> bool:
    """Whether a name, as imported, makes widgets."""
    first, _, rest = name.partition(".")
    dotted = ".".join(filter(None, (imports.get(first), rest)))
    return first in imports and (dotted.split(".")[0] == WIDGETS or dotted in known)


def interactive_cells(path: Path) -> list[int]:
    """The numbers of a notebook's cells that make a widget."""
    imports, local, found = {}, set(), []
    for number, cell in enumerate(nbformat.read(path, nbformat.NO_CONVERT).cells):
        if cell.cell_type != "code":
            continue
        uses = uses_of(cell.source)
        imports |= uses.imports
        wide = makers()

        def widgety(names, imports=imports, local=local, wide=wide):
            return any(makes(n, imports, wide) or n in local for n in names)

        local |= {name for name, used in uses.definitions.items() if widgety(used)}
        if widgety(uses.loose):
            found.append(number)
    return found


def interactive_notebooks() -> dict[str, list[int]]:
    """{notebook: cells} of the series, for those with interactive cells."""
    found = {path.stem: interactive_cells(path) for path in sorted((ROOT / "notebooks").glob("*.ipynb"))}
    return {name: cells for name, cells in found.items() if cells}
