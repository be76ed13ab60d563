"""Small copies of executed notebooks, and the cell that fetches the course."""

import importlib.util
import io
import os
import subprocess
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_output
from PIL import Image

from rednet_lab.names import ROOT
from rednet_lab.parameters import read_parameters
from rednet_lab.publish import colab, snapshots
from rednet_lab.publish.site.build import build
from rednet_lab.publish.site.check import check
from tests.rednet_lab.publish.test_site import NOTEBOOKS, OUTPUTS, encoded, make_run, notebook_of, picture

# ------------------------------------------------------------------------------------------------------ small copies


def test_a_small_copy_keeps_what_is_said_and_drops_what_is_heavy():
    alt = {"image/png": {"alt": "noise"}}
    big = new_output("display_data", data={"image/png": encoded(picture(900, 600))}, metadata=alt)
    long = new_output("stream", name="stdout", text="word " * 10_000)
    heavy = new_output("display_data", data={"text/html": "<b>" + "x" * 200_000})
    cell = new_code_cell("x = 1", outputs=[OUTPUTS["<b>frame</b>"], big, long, heavy], execution_count=3)
    notebook = notebook_of(cell)
    snapshots.strip(notebook, 30_000)
    kept = notebook.cells[0]
    assert len(nbformat.writes(notebook)) < 90_000
    assert kept.source == "x = 1" and kept.execution_count == 3 and notebook.metadata.rednet.stamp.code == "abc"
    ((kind, packed),) = kept.outputs[-3].data.items()
    assert len(snapshots.b64decode(packed)) <= 30_000 and kept.outputs[-3].metadata == {kind: {"alt": "noise"}}
    assert kept.outputs[-2].text.startswith("word word") and "more characters" in kept.outputs[-2].text
    assert "200 KB; run the notebook" in kept.outputs[-1].data["text/plain"]
    assert "<b>frame</b>" in str(kept.outputs)
    nbformat.validate(notebook)


@pytest.mark.parametrize("place", ["/mnt/big/figures", "C:/figures", "~/figures"])
def test_a_small_copy_does_not_tell_where_it_was_made(place):
    said = new_output("stream", name="stderr", text="/var/spool/ipykernel_99/123.py:6: Warning: old\n")
    given = new_code_cell(f'seed = 3\nout = "{place}"\n', outputs=[said], metadata={"tags": ["injected-parameters"]})
    other = new_code_cell('out = "/data"')
    notebook = notebook_of(given, other)
    snapshots.strip(notebook, 30_000)
    given, other = notebook.cells
    assert given.source == 'seed = 3\nout = "figures"\n' and other.source == 'out = "/data"'
    assert given.outputs[0].text == "123.py:6: Warning: old\n"


def test_players_stay_whole_only_where_that_is_wanted():
    for wanted in (False, True):
        player = new_output("display_data", data={"text/html": "<p data-rednet-player>" + "x" * 99_000,
                                                  "image/png": encoded(picture())})  # fmt: skip
        notebook = notebook_of(new_code_cell("x", outputs=[player]))
        snapshots.strip(notebook, 30_000, players=wanted)
        assert list(notebook.cells[0].outputs[0].data) == (["text/html"] if wanted else ["image/png"])


def test_pictures_shrink_only_as_far_as_they_must():
    small = picture(20, 20)
    assert snapshots.smaller(small, 5_000) == small
    jpeg = io.BytesIO()
    Image.effect_noise((900, 600), 90).save(jpeg, "jpeg", quality=95)
    with Image.open(io.BytesIO(snapshots.smaller(jpeg.getvalue(), 30_000))) as image:
        assert image.format == "JPEG" and image.width < 900
    photo = io.BytesIO()
    Image.effect_noise((900, 600), 90).resize((450, 300)).convert("RGB").save(photo, "png")
    with Image.open(io.BytesIO(snapshots.smaller(photo.getvalue(), 60_000))) as image:
        assert image.format == "JPEG" and image.size == (450, 300)  # a photograph keeps its size in a JPEG
    with Image.open(io.BytesIO(snapshots.smaller(picture(400, 300), 60_000))) as image:
        assert (100, 75) < image.size <= (400, 300) and image.width / image.height == pytest.approx(4 / 3, rel=0.02)


