"""What takes long is made once: a folder per asset, named by a hash of everything that decides its content.

The cache lies in `.cache/` of the checkout, or where the environment variable REDNET_CACHE says. An asset's
folder has a file `key.json` (what it was made from, to be read by people) and, once whole, `complete.json`.
A maker that was interrupted finds its folder as it left it, so training resumes from its checkpoint.
"""

import hashlib
import json
import os
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

from filelock import FileLock, Timeout

from rednet_lab.files import remove, write_json
from rednet_lab.names import ROOT

LOCK_NOTICE_SECONDS = 2.0
COMPLETE = "complete.json"


def cache_root() -> Path:
    """The folder that holds all assets."""
    return Path(os.environ.get("REDNET_CACHE") or ROOT / ".cache").expanduser().resolve()


def digest(key: dict) -> str:
    """A short name for a dictionary of plain values: the same on every machine, for any order of its entries."""
    text = json.dumps(key, sort_keys=True, ensure_ascii=True, default=_refuse)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _refuse(value):
    raise TypeError(f"a cache key holds plain values only, not {type(value).__name__}: {value!r}")


def place(kind: str, key: dict) -> Path:
    """The folder of an asset, made or not."""
    return cache_root() / f"{kind}-{digest(key)}"


def made(kind: str, key: dict) -> bool:
    """Whether an asset is there, whole."""
    return (place(kind, key) / COMPLETE).exists()


def asset(
    kind: str, key: dict, make: Callable[[Path], dict | None], notice: Callable[[str], None] = print
) -> tuple[Path, dict]:
    """The folder of an asset and what its maker said of it (plain values), making it if it is not there.

    make(folder) fills the folder and may return facts worth keeping (seconds, figures). Two processes that want
    the same asset do not make it twice: the second waits, and is told so.
    """
    folder = place(kind, key)
    done = folder / COMPLETE
    if done.exists():
        return folder, json.loads(done.read_text(encoding="utf-8"))
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / "lock")
    try:
        lock.acquire(timeout=LOCK_NOTICE_SECONDS)
    except Timeout:
        notice(f"another process is making {kind}; waiting for it")
        lock.acquire()
    try:
        if not done.exists():
            for left in folder.glob(".*.part"):  # of a maker that was killed
                remove(left)
            write_json(folder / "key.json", key)
            facts = make(folder) or {}
            write_json(done, {**facts, "made": datetime.now(timezone.utc).isoformat(timespec="seconds")})
    finally:
        lock.release()
    return folder, json.loads(done.read_text(encoding="utf-8"))
