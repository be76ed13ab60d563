"""Video files read forward: a frame is what the decoder gives at that count, never what a seek claims it is.

Seeking and CAP_PROP_FRAME_COUNT are unreliable in AVI files (DATASETS 8.5): a recorder that drops a frame leaves an
empty one, which the header counts and no decoder delivers. The times of the frames tell: they are read from the stream
without decoding it. A video stays open between two reads, so frames asked for in order are decoded once; frames between
are passed over without being converted. Pixels are as stored: a rotation that the file asks for is not applied, as
EXIF's is not, because the points are on the pixels as stored.

A damaged frame is filled up by the decoder, which tells nobody but standard error. It is heard (`data_prep.heard`), and
one thread decodes, so that what is said is of the frame that is asked for.
"""

import re
from pathlib import Path

import cv2
import numpy as np

from data_prep.errors import BadItem
from data_prep.heard import damage, listen
from data_prep.images import LARGEST_PICTURE, first_line

LONGEST = 10_000_000  # frames
LATE = 1.0  # milliseconds
UNEVEN = 0.2  # share of the steps between frames from which on a stream has no even step
# A decoder's words.
DAMAGED = re.compile(r"damaged|illegal|invalid|concealing|overread|error (count|at|while|y=|dc)", re.IGNORECASE)
TEXT = re.compile(rb"[\t\n\r\x20-\x7e\xef\xbb\xbf]+")
ONE_THREAD = [cv2.CAP_PROP_N_THREADS, 1]
SLACK = 3  # frames by which a video may differ from its annotation at the end (DATASETS 8.5)


class Video:
    """A video file; `frame(k)` is its k-th decoded frame, from 0. Pickled closed, so worker processes can have it."""

    def __init__(self, path: Path):
        self.path = Path(path)
        self._decoder: cv2.VideoCapture | None = None
        self._next = 0
        self._times: list[float] | None = None
        self._late, self._even = 0.0, True

    def __getstate__(self):
        return {**self.__dict__, "_decoder": None, "_next": 0, "_times": None}

    def close(self) -> None:
        """Let go of the file."""
        if self._decoder is not None:
            self._decoder.release()
        self._decoder, self._next = None, 0

    def frame(self, number: int) -> np.ndarray:
        """Return frame (H, W, 3) uint8 RGB, a view of blue first; raise BadItem where the file does not open or ends
        before it.
        """
        decoder = self._decoder
        if decoder is None or number < self._next:
            decoder = self._open()
        while self._next < number:
            if not listen(decoder.grab)[0]:
                raise self._ended()
            self._next += 1
        try:
            (found, image), said = listen(decoder.read)
        except cv2.error as error:
            raise BadItem(f"frame {number + 1} cannot be decoded ({first_line(error)})", path=self.path) from None
        if not found:
            raise self._ended()
        if self._times and number < len(self._times):
            late, before = decoder.get(cv2.CAP_PROP_POS_MSEC) - self._times[number], self._late
            self._late = late
            # Not a frame's time in the stream: it may lack a frame that no decoder can make anything of.
            if number and abs(late - before) > LATE and self._even and (lost := len(self._times) - self._decodable()):
                self._even = lost < 0
            if not self._even:
                problem = f"a frame before number {number + 1} is damaged and not delivered: none after it fits"
                raise BadItem(problem, path=self.path)
        self._next += 1
        if told := damage(said, DAMAGED):
            raise BadItem(f"frame {number + 1} is damaged (its decoder says: {told})", path=self.path)
        return image[..., ::-1]  # a view: whoever cuts a piece out of it turns that piece alone

    def times(self) -> list[float]:
        """Return when each frame of the stream is shown, in milliseconds and in order, without decoding any."""
        if self._times is None:
            decoder = self._open()
            found: list[float] = []

            def go_through() -> None:
                raw = decoder.set(cv2.CAP_PROP_FORMAT, -1)
                while (decoder.read()[0] if raw else decoder.grab()) and len(found) < LONGEST:
                    found.append(decoder.get(cv2.CAP_PROP_POS_MSEC))

            listen(go_through)
            self.close()
            # A stream has its frames in the order in which they are decoded; what comes before time 0 is not shown.
            self._times = sorted(time for time in found if time > -LATE)
        return self._times

    def _decodable(self) -> int:
        """Return how many frames a decoder delivers, by going through them."""
        other, count = Video(self.path), 0
        decoder = other._open()
        while listen(decoder.grab)[0]:
            count += 1
        other.close()
        return count

    def claimed_count(self) -> int:
        """Return how many frames the file says it has; 0 where it does not say."""
        return max(int(self._open().get(cv2.CAP_PROP_FRAME_COUNT)), 0)

    def _open(self) -> cv2.VideoCapture:
        self.close()
        if not self.path.is_file():
            raise BadItem("video file is missing", path=self.path)
        with open(self.path, "rb") as file:
            if TEXT.fullmatch(file.read(512)):  # a list of other files or of addresses, which the decoder would follow
                raise BadItem("video file cannot be opened (a text, no video)", path=self.path)
        decoder, said = listen(cv2.VideoCapture, str(self.path), cv2.CAP_ANY, ONE_THREAD)
        if not decoder.isOpened():  # or by a decoder that counts no threads
            decoder = listen(cv2.VideoCapture, str(self.path))[0]
        if not decoder.isOpened():
            problem = f"video file cannot be opened ({said[0] if said else 'no video, or no decoder for it'})"
            raise BadItem(problem, path=self.path)
        if decoder.get(cv2.CAP_PROP_FRAME_WIDTH) * decoder.get(cv2.CAP_PROP_FRAME_HEIGHT) > LARGEST_PICTURE:
            raise BadItem(f"frames of more than {LARGEST_PICTURE / 1e6:g} million pixels", path=self.path)
        decoder.set(cv2.CAP_PROP_ORIENTATION_AUTO, 0)
        self._decoder = decoder
        return decoder

    def _ended(self) -> BadItem:
        ended = BadItem(f"video ends after {self._next} frames", path=self.path)
        self.close()
        return ended


def gaps(times: list[float]) -> int:
    """Return how many frames are missing before the last of a stream, by their times (milliseconds from its start).

    The step is the middle one: a stream that is even but for a few gaps has lost frames; one that is uneven throughout
    was recorded so.
    """
    steps = np.diff(times)
    if not len(steps):
        return 0
    step = float(np.median(steps))
    if step <= 0 or np.mean(np.abs(steps - step) > 0.25 * step) > UNEVEN:
        return 0
    return int(np.round(np.append(steps / step - 1, times[0] / step)).clip(0).sum())


def check_length(video: Video, annotated: int, exact: bool = False) -> str:
    """Return what is wrong with a video of which `annotated` frames are annotated, "" where nothing is.

    As many frames as annotations fit. A few more or fewer at the end do, too (not where exact), unless frames are
    missing in the middle: then all behind the gap would have other frames' points.
    """
    try:
        times = video.times()
        claimed = video.claimed_count()
    except BadItem as error:
        return error.problem
    except cv2.error as error:
        return f"cannot be read ({first_line(error)})"
    count = len(times)
    if count == annotated:
        return ""
    numbers = f"the video has {count} frames, but {annotated} are annotated"
    lost = gaps(times)
    if lost:
        return f"{numbers}, and {lost} are missing before the last: they cannot be matched"
    if exact or abs(count - annotated) > SLACK:
        return f"{numbers}: they cannot be matched"
    if claimed == annotated and len(set(times)) < 2 < count:
        return f"{numbers}, as its header claims, and it has no times: they cannot be matched"
    return ""
