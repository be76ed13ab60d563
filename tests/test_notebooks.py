"""The notebooks: how they are kept, and the whole series executed on profile smoke by the real runner."""

import ast
import json
import re
import shutil
from collections import Counter
from html.parser import HTMLParser
from pathlib import PurePosixPath, PureWindowsPath
from urllib.parse import unquote

import nbformat
import pytest
from filelock import FileLock
from PIL import Image

from rednet_lab.names import EVIDENCE, ROOT, RUNS
from rednet_lab.parameters import read_parameters
from rednet_lab.publish import teach
from rednet_lab.runner.executed import errors_in
from rednet_lab.series import SERIES
from tests.helpers import REAL_FACES, needs_real_faces, sentences

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
NAMES = [entry.name for entry in SERIES]
MOST_LINES = 25  # of a code cell
MOST_BYTES = 100_000  # of a PNG
# A path from the root of some system in prose or code: /home/..., C:\..., file:///...
ABSOLUTE = re.compile(
    r"(?<![\w.:/~*])/(?:home|Users|tmp|var|root|mnt|media|work|content|opt|usr|srv)\b|file://|\b[A-Za-z]:\\"
)

# ---------------------------------------------------------------------------------------------- how they are kept


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def path(request):
    return request.param


@pytest.fixture
def notebook(path):
    return nbformat.read(path, nbformat.NO_CONVERT)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_there_are_notebooks_and_the_series_lists_each_of_them():
    assert [path.stem for path in NOTEBOOKS] == sorted(NAMES) and NAMES
    assert sorted(NAMES, key=lambda name: int(name.split("_")[0])) == sorted(NAMES)
    assert not list((ROOT / "notebooks").glob("*/*.ipynb"))


def test_valid_in_format_4_5(path, notebook):
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    nbformat.validate(notebook)
    stored = json.loads(path.read_text(encoding="utf-8"))["cells"]  # reading with nbformat mends ids given twice
    assert max(Counter(cell["id"] for cell in stored).values()) == 1


def test_stored_without_what_a_run_leaves(path, notebook):
    for cell in code_cells(notebook):
        assert cell.outputs == [] and cell.execution_count is None, cell.source[:80]
        assert not {"execution", "papermill", "ExecuteTime"} & set(cell.metadata)
    assert set(notebook.metadata) <= {"kernelspec", "language_info"}  # no widget state, no stamp of a run
    assert notebook.metadata.kernelspec.name == "python3"
    assert path.read_text(encoding="utf-8").endswith("}\n")


def test_one_parameters_cell_of_plain_literals_before_all_other_code(path, notebook):
    parameters = read_parameters(path)  # refuses none, two, and what is not name = literal
    assert {"profile", "source", "data", "device", "seed", "out"} <= set(parameters)
    assert (parameters["profile"], parameters["seed"], parameters["data"]) == ("quick", 0, "")
    assert parameters["out"] == RUNS
    assert code_cells(notebook)[0].metadata.tags == ["parameters"]
    tags = Counter(tag for cell in notebook.cells for tag in cell.metadata.get("tags", []))
    assert tags["parameters"] == 1 and set(tags) <= {"parameters", "exercise", "solution"}


def test_code_cells_are_short_and_no_empty_one_is_left(notebook):
    for cell in notebook.cells:
        assert cell.source.strip()
        if cell.cell_type == "code":
            assert len(cell.source.splitlines()) <= MOST_LINES, cell.source[:80]


def test_opens_with_what_it_teaches_and_ends_with_exercises(path, notebook):
    first, last = notebook.cells[0], notebook.cells[-2]  # behind it stand the links
    assert first.cell_type == last.cell_type == "markdown"
    assert first.source.startswith(f"# {path.stem.split('_')[0]} ")
    rows = re.findall(r"^\| \*\*(.+?)\*\* \| (.+) \|$", first.source, flags=re.MULTILINE)
    assert [label.replace("see", "learn") for label, _ in rows] == [
        "You will learn", "You should know", "It takes", "It needs"]  # fmt: skip
    assert all(text.strip() for _, text in rows)
    assert "Exercises" in re.findall(r"^#+ +(.+?) *$", last.source, flags=re.MULTILINE)[-1]
    assert re.search(r"^1\. ", last.source.rpartition("Exercises")[2], flags=re.MULTILINE)


