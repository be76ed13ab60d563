"""The storyboard of tracked videos: one video's frames, tracked once or several times beside each other."""

from collections.abc import Mapping, Sequence

import numpy as np

from rednet_core.markup import MARKUPS, Markup
from rednet_lab.show.player.steps import each_error
from rednet_lab.show.player.storyboard import (
    MISSING,
    Board,
    Cell,
    Layer,
    Row,
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


def track_board(tracks: Mapping[str, Sequence[Frame]] | Sequence[Frame], title: str = "") -> Board:
    """The board of a tracked video: one track, or several of the same video by name, as long as all of them last."""
    columns = dict(tracks) if isinstance(tracks, Mapping) else {"": list(tracks)}
    count = min(len(frames) for frames in columns.values())
    if not count:
        raise ValueError(f"track_board: a track without frames among {list(columns)}")
    markup = widest({frames[0].markup for frames in columns.values()})
    axes = (("frame", tuple(str(t) for t in range(count))),)
    board = Board("track", title, tuple(columns), axes, channel_names(markup), [], [], [], [])
    kept: list[tuple[list[int], list[int]]] = [([], []) for _ in range(count)]  # places of pictures and truths
    for frames in columns.values():
        board.cells.append([_cell(board, kept[t], frame, markup) for t, frame in enumerate(frames[:count])])
    board.rows = _rows([frames[:count] for frames in columns.values()], markup)
    return board


def _share(store: list[np.ndarray], mine: list[int], value: np.ndarray) -> int:
    """The place of a value in the store; a moment's columns (whose places are in mine) share what is equal."""
    for index in mine:
        if np.array_equal(store[index], value):
            return index
    mine.append(len(store))
    store.append(value)
    return mine[-1]


def _cell(board: Board, kept: tuple[list[int], list[int]], frame: Frame, markup: Markup) -> Cell:
    """One tracked frame; its picture and truth go onto the board where they are not there yet."""
    picture, side = squared(frame.image)
    index = _share(board.pictures, kept[0], picture)
    truth = None
    if frame.truth_in_image is not None:
        truth = _share(board.truths, kept[1], place(frame.truth_in_image, side))
    x, y, width = frame.box
    box = np.array([*place(np.array([x, y]), side), width / side])
    first, last = frame.steps[0], frame.steps[-1]
    given = layer(first.feedback.max(0)[None]) if first.given is None else label_layer(first.given)
    said = layer(last.maps.max(0)[None])
    points = own_channels(len(frame.points), MARKUPS[frame.markup], markup)
    merged: Layer | None = None if last.merged is None else label_layer(last.merged)
    return Cell(index, place(frame.points, side), points, truth, box, ("",), given, said, None, merged)


def _rows(columns: list[Sequence[Frame]], markup: Markup) -> list[Row]:
    """The table: errors, how sure, how far the points moved, how codes and memory changed."""
    shape = (len(columns), len(columns[0]), 1 + markup.n_points)
    error, moved = np.full(shape, np.nan), np.full(shape, np.nan)
    sure, e_i, e_p, h, change = (np.full(shape[:2], np.nan) for _ in range(5))
    for c, frames in enumerate(columns):
        for t, frame in enumerate(frames):
            channels = 1 + np.array(own_channels(len(frame.points), MARKUPS[frame.markup], markup))
            error[c, t, 0], sure[c, t] = frame.error, frame.confidence
            if frame.truth_in_image is not None:
                each = each_error(frame.points, frame.truth_in_image, MARKUPS[frame.markup])
                error[c, t, channels] = each
            if frame.hidden is not None:
                h[c, t] = np.linalg.norm(frame.hidden)
            if t:
                old = frames[t - 1]
                shift = 100 * np.linalg.norm(frame.points - old.points, axis=-1) / frame.box[2]
                moved[c, t, 0], moved[c, t, channels] = shift.mean(), shift
                now, then = frame.steps[-1], old.steps[-1]
                e_i[c, t], e_p[c, t] = relative(now.e_i, then.e_i), relative(now.e_p, then.e_p)
                if frame.hidden is not None and old.hidden is not None:
                    change[c, t] = np.linalg.norm(frame.hidden - old.hidden)
    rows = [
        numbers("error, all points or the chosen one (%)", 1, error, "error {} %"),
        numbers("how sure: height of the peaks", 2, sure, "sure {}"),
        numbers("moved since the frame before (% of the box)", 1, moved),
        numbers("change of e_i since the frame before (%)", 0, e_i),
        numbers("change of e_p since the frame before (%)", 0, e_p),
        numbers("length of the LSTM's state h", 2, h),
        numbers("change of h since the frame before", 2, change),
    ]
    return [row for row in rows if row.values.max() > MISSING]
