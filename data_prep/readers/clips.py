"""What readers of annotated video files share: one open decoder a process, numbered .pts, a length check."""

from pathlib import Path

import numpy as np

from data_prep.errors import BadItem
from data_prep.folders import AnyCase, listing
from data_prep.plausible import check_points
from data_prep.pts import read_points
from data_prep.readers.base import Listed, ListedItem
from data_prep.video import Video, check_length


class VideoListed(Listed):
    """A Listed whose entries are frames: facts["video"] names the video, facts["number"] counts from 1.

    A subclass has `base`, which is subtracted from coordinates, and may `parse` annotations in its own way.

    A video is opened when its first frame is asked for and closed when another's is: one is open at a time.
    """

    base = 0

    def __init__(self):
        super().__init__()
        self._lengths: dict[Path, int] = {}  # video file: frames annotated
        self._video: Video | None = None
        self._wrong: dict[Path, str] = {}
        self._no_slack: set[Path] = set()  # videos whose annotations are not numbered from 1
        self._parsed: tuple[str, dict] = ("", {})  # video, {annotation: (points, notes)} or what is wrong

    def __getstate__(self):
        return {**self.__dict__, "_parsed": ("", {})}

    def frame(self, entry: ListedItem) -> np.ndarray:
        """Return the picture (H, W, 3) of an entry from its video; raise BadItem where the two cannot be matched."""
        path = entry.facts["file"]
        if self._video is None or self._video.path != path:
            if self._video is not None:
                self._video.close()
            self._video = Video(path)
        if path not in self._wrong:
            self._wrong[path] = check_length(self._video, self._lengths[path], path in self._no_slack)
        if self._wrong[path]:
            raise BadItem(self._wrong[path], path=path)
        return self._video.frame(entry.facts["number"] - 1)

    def video(self, index: int) -> str:
        """Return the video that a good entry is a frame of, "" for a bad one."""
        entry = self.entries[index]
        return "" if entry.problem else entry.facts["video"]

    def annotation(self, index: int) -> np.ndarray:
        """Return the points (L, 2) of an entry in its picture, without reading that; raise BadItem."""
        return self.points(self.entries[index])

    def points(self, entry: ListedItem) -> np.ndarray:
        """Return the points (L, 2) of an entry, 0-based; raise BadItem."""
        return self.marked(entry)[0]

    def marked(self, entry: ListedItem) -> tuple[np.ndarray, tuple[str, ...]]:
        """Return the points (L, 2) of an entry, 0-based, and the parser's notes; raise BadItem.

        Those of one video are kept: a fixed crop needs them all before the first frame is read.
        """
        path, video = entry.facts["annotation"], entry.facts["video"]
        if self._parsed[0] != video:
            self._parsed = video, {}
        kept = self._parsed[1]
        if path not in kept:
            try:
                points, notes = self.parse(path)
                points = points - self.base
                check_points(points, np.ones(len(points), bool), self.markup, path)
                kept[path] = points, notes
            except BadItem as error:
                kept[path] = error
        if isinstance(kept[path], BadItem):
            raise kept[path]
        return kept[path]

    def parse(self, path: Path) -> tuple[np.ndarray, tuple[str, ...]]:
        """Return the points (L, 2) as an annotation file has them, and notes; raise BadItem."""
        return read_points(path, self.markup.n_points)

    def add_video(self, place: Path, **facts) -> list[Path]:
        """Append an entry for every annot/<number>.pts of a video's folder, in order, and return those files."""
        look, name = AnyCase(), place.name
        file = look.file(place, "vid.avi") or place / "vid.avi"
        annotations = look.folder(place, "annot") or place / "annot"
        texts = [path for path in listing(annotations) if path.suffix.lower() == ".pts" and path.stem.isdecimal()]
        texts.sort(key=lambda path: (int(path.stem), path.name))
        numbers: dict[int, Path] = {}
        first = 1
        if any(int(path.stem) == 0 for path in texts):  # proves that this video's are counted from 0
            first = 0
            self._no_slack.add(file)
            self.warnings.append(f"{name}: its annotations are numbered from 0, and are counted so")
        absent = not file.is_file()
        for path in texts:
            number, key = int(path.stem), f"{name}/{path.stem}"
            number += 1 - first
            problem = f"second annotation of frame {int(path.stem)}" if number in numbers else ""
            problem = "its video file is missing" if absent else problem
            numbers.setdefault(number, path)
            more = {"file": file, "video": name, "number": number, "annotation": path}
            self.entries.append(ListedItem(key, path, problem, {**more, **facts}))
        if min(numbers, default=1) > 1:  # as many frames as annotations would be a sign of another count
            self._no_slack.add(file)
        self._lengths[file] = max(numbers, default=0)
        if not texts:
            self.entries.append(ListedItem(name, annotations, "video without annotations", {"video": name, **facts}))
        return texts

    def runs(self) -> list[range]:
        """Return one range a video."""
        videos = [entry.facts["video"] for entry in self.entries]
        starts = [i for i in range(len(videos)) if i == 0 or videos[i] != videos[i - 1]]
        return [range(a, b) for a, b in zip(starts, [*starts[1:], len(videos)], strict=True)]
