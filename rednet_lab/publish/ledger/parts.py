"""The parts of claims that notebooks measured: intervals.json, which an experiment leaves beside its results.json.

{"stamp": {...}, "intervals": [{"claim": "C2", "part": "common, error", "paper": {"without", "with", "unit"} or null,
"ours": {"without", "with", "effect", "low", "high", "unit"}, "wanted": "lower", "seeds": [0, 1, 2], "source":
"face_world", "profile": "quick", "note": "..."}]}. Effect is with minus without, low and high its interval. Where the
source is "computed" (arithmetic) there is no interval and there are no seeds; nor are there seeds in what no training
changes (time). A smoke run's are never read: they mean nothing. Written by rednet_lab.experiments.intervals.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

from rednet_lab.experiments.intervals import WANTED
from rednet_lab.files import read_json

SIGN = {"lower": -1, "higher": 1}
COMPUTED = "computed"
REFUSED = "smoke"


class LedgerError(ValueError):
    """An entry or a file of intervals is wrong; the text names the file, the field and the fix."""


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
        """Effect, low and high in per cent of the value without, positive where the paper wants it; None if unknown.

        who is "ours" or "paper" (which has an effect only).
        """
        told = getattr(self, who) or {}
        without, sign = told.get("without"), SIGN.get(self.wanted)
        if not without or sign is None:
            return None
        if who == "paper":
            return (100 * sign * (told["with"] - without) / abs(without),) if told.get("with") is not None else None
        ends = sorted(100 * sign * told.get(name, told["effect"]) / abs(without) for name in ("low", "high"))
        return 100 * sign * told["effect"] / abs(without), *ends


def read_parts(*runs: Path) -> list[Part]:
    """The parts that runs (their folders) measured; of the same part the one with most seeds, then the first run's.

    Raises LedgerError where a file does not keep to the contract above.
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
    finite = all(isinstance(end, int | float) and math.isfinite(end) for end in ends)
    checks = {
        "claim must be C1, C2, ...": re.fullmatch(r"C\d+", str(plain.get("claim"))),
        "part, source and profile must be texts": all(plain.get(name) for name in ("part", "source", "profile")),
        f"wanted {plain.get('wanted')!r}, known: {', '.join(WANTED)}": plain.get("wanted") in WANTED,
        "ours needs finite effect, low and high, low not above high": finite and ends[0] <= ends[-1],
    }
    if wrong := [what for what, right in checks.items() if not right]:
        raise LedgerError(f"{file}: interval {number} ({plain.get('claim')}, {plain.get('part')}): {wrong[0]}")
    told = {name: plain[name] for name in ("claim", "part", "wanted", "source", "profile")}
    where = {"run": file.parent.parent.name, "notebook": file.parent.name}
    seeds, note = tuple(plain.get("seeds") or ()), plain.get("note") or ""
    return Part(**told, **where, paper=plain.get("paper") or None, ours=ours, seeds=seeds, note=note)
