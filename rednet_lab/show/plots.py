"""The look of all figures, plots and tables that several notebooks share, and a chart that widgets can repaint.

Figures are matplotlib's, colour-blind safe and readable at half width. One of its figures takes a tenth of a second,
which is too long for a slider: `chart` paints curves into an array in a millisecond or two.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.ticker import LogLocator, MaxNLocator

from rednet_core import metrics
from rednet_lab.evaluation import COMMON_YAW, error_curve, score
from rednet_lab.show import draw

WIDTH = 7.0  # inches: a figure is shown at full or half of a page's width
STYLE = Path(__file__).with_name("figures.mplstyle")
READS = ("rednet_lab/show/figures.mplstyle",)
LINES = (":", "--", "-.", "-")
TITLES = {"detection": "$l_d$", "regression": "$l_r$", "identity": "$l_{cls}$", "rate": "learning rate"}
PALE = (205, 205, 205)
LEFT, RIGHT, TOP, BOTTOM = 54, 16, 8, 40  # a chart's margins in pixels
DASH = 7  # pixels of a dash, and of the gap behind it
Each = dict[str, np.ndarray]


def use_style() -> None:
    """Set the course's figure style (without seaborn, which has it too: its import takes longer than all of ours)."""
    plt.style.use(STYLE)


def picture_axes(axes, image, title: str = "") -> None:
    """Show a picture on axes, without ticks."""
    axes.imshow(image)
    axes.set_title(title)
    axes.set_axis_off()


def grid(pictures: Sequence[np.ndarray], columns: int, width: float = WIDTH) -> plt.Figure:
    """Return a figure of pictures of one size in a grid."""
    image = draw.montage(pictures, columns)
    figure, ax = plt.subplots(figsize=(width, width * image.shape[0] / image.shape[1]))
    picture_axes(ax, image)
    return figure


