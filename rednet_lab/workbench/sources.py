"""Where a run's faces come from: each source fills the three roles of the papers' training, and the test sets.

The papers' own data sets come prepared, by `python -m data_prep`: see `rednet_lab.workbench.prepared`.
"""

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from data_prep.prepare import MARGIN, prepare
from data_prep.readers.face_world import FaceWorldPeople, FaceWorldStills, FaceWorldVideos
from data_prep.readers.udacity import UdacityFaces
from data_prep.resume import leftovers
from data_prep.store import Store
from data_prep.synthetic import SyntheticClips, synthetic_videos
from data_prep.wrapped import Tail
from rednet_core.batches import Clips
from rednet_lab.evaluation import COMMON_YAW
from rednet_lab.files import remove
from rednet_lab.progress import Progress
from rednet_lab.stamp import cores, module_hash
from rednet_lab.workbench.cache import asset, digest
from rednet_lab.workbench.folds import dealt, last_videos
from rednet_lab.workbench.profiles import Profile

FACES = "faces"  # where in its asset's folder a store is: rows of a killed run stay there until it is gone on with
SYNTHETIC_TEST_VIDEOS = 40  # stills of test persons that are set in motion, for sources without video
EVERY = 20  # training still is a validation still where there are no others
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

    @property
    def rows(self) -> np.ndarray:
        """All rows, group by group."""
        return np.concatenate(list(self.groups.values()))

    def in_order(self) -> tuple[np.ndarray, np.ndarray]:
        """Return all rows and the group of each, in the order in which `predict_videos` answers."""
        rows, group = self.rows, np.repeat(list(self.groups), [len(each) for each in self.groups.values()])
        table = self.data.table[rows]
        order = np.lexsort((table["frame"], table["video"]))
        return rows[order], group[order]

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
    groups = {"common": yaw < COMMON_YAW, "challenging": yaw >= COMMON_YAW, "yaw unknown": np.isnan(yaw)}
    places = videos.table["video"]
    found = {name: np.flatnonzero(keep[places]) for name, keep in groups.items() if keep.any()}
    return TestVideos(videos, found, "synthetic videos of real stills under a moving camera; grouped by estimated yaw")


def workers() -> int:
    """Worker processes for preparing: every core but at most eight."""
    return min(cores(), 8)


def stored(name: str, reader, size: int, margin: float | None = MARGIN, first: int = 0) -> Store:
    """The prepared store of a reader, from the cache or made now with a progress bar; a killed run is gone on with.

    Items from number `first` on have a store of their own, made sooner; whether the whole one is there does not matter.
    """
    code = module_hash("data_prep.prepare", type(getattr(reader, "reader", reader)).__module__)
    key = {"reader": reader.description, "size": size, "margin": margin, "code": code}
    if first:
        return stored(f"{name}-part", Tail(reader, first), size, margin)

    def make(folder: Path) -> dict:
        path, own = folder / FACES / "store", digest(key)
        path.parent.mkdir(exist_ok=True)
        for left in leftovers(path):
            if f".{own}." not in left.name:  # what a killed run's workers had in hand
                remove(left)
        with Progress(f"preparing {name}", "face") as progress:
            _, report = prepare(reader, path, size, margin, own, workers(), progress)
        return {"report": report.summary()}

    return Store(asset(f"store-{name}", key, make)[0] / FACES / "store")


def evenly(rows: np.ndarray, count: int) -> np.ndarray:
    """Return at most so many of the rows (N,), evenly drawn."""
    return rows[np.linspace(0, len(rows) - 1, min(count, len(rows))).astype(int)]


class Source:
    """What every source has; `data` is the store of a part: "stills", "people" or "videos"."""

    what = test_set = ""  # as captions and tables of test sets call it

    def data(self, part: str):
        """Return the prepared data of a part."""
        raise NotImplementedError

    def stills(self) -> Role:
        """Return training stills, of persons that may occur once (AFLW, Helen and LFPW in the papers)."""
        return self._split("stills", "train")

    def test_stills(self) -> Role:
        """Return stills of persons never trained on."""
        return self._split("stills", "test")

    def _split(self, part: str, split: str, *which) -> Role:
        data = self.data(part, *which)
        return Role(data, data.rows(split))

    def test_sets(self) -> dict[str, Role]:
        """Return the test stills by the name of their set; here there is one."""
        return {self.test_set: self.test_stills()}

    def validation_stills(self, count: int) -> Role:
        """Return at most so many stills by whose error a learning rate may go (journal 5.1).

        They are of that split; where a data set has none, every 20th training still.
        """
        role = self.stills()
        rows = role.data.rows("validation")
        return Role(role.data, evenly(rows if len(rows) else role.rows[::EVERY], count))

    def validation_videos(self) -> TestVideos:
        """Return synthetic videos of validation persons."""
        role = self.validation_stills(SYNTHETIC_TEST_VIDEOS)
        return synthetic_test_videos(role.data, role.rows, self.profile.videos[3], self.seed)


