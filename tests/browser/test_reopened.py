"""Players and widgets in JupyterLab: live, in a notebook that was saved and is opened again, in a foreign one."""

import re

import nbformat
import pytest
from nbconvert import HTMLExporter

from rednet_lab.show.widgets import LIVE, PLACEHOLDER
from tests.browser.jupyterlab import write
from tests.browser.page import WINDOW

NAME, TURN = "reopened", "@jupyter-widgets/jupyterlab-manager:saveWidgetState"
LOST = re.compile(r"Error displaying|Loading widget|model not found|state key missing", re.IGNORECASE)
WAIT = "() => new Promise((done) => setTimeout(done, 1500))"  # a widget on its way is given a second
# Two players of a network that has learnt nothing, and a widget.
SOURCES = [
    """
import numpy as np
from rednet_core.markup import IBUG68
from rednet_lab.show.player import show
from rednet_lab.show.trace import trace_stills, trace_video
from rednet_lab.show.widgets import Painter, slider
from tests.helpers import loop_box, make_data, settle, tiny_net
faces, net = make_data([(0, range(4))], size=48), settle(tiny_net(seed=3))""",
    'show(trace_stills(net, faces, np.arange(3)), title="Steps of <b>three</b> faces")',
    'truth = faces.table["points"]\nshow(trace_video(net, faces.crops, truth, loop_box(truth[0])), "track", "A track")',
    """
def paint(level):
    return np.full((60, 80, 3), 12 * level, np.uint8), f"level {level / 2:.1f}"

Painter({"level": slider("level", 0, 20, 7)}, paint, "a grey rectangle")""",
]
PLAYERS, WIDGET = (1, 2), 3


def numbers(words):
    """The numbers with a decimal point in words, in order."""
    return re.findall(r"\d+\.\d+", " ".join(words))


def look(page, cell):
    """What is seen of a cell: {"pictures", "drawings", "words"}."""
    page.page.wait_for_function("cell => course.root(cell)", arg=cell)  # cells out of sight are made later
    page.root(cell)
    page.page.evaluate(WAIT)
    return page.page.evaluate("cell => course.state(cell)", cell)


@pytest.fixture(scope="module")
def saved(page):
    """{cell: what was seen of it live} of a notebook that was run, and saved as a reader's JupyterLab does."""
    page.console.clear()  # of what tabs of other tests wrote there when they were closed
    write(page.server.folder, NAME, SOURCES)
    page.page.evaluate("turn => jupyterapp.commands.execute(turn)", TURN)
    page.begin(NAME)
    page.show(NAME)
    live = {cell: look(page, cell) for cell in (*PLAYERS, WIDGET)}
    use_player(page)
    page.shot(PLAYERS[0], "live")
    assert page.root(WIDGET).query_selector("img").get_attribute("alt") == "a grey rectangle. level 3.5"
    assert not (trouble := page.trouble()), trouble
    page.close(NAME)
    page.page.evaluate("turn => jupyterapp.commands.execute(turn)", TURN)
    notebook = nbformat.read(page.server.folder / f"{NAME}.ipynb", nbformat.NO_CONVERT)
    assert "widgets" not in notebook.metadata
    return live


def use_player(page):
    """Move the first player by its keys and a menu: it answers, and the notebook's own keys do not."""
    player = page.root(PLAYERS[0]).wait_for_selector(".rednet")
    active = "() => jupyterapp.shell.currentWidget.content.activeCellIndex"
    player.evaluate("e => e.scrollIntoView({block: 'center'})")
    player.focus()
    before, cell = look(page, PLAYERS[0]), page.page.evaluate(active)
    for key in ("ArrowRight", "ArrowDown", "ArrowDown", "ArrowUp"):
        player.press(key)
    assert player.query_selector("input[aria-label=face]").input_value() == "1"
    assert page.page.evaluate(active) == cell
    player.query_selector("select[aria-label=point]").select_option(index=31)
    after = look(page, PLAYERS[0])
    assert after["pictures"] != before["pictures"] and numbers(after["words"]) != numbers(before["words"])
    assert page.overflow(PLAYERS[0]) <= 0 and not page.distorted(PLAYERS[0])


@pytest.fixture(autouse=True)
def lost_models(page):
    """JupyterLab also writes a lost model, and a tab closed without a kernel, into the console; nobody sees that."""
    yield
    page.console.clear()


@pytest.mark.parametrize("kernel", [True, False])
def test_opened_again_players_play_and_placeholders_stand_for_widgets(page, saved, kernel):
    page.open(NAME, kernel)
    for cell, live in saved.items():
        seen = look(page, cell)
        page.shot(cell, f"reopened-{kernel}")
        assert not LOST.search(" ".join(seen["words"])) and seen["pictures"] and "empty" not in seen["pictures"]
        assert set(numbers(live["words"])) <= set(numbers(seen["words"])), cell
    use_player(page)
    page.page.evaluate("name => course.drop(name)", f"{NAME}.ipynb")


def test_a_page_that_nbconvert_makes_of_it_shows_the_same(page, saved, tmp_path):
    file = tmp_path / "page.html"
    text, _ = HTMLExporter().from_filename(page.server.folder / f"{NAME}.ipynb")
    file.write_text(text, encoding="utf-8")
    other = page.page.context.browser.new_page(viewport=WINDOW)
    other.goto(file.as_uri(), wait_until="domcontentloaded")
    other.wait_for_selector(".rednet >> nth=1")
    other.wait_for_timeout(1500)
    places = other.query_selector_all(f".rednet, [{PLACEHOLDER}]")
    assert len(places) == len(saved) and not LOST.search(other.inner_text("body"))
    for place, live in zip(places, saved.values(), strict=True):
        assert place.is_visible() and place.query_selector("img, canvas").bounding_box()["width"] > 60
        assert set(numbers(live["words"])) <= set(numbers([place.inner_text()]))
    other.close()


def test_a_notebook_that_is_not_trusted_shows_the_pictures(page, saved):
    """As from somebody else: JupyterLab takes scripts and styles out."""
    notebook = nbformat.read(page.server.folder / f"{NAME}.ipynb", nbformat.NO_CONVERT)
    for cell in saved:
        notebook.cells[cell].source += "  # changed"
    nbformat.write(notebook, page.server.folder / "foreign.ipynb")
    page.open("foreign", False)
    for cell in saved:
        seen = look(page, cell)
        page.shot(cell, "foreign")
        words = " ".join(seen["words"])
        assert seen["pictures"] and not LOST.search(words)
        assert (LIVE in words) == (cell == WIDGET)
    assert page.page.query_selector(".rednet") is None and page.page.query_selector(".jp-OutputArea-output img")
    page.page.evaluate("name => course.drop(name)", "foreign.ipynb")
