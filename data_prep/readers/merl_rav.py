"""MERL-RAV: 19,314 faces of AFLW with 68 points, each seen, covered by something, or hidden by the head itself.

    <folder>/merl_rav_organized/<view>/trainset/image00019.jpg + .pts   testset; views: frontal, lefthalf, left, ...

A .pts codes by sign: (x, y) is seen; (-x, -y) is covered, and its place is an estimate; (-1, -1) is hidden by the head,
and has no place. The labels alone (merl_rav_labels) have no pictures: its owner's script puts AFLW's beside them.
Pixels are taken to begin at 0 (`base`), which its owner does not say. Test faces are in a group a view.
"""

from pathlib import Path

import numpy as np

from data_prep.errors import BadItem, DataError
from data_prep.folders import AnyCase, digest, listing, open_folder
from data_prep.images import read_image
from data_prep.item import Item
from data_prep.pts import read_points
from data_prep.readers.base import Listed, ListedItem, pair_up
from rednet_core.markup import IBUG68

HOW_TO_GET = "clone MERL-RAV_dataset (A. Kumar et al., CVPR 2020), get AFLW, and run its script, which pairs them"
VIEWS = ("frontal", "left", "lefthalf", "right", "righthalf")
HALVES = {"trainset": "train", "testset": "test"}
LEAST = 2  # points that have a place


class MerlRav(Listed):
    """Reader of MERL-RAV; covered points are annotated but not visible, hidden ones are masked."""

    markup = IBUG68
    any_pose = True
    how_to_get = HOW_TO_GET

    def __init__(self, folder: Path | str, base: int = 0):
        super().__init__()
        self.folder, self.base = open_folder(folder, HOW_TO_GET), base
        self.whole_copy = {"train": 15449, "test": 3865}
        look, inside = AnyCase(), [f"{view}/{half}" for view in VIEWS for half in HALVES]
        named = (look.folder(self.folder, name) for name in ("merl_rav_organized", "merl_rav_labels"))
        root = next((root for root in (self.folder, *named) if root and look.folder(root, *inside)), None)
        if root is None:
            raise DataError("no <view>/trainset and <view>/testset in it", path=self.folder, fix=HOW_TO_GET)
        files = []
        for view in VIEWS:
            for half, split in HALVES.items():
                place = look.folder(root, f"{view}/{half}")
                here = [path for path in listing(place) if path.is_file()] if place else []
                files += here
                entries = pair_up(here, root)
                for entry in entries:
                    entry.facts |= {"split": split, "group": f"MERL-RAV {view}" if split == "test" else ""}
                self.entries += entries
        self._require(root, "pairs of .jpg and .pts")
        if all(entry.problem == "annotation without image" for entry in self.entries):
            self.warnings.append("the labels alone: run its owner's script, which puts AFLW's pictures beside them")
        self.description = {"reader": "merl_rav", "files": digest(files, root), "base": base}

    def read(self, entry: ListedItem) -> Item:
        coded, notes = read_points(entry.facts["annotation"], IBUG68.n_points)
        points, mask, visible = decode(coded)
        if mask.sum() < LEAST:
            raise BadItem("fewer than two points have a place", path=entry.facts["annotation"], field="points")
        points = np.where(mask[:, None], points - self.base, (points[mask] - self.base).mean(0))
        image = read_image(entry.path, upright=False)
        facts = {name: entry.facts[name] for name in ("split", "group")}
        return Item(entry.key, image, points.astype(np.float32), mask, visible, **facts, notes=notes)


def decode(coded: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return points (68, 2), mask (68,) and visible (68,) of coordinates (68, 2) that are coded by sign.

    A point with one coordinate below 0 is outside the picture, not coded.
    """
    both, mask = np.asarray((coded < 0).all(-1)), np.asarray((coded != -1).any(-1))
    return np.where(both[:, None], -coded, coded), mask, mask & ~both
