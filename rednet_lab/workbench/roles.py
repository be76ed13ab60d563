"""The parts that data plays in a run: what a stage trains on, and videos to track."""

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from data_prep.synthetic import SyntheticClips, synthetic_videos
from rednet_core.batches import Clips

SYNTHETIC_TEST_VIDEOS = 40  # stills of test persons that are set in motion, for sources without video
HELD_BACK = 8  # where a source has no pictures set apart, every eighth of a person is


@dataclass(frozen=True)
class Role:
    """What one stage trains on: a store, its training rows, and whether its clips are made of stills.

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
        """How many clips of so many frames an epoch has: as many as fill the rows, or `each` of every video."""
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
    """The Role of training rows of known persons, every eighth picture of each held back.

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
    chosen = rows[np.linspace(0, len(rows) - 1, min(SYNTHETIC_TEST_VIDEOS, len(rows))).astype(int)]
    yaw = np.abs(data.table["yaw"][chosen])
    videos = synthetic_videos(data, chosen, frames, seed=seed)
    groups = {"common": yaw < 30, "challenging": yaw >= 30, "yaw unknown": np.isnan(yaw)}
    places = videos.table["video"]
    found = {name: np.flatnonzero(keep[places]) for name, keep in groups.items() if keep.any()}
    return TestVideos(videos, found, "videos made of real stills by moving the camera; grouped by estimated yaw")
