"""YouTube Faces with Facial Keypoints (Kaggle): one .npz a video, 68 points by an automatic aligner.

    <anything>/<Person_Name_k>.npz with colorImages (H, W, 3, N) uint8 and landmarks2D (68, 2, N)
    <anything>.csv with videoID and personName, optional

The files are strangers': nothing is unpickled, and what an array says of its size is checked before it is read.
Points are 0-based (Python, by the owner's aligner). Good for persons and for looking at, not for accuracy claims.
"""

import zipfile
from pathlib import Path

import numpy as np

from data_prep.errors import BadItem
from data_prep.folders import digest, open_folder, tree
from data_prep.item import Item
from data_prep.pts import read_rows
from data_prep.readers.base import Listed, ListedItem, whole
from data_prep.readers.udacity import split_persons
from rednet_core.markup import IBUG68

HOW_TO_GET = "download youtube-faces-with-facial-keypoints from Kaggle (account needed; read its licence there)"
LARGEST = 2 << 30  # bytes of one video's frames
ARRAYS = {"colorImages": (4, "|u1"), "landmarks2D": (3, "<f8")}


def shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Return shapes of the two arrays of a video's file, from their headers alone; raise BadItem for any other file."""
    found = {}
    try:
        with zipfile.ZipFile(path) as archive:
            for name, (axes, kind) in ARRAYS.items():
                with archive.open(f"{name}.npy") as file:
                    version = np.lib.format.read_magic(file)
                    if version not in ((1, 0), (2, 0)):
                        raise BadItem(f"array format {version}", path=path, field=name)
                    read = {1: np.lib.format.read_array_header_1_0, 2: np.lib.format.read_array_header_2_0}
                    shape, _, dtype = read[version[0]](file)
                if len(shape) != axes or dtype.hasobject or dtype.kind != np.dtype(kind).kind:
                    raise BadItem(f"shape {shape}, type {dtype}", path=path, field=name)
                if name == "colorImages" and dtype.itemsize != 1:
                    raise BadItem(f"type {dtype}, wanted uint8", path=path, field=name)
                size, held = (
                    int(np.prod(shape, dtype=object)) * dtype.itemsize,
                    archive.getinfo(f"{name}.npy").file_size,
                )
                if size > LARGEST:
                    raise BadItem(f"{size} bytes, more than is read ({LARGEST})", path=path, field=name)
                if not 0 < size <= held:
                    raise BadItem(f"{size} bytes, of which the file holds {held}", path=path, field=name)
                found[name] = shape
    except BadItem:
        raise
    except KeyError as error:
        raise BadItem(f"has no such array ({error.args[0][:80]})", path=path) from None
    except Exception as error:  # whatever a file that is no archive of arrays makes zipfile and NumPy trip over
        raise BadItem(f"not a readable .npz ({type(error).__name__}: {str(error)[:80]})", path=path) from None
    pictures, points = found["colorImages"], found["landmarks2D"]
    if pictures[2] != 3 or points[:2] != (IBUG68.n_points, 2) or pictures[3] != points[2]:
        raise BadItem(f"frames of shape {pictures} with points of shape {points}", path=path)
    return found


class YouTubeFaces(Listed):
    """Reader of the .npz videos below a folder; one video is in memory at a time. Split by person (split_seed)."""

    markup = IBUG68
    how_to_get = HOW_TO_GET

    def __init__(self, folder: Path | str, split_seed: int = 0):
        super().__init__()
        self.folder = open_folder(folder, HOW_TO_GET)
        files = tree(self.folder)
        videos = [path for path in files if path.suffix.lower() == ".npz"]
        persons: dict = {}
        for table in (path for path in files if path.suffix.lower() == ".csv"):
            persons |= self._persons(table)
        known = {path.stem for path in videos}
        if lost := sorted(persons.keys() - known):
            self.warnings.append(f"{len(lost)} videos of the index have no .npz, such as {lost[0]}")
        unlisted = sorted(known - persons.keys())
        if persons and unlisted:
            self.warnings.append(f"{len(unlisted)} .npz are not in the index, such as {unlisted[0]}")
        first: dict[str, Path] = {}
        for path in videos:
            self._add(path, persons.get(path.stem) or path.stem.rpartition("_")[0], first)
        self._require(self.folder, "<Person_Name_k>.npz")
        self._split = split_persons(sorted({e.facts["identity"] for e in self.entries if not e.problem}), split_seed)
        for entry in self.entries:
            entry.facts["split"] = self._split.get(entry.facts["identity"], "")
        self.description = {"reader": "youtube_faces", "files": digest(videos, self.folder), "split_seed": split_seed}
        self.description["persons"] = len(self._split)
        self._held: tuple[Path, np.ndarray, np.ndarray] | None = None

    def __getstate__(self):
        return {**self.__dict__, "_held": None}

    def _persons(self, table: Path) -> dict[str, str]:
        head, *rows = read_rows(table, HOW_TO_GET) or [[]]
        if not {"videoID", "personName"} <= set(head):
            self.warnings.append(f"{table.name}: no columns videoID and personName, ignored")
            return {}
        named = [dict(zip(head, row, strict=False)) for row in rows]
        return {row["videoID"]: row.get("personName", "") for row in named if row.get("videoID")}

    def _add(self, path: Path, person: str, first: dict[str, Path]) -> None:
        problem, count = "", 1
        if path.stem in first:
            problem = f"second file of this video (first in {first[path.stem].parent.name})"
        elif not person:
            problem = "file name is not Person_Name_k.npz, and no index names the person"
        else:
            try:
                count = shapes(path)["landmarks2D"][2]
            except BadItem as error:
                problem = f"[{error.field}] {error.problem}" if error.field else error.problem
        first.setdefault(path.stem, path)
        for frame in range(count):
            facts = {"identity": person, "video": path.stem, "number": frame}
            self.entries.append(ListedItem(f"{path.stem}/{frame}", path, problem, facts))

    def read(self, entry: ListedItem) -> Item:
        if self._held is None or self._held[0] != entry.path:
            self._held = None  # let go of one video before the next is read
            shapes(entry.path)
            try:
                with np.load(entry.path, allow_pickle=False) as arrays:
                    self._held = entry.path, arrays["colorImages"], arrays["landmarks2D"]
            except Exception as error:  # a damaged archive: zlib, zipfile and NumPy each have errors of their own
                raise BadItem(f"not a readable .npz ({type(error).__name__}: {error})", path=entry.path) from None
        _, pictures, landmarks = self._held
        number = entry.facts["number"]
        points = landmarks[:, :, number]
        if not np.isfinite(points).all():
            raise BadItem("a coordinate is not finite", path=f"{entry.path} frame {number}", field="landmarks2D")
        image = np.ascontiguousarray(pictures[:, :, :, number])
        facts = {"identity": entry.facts["identity"], "video": entry.facts["video"], "frame": number}
        return Item(key=entry.key, image=image, **whole(points), **facts, split=entry.facts["split"])

    def runs(self) -> list[range]:
        """Return one range a video."""
        starts = [i for i, e in enumerate(self.entries) if i == 0 or e.path != self.entries[i - 1].path]
        return [range(a, b) for a, b in zip(starts, [*starts[1:], len(self.entries)], strict=True)]
