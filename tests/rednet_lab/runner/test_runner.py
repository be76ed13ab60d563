"""The runner from its command line, on tiny notebooks: what runs, what does not, and what is left behind."""

import json
import os
import subprocess
import time
from dataclasses import replace

import nbformat
import psutil
import pytest

from rednet_lab.files import write_json
from rednet_lab.names import PROFILE_NAMES, ROOT
from rednet_lab.parameters import read_parameters
from rednet_lab.runner import __main__ as command_line
from rednet_lab.runner import state, workers
from rednet_lab.runner.course import Course, Options, UsageError, check_jobs, make_jobs
from rednet_lab.runner.executed import errors_in
from rednet_lab.runner.graph import Outcome, Session
from rednet_lab.runner.screen import together
from rednet_lab.series import SERIES, Entry
from tests.helpers import fetched_by, wait_for
from tests.rednet_lab.tiny import RESULTS, Tiny, write_notebook

FAIL = "def f():\n    return 1 / 0\nf()"
IN_OUTPUT = "import ipywidgets as w\no = w.Output()\nwith o:\n    raise ValueError('hidden in an Output')\no"
IN_CALLBACK = "import ipywidgets as w\nw.interact(lambda x: 1 / 0, x=(0, 3))"


@pytest.fixture
def chain(tmp_path):
    """Return a course of three: 12 needs 10, and 20 stands alone."""
    return Tiny(tmp_path / "a course", **{"10_a": (), "12_b": ("10_a",), "20_c": ()})


def test_what_runs_after_another_is_not_a_need_of_it(tmp_path):
    tiny = Tiny(tmp_path / "a course", **{"10_a": (), "12_b": ()})
    after = Course((replace(tiny.course.series[0], after=("12_b",)), tiny.course.series[1]), tiny.course.root, ())
    alone = make_jobs(after, Options(), after.select(["10"], with_needs=True), 0)
    both = make_jobs(after, Options(), after.select([], with_needs=True), 0)
    assert [job.needs for job in alone] == [[]] and both[0].needs == [both[1]]


def test_first_comes_what_the_longest_chain_of_others_waits_for(tmp_path):
    tiny = Tiny(tmp_path / "a course", **{"10_a": (), "12_b": ("10_a",), "20_c": (), "22_d": ()})
    minutes = dict(zip(tiny.course.series, (1.0, 5.0, 4.0, 2.0), strict=True))
    course = Course(tuple(replace(one, minutes=long) for one, long in minutes.items()), tiny.course.root, ())
    jobs, done = make_jobs(course, Options(), list(course.series), 0), []
    session = Session(jobs, None, False, lambda job, _: done.append(job.entry.name), lambda _: None)
    session._outcome = lambda job: Outcome("done")
    session.run(1)
    assert done == ["10_a", "12_b", "20_c", "22_d"]


def test_from_scratch_asks_for_networks_of_ones_own():
    chosen = command_line.options_from(command_line.parser().parse_args(["--from-scratch", "-p", "seeds=3"]))
    assert chosen.extra == {"weights": "mine", "seeds": "3"}


def test_what_is_left_is_told_at_the_pace_of_what_ran_on_this_machine(tmp_path):
    minutes = {"10_a": ((), 1.0), "12_b": (("10_a",), 2.0), "20_c": ((), 4.0), "30_d": ((), 0.0)}
    course = Course(tuple(Entry(name, name, needs, each) for name, (needs, each) in minutes.items()), tmp_path, ())
    a, b, c, d = jobs = make_jobs(course, Options(out=tmp_path), list(course.series), 0)
    assert state.expected_seconds(jobs) == {a: 60, b: 120, c: 240}  # as the series says; nobody knows of d

    def ran(job, seconds, machine):
        took = {"profile": "quick", "source": "face_world", "seconds": seconds, "machine": machine}
        write_json(state.Paths(job).record, {"state": "done", "took": took})

    ran(c, 100.0, "another machine")
    assert state.expected_seconds(jobs) == {a: 60, b: 120, c: 100}
    ran(a, 150.0, state.machine_name())
    times = state.expected_seconds(jobs)
    assert times == {a: 150, b: 300, c: 100}  # this machine takes two and a half times as long
    assert together(jobs, times, 1) == 550 and together(jobs, times, 2) == 450 and together(jobs, {}, 2) == 0


