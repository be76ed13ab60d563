"""Table 9 beside ours: what was measured here in colour, what is quoted from the paper in grey."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from rednet_lab.experiments import charts, quoted
from rednet_lab.experiments.bench import Measured

HERE, PRINTED = "measured here", "quoted: the paper's, other data"
GREY = "color: #888888; font-style: italic"


def printed_rows(points: int) -> pd.DataFrame:
    """The paper's Table 9 for 7 or 68 points; that of seven points where it has none for so many."""
    return quoted.TABLE9[points if points in quoted.TABLE9 else 7]


def table9(videos: dict[str, Measured], points: int, errors: str) -> pd.DataFrame:
    """Mean tracking errors by method and group, and below them the paper's rows; errors: "errors" or "seven"."""
    ours = charts.scores(videos, errors, ("mean",)).rename(columns={"variant": "method"})
    theirs = printed_rows(points).rename_axis("method").reset_index()
    ours.insert(0, "whose", HERE)
    theirs.insert(0, "whose", PRINTED)
    return pd.concat([ours, theirs], ignore_index=True)


def greyed(table: pd.DataFrame, caption: str):
    """A `table9` to look at, its quoted rows in grey."""
    marked = table.style.apply(lambda row: [GREY if row["whose"] == PRINTED else ""] * len(row), axis=1)
    return marked.format(precision=2, na_rep="").set_caption(caption).hide(axis="index")


def bars9(videos: dict[str, Measured], points: int) -> plt.Figure:
    """The same as bars: ours by group on the left, two of the paper's data sets on the right."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 0.36 * len(videos) + 1.4), width_ratios=(3, 2))
    groups = [g for g in charts.groups_of(next(iter(videos.values()))) if g != "all"]
    theirs, place = printed_rows(points), np.arange(len(videos))
    for k, group in enumerate(groups):
        found = [charts.statistic(m.errors[:, m.group == group]).mean() for m in videos.values()]
        left.barh(place + 0.4 * k - 0.2, found, 0.38, color=f"C{k}", label=f"{group} videos")
    left.set(yticks=place, yticklabels=videos, title=f"measured here, {points} points")
    place = np.arange(len(theirs))
    for k, name in enumerate(("TF", "300-VW")):
        bar = {"color": ("0.85", "0.65")[k], "hatch": "//", "edgecolor": "white"}
        right.barh(place + 0.4 * k - 0.2, theirs[name], 0.38, label=name, **bar)
    right.set(yticks=place, yticklabels=theirs.index, title="quoted from the paper: other data")
    for ax in (left, right):
        ax.set_xlabel("tracking error (%)")
        ax.invert_yaxis()
        ax.grid(axis="y", visible=False)
    figure.legend(loc="outside lower center", ncols=4, fontsize="small")
    return figure
