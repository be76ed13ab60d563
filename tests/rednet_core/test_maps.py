"""Response maps against float64 loops, and decoding against the closed form of a Gaussian's centre."""

import math

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from rednet_core import maps


def some_points(n=2, count=3, size=16, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(n, count, 2, generator=generator, dtype=torch.float64) * (size + 6) - 3  # some lie outside


@pytest.mark.parametrize("radius", [0.4, 2.0, 3.7])
def test_discs_are_a_loop(radius):
    points, size = some_points(), 16
    drawn = maps.draw_discs(points, size, radius)
    assert drawn.shape == (2, 3, size, size)
    for n, i, y, x in np.ndindex(2, 3, size, size):
        distance = math.hypot(x - float(points[n, i, 0]), y - float(points[n, i, 1]))
        assert drawn[n, i, y, x] == (1 if distance <= radius else 0)


def test_a_disc_includes_the_pixels_at_exactly_its_radius():
    drawn = maps.draw_discs(torch.tensor([[[8.0, 8.0]]]), 16, 5.0)[0, 0]
    assert drawn[8, 13] == drawn[13, 8] == drawn[11, 12] == 1  # 5, 5 and the 3-4-5 triangle
    assert drawn[8, 14] == drawn[12, 12] == 0


@pytest.mark.parametrize("sigma", [0.7, 2.5])
def test_gaussians_are_a_loop(sigma):
    points, size = some_points(seed=1), 16
    drawn = maps.draw_gaussians(points, size, sigma)
    assert drawn.shape == (2, 3, size, size)
    for n, i, y, x in np.ndindex(2, 3, size, size):
        square = (x - float(points[n, i, 0])) ** 2 + (y - float(points[n, i, 1])) ** 2
        assert float(drawn[n, i, y, x]) == pytest.approx(math.exp(-square / (2 * sigma**2)), abs=1e-12)


def test_lengths_scale_with_the_map():
    assert maps.per_map(5, 128) == 5
    assert maps.per_map(5, 32) == 1.25
    assert (maps.PAPER_RADIUS, maps.PAPER_SIGMA, maps.PAPER_MAP) == (5, 5, 128)


def test_targets_keep_dtype():
    points = torch.zeros(1, 2, 2)
    assert maps.draw_discs(points, 8, 1).dtype == maps.draw_gaussians(points, 8, 1).dtype == torch.float32


def test_peaks_are_numpys_argmax():
    values = torch.rand(3, 4, 7, 9, generator=torch.Generator().manual_seed(2))
    place, height = maps.peaks(values)
    for n, i in np.ndindex(3, 4):
        row, column = np.unravel_index(values[n, i].numpy().argmax(), (7, 9))
        assert place[n, i].tolist() == [column, row]
        assert height[n, i] == values[n, i].numpy().max()


def test_of_equal_peaks_the_first_in_reading_order_counts():
    values = torch.zeros(1, 2, 6, 6)
    values[0, 0, 4, 1] = values[0, 0, 2, 5] = values[0, 0, 2, 3] = 1
    place, height = maps.peaks(values)
    assert place[0, 0].tolist() == [3, 2] and height[0, 0] == 1
    assert place[0, 1].tolist() == [0, 0] and height[0, 1] == 0


@given(st.data(), st.floats(1, 6), st.integers(16, 128))
def test_decoding_an_exact_gaussian_returns_its_centre(data, sigma, size):
    assume(6 * sigma < size - 1)
    inner = st.floats(3 * sigma, size - 1 - 3 * sigma)
    points = torch.tensor([[[data.draw(inner), data.draw(inner)], [data.draw(inner), data.draw(inner)]]])
    found = maps.decode(maps.draw_gaussians(points.float(), size, sigma), sigma)
    assert (found - points).abs().max() < 0.05


@pytest.mark.parametrize("size, sigma", [(128, 5.0), (32, 1.5), (16, 1.0)])
def test_decoding_is_exact_up_to_the_border(size, sigma):
    """The border cuts the window's and the peak's Gaussians; the plain rule errs by up to 0.99 px of 128 there."""
    along = torch.linspace(0, min(10.0, size / 2), 12)
    inside = torch.full_like(along, size * 0.4)
    for points in ([along, along], [along, inside], [size - 1 - along, inside], [inside, size - 1 - along]):
        points = torch.stack(points, -1)[None]
        found = maps.decode(maps.draw_gaussians(points, size, sigma), sigma)
        assert (found - points).abs().max() < 0.002


def test_an_unknown_point_has_an_empty_map():
    points = torch.tensor([[[float("nan"), 3.0], [4.0, 5.0]]])
    for drawn in (maps.draw_gaussians(points, 8, 1.0), maps.draw_discs(points, 8, 1.0)):
        assert (drawn[0, 0] == 0).all() and drawn[0, 1].max() == 1


@given(st.floats(0.05, 40))
def test_decoding_does_not_depend_on_the_peaks_height(height):
    points = torch.tensor([[[14.3, 17.8]]])
    found = maps.decode(height * maps.draw_gaussians(points, 32, 1.5), 1.5)
    assert (found - points).abs().max() < 0.01


def test_decoding_is_the_centre_of_mass_under_a_window_by_a_loop():
    generator = torch.Generator().manual_seed(3)
    values = torch.randn(2, 3, 25, 25, generator=generator, dtype=torch.float64)
    values[..., 10:15, 10:15] += 5  # the peaks stand far from the border, which has a rule of its own
    sigma = 1.7
    found = maps.decode(values, sigma)
    for n, i in np.ndindex(2, 3):
        picture = values[n, i].numpy()
        top_y, top_x = np.unravel_index(picture.argmax(), picture.shape)
        mass = sum_x = sum_y = 0.0
        for y, x in np.ndindex(picture.shape):
            dx, dy = x - top_x, y - top_y
            weight = max(picture[y, x], 0) * math.exp(-(dx * dx + dy * dy) / (2 * sigma**2))
            mass, sum_x, sum_y = mass + weight, sum_x + weight * dx, sum_y + weight * dy
        # Window and peak of one width: the product's centre lies half way, so the offset counts twice.
        expected = [top_x + 2 * sum_x / mass, top_y + 2 * sum_y / mass]
        np.testing.assert_allclose(found[n, i], expected, atol=1e-9)


def test_decoding_reads_each_map_by_itself():
    values = torch.rand(4, 5, 16, 16, generator=torch.Generator().manual_seed(4))
    together = maps.decode(values, 1.5)
    for n in range(4):
        for i in range(5):
            alone = maps.decode(values[n : n + 1, i : i + 1], 1.5)
            torch.testing.assert_close(together[n : n + 1, i : i + 1], alone)


def test_a_far_second_peak_does_not_pull():
    one, other = torch.tensor([[[10.4, 11.6]]]), torch.tensor([[[50.0, 52.0]]])
    values = maps.draw_gaussians(one, 64, 2.0) + 0.9 * maps.draw_gaussians(other, 64, 2.0)
    assert (maps.decode(values, 2.0) - one).abs().max() < 0.05


@pytest.mark.parametrize("value", [0.0, -1.0])
def test_empty_maps_give_finite_points(value):
    found = maps.decode(torch.full((2, 3, 8, 8), value), 1.5)
    assert found.isfinite().all() and (found >= 0).all() and (found < 8).all()


def test_a_mirrored_map_gives_the_mirrored_point():
    points = torch.tensor([[[9.3, 20.1]]])
    values = maps.draw_gaussians(points, 32, 1.5)
    found, mirrored = maps.decode(values, 1.5), maps.decode(values.flip(-1), 1.5)
    torch.testing.assert_close(mirrored[..., 0], 31 - found[..., 0], atol=1e-3, rtol=0)
    torch.testing.assert_close(mirrored[..., 1], found[..., 1], atol=1e-3, rtol=0)


@pytest.mark.parametrize("size, radius", [(16, 1.0), (32, 1.25), (64, 2.5), (128, 5.0)])
def test_a_saturated_disc_is_read_in_its_middle_where_its_highest_pixel_is_not(size, radius):
    generator = torch.Generator().manual_seed(size)
    points = radius + 2 + (size - 2 * radius - 5) * torch.rand(40, 1, 2, generator=generator)
    discs = maps.draw_discs(points, size, radius)
    off = (maps.decode_discs(discs, radius) - points).norm(dim=-1)
    highest = (maps.peaks(discs)[0] - points).norm(dim=-1)
    assert off.max() < 0.45 and off.mean() < 0.25
    if size == 128:
        assert highest.mean() > 2 and off.mean() < 0.12


@pytest.mark.parametrize("size, radius", [(16, 1.0), (32, 1.25), (64, 2.5), (128, 5.0)])
def test_discs_are_read_as_well_at_the_border_as_inside(size, radius):
    """What the border cuts off pulled the plain centre of mass up to 2.7 px inwards, of 128."""
    generator = torch.Generator().manual_seed(size)
    along, across = torch.rand(2, 60, 1, generator=generator) * torch.tensor([2 * radius, size - 1])[:, None, None]
    for x, y in ((along, across), (across, size - 1 - along), (along, along.flip(0)), (size - 1 - along, along)):
        points = torch.stack([x, y], -1)
        off = (maps.decode_discs(maps.draw_discs(points, size, radius), radius) - points).norm(dim=-1)
        assert off.max() < 0.65 and off.mean() < 0.22  # a disc of whole pixels knows its centre no better
        dx, dy = maps.distances(points, size)
        smooth = (radius + 0.5 - torch.hypot(dx[..., None, :], dy[..., :, None])).clamp(0, 1)
        assert (maps.decode_discs(smooth, radius) - points).abs().max() < 0.01


def test_a_disc_is_read_apart_from_a_second_lower_one():
    points = torch.tensor([[[20.3, 31.8], [45.0, 12.0]]])
    discs = maps.draw_discs(points, 64, 2.5)
    both = torch.stack([discs[:, 0] + 0.6 * discs[:, 1], 0.6 * discs[:, 0] + discs[:, 1]], 1)
    assert (maps.decode_discs(both, 2.5) - points).norm(dim=-1).max() < 0.3


def test_empty_and_full_probability_maps_give_points_in_the_map():
    for value in (0.0, 0.5, 1.0):
        found = maps.decode_discs(torch.full((1, 2, 16, 16), value), 2.0)
        assert torch.isfinite(found).all() and (found >= 0).all() and (found <= 15).all()
