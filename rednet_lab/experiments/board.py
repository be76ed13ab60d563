"""From the records of `trial` to the board: every effect, gate and word, recomputed from the committed files alone."""

import math
import statistics
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from rednet_lab.experiments import endpoints
from rednet_lab.experiments.endpoints import FOLDER, QUESTIONS, Endpoint, Judgement, Question, Rules, path_of, read
from rednet_lab.experiments.variants import IDENTITY
from rednet_lab.files import figures, signed
from rednet_lab.statistics import DRAWS, STATISTICS, Effect, effect_of_sums, summed

READS = ("figures/evidence/bench/*/*.npz",)
SAME_ITEMS = ("prepared",)  # sources whose trainings are all tested on the same items
WORDS = {"udacity": "YouTube Faces", "prepared": "Helen and LFPW", "face_world": "face world"}
TURNED, FRONTAL = (45, 90), (0, 15)  # degrees, C5
LENGTHS = ("", "long")  # tags of records: the profile's steps, then twice as many where the first gate fails


@dataclass(frozen=True)
class Judged:
    """One line of the board: a claim on one kind of data. found is None before a first pair of trainings."""

    claim: str
    source: str
    primary: bool
    endpoint: Endpoint
    judgement: Judgement
    found: Effect | None
    trainings: int
    converged: float | None  # fall of the validation error by twice the steps, per cent (points where the unit says so)
    gate: float | None
    minutes: float | None  # of one more pair of trainings
    facts: dict

    @property
    def data(self) -> str:
        return WORDS[self.source] if self.endpoint.kind == "sampled" else self.endpoint.kind

    @property
    def unit(self) -> str:
        return "points" if self.endpoint.unit == "points" else "%"

    @property
    def gain(self) -> str:
        """The gain with its interval, positive where the claim wants it."""
        said = self.judgement
        if self.found is None:
            return "–"
        if self.endpoint.kind == "arithmetic":
            return f"{figures(self.found.first)} → {figures(self.found.second)} M"
        interval = f" [{signed(said.low)}, {signed(said.high)}]" if self.trainings != 1 else ""
        return f"{signed(said.gain)}{interval} {self.unit}"

    @property
    def asked(self) -> str:
        """The papers' own gain, and the smallest that matters."""
        one = self.endpoint
        if one.kind == "arithmetic":
            return "{:g} → {:g} M".format(*one.paper)
        margin = ("within {:g} {}" if one.wanted == "alike" else "{:g} {} matter").format(one.effect, self.unit)
        if not one.paper:
            return margin
        first, second = one.paper
        printed = second - first if self.unit == "points" else 100 * (second / first - 1)
        return f"{signed(-printed if one.wanted == 'lower' else printed)} {self.unit}; {margin}"

    @property
    def sentence(self) -> str:
        """What the bench says of the claim, in a line."""
        found = f": {self.gain} ({'papers: ' * bool(self.endpoint.paper)}{self.asked})" if self.found else ""
        return f"{self.claim} on the bench, {self.data}{found}: {self.judgement.word}, {self.judgement.why}"

    def hours(self, rules: Rules) -> float | None:
        """Return the hours of the trainings that are missing, and of those that power would take."""
        if self.minutes is None or self.endpoint.kind != "sampled":
            return None
        if self.judgement.word == endpoints.NOT_TESTABLE and not (self.converged or 0) < self.endpoint.effect:
            return 2 * rules.trainings * self.minutes / 60  # all of them, with twice the steps
        wanted = rules.trainings
        if self.found and self.trainings >= rules.trainings and self.judgement.word == endpoints.OPEN:
            wanted = math.ceil(self.trainings * (self.judgement.detectable / self.endpoint.effect) ** 2)
        return max(wanted - self.trainings, 0) * self.minutes / 60


def rows(folder: Path = FOLDER) -> list[Judged]:
    """Return the board: the primary row of each claim, then what stands beside, Holm's correction in each family."""
    return list(_rows(folder, _state(folder)))


