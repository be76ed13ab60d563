"""The doctor: looks at a folder without writing, and says which data set it seems to be and what is wrong with it."""

from dataclasses import dataclass, field
from pathlib import Path

from data_prep.account import line, skipped_lines
from data_prep.datasets import DATASETS, DataSet, Sign, dataset
from data_prep.errors import BadItem, DataError
from data_prep.readers.base import listing

ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".rar", ".7z")


@dataclass
class Diagnosis:
    """What the doctor found: the data set (None where no sign of any was there) and what there is and is not of it.

    error: why its reader refuses the folder, "" where it does not. listed, usable: items in the listing, and those
    of them with nothing known to be wrong. skipped: (where, why). elsewhere: folders inside that fit better.
    """

    folder: Path
    dataset: DataSet | None = None
    found: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    error: str = ""
    listed: int = 0
    usable: int = 0
    was_read: bool = False
    skipped: list[tuple[str, str]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    elsewhere: list[tuple[str, str]] = field(default_factory=list)

    @property
    def well(self) -> bool:
        """Whether it can be prepared and nothing of it is missing or bad."""
        whole = self.dataset is not None and self.usable >= self.dataset.count
        return whole and not (self.error or self.missing or self.skipped)

    def text(self) -> str:
        """The findings for people, one a line."""
        if self.dataset is None:
            there = ", ".join(path.name for path in listing(self.folder)[:8]) or "nothing"
            lines = [f"{self.folder}: no data set that is known here", line("in it", there)]
            lines += [line("perhaps", f"{title} is in {place}: point there") for place, title in self.elsewhere]
            return "\n".join([*lines, *self._archives(), line("known", ", ".join(DATASETS))])
        one = self.dataset
        signs = f"{len(self.found)} of {len(self.found) + len(self.missing)} signs"
        sure = "seems to be" if not self.error else "is nearest to, but is not,"
        lines = [f"{self.folder}: {sure} {one.title} ({signs}; --dataset {one.name})"]
        lines += [line("found", what) for what in self.found] + [line("missing", what) for what in self.missing]
        lines += [line("error", self.error)] * bool(self.error)
        lines += [line("perhaps", f"{title} is in {place}: point there") for place, title in self.elsewhere]
        if not self.error:
            how = "read" if self.was_read else "as far as the listing tells; --read opens every picture"
            lines.append(line("items", f"{self.listed:,} listed, {self.usable:,} usable ({how})"))
            expected = f"{one.count:,} usable in a whole copy" if one.count else "how many there are is not known"
            lines += [line("expected", expected), line("Table 4", one.table4)]
        lines += skipped_lines(self.skipped)
        lines += [line("note", warning) for warning in self.warnings] + self._archives()
        return "\n".join([*lines, line("get it", one.how_to_get), line("terms", one.terms)])

    def _archives(self) -> list[str]:
        packed = [p.name for p in listing(self.folder) if p.suffix.lower() in ARCHIVES and p.name != "extra.zip"]
        return [line("packed", f"{', '.join(packed[:5])}: unpack first, archives are not read")] if packed else []


def examine(folder: Path | str, name: str | None = None, read: bool = False, **choices) -> Diagnosis:
    """Look at a folder; name says which data set it is to be taken for, read opens every picture too (slow).

    choices are the reader's options. Raises DataError where there is no such folder, data set or option.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise DataError("no such folder", path=folder, field="data folder")
    one, found = (dataset(name), None) if name else nearest(folder)
    result = Diagnosis(folder, one)
    shares = {} if name else {p: nearest(p) for p in listing(folder) if p.is_dir()}
    for place, (other, signs) in shares.items():
        if other and other.signs[0] in signs and (one is None or one.signs[0] not in (found or ())):
            result.elsewhere.append((place.name, other.title))
    if one is None:
        return result
    result.found = [sign.what for sign in one.signs if _has(folder, sign)]
    result.missing = [sign.what for sign in one.signs if sign.what not in result.found]
    unknown = choices.keys() - one.choices().keys()
    if unknown:
        one.open(folder, **choices)  # raises, with the options that there are
    try:
        reader = one.open(folder, **choices)
    except DataError as error:
        result.error = str(error)
        return result
    result.listed, result.warnings = len(reader), list(getattr(reader, "warnings", []))
    result.was_read = read
    result.skipped = _read_all(reader) if read else reader.problems()
    result.usable = result.listed - len(result.skipped)
    return result


def nearest(folder: Path) -> tuple[DataSet | None, list[Sign]]:
    """The data set of which the folder has the largest share of signs, its first among them if any, and those signs."""
    best, most = (None, []), (False, 0.0)
    for one in DATASETS.values():
        signs = [sign for sign in one.signs if not sign.optional]
        found = [sign for sign in signs if _has(folder, sign)]
        rank = (signs[0] in found, len(found) / len(signs))
        if found and rank > most:
            best, most = (one, found), rank
    return best


def _has(folder: Path, sign: Sign) -> bool:
    for pattern in sign.patterns:
        for path in folder.glob(pattern):
            if not path.name.startswith("."):
                return True
    return False


def _read_all(reader) -> list[tuple[str, str]]:
    bad = []
    for index in range(len(reader)):
        try:
            reader[index]
        except BadItem as error:
            bad.append((str(error.path), error.problem))
    return bad
