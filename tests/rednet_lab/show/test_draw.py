"""Pictures as arrays: where things are drawn, to a fraction of a pixel, and that nothing else is touched."""

import cv2
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from data_prep.markups import LINES
from rednet_core.markup import IBUG68
from rednet_lab.show import draw, plots
from tests.helpers import blob, centroid, face, smooth_picture

GREY = np.full((60, 60, 3), 100, np.uint8)


def changed(picture, before):
    """Where two pictures differ, (H, W) float."""
    return np.abs(picture.astype(float) - before).sum(-1)


def test_a_network_input_becomes_a_picture():
    x = torch.tensor([[[0.0, 1.0]], [[0.5, 2.0]], [[1 / 255, -1.0]]], requires_grad=True)  # (3, 1, 2)
    found = draw.picture(x)
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, [[[0, 128, 1], [255, 255, 0]]])
    np.testing.assert_array_equal(draw.picture(x.detach().numpy()), found)


@pytest.mark.parametrize("size", [20, 40, 95, 160])
def test_points_stay_on_their_pixels_when_a_picture_is_enlarged(size):
    where = np.array([13.3, 22.6])
    picture = np.repeat((blob(40, where, 3) * 255).astype(np.uint8)[..., None], 3, -1)
    large = draw.enlarge(picture, size)
    assert large.shape == (size, size, 3)
    np.testing.assert_allclose(centroid(large[..., 0]), draw.place(where, 40, size), atol=0.05 * size / 40 + 0.02)
    np.testing.assert_allclose(draw.place(draw.place(where, 40, size), size, 40), where)


def test_enlarging_keeps_the_shape_of_the_picture():
    assert draw.enlarge(np.zeros((30, 60, 3), np.uint8), 120).shape == (60, 120, 3)


@pytest.mark.parametrize("where", [(30.0, 20.0), (30.5, 20.25), (12.75, 41.0)])
def test_a_dot_is_where_its_point_is(where):
    before = GREY.copy()
    dotted = draw.points(GREY, np.array([where]), (255, 255, 255))
    np.testing.assert_array_equal(GREY, before)  # a copy
    np.testing.assert_allclose(centroid(changed(dotted, GREY)), where, atol=0.15)


def test_hidden_points_are_pink_and_the_others_not():
    where = np.array([[15.0, 15.0], [45.0, 45.0]])
    dotted = draw.points(GREY, where, draw.TRUTH, visible=np.array([True, False]))
    assert tuple(dotted[15, 15]) == draw.TRUTH and tuple(dotted[45, 45]) == draw.HIDDEN
    assert draw.TRUTH != draw.PREDICTED != draw.HIDDEN


def test_a_larger_dot_covers_more_and_a_markup_adds_its_lines():
    where = face((30, 30), 40)
    small, large = (changed(draw.points(GREY, where, size=s), GREY) > 0 for s in (1, 5))
    assert large.sum() > 2 * small.sum()
    lined = draw.points(GREY, where, markup=IBUG68, size=1)
    first, last = where[LINES[IBUG68.name][0][0]], where[LINES[IBUG68.name][0][1]]
    x, y = ((first + last) / 2).round().astype(int)
    assert changed(lined, GREY)[y, x] > 0


def test_points_far_outside_are_no_crash_and_leave_the_picture_alone():
    np.testing.assert_array_equal(draw.points(GREY, np.array([[1e12, -1e12], [-500.0, 20.0]])), GREY)


def test_a_box_is_where_it_says():
    boxed = draw.box(GREY, np.array([30.0, 25.0, 20.0]))
    rows, columns = np.nonzero(changed(boxed, GREY) > 200)
    assert (columns.min(), columns.max(), rows.min(), rows.max()) == (20, 40, 15, 35)
    assert (boxed[25, 30] == 100).all()
    np.testing.assert_allclose(boxed[15, 30], draw.YELLOW, atol=20)  # smoothed edges


