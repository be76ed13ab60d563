"""The embedded face world as data sets: stills, pictures of known persons, and videos.

They stand in for the papers' three roles: AFLW + Helen + LFPW, LFW, and 300-VW with its common and challenging
videos. No person occurs in two splits or two of the three sets; everything follows from the seed.
"""

from dataclasses import dataclass

import numpy as np

from data_prep.face_world import FaceWorld, Sample
from data_prep.item import Item
from rednet_core.markup import IBUG68

GROUPS = ("common", "challenging")
HELD_OUT = 1_000_000  # numbers of test stills and test videos start here, far from any training number


def _item(sample: Sample, key: str, **facts) -> Item:
    annotated = np.ones(IBUG68.n_points, bool)
    return Item(
        key=key,
        image=sample.image,
        points=sample.points,
        mask=annotated,
        visible=sample.visible,
        identity=f"person {sample.identity}",
        yaw=sample.yaw,
        pitch=sample.pitch,
        roll=sample.roll,
        **facts,
    )


@dataclass(frozen=True)
class FaceWorldStills:
    """`train` stills for training, and `validation` and `test` stills of other persons."""

    seed: int
    train: int
    validation: int
    test: int
    size: int  # pixels of the rendered picture

    markup = IBUG68

    @property
    def description(self) -> dict:
        counts = [self.train, self.validation, self.test]
        return {"reader": "face_world stills", "seed": self.seed, "counts": counts, "size": self.size}

    def __len__(self) -> int:
        return self.train + self.validation + self.test

    def __getitem__(self, index: int) -> Item:
        held = index - self.train
        split = "train" if held < 0 else "validation" if held < self.validation else "test"
        number = index if held < 0 else HELD_OUT + held
        sample = FaceWorld(self.seed, self.size).still(number)
        return _item(sample, f"still {number}", split=split)


@dataclass(frozen=True)
class FaceWorldPeople:
    """`pictures` stills of each of `people` persons; every fifth picture of a person is for validation."""

    seed: int
    people: int
    pictures: int
    size: int

    markup = IBUG68

    @property
    def description(self) -> dict:
        counts = [self.people, self.pictures]
        return {"reader": "face_world people", "seed": self.seed, "counts": counts, "size": self.size}

    def __len__(self) -> int:
        return self.people * self.pictures

    def __getitem__(self, index: int) -> Item:
        person, picture = divmod(index, self.pictures)
        sample = FaceWorld(self.seed, self.size).identity_still(person, picture)
        split = "validation" if picture % 5 == 4 else "train"
        return _item(sample, f"person {person} picture {picture}", split=split)


@dataclass(frozen=True)
class FaceWorldVideos:
    """Videos of `frames` frames each: `train` for training and `test` of other persons, half of each challenging.

    The whole rendered frame is kept (prepare with margin=None): the face moves in it, as a tracker needs.
    """

    seed: int
    train: int
    test: int
    frames: int
    size: int

    markup = IBUG68

    @property
    def description(self) -> dict:
        counts = [self.train, self.test, self.frames]
        return {"reader": "face_world videos", "seed": self.seed, "counts": counts, "size": self.size}

    def __len__(self) -> int:
        return (self.train + self.test) * self.frames

    def __getitem__(self, index: int) -> Item:
        video, frame = divmod(index, self.frames)
        number = video if video < self.train else HELD_OUT + video - self.train
        group = GROUPS[video % 2]
        sample = FaceWorld(self.seed, self.size).frame(number, frame, difficulty=group)
        split = "train" if video < self.train else "test"
        return _item(
            sample, f"video {number} frame {frame}", video=f"{group} {number}", frame=frame, split=split, group=group
        )
