"""The rules by which a claim is judged, fixed before the runs: endpoints.yaml read, and applied to effects.

One primary endpoint a claim, two gates, six trainings, intervals over persons and trainings, Holm's correction over the
primaries. `judge` gives the word that these allow, and no other.

QUESTIONS says of each claim which two trainings are compared, and by what. A record of a training is
figures/evidence/bench/<source>/<variant>-<seed>.npz: figures of each test item, and `facts` about the training as
JSON. `board` needs nothing else.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, fields, replace
from functools import cache
from pathlib import Path

import numpy as np
import yaml
from scipy.special import stdtr, stdtrit

from rednet_lab.experiments import variants as V
from rednet_lab.experiments.variants import Variant
from rednet_lab.files import write_whole
from rednet_lab.names import EVIDENCE, ROOT
from rednet_lab.statistics import Effect, freedom

FOLDER = ROOT / EVIDENCE / "bench"
FILE = Path(__file__).with_name("endpoints.yaml")
READS = ("rednet_lab/experiments/endpoints.yaml",)
SUPPORTED, NOT_SEEN, OPPOSITE = "supported on other data", "not seen at this scale", "opposite at this scale"
OPEN, NOT_TESTABLE, WAITING = "undecided", "not testable here", "not judged yet"
REPRODUCED, CONTRADICTED = "reproduced", "contradicted"
WANTED = ("lower", "higher", "alike")
KNOWN = {  # of a claim's fields that are words; the first is the default
    "kind": ("sampled", "timed", "arithmetic"),
    "wanted": WANTED,
    "unit": ("%", "points", "ratio"),
}


class EndpointError(ValueError):
    """endpoints.yaml is wrong; the text names the claim and the field."""


@dataclass(frozen=True)
class Gate:
    """What must be so for a treatment to count as given: a measure that has to be above `least`."""

    name: str
    asks: str
    least: float


@dataclass(frozen=True)
class Endpoint:
    """One claim's primary question; effect is the smallest one of interest, in per cent of `first` or in `unit`."""

    claim: str
    says: str
    measure: str
    wanted: str
    effect: float
    kind: str = "sampled"
    unit: str = "%"
    first: str = ""
    second: str = ""
    paper: tuple[float, float] | None = None
    data: str = "real faces"
    input_size: int = 64
    gate: Gate | None = None
    secondary: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rules:
    """The rules that all claims share (the file's `rules`, its texts apart)."""

    level: float
    null_level: float
    trainings: int
    freedom: int
    power: float


@dataclass(frozen=True)
class Judgement:
    """A word, the gain in the endpoint's unit (positive where the claim wants it) with its interval, and why."""

    claim: str
    word: str
    gain: float
    low: float
    high: float
    detectable: float  # the smallest gain that this comparison could have seen
    why: str


@cache
def load(file: Path = FILE) -> tuple[Rules, dict[str, Endpoint]]:
    """Return the rules and the endpoints by claim. Raise EndpointError, naming the claim and the fields."""
    plain = yaml.safe_load(file.read_text(encoding="utf-8"))
    rules = Rules(**{f.name: plain["rules"][f.name] for f in fields(Rules)})
    found = {}
    for claim, row in plain["claims"].items():
        row = {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}
        wrong = {name for name, known in KNOWN.items() if row.get(name, known[0]) not in known}
        wrong |= set(row) - {f.name for f in fields(Endpoint)}
        wrong |= {"effect"} if row.get("effect", -1) < (0 if row.get("kind") == "arithmetic" else 0.1) else set()
        if wrong:
            known = "; ".join(f"{name}: {', '.join(words)}" for name, words in KNOWN.items())
            raise EndpointError(f"{file.name}: {claim}: wrong or unknown: {', '.join(sorted(wrong))}. Known: {known}")
        gate = row.pop("gate", None)
        found[claim] = Endpoint(claim, gate=gate and Gate(**gate), **row)
    return rules, found


def fingerprint(file: Path = FILE) -> str:
    """Return the sha256 of the rules as they are written, for stamps."""
    return hashlib.sha256(file.read_bytes().replace(b"\r\n", b"\n")).hexdigest()


