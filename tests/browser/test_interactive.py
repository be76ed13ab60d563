"""Every interactive cell of the series in a real JupyterLab: run, every control moved there and back."""

import nbformat
import pytest

from rednet_lab.runner.outcome import errors_in
from tests.browser.exercise import Desk
from tests.browser.interactive import interactive_notebooks
from tests.browser.manners import ABSENT, MANNERS, RULE
from tests.browser.widget_state import missing_state

INTERACTIVE = interactive_notebooks()


@pytest.fixture
def notebook(request, page):
    """A notebook that has run; the next one runs in the background meanwhile."""
    names = [item.callspec.params["notebook"] for item in request.session.items if "notebook" in item.fixturenames]
    name = request.param
    coming = names[names.index(name) :][:2]
    for each in coming:
        if each not in page.begun:
            page.begin(each)
    page.show(name)
    yield name
    if name in page.begun:
        page.close(name)


@pytest.mark.parametrize("notebook", INTERACTIVE, indirect=True)
def test_every_interactive_cell_is_exercised(notebook, page):
    assert not (trouble := page.trouble()), "\n".join(trouble)
    # One cell more than in the notebook as it is kept: the injected parameters.
    expected = {cell + 1: number for number, cell in enumerate(INTERACTIVE[notebook])}
    exercised = {}
    for cell in page.widget_cells():
        manner = MANNERS.get(notebook, {}).get(expected.get(cell["cell"]), RULE)
        desk = Desk(page, cell["cell"], manner)
        if not desk.controls:  # a progress bar
            continue
        exercised[cell["cell"]] = desk.exercise()
        if manner.check is not None:
            manner.check(desk)
    assert not (trouble := page.trouble()), "\n".join(trouble)
    absent = {cell for cell, number in expected.items() if (notebook, number) in ABSENT}
    assert set(exercised) == set(expected) - absent, "cells with controls are not those found by reading"
    page.close(notebook)
    saved = nbformat.read(page.server.folder / f"{notebook}.ipynb", nbformat.NO_CONVERT)
    assert errors_in(saved) == [] and missing_state(saved) == []
