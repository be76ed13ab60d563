"""A notebook that was run live, saved, and opened again: what stands in for its widgets is shown, and no error."""

import re

import nbformat
import pytest
from nbconvert import HTMLExporter

from rednet_lab.names import ROOT
from rednet_lab.show.display import LIVE
from rednet_lab.show.placeholder import VIEW
from tests.browser.page import WINDOW, copy_notebook

NAME, TURN = "reopened", "@jupyter-widgets/jupyterlab-manager:saveWidgetState"
LOST = re.compile(r"Error displaying|Loading widget|model not found|state key missing", re.IGNORECASE)
WAIT = "() => new Promise((done) => setTimeout(done, 1500))"  # a widget on its way is given a second


def numbers(screen):
    """The numbers with a decimal point that a cell shows, in order."""
    return re.findall(r"\d+\.\d+", " ".join(screen.words))


@pytest.fixture(scope="module")
def saved(page):
    """{cell: its live screen} of a notebook that was run, and saved as a reader's JupyterLab does: without state."""
    page.console.clear()  # of what tabs of other tests wrote there when they were closed
    copy_notebook(ROOT / "notebooks" / "60_tracking.ipynb", page.server.folder / f"{NAME}.ipynb", {})
    page.page.evaluate("turn => jupyterapp.commands.execute(turn)", TURN)
    page.begin(NAME)
    page.show(NAME)
    assert not (trouble := page.trouble()), trouble
    live = {cell["cell"]: page.screen(cell["cell"]) for cell in page.widget_cells()}
    page.close(NAME)
    page.page.evaluate("turn => jupyterapp.commands.execute(turn)", TURN)
    notebook = nbformat.read(page.server.folder / f"{NAME}.ipynb", nbformat.NO_CONVERT)
    assert "widgets" not in notebook.metadata
    assert len(live) >= 2 and all(any(VIEW in out.get("data", {}) for out in notebook.cells[c].outputs) for c in live)
    return live


def look(page, cell):
    """What is seen of a cell without a kernel: {"pictures", "drawings", "words"}."""
    page.page.wait_for_function("cell => course.root(cell)", arg=cell)  # cells out of sight are made later
    page.root(cell)
    page.page.evaluate(WAIT)
    return page.page.evaluate("cell => course.state(cell)", cell)


@pytest.fixture(autouse=True)
def lost_models(page):
    """JupyterLab also writes a lost model, and a tab closed without a kernel, into the console; nobody sees that."""
    yield
    page.console.clear()


@pytest.mark.parametrize("kernel", [True, False])
def test_opened_again_it_shows_what_stands_in_and_no_error(page, saved, kernel):
    page.open(NAME, kernel)
    for cell, live in saved.items():
        seen = look(page, cell)
        page.shot(cell, f"reopened-{kernel}")
        words = " ".join(seen["words"])
        assert not LOST.search(words) and seen["pictures"] and "empty" not in seen["pictures"]
        assert set(numbers(live)) <= set(re.findall(r"\d+\.\d+", words)), cell
    page.page.evaluate("name => course.drop(name)", f"{NAME}.ipynb")


def test_a_page_that_nbconvert_makes_of_it_shows_the_same(page, saved, tmp_path):
    file = tmp_path / "page.html"
    text, _ = HTMLExporter().from_filename(page.server.folder / f"{NAME}.ipynb")
    file.write_text(text, encoding="utf-8")
    other = page.page.context.browser.new_page(viewport=WINDOW)
    other.goto(file.as_uri(), wait_until="domcontentloaded")
    other.wait_for_selector("[data-rednet-still] .rednet")
    stand_ins = other.query_selector_all("[data-rednet-still]")
    other.wait_for_timeout(1500)
    assert len(stand_ins) == len(saved) and not LOST.search(other.inner_text("body"))
    for place, live in zip(stand_ins, saved.values(), strict=True):
        assert place.is_visible() and place.query_selector("img, canvas").bounding_box()["width"] > 100
        assert set(numbers(live)) <= set(re.findall(r"\d+\.\d+", place.inner_text()))
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
        assert LIVE in words and not LOST.search(words) and seen["pictures"]
    page.page.evaluate("name => course.drop(name)", "foreign.ipynb")
