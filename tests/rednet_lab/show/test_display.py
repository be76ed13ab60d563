"""A widget and what stands in for it: two outputs in JupyterLab, one elsewhere, and the widget alone in a run."""

import ipywidgets as w
import nbformat
import numpy as np
import pytest

from rednet_lab.show import display as module
from rednet_lab.show.display import frozen, present, replace
from rednet_lab.show.placeholder import STAND_IN, VIEW, without_widgets
from rednet_lab.show.widgets import Painter, slider


class Handle:
    """Keeps what a display is updated with."""

    def __init__(self):
        self.updates = []

    def update(self, data, raw):
        self.updates.append(data)


@pytest.fixture
def told(monkeypatch):
    """What is displayed, at a screen that is JupyterLab's."""
    monkeypatch.delenv("REDNET_BATCH", raising=False)
    monkeypatch.setattr(module, "one_output", lambda: False)
    shown, handle = [], Handle()

    def display(data, **more):
        shown.append(data)
        return handle if more.get("display_id") else None

    monkeypatch.setattr(module, "display", display)
    return shown


@pytest.fixture
def painter():
    hidden = w.IntText(7, description="nobody sees", layout=w.Layout(display="none"))
    controls = {"level": slider("level", 0, 20, 5), "hidden": hidden, "file": w.FileUpload(description="a file")}
    return Painter(controls, lambda level, **_: (np.full((8, 8, 3), level, np.uint8), f"at <i>{level}</i>"))


def test_the_widget_comes_first_and_its_picture_numbers_and_words_behind_it(told, painter):
    painter._ipython_display_()
    live, behind = told
    assert set(live) == {VIEW, "text/plain"} and "run the cell" in live["text/plain"]
    assert VIEW not in behind and STAND_IN in behind["text/html"]
    for piece in ("data:image/png;base64,", "at <i>5</i>", "level <b>5</b>", "<style>", ":has("):
        assert piece in behind["text/html"]
    assert "nobody sees" not in behind["text/html"] and "a file" not in behind["text/html"]


def test_what_stands_in_can_be_renewed(told, painter):
    handle = present(painter.box)
    painter.controls["level"].value = 9
    replace(handle, frozen(painter.box))
    assert "level <b>9</b>" in handle.updates[0]["text/html"] and STAND_IN in handle.updates[0]["text/html"]
    replace(None, frozen(painter.box))  # a run has nothing to renew


@pytest.mark.parametrize("where", ["VSCODE_PID", "google.colab"])
def test_other_pages_get_one_output(painter, monkeypatch, where):
    monkeypatch.delenv("REDNET_BATCH", raising=False)
    shown = []
    monkeypatch.setattr(module, "display", lambda data, **more: shown.append(data))
    if where.isupper():
        monkeypatch.setenv(where, "1")
    else:
        monkeypatch.setitem(module.sys.modules, where, module)
    assert present(painter.box) is None
    (both,) = shown
    assert VIEW in both and "level <b>5</b>" in both["text/html"]


def test_a_run_shows_the_widget_alone(told, painter, monkeypatch):
    monkeypatch.setenv("REDNET_BATCH", "1")
    assert present(painter.box) is None and told == [painter.box]


def test_a_page_made_of_a_saved_notebook_shows_what_stands_in_once(told, painter):
    painter._ipython_display_()
    outputs = [nbformat.v4.new_output("display_data", data) for data in told]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("painter", outputs=outputs)])
    assert without_widgets(notebook) == 1
    (left,) = notebook.cells[0].outputs
    assert STAND_IN in left.data["text/html"]
