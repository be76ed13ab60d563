"""Assets are made once, by whoever comes first, and are whole or not there."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rednet_lab.workbench import cache as caching
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
    (folder,) = cache.iterdir()
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
