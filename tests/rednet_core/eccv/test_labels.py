"""Label maps and clusters (Eq. 9) against loops over pixels."""

import numpy as np
import pytest
import torch

from rednet_core.eccv import labels
from tests.rednet_core.eccv.tiny import loop_centres, loop_map


@pytest.mark.parametrize("side", [7, 5, 3, 1])
def test_squares_are_a_loops(side):
    generator = torch.Generator().manual_seed(side)
    points = 44 * torch.rand(3, 6, 2, generator=generator) - 2  # some over the border, some overlapping
    present = torch.rand(3, 6, generator=generator) < 0.8
    found = labels.label_map(points, present, 40, side)
    assert found.dtype == torch.int64
    np.testing.assert_array_equal(found, loop_map(points, present, 40, side))


@pytest.mark.parametrize("side", [7, 5, 3])
def test_a_square_has_side_times_side_pixels_round_its_point(side):
    drawn = labels.label_map(torch.tensor([[[60.4, 70.6]]]), torch.ones(1, 1, dtype=torch.bool), 128, side)[0]
    rows, columns = np.nonzero(drawn.numpy())
    assert len(rows) == side**2 and (rows.mean(), columns.mean()) == (71, 60)


def test_a_side_scaled_with_the_map_gives_whole_odd_squares():
    """7, 5, 3 px of 128 are 3.5, 2.5 and 1.5 px of 64: drawn as 3, 3 and 1."""
    one = torch.ones(1, 1, dtype=torch.bool)
    counts = [int((labels.label_map(torch.full((1, 1, 2), 9.0), one, 20, s) > 0).sum()) for s in (3.5, 2.5, 1.5)]
    assert counts == [9, 9, 1]


def test_of_overlapping_squares_the_higher_label_is_seen():
    drawn = labels.label_map(torch.full((1, 3, 2), 5.0), torch.tensor([[True, True, False]]), 11, 3)
    assert set(drawn.flatten().tolist()) == {0, 2}


def test_cluster_centres_are_a_loops():
    generator = torch.Generator().manual_seed(0)
    classes = torch.randint(0, 6, (3, 9, 13), generator=generator)
    classes[0][classes[0] == 2] = 0  # a label without pixels
    classes[1][:] = 0  # nothing but background
    centres, present = labels.cluster_centres(classes, 5)
    expected, there = loop_centres(classes.numpy(), 5)
    np.testing.assert_array_equal(present, there)
    assert not present[0, 1] and not present[1].any() and present[2].all()
    np.testing.assert_allclose(centres.numpy()[there], expected[there], atol=1e-5)


def test_merging_takes_the_highest_channel():
    response = torch.randn(2, 4, 3, 5, generator=torch.Generator().manual_seed(1))
    merged = labels.merge(response)
    for n, i, j in np.ndindex(2, 3, 5):
        values = [float(response[n, l, i, j]) for l in range(4)]
        assert int(merged[n, i, j]) == values.index(max(values))


def test_drawn_squares_are_found_where_they_were_drawn():
    points = torch.tensor([[[20.0, 30.0], [90.0, 40.0], [64.0, 100.0]]])
    drawn = labels.label_map(points, torch.ones(1, 3, dtype=torch.bool), 128, 7)
    centres, present = labels.cluster_centres(drawn, 3)
    assert present.all() and torch.equal(centres, points)
