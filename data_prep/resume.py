"""Preparing that goes on where it was stopped: what is done is noted down, and checked before it is built upon.

    .<store>.<key>.part/       the store so far, in the order of the items
    .<store>.<key>.journal     a line for every few items: how far, running checksums, names, what was skipped

The key names the source (place, size and time of every file), the options and the code, so that a run begins anew
where any of them has changed. At a new start the rows are read again up to the last line of the journal that their
checksums agree with; what lies behind it is cut off. Nothing is decoded twice but what a stopped run had not yet
noted: at most 32 items, and with several workers what they had in hand.
"""

import contextlib
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from data_prep.folders import digest, tree
from data_prep.item import Reader
from data_prep.store import StoreWriter, row_type

ROWS_AT_ONCE = 64  # read while checking


def work_key(reader: Reader, folder: Path, size: int, margin: float | None) -> str:
    """Return a short name for everything that decides what a store will hold; files are told by place,
    size and time.
    """
    code = hashlib.sha256()
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        code.update(path.read_bytes())
    facts = [reader.description, len(reader), reader.markup.name, size, margin, _files(folder), code.hexdigest()]
    text = json.dumps([*facts, cv2.__version__, np.__version__], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _files(folder: Path) -> str:
    return digest([path for path in tree(folder) if path.exists()], folder)  # a link to nowhere is no data


def leftovers(path: Path) -> list[Path]:
    """Return what stopped runs have left beside a store's place; only to be touched while its lock is held."""
    kind = re.compile(rf"\.{re.escape(path.name)}\.[^.]+\.(part|journal)")
    return sorted(p for p in path.parent.iterdir() if kind.fullmatch(p.name)) if path.parent.is_dir() else []


def bytes_done(path: Path, key: str) -> int:
    """Return how much a stopped run of this key has already written of a store."""
    crops = path.with_name(f".{path.name}.{key}.part") / "crops.npy"
    return crops.stat().st_size if crops.is_file() else 0


class KeptWriter(StoreWriter):
    """A StoreWriter whose rows outlive the process that wrote them.

    items: how many of the reader's items are dealt with; `skipped` (where, why) of them are not in the store. Leaving
    it without `close` keeps what `note` has noted.
    """

    def __init__(self, path: Path | str, markup, size: int, key: str):
        # Not StoreWriter's own: its folder is new every time, this one may be there already.
        self.path, self.markup, self.size = Path(path), markup, size
        self.work = self.path.with_name(f".{self.path.name}.{key}.part")
        self.journal = self.work.with_suffix(".journal")
        self.work.mkdir(parents=True, exist_ok=True)
        self._count, self.items = 0, 0
        self._names: dict[str, dict[str, int]] = {"identity": {}, "video": {}, "group": {}}
        self.skipped: list[tuple[str, str]] = []
        self.noted: dict[str, list] = {}
        self._row_type = row_type(markup)
        self._crops, self._table = (_opened(self.work / name) for name in ("crops.npy", "table.npy"))
        self._write_headers()
        self._start = self._crops.tell(), self._table.tell()
        self._digest, self._rows_digest = hashlib.sha256(), hashlib.sha256()
        self._take_up()

    def __enter__(self) -> "KeptWriter":
        return self

    def __exit__(self, kind, error, trace) -> None:
        with contextlib.suppress(OSError) if kind else contextlib.nullcontext():
            self._crops.close()
            self._table.close()
        if not self.items or not self.work.is_dir():  # nothing worth keeping, or complete
            shutil.rmtree(self.work, ignore_errors=True)
            self.journal.unlink(missing_ok=True)

    def __len__(self) -> int:
        return self._count

    def note(self, items: int) -> None:
        """Note that all up to item number `items` are dealt with: what is written until now is kept."""
        self._crops.flush()  # to the system: a killed process loses nothing, and a broken disk shows in the checksums
        end = self._table.tell()
        self._table.seek(self._start[1] + self._noted["rows"] * self._row_type.itemsize)
        self._rows_digest.update(self._table.read())
        self._table.seek(end)
        new = {kind: list(names)[self._noted[kind] :] for kind, names in self._names.items()}
        line = {"items": items, "rows": self._count, "names": new, "skipped": self.skipped[self._noted["skipped"] :]}
        line["noted"] = self.noted
        line |= {"crops": self._digest.hexdigest(), "table": self._rows_digest.hexdigest()}
        with open(self.journal, "a", encoding="utf-8", newline="\n") as file:
            file.write(json.dumps(line) + "\n")
        self._noted_until(items)

    def _noted_until(self, items: int) -> None:
        self.items = items
        counts = {kind: len(names) for kind, names in self._names.items()}
        self._noted = {"rows": self._count, "skipped": len(self.skipped), **counts}

    def _take_up(self) -> None:
        """Go to the end of the last line of the journal that the files agree with, and cut them off there."""
        good, row = 0, self._row_type.itemsize
        for length, line in _lines(self.journal):
            crops, rows = self._digest.copy(), self._rows_digest.copy()
            for start in range(self._count, line["rows"], ROWS_AT_ONCE):
                count = min(ROWS_AT_ONCE, line["rows"] - start)
                crops.update(self._crops.read(count * self.size**2 * 3))
                rows.update(self._table.read(count * row))
            if (crops.hexdigest(), rows.hexdigest()) != (line["crops"], line["table"]):
                break
            self._digest, self._rows_digest, self._count, good = crops, rows, line["rows"], good + length
            self.skipped += [tuple(one) for one in line["skipped"]]
            self.noted = line["noted"]
            for kind, names in line["names"].items():
                for name in names:
                    self._index(kind, name)
            self._noted_until(line["items"])
        if not good:
            self._noted_until(0)
        for file, start, size in zip((self._crops, self._table), self._start, (self.size**2 * 3, row), strict=True):
            file.seek(start + self._count * size)
            file.truncate()
        if self.journal.exists():
            os.truncate(self.journal, good)


def _opened(path: Path):
    path.touch()
    return open(path, "r+b")


def _lines(journal: Path) -> Iterator[tuple[int, dict]]:
    """Yield (bytes, content) of a journal's lines, until one that is not whole."""
    if not journal.exists():
        return
    with open(journal, "rb") as file:
        for line in file:
            try:
                yield len(line), json.loads(line)
            except ValueError:
                return