def public_names():
    """Return the classes and functions that rednet_core and data_prep offer; of the face world, what it exports."""
    inner = ROOT / "data_prep" / "face_world"
    found = set()
    for file in (file for package in ("rednet_core", "data_prep") for file in (ROOT / package).rglob("*.py")):
        body = ast.parse(file.read_text(encoding="utf-8")).body
        if file == inner / "__init__.py":
            found |= {alias.name for node in body if isinstance(node, ast.ImportFrom) for alias in node.names}
        elif inner not in file.parents:
            found |= {node.name for node in body if isinstance(node, ast.ClassDef | ast.FunctionDef)}
    return {name for name in found if not name.startswith("_")}


PUBLIC = public_names()


def defined(source):
    """Return the classes and functions that a cell defines, lambdas with a name too."""
    names = set()
    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return names


def test_nothing_of_the_packages_is_defined_again(notebook):
    assert {"RedNet", "face_box", "Store", "FaceWorld", "render"} <= PUBLIC
    assert defined("class A:\n    def b(self):\n        pass\nc = lambda: 0\ndef d(): pass") == {"A", "c", "d"}
    for cell in code_cells(notebook):
        assert not defined(cell.source) & PUBLIC


def absolute_paths(source):
    """Return the texts in code that are a path from the root of some system."""
    texts = [node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant)]
    kinds = (PurePosixPath, PureWindowsPath)
    return [t for t in texts if isinstance(t, str) and len(t) > 1 and any(kind(t).is_absolute() for kind in kinds)]


def test_no_place_of_one_machine_is_named(notebook):
    assert absolute_paths("open('/data/x'); open('C:\\\\x'); open('data/x'); a = '/'") == ["/data/x", "C:\\x"]
    assert ABSOLUTE.search("in /var/x") and not ABSOLUTE.search("../var/x and and/or")
    for cell in notebook.cells:
        assert not ABSOLUTE.search(cell.source), cell.source[:80]
        if cell.cell_type == "code":
            assert not absolute_paths(cell.source)


# --------------------------------------------------------------------------------------- the series on profile smoke


WORKSHOP = [step["notebook"] for name, step in teach.source()["steps"].items() if name in teach.source()["paths"][60]]
WRONG = """from rednet_lab.exercises import check, load

master = load({name!r})
for hint in master.wrong:
    print(hint in check({name!r})(master.mistake(hint)))"""


def with_wrong_answers(path):
    """Put behind each solution of a notebook a cell that gives every known wrong answer, as students would."""
    notebook = nbformat.read(path, nbformat.NO_CONVERT)
    for cell in [cell for cell in notebook.cells if cell.id.startswith("solution-")]:
        name = cell.id.removeprefix("solution-")
        wrong = nbformat.v4.new_code_cell(WRONG.format(name=name), id=f"wrong-{name}")
        notebook.cells.insert(notebook.cells.index(cell) + 1, wrong)
    nbformat.write(notebook, path)


@pytest.fixture(scope="session")
def smoke(checkout):
    """The whole series, executed once for all tests; the notebooks of the workshop give wrong answers, too."""
    for name in WORKSHOP:
        with_wrong_answers(checkout.root / "notebooks" / f"{name}.ipynb")
    if shutil.which("git"):
        checkout.git("add", "--all")
    # A failing notebook is not the end: the tests of the others shall tell that they are well.
    try:
        with FileLock(checkout.lock):  # the browser's tests wait for it
            checkout.said, checkout.failure = checkout(), ""
    except pytest.fail.Exception as failure:
        checkout.said, checkout.failure = "", str(failure)
    return checkout


