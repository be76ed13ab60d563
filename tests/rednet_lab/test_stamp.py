"""Hashes change with what code does and with nothing else; stamps name versions and no machine."""

import json
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from rednet_lab import stamp

CODE = '''"""Module."""
import math


class Net:
    """A class."""

    def area(self, r):
        """Docstring."""
        return math.pi * r ** 2  # comment
'''
SAME = "import math\nclass Net:\n  def area(self, r):\n    'other words'\n    return (math.pi *\n            r**2)\n"


def written(tmp_path, text, name="net.py"):
    file = tmp_path / name
    file.write_bytes(text.encode())
    return file


def test_comments_docstrings_layout_and_line_ends_do_not_count(tmp_path):
    first = stamp.code_hash(written(tmp_path, CODE))
    assert first == stamp.code_hash(written(tmp_path, SAME))
    assert first == stamp.code_hash(written(tmp_path, CODE.replace("\n", "\r\n")))
    assert len(first) == 64


@pytest.mark.parametrize("change", [("** 2", "** 3"), ("area", "size"), ("r ** 2", "r + 2"), ("import math", "")])
def test_what_the_code_does_counts(tmp_path, change):
    first = stamp.code_hash(written(tmp_path, CODE))
    assert first != stamp.code_hash(written(tmp_path, CODE.replace(*change)))


def test_file_names_count_and_a_file_that_is_not_there_is_told(tmp_path):
    assert stamp.code_hash(written(tmp_path, CODE)) != stamp.code_hash(written(tmp_path, CODE, "other.py"))
    with pytest.raises(FileNotFoundError, match="no_such_file"):
        stamp.code_hash(tmp_path / "no_such_file.py")


@pytest.mark.parametrize("kind", ["js", "css"])
def test_a_players_scripts_and_style_sheets_count_and_their_line_ends_do_not(tmp_path, kind):
    first = stamp.code_hash(written(tmp_path, "a {\n}\n", f"player.{kind}"))
    assert first == stamp.code_hash(written(tmp_path, "a {\r\n}\r\n", f"player.{kind}"))
    assert first != stamp.code_hash(written(tmp_path, "b {\n}\n", f"player.{kind}"))


def test_the_courses_own_player_is_in_the_hash():
    files = {file.name for file in stamp.imported_files("rednet_lab.show.player", "rednet_lab.show.widgets")}
    assert {"player.py", "player.js", "widgets.js"} <= files


def test_equal_numbers_of_other_type_differ(tmp_path):
    one, whole, true, text, same = (
        stamp.code_hash(written(tmp_path, f"x = {value}")) for value in ("1.0", "1", "True", "'1'", '"1"')
    )
    assert len({one, whole, true, text}) == 4 and text == same


def test_only_a_notebooks_code_counts(tmp_path):
    def text(*cells, outputs=()):
        return nbformat.writes(new_notebook(cells=list(cells)))

    code = new_code_cell("x = 1  # one")
    first = stamp.notebook_code(text(new_markdown_cell("words"), code))
    code_with_output = new_code_cell("x = 1", execution_count=3, metadata={"tags": ["a"]})
    assert first == stamp.notebook_code(text(new_markdown_cell("others"), code_with_output, new_code_cell("# none")))
    assert first != stamp.notebook_code(text(new_code_cell("x = 2")))
    prose = stamp.notebook_code(text(new_markdown_cell("words"), code), markdown=True)
    assert prose != stamp.notebook_code(text(new_markdown_cell("others"), code), markdown=True)
    assert stamp.notebook_code(text(new_code_cell("%time x"))) != stamp.notebook_code(text(new_code_cell("%time y")))


def test_parameter_hash_leaves_out_places():
    base = {"profile": "quick", "seed": 0, "data": "/home/me/faces", "out": "/tmp/a"}
    first = stamp.parameter_hash(base)
    assert first == stamp.parameter_hash(base | {"out": "b", "data": "D:\\faces\\"})
    assert first == stamp.parameter_hash(dict(reversed(base.items())))
    assert first != stamp.parameter_hash(base | {"seed": 1})
    assert first != stamp.parameter_hash(base | {"data": "/home/me/other"})


def test_stamp_is_plain_json_and_names_no_place(tmp_path):
    made = stamp.make_stamp({"profile": "quick", "seed": 3, "data": str(tmp_path), "out": str(tmp_path / "x"), "n": 5})
    text = json.dumps(made)
    assert made["seed"] == 3 and made["source"] is None and made["data"] == tmp_path.name
    assert {"python", "torch", "numpy", "opencv", "machine", "code", "parameters", "time"} <= set(made)
    assert str(tmp_path) not in text and str(Path.home()) + "/" not in text
    assert made["numpy"] == __import__("numpy").__version__


def test_the_same_in_an_isolated_process_with_another_hash_seed():
    root = str(Path(stamp.__file__).parents[1])
    say = "print(stamp.module_hash('rednet_lab.show.player'))"
    code = f"import sys; sys.path.insert(0, {root!r}); from rednet_lab import stamp; {say}"
    outputs = {subprocess.check_output([sys.executable, *flags, "-c", code], text=True) for flags in (["-I"], ["-R"])}
    assert outputs == {stamp.module_hash("rednet_lab.show.player") + "\n"}
