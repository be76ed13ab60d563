"""Assets are made once, by whoever comes first, and are whole or not there."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rednet_lab.workbench import cache as caching
from rednet_lab.workbench import damage as damage_
from rednet_lab.workbench.cache import asset, cache_root, digest

KEY = {"size": 3, "code": "abc", "parts": [1, 2]}


class Maker:
    """Fills its folder, counts its calls, and does what the test wants besides."""

    def __init__(self, facts=None, then=None):
        self.facts, self.then, self.calls, self.found = facts, then, 0, []

    def __call__(self, folder):
        self.calls += 1
        self.found = sorted(path.name for path in folder.iterdir())
        (folder / "half").write_text("half")
        if self.then:
            self.then()
        (folder / "whole").write_text("whole")
        return self.facts


def test_made_once_and_kept_with_what_the_maker_said(cache):
    maker = Maker({"seconds": 2.5})
    folder, facts = asset("stage1", KEY, maker)
    assert folder.parent == cache.resolve() and folder.name == f"stage1-{digest(KEY)}"
    assert facts["seconds"] == 2.5 and facts["made"][:2] == "20"
    assert json.loads((folder / "key.json").read_text()) == KEY  # to be read by people
    assert asset("stage1", dict(reversed(KEY.items())), maker) == (folder, facts)
    assert maker.calls == 1


def test_another_key_or_kind_is_another_asset(cache):
    maker = Maker()
    folders = {asset(kind, key, maker)[0] for kind in ("a", "b") for key in (KEY, KEY | {"size": 4}, KEY | {"n": None})}
    assert len(folders) == maker.calls == 6


def test_the_digest_is_the_same_everywhere():
    text = b'{"a": 1, "b": ["\\u00e4", null, true]}'
    assert digest({"b": ["ä", None, True], "a": 1}) == hashlib.sha256(text).hexdigest()[:12]
    assert digest({"a": 1}) != digest({"a": 1.0}) != digest({"a": "1"})


@pytest.mark.parametrize("value", [Path("x"), np.float32(1), np.arange(3), {1, 2}, lambda: 0])
def test_a_key_holds_plain_values_only(cache, value):
    with pytest.raises(TypeError, match="plain values only"):
        asset("a", {"x": [value]}, Maker())
    assert not cache.exists()


def test_a_maker_that_fails_leaves_nothing_that_passes_for_whole_and_can_go_on(cache):
    with pytest.raises(ZeroDivisionError):
        asset("a", KEY, Maker(then=lambda: 1 / 0))
    maker = Maker()
    folder, _ = asset("a", KEY, maker)
    assert maker.calls == 1 and "half" in maker.found and (folder / "whole").exists()


def python(code, *arguments, **variables):
    """Start a process that runs code with the functions of the cache at hand."""
    head = (
        "import os, sys, time\nfrom rednet_lab.workbench import cache\nfrom rednet_lab.workbench.cache import asset\n"
    )
    env = os.environ | {"PYTHONPATH": str(caching.ROOT)} | variables
    return subprocess.Popen(
        [sys.executable, "-c", head + code, *arguments], env=env, stdout=subprocess.PIPE, text=True, cwd=caching.ROOT
    )


def test_a_killed_maker_leaves_its_work_but_neither_a_lock_nor_half_written_files(cache):
    code = (
        "def make(folder):\n"
        "    (folder / 'run.pt').write_text('step 7')\n"
        "    (folder / '.store.12ab.part').mkdir()\n"
        "    (folder / '.store.12ab.part' / 'crops.npy').write_text('x')\n"
        "    (folder / '.net.pt.34cd.part').write_text('x')\n"
        "    os._exit(9)\n"
        "asset('a', {'size': 3}, make)"
    )
    assert python(code).wait() == 9
    (folder,) = cache.glob("a-*")
    assert not (folder / "complete.json").exists() and (folder / ".store.12ab.part").exists()
    maker = Maker()
    assert asset("a", {"size": 3}, maker)[0] == folder.resolve()
    assert maker.calls == 1 and "run.pt" in maker.found
    assert not [name for name in maker.found if name.endswith(".part")]
    assert (folder / "complete.json").exists()


def test_processes_that_want_the_same_make_it_once(cache, tmp_path):
    code = (
        "cache.LOCK_NOTICE_SECONDS = 0.05\n"
        "def make(folder):\n"
        "    open(sys.argv[1], 'a').write('made\\n')\n"
        "    time.sleep(0.7)\n"
        "    return {'by': os.getpid()}\n"
        "print('by', asset('stills', {'size': 3}, make)[1]['by'])"
    )
    running = [python(code, str(tmp_path / "log")) for _ in range(3)]
    said = [process.communicate()[0] for process in running]
    assert [process.returncode for process in running] == [0, 0, 0]
    assert (tmp_path / "log").read_text() == "made\n"
    assert len({text.split()[-1] for text in said}) == 1  # all were told of the same making
    assert any("another process is making stills; waiting for it" in text for text in said)


def test_where_the_cache_is(monkeypatch, tmp_path):
    monkeypatch.setenv("REDNET_CACHE", str(tmp_path / "a" / ".." / "b"))
    assert cache_root() == (tmp_path / "b").resolve()
    for unset in ("", None):
        monkeypatch.setenv("REDNET_CACHE", unset) if unset is not None else monkeypatch.delenv("REDNET_CACHE")
        assert cache_root() == caching.ROOT / ".cache"
    monkeypatch.setenv("REDNET_CACHE", "~/faces")
    assert cache_root() == (Path.home() / "faces").resolve()


# ------------------------------------------------------------------------------------------------- damage, disks


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


DAMAGES = {
    "a bit flipped": lambda folder: flip(folder / "whole"),
    "a bit flipped below": lambda folder: flip(folder / "faces" / "crops"),
    "cut": lambda folder: os.truncate(folder / "whole", 2),
    "gone": lambda folder: (folder / "whole").unlink(),
    "complete.json cut": lambda folder: os.truncate(folder / "complete.json", 20),
    "complete.json empty": lambda folder: os.truncate(folder / "complete.json", 0),
}


def with_store(folder):
    (folder / "whole").write_text("whole")
    (folder / "faces").mkdir()
    (folder / "faces" / "crops").write_bytes(bytes(range(256)) * 8)
    return {"seconds": 1.0}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=list(DAMAGES))
def test_a_damaged_asset_is_set_aside_made_again_and_told(cache, damage):
    for number in (1, 2):
        folder, first = asset("stage1", KEY, with_store)
        damage(folder)
        told = []
        again, facts = asset("stage1", KEY, with_store, told.append)
        assert again == folder and facts["seconds"] == first["seconds"] and "files" not in facts
        assert (folder / "whole").read_text() == "whole" and (folder / "faces" / "crops").stat().st_size == 2048
        aside = folder.with_name(f"{folder.name}.damaged-{number}")
        assert aside.is_dir() and len(told) == 1 and aside.name in told[0] and "made again" in told[0]
    assert asset("stage1", KEY, lambda _: pytest.fail("whole, and made again"), pytest.fail)[0] == folder


def test_a_copied_cache_is_whole(cache, tmp_path, monkeypatch):
    folder, _ = asset("stage1", KEY, with_store)
    shutil.copytree(cache, tmp_path / "copy")  # other times, the same bytes
    monkeypatch.setenv("REDNET_CACHE", str(tmp_path / "copy"))
    monkeypatch.setattr(damage_, "LARGE", 100)
    found, _ = asset("stage1", KEY, lambda _: pytest.fail("made again"), pytest.fail)
    assert found.parent == (tmp_path / "copy").resolve() and found.name == folder.name


def test_a_large_file_is_not_read_where_size_and_time_are_the_same(cache, monkeypatch):
    folder, _ = asset("stage1", KEY, with_store)
    monkeypatch.setattr(damage_, "LARGE", 100)
    monkeypatch.setattr(damage_, "_whole", set())
    read = []
    real = damage_._sha256
    monkeypatch.setattr(damage_, "_sha256", lambda path: read.append(path.name) or real(path))
    asset("stage1", KEY, None)
    assert read == ["whole"]
    flip(folder / "faces" / "crops")
    os.utime(folder / "faces" / "crops", ns=(1, 1))
    told = []
    asset("stage1", KEY, with_store, told.append)
    assert "crops has changed" in told[0]


@pytest.mark.skipif(sys.platform == "win32", reason="no limit of file sizes there")
@pytest.mark.parametrize("what", ["tensor", "array", "text"])
def test_a_full_disk_is_one_line_and_leaves_nothing_half_written(cache, what):
    code = (
        "import resource, torch, numpy as np\n"
        "from rednet_core import checkpoint\n"
        "from rednet_lab.workbench.damage import CacheError\n"
        "from rednet_lab.files import write_text\n"
        "def make(folder):\n"
        "    (folder / 'small').write_text('x')\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, resource.RLIM_INFINITY))\n"
        "    if sys.argv[1] == 'tensor':\n"
        "        checkpoint.write(folder / 'net.pt', {'x': torch.zeros(100_000)})\n"
        "    elif sys.argv[1] == 'array':\n"
        "        np.savez(folder / 'a.npz', a=np.zeros(100_000))\n"
        "    else:\n"
        "        write_text(folder / 'a.csv', 'x' * 100_000)\n"
        "try:\n"
        "    asset('a', {'size': 3}, make)\n"
        "except CacheError as error:\n"
        "    print(error, error.__suppress_context__)\n"
    )
    process = python(code, what)
    said = process.communicate()[0]
    assert process.returncode == 0 and len(said.splitlines()) == 1
    assert "takes no more" in said and "REDNET_CACHE" in said and said.strip().endswith("True")
    assert not list(cache.rglob("*.part")) and not list(cache.rglob("complete.json"))
    maker = Maker()
    assert asset("a", {"size": 3}, maker)[0].is_dir() and maker.calls == 1  # with room again


def test_a_place_that_cannot_be_written_is_one_line(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("REDNET_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(damage_.CacheError, match="takes no more: .*; make room, or set REDNET_CACHE") as caught:
        asset("a", KEY, Maker())
    assert "\n" not in str(caught.value)
    if hasattr(os, "geteuid") and os.geteuid():  # root writes anywhere
        (tmp_path / "locked").mkdir(mode=0o500)
        monkeypatch.setenv("REDNET_CACHE", str(tmp_path / "locked"))
        with pytest.raises(damage_.CacheError, match="Permission denied"):
            asset("a", KEY, Maker())


def test_what_another_process_makes_is_not_waited_for_where_told_so(cache):
    code = "asset('a', {'size': 3}, lambda folder: print('at work', flush=True) or time.sleep(3))"
    process = python(code)
    assert process.stdout.readline() == "at work\n"
    with caching.without("wait"):
        with pytest.raises(caching.BusyError):
            asset("a", {"size": 3}, Maker())
        assert asset("a", {"size": 4}, Maker())[0].is_dir()  # another is made meanwhile
    process.kill()
    process.wait()
    maker = Maker()
    asset("a", {"size": 3}, maker)
    assert maker.calls == 1
