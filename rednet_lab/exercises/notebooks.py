"""The exercises as cells of their notebooks, which `python -m rednet_lab.publish readme` renews.

An exercise has three cells: the task, the student's part (tag "exercise") and a hidden solution (tag "solution"). They
are made of the master alone and found again by their ids, so they may be moved within a notebook.
`python -m rednet_lab.exercises.notebooks FOLDER` writes the same notebooks as nbgrader's source: solutions between
markers, and a graded check each.
"""

import argparse
import inspect
import json
import re
from pathlib import Path

from rednet_lab.exercises import NAMES, load
from rednet_lab.files import write_text
from rednet_lab.names import ROOT

MARKED = re.compile(r" *### BEGIN SOLUTION\n(.*?) *### END SOLUTION\n", re.DOTALL)
KINDS = ("exercise", "solution")  # of the two code cells
STUB = "    # your code here\n    return ...\n"


def cells(name: str, before: str = "") -> list[dict]:
    """Return the three cells of an exercise; before is the notebook's code in front of them."""
    master = load(name)
    title, task = re.split(r"(?<!Eq)\. ", inspect.getdoc(master.inputs), maxsplit=1)
    function, text = master.solution.__name__, inspect.getsource(master.solution)
    source = inspect.getsource(inspect.getmodule(master.solution))
    used = [line for line in source.splitlines() if line.startswith(("import ", "from "))]
    used = [line for line in used if re.search(rf"\b{line.split()[-1]}\b", text) and line not in before.splitlines()]
    imports = "\n".join([*used, ""] * bool(used) + ["from rednet_lab.exercises import check"])
    answer = function.replace("your_", "solution_")
    student = f'{imports}\n\n\n{MARKED.sub(STUB, text)}\n\nprint(check("{name}")({function}))'
    solved = MARKED.sub(r"\1", text).replace(function, answer)
    hidden = f'# A solution: try first.\n{solved}\n\nprint("The solution:", check("{name}")({answer}))'
    code = {"cell_type": "code", "execution_count": None}
    tags = {"tags": ["exercise"]}, {"jupyter": {"source_hidden": True}, "tags": ["solution"]}
    ids = tuple(f"{kind}-{name}" for kind in KINDS)
    made = [{"cell_type": "markdown", "id": f"exercise-{name}-task", "metadata": tags[0]}]
    made += [{**code, "id": each, "metadata": tag, "outputs": []} for each, tag in zip(ids, tags, strict=True)]
    sources = f"### Exercise: {title[0].lower()}{title[1:]}\n\n{task}", student, hidden
    return [{**cell, "source": source.splitlines(True)} for cell, source in zip(made, sources, strict=True)]


def place(notebook: dict, name: str) -> None:
    """Put an exercise's cells where they are already, or else behind the cell that its master names."""
    every, anchor = notebook["cells"], load(name).cell
    own = {cell["id"] for cell in cells(name)}
    at = next((i for i, cell in enumerate(every) if cell["id"] in own), None)
    if at is None:
        at = 1 + next(i for i, cell in enumerate(every) if cell["id"] == anchor)
    before = "".join("".join([*cell["source"], "\n"]) for cell in every[:at] if cell["cell_type"] == "code")
    rest = [[cell for cell in part if cell["id"] not in own] for part in (every[:at], every[at:])]
    notebook["cells"] = [*rest[0], *cells(name, before), *rest[1]]


def graded(notebook: str) -> str:
    """Return a notebook as nbgrader's source (cell metadata of schema 3): each exercise is worth a point."""
    content = json.loads((ROOT / "notebooks" / f"{notebook}.ipynb").read_text(encoding="utf-8"))
    for name in (name for name in NAMES if load(name).notebook == notebook):
        answer, judged = (next(c for c in content["cells"] if c["id"] == f"{kind}-{name}") for kind in KINDS)
        function, source = load(name).solution.__name__, "".join(answer["source"])
        start = source.index("def ")
        task = source[:start] + inspect.getsource(load(name).solution)
        right = f'assert check("{name}")({function}) == "Right."'
        for cell, text, test in ((answer, task, False), (judged, right, True)):
            facts = {"schema_version": 3, "grade_id": cell["id"], "grade": test, "locked": test, "solution": not test}
            facts |= {"task": False} | ({"points": 1} if test else {})
            cell |= {"source": text.splitlines(True), "metadata": {"nbgrader": facts}}
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Write the notebooks with exercises as nbgrader's source.")
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    for notebook in sorted({load(name).notebook for name in NAMES}):
        write_text(folder / f"{notebook}.ipynb", graded(notebook))
