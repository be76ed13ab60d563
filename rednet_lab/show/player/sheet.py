"""A board on paper: a contact sheet with its numbers, for print and for where nothing moves."""

from dataclasses import dataclass, field

import cv2
import numpy as np

from rednet_lab.show import draw
from rednet_lab.show.player import paint
from rednet_lab.show.player.storyboard import Board

FACES, FRAMES = 4, 8  # on a sheet, at most
WIDTH = 1050  # pixels: 7 inches of paper at 150 to the inch
GAP = 8  # pixels between pictures
WORDS = 17  # pixels of the words' height, where the pictures are wide enough for it
LIMIT = 100_000  # bytes of the sheet as a JPEG
Tile = tuple[np.ndarray, list[str], tuple[int, int] | None]  # a picture, the lines under it, its column and moment


@dataclass(eq=False)
class Sheet:
    """A picture (H, W, 3), and which numbers stand on it: (column, moment, text) for each picture that has one."""

    picture: np.ndarray
    alt: str
    texts: list[tuple[int, int, str]] = field(default_factory=list)

    def jpeg(self, limit: int = LIMIT) -> bytes:
        """The sheet as a JPEG under `limit` bytes: coarser, and smaller where that is not enough."""
        for scale in (1, 0.75, 0.5, 0.35):
            image = (
                self.picture
                if scale == 1
                else cv2.resize(self.picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            )
            for quality in (88, 75):
                choice = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_OPTIMIZE, 1]
                data = cv2.imencode(".jpg", image[..., ::-1], choice)[1].tobytes()
                if len(data) <= limit:
                    return data
        return data


def sheet(board: Board, some: list[int] | None = None) -> Sheet:
    """The contact sheet of a board: `some` of its faces or frames, or a few spread over all."""
    count = len(board.axes[0][1])
    most = max(2, FACES // len(board.columns)) if board.kind == "steps" else FRAMES
    if some is None:
        some = np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int)).tolist()
    return _steps(board, some) if board.kind == "steps" else _track(board, some)


def _steps(board: Board, some: list[int]) -> Sheet:
    rows = []
    for face in some:
        for column, name in enumerate(board.columns):
            row: list[Tile] = []
            for k in range(len(board.axes[1][1])):
                moment = board.moment(face, k)
                cell = board.cells[column][moment]
                if k and cell is board.cells[column][moment - 1]:
                    break  # this network has made all its steps
                given, _, found = paint.panels(board, column, moment, paint.SHEET)
                first = [f"face {board.axes[0][1][face]}"] if k == 0 else [""]
                row.append((given, [*first, f"{name} z{k}".strip()], None))
                row.append((found, [f"step {k + 1}", board.headline(column, moment)], (column, moment)))
            rows.append(row)
    alt = f"{len(some)} faces; of each, step by step, what the network is given and the points that it finds"
    return _laid_out(rows, alt)


def _track(board: Board, some: list[int]) -> Sheet:
    rows = []
    half = (len(some) + 1) // 2 if len(board.columns) == 1 and len(some) > 5 else len(some)
    for column, name in enumerate(board.columns):
        for part in filter(None, (some[:half], some[half:])):
            row: list[Tile] = []
            for frame in part:
                words = [f"frame {board.axes[0][1][frame]}", board.headline(column, frame)]
                words = [name if frame == part[0] else "", *words] if any(board.columns) else words
                row.append((paint.tracked(board, column, frame, paint.SHEET), words, (column, frame)))
            rows.append(row)
    truth = ", and the truth where it is known" if board.truths else ""
    alt = f"{len(some)} frames of a tracked video: face box and points found{truth}"
    return _laid_out(rows, alt)


def _laid_out(rows: list[list[Tile]], alt: str) -> Sheet:
    """Rows of tiles on white, words under the pictures."""
    across, lines = max(map(len, rows)), max(len(words) for row in rows for _, words, _ in row)
    tile = min((WIDTH + GAP) // across - GAP, 260)
    height = min(WORDS, max(10, tile // 8))
    down = tile + lines * (height + 4) + GAP
    page = np.full((len(rows) * down, across * (tile + GAP) - GAP, 3), 255, np.uint8)
    out = Sheet(page, alt)
    for y, row in enumerate(rows):
        for x, (picture, words, place) in enumerate(row):
            left, top = x * (tile + GAP), y * down
            page[top : top + tile, left : left + tile] = cv2.resize(picture, (tile, tile), interpolation=cv2.INTER_AREA)
            for i, text in enumerate(words):
                draw.write(page, text, (left, top + tile + 2 + i * (height + 4)), height)
            if place is not None:
                out.texts.append((*place, words[-1]))
    return out
