"""The Talking Face video (FGNet): 5,000 numbered frames of one person, 68 points of their own markup.

    <folder>/images/franck_00000.jpg ...    <folder>/points/franck_00000.pts ...     (or all in one folder)

The 68 are not iBUG's: the markup is `talkingface68`, and every face must look like one in it. Where pixels begin is
uncertain (DATASETS 1.4): `base` 0 by default. The papers' Table 4 counts 500 frames and 5 videos, the owner 5,000
frames in five archives of 1,000; here it is one video.
"""

from collections import defaultdict
from pathlib import Path

import numpy as np

from data_prep.folders import digest, open_folder, tree
from data_prep.images import read_image
from data_prep.item import Item
from data_prep.markups import TALKING_FACE68
from data_prep.pts import read_points
from data_prep.readers.base import Listed, ListedItem, check_points, pair_up, refuse_shifted, refuse_twice, whole

HOW_TO_GET = "download the Talking Face Video from INRIA's FGNet page or T. Cootes' page (Manchester); free"


class TalkingFace(Listed):
    """Reader of the Talking Face video; frames and points are matched by stem anywhere below the folder."""

    markup = TALKING_FACE68
    how_to_get = HOW_TO_GET

    def __init__(self, folder: Path | str, base: int = 0):
        super().__init__()
        self.folder, self.base = open_folder(folder, HOW_TO_GET), base
        files = [path for path in tree(self.folder) if path.stem.rpartition("_")[2].isdecimal()]
        self.entries = pair_up(files, self.folder)
        refuse_shifted(self.entries)
        for entry in self.entries:
            number = int(entry.path.stem.rpartition("_")[2])
            entry.facts |= {"number": number, "split": "test", "identity": "franck", "video": "franck"}
        self.entries.sort(key=lambda entry: (entry.facts["number"], entry.key))
        series = defaultdict(list)  # another data set's pictures in the folder have numbers, too
        for entry in self.entries:
            series[entry.path.stem.rpartition("_")[0].lower()].append(entry)
        for entries in series.values():
            refuse_twice(entries)
        if not any(entry.facts["annotation"] for entry in self.entries):
            self.entries = []
        self._require(self.folder, "frames franck_00000.jpg with points franck_00000.pts")
        self.description = {"reader": "talking_face", "files": digest(files, self.folder), "base": base}

    def video(self, index: int) -> str:
        """Return the one video there is, "" for a bad entry."""
        entry = self.entries[index]
        return "" if entry.problem else entry.facts["video"]

    def annotation(self, index: int) -> np.ndarray:
        """Return the points (68, 2) of an entry in its picture, without reading that; raise BadItem."""
        return self.points(self.entries[index])

    def points(self, entry: ListedItem) -> np.ndarray:
        """Return the points (68, 2) of an entry, 0-based; raise BadItem where they are no Talking Face."""
        return self._marked(entry)[0]

    def _marked(self, entry: ListedItem) -> tuple[np.ndarray, tuple[str, ...]]:
        path = entry.facts["annotation"]
        points, notes = read_points(path, TALKING_FACE68.n_points)
        points = points - self.base
        check_points(points, np.ones(len(points), bool), TALKING_FACE68, path)
        return points, notes

    def read(self, entry: ListedItem) -> Item:
        marked = self._marked(entry)
        facts = {name: entry.facts[name] for name in ("identity", "video", "split")} | {"frame": entry.facts["number"]}
        return Item(key=entry.key, image=read_image(entry.path, upright=False), **whole(*marked), **facts)
