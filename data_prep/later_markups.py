"""Markups of data sets that came after the papers' own: COFW, 300W-LP and AFLW2000-3D, WFLW."""

from dataclasses import replace

from rednet_core.markup import IBUG68, MARKUPS, Markup, _flip, _span

# The 68 of a face model in space: the same points, but a jaw that the head hides is where it is, not on the outline.
IBUG68_3D = replace(IBUG68, name="ibug68_3d")

# WFLW: 33 points along the jaw, brows as closed outlines from the outer end over the top (the viewer's left one; the
# right one begins at its inner end), eight points an eye, iBUG's lips, and the pupils last.
WFLW98 = Markup(
    name="wflw98",
    n_points=98,
    flip=_flip(
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
        "jaw": _span(0, 32),
        "left brow": _span(33, 41),
        "right brow": _span(42, 50),
        "nose": _span(51, 59),
        "left eye": (*_span(60, 67), 96),
        "right eye": (*_span(68, 75), 97),
        "mouth": _span(76, 95),
    },
    lines=(
        _span(0, 32),
        (*_span(33, 41), 33),
        (*_span(42, 50), 42),
        _span(51, 54),
        _span(55, 59),
        (*_span(60, 67), 60),
        (*_span(68, 75), 68),
        (*_span(76, 87), 76),
        (*_span(88, 95), 88),
    ),
)

# COFW (and LFPW's first release): the points go by kind, the viewer's left one of a pair first.
COFW29 = Markup(
    name="cofw29",
    n_points=29,
    flip=_flip(
        29,
        [(0, 1), (2, 3), (4, 6), (5, 7), (8, 9), (10, 11), (12, 14), (13, 15), (16, 17), (18, 19), (22, 23)],
    ),
    seven=(8, 10, 11, 9, 20, 22, 23),
    groups={
        "left brow": (0, 2, 4, 5),
        "right brow": (1, 3, 6, 7),
        "left eye": (8, 10, 12, 13, 16),
        "right eye": (9, 11, 14, 15, 17),
        "nose": _span(18, 21),
        "mouth": _span(22, 27),
        "jaw": (28,),
    },
    lines=(
        (0, 4, 2, 5, 0),
        (3, 6, 1, 7, 3),
        (8, 12, 10, 13, 8),
        (11, 14, 9, 15, 11),
        (18, 21, 19),
        (22, 24, 23, 27, 22),
        (22, 25, 23, 26, 22),
    ),
)

MARKUPS.update({markup.name: markup for markup in (IBUG68_3D, WFLW98, COFW29)})
