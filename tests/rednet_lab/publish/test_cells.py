"""The cell that fetches the course on Colab: in every notebook, harmless in a checkout."""

import importlib.util
import json
import os
import subprocess
import sys
from dataclasses import replace

import nbformat

from rednet_lab.names import ROOT
from rednet_lab.publish import cells
from rednet_lab.workbench.profiles import PROFILES
from tests.rednet_lab.conftest import TINY

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def test_the_cell_comes_behind_the_parameters_once_and_is_mended(tmp_path):
    (tmp_path / "notebooks").mkdir()
    path, source = tmp_path / "notebooks" / NOTEBOOKS[0].name, NOTEBOOKS[0].read_text("utf-8")
    notebook = json.loads(source)
    rest = [cell for cell in notebook["cells"] if cell["id"] != cells.FETCHES]
    other = {**cells.fetching(""), "source": ["old"]}
    for some in (rest, [*rest, other, other]):
        path.write_text(json.dumps({**notebook, "cells": some}), "utf-8")
        (written,) = cells.written(tmp_path).values()
        found = nbformat.reads(written, as_version=4)
        nbformat.validate(found)
        code = [cell for cell in found.cells if cell.cell_type == "code"]
        assert [cell.id == cells.FETCHES for cell in code[:3]] == [False, True, False] and "old" not in code[1].source
        assert code[0].metadata.tags == ["parameters"] and len(code) == len({cell.id for cell in code})


def run_cell(monkeypatch, folder, url, missing):
    """Run the cell in a folder, with the course there or not; return the commands that it gave."""
    commands = []

    def command(words, check):
        assert check
        commands.append(words)
        if words[1] == "clone":
            (folder / words[-1] / "notebooks").mkdir(parents=True)

    monkeypatch.chdir(folder)
    monkeypatch.setattr(subprocess, "run", command)
    monkeypatch.setattr(sys, "path", list(sys.path))
    if missing:
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    exec(compile("".join(cells.fetching(url)["source"]), "cell", "exec"), {})
    return commands


def test_in_a_checkout_the_cell_does_nothing(monkeypatch, tmp_path):
    before = list(sys.path)
    assert run_cell(monkeypatch, tmp_path, "https://a.example/x", missing=False) == []
    assert sys.path == before and os.getcwd() == str(tmp_path.resolve())
    assert run_cell(monkeypatch, ROOT / "notebooks", "https://a.example/x", missing=True) == []


def test_elsewhere_it_fetches_the_course_and_leaves_other_packages_alone(monkeypatch, tmp_path):
    commands = run_cell(monkeypatch, tmp_path, "https://a.example/x", missing=True)
    assert commands[0][:2] == ["git", "clone"] and "https://a.example/x" in commands[0]
    assert "--no-deps" in commands[1] and commands[1][-1] == "rednet-course"
    assert os.getcwd() == str((tmp_path / "rednet-course" / "notebooks").resolve())


def test_without_an_address_it_says_what_to_do(monkeypatch, tmp_path, capsys):
    monkeypatch.delenv("REDNET_COURSE", raising=False)
    assert run_cell(monkeypatch, tmp_path, "", missing=True) == []
    assert "REDNET_COURSE" in capsys.readouterr().out
    monkeypatch.setenv("REDNET_COURSE", "https://b.example/y")
    assert "https://b.example/y" in run_cell(monkeypatch, tmp_path, "", missing=True)[0]


def test_the_address_is_read_from_one_place_and_makes_the_badges(tmp_path):
    file = tmp_path / "pyproject.toml"
    file.write_text('[project.urls]\nHomepage = "https://no"\nRepository = "https://github.com/a/b/"\n[x]\n', "utf-8")
    assert cells.address(file) == "https://github.com/a/b"
    file.write_text('[tool.x]\nRepository = "https://github.com/a/b"\n', encoding="utf-8")
    assert cells.address(file) == ""
    badges = cells.badges("https://github.com/a/b.git")
    assert "/github/a/b/blob/main/notebooks/00_tour.ipynb" in badges and "/v2/gh/a/b/main?urlpath=lab" in badges
    assert "codespaces.new/a/b" in badges
    assert "no badges" in cells.badges("")


def test_the_notebook_for_a_gpu_trains_three_stages(open_lab, monkeypatch, tmp_path, capsys):
    """On a processor, tiny, with an address that leads nowhere: what the fetched course would be is here already."""
    notebook = nbformat.read(ROOT / "teach" / "gpu.ipynb", as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert code[0].source.startswith('profile = "gpu"') and code[1].id == cells.FETCHES
    assert not any(cell.outputs for cell in code)
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("REDNET_COURSE", "https://b.example/y")
        assert run_cell(elsewhere, tmp_path, cells.address(), missing=True)[0][-2] == "https://b.example/y"
    monkeypatch.setitem(PROFILES, "smoke", replace(TINY, name="smoke"))
    monkeypatch.setenv("REDNET_PARTS", "1")
    found = {}
    for cell in (code[0], *code[2:]):
        exec(compile(cell.source.replace('"gpu"', '"smoke"'), "gpu.ipynb", "exec"), found)
    said = capsys.readouterr().out
    assert "hours, T4" in said and (found["found"] or "no GPU here" in said)
    assert list(found["errors"]) == ["stage1", "stage2", "stage3"] and all(
        0 < e < 1000 for e in found["errors"].values()
    )
