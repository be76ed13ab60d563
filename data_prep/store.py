"""The prepared store: the one on-disk format that every source is brought into.

A store is a folder with three files:

    crops.npy   (N, S, S, 3) uint8 RGB crops, opened memory-mapped
    table.npy   (N,) rows: points in the crop's frame, mask, identity, video, frame, yaw, split, ...
    store.json  what it is: format, markup, sizes, names of persons, videos and groups, provenance, checksums

It is written into a temporary folder beside its place and renamed when complete, so a store is whole or absent.
Points are (x, y) pixels of the crop, pixel centres at whole numbers (`rednet_core.geometry`).
"""

import hashlib
import json
import mmap
import os
import shutil
import uuid
from pathlib import Path

import numpy as np

from data_prep.errors import DataError
from data_prep.item import SPLITS
from data_prep.markups import MARKUPS
from rednet_core.markup import Markup

FORMAT = 1
KEY_LENGTH = 96
UNKNOWN = -1
FACTS = {"markup", "size", "count", "identities", "videos", "groups", "fingerprint", "meta"}


def row_type(markup: Markup) -> np.dtype:
    """Return the table's row: see the field names; identity, video, split and group are indices into store.json."""
    points = markup.n_points
    return np.dtype(
        [
            ("key", f"U{KEY_LENGTH}"),  # the item's name in its source, unique within the store
            ("points", "<f4", (points, 2)),  # crop pixels
            ("mask", "?", (points,)),  # annotated
            ("visible", "?", (points,)),  # annotated and not hidden
            ("identity", "<i4"),
            ("video", "<i4"),
            ("frame", "<i4"),
            ("yaw", "<f4"),  # degrees, NaN where unknown
            ("pitch", "<f4"),
            ("roll", "<f4"),
            ("split", "<i4"),
            ("group", "<i4"),
            ("box", "<f4", (3,)),  # centre x, centre y, side of the crop in the source image, pixels
        ]
    )


class StoreWriter:
    """Writes a store row by row; `close` makes it appear, anything else leaves nothing behind.

    Use as a context manager: leaving it without `close`, by an exception or not, discards what was written.
    """

    def __init__(self, path: Path | str, markup: Markup, size: int):
        self.path, self.markup, self.size = Path(path), markup, size
        self.work = self.path.with_name(f".{self.path.name}.{uuid.uuid4().hex[:8]}.part")
        self.work.mkdir(parents=True)
        self._count = 0
        self._names: dict[str, dict[str, int]] = {"identity": {}, "video": {}, "group": {}}
        self._row_type = row_type(markup)
        self._crops, self._table = open(self.work / "crops.npy", "wb"), open(self.work / "table.npy", "wb")
        self._write_headers()
        self._digest = hashlib.sha256()

    def __enter__(self) -> "StoreWriter":
        return self

    def __exit__(self, kind, error, trace) -> None:
        self._crops.close()
        self._table.close()
        shutil.rmtree(self.work, ignore_errors=True)  # nothing is left there after `close`

    def _write_headers(self) -> None:
        # NumPy pads its header so that a first axis can grow: rewriting it keeps its length.
        row = np.lib.format.dtype_to_descr(self._row_type)
        for file, kind, shape in ((self._crops, "|u1", (self.size, self.size, 3)), (self._table, row, ())):
            file.seek(0)
            header = {"descr": kind, "fortran_order": False, "shape": (self._count, *shape)}
            np.lib.format.write_array_header_1_0(file, header)

    def _index(self, table: str, name: str) -> int:
        if not name:
            return UNKNOWN
        return self._names[table].setdefault(name, len(self._names[table]))

    def add(self, crop: np.ndarray, item, points: np.ndarray, box: np.ndarray) -> None:
        """Append one crop (S, S, 3) uint8 with its points (L, 2) in crop pixels and what `item` says of it."""
        row = np.zeros((), self._row_type)
        if len(item.key) > KEY_LENGTH:
            raise DataError(f"key longer than {KEY_LENGTH} characters: {item.key}", field="key")
        row["key"], row["points"], row["mask"], row["box"] = item.key, points, item.mask, box
        row["visible"] = item.visible & item.mask
        row["identity"], row["video"] = self._index("identity", item.identity), self._index("video", item.video)
        row["frame"], row["group"] = item.frame, self._index("group", item.group)
        row["yaw"], row["pitch"], row["roll"] = item.yaw, item.pitch, item.roll
        row["split"] = SPLITS.index(item.split)
        data = np.ascontiguousarray(crop, np.uint8)
        if data.shape != (self.size, self.size, 3):
            raise DataError(f"crop of shape {data.shape}, wanted ({self.size}, {self.size}, 3)", field="crops")
        self._crops.write(data.data)
        self._digest.update(data.data)
        self._table.write(row.tobytes())  # nothing is kept in memory, however many rows there are
        self._count += 1

    def close(self, meta: dict) -> "Store":
        """Complete the store with provenance `meta` (plain values) and move it to its place."""
        if not self._count:
            self.__exit__(DataError, None, None)
            raise DataError("no usable item at all", path=self.path, fix="see the report of skipped items")
        self._write_headers()
        self._crops.close()
        self._table.close()
        table = _mapped(self.work / "table.npy")
        for start in range(0, self._count, 1024):
            self._digest.update(table[start : start + 1024].tobytes())
        del table  # an open map would keep the folder from being renamed on Windows
        facts = {
            "format": FORMAT,
            "markup": self.markup.name,
            "size": self.size,
            "count": self._count,
            "splits": list(SPLITS),
            "identities": list(self._names["identity"]),
            "videos": list(self._names["video"]),
            "groups": list(self._names["group"]),
            "fingerprint": self._digest.hexdigest(),
            "meta": meta,
        }
        (self.work / "store.json").write_text(json.dumps(facts, indent=1, ensure_ascii=False), encoding="utf-8")
        try:
            os.replace(self.work, self.path)
        except OSError:
            # Somebody else completed the same store meanwhile (or an old one stands there): keep a whole one.
            if not (self.path / "store.json").exists():
                raise
            shutil.rmtree(self.work, ignore_errors=True)
        return Store(self.path)


