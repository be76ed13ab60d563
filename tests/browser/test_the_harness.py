"""The harness itself: it passes a sound widget and finds each fault that it is there for, in a real JupyterLab."""

import re
from textwrap import indent

import nbformat
import pytest

from rednet_lab.runner.executed import WIDGET_STATE
from tests.browser.exercise import WidgetCell
from tests.browser.interactive import interactive_cells, interactive_notebooks, uses_of
from tests.browser.widget_state import VIEW, missing_state

START = """
import cv2, numpy as np, ipywidgets as w
from IPython.display import display

def grey(level):
    return cv2.imencode(".png", np.full((40, 60), 20 * level, np.uint8))[1].tobytes()
"""

# Name -> (source of a cell, what the harness says of it; "" of a sound one).
CELLS = {
    "sound": (
        """
slider, play, tick = w.IntSlider(3, 0, 9, description="level"), w.Play(max=9, interval=60), w.Checkbox(True)
tick.description = "light"
image, words = w.Image(value=grey(3)), w.HTML("level 3")
w.jslink((play, "value"), (slider, "value"))

def paint(_):
    image.value, words.value = grey(slider.value if tick.value else 0), f"level {slider.value} {tick.value}"

paint(0); slider.observe(paint, "value"); tick.observe(paint, "value")
return w.VBox([play, slider, tick, image, words])""",
        "",
    ),
    "idle": ("return w.HBox([w.IntSlider(3, 0, 9, description='idle'), w.HTML('text')])", "stayed as it was"),
    "raises": (
        """
broken, words = w.IntSlider(3, 0, 9, description="broken"), w.HTML("3")
def paint(change):
    words.value = str(change.new)
    1 / (change.new - 9)
broken.observe(paint, "value")
return w.HBox([broken, words])""",
        "ZeroDivisionError",
    ),
    "remembers": (
        """
ticks, words = w.Checkbox(False, description="again"), w.HTML("0")
ticks.observe(lambda _: setattr(words, "value", str(int(words.value) + 1)), "value")
return w.HBox([ticks, words])""",
        "is back at False and what is shown is not",
    ),
    "inside": (
        """
choice, output = w.Dropdown(options=["a", "b"], description="pick"), w.Output()
@output.capture(clear_output=True)
def pick(change):
    raise KeyError(change.new)
choice.observe(pick, "value")
return w.VBox([choice, output])""",
        "KeyError",
    ),
    "wide": (
        "return w.VBox([w.Checkbox(), w.Image(value=grey(1), layout=w.Layout(width='3000px', max_width='none'))])",
        "px wider than the notebook",
    ),
    "stretched": (
        "return w.VBox([w.Checkbox(), w.Image(value=grey(1), layout=w.Layout(width='60px', height='90px'))])",
        "pictures out of proportion: .*60 x 90 of 60 x 40",
    ),
    "strange": ("return w.ColorPicker(description='colour')", "controls of no known kind"),
    "stuck": (
        "return w.VBox([w.Play(max=9, interval=60), w.IntSlider(max=9, description='frame')])",
        "moved no slider",
    ),
    "disabled": ("return w.VBox([w.Checkbox(disabled=True, description='never'), w.HTML('text')])", "is disabled"),
}
LOST = f'display({{"{VIEW}": {{"version_major": 2, "version_minor": 0, "model_id": "{"0" * 32}"}}}}, raw=True)'


def write(folder, name, sources):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source.strip()) for source in sources])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, folder / f"{name}.ipynb")


@pytest.fixture(scope="module")
def faults(page):
    """The page with a notebook of all CELLS, run."""
    # Each in a function of its own: the names of one cell are not those of the next.
    functions = [f"def cell():\n{indent(source.strip(), '    ')}\n\ncell()" for source, _ in CELLS.values()]
    write(page.server.folder, "faults", [START, *functions])
    page.begin("faults")
    page.show("faults")
    yield page
    page.close("faults")


@pytest.mark.parametrize("name", CELLS)
def test_a_fault_is_found_and_a_sound_widget_passes(faults, name, monkeypatch):
    monkeypatch.setattr("tests.browser.exercise.PLAY_SECONDS", 1 if name == "stuck" else 20)
    source, said = CELLS[name]
    cell = 1 + list(CELLS).index(name)
    assert faults.widget_cells()[cell - 1]["cell"] == cell
    try:
        if said:
            with pytest.raises(AssertionError, match=said):
                WidgetCell(faults, cell).exercise()
        else:
            assert WidgetCell(faults, cell).exercise() == ["play 'play'", "slider 'level'", "tick 'light'"]
    finally:
        faults.forget()


def test_a_widget_that_is_not_there_and_red_words_are_found(page):
    write(page.server.folder, "lost", [START, LOST, "import sys; print('careful', file=sys.stderr)"])
    page.begin("lost")
    page.show("lost")
    trouble = "\n".join(page.trouble())
    page.close("lost")
    assert re.search("Loading widget|Error displaying widget", trouble) and "careful" in trouble


def test_a_failing_cell_is_told_with_its_error(page):
    write(page.server.folder, "failing", ["1 / 0"])
    page.begin("failing")
    with pytest.raises(AssertionError, match="a cell failed(.|\n)*ZeroDivisionError"):
        page.show("failing")
    page.close("failing")


# ------------------------------------------------------------------------------------------------ without a browser


def test_interactive_cells_are_found_by_reading(tmp_path):
    write(tmp_path, "read", [
        "from rednet_lab.show.widgets import Painter\n"
        "from rednet_lab.show.face_controls import explore_face, plain_face",
        "plain_face(factors)",
        "explore_face(world)",
        "def mine(paint):\n    return Painter({}, paint)",
        "mine",
        "mine(paint)",
        "import ipywidgets as w",
        "from rednet_lab.show import face_controls as controls\nw.IntSlider()",
        "controls.explore_face(world)",
        "controls.plain_face(factors)",
    ])  # fmt: skip
    assert interactive_cells(tmp_path / "read.ipynb") == [2, 4, 5, 7, 8]
    assert uses_of("from ..a import b\nimport c.d", "p.q").imports == {"b": "p.a.b", "c": "c.d"}
    assert len(interactive_notebooks()) >= 8


def test_missing_widget_state_is_found():
    def notebook(state, model="a"):
        cell = nbformat.v4.new_code_cell(outputs=[nbformat.v4.new_output("display_data", {VIEW: {"model_id": model}})])
        return nbformat.v4.new_notebook(cells=[cell], metadata={"widgets": {WIDGET_STATE: state}})

    box = {"model_module": "m", "model_name": "Box", "state": {"children": ["IPY_MODEL_b"]}}
    leaf = {"model_module": "m", "model_name": "Leaf", "state": {}}
    assert missing_state(notebook({"state": {"a": box, "b": leaf}})) == []
    assert missing_state(nbformat.v4.new_notebook()) == []
    assert "refers to b, which is not stored" in missing_state(notebook({"state": {"a": box}}))[0]
    assert "no key 'state'" in missing_state(notebook({"a": box}))[0]
    assert "shows the model c" in missing_state(notebook({"state": {"a": box, "b": leaf}}, "c"))[0]
    assert "stored with ['state'] only" in missing_state(notebook({"state": {"a": {"state": {}}}}))[0]
