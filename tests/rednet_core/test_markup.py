"""Markups against the drawn face's own symmetry and against DATASETS 0.1."""

import numpy as np
import pytest

from rednet_core.markup import IBUG68, MARKUPS, SEVEN
from tests.helpers import template

BOTH = pytest.mark.parametrize("markup", MARKUPS.values(), ids=list(MARKUPS))


@BOTH
def test_flipping_twice_gives_every_point_back(markup):
    assert sorted(markup.flip) == list(range(markup.n_points))
    assert [markup.flip[markup.flip[i]] for i in range(markup.n_points)] == list(range(markup.n_points))


@BOTH
def test_the_seven_flip_into_the_seven_in_the_order_of_the_seven(markup):
    assert [markup.flip[i] for i in markup.seven] == [markup.seven[i] for i in (3, 2, 1, 0, 4, 6, 5)]


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
    edges = {frozenset(pair) for line in markup.lines for pair in zip(line, line[1:], strict=False)}
    assert max(i for line in markup.lines for i in line) < markup.n_points
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


def test_markups_are_found_by_name_and_are_not_equal():
    assert MARKUPS == {"seven": SEVEN, "ibug68": IBUG68}
    assert SEVEN != IBUG68
