"""The parameters cell's rule, and what is accepted and refused for it."""

import re

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_notebook

from rednet_lab import parameters
from rednet_lab.names import ROOT
from rednet_lab.parameters import ParameterError, check_kernel, check_parameters, fit, parse_cell, read_parameters

CELL = """# what the runner sets
profile = "quick"
seed = 0
rate = 1e-3
fast = True
shift = -2
"""


@pytest.fixture
def notebook(tmp_path):
    def write(*sources, tagged=1):
        cells = [new_code_cell(source) for source in sources]
        for cell in cells[:tagged]:
            cell.metadata["tags"] = ["parameters"]
        path = tmp_path / "50_stage1.ipynb"
        nbformat.write(new_notebook(cells=cells), path)
        return path

    return write


def test_reads_names_and_defaults_in_order(notebook):
    parameters = read_parameters(notebook(CELL, "x = 1"))
    assert list(parameters) == ["profile", "seed", "rate", "fast", "shift"]
    assert parameters["rate"] == 1e-3 and parameters["shift"] == -2 and parameters["fast"] is True


@pytest.mark.parametrize(
    "source",
    [
        "a = 1\nb = a * 2",
        "a = int('3')",
        "a = b = 1",
        "a, b = 1, 2",
        "import os",
        "a: int = 1",
        "a += 1",
        "a = 1\na = 2",
        "a = {'b': 1}",
        "a = f'{1}'",
        "a = b'x'",
        "a = 1j",
        "a = [1, 2]",
        "a = (1, 'b')",
        "%matplotlib inline\na = 1",
        "'text'",
        "a.b = 1",
    ],
)
def test_refuses_what_is_not_name_equals_literal(source):
    with pytest.raises(ParameterError, match="50.ipynb: parameters cell, line"):
        parse_cell(source, "50.ipynb")


@pytest.mark.parametrize("tagged", [0, 2])
def test_wants_exactly_one_cell(notebook, tagged):
    with pytest.raises(ParameterError, match=f"50_stage1.ipynb: {tagged} cells are tagged"):
        read_parameters(notebook("a = 1", "b = 2", tagged=tagged))


@pytest.mark.parametrize("text", ["", "not json", "[]", '{"nbformat": 4}'])
def test_a_file_that_is_no_notebook_is_named(tmp_path, text):
    path = tmp_path / "x.ipynb"
    path.write_text(text)
    with pytest.raises(ParameterError, match="x.ipynb: cannot be read"):
        read_parameters(path)


def test_unknown_name_offers_the_nearest(notebook):
    with pytest.raises(ParameterError, match="50_stage1.ipynb: unknown parameter 'profil'; did you mean 'profile'"):
        check_parameters(notebook(CELL), {"profil": "smoke"})
    with pytest.raises(ParameterError, match="known are: fast, profile"):
        check_parameters(notebook(CELL), {"zzz": 1})


@pytest.mark.parametrize(
    ("name", "value", "type_"),
    [
        ("seed", "1", "int"), ("seed", 1.0, "int"), ("seed", True, "int"), ("rate", "x", "float"),
        ("rate", False, "float"), ("fast", 1, "bool"), ("profile", 3, "str"), ("seed", None, "int"),
        ("seed", [1], "int"),
    ],
)  # fmt: skip
def test_ill_typed_values_name_the_wanted_type(notebook, name, value, type_):
    with pytest.raises(ParameterError, match=f"parameter '{name}' must be {type_}, got"):
        check_parameters(notebook(CELL), {name: value})


def test_values_that_fit(notebook):
    values = check_parameters(notebook(CELL), {"rate": 1, "profile": "7"})
    assert values["rate"] == 1.0 and type(values["rate"]) is float
    assert values["profile"] == "7" and values["seed"] == 0  # untouched defaults are there too


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("profile", "012", "012"), ("seed", "7", 7), ("rate", "3", 3.0), ("rate", "1e-4", 1e-4), ("fast", "no", False),
        ("fast", "True", True), ("shift", "-3", -3),
    ],
)  # fmt: skip
def test_command_line_text_follows_the_default(notebook, name, text, value):
    got = check_parameters(notebook(CELL), {name: text}, as_text=True)[name]
    assert got == value and type(got) is type(value)


@pytest.mark.parametrize(("name", "text"), [("seed", "1.5"), ("seed", ""), ("fast", "maybe"), ("rate", "fast")])
def test_command_line_text_that_does_not_fit(notebook, name, text):
    with pytest.raises(ParameterError, match=f"parameter '{name}' must be"):
        check_parameters(notebook(CELL), {name: text}, as_text=True)


@given(st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text())
def test_any_plain_literal_survives_the_cell(value):
    assert parse_cell(f"name = {value!r}", "n") == {"name": value}


@given(st.integers() | st.floats(allow_nan=False) | st.booleans() | st.text())
def test_text_of_a_value_gives_the_value(value):
    assert fit(str(value), value, as_text=True) == value


# ------------------------------------------------------------------------------------------ in a notebook's own kernel

OWN = 'profile = "quick"\nseed = 0\nsteps = 3\nout = "figures/runs"'


@pytest.mark.parametrize(
    ("injected", "message"),
    [
        ("stepz = 4", "unknown parameter 'stepz'; did you mean 'steps'"),
        ('seed = "abc"', "parameter 'seed' must be int, got 'abc'"),
        ("seed = 1.5", "parameter 'seed' must be int, got 1.5"),
        ("seed = -1", "a seed is a whole number from 0, got -1"),
        ("profile = None", "parameter 'profile' must be str"),
        ("steps = 4; import os", "only plain 'name = literal' lines"),
    ],
)
def test_what_papermill_injects_is_checked_in_the_kernel(injected, message):
    with pytest.raises(ParameterError, match=re.escape(message)):
        check_kernel("figures/runs", ["", OWN, f"# Parameters\n{injected}\n", "import os"], ROOT / "notebooks")


def test_a_kernel_without_injected_parameters_or_with_right_ones_goes_on():
    check_kernel("figures/runs", ["", OWN, '# Parameters\nseed = 3\nprofile = "smoke"\n'], ROOT / "notebooks")
    check_kernel("figures/runs", ["", OWN, "seed = -1", "x = stepz"], ROOT)
    check_kernel("figures/runs")  # no kernel at all


def test_the_code_of_another_checkout_is_refused(tmp_path):
    other = tmp_path / "rednet_lab"
    other.mkdir()
    (other / "names.py").touch()
    (tmp_path / "notebooks").mkdir()
    for here in (tmp_path, tmp_path / "notebooks"):
        with pytest.raises(ParameterError, match="is of the checkout .* but rednet_lab is imported from"):
            check_kernel("figures/runs", [], here)


def test_an_installed_copy_writes_nothing_beside_itself(tmp_path, monkeypatch):
    monkeypatch.setattr(parameters, "ROOT", tmp_path)
    with pytest.raises(ParameterError, match="not in a checkout"):
        check_kernel("figures/runs", [], tmp_path)
    check_kernel(str(tmp_path / "out"), [], tmp_path)


def test_papermill_by_hand_ends_in_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    papermill = pytest.importorskip("papermill")
    with pytest.raises(papermill.PapermillExecutionError, match="unknown parameter 'stepz'"):
        papermill.execute_notebook(
            ROOT / "notebooks" / "10_face_world.ipynb", tmp_path / "out.ipynb", parameters={"stepz": 3},
            cwd=ROOT / "notebooks", progress_bar=False, kernel_name="python3",
        )  # fmt: skip
