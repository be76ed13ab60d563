"""YouTube Faces with 68 points in the layout of Udacity's P1_Facial_Keypoints repository.

    <folder>/training/*.jpg   <folder>/training_frames_keypoints.csv
    <folder>/test/*.jpg       <folder>/test_frames_keypoints.csv

A CSV row is a file name and x0, y0, ..., x67, y67. A name is `Person_Name_VF.jpg`: V the video, F the frame.
All persons occur in both of the official halves, so the split made here is by person, over both. The same file
name occurs in both halves with other content, so an item's key is half/name. Points come from an automatic
aligner. Yaw is not given: it is estimated (`data_prep.pose`).

Nothing says where pixels begin. The points lie 1.1 px to the right of and below those that a network finds which has
never seen them, in the pictures and in their mirror images alike (Helen 0.3, LFPW 0.5): they count from one (`base`).
"""

import hashlib
import os
from pathlib import Path

import numpy as np

from data_prep.errors import BadItem, DataError
from data_prep.folders import AnyCase, listing
from data_prep.images import read_image
from data_prep.item import SPLITS, Item
from data_prep.pose import estimate_pose
from data_prep.pts import LARGEST_TABLE, read_bytes, read_rows
from data_prep.readers.base import Listed, ListedItem, counted, many, whole
from rednet_core.markup import IBUG68

HALVES = ("training", "test")
TABLE = "_frames_keypoints.csv"
COLUMNS = 1 + 2 * IBUG68.n_points
NO_ROW = "image without a row"
TEST_SHARE, VALIDATION_SHARE = 0.15, 0.10
HOW_TO_GET = "git clone https://github.com/udacity/P1_Facial_Keypoints and point at its data folder"


class UdacityFaces(Listed):
    """Reader of the Udacity layout; `folder` holds training/ and test/, or a data/ folder that does.

    split_seed draws which persons are test, validation and train; base is the number of the first pixel. Raise
    DataError where the folder or a table is missing or is not in this layout; a bad row or image is a BadItem when
    it is read.
    """

    markup = IBUG68
    how_to_get = HOW_TO_GET

    def __init__(self, folder: Path | str, split_seed: int = 0, base: int = 1):
        super().__init__()
        self.folder, self.base = _find_folder(Path(folder)), base
        tables, look = {}, AnyCase()
        for half in HALVES:
            table, images = look.file(self.folder, f"{half}{TABLE}"), look.folder(self.folder, half)
            if table:
                tables[half] = hashlib.sha256(read_bytes(table, "table", LARGEST_TABLE)).hexdigest()
                for name, path, values, problem in _read_table(table, images or self.folder / half):
                    facts = {"half": half, "name": name, "values": values}
                    self.entries.append(ListedItem(f"{half}/{name}", path, problem, facts))
            elif images:
                problem = "missing, though its images are there"
                raise DataError(problem, path=self.folder / f"{half}{TABLE}", fix=HOW_TO_GET)
        self._require(self.folder, "row or image")
        persons = sorted({_person(entry.facts["name"]) for entry in self.entries if not entry.problem})
        self._split = split_persons(persons, split_seed)
        self.description = {"reader": "udacity", "tables": tables, "split_seed": split_seed, "base": base}

    def tally(self) -> list[str]:
        """Return how the items come about: rows and images of each half, and persons of each split."""
        lines = []
        for half in HALVES:
            whys = [entry.problem for entry in self.entries if entry.facts["half"] == half]
            lone = sum(why.startswith(NO_ROW) for why in whys)
            bad = sum(bool(why) for why in whys) - lone
            rows = f"{many(len(whys) - lone, 'row')} in the table, {bad:,} of them bad"
            lines.append(f"{half}: {rows}, and {many(lone, 'image')} without a row")
        good = [entry.facts for entry in self.entries if not entry.problem]
        sides = [{_person(facts["name"]) for facts in good if facts["half"] == half} for half in HALVES]
        shared = f"{len(sides[0] & sides[1]):,} of {many(len(self._split), 'person')} are in both halves"
        lines.append(f"{shared}: the split into train, validation and test is ours, by person")
        persons = [_person(facts["name"]) for facts in good]
        for split in SPLITS:
            here = [person for person in persons if self._split[person] == split]
            lines += [counted(split, len(here), len(set(here)), 0)] * bool(here)
        return lines

    def read(self, entry: ListedItem) -> Item:
        path = entry.path
        points = _numbers(entry.facts["values"], path) - self.base
        image = read_image(path, upright=False)
        pose = estimate_pose(points, IBUG68, image.shape[:2])
        person, _, video_frame = Path(entry.facts["name"]).stem.rpartition("_")
        return Item(
            key=entry.key,
            image=image,
            **whole(points),
            identity=person,
            video=f"{entry.facts['half']}/{person}_{video_frame[:-1]}",
            frame=int(video_frame[-1]),
            yaw=pose.yaw,
            pitch=pose.pitch,
            roll=pose.roll,
            split=self._split[person],
        )


