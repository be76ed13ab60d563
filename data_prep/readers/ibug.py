"""Stills in the iBUG 300-W form: picture and .pts of one stem side by side, 68 points, boxes in .mat files.

    <folder>/trainset/<stem>.jpg + .pts     <folder>/testset/...        Helen (2,000 + 330), LFPW (811 + 224)
    <folder>/<stem>.jpg + .pts                                          AFW (337), iBUG (135)
    <folder or above>/Bounding Boxes/bounding_boxes_<set>.mat           optional

Coordinates are 1-based by the owner's word (DATASETS 1.4): `base` 1 subtracts 1, `base` 0 takes them as they are,
as RED-Net's authors did. There are neither identities nor poses.
"""

from pathlib import Path

import numpy as np

from data_prep.errors import DataError
from data_prep.folders import AnyCase, digest, listing, open_folder
from data_prep.images import read_image
from data_prep.item import Item
from data_prep.mat import LARGEST, read_mat
from data_prep.pts import read_bytes, read_points
from data_prep.readers.base import Listed, ListedItem, pair_up, whole
from rednet_core.markup import IBUG68

COMMON, CHALLENGING = "300-W common", "300-W challenging"  # the 554 and 135 test faces on which most methods report
# 300-W's usual split: (split, test group, faces in a whole copy) of each folder, "" where a set is one flat folder.
SETS = {
    "helen": {"trainset": ("train", "", 2000), "testset": ("test", COMMON, 330)},
    "lfpw": {"trainset": ("train", "", 811), "testset": ("test", COMMON, 224)},
    "afw": {"": ("train", "", 337)},
    "ibug": {"": ("test", CHALLENGING, 135)},
}
HOW_TO_GET = "ask for it at iBUG's page of 300-W, Imperial College London (facial point annotations)"


class IbugFaces(Listed):
    """Reader of one set (`name`: helen, lfpw, afw or ibug) of the 300-W family; raises DataError for another folder.

    boxes names a folder of box files; without it `Bounding Boxes` is looked for in the folder and above. test_half says
    what the test pictures are for: "test", or "train" as in the papers' stage 1, whose 20,229 stills hold all of Helen
    and LFPW and are judged on AFLW.
    """

    markup = IBUG68
    how_to_get = HOW_TO_GET

    def __init__(
        self,
        folder: Path | str,
        name: str,
        base: int = 1,
        boxes: Path | str | None = None,
        test_half: str = "test",
    ):
        super().__init__()
        if test_half not in ("test", "train"):
            raise DataError(f"test_half {test_half!r}, known: test, train", field="test_half")
        if name not in SETS:
            raise DataError(f"unknown set {name!r}, known: {', '.join(SETS)}", field="name")
        self.folder, self.base = _find(open_folder(folder, HOW_TO_GET), name), base
        files = []
        for half, (split, group, count) in SETS[name].items():
            if split == "test" and test_half == "train":
                split, group = "train", ""
            self.whole_copy[split] = self.whole_copy.get(split, 0) + count
            place = AnyCase().folder(self.folder, half)
            here = [path for path in listing(place) if path.is_file()] if place else []
            if half and not here:
                self.warnings.append(f"{half} is missing or empty: only the other half is used")
            files += here
            entries = pair_up(here, self.folder)
            known = self._boxes(f"bounding_boxes_{name}{'_' * bool(half)}{half}.mat", boxes)
            for entry in entries:
                entry.facts |= {"split": split, "group": group, "box": known.get(entry.path.stem)}
            self.entries += entries
        self._require(self.folder, "pairs of picture and .pts")
        self.description = {"reader": f"ibug {name}", "files": digest(files, self.folder), "base": base}
        self.description |= {"test_half": test_half}

    def read(self, entry: ListedItem) -> Item:
        points, notes = read_points(entry.facts["annotation"], IBUG68.n_points)
        image = read_image(entry.path, upright=False)
        facts = {name: entry.facts[name] for name in ("split", "group", "box")}
        return Item(key=entry.key, image=image, **whole(points - self.base, notes), **facts)

    def _boxes(self, name: str, given: Path | str | None) -> dict[str, np.ndarray]:
        """Return boxes (3,) = centre x, centre y, side by stem, empty where there is no such file."""
        look = AnyCase()
        if given:
            path = look.file(Path(given), name)
        else:
            inside = f"Bounding Boxes/{name}"
            path = look.file(self.folder, inside) or look.file(self.folder.parent, inside)
        if path is None:
            if given:
                raise DataError("no such box file", path=Path(given) / name, field="boxes", fix=HOW_TO_GET)
            return {}
        boxes = {}
        records = read_mat(read_bytes(path, "box", LARGEST), "bounding_boxes", path)
        for record in records if isinstance(records, list) else [records]:
            try:
                corners = np.asarray(record["bb_detector"], np.float64).reshape(2, 2) - 1
                if not np.isfinite(corners).all() or not (corners[1] > corners[0]).all():
                    raise ValueError("corners in the wrong order")
                boxes[Path(record["imgName"]).stem] = np.append(corners.mean(0), (corners[1] - corners[0]).max())
            except (KeyError, IndexError, TypeError, ValueError) as error:
                self.warnings.append(f"{path.name}: a box cannot be used ({error})")
        return boxes


def _find(folder: Path, name: str) -> Path:
    """Return the folder that holds the set: this one, or one of the set's name in it."""
    halves = [half for half in SETS[name] if half]
    look = AnyCase()
    for place in filter(None, (folder, look.folder(folder, name))):
        if halves and look.folder(place, *halves):
            return place
        if not halves and any(path.suffix.lower() == ".pts" for path in listing(place)):
            return place
    wanted = " and ".join(halves) or "pairs of picture and .pts"
    found = ", ".join(path.name for path in listing(folder)[:5]) or "nothing"
    raise DataError(f"no {wanted} in it (found: {found})", path=folder, fix=HOW_TO_GET)