def test_success_then_nothing_to_do_then_what_changed(chain, capsys):
    assert chain.run() == 0
    assert chain.names() == ["10_a", "12_b", "20_c"]
    run = chain.out / "quick"
    executed = nbformat.read(run / "executed" / "12_b.ipynb", 4)
    assert "papermill" not in executed.metadata and executed.metadata.rednet.stamp.profile == "quick"
    assert str(chain.folder) not in nbformat.writes(executed)  # results name no place on this machine
    page = (run / "executed" / "12_b.html").read_text(encoding="utf-8")
    assert "Title of 12_b" in page and fetched_by(page) == []
    said = capsys.readouterr().out
    assert (run / "index.html").as_uri() in said and "Error: 5 %" in said and "3 done" in said

    spent = time.process_time()  # not the clock's: a busy machine is not a failure
    assert chain.run() == 0 and chain.names() == []  # all is up to date
    assert time.process_time() - spent < 2
    assert "3 up to date, 0 to run" in capsys.readouterr().out

    # prose changes its own page and nobody's numbers, a comment is no change, a table that is gone is one
    write_notebook(chain.notebooks, "10_a", RESULTS, prose="other words")
    (chain.package / "code.py").write_text("x = 1  # one\n")
    (run / "20_c" / "t.csv").unlink()
    assert chain.run() == 0 and chain.names() == ["10_a", "20_c"]
    assert "1 up to date, 2 to run; expected about" in capsys.readouterr().out

    (chain.package / "code.py").write_text("x = 2\n")
    assert chain.run("--only", "12", "-p", "steps=7") == 0
    assert sorted(chain.executions()) == ["10_a quick 0 7", "12_b quick 0 7"]


def test_failures_stop_what_needs_them_and_nothing_else(tmp_path, capsys):
    tiny = Tiny(tmp_path, **{"10_a": (), "12_b": ("10_a",), "14_d": ("12_b",), "20_c": (), "22_e": ()})
    assert tiny.run("--only", "10") == 0
    write_notebook(tiny.notebooks, "10_a", FAIL)
    write_notebook(tiny.notebooks, "20_c", IN_OUTPUT)
    write_notebook(tiny.notebooks, "22_e", IN_CALLBACK)
    tiny.executions()
    assert tiny.run() == 1
    assert tiny.names() == ["10_a", "20_c", "22_e"]
    said = capsys.readouterr().out
    assert "ZeroDivisionError: division by zero (in code cell 3)" in said and "not run" in said
    assert "needs 10_a" in said and "needs 12_b" in said and "hidden in an Output" in said
    executed = tiny.out / "quick" / "executed"
    assert sorted(path.name for path in executed.glob("*.ipynb")) == [
        "10_a.failed.ipynb", "20_c.failed.ipynb", "22_e.failed.ipynb"]  # fmt: skip
    assert "ZeroDivisionError" in (tiny.out / "quick" / "index.html").read_text(encoding="utf-8")
    assert not (tiny.out / "quick" / "10_a" / "results.json").exists()  # the earlier success is gone

    for name in ("10_a", "20_c", "22_e"):
        write_notebook(tiny.notebooks, name, RESULTS)
    assert tiny.run("--jobs", "2") == 0
    assert tiny.names() == ["10_a", "12_b", "14_d", "20_c", "22_e"]
    assert not list(executed.glob("*.failed.*"))


