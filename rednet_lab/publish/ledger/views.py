"""What notebook 90 draws: every measured part with its interval."""

from __future__ import annotations

import matplotlib.pyplot as plt

from rednet_lab.experiments import charts
from rednet_lab.publish.ledger.parts import Part
from rednet_lab.publish.ledger.tables import named

LIMIT = 100.0  # per cent: intervals are cut there, with an arrow head


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
