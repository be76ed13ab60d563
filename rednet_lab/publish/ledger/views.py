"""What notebook 90 shows: every measured part with its interval, what is covered, and a browser of the entries."""

from __future__ import annotations

import ipywidgets as w
import matplotlib.pyplot as plt
import numpy as np
from nbconvert.filters.markdown_mistune import markdown2html_mistune

from rednet_lab.publish.ledger.entries import KINDS, PAPERS, LedgerEntry
from rednet_lab.publish.ledger.tables import Ledger, Table, listing, markdown, named
from rednet_lab.publish.ledger.verdicts import CONTRADICTED, MEANINGS, REPRODUCED, SAME, UNDECIDED, Part
from rednet_lab.show import plots
from rednet_lab.show.display import show_widget

# Colour, form and filling all tell the verdict: one of them is enough.
COLOURS = {SAME: "#0173b2", CONTRADICTED: "#d55e00", REPRODUCED: "#029e73", UNDECIDED: "#555555"}
MARKS = {SAME: "o", CONTRADICTED: "X", REPRODUCED: "D", UNDECIDED: "o"}
LIMIT = 100.0  # per cent: intervals are cut there, with an arrow head
ALL = "all"


def forest(parts: list[Part]) -> plt.Figure:
    """Draw effect and interval of each part in per cent of the value without, to the right where the paper wants it.

    A grey bar is the paper's own effect. Parts without a common unit (no value without, no direction) are left out.
    """
    shown = [part for part in parts if part.ours and part.relative("ours")]
    figure, ax = plt.subplots(figsize=(plots.WIDTH, 1.2 + 0.24 * max(len(shown), 4)))
    reach = 5.0
    for row, part in enumerate(shown):
        effect, low, high = part.relative("ours")
        if told := part.relative("paper"):
            ax.plot(told[0], row, "|", color="0.35", ms=11, mew=2.5, zorder=2)
            reach = max(reach, abs(told[0]))
        _interval(ax, row, effect, low, high, part.status)
        reach = max(reach, abs(low), abs(high))
    reach = min(1.08 * reach, LIMIT)
    ax.axvline(0, color="0.2", lw=1)
    ax.set(xlim=(-reach, reach), ylim=(max(len(shown), 1) - 0.4, -0.6))
    ax.set(xlabel="effect (% of the value without it); right of 0: as the paper claims")
    ax.set_yticks(range(len(shown)), [f"{part.claim}  {named(part)}" for part in shown], fontsize="x-small")
    ax.grid(axis="y", alpha=0.4)
    if not shown:
        ax.text(0, 0, "no verdicts yet", ha="center", va="center", color="0.4")
    for status in COLOURS:
        fill = "white" if status == UNDECIDED else COLOURS[status]
        ax.plot([], [], MARKS[status], color=COLOURS[status], mfc=fill, label=status)
    ax.plot([], [], "|", color="0.35", ms=11, mew=2.5, label="the paper's effect")
    figure.legend(loc="outside upper center", ncols=3, fontsize="x-small")
    return figure


def _interval(ax, row: int, effect: float, low: float, high: float, status: str) -> None:
    colour, fill = COLOURS[status], "white" if status == UNDECIDED else COLOURS[status]
    ends = np.clip((low, high), -LIMIT, LIMIT)
    ax.plot(ends, (row, row), "-", color=colour, lw=1.6, zorder=3)
    for end, told, head in ((ends[0], low, "<"), (ends[1], high, ">")):
        if end != told:
            ax.plot(end, row, head, color=colour, ms=5, zorder=4, clip_on=False)
    if abs(effect) <= LIMIT:
        ax.plot(effect, row, MARKS[status], color=colour, mfc=fill, ms=6, zorder=5)


def coverage(counts) -> plt.Figure:
    """Draw shares as a chart of numbers; counts is a table with columns kind, paper, entries and one a covering."""
    kinds = [f"{row.kind}, {row.paper}" for row in counts.itertuples()]
    columns = list(counts.columns[3:])
    values, total = counts[columns].to_numpy(float), counts["entries"].to_numpy(float)[:, None]
    figure, ax = plt.subplots(figsize=(plots.WIDTH, 0.8 + 0.27 * len(kinds)))
    ax.imshow(values / total, cmap="Blues", vmin=0, vmax=1.25, aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        whole = int(total[row, 0])
        colour = "white" if value > 0.7 * whole else "black"
        ax.text(column, row, f"{int(value)} of {whole}", ha="center", va="center", fontsize="small", color=colour)
    ax.set_xticks(range(len(columns)), columns)
    ax.set_yticks(range(len(kinds)), kinds)
    ax.xaxis.tick_top()
    ax.grid(False)
    return figure


def html(table: Table) -> str:
    """Return a table as HTML for a notebook, its links seen from the notebooks' folder."""
    return markdown2html_mistune(markdown(table, "notebooks"))


class Browser:
    """Menus for paper, kind and status, a field for a word, and the entries that fit."""

    def __init__(self, ledger: Ledger):
        self.ledger = ledger
        menus = {"paper": PAPERS, "kind": KINDS, "status": tuple(MEANINGS)}
        self.menus = {name: w.Dropdown(options=(ALL, *values), description=name) for name, values in menus.items()}
        self.menus["kind"].value = "equation"
        self.word = w.Text(description="word", placeholder="e.g. LSTM, 4.2, C6")
        self.said, self.table = w.HTML(), w.HTML()
        for control in (*self.menus.values(), self.word):
            control.observe(self._changed, names="value")
        self._changed()
        rows = w.HBox([*self.menus.values(), self.word], layout=w.Layout(flex_flow="row wrap"))
        self.box = w.VBox([rows, self.said, self.table])

    def found(self) -> list[LedgerEntry]:
        """Return the entries that the menus and the word leave."""
        chosen = {name: menu.value for name, menu in self.menus.items()}
        word = self.word.value.strip().lower()

        def fits(entry: LedgerEntry) -> bool:
            own = {"paper": entry.paper, "kind": entry.kind, "status": self.ledger.status(entry)[0]}
            told = " ".join([entry.id, entry.where, entry.says, entry.differs, *entry.code, *entry.claims]).lower()
            return word in told and all(value in (ALL, own[name]) for name, value in chosen.items())

        return [entry for entry in self.ledger.entries if fits(entry)]

    def _changed(self, _=None) -> None:
        found = self.found()
        self.said.value = f"{len(found)} of {len(self.ledger.entries)} entries"
        self.table.value = html(listing(self.ledger, found)) if found else ""

    def _ipython_display_(self) -> None:
        show_widget(self.box)