def test_heat_is_dark_at_zero_and_ever_brighter():
    ramp = np.linspace(0, 2, 50)[None]
    light = cv2.cvtColor(draw.heat(ramp, top=2.0), cv2.COLOR_RGB2LAB)[0, :, 0].astype(int)
    assert light[0] < 5 and light[-1] > 230 and (np.diff(light) >= -1).all() and np.diff(light).max() < 15
    np.testing.assert_array_equal(draw.heat(np.array([[5.0]])), draw.heat(np.array([[1.0]])))  # clipped
    large = draw.heat(np.array([[0.0, 1.0], [1.0, 0.0]]), 8)
    assert large.shape == (8, 8, 3) and len(np.unique(large.reshape(-1, 3), axis=0)) == 2  # pixels stay squares


def test_an_overlay_shows_the_picture_where_the_map_is_zero():
    picture = smooth_picture(40, 40, np.random.default_rng(0))
    np.testing.assert_array_equal(draw.overlay(picture, np.zeros((10, 10))), picture)
    spot = draw.overlay(picture, blob(10, (7, 2), 0.8))
    assert np.hypot(*(centroid(changed(spot, picture)) - draw.place(np.array([7.0, 2.0]), 10, 40))) < 2
    assert (spot[30:, :15] == picture[30:, :15]).all()


def test_a_face_has_its_points_in_place_and_its_words():
    picture = np.full((20, 20, 3), 50, np.uint8)
    found, truth = np.array([[5.0, 15.0]]), np.array([[14.0, 6.0]])
    shown = draw.face(picture, 100, found=found, truth=truth)
    for where, colour in ((found, draw.PREDICTED), (truth, draw.TRUTH)):
        x, y = draw.place(where, 20, 100)[0].round().astype(int)
        assert tuple(shown[y, x]) == colour
    worded = draw.face(picture, 100, found=found, truth=truth, words="12.3 %")
    rows, columns = np.nonzero(changed(worded, shown))
    assert len(rows) and rows.max() < 30


def test_words_stand_in_the_corner_of_a_copy():
    labelled = draw.label(GREY, "step 1")
    assert (GREY == 100).all()
    rows, _ = np.nonzero(changed(labelled, GREY))
    assert rows.size and rows.max() < 30
    assert labelled.max() > 200 and labelled.min() < 20  # white on black: legible on any face


def test_a_montage_puts_pictures_in_order_on_white():
    pictures = [np.full((4, 6, 3), value, np.uint8) for value in (10, 20, 30)]
    sheet = draw.montage(pictures, 2, gap=1)
    assert sheet.shape == (9, 13, 3)
    assert (sheet[:4, :6] == 10).all() and (sheet[:4, 7:] == 20).all() and (sheet[5:, :6] == 30).all()
    assert (sheet[4] == 255).all() and (sheet[:, 6] == 255).all() and (sheet[5:, 7:] == 255).all()


