"""What decoders say: libjpeg, libpng, ffmpeg and OpenCV write to standard error themselves, and name no file.

It is caught where the system takes it, so that the error or the note that comes of it can name the file. Nothing of it
reaches the screen; what another thread writes meanwhile (a progress bar has carriage returns) goes on to it. A library
with a C runtime of its own, as OpenCV may have on Windows, is not heard.
"""

import os
import re
import tempfile
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, BinaryIO

MOST = 1 << 16  # bytes of it that are looked at
PLACE = re.compile(r"imdecode_\('[^']*'\): |: OpenCV\(.*")  # in OpenCV's source
WHO = re.compile(r"^\[[^\]]*\]\s*(global \S+ \S+ )?")  # "[mjpeg @ 0x5581] ", "[ WARN:0@0.1] global f.cpp:9 read "
NUMBER = re.compile(r"\b\d+\b")
BAR = re.compile(rb"\r(?!\n)")

notes: deque[str] = deque(maxlen=8)  # of the item that is being read; whoever reads items empties it

_lock = threading.RLock()
_place: tuple[int, BinaryIO] | None = None  # process, and the file that takes what is said


def listen(work: Callable, *arguments) -> tuple[Any, list[str]]:
    """Return work(*arguments), and the lines that were written to standard error meanwhile, without who says them."""
    with _lock:
        try:
            screen, place = os.dup(2), _taker()
        except OSError:  # there is no standard error, or no room for a file
            return work(*arguments), []
        try:
            os.dup2(place, 2)
            try:
                result = work(*arguments)
            finally:
                os.dup2(screen, 2)
                words = _words(place, screen) if os.lseek(place, 0, os.SEEK_CUR) else []
        finally:
            os.close(screen)
    return result, words


def _taker() -> int:
    global _place
    if _place is None or _place[0] != os.getpid():
        _place = os.getpid(), tempfile.TemporaryFile(buffering=0)
    return _place[1].fileno()


def _words(place: int, screen: int) -> list[str]:
    """Return the lines in the file, which is empty then; what is no decoder's goes to the screen."""
    os.lseek(place, 0, os.SEEK_SET)
    data = os.read(place, MOST)
    os.lseek(place, 0, os.SEEK_SET)
    os.ftruncate(place, 0)
    if BAR.search(data):
        os.write(screen, data)
        return []
    said = (PLACE.sub("", WHO.sub("", line.strip())) for line in data.decode("utf-8", "replace").splitlines())
    return list(dict.fromkeys(line[:120] for line in said if line))


def damage(words: list[str], signs: re.Pattern[str]) -> str:
    """Return the first of a decoder's words that tells of damage by these signs, "" where none does.

    The picture is used then: its words are kept as notes, in which numbers make no difference.
    """
    if told := next(filter(signs.search, words), ""):
        return told
    notes.extend("its decoder says: " + NUMBER.sub("…", line) for line in words)
    return ""