def _state(folder: Path) -> tuple:
    return tuple(sorted((str(p), p.stat().st_mtime_ns) for p in folder.rglob("*.npz")))


@cache
def _rows(folder: Path, _: tuple) -> tuple[Judged, ...]:
    rules, claims = endpoints.load()
    asked = [(claim, source) for claim in claims for source in QUESTIONS[claim].sources]
    seen = {(c, s): _looked_at(folder, s, c, claims[c], QUESTIONS[c]) for c, s in asked}
    families, found = [[(c, s) for c, s in asked if s == QUESTIONS[c].sources[0]]], []
    families += [[(c, s) for c, s in asked if s == source and (c, s) not in families[0]] for source in endpoints.STILLS]
    for family in families:
        p = {k: endpoints.p_value(seen[k][0], claims[k[0]], rules) for k in family if seen[k][0]}
        enough = [k for k in p if claims[k[0]].kind == "sampled" and seen[k][0].seeds >= rules.trainings]
        sampled = [k for k in family if claims[k[0]].kind == "sampled"]  # over all: those without trainings have p = 1
        p |= endpoints.holm({k: p[k] if k in enough else 1.0 for k in sampled})
        for claim, where in family:
            effect, k, converged, gate, minutes, facts = seen[claim, where]
            endpoint, primary = claims[claim], family is families[0]
            said = Judgement(claim, endpoints.WAITING, *[math.nan] * 4, f"0 of {rules.trainings} trainings")
            if effect is not None:
                own = endpoint.kind == "arithmetic"
                said = endpoints.judge(endpoint, effect, rules, p[claim, where], converged, gate, own, len(sampled))
            elif converged is not None and not converged < endpoint.effect:
                said = replace(said, word=endpoints.NOT_TESTABLE, why=endpoints.too_short(endpoint, converged))
            found.append(Judged(claim, where, primary, endpoint, said, effect, k, converged, gate, minutes, facts))
    return tuple(found)


def fall(claim: str, source: str, length: str = "", folder: Path = FOLDER) -> float | None:
    """Return by how much twice the steps lower the error of the side without, in the gate's unit; None: not tried."""
    name = first.name if (first := QUESTIONS[claim].first) else "baselines"
    two = [read(path_of(folder, source, name, 0, tag)) for tag in (length, f"{length}-twice".lstrip("-"))]
    if not all(two):
        return None
    if claim == "C13":
        return float(two[1][1]["recognised"].mean() - two[0][1]["recognised"].mean())
    before, after = (each[1]["validation"].mean() for each in two)
    return float(100 * (before - after) / before)


def length_of(claim: str, source: str, folder: Path = FOLDER) -> str:
    """Return the length at which a claim is judged: the profile's, or twice as long where that gate held."""
    effect, (short, long) = endpoints.load()[1][claim].effect, (fall(claim, source, tag, folder) for tag in LENGTHS)
    return "long" if None not in (short, long) and not short < effect and long < effect else ""


def pairs_of(claim: str, source: str = "", folder: Path = FOLDER) -> list[tuple]:
    """Return (seed, record of the side without, of the side with) of a claim's trainings; source: the primary one."""
    question, found = QUESTIONS[claim], []
    source = source or question.sources[0]
    length = length_of(claim, source, folder)
    for seed in range(endpoints.load()[0].trainings):
        names = [question.first.name if question.first else "baselines", question.second.name]
        two = [read(path_of(folder, source, name, seed, length)) for name in names]
        whole = all(two) and (question.measure != "curve" or all("curve" in one[1] for one in two))
        found += [(seed, *two)] if whole else []
    return found


def primary(claim: str, folder: Path = FOLDER) -> Judged:
    """Return a claim's primary line of the board."""
    return next(line for line in rows(folder) if line.primary and line.claim == claim)


def settled(claim: str, profile: str, folder: Path = FOLDER) -> bool:
    """Tell whether a notebook of profile quick need not train for a claim: the bench has said its word of it."""
    return profile == "quick" and primary(claim, folder).judgement.word != endpoints.WAITING


