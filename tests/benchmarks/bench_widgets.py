"""How soon a widget is there and its sliders answer, in a real JupyterLab: until the picture is painted.

    python tests/benchmarks/bench_widgets.py 10 20 [--profile quick] [--moves 30]

Opens each notebook (by its number) as a copy with that profile in headless Chromium, runs all its cells, and moves
every slider of every widget to and fro. The clock is the browser's: it starts when the arrow key goes down and stops
when the new picture is decoded and the next frame has begun, so it holds the message to the kernel, the painting
there, the way back, and up to one frame of the screen. Prints how many moves painted something new, and of these
median and 95 % in milliseconds. Before that, the notebook's cells are run one after the other, and of each with a
widget it prints the time to its first paint: from the cell's start until its first picture is decoded and painted.
What a notebook trains comes from the checkout's cache, as in a reader's session: run it once before.

Needs Playwright and an installed Chromium (REDNET_CHROMIUM names another than the first on PATH).
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402

from rednet_lab.workbench.cache import cache_root  # noqa: E402
from tests.browser.chromium import ARGUMENTS, find_chromium, missing  # noqa: E402
from tests.browser.exercise import WidgetCell  # noqa: E402
from tests.browser.interactive import interactive_notebooks  # noqa: E402
from tests.browser.jupyterlab import JupyterLab  # noqa: E402
from tests.browser.page import WINDOW, NotebookPage, copy_notebook  # noqa: E402

PAUSE_MS = 150  # between two moves: a hand, not a machine gun
FIRST_MS = 2000  # a cell's first paint should come within this time
LOST_MS = 2000  # a move that paints nothing new within this time changed nothing: so fine a step may not

# Press a key on a slider's handle and wait until a picture of the cell has changed and is painted.
MOVE = """async (handle, {cell, key, lost}) => {
    const pictures = [...course.root(cell).querySelectorAll(".jupyter-widgets img")].filter(course.shown);
    const painted = new Promise((done) => {
        const watcher = new MutationObserver(async (changes) => {
            watcher.disconnect();
            await changes[0].target.decode().catch(() => null);
            requestAnimationFrame(() => setTimeout(() => done(performance.now()), 0));
        });
        pictures.forEach((picture) => watcher.observe(picture, {attributes: true, attributeFilter: ["src"]}));
        setTimeout(() => (watcher.disconnect(), done(NaN)), lost);
    });
    handle.focus();
    const start = performance.now();
    handle.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true, cancelable: true}));
    return (await painted) - start;
}"""


def measure(page: NotebookPage, here: WidgetCell, control, moves: int) -> np.ndarray:
    """Milliseconds of each move of one slider; NaN where nothing new was painted."""
    low, high = (float(control.handle.get_attribute(f"aria-value{end}")) for end in ("min", "max"))
    out = []
    for move in range(moves):
        value = float(control.value())
        up = move // 5 % 2 == 0 if low < value < high else value == low  # five to one side, five to the other
        given = {"cell": here.cell, "key": "ArrowRight" if up else "ArrowLeft", "lost": LOST_MS}
        out.append(control.handle.evaluate(MOVE, given))
        page.page.wait_for_timeout(PAUSE_MS)
        here.screen()
    return np.array(out, float)


def main(arguments=None):
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="*", help="numbers of notebooks (default: all that are interactive)")
    parser.add_argument("--profile", default="quick", help="smoke, quick or full (default quick)")
    parser.add_argument("--moves", type=int, default=30, help="moves of each slider (default 30)")
    options = parser.parse_args(arguments)
    if reason := missing():
        parser.error(reason)
    from playwright.sync_api import sync_playwright

    names = [name for name in interactive_notebooks() if not options.notebooks or name[:2] in options.notebooks]
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        place = Path(folder)
        for name in names:
            file = f"notebooks/{name}.ipynb"
            copy_notebook(ROOT / file, place / file, {"out": str(place / "figures")}, options.profile)
        server = JupyterLab(
            place / "notebooks",
            place / "home",
            {"REDNET_CACHE": str(cache_root()), "PYTHONPATH": str(ROOT)},
        )
        try:
            browser = driver.chromium.launch(executable_path=find_chromium(), args=list(ARGUMENTS))
            page = NotebookPage(browser.new_context(viewport=WINDOW).new_page(), server, place / "shots")
            page.start()
            print(f"{os.cpu_count()} processors, Chromium {browser.version}, profile {options.profile}")
            print(f"{'notebook':28}{'slider':18}{'painted':>10}{'median':>9}{'95 %':>9}  ms")
            for name in names:
                report(page, name, options.moves)
        finally:
            server.stop()


def report(page: NotebookPage, name: str, moves: int) -> None:
    """Run a notebook and print a line for each of its interactive cells and of their sliders."""
    page.open(name)
    for cell, milliseconds in page.first_paints(name).items():
        late = f"  later than {FIRST_MS}" if milliseconds > FIRST_MS else ""
        print(f"{name:28}{f'cell {cell}, first paint':28}{milliseconds:9.0f}{late}", flush=True)
    page.show(name)
    for cell in page.widget_cells():
        here = WidgetCell(page, cell["cell"])
        for control in here.controls:
            if control.kind == "slider":
                times = measure(page, here, control, moves)
                good = times[np.isfinite(times)]
                found = np.percentile(good, [50, 95]) if len(good) else (np.nan, np.nan)
                row = f"{len(good):>4} of {len(times):>2}{found[0]:9.0f}{found[1]:9.0f}"
                print(f"{name:28}{control.label:18}{row}", flush=True)
    for line in page.trouble():
        print("  trouble:", line)
    page.close(name)


if __name__ == "__main__":
    main()
