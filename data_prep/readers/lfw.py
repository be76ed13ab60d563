"""Labeled Faces in the Wild with seven points (flandmark's table) or ten (Dantone et al.).

    <folder>/lfw/<Person>/<Person>_0001.jpg (or <Person>/ in the folder)    <folder>/LFW_annotation.txt
                                                                            <folder>/lfw_ffd_ann.txt

Both tables speak of the raw images, not of the funneled ones. Their points differ systematically: never mix them.
Every picture is for training: the papers give LFW that role, and no landmark split exists.
"""

from pathlib import Path, PurePosixPath

import numpy as np

from data_prep.errors import DataError
from data_prep.folders import AnyCase, digest, listing, open_folder
from data_prep.images import read_image
from data_prep.item import Item
from data_prep.markups import LFW10
from data_prep.pts import number, read_bytes, text_lines
from data_prep.readers.base import Listed, ListedItem, whole
from rednet_core.markup import SEVEN, Markup

HOW_TO_GET = "images: LFW's page, University of Massachusetts Amherst (lfw.tgz, the raw ones); points: "
LARGEST_TABLE = 64 << 20


class _Lfw(Listed):
    """What the two tables share; a subclass says how a row reads."""

    markup: Markup
    table = ""
    tokens = 0

    def __init__(self, folder: Path | str, base: int):
        super().__init__()
        self.folder, self.base = open_folder(folder, self.how_to_get), base
        self._any_case = AnyCase()
        path = self._any_case.file(self.folder, self.table) or self._any_case.file(self.folder.parent, self.table)
        if path is None:
            raise DataError(f"no {self.table} in it or beside it", path=self.folder, fix=self.how_to_get)
        self._images = self._any_case.folder(self.folder, "lfw") or self.folder
        if any("funneled" in place.name for place in listing(self.folder)) and self._images == self.folder:
            self.warnings.append("these look like funneled images: the points are those of the raw ones")
        seen: set[str] = set()
        for row in self._body(text_lines(read_bytes(path, "table", LARGEST_TABLE))):
            self.entries.append(self._entry(row.split(), seen))
        self._require(self.folder, f"rows in {self.table}")
        outside = sum(entry.facts.get("outside", False) for entry in self.entries)
        if outside:
            self.warnings.append(f"{outside} faces have a point outside the 250 x 250 picture")
        self.description = {"reader": f"lfw {self.markup.name}", "table": digest([path], path.parent), "base": base}

    def _body(self, lines: list[str]) -> list[str]:
        return lines

    def _entry(self, tokens: list[str], seen: set[str]) -> ListedItem:
        name = PurePosixPath(tokens[0]).name
        person = PurePosixPath(name).stem.rpartition("_")[0]
        problem, facts, path = "", {}, self._images / person / name
        if not person or "\\" in name or not name.lower().endswith((".jpg", ".png")):
            path, problem = self._images, f"bad file name {tokens[0][:80]!r} in {self.table}"
        elif len(tokens) != self.tokens:
            problem = f"{len(tokens)} columns instead of {self.tokens} in {self.table}"
        elif name.lower() in seen:
            problem = f"second row of this name in {self.table}"
        elif not (found := self._any_case.file(self._images, f"{person}/{name}")):
            problem = "image file is missing"
        else:
            path, values = found, [number(token) for token in tokens[1:]]
            if None in values:
                problem = f"{tokens[1 + values.index(None)][:40]!r} is not a number of pixels"
            else:
                points, box = self._points(np.array(values))
                if isinstance(points, str):
                    problem = points
                else:
                    facts = {"points": points, "box": box, "outside": points.min() < 0 or points.max() > 251}
        seen.add(name.lower())
        return ListedItem(f"{person}/{name}", path, problem, {**facts, "person": person})

    def _points(self, values: np.ndarray) -> tuple[np.ndarray | str, np.ndarray]:
        raise NotImplementedError

    def read(self, entry: ListedItem) -> Item:
        points = entry.facts["points"] - self.base
        image = read_image(entry.path, upright=False)
        return Item(entry.key, image, **whole(points), identity=entry.facts["person"], box=entry.facts["box"])


class LfwSeven(_Lfw):
    """Reader of LFW_annotation.txt: name, box (4), seven points (the papers' 12,007 rows); 1-based, uncertain."""

    markup = SEVEN
    table, tokens = "LFW_annotation.txt", 19
    how_to_get = HOW_TO_GET + "LFW_annotation.txt of the flandmark project"

    def __init__(self, folder: Path | str, base: int = 1):
        super().__init__(folder, base)

    def _points(self, values: np.ndarray) -> tuple[np.ndarray | str, np.ndarray]:
        box, points = values[:4].reshape(2, 2), values[4:].reshape(7, 2)[[0, 1, 2, 3, 6, 4, 5]]
        if not (np.diff(points[:4, 0]) > 0).all():  # true of all 12,007 rows
            return "eye corners are not in order from the viewer's left", box
        return points, np.append(box.mean(0) - self.base, (box[1] - box[0]).max())


class LfwTen(_Lfw):
    """Reader of lfw_ffd_ann.txt: ten points relative to a box, no nose tip. Points are as its integers have them."""

    markup = LFW10
    table, tokens = "lfw_ffd_ann.txt", 27
    how_to_get = HOW_TO_GET + "lfw_ffd_ann.txt of M. Dantone et al. (CVPR 2012)"

    def __init__(self, folder: Path | str, base: int = 0):
        super().__init__(folder, base)

    def _body(self, lines: list[str]) -> list[str]:
        # Six lines of header, one of them without '#': the table begins where a picture is named.
        start = next((i for i, line in enumerate(lines) if line.split()[0].lower().endswith(".jpg")), len(lines))
        return lines[start:]

    def _points(self, values: np.ndarray) -> tuple[np.ndarray | str, np.ndarray]:
        corner, size = values[:2], values[2:4]
        box = np.append(corner + (size - 1) / 2 - self.base, size.max())
        if values[4] not in (-2, -1, 0, 1, 2) or values[5] != 10:
            return "the head pose is none of -2 ... 2, or the number of points is not 10", box
        return corner + values[6:].reshape(10, 2), box
