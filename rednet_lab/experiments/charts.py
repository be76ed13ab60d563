"""Tables and figures that the ablation notebooks share: ours with the spread over seeds, the papers' beside them.

`quoted` holds what the papers print, tables and other figures by name (quoted.yaml).
"""

from pathlib import Path
from textwrap import fill
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import yaml

from rednet_lab.experiments import board, endpoints
from rednet_lab.experiments.bench import Measured
from rednet_lab.show import plots
from rednet_lab.statistics import statistic

READS = ("rednet_lab/experiments/quoted.yaml",)
OURS, QUOTED = "C0", "0.75"
WHAT = ("mean", "std", "failure")
# Words of the bench: colour, form and filling all tell them, any one is enough. Effects without a word are plain.
LOOKS = {"": ("o", "C0"), endpoints.SUPPORTED: ("o", "C0"), endpoints.REPRODUCED: ("D", "C2")}
LOOKS |= dict.fromkeys((endpoints.OPPOSITE, endpoints.CONTRADICTED), ("X", "C1"))
LOOKS |= dict.fromkeys((endpoints.NOT_SEEN, endpoints.OPEN), ("o", "0.4"))
LOOKS |= dict.fromkeys((endpoints.NOT_TESTABLE, endpoints.WAITING), ("s", "0.7"))
HOLLOW = (endpoints.OPEN, endpoints.WAITING, endpoints.NOT_TESTABLE)
PAPER = {"color": "k", "ms": 12, "mew": 2}


def _table(plain: object) -> object:
    """Return a table of quoted.yaml as a DataFrame, several by their keys, anything else as it is."""
    if not isinstance(plain, dict):
        return plain
    if "rows" in plain:
        return pd.DataFrame.from_dict(plain["rows"], orient="index", columns=plain["columns"])
    return {name: _table(value) for name, value in plain.items()}


quoted = SimpleNamespace(**_table(yaml.safe_load(Path(__file__).with_name("quoted.yaml").read_text(encoding="utf-8"))))


def groups_of(measured: Measured) -> dict[str, np.ndarray]:
    """Masks of all items and of each group of difficulty."""
    found = {"all": np.ones(len(measured.group), bool)}
    return found | {g: measured.group == g for g in ("common", "challenging") if (measured.group == g).any()}


def scores(measured: dict[str, Measured], points: str = "errors", what: tuple[str, ...] = WHAT) -> pd.DataFrame:
    """Each variant's statistics in each group: mean over seeds, their deviation, and floored where that differs."""
    rows = []
    for name, m in measured.items():
        row: dict[str, object] = {"variant": name}
        for group, keep in groups_of(m).items():
            for kind in what:
                each = statistic(getattr(m, points)[:, keep], kind)  # (S,)
                row[f"{group} {kind} (%)"] = each.mean()
                if len(each) > 1:
                    row[f"{group} {kind}, sd over seeds"] = each.std(ddof=1)
                if (m.floor[:, keep] < 1).any():
                    ours = statistic((getattr(m, points) * m.floor)[:, keep], kind)
                    row[f"{group} {kind}, floored (%)"] = ours.mean()
        rows.append(row)
    return pd.DataFrame(rows).round(3)


def beside(ours: pd.DataFrame, quoted: pd.DataFrame, columns: list[str]) -> plt.Figure:
    """Ours and the paper's figures as bars on the same axes, a panel for each column; both are indexed by row name."""
    names = [name for name in ours.index if name in quoted.index] + [n for n in ours.index if n not in quoted.index]
    size = (2.3 * len(columns) + 1.2, 0.42 * len(names) + 1.4)
    figure, axes = plt.subplots(1, len(columns), figsize=size, sharey=True)
    place = np.arange(len(names))
    for ax, column in zip(np.atleast_1d(axes), columns, strict=True):
        printed = [quoted[column].get(name, np.nan) if column in quoted else np.nan for name in names]
        found = [ours[column][name] for name in names]
        spread = ours.get(column.replace(" (%)", ", sd over seeds"))
        error = None if spread is None else [spread[name] for name in names]
        ax.barh(place - 0.2, printed, 0.36, color=QUOTED, hatch="//", edgecolor="w", label="paper, its data (quoted)")
        ax.barh(place + 0.2, found, 0.36, color=OURS, xerr=error, label="ours, this run")
        ax.set(title=column, yticks=place, yticklabels=names)
        ax.grid(axis="y", visible=False)
    np.atleast_1d(axes)[0].invert_yaxis()
    handles, labels = np.atleast_1d(axes)[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2, frameon=False)
    return figure