def test_the_command_says_the_sizes_and_the_site_is_made_of_the_copies(tmp_path, capsys):
    run = make_run(tmp_path, NOTEBOOKS[:2])
    (run / "executed" / f"{NOTEBOOKS[2].stem}.failed.ipynb").write_text("{}", encoding="utf-8")
    assert snapshots.main([str(run)]) == 0
    said = capsys.readouterr().out
    assert said.count(" KB -> ") == 3 and NOTEBOOKS[1].stem in said and ".failed" not in said
    for file in (run / "executed").iterdir():
        file.unlink()
    parts = build(run, tmp_path / "site")
    assert sum(part.article is not None for part in parts) == 2 and check(tmp_path / "site") == []
    assert snapshots.main([str(run)]) == 2 and "no executed notebooks" in capsys.readouterr().err


# ------------------------------------------------------------------------------------- the cell that fetches the course


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_notebook_has_the_cell_that_fetches_the_course(path):
    notebooks = [nbformat.read(each, as_version=4) for each in NOTEBOOKS]
    if not any(colab.is_ours(cell) for notebook in notebooks for cell in notebook.cells):
        pytest.skip("in no notebook yet: python -m rednet_lab.publish.colab --write puts it into all")
    assert colab.fitted(nbformat.read(path, as_version=4), colab.address())


def test_the_cell_comes_behind_the_parameters_once_and_is_mended(tmp_path, capsys):
    for path in NOTEBOOKS[:3]:
        notebook = nbformat.read(path, as_version=4)
        notebook.cells = [cell for cell in notebook.cells if not colab.is_ours(cell)]
        nbformat.write(notebook, tmp_path / path.name)
    folder = ["--notebooks", str(tmp_path)]
    assert colab.main(folder) == 1 and "3 without the cell" in capsys.readouterr().out
    for _ in range(2):
        assert colab.main([*folder, "--write"]) == 0 and colab.main(folder) == 0
    assert capsys.readouterr().out.count("written") == 3  # the second time there was nothing to do
    for path in tmp_path.iterdir():
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
        code = [cell for cell in notebook.cells if cell.cell_type == "code"]
        assert code[0].metadata.tags == ["parameters"] and colab.is_ours(code[1]) and not code[1].metadata.get("tags")
        assert read_parameters(path)["profile"] == "quick"
        code[1].source = code[1].source.replace("rednet-course", "elsewhere")
        nbformat.write(notebook, path)
    assert colab.main(folder) == 1
    assert colab.main([*folder, "--write"]) == 0 and colab.main(folder) == 0


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
    exec(compile(colab.cell(url), "cell", "exec"), {})
    return commands


def test_in_a_checkout_the_cell_does_nothing(monkeypatch, tmp_path):
    before = list(sys.path)
    assert run_cell(monkeypatch, tmp_path, "https://a.example/x", missing=False) == []
    assert sys.path == before and os.getcwd() == str(tmp_path.resolve())
    # nor beside the package with another kernel's packages
    assert run_cell(monkeypatch, ROOT / "notebooks", "https://a.example/x", missing=True) == []


def test_elsewhere_it_fetches_the_course_and_leaves_other_packages_alone(monkeypatch, tmp_path):
    commands = run_cell(monkeypatch, tmp_path, "https://a.example/x", missing=True)
    assert commands[0][:2] == ["git", "clone"] and "https://a.example/x" in commands[0]
    assert "--no-deps" in commands[1] and commands[1][-1] == "rednet-course"
    assert sys.path[0] == str((tmp_path / "rednet-course").resolve())
    assert os.getcwd() == str((tmp_path / "rednet-course" / "notebooks").resolve())


def test_without_an_address_it_says_what_to_set(monkeypatch, tmp_path):
    monkeypatch.delenv("REDNET_COURSE", raising=False)
    with pytest.raises(ModuleNotFoundError, match="set REDNET_COURSE"):
        run_cell(monkeypatch, tmp_path, "", missing=True)
    monkeypatch.setenv("REDNET_COURSE", "https://b.example/y")
    assert "https://b.example/y" in run_cell(monkeypatch, tmp_path, "", missing=True)[0]


def test_the_address_is_read_from_one_place_and_makes_the_badges(tmp_path):
    file = tmp_path / "pyproject.toml"
    file.write_text('[project.urls]\nHomepage = "https://no"\nRepository = "https://github.com/a/b/"\n[x]\n', "utf-8")
    assert colab.address(file) == "https://github.com/a/b"
    file.write_text('[tool.x]\nRepository = "https://github.com/a/b"\n', encoding="utf-8")
    assert colab.address(file) == ""
    badges = colab.links("https://github.com/a/b.git")
    assert "/github/a/b/blob/main/notebooks/00_tour.ipynb" in badges and "/v2/gh/a/b/main?urlpath=lab" in badges
    with pytest.raises(ValueError, match="without an address"):
        colab.links("")
