"""300W-LP and AFLW2000-3D (3DDFA): a picture and a .mat of one stem side by side, 68 points, head pose.

    <folder>/AFW/AFW_134212_1_0.jpg + .mat    HELEN, IBUG, LFPW; AFW_Flip ... are their mirror images   300W-LP
    <folder>/landmarks/AFW/AFW_134212_1_0_pts.mat    pts_2d, pts_3d (68, 2)                             optional
    <folder>/image00002.jpg + .mat                                                                      AFLW2000-3D

A .mat has pt2d (2, 68) or, in AFLW2000-3D, pt3d_68 (3, 68), Pose_Para (pitch, yaw, roll in radians, ...) and roi.
The points of a face model in space are a markup of their own: its jaw runs where the head hides it. Pictures of 300W-LP
with another number than 0 at the end are turned by a face model: synthetic. Pixels begin at 1 (MATLAB).
"""

from pathlib import Path

import numpy as np

from data_prep.errors import BadItem, DataError
from data_prep.folders import AnyCase, digest, listing, open_folder
from data_prep.images import read_image
from data_prep.item import Item
from data_prep.markups import IBUG68_3D
from data_prep.mat import LARGEST, read_mat
from data_prep.pts import LARGEST as FAR
from data_prep.pts import read_bytes
from data_prep.readers.base import Listed, ListedItem, pair_up, whole
from rednet_core.markup import IBUG68

HOW_TO_GET = "download it from X. Zhu's 3DDFA page (Face Alignment Across Large Poses, CVPR 2016)"
SETS = ("AFW", "HELEN", "IBUG", "LFPW")


class _Fitted(Listed):
    """What the two share: reading a .mat."""

    how_to_get = HOW_TO_GET

    def __init__(self, folder: Path | str, base: int):
        super().__init__()
        self.folder, self.base = open_folder(folder, HOW_TO_GET), base

    def _item(self, entry: ListedItem, points: np.ndarray, split: str) -> Item:
        points = points - self.base
        pose = numbers_of(entry.facts["annotation"], "Pose_Para").ravel()
        if len(pose) < 3:
            raise BadItem(f"{len(pose)} numbers instead of a pose", path=entry.path, field="Pose_Para")
        pitch, yaw, roll = np.degrees(pose[:3])  # as AFLW's signs, but for the roll (DATASETS 2.5)
        image = read_image(entry.path, upright=False)
        return Item(
            entry.key, image, **whole(points), yaw=float(yaw), pitch=float(pitch), roll=-float(roll), split=split
        )


class Lp300W(_Fitted):
    """Reader of 300W-LP, all for training; points "2d" (on the outline) or "3d"; flips: its mirror images, too.

    synthetic=False leaves out the pictures that were turned by a face model.
    """

    markup = IBUG68
    any_pose = True

    def __init__(
        self, folder: Path | str, points: str = "2d", flips: bool = False, synthetic: bool = True, base: int = 1
    ):
        super().__init__(folder, base)
        if points not in ("2d", "3d"):
            raise DataError(f"points {points!r}, known: 2d, 3d", field="points")
        self._any_case = AnyCase()
        roots = filter(None, (self.folder, self._any_case.folder(self.folder, "300W_LP")))
        root = next((root for root in roots if self._any_case.folder(root, *SETS)), None)
        if root is None:
            raise DataError(f"no folders {', '.join(SETS)} in it", path=self.folder, fix=HOW_TO_GET)
        self.folder, self.kind = root, points
        self.markup = IBUG68 if points == "2d" else IBUG68_3D
        files = []
        for name in (*SETS, *(f"{name}_Flip" for name in SETS if flips)):
            place = self._any_case.folder(root, name)
            here = [path for path in listing(place) if path.is_file()] if place else []
            files += here
            entries = pair_up(here, root, (".mat",))
            self.entries += [entry for entry in entries if synthetic or entry.path.stem.rpartition("_")[2] == "0"]
        self._require(root, "pairs of .jpg and .mat")
        if points == "3d" and not self._any_case.folder(root, "landmarks"):
            raise DataError("no landmarks folder, so no points in space", path=root, field="points", fix=HOW_TO_GET)
        choices = {"points": points, "flips": flips, "synthetic": synthetic, "base": base}
        self.description = {"reader": "300w_lp", "files": digest(files, root), **choices}

    def read(self, entry: ListedItem) -> Item:
        place = f"landmarks/{entry.path.parent.name}/{entry.path.stem}_pts.mat"
        own = self._any_case.file(self.folder, place)
        if own or self.kind == "3d":
            own = own or self.folder / place
            points = _shaped(numbers_of(own, f"pts_{self.kind}"), own)
        else:
            points = _shaped(numbers_of(entry.facts["annotation"], "pt2d").T, entry.path)
        return self._item(entry, points, "train")


class Aflw2000(_Fitted):
    """Reader of AFLW2000-3D, all for testing."""

    markup = IBUG68_3D
    any_pose = True

    def __init__(self, folder: Path | str, base: int = 1):
        super().__init__(folder, base)
        self.whole_copy = {"test": 2000}
        inner = AnyCase().folder(self.folder, "AFLW2000", "AFLW2000-3D") or self.folder
        files = [path for path in listing(inner) if path.is_file()]
        self.entries = pair_up(files, inner, (".mat",))
        for entry in self.entries:
            entry.facts["split"] = "test"
        self._require(self.folder, "pairs of image00002.jpg and .mat")
        self.description = {"reader": "aflw2000", "files": digest(files, inner), "base": base}

    def read(self, entry: ListedItem) -> Item:
        points = _shaped(numbers_of(entry.facts["annotation"], "pt3d_68")[:2].T, entry.path)
        return self._item(entry, points, "test")


def numbers_of(path: Path, variable: str) -> np.ndarray:
    """Return a variable of a .mat as float64; raise BadItem where it has none or the numbers are not finite."""
    try:
        found = read_mat(read_bytes(path, most=LARGEST), variable, path)
    except BadItem:
        raise
    except DataError as error:
        raise BadItem(error.problem, path=path, field=variable) from None
    if not isinstance(found, np.ndarray) or not np.isfinite(found).all():
        raise BadItem("is not all numbers", path=path, field=variable)
    return found


def _shaped(points: np.ndarray, path: Path) -> np.ndarray:
    if points.shape != (IBUG68.n_points, 2):
        raise BadItem(f"points of shape {points.shape} instead of (68, 2)", path=path, field="points")
    if not np.abs(points).max() <= FAR:
        raise BadItem("a coordinate is not a number of pixels", path=path, field="points")
    return points