def capped(found: Effect, rules: Rules) -> float:
    """Return the degrees of freedom of an effect's standard error, never above the cap."""
    return min(freedom(found.test, found.clusters - 1, found.train, found.seeds - 1), rules.freedom)


def in_unit(found: Effect, endpoint: Endpoint) -> tuple[float, float]:
    """Return an effect and its standard error in the endpoint's unit, positive where the claim wants it."""
    scale = 1.0 if endpoint.unit == "points" else 100 / abs(found.first)
    sign = -1.0 if endpoint.wanted == "lower" else 1.0
    return sign * scale * found.mean, scale * float(np.hypot(found.test, found.train))


def p_value(found: Effect, endpoint: Endpoint, rules: Rules) -> float:
    """Return the two-sided p of no effect; for a claim of likeness that of the nearer bound (two one-sided tests)."""
    gain, error = in_unit(found, endpoint)
    free = capped(found, rules)
    alike = endpoint.wanted == "alike"
    if error == 0:
        return float(abs(gain) >= endpoint.effect if alike else not gain)
    p = stdtr(free, (abs(gain) - endpoint.effect) / error) if alike else 2 * stdtr(free, -abs(gain) / error)
    return float(p) if np.isfinite(p) else 1.0


def holm(p: dict[str, float]) -> dict[str, float]:
    """Return p values corrected by Holm's step-down: the k-th smallest of m times m - k + 1, never falling."""
    out, highest = {}, 0.0
    for rank, claim in enumerate(sorted(p, key=p.get)):
        highest = max(highest, min(1.0, p[claim] * (len(p) - rank)))
        out[claim] = highest
    return out


def too_short(endpoint: Endpoint, converged: float) -> str:
    """Return why a claim whose convergence gate failed is not testable."""
    return f"convergence: twice the steps are better by {converged:.1f}; less than {endpoint.effect:g} is asked"


def judge(
    endpoint: Endpoint,
    found: Effect,
    rules: Rules,
    corrected: float,
    converged: float | None,
    gate: float | None = None,
    own_data: bool = False,
    claims: int = 1,
) -> Judgement:
    """Return the word that an effect allows.

    corrected is its p value after `holm`; converged the fall (in the endpoint's unit) of the first side's validation
    error when its steps are doubled, None where nobody looked; gate the measure of the endpoint's gate. own_data says
    that these are the papers' data at the papers' size; claims how many share Holm's correction.
    """
    gain, error = in_unit(found, endpoint)
    strict = 1 - (1 - rules.level) / 2 / claims  # what the largest of so many effects has to pass
    tails = ((1 + rules.level) / 2, (1 + rules.null_level) / 2, strict, rules.power)
    wide, narrow, strict, power = error * stdtrit(capped(found, rules), tails)
    least = strict + power

    def say(word: str, why: str) -> Judgement:
        return Judgement(endpoint.claim, word, gain, gain - wide, gain + wide, least, why)

    if converged is not None and not converged < endpoint.effect:
        return say(NOT_TESTABLE, too_short(endpoint, converged))
    if found.seeds < rules.trainings and endpoint.kind == "sampled":
        return say(WAITING, f"{found.seeds} of {rules.trainings} trainings")
    if endpoint.kind == "arithmetic":
        return say(CONTRADICTED if found.mean else REPRODUCED, "counted")
    if endpoint.kind == "sampled" and converged is None:
        return say(NOT_TESTABLE, "convergence: twice the steps were not tried")
    if endpoint.gate and (gate is None or gate <= endpoint.gate.least):
        return say(NOT_TESTABLE, f"{endpoint.gate.name}: {endpoint.gate.asks}; measured: {gate and round(gate, 2)}")
    sure = corrected < 1 - rules.level
    if endpoint.wanted == "alike":
        if sure and abs(gain) < endpoint.effect:
            return say(REPRODUCED if own_data else SUPPORTED, "the interval lies within the margin")
        if abs(gain) - strict > endpoint.effect:
            return say(CONTRADICTED if own_data else OPPOSITE, "the interval lies beyond the margin")
        return say(OPEN, f"a difference of {least:.1f} could have been seen")
    if sure and gain < 0:
        return say(CONTRADICTED if own_data else OPPOSITE, "the interval lies on the other side")
    if gain + narrow < endpoint.effect:
        return say(NOT_SEEN, f"the {rules.null_level:.0%} interval stays below {endpoint.effect:g}")
    if sure:
        return say(REPRODUCED if own_data else SUPPORTED, "the interval excludes no effect")
    return say(OPEN, f"an effect of {least:.1f} could have been seen")


