"""A run that is stopped goes on: what it had noted is kept if it is as it was, and the store is the same in the end."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from data_prep.cli import main
from data_prep.errors import DataError
from data_prep.fixed_crop import FixedCrop
from data_prep.prepare import prepare
from data_prep.readers.ibug import IbugFaces
from data_prep.readers.vw300 import VW300
from data_prep.resume import KeptWriter, leftovers, work_key
from data_prep.store import Store
from tests.data_prep.makers import Pictures, encode, pair, picture, put, vw300

FILES = ("crops.npy", "table.npy", "store.json", "skipped.json")
CHECKOUT = Path(__file__).resolve().parents[2]


def helen(root, count=70):
    """Pictures in Helen's form; number 3 is none."""
    for k in range(count):
        pair(root / "trainset", f"{k:03}_1", k % 3)
    put(root / "trainset" / "003_1.png", b"nothing")
    return root


class Stopped(BaseException):
    """Stands for whatever ends a process."""


class Failing(Pictures):
    """Drawn pictures; at item `stop` the run ends. `read` counts what was asked for."""

    stop = -1
    read = ()

    def __getitem__(self, k):
        self.read = (*self.read, k)
        if k == self.stop:
            raise Stopped
        return super().__getitem__(k)


def stopped(path, stop=50, **choices):
    reader = Failing(count=80, height=40, width=50, side=20.0, bad=(3, 40), **choices)
    reader.stop = stop
    with pytest.raises(Stopped):
        prepare(reader, path, 16, 1.5, "key")
    reader.stop, reader.read = -1, ()
    return reader


def work(path):
    return path.with_name(f".{path.name}.key.part")


def same(one, other):
    for name in FILES:
        assert (one / name).read_bytes() == (other / name).read_bytes(), name


# ---------------------------------------------------------------------------------------------------- a real kill


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is of POSIX systems")
def test_a_killed_run_is_gone_on_with(tmp_path, capsys, monkeypatch):
    helen(tmp_path / "x", 200)
    command = ["prepare", str(tmp_path / "x"), str(tmp_path / "store"), "--size", "256"]
    run = subprocess.Popen([sys.executable, "-m", "data_prep", *command], cwd=CHECKOUT, stderr=subprocess.DEVNULL)
    end = time.monotonic() + 60
    while not (lines := [line for p in tmp_path.glob(".store.*.journal") for line in p.read_bytes().splitlines()]):
        assert run.poll() is None and time.monotonic() < end
        time.sleep(0.002)
    run.kill()
    assert run.wait() < 0 and not (tmp_path / "store").exists()  # it was killed, it had not ended
    capsys.readouterr()

    asked = []
    read = IbugFaces.read
    monkeypatch.setattr(IbugFaces, "read", lambda self, entry: asked.append(entry.key) or read(self, entry))
    assert main(command) == 0
    noted = 200 - len(asked)
    assert noted >= 32 * len(lines) and noted % 32 == 0 and len(set(asked)) == len(asked)
    assert f"going on: {noted} of 200 items were done" in capsys.readouterr().out
    assert leftovers(tmp_path / "store") == []
    Store(tmp_path / "store").verify()
    assert main(["prepare", command[1], str(tmp_path / "at once"), *command[3:]]) == 0
    same(tmp_path / "store", tmp_path / "at once")


def _ours(word):
    """Numbers of the living processes whose environment has this word."""
    for place in Path("/proc").iterdir():
        try:
            if place.name.isdecimal() and word in (place / "environ").read_bytes() and (place / "cmdline").read_bytes():
                yield place.name
        except OSError:  # of somebody else, or gone
            continue


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks for processes where Linux lists them")
def test_workers_of_a_killed_run_end_too(tmp_path):
    helen(tmp_path / "x", 200)
    command = [sys.executable, "-m", "data_prep", "prepare", str(tmp_path / "x"), str(tmp_path / "store")]
    mark = f"REDNET_TEST={tmp_path}"
    env = {**os.environ, "REDNET_TEST": str(tmp_path)}
    command += ["--size", "256", "--workers", "2"]
    run = subprocess.Popen(command, cwd=CHECKOUT, stderr=subprocess.DEVNULL, env=env)
    end = time.monotonic() + 120
    while not list(tmp_path.glob(".store.*.journal")):
        assert run.poll() is None and time.monotonic() < end
        time.sleep(0.002)
    assert len(list(_ours(mark.encode()))) >= 3
    run.kill()
    run.wait()
    while list(_ours(mark.encode())):
        assert time.monotonic() < end, "a worker is still there"
        time.sleep(0.05)
    assert main([*command[3:-1], "1"]) == 0
    Store(tmp_path / "store").verify()


