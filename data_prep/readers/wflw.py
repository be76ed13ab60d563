"""WFLW: 98 points, six attributes a face, one line of a text file a face.

    <folder>/WFLW_images/<event>/<name>.jpg
    <folder>/WFLW_annotations/list_98pt_rect_attr_train_test/list_98pt_rect_attr_train.txt   and ..._test.txt

A line is 98 x 2 coordinates, the box's corners (left, top, right, bottom), six 0 or 1 (pose, expression, illumination,
make-up, occlusion, blur) and the picture's place: 207 fields. A picture may have several faces, one line each. Pixels
are taken to begin at 0 (`base`), which its owner does not say. There are neither persons nor poses.
"""

from pathlib import Path, PurePosixPath

import numpy as np

from data_prep.errors import DataError
from data_prep.folders import AnyCase, digest, open_folder
from data_prep.images import read_image
from data_prep.item import Item, box_between
from data_prep.markups import WFLW98
from data_prep.pts import number, read_bytes, text_lines
from data_prep.readers.base import Listed, ListedItem, whole

HOW_TO_GET = "download WFLW_images.tar.gz and WFLW_annotations.tar.gz from W. Wu's page of WFLW (LAB, CVPR 2018)"
ATTRIBUTES = ("pose", "expression", "illumination", "make-up", "occlusion", "blur")
NUMBERS = 2 * WFLW98.n_points + 4 + len(ATTRIBUTES)
LISTS = "list_98pt_rect_attr_train_test"
PLACES = (f"WFLW_annotations/{LISTS}", LISTS, "WFLW_annotations", "annotations", ".", f"WFLW/WFLW_annotations/{LISTS}")
LARGEST_TABLE = 64 << 20  # bytes; the training list has 17 MB


class Wflw(Listed):
    """Reader of WFLW; only names an attribute, and then test faces without it are left out (such as only=pose)."""

    markup = WFLW98
    any_pose = True
    how_to_get = HOW_TO_GET

    def __init__(self, folder: Path | str, base: int = 0, only: str = ""):
        super().__init__()
        if only and only not in ATTRIBUTES:
            raise DataError(f"only {only!r}, known: {', '.join(ATTRIBUTES)}", field="only")
        self.folder, self.base = open_folder(folder, HOW_TO_GET), base
        self.whole_copy = {"train": 7500, "test": 2500} if not only else {}
        self._any_case = AnyCase()
        images = [f"{root}{name}" for root in ("", "WFLW/") for name in ("WFLW_images", "images")]
        self._images = self._any_case.folder(self.folder, *images) or self.folder
        files = []
        for split in ("train", "test"):
            name = f"list_98pt_rect_attr_{split}.txt"
            path = self._any_case.file(self.folder, *(f"{place}/{name}" for place in PLACES))
            if path is None:
                self.warnings.append(f"{name} is missing: no {split} faces")
                continue
            files.append(path)
            lines = text_lines(read_bytes(path, "table", LARGEST_TABLE))
            if not lines:
                self.warnings.append(f"{path.name} is empty: no {split} faces")
            for place, line in enumerate(lines, 1):
                entry = self._entry(line, f"{split}/{place}", path)
                entry.facts["split"] = split
                if split == "train" or not only or entry.problem or entry.facts["attributes"][ATTRIBUTES.index(only)]:
                    self.entries.append(entry)
        self._require(self.folder, f"{LISTS}/list_98pt_rect_attr_train.txt")
        self.description = {"reader": "wflw", "lists": digest(files, self.folder), "base": base, "only": only}

    def _entry(self, line: str, key: str, table: Path) -> ListedItem:
        fields = line.split(maxsplit=NUMBERS)
        where = f"line {key.partition('/')[2]} of {table.name}"
        if len(fields) != NUMBERS + 1:
            return ListedItem(key, table, f"{where}: {len(line.split())} fields instead of {NUMBERS + 1}")
        place = PurePosixPath(fields[-1].replace("\\", "/"))
        if place.is_absolute() or ".." in place.parts or ":" in fields[-1]:
            return ListedItem(key, table, f"{where}: bad picture name {fields[-1][:80]!r}")
        path, values = self._images / place, [number(field) for field in fields[:-1]]
        if None in values:
            return ListedItem(key, path, f"{where}: {fields[values.index(None)][:40]!r} is not a number of pixels")
        attributes = values[-len(ATTRIBUTES) :]
        if not set(attributes) <= {0.0, 1.0}:
            return ListedItem(key, path, f"{where}: an attribute is neither 0 nor 1")
        found = self._any_case.file(self._images, place)
        path, problem = found or path, "" if found else "image file is missing"
        numbers = np.array(values[: -len(ATTRIBUTES)], np.float64).reshape(-1, 2)
        return ListedItem(key, path, problem, {"numbers": numbers, "attributes": tuple(map(bool, attributes))})

    def tally(self) -> list[str]:
        """Return what there is of each split, and how many test faces have each attribute."""
        found = [e.facts["attributes"] for e in self.entries if not e.problem and e.facts["split"] == "test"]
        counts = np.array(found, int).reshape(-1, len(ATTRIBUTES)).sum(0)
        said = ", ".join(f"{count:,} {name}" for name, count in zip(ATTRIBUTES, counts, strict=True))
        return [*super().tally(), *([f"test attributes: {said}"] if found else [])]

    def read(self, entry: ListedItem) -> Item:
        numbers = entry.facts["numbers"] - self.base
        points, box = numbers[: WFLW98.n_points], box_between(*numbers[WFLW98.n_points :])
        image = read_image(entry.path, upright=False)
        return Item(entry.key, image, **whole(points), split=entry.facts["split"], box=box)
