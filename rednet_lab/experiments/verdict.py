"""The one rule of what an interval says of a claim; verdicts.json beside the results, which the ledger reads."""

from dataclasses import dataclass

import pandas as pd

from rednet_lab.files import write_json
from rednet_lab.statistics import LEAST_SEEDS, Effect

REPRODUCED, SAME, CONTRADICTED = "reproduced", "same direction on other data", "contradicted"
UNDECIDED = "undecided"
ALIKE = "alike"  # wanted: no difference beyond a margin that was set beforehand
WANTED = ("lower", "higher", ALIKE)


def direction(wanted: str, low: float, high: float, margin: float = 0.0) -> str:
    """Return what an interval says of an effect that is wanted "lower" (below zero), "higher", or "alike".

    Other data than the papers' never reproduces: at best it shows the same direction. "alike" is decided by an
    interval that lies inside +-margin, or outside it; a wide interval round zero proves nothing. Raise ValueError for
    another wish.
    """
    if wanted not in WANTED:
        raise ValueError(f"wanted {wanted!r}, known: {', '.join(WANTED)}")
    if wanted == ALIKE:
        inside, outside = max(abs(low), abs(high)) <= margin, low > margin or high < -margin
        return SAME if inside else CONTRADICTED if outside else UNDECIDED
    if low <= 0 <= high:
        return UNDECIDED
    return SAME if (high < 0) == (wanted == "lower") else CONTRADICTED


def status(wanted: str, low: float, high: float, margin: float = 0.0, seeds: int | None = None) -> str:
    """Return the verdict on a claim: `direction`, but too few training seeds decide nothing.

    seeds None is for what no training changes (time).
    """
    said = direction(wanted, low, high, margin)
    return UNDECIDED if seeds is not None and seeds < LEAST_SEEDS else said


@dataclass
class Verdicts:
    """The verdicts of one notebook; every addition rewrites verdicts.json atomically."""

    results: object  # rednet_lab.workbench.results.Results of the notebook
    source: str
    profile: str
    seeds: list[int]

    def __post_init__(self) -> None:
        self.rows: list[dict] = []

    def add(
        self,
        claim: str,
        part: str,
        found: Effect,
        wanted: str,
        paper: tuple[float, float] | None = None,
        unit: str = "%",
        note: str = "",
        trained: bool = True,
        margin: float = 0.0,
    ) -> str:
        """Judge one part of a claim (see `status`) and return the status; paper is (without, with) as printed."""
        judged = status(wanted, found.low, found.high, margin, found.seeds if trained else None)
        ours = {"without": found.first, "with": found.second}
        ours |= {"effect": found.mean, "low": found.low, "high": found.high}
        errors = {"test": found.test, "train": found.train, "clusters": found.clusters, "each": list(found.each)}
        if wanted == ALIKE:
            errors["margin"] = margin
        if found.floored is not None:
            errors["floored"] = found.floored
        seeds = None if trained else []
        self._keep(claim, part, paper, {**ours, **errors, "unit": unit}, wanted, judged, note, seeds=seeds)
        return judged

    def computed(
        self,
        claim: str,
        part: str,
        paper,
        ours,
        wanted: str,
        holds: bool,
        unit: str,
        note: str = "",
        exact: bool = True,
    ) -> str:
        """Judge a claim that is arithmetic: paper and ours are (without, with), holds says whether they agree.

        exact=False: our figures bear the claim out but are not those printed.
        """
        judged = (REPRODUCED if exact else SAME) if holds else CONTRADICTED
        numbers = {"without": ours[0], "with": ours[1], "effect": ours[1] - ours[0], "unit": unit}
        self._keep(claim, part, paper, numbers, wanted, judged, note, source="computed", seeds=[])
        return judged

    def _keep(self, claim, part, paper, ours, wanted, judged, note, source=None, seeds=None) -> None:
        quoted = None if paper is None else {"without": paper[0], "with": paper[1], "unit": ours["unit"]}
        row = {"claim": claim, "part": part, "paper": quoted, "ours": ours, "wanted": wanted, "status": judged}
        row |= {"seeds": self.seeds if seeds is None else seeds, "source": source or self.source}
        self.rows.append({**row, "profile": self.profile, "note": note})
        write_json(self.results.folder / "verdicts.json", {"stamp": self.results.stamp, "verdicts": self.rows})

    def table(self) -> pd.DataFrame:
        """Return the verdicts as a table to look at."""
        rows = []
        for row in self.rows:
            ours, paper = row["ours"], row["paper"]
            printed = f"{paper['without']:g} to {paper['with']:g}" if paper else ""
            interval = f"{ours['low']:+.2f} .. {ours['high']:+.2f}" if "low" in ours else ""
            said = {"claim": row["claim"], "part": row["part"], "paper": printed}
            said |= {"ours": f"{ours['without']:.4g} to {ours['with']:.4g} {ours['unit']}"}
            said |= {"effect": f"{ours['effect']:+.3g}", "95 %": interval, "verdict": row["status"]}
            if "floored" in ours:
                said["effect, floored"] = f"{ours['floored']:+.3g}"
            rows.append(said)
        return pd.DataFrame(rows).fillna("")

    def why(self) -> str:
        """Return what stands behind the intervals, in a sentence."""
        few = "" if len(self.seeds) >= LEAST_SEEDS else f" Fewer than {LEAST_SEEDS} training seeds: no verdict."
        return (
            f"{len(self.seeds)} training seed(s): {', '.join(map(str, self.seeds))}; the same test items for all.{few}"
        )
