"""Any reader in iBUG's 68 points: what its markup has of them stands in its place, everything else is masked.

So AFLW (21) or LFW (7) can be trained on together with Helen and LFPW (68). The seven that every markup names are the
same points in all of them (98 -> 68 -> 7); what more a markup has is in two tables here. EXACT are points with the same
definition. NEAR are points that lie close by and mean nearly the same; they are masked unless they are asked for.
"""

from dataclasses import replace

import numpy as np

from data_prep.item import Item
from data_prep.wrapped import Wrapped
from rednet_core.markup import IBUG68, Markup


def _runs(*runs: tuple[range, range]) -> dict[int, int]:
    """Return {place in the 68: place in the other markup} of ranges of one length, pair by pair."""
    return {own: other for ours, theirs in runs for own, other in zip(ours, theirs, strict=True)}


# WFLW spreads 33 points along the jaw where iBUG has 17: every second one. Its brows are closed outlines of nine points
# (upper edge first) and its lids have three points between the corners where iBUG has two: none of those is the same.
EXACT = {
    "ibug68": _runs((range(68), range(68))),
    "ibug68_3d": _runs((range(17, 68), range(17, 68))),
    "wflw98": _runs(
        (range(17), range(0, 33, 2)),  # jaw
        (range(27, 36), range(51, 60)),  # nose
        (range(48, 68), range(76, 96)),  # lips
    ),
}
NEAR = {
    "ibug68_3d": _runs((range(17), range(17))),  # the jaw of a head in space: where it is hidden, not the outline
    "wflw98": _runs((range(17, 22), range(33, 38)), (range(22, 27), range(42, 47)))
    | {37: 61, 38: 63, 40: 65, 41: 67, 43: 69, 44: 71, 46: 73, 47: 75},
    "aflw21": {17: 0, 21: 2, 22: 3, 26: 5, 31: 13, 35: 15, 8: 20},  # ends of the brows, sides of the nose, chin
    "cofw29": {8: 28, 17: 0, 26: 1, 21: 2, 22: 3, 31: 18, 35: 19, 33: 21, 51: 24, 62: 25, 66: 26, 57: 27},
    "lfw10": {57: 4, 51: 5, 31: 8, 35: 9},
    "talkingface68": _runs((range(49, 54), range(49, 54)), (range(55, 60), range(55, 60))),  # the outer lip
}


def places_of(markup: Markup, near: bool = False) -> np.ndarray:
    """Return where each of the 68 stands in a markup (68,), -1 where it does not; with near also the nearly same."""
    places = np.full(IBUG68.n_points, -1)
    for own, other in (NEAR.get(markup.name, {}) if near else {}).items():
        places[own] = other
    for own, other in EXACT.get(markup.name, {}).items():
        places[own] = other
    for number, (own, other) in enumerate(zip(IBUG68.seven, markup.seven, strict=True)):
        if number not in markup.stand_in:
            places[own] = other
    return places


class SixtyEightPoints(Wrapped):
    """A reader whose items are `reader`'s in the markup of 68; what its own markup lacks is masked, never made up.

    A masked point holds the middle of the known ones: a place in the face, so that no geometry meets a sentinel.
    """

    markup = IBUG68

    def __init__(self, reader, near: bool = False):
        super().__init__(reader)
        self.places = places_of(reader.markup, near)
        self.description = {"68 points of": reader.description, "markup": reader.markup.name, "near": near}

    def __getitem__(self, index: int) -> Item:
        item, here = self.reader[index], self.places >= 0
        mask, visible = here & item.mask[self.places], here & item.visible[self.places]
        points = self._placed(item.points, mask)
        return replace(item, points=points, mask=mask, visible=visible & mask)

    def _placed(self, points: np.ndarray, mask: np.ndarray) -> np.ndarray:
        placed = points[self.places]
        placed[~mask] = placed[mask].mean(0) if mask.any() else points.mean(0)
        return placed

    def annotation(self, index: int) -> np.ndarray:
        """Return the points (68, 2) of a video's frame, without reading its picture; raise BadItem."""
        return self._placed(self.reader.annotation(index), self.places >= 0)
