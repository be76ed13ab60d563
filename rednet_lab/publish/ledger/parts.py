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
    """Return what runs (their folders) measured; of the same part the one with most seeds, then the first run's."""
    best: dict[tuple, Part] = {}
    for run in dict.fromkeys(runs):
        for file in sorted(run.glob("*/intervals.json")):
            content = read_json(file, {})
            if not isinstance(content.get("intervals"), list):
                raise LedgerError(f"{file}: no list of intervals in it; run its notebook again")
            for part in (_part(file, plain) for plain in content["intervals"]):
                key = (part.claim, part.part, part.source, part.profile)
                if part.profile != REFUSED and (key not in best or len(part.seeds) > len(best[key].seeds)):
                    best[key] = part
    return sorted(best.values(), key=lambda p: int(p.claim[1:]))


def _part(file: Path, plain: dict) -> Part:
    """Return what an experiment wrote as one effect. Raise LedgerError for what is none."""
    try:
        where = {"seeds": tuple(plain["seeds"]), "run": file.parent.parent.name, "notebook": file.parent.name}
        part = Part(**plain | where)
        ends = [part.ours[name] for name in (("effect",) if part.source == COMPUTED else ("low", "effect", "high"))]
        right = part.wanted in WANTED and all(map(math.isfinite, ends)) and ends[0] <= ends[-1]
        if right and part.part and re.fullmatch(r"C\d+", part.claim):
            return part
        error = "wanted, claim or an end of the interval is not what it can be"
    except (KeyError, TypeError) as found:
        error = str(found)
    raise LedgerError(f"{file}: {plain.get('claim')}, {plain.get('part')}: {error}; run its notebook again")
