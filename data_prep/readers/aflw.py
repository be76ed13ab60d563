"""AFLW (TU Graz): faces in an SQLite data base, up to 21 points each, head pose in the project's signs.

    <folder>/data/aflw.sqlite  <folder>/data/flickr/{0,2,3}/image00002.jpg ...    or aflw.sqlite and flickr/ in it

A point exists only where it was visible. The others are masked; so that no geometry ever meets a sentinel they hold
the place that the mean face, fitted to the known points, gives them. Where the eye and mouth corners are not all
known the crop is the data base's own rectangle, brought to the scale of the authors' box by the medians of the faces
that have both. RED-Net's 21,080 faces are very likely every .jpg image's first face: that is `faces` "first". The
papers' 16,864 / 4,216 split is not published: here images are dealt 80 / 20 by a hash of split_seed and file name.
"""

import hashlib
from pathlib import Path, PurePosixPath

import numpy as np

from data_prep.errors import BadItem, DataError
from data_prep.folders import AnyCase, open_folder, tree
from data_prep.images import read_image
from data_prep.item import Item
from data_prep.markups import AFLW21
from data_prep.pts import read_bytes
from data_prep.readers.aflw_tables import HOW_TO_GET, AflwFace, read_faces
from data_prep.readers.base import PICTURES, Listed, ListedItem
from rednet_core import geometry

LARGEST_TABLE = 1 << 30  # bytes; the data base has 50 MB
TEST_SHARE = 0.2
LEAST = 2  # points from which a face can be placed at all
SEVEN = list(AFLW21.seven)
CORNERS = SEVEN[:4] + SEVEN[5:]


class Aflw(Listed):
    """Reader of AFLW: faces "first" (RED-Net's count) or "all"; complete keeps only faces with all seven points.

    near_duplicates=False leaves out what the data base lists as such, where it has that table.
    """

    markup = AFLW21
    any_pose = True
    how_to_get = HOW_TO_GET

    def __init__(
        self,
        folder: Path | str,
        faces: str = "first",
        complete: bool = False,
        near_duplicates: bool = True,
        split_seed: int = 0,
    ):
        super().__init__()
        if faces not in ("first", "all"):
            raise DataError(f"faces {faces!r}, known: first, all", field="faces")
        self.folder = open_folder(folder, HOW_TO_GET)
        table = AnyCase().file(self.folder, "aflw.sqlite", "data/aflw.sqlite")
        if table is None:
            raise DataError("no aflw.sqlite, nor data/aflw.sqlite, in it", path=self.folder, fix=HOW_TO_GET)
        found, self.warnings = read_faces(table)
        if faces == "first":
            found = _first_of_each(found)
        if not near_duplicates:
            found = [face for face in found if not face.near_duplicate]
        if complete:
            found = [face for face in found if face.mask[SEVEN].all()]
        self._mean, self._scale, self._offset = _statistics(found)
        split = deal(sorted({face.file for face in found}), split_seed)
        finder = _Pictures(self.folder, table.parent)
        swapped = 0
        for face in found:
            path, problem, other = finder.find(face)
            swapped += other
            if not problem and face.mask.sum() < LEAST:
                problem = "fewer than two points"
            key = f"{face.file}/{face.number}"
            self.entries.append(ListedItem(key, path, problem, {"face": face, "split": split[face.file]}))
        if swapped:
            self.warnings.append(f"{swapped} images have another suffix than the data base says")
        self._require(self.folder, "face in its data base")
        tables = hashlib.sha256(read_bytes(table, "data base", LARGEST_TABLE)).hexdigest()
        choices = {"faces": faces, "complete": complete, "near_duplicates": near_duplicates, "split_seed": split_seed}
        self.description = {"reader": "aflw", "table": tables, **choices}

    def read(self, entry: ListedItem) -> Item:
        face: AflwFace = entry.facts["face"]
        image = read_image(entry.path, upright=False)
        if face.size and image.shape[1::-1] != face.size:
            problem = f"image of {image.shape[1]} x {image.shape[0]} pixels, the data base says {face.size}"
            raise BadItem(problem, path=entry.path)
        box = None
        if face.rect is not None:
            box = np.append(face.rect[:2] + self._offset * face.rect[2], face.rect[2] * self._scale)
        points = _complete(face.points, face.mask, self._mean)
        yaw, pitch, roll = face.pose
        facts = {"yaw": yaw, "pitch": pitch, "roll": roll, "split": entry.facts["split"], "box": box}
        mask = face.mask.copy()
        return Item(entry.key, image, points.astype(np.float32), mask, mask.copy(), **facts)