def split_persons(persons: list[str], seed: int) -> dict[str, str]:
    """Return which split each person is in: drawn from (seed, name) alone, so that no other person matters."""
    split = {}
    for person in persons:
        draw = hashlib.sha256(os.fsencode(f"{seed}/{person}")).digest()
        share = int.from_bytes(draw[:6], "big") / 2**48
        is_validation = share < TEST_SHARE + VALIDATION_SHARE
        split[person] = "test" if share < TEST_SHARE else "validation" if is_validation else "train"
    return split


def _find_folder(folder: Path) -> Path:
    if not folder.is_dir():
        raise DataError("no such folder", path=folder, field="data folder", fix=HOW_TO_GET)
    look = AnyCase()
    for candidate in filter(None, (folder, look.folder(folder, "data"))):
        if look.file(candidate, *(f"{half}{TABLE}" for half in HALVES)):
            return candidate
    found = ", ".join(sorted(entry.name for entry in folder.iterdir())[:5]) or "nothing"
    wanted = " or ".join(f"{half}{TABLE}" for half in HALVES)
    raise DataError(f"no {wanted} in it (found: {found})", path=folder, fix=HOW_TO_GET)


def _person(name: str) -> str:
    return Path(name).stem.rpartition("_")[0]


def _read_table(table: Path, images: Path) -> list[tuple[str, Path, list[str], str]]:
    """Return (name, image, values, problem) of each row in file order, then of each image that no row names."""
    lines = read_rows(table, HOW_TO_GET)
    cut_off = lines and not _ends_a_line(table)
    if not lines or len(lines[0]) != COLUMNS:
        found = len(lines[0]) if lines else 0
        raise DataError(
            f"{found} columns, wanted {COLUMNS} (name, 68 x, y)", path=table, field="header", fix=HOW_TO_GET
        )
    if [cell.strip() for cell in lines[0][1:]] != [str(i) for i in range(COLUMNS - 1)]:
        wanted = f"the first line does not name the columns 0 ... {COLUMNS - 2}"
        raise DataError(wanted, path=table, field="header", fix=HOW_TO_GET)
    there = {path for path in listing(images) if path.suffix}
    look, rows, seen = AnyCase(), [], set()
    named = {line[0].strip() for line in lines[1:] if line}
    for line in lines[1:]:
        if not line:
            continue
        name, problem = line[0].strip(), ""
        path = images / name
        stem_number = Path(name).stem.rpartition("_")[2]
        if not name or "/" in name or "\\" in name:
            problem = f"bad file name {name!r} in {table.name}"
        elif len(line) != COLUMNS:
            problem = f"{len(line)} columns instead of {COLUMNS} in {table.name}"
        elif len(stem_number) < 2 or not stem_number.isdecimal() or not _person(name):
            problem = "file name is not Person_Name_VF.jpg (V video, F frame)"
        elif name in seen:
            problem = f"second row of this name in {table.name}"
        elif path not in there:
            path = look.file(images, name) or path
            if path not in there or path.name in named:
                problem = "image file is missing"
        if not problem and cut_off and line is lines[-1]:
            problem = f"{table.name} ends in this row, whose last number may be cut off"
        seen.add(name)
        rows.append((name, path, line[1:], problem))
    lone = sorted(there - {path for _, path, _, _ in rows})
    return rows + [(path.name, path, [], f"{NO_ROW} in {table.name}") for path in lone]


def _ends_a_line(path: Path) -> bool:
    with open(path, "rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read() in (b"\n", b"\r", b"\0")


def _numbers(values: list[str], path: Path) -> np.ndarray:
    try:
        if "_" in "".join(values):
            raise ValueError
        points = np.array(list(map(float, values)), np.float64).reshape(IBUG68.n_points, 2)
    except ValueError:
        bad = next(i for i, value in enumerate(values) if not _is_number(value))
        raise BadItem(f"coordinate {values[bad]!r} is not a number", path=path, field=str(bad)) from None
    if not np.isfinite(points).all():
        bad = int(np.flatnonzero(~np.isfinite(points.ravel()))[0])
        raise BadItem("coordinate is not finite", path=path, field=str(bad))
    return points


def _float(text: str) -> float:
    if "_" in text:  # float() takes 1_0 for 10, as Python's own numbers are written
        raise ValueError(text)
    return float(text)


def _is_number(text: str) -> bool:
    try:
        _float(text)
    except ValueError:
        return False
    return True
