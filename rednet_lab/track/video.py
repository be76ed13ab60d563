"""Videos, pictures and cameras as a stream of frames, one at a time, and an annotated video written likewise."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from data_prep.errors import BadItem, DataError
from data_prep.images import read_image
from rednet_lab.files import remove
from rednet_lab.show.own_video import PICTURES, USUAL_RATE, frame_rate

VIDEOS = {".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".wmv", ".3gp"}
NOT_READ = {".heic": "HEIC", ".heif": "HEIF", ".avif": "AVIF"}  # what phones write and OpenCV does not read


@dataclass(frozen=True)
class Shot:
    """One frame: its number, the time in seconds at which it is shown, and the picture (H, W, 3) uint8 RGB."""

    number: int
    time: float
    picture: np.ndarray


@dataclass(frozen=True)
class Footage:
    """Something to be tracked: a video file, a folder of pictures, one picture, or a camera's number."""

    name: str
    path: Path | None = None
    pictures: tuple[Path, ...] = ()
    camera: int | None = None

    def told(self) -> tuple[int, float]:
        """Return how many frames there should be (0: nobody knows), and how many a second."""
        if self.pictures or self.path is None:
            return len(self.pictures), USUAL_RATE
        video = cv2.VideoCapture(str(self.path))
        told = max(int(video.get(cv2.CAP_PROP_FRAME_COUNT)), 0), frame_rate(video)
        video.release()
        return told

    def __iter__(self) -> Iterator[Shot]:
        """Yield the frames in order. Raise DataError, naming the file and the fix, where none can be read."""
        return self._of_pictures() if self.pictures else self._of_video()

    def _of_pictures(self) -> Iterator[Shot]:
        for number, path in enumerate(self.pictures):
            try:
                yield Shot(number, number / USUAL_RATE, read_image(path))
            except BadItem as error:
                raise DataError(error.problem, path=path, field="picture", fix="remove it or mend it") from None

    def _of_video(self) -> Iterator[Shot]:
        video = cv2.VideoCapture(str(self.path) if self.camera is None else self.camera)
        video.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)  # a phone's film upright, as its player shows it
        rate = frame_rate(video)
        number, time = 0, 0.0
        try:
            while True:
                good, picture = video.read()
                if not good:
                    break
                told = video.get(cv2.CAP_PROP_POS_MSEC) / 1000  # frames of a phone's film are not evenly spaced
                time = told if told > time or number == 0 else time + 1 / rate
                yield Shot(number, time, cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))
                number += 1
        finally:
            video.release()
        if not number:
            what = "allow the camera" if self.camera is not None else "try MP4 or AVI; this OpenCV may lack the codec"
            raise DataError("no frame can be read", path=self.name, field="video", fix=what)


def sources(words: list[str]) -> list[Footage]:
    """Return what a command line's words name: files, folders of videos or of pictures, `camera` or `camera:1`.

    Raise DataError, naming the word and the fix, for one that names nothing.
    """
    found = []
    for word in words:
        kind, _, number = word.partition(":")
        path = Path(word).expanduser()
        if kind == "camera" and not path.exists() and (number or "0").isdecimal():
            found.append(Footage(f"camera{number or 0}", camera=int(number or 0)))
        elif path.is_dir():
            found += _of_folder(path)
        elif path.is_file():
            found.append(_of_file(path))
        else:
            raise DataError(
                "no such file or folder", path=word, field="source", fix="give a file, a folder or 'camera'"
            )
    return found


def _of_file(path: Path) -> Footage:
    kind = path.suffix.lower()
    if kind in NOT_READ:
        fix = "save it as JPEG: on a phone, share it as 'most compatible'; on a computer, export it"
        raise DataError(f"{NOT_READ[kind]} pictures cannot be read", path=path, field="source", fix=fix)
    return Footage(path.stem, pictures=(path,)) if kind in PICTURES else Footage(path.stem, path)


def _of_folder(folder: Path) -> list[Footage]:
    """Return the videos of a folder, each by itself, and its pictures as one video."""
    files = sorted(file for file in folder.iterdir() if file.is_file())
    found = [Footage(file.stem, file) for file in files if file.suffix.lower() in VIDEOS]
    pictures = tuple(file for file in files if file.suffix.lower() in PICTURES)
    found += [Footage(folder.resolve().name, pictures=pictures)] if pictures else []
    if not found:
        raise DataError("no videos and no pictures in it", path=folder, field="source", fix="name another folder")
    return found


class Film:
    """An annotated video that is written frame by frame; it has its name only once it is whole."""

    def __init__(self, path: Path, rate: float):
        self.path, self.part, self.rate = path, path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}"), rate
        self.writer: cv2.VideoWriter | None = None
        self.written = 0

    def add(self, picture: np.ndarray, time: float) -> None:
        """Append a frame (H, W, 3) uint8 RGB, shown from `time` (s) on. Raise DataError where OpenCV cannot write."""
        if self.writer is None:
            size = (picture.shape[1], picture.shape[0])
            self.writer = cv2.VideoWriter(str(self.part), cv2.VideoWriter.fourcc(*"mp4v"), self.rate, size)
            if not self.writer.isOpened():
                raise DataError(
                    "cannot be written", path=self.path, field="video", fix="use --no-video; look at the disk"
                )
        while self.written / self.rate <= time:  # frames that are not evenly spaced stay when they were
            self.writer.write(np.ascontiguousarray(picture[..., ::-1]))
            self.written += 1

    def close(self, whole: bool = True) -> None:
        """End the film: under its name if it is whole, else as if it had never been begun."""
        if self.writer is not None:
            self.writer.release()
        if whole and self.part.exists():
            os.replace(self.part, self.path)
        else:
            remove(self.part)