def test_png_bytes_are_the_picture():
    picture = smooth_picture(13, 17, np.random.default_rng(1))
    decoded = cv2.imdecode(np.frombuffer(draw.png(picture), np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    np.testing.assert_array_equal(decoded, picture)


def test_a_label_map_is_laid_over_the_picture_and_its_background_is_not():
    values = np.zeros((3, 3), int)
    values[0, 2], values[2, 1] = 1, len(draw.LABELS) + 2  # the colours begin again
    shown = draw.labels(GREY, values, strength=1.0)
    assert shown.dtype == np.uint8 and shown.shape == GREY.shape
    np.testing.assert_array_equal(shown[10, 50], draw.LABELS[0])
    np.testing.assert_array_equal(shown[50, 30], draw.LABELS[1])
    assert (changed(shown, GREY) > 0).mean() == pytest.approx(2 / 9)


def test_an_arrow_ends_at_its_point():
    shown = draw.arrows(GREY, np.array([[10.0, 30.0]]), np.array([[40.0, 30.0]]))
    rows, columns = np.nonzero(changed(shown, GREY))
    assert 9 <= columns.min() <= 10 and 40 <= columns.max() <= 42 and set(rows) <= {28, 29, 30, 31, 32}
    assert (shown[30, 40] == draw.PREDICTED).all() and (GREY == 100).all()


def test_a_cross_stands_on_its_point_and_is_no_dot():
    where = np.array([[30.0, 20.0]])
    crossed, dotted = (changed(d, GREY) for d in (draw.crosses(GREY, where), draw.points(GREY, where, draw.TRUTH)))
    np.testing.assert_allclose(centroid(crossed), where[0], atol=0.15)
    rows, columns = np.nonzero(crossed > 60)
    # Two arms, a pixel to either side for smooth edges; a dot has corners.
    assert not (crossed > 60)[(abs(np.arange(60) - 20) > 1)[:, None] & (abs(np.arange(60) - 30) > 1)].any()
    assert rows.max() - rows.min() >= 4 and columns.max() - columns.min() >= 4
    assert ((crossed > 0) != (dotted > 0)).any()


def test_colours_of_a_difference_run_from_blue_by_pale_to_vermilion():
    np.testing.assert_array_equal(draw.diverging(5)[[0, 2, 4]], [draw.BLUE, draw.PALE, draw.VERMILION])


def test_words_are_written_where_they_are_said_to_be():
    page = np.full((40, 120, 3), 255, np.uint8)
    written = draw.words(page, [("ab", (60, 10), "ra"), ("far outside", (500, 500), "la")], 14)
    rows, columns = np.nonzero(written.min(-1) < 128)
    assert columns.max() < 60 and 10 <= rows.min() and rows.max() < 30 and (page == 255).all()


def test_a_title_stands_above_the_picture_and_leaves_it_as_it_is():
    picture = np.random.default_rng(0).integers(0, 255, (60, 80, 3)).astype(np.uint8)
    out = draw.titled(picture, "a face")
    np.testing.assert_array_equal(out[draw.TITLE :], picture)
    assert (out[: draw.TITLE] < 120).any() and (out[: draw.TITLE] == 255).any()


@pytest.fixture(scope="module")
def marked():
    """Many faces of all skin tones on one picture, green and orange dots on each, and where they are."""
    rng = np.random.default_rng(0)
    tones = ((230, 180, 150), (200, 140, 100), (140, 90, 60), (80, 50, 40), (250, 210, 190), (120, 110, 160))
    skins = [smooth_picture(80, 80, rng) // 2 + np.array(tone, np.uint8) // 2 for tone in tones]
    places = np.array([[20.0, 20.0], [60.0, 20.0], [40.0, 45.0], [25.0, 60.0]])
    faces = [draw.face(skin, 80, places[2:], places[:2]) for skin in skins * 6]
    return draw.montage(faces, 6)


def named_pixels(picture, marked, colour):
    """What became of the pixels that were of a colour, (N, 3) int."""
    return picture[(marked == colour).all(-1)].astype(int)


def test_a_small_palette_keeps_the_colours_that_captions_name(marked):
    """With a palette of its own the picture has no green: dots are few. Its truth turned blue."""
    out = cv2.imdecode(np.frombuffer(draw.palette_png(marked, 64), np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    assert len(np.unique(out.reshape(-1, 3), axis=0)) <= 64
    for colour in (draw.TRUTH, draw.PREDICTED):
        found = named_pixels(out, marked, colour)
        assert len(found) > 100 and np.abs(found - colour).max() <= 8
    assert np.abs(out.astype(int) - marked).mean() < 12  # and the faces are still faces


def test_a_figure_becomes_a_small_png_with_green_truth_and_orange_predictions(marked):
    figure, ax = plt.subplots(figsize=(7, 7))
    plots.picture_axes(ax, marked)
    for limit in (100_000, 40_000):
        data = draw.small_png(figure, limit)
        out = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[..., ::-1].astype(int)
        assert len(data) <= limit
        r, g, b = np.moveaxis(out, -1, 0)
        green, orange = (g > r + 60) & (g > b + 20), (r > g + 30) & (g > b + 90)
        wanted = [(marked == colour).all(-1).mean() for colour in (draw.TRUTH, draw.PREDICTED)]
        assert green.mean() > 0.4 * wanted[0] and orange.mean() > 0.4 * wanted[1]
        assert not ((b > r + 60) & (b > g + 60)).any()  # nothing turned blue
    plt.close(figure)
