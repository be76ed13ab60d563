"""The doctor: looks at a folder without writing, and says which data set it seems to be and what is wrong with it."""

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path, PurePath

import numpy as np

from data_prep.account import line, note_lines, noted_lines, skipped_lines
from data_prep.dataset import DataSet, Sign
from data_prep.datasets import DATASETS, dataset
from data_prep.errors import DataError, readable
from data_prep.folders import AnyCase, listing, tree
from data_prep.prepare import add_notes, bad_item

KINDS, FOLDERS = 8, 3  # of files that are told; folders that are told one by one
OPENED, VIDEOS, FRAMES = 12, 3, 4  # pictures that are opened, or videos, and of each its first frames
ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".rar", ".7z")


@dataclass
class Diagnosis:
    """What the doctor found: the data set (None where no sign of any was there) and what there is and is not of it.

    named: whether somebody said which data set it is; nearest is then the one it looks like more, if there is one.
    error: why its reader refuses the folder, "" where it does not. listed, usable: items in the listing, and those
    of them with nothing known to be wrong; opened, good: how many were read to know, and how
    many of them can be. skipped: (where, why). elsewhere: (folder inside, data set it holds).
    """

    folder: Path
    dataset: DataSet | None = None
    named: bool = False
    nearest: DataSet | None = None
    found: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    error: str = ""
    listed: int = 0
    usable: int = 0
    was_read: bool = False
    opened: int = 0
    good: int = 0
    noted: dict[str, list] = field(default_factory=dict)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    tally: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    elsewhere: list[tuple[str, str]] = field(default_factory=list)

    def text(self) -> str:
        """Return the findings for people, one a line."""
        inside = [line("inside", f"{title} is in {place}: point there for it") for place, title in self.elsewhere]
        one = self.dataset
        if one is None:
            lines = [f"{self.folder}: no data set that is known here", *self._files(), *inside, *self._archives()]
            return "\n".join(map(readable, [*lines, line("known", ", ".join(DATASETS))]))
        lines = [f"{self.folder}: {self._headline(one)}"]
        lines += [line("found", what) for what in self.found] + [line("missing", what) for what in self.missing]
        if self.nearest:
            lines.append(line("nearest", f"{self.nearest.title}: leave --dataset out, or say {self.nearest.name}"))
        lines += [line("error", self.error)] * bool(self.error) + inside + self._files()
        if not self.error:
            how = f"as far as the listing and {self.opened:,} that were opened tell; --read opens every one"
            how = "read" if self.was_read else how
            lines.append(line("items", f"{self.listed:,} listed, {self.usable:,} usable ({how})"))
            lines += [line("", what) for what in self.tally]
            fewer = f", {one.count - self.usable:,} more than here" if one.count > self.usable else ""
            expected = f"{one.count:,} usable in a whole copy{fewer}" if one.count else "how many is not known"
            lines += [line("expected", expected), line("Table 4", one.table4)]
        lines += skipped_lines(self.skipped)
        lines += [*noted_lines(self.noted, self.good), *note_lines(self.warnings), *self._archives()]
        return "\n".join(map(readable, [*lines, line("get it", one.how_to_get), line("terms", one.terms)]))

    def _headline(self, one: DataSet) -> str:
        signs = f"{len(self.found)} of {len(self.found) + len(self.missing)} signs"
        if self.named:
            return f"taken for {one.title}, as you say ({signs} of it)"
        if one.signs[0].what not in self.found:
            return f"no data set that is known here; nearest is {one.title} ({signs} of it)"
        return f"seems to be {one.title} ({signs}; --dataset {one.name})"

    def _files(self) -> list[str]:
        """Return how many files of which kind there are, by folder directly below where these are few."""
        kinds: dict[str, Counter] = defaultdict(Counter)
        for path in tree(self.folder):
            place = path.relative_to(self.folder).parts
            kinds[path.suffix.lower() or path.name][f" in {place[0]}" if len(place) > 1 else ""] += 1
        some = []
        for kind, places in sorted(kinds.items()):
            if len(places) > FOLDERS:
                places = Counter({f" in {len(places):,} folders": places.total()})
            some += [f"{count:,} {kind}{place}" for place, count in places.items()]
        rest = f" and {len(some) - KINDS:,} more kinds" if len(some) > KINDS else ""
        return [line("files", (", ".join(some[:KINDS]) or "none") + rest)]

    def _archives(self) -> list[str]:
        packed = [path.name for path in listing(self.folder) if is_archive(path)]
        return (
            [line("packed", f"{', '.join(packed[:5])}: unpack first (or point at a zip file itself)")] if packed else []
        )


def is_archive(path: PurePath) -> bool:
    """Tell whether a file is to be unpacked first; 300-VW's extra.zip is read as it is."""
    return path.suffix.lower() in ARCHIVES and path.name.lower() != "extra.zip"


