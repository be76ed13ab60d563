"""The storyboard of spatial steps: faces, each seen again and again by one network, or by several beside each other."""

from collections.abc import Mapping, Sequence

import numpy as np

from rednet_core.markup import MARKUPS, Markup
from rednet_core.metrics import point_nme
from rednet_lab.show.player.storyboard import (
    MISSING,
    Board,
    Cell,
    Layer,
    channel_names,
    label_layer,
    layer,
    numbers,
    own_channels,
    place,
    relative,
    squared,
    widest,
)
from rednet_lab.show.trace import Frame

TITLES = {"detection": "detection", "regression": "regression", "labels": "response"}


def steps_board(
    traces: Mapping[str, Sequence[Frame]] | Sequence[Frame], title: str = "", names: Sequence[str] = ()
) -> Board:
    """The board of recorded faces: one network's, or several networks' by name, each of the same faces.

    names are what the faces are called; a network with fewer steps than another stays at its last one.
    """
    networks = dict(traces) if isinstance(traces, Mapping) else {"": list(traces)}
    counts = {name: len(frames) for name, frames in networks.items()}
    if len(set(counts.values())) != 1 or not min(counts.values()):
        raise ValueError(f"steps_board: every network needs the same faces, at least one; got {counts}")
    count, most = counts.popitem()[1], max(len(frames[0].steps) for frames in networks.values())
    if names and len(names) != count:
        raise ValueError(f"steps_board: {len(names)} names for {count} faces")
    markup = widest({frames[0].markup for frames in networks.values()})
    labels = tuple(f"{i + 1}: {name}" for i, name in enumerate(names)) or tuple(str(i + 1) for i in range(count))
    axes = (("face", labels), ("step", tuple(str(k + 1) for k in range(most))))
    board = Board("steps", title, tuple(networks), axes, channel_names(markup), [], [], [], [])
    for frames in networks.values():
        board.cells.append([cell for frame in frames for cell in _cells(board, frame, most, markup)])
    board.rows = _rows(list(networks.values()), most, markup)
    return board


def _cells(board: Board, frame: Frame, most: int, markup: Markup) -> list[Cell]:
    """A face's cells, one a step; its picture and truth go onto the board."""
    own, side = MARKUPS[frame.markup], frame.picture.shape[1]
    picture, truth = len(board.pictures), None
    board.pictures.append(squared(frame.picture)[0])
    if frame.truth is not None:
        truth = len(board.truths)
        board.truths.append(place(frame.truth, side))
    cells: list[Cell] = []
    before: Layer | None = None
    for k, step in enumerate(frame.steps):
        channels = own_channels(len(step.maps), own, markup)
        previous = before
        if previous is None or step.given is None:
            previous = layer(step.before, own_channels(len(step.before), own, markup))
        before = layer(step.maps, channels)
        given = previous if step.given is None else label_layer(step.given)
        titles = (f"z{k}, given to step {k + 1}", f"step {k + 1}: {TITLES[step.kind]}", "points")
        merged = None if step.merged is None else label_layer(step.merged)
        points = own_channels(len(step.points), own, markup)
        cells.append(
            Cell(picture, place(step.points, side), points, truth, None, titles, given, before, previous, merged)
        )
    return cells + cells[-1:] * (most - len(cells))


def _rows(networks: list[Sequence[Frame]], most: int, markup: Markup) -> list:
    """The table: errors, peaks, how far the points moved, how the codes changed, pixels of each label."""
    shape = (len(networks), len(networks[0]) * most, 1 + markup.n_points)
    error, peak, moved, pixels = (np.full(shape, np.nan) for _ in range(4))
    answer, e_i, e_p, memory = (np.full(shape[:2], np.nan) for _ in range(4))
    for c, frames in enumerate(networks):
        own = MARKUPS[frames[0].markup]
        for f, frame in enumerate(frames):
            for k in range(most):
                m, last = f * most + k, len(frame.steps) - 1
                step, old = frame.steps[min(k, last)], frame.steps[min(k, last) - 1] if min(k, last) else None
                channels = 1 + np.array(own_channels(len(step.points), own, markup))
                error[c, m, 0] = step.error
                if frame.truth is not None:
                    error[c, m, channels] = each_error(step.points, frame.truth, own)
                heights = step.maps.max((1, 2))
                peak[c, m, 0], peak[c, m, channels] = heights.mean(), heights
                if step.merged is not None:
                    won = np.bincount(step.merged.ravel(), minlength=len(step.maps) + 1)[1:]
                    pixels[c, m, 0], pixels[c, m, channels] = np.median(won), won
                if old is not None:
                    shift = np.linalg.norm(step.seven(own) - old.seven(own), axis=-1)
                    shift = 100 * shift / frame.picture.shape[1]
                    moved[c, m, 0], moved[c, m, 1 + np.array(markup.seven)] = shift.mean(), shift
                    e_i[c, m], e_p[c, m] = relative(step.e_i, old.e_i), relative(step.e_p, old.e_p)
                if k >= last:
                    answer[c, m] = frame.error
                if step.h is not None:
                    memory[c, m] = np.linalg.norm(step.h)
    rows = [
        numbers("error, seven points or the chosen one (%)", 1, error, "error {} %"),
        numbers("error of the final answer, all points (%)", 1, answer),
        numbers("height of the peak (mean, or of the chosen map)", 2, peak),
        numbers("moved since the step before (% of the box)", 1, moved),
        numbers("pixels that a label wins (median, or of the chosen one)", 0, pixels),
        numbers("change of e_i since the step before (%)", 0, e_i),
        numbers("change of e_p since the step before (%)", 0, e_p),
        numbers("length of the LSTM's state h", 2, memory),
    ]
    return [row for row in rows if row.values.max() > MISSING]


def each_error(found: np.ndarray, truth: np.ndarray, markup: Markup) -> np.ndarray:
    """The error of each point found, all of the markup's or its seven, in per cent of the inter-ocular distance."""
    known = np.isfinite(truth).all(-1)[None]
    if len(found) == len(truth):
        return point_nme(found[None], truth[None], markup, known)[0]
    whole = truth.copy()
    whole[list(markup.seven)] = found  # the normaliser needs all of the truth; the others count nothing
    return point_nme(whole[None], truth[None], markup, known)[0][list(markup.seven)]
