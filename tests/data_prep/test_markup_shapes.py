"""Every markup on one face: its seven are where the 68's are, and it mirrors as the markup says."""

import numpy as np
import pytest

from data_prep.markup_shapes import matrix, sketch
from data_prep.markups import MARKUPS, TALKING_FACE68
from rednet_core.geometry import mirror
from rednet_core.markup import IBUG68
from tests.helpers import face

every = pytest.mark.parametrize("markup", MARKUPS.values(), ids=MARKUPS)


@every
def test_the_seven_are_those_of_the_68_where_the_markup_has_them(markup):
    drawn = face((50, 44), 50, 0.1)
    found, wanted = sketch(drawn, markup)[list(markup.seven)], drawn[list(IBUG68.seven)]
    known = [place for place in range(7) if place not in markup.stand_in]
    np.testing.assert_allclose(found[known], wanted[known])


@every
def test_a_mirrored_face_is_sketched_as_the_mirrored_sketch(markup):
    drawn = face((50, 44), 50, 0.1) + np.random.default_rng(0).normal(0, 1, (68, 2))
    flipped = sketch(mirror(drawn, 100, IBUG68), markup)
    np.testing.assert_allclose(flipped, mirror(sketch(drawn, markup), 100, markup), atol=1e-9)


@every
def test_rows_are_weights_so_that_a_sketch_moves_with_its_face(markup):
    assert matrix(markup).shape == (markup.n_points, 68)
    np.testing.assert_allclose(matrix(markup).sum(1), 1)
    stacked = np.stack([face((50, 44), 50), face((20, 30), 25, 0.3)])
    assert sketch(stacked, markup).shape == (2, markup.n_points, 2)


def test_points_of_a_markup_are_all_different():
    for markup in MARKUPS.values():
        assert len(np.unique(sketch(face(), markup).round(6), axis=0)) == markup.n_points, markup.name


def test_the_two_68_are_not_the_same():
    drawn = face()
    assert (np.abs(sketch(drawn, TALKING_FACE68) - drawn).max(-1) > 0.01).sum() > 40
