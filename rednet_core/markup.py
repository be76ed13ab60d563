"""Landmark markups: what the points of a face are, how they mirror, and which of them are the seven.

A markup is a type of its own: two data sets with 68 points each need not mean the same 68 points.
"Left" is the viewer's left throughout, as in the papers' data sets. The papers' two markups are here; those of
single data sets are in `data_prep.markups`, which adds them to MARKUPS.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Markup:
    """The meaning of the L points of a face.

    flip[i] is the point that stands at place i after the picture is mirrored; seven are the indices of the
    papers' seven points (four eye corners, nose tip, two mouth corners) in this markup; groups are facial
    components (journal figure 8). stand_in are the places among the seven that the markup does not have: the index
    there is only the nearest point, never to be scored.
    """

    name: str
    n_points: int
    flip: tuple[int, ...]
    seven: tuple[int, ...]
    groups: dict[str, tuple[int, ...]] = field(repr=False, compare=False)
    stand_in: tuple[int, ...] = ()

    @property
    def outer_eyes(self) -> tuple[int, int]:
        """Return the indices of the two outer eye corners, whose distance is the inter-ocular distance."""
        return self.seven[0], self.seven[3]


def span(first: int, last: int) -> tuple[int, ...]:
    """Return the indices first ... last, both included."""
    return tuple(range(first, last + 1))


def flip_of(n_points: int, swaps: list[tuple[int, int]]) -> tuple[int, ...]:
    """Return `Markup.flip` from the pairs of points that change places."""
    flip = list(range(n_points))
    for a, b in swaps:
        flip[a], flip[b] = b, a
    return tuple(flip)


def _flip_68() -> tuple[int, ...]:
    swaps = [(i, 16 - i) for i in range(8)] + [(17 + i, 26 - i) for i in range(5)]
    swaps += [(31, 35), (32, 34), (36, 45), (37, 44), (38, 43), (39, 42), (40, 47), (41, 46)]
    swaps += [(48, 54), (49, 53), (50, 52), (55, 59), (56, 58), (60, 64), (61, 63), (65, 67)]
    return flip_of(68, swaps)


SEVEN = Markup(
    name="seven",
    n_points=7,
    flip=(3, 2, 1, 0, 4, 6, 5),
    seven=(0, 1, 2, 3, 4, 5, 6),
    groups={"left eye": (0, 1), "right eye": (2, 3), "nose": (4,), "mouth": (5, 6)},
)

IBUG68 = Markup(
    name="ibug68",
    n_points=68,
    flip=_flip_68(),
    seven=(36, 39, 42, 45, 30, 48, 54),
    groups={
        "jaw": span(0, 16),
        "left brow": span(17, 21),
        "right brow": span(22, 26),
        "nose": span(27, 35),
        "left eye": span(36, 41),
        "right eye": span(42, 47),
        "mouth": span(48, 67),
    },
)

MARKUPS = {markup.name: markup for markup in (SEVEN, IBUG68)}
