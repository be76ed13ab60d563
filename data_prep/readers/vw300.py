"""300-VW: 114 videos with 68 points a frame, decoded forward.

    <folder>/NNN/vid.avi   <folder>/NNN/annot/000001.pts ...   <folder>/extra.zip or extra/NNN.mat (frames to leave out)

Annotation k belongs to the k-th decoded frame, from 1. The papers' 90 / 24 split is not published: the default here
is ours (`default_split`), and a file of the user's takes its place (`data_prep.readers.vw300_split`). A video shows one
person, another one than every other video's unless the split file says more: stage 3 needs identities. Coordinates
are 1-based by the owner's word; `base` 0 takes them as they are, as RED-Net's authors did.
"""

import re
import zipfile
from pathlib import Path

import numpy as np

from data_prep.errors import DataError
from data_prep.folders import AnyCase, digest, listing, open_folder
from data_prep.item import Item
from data_prep.mat import LARGEST, read_mat
from data_prep.pts import read_bytes
from data_prep.readers.base import ListedItem, whole
from data_prep.readers.clips import VideoListed
from data_prep.readers.vw300_split import default_split, read_split
from rednet_core.markup import IBUG68

HOW_TO_GET = "register at iBUG's 300-VW page, Imperial College London, and unpack 300VW_Dataset_2015_12_14.zip"


class VW300(VideoListed):
    """Reader of 300-VW; split_file names the user's split, excluded=True leaves out the owner's unreliable frames."""

    markup = IBUG68
    how_to_get = HOW_TO_GET

    def __init__(self, folder: Path | str, split_file: Path | str | None = None, base: int = 1, excluded: bool = True):
        super().__init__()
        self.folder, self.base = _find(open_folder(folder, HOW_TO_GET)), base
        if split_file:
            split, notes = read_split(Path(split_file))
            self.warnings += notes
        else:
            split = default_split()
            self.warnings.append("no split file: the default split is ours, and every video is a person of its own")
        found, skip, files = [], _Excluded(self.folder, excluded, self.warnings), []
        for place in listing(self.folder):
            if not re.fullmatch(r"\d{3}", place.name, re.ASCII):
                if place.is_dir() and place.name.lower() != "extra":
                    self.warnings.append(f"{place.name}: not a video's folder (three digits), ignored")
                continue
            found.append(place.name)
            role = split.get(place.name)
            person = role.identity if role and role.identity else f"300-VW {place.name}"
            facts = {"split": role.split, "group": role.group, "identity": person} if role else {}
            start = len(self.entries)
            files += self.add_video(place, **facts)
            left_out = skip.frames(place.name)
            for entry in self.entries[start:]:
                if not role and not entry.problem:
                    entry.problem = "video is in no group of the split"
                elif entry.facts.get("number") in left_out and not entry.problem:
                    entry.problem = "left out by the owner (unreliable annotation)"
        self._require(self.folder, "NNN/vid.avi with NNN/annot/*.pts")
        if absent := sorted(split.keys() - set(found)):
            few = absent if len(absent) <= len(split) / 2 else found
            which = f"missing: {' '.join(few)}" if few is absent else f"there are: {' '.join(few)}"
            self.warnings.append(f"{len(absent)} of {len(split)} videos are missing; {which}")
        roles = {video: [role.split, role.group, role.identity] for video, role in sorted(split.items())}
        self.description = {"reader": "vw300", "files": digest(files, self.folder), "base": base}
        self.description |= {"excluded": skip.total, "split": roles}

    def read(self, entry: ListedItem) -> Item:
        marked = self.marked(entry)
        facts = {name: entry.facts[name] for name in ("video", "split", "group", "identity")}
        return Item(
            key=entry.key,
            image=self.frame(entry),
            **whole(*marked),
            **facts,
            frame=entry.facts["number"],
        )


class _Excluded:
    """The frames that the owner marks as unreliable, from extra/NNN.mat or, unopened, from extra.zip."""

    def __init__(self, folder: Path, wanted: bool, warnings: list[str]):
        self.total, self._files = 0, {}
        if not wanted:
            return
        look = AnyCase()
        for path in listing(look.folder(folder, "extra") or folder / "extra"):
            if path.suffix.lower() == ".mat":
                self._files[path.stem] = (path, None)
        archive = look.file(folder, "extra.zip")
        if not self._files and archive:
            self._files = _zipped(archive)
        if not self._files:
            warnings.append("neither extra/ nor extra.zip: the owner's unreliable frames (2,127) are not left out")

    def frames(self, video: str) -> set[int]:
        if video not in self._files:
            return set()
        path, data = self._files[video]
        values = read_mat(read_bytes(path, "frames'", LARGEST) if data is None else data, "error", path)
        values = values.ravel() if isinstance(values, np.ndarray) else np.array([np.nan])
        numbers = {int(value) for value in values if value >= 1 and value == np.floor(value) and value < 1e9}
        if len(numbers) != len(values):
            raise DataError("does not hold frame numbers from 1", path=path, field="error", fix=HOW_TO_GET)
        self.total += len(numbers)
        return numbers


def _zipped(archive: Path) -> dict:
    """Return NNN: (name, bytes) of the .mat files in a zip; read in memory, nothing is unpacked."""
    try:
        with zipfile.ZipFile(archive) as opened:
            # Some tools write backslashes between folders, against the format.
            members = {info.filename.replace("\\", "/"): info for info in opened.infolist()}
            members = {name: info for name, info in members.items() if re.search(r"(^|/)\d{3}\.mat$", name, re.I)}
            if sum(info.file_size for info in members.values()) > LARGEST:
                raise DataError("unpacks to more than 64 MiB", path=archive, fix=HOW_TO_GET)
            held = {name[-7:-4]: opened.read(info) for name, info in members.items() if "__MACOSX" not in name}
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, EOFError) as error:
        raise DataError(f"not a readable archive ({error})", path=archive, fix=HOW_TO_GET) from None
    return {stem: (archive / f"{stem}.mat", data) for stem, data in held.items()}


def _find(folder: Path) -> Path:
    """Return the folder whose subfolders are the videos: this one, or the only such one directly below it."""
    for place in (folder, *listing(folder)):
        if place.is_dir() and any(re.fullmatch(r"\d{3}", sub.name) and sub.is_dir() for sub in listing(place)):
            return place
    found = ", ".join(path.name for path in listing(folder)[:5]) or "nothing"
    raise DataError(f"no folders 001 ... 562 in it (found: {found})", path=folder, fix=HOW_TO_GET)
