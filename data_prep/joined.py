"""Several prepared stores as one: their crops one after the other, one table, one list of persons and videos."""

import hashlib
from pathlib import Path

import numpy as np

from data_prep.errors import DataError
from data_prep.item import SPLITS, Item
from data_prep.pose import estimate_pose
from data_prep.store import Store, chosen

PREPARE = "python -m data_prep prepare DATASET_FOLDER FOLDER/"
WRAPPERS = ("seven points of", "68 points of", "fixed crop per video of")  # round a reader's own description


class _JoinedCrops:
    """Crops of several stores one after the other, read like one array (N, S, S, 3) by number, numbers or slice."""

    def __init__(self, parts: list[np.ndarray]):
        self.parts, self.dtype = parts, np.dtype(np.uint8)
        self.starts = np.cumsum([0, *map(len, parts)])
        self.shape = (int(self.starts[-1]), *parts[0].shape[1:])

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index) -> np.ndarray:
        numbers = np.arange(len(self))[index]
        if numbers.ndim == 0:
            part = int(np.searchsorted(self.starts, numbers, side="right")) - 1
            return self.parts[part][numbers - self.starts[part]]
        found = np.empty((len(numbers), *self.shape[1:]), self.dtype)
        which = np.searchsorted(self.starts, numbers, side="right") - 1
        for part in np.unique(which):
            here = which == part
            found[here] = self.parts[part][numbers[here] - self.starts[part]]
        return found


class Joined:
    """One or more prepared stores of one markup and size, with the fields of a single one; the table is in memory.

    A name is the same person in all of them; videos are never the same. Yaw that a data set does not tell is
    estimated from the points (`data_prep.pose`); of videos, which are long, for test frames only. Raise DataError
    where stores do not fit together.
    """

    def __init__(self, path: Path, videos: bool = False):
        self.path = path
        here = [path] if (path / "store.json").is_file() else sorted(p.parent for p in path.glob("*/store.json"))
        if not here:
            raise DataError(
                "no prepared store, nor folders that are some, in it", path=path, fix=f"{PREPARE}{path.name}"
            )
        self.parts = [Store(place) for place in here]
        first = self.parts[0]
        self.markup, self.size = first.markup, first.size
        for store in self.parts:
            if (store.markup, store.size) != (self.markup, self.size):
                kinds = ", ".join(f"{s.path.name}: {s.markup.name}, {s.size} px" for s in self.parts)
                raise DataError(
                    f"stores of different kinds ({kinds})",
                    path=path,
                    fix="--seven or --sixty-eight, and one --size, for all",
                )
        self.crops = first.crops if len(self.parts) == 1 else _JoinedCrops([store.crops for store in self.parts])
        self.identities, self.groups = ([*dict.fromkeys(n)] for n in (self._names("identities"), self._names("groups")))
        self.videos = [f"{s.path.name}/{v}" if len(here) > 1 else v for s in self.parts for v in s.videos]
        self.table = self._table()
        self._estimate_yaw(self.rows("test") if videos else self.rows())
        self.fingerprint = hashlib.sha256(" ".join(s.fingerprint for s in self.parts).encode()).hexdigest()
        self.readers = [_reader(store) for store in self.parts]
        self.part = np.repeat(np.arange(len(self.parts)), [len(store) for store in self.parts])  # of each row
        source = {"reader": ", ".join(self.readers)}
        margins = {store.meta.get("margin") for store in self.parts}
        skipped = sum(store.meta.get("skipped", 0) for store in self.parts)
        self.meta = {"source": source, "margin": margins.pop() if len(margins) == 1 else 0.0, "skipped": skipped}

    def __len__(self) -> int:
        return len(self.table)

    def _names(self, field: str) -> list[str]:
        return [name for store in self.parts for name in getattr(store, field)]

    def _table(self) -> np.ndarray:
        tables, videos = [], 0
        for store in self.parts:
            table = np.array(store.table)
            for field, names, all_names in (
                ("identity", store.identities, self.identities),
                ("group", store.groups, self.groups),
            ):
                places = np.array([*map(all_names.index, names), -1])  # -1, unknown, stays
                table[field] = places[table[field]]
            table["video"] = np.where(table["video"] >= 0, table["video"] + videos, -1)
            videos += len(store.videos)
            tables.append(table)
        return np.concatenate(tables)

    def _estimate_yaw(self, rows: np.ndarray) -> None:
        if not self.markup.stand_in:
            whole = self.table["mask"][rows][:, list(self.markup.seven)].all(1)
            for i in rows[whole & np.isnan(self.table["yaw"][rows])]:
                pose = estimate_pose(self.table["points"][i], self.markup, (self.size, self.size))
                self.table["yaw"][i] = pose.yaw

    def rows(self, split: str | None = None, group: str | None = None) -> np.ndarray:
        """Return row numbers of a split and a group, all where None; faces without a single known point
        are left out.
        """
        return np.flatnonzero(self.table["mask"].any(1) & chosen(self.table, self.groups, split, group))

    def verify(self) -> None:
        """Compare every store with its checksum; raise DataError where a byte has changed."""
        for store in self.parts:
            store.verify()


def _reader(store: Store) -> str:
    source = store.meta.get("source", {})
    while inner := next((source[name] for name in WRAPPERS if name in source), None):
        source = inner
    return str(source.get("dataset") or source.get("reader") or store.path.name)


class StoredFaces:
    """A store's faces as a reader's items, for those who want to see one: the picture is the stored crop."""

    def __init__(self, data: Joined):
        self.data, self.markup, self.description = data, data.markup, data.meta["source"]

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> Item:
        row = self.data.table[range(len(self))[index]]
        who = self.data.identities[row["identity"]] if row["identity"] >= 0 else ""
        yaw, pitch, roll = (float(row[name]) for name in ("yaw", "pitch", "roll"))
        image = np.array(self.data.crops[index])
        points, mask, visible = (np.array(row[name]) for name in ("points", "mask", "visible"))
        return Item(str(row["key"]), image, points, mask, visible, identity=who, split=SPLITS[row["split"]],
                    yaw=yaw, pitch=pitch, roll=roll)  # fmt: skip
