"""A zip file in place of a data set's folder: unpacked member by member into a folder of its own, never beyond it.

A stranger's archive: what it claims is checked before anything is written, names cannot lead outside, links are left
out, and what cannot be unpacked ends in one sentence. A damaged member is left out and noted; the rest is used.
"""

import calendar
import hashlib
import os
import shutil
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path, PurePosixPath

from filelock import FileLock, Timeout

from data_prep.doctor import ARCHIVES, is_archive, nearest
from data_prep.errors import BadItem, DataError
from data_prep.folders import is_data, listing
from data_prep.wrapped import Wrapped

MOST_FILES = 1_000_000  # 300-VW has 219,000
MOST_BYTES = 256 << 30
MOST_DENSE = 100  # times smaller than its content; text of coordinates gets to 5, no picture or video beyond 2
LONGEST_NAME = 240  # bytes of a file's or a folder's; most systems hold 255
DEPTH = 3  # folders in folders that a data set may lie in
DONE = ".unpacked"
SPARE = 64 << 20  # bytes that stay free


@contextmanager
def folder_of(path: Path, store: Path | None = None, name: str | None = None) -> Iterator[tuple[Path, list[str]]]:
    """Give the folder of a data set and notes: `path` itself, or where a zip is unpacked for as long as this is open.

    store: where a store is to be; the archive is unpacked beside it, and a run that was stopped finds it there. Without
    one it goes into the system's folder for temporary files. name: the data set that it is to be. Raise DataError.
    """
    if path.is_dir() or not path.exists():
        yield path, []
        return
    if path.is_file():
        path.open("rb").close()  # where it cannot be opened, that is what is said
    if not path.is_file() or not zipfile.is_zipfile(path):
        packed = path.suffix.lower() in ARCHIVES
        problem = (
            "not a zip file, the only archive that is read" if packed else "a file, neither a folder nor a zip file"
        )
        raise DataError(problem, path=path, field="data folder", fix="unpack it, and point at the folder")
    if store is None:
        with tempfile.TemporaryDirectory(prefix="data_prep-", ignore_cleanup_errors=True) as temporary:
            notes = unpack(path, Path(temporary) / "content")
            yield from _given(path, Path(temporary) / "content", name, notes)
        return
    store.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(store.with_name(f".{store.name}.unpacked.lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise DataError("another run is preparing this store", path=store, fix="wait for it") from None
    place, kept = store.with_name(f".{store.name}.unpacked-{_identity(path)}"), False
    try:
        for other in store.parent.glob(f".{escape(store.name)}.unpacked-*"):  # of runs that were killed
            if other != place or not (other / DONE).is_file():
                shutil.rmtree(other, ignore_errors=True)
        if not (place / DONE).is_file():
            notes = unpack(path, place / "content")
            (place / DONE).write_text("\n".join(notes), encoding="utf-8")
        notes = (place / DONE).read_text(encoding="utf-8").splitlines()
        yield from _given(path, place / "content", name, notes)
    except KeyboardInterrupt:  # as a kill: what is unpacked is kept for the next run
        kept = True
        raise
    finally:
        if not kept:
            shutil.rmtree(place, ignore_errors=True)
        lock.release()
        Path(lock.lock_file).unlink(missing_ok=True)


def _given(path: Path, root: Path, name: str | None, notes: list[str]) -> Iterator[tuple[Path, list[str]]]:
    """Give the folder in an unpacked archive; errors name the archive, not where it is unpacked."""
    try:
        yield _innermost(root, name), notes
    except DataError as error:
        raise _renamed(error, root, path) from None


def _innermost(root: Path, name: str | None) -> Path:
    """Return where the data set is: the archive's top, or a folder that is alone in it."""
    place = root
    for _ in range(DEPTH + 1):
        found, _ = nearest(place)
        if found is not None and name in (None, found.name):
            return place
        inside = listing(place)
        if len(inside) != 1 or not inside[0].is_dir():
            break
        place = inside[0]
    return root


def _identity(path: Path) -> str:
    facts = path.stat()
    return hashlib.sha256(f"{path.resolve()}\0{facts.st_size}\0{facts.st_mtime_ns}".encode()).hexdigest()[:8]


def _renamed(error: DataError, root: Path, archive: Path) -> DataError:
    where = str(error.path).replace(str(root), str(archive)) if error.path else error.path
    return type(error)(error.problem, path=where, field=error.field, fix=error.fix)


class FromArchive(Wrapped):
    """A reader of an unpacked archive; what is wrong is said of the archive, not of where it was unpacked."""

    def __init__(self, reader, root: Path, archive: Path):
        super().__init__(reader)
        self.markup, self.description = reader.markup, reader.description
        self.root, self.archive = root, archive

    def __getattr__(self, name: str):
        if name.startswith("_") or name == "reader":
            raise AttributeError(name)
        return getattr(self.reader, name)

    def __getitem__(self, index: int):
        try:
            return self.reader[index]
        except BadItem as error:
            raise _renamed(error, self.root, self.archive) from None

    def place(self, index: int) -> str:
        """Return where an item comes from, in the archive."""
        return self.reader.place(index).replace(str(self.root), str(self.archive))

    def problems(self) -> list[tuple[str, str]]:
        """Return the wrapped reader's, by places in the archive."""
        return [(where.replace(str(self.root), str(self.archive)), why) for where, why in super().problems()]


def unpack(path: Path, folder: Path) -> list[str]:
    """Unpack a zip file into a folder that is not there yet, and return notes; raise DataError with nothing left."""
    try:
        with zipfile.ZipFile(path) as archive:
            places, notes = _places(archive, path)
            need = sum(info.file_size for info in places.values())
            folder.mkdir(parents=True)
            if need + SPARE > (free := shutil.disk_usage(folder).free):
                problem = f"unpacks to {need / 1e9:.2f} GB, {free / 1e9:.2f} GB are free in {folder.parent}"
                raise DataError(problem, path=path, fix="free some, or unpack it elsewhere and point at the folder")
            damaged = [place for place, info in places.items() if not _copy(archive, info, folder / place)]
            if len(damaged) == len(places):
                raise DataError("none of its files can be unpacked", path=path, fix="get it again")
    except (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, ValueError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise DataError(f"not a readable zip file ({str(error)[:80]})", path=path, fix="get it again") from None
    except BaseException:  # a full disk, say: what is half there is of no use
        shutil.rmtree(folder, ignore_errors=True)
        raise
    if damaged:
        few = ", ".join(map(str, damaged[:3]))
        notes.append(f"{len(damaged):,} of {len(places):,} files in the archive cannot be unpacked, such as {few}")
    return notes


def _places(archive: zipfile.ZipFile, path: Path) -> tuple[dict[PurePosixPath, zipfile.ZipInfo], list[str]]:
    """Return where each member is to go, below the folder, and notes; raise DataError for what is not unpacked."""
    members = [info for info in archive.infolist() if not info.filename.replace("\\", "/").endswith("/")]
    if len(members) > MOST_FILES:
        raise DataError(f"{len(members):,} files, more than any data set has", path=path)
    places: dict[PurePosixPath, zipfile.ZipInfo] = {}
    seen, links, twice, inner = set(), 0, 0, []
    for info in members:
        place = _place(info, path)
        if any(not is_data(Path(part)) for part in place.parts):
            continue  # a system's own: .DS_Store, __MACOSX
        if info.flag_bits & 0x1:
            raise DataError("is encrypted", path=path, fix="unpack it with its password, and point at the folder")
        if stat.S_ISLNK(info.external_attr >> 16):
            links += 1
        elif (name := place.as_posix().casefold()) in seen:
            twice += 1
        else:
            seen.add(name)
            if is_archive(place):
                inner.append(place.name)
            else:
                places[place] = info
    few = f"{', '.join(inner[:3])}{', ...' * (len(inner) > 3)}"
    if not places:
        problem = f"holds archives, not files: {few}" if inner else "holds no files"
        raise DataError(problem, path=path, fix="unpack those, and point at the folder" if inner else "get it again")
    size, packed = (sum(getattr(info, what) for info in places.values()) for what in ("file_size", "compress_size"))
    if size > MOST_BYTES or size > max(MOST_DENSE * packed, SPARE):
        raise DataError(
            f"claims to unpack to {size / 1e9:,.1f} GB from {packed / 1e9:,.3f}: not a data set's", path=path
        )
    said = (
        (links, f"{links:,} links in the archive are left out"),
        (twice, f"{twice:,} files are in the archive twice: the first of each is used"),
        (inner, f"archives in the archive are not opened: {few}"),
    )
    return places, [note for count, note in said if count]


def _place(info: zipfile.ZipInfo, path: Path) -> PurePosixPath:
    """Return a member's place below the folder; raise DataError for one that leads elsewhere, or cannot be a name."""
    name = info.filename.replace("\\", "/")
    place = PurePosixPath(name)
    if name.startswith("/") or ".." in place.parts or (place.parts and ":" in place.parts[0]):
        problem = f"holds a file that would lie outside the folder: {info.filename[:80]!r}"
        raise DataError(problem, path=path, fix="do not use it; get it from its owner")
    if not place.parts or any(len(os.fsencode(part)) > LONGEST_NAME for part in place.parts):
        raise DataError(f"holds a file of no possible name: {info.filename[:40]!r}", path=path, fix="get it again")
    return place


def _copy(archive: zipfile.ZipFile, info: zipfile.ZipInfo, place: Path) -> bool:
    """Unpack a member, with its time, and tell whether it is whole; nothing is left of one that is not."""
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(info) as source, open(place, "xb") as target:
            shutil.copyfileobj(source, target, 1 << 20)
        written = place.stat().st_size
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        RuntimeError,
        FileExistsError,
        NotADirectoryError,
    ):
        with suppress(NotADirectoryError):
            place.unlink(missing_ok=True)
        return False
    if written != info.file_size:
        place.unlink()
        return False
    try:  # the archive's own times, so that an unpacked copy is the same source at every run
        when = calendar.timegm((*info.date_time, 0, 0, 0))
    except (ValueError, OverflowError):
        when = 0
    os.utime(place, (when, when))
    return True
