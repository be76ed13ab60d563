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
    components (journal figure 8); lines are polylines for drawing, as tuples of indices. stand_in are the places
    among the seven that the markup does not have: the index there is only the nearest point, never to be scored.
    """

    name: str
    n_points: int
    flip: tuple[int, ...]
    seven: tuple[int, ...]
    groups: dict[str, tuple[int, ...]] = field(repr=False, compare=False)
    lines: tuple[tuple[int, ...], ...] = field(repr=False, compare=False)
    stand_in: tuple[int, ...] = ()

    @property
    def outer_eyes(self) -> tuple[int, int]:
        """Indices of the two outer eye corners, whose distance is the inter-ocular distance."""
        return self.seven[0], self.seven[3]


def _span(first: int, last: int) -> tuple[int, ...]:
    return tuple(range(first, last + 1))


def _flip(n_points: int, swaps: list[tuple[int, int]]) -> tuple[int, ...]:
    flip = list(range(n_points))
    for a, b in swaps:
        flip[a], flip[b] = b, a
    return tuple(flip)


def _flip_68() -> tuple[int, ...]:
    swaps = [(i, 16 - i) for i in range(8)] + [(17 + i, 26 - i) for i in range(5)]
    swaps += [(31, 35), (32, 34), (36, 45), (37, 44), (38, 43), (39, 42), (40, 47), (41, 46)]
    swaps += [(48, 54), (49, 53), (50, 52), (55, 59), (56, 58), (60, 64), (61, 63), (65, 67)]
    return _flip(68, swaps)


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

# AFLW: features 1-21 of its data base, in order (DATASETS 2.3).
AFLW21 = Markup(
    name="aflw21",
    n_points=21,
    flip=_flip(21, [(0, 5), (1, 4), (2, 3), (6, 11), (7, 10), (8, 9), (12, 16), (13, 15), (17, 19)]),
    seven=(6, 8, 9, 11, 14, 17, 19),
    groups={
        "left brow": _span(0, 2),
        "right brow": _span(3, 5),
        "left eye": _span(6, 8),
        "right eye": _span(9, 11),
        "left ear": (12,),
        "nose": _span(13, 15),
        "right ear": (16,),
        "mouth": _span(17, 19),
        "jaw": (20,),
    },
    lines=(_span(0, 2), _span(3, 5), _span(6, 8), _span(9, 11), _span(13, 15), _span(17, 19)),
)

# Talking Face: the XM2VTS / FGNet markup, not iBUG's 68 (DATASETS 6). Which brow comes first is told differently;
# here the viewer's right one does, as in public tables of the XM2VTS points. Nothing but the two names hangs on it.
TALKING_FACE68 = Markup(
    name="talkingface68",
    n_points=68,
    flip=_flip(
        68,
        [(i, 14 - i) for i in range(7)]
        + [(15 + i, 21 + i) for i in range(6)]
        + [(27 + i, 32 + i) for i in range(5)]
        + [(37 + i, 45 - i) for i in range(4)]
        + [(46, 47), (48, 54), (49, 53), (50, 52), (55, 59), (56, 58), (60, 62), (63, 65)],
    ),
    seven=(27, 29, 34, 32, 67, 48, 54),
    groups={
        "jaw": _span(0, 14),
        "right brow": _span(15, 20),
        "left brow": _span(21, 26),
        "left eye": _span(27, 31),
        "right eye": _span(32, 36),
        "nose": (*_span(37, 47), 67),
        "mouth": _span(48, 66),
    },
    lines=(
        _span(0, 14),
        (*_span(15, 20), 15),
        (*_span(21, 26), 21),
        (*_span(27, 30), 27),
        (*_span(32, 35), 32),
        _span(37, 45),
        (*_span(48, 59), 48),
        _span(60, 62),
        _span(63, 65),
    ),
)


def _loop_swaps(first: int, count: int) -> list[tuple[int, int]]:
    """A closed line of `count` points from one corner (the first) to its mirror image, half way round, and back."""
    return [(first + i, first + (count // 2 - i) % count) for i in range(count)]


# Helen's original 194 points, in the order that the reader brings them to (data_prep.readers.helen194): open lines
# from the viewer's left to right, lips from the left corner over the top, eyes and brows from the outer corner over
# the top, the viewer's left one first. It has no nose tip; that 58 and 72 are the mouth corners and 114, 124, 134,
# 144 the eyes' is uncertain (DATASETS 4.2).
HELEN194 = Markup(
    name="helen194",
    n_points=194,
    flip=_flip(
        194,
        [(i, 40 - i) for i in range(20)]
        + [(41 + i, 57 - i) for i in range(8)]
        + _loop_swaps(58, 28)
        + _loop_swaps(86, 28)
        + [(114 + i, 134 + i) for i in range(20)]
        + [(154 + i, 174 + i) for i in range(20)],
    ),
    seven=(114, 124, 144, 134, 49, 58, 72),
    groups={
        "jaw": _span(0, 40),
        "nose": _span(41, 57),
        "mouth": _span(58, 113),
        "left eye": _span(114, 133),
        "right eye": _span(134, 153),
        "left brow": _span(154, 173),
        "right brow": _span(174, 193),
    },
    lines=(
        _span(0, 40),
        _span(41, 57),
        (*_span(58, 85), 58),
        (*_span(86, 113), 86),
        (*_span(114, 133), 114),
        (*_span(134, 153), 134),
        (*_span(154, 173), 154),
        (*_span(174, 193), 174),
    ),
    stand_in=(4,),
)

# LFW's ten points of Dantone et al. (DATASETS 3.3): the sides of the nose, but not its tip.
LFW10 = Markup(
    name="lfw10",
    n_points=10,
    flip=(7, 6, 3, 2, 4, 5, 1, 0, 9, 8),
    seven=(0, 1, 6, 7, 8, 2, 3),
    groups={"left eye": (0, 1), "mouth": _span(2, 5), "right eye": (6, 7), "nose": (8, 9)},
    lines=((0, 1), (6, 7), (2, 5, 3, 4, 2), (8, 9)),
    stand_in=(4,),
)

MARKUPS = {markup.name: markup for markup in (SEVEN, IBUG68, AFLW21, TALKING_FACE68, HELEN194, LFW10)}
