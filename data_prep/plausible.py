"""Whether annotated points can be places of a face: numbers of pixels, no codes, none far off, eyes above the mouth."""

import math
from itertools import pairwise
from pathlib import Path

import numpy as np

from data_prep.errors import BadItem
from data_prep.pts import LARGEST
from rednet_core.markup import IBUG68, Markup

NEAR = 4.0  # means of the distance from the mean, by the larger coordinate
FAR = 12.0  # a point farther from the face's middle than this many medians of the distance is none of the face
EYE = 0.5  # reach of an eye's contour, in sizes of the face: real ones 0.39 at most, counted from another point 0.68
TURNED, PROFILE = 0.5, 0.2  # distance of the eyes over that to the mouth: heads turned by about 55 and 75 degrees


def check_points(
    points: np.ndarray, mask: np.ndarray, markup: Markup, path: Path | str, any_pose: bool = False
) -> None:
    """Raise BadItem where the annotated points (L, 2) of a face cannot be places of a face in its picture.

    Every reader's points go through here: numbers of pixels, no places that are codes, none far from the face, and
    eyes and mouth that lie as a face's do (`plausible`).
    """
    points, mask = np.asarray(points, np.float64), np.asarray(mask, bool)
    known = points if mask.all() else points[mask]
    if not len(known):
        return
    (left, top), (right, bottom) = known.min(0).tolist(), known.max(0).tolist()
    most = max(-left, -top, right, bottom)
    if not math.isfinite(left + top + right + bottom):  # one that is not finite makes the sum so
        raise BadItem("a coordinate is not finite", path=path, field="points")
    if most > LARGEST:
        problem = f"coordinate {most:g} is not a number of pixels (the largest is {LARGEST:g})"
        raise BadItem(problem, path=path, field="points")
    if (left <= 0 or top <= 0) and (coded := _codes(known)):
        raise BadItem(coded, path=path, field="points")
    if len(known) > 4:
        spread = np.abs(known - known.mean(0)).max(1)
        if spread.max() > NEAR * spread.mean():  # else none can be far, and the medians need not be known
            spread = np.sqrt(((known - np.median(known, 0)) ** 2).sum(1))
            if spread.max() > FAR * np.median(spread):
                place = known[spread.argmax()]
                raise BadItem(f"point ({place[0]:g}, {place[1]:g}) is nowhere near the face", path=path, field="points")
    if markup.name == IBUG68.name and len(known) == markup.n_points:
        eyes = known[36:48].reshape(2, 6, 2)
        if np.abs(eyes - eyes.mean(1, keepdims=True)).max() > EYE * math.sqrt(known.var(0).sum()):
            problem = "an eye's points lie far apart: are they of another markup, or counted from another point on?"
            raise BadItem(problem, path=path, field="points")
    plausible(points, markup, path, mask, any_pose)


def check_inside(points: np.ndarray, mask: np.ndarray, image: np.ndarray, path: Path | str) -> None:
    """Raise BadItem where most annotated points (L, 2) lie outside the image: they were made on one of another size.

    Of 5,601 real faces none has more than 0.16 of them outside.
    """
    height, width = image.shape[:2]
    outside = mask & ~((points > -1) & (points < (width, height))).all(1)
    if 2 * np.count_nonzero(outside) > np.count_nonzero(mask):
        problem = f"most points lie outside the picture of {width} x {height} pixels"
        raise BadItem(problem, path=path, field="points")


def _codes(known: np.ndarray) -> str:
    """Return what is wrong where points (N, 2) stand for "hidden" or "covered" instead of for a place, else ""."""
    below = np.asarray((known <= 0).all(1))
    low, flipped = known[below], np.where(below[:, None], -known, known)
    middle = np.median(flipped, 0)
    reach = np.median(np.sqrt(((flipped - middle) ** 2).sum(1)))
    # A face at the picture's first corner has points beyond it, too, but no two of them in one place.
    cornered = np.abs(middle).min() < 2 * reach and np.abs(middle).max() < 4 * reach
    if len(low) and (not cornered or len(low) > len(np.unique(low, axis=0))):
        return (
            f"{len(low)} points, such as ({low[0][0]:g}, {low[0][1]:g}), are codes and no places: MERL-RAV has hidden "
            "points as (-1, -1) and covered ones as (-x, -y) (--dataset merl_rav)"
        )
    places, counts = np.unique(known[(known < 0).any(1)], axis=0, return_counts=True)
    if counts.max(initial=1) > 1:
        place = places[counts.argmax()]
        return f"{counts.max()} points are all ({place[0]:g}, {place[1]:g}): a code for hidden, and no place"
    return ""


def plausible(
    points: np.ndarray, markup: Markup, path: Path | str, mask: np.ndarray | None = None, any_pose: bool = False
) -> None:
    """Raise BadItem unless the eye corners go round from the viewer's left to right and the mouth is below them.

    In the face's own frame, so that a tilted head passes; it catches mirrored faces, x and y swapped, and points of
    another markup, all of which would give plausible nonsense (DATASETS 6). What is not annotated (mask) is not looked
    at. any_pose is for data sets of profiles: the nearer the eyes to each other, for their distance to the mouth, the
    more the head is turned; from about 55 degrees on a corner may lie behind another, from 75 on nothing is certain.
    """
    # Complex numbers: seven points are few, and arrays of them cost more than what is done to them.
    places = list(markup.seven)
    known = [True] * 7 if mask is None else np.asarray(mask, bool)[places].tolist()
    seven = [complex(x, y) for x, y in np.asarray(points, np.float64)[places].tolist()]
    left, right, mouth = (
        [point for point, there in zip(seven[part], known[part], strict=True) if there]
        for part in (slice(0, 2), slice(2, 4), slice(5, 7))
    )
    if not (left and right and mouth):
        return
    one, other = sum(left) / len(left), sum(right) / len(right)
    across, below = other - one, sum(mouth) / len(mouth) - (one + other) / 2
    if any_pose and abs(across) < PROFILE * abs(below):
        return
    wrong = not (across.conjugate() * below).imag > 0
    if not any_pose or abs(across) >= TURNED * abs(below):
        for row in (left + right, mouth):  # going across the face
            steps = [(after - before) * across.conjugate() for before, after in pairwise(row)]
            wrong |= not all(step.real > 0 for step in steps)
    if wrong:
        problem = f"eye and mouth corners are not where those of a face in the {markup.name} markup are"
        raise BadItem(problem, path=path, field="points")
