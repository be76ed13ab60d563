"""The embedded face world as data sets: stills, pictures of known persons, and videos.

They stand in for the papers' three roles: AFLW + Helen + LFPW, LFW, and 300-VW with its common and challenging
videos. No person occurs in two splits or two of the three sets; everything follows from the seed.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from data_prep.face_world import FaceWorld, Sample
from data_prep.item import Item
from rednet_core.geometry import face_box
from rednet_core.markup import IBUG68

GROUPS = ("common", "challenging")
HELD_OUT = 1_000_000  # numbers of test stills and test videos start here, far from any training number
COVERED, EVERY, FRAMES, SHARES = "covered", 20, (3, 8), (0.3, 1.0)  # one cover in each 20 frames, so long, so much


def cover(seed: int, video: int, frame: int) -> tuple[float, int, np.ndarray] | None:
    """Return (share of the face, from which side, colour) of what covers the face in a frame of a video, or None.

    Every 20 frames something covers 30 to 100 % of the face for 3 to 8 frames, never in the first two of them.
    """
    random = np.random.default_rng([seed, video, frame // EVERY])
    length = random.integers(FRAMES[0], FRAMES[1] + 1)
    begin = random.integers(2, EVERY - length + 1)
    found = float(random.uniform(*SHARES)), int(random.integers(4)), random.uniform(30, 200, 3)
    return found if begin <= frame % EVERY < begin + length else None


def covered(sample: Sample, seed: int, video: int, frame: int) -> Sample:
    """Return a frame as it looks through a cover; half of all videos are dark and blurred besides."""
    image, visible, random = (
        sample.image.astype(np.float32),
        sample.visible.copy(),
        np.random.default_rng([seed, video]),
    )
    found = cover(seed, video, frame)
    if found:
        share, side, colour = found
        x, y, size = face_box(sample.points, IBUG68)
        size *= 1.1  # the face box ends at the outermost points
        low, high = np.array([x, y]) - size / 2, np.array([x, y]) + size / 2
        axis = side % 2
        if side < 2:
            high[axis] = low[axis] + share * size
        else:
            low[axis] = high[axis] - share * size
        (left, top), (right, bottom) = np.maximum(low, 0).round().astype(int), np.maximum(high, 0).round().astype(int)
        hidden = image[top:bottom, left:right]
        grain = np.random.default_rng([seed, video, frame]).normal(0, 12, hidden.shape)
        image[top:bottom, left:right] = colour + grain
        visible &= ~((sample.points >= low) & (sample.points <= high)).all(-1)
    if random.random() < 0.5:
        dark = np.asarray(image * random.uniform(0.25, 0.7), np.float32)
        image = np.asarray(cv2.GaussianBlur(dark, (0, 0), random.uniform(0.5, 1.5)), np.float32)
    return replace(sample, image=image.clip(0, 255).round().astype(np.uint8), visible=visible)


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
        index = range(len(self))[index]  # an IndexError past the end, so that a loop over the reader ends
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
        index = range(len(self))[index]
        person, picture = divmod(index, self.pictures)
        sample = FaceWorld(self.seed, self.size).identity_still(person, picture)
        split = "validation" if picture % 5 == 4 else "train"
        return _item(sample, f"person {person} picture {picture}", split=split)


@dataclass(frozen=True)
class FaceWorldVideos:
    """Videos: `train` of train_frames frames each, and `test` of test_frames of other persons; half are challenging.

    The whole rendered frame is kept (prepare with margin=None): the face moves in it, as a tracker needs. covers:
    see `cover`; the frames that it covers are a group of their own.
    """

    seed: int
    train: int
    train_frames: int
    test: int
    test_frames: int
    size: int
    covers: bool = False

    markup = IBUG68

    @property
    def description(self) -> dict:
        counts = [self.train, self.train_frames, self.test, self.test_frames]
        told = {"reader": "face_world videos", "seed": self.seed, "counts": counts, "size": self.size}
        return told | ({"covers": [EVERY, *FRAMES, *SHARES]} if self.covers else {})

    def __len__(self) -> int:
        return self.train * self.train_frames + self.test * self.test_frames

    def __getitem__(self, index: int) -> Item:
        index = range(len(self))[index]
        held = index - self.train * self.train_frames
        video, frame = divmod(index, self.train_frames) if held < 0 else divmod(held, self.test_frames)
        number = video if held < 0 else HELD_OUT + video
        group = GROUPS[video % 2]
        sample = FaceWorld(self.seed, self.size).frame(number, frame, difficulty=group)
        if self.covers:
            sample = covered(sample, self.seed, number, frame)
            group = COVERED if cover(self.seed, number, frame) else group
        facts = {"video": f"{GROUPS[video % 2]} {number}", "frame": frame, "group": group}
        return _item(sample, f"video {number} frame {frame}", split="train" if held < 0 else "test", **facts)
