"""A board's moments as pictures, for the widget and the contact sheet."""

import cv2
import numpy as np

from rednet_lab.show import draw
from rednet_lab.show.player.storyboard import ALL, LEVELS, MISSING, Board, Cell, Layer

VIEWS = ("over the face", "alone", "change")
LAYERS = ("none", "z0, the guess", "last step's maps")
LESS = ", change"
SHEET = 240  # pixels of a picture on its way to the contact sheet
CURVE = 150  # pixels of the curve's height
MARGIN = 46  # pixels left of the curve


def laid(face: np.ndarray, layer: Layer, channel: int, box: np.ndarray | None = None) -> np.ndarray:
    """A picture (s, s, 3) with a layer over it, or over a box (3,) in shares of it."""
    values = layer.one(channel)
    if layer.labels:
        put = draw.labels
    else:
        put, values = draw.overlay, values / LEVELS
    if box is None:
        return put(face, values)
    size, m = face.shape[1], values.shape[0]
    (x, y), scale = (box[:2] - box[2] / 2) * size, box[2] * size / m
    # The map carried into the whole picture: its pixel centres to where they lie in the box.
    matrix = np.array([[scale, 0, x + scale / 2 - 0.5], [0, scale, y + scale / 2 - 0.5]])
    way = cv2.INTER_NEAREST if layer.labels else cv2.INTER_LINEAR
    return put(face, cv2.warpAffine(np.asarray(values, np.float32), matrix, (size, size), flags=way))


def alone(layer: Layer, channel: int, size: int) -> np.ndarray:
    """A layer as a picture of its own."""
    if layer.labels:
        return draw.labels(np.full((size, size, 3), 40, np.uint8), layer.one(channel), 1.0)
    return draw.heat(layer.one(channel) / LEVELS, size)


def difference(cell: Cell, channel: int) -> np.ndarray:
    """What a step made of the step before (m, m), in [-1, 1]: of a channel, or of all shared where most changed."""
    shared = [c for c in cell.before.channels if c in cell.said.channels]
    shared = [channel] if channel in shared else shared
    each = np.stack([cell.said.one(c).astype(int) - cell.before.one(c) for c in shared])
    return np.take_along_axis(each, np.abs(each).argmax(0)[None], 0)[0] / LEVELS


def marked(board: Board, cell: Cell, face: np.ndarray, channel: int = ALL, truth: bool = True) -> np.ndarray:
    """A picture with its points as dots, the truth as crosses, and a ring round a chosen point."""
    size = face.shape[1]
    if truth and cell.truth is not None:
        face = draw.crosses(face, board.truths[cell.truth] * size - 0.5)
    face = draw.points(face, cell.points * size - 0.5, size=max(3, size // 60))
    if channel in cell.channels:
        place = cell.points[cell.channels.index(channel)] * size - 0.5
        centre = tuple(np.round(place * (1 << draw.SHIFT)).astype(int).tolist())
        for ink, wide in ((draw.BLACK, 4), (draw.WHITE, 2)):
            cv2.circle(face, centre, (size // 26) << draw.SHIFT, ink, wide, cv2.LINE_AA, draw.SHIFT)
    return face


def panels(
    board: Board, column: int, moment: int, size: int, channel: int = ALL, view: str = VIEWS[0], truth: bool = True
) -> list[np.ndarray]:
    """The pictures of one column at one moment of spatial steps: what was given, what was answered, the points."""
    cell = board.cells[column][moment]
    face = draw.enlarge(board.pictures[cell.picture], size)
    if view == "change":
        said = draw.change(difference(cell, channel), size)
    else:
        said = laid(face, cell.said, channel) if view == VIEWS[0] else alone(cell.said, channel, size)
    given = alone(cell.given, channel, size) if view == "alone" else laid(face, cell.given, channel)
    under = face if cell.merged is None else laid(face, cell.merged, channel)
    return [given, said, marked(board, cell, under, channel, truth)]


def tracked(
    board: Board,
    column: int,
    moment: int,
    size: int,
    channel: int = ALL,
    layers: str = LAYERS[0],
    box: bool = True,
    truth: bool = True,
) -> np.ndarray:
    """The picture of one track at one frame."""
    cell = board.cells[column][moment]
    face = draw.enlarge(board.pictures[cell.picture], size)
    if layers != LAYERS[0]:
        face = laid(face, cell.given if layers == LAYERS[1] else cell.said, ALL, cell.box)
    face = marked(board, cell, face, channel, truth)
    return draw.box(face, np.array([*(cell.box[:2] * size - 0.5), cell.box[2] * size])) if box else face


def words(board: Board, column: int, moment: int, channel: int = ALL, view: str = VIEWS[0]) -> list[str]:
    """What stands over each panel of a column."""
    texts = [board.caption(column, moment, p, channel) for p in range(len(board.cells[column][moment].titles))]
    if view == "change":
        texts[1] += LESS
    return texts


def curves(board: Board, row: int, channel: int, width: int) -> np.ndarray:
    """A row of the table over all frames, a line for each column: a picture (CURVE, width, 3) without the cursor."""
    line, image = board.rows[row], np.full((CURVE, width, 3), 255, np.uint8)
    values = [[line.value(c, m, channel) for m in range(board.moments)] for c in range(len(board.columns))]
    values = np.array([[np.nan if v == MISSING else v / 10**line.digits for v in each] for each in values])
    top = float(np.nanmax(values)) if np.isfinite(values).any() else 1.0
    top = top or 1.0
    draw.write(image, line.label, (MARGIN, 1), 13)
    for share in (0, 0.5, 1):
        y = _height(share)
        cv2.line(image, (MARGIN, y), (width - 8, y), (221, 221, 221), 1)
        draw.write(image, f"{share * top:.3g}", (MARGIN - 5, y - 9), 12, align="right")
    for c, each in enumerate(values):
        at = [(frame_x(t, board.moments, width), _height(v / top)) for t, v in enumerate(each) if np.isfinite(v)]
        _line(image, at, draw.INKS[c % len(draw.INKS)], dashed=c % 2 == 1)
    x = width - 10
    for c in reversed(range(len(board.columns))):
        if board.columns[c]:
            draw.write(image, board.columns[c], (x, 1), 13, draw.INKS[c % len(draw.INKS)], align="right")
            x -= 20 + 8 * len(board.columns[c])
    return image


def _line(image: np.ndarray, at: list[tuple[int, int]], ink: tuple[int, int, int], dashed: bool) -> None:
    """A line through places, broken where it is to be told from another one without its colour."""
    for a, b in zip(at, at[1:], strict=False):
        pieces = max(1, round(np.hypot(b[0] - a[0], b[1] - a[1]) / 5)) if dashed else 1
        stops = np.linspace(a, b, pieces + 1).round().astype(int)
        for start, end in list(zip(stops, stops[1:], strict=False))[:: 2 if dashed and pieces > 1 else 1]:
            cv2.line(image, tuple(start.tolist()), tuple(end.tolist()), ink, 2, cv2.LINE_AA)


def _height(share: float) -> int:
    return round(CURVE - 12 - share * (CURVE - 36))


def frame_x(moment: int, count: int, width: int) -> int:
    """Where a frame stands on the curve."""
    return round(MARGIN + (width - 10 - MARGIN) * moment / max(count - 1, 1))


def with_cursor(image: np.ndarray, moment: int, count: int) -> np.ndarray:
    """A copy of a curve's picture with a line at a frame."""
    out, x = image.copy(), frame_x(moment, count, image.shape[1])
    cv2.line(out, (x, 20), (x, CURVE - 6), draw.BLACK, 1)
    return out
