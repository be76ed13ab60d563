"""Assets that were damaged since they were made, and disks that take no more: noticed, and told in one line."""

import errno
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rednet_lab.files import read_json, remove

COMPLETE = "complete.json"
FILES = "files"  # in it: size, time and sha256 of each
SEAL = "sha256"  # in it: of all the rest
LARGE = 1 << 28  # bytes: larger files are read again only where their size or time has changed
DISK = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR}
_whole: set[tuple] = set()  # files that this process has read and found whole


class CacheError(OSError):
    """The cache cannot be written; the text is one line with the fix."""


def checksums(folder: Path) -> dict[str, list]:
    """Return size, time and sha256 of every file, by its path in the folder."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.name in (COMPLETE, "key.json", "lock") or not path.is_file():
            continue
        status = path.stat()
        found[path.relative_to(folder).as_posix()] = [status.st_size, status.st_mtime_ns, _sha256(path)]
    return found


def _sha256(path: Path) -> str:
    found = hashlib.sha256()
    with open(path, "rb") as file:
        while part := file.read(1 << 20):
            found.update(part)
    return found.hexdigest()


def seal(facts: dict) -> str:
    """Return the checksum of what an asset's `complete.json` says besides it."""
    rest = {name: value for name, value in facts.items() if name != SEAL}
    read = json.loads(json.dumps(rest))  # as it comes out of a file
    return hashlib.sha256(json.dumps(read, sort_keys=True).encode()).hexdigest()


def damage(folder: Path) -> str:
    """Return what is wrong with an asset, nothing if it is whole.

    Every file is read once by a process; of the large ones (stores) only those whose size or time has changed.
    """
    told = read_json(folder / COMPLETE, {})
    if told.get(SEAL) != seal(told):
        return f"{COMPLETE} is not whole"
    for name, (size, time, checksum) in told[FILES].items():
        try:
            status = (folder / name).stat()
        except OSError:
            return f"{name} is missing"
        if not (folder / name).is_file():
            return f"{name} is no file any more"
        seen = (str(folder / name), status.st_size, status.st_mtime_ns, checksum)
        if status.st_size != size:
            return f"{name} has {status.st_size} bytes and not {size}"
        if seen in _whole or (size > LARGE and status.st_mtime_ns == time):
            continue
        try:
            changed = _sha256(folder / name) != checksum
        except OSError as error:
            return f"{name} cannot be read ({error.strerror})"
        if changed:
            return f"{name} has changed"
        _whole.add(seen)
    return ""


@contextmanager
def told(folder: Path) -> Iterator[None]:
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