def _first_of_each(found: list[AflwFace]) -> list[AflwFace]:
    """Return the first face, in the data base's order, of every image that the data base calls .jpg (DATASETS 2.6)."""
    first: dict[str, AflwFace] = {}
    for face in found:
        if face.path.lower().endswith((".jpg", ".jpeg")) or not face.path:
            first.setdefault(face.file, face)
    return list(first.values())


def deal(files: list[str], seed: int) -> dict[str, str]:
    """Return which split each image is in: exactly a fifth is test, those whose hash comes first."""
    order = sorted(files, key=lambda name: hashlib.sha256(f"{seed}/{name}".encode()).digest())
    tests = round(TEST_SHARE * len(order))
    return {name: "test" if place < tests else "train" for place, name in enumerate(order)}


def _statistics(found: list[AflwFace]) -> tuple[np.ndarray, float, np.ndarray]:
    """Return the median place (21, 2) of each point in its rectangle, and how the authors' box lies to
    the rectangle.
    """
    with_rect = [face for face in found if face.rect is not None]
    mean = np.zeros((AFLW21.n_points, 2))
    if with_rect:
        rects = np.array([face.rect for face in with_rect])
        points, masks = np.array([face.points for face in with_rect]), np.array([face.mask for face in with_rect])
        places = (points - rects[:, None, :2]) / rects[:, None, 2:]
        for j in range(AFLW21.n_points):
            if masks[:, j].any():
                mean[j] = np.median(places[masks[:, j], j], 0)
        middle = np.where(masks[..., None], places, 0.0)[:, CORNERS].mean(1)
        both = masks[:, CORNERS].all(1) & (np.abs(middle) < 1).all(1)  # else the rectangle is not the face's
        if both.any():
            boxes = geometry.face_box(points[both], AFLW21)
            sides = rects[both, 2]
            offset = np.median((boxes[:, :2] - rects[both, :2]) / sides[:, None], 0)
            return mean, float(np.median(boxes[:, 2] / sides)), offset
    return mean, 1.0, np.zeros(2)


def _complete(points: np.ndarray, mask: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Return points (21, 2) with the masked ones where the mean face lies once it is moved, turned and scaled to the
    rest.
    """
    known, model = points[mask] @ [1, 1j], mean @ [1, 1j]
    middle, rest = model[mask].mean(), model[mask] - model[mask].mean()
    spread = (np.abs(rest) ** 2).sum()
    turn = (rest.conj() * (known - known.mean())).sum() / spread if spread > 0 else 0
    fitted = known.mean() + turn * (model - middle)
    return np.where(mask[:, None], points, np.stack([fitted.real, fitted.imag], -1))


class _Pictures:
    """Finds a face's picture: where the data base says, in the places people put it, by its name anywhere."""

    def __init__(self, folder: Path, beside: Path):
        self.folder = folder
        self._any_case = AnyCase()
        self._roots = [place / sub for place in dict.fromkeys((beside, folder)) for sub in ("flickr", "images", "")]
        self._names: dict[str, Path] | None = None

    def find(self, face: AflwFace) -> tuple[Path, str, bool]:
        """Return (path, problem, whether the suffix is another than the data base's)."""
        place = PurePosixPath(face.path.replace("\\", "/"))
        if not face.path:
            return self.folder / face.file, "no row of FaceImages for this face", False
        if place.is_absolute() or ".." in place.parts or ":" in face.path:
            return self.folder, f"bad image path {face.path[:80]!r} in the data base", False
        swapped = place.with_suffix(".png" if place.suffix.lower() != ".png" else ".jpg")
        for name in (place, swapped):
            for root in self._roots:
                if path := self._any_case.file(root, name):
                    return path, "", name is swapped
        if self._names is None:
            self._names = {path.name.lower(): path for path in tree(self.folder) if path.suffix.lower() in PICTURES}
        for name in (place, swapped):
            if path := self._names.get(name.name.lower()):
                return path, "", name is swapped
        return self._roots[0] / place, "image file is missing", False
