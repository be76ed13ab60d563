"""One notebook in a real JupyterLab: opened, run, looked at."""

import re
from dataclasses import dataclass
from pathlib import Path

import nbformat

from rednet_lab.parameters import read_parameters

WINDOW = {"width": 1280, "height": 800}
SCRIPT = Path(__file__).with_name("screen.js").read_text(encoding="utf-8")
RUN_SECONDS = 240  # of a notebook on profile smoke; time in which its kernel works counts a twentieth
SETTLE_SECONDS = 20  # likewise
AGAIN_MILLISECONDS = 120  # two looks so far apart must see the same

# What JupyterLab itself says in the console, with or without a widget; each is told apart by its words. A lost model
# is said of tabs that are being closed, too, after their kernel; where a reader sees it, `course.trouble` finds it.
HARMLESS = re.compile(
    r"favicon\.ico|ResizeObserver loop|Could not restore the debugger state: Canceled future|widget model not found"
)
# JupyterLab asks now and then which kernels there are; Jupyter's server fails where one is just being started.
POLLED = re.compile(r"/api/kernels\?\d+\b")


def copy_notebook(path: Path, copy: Path, given: dict, profile: str = "smoke") -> None:
    """Write a copy of a notebook with a cell behind its parameters that sets the profile and what else is given."""
    given = {"profile": profile, "device": "cpu", "out": "browser", **given}
    assert set(given) <= set(read_parameters(path))
    notebook = nbformat.read(path, nbformat.NO_CONVERT)
    for cell in notebook.cells:  # the first screen's picture is the repository's, which is not served here
        if cell.cell_type == "markdown":
            cell.source = re.sub(r"!\[([^]]*)\]\(\.\./figures/[^)]*\)", r"\1", cell.source)
    place = next(i for i, cell in enumerate(notebook.cells) if "parameters" in cell.metadata.get("tags", []))
    lines = "\n".join(f"{name} = {value!r}" for name, value in given.items())
    notebook.cells.insert(place + 1, nbformat.v4.new_code_cell(lines, metadata={"tags": ["injected-parameters"]}))
    copy.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, copy)


@dataclass(frozen=True)
class Screen:
    """What a cell's output shows: fingerprints of its pictures' pixels, drawings, and words (not the controls' own)."""

    pictures: tuple[str, ...]
    drawings: tuple[str, ...]
    words: tuple[str, ...]

    def number(self, pattern: str) -> float:
        """The number that the first group of a pattern finds in the words."""
        found = re.search(pattern, " ".join(self.words))
        assert found, f"no {pattern!r} in {self.words}"
        return float(found[1])


