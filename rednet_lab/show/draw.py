"""Pictures as arrays: points, boxes and response maps drawn onto faces, pictures set side by side.

Everything takes and gives (H, W, 3) uint8 RGB and draws at the size it is shown at, so a widget can repaint in
milliseconds and a figure can show the same pixels.
"""

from functools import lru_cache
from pathlib import Path

import cv2
import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from rednet_core.markup import Markup

# Okabe and Ito's colours, safe for colour-blind eyes.
ORANGE, SKY, GREEN, YELLOW = (230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66)
BLUE, VERMILION, PINK, BLACK = (0, 114, 178), (213, 94, 0), (204, 121, 167), (0, 0, 0)
WHITE, GREY = (255, 255, 255), (150, 150, 150)
TRUTH, PREDICTED, HIDDEN = GREEN, ORANGE, PINK
PALE = (245, 245, 245)  # no change, between BLUE (less) and VERMILION (more)
INKS = (BLUE, VERMILION, GREEN, PINK)  # of curves
LABELS = np.array([ORANGE, SKY, YELLOW, VERMILION, PINK, BLUE, GREY])  # of a label map, in turn
SHIFT = 4  # fractional bits of OpenCV's coordinates: points are drawn at sub-pixel places


def picture(x) -> np.ndarray:
    """(H, W, 3) uint8 of a network input (3, H, W) in [0, 1], tensor or array."""
    array = np.asarray(x.detach().cpu() if hasattr(x, "detach") else x)
    return np.clip(array.transpose(1, 2, 0) * 255 + 0.5, 0, 255).astype(np.uint8)


