"""A live widget, and behind it what stands in its place where no kernel answers: in a saved notebook opened again.

JupyterLab chooses the widget out of an output's forms whether or not its kernel still lives, and then writes "model
not found". So widget and stand-in are two outputs, and present.css, which comes with the second, shows one of them.
Pages that are not made of JupyterLab's elements get one output with both forms: they choose by themselves.
"""

import os
import sys
from functools import lru_cache
from pathlib import Path

import ipywidgets as w
from IPython.display import DisplayHandle, display
from ipywidgets.embed import dependency_state

from rednet_lab.progress import in_batch
from rednet_lab.show.placeholder import STAND_IN, still

UPLOAD = "rednet-most-{}"  # the class of an upload control that takes so many bytes, over which present.js watches
LIVE = "Live controls were here: run the cell again to have them back."


@lru_cache
def furniture() -> str:
    """The style sheet that shows either the widget or its stand-in, and the script that refuses too large uploads."""
    style, script = (Path(__file__).with_name(f"display.{kind}").read_text(encoding="utf-8") for kind in ("css", "js"))
    return f"<style>{style}</style><script>{script}</script>"


def one_output() -> bool:
    """Whether the page that asks puts outputs together in a way of its own: Colab and Visual Studio Code."""
    return "google.colab" in sys.modules or any(name.startswith("VSCODE_") for name in os.environ)


def stand_in(data: dict) -> dict:
    """A MIME bundle with text/html, made to stand behind a widget."""
    return {**data, "text/html": f"{furniture()}<div {STAND_IN}>{data['text/html']}</div>"}


def frozen(box: w.Widget) -> dict:
    """A widget as it stands now, as a MIME bundle: its pictures and words, and the values of its controls."""
    data = still(dependency_state(box), box.model_id)
    return {kind: data[kind] for kind in ("text/html", "text/plain")}


def present(box: w.Box, data: dict | None = None, metadata: dict | None = None) -> DisplayHandle | None:
    """Show a widget, with a MIME bundle (default: itself, frozen) in its place where the notebook has no kernel.

    Returns the handle by which `replace` renews what stands in, or None where there is none: in a run the runner
    keeps the widget's state, and pages are made of that.
    """
    if in_batch() and data is None:
        display(box)
        return None
    view = box._repr_mimebundle_()
    data = data or frozen(box)
    if in_batch() or one_output():
        display({**view, **data}, metadata=metadata, raw=True)
        return None
    display({**view, "text/plain": LIVE}, raw=True)
    return display(stand_in(data), metadata=metadata, raw=True, display_id=True)


def replace(handle: DisplayHandle | None, data: dict) -> None:
    """Put another MIME bundle behind a widget that was presented."""
    if handle is not None:
        handle.update(stand_in(data), raw=True)
