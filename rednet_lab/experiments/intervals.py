"""What a notebook measured of the claims: effects with intervals, without words; intervals.json beside its results.

Words are given by the bench alone (`endpoints`, `board`): a notebook's few short trainings only show how it is done.
"""

from dataclasses import dataclass, field

import pandas as pd

from rednet_lab.experiments.board import rows
from rednet_lab.experiments.endpoints import WANTED
from rednet_lab.files import write_json
from rednet_lab.statistics import Effect


@dataclass
class Intervals:
    """The effects of one notebook; every addition rewrites intervals.json atomically."""

    results: object  # rednet_lab.workbench.lab.Results of the notebook
    source: str
    profile: str
    seeds: list[int]
    rows: list[dict] = field(default_factory=list)

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
    ) -> None:
        """Keep the effect of one part of a claim; paper is (without, with) as printed. Raise ValueError for a wish."""
        if wanted not in WANTED:
            raise ValueError(f"wanted {wanted!r}, known: {', '.join(WANTED)}")
        ours = {"without": found.first, "with": found.second, "effect": found.mean, "low": found.low}
        ours |= {"high": found.high, "each": list(found.each), "unit": unit} | ({"margin": margin} if margin else {})
        ours |= {} if found.floored is None else {"floored": found.floored}
        self._keep(claim, part, paper, ours, wanted, note, self.source, self.seeds if trained else [])

    def computed(self, claim: str, part: str, paper, ours, wanted: str, unit: str, note: str = "") -> None:
        """Keep what is arithmetic; paper and ours are (without, with)."""
        numbers = {"without": ours[0], "with": ours[1], "effect": ours[1] - ours[0], "unit": unit}
        self._keep(claim, part, paper, numbers, wanted, note, "computed", [])

    def _keep(self, claim, part, paper, ours, wanted, note, source, seeds) -> None:
        quoted = None if paper is None else {"without": paper[0], "with": paper[1], "unit": ours["unit"]}
        row = {"claim": claim, "part": part, "paper": quoted, "ours": ours, "wanted": wanted, "seeds": seeds}
        self.rows.append({**row, "source": source, "profile": self.profile, "note": note})
        write_json(self.results.folder / "intervals.json", {"stamp": self.results.stamp, "intervals": self.rows})

    def table(self) -> pd.DataFrame:
        """Return the effects as a table to look at."""
        shown = []
        for row in self.rows:
            ours, paper = row["ours"], row["paper"]
            told = {"claim": row["claim"], "part": row["part"]}
            told["paper"] = f"{paper['without']:g} to {paper['with']:g}" if paper else ""
            told["ours"] = f"{ours['without']:.4g} to {ours['with']:.4g} {ours['unit']}"
            told["effect"] = f"{ours['effect']:+.3g}"
            told["95 %"] = f"{ours['low']:+.2f} .. {ours['high']:+.2f}" if "low" in ours else ""
            floored = {"effect, floored": f"{ours['floored']:+.3g}"} if "floored" in ours else {}
            shown.append({**told, "claimed": row["wanted"], **floored})
        return pd.DataFrame(shown).fillna("")

    def why(self) -> str:
        """Return what stands behind the intervals, and what the bench says of the same claims, a line each."""
        seeds, own = ", ".join(map(str, self.seeds)), {row["claim"] for row in self.rows}
        first = f"{len(self.seeds)} training seed(s): {seeds}; the same test items for all. Words are the bench's (90):"
        return "\n".join([first, *(line.sentence for line in rows() if line.primary and line.claim in own)])
