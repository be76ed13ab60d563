"""Where a run's faces come from: each source fills the three roles of the papers' training, and the test sets.

The papers' own data sets come prepared, by `python -m data_prep`: see `rednet_lab.workbench.prepared`.
"""

import hashlib
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from data_prep.prepare import MARGIN
from data_prep.readers.face_world import FaceWorldPeople, FaceWorldStills, FaceWorldVideos
from data_prep.readers.udacity import UdacityFaces
from data_prep.resume import leftovers, prepare
from data_prep.store import Store
from data_prep.synthetic import SyntheticClips, synthetic_videos
from rednet_core.batches import Clips
from rednet_lab.files import remove
from rednet_lab.progress import Progress
from rednet_lab.stamp import cores, module_hash
from rednet_lab.workbench.cache import asset, digest
from rednet_lab.workbench.profiles import Profile

FACES = "faces"  # where in its asset's folder a store is: rows of a killed run stay there until it is gone on with
SYNTHETIC_TEST_VIDEOS = 40  # stills of test persons that are set in motion, for sources without video
EVERY = 20  # training still is a validation still where there are no others
VALIDATION_SHARE = 0.1  # of the training persons, in folds
HELD_BACK = 8  # where a source has no pictures set apart, every eighth of a person is


@dataclass(frozen=True)
class Role:
    """What one stage trains on: a store, its training rows, and whether its clips are synthetic (made of stills).

    held_back are other pictures of the same persons, to test recognition with.
    """

    data: object
    rows: np.ndarray
    synthetic: bool = False
    held_back: np.ndarray | None = None

    @property
    def kind(self) -> type[Clips]:
        """Return the class of this role's clips."""
        return SyntheticClips if self.synthetic else Clips

    def clips(self, frames: int, each: int | None = None) -> float:
        """Return how many clips of so many frames an epoch has: as many as fill the rows, or `each` of every video."""
        if each is None or self.synthetic:
            return len(self.rows) / frames
        return each * len(np.unique(self.data.table["video"][self.rows]))


@dataclass(frozen=True)
class TestVideos:
    """Videos to track: anything with crops and table, the rows of each group, and what they are."""

    data: object
    groups: dict[str, np.ndarray]
    what: str

    @cached_property
    def fingerprint(self) -> str:
        """A hash of the videos: the prepared store's, or of the frames themselves where they were made in memory."""
        if own := getattr(self.data, "fingerprint", ""):
            return own
        found = hashlib.sha256(np.ascontiguousarray(self.data.crops))
        found.update(np.ascontiguousarray(self.data.table).tobytes())
        return found.hexdigest()


def hold_back(data, rows: np.ndarray) -> Role:
    """Return the Role of training rows of known persons, every eighth picture of each held back.

    Where nobody has eight, it is the last picture of everybody who has more than one.
    """
    rows = rows[np.argsort(data.table["identity"][rows], kind="stable")]
    _, first = np.unique(data.table["identity"][rows], return_index=True)
    many = np.diff([*first, len(rows)])
    place, many = np.arange(len(rows)) - np.repeat(first, many), np.repeat(many, many)
    held = place % HELD_BACK == HELD_BACK - 1
    if not held.any():
        held = (place == many - 1) & (many > 1)
    return Role(data, np.sort(rows[~held]), held_back=np.sort(rows[held]))


def synthetic_test_videos(data, rows: np.ndarray, frames: int, seed: int) -> TestVideos:
    """Videos of so many frames made of some of these stills: smooth motion, drifting light, a passing disc in some.

    They are grouped by yaw; those whose yaw is neither told nor estimated are a group of their own.
    """
    chosen = evenly(rows, SYNTHETIC_TEST_VIDEOS)
    yaw = np.abs(data.table["yaw"][chosen])
    videos = synthetic_videos(data, chosen, frames, seed=seed)
    groups = {"common": yaw < 30, "challenging": yaw >= 30, "yaw unknown": np.isnan(yaw)}
    places = videos.table["video"]
    found = {name: np.flatnonzero(keep[places]) for name, keep in groups.items() if keep.any()}
    return TestVideos(videos, found, "synthetic videos of real stills under a moving camera; grouped by estimated yaw")


