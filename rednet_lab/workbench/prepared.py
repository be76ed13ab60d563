"""A reader's own prepared stores as a source: a folder with the subfolders stills, people and videos.

    FOLDER/stills    one store, or a folder of several that are joined: AFLW, Helen and LFPW in the papers
    FOLDER/people    the same for LFW; without it, the stills of persons that are known by name
    FOLDER/videos    the same for 300-VW and other videos, prepared with --one-box (a fixed square a video, in which the
                     face moves) or with --whole-frames; without it, made of stills

They are made by `python -m data_prep prepare`, all with one markup: --seven brings any data set to the seven points.
"""

import hashlib
from functools import cached_property
from pathlib import Path

import numpy as np

from data_prep.errors import DataError
from data_prep.item import SPLITS, Item
from data_prep.pose import estimate_pose
from data_prep.store import Store, chosen
from rednet_lab.workbench.profiles import Profile
from rednet_lab.workbench.roles import Role, TestVideos, hold_back, made_test_videos

PREPARE = "python -m data_prep prepare DATASET_FOLDER FOLDER/"
WRAPPERS = ("seven points of", "one box a video of")  # what stands around a reader's own description
COMMON = 30.0  # degrees: |yaw| below is the papers' common group


class _Crops:
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
    estimated from the points (`data_prep.pose`); of videos, which are long, for test frames only. Raises DataError
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
                    f"stores of different kinds ({kinds})", path=path, fix="--seven, and one --size, for all"
                )
        self.crops = first.crops if len(self.parts) == 1 else _Crops([store.crops for store in self.parts])
        self.identities, self.groups = ([*dict.fromkeys(n)] for n in (self._names("identities"), self._names("groups")))
        self.videos = [f"{s.path.name}/{v}" if len(here) > 1 else v for s in self.parts for v in s.videos]
        self.table = self._table()
        self._estimate_yaw(self.rows("test") if videos else self.rows())
        self.fingerprint = hashlib.sha256(" ".join(s.fingerprint for s in self.parts).encode()).hexdigest()
        self.readers = [_reader(store) for store in self.parts]
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
        """Row numbers of a split and a group, all where None; faces without a single known point are left out."""
        return np.flatnonzero(self.table["mask"].any(1) & chosen(self.table, self.groups, split, group))

    def verify(self) -> None:
        """Compare every store with its checksum; raises DataError where a byte has changed."""
        for store in self.parts:
            store.verify()


def _reader(store: Store) -> str:
    source = store.meta.get("source", {})
    while inner := next((source[name] for name in WRAPPERS if name in source), None):
        source = inner
    return str(source.get("reader", store.path.name))


class StoredFaces:
    """A store's faces as a reader's items, for those who want to see one: the picture is the stored crop."""

    def __init__(self, data: Joined):
        self.data, self.markup, self.description = data, data.markup, data.meta["source"]

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> Item:
        row = self.data.table[range(len(self))[index]]
        who = self.data.identities[row["identity"]] if row["identity"] >= 0 else ""
        facts = {name: float(row[name]) for name in ("yaw", "pitch", "roll")}
        image = np.array(self.data.crops[index])
        arrays = (np.array(row[name]) for name in ("points", "mask", "visible"))
        return Item(str(row["key"]), image, *arrays, identity=who, split=SPLITS[row["split"]], **facts)


