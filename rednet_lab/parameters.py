"""Strict notebook parameters: one tagged cell of plain `name = literal` lines, and nothing else is accepted.

papermill injects parameters after that cell, so a value derived in it would go stale; and it lets unknown and
ill-typed parameters pass. Both are errors here, before anything runs.
"""

from __future__ import annotations

import ast
import difflib
import json
import sys
from pathlib import Path

from rednet_lab.names import ROOT
from rednet_lab.stamp import PARSING

INJECTED = "# Parameters\n"  # what papermill begins its cell with
TRUE, FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


class ParameterError(ValueError):
    """A parameters cell or a given parameter is wrong; the text names the notebook, the parameter and the remedy."""


def read_parameters(path: str | Path) -> dict:
    """Return {name: default} of a notebook's parameters cell, in order.

    Raises ParameterError when the cell is missing, there are two, or it holds more than `name = literal` lines.
    """
    path = Path(path)
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ParameterError(f"{path.name}: cannot be read as a notebook ({error})") from error
    tagged = [cell for cell in cells if "parameters" in cell.get("metadata", {}).get("tags", [])]
    if len(tagged) != 1:
        raise ParameterError(f"{path.name}: {len(tagged)} cells are tagged 'parameters', exactly one must be")
    source = tagged[0]["source"]
    return parse_cell(source if isinstance(source, str) else "".join(source), path.name)


def parse_cell(source: str, notebook: str) -> dict:
    """Return {name: default} of the source of a parameters cell."""
    try:
        with PARSING:
            statements = ast.parse(source).body
    except SyntaxError as error:
        raise ParameterError(f"{notebook}: parameters cell, line {error.lineno}: {error.msg}") from error
    defaults: dict = {}
    for statement in statements:
        line = f"{notebook}: parameters cell, line {statement.lineno}: {ast.unparse(statement)!r}"
        targets = statement.targets if isinstance(statement, ast.Assign) else []
        if len(targets) != 1 or not isinstance(targets[0], ast.Name):
            raise ParameterError(f"{line}: only plain 'name = literal' lines are allowed here")
        if targets[0].id in defaults:
            raise ParameterError(f"{line}: {targets[0].id} is set twice")
        try:
            value = defaults[targets[0].id] = ast.literal_eval(statement.value)
        except (ValueError, TypeError):
            value = ...  # no literal
        if not isinstance(value, str | bool | int | float | None):
            raise ParameterError(
                f"{line}: the value must be a literal (text, number, True or False);"
                " what follows from other parameters belongs in the next cell"
            )
    return defaults


def check_parameters(path: str | Path, given: dict, as_text: bool = False) -> dict:
    """Return the notebook's parameters with `given` in place of defaults, refusing unknown names and wrong types.

    The type of a default is the type wanted: an int passes for a float, a bool is no int. With `as_text` the given
    values are texts of a command line, converted by that type; text for a text stays text, however numeric it looks.
    Raises ParameterError.
    """
    defaults = read_parameters(path)
    values = dict(defaults)
    for name, value in given.items():
        values[name] = checked(name, value, defaults, Path(path).name, as_text)
    return values


def checked(name: str, value: object, defaults: dict, notebook: str, as_text: bool = False) -> object:
    """Return a parameter's value as the type of its default. Raises ParameterError."""
    if name not in defaults:
        raise ParameterError(f"{notebook}: unknown parameter {name!r}{nearest(name, defaults)}")
    try:
        found = fit(value, defaults[name], as_text)
    except ValueError as error:
        wanted = type(defaults[name]).__name__
        raise ParameterError(f"{notebook}: parameter {name!r} must be {wanted}, got {value!r}") from error
    if name == "seed" and found < 0:
        raise ParameterError(f"{notebook}: a seed is a whole number from 0, got {value!r}")
    return found


def check_kernel(out: str, cells: list[str] | None = None, here: Path | None = None) -> None:
    """Refuse, in a notebook, what papermill by hand lets pass: unknown names, wrong types, another checkout's code.

    `cells` are the sources that this kernel has executed so far; the cell that papermill injects stands right behind
    the notebook's own parameters. `here` is the kernel's folder. Raises ParameterError.
    """
    here = here or Path.cwd()
    if cells is None:
        ipython = sys.modules.get("IPython")
        shell = ipython.get_ipython() if ipython else None
        cells = shell.user_ns.get("In", []) if shell else []
    for own, injected in zip(cells, cells[1:], strict=False):
        if injected.startswith(INJECTED):
            defaults = parse_cell(own, "this notebook")
            for name, value in parse_cell(injected, "this notebook").items():
                checked(name, value, defaults, "this notebook")
    checkout = next((place for place in (here, here.parent) if (place / "rednet_lab" / "names.py").is_file()), ROOT)
    if not checkout.samefile(ROOT):
        raise ParameterError(
            f"this notebook is of the checkout {checkout}, but rednet_lab is imported from {ROOT}:"
            " use that checkout's own environment (python3 go.py lab, in its folder)"
        )
    if not (ROOT / "notebooks").is_dir() and not Path(out).expanduser().is_absolute():
        raise ParameterError(
            f"rednet_lab is installed in {ROOT} and not in a checkout, so there is no place for results:"
            " set out to a folder, written out in full, or use a clone of the repository"
        )


def nearest(name: str, known: object) -> str:
    """Return the part of a message that offers the most similar known name, or lists all."""
    known = sorted(known)
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else f"; known are: {', '.join(known) or 'none'}"


def fit(value: object, default: object, as_text: bool = False) -> object:
    """Return a value, or a command line's text, as the type of the default, or raise ValueError."""
    kind = type(default)
    if as_text and kind is bool:
        if value.lower() not in TRUE + FALSE:
            raise ValueError("neither true nor false")
        return value.lower() in TRUE
    if as_text or (kind is float and type(value) is int):
        return kind(value)
    if type(value) is not kind:
        raise ValueError(f"{type(value).__name__} is not {kind.__name__}")
    return value
