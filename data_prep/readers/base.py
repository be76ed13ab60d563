"""What the readers of real data sets share: a list of entries made at opening, and how folders are looked through."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from data_prep.errors import BadItem, DataError
from data_prep.item import SPLITS, Item
from data_prep.store import KEY_LENGTH
from rednet_core.markup import Markup

PICTURES = (".jpg", ".jpeg", ".png", ".bmp")
NOT_DATA = {"thumbs.db", "desktop.ini", "__macosx"}


@dataclass
class ListedItem:
    """One item to be: its key, the file it comes from, what is already known to be wrong with it, and the rest."""

    key: str
    path: Path
    problem: str = ""
    facts: dict = field(default_factory=dict)


class Listed:
    """A reader over `entries`, filled when it is opened; a subclass gives `read(entry)`.

    warnings are sentences for people about the data set as a whole; problems() are the entries that are known to be
    bad without opening a picture; runs() are ranges of items that one process should read, in order (a video).
    """

    markup: Markup
    description: dict
    how_to_get = ""

    def __init__(self):
        self.entries: list[ListedItem] = []
        self.warnings: list[str] = []
        self.whole_copy: dict[str, int] = {}  # split: items that a whole copy has, where that is known

    def __len__(self) -> int:
        return len(self.entries)

    def __getitem__(self, index: int) -> Item:
        entry = self.entries[index]
        if entry.problem:
            raise BadItem(entry.problem, path=entry.path)
        if len(entry.key) > KEY_LENGTH:
            raise BadItem(f"name longer than {KEY_LENGTH} characters", path=entry.path, field="key")
        return self.read(entry)

    def read(self, entry: ListedItem) -> Item:
        """Return the Item of an entry; raise BadItem."""
        raise NotImplementedError

    def problems(self) -> list[tuple[str, str]]:
        """Return (where, why) of the entries that are known to be bad from the listing alone."""
        return [(str(entry.path), entry.problem) for entry in self.entries if entry.problem]

    def tally(self) -> list[str]:
        """Return what the good entries of each split are, for people."""
        lines = []
        for split in SPLITS:
            some = [e.facts for e in self.entries if not e.problem and e.facts.get("split", "train") == split]
            persons = {facts.get("identity") or facts.get("person", "") for facts in some} - {""}
            videos = {facts.get("video", "") for facts in some} - {""}
            if some:
                lines.append(counted(split, len(some), len(persons), len(videos), self.whole_copy.get(split, 0)))
        return lines

    def runs(self) -> list[range] | None:
        """Return ranges of items to be read in order by one process, None where any order is as good."""
        return None

    def _require(self, folder: Path | str, wanted: str) -> None:
        """Raise DataError where nothing was found to read."""
        if not self.entries:
            raise DataError(f"no {wanted} in it", path=folder, fix=self.how_to_get)


def counted(split: str, items: int, persons: int, videos: int, whole: int = 0) -> str:
    """Return what a split has, for people; whole: the items of a whole copy, 0 where that is not known."""
    of = [many(count, what) for count, what in ((persons, "known person"), (videos, "video")) if count]
    of_all = f"{items:,} of {many(whole, 'item')}" if whole else many(items, "item")
    return ", ".join([f"{split}: {of_all}", *of])


def many(count: int, what: str) -> str:
    """Return 1 face, 2 faces."""
    return f"{count:,} {what}{'s' * (count != 1)}"


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
    """Return what is in a folder, by name, without hidden and system files; empty where there is no such folder."""
    return sorted(path for path in folder.iterdir() if is_data(path)) if folder.is_dir() else []


def tree(folder: Path) -> list[Path]:
    """Return all files below a folder, in order of name, without hidden and system files and folders."""
    files = []
    for path in listing(folder):
        files += tree(path) if path.is_dir() else [path]
    return files


def digest(paths: Iterable[Path], root: Path) -> str:
    """Return a name for the present content of files: their places, sizes and times (contents are not read)."""
    result = hashlib.sha256()
    for path in paths:
        facts = path.stat()
        result.update(f"{path.relative_to(root).as_posix()}\0{facts.st_size}\0{facts.st_mtime_ns}\n".encode())
    return result.hexdigest()


def pair_up(files: Iterable[Path], root: Path, annotations: tuple[str, ...] = (".pts",)) -> list[ListedItem]:
    """Return entries of pictures and annotations that share a stem, by stem; facts: annotation (a Path).

    A lone picture, a lone annotation and a stem with two of either are entries with a problem. Suffixes count in
    any case, and blanks in names are part of them. The key is the place below root, without suffix.
    """
    pictures, texts = defaultdict(list), defaultdict(list)
    for path in files:
        suffix = path.suffix.lower()
        if suffix in PICTURES:
            pictures[path.stem].append(path)
        elif suffix in annotations:
            texts[path.stem].append(path)
    entries = []
    for stem in sorted(pictures.keys() | texts.keys()):
        found, marks = pictures.get(stem, []), texts.get(stem, [])
        path, problem = (found or marks)[0], ""
        if not marks:
            problem = "image without annotation"
        elif not found:
            problem = "annotation without image"
        elif len(found) > 1:
            problem = f"two images of this name ({found[0].name}, {found[1].name})"
        elif len(marks) > 1:
            problem = f"two annotations of this name ({marks[0].name}, {marks[1].name})"
        key = path.with_suffix("").relative_to(root).as_posix()
        entries.append(ListedItem(key, path, problem, {"annotation": marks[0] if marks else None}))
    return entries


def whole(points: np.ndarray) -> dict:
    """Return the fields of an Item whose points (L, 2) are all annotated, visible as far as one knows."""
    annotated = np.ones(len(points), bool)
    return {"points": points.astype(np.float32), "mask": annotated, "visible": annotated}


def plausible(points: np.ndarray, markup: Markup, path: Path) -> None:
    """Raise BadItem unless the eye corners go round from the viewer's left to right and the mouth is below them.

    In the face's own frame, so that a tilted head passes; it catches points of another markup, which would give
    plausible nonsense (DATASETS 6).
    """
    seven = np.asarray(points, np.float64)[list(markup.seven)]
    eyes, mouth = seven[:4], seven[5:]
    across = eyes[2:].mean(0) - eyes[:2].mean(0)
    down = np.array([-across[1], across[0]])
    order = eyes @ across
    low = (mouth.mean(0) - eyes.mean(0)) @ down
    if not (np.diff(order) > 0).all() or not low > 0 or not (mouth[1] - mouth[0]) @ across > 0:
        problem = f"eye and mouth corners are not where those of a face in the {markup.name} markup are"
        raise BadItem(problem, path=path, field="points")