class NotebookPage:
    """A page of one browser with JupyterLab in it; notebooks are opened in it one after the other."""

    def __init__(self, page, server, shots: Path, every_move: bool = False):
        self.page, self.server, self.shots, self.every_move = page, server, shots, every_move
        self.name, self.begun = "", []
        self.console: list[str] = []  # what went wrong, of the page as a whole
        page.add_init_script(SCRIPT)
        page.on("console", lambda message: message.type == "error" and self._said(message.text, message.location))
        page.on("pageerror", lambda error: self._said(f"not caught: {error}"))
        page.on("request", lambda request: self._asked(request.url))

    def _said(self, text: str, where: dict | None = None) -> None:
        if not (HARMLESS.search(text) or POLLED.search((where or {}).get("url", ""))):
            self.console.append(f"JavaScript console: {text[:600]}")

    def _asked(self, address: str) -> None:
        if not address.startswith((self.server.address, "blob:", "data:", "about:", "chrome")):
            self.console.append(f"asked another machine: {address[:200]}")

    def start(self) -> None:
        """Load JupyterLab itself, once for all notebooks."""
        self.page.goto(f"{self.server.address}/lab?token={self.server.token}")
        self.page.wait_for_function("() => window.jupyterapp?.shell && window.course", timeout=60_000)
        self.page.evaluate("() => jupyterapp.restored")

    def open(self, name: str, kernel: bool = True) -> None:
        """Open a notebook of the server's folder in a tab, with a fresh kernel or with none, and run nothing."""
        self.page.evaluate("given => course.open(...given)", [f"{name}.ipynb", kernel])
        if kernel:
            self.page.wait_for_function("name => course.idle(name)", arg=f"{name}.ipynb", timeout=1000 * RUN_SECONDS)
        self.name = name

    def begin(self, name: str) -> None:
        """Open a notebook in a tab and start all its cells, without waiting for them."""
        shown = self.name
        self.open(name)
        self.page.evaluate("name => course.run(name)", f"{name}.ipynb")
        self.begun.append(name)
        self.name = shown

    def first_paints(self, name: str) -> dict[int, float]:
        """Run an opened notebook's cells one after the other; {cell: ms until its first widget's first picture}.

        A widget without pictures counts from its first words. Raises AssertionError where a cell fails.
        """
        self.begun.append(name)
        found = {}
        for cell in self.page.evaluate("name => course.codeCells(name)", f"{name}.ipynb"):
            given = [f"{name}.ipynb", cell, SETTLE_SECONDS]
            whole, milliseconds = self.page.evaluate("given => course.firstPaint(...given)", given)
            assert whole, "\n".join([f"cell {cell} failed", *self.trouble()])
            if milliseconds is not None:
                found[cell] = milliseconds
        return found

    def show(self, name: str) -> None:
        """Bring a notebook that was begun to the front, once it has run."""
        self.name = name
        whole = self.page.evaluate("given => course.show(...given)", [f"{name}.ipynb", RUN_SECONDS])
        assert whole, "\n".join(["a cell failed", *self.trouble()])
        self.settle()

    def close(self, name: str) -> None:
        """Save a notebook, end its kernel and close its tab."""
        self.page.evaluate("name => course.close(name)", f"{name}.ipynb")
        self.begun.remove(name)

    def widget_cells(self) -> list[dict]:
        """[{cell: index, views, source}] of the cells whose output holds a widget."""
        return self.page.evaluate("() => course.widgetCells()")

    def root(self, cell: int):
        """The output of a cell, scrolled into view."""
        handle = self.page.evaluate_handle("cell => course.root(cell)", cell).as_element()
        handle.scroll_into_view_if_needed()
        return handle

    def settle(self) -> None:
        """Wait until no widget waits for the kernel and what came back is on the screen."""
        self.page.evaluate("seconds => course.settle(seconds)", SETTLE_SECONDS)

    def screen(self, cell: int) -> Screen:
        """What a cell's output shows once it has come to rest: no widget waits, and two looks see the same."""
        given = [cell, SETTLE_SECONDS, AGAIN_MILLISECONDS]
        found = self.page.evaluate("given => course.atRest(...given)", given)
        return Screen(**{name: tuple(values) for name, values in found.items()})

    def shot(self, cell: int, name: str) -> bytes:
        """A picture of a cell's output as the browser painted it, kept among the artefacts."""
        self.shots.mkdir(parents=True, exist_ok=True)
        return self.root(cell).screenshot(path=self.shots / f"{self.name}-{cell:02}-{name}.png", animations="disabled")

    def painted(self, cell: int) -> list[bytes]:
        """A cell's pictures as the browser painted them: PNGs, of this page's pixels and not of what was sent."""
        self.page.mouse.move(0, 0)  # nothing is pointed at
        pictures = self.root(cell).query_selector_all(".jupyter-widgets img, .jupyter-widgets canvas")
        shots = []
        for picture in filter(lambda each: each.is_visible(), pictures):
            picture.evaluate("e => e.scrollIntoView({block: 'center'})")  # a part of a pixel paints another edge
            shots.append(picture.screenshot(animations="disabled"))
        return shots

    def overflow(self, cell: int) -> float:
        """Pixels by which a cell's widgets are wider than the notebook's column."""
        return self.page.evaluate("cell => course.overflow(cell)", cell)

    def distorted(self, cell: int) -> list[str]:
        """A cell's pictures that are stretched or squeezed."""
        return self.page.evaluate("cell => course.distorted(cell)", cell)

    def trouble(self) -> list[str]:
        """What went wrong, in the shown notebook's cells and callbacks and, since the last call, in the page."""
        heard = re.findall(r"^(?:Traceback .*|\[E .*|\w+Error: .*)$", self.server.news(), flags=re.MULTILINE)
        heard = [line for line in heard if not POLLED.search(line)]
        console, self.console[:] = list(self.console), []
        return [*self.page.evaluate("() => course.trouble()"), *console, *(f"server's log: {line}" for line in heard)]
