"""What an interval allows to say of a claim, written down beside the results: verdicts.json, read by the ledger."""

from dataclasses import dataclass

import pandas as pd

from rednet_lab.experiments.statistics import LEAST_SEEDS, Effect
from rednet_lab.files import write_json

SAME, CONTRADICTED, UNDECIDED, REPRODUCED = (
    "same direction on other data",
    "contradicted",
    "undecided",
    "reproduced",
)
WANTED = ("lower", "higher", "alike")


def status(found: Effect, wanted: str, trained: bool = True, margin: float = 0.0) -> str:
    """The verdict on a claim that the effect is "lower" (below nought), "higher", or "alike" (within +-margin).

    Other data than the papers' never reproduces: at best it shows the same direction. trained=False is for what no
    training seed changes (time); else too few seeds decide nothing. "alike" is decided by an interval that lies inside
    the margin, or outside it; a wide interval round nought proves nothing.
    """
    if wanted not in WANTED:
        raise ValueError(f"wanted {wanted!r}, known: {', '.join(WANTED)}")
    if trained and found.seeds < LEAST_SEEDS:
        return UNDECIDED
    if wanted == "alike":
        inside, outside = abs(found.mean) + found.half <= margin, abs(found.mean) - found.half > margin
        return SAME if inside else CONTRADICTED if outside else UNDECIDED
    if not found.sure:
        return UNDECIDED
    return SAME if (found.high < 0) == (wanted == "lower") else CONTRADICTED


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
        """Judge one part of a claim (see `status`); paper is (without, with) as printed. Returns the status."""
        judged = status(found, wanted, trained, margin)
        ours = {
            "without": found.first,
            "with": found.second,
            "effect": found.mean,
            "low": found.low,
            "high": found.high,
        }
        errors = {"test": found.test, "train": found.train, "clusters": found.clusters, "each": list(found.each)}
        if wanted == "alike":
            errors["margin"] = margin
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
        """A claim that is arithmetic: paper and ours are (without, with), holds says whether they agree.

        exact=False: our figures bear the claim out but are not those printed.
        """
        judged = (REPRODUCED if exact else SAME) if holds else CONTRADICTED
        numbers = {"without": ours[0], "with": ours[1], "effect": ours[1] - ours[0], "unit": unit}
        self._keep(claim, part, paper, numbers, wanted, judged, note, source="computed", seeds=[])
        return judged

    def _keep(self, claim, part, paper, ours, wanted, judged, note, source=None, seeds=None) -> None:
        quoted = None if paper is None else {"without": paper[0], "with": paper[1], "unit": ours["unit"]}
        self.rows.append(
            {
                "claim": claim,
                "part": part,
                "paper": quoted,
                "ours": ours,
                "wanted": wanted,
                "status": judged,
                "seeds": self.seeds if seeds is None else seeds,
                "source": source or self.source,
                "profile": self.profile,
                "note": note,
            }
        )
        write_json(self.results.folder / "verdicts.json", {"stamp": self.results.stamp, "verdicts": self.rows})

    def table(self) -> pd.DataFrame:
        """The verdicts as a table to look at."""
        rows = []
        for row in self.rows:
            ours, paper = row["ours"], row["paper"]
            printed = f"{paper['without']:g} to {paper['with']:g}" if paper else ""
            interval = f"{ours['low']:+.2f} .. {ours['high']:+.2f}" if "low" in ours else ""
            rows.append(
                {
                    "claim": row["claim"],
                    "part": row["part"],
                    "paper": printed,
                    "ours": f"{ours['without']:.4g} to {ours['with']:.4g} {ours['unit']}",
                    "effect": f"{ours['effect']:+.3g}",
                    "95 %": interval,
                    "verdict": row["status"],
                }
            )
        return pd.DataFrame(rows)

    def why(self) -> str:
        """What stands behind the intervals, in a sentence."""
        few = "" if len(self.seeds) >= LEAST_SEEDS else f" Fewer than {LEAST_SEEDS} training seeds: no verdict."
        return (
            f"{len(self.seeds)} training seed(s): {', '.join(map(str, self.seeds))}; the same test items for all.{few}"
        )
