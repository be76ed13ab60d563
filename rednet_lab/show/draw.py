"""Pictures as arrays: points, boxes, response maps and words drawn onto faces, pictures set side by side, and PNGs.

Everything takes and gives (H, W, 3) uint8 RGB and draws at the size it is shown at, so a widget can repaint in
milliseconds and a figure can show the same pixels. Texts are painted by `words` alone, files shrunk by `small_png`.
"""

import io
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import cv2
import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from data_prep.markups import LINES
from rednet_core.markup import Markup

# Okabe and Ito's colours, safe for colour-blind eyes.
ORANGE, SKY, GREEN, YELLOW = (230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66)
BLUE, VERMILION, PINK, BLACK = (0, 114, 178), (213, 94, 0), (204, 121, 167), (0, 0, 0)
WHITE, GREY, DARK = (255, 255, 255), (150, 150, 150), (50, 50, 50)
TRUTH, PREDICTED, HIDDEN = GREEN, ORANGE, PINK
NAMED = (ORANGE, SKY, GREEN, YELLOW, BLUE, VERMILION, PINK, BLACK, WHITE)  # captions call these by their names
PALE = (245, 245, 245)  # no change, between BLUE (less) and VERMILION (more)
LABELS = np.array([ORANGE, SKY, YELLOW, VERMILION, PINK, BLUE, GREY])  # of a label map, in turn
SHIFT = 4  # fractional bits of OpenCV's coordinates: points are drawn at sub-pixel places
PANEL = 250  # pixels of one picture; two beside each other and the controls fit a notebook on a 1280 px screen
TITLE = 22  # pixels of the line above a picture
PNG_LIMIT = 100_000  # bytes


def picture(x) -> np.ndarray:
    """Return a network input (3, H, W) in [0, 1], tensor or array, as (H, W, 3) uint8."""
    array = np.asarray(x.detach().cpu() if hasattr(x, "detach") else x)
    return np.clip(array.transpose(1, 2, 0) * 255 + 0.5, 0, 255).astype(np.uint8)


