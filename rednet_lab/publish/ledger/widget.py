"""The ledger to browse in a notebook: three menus and a word to look for over one table."""

from __future__ import annotations

import ipywidgets as w

from rednet_lab.publish.ledger import render, writing
from rednet_lab.publish.ledger.entries import KINDS, PAPERS, Entry
from rednet_lab.publish.ledger.render import Ledger
from rednet_lab.publish.ledger.verdicts import MEANINGS
from rednet_lab.show.display import show_widget

ALL = "all"


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

    def found(self) -> list[Entry]:
        """The entries that the menus and the word leave."""
        chosen = {name: menu.value for name, menu in self.menus.items()}
        word = self.word.value.strip().lower()

        def fits(entry: Entry) -> bool:
            own = {"paper": entry.paper, "kind": entry.kind, "status": self.ledger.status(entry)[0]}
            told = " ".join([entry.id, entry.where, entry.says, entry.differs, *entry.code, *entry.claims]).lower()
            return word in told and all(value in (ALL, own[name]) for name, value in chosen.items())

        return [entry for entry in self.ledger.entries if fits(entry)]

    def _changed(self, _=None) -> None:
        found = self.found()
        self.said.value = f"{len(found)} of {len(self.ledger.entries)} entries"
        self.table.value = writing.html(render.listing(self.ledger, found), None) if found else ""

    def _ipython_display_(self) -> None:
        show_widget(self.box)
