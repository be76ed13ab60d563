"""The storyboard: every number and picture that is shown of a trace, made once; player and contact sheet render it.

A storyboard has columns (networks, or tracks of one video) and moments, which are all combinations of its axes: faces
and spatial steps, or frames. A cell is one column at one moment. Numbers are kept as whole numbers of their last
digit, so that they read the same wherever they are written. Places are shares of a picture's side, from its corner.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import cv2
import numpy as np

from rednet_core.markup import MARKUPS, Markup
from rednet_core.metrics import point_nme
from rednet_lab.show import draw
from rednet_lab.show.trace import SEVEN_NAMES, Frame

LEVELS = 31  # a map's values are kept in so many steps
LEAST = 0.05  # what is lower is kept as zero: it could not be seen, and would be most of the weight
PICTURE = 256  # pixels of a kept picture, at most
MAP, LABEL_MAP = 32, 64  # pixels of a kept map and of a map of labels, at most
MISSING = np.iinfo(np.int32).min  # a number that there is none of
ALL = -1  # in place of a channel
TITLES = {"detection": "detection", "regression": "regression", "labels": "response"}
# Rows of the table of numbers: key -> (label, digits, how it is said over a picture). Those of "error" come first.
STEP_ROWS = {
    "error": ("error, seven points or the chosen one (%)", 1, "error {} %"),
    "answer": ("error of the final answer, all points (%)", 1, ""),
    "peak": ("height of the peak (mean, or of the chosen map)", 2, ""),
    "moved": ("moved since the step before (% of the box)", 1, ""),
    "pixels": ("pixels that a label wins (median, or of the chosen one)", 0, ""),
    "e_i": ("change of e_i since the step before (%)", 0, ""),
    "e_p": ("change of e_p since the step before (%)", 0, ""),
    "h": ("length of the LSTM's state h", 2, ""),
}
TRACK_ROWS = {
    "error": ("error, all points or the chosen one (%)", 1, "error {} %"),
    "slip": ("slip: how far the points move with the crop (0: a face, 1: none)", 2, "slip {}"),
    "peak": ("height of the peaks", 2, ""),
    "moved": ("moved since the frame before (% of the box)", 1, ""),
    "e_i": ("change of e_i since the frame before (%)", 0, ""),
    "e_p": ("change of e_p since the frame before (%)", 0, ""),
    "h": ("length of the LSTM's state h", 2, ""),
    "change": ("change of h since the frame before", 2, ""),
}


@dataclass(eq=False)
class Layer:
    """Maps (C, m, m) uint8 over a picture: 0..LEVELS, of the channels named; or one map of labels 0..L."""

    maps: np.ndarray
    channels: tuple[int, ...] = ()
    labels: bool = False


@dataclass(eq=False)
class Cell:
    """One column at one moment."""

    picture: int
    points: np.ndarray  # (P, 2)
    channels: tuple[int, ...]  # which of the storyboard's channels the points are
    truth: int | None  # which of the storyboard's truths
    box: np.ndarray | None  # (3,) centre and side: where the layers lie; None: the whole picture
    titles: tuple[str, ...]
    given: Layer
    answer: Layer
    before: Layer | None = None
    merged: Layer | None = None


@dataclass(eq=False)
class Row:
    """A line of the table of numbers: values (columns, moments, 1 or 1 + channels) int32 in units of the last digit.

    The first of the last axis is for all channels together.
    """

    label: str
    digits: int
    headline: str  # how the number is said over a picture, "{}" in its place; "" where it is not
    values: np.ndarray

    def text(self, column: int, moment: int, channel: int = ALL) -> str:
        """Return the number as it is written, everywhere: a channel's, or the one for all where it has none."""
        values = self.values[column, moment]
        value = int(values[channel + 1 if len(values) > 1 else 0])
        return "–" if value == MISSING else f"{value / 10**self.digits:.{self.digits}f}"


