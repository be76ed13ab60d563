"""Effects over the same test items: how large, and how sure, with seeds and test samples told apart.

A variant's errors are an array (S, N): S training seeds, N test items that are the same for all. Items of one video or
one person are alike, so whole clusters are drawn again (cluster bootstrap); seeds are few, so their spread
enters by Student's t. The two variances add: Var = Var_test + Var_train / S, with Satterthwaite's degrees of freedom.

Where each training has test persons of its own (folds), errors are NaN for the others' items. The spread of the
trainings then holds that of the persons already: the larger of the two standard errors counts, alone.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import stdtrit

from rednet_core.metrics import FAILURE

DRAWS = 2000
LEVEL = 0.95


@dataclass(frozen=True)
class Effect:
    """A difference (second minus first) with its interval; test and train are standard errors of its two sources.

    low and high are NaN-free with one seed too, but then speak of the test sample alone: see `seeds`. floored is the
    same difference by our floored measure, None where that is the papers'.
    """

    first: float
    second: float
    mean: float
    low: float
    high: float
    test: float
    train: float
    seeds: int
    clusters: int
    each: tuple[float, ...]  # the effect of each seed
    floored: float | None = None

    def row(self, first: str = "without", second: str = "with") -> dict[str, float]:
        """Return columns of a table: both sides by these names, the effect, its interval, and the floored effect."""
        row = {f"{first} (%)": self.first, f"{second} (%)": self.second, "effect": self.mean}
        row |= {"95 % from": self.low, "to": self.high}
        return row if self.floored is None else {**row, "effect, floored": self.floored}


def _sums(errors: np.ndarray, place: np.ndarray, count: int) -> np.ndarray:
    """Return what the statistics need, summed over each cluster: items, e, e^2, failures; (S, clusters, 4)."""
    known = np.isfinite(errors)
    errors = np.where(known, errors, 0.0)
    return summed(np.stack([known, errors, errors**2, errors > FAILURE], -1).astype(float), place, count)


def summed(parts: np.ndarray, place: np.ndarray, count: int) -> np.ndarray:
    """Return parts (S, N, F) of items summed over clusters, (S, clusters, F); place (N,) is each item's cluster."""
    out = np.zeros((len(parts), count, parts.shape[-1]))
    np.add.at(out, (slice(None), place), parts)
    return out


STATISTICS: dict[str, Callable[[np.ndarray], np.ndarray]] = {  # of `_sums`
    "mean": lambda sums: sums[..., 1] / sums[..., 0],
    "std": lambda sums: np.sqrt(np.maximum(sums[..., 2] / sums[..., 0] - (sums[..., 1] / sums[..., 0]) ** 2, 0)),
    "failure": lambda sums: 100 * sums[..., 3] / sums[..., 0],
}


def statistic(errors: np.ndarray, kind: str = "mean") -> np.ndarray:
    """A statistic (S,) of per-item errors (S, N): "mean", "std", or "failure", the share above the limit (per cent)."""
    if kind not in STATISTICS:
        raise ValueError(f"statistic {kind!r}, known: {', '.join(STATISTICS)}")
    return STATISTICS[kind](_sums(errors, np.zeros(errors.shape[1], int), 1).sum(1))


def effect(first: np.ndarray, second: np.ndarray, clusters: np.ndarray, statistic: str = "mean", floor=None) -> Effect:
    """second - first of a statistic ("mean", "std", "failure") of per-item errors (S, N); clusters (N,) of items.

    floor (S, N): `Measured.floor`, for the effect by our measure beside that by the papers'. Raise ValueError where the
    two are not of the same items and seeds.
    """
    first, second = np.atleast_2d(first), np.atleast_2d(second)
    if first.shape != second.shape or first.shape[1] != len(clusters):
        raise ValueError(f"effect: {first.shape} and {second.shape} errors in {len(clusters)} clusters are not paired")
    if statistic not in STATISTICS:
        raise ValueError(f"statistic {statistic!r}, known: {', '.join(STATISTICS)}")
    names, place = np.unique(clusters, return_inverse=True)
    sides = [_sums(x, place, len(names)) for x in (first, second)]
    found = effect_of_sums(*sides, STATISTICS[statistic], bool(np.isnan(first).any()))
    if floor is None or not (floor < 1).any():
        return found
    one, other = (STATISTICS[statistic](_sums(x * floor[:1], place, len(names)).sum(1)).mean() for x in (first, second))
    return replace(found, floored=float(other - one))


def effect_of_sums(
    first: np.ndarray, second: np.ndarray, of: Callable[[np.ndarray], np.ndarray], own: bool = False
) -> Effect:
    """second - first of a statistic `of` sums (S, clusters, F); own: each training has test clusters of its own."""
    seeds, many = first.shape[:2]
    each = of(second.sum(1)) - of(first.sum(1))  # (S,)
    rng, again = np.random.default_rng(0), np.empty((seeds, DRAWS))
    for s, (a, b) in enumerate(zip(first, second, strict=True)):
        if own:  # each training's clusters are drawn by themselves: none is left without
            has = (a != 0).any(-1) | (b != 0).any(-1)
            a, b = a[has], b[has]
        if own or s == 0:
            drawn = rng.multinomial(len(a), np.full(len(a), 1 / len(a)), DRAWS).astype(float)
        again[s] = of(drawn @ b) - of(drawn @ a)
    test = float(again.mean(0).std(ddof=1)) if many > 1 else float("inf")
    train = float(each.std(ddof=1) / np.sqrt(seeds)) if seeds > 1 else 0.0
    if own:  # the larger of the two, with its own freedom
        test, train = (0.0, train) if train > test else (test, 0.0)
    mean = float(each.mean())
    known = 0 < test**2 + train**2 < np.inf
    wide = np.hypot(test, train) * (stdtrit(freedom(test, many - 1, train, seeds - 1), (1 + LEVEL) / 2) if known else 1)
    sides = [float(of(x.sum(1)).mean()) for x in (first, second)]
    return Effect(*sides, mean, mean - wide, mean + wide, test, train, seeds, many, tuple(map(float, each)))


def freedom(test: float, test_df: int, train: float, train_df: int) -> float:
    """Return Welch and Satterthwaite's degrees of freedom of sqrt(test^2 + train^2); infinite where both are zero."""
    spread = test**4 / max(test_df, 1) + (train**4 / train_df if train_df else 0.0)
    return (test**2 + train**2) ** 2 / spread if spread else float("inf")
