"""What takes long is made once: a folder per asset, named by a hash of everything that decides its content.

The cache lies in `.cache/` of the checkout, or where the environment variable REDNET_CACHE says. An asset's
folder has a file `key.json` (what it was made from, to be read by people) and, once whole, `complete.json`.
A maker that was interrupted finds its folder as it left it, so training resumes from its checkpoint. `complete.json`
holds checksums: what was damaged since is noticed.
"""

import errno
import hashlib
import itertools
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from pathlib import Path

from filelock import FileLock, Timeout

from rednet_lab.files import read_json, remove, write_json
from rednet_lab.names import ROOT

LOCK_NOTICE_SECONDS = 2.0
COMPLETE = "complete.json"
FILES = "files"  # in it: size, time and sha256 of each
LOCKS = ".locks"
LARGE = 1 << 28  # bytes: larger files are read again only where their size or time has changed
DISK = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR}
_waits = True
_whole: set[tuple] = set()  # files that this process has read and found whole


class CacheError(OSError):
    """The cache cannot be written; the text is one line with the fix."""


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
    folder = place(kind, key)
    if (folder / COMPLETE).exists() and not _damage(folder):
        return folder, _facts(folder)
    with _only_process(folder, notice, f"another process is making {kind}; waiting for it"):
        if (folder / COMPLETE).exists() and (problem := _damage(folder)):
            aside = next(
                p for n in itertools.count(1) if not (p := folder.with_name(f"{folder.name}.damaged-{n}")).exists()
            )
            with _told(folder):
                folder.rename(aside)
            notice(f"{folder.name}: {problem}; set aside as {aside.name}, made again")
        if not (folder / COMPLETE).exists():
            with _told(folder):
                write_json(folder / "key.json", key)
                for left in folder.glob(".*.part"):  # of a maker that was killed
                    remove(left)
                facts = make(folder) or {}
                made_at = datetime.now(timezone.utc).isoformat(timespec="seconds")
                write_json(folder / COMPLETE, {**facts, "made": made_at, FILES: _checksums(folder)})
    return folder, _facts(folder)


class BusyError(Exception):
    """Another process is making what was asked for, and `not_waiting` was said."""


@contextmanager
def not_waiting() -> Iterator[None]:
    """Within this, an asset that another process is making is not waited for: BusyError is raised."""
    global _waits
    _waits = False
    try:
        yield
    finally:
        _waits = True


def _lock(folder: Path) -> FileLock:
    locks = folder.parent / LOCKS  # not in the folder: that may be set aside
    locks.mkdir(parents=True, exist_ok=True)
    return FileLock(locks / folder.name)


@contextmanager
def _only_process(folder: Path, notice: Callable[[str], None], said: str) -> Iterator[None]:
    with _told(folder):
        lock = _lock(folder)
        try:
            lock.acquire(timeout=LOCK_NOTICE_SECONDS if _waits else 0)
        except Timeout:
            if not _waits:
                raise BusyError(folder.name) from None
            notice(said)
            lock.acquire()
    try:
        yield
    finally:
        lock.release()


# --- damage ---


def _content(folder: Path) -> list[Path]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return [path for path in files if path.name not in (COMPLETE, "key.json", "lock")]


def _checksums(folder: Path) -> dict[str, list]:
    """Return size, time and sha256 of every file, by its path in the folder."""
    found = {}
    for path in _content(folder):
        status = path.stat()
        found[path.relative_to(folder).as_posix()] = [status.st_size, status.st_mtime_ns, _sha256(path)]
    return found


def _sha256(path: Path) -> str:
    found = hashlib.sha256()
    with open(path, "rb") as file:
        while part := file.read(1 << 20):
            found.update(part)
    return found.hexdigest()


def _facts(folder: Path) -> dict:
    facts = read_json(folder / COMPLETE)
    return {name: value for name, value in facts.items() if name != FILES}


def _damage(folder: Path) -> str:
    """Return what is wrong with an asset, nothing if it is whole.

    Every file is read once by a process; of the large ones (stores) only those whose size or time has changed.
    """
    told = read_json(folder / COMPLETE)
    if not isinstance(told, dict) or not isinstance(told.get(FILES), dict):
        return f"{COMPLETE} is not whole"
    for name, (size, time, checksum) in told[FILES].items():
        try:
            status = (folder / name).stat()
        except OSError:
            return f"{name} is missing"
        seen = (str(folder / name), status.st_size, status.st_mtime_ns, checksum)
        if status.st_size != size:
            return f"{name} has {status.st_size} bytes and not {size}"
        if seen in _whole or (size > LARGE and status.st_mtime_ns == time):
            continue
        if _sha256(folder / name) != checksum:
            return f"{name} has changed"
        _whole.add(seen)
    return ""


@contextmanager
def _told(folder: Path) -> Iterator[None]:
    """Turn what a full or read-only disk raises into one line, and leave nothing half-written on it."""
    try:
        yield
    except Exception as error:
        cause: BaseException | None = error
        while cause is not None and not (isinstance(cause, OSError) and cause.errno in DISK):
            cause = cause.__cause__ or cause.__context__
        if cause is None:
            raise
        for left in folder.glob(".*.part"):
            with suppress(OSError):
                remove(left)
        raise CacheError(
            f"the cache {folder.parent} takes no more: {os.strerror(cause.errno)}; make room, or set REDNET_CACHE to "
            "another folder"
        ) from None