@dataclass(eq=False)
class Storyboard:
    """What is to be shown. kind: "steps" or "track"; axes: names and labels of each, the last one runs fastest."""

    kind: str
    title: str
    columns: tuple[str, ...]
    axes: tuple[tuple[str, tuple[str, ...]], ...]
    channels: tuple[str, ...]
    rows: list[Row] = field(default_factory=list)
    cells: list[list[Cell]] = field(default_factory=list)  # [column][moment]
    pictures: list[np.ndarray] = field(default_factory=list)  # (s, s, 3) uint8
    truths: list[np.ndarray] = field(default_factory=list)  # (L, 2)
    notes: list[str] = field(default_factory=list)

    def moment(self, *where: int) -> int:
        """Return the number of the moment at places of the axes."""
        return int(np.ravel_multi_index(where, [len(labels) for _, labels in self.axes]))

    def headline(self, column: int, moment: int) -> str:
        """Return the number that is said of a moment first: its error, or its slip."""
        texts = [(row.headline, row.text(column, moment)) for row in self.rows if row.headline]
        return next((headline.format(text) for headline, text in texts if text != "–"), "")

    def thinned(self, every: int) -> "Storyboard":
        """Return a storyboard of every so-many-th face or frame only, which says so."""
        name, labels = self.axes[0]
        rest = len(self.cells[0]) // len(labels)
        keep = [i * rest + j for i in range(0, len(labels), every) for j in range(rest)]
        return replace(
            self,
            axes=((name, labels[::every]), *self.axes[1:]),
            rows=[replace(row, values=row.values[:, keep]) for row in self.rows],
            cells=[[column[m] for m in keep] for column in self.cells],
            notes=[*self.notes, f"one {name} in {every}, of {len(labels)}, for size"],
        )


def _table(columns: int, moments: int, channels: int) -> dict[str, np.ndarray]:
    """Return an empty table: key -> values (columns, moments, 1 + channels), NaN where there is none."""
    return defaultdict(lambda: np.full((columns, moments, 1 + channels), np.nan))


def _put(values: np.ndarray, value: float, channels: Sequence[int] = (), each=()) -> None:
    """Keep a value for all channels and those of single ones in a table's values (1 + channels,) of one cell."""
    values[0], values[1 + np.array(channels, int)] = value, each


def _rows(table: Mapping[str, np.ndarray], wanted: Mapping[str, tuple[str, int, str]]) -> list[Row]:
    """Return the rows that have a number, in the order wanted."""
    rows = []
    for key, (label, digits, headline) in wanted.items():
        known = np.isfinite(table.get(key, np.nan))
        if known.any():
            whole = np.where(known, np.round(np.nan_to_num(table[key]) * 10**digits), MISSING).astype(np.int32)
            rows.append(Row(label, digits, headline, whole if known[..., 1:].any() else whole[..., :1]))
    return rows


def channel_names(markup: Markup) -> tuple[str, ...]:
    """Return what each point of a markup is."""
    if markup.n_points == 7:
        return SEVEN_NAMES
    groups = {i: name for name, members in markup.groups.items() for i in members}
    return tuple(f"{i}: {groups[i]}" for i in range(markup.n_points))


def places(points: np.ndarray, side: int) -> np.ndarray:
    """Return points in pixels (centres at whole numbers) of a picture `side` wide, in shares of it from its edge."""
    return (np.asarray(points, np.float64) + 0.5) / side


def squared(image: np.ndarray) -> np.ndarray:
    """Return a picture (H, W, 3) filled up below or beside with black to a square of at most PICTURE px."""
    square = draw.squared(image)
    return square if len(square) <= PICTURE else draw.enlarge(square, PICTURE)


def layer(maps: np.ndarray, channels: tuple[int, ...] = ()) -> Layer:
    """Return a layer of maps (C, m, m) in [0, 1]."""
    maps = np.clip(np.array(maps, np.float32), 0, 1)
    if maps.shape[-1] > MAP:
        maps = np.stack([cv2.resize(m, (MAP, MAP), interpolation=cv2.INTER_AREA) for m in maps])
    maps[maps < LEAST] = 0
    return Layer(np.round(maps * LEVELS).astype(np.uint8), channels)