@pytest.mark.skipif(os.name == "nt", reason="limits of file size are of POSIX systems")
def test_a_disk_that_is_full_in_the_middle_is_said_and_what_was_done_is_kept(tmp_path, capsys):
    """The system refuses to write on, here at a limit for a file's size; with more room it goes on."""
    helen(tmp_path / "x")
    command = ["prepare", str(tmp_path / "x"), str(tmp_path / "store"), "--size", "128"]
    limit = "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (2_500_000,) * 2); "
    limit += "from data_prep.cli import main; sys.exit(main(sys.argv[1:]))"
    run = subprocess.run([sys.executable, "-c", limit, *command], cwd=CHECKOUT, capture_output=True, text=True)
    assert run.returncode == 1 and "error: File too large" in run.stderr and "Traceback" not in run.stderr
    assert "what is done is kept in" in run.stderr and not (tmp_path / "store").exists()
    assert main(command) == 0 and "going on: 32 of 70 items were done" in capsys.readouterr().out
    Store(tmp_path / "store").verify()
    assert len(Store(tmp_path / "store")) == 69 and leftovers(tmp_path / "store") == []


# ------------------------------------------------------------------------------------------------ what is kept


def test_what_was_noted_is_not_read_again_and_the_bytes_are_the_same(tmp_path):
    reader = stopped(tmp_path / "store")
    told = []
    store, report = prepare(reader, tmp_path / "store", 16, 1.5, "key", progress=lambda *step: told.append(step))
    assert reader.read == tuple(range(32, 80)) and told[0] == (32, 80) and told[-1] == (80, 80)
    assert report.kept == 78 and [where for where, _ in report.skipped] == ["picture 3.png", "picture 40.png"]
    prepare(Pictures(count=80, height=40, width=50, side=20.0, bad=(3, 40)), tmp_path / "b", 16, 1.5, "key")
    same(tmp_path / "store", tmp_path / "b")
    store.verify()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["b", "store"]


def test_it_may_be_stopped_any_number_of_times(tmp_path):
    for stop in (33, 40, 70, 79):
        reader = stopped(tmp_path / "store", stop)
    store, _ = prepare(reader, tmp_path / "store", 16, 1.5, "key")
    assert reader.read == tuple(range(64, 80)) and len(store) == 78
    assert store.identities == [f"person {k}" for k in range(80) if k not in (3, 40)]


@pytest.mark.parametrize("name", ["crops.npy", "table.npy"])
@pytest.mark.parametrize("change", ["one byte", "cut", "gone"])
def test_what_was_damaged_is_made_again(tmp_path, name, change):
    reader = stopped(tmp_path / "store", 79)  # two lines: 32 and 64
    victim = work(tmp_path / "store") / name
    data = bytearray(victim.read_bytes())
    header = np.load(victim, mmap_mode="r").offset
    row = (len(data) - header) // 77  # items 0 ... 78 but two
    data[header + 40 * row] ^= 1
    if change == "gone":
        victim.unlink()
    else:
        victim.write_bytes(data if change == "one byte" else data[: header + 40 * row])
    store, _ = prepare(reader, tmp_path / "store", 16, 1.5, "key")
    assert reader.read[0] == (0 if change == "gone" else 32)
    store.verify()
    prepare(reader, tmp_path / "b", 16, 1.5, "key")
    same(tmp_path / "store", tmp_path / "b")


@pytest.mark.parametrize("tail", [b'{"items": 64, "ro', b"\xff\xfe\n", b"\n"])
def test_a_journal_cut_off_in_a_line_counts_to_there(tmp_path, tail):
    reader = stopped(tmp_path / "store")
    journal = work(tmp_path / "store").with_suffix(".journal")
    journal.write_bytes(journal.read_bytes() + tail)
    reader.stop = 70
    with pytest.raises(Stopped):
        prepare(reader, tmp_path / "store", 16, 1.5, "key")
    assert reader.read[0] == 32 and len(journal.read_bytes().splitlines()) == 2
    reader.stop, reader.read = -1, ()
    prepare(reader, tmp_path / "store", 16, 1.5, "key")
    assert reader.read[0] == 64


def test_rows_that_were_not_noted_are_cut_off(tmp_path):
    stopped(tmp_path / "store", 50)
    with KeptWriter(tmp_path / "store", Pictures.markup, 16, "key") as writer:
        assert writer.items == 32 and len(writer) == 31
    assert np.load(work(tmp_path / "store") / "crops.npy", mmap_mode="r").shape == (0, 16, 16, 3)  # until it is closed
    assert (work(tmp_path / "store") / "crops.npy").stat().st_size == 128 + 31 * 16 * 16 * 3


def test_a_run_that_was_stopped_before_its_first_note_leaves_nothing(tmp_path):
    stopped(tmp_path / "store", 20)
    assert list(tmp_path.iterdir()) == []


def test_a_source_without_a_good_item_leaves_nothing(tmp_path):
    with pytest.raises(DataError, match="no usable item among 40"):
        prepare(Pictures(count=40, bad=range(40)), tmp_path / "store", 16, 1.5, "key")
    assert list(tmp_path.iterdir()) == []


def test_videos_go_on_in_their_middle_and_with_workers(tmp_path):
    for number in ("001", "002", "003"):
        vw300(tmp_path / "x", number, 25)
    read = VW300.read

    def stop(self, entry):
        if entry.key == "002/000020":
            raise Stopped
        return read(self, entry)

    VW300.read = stop
    try:
        with pytest.raises(Stopped):
            prepare(VW300(tmp_path / "x"), tmp_path / "a", 32, None, "key")
    finally:
        VW300.read = read
    for name, workers in (("a", 2), ("b", 1)):
        prepare(VW300(tmp_path / "x"), tmp_path / name, 32, None, "key", workers)
    same(tmp_path / "a", tmp_path / "b")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "b", "x"]