def workers() -> int:
    """Worker processes for preparing: every core but at most eight."""
    return min(cores(), 8)


def stored(name: str, reader, size: int, margin: float | None = MARGIN) -> Store:
    """The prepared store of a reader, from the cache or made now with a progress bar; a killed run is gone on with."""
    key = {
        "reader": reader.description,
        "size": size,
        "margin": margin,
        "code": module_hash("data_prep.resume", type(reader).__module__),
    }

    def make(folder: Path) -> dict:
        path, own = folder / FACES / "store", digest(key)
        path.parent.mkdir(exist_ok=True)
        for left in leftovers(path):
            if f".{own}." not in left.name:  # what a killed run's workers had in hand
                remove(left)
        with Progress(f"preparing {name}", "face") as progress:
            _, report = prepare(reader, path, size, margin, own, workers(), progress)
        return {"report": report.summary()}

    folder, _ = asset(f"store-{name.replace(' ', '-')}", key, make)
    return Store(folder / FACES / "store")


def evenly(rows: np.ndarray, count: int) -> np.ndarray:
    """Return at most so many of the rows (N,), evenly drawn."""
    return rows[np.linspace(0, len(rows) - 1, min(count, len(rows))).astype(int)]


def dealt(data, folds: int, seed: int, fixed: bool = False) -> dict[str, np.ndarray]:
    """Return rows by split, persons dealt into `folds` parts by their names: part `seed` is tested.

    Of the others the seed draws a tenth for validation. fixed: the test split is the data's own; the seed then leaves
    one part of the others out, so that trainings differ in their persons (in their pictures, where nobody is named).
    """
    table, train, test = data.table, data.rows("train"), data.rows("test")
    rows = train if fixed else np.sort(np.concatenate([train, data.rows("validation"), test]))
    persons = table["identity"][rows]
    names = [data.identities[i] if i >= 0 else str(table["key"][row]) for i, row in zip(persons, rows, strict=True)]
    drawn = {name: _share(name) for name in names}
    out = np.array([int(folds * drawn[name]) == seed % folds for name in names])
    kept = np.array([_share(f"{seed}/{name}") >= VALIDATION_SHARE for name in names])
    test = test if fixed else rows[out]
    return {"train": rows[~out & kept], "validation": rows[~out & ~kept], "test": test}


def _share(name: str) -> float:
    """Return a number in [0, 1) that follows from a name."""
    return int.from_bytes(hashlib.sha256(os.fsencode(name)).digest()[:6], "big") / 2**48


class Validated:
    """Sources whose stills have a validation part, by whose error a learning rate may go (journal 5.1)."""

    fixed_test = False  # whether the test split is the data's own in folds, too

    def rows(self, data, split: str) -> np.ndarray:
        """Return the rows of a split: the data's own, or as this profile deals persons out."""
        if self.profile.folds:
            return dealt(data, self.profile.folds, self.seed, self.fixed_test)[split]
        return data.rows(split)

    def validation_stills(self, count: int) -> Role:
        """Return at most so many stills of that split; where a data set has none, every 20th training still."""
        role = self.stills()
        rows = self.rows(role.data, "validation")
        return Role(role.data, evenly(rows if len(rows) else role.rows[::EVERY], count))

    def validation_videos(self) -> TestVideos:
        """Return synthetic videos of validation persons."""
        role = self.stills()
        return synthetic_test_videos(role.data, self.rows(role.data, "validation"), self.profile.videos[3], self.seed)


