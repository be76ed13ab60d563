"""A board in JupyterLab: sliders, a play button and a picture that answers while they move.

What a control's move paints is a plain function of the controls' values (`painter_of`), so that a run without a
screen can go through all of them (`rehearse`): an error in it fails the run instead of waiting for a reader.
"""

from collections.abc import Callable
from functools import lru_cache
from html import escape

import ipywidgets as w
import numpy as np

from rednet_lab.show import draw
from rednet_lab.show.player import paint
from rednet_lab.show.player.storyboard import ALL, Board
from rednet_lab.show.widgets import STYLE, Painter, buttons, slider

WIDE = 900  # pixels of the picture: a notebook's column on a screen of 1280
KEPT = 200  # painted moments that are kept


def choices(board: Board) -> dict[str, list]:
    """The values that each control of a board can have, the first one to begin with; no "truth" without one."""
    channel = [ALL, *range(len(board.channels))]
    truth = {"truth": [True, False]} if board.truths else {}
    if board.kind == "steps":
        where = {name: list(range(1, len(labels) + 1)) for name, labels in board.axes}
        return {**where, "channel": channel, "view": list(paint.VIEWS), **truth}
    curve = list(range(len(board.rows)))
    where = {"frame": list(range(board.moments)), "layers": list(paint.LAYERS), "channel": channel, "curve": curve}
    return {**where, "boxes": [True, False], **truth}


def painter_of(board: Board) -> Callable[..., tuple[np.ndarray, str]]:
    """What the controls paint: a function of their values that gives a picture and the table of numbers."""

    @lru_cache(KEPT)
    def steps(face: int, step: int, channel: int, view: str, truth: bool = True) -> tuple[np.ndarray, str]:
        moment, size = board.moment(face - 1, step - 1), _size(3, len(board.columns))
        pictures = []
        for column in range(len(board.columns)):
            each = paint.panels(board, column, moment, size, channel, view, truth)
            texts = paint.words(board, column, moment, channel, view)
            pictures += [draw.label(p, text) for p, text in zip(each, texts, strict=True)]
        return draw.montage(pictures, 3, gap=6), table(board, moment, channel)

    @lru_cache(32)
    def curve_of(row: int, channel: int, width: int) -> np.ndarray:
        return paint.curves(board, row, channel, width)

    @lru_cache(KEPT)
    def track(frame: int, layers: str, channel: int, curve: int, boxes: bool, truth: bool = True):
        size = _size(len(board.columns), 1)
        pictures = [
            draw.label(
                paint.tracked(board, column, frame, size, channel, layers, boxes, truth),
                board.caption(column, frame, 0, channel),
            )
            for column in range(len(board.columns))
        ]
        row = draw.montage(pictures, len(pictures), gap=6)
        under = paint.with_cursor(curve_of(curve, channel, max(row.shape[1], 560)), frame, board.moments)
        page = np.full((row.shape[0] + 4 + under.shape[0], under.shape[1], 3), 255, np.uint8)
        page[: row.shape[0], : row.shape[1]], page[row.shape[0] + 4 :] = row, under
        return page, table(board, frame, channel)

    return steps if board.kind == "steps" else track


def _size(across: int, down: int) -> int:
    return min(360, WIDE // across, 520 // down)


def rehearse(board: Board) -> None:
    """Paint with every value of every control once, the others as they begin; raises what a callback would raise."""
    values = choices(board)
    first, paint_ = {name: some[0] for name, some in values.items()}, painter_of(board)
    for name, some in values.items():
        for value in some:
            paint_(**{**first, name: value})


def table(board: Board, moment: int, channel: int = ALL) -> str:
    """The numbers of a moment as an HTML table."""
    head = "".join(f"<th style='padding:1px 14px'>{escape(name)}</th>" for name in board.columns)
    body = "".join(
        f"<tr><td>{escape(label)}</td>"
        + "".join(f"<td style='text-align:right;padding:1px 14px;font-weight:600'>{escape(t)}</td>" for t in texts)
        + "</tr>"
        for label, *texts in board.table(moment, channel)
    )
    face = board.axes[0][1][moment // (board.moments // len(board.axes[0][1]))]
    head = f"<tr><th style='text-align:left'>{board.axes[0][0]} {escape(face)}</th>{head}</tr>"
    return f"<table style='line-height:1.35'>{head}{body}</table>"


def _labelled(options, labels) -> list[tuple[str, object]]:
    return list(zip(labels, options, strict=True))


def live(board: Board) -> Painter:
    """The widget of a board."""
    values = choices(board)
    controls: dict[str, w.Widget] = {}
    for name, _ in board.axes:
        low, high = values[name][0], values[name][-1]
        controls[name] = slider({"step": "spatial step"}.get(name, name), low, high, low)
    names = ["all", *board.channels]
    controls["channel"] = w.Dropdown(options=_labelled(values["channel"], names), description="point", style=STYLE)
    if board.kind == "steps":
        controls["view"] = buttons("maps", values["view"])
    else:
        controls["layers"] = w.Dropdown(options=values["layers"], description="maps", style=STYLE)
        rows = [row.label for row in board.rows]
        wide = w.Layout(width="440px")  # the longest name of a curve
        curves = _labelled(values["curve"], rows)
        controls["curve"] = w.Dropdown(options=curves, description="curve", style=STYLE, layout=wide)
        controls["boxes"] = w.Checkbox(True, description="face box", indent=False)
    if "truth" in values:
        controls["truth"] = w.Checkbox(True, description="the truth (green crosses)", indent=False)
    painter = Painter(controls, painter_of(board))
    last = controls[board.axes[-1][0]]
    play = w.Play(min=last.min, max=last.max, interval=900 if board.kind == "steps" else 120, show_repeat=True)
    w.jslink((play, "value"), (last, "value"))
    bar = w.HBox([play, *controls.values()], layout=w.Layout(flex_flow="row wrap", align_items="center"))
    painter.panel.children = ()
    painter.play, painter.box = play, w.VBox([bar, painter.image, painter.status])
    return painter
