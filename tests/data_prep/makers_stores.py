"""Prepared stores of drawn faces, with what a test wants to be known of each."""

from dataclasses import dataclass

import numpy as np

from data_prep.item import Item
from data_prep.markup_shapes import sketch
from data_prep.prepare import prepare
from rednet_core.markup import IBUG68
from tests.helpers import face, face_picture


@dataclass
class Drawn:
    """A reader of drawn faces; facts are the fields of each item that are not the same in all."""

    facts: list
    name: str = "drawn"
    markup: object = IBUG68

    @property
    def description(self):
        return {"reader": self.name}

    def __len__(self):
        return len(self.facts)

    def __getitem__(self, index):
        points = face((48 + index % 5, 44), 50, 0.02 * (index % 3))
        image = face_picture(96, points, np.random.default_rng(index))
        points = sketch(points, self.markup).astype(np.float32)
        known = np.ones(len(points), bool)
        return Item(f"{self.name} {index}", image, points, known, known.copy(), **self.facts[index])


SPLIT = {"train": 12, "test": 4}


def stills(name="drawn", persons=False, **more):
    facts = [{"split": split, **more} for split, count in SPLIT.items() for _ in range(count)]
    for i, one in enumerate(facts):
        one["identity"] = f"{name} {one['split']} {i % 3}" if persons else ""
    return Drawn(facts, name)


def videos(groups=("common", "challenging"), yaws=(5.0, 50.0), frames=4):
    facts = []
    for split, count in (("train", 3), ("test", 2)):
        for video in range(count):
            group, yaw = groups[video % 2], yaws[video % 2]
            who = {"identity": f"{split} {video}", "video": f"{split} {video}", "split": split}
            facts += [{**who, "group": group, "yaw": yaw, "frame": t} for t in range(frames)]
    return Drawn(facts, "filmed")


def put(folder, part, reader, size=48, **choices):
    return prepare(reader, folder / part, size, **choices)[0]
