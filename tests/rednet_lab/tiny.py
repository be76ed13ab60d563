"""Tiny courses for the runner's tests: notebooks of one or two cells, a series, and a command that runs them."""

import sys
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from rednet_lab.runner.__main__ import main
from rednet_lab.runner.course import Course
from rednet_lab.series import Entry

PARAMETERS = 'profile = "quick"\nseed = 0\nout = ""\nsteps = 3\nname = "a"'
COUNT = """import os, pathlib
def never():
    import package.code
with open('count.txt', 'a') as f:
    f.write(f'{NAME} {profile} {seed} {steps}\\n')"""
RESULTS = """import json
from rednet_lab.names import run_name
folder = pathlib.Path("..", out, run_name(profile, seed=seed), NAME)
(folder / "t.csv").write_text("group,error\\ncommon,5.0\\n")
json.dump({"stamp": {}, "figures": [], "tables": [{"file": "t.csv", "caption": "T"}],
           "numbers": {"nme": {"value": 5.0, "label": "Error", "unit": "%", "headline": True}}},
          open(folder / "results.json", "w"))"""


def write_notebook(folder: Path, name: str, *cells: str, parameters: str = PARAMETERS, prose: str = "words") -> None:
    """Write a notebook that counts its execution, and then does what the cells say."""
    sources = [f"NAME = {name!r}\n{COUNT}", *cells]
    notebook = new_notebook(cells=[new_markdown_cell(prose), new_code_cell(parameters)])
    notebook.cells[1].metadata["tags"] = ["parameters"]
    notebook.cells += [new_code_cell(source) for source in sources]
    folder.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, folder / f"{name}.ipynb")


class Tiny:
    """A course in a temporary folder."""

    def __init__(self, folder: Path, **needs: tuple) -> None:
        self.folder, self.notebooks, self.out = folder, folder / "notebooks", folder / "figures"
        self.package = folder / "package"  # every notebook imports it, in a function that it never calls
        self.package.mkdir(parents=True, exist_ok=True)
        (self.package / "code.py").write_text("x = 1\n")
        self.series = tuple(Entry(name, f"Title of {name}", tuple(need)) for name, need in needs.items())
        for name in needs:
            write_notebook(self.notebooks, name, RESULTS)

    @property
    def course(self) -> Course:
        """Return the course as the runner takes it."""
        return Course(self.series, self.folder, (self.package.name,))

    def run(self, *arguments: str) -> int:
        """Run the course in this process, one notebook at a time unless told otherwise, and return the exit code."""
        jobs = () if "--jobs" in arguments else ("--jobs", "1")  # a worker imports for two seconds before its first
        return main([*arguments, *jobs, "--out", str(self.out)], self.course)

    def command(self, *arguments: str) -> list[str]:
        """Return a command that runs the course in a process of its own."""
        code = (
            "import sys; from pathlib import Path; from rednet_lab.series import Entry;"
            "from rednet_lab.runner.__main__ import main; from rednet_lab.runner.course import Course;"
            f"sys.exit(main({[*arguments, '--out', str(self.out)]!r}, Course({self.series!r},"
            f"Path({str(self.folder)!r}), {(self.package.name,)!r})))"
        )
        return [sys.executable, "-c", code]

    def executions(self) -> list[str]:
        """Return what was executed since the last call, in order: name, profile, seed and steps."""
        file = self.notebooks / "count.txt"
        lines = file.read_text().splitlines() if file.exists() else []
        file.unlink(missing_ok=True)
        return lines

    def names(self) -> list[str]:
        """Return the names of what was executed since the last call, sorted."""
        return sorted(line.split()[0] for line in self.executions())