def enlarge(image: np.ndarray, size: int) -> np.ndarray:
    """Return the picture `size` wide, smoothly."""
    shape = (size, size * image.shape[0] // image.shape[1])
    return cv2.resize(image, shape, interpolation=cv2.INTER_CUBIC if shape[0] > image.shape[1] else cv2.INTER_AREA)


def blocks(image: np.ndarray, size: int) -> np.ndarray:
    """Return the picture at size x size with its pixels as blocks."""
    return cv2.resize(image, (size, size), interpolation=cv2.INTER_NEAREST)


def squared(image: np.ndarray, fill: int = 0) -> np.ndarray:
    """Return a picture (H, W, 3) filled up below or beside to a square."""
    height, width = image.shape[:2]
    side = max(height, width)
    return np.pad(image, ((0, side - height), (0, side - width), (0, 0)), constant_values=fill)


def place(points: np.ndarray, old_width: int, new_width: int) -> np.ndarray:
    """Return points of a picture old_width wide in the same picture new_width wide."""
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
    """Return a copy with dots (`size` px wide) at points (L, 2), hidden ones in pink; with a markup its lines too."""
    out, fixed = image.copy(), _fixed(where)
    if markup is not None:
        cv2.polylines(out, [fixed[list(line)] for line in LINES[markup.name]], False, colour, 1, cv2.LINE_AA, SHIFT)
    wide = max(2, round(image.shape[1] / 70)) if size is None else size
    hidden = np.zeros(len(fixed), bool) if visible is None else ~visible
    for some, each in ((fixed[~hidden], colour), (fixed[hidden], HIDDEN)):
        # A polyline of one point is a dot: all dots in one call.
        cv2.polylines(out, list(some[:, None]), True, each, wide, cv2.LINE_AA, SHIFT)
    return out


def crosses(image: np.ndarray, where: np.ndarray, colour: tuple[int, int, int] = TRUTH) -> np.ndarray:
    """Return a copy with small crosses at points (L, 2): told from dots by their form, whatever the eyes."""
    out, fixed = image.copy(), _fixed(where)
    arm = max(2, image.shape[1] // 75) << SHIFT
    for dx, dy in ((arm, 0), (0, arm)):
        lines = np.stack([fixed - (dx, dy), fixed + (dx, dy)], 1)
        cv2.polylines(out, list(lines), False, colour, 1 if image.shape[1] < 400 else 2, cv2.LINE_AA, SHIFT)
    return out


def box(image: np.ndarray, square: np.ndarray, colour: tuple[int, int, int] = YELLOW) -> np.ndarray:
    """Return a copy with a face box (3,) = centre x, centre y, side."""
    x, y, side = square
    corners = _fixed(np.array([[x - side / 2, y - side / 2], [x + side / 2, y + side / 2]]))
    out = image.copy()
    cv2.rectangle(out, tuple(corners[0].tolist()), tuple(corners[1].tolist()), colour, 1, cv2.LINE_AA, SHIFT)
    return out


def arrows(
    image: np.ndarray, start: np.ndarray, end: np.ndarray, colour: tuple[int, int, int] = PREDICTED
) -> np.ndarray:
    """Return a copy with an arrow from each of the points start (L, 2) to its point of end (L, 2)."""
    out = image.copy()
    for a, b in zip(_fixed(start), _fixed(end), strict=True):
        # OpenCV's arrows have no fractional coordinates in their heads: a line, and a dot where it ends.
        cv2.line(out, tuple(a.tolist()), tuple(b.tolist()), colour, 1, cv2.LINE_AA, SHIFT)
        cv2.circle(out, tuple(b.tolist()), max(1, image.shape[1] // 110) << SHIFT, colour, -1, cv2.LINE_AA, SHIFT)
    return out


def heat(values: np.ndarray, size: int | None = None, top: float = 1.0) -> np.ndarray:
    """Return a map (m, m) as a picture: 0 dark, `top` bright (perceptually even colours)."""
    levels = np.clip(np.asarray(values, np.float32) / max(top, 1e-9) * 255, 0, 255).astype(np.uint8)
    shown = np.ascontiguousarray(cv2.applyColorMap(levels, cv2.COLORMAP_INFERNO)[..., ::-1])
    return shown if size is None else blocks(shown, size)


def diverging(steps: int = 127) -> np.ndarray:
    """Return the colours (steps, 3) uint8 of a difference: blue for less, pale for none, vermilion for more."""
    at = np.linspace(-1, 1, steps)[:, None]
    end = np.where(at < 0, BLUE, VERMILION)
    return np.round(PALE + (end - np.array(PALE)) * np.abs(at) ** 0.7).astype(np.uint8)


def overlay(image: np.ndarray, values: np.ndarray, strength: float = 0.75) -> np.ndarray:
    """Return the picture with a map (m, m) in [0, 1] laid over it: nothing where 0, glowing where 1."""
    size = (image.shape[1], image.shape[0])
    amount = cv2.resize(np.clip(np.asarray(values, np.float32), 0, 1), size, interpolation=cv2.INTER_LINEAR)
    coloured = cv2.resize(heat(values), size, interpolation=cv2.INTER_LINEAR).astype(np.float32)
    alpha = (strength * np.sqrt(amount))[..., None]
    return (image * (1 - alpha) + coloured * alpha + 0.5).astype(np.uint8)


def labels(image: np.ndarray, values: np.ndarray, strength: float = 0.85) -> np.ndarray:
    """Return the picture with a label map (m, m) over it: each of the labels 1..L in a colour, 0 left as it is."""
    size = (image.shape[1], image.shape[0])
    big = cv2.resize(np.asarray(values).astype(np.uint8), size, interpolation=cv2.INTER_NEAREST).astype(int)
    alpha = strength * (big > 0)[..., None]
    return (image * (1 - alpha) + LABELS[(big - 1) % len(LABELS)] * alpha + 0.5).astype(np.uint8)


def face(
    image: np.ndarray,
    size: int,
    found: np.ndarray | None = None,
    truth: np.ndarray | None = None,
    visible: np.ndarray | None = None,
    words: str = "",
) -> np.ndarray:
    """Return a face `size` px wide, found points (L, 2) in orange and true ones in green, both in its own pixels."""
    width, out = image.shape[1], enlarge(image, size)
    if truth is not None:
        out = points(out, place(truth, width, size), TRUTH, visible=visible, size=2 if found is not None else None)
    if found is not None:
        out = points(out, place(found, width, size))
    return label(out, words) if words else out


@lru_cache
def font(size: int) -> ImageFont.FreeTypeFont:
    """Return DejaVu Sans, which matplotlib brings along, so that texts look the same on every machine."""
    return ImageFont.truetype(str(Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")), size)


def words(
    image: np.ndarray,
    texts: Sequence[tuple[str, tuple[float, float], str]],
    size: int = 12,
    colour: tuple[int, int, int] = DARK,
    halo: tuple[int, int, int] | None = None,
) -> np.ndarray:
    """Return a copy with texts of that size (px), each (text, place (x, y), Pillow's anchor: "lm" is left, middle)."""
    page = Image.fromarray(image)
    pen = ImageDraw.Draw(page)
    for text, where, anchor in texts:
        pen.text(where, text, colour, font(size), anchor, stroke_width=2 if halo else 0, stroke_fill=halo)
    return np.array(page)


def label(image: np.ndarray, text: str) -> np.ndarray:
    """Return a copy with a few words in the top left corner, as large as fit."""
    size = int(np.clip(image.shape[1] / 17, 10, 20))
    while size > 7 and font(size).getlength(text) > image.shape[1] - 8:
        size -= 1
    return words(image, [(text, (4, 3), "la")], size, WHITE, BLACK)


def message(*lines: str, size: int = PANEL) -> np.ndarray:
    """Return a pale picture that says something in place of a panel."""
    middle = size / 2
    texts = [(line, (middle, middle + 18 * (i - (len(lines) - 1) / 2)), "mm") for i, line in enumerate(lines)]
    return words(np.full((size, size, 3), 245, np.uint8), texts, 13)


def titled(image: np.ndarray, title: str, size: int = 13) -> np.ndarray:
    """Return the picture with a line of words above it, on white."""
    above = np.full((TITLE, image.shape[1], 3), 255, np.uint8)
    return np.concatenate([words(above, [(title, (2, TITLE / 2), "lm")], size), image])


def panels(pictures: dict[str, np.ndarray], columns: int = 2) -> np.ndarray:
    """Return pictures of one size with their titles, in a grid."""
    return montage([titled(one, title) for title, one in pictures.items()], columns, gap=6)


def montage(pictures: Sequence[np.ndarray], columns: int, gap: int = 2) -> np.ndarray:
    """Return pictures of one size in a grid of so many columns, on white."""
    height, width = pictures[0].shape[:2]
    rows = -(-len(pictures) // columns)
    out = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap, 3), 255, np.uint8)
    for i, one in enumerate(pictures):
        y, x = (i // columns) * (height + gap), (i % columns) * (width + gap)
        out[y : y + height, x : x + width] = one
    return out


def png(image: np.ndarray) -> bytes:
    """Return the picture as PNG bytes, quickly (for widgets)."""
    return cv2.imencode(".png", image[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 1])[1].tobytes()


def jpeg(image: np.ndarray, quality: int) -> bytes:
    """Return the picture as JPEG bytes."""
    choice = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_OPTIMIZE, 1]
    return cv2.imencode(".jpg", image[..., ::-1], choice)[1].tobytes()


def palette_png(image: np.ndarray, colours: int = 128) -> bytes:
    """Return the picture as PNG bytes in so few colours: those of NAMED, and those that the picture needs most.

    A palette of the picture's own turns a few green dots on a face blue: they are too few to count.
    """
    page, out = Image.fromarray(image), io.BytesIO()
    own = page.quantize(colours - len(NAMED), dither=Image.Dither.NONE).getpalette()[: 3 * (colours - len(NAMED))]
    palette = Image.new("P", (1, 1))
    palette.putpalette([value for colour in NAMED for value in colour] + own)
    page.quantize(palette=palette, dither=Image.Dither.NONE).save(out, "png", optimize=True)
    return out.getvalue()


def small_png(figure, limit: int = PNG_LIMIT) -> bytes:
    """Return a matplotlib figure as a PNG of at most `limit` bytes: the finest resolution and most colours that fit."""
    for colours, dpi in [(128, d) for d in (150, 130, 110, 95, 80)] + [(64, d) for d in (80, 65, 50, 35, 25, 18, 12)]:
        drawn = io.BytesIO()
        figure.savefig(drawn, format="png", dpi=dpi, pil_kwargs={"compress_level": 1})
        data = palette_png(np.asarray(Image.open(drawn).convert("RGB")), colours)
        if len(data) <= limit:
            break
    return data
