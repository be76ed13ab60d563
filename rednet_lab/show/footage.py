"""Videos, photographs and cameras as frames, one at a time or a few at once; the frontal faces in a picture."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
from PIL import Image, UnidentifiedImageError

from data_prep.errors import BadItem, DataError
from data_prep.images import read_image

# Where the papers' face box lies in a Haar box: medians over 212 near-frontal photographs of YouTube Faces.
HAAR_DOWN, HAAR_SIDE = 0.108, 1.20  # centre below the Haar box's, side, both in Haar widths
USUAL_RATE = 25.0  # frames a second, where a file does not say
LONGEST = 720  # pixels: larger frames are reduced; faces for this network need no more
MOST_FRAMES = 300  # of a video that is kept whole: about 250 MB of memory
MOST_PIXELS = 60_000_000  # of a photograph: what a telephone makes, and no more than memory holds
MOST_BYTES = 10_000_000  # of an upload: Jupyter's server closes the connection on messages above 10 MiB
NOT_READ = {".heic": "HEIC", ".heif": "HEIF", ".avif": "AVIF"}  # of telephones; neither OpenCV nor Pillow reads them
PICTURES = {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"}


@dataclass(frozen=True)
class Shot:
    """One frame: its number, the time in seconds at which it is shown, and the picture (H, W, 3) uint8 RGB."""

    number: int
    time: float
    picture: np.ndarray


@dataclass(frozen=True)
class Footage:
    """Something with frames: a video file, pictures in a row, one picture, or a camera's number."""

    name: str
    path: Path | None = None
    pictures: tuple[Path, ...] = ()
    camera: int | None = None

    @classmethod
    def of_file(cls, path: Path) -> "Footage":
        """Return a file's. Raise DataError, naming the fix, where its kind cannot be read."""
        kind = path.suffix.lower()
        if kind in NOT_READ:
            fix = "save it as JPEG: on a phone, share it as 'most compatible'; on a computer, export it"
            raise DataError(f"{NOT_READ[kind]} pictures cannot be read", path=path, field="file", fix=fix)
        return cls(path.stem, pictures=(path,)) if kind in PICTURES else cls(path.stem, path)

    def told(self) -> tuple[int, float]:
        """Return how many frames there should be (0: nobody knows), and how many a second."""
        if self.pictures or self.path is None:
            return len(self.pictures), USUAL_RATE
        video = cv2.VideoCapture(str(self.path))
        told = max(int(video.get(cv2.CAP_PROP_FRAME_COUNT)), 0), _rate(video)
        video.release()
        return told

    def __iter__(self) -> Iterator[Shot]:
        """Yield the frames in order. Raise DataError, naming the file and the fix, where none can be read."""
        return self._of_pictures() if self.pictures else self._of_video()

    def _of_pictures(self) -> Iterator[Shot]:
        for number, path in enumerate(self.pictures):
            try:
                _refuse_huge(path)
                yield Shot(number, number / USUAL_RATE, read_image(path))
            except BadItem as error:
                raise DataError(error.problem, path=path, field="file", fix="try another picture") from None

    def _of_video(self) -> Iterator[Shot]:
        video = cv2.VideoCapture(str(self.path) if self.camera is None else self.camera)
        video.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)  # a phone's film upright, as its player shows it
        rate, number, time = _rate(video), 0, 0.0
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
            raise DataError("no frame can be read", path=self.path or self.name, field="file", fix=what)


def _rate(video: cv2.VideoCapture) -> float:
    """Return how many frames a second an open video has; USUAL_RATE where it says nothing that can be."""
    rate = video.get(cv2.CAP_PROP_FPS)
    return rate if 1 <= rate <= 240 else USUAL_RATE


def _refuse_huge(path: Path) -> None:
    """Raise BadItem for a picture that says it has more than MOST_PIXELS, before it is decoded."""
    try:
        with Image.open(path) as header:
            width, height = header.size
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError):
        return  # not one that Pillow knows: what cannot be read at all is said by read_image
    if width * height > MOST_PIXELS:
        raise BadItem(f"{width} x {height} pixels are too many; {MOST_PIXELS / 1e6:.0f} million can be", path=path)


def frames_of(video: str, seconds: float = 10.0) -> list[np.ndarray]:
    """Return the frames (H, W, 3) uint8 RGB of a video file, a photograph (one frame) or "webcam", reduced to LONGEST.

    Raise DataError, naming the file and the fix, where there is nothing to read.
    """
    path, found = Path(video).expanduser(), []
    if video != "webcam" and not path.is_file():
        raise DataError("no such file", path=path, field="file", fix="give a file's path, or 'webcam'")
    for shot in Footage("webcam", camera=0) if video == "webcam" else Footage.of_file(path):
        if found and (shot.time >= seconds or len(found) == MOST_FRAMES):
            break
        scale = LONGEST / max(shot.picture.shape[:2])
        reduced = shot.picture if scale >= 1 else cv2.resize(shot.picture, None, None, scale, scale, cv2.INTER_AREA)
        found.append(reduced)
    return found


def uploaded(name: str, content: bytes, seconds: float = 10.0) -> list[np.ndarray]:
    """Return the frames of a file that came through the browser: its name and its bytes.

    Raise DataError, naming the file and the fix, where it is too large or nothing can be read of it.
    """
    if len(content) > MOST_BYTES:
        fix = "give its path instead, or a shorter clip"
        raise DataError(f"{len(content) / 1e6:.0f} MB are too much for an upload", path=name, field="file", fix=fix)
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:  # Windows keeps a file while it is open
        path = Path(folder) / f"file{Path(name).suffix.lower()}"
        path.write_bytes(content)
        try:
            return frames_of(str(path), seconds)
        except DataError as error:  # its own path is nothing to the reader
            raise DataError(error.problem, path=name, field="file", fix=error.fix) from None


def frontal_faces(image: np.ndarray) -> np.ndarray:
    """Return the papers' face boxes (N, 3) of frontal faces, by OpenCV's cascade; none where OpenCV has no cascades."""
    if not hasattr(cv2, "CascadeClassifier"):
        return np.empty((0, 3))
    cascade = cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_frontalface_default.xml")
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    smallest = max(24, min(image.shape[:2]) // 10)
    found = cascade.detectMultiScale(grey, 1.1, 5, minSize=(smallest, smallest))
    x, y, width, height = np.asarray(found, np.float64).reshape(-1, 4).T
    return np.stack([x + (width - 1) / 2, y + (height - 1) / 2 + HAAR_DOWN * width, HAAR_SIDE * width], -1)


def detect(image: np.ndarray) -> np.ndarray | None:
    """Return the papers' face box (3,) of the largest frontal face, or None (also where OpenCV has no cascades)."""
    found = frontal_faces(image)
    return found[found[:, 2].argmax()] if len(found) else None
