"""Landmark markups: what the points of a face are, how they mirror, and which of them are the seven.

A markup is a type of its own: two data sets with 68 points each need not mean the same 68 points.
"Left" is the viewer's left throughout, as in the papers' data sets.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Markup:
    """The meaning of the L points of a face.

    flip[i] is the point that stands at place i after the picture is mirrored; seven are the indices of the
    papers' seven points (four eye corners, nose tip, two mouth corners) in this markup; groups are facial
    components (journal figure 8); lines are polylines for drawing, as tuples of indices.
    """

    name: str
    n_points: int
    flip: tuple[int, ...]
    seven: tuple[int, ...]
    groups: dict[str, tuple[int, ...]] = field(repr=False, compare=False)
    lines: tuple[tuple[int, ...], ...] = field(repr=False, compare=False)

    @property
    def outer_eyes(self) -> tuple[int, int]:
        """Indices of the two outer eye corners, whose distance is the inter-ocular distance."""
        return self.seven[0], self.seven[3]


def _span(first: int, last: int) -> tuple[int, ...]:
    return tuple(range(first, last + 1))


def _flip_68() -> tuple[int, ...]:
    swaps = [(i, 16 - i) for i in range(8)] + [(17 + i, 26 - i) for i in range(5)]
    swaps += [(31, 35), (32, 34), (36, 45), (37, 44), (38, 43), (39, 42), (40, 47), (41, 46)]
    swaps += [(48, 54), (49, 53), (50, 52), (55, 59), (56, 58), (60, 64), (61, 63), (65, 67)]
    flip = list(range(68))
    for a, b in swaps:
        flip[a], flip[b] = b, a
    return tuple(flip)


SEVEN = Markup(
    name="seven",
    n_points=7,
    flip=(3, 2, 1, 0, 4, 6, 5),
    seven=(0, 1, 2, 3, 4, 5, 6),
    groups={"left eye": (0, 1), "right eye": (2, 3), "nose": (4,), "mouth": (5, 6)},
    lines=((0, 1), (2, 3), (5, 6)),
)

IBUG68 = Markup(
    name="ibug68",
    n_points=68,
    flip=_flip_68(),
    seven=(36, 39, 42, 45, 30, 48, 54),
    groups={
        "jaw": _span(0, 16),
        "left brow": _span(17, 21),
        "right brow": _span(22, 26),
        "nose": _span(27, 35),
        "left eye": _span(36, 41),
        "right eye": _span(42, 47),
        "mouth": _span(48, 67),
    },
    lines=(
        _span(0, 16),
        _span(17, 21),
        _span(22, 26),
        _span(27, 30),
        _span(31, 35),
        (*_span(36, 41), 36),
        (*_span(42, 47), 42),
        (*_span(48, 59), 48),
        (*_span(60, 67), 60),
    ),
)

MARKUPS = {markup.name: markup for markup in (SEVEN, IBUG68)}