def _looked_at(folder: Path, source: str, claim: str, endpoint: Endpoint, question: Question):
    """Return (effect or None, trainings, fall by twice the steps, gate, minutes a pair, facts) of one row."""
    if endpoint.kind != "sampled":
        own = read(path_of(folder, source, f"cost {claim}", 0))
        return (_of_cost(endpoint, *own) if own else None), 0, None, None, None, own[0] if own else {}
    pairs = pairs_of(claim, source, folder)
    facts, minutes = pairs[-1][2][0] if pairs else {}, [each[0]["seconds"] / 60 for p in pairs for each in p[1:]]
    gate, length = None, length_of(claim, source, folder)
    if endpoint.gate:
        probe = question.second if claim == "C13" else IDENTITY
        gate = _gate(claim, [(two, read(path_of(folder, source, probe.name, s, length))) for s, _, two in pairs])
    converged = fall(claim, source, length, folder)
    each = statistics.mean(minutes) if minutes else _usual(folder, source, _state(folder))
    each = each and each * (1 if question.first is question.second else 2)  # of a pair
    return _effect(claim, source, question, pairs) if pairs else None, len(pairs), converged, gate, each, facts


@cache
def _usual(folder: Path, source: str, _: tuple) -> float | None:
    """Return the minutes of a usual training on a source, of whatever variant; None where there is none yet."""
    facts = [found[0] for found in map(read, sorted((folder / source).glob("*.npz"))) if found]
    each = [one["seconds"] / 60 for one in facts if one.get("pictures") and not one["tag"]]
    return statistics.median(each) if each else None


def beside(claim: str, folder: Path = FOLDER) -> dict[str, Effect]:
    """Return what is shown beside a claim's endpoint and never decides: other statistics, groups and boxes."""
    question, pairs = QUESTIONS[claim], pairs_of(claim, "", folder)
    kind, _, points = (question.measure if question.measure != "curve" else "stills.errors").partition(".")
    if not pairs or points not in ("errors", "seven"):  # other measures have no such parts
        return {}
    plain, has = replace(question, measure=f"{kind}.{points}", group=""), pairs[0][2][1]
    ways = {"all": plain, **{str(group): replace(plain, group=group) for group in np.unique(has[f"{kind}.group"])}}
    more = {"off": "boxes off by 10 %"} | ({"mean_guess": "z0 from the mean face"} if question.first else {})
    ways |= {said: replace(plain, measure=f"{kind}.{n}") for n, said in more.items() if f"{kind}.{n}" in has}
    parts = [(name, way, pairs) for name, way in ways.items() if way != question]
    parts += [("spread", plain, pairs, "std"), ("failures", plain, pairs, "failure")]
    if "covered" in ways and f"{kind}.wiped" in has:  # of one network: what it gains by what it carries along
        own, way = [(seed, two, two) for seed, _, two in pairs], ways["covered"]
        for name, said in (("wiped", "its memory"), ("mean_guess", "z0 of the frame before")):
            parts.append((f"covered, with f_trn: by {said}", way, own, "mean", f"{kind}.{name}"))
    return {name: _effect("", question.sources[0], *how) for name, *how in parts}


def _effect(claim: str, source: str, question: Question, pairs: list, statistic="mean", without="") -> Effect:
    """Return the effect of an endpoint over all pairs of trainings; items of other trainings count as not there."""
    if claim == "C12":
        return _of_curves([(one[1], two[1]) for _, one, two in pairs])
    clusters, values = [], []
    kind = question.measure.partition(".")[0]
    # Of real persons those are recognised that were trained on: the same pictures, in most trainings.
    shared = source in SAME_ITEMS or (kind == "recognised" and source != "face_world")
    without = without or (question.measure if question.first else f"videos.{best_of(pairs[0][1][0])}")
    for seed, one, two in pairs:
        arrays = two[1]
        keep = np.ones(len(arrays[f"{kind}.person"]), bool)
        if question.group:
            keep = arrays[f"{kind}.group"] == question.group
        person = arrays[f"{kind}.person"][keep].astype(int)
        clusters.append(person if shared else seed * 10**6 + person)
        both = ((one[1], without, FRONTAL), (two[1], question.measure, TURNED))
        values.append([_parts(claim, arrays, name, keep, question.most, turned) for arrays, name, turned in both])
    names, where = np.unique(np.concatenate(clusters), return_inverse=True)
    each = [*zip(values, np.split(where, np.cumsum([*map(len, clusters)])[:-1]), strict=True)]
    sums = [np.stack([summed(v[side][None], w, len(names))[0] for v, w in each]) for side in (0, 1)]
    return effect_of_sums(*sums, _gain if claim == "C5" else STATISTICS[statistic], own=not shared)


