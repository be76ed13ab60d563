"""Words and curves painted into arrays: titles over pictures, and small charts that repaint in a millisecond or two.

matplotlib makes the figures of the notebooks; it needs a tenth of a second for one, which is too long for a slider.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import matplotlib
import numpy as np
from matplotlib.ticker import LogLocator, MaxNLocator
from PIL import Image, ImageDraw, ImageFont

from rednet_lab.show import draw

PANEL = 250  # pixels of one picture; two beside each other and the controls fit a notebook on a 1280 px screen
TITLE = 22  # pixels of the line above a picture
DARK, PALE = (50, 50, 50), (205, 205, 205)
LEFT, RIGHT, TOP, BOTTOM = 54, 16, 8, 40  # a chart's margins in pixels
DASH = 7  # pixels of a dash, and of the gap behind it


@lru_cache
def font(size: int) -> ImageFont.FreeTypeFont:
    """DejaVu Sans, which matplotlib brings along, so the words look the same on every system."""
    return ImageFont.truetype(str(Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")), size)


def words(
    image: np.ndarray, texts: list[tuple[str, tuple[float, float], str]], size: int = 12, colour=DARK, halo=None
) -> np.ndarray:
    """A copy with texts, each (words, place (x, y), anchor as Pillow has them: "lm" is left, middle)."""
    paper = Image.fromarray(image)
    pen = ImageDraw.Draw(paper)
    for text, place, anchor in texts:
        pen.text(place, text, colour, font(size), anchor, stroke_width=2 if halo else 0, stroke_fill=halo)
    return np.array(paper)


def blocks(image: np.ndarray, size: int) -> np.ndarray:
    """The picture at size x size with its pixels as blocks."""
    return cv2.resize(image, (size, size), interpolation=cv2.INTER_NEAREST)


def titled(image: np.ndarray, title: str, size: int = 13) -> np.ndarray:
    """The picture with a line of words above it, on white."""
    above = np.full((TITLE, image.shape[1], 3), 255, np.uint8)
    return np.concatenate([words(above, [(title, (2, TITLE / 2), "lm")], size), image])


def panels(pictures: dict[str, np.ndarray], columns: int = 2) -> np.ndarray:
    """Pictures of one size with their titles, in a grid."""
    return draw.montage([titled(picture, title) for title, picture in pictures.items()], columns, gap=6)


@dataclass(frozen=True)
class Line:
    """A curve: its places x and values y (NaN: a gap), a name, a colour; dashed, so that colour is not needed."""

    x: np.ndarray
    y: np.ndarray
    name: str = ""
    colour: tuple[int, int, int] = draw.BLUE
    dashed: bool = False
    width: int = 2


def chart(
    lines: list[Line],
    x_label: str = "",
    size: tuple[int, int] = (PANEL, PANEL),
    x_range: tuple[float, float] | None = None,
    y_range: tuple[float, float] | None = None,
    log: bool = False,
    levels: dict[str, float] | None = None,
    cursor: float | None = None,
) -> np.ndarray:
    """Curves as a picture of size (width, height); `levels` are named horizontal lines, `cursor` is a place on x."""
    everything = np.concatenate([np.asarray(line.y, float) for line in lines] + [list((levels or {}).values())])
    everything = everything[np.isfinite(everything) & ((everything > 0) | (not log))]
    x_range = x_range or _reach(np.concatenate([np.asarray(line.x, float) for line in lines]))
    y_range = y_range or _reach(everything, log)
    scale = np.log10 if log else np.asarray
    width, height = size
    across, down = width - LEFT - RIGHT, height - TOP - BOTTOM

    def place(x, y) -> np.ndarray:
        x = (np.asarray(x, float) - x_range[0]) / (x_range[1] - x_range[0])
        low, high = scale(y_range)
        with np.errstate(divide="ignore", invalid="ignore"):
            y = (scale(np.asarray(y, float)) - low) / (high - low)
        return np.stack(np.broadcast_arrays(LEFT + x * across, TOP + (1 - np.clip(y, -0.02, 1.02)) * down), -1)

    out, texts = np.full((height, width, 3), 255, np.uint8), []
    for y in _ticks(y_range, log):
        (a, b) = place(x_range, y)
        stroke(out, np.array([a, b]), PALE, 1)
        texts.append((f"{y:g}", (LEFT - 5, a[1]), "rm"))
    for x in _ticks(x_range):
        (a,) = place([x], y_range[0])
        stroke(out, np.array([a, a + [0, 4]]), DARK, 1)
        texts.append((f"{x:g}", (a[0], a[1] + 6), "ma"))
    for name, level in (levels or {}).items():
        a, b = place(x_range, level)
        stroke(out, np.array([a, b]), DARK, 1, dashed=True)
        texts.append((name, (width - RIGHT - 2, a[1] - 2), "rd"))
    frame = out[:, LEFT : LEFT + across + 1]  # what is left and right of it is not painted
    for line in lines:
        stroke(frame, place(line.x, line.y) - [LEFT, 0], line.colour, line.width, line.dashed)
    if cursor is not None:
        stroke(out, place(np.clip([cursor, cursor], *x_range), y_range), draw.SKY, 3)
    cv2.rectangle(out, (LEFT, TOP), (LEFT + across, TOP + down), DARK, 1)
    texts.append((x_label, (LEFT + across / 2, height - 3), "md"))
    return _legend(words(out, texts, 11, halo=draw.WHITE), [line for line in lines if line.name])


def _reach(values: np.ndarray, log: bool = False) -> tuple[float, float]:
    """A range that shows all values and is not empty."""
    if len(values) == 0:
        return (0.1, 1.0) if log else (0.0, 1.0)
    low, high = float(values.min()), float(values.max())
    if log:
        return low / 1.15, high * 1.15
    return low, high if high > low else low + 1.0


def _ticks(reach: tuple[float, float], log: bool = False) -> list[float]:
    found = LogLocator(subs=(1, 2, 5), numticks=12).tick_values(*reach) if log else MaxNLocator(5).tick_values(*reach)
    inside = [float(tick) for tick in found if reach[0] <= tick <= reach[1]]
    return inside[:: max(1, len(inside) // 6)] or [float(reach[0]), float(reach[1])]


def stroke(out: np.ndarray, places: np.ndarray, colour, width: int, dashed: bool = False) -> None:
    """Draw a polyline through places (n, 2) into the picture, broken where they are not finite."""
    good = np.isfinite(places).all(1)
    cuts = np.flatnonzero(np.diff(good.astype(int))) + 1
    for run in np.split(np.arange(len(places)), cuts):
        if len(run) and good[run[0]]:
            each = _dashes(places[run]) if dashed else [places[run]]
            fixed = [np.round(part * (1 << draw.SHIFT)).astype(np.int32) for part in each]
            cv2.polylines(out, fixed, False, colour, width, cv2.LINE_AA, draw.SHIFT)


def _dashes(places: np.ndarray) -> list[np.ndarray]:
    """The dashes of a polyline, each a short polyline of its own."""
    along = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(places, axis=0), axis=1))])
    parts = []
    for start in np.arange(0, along[-1], 2 * DASH):
        at = np.linspace(start, min(start + DASH, along[-1]), 4)
        parts.append(np.stack([np.interp(at, along, places[:, i]) for i in (0, 1)], -1))
    return parts


def _legend(image: np.ndarray, lines: list[Line]) -> np.ndarray:
    texts = []
    for i, line in enumerate(lines):
        y = TOP + 12 + 16 * i
        stroke(image, np.array([[LEFT + 8, y], [LEFT + 30, y]], float), line.colour, line.width, line.dashed)
        texts.append((line.name, (LEFT + 36, y), "lm"))
    return words(image, texts, 11, halo=draw.WHITE) if texts else image
