"""The markups of single data sets, beside the papers' two (`rednet_core.markup`), and MARKUPS, which holds all.

Importing this module makes their names known to network configurations and prepared stores. `markup_shapes` draws them.
"""

from dataclasses import replace

from rednet_core.markup import IBUG68, MARKUPS, SEVEN, Markup, flip_of, span

__all__ = ["AFLW21", "COFW29", "HELEN194", "IBUG68_3D", "LFW10", "LINES", "MARKUPS", "TALKING_FACE68", "WFLW98"]

# AFLW: features 1-21 of its data base, in order (DATASETS 2.3).
AFLW21 = Markup(
    name="aflw21",
    n_points=21,
    flip=flip_of(21, [(0, 5), (1, 4), (2, 3), (6, 11), (7, 10), (8, 9), (12, 16), (13, 15), (17, 19)]),
    seven=(6, 8, 9, 11, 14, 17, 19),
    groups={
        "left brow": span(0, 2),
        "right brow": span(3, 5),
        "left eye": span(6, 8),
        "right eye": span(9, 11),
        "left ear": (12,),
        "nose": span(13, 15),
        "right ear": (16,),
        "mouth": span(17, 19),
        "jaw": (20,),
    },
)

# Talking Face: the XM2VTS / FGNet markup, not iBUG's 68 (DATASETS 6). Which brow comes first is told differently;
# here the viewer's right one does, as in public tables of the XM2VTS points. Nothing but the two names hangs on it.
TALKING_FACE68 = Markup(
    name="talkingface68",
    n_points=68,
    flip=flip_of(
        68,
        [(i, 14 - i) for i in range(7)]
        + [(15 + i, 21 + i) for i in range(6)]
        + [(27 + i, 32 + i) for i in range(5)]
        + [(37 + i, 45 - i) for i in range(4)]
        + [(46, 47), (48, 54), (49, 53), (50, 52), (55, 59), (56, 58), (60, 62), (63, 65)],
    ),
    seven=(27, 29, 34, 32, 67, 48, 54),
    groups={
        "jaw": span(0, 14),
        "right brow": span(15, 20),
        "left brow": span(21, 26),
        "left eye": span(27, 31),
        "right eye": span(32, 36),
        "nose": (*span(37, 47), 67),
        "mouth": span(48, 66),
    },
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
    flip=flip_of(
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
        "jaw": span(0, 40),
        "nose": span(41, 57),
        "mouth": span(58, 113),
        "left eye": span(114, 133),
        "right eye": span(134, 153),
        "left brow": span(154, 173),
        "right brow": span(174, 193),
    },
    stand_in=(4,),
)

# LFW's ten points of Dantone et al. (DATASETS 3.3): the sides of the nose, but not its tip.
LFW10 = Markup(
    name="lfw10",
    n_points=10,
    flip=(7, 6, 3, 2, 4, 5, 1, 0, 9, 8),
    seven=(0, 1, 6, 7, 8, 2, 3),
    groups={"left eye": (0, 1), "mouth": span(2, 5), "right eye": (6, 7), "nose": (8, 9)},
    stand_in=(4,),
)

# The 68 of a face model in space: the same points, but a jaw that the head hides is where it is, not on the outline.
IBUG68_3D = replace(IBUG68, name="ibug68_3d")

# WFLW: 33 points along the jaw, brows as closed outlines from the outer end over the top (the viewer's left one; the
# right one begins at its inner end), eight points an eye, iBUG's lips, and the pupils last.
WFLW98 = Markup(
    name="wflw98",
    n_points=98,
    flip=flip_of(
        98,
        [(i, 32 - i) for i in range(16)]
        + [(33 + i, 46 - i) for i in range(5)]
        + [(38, 50), (39, 49), (40, 48), (41, 47), (55, 59), (56, 58)]
        + [(60 + i, 72 - i) for i in range(5)]
        + [(65, 75), (66, 74), (67, 73), (76, 82), (77, 81), (78, 80), (83, 87), (84, 86)]
        + [(88, 92), (89, 91), (93, 95), (96, 97)],
    ),
    seven=(60, 64, 68, 72, 54, 76, 82),
    groups={
        "jaw": span(0, 32),
        "left brow": span(33, 41),
        "right brow": span(42, 50),
        "nose": span(51, 59),
        "left eye": (*span(60, 67), 96),
        "right eye": (*span(68, 75), 97),
        "mouth": span(76, 95),
    },
)

# COFW (and LFPW's first release): the points go by kind, the viewer's left one of a pair first.
COFW29 = Markup(
    name="cofw29",
    n_points=29,
    flip=flip_of(
        29,
        [(0, 1), (2, 3), (4, 6), (5, 7), (8, 9), (10, 11), (12, 14), (13, 15), (16, 17), (18, 19), (22, 23)],
    ),
    seven=(8, 10, 11, 9, 20, 22, 23),
    groups={
        "left brow": (0, 2, 4, 5),
        "right brow": (1, 3, 6, 7),
        "left eye": (8, 10, 12, 13, 16),
        "right eye": (9, 11, 14, 15, 17),
        "nose": span(18, 21),
        "mouth": span(22, 27),
        "jaw": (28,),
    },
)

MARKUPS.update({markup.name: markup for markup in (AFLW21, TALKING_FACE68, HELEN194, LFW10, IBUG68_3D, WFLW98, COFW29)})

# Polylines to draw a face by, as tuples of indices.
LINES: dict[str, tuple[tuple[int, ...], ...]] = {
    SEVEN.name: ((0, 1), (2, 3), (5, 6)),
    IBUG68.name: (
        span(0, 16),
        span(17, 21),
        span(22, 26),
        span(27, 30),
        span(31, 35),
        (*span(36, 41), 36),
        (*span(42, 47), 42),
        (*span(48, 59), 48),
        (*span(60, 67), 60),
    ),
    AFLW21.name: (span(0, 2), span(3, 5), span(6, 8), span(9, 11), span(13, 15), span(17, 19)),
    TALKING_FACE68.name: (
        span(0, 14),
        (*span(15, 20), 15),
        (*span(21, 26), 21),
        (*span(27, 30), 27),
        (*span(32, 35), 32),
        span(37, 45),
        (*span(48, 59), 48),
        span(60, 62),
        span(63, 65),
    ),
    HELEN194.name: (
        span(0, 40),
        span(41, 57),
        (*span(58, 85), 58),
        (*span(86, 113), 86),
        (*span(114, 133), 114),
        (*span(134, 153), 134),
        (*span(154, 173), 154),
        (*span(174, 193), 174),
    ),
    LFW10.name: ((0, 1), (6, 7), (2, 5, 3, 4, 2), (8, 9)),
    WFLW98.name: (
        span(0, 32),
        (*span(33, 41), 33),
        (*span(42, 50), 42),
        span(51, 54),
        span(55, 59),
        (*span(60, 67), 60),
        (*span(68, 75), 68),
        (*span(76, 87), 76),
        (*span(88, 95), 88),
    ),
    COFW29.name: (
        (0, 4, 2, 5, 0),
        (3, 6, 1, 7, 3),
        (8, 12, 10, 13, 8),
        (11, 14, 9, 15, 11),
        (18, 21, 19),
        (22, 24, 23, 27, 22),
        (22, 25, 23, 26, 22),
    ),
}
LINES[IBUG68_3D.name] = LINES[IBUG68.name]
