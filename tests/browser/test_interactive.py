"""Every interactive cell of the series in a real JupyterLab: run, every control moved there and back."""

import nbformat
import pytest

from rednet_lab.runner.executed import errors_in
from tests.browser.exercise import WidgetCell
from tests.browser.interactive import interactive_notebooks
from tests.browser.manners import GIVEN, MANNERS, RULE
from tests.browser.widget_state import missing_state

INTERACTIVE = interactive_notebooks()


@pytest.fixture
def notebook(request, page):
    """A notebook that has run; the next one runs in the background meanwhile."""
    mine = [item for item in request.session.items if item.path == request.node.path and hasattr(item, "callspec")]
    names = [item.callspec.params["notebook"] for item in mine if "notebook" in item.callspec.params]
    name = request.param
    coming = names[names.index(name) :][:2]
    for each in coming:
        if each not in page.begun:
            page.begin(each)
        if each == name and name in GIVEN:  # what it trains, the next one is to find
            page.show(name)
    page.show(name)
    yield name
    if name in page.begun:
        page.close(name)


@pytest.mark.parametrize("notebook", INTERACTIVE, indirect=True)
def test_every_interactive_cell_is_exercised(notebook, page):
    assert not (trouble := page.trouble()), "\n".join(trouble)
    # One cell more than in the notebook as it is kept: the injected parameters.
    expected = {cell + 1: number for number, cell in enumerate(INTERACTIVE[notebook])}
    shown = [cell["cell"] for cell in page.widget_cells()]
    assert set(expected) <= set(shown), "interactive cells, found by reading, that show no widget"
    exercised = {}
    for cell in shown:
        here = WidgetCell(page, cell, MANNERS.get(notebook, {}).get(expected.get(cell), RULE))
        if here.controls:  # else it is a progress bar
            exercised[cell] = here.exercise()
        if here.manner.check is not None:
            here.manner.check(here)
    assert exercised, "no control was found"
    assert not (trouble := page.trouble()), "\n".join(trouble)
    page.close(notebook)
    saved = nbformat.read(page.server.folder / f"{notebook}.ipynb", nbformat.NO_CONVERT)
    assert errors_in(saved) == [] and missing_state(saved) == []


def test_notebooks_are_stored_without_broken_widgets(checkout):
    stored = [*sorted((checkout.root / "notebooks").glob("*.ipynb")), *sorted(checkout.folder.glob("executed/*.ipynb"))]
    for path in stored:
        assert missing_state(nbformat.read(path, nbformat.NO_CONVERT)) == [], path.name
