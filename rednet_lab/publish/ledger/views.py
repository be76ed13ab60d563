"""What notebook 90 shows: every measured part with its interval, and a browser of the entries."""

from __future__ import annotations

import ipywidgets as w
import matplotlib.pyplot as plt
from nbconvert.filters.markdown_mistune import markdown2html_mistune

from rednet_lab.experiments import charts
from rednet_lab.publish.ledger.entries import KINDS, PAPERS, LedgerEntry
from rednet_lab.publish.ledger.parts import Part
from rednet_lab.publish.ledger.tables import MEANINGS, Ledger, listing, markdown, named
from rednet_lab.show.widgets import show_widget

LIMIT = 100.0  # per cent: intervals are cut there, with an arrow head
ALL = "all"


def forest(parts: list[Part]) -> plt.Figure:
    """Draw effect and interval of each part in per cent of the value without, to the right where the paper wants it.

    Parts without a common unit (no value without, no direction) are left out.
    """
    rows = []
    for part in parts:
        if part.ours and (ours := part.relative("ours")):
            told = part.relative("paper")
            paper = {"without": 0.0, "with": told[0]} if told else None
            shares = dict(zip(("effect", "low", "high"), ours, strict=True))
            rows.append({"claim": part.claim, "part": named(part), "ours": shares,
                         "paper": paper})  # fmt: skip
    return charts.forest(rows, LIMIT, "effect (% of the value without it); right of 0: as the paper claims")


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
            own = {"paper": entry.paper, "kind": entry.kind, "status": self.ledger.status(entry)}
            told = " ".join([entry.id, entry.where, entry.says, entry.differs, *entry.code, *entry.claims]).lower()
            return word in told and all(value in (ALL, own[name]) for name, value in chosen.items())

        return [entry for entry in self.ledger.entries if fits(entry)]

    def _changed(self, _=None) -> None:
        found = self.found()
        self.said.value = f"{len(found)} of {len(self.ledger.entries)} entries"
        shown = markdown(listing(self.ledger, found), "notebooks")  # links as seen from the notebooks' folder
        self.table.value = markdown2html_mistune(shown) if found else ""

    def _ipython_display_(self) -> None:
        show_widget(self.box)
