"""What a notebook measured of the claims: effects with intervals, without words; intervals.json beside its results.

Words are given by the bench alone (`endpoints`, `board`): a notebook's few short trainings only show how it is done.

{"stamp": {...}, "intervals": [{"claim": "C2", "part": "common, error", "paper": {"without", "with", "unit"} or null,
"ours": {"without", "with", "effect", "low", "high", "unit"}, "wanted": "lower", "seeds": [0, 1, 2], "source":
"face_world", "profile": "quick", "note": "..."}]}. Effect is with minus without, low and high its interval. Where the
source is "computed" (arithmetic) there is no interval and there are no seeds; nor are there seeds in what no training
changes (time). A smoke run's are never read: they mean nothing.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field, fields
from pathlib import Path

import pandas as pd

from rednet_lab.experiments.board import rows
from rednet_lab.experiments.endpoints import WANTED
from rednet_lab.files import read_json, write_json
from rednet_lab.statistics import Effect

SIGN = {"lower": -1, "higher": 1}
COMPUTED, REFUSED = "computed", "smoke"


class LedgerError(ValueError):
    """An entry or a file of intervals is wrong; the text names the file, the field and the fix."""


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
        self._keep(claim, part, paper, numbers, wanted, note, COMPUTED, [])

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


@dataclass(frozen=True)
class Part:
    """One measured part of a claim; paper and ours are as in the file, run and notebook say which file."""

    claim: str
    part: str
    paper: dict | None
    ours: dict | None
    wanted: str
    seeds: tuple[int, ...]
    source: str
    profile: str
    note: str
    run: str
    notebook: str

    def relative(self, who: str) -> tuple[float, ...] | None:
        """Return ours' effect, low and high, or the paper's effect, in per cent of the value without; None if unknown.

        They are positive where the paper wants it.
        """
        told = getattr(self, who) or {}
        without, sign = told.get("without"), SIGN.get(self.wanted)
        if not without or sign is None or told.get("with") is None:
            return None
        effect = told["with"] - without if who == "paper" else told["effect"]
        ends = sorted(told.get(name, effect) * sign for name in ("low", "high")) if who == "ours" else ()
        return tuple(100 * each / abs(without) for each in (sign * effect, *ends))


def read_parts(*runs: Path) -> list[Part]:
    """Return what runs (their folders) measured; of the same part the one with most seeds, then the first run's.

    Raise LedgerError where a file does not keep to the contract above.
    """
    best: dict[tuple, Part] = {}
    for run in dict.fromkeys(runs):
        for file in sorted(run.glob("*/intervals.json")):
            content = read_json(file, {})
            if not isinstance(content.get("intervals"), list):
                raise LedgerError(f"{file}: no list of intervals in it; run its notebook again")
            for part in (_part(file, number, plain) for number, plain in enumerate(content["intervals"])):
                key = (part.claim, part.part, part.source, part.profile)
                if part.profile != REFUSED and (key not in best or len(part.seeds) > len(best[key].seeds)):
                    best[key] = part
    return sorted(best.values(), key=lambda p: int(p.claim[1:]))


def _part(file: Path, number: int, plain: dict) -> Part:
    ours, computed = plain.get("ours") or {}, plain.get("source") == COMPUTED
    ends = [ours.get(name) for name in (("effect",) if computed else ("low", "effect", "high"))]
    numbers = [*ends, ours.get("without"), ours.get("with")]
    finite = all(isinstance(number, int | float) and math.isfinite(number) for number in numbers)
    where = {"seeds": tuple(plain.get("seeds") or ()), "run": file.parent.parent.name, "notebook": file.parent.name}
    names = {each.name for each in fields(Part)} - {*where}
    checks = {
        "claim must be C1, C2, ...": re.fullmatch(r"C\d+", str(plain.get("claim"))),
        "part, source and profile must be texts": all(plain.get(name) for name in ("part", "source", "profile")),
        f"wanted {plain.get('wanted')!r}, known: {', '.join(WANTED)}": plain.get("wanted") in WANTED,
        "ours needs finite without, with, effect, low and high, low not above high": finite and ends[0] <= ends[-1],
        f"known: {', '.join(sorted(names))}; run its notebook again": {*plain} - {"seeds"} == names,
    }
    if wrong := [what for what, right in checks.items() if not right]:
        raise LedgerError(f"{file}: interval {number} ({plain.get('claim')}, {plain.get('part')}): {wrong[0]}")
    return Part(**plain | where)