def forest(rows: list[dict], limit: float = np.inf, what: str = "effect (with minus without)") -> plt.Figure:
    """Draw each part's effect with its interval, and one dot a seed; the paper's effect as a bar across.

    rows are as in intervals.json; of the bench they have a word. Intervals are cut at +-limit, with an arrow head.
    """
    few = len(rows) < 20
    figure, ax = plt.subplots(figsize=(plots.WIDTH, 1.3 + (0.42 if few else 0.24) * max(len(rows), 2)))
    for y, row in enumerate(rows):
        ours, judged = row["ours"], row.get("word", "")
        if "low" in ours:
            ends = np.clip((ours["low"], ours["high"]), -limit, limit)
            ax.plot(ends, (y, y), color=LOOKS[judged][1], lw=2 if few else 1.6)
            for end, told, head in zip(ends, (ours["low"], ours["high"]), "<>", strict=True):
                if end != told:
                    ax.plot(end, y, head, color=LOOKS[judged][1], ms=5, clip_on=False)
            ax.plot(ours.get("each", ()), [y + 0.22] * len(ours.get("each", ())), ".", color="0.6", ms=4)
        if abs(ours["effect"]) <= limit:
            ax.plot(ours["effect"], y, **_mark(judged))
        if row["paper"]:
            ax.plot(row["paper"]["with"] - row["paper"]["without"], y, "|", **PAPER)
    ax.axvline(0, color="0.3", lw=1)
    if not rows:
        ax.text(0, 0, "nothing yet", ha="center", va="center", color="0.4")
    if np.isfinite(limit):  # as far as the furthest on both sides
        reach = min(max(map(abs, ax.get_xlim())), limit)
        ax.set(xlim=(-reach, reach))
    ax.set(ylim=(max(len(rows), 1) - 0.4, -0.6), xlabel=what)
    labels = [fill(f"{row['claim']}: {row['part']}", 44 if few else 99) for row in rows]
    ax.set_yticks(range(len(rows)), labels, fontsize="medium" if few else "x-small")
    ax.grid(axis="y", visible=False)
    for word in dict.fromkeys(row.get("word", "") for row in rows):
        ax.plot([], [], label=word or "ours", **_mark(word))
    if any(row["paper"] for row in rows):
        ax.plot([], [], "|", label="the paper's effect, its data", **PAPER)
    if rows:
        figure.legend(loc="outside lower center", ncols=3, frameon=False)
    return figure


def bench(claim: str) -> plt.Figure | None:
    """Draw what the bench found of a claim on its primary data: the endpoint with its word, then what stands beside."""
    line = board.primary(claim)
    parts = {line.endpoint.measure: line.found, **board.beside(claim)} if line.trainings else {}
    printed = line.endpoint.paper and dict(zip(("without", "with"), line.endpoint.paper, strict=True))
    told = {"word": line.judgement.word, "paper": printed}
    rows = [
        {"claim": claim, "part": part, "ours": {**vars(one), "effect": one.mean}, "paper": None}
        | (told if one is line.found else {})
        for part, one in parts.items()
        if part != "failures" and np.isfinite(one.low)  # these have another unit
    ]
    what = f"{line.endpoint.second} minus {line.endpoint.first} (%)\n{line.data}; a dot is a training"
    return forest(rows, what=what) if rows else None


def _mark(word: str) -> dict:
    marker, colour = LOOKS[word]
    fill = "white" if word in HOLLOW else colour
    return {"marker": marker, "ls": "", "color": colour, "mfc": fill, "ms": 6.5, "zorder": 5}
