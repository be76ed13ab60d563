"""Helen as first released: 194 points, which are no seven (there is no nose tip) and no iBUG 68.

    <folder>/helen_1 ... helen_5/*.jpg (or train_1 ... test, or any)    <folder>/annotation/1.txt ... 2330.txt
    <folder>/trainnames.txt  testnames.txt

An annotation file is named by a number that says nothing; its first line is the picture's name. Which eye comes
first, and which way round the lines run, is told differently (DATASETS 4.2): it is decided here from the mean face
of the whole folder, once for all pictures, and the points are put into the order of the markup `helen194`.
"""

from collections import defaultdict
from pathlib import Path

import numpy as np

from data_prep.errors import BadItem, DataError
from data_prep.folders import AnyCase, digest, listing, open_folder, tree
from data_prep.images import read_image
from data_prep.item import Item
from data_prep.markups import HELEN194
from data_prep.pts import coordinates, read_bytes, text_lines
from data_prep.readers.base import PICTURES, Listed, ListedItem, whole

HOW_TO_GET = "download Helen from its page at the University of Illinois (V. Le et al.); for RED-Net use iBUG's form"
OPEN_LINES = ((0, 41), (41, 58))  # jaw, nose: first and one past the last
LIPS = ((58, 86), (86, 114))
PAIRS = (((114, 134), (134, 154)), ((154, 174), (174, 194)))  # eyes, brows


def parse_helen(data: bytes, path: Path | str | None = None) -> tuple[str, np.ndarray]:
    """Return picture name and points (194, 2) float64, as the file has them, of an annotation file; raise BadItem."""
    lines = text_lines(data)
    if not lines:
        raise BadItem("empty annotation file", path=path)
    name, body = lines[0], lines[1:]
    if "/" in name or "\\" in name or isinstance(coordinates(name), tuple):
        raise BadItem(f"first line {name[:40]!r} is no picture name", path=path, field="name")
    if len(body) != HELEN194.n_points:
        raise BadItem(f"{len(body)} points instead of {HELEN194.n_points}", path=path, field="points")
    decimals = [len(line.rpartition(".")[2]) for line in body]
    if not data.endswith((b"\n", b"\r")) and decimals[-1] < min(decimals[:-1]):
        raise BadItem("cut off: the last number may be incomplete", path=path, field="points")
    points = []
    for place, line in enumerate(body, 1):
        pair = coordinates(line)
        if isinstance(pair, str):
            raise BadItem(pair, path=path, field=f"point {place}")
        points.append(pair)
    return name, np.array(points)


def canonical_order(mean: np.ndarray) -> np.ndarray:
    """Return which of the file's points (194, 2) stands at each place of `helen194`, from an upright mean face."""
    order = np.arange(HELEN194.n_points)
    x, y = mean.T
    for first, end in OPEN_LINES:
        if x[first] > x[end - 1]:
            order[first:end] = order[first:end][::-1]
    for first, end in LIPS:
        order[first:end] = _loop(order[first:end], x, y, outer_is_left=True)
    for one, other in PAIRS:
        blocks = sorted((order[slice(*one)].copy(), order[slice(*other)].copy()), key=lambda block: x[block].mean())
        order[slice(*one)] = _loop(blocks[0], x, y, outer_is_left=True)
        order[slice(*other)] = _loop(blocks[1], x, y, outer_is_left=False)
    return order


def _loop(block: np.ndarray, x: np.ndarray, y: np.ndarray, outer_is_left: bool) -> np.ndarray:
    """Return a closed line begun at its outer corner (one of the first and the middle point) and run over the top."""
    half = len(block) // 2
    if (x[block[0]] > x[block[half]]) == outer_is_left:
        block = np.roll(block, -half)
    if y[block[1:half]].mean() > y[block[half + 1 :]].mean():
        block = np.append(block[:1], block[:0:-1])
    return block


def _stem(name: str) -> str:
    return name[:-4] if name.lower().endswith(".jpg") else name


class HelenOriginal(Listed):
    """Reader of Helen's original release; `base` is subtracted from coordinates (0: taken as 0-based, uncertain)."""

    markup = HELEN194
    how_to_get = HOW_TO_GET

    def __init__(self, folder: Path | str, base: int = 0):
        super().__init__()
        self.folder, self.base = open_folder(folder, HOW_TO_GET), base
        annotation = AnyCase().folder(self.folder, "annotation") or self.folder / "annotation"
        texts = [path for path in listing(annotation) if path.suffix.lower() == ".txt"]
        if not texts:
            raise DataError("no annotation/*.txt in it", path=self.folder, fix=HOW_TO_GET)
        pictures = defaultdict(list)
        for path in tree(self.folder):
            if path.suffix.lower() in PICTURES:
                pictures[path.stem.lower()].append(path)
        split = {name: kind for kind in ("train", "test") for name in self._names(f"{kind}names.txt")}
        named: dict = {}
        total, good = np.zeros((HELEN194.n_points, 2)), 0
        for path in sorted(texts, key=lambda path: (len(path.stem), path.stem)):
            entry = self._entry(path, pictures, split, named)
            self.entries.append(entry)
            if not entry.problem:
                points = entry.facts.pop("all")
                total += (points - points.mean(0)) / max(points.std(), 1e-6)
                good += 1
        for stem in sorted(pictures.keys() - named.keys()):
            path = pictures[stem][0]
            self.entries.append(ListedItem(path.stem, path, "image without annotation"))
        self._order = canonical_order(total / max(good, 1))
        if not split:
            self.warnings.append("trainnames.txt and testnames.txt are missing: every picture is for training")
        self.description = {"reader": "helen194", "files": digest(texts, self.folder), "base": base}

    def _names(self, name: str) -> list[str]:
        path = AnyCase().file(self.folder, name)
        return [_stem(line).lower() for line in text_lines(read_bytes(path))] if path else []

    def _entry(self, path: Path, pictures: dict, split: dict, named: dict) -> ListedItem:
        try:
            name, points = parse_helen(read_bytes(path), path)
        except BadItem as error:
            return ListedItem(path.stem, path, error.problem)
        stem = _stem(name)
        alike = pictures.get(stem.lower(), [])
        problem, found = "", [path for path in alike if path.stem == stem] or alike
        if stem.lower() in named:
            problem = f"{name} is annotated a second time (first in {named[stem.lower()]})"
        elif len(found) != 1:
            problem = f"{len(found)} images are called {stem}" if found else f"its image {stem} is missing"
        named.setdefault(stem.lower(), path.name)
        facts = {"annotation": path, "split": split.get(stem.lower(), "train"), "all": points}
        return ListedItem(stem, found[0] if found else path, problem, facts)

    def read(self, entry: ListedItem) -> Item:
        _, points = parse_helen(read_bytes(entry.facts["annotation"]), entry.facts["annotation"])
        points = points[self._order] - self.base
        eyes = [points[first:end, 0].mean() for first, end in PAIRS[0]]
        if eyes[0] >= eyes[1]:
            raise BadItem("the eyes are the other way round than in the other pictures", path=entry.path)
        return Item(
            key=entry.key, image=read_image(entry.path, upright=False), **whole(points), split=entry.facts["split"]
        )