class FaceWorldSource(Source):
    """The embedded face world: all three roles of its own, common and challenging test videos."""

    what, test_set = "the embedded face world", "rendered faces"

    def __init__(self, profile: Profile, data: str, seed: int):
        if data:
            raise ValueError("data: the face world is made here, it takes no folder; leave data empty")
        self.profile, self.seed = profile, seed
        self.fine = round(profile.store_size * 4 / 3)  # a still is rendered finer than it is stored: the cut resamples

    def stills_reader(self) -> FaceWorldStills:
        """Return the reader behind `stills`."""
        return FaceWorldStills(self.seed, *self.profile.stills, size=self.fine)

    def data(self, part: str, first: int = 0, videos: tuple | None = None) -> Store:
        """Return the store of a part, rendered now if it is not there; from item `first` on, or other videos."""
        p = self.profile
        if part == "videos":
            clips = FaceWorldVideos(self.seed, *(videos or p.videos), size=p.frame_size, covers=p.covers)
            return last_videos(stored(part, clips, p.frame_size, None, first), p.folds)
        reader = FaceWorldPeople(self.seed, *p.people, size=self.fine) if part == "people" else self.stills_reader()
        return stored(part, reader, p.store_size, first=first)

    def people(self) -> Role:
        """Return many pictures of each of some persons (LFW in the papers)."""
        return replace(self._split("people", "train"), held_back=self.data("people").rows("validation"))

    def clips(self, few: int = 0) -> Role:
        """Return videos for stage 3 (300-VW in the papers): all, or the first few."""
        train, each, _, _ = self.profile.videos
        return self._split("videos", "train", 0, (min(few, train), each, 0, 1) if few else None)

    def validation_videos(self) -> TestVideos:
        """Return training videos that a profile with folds keeps apart; others have none, so that it is the first."""
        store = self.data("videos")
        rows = store.rows("validation")
        rows = rows if len(rows) else store.rows("train")[: self.profile.videos[1]]
        return TestVideos(store, {"validation": rows}, "rendered videos kept apart")

    def test_stills(self) -> Role:
        """Return stills of persons never trained on."""
        return self._split("stills", "test", sum(self.profile.stills[:2]))

    def test_videos(self, few: int = 0) -> TestVideos:
        """Return videos of persons never trained on, common and challenging (300-VW's scenarios): all, or few."""
        train, each, _, frames = self.profile.videos
        store = self.data("videos", 0, (0, each, 2 * few, frames)) if few else self.data("videos", train * each)
        groups = {group: store.rows("test", group) for group in sorted(store.groups, reverse=True)}
        return TestVideos(store, groups, "rendered videos of held-out persons")


class UdacitySource(Source):
    """YouTube Faces in the Udacity layout: real stills in all roles, split by person, clips made of stills."""

    what, test_set = "real faces (YouTube Faces, Udacity layout)", "YouTube Faces"

    def __init__(self, profile: Profile, data: str, seed: int):
        self.profile, self.seed, self.folder = profile, seed, data
        if not data:
            raise ValueError("data: name the folder of the data set, e.g. data='/path/to/P1_Facial_Keypoints/data'")

    def stills_reader(self) -> UdacityFaces:
        """Return the reader behind every role."""
        return UdacityFaces(self.folder)

    def data(self, part: str) -> Store:
        """Return the one store, which is all parts."""
        store = stored("udacity", self.stills_reader(), self.profile.store_size)
        return dealt(store, self.profile.folds, self.seed)

    def people(self) -> Role:
        """Return the training persons' stills, but every eighth picture of a person is held back."""
        role = self.stills()
        return hold_back(role.data, role.rows)

    def clips(self, few: int = 0) -> Role:
        """Return the same stills, to be set in motion (`data_prep.synthetic`): there is no video here."""
        return replace(self.stills(), synthetic=True)

    def test_videos(self, few: int = 0) -> TestVideos:
        """Synthetic videos of test persons: stills under smooth motion, drifting light, a passing disc in some."""
        test = self.test_stills()
        return synthetic_test_videos(test.data, test.rows, self.profile.videos[3], self.seed)
