"""What takes long is made once: a folder per asset, named by a hash of everything that decides its content.

The cache lies in `.cache/` of the checkout, or where the environment variable REDNET_CACHE says. An asset's
folder has a file `key.json` (what it was made from, to be read by people) and, once whole, `complete.json`.
A maker that was interrupted finds its folder as it left it, so training resumes from its checkpoint. `complete.json`
holds checksums: what was damaged since is noticed.
"""

import hashlib
import itertools
import json
import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TypeVar

from filelock import FileLock, Timeout

from rednet_lab.files import now, read_json, remove, write_json
from rednet_lab.names import ROOT
from rednet_lab.workbench.damage import COMPLETE, FILES, SEAL, checksums, damage, seal, told

LOCK_NOTICE_SECONDS = 2.0
LOCKS = ".locks"
_allowed = {"wait", "make"}
Task, Done = TypeVar("Task"), TypeVar("Done")


def cache_root() -> Path:
    """Return the folder that holds all assets."""
    return Path(os.environ.get("REDNET_CACHE") or ROOT / ".cache").expanduser().resolve()


def digest(key: dict) -> str:
    """Return a short name for a dictionary of plain values: the same on every machine, for any order of its entries."""
    text = json.dumps(key, sort_keys=True, ensure_ascii=True, default=_refuse)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _refuse(value):
    raise TypeError(f"a cache key holds plain values only, not {type(value).__name__}: {value!r}")


def place(kind: str, key: dict) -> Path:
    """Return the folder of an asset, made or not."""
    return cache_root() / f"{kind}-{digest(key)}"


def made(kind: str, key: dict) -> bool:
    """Return whether an asset is there, whole."""
    return (place(kind, key) / COMPLETE).exists()


def asset(
    kind: str, key: dict, make: Callable[[Path], dict | None], notice: Callable[[str], None] = print
) -> tuple[Path, dict]:
    """Return the folder of an asset and what its maker said of it (plain values), making it if it is not there.

    make(folder) fills the folder and may return facts worth keeping (seconds, figures). Two processes that want
    the same asset do not make it twice: the second waits, and is told so. What does not agree with its checksums any
    more is set aside as <name>.damaged-N and made again. Raise CacheError, one line, where the disk takes no more.
    """
    if getattr(multiprocessing.current_process(), "_inheriting", False):  # its parent waits for it, holding the lock
        raise RuntimeError("workers run a script's first level again: put that under  if __name__ == '__main__':")
    folder = place(kind, key)
    if (folder / COMPLETE).exists() and not damage(folder):
        return folder, _facts(folder)
    if "make" not in _allowed:
        raise BusyError(folder.name)
    with _only_process(folder, notice, f"another process is making {kind}; waiting for it"):
        if (folder / COMPLETE).exists() and (problem := damage(folder)):
            names = (folder.with_name(f"{folder.name}.damaged-{n}") for n in itertools.count(1))
            aside = next(name for name in names if not name.exists())
            with told(folder):
                folder.rename(aside)
            notice(f"{folder.name}: {problem}; set aside as {aside.name}, made again")
        if not (folder / COMPLETE).exists():
            with told(folder):
                write_json(folder / "key.json", key)
                for left in folder.glob(".*.part"):  # of a maker that was killed
                    remove(left)
                facts = make(folder) or {}
                facts = {**facts, "made": now(), FILES: checksums(folder)}
                write_json(folder / COMPLETE, facts | {SEAL: seal(facts)})
    return folder, _facts(folder)


class BusyError(Exception):
    """What was asked for is not there now, and `without` was said."""


def busy_last(tasks: Iterable[Task], do: Callable[[Task], Done]) -> Iterator[Done]:
    """Yield do(task) of every task; what another process has in hand is passed over, and waited for at the end."""
    waiting, passed_over = deque(tasks), 0
    while waiting:
        task = waiting.popleft()
        try:
            # Where others are busy with all that is left, wait.
            with nullcontext() if passed_over > len(waiting) else without("wait"):
                done = do(task)
        except BusyError:
            waiting.append(task)
            passed_over += 1
            continue
        passed_over = 0
        yield done


@contextmanager
def without(what: str) -> Iterator[None]:
    """Within this BusyError is raised for an asset that would have to be waited for ("wait") or made ("make")."""
    _allowed.discard(what)
    try:
        yield
    finally:
        _allowed.add(what)


@contextmanager
def _only_process(folder: Path, notice: Callable[[str], None], said: str) -> Iterator[None]:
    with told(folder):
        locks = folder.parent / LOCKS  # not in the folder: that may be set aside
        locks.mkdir(parents=True, exist_ok=True)
        lock = FileLock(locks / folder.name)
        try:
            lock.acquire(timeout=LOCK_NOTICE_SECONDS if "wait" in _allowed else 0)
        except Timeout:
            if "wait" not in _allowed:
                raise BusyError(folder.name) from None
            notice(said)
            lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _facts(folder: Path) -> dict:
    return {name: value for name, value in read_json(folder / COMPLETE).items() if name not in (FILES, SEAL)}