def _parts(claim: str, arrays: dict, name: str, keep: np.ndarray, most: float, turned: tuple) -> np.ndarray:
    """Return what a statistic needs of each item, (N, F)."""
    if claim == "C5":  # errors of the first and the last step, of faces turned so far
        inside = (arrays["stills.yaw"] >= turned[0]) & (arrays["stills.yaw"] <= turned[1])
        return arrays["stills.steps"][[0, -1]].T * inside[:, None]
    value = np.minimum(arrays[name][keep], most)
    return np.stack([np.ones_like(value), value, value**2, value > 10], -1)


def _gain(sums: np.ndarray) -> np.ndarray:
    """Return by how many per cent the last step's error is below the first's."""
    return 100 * (sums[..., 0] - sums[..., 1]) / sums[..., 0]


def best_of(facts: dict) -> str:
    """Return the baseline with the lowest validation error."""
    return min(facts["methods"], key=lambda name: facts["methods"][name]["validation"])


def _of_curves(pairs: list) -> Effect:
    """Return C12's ratio: steps to the error at which the side without ends, over its steps; 2 where it never comes."""
    each = []
    for one, two in pairs:
        steps, goal = two["curve.step"], one["curve"][-1]
        reached = np.flatnonzero(two["curve"] <= goal)
        each.append(float(steps[reached[0]] / one["curve.step"][-1]) if len(reached) else 2.0)
    train = float(np.std(each, ddof=1) / np.sqrt(len(each))) if len(each) > 1 else 0.0
    mean = float(np.mean(each))
    return Effect(1.0, mean, mean - 1, math.nan, math.nan, 0.0, train, len(each), len(each), tuple(e - 1 for e in each))


def _of_cost(endpoint: Endpoint, facts: dict, arrays: dict) -> Effect:
    if endpoint.kind == "arithmetic":
        ours, printed = arrays["parameters"], np.array(endpoint.paper)
        away = float(np.abs(ours / printed - 1).max())
        return Effect(*map(float, ours), 0.0 if away < 0.01 else away, 0.0, 0.0, 0.0, 0.0, 0, 0, ())
    one, two, n = np.median(arrays["vgg"]), np.median(arrays["resnet"]), len(arrays["vgg"])
    draw = np.random.default_rng(0).integers(0, n, (DRAWS, n))
    error = float((np.median(arrays["resnet"][draw], 1) - np.median(arrays["vgg"][draw], 1)).std())
    return Effect(float(one), float(two), float(two - one), math.nan, math.nan, error, 0.0, 0, n, ())


def _gate(claim: str, seen: list) -> float | None:
    """Return the measure of a claim's gate: the mean over its trainings."""
    each, most = [], QUESTIONS[claim].most
    if claim != "C6" and not all(people for _, people in seen):
        return None
    for two, people in seen:
        if claim == "C6":
            covered = two[1]["videos.group"] == "covered"
            wiped, kept = (np.minimum(two[1][f"videos.{n}"][covered], most).mean() for n in ("wiped", "errors"))
            each.append(100 * (wiped - kept) / wiped)
        else:
            each.append(min(people[1]["recognised"].mean() / 100, 1 - people[1]["recognised.loss"].mean()))
    return float(np.mean(each)) if each else None
