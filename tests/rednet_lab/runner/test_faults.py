"""Faults in the middle of a run: disks that fill or cannot be written, kills and signals at any moment.

The moments are drawn anew each time; the seed is printed with a failure, and REDNET_FAULT_SEED repeats it.
REDNET_FAULTS and REDNET_KILLS say how many are tried.
"""

import errno
import os
import random
import signal
import subprocess
import time

import psutil
import pytest

from rednet_lab.files import leftovers, write_json, write_text
from rednet_lab.names import ROOT
from rednet_lab.runner import __main__ as command_line
from rednet_lab.runner.graph import told
from rednet_lab.runner.state import Paths
from rednet_lab.workbench.cache import asset
from tests.helpers import wait_for
from tests.rednet_lab.tiny import Tiny, write_notebook

SEED = int(os.environ.get("REDNET_FAULT_SEED") or random.SystemRandom().randrange(2**32))
FAULTS, KILLS = int(os.environ.get("REDNET_FAULTS", 20)), int(os.environ.get("REDNET_KILLS", 2))
SERIES = {"10_a": (), "12_b": ("10_a",), "20_c": (), "22_d": ("12_b", "20_c")}


@pytest.fixture
def dice():
    print(f"REDNET_FAULT_SEED={SEED}")
    return random.Random(SEED)


class NoProcess:
    """Workers that write what a notebook would leave, without executing anything."""

    def __init__(self, timeout):
        self.stopping = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self.stopping = True

    def execute(self, job):
        paths = Paths(job)
        try:
            write_text(paths.results / "t.csv", f"name\n{job.entry.name}\n")
            write_json(paths.results_file, {"stamp": {}, "tables": [{"file": "t.csv", "caption": job.entry.name}]})
            write_text(paths.html, "<html></html>")
            write_text(paths.executed, "{}\n")
        except OSError as error:
            return told(error), 1.0
        return None, 1.0


