"""The storyboard: every number and picture that is shown of a trace, made once; what is shown only renders it.

A board has columns (networks, or tracks of one video) and moments, which are all combinations of its axes: faces and
spatial steps, or frames. A cell is one column at one moment. Numbers are kept as whole numbers of their last digit,
so that they read the same wherever they are written.
"""

from dataclasses import dataclass, field

import cv2
import numpy as np

from rednet_core.markup import MARKUPS, Markup
from rednet_lab.show import draw
from rednet_lab.show.trace import SEVEN_NAMES

LEVELS = 31  # a map's values are kept in so many steps
LEAST = 0.05  # what is lower is kept as nought: it could not be seen, and would be most of the weight
PICTURE = 256  # pixels of a kept picture, at most
MAP, LABEL_MAP = 32, 64  # pixels of a kept map and of a map of labels, at most
MISSING = np.iinfo(np.int32).min  # a number that there is none of
ALL = -1  # in place of a channel


@dataclass(eq=False)
class Layer:
    """Maps (C, m, m) uint8 over a picture: 0..LEVELS, of the board's channels named; or one map of labels 0..L."""

    maps: np.ndarray
    channels: tuple[int, ...] = ()
    labels: bool = False

    def one(self, channel: int) -> np.ndarray:
        """The map (m, m) of a channel; where it is not among them, or ALL, the highest of all at each place."""
        if channel in self.channels:
            return self.maps[self.channels.index(channel)]
        return self.maps.max(0)


@dataclass(eq=False)
class Cell:
    """One column at one moment; places are in shares of the picture's side, from its upper left edge."""

    picture: int
    points: np.ndarray  # (P, 2)
    channels: tuple[int, ...]  # which of the board's channels the points are
    truth: int | None  # which of the board's truths
    box: np.ndarray | None  # (3,) centre and side: where the layers lie; None: the whole picture
    titles: tuple[str, ...]
    given: Layer
    said: Layer
    before: Layer | None = None
    merged: Layer | None = None


@dataclass(eq=False)
class Row:
    """A line of the table of numbers: values (columns, moments, 1 or 1 + channels) int32 in units of the last digit.

    The first of the last axis is for all channels together.
    """

    label: str
    digits: int
    values: np.ndarray
    headline: str = ""  # how the number is said over a picture, "{}" in its place; "" where it is not

    def value(self, column: int, moment: int, channel: int = ALL) -> int:
        """The whole number kept for a channel; the one for all where there is none a channel."""
        values = self.values[column, moment]
        return int(values[channel + 1 if len(values) > 1 else 0])

    def text(self, column: int, moment: int, channel: int = ALL) -> str:
        """The number as it is written, everywhere."""
        value = self.value(column, moment, channel)
        return "–" if value == MISSING else f"{value / 10**self.digits:.{self.digits}f}"


@dataclass(eq=False)
class Board:
    """What is to be shown. kind: "steps" or "track"; axes: names and labels of each, the last one runs fastest."""

    kind: str
    title: str
    columns: tuple[str, ...]
    axes: tuple[tuple[str, tuple[str, ...]], ...]
    channels: tuple[str, ...]
    rows: list[Row]
    cells: list[list[Cell]]  # [column][moment]
    pictures: list[np.ndarray]  # (s, s, 3) uint8
    truths: list[np.ndarray]  # (L, 2), in shares
    notes: list[str] = field(default_factory=list)

    @property
    def moments(self) -> int:
        return len(self.cells[0])

    def moment(self, *where: int) -> int:
        """The number of the moment at places of the axes."""
        return int(np.ravel_multi_index(where, [len(labels) for _, labels in self.axes]))

    def table(self, moment: int, channel: int = ALL) -> list[list[str]]:
        """The numbers of a moment as they are written: a list [label, of column 1, ...] for each row."""
        columns = range(len(self.columns))
        return [[row.label, *(row.text(c, moment, channel) for c in columns)] for row in self.rows]

    def caption(self, column: int, moment: int, panel: int, channel: int = ALL) -> str:
        """What stands over a panel: the column's name over the first, the headline number over the last."""
        titles = self.cells[column][moment].titles
        words = [self.columns[column] if panel == 0 else "", titles[panel]]
        return ", ".join(
            filter(None, [*words, self.headline(column, moment, channel) if panel == len(titles) - 1 else ""])
        )

    def headline(self, column: int, moment: int, channel: int = ALL) -> str:
        """The number that is said of a moment first: its error, or how sure the tracker is."""
        for row in self.rows:
            if row.headline and row.value(column, moment, channel) != MISSING:
                return row.headline.format(row.text(column, moment, channel))
        return ""

    def thinned(self, every: int) -> "Board":
        """A board of every so-many-th face or frame only, which says so."""
        name, labels = self.axes[0]
        rest = self.moments // len(labels)
        keep = [i * rest + j for i in range(0, len(labels), every) for j in range(rest)]
        rows = [Row(r.label, r.digits, r.values[:, keep], r.headline) for r in self.rows]
        cells = [[column[m] for m in keep] for column in self.cells]
        axes = ((name, labels[::every]), *self.axes[1:])
        notes = [*self.notes, f"one {name} in {every}, of {len(labels)}, for size"]
        return Board(
            self.kind, self.title, self.columns, axes, self.channels, rows, cells, self.pictures, self.truths, notes
        )


