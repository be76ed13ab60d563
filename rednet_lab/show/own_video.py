"""A reader's own video, photograph or webcam: frames from it, a first face box, and following the face.

The first box comes from OpenCV's frontal Haar cascade. OpenCV 5 builds come without cascades, and profiles are
not frontal: then the network itself is tried on a grid of boxes, and the one it is surest of is taken.
"""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
from PIL import Image, UnidentifiedImageError

from data_prep.errors import BadItem, DataError
from data_prep.images import read_image
from rednet_core.rednet import RedNet
from rednet_core.tracking import Tracker
from rednet_lab.show.trace import Frame, record

# Where the papers' face box lies in a Haar box: medians over 212 near-frontal photographs of YouTube Faces.
HAAR_DOWN, HAAR_SIDE = 0.108, 1.20  # centre below the Haar box's, side, both in Haar widths
USUAL_RATE = 25.0  # frames a second, where a file does not say
LONGEST = 720  # pixels: larger frames are reduced; faces for this network need no more
MOST_FRAMES = 300  # of a video: about 250 MB of memory
MOST_PIXELS = 60_000_000  # of a photograph: what a telephone makes, and no more than memory holds
MOST_BYTES = 10_000_000  # of an upload: Jupyter's server closes the connection on messages above 10 MiB
LOST, PATIENCE = 0.35, 5  # a confidence under this for so many frames, and the face is looked for again
HEIC = {".heic", ".heif"}  # of telephones; neither OpenCV nor Pillow reads them
PICTURES = {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"}


def frames_of(video: str, seconds: float = 10.0) -> list[np.ndarray]:
    """Return the frames (H, W, 3) uint8 RGB of a video file, a photograph (one frame) or "webcam".

    Raise DataError, naming the file and the fix, where there is nothing to read.
    """
    path = Path(video).expanduser()
    if video != "webcam" and not path.is_file():
        raise DataError("no such file", path=path, field="my_video", fix="give a file's path, or 'webcam'")
    if path.suffix.lower() in HEIC:
        fix = "save a copy of it as JPEG (an iPhone makes JPEG after Settings > Camera > Formats > Most Compatible)"
        raise DataError("HEIC pictures cannot be read", path=path, field="my_video", fix=fix)
    if path.suffix.lower() in PICTURES:
        try:
            _refuse_huge(path)
            return [_reduced(read_image(path))]
        except BadItem as error:
            raise DataError(error.problem, path=path, field="my_video", fix="try another picture") from None
    source = cv2.VideoCapture(0 if video == "webcam" else str(path))
    wanted = min(max(1, round(seconds * frame_rate(source))), MOST_FRAMES)
    found = []
    while len(found) < wanted:
        good, image = source.read()
        if not good:
            break
        found.append(_reduced(cv2.cvtColor(image, cv2.COLOR_BGR2RGB)))
    source.release()
    if not found:
        fix = "allow the camera" if video == "webcam" else "try MP4 or AVI; this OpenCV may lack the codec"
        raise DataError("no frame can be read", path=path, field="my_video", fix=fix)
    return found


def frame_rate(video: cv2.VideoCapture) -> float:
    """Return how many frames a second an open video has; USUAL_RATE where it says nothing that can be."""
    rate = video.get(cv2.CAP_PROP_FPS)
    return rate if 1 <= rate <= 240 else USUAL_RATE


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


def _refuse_huge(path: Path) -> None:
    """Raise BadItem for a picture that says it has more than MOST_PIXELS, before it is decoded."""
    try:
        with Image.open(path) as header:
            width, height = header.size
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError):
        return  # not one that Pillow knows: what cannot be read at all is said by read_image
    if width * height > MOST_PIXELS:
        raise BadItem(f"{width} x {height} pixels are too many; {MOST_PIXELS / 1e6:.0f} million can be", path=path)


def _reduced(image: np.ndarray) -> np.ndarray:
    scale = LONGEST / max(image.shape[:2])
    return image if scale >= 1 else cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


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


def search(net: RedNet, image: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the box (3,) of a grid over the image that the network is surest of, and how sure it is."""
    height, width = image.shape[:2]
    boxes = []
    for share in (0.35, 0.5, 0.7, 0.95):
        side = share * min(height, width)
        x, y = (np.arange(side / 2, reach - side / 2 + 1, side / 4) for reach in (width, height))
        boxes += [np.stack([*(a.ravel() for a in np.meshgrid(x, y)), np.full(len(x) * len(y), side)], -1)]
    boxes = np.concatenate(boxes)
    tracker, sure = Tracker(net), []
    for some in np.array_split(boxes, -(-len(boxes) // 64)):
        tracker.start(some)
        sure.append(tracker.update(np.broadcast_to(image, (len(some), *image.shape))).confidence)
    sure = np.concatenate(sure)
    return boxes[sure.argmax()], float(sure.max())


def first_box(net: RedNet, image: np.ndarray) -> np.ndarray | None:
    """Return a box to start from: the detector's, else the network's search; refined by the first landmarks."""
    box = detect(image)
    if box is None:
        box, sure = search(net, image)
        if sure < LOST:
            return None
    tracker = Tracker(net)
    tracker.start(box)
    tracker.update(image)
    return tracker.box[0].cpu().numpy()  # what the first landmarks make of it: the papers' own box


def follow(
    net: RedNet,
    clip: list[np.ndarray],
    box: np.ndarray | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[list[Frame], str]:
    """Return traces of the frames in which a face is followed, and what happened in words.

    box (3,) is the face in the first frame; without one it is looked for. Frames before the first face are left out;
    a lost face is looked for again.
    """
    tracker, track, starts, doubt = Tracker(net), [], 0, 0
    if box is not None:
        tracker.start(box)
        starts = 1
    for done, image in enumerate(clip):
        progress(done, len(clip))
        if tracker.box is None or doubt >= PATIENCE:
            box = first_box(net, image)
            if box is not None:
                tracker.start(box)
                starts, doubt = starts + 1, 0
        if tracker.box is None:
            continue
        seen = tracker.update(image)
        doubt = doubt + 1 if seen.confidence[0] < LOST else 0
        track += record(net, seen, image[None], None)
    return track, f"followed in {len(track)} of {len(clip)} frames, found {starts} times"
