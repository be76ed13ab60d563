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
EYES = slice(36, 42), slice(42, 48)
EYE = 0.5  # reach of an eye's contour, in sizes of the face: real ones 0.39 at most, counted from another point 0.68
SMALLEST = 2.5  # pixels across which a face has: of one with less nothing is left (`prepare.MIN_BOX`)
CORNER, LOOSE = 1.6, 0.75  # pixels from the picture's corner, from whatever number they count; share of its sides
APART = 0.25  # box sides between its centre and the points' middle
UPPER_LEFT = "the points lie in the picture's upper left"
TURNED, PROFILE = 0.5, 0.2  # distance of the eyes over that to the mouth: heads turned by about 55 and 75 degrees


def check_points(
    points: np.ndarray,
    mask: np.ndarray,
    markup: Markup,
    path: Path | str,
    any_pose: bool = False,
    size: tuple[int, int] | None = None,
    box: np.ndarray | None = None,
) -> tuple[float, float, float, float] | None:
    """Return the left, top, right and bottom of the annotated points (L, 2) of a face, None where there are none; raise
    BadItem where they cannot be places of a face in its picture.

    Every reader's points go through here: numbers of pixels, no places that are codes, none far from the face, eyes and
    mouth that lie as a face's do (`plausible`). With the picture's size (width, height), and with the data set's own
    box (3,) where it has one: counted from the picture's corner, not from a box's.
    """
    points, mask = np.asarray(points, np.float64), np.asarray(mask, bool)
    known = points if mask.all() else points[mask]
    count = len(known)
    if not count:
        return None
    xs, ys = known.T.tolist()  # lists: for the least and the largest of so few numbers they are faster than arrays
    left, top, right, bottom = sides = min(xs), min(ys), max(xs), max(ys)
    x, y = sum(xs) / count, sum(ys) / count
    if not math.isfinite(x + y):
        raise BadItem("a coordinate is not finite", path=path, field="points")
    most = max(-left, -top, right, bottom)
    if most > LARGEST:
        problem = f"coordinate {most:g} is not a number of pixels (the largest is {LARGEST:g})"
        raise BadItem(problem, path=path, field="points")
    if count > 4 and 0 < (most := max(right - left, bottom - top)) < SMALLEST:
        problem = f"all points lie within {most:.2g} pixels: are they shares of the picture, or of a box? multiply them"
        raise BadItem(problem, path=path, field="points")
    if (left <= 0 or top <= 0) and (coded := _codes(known)):
        raise BadItem(coded, path=path, field="points")
    away = np.abs(known - (x, y))
    if count > 4 and max(right - x, x - left, bottom - y, y - top) > NEAR * float(np.maximum(*away.T).sum()) / count:
        distance = np.sqrt(((known - np.median(known, 0)) ** 2).sum(1))  # else none can be far
        if distance.max() > FAR * np.median(distance):
            place = known[distance.argmax()]
            raise BadItem(f"point ({place[0]:g}, {place[1]:g}) is nowhere near the face", path=path, field="points")
    if markup.name == IBUG68.name and count == markup.n_points:
        reach = EYE * math.sqrt(np.vdot(away, away) / count)
        if any(_reach(line[eye]) > reach for line in (xs, ys) for eye in EYES):
            problem = "an eye's points lie far apart: are they of another markup, or counted from another point on?"
            raise BadItem(problem, path=path, field="points")
    plausible(points, markup, path, mask, any_pose)
    if size and (elsewhere := _elsewhere(known, sides, size, box)):
        raise BadItem(elsewhere, path=path, field="points")
    return sides


def _reach(numbers: list[float]) -> float:
    middle = sum(numbers) / len(numbers)
    return max(max(numbers) - middle, middle - min(numbers))


def _elsewhere(known: np.ndarray, sides: tuple[float, float, float, float], size: tuple[int, int], box) -> str:
    """Return what is wrong where points (N, 2) between sides (left, top, right, bottom) do not lie in the picture of
    that size, or are counted from another corner than its own, else "".

    Of 5,601 real faces none has more than 0.16 of its points outside, and none begins within 2 pixels of both sides.
    """
    left, top, right, bottom = sides
    if min(left, top) <= -1 or right >= size[0] or bottom >= size[1]:
        outside = np.count_nonzero(~((known > -1) & (known < size)).all(1))
        if 2 * outside > len(known):
            return f"most points lie outside the picture of {size[0]} x {size[1]} pixels"
    if len(known) < 5:
        return ""
    relative = "points are counted from {} corner, not from the picture's: add the corner to them"
    width, height = right - left, bottom - top
    if max(abs(left), abs(top)) <= CORNER and width < LOOSE * size[0] and height < LOOSE * size[1]:
        first = known <= (left + 0.1, top + 0.1)  # of a face that its picture cuts off many are
        alone = len(known) > 20 and first.all(1).any()  # in the corner itself: none of so many on a face is
        if first.sum(0).max() <= max(4, len(known) // 10) and not alone:
            return relative.format("their own")
    if box is not None:
        x, y, side = np.asarray(box, np.float64).tolist()
        across, down = (left + right) / 2, (top + bottom) / 2
        apart, moved = max(abs(across - x), abs(down - y)), max(abs(across - side / 2), abs(down - side / 2))
        if apart > APART * side and moved < apart / 2:  # with the box's corner added they would lie in the box
            return relative.format("the face box's")
    return ""


def placed(sides: tuple[float, float, float, float] | None, size: tuple[int, int]) -> tuple[str, ...]:
    """Return a note where points between these sides lie in the upper left of a picture of that size.

    One face may; where all of a data set do (`data_prep.account`), they were made on smaller pictures, or in boxes.
    """
    if sides and sides[0] + sides[2] < 0.8 * size[0] and sides[1] + sides[3] < 0.8 * size[1]:
        return (UPPER_LEFT,)
    return ()


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
