"""COFW (29 points, with what covers them), and the 68 points that COFW-68 gives its test faces.

    <folder>/COFW_train_color.mat  COFW_test_color.mat      pictures IsTr / IsT, phisTr / phisT (N, 87), bboxesTr / T
    <folder>/test_annotations/1_points.mat ... 507_points.mat      COFW-68: Points (68, 2), Occ (68,)
    <folder>/cofw68_test_bboxes.mat                                COFW-68: bboxes (507, 4)

phis are 29 x, 29 y, 29 covered or not. The pictures are inside the .mat. These are files of version 7.3, which is HDF5:
h5py reads them, which is not installed with the course (`pip install h5py`). Pixels begin at 1 (MATLAB).
"""

import re
from pathlib import Path
from typing import Any

import numpy as np

from data_prep.errors import BadItem, DataError
from data_prep.folders import AnyCase, digest, listing, open_folder
from data_prep.item import Item, box_between
from data_prep.markups import COFW29
from data_prep.mat import LARGEST, read_mat
from data_prep.pts import LARGEST as FAR
from data_prep.readers.base import Listed, ListedItem
from data_prep.readers.lp300w import numbers_of
from rednet_core.markup import IBUG68

HOW_TO_GET = "download COFW_color.zip from X. Burgos-Artizzu's page (ICCV 2013; Caltech), and unpack it"
HOW_TO_GET_68 = f"{HOW_TO_GET}; and clone cofw68-benchmark (G. Ghiasi, C. Fowlkes) into the same folder"
HALVES = {"train": ("COFW_train_color.mat", "Tr"), "test": ("COFW_test_color.mat", "T")}
LARGEST_PICTURE = 100_000_000  # pixels
FOLDERS = (".", "COFW_color", "COFW")


class _Pictures:
    """The pictures and tables of one of COFW's .mat files, opened when the first is asked for."""

    def __init__(self, path: Path, suffix: str):
        self.path, self.suffix = path, suffix
        with open(path, "rb") as file:
            self.old = not file.read(128).startswith(b"MATLAB 7.3")
        self._held: Any = None

    def __getstate__(self):
        return {**self.__dict__, "_held": None}

    def _file(self):
        if self._held is None:
            try:
                import h5py
            except ImportError:
                problem = "a .mat of version 7.3 is read with h5py, which is not installed"
                raise DataError(problem, path=self.path, fix="pip install h5py") from None
            try:
                self._held = h5py.File(self.path, "r")
            except OSError as error:
                raise DataError(f"not readable as HDF5 ({str(error)[:80]})", path=self.path, fix=HOW_TO_GET) from None
        return self._held

    def table(self, name: str, columns: int) -> np.ndarray:
        """Return a table (N, columns) float64; raise DataError where it is not there or of another shape."""
        field = f"{name}{self.suffix}"
        if self.old:
            found = self._read_old(field)
        else:
            try:
                held = self._file().get(field)
                if not hasattr(held, "shape") or len(held.shape) != 2 or held.size > LARGEST // 8:
                    raise ValueError("no such table")
                found = np.asarray(held[()], np.float64).T  # HDF5 has MATLAB's axes the other way round
            except (OSError, RuntimeError, KeyError, TypeError, ValueError) as error:
                problem = f"holds no readable table ({str(error)[:80]})"
                raise DataError(problem, path=self.path, field=field, fix=HOW_TO_GET) from None
        if not isinstance(found, np.ndarray) or found.ndim != 2 or found.shape[1] != columns:
            shape = getattr(found, "shape", type(found).__name__)
            raise DataError(f"of shape {shape}, wanted (N, {columns})", path=self.path, field=field, fix=HOW_TO_GET)
        return found

    def _read_old(self, field: str):
        if self.path.stat().st_size > LARGEST:
            raise DataError("larger than 64 MiB and not of version 7.3", path=self.path, fix=HOW_TO_GET)
        return read_mat(self.path.read_bytes(), field, self.path)

    def picture(self, index: int) -> np.ndarray:
        """Return picture number `index` (H, W, 3) uint8 RGB; raise BadItem."""
        field, where = f"Is{self.suffix}", f"{self.path} picture {index + 1}"
        try:
            if self.old:
                if self._held is None:
                    self._held = self._read_old(field)
                found = np.asarray(self._held[index], np.float64)
            else:
                file = self._file()
                held = file[file[field][()].ravel()[index]]
                if held.size > LARGEST_PICTURE:
                    raise ValueError("larger than any picture")
                found = np.asarray(held[()]).T
        except (KeyError, IndexError, TypeError, ValueError, RuntimeError, AttributeError, OSError) as error:
            raise BadItem(f"no readable picture ({str(error)[:80]})", path=where, field=field) from None
        except DataError as error:
            raise BadItem(error.problem, path=where, field=field) from None
        if found.ndim == 2:
            found = np.repeat(found[:, :, None], 3, 2)
        if found.ndim != 3 or found.shape[2] != 3 or min(found.shape) < 1:
            raise BadItem(f"a picture of shape {found.shape}", path=where, field=field)
        picture = np.ascontiguousarray(found).astype(np.uint8)
        if not (picture == found).all():  # shares of one, say, which would all be black
            raise BadItem("a picture of numbers that are no whole numbers from 0 to 255", path=where, field=field)
        return picture


