"""Reading picture files: by content, whatever the name says, and from any folder name."""

from pathlib import Path

import cv2
import numpy as np

from data_prep.errors import BadItem


def read_image(path: Path, upright: bool = True) -> np.ndarray:
    """Return the picture as (H, W, 3) uint8 RGB, alpha dropped; raise BadItem for a missing or unreadable file.

    upright turns a photograph as its camera says it was held (EXIF); a data set's points are on the pixels as stored.
    """
    try:
        # Not cv2.imread: it cannot open non-ASCII paths on Windows and says nothing about why it failed.
        data = np.fromfile(path, np.uint8)
    except FileNotFoundError:
        raise BadItem("image file is missing", path=path) from None
    except OSError as error:
        raise BadItem(f"image file cannot be read ({error.strerror})", path=path) from None
    how = cv2.IMREAD_COLOR if upright else cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    image = cv2.imdecode(data, how) if data.size else None
    if image is None:
        raise BadItem("not a readable image (empty, truncated or no image at all)", path=path)
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB, dst=image)