def enlarge(image: np.ndarray, size: int) -> np.ndarray:
    """The picture at size x size, smoothly."""
    shape = (size, size * image.shape[0] // image.shape[1])
    return cv2.resize(image, shape, interpolation=cv2.INTER_CUBIC if shape[0] > image.shape[1] else cv2.INTER_AREA)


def place(points: np.ndarray, old_width: int, new_width: int) -> np.ndarray:
    """Points of a picture old_width wide in the same picture new_width wide."""
    return (np.asarray(points, np.float64) + 0.5) * (new_width / old_width) - 0.5


def _fixed(points: np.ndarray) -> np.ndarray:
    return np.round(np.clip(points, -1e4, 1e4) * (1 << SHIFT)).astype(np.int32)


def points(
    image: np.ndarray,
    where: np.ndarray,
    colour: tuple[int, int, int] = PREDICTED,
    markup: Markup | None = None,
    visible: np.ndarray | None = None,
    size: int | None = None,
) -> np.ndarray:
    """A copy with dots (`size` px wide) at points (L, 2), hidden ones in pink; with a markup its lines too."""
    out = image.copy()
    fixed = _fixed(where)
    if markup is not None:
        cv2.polylines(out, [fixed[list(line)] for line in markup.lines], False, colour, 1, cv2.LINE_AA, SHIFT)
    wide = max(2, round(image.shape[1] / 70)) if size is None else size
    hidden = np.zeros(len(fixed), bool) if visible is None else ~visible
    for some, ink in ((fixed[~hidden], colour), (fixed[hidden], HIDDEN)):
        # A polyline of one point is a dot: all dots in one call.
        cv2.polylines(out, list(some[:, None]), True, ink, wide, cv2.LINE_AA, SHIFT)
    return out


def crosses(image: np.ndarray, where: np.ndarray, colour: tuple[int, int, int] = TRUTH) -> np.ndarray:
    """A copy with small crosses at points (L, 2): told from dots by their form, whatever the eyes."""
    out, fixed = image.copy(), _fixed(where)
    arm = max(2, image.shape[1] // 75) << SHIFT
    for dx, dy in ((arm, 0), (0, arm)):
        lines = np.stack([fixed - (dx, dy), fixed + (dx, dy)], 1)
        cv2.polylines(out, list(lines), False, colour, 1 if image.shape[1] < 400 else 2, cv2.LINE_AA, SHIFT)
    return out


def box(image: np.ndarray, square: np.ndarray, colour: tuple[int, int, int] = YELLOW) -> np.ndarray:
    """A copy with a face box (3,) = centre x, centre y, side."""
    x, y, side = square
    corners = _fixed(np.array([[x - side / 2, y - side / 2], [x + side / 2, y + side / 2]]))
    out = image.copy()
    cv2.rectangle(out, tuple(corners[0].tolist()), tuple(corners[1].tolist()), colour, 1, cv2.LINE_AA, SHIFT)
    return out


def heat(values: np.ndarray, size: int | None = None, top: float = 1.0) -> np.ndarray:
    """A map (m, m) as a picture: 0 dark, `top` bright (perceptually even colours)."""
    levels = np.clip(np.asarray(values, np.float32) / max(top, 1e-9) * 255, 0, 255).astype(np.uint8)
    coloured = cv2.applyColorMap(levels, cv2.COLORMAP_INFERNO)[..., ::-1]
    shown = np.ascontiguousarray(coloured)
    return shown if size is None else cv2.resize(shown, (size, size), interpolation=cv2.INTER_NEAREST)


def diverging(steps: int = 127) -> np.ndarray:
    """Colours (steps, 3) uint8 of a difference: blue where there is less, pale where nothing, vermilion where more."""
    at = np.linspace(-1, 1, steps)[:, None]
    end = np.where(at < 0, BLUE, VERMILION)
    return np.round(PALE + (end - np.array(PALE)) * np.abs(at) ** 0.7).astype(np.uint8)


def change(values: np.ndarray, size: int | None = None) -> np.ndarray:
    """A difference of maps (m, m) in [-1, 1] as a picture."""
    colours = diverging()
    index = np.round((np.clip(values, -1, 1) + 1) / 2 * (len(colours) - 1)).astype(int)
    shown = colours[index]
    return shown if size is None else cv2.resize(shown, (size, size), interpolation=cv2.INTER_NEAREST)


def overlay(image: np.ndarray, values: np.ndarray, strength: float = 0.75) -> np.ndarray:
    """The picture with a map (m, m) in [0, 1] laid over it: nothing where 0, glowing where 1."""
    size = (image.shape[1], image.shape[0])
    amount = cv2.resize(np.clip(np.asarray(values, np.float32), 0, 1), size, interpolation=cv2.INTER_LINEAR)
    coloured = cv2.resize(heat(values), size, interpolation=cv2.INTER_LINEAR).astype(np.float32)
    alpha = (strength * np.sqrt(amount))[..., None]
    return (image * (1 - alpha) + coloured * alpha + 0.5).astype(np.uint8)


def labels(image: np.ndarray, values: np.ndarray, strength: float = 0.85) -> np.ndarray:
    """The picture with a label map (m, m) laid over it: each of the labels 1..L in a colour, 0 left as it is."""
    size = (image.shape[1], image.shape[0])
    big = cv2.resize(np.asarray(values).astype(np.uint8), size, interpolation=cv2.INTER_NEAREST).astype(int)
    ink = LABELS[(big - 1) % len(LABELS)]
    alpha = strength * (big > 0)[..., None]
    return (image * (1 - alpha) + ink * alpha + 0.5).astype(np.uint8)


def arrows(
    image: np.ndarray, start: np.ndarray, end: np.ndarray, colour: tuple[int, int, int] = PREDICTED
) -> np.ndarray:
    """A copy with an arrow from each of the points start (L, 2) to its point of end (L, 2)."""
    out = image.copy()
    for a, b in zip(_fixed(start), _fixed(end), strict=True):
        # OpenCV's arrows have no fractional coordinates in their heads: a line, and a dot where it ends.
        cv2.line(out, tuple(a.tolist()), tuple(b.tolist()), colour, 1, cv2.LINE_AA, SHIFT)
        cv2.circle(out, tuple(b.tolist()), max(1, image.shape[1] // 110) << SHIFT, colour, -1, cv2.LINE_AA, SHIFT)
    return out


def face(
    image: np.ndarray,
    size: int,
    found: np.ndarray | None = None,
    truth: np.ndarray | None = None,
    visible: np.ndarray | None = None,
    words: str = "",
) -> np.ndarray:
    """A face size pixels wide with found points (L, 2) in orange and true ones in green, both in its own pixels."""
    width = image.shape[1]
    out = enlarge(image, size)
    if truth is not None:
        out = points(out, place(truth, width, size), TRUTH, visible=visible, size=2 if found is not None else None)
    if found is not None:
        out = points(out, place(found, width, size))
    return label(out, words) if words else out


@lru_cache(512)
def _written(text: str, height: int, ink: tuple[int, int, int], halo: tuple[int, int, int] | None) -> np.ndarray:
    """Words as a picture (H, W, 4) with opacity, in matplotlib's own font: the same on every machine."""
    font = ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"), height)
    edge = 0 if halo is None else max(1, height // 8)
    left, top, right, bottom = font.getbbox(text, stroke_width=edge)
    page = Image.new("RGBA", (right - left, font.size + 2 * edge + height // 4), (*(halo or ink), 0))
    ImageDraw.Draw(page).text((-left, -height // 8), text, ink, font, stroke_width=edge, stroke_fill=halo)
    return np.asarray(page)


def write(
    image: np.ndarray,
    text: str,
    where: tuple[int, int],
    height: int = 14,
    ink: tuple[int, int, int] = BLACK,
    halo: tuple[int, int, int] | None = None,
    align: str = "left",
) -> None:
    """Write words of that height (px) into the picture itself; where (x, y) is their upper left, middle or right."""
    if not text:
        return
    patch = _written(text, height, ink, halo)
    x = where[0] - {"left": 0, "middle": patch.shape[1] // 2, "right": patch.shape[1]}[align]
    top, left = max(where[1], 0), max(x, 0)
    place_ = image[top : where[1] + patch.shape[0], left : x + patch.shape[1]]
    patch = patch[top - where[1] :, left - x :][: place_.shape[0], : place_.shape[1]].astype(np.float32)
    alpha = patch[..., 3:] / 255
    place_[...] = (place_ * (1 - alpha) + patch[..., :3] * alpha + 0.5).astype(np.uint8)


def label(image: np.ndarray, text: str) -> np.ndarray:
    """A copy with a few words in the top left corner, as large as fit."""
    out, height = image.copy(), int(np.clip(image.shape[1] / 17, 10, 20))
    while text and height > 7 and _written(text, height, WHITE, BLACK).shape[1] > image.shape[1] - 4:
        height -= 1
    write(out, text, (3, 2), height, WHITE, BLACK)
    return out


def montage(pictures: list[np.ndarray], columns: int, gap: int = 2) -> np.ndarray:
    """Pictures of one size in a grid of so many columns, on white."""
    height, width = pictures[0].shape[:2]
    rows = -(-len(pictures) // columns)
    sheet = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap, 3), 255, np.uint8)
    for i, one in enumerate(pictures):
        y, x = (i // columns) * (height + gap), (i % columns) * (width + gap)
        sheet[y : y + height, x : x + width] = one
    return sheet


def png(image: np.ndarray) -> bytes:
    """The picture as PNG bytes, quickly (for widgets)."""
    return cv2.imencode(".png", image[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 1])[1].tobytes()
