"""Finds the errors in an executed notebook, also those that papermill passes over."""

from __future__ import annotations

import re
from collections.abc import Iterator

WIDGET_STATE = "application/vnd.jupyter.widget-state+json"
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def errors_in(notebook: dict) -> list[str]:
    """Return the tracebacks of all errors in cells' outputs and inside Output widgets.

    An error in an `interact` callback or in `with output:` ends up in the widget's state only: the cell has no
    error, nbclient raises nothing, and papermill exits with 0.
    """
    return [*_in_cells(notebook), *_in_widgets(notebook)]


def is_lesson(cell: dict) -> bool:
    """Tell a code cell that the reader counts from prose and from the one that papermill injects."""
    return cell["cell_type"] == "code" and "injected-parameters" not in cell["metadata"].get("tags", [])


def _in_cells(notebook: dict) -> Iterator[str]:
    """Yield the errors in cells' own outputs."""
    number = 0
    for cell in notebook["cells"]:
        number += is_lesson(cell)
        for output in cell.get("outputs", []):
            if output.get("output_type") == "error":
                yield _traceback(output, f"in code cell {number}")


def _in_widgets(notebook: dict) -> Iterator[str]:
    """Yield the errors that Output widgets hold."""
    state = notebook["metadata"].get("widgets", {}).get(WIDGET_STATE, {}).get("state", {})
    for model in state.values():
        if model.get("model_name") == "OutputModel":
            for output in model.get("state", {}).get("outputs", []):
                if output.get("output_type") == "error":
                    yield _traceback(output, "inside a widget's callback or Output")


def _traceback(output: dict, where: str) -> str:
    """Return one error with its traceback, without terminal colours."""
    lines = COLOURS.sub("", "\n".join(output.get("traceback", [])))
    return f"{output.get('ename')}: {output.get('evalue')} ({where})\n{lines}".rstrip()
