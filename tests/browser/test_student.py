"""The first exercise as a student does it in a real JupyterLab: run the stub, err, read the hint, mend it."""

import pytest

from rednet_lab.exercises import NAMES, load
from rednet_lab.exercises.notebooks import MARKED, cells
from tests.browser.jupyterlab import write

FIRST = NAMES[0]
HINT = next(iter(load(FIRST).wrong))


@pytest.fixture
def notebook(page):
    yield "student"
    page.close("student")


def typed(source):
    """Return the student's cell with other lines in the place of its stub."""
    stub, solution = ("".join(cell["source"]) for cell in cells(FIRST)[1:])
    body = solution.partition('"""\n')[2].partition('"""\n')[2] or solution.partition('"""\n')[2]
    body = body.partition("\n\n\nprint(")[0]
    return stub.replace("    # your code here\n    return ...", source(body))


def test_a_student_runs_errs_reads_the_hint_and_is_right(page, notebook):
    assert MARKED.search("    ### BEGIN SOLUTION\n    x\n    ### END SOLUTION\n")
    write(page.server.folder, notebook, ["".join(cells(FIRST)[1]["source"])])
    page.begin(notebook)
    page.show(notebook)
    lab = page.page
    cell = lab.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-CodeCell").first

    def run(text):
        cell.locator(".cm-content").click()
        lab.keyboard.press("Control+A")
        lab.keyboard.insert_text(text)
        lab.keyboard.press("Control+Enter")

    def says(words):
        cell.locator(".jp-OutputArea-output", has_text=words).wait_for(timeout=60_000)

    says("To do")
    run(typed(lambda body: body.replace("return c +", "return torch.flip(c +").rstrip() + ", (-1,))"))
    says(HINT)
    run(typed(lambda body: body))
    says("Right.")
    assert not (trouble := page.trouble()), "\n".join(trouble)
