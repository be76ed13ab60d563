"""go.py check, reset and kit: what a teacher relies on the evening before."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
NAME = "34_spatial_recurrence.ipynb"


@pytest.fixture
def course(tmp_path):
    """Return a small copy of the course under git, and a function that calls its go.py."""
    if not shutil.which("git"):
        pytest.skip("git is not installed")
    root = tmp_path / "a course"
    (root / "notebooks").mkdir(parents=True)
    (root / "teach").mkdir()
    for name in ("go.py", "requirements.lock", "requirements.hashes", f"notebooks/{NAME}", "teach/workshop.py"):
        shutil.copy(ROOT / name, root / name)
    clean = os.environ | {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    for words in (["init", "-q"], ["add", "-A"], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "a"]):
        subprocess.run(["git", *words], cwd=root, env=clean, check=True)

    def call(*words, **more):
        command = [sys.executable, str(root / "go.py"), *map(str, words)]
        return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=os.environ | more)

    return root, call


def test_check_says_in_words_what_is_missing_and_does_nothing(course):
    root, call = course
    before = sorted(path for path in root.rglob("*") if ".git" not in path.parts and "__pycache__" not in path.parts)
    done = call("check", PYTHONPATH=str(ROOT))
    assert done.returncode == 1 and "Not ready yet" in done.stdout
    lines = {line[7:].split(":")[0].split(".")[0]: line[:5] for line in done.stdout.splitlines()}
    assert lines["Python"] == "ok   " and "packages of requirements" in lines and "(1, 68, 16, 16)" in done.stdout
    assert "go.py setup" in done.stdout
    after = sorted(path for path in root.rglob("*") if ".git" not in path.parts and "__pycache__" not in path.parts)
    assert before == after


def test_reset_puts_a_notebook_back_and_keeps_the_readers_own(course):
    root, call = course
    file = root / "notebooks" / NAME
    given = file.read_bytes()
    file.write_text("mine", encoding="utf-8")
    assert call("reset").returncode == 3 and call("reset", "99").returncode == 3 and file.read_bytes() == b"mine"
    done = call("reset", "34")
    assert done.returncode == 0, done.stderr
    assert file.read_bytes() == given
    (kept,) = (root / "figures" / "runs" / "mine").iterdir()
    assert kept.read_text(encoding="utf-8") == "mine" and kept.name in done.stdout
    shutil.rmtree(root / ".git")
    assert call("reset", "34").returncode == 3  # nothing to take it from


def test_a_kit_has_the_course_and_its_wheels_and_needs_no_network_afterwards(course, tmp_path):
    root, call = course
    shop = tmp_path / "shop"  # the package index of this test: one wheel
    shop.mkdir()
    with zipfile.ZipFile(shop / "tiny_course_wheel-1.0-py3-none-any.whl", "w") as wheel:
        info = "tiny_course_wheel-1.0.dist-info"
        wheel.writestr("tiny_course_wheel.py", "x = 1\n")
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny-course-wheel\nVersion: 1.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: a\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    wanted = tmp_path / "list.txt"
    wanted.write_text("tiny-course-wheel==1.0\nnowhere==9 ; sys_platform == 'darwin'\n", encoding="utf-8")
    (root / ".cache").mkdir()
    (root / ".cache" / "faces").write_text("made", encoding="utf-8")
    stick = tmp_path / "a stick"
    offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": shop.as_uri(), "PIP_CONFIG_FILE": os.devnull}
    options = ("--requirements", wanted, "--platforms", "win_amd64", "--python", "3.12")
    done = call("kit", stick, *options, **offline)
    assert done.returncode == 0, done.stdout + done.stderr
    assert {path.name for path in stick.iterdir()} == {"course", "wheels", "START.txt"}
    assert [path.name for path in (stick / "wheels").iterdir()] == ["tiny_course_wheel-1.0-py3-none-any.whl"]
    assert (stick / "course" / ".cache" / "faces").is_file() and not (stick / "course" / ".git").exists()
    install = [sys.executable, "-m", "pip", "install", "-q", "--no-index", "--find-links", str(stick / "wheels")]
    subprocess.run([*install, "--target", tmp_path / "there", "tiny-course-wheel"], check=True)
    assert (tmp_path / "there" / "tiny_course_wheel.py").is_file()
    file = stick / "course" / "notebooks" / NAME  # a reset on the stick, without git
    given = file.read_bytes()
    file.write_text("mine", encoding="utf-8")
    again = [sys.executable, stick / "course" / "go.py", "reset", "34"]
    assert subprocess.run(again, capture_output=True).returncode == 0 and file.read_bytes() == given
    assert call("kit", stick, *options, **offline).returncode == 3  # what is there is not written over