def channel_names(markup: Markup) -> tuple[str, ...]:
    """What each point of a markup is."""
    if markup.n_points == 7:
        return SEVEN_NAMES
    groups = {i: name for name, members in markup.groups.items() for i in members}
    return tuple(f"{i}: {groups[i]}" for i in range(markup.n_points))


def numbers(label: str, digits: int, values, headline: str = "") -> Row:
    """A row of values (columns, moments[, 1 + channels]), NaN where there is none."""
    values = np.asarray(values, np.float64)
    values = values[..., None] if values.ndim == 2 else values
    whole = np.round(np.where(np.isfinite(values), values, 0) * 10**digits)
    return Row(label, digits, np.where(np.isfinite(values), whole, MISSING).astype(np.int32), headline)


def place(points: np.ndarray, side: int) -> np.ndarray:
    """Points in pixels (centres at whole numbers) of a picture `side` wide, in shares of it from its edge."""
    return (np.asarray(points, np.float64) + 0.5) / side


def squared(image: np.ndarray) -> tuple[np.ndarray, int]:
    """A picture (H, W, 3) filled up below or beside with black to a square of at most PICTURE px; its old side."""
    side = max(image.shape[:2])
    square = np.zeros((side, side, 3), np.uint8)
    square[: image.shape[0], : image.shape[1]] = image
    return (square if side <= PICTURE else draw.enlarge(square, PICTURE)), side


def layer(maps: np.ndarray, channels: tuple[int, ...] = ()) -> Layer:
    """A layer of maps (C, m, m) in [0, 1]."""
    maps = np.clip(np.array(maps, np.float32), 0, 1)
    if maps.shape[-1] > MAP:
        maps = np.stack([cv2.resize(m, (MAP, MAP), interpolation=cv2.INTER_AREA) for m in maps])
    maps[maps < LEAST] = 0
    return Layer(np.round(maps * LEVELS).astype(np.uint8), channels)


def label_layer(labels: np.ndarray) -> Layer:
    """A layer of one map (m, m) of labels."""
    every = -(-len(labels) // LABEL_MAP)
    return Layer(np.asarray(labels, np.uint8)[None, ::every, ::every], labels=True)


def own_channels(count: int, markup: Markup, board: Markup) -> tuple[int, ...]:
    """Which of the board's channels `count` maps or points of a network are: the seven of them, or all."""
    if count == board.n_points and markup.n_points == board.n_points:
        return tuple(range(count))
    return tuple(board.seven) if count == 7 else ()


def widest(names: set[str]) -> Markup:
    """The markup with the most points among names, all of which have at least the seven."""
    return max((MARKUPS[name] for name in names), key=lambda markup: markup.n_points)


def relative(now: np.ndarray, old: np.ndarray) -> float:
    """Length of the change of a code or state in per cent of what it was; NaN where it was nought."""
    length = float(np.linalg.norm(old))
    return 100 * float(np.linalg.norm(now - old)) / length if length else np.nan
