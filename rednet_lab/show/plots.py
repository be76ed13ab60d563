"""Plots and tables that several notebooks share: training curves, scores by group, cumulative error curves."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from rednet_core import metrics
from rednet_lab.show import draw, style

LINES = (":", "--", "-.", "-")
TITLES = {
    "detection": "$l_d$",
    "regression": "$l_r$",
    "identity": "$l_{cls}$",
    "rate": "learning rate",
}


def training_curves(trained, columns: tuple[str, ...], log: bool = True) -> plt.Figure:
    """A stage's raw terms (or learning rate) over its steps: pale every step, dark a running median."""
    history = pd.DataFrame(trained.history.numpy(), columns=trained.columns)
    smooth = history.rolling(max(len(history) // 60, 1), min_periods=1).median()
    figure, axes = plt.subplots(1, len(columns), figsize=(2.7 * len(columns), 2.5), squeeze=False)
    for ax, column in zip(axes[0], columns, strict=True):
        ax.plot(history[column], alpha=0.25, rasterized=True)
        ax.plot(smooth[column], color=ax.lines[0].get_color())
        ax.set(title=TITLES[column], xlabel="step", yscale="log" if log and column != "rate" else "linear")
    return figure


def score_table(errors: dict[str, np.ndarray], groups: dict[str, np.ndarray], unit: str = "faces") -> pd.DataFrame:
    """The papers' figures of each predictor's per-face errors (N,), in each group (N,) bool."""
    rows = []
    for group, keep in groups.items():
        for predictor, each in errors.items():
            if not keep.any():
                continue
            s = metrics.score(each[keep])
            row = {"group": group, unit: s.count, "predictor": predictor, "mean (%)": s.mean, "std (%)": s.std}
            rows.append({**row, "failures (%)": s.failure, "AUC": s.auc})
    return pd.DataFrame(rows).round(3)


def error_curves(ax, errors: dict[str, np.ndarray], limit: float = 25.0) -> None:
    """Cumulative error curves of predictors' per-face errors (N,) on axes, with the papers' failure limit."""
    for (name, each), line in zip(errors.items(), LINES[-len(errors) :], strict=True):
        ax.plot(*metrics.error_curve(each, limit=limit), line, label=name)
    ax.axvline(metrics.FAILURE, color="0.6", lw=1)
    ax.set(xlabel="error (% of inter-ocular distance)", ylabel="share of faces", xlim=(0, limit), ylim=(0, 1))


def yaw_groups(yaw: np.ndarray) -> dict[str, np.ndarray]:
    """The papers' groups by |yaw| in degrees: common up to 30, challenging beyond, and all."""
    yaw = np.abs(yaw)
    return {"all": np.ones(len(yaw), bool), "common": yaw < 30, "challenging": yaw >= 30}


def sheet(pictures: list[np.ndarray], columns: int, width: float = style.WIDTH) -> plt.Figure:
    """A figure of pictures of one size in a grid."""
    image = draw.montage(pictures, columns)
    figure, ax = plt.subplots(figsize=(width, width * image.shape[0] / image.shape[1]))
    style.picture_axes(ax, image)
    return figure
