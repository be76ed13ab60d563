"""Reading picture files: by content, whatever the name says, and from any folder name."""

import io
import re
import struct
import warnings
from pathlib import Path

import cv2
import numpy as np

from data_prep.errors import BadItem
from data_prep.heard import damage, listen
from data_prep.pts import read_bytes

LARGEST_PICTURE = 1 << 27  # pixels; a header is believed up to here, and memory is taken as it says
COLOUR = getattr(cv2, "IMREAD_COLOR_RGB", cv2.IMREAD_COLOR)  # OpenCV before 4.11 decodes to BGR only
DARK = 64  # of 255: as bright as a picture of 14 bits in 16 gets at most
LARGEST_FILE = 1 << 30  # bytes
PNG = b"\x89PNG\r\n\x1a\n"
# Of the chunks that a PNG need not have: the others change no pixel, and libpng warns of some without naming the file.
KEPT_CHUNKS = (b"tRNS", b"eXIf")
# What a decoder says that has filled a part of the picture itself; bytes before the end mark (0xd9) may be a camera's.
FILLED = re.compile(
    r"Corrupt JPEG data(?!: \d+ extraneous bytes before marker 0xd9)|Premature end of JPEG|Inconsistent progression"
    r"|libpng (error|warning: IDAT)"
)


def read_image(path: Path, upright: bool = True) -> np.ndarray:
    """Return the picture as (H, W, 3) uint8 RGB, alpha dropped; raise BadItem for a missing or unreadable file.

    upright turns a photograph as its camera says it was held (EXIF); a data set's points are on the pixels as stored.
    """
    # Not cv2.imread: it cannot open non-ASCII paths on Windows and says nothing about why it failed.
    return decode_image(read_bytes(path, "image", LARGEST_FILE), path, upright)


def decode_image(data: bytes, path: Path | str, upright: bool = True) -> np.ndarray:
    """Return the picture (H, W, 3) uint8 RGB that bytes are a file of; raise BadItem, with the path, for any others."""
    if problem := _promises(data):
        raise BadItem(problem, path=path)
    if data.startswith(PNG):
        data = _bare_png(data)
    how = COLOUR if upright else COLOUR | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        image, said = listen(cv2.imdecode, np.frombuffer(data, np.uint8), how) if data else (None, [])
    except cv2.error as error:
        raise BadItem(f"not a readable image ({first_line(error)})", path=path) from None
    except MemoryError:
        raise BadItem("not a readable image (larger than memory)", path=path) from None
    if image is None:
        raise BadItem(f"not a readable image ({said[0] if said else 'empty, truncated or no image at all'})", path=path)
    if told := damage(said, FILLED):
        raise BadItem(f"not a readable image (damaged or cut inside: {told})", path=path)
    if data[24:25] == b"\x10" and data.startswith(PNG) and image.max() < DARK:
        raise BadItem("a PNG of 16 bits of which only the lower are used: all would be dark", path=path)
    return image if COLOUR != cv2.IMREAD_COLOR else cv2.cvtColor(image, cv2.COLOR_BGR2RGB, dst=image)


def first_line(error: Exception) -> str:
    """Return what OpenCV says of an error, without its place in OpenCV's source."""
    return str(error).strip().splitlines()[0].rpartition(") ")[2][:120] if str(error).strip() else "no reason given"


def _promises(data: bytes) -> str:
    """Return what is wrong with a picture as its header has it, "" where nothing is."""
    size, start = None, 0
    if data.startswith(PNG) and len(data) >= 24:
        size = struct.unpack(">II", data[16:24])
    elif data.startswith(b"BM") and len(data) >= 26:
        size = tuple(map(abs, struct.unpack("<ii", data[18:26])))
    elif data.startswith(b"\xff\xd8"):
        size, start = _jpeg_size(data)
        if start and data.rfind(b"\xff\xd9", start) < 0:  # the decoder would fill what is missing with grey
            return "not a readable image (a JPEG that is cut off)"
    else:
        size = _size(data)
    if size and size[0] * size[1] > LARGEST_PICTURE:
        return f"image of {size[0]:,} x {size[1]:,} pixels by its header, more than is read"
    return ""


def _size(data: bytes) -> tuple[int, int] | None:
    """Return (width, height) of a picture of any other kind by its header; None where it tells none."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data)) as image:
                return image.size
    except Image.DecompressionBombError:
        return LARGEST_PICTURE, 2
    except Exception:  # no picture that is known there: the decoder says so
        return None


def _jpeg_size(data: bytes) -> tuple[tuple[int, int] | None, int]:
    """Return (width, height) of a JPEG by its header, None where it has none, and where its picture begins, or 0."""
    place, size = 2, None
    while place + 9 < len(data) and data[place] == 0xFF:
        kind = data[place + 1]
        if kind == 0xFF:
            place += 1
            continue
        if 0xC0 <= kind <= 0xCF and kind not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", data[place + 5 : place + 9])
            size = width, height
        if kind == 0xDA:
            return size, place
        place += 2 + int.from_bytes(data[place + 2 : place + 4], "big")
    return size, 0


def _bare_png(data: bytes) -> bytes:
    """Return a PNG without the chunks that change no pixel: of some the decoder warns without naming the file."""
    parts, kept, place = [], 0, len(PNG)
    while place + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, place)
        end = place + 12 + length
        if not (kind[:1].isupper() or kind in KEPT_CHUNKS):
            parts.append(data[kept:place])
            kept = end
        place = end
    return b"".join([*parts, data[kept:]]) if parts else data
