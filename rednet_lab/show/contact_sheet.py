"""The contact sheet of a storyboard with its numbers, for print and for where no script runs (GitHub, mail)."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from rednet_lab.show import draw
from rednet_lab.show.storyboard import LEVELS, Cell, Layer, Storyboard

FACES, FRAMES = 4, 8  # on a sheet, at most
WIDTH = 1050  # pixels: 7 inches of paper at 150 to the inch
SIDE = 240  # pixels of a picture on its way to the sheet
GAP = 8  # pixels between pictures
TEXT = 17  # pixels of the texts' height, where the pictures are wide enough for it
LIMIT = 100_000  # bytes of the sheet as a JPEG
Tile = tuple[np.ndarray, list[str], tuple[int, int] | None]  # a picture, the lines under it, its column and moment


@dataclass(eq=False)
class ContactSheet:
    """A picture (H, W, 3), and which numbers stand on it: (column, moment, text) for each picture that has one."""

    picture: np.ndarray
    alt: str
    texts: list[tuple[int, int, str]] = field(default_factory=list)

    def jpeg(self, limit: int = LIMIT) -> bytes:
        """Return the sheet as a JPEG under `limit` bytes: coarser, and smaller where that is not enough."""
        for scale, quality in [(s, q) for s in (1, 0.75, 0.5, 0.35) for q in (88, 75)]:
            data = draw.jpeg(draw.enlarge(self.picture, int(self.picture.shape[1] * scale)), quality)
            if len(data) <= limit:
                break
        return data


def contact_sheet(story: Storyboard, some: Sequence[int] | None = None) -> ContactSheet:
    """Return the contact sheet of a storyboard: `some` of its faces or frames, or a few spread over all."""
    count = len(story.axes[0][1])
    most = max(2, FACES // len(story.columns)) if story.kind == "steps" else FRAMES
    if some is None:
        some = np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int)).tolist()
    if story.kind == "steps":
        rows = [_face_row(story, face, column) for face in some for column in range(len(story.columns))]
        alt = f"{len(some)} faces; of each, step by step, what the network is given and the points that it finds"
    else:
        half = (len(some) + 1) // 2 if len(story.columns) == 1 and len(some) > 5 else len(some)
        parts = [part for part in (some[:half], some[half:]) if part]
        rows = [_frame_row(story, part, column) for column in range(len(story.columns)) for part in parts]
        truth = ", and the truth where it is known" if story.truths else ""
        alt = f"{len(some)} frames of a tracked video: face box and points found{truth}"
    return _laid_out(rows, f"{story.title}: {alt}" if story.title else alt)


def _face_row(story: Storyboard, face: int, column: int) -> list[Tile]:
    """Return a face's tiles: for each step what was given, and the points found."""
    row: list[Tile] = []
    for k in range(len(story.axes[1][1])):
        moment = story.moment(face, k)
        cell = story.cells[column][moment]
        if k and cell is story.cells[column][moment - 1]:
            break  # this network has made all its steps
        picture = draw.enlarge(story.pictures[cell.picture], SIDE)
        first = f"face {story.axes[0][1][face]}" if k == 0 else ""
        row.append((_laid(picture, cell.given), [first, f"{story.columns[column]} z{k}".strip()], None))
        under = picture if cell.merged is None else _laid(picture, cell.merged)
        row.append((_marked(story, cell, under), [f"step {k + 1}", story.headline(column, moment)], (column, moment)))
    return row


def _frame_row(story: Storyboard, frames: Sequence[int], column: int) -> list[Tile]:
    """Return the tiles of some frames of a track."""
    row: list[Tile] = []
    for frame in frames:
        cell = story.cells[column][frame]
        picture = _marked(story, cell, draw.enlarge(story.pictures[cell.picture], SIDE))
        picture = draw.box(picture, np.array([*(cell.box[:2] * SIDE - 0.5), cell.box[2] * SIDE]))
        lines = [f"frame {story.axes[0][1][frame]}", story.headline(column, frame)]
        lines = [story.columns[column] if frame == frames[0] else "", *lines] if any(story.columns) else lines
        row.append((picture, lines, (column, frame)))
    return row


def _laid(picture: np.ndarray, layer: Layer) -> np.ndarray:
    """Return a picture with a layer's maps over it, the highest at each place."""
    highest = layer.maps.max(0)
    return draw.labels(picture, highest) if layer.labels else draw.overlay(picture, highest / LEVELS)


def _marked(story: Storyboard, cell: Cell, picture: np.ndarray) -> np.ndarray:
    """Return a picture with its points as dots, the truth as crosses."""
    size = picture.shape[1]
    if cell.truth is not None:
        picture = draw.crosses(picture, story.truths[cell.truth] * size - 0.5)
    return draw.points(picture, cell.points * size - 0.5, size=max(3, size // 60))


def _laid_out(rows: list[list[Tile]], alt: str) -> ContactSheet:
    """Return rows of tiles on white, texts under the pictures."""
    across, lines = max(map(len, rows)), max(len(lines) for row in rows for _, lines, _ in row)
    tile = min((WIDTH + GAP) // across - GAP, 260)
    height = min(TEXT, max(10, tile // 8))
    down = tile + lines * (height + 4) + GAP
    page, texts, numbers = np.full((len(rows) * down, across * (tile + GAP) - GAP, 3), 255, np.uint8), [], []
    for y, row in enumerate(rows):
        for x, (picture, lines, place) in enumerate(row):
            left, top = x * (tile + GAP), y * down
            page[top : top + tile, left : left + tile] = cv2.resize(picture, (tile, tile), interpolation=cv2.INTER_AREA)
            texts += [(text, (left, top + tile + 2 + i * (height + 4)), "la") for i, text in enumerate(lines)]
            if place is not None:
                numbers.append((*place, lines[-1]))
    return ContactSheet(draw.words(page, texts, height, draw.BLACK), alt, numbers)