class PreparedSource:
    """Stores of the papers' own data, or of any other that `python -m data_prep prepare` can read."""

    def __init__(self, profile: Profile, data: str, seed: int):
        if not data:
            raise ValueError("data: name the folder with the prepared stores stills, people and videos")
        self.profile, self.seed, self.folder = profile, seed, Path(data)
        if not (self.folder / "stills").is_dir():
            raise DataError("no folder stills in it", path=self.folder, fix=f"{PREPARE}stills")
        self._stills = self._open("stills")
        self.markup = self._stills.markup.name
        if self._stills.markup.stand_in:
            problem = f"markup {self.markup} lacks one of the seven points"
            raise DataError(problem, path=self._stills.path, fix="prepare it with --seven")
        opened = {"stills": self._stills, "people": self._people, "videos": self._videos}
        parts = [f"{part}: {', '.join(data.readers)}" for part, data in opened.items() if data is not None]
        self.what = f"prepared stores ({'; '.join(parts)})"

    def _open(self, part: str) -> Joined | None:
        if not (self.folder / part).is_dir():
            return None
        found = Joined(self.folder / part, videos=part == "videos")
        if part != "stills" and found.markup is not self._stills.markup:
            problem = f"markup {found.markup.name}, but the stills have {self._stills.markup.name}"
            raise DataError(problem, path=found.path, fix="prepare all with --seven")
        return found

    @cached_property
    def _people(self) -> Joined | None:
        return self._open("people")

    @cached_property
    def _videos(self) -> Joined | None:
        found = self._open("videos")
        if found is not None and found.meta["margin"] is not None:
            problem = "its videos are cut to faces: nothing is left to track"
            raise DataError(problem, path=found.path, fix="prepare them with --one-box, or with --whole-frames")
        return found

    def _some(self, data: Joined, rows: np.ndarray, what: str) -> np.ndarray:
        if not len(rows):
            raise DataError(f"no {what} in it", path=data.path, fix="python -m data_prep doctor says what a folder has")
        return rows

    def stills_reader(self) -> StoredFaces:
        """The stored stills as items: their source pictures are not at hand."""
        return StoredFaces(self._stills)

    def stills(self) -> Role:
        """The training stills."""
        return Role(self._stills, self._some(self._stills, self._stills.rows("train"), "training still"))

    def people(self) -> Role:
        """Pictures of known persons; without a store of them, the stills whose persons are known."""
        data = self._people or self._stills
        rows = data.rows("train")
        rows = rows[data.table["identity"][rows] >= 0]
        persons = len(np.unique(data.table["identity"][rows]))
        if persons < 2:
            problem = f"training pictures of {persons} persons known by name: stage 2 needs two or more"
            raise DataError(problem, path=data.path, fix=f"{PREPARE}people, of a data set with persons, such as LFW")
        kept = data.rows("validation")
        kept = kept[np.isin(data.table["identity"][kept], data.table["identity"][rows])]
        if len(kept):
            return Role(data, rows, held_back=kept)
        return hold_back(data, rows)

    def clips(self) -> Role:
        """Training videos; without a store of videos, the training stills, to be set in motion, marked as made."""
        if self._videos is None:
            return Role(self._stills, self.stills().rows, made=True)
        rows = self._videos.rows("train")
        rows = rows[self._videos.table["video"][rows] >= 0]
        return Role(self._videos, self._some(self._videos, rows, "training video"))

    def test_stills(self) -> Role:
        """The test stills."""
        return Role(self._stills, self._some(self._stills, self._stills.rows("test"), "test still"))

    def test_videos(self) -> TestVideos:
        """Test videos in their own groups, else by the median of their |yaw|; made of test stills if there are none."""
        data = self._videos
        if data is None:
            return made_test_videos(self._stills, self.test_stills().rows, self.profile.videos[3], self.seed)
        rows = data.rows("test")
        rows = self._some(data, rows[data.table["video"][rows] >= 0], "test video")
        table, groups = data.table[rows], {"common": [], "challenging": []}
        for video in np.unique(table["video"]):
            here = table["video"] == video
            own = table["group"][here][0]
            yaw = np.abs(table["yaw"][here])
            yaw = np.median(yaw[np.isfinite(yaw)]) if np.isfinite(yaw).any() else np.nan
            by_yaw = "yaw unknown" if np.isnan(yaw) else "common" if yaw < COMMON else "challenging"
            groups.setdefault(data.groups[own] if own >= 0 else by_yaw, []).append(rows[here])
        found = {name: np.concatenate(some) for name, some in groups.items() if some}
        return TestVideos(data, found, "prepared test videos, in their own groups or by median yaw")
