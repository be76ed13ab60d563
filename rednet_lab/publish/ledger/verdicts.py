"""The measured half of the ledger: verdicts.json, which a notebook with an experiment leaves beside its results.json.

{"stamp": {...}, "verdicts": [{"claim": "C2", "part": "common, error", "paper": {"without", "with", "unit"} or null,
"ours": {"without", "with", "effect", "low", "high", "unit"}, "wanted": "lower", "status": "...", "seeds": [0, 1, 2],
"source": "face_world", "profile": "quick", "note": "..."}]}. A claim has several parts; effect is with minus without,
low and high its interval. Where the source is "computed" (arithmetic) there is no interval and there are no seeds; nor
are there seeds in what no training changes (time). Where "alike" is wanted, ours has the margin set beforehand. A
smoke run's verdicts are never read: they mean nothing. Written by rednet_lab.experiments.verdict.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from rednet_lab.experiments.verdict import ALIKE, CONTRADICTED, REPRODUCED, SAME, UNDECIDED, WANTED, status
from rednet_lab.files import read_json

NOT_ATTEMPTED, BUILT = "not attempted", "built and tested"
STATUSES = (REPRODUCED, SAME, CONTRADICTED, UNDECIDED, NOT_ATTEMPTED)
DECIDED = (REPRODUCED, SAME, CONTRADICTED)
SYMBOLS = {REPRODUCED: "✓✓", SAME: "✓", CONTRADICTED: "✗", UNDECIDED: "?", NOT_ATTEMPTED: "–", BUILT: "■"}
MEANINGS = {
    REPRODUCED: "the same finding on what the paper's own statement is about (arithmetic; the paper's own data)",
    SAME: "an effect in the direction that the paper claims, its interval without zero; other data, other sizes",
    CONTRADICTED: "an effect in the other direction, its interval without zero",
    UNDECIDED: "measured, but the interval includes zero or there are under three seeds: these runs cannot tell",
    NOT_ATTEMPTED: "nothing to show: not measured (yet), or not built, for the reason given",
    BUILT: "nothing to measure: the code is there, and a test holds it to the paper",
}
OWN_DATA = ("computed", "prepared")  # sources on which a paper's finding can be reproduced and not only resembled
SIGN = {"lower": -1, "higher": 1}
COMPUTED = "computed"
REFUSED = "smoke"


class LedgerError(ValueError):
    """An entry or a verdict file is wrong; the text names the file, the field and the fix."""


@dataclass(frozen=True)
class Part:
    """One measured part of a claim; paper and ours are as in the file, run and notebook say which file."""

    claim: str
    part: str
    paper: dict | None
    ours: dict | None
    wanted: str
    status: str
    seeds: tuple[int, ...]
    source: str
    profile: str
    note: str
    run: str
    notebook: str

    @property
    def decided(self) -> bool:
        """Whether the interval allowed a verdict."""
        return self.status in DECIDED

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


def read_verdicts(*runs: Path) -> list[Part]:
    """The parts that runs (their folders) measured; of the same part the one with most seeds, then the first run's.

    Raises LedgerError where a file does not keep to the contract above.
    """
    best: dict[tuple, Part] = {}
    for run in dict.fromkeys(runs):
        for file in sorted(run.glob("*/verdicts.json")):
            for part in read_file(file):
                if part.profile == REFUSED:
                    continue
                key = (part.claim, part.part, part.source, part.profile)
                if key not in best or len(part.seeds) > len(best[key].seeds):
                    best[key] = part
    return sorted(best.values(), key=lambda p: int(p.claim[1:]))


def read_file(file: Path) -> list[Part]:
    """The parts of one verdicts.json."""
    content = read_json(file)
    if not isinstance(content, dict) or not isinstance(content.get("verdicts"), list):
        raise LedgerError(f"{file}: no list of verdicts in it; run its notebook again")
    return [_part(file, number, plain) for number, plain in enumerate(content["verdicts"])]


def _part(file: Path, number: int, plain: dict) -> Part:
    def wrong(name: str, what: str) -> LedgerError:
        return LedgerError(f"{file}: verdict {number} ({plain.get('claim')}, {plain.get('part')}): {name} {what}")

    for name in ("claim", "part", "wanted", "status", "source", "profile"):
        if not isinstance(plain.get(name), str) or not plain[name]:
            raise wrong(name, "must be a text")
    if not (plain["claim"][:1] == "C" and plain["claim"][1:].isdigit()):
        raise wrong("claim", "must be C1, C2, ...")
    said, ours, seeds = plain["status"], plain.get("ours"), plain.get("seeds") or []
    if said not in STATUSES:
        raise wrong("status", f"{said!r}, known: {', '.join(STATUSES)}")
    if said == REPRODUCED and plain["source"] not in OWN_DATA:
        raise wrong("status", f"{said!r} is for {' and '.join(OWN_DATA)} only; here: {plain['source']!r}")
    if said == NOT_ATTEMPTED:
        ours = None
    elif what := _problem(plain, ours, len(seeds)):
        raise wrong(*what)
    told = {name: plain[name] for name in ("claim", "part", "wanted", "status", "source", "profile")}
    where = {"run": file.parent.parent.name, "notebook": file.parent.name}
    return Part(**told, paper=plain.get("paper") or None, ours=ours, seeds=tuple(seeds), note=plain.get("note") or "",
                **where)  # fmt: skip


def _problem(plain: dict, ours: object, seeds: int) -> tuple[str, str] | None:
    """What is wrong with our figures of a part, or with a status that they do not bear out: (field, what)."""
    computed = plain["source"] == COMPUTED
    needed = ("effect",) if computed else ("effect", "low", "high")
    if not isinstance(ours, dict) or not all(_finite(ours.get(name)) for name in needed):
        return "ours", f"needs finite {' and '.join(needed)}"
    if computed:
        return None
    if not ours["low"] <= ours["high"]:
        return "ours", "has its low above its high"
    if plain["wanted"] not in WANTED:
        return "wanted", f"{plain['wanted']!r}, known: {', '.join(WANTED)}"
    if plain["wanted"] == ALIKE and not _finite(ours.get("margin")):
        return "ours", "needs a finite margin for a claim of no difference"
    found = status(plain["wanted"], ours["low"], ours["high"], ours.get("margin") or 0.0, seeds or None)
    if plain["status"] not in {found, *([REPRODUCED] if found == SAME else [])}:
        return "status", f"{plain['status']!r}, but interval and seeds ({seeds}) say {found!r}"
    return None


def overall(parts: list[Part]) -> tuple[str, int, int]:
    """A claim's status by its parts, how many of them are decided, and how many there are.

    Contradicted if a decided part is; same direction if all decided ones agree; undecided if there are none. Reproduced
    only if all its parts are: arithmetic does not carry a claim whose other parts are open.
    """
    parts = [part for part in parts if part.status != NOT_ATTEMPTED]
    decided = [part.status for part in parts if part.decided]
    if not parts:
        return NOT_ATTEMPTED, 0, 0
    said = UNDECIDED
    if decided:
        said = CONTRADICTED if CONTRADICTED in decided else SAME
        if decided == [REPRODUCED] * len(parts):
            said = REPRODUCED
    return said, len(decided), len(parts)


def _finite(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
