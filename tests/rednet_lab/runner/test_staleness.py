"""Which notebooks an edit makes stale: those that import or read the edited file, and no others."""

import ast
import json
import shutil

import pytest

from rednet_lab import stamp
from rednet_lab.names import ROOT
from rednet_lab.runner.course import Course, Options, make_jobs
from rednet_lab.series import SERIES

ALL = {entry.number for entry in SERIES}
EXPERIMENTS = {number for number in ALL if 70 <= int(number) < 90}
LEDGER = {"90"}  # reads what the experiments leave
STALE = {
    "data_prep/readers/aflw.py": {"14", "16"},  # which import readers by name, from the list of data sets
    "data_prep/doctor.py": {"14"},
    "data_prep/cli.py": set(),
    "rednet_core/losses.py": ALL,
    "rednet_lab/show/disentangling.py": {"42"},
    "rednet_lab/show/player.js": {"00", "34", "36", "38", "56", "60"},  # carried along by what is shown
    "rednet_lab/show/loss_landscape.py": {"20"},
    "figures/evidence/recipes.csv": {"50"},
    "figures/evidence/clip_errors.csv": {"54"},
    "figures/evidence/lost.csv": {"60"},
    "figures/evidence/boxes.csv": {"78", "90"},
    "rednet_lab/experiments/variants.py": {"50", *EXPERIMENTS, *LEDGER},
    "rednet_lab/experiments/baselines/sdm.py": {"78", *LEDGER},
    "rednet_lab/publish/ledger/tables.py": LEDGER,
    "rednet_lab/publish/ledger/entries/claims.yaml": LEDGER,
    "rednet_lab/runner/graph.py": set(),
    "notebooks/34_spatial_recurrence.ipynb": {"34"},
}


@pytest.fixture(scope="module")
def copied(tmp_path_factory):
    """A copy of the checkout to be edited."""
    root = tmp_path_factory.mktemp("copy") / "course"
    for part in (*stamp.PACKAGES, "notebooks"):
        shutil.copytree(ROOT / part, root / part, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    (root / "figures" / "evidence").mkdir(parents=True)
    for log in ("recipes.csv", "clip_errors.csv", "lost.csv", "boxes.csv"):
        shutil.copy(ROOT / "figures" / "evidence" / log, root / "figures" / "evidence")
    return root


def keys(root):
    """Return each notebook's key, by its number."""
    course = Course(root=root)
    jobs = make_jobs(course, Options(profile="smoke", out=root / "figures"), list(course.series), 0)
    return {job.entry.number: job.code_key for job in jobs}


@pytest.fixture(scope="module")
def before(copied):
    """The keys before any edit; every test undoes its own."""
    return keys(copied)


@pytest.mark.parametrize("name", STALE)
def test_an_edit_makes_stale_what_imports_or_reads_the_file(copied, before, name):
    text = (copied / name).read_text(encoding="utf-8")
    if name.endswith(".ipynb"):
        notebook = json.loads(text)
        last = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"][-1]
        last["source"] = "edited = 1"
        edited = json.dumps(notebook)
    else:
        edited = text + "\nEDITED: 1\n"
    try:
        (copied / name).write_text(edited, encoding="utf-8")
        after = keys(copied)
    finally:
        (copied / name).write_text(text, encoding="utf-8")
    assert {number for number in after if after[number] != before[number]} == STALE[name]


def test_a_comment_makes_nothing_stale(copied, before):  # and the edits above are undone
    file = copied / "rednet_core" / "maps.py"
    file.write_text(file.read_text(encoding="utf-8") + "\n# words\n", encoding="utf-8")
    assert keys(copied) == before


def test_a_module_of_a_notebook_that_reads_files_beside_it_says_which():
    """A file that is found by the module's own place, or imported by a made-up name, is missed if READS lacks it."""
    of_notebooks = {
        file
        for notebook in (ROOT / "notebooks").glob("*.ipynb")
        for file in stamp.imported_files(*stamp.read_source(notebook).imports)
        if file.suffix == ".py"
    }
    itself = {ROOT / "rednet_lab" / "names.py", ROOT / "data_prep" / "resume.py"}  # the root; code alone, hashed there
    for file in sorted(of_notebooks - itself):
        source = stamp.read_source(file)
        names = {node.id for node in ast.walk(ast.parse(file.read_text("utf-8"))) if isinstance(node, ast.Name)}
        if {"__file__", "import_module"} & names:
            assert source.reads, f"{file.relative_to(ROOT)} reads files or modules by name; list them in {stamp.LISTED}"
        for pattern in source.reads:
            assert pattern.startswith("figures/") or list(ROOT.glob(pattern)), f"{file.name}: {pattern} finds nothing"