def require_folder(folder: Path) -> None:
    """Raise DataError, with the remedy, for what is no folder."""
    if folder.is_dir():
        return
    if folder.is_file() and folder.suffix.lower() in ARCHIVES:
        raise DataError("an archive, no folder", path=folder, field="data folder", fix="unpack it, and name the folder")
    problem = "a file, no folder" if folder.is_file() else "no such folder"
    raise DataError(problem, path=folder, field="data folder")


def examine(
    folder: Path | str,
    name: str | None = None,
    read: bool = False,
    progress: Callable[[int, int], None] | None = None,
    **choices,
) -> Diagnosis:
    """Look at a folder; name says which data set it is to be taken for, read opens every picture, not a few (slow).

    choices are the reader's options. Raise DataError where there is no such folder, data set or option.
    """
    folder = Path(folder)
    require_folder(folder)
    look = AnyCase()
    looks, _ = nearest(folder, look)
    one = dataset(name) if name else looks
    result = Diagnosis(folder, one, bool(name), elsewhere=_inside(folder, looks or one, look))
    if one is None:
        return result
    if looks and looks is not one and not _has(folder, one.signs[0], look):
        result.nearest = looks
    result.found = [sign.what for sign in one.signs if _has(folder, sign, look)]
    result.missing = [sign.what for sign in one.signs if sign.what not in result.found]
    try:
        reader = one.open(folder, **choices)
    except DataError as error:
        if error.field in choices:  # an option of the user's, nothing that is wrong with the folder
            raise
        result.error = f"{error.path}: {error.problem}" if error.path != folder else error.problem
        return result
    result.listed, result.warnings = len(reader), list(getattr(reader, "warnings", []))
    result.was_read = read
    listed, chosen = reader.problems(), list(range(len(reader))) if read else _few(reader)
    found = _read(reader, chosen, result.noted, progress)
    result.opened, result.skipped = len(chosen), found if read else [*listed, *found]
    result.good = len(chosen) - len(found)
    # Where every one that was opened is bad there is nothing to hope for in the others.
    hopeless = not read and chosen and len(found) == len(chosen)
    result.usable = 0 if hopeless else result.listed - len(result.skipped)
    if hasattr(reader, "tally") and len(result.skipped) == len(listed):  # it is of what the listing tells
        result.tally = reader.tally()
    return result


def _inside(folder: Path, one: DataSet | None, look: AnyCase) -> list[tuple[str, str]]:
    """Return (name, data set) of the folders that hold a data set of their own, unless this one is a
    data set itself.
    """
    own = () if one is None else [p for p in one.signs[0].patterns if not p.startswith(f"{one.name}/")]
    if any(True for pattern in own for _ in look.matches(folder, pattern)):
        return []
    found = [(place.name, nearest(place, look)) for place in listing(folder) if place.is_dir()]
    return [
        (name, other.title) for name, (other, signs) in found if other not in (None, one) and other.signs[0] in signs
    ]


def nearest(folder: Path, look: AnyCase | None = None) -> tuple[DataSet | None, list[Sign]]:
    """Return the data set of which the folder has the largest share of signs, and those signs.

    Its first sign counts before all others, and a sign with a name of its own before one that any pictures give.
    """
    look = look or AnyCase()
    best: tuple[DataSet | None, list[Sign]] = (None, [])
    most = (False, 0.0, 0.0)
    for one in DATASETS.values():
        signs = [sign for sign in one.signs if not sign.optional]
        found = [sign for sign in signs if _has(folder, sign, look)]
        specific = [sign for sign in signs if sign.specific]
        share = sum(sign in found for sign in specific) / max(len(specific), 1)
        rank = (signs[0] in found, share, len(found) / len(signs))
        if found and rank > most:
            best, most = (one, found), rank
    return best


def _has(folder: Path, sign: Sign, look: AnyCase) -> bool:
    return any(True for pattern in sign.patterns for _ in look.matches(folder, pattern))


def _few(reader) -> list[int]:
    """Return items to open: a few, spread over those of which the listing knows nothing bad, of a few videos each."""
    bad = {place for place, _ in reader.problems()}
    good = [k for k in range(len(reader)) if not reader.entries[k].problem] if hasattr(reader, "entries") else []
    if not hasattr(reader, "entries"):
        good = list(range(len(reader)))[: None if not bad else 0]
    runs = reader.runs() if hasattr(reader, "runs") else None
    if runs is None:
        return [good[k] for k in sorted({round(k) for k in np.linspace(0, len(good) - 1, OPENED)})] if good else []
    known = set(good)
    videos = [found for run in runs if (found := [k for k in run if k in known])]
    spread = sorted({round(k) for k in np.linspace(0, len(videos) - 1, VIDEOS)}) if videos else []
    return [k for place in spread for k in videos[place][:FRAMES]]


def _read(reader, indices: list[int], noted: dict, progress) -> list[tuple[str, str]]:
    """Return (where, why) of the items that cannot be read, and count in noted what their parsers note."""
    bad = []
    for done, index in enumerate(indices, 1):
        try:
            add_notes(noted, reader[index])
        except Exception as error:
            error = bad_item(error, reader, index)
            bad.append((str(error.path), error.problem))
        if progress:
            progress(done, len(indices))
    return bad
