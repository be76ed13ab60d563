"""A file that is too large for a message to the kernel: refused in the page, in words, and the connection stays."""

import pytest

from rednet_lab.show.footage import MOST_BYTES
from tests.browser.jupyterlab import write

SOURCE = """
import ipywidgets as w
from rednet_lab.show.own_file import OwnFile
from rednet_lab.show.widgets import show_widget
own, said = OwnFile(), w.HTML("nothing")
own.upload.observe(lambda change: setattr(said, "value", f"got {change.new[0].size}"), "value")
show_widget(w.VBox([own.upload, own.path, said]))
"""


@pytest.fixture
def cell(page):
    write(page.server.folder, "uploads", [SOURCE])
    page.begin("uploads")
    page.show("uploads")
    yield page.root(0)
    page.close("uploads")


def give(page, cell, size, folder):
    """Choose a file of so many bytes for the upload, and return the cell's words."""
    file = folder / f"{size}.bin"
    file.write_bytes(bytes(size))
    with page.page.expect_file_chooser() as chooser:
        cell.query_selector(".widget-upload").click()
    chooser.value.set_files(file)
    return " ".join(page.screen(0).words)


def test_a_large_file_is_refused_in_words_and_a_small_one_comes_through(page, cell, tmp_path):
    words = give(page, cell, MOST_BYTES + 1_000_000, tmp_path)
    assert "has 11 MB, and 10 MB are the most" in words and "path" in words and "nothing" in words
    alert = cell.query_selector("[role=alert]").bounding_box()
    control = cell.query_selector(".widget-upload").bounding_box()
    assert 0 <= alert["y"] - control["y"] - control["height"] < 20  # next to the control
    page.shot(0, "refused")
    words = give(page, cell, 1000, tmp_path)
    assert "got 1000" in words and "the most" not in words
    words = give(page, cell, MOST_BYTES, tmp_path)  # what is let through arrives
    assert f"got {MOST_BYTES}" in words
    assert not [line for line in page.trouble() if "DataError" not in line and "Traceback" not in line]