class MappedCrops(np.memmap):
    """Crops (N, S, S, 3) of a file, read by row numbers all at once: a disk is asked for them before the first is used.

    A mapped file is read where it is touched, a few pages at a time and one after the other.
    """

    _mmap: mmap.mmap | None  # NumPy's own

    def __getitem__(self, index) -> np.ndarray:
        if self.ndim != 4 or not isinstance(index, np.ndarray) or index.dtype.kind not in "iu":
            return super().__getitem__(index)
        if hasattr(mmap, "MADV_WILLNEED") and self._mmap is not None:  # Windows has no such thing
            for start, length in self.spans(index):
                self._mmap.madvise(mmap.MADV_WILLNEED, start, length)
        return np.asarray(self)[index]

    def spans(self, rows: np.ndarray) -> list[tuple[int, int]]:
        """Return (start, length) in the map, from the beginning of a page, of each of the rows."""
        assert self._mmap is not None
        first, step = self.ctypes.data - np.frombuffer(self._mmap, np.uint8).ctypes.data, self.strides[0]
        starts = [first + number * step for number in np.unique(rows % len(self)).tolist()]
        return [(start - start % mmap.PAGESIZE, start % mmap.PAGESIZE + abs(step)) for start in starts]


class Store:
    """A prepared store opened for reading: `crops` and `table` are memory-mapped, nothing is copied.

    Raise DataError, naming the file, where the folder is no store or its files disagree with each other.
    """

    def __init__(self, path: Path | str):
        self.path = Path(path)
        facts = _facts(self.path)
        self.markup = MARKUPS[facts["markup"]]
        self.size: int = facts["size"]
        self.identities: list[str] = facts["identities"]
        self.videos: list[str] = facts["videos"]
        self.groups: list[str] = facts["groups"]
        self.fingerprint: str = facts["fingerprint"]
        self.meta: dict = facts["meta"]
        self.crops = _mapped(self.path / "crops.npy").view(MappedCrops)
        self.table = _mapped(self.path / "table.npy")
        wanted = (facts["count"], self.size, self.size, 3)
        if self.crops.shape != wanted or self.crops.dtype != np.uint8:
            raise _broken(self.path / "crops.npy", f"holds {self.crops.shape} {self.crops.dtype}, not {wanted}")
        if self.table.shape != wanted[:1] or self.table.dtype != row_type(self.markup):
            raise _broken(self.path / "table.npy", f"does not hold {wanted[0]} rows of format {FORMAT}")

    def __len__(self) -> int:
        return len(self.table)

    def rows(self, split: str | None = None, group: str | None = None) -> np.ndarray:
        """Return row numbers (int64) of a split ("train", "validation", "test") and a group, all where None."""
        return np.flatnonzero(chosen(self.table, self.groups, split, group))

    def verify(self) -> None:
        """Read everything and compare it with the checksum; raise DataError where a byte has changed."""
        digest = hashlib.sha256()
        for start in range(0, len(self), 1024):
            digest.update(np.ascontiguousarray(self.crops[start : start + 1024]).data)
        digest.update(np.ascontiguousarray(self.table).tobytes())
        if digest.hexdigest() != self.fingerprint:
            raise _broken(self.path, "the checksum does not match")


def chosen(table: np.ndarray, groups: list[str], split: str | None, group: str | None) -> np.ndarray:
    """Return which rows (M,) bool of a table are of a split and a group, all where None; groups as the table numbers
    them.
    """
    keep = np.ones(len(table), bool)
    if split is not None:
        keep &= table["split"] == SPLITS.index(split)
    if group is not None:
        keep &= table["group"] == groups.index(group)
    return keep


def _broken(path: Path, problem: str) -> DataError:
    return DataError(problem, path=path, fix="remove the store's folder and prepare it again")


def _facts(path: Path) -> dict:
    try:
        facts = json.loads((path / "store.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError("not a prepared store (no store.json)", path=path, fix="prepare it first") from None
    except ValueError as error:
        raise _broken(path / "store.json", f"not readable as JSON ({error})") from None
    if not isinstance(facts, dict):
        raise _broken(path / "store.json", "not the description of a store")
    if facts.get("format") != FORMAT:
        raise _broken(path, f"store format {facts.get('format')}, this version reads {FORMAT}")
    if missing := FACTS - facts.keys():
        raise _broken(path / "store.json", f"does not say {', '.join(sorted(missing))}")
    if facts["markup"] not in MARKUPS:
        raise _broken(path, f"unknown markup {facts['markup']!r}, known: {', '.join(MARKUPS)}")
    return facts


def _mapped(path: Path) -> np.ndarray:
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        raise _broken(path, "missing") from None
    except (ValueError, OSError, EOFError) as error:
        raise _broken(path, f"not readable ({error})") from None
