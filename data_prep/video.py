"""Video files read forward: a frame is what the decoder gives at that count, never what a seek claims it is.

Seeking and CAP_PROP_FRAME_COUNT are unreliable in AVI files (DATASETS 8.5). A video stays open between two reads, so
frames asked for in order are decoded once; frames between are passed over without being converted.
"""

from pathlib import Path

import cv2
import numpy as np

from data_prep.errors import BadItem

SLACK = 3  # frames by which a video may differ from its annotation at the end (DATASETS 8.5)


class Video:
    """A video file; `frame(k)` is its k-th decoded frame, from 0. Pickled closed, so worker processes can have it."""

    def __init__(self, path: Path):
        self.path = Path(path)
        self._decoder, self._next = None, 0

    def __getstate__(self):
        return {"path": self.path, "_decoder": None, "_next": 0}

    def close(self) -> None:
        """Let go of the file."""
        if self._decoder is not None:
            self._decoder.release()
        self._decoder, self._next = None, 0

    def frame(self, number: int) -> np.ndarray:
        """Return frame (H, W, 3) uint8 RGB; raise BadItem where the file does not open or ends before it."""
        if self._decoder is None or number < self._next:
            self._open()
        while self._next < number:
            if not self._decoder.grab():
                raise self._ended()
            self._next += 1
        found, image = self._decoder.read()
        if not found:
            raise self._ended()
        self._next += 1
        return cv2.cvtColor(image, cv2.COLOR_BGR2RGB, dst=image)

    def count(self) -> int:
        """Return how many frames can be decoded, by going through them."""
        self._open()
        while self._decoder.grab():
            self._next += 1
        count = self._next
        self.close()
        return count

    def claimed_count(self) -> int:
        """Return how many frames the file says it has, without decoding; 0 where it does not say."""
        self._open()
        return max(int(self._decoder.get(cv2.CAP_PROP_FRAME_COUNT)), 0)

    def _open(self) -> None:
        self.close()
        if not self.path.is_file():
            raise BadItem("video file is missing", path=self.path)
        decoder = cv2.VideoCapture(str(self.path))
        if not decoder.isOpened():
            raise BadItem("video file cannot be opened (no video, or no decoder for it)", path=self.path)
        self._decoder = decoder

    def _ended(self) -> BadItem:
        ended = BadItem(f"video ends after {self._next} frames", path=self.path)
        self.close()
        return ended


def check_length(video: Video, annotated: int) -> str:
    """Return what is wrong with a video of which `annotated` frames are annotated, "" where nothing is.

    The file's own count is believed where it agrees; where it does not, all frames are decoded once to know.
    """
    try:
        if abs(video.claimed_count() - annotated) <= SLACK:
            return ""
        count = video.count()
    except BadItem as error:
        return error.problem
    if abs(count - annotated) <= SLACK:
        return ""
    return f"the video has {count} frames, but {annotated} are annotated: they cannot be matched"
