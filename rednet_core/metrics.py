"""How far predicted landmarks are from the annotated ones: NME, jitter, accuracy of the discs.

Every measure takes the mask (N, L) of annotated points: what is not annotated is neither scored nor used as a scale.
NME, the field's normalised mean error, is the mean point-to-point distance over the inter-ocular distance, in per cent.
Without a further word the inter-ocular distance is the papers', of the outer eye corners; what is "floored" says so.
Points may be float32, errors are float64: rounded to two digits they then read so.
"""

from typing import Literal

import numpy as np

from rednet_core.geometry import eyes_and_mouth
from rednet_core.markup import Markup

Array = np.ndarray
FAILURE = 10.0  # per cent: a larger NME is a failure (journal 5.1)
# A frontal face's outer eye corners are about 1.3 eye-to-mouth distances apart. Half of that is what they
# project to at 60 degrees of yaw; beyond, the papers' normaliser tends to zero and the error to infinity.
FRONTAL_INTEROCULAR = 1.3
LEAST_INTEROCULAR = 0.65
# "corners" is the papers' and the default: the distance of the outer eye corners. "floored" is ours: the same, but at
# least LEAST_INTEROCULAR eye-to-mouth distances. "pupils" is 300-W's second: the distance of the two eyes' middles.
Normaliser = Literal["corners", "floored", "pupils"]


def _mean(values: Array, mask: Array) -> Array:
    """Mean (...) of those of values (..., n) that the mask has; NaN where it has none."""
    count = np.where(mask.any(-1), mask.sum(-1), np.nan).astype(values.dtype)
    return np.where(mask, values, 0).sum(-1) / count


def interocular(points: Array, markup: Markup, mask: Array, by: Normaliser = "corners") -> Array:
    """Return the normaliser (N,) of faces annotated with points (N, L, 2), in their pixels.

    Where a point that it needs is not annotated it is what a frontal face would have: 1.3 eye-to-mouth distances.
    """
    eyes, mouth = eyes_and_mouth(points, markup, mask)
    tall = np.linalg.norm(eyes - mouth, axis=-1)
    outer = [[i] for i in markup.outer_eyes]
    at = [[*markup.groups[f"{side} eye"]] for side in ("left", "right")] if by == "pupils" else outer
    left, right = (points[..., eye, :].mean(-2) for eye in at)
    known = mask[..., at[0]].all(-1) & mask[..., at[1]].all(-1)
    wide = np.where(known, np.linalg.norm(left - right, axis=-1), FRONTAL_INTEROCULAR * tall)
    return np.fmax(wide, LEAST_INTEROCULAR * tall) if by == "floored" else wide


def point_nme(predicted: Array, points: Array, markup: Markup, mask: Array, by: Normaliser = "corners") -> Array:
    """Return the distance (N, L) of each predicted point from its place, in per cent; NaN where it is not annotated."""
    distance = np.where(mask, np.linalg.norm(np.subtract(predicted, points, dtype=float), axis=-1), np.nan)
    return 100 * distance / interocular(points, markup, mask, by)[..., None]


def nme(predicted: Array, points: Array, markup: Markup, mask: Array, by: Normaliser = "corners") -> Array:
    """Return the NME (N,) of each face over its annotated points, in per cent (journal 5.1).

    NME = 100 / sum_l m_l * sum_l m_l |predicted_l - points_l| / interocular, with the mask m.
    """
    return _mean(point_nme(predicted, points, markup, mask, by), mask)


def seven_nme(predicted: Array, points: Array, markup: Markup, mask: Array, by: Normaliser = "corners") -> Array:
    """Return the NME (N,) of seven points predicted (N, 7, 2), faces annotated with points (N, L, 2), in per cent."""
    seven = list(markup.seven)
    apart = np.subtract(predicted, points[..., seven, :], dtype=float)
    distance = _mean(np.linalg.norm(apart, axis=-1), mask[..., seven])
    return 100 * distance / interocular(points, markup, mask, by)


def jitter(predicted: Array, points: Array, markup: Markup, mask: Array, by: Normaliser = "corners") -> Array:
    """Return how much landmarks tremble: the change (T - 1,) of their offset from the truth (T, L, 2) between frames.

    In per cent of the inter-ocular distance, mean over the landmarks annotated in both frames. A constant offset does
    not count, nor does motion of the face itself. Ours: the papers show steadiness in pictures (journal figure 7).
    """
    offset, both = np.subtract(predicted, points, dtype=float), mask[1:] & mask[:-1]
    change = _mean(np.linalg.norm(np.diff(offset, axis=0), axis=-1), both)
    return 100 * change / interocular(points, markup, mask, by)[1:]


def disc_accuracy(probability: Array, discs: Array, mask: Array) -> Array:
    """Return the share (N, C) of each landmark's true disc (N, C, m, m; 0 or 1) that is called its own (p > 0.5).

    NaN where the landmark is not annotated, mask (N, C). Our reading of figure 8's "testing accuracy": over all pixels
    of a map any network is right on 99 in 100.
    """
    right = ((probability > 0.5) & (discs > 0.5)).sum((-1, -2))
    return np.where(mask, right / np.maximum((discs > 0.5).sum((-1, -2)), 1), np.nan)
