"""How far predicted landmarks are from the annotated ones: NME, failures, error curves, jitter.

Every measure takes the mask (N, L) of annotated points: what is not annotated is neither scored nor used as a scale.
NME, the field's normalised mean error, is the mean point-to-point distance over the inter-ocular distance, in per cent.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from rednet_core.geometry import eyes_and_mouth
from rednet_core.markup import Markup

FAILURE = 10.0  # per cent: a larger NME is a failure (journal 5.1)
# A frontal face's outer eye corners are about 1.3 eye-to-mouth distances apart. Half of that is what they
# project to at 60 degrees of yaw; beyond, the papers' normaliser tends to zero and the error to infinity.
FRONTAL_INTEROCULAR = 1.3
LEAST_INTEROCULAR = 0.65
# "corners" is the papers': the distance of the outer eye corners. "floored" is ours: the same, but at least
# LEAST_INTEROCULAR eye-to-mouth distances. "pupils" is the 300-W benchmark's: the distance of the two eyes' middles.
Normaliser = Literal["corners", "floored", "pupils"]


def interocular(points: np.ndarray, markup: Markup, mask: np.ndarray, normaliser: Normaliser = "floored") -> np.ndarray:
    """Return the normaliser (N,) of faces annotated with points (N, L, 2), in their pixels.

    Where a point that it needs is not annotated it is what a frontal face would have: 1.3 eye-to-mouth distances.
    """
    eyes, mouth = eyes_and_mouth(points, markup, mask)
    tall = np.linalg.norm(eyes - mouth, axis=-1)
    each = [[i] for i in markup.outer_eyes]
    if normaliser == "pupils":
        each = [list(markup.groups[name]) for name in ("left eye", "right eye")]
    left, right = (points[..., group, :].mean(-2) for group in each)
    known = mask[..., each[0]].all(-1) & mask[..., each[1]].all(-1)
    wide = np.where(known, np.linalg.norm(left - right, axis=-1), FRONTAL_INTEROCULAR * tall)
    return np.fmax(wide, LEAST_INTEROCULAR * tall) if normaliser == "floored" else wide


def point_nme(
    predicted: np.ndarray, points: np.ndarray, markup: Markup, mask: np.ndarray, normaliser: Normaliser = "floored"
) -> np.ndarray:
    """Return the distance (N, L) of each predicted point from its place, in per cent; NaN where it is not annotated."""
    distance = np.where(mask, np.linalg.norm(predicted - points, axis=-1), np.nan)
    return 100 * distance / interocular(points, markup, mask, normaliser)[..., None]


def nme(
    predicted: np.ndarray, points: np.ndarray, markup: Markup, mask: np.ndarray, normaliser: Normaliser = "floored"
) -> np.ndarray:
    """Return the NME (N,) of each face over its annotated points, in per cent (journal 5.1).

    NME = 100 / sum_l m_l * sum_l m_l |predicted_l - points_l| / interocular, with the mask m.
    """
    each = point_nme(predicted, points, markup, mask, normaliser)
    return np.average(np.where(mask, each, 0.0), axis=-1, weights=mask)


def seven_nme(
    predicted: np.ndarray, points: np.ndarray, markup: Markup, mask: np.ndarray, normaliser: Normaliser = "floored"
) -> np.ndarray:
    """Return the NME (N,) of seven points predicted (N, 7, 2) of faces annotated with points (N, L, 2), in per cent."""
    seven = list(markup.seven)
    distance = np.where(mask[..., seven], np.linalg.norm(predicted - points[..., seven, :], axis=-1), 0.0)
    distance = np.average(distance, axis=-1, weights=mask[..., seven])
    return 100 * distance / interocular(points, markup, mask, normaliser)


def jitter(
    predicted: np.ndarray, points: np.ndarray, markup: Markup, mask: np.ndarray, normaliser: Normaliser = "floored"
) -> np.ndarray:
    """Return how much landmarks tremble: the change (T - 1,) of their offset from the truth (T, L, 2) between frames.

    In per cent of the inter-ocular distance, mean over the landmarks annotated in both frames. A constant offset does
    not count, nor does motion of the face itself. Ours: the papers show steadiness in pictures (journal figure 7).
    """
    offset, both = predicted - points, mask[1:] & mask[:-1]
    change = np.where(both, np.linalg.norm(np.diff(offset, axis=0), axis=-1), 0.0)
    change = np.average(change, axis=-1, weights=both)
    return 100 * change / interocular(points, markup, mask, normaliser)[1:]


def disc_accuracy(probability: np.ndarray, discs: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return the share (N, C) of each landmark's true disc (N, C, m, m; 0 or 1) that is called its own (p > 0.5).

    NaN where the landmark is not annotated, mask (N, C). Our reading of figure 8's "testing accuracy": over all pixels
    of a map any network is right on 99 in 100.
    """
    right = ((probability > 0.5) & (discs > 0.5)).sum((-1, -2))
    return np.where(mask, right / np.maximum((discs > 0.5).sum((-1, -2)), 1), np.nan)


@dataclass(frozen=True)
class Score:
    """The papers' three figures over a set of faces, all in per cent, and the area under the error curve."""

    mean: float
    std: float
    failure: float
    auc: float
    count: int


def score(each: np.ndarray) -> Score:
    """Return the Score of per-face NMEs (N,): mean, standard deviation over faces, share above 10 per cent, AUC."""
    failure = 100 * float(np.mean(each > FAILURE))
    return Score(float(each.mean()), float(each.std()), failure, auc(each), len(each))


def error_curve(each: np.ndarray, limit: float = FAILURE, steps: int = 1000) -> tuple[np.ndarray, np.ndarray]:
    """Return the cumulative error curve: thresholds (steps + 1,) in per cent, the share of faces at or under each."""
    thresholds = np.linspace(0, limit, steps + 1)
    return thresholds, np.searchsorted(np.sort(each), thresholds, side="right") / len(each)


def auc(each: np.ndarray, limit: float = FAILURE) -> float:
    """Return the area under the cumulative error curve up to `limit`, 1 where every error is zero (exact, no grid)."""
    return float(np.clip(1 - each / limit, 0, None).mean())
