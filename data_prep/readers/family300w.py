"""300-W in one folder: the four sets of its family side by side, and dlib's copy, whose points are in one XML file.

    <folder>/afw/ helen/trainset/ helen/testset/ ibug/ lfpw/trainset/ lfpw/testset/     pairs of picture and .pts
    <folder>/labels_ibug_300W_train.xml  _test.xml                                      dlib's, same pictures below

Usual split: training 3,148 (afw, and the training halves), test 554 ("common": both test halves) and 135
("challenging": ibug). dlib splits by its own draw, and has mirror images ("..._mirror.jpg").
"""

import xml.etree.ElementTree as ElementTree
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from data_prep.errors import BadItem, DataError
from data_prep.folders import AnyCase, digest, open_folder
from data_prep.images import read_image
from data_prep.item import Item, box_between
from data_prep.pts import number
from data_prep.readers.base import Listed, ListedItem, whole
from data_prep.readers.ibug import HOW_TO_GET, SETS, IbugFaces
from rednet_core.markup import IBUG68

DLIB = "download ibug_300W_large_face_landmark_dataset.tar.gz from dlib's page of data"
LARGEST_XML = 256 << 20  # bytes; the training file has 30 MB


class Family300W(IbugFaces):
    """Reader of several sets of the 300-W family in one folder; options as a single set's."""

    def __init__(self, folder: Path | str, base: int = 1, boxes: Path | str | None = None, test_half: str = "test"):
        root, self.parts = open_folder(folder, HOW_TO_GET), {}
        for name in SETS:
            if place := AnyCase().folder(root, name):
                try:
                    self.parts[name] = IbugFaces(place, name, base, boxes, test_half)
                except DataError as error:
                    if error.field:  # not "nothing of it is here"
                        raise
        if not self.parts:
            raise DataError(f"no {', '.join(SETS)} in it", path=root, fix=HOW_TO_GET)
        Listed.__init__(self)
        self.folder, self.base = root, base
        if absent := sorted(SETS.keys() - self.parts.keys()):
            self.warnings.append(f"without {', '.join(absent)}")
        for name, part in self.parts.items():
            for entry in part.entries:
                entry.key = f"{name}/{entry.key}"
            self.entries += part.entries
            self.warnings += [f"{name}: {warning}" for warning in part.warnings]
            for split, count in part.whole_copy.items():
                self.whole_copy[split] = self.whole_copy.get(split, 0) + count
        sets = {name: part.description["files"] for name, part in self.parts.items()}
        self.description = {"reader": "300w", "sets": sets, "base": base, "test_half": test_half}
        self.parts = {}  # their entries are here


class Dlib300W(Listed):
    """Reader of dlib's copy of 300-W; mirrored=True reads its mirror images, too. Whole pixels, base 0 (uncertain)."""

    markup = IBUG68
    how_to_get = DLIB

    def __init__(self, folder: Path | str, mirrored: bool = False, base: int = 0):
        super().__init__()
        self.folder, self.base = open_folder(folder, DLIB), base
        self._any_case, files = AnyCase(), []
        for split in ("train", "test"):
            name = f"labels_ibug_300W_{split}.xml"
            path = self._any_case.file(self.folder, name)
            if path is None:
                self.warnings.append(f"{name} is missing: no {split} faces")
                continue
            files.append(path)
            count = 0
            for count, image in enumerate(images_of(path), 1):
                for face, box in enumerate(image.findall("box")):
                    entry = self._entry(image, box, face, f"image {count} of {path.name}")
                    entry.facts["split"] = split
                    if mirrored or not entry.path.stem.lower().endswith("_mirror"):
                        self.entries.append(entry)
            if not count:
                self.warnings.append(f"{path.name} holds no image: no {split} faces")
        self._require(self.folder, "labels_ibug_300W_train.xml")
        self.description = {"reader": "300w_dlib", "files": digest(files, self.folder), "base": base}
        self.description["mirrored"] = mirrored

    def _entry(self, image, box, face: int, where: str) -> ListedItem:
        name = image.get("file", "")
        place = PurePosixPath(name.replace("\\", "/"))
        if not name or place.is_absolute() or ".." in place.parts or ":" in name:
            return ListedItem(where, self.folder, f"{where}: bad picture name {name[:80]!r}")
        path, key = self.folder / place, place.with_suffix("").as_posix() + f"/{face}" * (face > 0)
        parts = {part.get("name", ""): (part.get("x", ""), part.get("y", "")) for part in box.findall("part")}
        wanted = [f"{i:02}" for i in range(IBUG68.n_points)]
        if sorted(parts) != wanted:
            return ListedItem(key, path, f"{where}: {len(parts)} named parts instead of 00 ... 67")
        values = [number(text) for name in wanted for text in parts[name]]
        sides = [number(box.get(side, "")) for side in ("left", "top", "width", "height")]
        if None in values:
            return ListedItem(key, path, f"{where}: a part has no coordinates")
        corner = None if None in sides else np.array(sides[:2])
        frame = None if corner is None else box_between(corner, corner + np.array(sides[2:]) - 1)
        found = self._any_case.file(self.folder, place)
        path, problem = found or path, "" if found else "image file is missing"
        size = number(image.get("width", "")), number(image.get("height", ""))
        facts = {"points": np.array(values, np.float64).reshape(-1, 2), "box": frame, "size": size}
        return ListedItem(key, path, problem, facts)

    def read(self, entry: ListedItem) -> Item:
        points = entry.facts["points"] - self.base
        image, size = read_image(entry.path, upright=False), entry.facts["size"]
        if None not in size and image.shape[1::-1] != size:
            problem = f"image of {image.shape[1]} x {image.shape[0]} pixels, by the XML of {size[0]:g} x {size[1]:g}"
            raise BadItem(problem, path=entry.path, field="width, height")
        return Item(entry.key, image, **whole(points), split=entry.facts["split"], box=entry.facts["box"])


def images_of(path: Path):
    """Give the image elements of dlib's XML one by one; raise DataError for any other file.

    A stranger's file: a document type, which could make a small file unfold into a huge one, is refused.
    """
    if path.stat().st_size > LARGEST_XML:
        raise DataError("far larger than the file it should be", path=path, fix=DLIB)
    parser: Any = ElementTree.XMLPullParser(("start", "end"))  # its events are typed as any kind at all
    top: ElementTree.Element | None = None
    try:
        with open(path, "rb") as file:
            before = b""
            while data := file.read(1 << 16):
                both, before = before + data, data[-16:]
                if b"<!DOCTYPE" in both or b"<!ENTITY" in both or b"\0" in data:  # 0: in two bytes a letter
                    raise DataError("has a document type, which dlib's files do not", path=path, fix=DLIB)
                parser.feed(data)
                for event, element in parser.read_events():
                    top = element if top is None else top
                    if event == "end" and element.tag == "image":
                        yield element
                        element.clear()
        parser.close()
    except (ElementTree.ParseError, ValueError) as error:
        raise DataError(f"not readable as XML ({error})", path=path, fix=DLIB) from None
    if top is None or top.tag != "dataset":
        raise DataError("not a file of dlib's (no <dataset>)", path=path, fix=DLIB)
