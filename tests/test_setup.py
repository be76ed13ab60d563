"""What a fresh clone relies on: the lock, the environment files, the two commands, and go.py's own decisions."""

import hashlib
import importlib.util
import inspect
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[1]
PYTHONS, SYSTEMS = (
    ("3.10", "3.11", "3.12", "3.13"),
    (("linux", "posix"), ("darwin", "posix"), ("win32", "nt")),
)


def load_go():
    """Return go.py as a module of its own."""
    spec = importlib.util.spec_from_file_location("go_under_test", ROOT / "go.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def environment(tmp_path_factory):
    """Return a new environment, made once: a copy of it is as good, and takes a tenth of the time."""
    go = load_go()
    go.VENV = str(tmp_path_factory.mktemp("environment") / ".venv")
    if failure := go.with_venv(go.find_python()):
        pytest.skip(f"this Python makes no environments: {failure}")
    return go.VENV


@pytest.fixture
def go(tmp_path, request, monkeypatch):
    """Return go.py as a module that takes a temporary folder for its checkout."""
    module = load_go()

    def with_copy(python):
        """A copy."""
        shutil.copytree(request.getfixturevalue("environment"), module.VENV, symlinks=True, dirs_exist_ok=True)

    module.real_with_venv = module.with_venv
    monkeypatch.setattr(module, "with_venv", with_copy)
    module.ROOT, module.VENV = str(tmp_path), str(tmp_path / ".venv")
    for name, file in (("STAMP", "course-ready.json"), ("BEGUN", "course-begun"), ("MADE", "course-made")):
        setattr(module, name, str(tmp_path / ".venv" / file))
    module.LOCK, module.CACHE = str(tmp_path / "requirements.lock"), str(tmp_path / ".cache")
    module.HASHES = str(tmp_path / "requirements.hashes")
    Path(module.LOCK).write_text("six==1.0\n")
    return module


def lock() -> list[Requirement]:
    """Return the lines of the lock."""
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    return [Requirement(line.split("  #")[0]) for line in lines if line.strip() and not line.startswith("#")]


def locked(python: str, system: tuple[str, str]) -> dict[str, str]:
    """Return {package: version} that the lock names for a Python and a system."""
    place = {"python_version": python, "python_full_version": python + ".6", "sys_platform": system[0],
             "os_name": system[1], "implementation_name": "cpython"}  # fmt: skip
    chosen = [r for r in lock() if r.marker is None or r.marker.evaluate(place)]
    versions = {canonicalize_name(r.name): str(r.specifier) for r in chosen}
    assert len(versions) == len(chosen), "two versions of one package for the same place"
    return versions


def project() -> dict:
    """Return pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_lock_pins_every_dependency_for_every_python_and_system():
    wanted = project()["project"]["dependencies"] + project()["project"]["optional-dependencies"]["test"]
    for python in PYTHONS:
        for system in SYSTEMS:
            versions = locked(python, system)
            assert versions["torch"] == "==2.13.0" and versions["opencv-python-headless"] == "==4.14.0.94"
            for requirement in map(Requirement, wanted):
                pin = versions[canonicalize_name(requirement.name)].removeprefix("==")
                assert requirement.specifier.contains(pin), f"{requirement} is locked to {pin} for {python}"


def test_lock_names_no_place_and_no_cuda():
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert not re.search(r"nvidia|cuda|triton|\+cpu|https?:|file:| @ |--(extra-)?index|--find-links|--hash", text)
    assert all(re.fullmatch(r"==[\w.]+", str(requirement.specifier)) for requirement in lock())


def test_every_package_of_the_lock_has_its_checksums():
    text = (ROOT / "requirements.hashes").read_text(encoding="utf-8").strip()
    blocks = [block for block in re.split(r"\n(?=\S)", text) if not block.startswith("#")]
    checked = {str(Requirement(block.split(" \\")[0])): block.splitlines()[1:] for block in blocks}
    for name, lines in checked.items():
        assert lines and all(re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}( \\)?", line) for line in lines), name
    # The lock says what is installed; torch's own metadata names its CUDA packages, and they are checked, too.
    more = {name for name in checked if re.match("nvidia-|cuda-|triton", name)}
    assert set(checked) - more == {str(requirement) for requirement in lock()} and len(more) > 5


def test_environment_file_installs_the_lock_and_then_this_package():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    pip = next(item["pip"] for item in environment["dependencies"] if isinstance(item, dict))
    assert pip == ["-r requirements.lock", "-e ."] and "pip" in environment["dependencies"]
    python = next(item for item in environment["dependencies"] if str(item).startswith("python="))
    assert python.removeprefix("python=") in PYTHONS


def test_the_devcontainer_has_a_python_of_the_lock_and_runs_commands_that_there_are(go):
    folder = ROOT / ".devcontainer"
    container = json.loads((folder / "devcontainer.json").read_text(encoding="utf-8"))
    image = (folder / container["build"]["dockerfile"]).read_text(encoding="utf-8").splitlines()[0]
    assert re.fullmatch(r"FROM python:([\d.]+)-slim", image)[1] in PYTHONS
    for command in container["postCreateCommand"].split(" && "):
        python, file, word = command.split()
        assert (python, file) == ("python3", "go.py") and (ROOT / file).is_file()
        assert f'"{word}"' in inspect.getsource(go.main)
    interpreter = container["customizations"]["vscode"]["settings"]["python.defaultInterpreterPath"]
    assert interpreter == f"${{containerWorkspaceFolder}}/{Path(load_go().VENV).name}/bin/python"


def test_ci_runs_the_readmes_test_command():
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert "python3 go.py test" in lines
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "test.yml").read_text(encoding="utf-8"))
    assert workflow["jobs"]["test"]["steps"][-1]["run"] == "python go.py test"


def test_workflows_may_read_only_and_name_their_actions_by_commit():
    for path in sorted((ROOT / ".github" / "workflows").glob("*.yml")):
        workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert workflow["permissions"] == {"contents": "read"}, path
        used = [step["uses"] for job in workflow["jobs"].values() for step in job["steps"] if "uses" in step]
        assert used and all(re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action) for action in used), path


def test_readme_has_the_two_commands_and_no_third():
    readme = ROOT / "README.md"
    if not readme.exists():
        pytest.skip("no README yet")
    blocks = re.findall(r"^```[^\n]*\n(.*?)^```", readme.read_text(encoding="utf-8"), flags=re.M | re.S)
    commands = [line.split("#")[0].strip() for block in blocks for line in block.splitlines()]
    first = [command for command in commands if command.startswith("python3 go.py")]
    assert first[:2] == ["python3 go.py run", "python3 go.py test"]


def test_citation_names_both_papers():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    titles = [reference["title"] for reference in citation["references"]]
    assert "RED-Net" in titles[0] and "Sequential Face Alignment" in titles[1]
    for reference in citation["references"]:
        names = [author["family-names"] for author in reference["authors"]]
        assert names == ["Peng", "Feris", "Wang", "Metaxas"]
    assert citation["preferred-citation"]["doi"] == citation["references"][0]["doi"]


def tracked_texts() -> list[Path]:
    """Return the text files that git tracks or would; without git, the sources."""
    try:
        names = subprocess.check_output(
            ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, text=True, stderr=subprocess.DEVNULL
        ).splitlines()
    except (OSError, subprocess.CalledProcessError):
        names = [str(p.relative_to(ROOT)) for folder in ("rednet_lab", "tests") for p in (ROOT / folder).rglob("*.py")]
    binary = {".png", ".jpg", ".gif", ".mp4", ".npz", ".npy", ".pt", ".safetensors", ".svg"}
    return [ROOT / name for name in names if (ROOT / name).is_file() and Path(name).suffix not in binary]


def test_no_file_names_this_machine_or_a_package_index():
    # written in two parts, so that this file does not find itself
    homes = re.compile("/(?:ro" + r"ot|ho" + r"me/\w+|Us" + r"ers/\w+|wo" + "rk)/")
    indexes = re.compile(
        "py" + r"pi\.org|download\.py" + r"torch\.org/whl|files\.python" + "hosted|--extra-index-url=?[ ]*http"
    )
    for path in tracked_texts():
        text = path.read_text(encoding="utf-8")
        assert "\r\n" not in text, f"{path.name} has CRLF line ends"
        for line in text.splitlines():
            allowed = "/ho" + "me/me/" in line  # the example in a test
            assert allowed or not homes.search(line), f"{path.name}: {line.strip()[:120]}"
            assert not indexes.search(line), f"{path.name}: {line.strip()[:120]}"


def test_go_says_what_it_can_do_and_refuses_the_rest():
    help_ = subprocess.run([sys.executable, ROOT / "go.py"], capture_output=True, text=True)
    assert help_.returncode == 0 and "python3 go.py run" in help_.stdout
    wrong = subprocess.run([sys.executable, ROOT / "go.py", "rnu"], capture_output=True, text=True)
    assert wrong.returncode == 2 and "unknown command 'rnu'" in wrong.stderr


def test_help_of_run_needs_nothing_installed(tmp_path):
    command = [sys.executable, "-S", ROOT / "go.py", "run", "--help"]  # -S: no site-packages here
    said = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert said.returncode == 0 and "--profile" in said.stdout and "--no-needs" in said.stdout
    check = [sys.executable, "-S", "-m", "rednet_lab.runner", "--check", "--only", "34", "-p", "steps=x"]
    said = subprocess.run(check, capture_output=True, text=True, cwd=ROOT)
    assert said.returncode == 2 and "Nothing was run." in said.stderr and "Traceback" not in said.stderr


def test_environment_is_made_once_and_again_when_the_lock_changes(go, monkeypatch, capsys):
    done = []
    monkeypatch.setattr(go, "install", lambda lock, options: done.append("install"))
    go.ensure_environment()
    go.ensure_environment()
    assert done == ["install"]
    code = "import sys; print(sys.path)"
    assert go.ROOT in subprocess.check_output([go.venv_python(), "-I", "-c", code], text=True, cwd=os.sep)
    Path(go.LOCK).write_bytes(b"six==1.0\r\n")  # the same lock, checked out on Windows
    go.ensure_environment()
    assert done == ["install"]
    Path(go.LOCK).write_text("six==2.0\n")
    go.ensure_environment()
    assert done == ["install"] * 2 and "cut short" not in capsys.readouterr().out  # installed into what was there
    Path(go.STAMP).unlink()
    go.begin_environment()  # as a kill would leave it
    go.ensure_environment()
    assert done == ["install"] * 3 and "cut short" in capsys.readouterr().out
    told = json.loads(Path(go.STAMP).read_text())
    assert told.pop("installed") == go.installed() and told == go.wanted() and not Path(go.BEGUN).exists()
    assert go.main(["clean"]) == 0 and Path(go.VENV).exists()
    assert go.main(["clean", "--yes"]) == 0 and not Path(go.VENV).exists()


def wheel(folder: Path, name: str, version: str, text: str) -> str:
    """Write a wheel of one module and return its checksum."""
    folder.mkdir(exist_ok=True)
    path, about = folder / f"{name}-{version}-py3-none-any.whl", f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": text,
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{about}/RECORD": "",
    }
    with zipfile.ZipFile(path, "w") as file:
        for place, content in files.items():
            file.writestr(zipfile.ZipInfo(place), content)  # without the time: the same bytes each time
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_package_that_was_tampered_with_is_refused_and_so_is_one_that_is_not_listed(
    go, tmp_path, monkeypatch, capsys
):
    shelf = tmp_path / "shelf"
    for name, value in (("PIP_NO_INDEX", "1"), ("PIP_FIND_LINKS", str(shelf)), ("PIP_CONFIG_FILE", os.devnull)):
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("PIP_EXTRA_INDEX_URL", raising=False)
    six = wheel(shelf, "six", "1.0", "good = True")
    wheel(shelf, "torch", "2.13.0+cpu", "")
    Path(go.LOCK).write_text("six==1.0\ntorch==2.13.0\n")
    listed = f"six==1.0 \\\n    --hash=sha256:{six}\ntorch==2.13.0 \\\n    --hash=sha256:{'0' * 64}\n"
    Path(go.HASHES).write_text(listed)
    wheel(shelf, "six", "1.0", "good = False")
    assert go.main(["setup"]) == 3
    assert "six" in (said := capsys.readouterr().err) and "was not installed" in said
    assert not list(Path(go.packages()).glob("six*")) and not go.up_to_date()
    assert wheel(shelf, "six", "1.0", "good = True") == six
    assert go.main(["setup"]) == 0  # torch comes from the reader's own source, whose builds have other checksums
    assert {"six.py", "torch.py"} <= set(go.installed())
    monkeypatch.delenv("PIP_FIND_LINKS")  # without a source of the reader's own, torch is checked, too
    assert go.install_steps() == [["--require-hashes", "-r", go.HASHES]]


def test_two_set_ups_at_once_take_turns(go, monkeypatch):
    inside, most = [], []

    def set_up():
        with go.only_one_setup():
            inside.append(1)
            most.append(len(inside))
            threading.Event().wait(0.2)
            inside.pop()

    threads = [threading.Thread(target=set_up) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1, 1]


def test_a_machine_that_cannot_make_environments_is_told_the_package(go, monkeypatch, capsys):
    monkeypatch.setattr(go, "with_venv", go.real_with_venv)
    monkeypatch.setattr(go, "failure_of", lambda command: "no module named that")
    succeeds = go.succeeds
    monkeypatch.setattr(go, "succeeds", lambda command: "ensurepip" not in command[-1] and succeeds(command))
    assert go.main(["setup"]) == 3
    said = capsys.readouterr().err
    assert "sudo apt install python3-venv" in said and "ensurepip is not installed" in said
    assert not Path(go.VENV).exists()


def test_an_environment_that_somebody_else_made_is_never_removed(go, monkeypatch, capsys):
    thesis = Path(go.VENV) / "thesis.txt"
    thesis.parent.mkdir()
    thesis.write_text("years of work")
    for left in (None, "pyvenv.cfg"):  # a folder of any kind; an environment of a Python that does not fit
        if left:
            (thesis.parent / left).write_text("version = 3.7.1")
        assert go.main(["setup"]) == 3
        said = capsys.readouterr().err
        assert "was not made by go.py" in said and "Nothing of it was touched" in said and thesis.exists()
    assert go.main(["clean", "--yes"]) == 0
    assert "stays" in capsys.readouterr().out and thesis.exists()


def test_what_was_deleted_behind_the_stamp_is_noticed_and_put_back(go, monkeypatch, capsys):
    def install(lock, options):
        done.append(list(options))
        (Path(go.packages()) / "six.py").touch()

    done = []
    monkeypatch.setattr(go, "install", install)
    go.ensure_environment()
    (Path(go.packages()) / "my_own.py").touch()  # what a reader adds or removes is the reader's affair
    go.ensure_environment()
    assert done == [[]]
    (Path(go.packages()) / "six.py").unlink()
    go.ensure_environment()
    go.ensure_environment()
    assert done == [[], ["--force-reinstall", "--no-deps"]] and "gone (six.py)" in capsys.readouterr().out


def test_a_moved_checkout_is_linked_again(go, monkeypatch, tmp_path):
    monkeypatch.setattr(go, "install", lambda lock, options: None)
    go.ensure_environment()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    go.ROOT = str(elsewhere)  # its .venv is a link, say: what the environment has on its path is the old place
    assert not go.up_to_date()
    go.ensure_environment()
    code = "import sys; print(sys.path)"
    assert str(elsewhere) in subprocess.check_output([go.venv_python(), "-I", "-c", code], text=True, cwd=os.sep)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--profile", "slow"], "invalid choice: 'slow'"),
        (["--only", "35"], "no such notebook"),
        (["-p", "stepz=3"], "none of the notebooks that would run has this parameter"),
        (["--source", "udacity"], "needs --data FOLDER"),
    ],
)
def test_a_wrong_command_line_is_told_before_anything_is_installed(go, monkeypatch, capfd, arguments, message):
    monkeypatch.setattr(go, "with_root_on_path", lambda: dict(os.environ, PYTHONPATH=str(ROOT)))
    monkeypatch.setattr(go, "ensure_environment", lambda: pytest.fail("went on to install"))
    assert go.main(["run", *arguments]) == 2
    assert message in capfd.readouterr().err and not Path(go.VENV).exists()


def test_an_unsupported_python_is_told_what_to_install(go, monkeypatch, capsys):
    monkeypatch.setattr(go, "python_version", lambda *command: None)
    assert go.main(["setup"]) == 3
    assert "needs CPython 3.10 to 3.13" in capsys.readouterr().err
