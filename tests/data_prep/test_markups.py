"""Markups against the drawn face's own symmetry and against DATASETS 0.1."""

import numpy as np
import pytest

from data_prep.markups import AFLW21, HELEN194, LFW10, LINES, MARKUPS, TALKING_FACE68
from rednet_core.markup import IBUG68, SEVEN
from tests.helpers import template

BOTH = pytest.mark.parametrize("markup", MARKUPS.values(), ids=list(MARKUPS))


@BOTH
def test_flipping_twice_gives_every_point_back(markup):
    assert sorted(markup.flip) == list(range(markup.n_points))
    assert [markup.flip[markup.flip[i]] for i in range(markup.n_points)] == list(range(markup.n_points))


@BOTH
def test_the_seven_flip_into_the_seven_in_the_order_of_the_seven(markup):
    real = [place for place in range(7) if place not in markup.stand_in]
    mirrored = [markup.seven[i] for i in (3, 2, 1, 0, 4, 6, 5)]
    assert [markup.flip[markup.seven[place]] for place in real] == [mirrored[place] for place in real]


@BOTH
def test_groups_hold_every_point_once(markup):
    members = [i for group in markup.groups.values() for i in group]
    assert sorted(members) == list(range(markup.n_points))


@BOTH
def test_groups_flip_into_groups(markup):
    for name, group in markup.groups.items():
        side = {"left": "right", "right": "left"}
        other = " ".join(side.get(word, word) for word in name.split())
        assert {markup.flip[i] for i in group} == set(markup.groups[other]), name


@BOTH
def test_lines_name_points_of_the_markup_and_flip_into_lines(markup):
    edges = {frozenset(pair) for line in LINES[markup.name] for pair in zip(line, line[1:], strict=False)}
    assert max(i for line in LINES[markup.name] for i in line) < markup.n_points
    assert {frozenset(markup.flip[i] for i in edge) for edge in edges} == edges


def test_the_drawn_faces_mirror_image_is_its_own_permutation():
    drawn = template()
    np.testing.assert_allclose(drawn * [-1, 1], drawn[list(IBUG68.flip)], atol=1e-12)


def test_seven_points_of_68_are_those_of_the_authors():
    assert IBUG68.seven == (36, 39, 42, 45, 30, 48, 54)
    assert SEVEN.flip == (3, 2, 1, 0, 4, 6, 5)
    assert IBUG68.outer_eyes == (36, 45) and SEVEN.outer_eyes == (0, 3)


def test_groups_of_68_are_the_fields_ranges():
    spans = {"jaw": (0, 17), "left brow": (17, 22), "right brow": (22, 27), "nose": (27, 36)}
    spans |= {"left eye": (36, 42), "right eye": (42, 48), "mouth": (48, 68)}
    assert {name: (group[0], group[-1] + 1) for name, group in IBUG68.groups.items()} == spans


def test_left_is_the_viewers_left():
    drawn = template()  # x grows to the viewer's right
    for name, group in IBUG68.groups.items():
        if "left" in name:
            assert drawn[list(group), 0].max() < 0
        if "right" in name:
            assert drawn[list(group), 0].min() > 0


def test_markups_are_found_by_name_and_no_two_are_equal():
    known = [SEVEN, IBUG68, AFLW21, TALKING_FACE68, HELEN194, LFW10]
    assert list(MARKUPS.values())[:6] == known and all(MARKUPS[markup.name] is markup for markup in known)
    assert len(set(MARKUPS.values())) == len(MARKUPS) >= 6


def test_the_two_68_point_markups_cannot_be_confused():
    assert IBUG68.n_points == TALKING_FACE68.n_points == 68 and IBUG68 != TALKING_FACE68
    assert TALKING_FACE68.seven == (27, 29, 34, 32, 67, 48, 54)  # DATASETS 6: the right eye's outer corner comes first
    assert TALKING_FACE68.outer_eyes == (27, 32)


def test_aflws_seven_are_its_features_7_9_10_12_15_18_20():
    assert [i + 1 for i in AFLW21.seven] == [7, 9, 10, 12, 15, 18, 20]
    assert [i + 1 for i in AFLW21.flip] == [6, 5, 4, 3, 2, 1, 12, 11, 10, 9, 8, 7, 17, 16, 15, 14, 13, 20, 19, 18, 21]


def test_what_has_no_nose_tip_says_so():
    assert [markup.name for markup in MARKUPS.values() if markup.stand_in] == ["helen194", "lfw10"]
    assert HELEN194.stand_in == LFW10.stand_in == (4,)


def test_helens_lips_mirror_about_their_corners():
    assert (HELEN194.flip[58], HELEN194.flip[65], HELEN194.flip[79]) == (72, 65, 79)  # corner, top, bottom
    assert (HELEN194.flip[59], HELEN194.flip[85]) == (71, 73)
    assert (HELEN194.flip[20], HELEN194.flip[49], HELEN194.flip[115]) == (20, 49, 135)
