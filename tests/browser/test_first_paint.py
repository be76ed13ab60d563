"""The time to a cell's first picture, which the benchmark prints: of a known wait, of words, of no widget at all."""

import pytest

from tests.browser.test_the_harness import START, write

SLOW = "import time; time.sleep(0.6); picture = w.VBox([w.HTML('words'), w.Image(value=grey(3))]); picture"


@pytest.fixture
def notebook(page):
    yield "paints"
    page.close("paints")


def test_the_time_counts_from_the_cells_start_to_its_picture(page, notebook):
    late = "image = w.Image(); display(w.VBox([w.HTML('words'), image])); time.sleep(0.8); image.value = grey(3)"
    write(page.server.folder, notebook, [START, SLOW, "1 + 1", "w.HBox([w.HTML('words only')])", late])
    page.open(notebook)
    found = page.first_paints(notebook)
    assert set(found) == {1, 3, 4}
    assert found[1] >= 600 and found[4] >= 800  # the picture, though its words were there before
    assert found[3] < 600
    page.show(notebook)
    assert not page.trouble()


def test_a_cell_that_fails_is_told(page, notebook):
    write(page.server.folder, notebook, ["1 / 0"])
    page.open(notebook)
    with pytest.raises(AssertionError, match="cell 0 failed(.|\n)*ZeroDivisionError"):
        page.first_paints(notebook)
