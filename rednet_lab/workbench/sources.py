"""Where a run's faces come from: each source fills the three roles of the papers' training, and the test sets.

The papers' own data sets come prepared, by `python -m data_prep`: see `rednet_lab.workbench.prepared`.
"""

import os
from collections.abc import Callable
from pathlib import Path

from data_prep.prepare import MARGIN
from data_prep.readers.face_world import FaceWorldPeople, FaceWorldStills, FaceWorldVideos
from data_prep.readers.udacity import UdacityFaces
from data_prep.resume import leftovers, prepare
from data_prep.store import Store
from rednet_lab.files import remove
from rednet_lab.progress import Progress
from rednet_lab.stamp import module_hash
from rednet_lab.workbench.cache import asset, digest
from rednet_lab.workbench.prepared import PreparedSource
from rednet_lab.workbench.profiles import Profile
from rednet_lab.workbench.roles import Role, TestVideos, hold_back, synthetic_test_videos

FACES = "faces"  # where in its asset's folder a store is: rows of a killed run stay there until it is gone on with


def workers() -> int:
    """Worker processes for preparing: every core but at most eight."""
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, min(available or 1, 8))


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


class FaceWorldSource:
    """The embedded face world: all three roles of its own, common and challenging test videos."""

    what = "the embedded face world"

    def __init__(self, profile: Profile, data: str, seed: int):
        if data:
            raise ValueError("data: the face world is made here, it takes no folder; leave data empty")
        self.profile, self.seed = profile, seed

    def stills_reader(self) -> FaceWorldStills:
        """The reader behind `stills`."""
        return FaceWorldStills(self.seed, *self.profile.stills, size=_rendered(self.profile.store_size))

    def stills(self) -> Role:
        """Stills of persons that occur once (AFLW, Helen and LFPW in the papers)."""
        store = stored("stills", self.stills_reader(), self.profile.store_size)
        return Role(store, store.rows("train"))

    def people(self) -> Role:
        """Many pictures of each of some persons (LFW in the papers)."""
        p = self.profile
        store = stored("people", FaceWorldPeople(self.seed, *p.people, size=_rendered(p.store_size)), p.store_size)
        return Role(store, store.rows("train"), held_back=store.rows("validation"))

    def _videos(self) -> Store:
        p = self.profile
        return stored("videos", FaceWorldVideos(self.seed, *p.videos, size=p.frame_size), p.frame_size, margin=None)

    def clips(self) -> Role:
        """Videos for stage 3 (300-VW in the papers)."""
        store = self._videos()
        return Role(store, store.rows("train"))

    def test_stills(self) -> Role:
        """Stills of persons never trained on."""
        store = self.stills().data
        return Role(store, store.rows("test"))

    def test_videos(self) -> TestVideos:
        """Videos of persons never trained on, common and challenging (300-VW's scenarios in the papers)."""
        store = self._videos()
        groups = {group: store.rows("test", group) for group in sorted(store.groups, reverse=True)}
        return TestVideos(store, groups, "rendered videos of held-out persons")


class UdacitySource:
    """YouTube Faces in the Udacity layout: real stills in all roles, split by person, clips made of stills."""

    what = "real faces (YouTube Faces, Udacity layout)"

    def __init__(self, profile: Profile, data: str, seed: int):
        self.profile, self.seed, self.folder = profile, seed, data
        if not data:
            raise ValueError("data: name the folder of the data set, e.g. data='/path/to/P1_Facial_Keypoints/data'")

    def stills_reader(self) -> UdacityFaces:
        """The reader behind every role."""
        return UdacityFaces(self.folder)

    def _store(self) -> Store:
        return stored("udacity", self.stills_reader(), self.profile.store_size)

    def stills(self) -> Role:
        """The training persons' stills."""
        store = self._store()
        return Role(store, store.rows("train"))

    def people(self) -> Role:
        """The same stills, but every eighth picture of a person is held back."""
        store = self._store()
        return hold_back(store, store.rows("train"))

    def clips(self) -> Role:
        """The same stills, to be set in motion (`data_prep.synthetic`): there is no video here."""
        store = self._store()
        return Role(store, store.rows("train"), synthetic=True)

    def test_stills(self) -> Role:
        """The test persons' stills."""
        store = self._store()
        return Role(store, store.rows("test"))

    def test_videos(self) -> TestVideos:
        """Made videos of test persons: stills under smooth motion, drifting light, a passing disc in some."""
        store = self._store()
        return synthetic_test_videos(store, store.rows("test"), self.profile.videos[3], self.seed)


def _rendered(stored_size: int) -> int:
    # A still is rendered a little finer than it is stored: the cut resamples it.
    return round(stored_size * 4 / 3)


MAKERS: dict[str, Callable] = {"face_world": FaceWorldSource, "udacity": UdacitySource, "prepared": PreparedSource}
