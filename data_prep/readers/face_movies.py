"""Face Movies (Peng et al., ICCV 2015): 6 videos, 2,150 frames; how it lies on disk is not known (DATASETS 7).

Taken are, for each <folder>/<video>: img/*.jpg with annot/*.pts of the same stem (the authors' demo), vid.avi with
annot/000001.pts (as 300-VW), and pictures beside .pts or plain .txt (68 lines of x y) of the same stem.
"""

import re
from pathlib import Path

import numpy as np

from data_prep.errors import BadItem
from data_prep.folders import AnyCase, digest, listing, open_folder
from data_prep.images import read_image
from data_prep.item import Item
from data_prep.pts import coordinates, read_bytes, read_points, text_lines
from data_prep.readers.base import ListedItem, pair_up, refuse_shifted, refuse_twice, whole
from data_prep.readers.clips import VideoListed
from rednet_core.markup import IBUG68

HOW_TO_GET = "it cannot be downloaded any more; ask the authors of PIEFA (Rutgers), or do without it"
EXPECTED = {"videos": 6, "frames": 2150}


class FaceMovies(VideoListed):
    """Reader of Face Movies; frames are in order of the number in their names. The markup is taken to be iBUG's."""

    markup = IBUG68
    how_to_get = HOW_TO_GET

    def __init__(self, folder: Path | str, base: int = 0):
        super().__init__()
        self.folder, self.base = open_folder(folder, HOW_TO_GET), base
        look, files, videos = AnyCase(), [], 0
        for place in listing(self.folder):
            start = len(self.entries)
            if place.is_dir() and look.file(place, "vid.avi"):
                files += self.add_video(place)
            elif place.is_dir():
                subs = (place, look.folder(place, "img"), look.folder(place, "annot"))
                here = [path for sub in subs if sub for path in listing(sub) if path.is_file()]
                files += here
                self.entries += _frames(place, here, self.folder)
            videos += len(self.entries) > start
        if not any(entry.facts.get("annotation") for entry in self.entries):
            self.entries = []
        for entry in self.entries:
            entry.facts |= {"split": "test", "identity": entry.facts["video"]}
        self._require(self.folder, "<video>/img/*.jpg with <video>/annot/*.pts")
        for what, count in (("videos", videos), ("frames", len(self.entries))):
            if count != EXPECTED[what]:
                self.warnings.append(f"{what}: {count:,} here, {EXPECTED[what]:,} in the papers")
        self.description = {"reader": "face_movies", "files": digest(files, self.folder), "base": base}

    def parse(self, path: Path) -> tuple[np.ndarray, tuple[str, ...]]:
        if path.suffix.lower() == ".pts":
            return read_points(path, IBUG68.n_points)
        return parse_plain(read_bytes(path), path), ()

    def read(self, entry: ListedItem) -> Item:
        marked = self.marked(entry)
        image = self.frame(entry) if "file" in entry.facts else read_image(entry.path, upright=False)
        facts = {name: entry.facts[name] for name in ("video", "identity", "split")} | {"frame": entry.facts["number"]}
        return Item(key=entry.key, image=image, **whole(*marked), **facts)


def _frames(place: Path, files: list[Path], root: Path) -> list[ListedItem]:
    entries = pair_up(files, root, (".pts", ".txt"))
    for entry in entries:
        digits = re.findall(r"\d+", entry.path.stem)
        entry.facts |= {"video": place.name, "number": int(digits[-1][-9:]) if digits else 0}
        if not digits and not entry.problem:
            entry.problem = "no frame number in its name"
    refuse_shifted(entries)
    entries.sort(key=lambda entry: (entry.facts["number"], entry.key))
    refuse_twice(entries)
    return entries


def parse_plain(data: bytes, path: Path | str | None = None) -> np.ndarray:
    """Return points (68, 2) float64 of a text file of 68 lines of two numbers; raise BadItem."""
    lines = text_lines(data)
    if len(lines) != IBUG68.n_points:
        raise BadItem(f"{len(lines)} lines instead of {IBUG68.n_points}", path=path, field="points")
    points = [coordinates(line) for line in lines]
    for place, pair in enumerate(points, 1):
        if isinstance(pair, str):
            raise BadItem(pair, path=path, field=f"point {place}")
    return np.array(points)
