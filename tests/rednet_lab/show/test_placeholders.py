"""A widget and its placeholder: two outputs in JupyterLab, one elsewhere, and in a run the placeholder alone."""

import base64

import cv2
import ipywidgets as w
import numpy as np
import pytest

from rednet_lab.show import widgets as module
from rednet_lab.show.widgets import PLACEHOLDER, Painter, placeholder, rehearse, renew, show_widget, slider

VIEW = "application/vnd.jupyter.widget-view+json"


class Handle:
    """Keeps what a display is updated with."""

    def __init__(self):
        self.updates = []

    def update(self, data, raw):
        self.updates.append(data)


@pytest.fixture
def told(monkeypatch):
    """What is displayed, at a screen that is JupyterLab's: (data, metadata)."""
    for name in ("REDNET_BATCH", *(name for name in module.os.environ if name.startswith("VSCODE_"))):
        monkeypatch.delenv(name, raising=False)
    shown, handle = [], Handle()

    def display(data, raw, metadata=None, display_id=False):
        shown.append((data, metadata))
        return handle if display_id else None

    monkeypatch.setattr(module, "display", display)
    return shown


def paint(level, **_):
    if level == 13:
        raise ValueError("no 13 here")
    return np.full((8, 8, 3), level, np.uint8), f"at <i>{level}</i>"


def make(high=12):
    """A painter with a slider, a menu, a tick, a hidden control and an upload."""
    hidden = w.IntText(7, description="nobody sees", layout=w.Layout(display="none"))
    controls = {"level": slider("level", 0, high, 5), "hidden": hidden, "file": w.FileUpload(description="a file")}
    controls |= {"mode": w.Dropdown(options=[("Mode <A>", 1), ("B", 2)], description="mode"), "on": w.Checkbox(True)}
    return Painter(controls, paint, "a grey square")


def test_the_widget_comes_first_and_its_placeholder_behind_it(told):
    make()._ipython_display_()
    (live, _), (behind, metadata) = told
    assert set(live) == {VIEW, "text/plain"} and "run the cell" in live["text/plain"]
    assert VIEW not in behind and PLACEHOLDER in behind["text/html"]
    assert 'src="data:image/jpeg;base64,' in behind["text/html"]
    for piece in ('alt="a grey square. at 5"', "level: 5", "at <i>5</i>", "<style>", ":has("):
        assert piece in behind["text/html"]
    assert "mode: Mode &lt;A&gt;" in behind["text/html"]  # a reader's names are text
    assert "nobody sees" not in behind["text/html"] and "a file" not in behind["text/html"]
    assert behind["text/plain"] == "a grey square. at 5; level: 5; mode: Mode <A>" == metadata["image/png"]["alt"]
    picture = cv2.imdecode(np.frombuffer(base64.b64decode(behind["image/png"]), np.uint8), cv2.IMREAD_COLOR)
    assert (picture == 5).all()


def test_a_placeholder_can_be_renewed(told):
    painter = make()
    handle = show_widget(painter.box)
    painter.controls["level"].value = 9
    renew(handle, placeholder(painter.box))
    assert "level: 9" in handle.updates[0]["text/html"] and PLACEHOLDER in handle.updates[0]["text/html"]
    renew(None, placeholder(painter.box))  # a run has nothing to renew


@pytest.mark.parametrize("where", ["VSCODE_PID", "google.colab"])
def test_other_pages_get_one_output(told, monkeypatch, where):
    if where.isupper():
        monkeypatch.setenv(where, "1")
    else:
        monkeypatch.setitem(module.sys.modules, where, module)
    assert show_widget(make().box) is None
    ((both, _),) = told
    assert VIEW in both and "level: 5" in both["text/html"]


def test_a_run_leaves_the_placeholder_alone_and_everything_as_it_was(told, monkeypatch):
    monkeypatch.setenv("REDNET_BATCH", "1")
    painter = make()
    assert show_widget(painter.box) is None
    ((data, metadata),) = told
    assert set(data) == {"text/html", "image/png", "text/plain"} and "<script" not in data["text/html"]
    assert metadata["image/png"]["alt"].startswith("a grey square")
    assert [painter.controls[name].value for name in ("level", "mode", "on")] == [5, 1, True]


def test_an_error_behind_a_control_fails_a_run(told, monkeypatch):
    monkeypatch.setenv("REDNET_BATCH", "1")
    with pytest.raises(ValueError, match="no 13 here"):
        show_widget(make(high=13).box)  # nobody moves the slider


def test_a_rehearsal_moves_every_control_that_is_seen():
    painter, moved = make(), set()
    for name, control in painter.controls.items():
        control.observe(lambda change, name=name: moved.add(name), "value")
    button, seen = w.Button(), []
    button.on_click(seen.append)
    rehearse(w.VBox([painter.box, button, w.Button(disabled=True)]))
    assert moved == {"level", "mode", "on"} and seen == [button]


def test_words_alone_are_a_placeholder_too():
    data = placeholder(w.VBox([w.HTML("<p>5 &lt; 6 entries</p>"), w.Text("LSTM", description="word")]))
    assert "image/png" not in data and data["text/plain"] == "5 < 6 entries; word: LSTM"
