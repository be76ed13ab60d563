"""What readers of annotated video files share: one open decoder a process, numbered .pts, a length check."""

from pathlib import Path

import numpy as np

from data_prep.errors import BadItem
from data_prep.readers.base import Listed, ListedItem, listing
from data_prep.video import Video, check_length


class VideoListed(Listed):
    """A Listed whose entries are frames: facts["video"] names the video, facts["number"] counts from 1.

    A video is opened when its first frame is asked for and closed when another's is: one is open at a time.
    """

    def __init__(self):
        super().__init__()
        self._lengths: dict[Path, int] = {}  # video file: frames annotated
        self._video: Video | None = None
        self._wrong: dict[Path, str] = {}

    def frame(self, entry: ListedItem) -> np.ndarray:
        """Return the picture (H, W, 3) of an entry from its video; raise BadItem where the two cannot be matched."""
        path = entry.facts["file"]
        if self._video is None or self._video.path != path:
            if self._video is not None:
                self._video.close()
            self._video = Video(path)
        if path not in self._wrong:
            self._wrong[path] = check_length(self._video, self._lengths[path])
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
        raise NotImplementedError

    def add_video(self, file: Path, annotations: Path, name: str, **facts) -> list[Path]:
        """Append an entry for every numbered .pts of a folder, in order, and return those files."""
        texts = [path for path in listing(annotations) if path.suffix.lower() == ".pts" and path.stem.isdecimal()]
        texts.sort(key=lambda path: (int(path.stem), path.name))
        numbers: dict[int, Path] = {}
        absent = not file.is_file()
        for path in texts:
            number, key = int(path.stem), f"{name}/{path.stem}"
            problem = f"second annotation of frame {number}" if number in numbers else ""
            problem = "its video file is missing" if absent else problem
            problem = "frame 0: annotations are numbered from 1" if number < 1 else problem
            numbers.setdefault(number, path)
            more = {"file": file, "video": name, "number": number, "annotation": path}
            self.entries.append(ListedItem(key, path, problem, {**more, **facts}))
        self._lengths[file] = max(numbers, default=0)
        if not texts:
            self.entries.append(ListedItem(name, annotations, "video without annotations", {"video": name, **facts}))
        return texts

    def runs(self) -> list[range]:
        """Return one range a video."""
        videos = [entry.facts["video"] for entry in self.entries]
        starts = [i for i in range(len(videos)) if i == 0 or videos[i] != videos[i - 1]]
        return [range(a, b) for a, b in zip(starts, [*starts[1:], len(videos)], strict=True)]