def results(tiny):
    """Return {file: bytes} of what notebooks left in the run folder."""
    run = tiny.out / "quick"
    files = [file for name in ("executed", *SERIES) for file in (run / name).rglob("*") if file.is_file()]
    return {file.relative_to(run).as_posix(): file.read_bytes() for file in files}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The results of a run without faults."""
    tiny = Tiny(tmp_path_factory.mktemp("whole"), **SERIES)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(command_line, "Workers", NoProcess)
        assert tiny.run() == 0
    return results(tiny)


@pytest.fixture
def quick(tmp_path, monkeypatch, whole):
    """Return a course that runs without processes, and the results of a run without faults."""
    monkeypatch.setattr(command_line, "Workers", NoProcess)
    return Tiny(tmp_path / "faulty", **SERIES), whole


def breaking(call, number, code, for_good):
    """Return a function that does what `call` does, but fails the number-th time, and from then on if `for_good`."""
    count = 0

    def broken(*arguments, **options):
        nonlocal count
        count += 1
        if count == number or (for_good and count > number):
            raise OSError(code, os.strerror(code), str(arguments[0]))
        return call(*arguments, **options)

    return broken


@pytest.mark.parametrize("which", range(FAULTS))
def test_a_disk_that_fails_at_any_moment_costs_a_line_and_no_result(quick, monkeypatch, capsys, which):
    dice = random.Random(SEED + which)
    tiny, whole = quick
    name, code = dice.choice(["replace", "fsync"]), dice.choice([errno.ENOSPC, errno.EROFS, errno.EIO])
    number, for_good = dice.randint(1, 30), dice.random() < 0.5
    print(f"REDNET_FAULT_SEED={SEED}: {os.strerror(code)} at call {number} of os.{name}, for good: {for_good}")
    with monkeypatch.context() as patch:
        patch.setattr(os, name, breaking(getattr(os, name), number, code, for_good))
        ended = tiny.run("--jobs", str(dice.randint(1, 3)))
    said = capsys.readouterr()
    assert ended in (0, 1, 2) and "Traceback" not in said.out + said.err
    assert ended == 0 or os.strerror(code) in said.out + said.err
    assert not leftovers(tiny.out)
    assert tiny.run() == 0 and results(tiny) == whole and "Traceback" not in capsys.readouterr().out


def test_a_folder_that_cannot_be_written_is_told_in_a_line(quick, capsys):
    tiny, _ = quick
    tiny.out.write_text("a file stands where the folder should be")
    assert tiny.run() == 2
    said = capsys.readouterr().err
    assert said.startswith("Nothing was run. ") and str(tiny.out) in said and len(said.splitlines()) == 1


@pytest.mark.parametrize("change", ["edit", "cut", "remove", "by hand"])
def test_results_that_changed_behind_the_runners_back_are_made_again(quick, monkeypatch, change, capsys):
    tiny, whole = quick
    assert tiny.run() == 0
    table, listed = tiny.out / "quick" / "12_b" / "t.csv", tiny.out / "quick" / "12_b" / "results.json"
    if change == "edit":
        table.write_text("name\nedited by hand\n")
    elif change == "cut":
        table.write_bytes(table.read_bytes()[:3])
    elif change == "remove":
        table.unlink()
    else:  # papermill by hand, killed half way: it has begun to list its results anew
        write_json(listed, {"stamp": {}, "tables": []})
    (tiny.out / "quick" / "20_c" / "notes.txt").write_text("a reader's own file is no change")
    capsys.readouterr()
    assert tiny.run() == 0 and "3 up to date, 1 to run" in capsys.readouterr().out
    (tiny.out / "quick" / "20_c" / "notes.txt").unlink()
    assert results(tiny) == whole


def test_data_that_changed_makes_its_notebooks_stale(quick, capsys):
    tiny, _ = quick
    data = tiny.folder / "faces"
    (data / "training").mkdir(parents=True)
    for name in ("a.jpg", "b.jpg", "points.csv"):
        (data / "training" / name).write_text(name)
    real = ("--source", "udacity", "--data", str(data))

    def due():
        capsys.readouterr()
        assert tiny.run(*real) == 0
        return capsys.readouterr().out.split(" to run")[0].rsplit(" ", 1)[-1]

    assert due() == "4" and due() == "0"
    (data / "training" / "points.csv").write_text("edited, and longer")
    assert due() == "4" and due() == "0"
    (data / "training" / "b.jpg").unlink()
    assert due() == "4"
    os.utime(data / "training" / "a.jpg", (1, 1))  # edited without another size
    assert due() == "4" and due() == "0"


def test_jobs_run_in_order_side_by_side_and_failures_stop_what_needs_them(tmp_path, monkeypatch, capsys):
    class Failing(NoProcess):
        def execute(self, job):
            at_work.append(job.entry.number)
            most.append(len(at_work))
            time.sleep(0.05)
            at_work.remove(job.entry.number)
            order.append(job.entry.number)
            return ("it broke" if job.entry.number == "12" else None), 0.1

    at_work, most, order = [], [], []
    monkeypatch.setattr(command_line, "Workers", Failing)
    assert Tiny(tmp_path / "one", **SERIES).run("--jobs", "1") == 1
    assert order == ["10", "12", "20"] and max(most) == 1  # 22 needs 12
    assert "needs 12_b" in capsys.readouterr().out
    order.clear()
    assert Tiny(tmp_path / "two", **SERIES).run("--jobs", "2") == 1
    assert max(most) == 2 and order.index("10") < order.index("12") and "22" not in order


# ------------------------------------------------------------------------------------------------ cached assets


def damaged(path, dice):
    """Damage a file of an asset in a way that is drawn, and return what was done."""
    data = bytearray(path.read_bytes())
    done = dice.choice(["bytes", "cut", "longer", "zeros", "gone", "a folder", "empty", "another's"])
    if done in ("gone", "a folder"):
        path.unlink()
        if done == "a folder":
            path.mkdir()
        return done
    if done == "bytes":
        for place in dice.choices(range(len(data)), k=dice.choice([1, 1, 20])):
            data[place] ^= dice.randrange(1, 256)
    elif done == "longer":
        data += dice.randbytes(dice.choice([1, 4096]))
    elif done == "zeros":  # as a file system leaves a file after a power cut
        data = bytearray(len(data))
    else:
        data = data[: {"cut": dice.randrange(len(data)), "empty": 0}.get(done, len(data))]
        data = bytearray(reversed(data)) if done == "another's" else data
    path.write_bytes(data)
    return done


@pytest.mark.parametrize("which", range(FAULTS))
def test_an_asset_that_is_damaged_anywhere_is_made_again_and_never_used(cache, which):
    dice = random.Random(SEED + which)
    names = ["net.pt", "faces/crops.npy", "faces/store.json"]

    def make(folder):
        (folder / "faces").mkdir(exist_ok=True)
        for k, name in enumerate(names):
            (folder / name).write_bytes(random.Random(k).randbytes(3000))
        return {"seconds": 2.5, "curve": [[1, 0.25], [2, 0.125]], "by": "ä"}

    def content(folder):
        return [(folder / name).read_bytes() for name in names]

    folder, first = asset("stage1", {"size": 3}, make)
    whole, told = content(folder), []
    first.pop("made")
    for _ in range(dice.randint(1, 3)):
        name = dice.choice([*names, "complete.json"])
        print(f"REDNET_FAULT_SEED={SEED}: {damaged(folder / name, dice)} in {name}")
        again, facts = asset("stage1", {"size": 3}, make, told.append)
        facts.pop("made")
        assert again == folder and content(folder) == whole and facts == first
    assert all("made again" in line and "\n" not in line for line in told)
    assert asset("stage1", {"size": 3}, lambda _: pytest.fail("made again"), pytest.fail)[0] == folder


# ----------------------------------------------------------------------------------------------- with real processes


def start(tiny, *arguments):
    """Start the runner as a process that hears signals, whatever this one ignores; its temporary files in a folder."""

    def hears():
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            signal.signal(getattr(signal, name), signal.SIG_DFL)

    temporary = tiny.folder / "tmp"
    temporary.mkdir(exist_ok=True)
    return subprocess.Popen(
        tiny.command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT), "TMPDIR": str(temporary)},
        preexec_fn=hears if os.name == "posix" else None,
    )  # fmt: skip


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals, and a test cannot press Ctrl-C there")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_stops_a_run_in_order(tmp_path, name):
    tiny = Tiny(tmp_path, **{"10_a": (), "12_b": ("10_a",)})
    write_notebook(tiny.notebooks, "12_b", "import time\nopen('started', 'w').close()\ntime.sleep(60)")
    process = start(tiny, "--jobs", "1")
    wait_for(tiny.notebooks / "started")
    family = psutil.Process(process.pid).children(recursive=True)
    assert len(family) >= 2  # a worker and its kernel
    process.send_signal(getattr(signal, name))
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 128 + getattr(signal, name) and "goes on from here" in said and "1 done" in said
    assert not psutil.wait_procs(family, timeout=20)[1]
    assert not list((tiny.folder / "tmp").glob("rednet-*"))
    assert '"running"' in (tiny.out / "quick" / ".runner" / "12_b.json").read_text()


def test_kills_at_any_moment_cost_nothing_that_was_finished(tmp_path, dice):
    series = {"10_a": (), "12_b": ("10_a",)}
    whole, tiny = Tiny(tmp_path / "whole", **series), Tiny(tmp_path / "killed", **series)
    began = time.monotonic()
    assert whole.run() == 0
    length = time.monotonic() - began
    tables = {file.name: file.read_bytes() for file in whole.out.glob("quick/*/t.csv")}
    for _ in range(KILLS):
        process = start(tiny)
        moment = dice.uniform(0.1, length)
        print(f"REDNET_FAULT_SEED={SEED}: killed after {moment:.2f} s")
        time.sleep(moment)
        family = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
        victim = dice.choice([process, *family])  # the runner, a worker or a kernel
        victim.kill()
        if victim is not process and process.poll() is None:
            process.wait(timeout=120)  # it says that a notebook failed, and ends in order
        process.communicate()
        assert not psutil.wait_procs(family, timeout=20)[1]
    assert tiny.run() == 0 and not leftovers(tiny.out)
    assert {file.name: file.read_bytes() for file in tiny.out.glob("quick/*/t.csv")} == tables
    assert tiny.run() == 0 and len(list((tiny.out / "quick" / "executed").glob("*.ipynb"))) == len(series)
