"""What a contributor relies on: a tidy tree, a map that is the tree, documents whose commands and code run."""

import importlib.util
import json
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
import yaml
from PIL import Image

from data_prep.readers.face_world import FaceWorldVideos
from rednet_core.metrics import nme
from rednet_lab.names import ROOT

DOCUMENTS = {
    name: (ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")
}
MOST_BYTES = 1_000_000  # of a tracked file
MOST_WEIGHTS = 6_000_000  # of a network that ships


def tracked():
    """The files that git knows, or a skip where there is no git."""
    if not shutil.which("git") or not (ROOT / ".git").exists():
        pytest.skip("no git checkout")
    listed = subprocess.run(["git", "-C", str(ROOT), "ls-files", "-z"], capture_output=True, check=True).stdout
    return [path for name in listed.decode().split("\0") if name and (path := ROOT / name).is_file()]


# ----------------------------------------------------------------------------------- tidy: what pre-commit checks, too


@pytest.mark.parametrize("command", [["check", "--no-cache"], ["format", "--check", "--no-cache"]], ids=lambda c: c[0])
def test_tidy_ruff_finds_nothing(command):
    done = subprocess.run([sys.executable, "-m", "ruff", *command, "."], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]


def test_tidy_no_tracked_file_is_large():
    most = {".safetensors": MOST_WEIGHTS}
    sizes = {path: path.stat().st_size for path in tracked()}
    assert {path.name: size for path, size in sizes.items() if size > most.get(path.suffix, MOST_BYTES)} == {}


def test_tidy_notebooks_have_no_outputs():
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        assert not [c for c in cells if c.get("outputs") or c.get("execution_count")], path.name


def test_hooks_are_local_and_their_tools_are_here():
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    assert [repo["repo"] for repo in config["repos"]] == ["local"]
    hooks = config["repos"][0]["hooks"]
    assert {hook["id"] for hook in hooks} >= {"ruff-check", "ruff-format", "notebooks", "tidy"}
    for hook in hooks:
        python, flag, module, *_ = hook["entry"].split()
        assert (python, flag, hook["language"]) == ("python", "-m", "system") and importlib.util.find_spec(module)
        assert module != "ruff" or "--force-exclude" in hook["entry"]  # evidence stays as it was published


# --------------------------------------------------------------------------------------------------------- the map


def mapped():
    """The paths of CONTRIBUTING's map: each line's first word, below the folders that it is indented under."""
    block = DOCUMENTS["CONTRIBUTING.md"].split("```")[1]
    found, above = [], []
    for line in block.strip("\n").splitlines():
        depth, name = (len(line) - len(line.lstrip())) // 2, line.split()[0]
        above = [*above[:depth], name]
        found.append("".join(above).rstrip("/"))
    return found


def test_the_map_is_the_tree():
    listed = mapped()
    assert len(listed) == len(set(listed)) and [name for name in listed if not (ROOT / name).exists()] == []
    rooms = {
        file.parent.relative_to(ROOT).as_posix()
        for package in ("rednet_core", "data_prep", "rednet_lab")
        for file in (ROOT / package).rglob("*.*")
        if file.suffix in (".py", ".yaml", ".safetensors")
    }
    assert rooms == {name for name in listed if name.split("/")[0] in ("rednet_core", "data_prep", "rednet_lab")}
    folders = {path.name for path in ROOT.iterdir() if path.is_dir() and any(path in f.parents for f in tracked())}
    assert {name for name in folders if not name.startswith(".")} == {n for n in listed if "/" not in n} - {"go.py"}


# ---------------------------------------------------------------------------------------------------- the documents


def test_links_lead_somewhere():
    for name, text in DOCUMENTS.items():
        targets = [t for t in re.findall(r"\]\(([^)#\s]+)", text) if "://" not in t]
        assert [t for t in targets if not (ROOT / t).exists()] == [], name


def test_paths_and_modules_that_are_named_are_there():
    for name in ("README.md", "CONTRIBUTING.md"):
        text = DOCUMENTS[name]
        modules = set(re.findall(r"python -m ([\w.]+)", text)) - {"pytest", "nbconvert"}
        assert modules and [m for m in modules if importlib.util.find_spec(m) is None] == [], name
        paths = set(re.findall(r"`((?:rednet_core|data_prep|rednet_lab|tests|notebooks)/[\w./]*)`", text))
        assert paths and [p for p in paths if not (ROOT / p).exists()] == [], name


def test_the_readme_is_short_and_its_python_runs(tmp_path, monkeypatch):
    text = DOCUMENTS["README.md"]
    assert len(text.splitlines()) <= 100
    (code,) = re.findall(r"```python\n(.*?)```", text, re.S)
    monkeypatch.chdir(tmp_path)
    face = FaceWorldVideos(0, 0, 1, 3, 1, 192)[2]
    Image.fromarray(np.pad(face.image, ((40, 8), (90, 30), (0, 0)))).save("photo.jpg", quality=95)
    exec(compile(code, "README.md", "exec"), found := {})
    assert found["points"].shape == (1, 68, 2)
    truth = face.points[None] + (90, 40)
    assert nme(found["points"], truth, FaceWorldVideos.markup, np.ones((1, 68), bool))[0] < 15  # of the eyes' distance