def test_the_whole_series_runs(smoke):
    assert not smoke.failure, smoke.failure
    assert f"{len(SERIES)} done" in smoke.said and "Where to look" in smoke.said


@pytest.mark.parametrize("name", WORKSHOP)
def test_the_workshop_survives_stubs_wrong_answers_and_solutions(smoke, name):
    executed = nbformat.read(smoke.folder / "executed" / f"{name}.ipynb", 4)
    told = {cell.id: "".join(out.get("text", "") for out in cell.outputs) for cell in code_cells(executed)}
    tasks = {key.partition("-")[2] for key in told if key.startswith("exercise-")}
    assert tasks or name in ("00_tour", "48_whole_network")
    for task in tasks:
        assert told[f"exercise-{task}"].startswith("To do"), told[f"exercise-{task}"]
        assert "Right." in told[f"solution-{task}"]
        assert set(told[f"wrong-{task}"].split()) == {"True"}, told[f"wrong-{task}"]


def results_of(smoke, name):
    file = smoke.folder / name / "results.json"
    assert file.is_file(), smoke.failure or f"{name} left no results"
    return json.loads(file.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", NAMES)
def test_executed_copy_is_whole_and_without_errors(smoke, name):
    file = smoke.folder / "executed" / f"{name}.ipynb"
    assert file.is_file(), smoke.failure
    executed = nbformat.read(file, 4)
    assert errors_in(executed) == []
    code = code_cells(executed)
    assert all(cell.execution_count for cell in code)
    injected = [cell for cell in code if "injected-parameters" in cell.metadata.get("tags", [])]
    assert len(injected) == 1 and "profile = 'smoke'" in injected[0].source
    assert any(cell.outputs for cell in code)
    streams = [out for cell in code for out in cell.outputs if out.output_type == "stream" and out.name == "stderr"]
    assert not any("Traceback" in out.text for out in streams)
    page = (smoke.folder / "executed" / f"{name}.html").read_text(encoding="utf-8")
    assert "<html" in page and str(smoke.root) not in page and str(smoke.root) not in nbformat.writes(executed)


def printed(file):
    """Return what an executed notebook printed."""
    cells = code_cells(nbformat.read(file, 4))
    return "\n".join(out.text for cell in cells for out in cell.outputs if out.output_type == "stream")


@pytest.mark.parametrize("path", [path for path in NOTEBOOKS if "reading import told" in path.read_text("utf-8")])
def test_measured_differences_are_said_in_a_sentence_that_agrees_with_its_numbers(smoke, path):
    lines = sentences(printed(smoke.folder / "executed" / path.name))
    assert any("changes by" in line for line, _ in lines) and [line for line, agrees in lines if not agrees] == []


SNAPSHOTS = sorted((ROOT / EVIDENCE / "quick" / "snapshots").glob("*.ipynb"))


def test_sentences_of_the_evidence_agree_with_their_numbers_on_quick():
    lines = [line for file in SNAPSHOTS for line in sentences(printed(file))]
    assert len(lines) > 5 and [line for line, agrees in lines if not agrees] == []


@pytest.mark.parametrize("name", NAMES)
def test_results_are_stamped(smoke, name):
    stamp = results_of(smoke, name)["stamp"]
    told = {key: stamp[key] for key in ("profile", "source", "data", "seed", "device")}
    assert told == {"profile": "smoke", "source": "face_world", "data": "", "seed": 0, "device": "cpu"}
    assert re.fullmatch(r"\d+\.\d+\.\d+", stamp["python"]) and set(stamp["machine"]) >= {"system", "cpus"}
    assert all(re.match(r"\d+\.\d+", stamp[package]) for package in ("torch", "numpy", "opencv"))
    assert all(re.fullmatch("[0-9a-f]{64}", stamp[key]) for key in ("code", "parameters"))
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT[\d:]{8}\+00:00", stamp["time"])
    executed = nbformat.read(smoke.folder / "executed" / f"{name}.ipynb", 4)
    assert executed.metadata.rednet.stamp.code == stamp["code"]


def test_the_loop_that_48_writes_out_adds_up_in_the_order_of_the_core(smoke):
    apart = results_of(smoke, "48_whole_network")["numbers"]["loops_apart"]["value"]
    assert apart < 1e-3  # %, after six steps; what rounding leaves here is some per cent after the 120 of quick


@pytest.mark.parametrize("name", NAMES)
def test_figures_and_tables_are_there_small_and_described(smoke, name):
    results = results_of(smoke, name)
    shown = [*results["figures"], *results["tables"]]
    assert results["figures"] and shown
    folder = smoke.folder / name
    for item in shown:
        file = folder / item["file"]
        assert file.is_file() and file.stat().st_size > 0, file.name
        assert "profile smoke" in item["caption"] and "seed 0" in item["caption"], item["caption"]
        assert not item["caption"].startswith(" (")
    for item in results["figures"]:
        file = folder / item["file"]
        assert item["alt"].strip(), file.name
        if file.suffix == ".png":
            assert file.stat().st_size <= MOST_BYTES, f"{file.name}: {file.stat().st_size} bytes"
            with Image.open(file) as image:
                image.load()
                assert min(image.size) >= 50
        else:
            assert file.suffix == ".svg" and "</svg>" in file.read_text(encoding="utf-8")[-20:]
    listed = {item["file"] for item in shown} | {"results.json"}
    left = {file.name for file in folder.iterdir()} - {"intervals.json"}  # which the ledger's tests look at
    assert left == listed  # nothing half-written, nothing unlisted


class Addresses(HTMLParser):
    """Collects what a page links to and what it shows."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.found += [unquote(value) for name, value in attributes if name in ("href", "src") and value[:1] != "#"]


def test_the_page_shows_and_links_everything(smoke):
    addresses = set(Addresses((smoke.folder / "index.html").read_text(encoding="utf-8")).found)
    for name in NAMES:
        assert f"executed/{name}.html" in addresses, name
        results = results_of(smoke, name)
        for item in [*results["figures"], *results["tables"]]:
            assert f"{name}/{item['file']}" in addresses, f"{name}/{item['file']}"
    assert all((smoke.folder / address).exists() for address in addresses)


def test_a_second_run_has_nothing_to_do(smoke):
    assert not smoke.failure, smoke.failure
    files = [smoke.folder / "executed" / f"{name}.ipynb" for name in NAMES]
    before = [file.stat().st_mtime_ns for file in files]
    said = smoke()
    assert f"{len(SERIES)} up to date, 0 to run" in said
    assert [file.stat().st_mtime_ns for file in files] == before


def test_a_run_writes_nothing_that_git_would_see(smoke):
    if not shutil.which("git"):
        pytest.skip("git is not installed")
    seen = smoke.changed_for_git()
    assert smoke.folder.is_dir() and not seen, seen


@needs_real_faces
def test_real_faces_are_prepared(checkout):
    checkout("--only", "12", "--source", "udacity", "--data", str(REAL_FACES))
    folder = checkout.root / RUNS / "smoke-udacity"
    results = json.loads((folder / "12_data_preparation" / "results.json").read_text(encoding="utf-8"))
    assert results["stamp"]["source"] == "udacity" and results["stamp"]["data"] == REAL_FACES.name
    assert all("real faces" in item["caption"] for item in [*results["figures"], *results["tables"]])
    page = (folder / "executed" / "12_data_preparation.html").read_text(encoding="utf-8")
    assert errors_in(nbformat.read(folder / "executed" / "12_data_preparation.ipynb", 4)) == []
    assert "68" in page