def training_curves(trained, columns: tuple[str, ...], log: bool = True) -> plt.Figure:
    """Return a stage's raw terms (or learning rate) over its steps: pale every step, dark a running median."""
    history = pd.DataFrame(trained.history.numpy(), columns=trained.columns)
    smooth = history.rolling(max(len(history) // 60, 1), min_periods=1).median()
    figure, axes = plt.subplots(1, len(columns), figsize=(2.7 * len(columns), 2.5), squeeze=False)
    for ax, column in zip(axes[0], columns, strict=True):
        ax.plot(history[column], alpha=0.25, rasterized=True)
        ax.plot(smooth[column], color=ax.lines[0].get_color())
        ax.set(title=TITLES[column], xlabel="step", yscale="log" if log and column != "rate" else "linear")
    return figure


def score_table(errors: Each, groups: Each, unit: str = "faces", floor: np.ndarray | None = None) -> pd.DataFrame:
    """Return the papers' figures of each predictor's per-face errors (N,), in each group (N,) bool.

    floor (N,), see `evaluation.floor_of`: where it acts, mean and failures by our measure stand beside: without a floor
    on the distance of the eye corners the error of a face seen from the side has no bound.
    """
    rows = []
    for group, keep in groups.items():
        for predictor, each in errors.items():
            if not keep.any():
                continue
            s = score(each[keep])
            row = {"group": group, unit: s.count, "predictor": predictor, "mean (%)": s.mean, "std (%)": s.std}
            row |= {"failures (%)": s.failure, "AUC": s.auc}
            if floor is not None and (floor[keep] < 1).any():
                ours = score((each * floor)[keep])
                row |= {"mean, floored (%)": ours.mean, "failures, floored (%)": ours.failure}
            rows.append(row)
    return pd.DataFrame(rows).round(3)


def error_curves(ax, errors: Each, limit: float = 25.0) -> None:
    """Draw cumulative error curves of predictors' per-face errors (N,) on axes, with the papers' failure limit."""
    for (name, each), line in zip(errors.items(), LINES[-len(errors) :], strict=True):
        ax.plot(*error_curve(each, limit=limit), line, label=name)
    ax.axvline(metrics.FAILURE, color="0.6", lw=1)
    ax.set(xlabel="error (% of inter-ocular distance)", ylabel="share of faces", xlim=(0, limit), ylim=(0, 1))


def yaw_groups(yaw: np.ndarray) -> Each:
    """Return the papers' groups by |yaw| in degrees: common up to 30, challenging beyond, and all."""
    yaw = np.abs(yaw)
    return {"all": np.ones(len(yaw), bool), "common": yaw < COMMON_YAW, "challenging": yaw >= COMMON_YAW}


@dataclass(frozen=True)
class Line:
    """A curve: its places x and values y (NaN: a gap), a name, a colour; dashed, so that colour is not needed."""

    x: np.ndarray
    y: np.ndarray
    name: str = ""
    colour: tuple[int, int, int] = draw.BLUE
    dashed: bool = False
    width: int = 2


def chart(
    lines: Sequence[Line],
    x_label: str = "",
    size: tuple[int, int] = (draw.PANEL, draw.PANEL),
    x_range: tuple[float, float] | None = None,
    y_range: tuple[float, float] | None = None,
    log: bool = False,
    levels: dict[str, float] | None = None,
    cursor: float | None = None,
) -> np.ndarray:
    """Return curves as a picture of size (width, height); `levels` are named horizontals, `cursor` a place on x."""
    everything = np.concatenate([np.asarray(line.y, float) for line in lines] + [list((levels or {}).values())])
    everything = everything[np.isfinite(everything) & ((everything > 0) | (not log))]
    x_range = x_range or _reach(np.concatenate([np.asarray(line.x, float) for line in lines]))
    y_range = y_range or _reach(everything, log)
    scale = np.log10 if log else np.asarray
    width, height = size
    across, down = width - LEFT - RIGHT, height - TOP - BOTTOM

    def place(x, y) -> np.ndarray:
        x = (np.asarray(x, float) - x_range[0]) / (x_range[1] - x_range[0])
        low, high = scale(y_range)
        with np.errstate(divide="ignore", invalid="ignore"):
            y = (scale(np.asarray(y, float)) - low) / (high - low)
        return np.stack(np.broadcast_arrays(LEFT + x * across, TOP + (1 - np.clip(y, -0.02, 1.02)) * down), -1)

    out, texts = np.full((height, width, 3), 255, np.uint8), []
    for y in _ticks(y_range, log):
        (a, b) = place(x_range, y)
        stroke(out, np.array([a, b]), PALE, 1)
        texts.append((f"{y:g}", (LEFT - 5, a[1]), "rm"))
    for x in _ticks(x_range):
        (a,) = place([x], y_range[0])
        stroke(out, np.array([a, a + [0, 4]]), draw.DARK, 1)
        texts.append((f"{x:g}", (a[0], a[1] + 6), "ma"))
    for name, level in (levels or {}).items():
        a, b = place(x_range, level)
        stroke(out, np.array([a, b]), draw.DARK, 1, dashed=True)
        texts.append((name, (width - RIGHT - 2, a[1] - 2), "rd"))
    frame = out[:, LEFT : LEFT + across + 1]  # what is left and right of it is not painted
    for line in lines:
        stroke(frame, place(line.x, line.y) - [LEFT, 0], line.colour, line.width, line.dashed)
    if cursor is not None:
        stroke(out, place(np.clip([cursor, cursor], *x_range), y_range), draw.SKY, 3)
    cv2.rectangle(out, (LEFT, TOP), (LEFT + across, TOP + down), draw.DARK, 1)
    for i, line in enumerate(each for each in lines if each.name):
        y = TOP + 12 + 16 * i
        stroke(out, np.array([[LEFT + 8, y], [LEFT + 30, y]], float), line.colour, line.width, line.dashed)
        texts.append((line.name, (LEFT + 36, y), "lm"))
    return draw.words(out, [*texts, (x_label, (LEFT + across / 2, height - 3), "md")], 11, halo=draw.WHITE)


def _reach(values: np.ndarray, log: bool = False) -> tuple[float, float]:
    """Return a range that shows all values and is not empty."""
    if len(values) == 0:
        return (0.1, 1.0) if log else (0.0, 1.0)
    low, high = float(values.min()), float(values.max())
    if log:
        return low / 1.15, high * 1.15
    return low, high if high > low else low + 1.0


def _ticks(reach: tuple[float, float], log: bool = False) -> list[float]:
    """Return about five round numbers within a range."""
    found = LogLocator(subs=(1, 2, 5), numticks=12).tick_values(*reach) if log else MaxNLocator(5).tick_values(*reach)
    inside = [float(tick) for tick in found if reach[0] <= tick <= reach[1]]
    return inside[:: max(1, len(inside) // 6)] or [float(reach[0]), float(reach[1])]


def stroke(out: np.ndarray, places: np.ndarray, colour, width: int, dashed: bool = False) -> None:
    """Draw a polyline through places (n, 2) into the picture, broken where they are not finite."""
    good = np.isfinite(places).all(1)
    cuts = np.flatnonzero(np.diff(good.astype(int))) + 1
    for run in np.split(np.arange(len(places)), cuts):
        if len(run) and good[run[0]]:
            each = _dashes(places[run]) if dashed else [places[run]]
            fixed = [np.round(part * (1 << draw.SHIFT)).astype(np.int32) for part in each]
            cv2.polylines(out, fixed, False, colour, width, cv2.LINE_AA, draw.SHIFT)


def _dashes(places: np.ndarray) -> list[np.ndarray]:
    """Return the dashes of a polyline, each a short polyline of its own."""
    along = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(places, axis=0), axis=1))])
    parts = []
    for start in np.arange(0, along[-1], 2 * DASH):
        at = np.linspace(start, min(start + DASH, along[-1]), 4)
        parts.append(np.stack([np.interp(at, along, places[:, i]) for i in (0, 1)], -1))
    return parts