def label_layer(labels: np.ndarray | None) -> Layer | None:
    """Return a layer of one map (m, m) of labels, or None of none."""
    if labels is None:
        return None
    every = -(-len(labels) // LABEL_MAP)
    return Layer(np.asarray(labels, np.uint8)[None, ::every, ::every], labels=True)


def channels_of(count: int, markup: Markup, widest: Markup) -> tuple[int, ...]:
    """Return which of the widest markup's points `count` maps or points of a network are: the seven of them, or all."""
    if count == widest.n_points and markup.n_points == widest.n_points:
        return tuple(range(count))
    return tuple(widest.seven) if count == 7 else ()


def relative(now: np.ndarray, old: np.ndarray) -> float:
    """Return the length of the change of a half or state in per cent of what it was; NaN where it was zero."""
    length = float(np.linalg.norm(old))
    return 100 * float(np.linalg.norm(now - old)) / length if length else np.nan


def each_error(found: np.ndarray, truth: np.ndarray | None, frame: Frame) -> np.ndarray | float:
    """Return the error of each point, all of the markup's or its seven, in % of the inter-ocular distance; or NaN."""
    if truth is None:
        return np.nan
    markup, whole = MARKUPS[frame.markup], truth.copy()
    which = slice(None) if len(found) == len(truth) else list(markup.seven)
    whole[which] = found  # the normaliser needs all of the truth; the others count nothing
    return point_nme(whole[None], truth[None], markup, frame.known[None])[0][which]


def _columns(traces: Mapping[str, Sequence[Frame]] | Sequence[Frame]) -> tuple[dict[str, list[Frame]], Markup]:
    """Return the columns by name, and the markup with the most points among theirs."""
    columns = dict(traces) if isinstance(traces, Mapping) else {"": list(traces)}
    if not columns or not all(columns.values()):
        raise ValueError(f"a storyboard of nothing: { ({name: len(frames) for name, frames in columns.items()}) }")
    return columns, max((MARKUPS[frames[0].markup] for frames in columns.values()), key=lambda one: one.n_points)


def step_storyboard(
    traces: Mapping[str, Sequence[Frame]] | Sequence[Frame], title: str = "", names: Sequence[str] = ()
) -> Storyboard:
    """Return the storyboard of recorded faces: one network's, or several networks' by name, each of the same faces.

    names are what the faces are called; a network with fewer steps than another stays at its last one.
    """
    networks, markup = _columns(traces)
    counts = {name: len(frames) for name, frames in networks.items()}
    count, most = min(counts.values()), max(len(frames[0].steps) for frames in networks.values())
    if len(set(counts.values())) != 1:
        raise ValueError(f"step_storyboard: every network needs the same faces; got {counts}")
    if names and len(names) != count:
        raise ValueError(f"step_storyboard: {len(names)} names for {count} faces")
    labels = tuple(f"{i + 1}: {name}" for i, name in enumerate(names)) or tuple(str(i + 1) for i in range(count))
    axes = (("face", labels), ("step", tuple(str(k + 1) for k in range(most))))
    story = Storyboard("steps", title, tuple(networks), axes, channel_names(markup))
    numbers = _table(len(networks), count * most, markup.n_points)
    for c, frames in enumerate(networks.values()):
        story.cells.append([])
        for frame in frames:
            cells = _step_cells(story, frame, markup)
            for k in range(most):
                _step_numbers(numbers, (c, len(story.cells[c])), frame, min(k, len(cells) - 1), markup)
                story.cells[c].append(cells[min(k, len(cells) - 1)])
    story.rows = _rows(numbers, STEP_ROWS)
    return story


def _step_cells(story: Storyboard, frame: Frame, markup: Markup) -> list[Cell]:
    """Return a face's cells, one a step; its picture and truth go onto the storyboard."""
    own, side, cells = MARKUPS[frame.markup], frame.picture.shape[1], []
    story.pictures.append(squared(frame.picture))
    if frame.truth is not None:
        story.truths.append(places(frame.truth[frame.known], side))
    picture, truth = len(story.pictures) - 1, None if frame.truth is None else len(story.truths) - 1
    for k, step in enumerate(frame.steps):
        if cells and step.given is not None:
            before = cells[-1].answer
        else:
            before = layer(step.before, channels_of(len(step.before), own, markup))
        titles = (f"z{k}, given to step {k + 1}", f"step {k + 1}: {TITLES[step.kind]}", "points")
        points = places(step.points, side), channels_of(len(step.points), own, markup)
        answer = layer(step.maps, channels_of(len(step.maps), own, markup))
        layers = label_layer(step.given) or before, answer, before, label_layer(step.merged)
        cells.append(Cell(picture, *points, truth, None, titles, *layers))
    return cells


def _step_numbers(numbers: dict[str, np.ndarray], at: tuple[int, int], frame: Frame, k: int, markup: Markup) -> None:
    """Keep a step's error, peaks, pixels of each label, and how far points and halves moved."""
    step, own = frame.steps[k], MARKUPS[frame.markup]
    channels, heights = channels_of(len(step.points), own, markup), step.maps.max((1, 2))
    _put(numbers["error"][at], step.error, channels, each_error(step.points, frame.truth, frame))
    _put(numbers["peak"][at], heights.mean(), channels, heights)
    if step.merged is not None:
        won = np.bincount(step.merged.ravel(), minlength=len(step.maps) + 1)[1:]
        _put(numbers["pixels"][at], np.median(won), channels, won)
    if k:
        old = frame.steps[k - 1]
        shift = 100 * np.linalg.norm(step.seven(own) - old.seven(own), axis=-1) / frame.picture.shape[1]
        _put(numbers["moved"][at], shift.mean(), markup.seven, shift)
        _put(numbers["e_i"][at], relative(step.e_i, old.e_i))
        _put(numbers["e_p"][at], relative(step.e_p, old.e_p))
    if k == len(frame.steps) - 1:
        _put(numbers["answer"][at], frame.error)
    if step.h is not None:
        _put(numbers["h"][at], np.linalg.norm(step.h))


def track_storyboard(tracks: Mapping[str, Sequence[Frame]] | Sequence[Frame], title: str = "") -> Storyboard:
    """Return the storyboard of a tracked video: one track, or several of it by name, as long as all of them last."""
    columns, markup = _columns(tracks)
    count = min(len(frames) for frames in columns.values())
    axes = (("frame", tuple(str(t) for t in range(count))),)
    story = Storyboard("track", title, tuple(columns), axes, channel_names(markup))
    numbers = _table(len(columns), count, markup.n_points)
    shared: list[tuple[list[int], list[int]]] = [([], []) for _ in range(count)]  # places of pictures and truths
    for c, frames in enumerate(columns.values()):
        story.cells.append([_track_cell(story, shared[t], frame, markup) for t, frame in enumerate(frames[:count])])
        for t, frame in enumerate(frames[:count]):
            _track_numbers(numbers, (c, t), frame, frames[t - 1] if t else None, markup)
    story.rows = _rows(numbers, TRACK_ROWS)
    return story


def _share(store: list[np.ndarray], mine: list[int], value: np.ndarray) -> int:
    """Return the place of a value in the store; a moment's columns (whose places are in mine) share what is equal."""
    for index in mine:
        if np.array_equal(store[index], value):
            return index
    mine.append(len(store))
    store.append(value)
    return mine[-1]


def _track_cell(story: Storyboard, shared: tuple[list[int], list[int]], frame: Frame, markup: Markup) -> Cell:
    """Return one tracked frame; its picture and truth go onto the storyboard where they are not there yet."""
    side, real, (x, y, width) = max(frame.image.shape[:2]), frame.truth_in_image, frame.box
    picture = _share(story.pictures, shared[0], squared(frame.image))
    truth = None if real is None else _share(story.truths, shared[1], places(real[frame.known], side))
    first, last = frame.steps[0], frame.steps[-1]
    given = label_layer(first.given) or layer(first.feedback.max(0)[None])
    points = places(frame.points, side), channels_of(len(frame.points), MARKUPS[frame.markup], markup)
    box = np.array([*places(np.array([x, y]), side), width / side])
    return Cell(picture, *points, truth, box, ("",), given, layer(last.maps.max(0)[None]))


def _track_numbers(
    numbers: dict[str, np.ndarray], at: tuple[int, int], frame: Frame, old: Frame | None, markup: Markup
) -> None:
    """Keep a frame's error, slip, height of the peaks, and how far points, halves and memory moved."""
    channels = channels_of(len(frame.points), MARKUPS[frame.markup], markup)
    _put(numbers["error"][at], frame.error, channels, each_error(frame.points, frame.truth_in_image, frame))
    _put(numbers["peak"][at], frame.confidence)
    _put(numbers["slip"][at], frame.slip)
    if frame.hidden is not None:
        _put(numbers["h"][at], np.linalg.norm(frame.hidden))
    if old is not None:
        shift = 100 * np.linalg.norm(frame.points - old.points, axis=-1) / frame.box[2]
        _put(numbers["moved"][at], shift.mean(), channels, shift)
        for half in ("e_i", "e_p"):
            _put(numbers[half][at], relative(getattr(frame.steps[-1], half), getattr(old.steps[-1], half)))
        if frame.hidden is not None and old.hidden is not None:
            _put(numbers["change"][at], np.linalg.norm(frame.hidden - old.hidden))