class FaceWorldSource(Validated):
    """The embedded face world: all three roles of its own, common and challenging test videos."""

    what = "the embedded face world"

    def rows(self, data, split: str) -> np.ndarray:
        """Return the rows of a split; another seed is another world, with persons of its own."""
        return data.rows(split)

    def __init__(self, profile: Profile, data: str, seed: int):
        if data:
            raise ValueError("data: the face world is made here, it takes no folder; leave data empty")
        self.profile, self.seed = profile, seed

    def stills_reader(self) -> FaceWorldStills:
        """Return the reader behind `stills`."""
        return FaceWorldStills(self.seed, *self.profile.stills, size=_rendered(self.profile.store_size))

    def stills(self) -> Role:
        """Return stills of persons that occur once (AFLW, Helen and LFPW in the papers)."""
        store = stored("stills", self.stills_reader(), self.profile.store_size)
        return Role(store, store.rows("train"))

    def people(self) -> Role:
        """Return many pictures of each of some persons (LFW in the papers)."""
        p = self.profile
        store = stored("people", FaceWorldPeople(self.seed, *p.people, size=_rendered(p.store_size)), p.store_size)
        return Role(store, store.rows("train"), held_back=store.rows("validation"))

    def _videos(self) -> Store:
        p = self.profile
        return stored(
            "videos",
            FaceWorldVideos(self.seed, *p.videos, size=p.frame_size, covers=p.covers),
            p.frame_size,
            margin=None,
        )

    def clips(self) -> Role:
        """Return videos for stage 3 (300-VW in the papers)."""
        store = self._videos()
        rows = store.rows("train")
        return Role(store, rows[~self._apart(store, rows)] if self.profile.folds else rows)

    def _apart(self, store: Store, rows: np.ndarray) -> np.ndarray:
        """Return which of the training frames are of the last tenth of the videos."""
        videos = store.table["video"][rows]
        return np.isin(videos, np.unique(videos)[-max(1, len(np.unique(videos)) // 10) :])

    def validation_videos(self) -> TestVideos:
        """Return the last tenth of the training videos, which a profile with folds keeps apart from training."""
        store = self._videos()
        rows = store.rows("train")
        return TestVideos(store, {"validation": rows[self._apart(store, rows)]}, "rendered videos kept apart")

    def test_sets(self) -> dict[str, Role]:
        """Return the one set of test stills, by its name."""
        return {"rendered faces": self.test_stills()}

    def test_stills(self) -> Role:
        """Return stills of persons never trained on."""
        store = self.stills().data
        return Role(store, store.rows("test"))

    def test_videos(self) -> TestVideos:
        """Return videos of persons never trained on, common and challenging (300-VW's scenarios in the papers)."""
        store = self._videos()
        groups = {group: store.rows("test", group) for group in sorted(store.groups, reverse=True)}
        return TestVideos(store, groups, "rendered videos of held-out persons")


class UdacitySource(Validated):
    """YouTube Faces in the Udacity layout: real stills in all roles, split by person, clips made of stills."""

    what = "real faces (YouTube Faces, Udacity layout)"

    def __init__(self, profile: Profile, data: str, seed: int):
        self.profile, self.seed, self.folder = profile, seed, data
        if not data:
            raise ValueError("data: name the folder of the data set, e.g. data='/path/to/P1_Facial_Keypoints/data'")

    def stills_reader(self) -> UdacityFaces:
        """Return the reader behind every role."""
        return UdacityFaces(self.folder)

    def _store(self) -> Store:
        return stored("udacity", self.stills_reader(), self.profile.store_size)

    def stills(self) -> Role:
        """Return the training persons' stills."""
        store = self._store()
        return Role(store, self.rows(store, "train"))

    def people(self) -> Role:
        """Return the same stills, but every eighth picture of a person is held back."""
        store = self._store()
        return hold_back(store, self.rows(store, "train"))

    def clips(self) -> Role:
        """Return the same stills, to be set in motion (`data_prep.synthetic`): there is no video here."""
        store = self._store()
        return Role(store, self.rows(store, "train"), synthetic=True)

    def test_sets(self) -> dict[str, Role]:
        """Return the one set of test stills, by its name."""
        return {"YouTube Faces": self.test_stills()}

    def test_stills(self) -> Role:
        """Return the test persons' stills."""
        store = self._store()
        return Role(store, self.rows(store, "test"))

    def test_videos(self) -> TestVideos:
        """Synthetic videos of test persons: stills under smooth motion, drifting light, a passing disc in some."""
        store = self._store()
        return synthetic_test_videos(store, self.rows(store, "test"), self.profile.videos[3], self.seed)


def _rendered(stored_size: int) -> int:
    # A still is rendered a little finer than it is stored: the cut resamples it.
    return round(stored_size * 4 / 3)