def test_nothing_runs_when_the_command_line_is_wrong(chain, capsys):
    cases = {
        ("-p", "stepz=3"): "did you mean 'steps'",
        ("-p", "steps=many"): "parameter 'steps' must be int, got 'many'",
        ("-p", "steps=1.5"): "must be int",
        ("-p", "profile=smoke"): "use the option --profile",
        ("-p", "seed=1"): "use the option --seeds",
        ("--only", "11"): "no such notebook",
        ("--only", "b", "--no-needs"): "did you mean",
        ("--no-needs",): "goes with --only",
        ("--source", "udacity"): "needs --data FOLDER, the folder with its images and tables",
        ("--source", "prepared"): "needs --data FOLDER, the folder with its prepared stores",
        ("--source", "prepared", "--data", "."): "no folder stills in it",
        ("--source", "udacity", "--data", "not there"): "no such folder",
        ("--source", "udacity", "--data", __file__): "not a folder",
        ("--data", "."): "leave it out",
        ("--timeout", "0"): "more than 0",
    }
    for arguments, message in cases.items():
        assert chain.run(*arguments) == 2, arguments
        assert message in capsys.readouterr().err, arguments
    for arguments in (
        ["--profile", "slow"],
        ["--jobs", "0"],
        ["--seeds", "-1"],
        ["-p", "steps"],
        ["-p", "os.remove('here')#=1"],  # papermill would run it
        ["--unknown"],
    ):
        with pytest.raises(SystemExit) as stop:
            chain.run(*arguments)
        assert stop.value.code == 2
    write_notebook(chain.notebooks, "20_c", parameters="profile = 'quick'\nout = ''\nn = 2 * 3")
    assert chain.run() == 2 and "must be a literal" in capsys.readouterr().err
    write_notebook(chain.notebooks, "20_c", parameters="profile = 'quick'")
    assert chain.run() == 2 and "must set 'out'" in capsys.readouterr().err
    (chain.notebooks / "20_c.ipynb").unlink()
    assert chain.run() == 2 and "not found" in capsys.readouterr().err
    assert chain.executions() == [] and not chain.out.exists()


