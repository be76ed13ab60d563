"""The layout of Udacity's P1_Facial_Keypoints, written by the tests."""

import cv2
import numpy as np

from tests.helpers import face, smooth_picture

HEADER = ["", *map(str, range(136))]
HEIGHT, WIDTH = 90, 100


def picture(seed=0):
    return smooth_picture(HEIGHT, WIDTH, np.random.default_rng(seed))


def encode(pixels, kind):
    """PNG with an alpha channel, as the original's files have it, or a real JPEG."""
    bgr = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    if kind == "png":
        bgr = np.dstack([bgr, np.full(bgr.shape[:2], 255, np.uint8)])
    return cv2.imencode(f".{kind}", bgr)[1].tobytes()


def points_of(k):
    return face((48 + k, 44), 50 + k, 0.02 * k).round()


def row(name, points):
    return [name, *(repr(float(v)) for v in np.asarray(points).ravel())]


def write(folder, halves, header=HEADER, newline="\n", bom=False, encoding="utf-8"):
    """Write the layout: halves {half: [(name, points or row, image bytes or None)]}."""
    for half, entries in halves.items():
        (folder / half).mkdir(parents=True, exist_ok=True)
        lines = [",".join(header)] if header else []
        for name, points, image in entries:
            if points is not None:
                lines.append(",".join(points if isinstance(points, list) else row(name, points)))
            if image is not None:
                (folder / half / name).write_bytes(image)
        text = newline.join(lines) + newline
        table = folder / f"{half}_frames_keypoints.csv"
        table.write_bytes((b"\xef\xbb\xbf" if bom else b"") + text.encode(encoding))
    return folder


def good(name="Ada_Lovelace_00.jpg", k=0, kind="png"):
    return name, points_of(k), encode(picture(k), kind)