def _find(folder: Path, half: str) -> _Pictures | None:
    name, suffix = HALVES[half]
    path = AnyCase().file(folder, *(f"{place}/{name}" for place in FOLDERS))
    return _Pictures(path, suffix) if path else None


class Cofw(Listed):
    """Reader of COFW in colour: a point that is covered is annotated but not visible."""

    markup = COFW29
    any_pose = True
    how_to_get = HOW_TO_GET

    def __init__(self, folder: Path | str, base: int = 1):
        super().__init__()
        self.folder, self.base = open_folder(folder, HOW_TO_GET), base
        self.whole_copy = {"train": 1345, "test": 507}
        self._files, read = {}, []
        for half in HALVES:
            found = _find(self.folder, half)
            if found is None:
                self.warnings.append(f"{HALVES[half][0]} is missing: no {half} faces")
                continue
            self._files[half] = found
            read.append(found.path)
            phis, boxes = found.table("phis", 3 * COFW29.n_points), found.table("bboxes", 4)
            if len(phis) != len(boxes):
                raise DataError(f"{len(phis)} faces with {len(boxes)} boxes", path=found.path, fix=HOW_TO_GET)
            for index, (phi, box) in enumerate(zip(phis, boxes, strict=True)):
                points, covered = phi.reshape(3, -1)[:2].T, phi.reshape(3, -1)[2]
                facts = {"points": points, "covered": covered, "box": box, "index": index, "split": half}
                wrong = not np.isfinite(phi).all() or not np.abs(points).max() <= FAR
                problem = "a coordinate is not a number of pixels" if wrong else ""
                self.entries.append(ListedItem(f"{half}/{index + 1}", found.path, problem, facts))
        self._require(self.folder, " or ".join(name for name, _ in HALVES.values()))
        self.description = {"reader": "cofw", "files": digest(read, self.folder), "base": base}

    def read(self, entry: ListedItem) -> Item:
        facts = entry.facts
        points, mask = facts["points"] - self.base, np.ones(COFW29.n_points, bool)
        box = box_between(facts["box"][:2] - self.base, facts["box"][:2] + facts["box"][2:] - 1 - self.base)
        image = self._files[facts["split"]].picture(facts["index"])
        return Item(
            entry.key, image, points.astype(np.float32), mask, facts["covered"] < 0.5, split=facts["split"], box=box
        )


class Cofw68(Listed):
    """Reader of COFW-68: COFW's test pictures with 68 points, of which some are covered."""

    markup = IBUG68
    any_pose = True
    how_to_get = HOW_TO_GET_68

    def __init__(self, folder: Path | str, base: int = 1):
        super().__init__()
        self.folder, self.base = open_folder(folder, HOW_TO_GET_68), base
        self.whole_copy = {"test": 507}
        look, inner = AnyCase(), ("COFW68_Data", "cofw68-benchmark/COFW68_Data")
        roots = [self.folder, *(place for name in inner if (place := look.folder(self.folder, name)))]
        names = ("test_annotations", "cofw68_test_annotations", "points")
        texts = next((place for root in roots if (place := look.folder(root, *names))), None)
        pictures = next((found for root in roots if (found := _find(root, "test"))), None)
        if texts is None or pictures is None:
            what = "test_annotations/1_points.mat" if texts is None else HALVES["test"][0]
            raise DataError(f"no {what} in it", path=self.folder, fix=HOW_TO_GET_68)
        self._pictures = pictures
        files = [path for path in listing(texts) if re.fullmatch(r"\d{1,9}(_points)?\.mat", path.name, re.A | re.I)]
        files.sort(key=lambda path: int(path.stem.split("_")[0]))
        seen: set[int] = set()
        for path in files:
            number = int(path.stem.split("_")[0])
            problem = "" if number > 0 else "faces are numbered from 1"
            problem = problem or ("second annotation of this face" if number in seen else "")
            seen.add(number)
            self.entries.append(ListedItem(f"test/{number}", path, problem, {"index": number - 1, "split": "test"}))
        self._require(texts, "1_points.mat")
        tables = (look.file(root, "cofw68_test_bboxes.mat") for root in roots)
        self._boxes = next((numbers_of(table, "bboxes") for table in tables if table), None)
        self.description = {
            "reader": "cofw68",
            "files": digest([*files, self._pictures.path], self.folder),
            "base": base,
        }

    def read(self, entry: ListedItem) -> Item:
        index, path = entry.facts["index"], entry.path
        points, covered = numbers_of(path, "Points"), numbers_of(path, "Occ").ravel()
        if points.shape != (IBUG68.n_points, 2) or len(covered) != IBUG68.n_points or not np.abs(points).max() <= FAR:
            raise BadItem(f"points of shape {points.shape} with {len(covered)} marks, wanted 68", path=path)
        points, mask, box = points - self.base, np.ones(IBUG68.n_points, bool), None
        if self._boxes is not None and self._boxes.shape[1:] == (4,) and index < len(self._boxes):
            corner, size = self._boxes[index, :2] - self.base, self._boxes[index, 2:]
            box = box_between(corner, corner + size - 1)
        image = self._pictures.picture(index)
        return Item(entry.key, image, points.astype(np.float32), mask, covered < 0.5, split="test", box=box)
