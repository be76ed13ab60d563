"""One annotated picture, and what a reader of a data set must offer."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from rednet_core.markup import Markup

SPLITS = ("train", "validation", "test")


@dataclass
class Item:
    """One annotated picture of one face, in the frame of its source image.

    image: (H, W, 3) uint8 RGB. points: (L, 2) pixels. mask: (L,) which points are annotated (an annotated
    point may be hidden); visible: (L,) which can be seen, all of mask where a data set does not say.
    identity: a person's name; video and frame: where the picture stands in a video ("" and 0 for a still).
    yaw, pitch, roll: degrees, NaN where unknown (yaw > 0: nose to the viewer's left; pitch > 0: looking up;
    roll > 0: head tilted counter-clockwise on the screen). group: the papers' test group, "" where none.
    box: the data set's own face box (3,) = centre x, centre y, side, None where it has none; it is used where the
    points do not give one. notes: how its annotation departs from its format in ways that leave no doubt.
    """

    key: str
    image: np.ndarray
    points: np.ndarray
    mask: np.ndarray
    visible: np.ndarray
    identity: str = ""
    video: str = ""
    frame: int = 0
    yaw: float = np.nan
    pitch: float = np.nan
    roll: float = np.nan
    split: str = "train"
    group: str = ""
    box: np.ndarray | None = None
    notes: tuple[str, ...] = ()


def box_between(low: np.ndarray, high: np.ndarray) -> np.ndarray | None:
    """Return `Item.box` (3,) round two corners (2,) of a rectangle, None where they are not in order."""
    low, high = np.asarray(low, np.float64), np.asarray(high, np.float64)
    if not np.isfinite([*low, *high]).all() or not (high > low).all():
        return None
    return np.append((low + high) / 2, (high - low).max())


class Reader(Protocol):
    """A data set as a sequence: cheap to open, picklable (worker processes read it), deterministic.

    `reader[i]` returns an Item or raises BadItem; both are the same whatever is read before. `description`
    holds plain values that identify the data (they are hashed into the store's fingerprint). A reader of videos may
    have `runs()`: the ranges of items that one process should read, each in order, because decoding goes forward.
    """

    markup: Markup
    description: dict

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Item: ...
