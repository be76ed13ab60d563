"""How strangers' folders are looked through: what is in them, by whatever case of letters, and what is shut."""

import hashlib
import os
import unicodedata
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from data_prep.errors import DataError, readable

NOT_DATA = {"thumbs.db", "desktop.ini", "__macosx"}


def open_folder(folder: Path | str, how_to_get: str) -> Path:
    """Return the folder as a Path; raise DataError where there is none."""
    folder = Path(folder)
    if not folder.is_dir():
        raise DataError("no such folder", path=folder, field="data folder", fix=how_to_get)
    return folder


def is_data(path: Path) -> bool:
    """Tell whether a file or folder is not a system's own (.DS_Store, ._name, Thumbs.db, __MACOSX)."""
    return not path.name.startswith(".") and path.name.lower() not in NOT_DATA


def listing(folder: Path) -> list[Path]:
    """Return what is in a folder, by name, without hidden and system files; empty where it is none or cannot be opened.

    `unreadable` names the folders that cannot be opened. What is neither file nor folder (a pipe, which would be waited
    for without end, or a device) is not there.
    """
    try:
        with os.scandir(folder) as entries:
            return sorted(folder / entry.name for entry in entries if _is_there(entry) and is_data(Path(entry.name)))
    except OSError:
        return []


def _is_there(entry: os.DirEntry) -> bool:
    try:
        # A link to nowhere is told when it is read.
        return entry.is_file() or entry.is_dir() or not os.path.exists(entry.path)
    except OSError:
        return True


def composed(name: str) -> str:
    """Return a name whose accents are parts of their letters: a Mac writes them apart, and it is the same name."""
    return unicodedata.normalize("NFC", name)


def _alike(name: str) -> str:
    return composed(name).lower()


class AnyCase:
    """Finds files and folders by name whatever the case of its letters, or where it keeps its accents (`composed`).

    The very name comes first. Where it is not there, and two others differ from it by case alone, neither is found.
    What a folder has is looked up once: one of these is for one look at a data set.
    """

    def __init__(self):
        self._seen: dict[Path, dict[str, list[Path]]] = {}
        self._folders: dict[Path, list[Path]] = {}

    def __getstate__(self):
        return {"_seen": {}, "_folders": {}}

    def file(self, folder: Path, *names: str | PurePosixPath) -> Path | None:
        """Return the first file of these names (with / between folders) below a folder, None where there is none."""
        return self._first(folder, names, Path.is_file)

    def folder(self, folder: Path, *names: str | PurePosixPath) -> Path | None:
        """Return the first folder of these names below a folder, None where there is none."""
        return self._first(folder, names, Path.is_dir)

    def matches(self, folder: Path, pattern: str) -> Iterator[Path]:
        """Yield what lies below a folder by a pattern with * and [0-9] in its names, hidden files apart."""
        head, _, rest = _alike(pattern).partition("/")
        if not rest:
            yield from (p for name, ps in self._in(folder).items() if fnmatchcase(name, head) for p in ps)
            return
        for place in self._folders_in(folder):
            if fnmatchcase(_alike(place.name), head):
                yield from self.matches(place, rest)

    def _first(self, folder, names, right) -> Path | None:
        for name in names:
            if right(folder / name):
                return folder / name
        found = (self._other(folder, PurePosixPath(name).parts) for name in names)
        return next((path for path in found if path and right(path)), None)

    def _other(self, place: Path, parts: tuple[str, ...]) -> Path | None:
        for part in parts:
            alike = self._in(place).get(_alike(part), [])
            place, found = place / part, [path for path in alike if path.name == part] or alike
            if len(found) != 1:
                return None
            place = found[0]
        return place

    def _in(self, folder: Path) -> dict[str, list[Path]]:
        if folder not in self._seen:
            names = defaultdict(list)
            for path in listing(folder):
                names[_alike(path.name)].append(path)
            self._seen[folder] = names
        return self._seen[folder]

    def _folders_in(self, folder: Path) -> list[Path]:
        if folder not in self._folders:
            self._folders[folder] = [p for paths in self._in(folder).values() for p in paths if p.is_dir()]
        return self._folders[folder]


def tree(folder: Path) -> list[Path]:
    """Return all files below a folder, in order of name, without hidden and system files and folders.

    Links to folders are followed, and each folder is gone through once, however many links lead to it or in a circle.
    """
    seen, files = set(), []
    places, links = deque([folder]), deque[Path]()
    while places or links:  # links after all that is really there, so that its own place counts
        place = places.pop() if places else links.popleft()
        if (own := _identity(place)) in seen:
            continue
        seen.add(own)
        for path in listing(place):
            if not path.is_dir():
                files.append(path)
            else:
                (links if path.is_symlink() else places).append(path)
    return sorted(files, key=lambda path: path.parts)


def _identity(folder: Path) -> tuple:
    try:
        facts = folder.stat()
    except OSError:
        return (str(folder),)
    return facts.st_dev, facts.st_ino


def unreadable(folder: Path) -> list[str]:
    """Return a sentence for each folder below one that cannot be opened, and for each pipe or device: what is in it is
    not there for any reader.
    """
    found, places = [], [os.fspath(folder)]
    for place in places:
        try:
            with os.scandir(place) as entries:
                for entry in (entry for entry in entries if is_data(Path(entry.name))):
                    if entry.is_dir(follow_symlinks=False):
                        places.append(entry.path)
                    elif not _is_there(entry):
                        found.append(f"{readable(entry.path)}: neither a file nor a folder, it is left out")
        except OSError as error:
            problem = f"cannot be opened ({error.strerror}), what is in it is left out"
            found.append(f"{readable(error.filename)}: {problem}")
    return found


def digest(paths: Iterable[Path], root: Path) -> str:
    """Return a name for the present content of files: their places, sizes and times (contents are not read)."""
    result = hashlib.sha256()
    for path in paths:
        try:
            facts = path.stat()
            told = f"\0{facts.st_size}\0{facts.st_mtime_ns}\n"
        except OSError:  # a link to nowhere: it is bad when it is read
            told = "\0\n"
        result.update(os.fsencode(path.relative_to(root).as_posix()) + told.encode())
    return result.hexdigest()