# --------------------------------------------------------------------------------- what begins a run anew


def test_the_key_follows_files_options_and_nothing_else(tmp_path):
    helen(tmp_path / "x", 4)
    open_it = lambda **more: IbugFaces(tmp_path / "x", "helen", **more)  # noqa: E731
    first = work_key(open_it(), tmp_path / "x", 16, 1.5)
    assert work_key(open_it(), tmp_path / "x", 16, 1.5) == first
    keys = [work_key(open_it(), tmp_path / "x", 24, 1.5), work_key(open_it(), tmp_path / "x", 16, None)]
    keys.append(work_key(open_it(base=0), tmp_path / "x", 16, 1.5))
    (tmp_path / "x" / "nowhere").symlink_to(tmp_path / "nothing") if os.name != "nt" else None
    assert work_key(open_it(), tmp_path / "x", 16, 1.5) == first
    put(tmp_path / "x" / "trainset" / "001_1.png", encode(picture(9), "png"))
    keys.append(work_key(open_it(), tmp_path / "x", 16, 1.5))
    assert len({first, *keys}) == 5


@pytest.mark.parametrize("change", ["source", "options"])
def test_a_changed_source_and_changed_options_begin_anew(tmp_path, capsys, monkeypatch, change):
    helen(tmp_path / "x")
    command = ["prepare", str(tmp_path / "x"), str(tmp_path / "store"), "--size", "16"]
    read, asked = IbugFaces.read, []

    def stop(self, entry):
        asked.append(entry.key)
        if len(asked) == 60:
            raise KeyboardInterrupt
        return read(self, entry)

    monkeypatch.setattr(IbugFaces, "read", stop)
    assert main(command) == 130
    said = capsys.readouterr().err
    assert "what is done is kept in" in said and "interrupted" in said and len(leftovers(tmp_path / "store")) == 2
    if change == "source":
        put(tmp_path / "x" / "trainset" / "003_1.png", encode(picture(3), "png"))
    else:
        command += ["--set", "base=0"]
    asked[:] = [""] * 100
    assert main(command) == 0 and "going on" not in capsys.readouterr().out
    assert len(asked) == 170 and leftovers(tmp_path / "store") == []


def test_what_another_stores_run_has_left_is_not_touched(tmp_path):
    for name in (".a.0123456789ab.part", ".a.b.0123456789ab.part", ".a.0123456789ab.journal", ".ab.0123456789ab.part"):
        (tmp_path / name).mkdir()
    assert [p.name for p in leftovers(tmp_path / "a")] == [".a.0123456789ab.journal", ".a.0123456789ab.part"]
    assert [p.name for p in leftovers(tmp_path / "a.b")] == [".a.b.0123456789ab.part"]
    assert leftovers(tmp_path / "absent" / "a") == []


# ------------------------------------------------------------------------------------------------ kills at any moment


def _run_and_die(reader, path, calls):
    """Prepare in a process of its own that is killed at call number `calls` of any function; its exit status."""
    number = os.fork()
    if number:
        _, status = os.waitpid(number, 0)
        return os.waitstatus_to_exitcode(status)
    try:
        count = 0

        def tick(frame, event, argument):
            nonlocal count
            count += 1
            if count == calls:
                os.kill(os.getpid(), signal.SIGKILL)

        sys.setprofile(tick)
        prepare(reader, path, 16, None if hasattr(reader, "square") else 1.5, "key")
        sys.setprofile(None)
        (path.parent / "calls").write_text(str(count))
    except BaseException:
        os._exit(1)
    os._exit(0)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a process is copied, to be killed at a moment of its own")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("kind", ["pictures", "videos"])
def test_kills_at_any_moment_lead_to_the_same_store(tmp_path, kind):
    if kind == "videos":
        for number in ("001", "002"):
            vw300(tmp_path / "vw", number, 40)
        reader = FixedCrop(VW300(tmp_path / "vw"))
    else:
        reader = Pictures(count=80, height=40, width=50, side=20.0, bad=(3, 40, 79))
    assert _run_and_die(reader, tmp_path / "whole", 0) == 0
    total = int((tmp_path / "calls").read_text())
    seed = int.from_bytes(os.urandom(4), "big")
    print(f"seed {seed} of {total} calls")  # pytest shows it where the test fails
    draw = random.Random(seed)
    for round_ in range(5):
        place, kills = tmp_path / f"store{round_}", 0
        while kills < 4 and not place.exists():  # the last one may come when all is done
            kills += _run_and_die(reader, place, draw.randint(1, total)) == -signal.SIGKILL
        if not place.exists():
            assert _run_and_die(reader, place, 0) == 0
        same(place, tmp_path / "whole")
        assert not [left for left in leftovers(place) if left.name == f".{place.name}.key.part"], f"{kills} kills"
        Store(place).verify()