def test_seeds_profiles_and_parts_have_their_own_folders(chain, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "5")  # a training has its own number
    (chain.folder / "faces").mkdir()
    write_notebook(chain.notebooks, "12_b")
    told = {"REDNET_BATCH": "1", "PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "1"}
    write_notebook(chain.notebooks, "20_c", "assert name == '007' and pathlib.Path.cwd().name == 'notebooks'",
                   f"assert {told}.items() <= os.environ.items()")  # fmt: skip
    assert chain.run("--only", "20", "--seeds", "0", "2", "0", "--profile", "smoke", "-p", "name=007") == 0
    assert sorted(chain.executions()) == ["20_c smoke 0 3", "20_c smoke 2 3"]
    data = ("--source", "udacity", "--data", str(chain.folder / "faces"))
    assert chain.run("--only", "12_b", "--no-needs", *data) == 0
    assert chain.executions() == ["12_b quick 0 3"]
    assert sorted(path.name for path in chain.out.iterdir()) == ["quick-udacity", "smoke", "smoke-seed2"]
    assert "figures mean nothing" in (chain.out / "smoke" / "index.html").read_text(encoding="utf-8")


def test_list_runs_nothing(chain, capsys):
    (chain.notebooks / "20_c.ipynb").unlink()
    assert chain.run("--list") == 0
    said = capsys.readouterr().out
    assert "never run" in said and "Title of 12_b (needs 10_a)" in said and "missing" in said
    assert chain.executions() == [] and not chain.out.exists()


def test_a_run_that_was_killed_goes_on_where_it_was(chain):
    waits = "import time\nopen('started', 'w').close()\nwhile os.path.exists('wait'):\n    time.sleep(0.1)"
    write_notebook(chain.notebooks, "12_b", waits)
    (chain.notebooks / "wait").touch()
    process = subprocess.Popen(
        chain.command("--jobs", "1"), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    wait_for(chain.notebooks / "started")
    family = psutil.Process(process.pid).children(recursive=True)
    assert len(family) >= 2  # a worker and its kernel
    assert chain.run("--only", "20") == 2  # one at a time in a run folder
    process.kill()
    process.communicate(timeout=30)
    assert not psutil.wait_procs(family, timeout=10)[1]
    record = json.loads((chain.out / "quick" / ".runner" / "12_b.json").read_text())
    assert record["state"] == "running" and not (chain.out / "quick" / "executed" / "12_b.ipynb").exists()

    (chain.notebooks / "wait").unlink()
    assert chain.names() == ["10_a", "12_b"]
    assert chain.run() == 0
    assert chain.names() == ["12_b", "20_c"]


def test_a_notebook_that_takes_too_long_or_kills_its_kernel_fails(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(command_line.LONGEST, "quick", 0.06)  # the usual limit: nobody waits for ever
    tiny = Tiny(tmp_path, **{"10_a": (), "12_b": (), "14_c": ()})
    write_notebook(tiny.notebooks, "10_a", "import time\ntime.sleep(60)")
    write_notebook(tiny.notebooks, "12_b", "os._exit(1)")
    assert tiny.run("--only", "10") == 1
    assert "time limit of 0.06 min" in capsys.readouterr().out
    assert tiny.run("--timeout", "5", "--only", "12", "14") == 1
    said = capsys.readouterr().out
    assert "1 done, 1 failed" in said and "DeadKernelError" in said


def test_a_process_that_was_killed_between_two_notebooks_is_not_given_another(chain, monkeypatch, capsys):
    execute, used = workers.Workers.execute, []

    def killed_when_it_waits(self, job):
        ended = execute(self, job)
        used.extend(self._idle)
        self._idle[0].kill()
        self._idle[0].wait()
        return ended

    monkeypatch.setattr(workers.Workers, "execute", killed_when_it_waits)
    assert chain.run("--only", "12") == 0 and chain.names() == ["10_a", "12_b"]
    assert len({one.pid for one in used}) == 2


@pytest.mark.parametrize("answer", ["y", "n"])
def test_of_long_profiles_the_price_is_told_first(chain, monkeypatch, answer):
    asked = []
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr(command_line.subprocess, "call", lambda command: asked.append(command))
    monkeypatch.setattr("builtins.input", lambda _: answer)
    assert set(command_line.LONGEST) == set(PROFILE_NAMES)
    assert chain.run("--profile", "gpu", "--only", "10") == (answer == "n")
    assert "--profile=gpu" in asked[0] and "--price" in asked[0]
    assert chain.run("--profile", "gpu", "--only", "10", "--yes") == 0 and len(asked) == 1


def test_the_series_does_not_contradict_itself_and_what_is_ambiguous_is_refused():
    names = [entry.name for entry in SERIES]
    assert len(set(names)) == len(names)
    assert {need for entry in SERIES for need in (*entry.needs, *entry.after)} <= set(names)
    with pytest.raises(UsageError, match="could be 10_a or 11_a"):
        Course((Entry("10_a", ""), Entry("11_a", ""))).find("1")


def test_errors_are_found_wherever_they_hide():
    error = {"output_type": "error", "ename": "E", "evalue": "v", "traceback": ["\x1b[31mred\x1b[0m"]}
    state = {
        "1": {"model_name": "OutputModel", "state": {"outputs": [error]}},
        "2": {"model_name": "X", "state": {}},
    }
    widgets = {"application/vnd.jupyter.widget-state+json": {"state": state}}
    cells = [{"cell_type": "markdown"}, {"cell_type": "code", "metadata": {}, "outputs": [error]}]
    full = {"output_type": "error", "ename": "OSError", "evalue": "[Errno 28] No space left", "traceback": ["long"]}
    told = errors_in({"cells": [cells[1] | {"outputs": [full]}], "metadata": {}})
    assert told == ["OSError: [Errno 28] No space left (in code cell 1)"]
    found = errors_in({"cells": cells, "metadata": {"widgets": widgets}})
    assert found == ["E: v (in code cell 1)\nred", "E: v (inside a widget's callback or Output)\nred"]
    assert errors_in({"cells": [], "metadata": {}}) == []


def test_series_and_notebooks_agree():
    files = sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))
    if not files:
        pytest.skip("no notebooks yet")
    assert files == sorted(entry.name for entry in SERIES)
    for entry in SERIES:
        notebook = nbformat.read(ROOT / "notebooks" / f"{entry.name}.ipynb", 4)
        assert {"profile", "out"} <= set(read_parameters(ROOT / "notebooks" / f"{entry.name}.ipynb"))
        assert not any(cell.get("outputs") for cell in notebook.cells), f"{entry.name} is stored with outputs"


def test_an_installed_copy_is_told_that_it_is_no_checkout(tmp_path):
    course = Course(root=tmp_path)
    with pytest.raises(UsageError, match="installed copy of the packages, not a checkout"):
        check_jobs(make_jobs(course, Options(), list(course.series), 0), {})


@pytest.mark.parametrize(("cores", "gigabytes", "jobs"), [(1, 16, 1), (2, 16, 2), (8, 8, 2), (16, 128, 4), (2, 2, 1)])
def test_as_many_notebooks_at_a_time_as_cores_and_memory_allow(monkeypatch, cores, gigabytes, jobs):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(cores)), raising=False)
    sizes = {"SC_PAGE_SIZE": 1000, "SC_PHYS_PAGES": gigabytes * 10**6}
    monkeypatch.setattr(os, "sysconf", sizes.get, raising=False)
    assert command_line.usual_jobs() == jobs
