"""What the readers of real data sets share: a list of entries made at opening, and the pairing of files by name."""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from data_prep import heard
from data_prep.errors import BadItem, DataError, readable
from data_prep.folders import composed
from data_prep.item import SPLITS, Item
from data_prep.plausible import check_points, placed
from data_prep.store import KEY_LENGTH
from rednet_core.markup import Markup

PICTURES = (".jpg", ".jpeg", ".png", ".bmp")
UNHEARD_OF = 1e30  # float32 holds it
LONE_PICTURE, LONE_TEXT = "image without annotation", "annotation without image"


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
    any_pose = False  # whether its heads turn to profile: see `data_prep.plausible`

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
        if readable(entry.key) != entry.key:
            problem = "its name, or a folder's above it, is not UTF-8 or has marks that command a screen"
            raise BadItem(problem, path=entry.path, field="key")
        heard.notes.clear()
        item = self.read(entry)
        if max(abs(angle) for angle in (item.yaw, item.pitch, item.roll, 0.0) if angle == angle) > 180:
            problem = f"a head that is turned by {item.yaw:.4g}, {item.pitch:.4g} and {item.roll:.4g} degrees"
            raise BadItem(f"{problem}: were its angles in other units?", path=entry.path, field="pose")
        size = item.image.shape[1], item.image.shape[0]
        sides = check_points(item.points, item.mask, self.markup, entry.path, self.any_pose, size, item.box)
        item.notes += (*heard.notes, *placed(sides, size))
        return item

    def read(self, entry: ListedItem) -> Item:
        """Return the Item of an entry; raise BadItem."""
        raise NotImplementedError

    def place(self, index: int) -> str:
        """Return where an item comes from."""
        return readable(self.entries[index].path)

    def problems(self) -> list[tuple[str, str]]:
        """Return (where, why) of the entries that are known to be bad from the listing alone."""
        return [(readable(entry.path), entry.problem) for entry in self.entries if entry.problem]

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


def pair_up(files: Iterable[Path], root: Path, annotations: tuple[str, ...] = (".pts",)) -> list[ListedItem]:
    """Return entries of pictures and annotations that share a stem, by stem; facts: annotation (a Path).

    A lone picture, a lone annotation and a stem with two of either are entries with a problem. Suffixes count in
    any case, and blanks in names are part of them. The key is the place below root, without suffix.
    """
    pictures, texts = defaultdict(list), defaultdict(list)
    for path in files:
        suffix = path.suffix.lower()
        if suffix in PICTURES:
            pictures[composed(path.stem)].append(path)
        elif suffix in annotations:  # some tools name the annotation of a.jpg not a.pts but a.jpg.pts
            stem = Path(path.stem)
            texts[composed(stem.stem if stem.suffix.lower() in PICTURES else path.stem)].append(path)
    entries = []
    for name in sorted(pictures.keys() | texts.keys()):
        found, marks = pictures.get(name, []), texts.get(name, [])
        path, problem = (found or marks)[0], ""
        if not marks:
            problem = LONE_PICTURE
        elif not found:
            problem = LONE_TEXT
        elif len(found) > 1:
            problem = f"two images of this name ({found[0].name}, {found[1].name})"
        elif len(marks) > 1:
            problem = f"two annotations of this name ({marks[0].name}, {marks[1].name})"
        key = path.with_suffix("").relative_to(root).as_posix()
        entries.append(ListedItem(key, path, problem, {"annotation": marks[0] if marks else None}))
    return entries


def refuse_twice(entries: list[ListedItem]) -> None:
    """Give a picture of a sequence a problem where another before it has its number (facts: number), in order."""
    last = None
    for entry in (entry for entry in entries if not entry.problem):
        if entry.facts["number"] == last:
            entry.problem = f"second picture of frame {last}"
        last = entry.facts["number"]


def refuse_shifted(entries: list[ListedItem]) -> None:
    """Give every item of a numbered sequence a problem where its pictures and annotations are counted differently.

    Pictures 1 ... 9 with annotations 0 ... 8 would nearly all find a partner, and each the wrong one. So would they
    where some are lost: one counts from 0, the other from 1, or one begins and ends before the other.
    """
    pictures, texts = set(), set()
    for entry in entries:
        digits = re.findall(r"\d+", entry.path.stem)
        if digits and entry.problem in ("", LONE_PICTURE, LONE_TEXT):
            number = int(digits[-1][-9:])
            if entry.problem != LONE_TEXT:
                pictures.add(number)
            if entry.problem != LONE_PICTURE:
                texts.add(number)
    if not pictures or not texts or pictures == texts:
        return
    first, last = min(texts) - min(pictures), max(texts) - max(pictures)
    even = len(pictures) == len(texts) and texts == {number + first for number in pictures}
    bases = {min(texts), min(pictures)} == {0, 1} and not texts < pictures
    if even or bases or first * last > 0:
        numbers = f"pictures are numbered {_span(pictures)}, annotations {_span(texts)}"
        for entry in entries:
            entry.problem = entry.problem or f"{numbers}: they cannot be matched"


def _span(numbers: set[int]) -> str:
    return f"from {min(numbers)} to {max(numbers)}"


def whole(points: np.ndarray, notes: tuple[str, ...] = ()) -> dict:
    """Return the fields of an Item whose points (L, 2) are all annotated, visible as far as one knows.

    notes are what the parser of its annotation says of it: they go into the report.
    """
    annotated = np.ones(len(points), bool)
    # A number that no float32 can hold is told by `check_points`.
    points = np.clip(points, -UNHEARD_OF, UNHEARD_OF).astype(np.float32)
    return {"points": points, "mask": annotated, "visible": annotated, "notes": notes}
