"""One JupyterLab and one browser for all browser tests; they come when the series has filled the cache."""

import os
from pathlib import Path

import pytest
from filelock import FileLock

from rednet_lab.names import ROOT
from tests.browser.chromium import ARGUMENTS, find_chromium, missing
from tests.browser.jupyterlab import JupyterLab
from tests.browser.manners import GIVEN
from tests.browser.page import WINDOW, NotebookPage, copy_notebook

EVERY_MOVE = "REDNET_SCREENSHOTS"


@pytest.fixture(scope="package")
def server(checkout):
    """JupyterLab on copies of the notebooks with profile smoke in place of their parameters, and the tests' checkout.

    The checkout's own notebooks hold the wrong answers that the run of the series is to survive.
    """
    if reason := missing():
        pytest.skip(reason)
    folder = checkout.root.parent / "browser"
    with FileLock(checkout.lock):  # where the series is being run, wait for what it leaves in the cache
        pass
    out = str(folder / "results")  # not in the checkout, where other tests look
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        copy_notebook(path, folder / "notebooks" / path.name, {"out": out, **GIVEN.get(path.stem, {})})
    variables = {"REDNET_CACHE": str(checkout.cache), "PYTHONPATH": str(checkout.root)}
    server = JupyterLab(folder / "notebooks", folder / "home", variables)
    yield server
    server.stop()


@pytest.fixture(scope="package")
def browser():
    """Chromium without a window. It is ended before other tests go on: its driver keeps an event loop running."""
    if reason := missing():
        pytest.skip(reason)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=find_chromium(), args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def shots(tmp_path_factory):
    """The folder of the screenshots: REDNET_SCREENSHOTS, with one of every move, or one of pytest's own with a few."""
    given = os.environ.get(EVERY_MOVE)
    return Path(given).resolve() if given else tmp_path_factory.mktemp("screenshots")


@pytest.fixture(scope="package")
def page(server, browser, shots):
    """The page that all notebooks are opened in."""
    page = NotebookPage(browser.new_context(viewport=WINDOW).new_page(), server, shots, EVERY_MOVE in os.environ)
    page.start()
    return page