# ---------------------------------------------------------------------------------------- what they are measured on


def larger(variant: Variant) -> Variant:
    """Return a variant at 96 pixels, for questions of challenging faces."""
    return replace(variant, name=f"{variant.name}, 96 px", net={**variant.net, "input_size": 96})


@dataclass(frozen=True)
class Question:
    """How a claim's endpoint is measured: values `measure` of records of two variants, on items of `group` alone.

    The steps of first are doubled for the convergence gate; most is where values are cut; sources are those of which
    records are made, the first the primary one. Variants None: see `board` (cost, baselines).
    """

    first: Variant | None
    second: Variant | None
    measure: str
    group: str = ""
    most: float = float("inf")
    sources: tuple[str, ...] = ("udacity", "face_world")


TRACKED = V.VIDEO_IDENTITY  # after all three stages
STILLS = ("udacity", "prepared", "face_world")
THEN, ONCE, AGAIN = map(larger, (V.TWO_SEVEN, V.REGRESSION, V.DETECTION_TWICE))
NO_F_CLS = replace(V.VIDEO_NO_IDENTITY, watch=False, after=replace(V.NO_IDENTITY, watch=False))
WORLD = ("face_world",)
# In the order of the work: what is cheap, or shares trainings with what came before, comes first.
QUESTIONS = {
    "C11": Question(None, None, "parameters", sources=WORLD),
    "C10": Question(None, None, "milliseconds", sources=WORLD),
    "C2": Question(ONCE, THEN, "stills.seven", "challenging", sources=STILLS),
    "C8": Question(V.WITHOUT_FEATURES, V.WITH_FEATURES, "stills.errors", sources=STILLS),
    "C3": Question(AGAIN, THEN, "stills.seven", "challenging", sources=STILLS),
    "C14": Question(V.VIDEOS_ONLY, TRACKED, "videos.errors"),
    "C4": Question(V.CASCADE, V.BASE, "stills.errors", sources=STILLS),
    "C1": Question(V.BASE, V.RESNET, "stills.errors", sources=STILLS),
    "C12": Question(V.NO_NORM, V.BASE, "curve", sources=STILLS),
    "C5": Question(V.ECCV, V.ECCV, "stills.steps", sources=WORLD),
    "C6": Question(V.NOT_TEMPORAL, TRACKED, "videos.errors", most=20.0, sources=WORLD),
    "C7": Question(NO_F_CLS, TRACKED, "parts"),
    "C13": Question(V.LONG_IDENTITY, V.IDENTITY, "recognised"),
    "C9": Question(None, TRACKED, "videos.errors"),
}


def path_of(folder: Path, source: str, name: str, seed: int, tag: str = "") -> Path:
    """Return where a record lies."""
    words = re.sub(r"[^a-z0-9.]+", "-", f"{name} {seed} {tag}".lower()).strip("-")
    return folder / source / f"{words}.npz"


def write(path: Path, facts: dict, arrays: dict[str, np.ndarray]) -> None:
    """Write a record, compressed; numbers as float16 (three figures)."""
    small = {n: a.astype(np.float16) if a.dtype.kind == "f" else a for n, a in arrays.items()}

    def save(part: Path) -> None:
        with open(part, "wb") as file:
            np.savez_compressed(file, facts=np.array(json.dumps(facts)), **small)

    write_whole(path, save)


@cache
def _read(path: Path, _changed: int) -> tuple[dict, dict[str, np.ndarray]]:
    with np.load(path, allow_pickle=False) as file:
        arrays = {n: file[n].astype(np.float64) if file[n].dtype.kind == "f" else file[n] for n in file.files}
    return json.loads(str(arrays.pop("facts"))), arrays


def read(path: Path) -> tuple[dict, dict[str, np.ndarray]] | None:
    """Return (facts, arrays) of a record made under today's rules, or None."""
    if not path.is_file():
        return None
    found = _read(path, path.stat().st_mtime_ns)
    return found if found[0].get("endpoints") == fingerprint() else None
