"""How far predicted landmarks are from the annotated ones: the papers' error, failures and curves."""

from dataclasses import dataclass

import numpy as np

from rednet_core.geometry import eyes_and_mouth
from rednet_core.markup import Markup

FAILURE = 10.0  # per cent: a larger mean error is a failure (journal 5.1)
# A frontal face's outer eye corners are about 1.3 eye-to-mouth distances apart. Half of that is what they
# project to at 60 degrees of yaw; beyond, the papers' normaliser tends to nought and the error to infinity.
LEAST_INTEROCULAR = 0.65


def interocular(points: np.ndarray, markup: Markup, least: float = LEAST_INTEROCULAR) -> np.ndarray:
    """Distance (N,) of the outer eye corners of points (N, L, 2), at least `least` eye-to-mouth distances.

    The floor is ours (least=0 gives the papers' plain distance): it only acts beyond about 60 degrees of yaw.
    """
    left, right = (points[..., i, :] for i in markup.outer_eyes)
    eyes, mouth = eyes_and_mouth(points, markup)
    return np.maximum(np.linalg.norm(left - right, axis=-1), least * np.linalg.norm(eyes - mouth, axis=-1))


def point_errors(
    predicted: np.ndarray, points: np.ndarray, markup: Markup, least: float = LEAST_INTEROCULAR
) -> np.ndarray:
    """Point-to-point distances (N, L) in per cent of the annotated face's inter-ocular distance."""
    distance = np.linalg.norm(predicted - points, axis=-1)
    return 100 * distance / interocular(points, markup, least)[..., None]


def errors(
    predicted: np.ndarray,
    points: np.ndarray,
    markup: Markup,
    mask: np.ndarray | None = None,
    least: float = LEAST_INTEROCULAR,
) -> np.ndarray:
    """Mean error (N,) of each face over its annotated points, in per cent (journal 5.1); mask (N, L)."""
    each = point_errors(predicted, points, markup, least)
    return each.mean(-1) if mask is None else np.average(each, axis=-1, weights=mask)


def seven_errors(
    predicted: np.ndarray, points: np.ndarray, markup: Markup, least: float = LEAST_INTEROCULAR
) -> np.ndarray:
    """Mean error (N,) of the seven points predicted (N, 7, 2) of faces annotated with points (N, L, 2), per cent."""
    distance = np.linalg.norm(predicted - points[:, list(markup.seven)], axis=-1).mean(-1)
    return 100 * distance / interocular(points, markup, least)


def jitter(predicted: np.ndarray, points: np.ndarray, markup: Markup) -> np.ndarray:
    """How much landmarks tremble: change (T - 1,) of their offset from the truth (T, L, 2) from frame to frame.

    In per cent of the inter-ocular distance, mean over landmarks. A constant offset does not count, nor does motion
    of the face itself. Ours: the papers show steadiness in pictures only (journal figure 7).
    """
    offset = predicted - points
    change = np.linalg.norm(np.diff(offset, axis=0), axis=-1).mean(-1)
    return 100 * change / interocular(points, markup)[1:]


def disc_accuracy(probability: np.ndarray, discs: np.ndarray) -> np.ndarray:
    """Share (N, C) of the pixels of each landmark's true disc (N, C, m, m; 0 or 1) that are called its own (p > 0.5).

    Our reading of figure 8's "testing accuracy": over all pixels of a map any network is right on 99 in 100.
    """
    right = ((probability > 0.5) & (discs > 0.5)).sum((-1, -2))
    return right / np.maximum((discs > 0.5).sum((-1, -2)), 1)


@dataclass(frozen=True)
class Score:
    """The papers' three figures over a set of faces, all in per cent, and the area under the error curve."""

    mean: float
    std: float
    failure: float
    auc: float
    count: int


def score(each: np.ndarray) -> Score:
    """Score of per-face errors (N,): mean, standard deviation over faces, share above 10 per cent, AUC."""
    failure = 100 * float(np.mean(each > FAILURE))
    return Score(float(each.mean()), float(each.std()), failure, auc(each), len(each))


def error_curve(each: np.ndarray, limit: float = FAILURE, steps: int = 1000) -> tuple[np.ndarray, np.ndarray]:
    """The cumulative error curve: thresholds (steps + 1,) in per cent, and the share of faces at or under each."""
    thresholds = np.linspace(0, limit, steps + 1)
    return thresholds, np.searchsorted(np.sort(each), thresholds, side="right") / len(each)


def auc(each: np.ndarray, limit: float = FAILURE) -> float:
    """Area under the cumulative error curve up to `limit`, 1 where every error is nought (exact, no grid)."""
    return float(np.clip(1 - each / limit, 0, None).mean())
