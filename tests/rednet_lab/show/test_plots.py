"""Plots and tables that notebooks share show the numbers they are given."""

from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from rednet_core.training import COLUMNS
from rednet_lab.show import draw, plots

ERRORS = {"net": np.array([2.0, 4.0, 12.0, 3.0]), "mean face": np.array([8.0, 9.0, 20.0, 30.0])}


@pytest.fixture(autouse=True)
def close_figures():
    with plt.rc_context():
        yield
    plt.close("all")


@pytest.fixture
def trained():
    history = torch.rand(240, len(COLUMNS), generator=torch.Generator().manual_seed(0)) + 0.5
    history[:, COLUMNS.index("identity")] = torch.nan
    return SimpleNamespace(history=history, columns=COLUMNS)


def test_training_curves_show_every_step_and_a_running_median(trained):
    figure = plots.training_curves(trained, ("detection", "rate"))
    detection, rate = figure.axes
    assert (detection.get_yscale(), rate.get_yscale()) == ("log", "linear")
    assert detection.get_title() == "$l_d$" and detection.get_xlabel() == "step"
    every, smooth = (line.get_ydata() for line in detection.lines)
    raw = trained.history[:, COLUMNS.index("detection")].numpy()
    np.testing.assert_allclose(every, raw)
    window = 240 // 60
    wanted = [np.median(raw[max(0, i - window + 1) : i + 1]) for i in range(240)]
    np.testing.assert_allclose(smooth, wanted, rtol=1e-6)
    linear = plots.training_curves(trained, ("detection",), log=False)
    assert linear.axes[0].get_yscale() == "linear"


def test_a_history_of_a_few_steps_is_drawn_as_it_is(trained):
    trained.history = trained.history[:3]
    every, smooth = (line.get_ydata() for line in plots.training_curves(trained, ("regression",)).axes[0].lines)
    np.testing.assert_allclose(every, smooth)


def test_the_score_table_by_a_loop():
    groups = {"all": np.ones(4, bool), "some": np.array([True, False, True, False]), "nobody": np.zeros(4, bool)}
    table = plots.score_table(ERRORS, groups, "frames")
    assert list(table["group"]) == ["all", "all", "some", "some"]  # no row of an empty group
    assert list(table["predictor"]) == ["net", "mean face"] * 2
    for _, row in table.iterrows():
        kept = [e for e, keep in zip(ERRORS[row["predictor"]], groups[row["group"]], strict=True) if keep]
        mean = sum(kept) / len(kept)
        std = (sum((e - mean) ** 2 for e in kept) / len(kept)) ** 0.5
        assert row["frames"] == len(kept)
        assert row["mean (%)"] == pytest.approx(mean, abs=1e-3) and row["std (%)"] == pytest.approx(std, abs=1e-3)
        assert row["failures (%)"] == pytest.approx(100 * sum(e > 10 for e in kept) / len(kept), abs=1e-3)
        assert row["AUC"] == pytest.approx(sum(max(0, 1 - e / 10) for e in kept) / len(kept), abs=1e-3)


def test_our_measure_stands_beside_the_papers_where_it_differs():
    groups = {"all": np.ones(4, bool)}
    same = plots.score_table(ERRORS, groups, floor=np.ones(4))
    assert list(same) == list(plots.score_table(ERRORS, groups))
    table = plots.score_table(ERRORS, groups, floor=np.full(4, 0.5))
    np.testing.assert_allclose(table["mean, floored (%)"], 0.5 * table["mean (%)"], atol=2e-3)


def test_error_curves_rise_to_the_share_of_faces():
    _, ax = plt.subplots()
    plots.error_curves(ax, ERRORS, limit=25.0)
    net, mean = ax.lines[:2]
    assert [net.get_label(), mean.get_label()] == list(ERRORS)
    for line, each in ((net, ERRORS["net"]), (mean, ERRORS["mean face"])):
        for x, y in zip(line.get_xdata()[::100], line.get_ydata()[::100], strict=True):
            assert y == sum(e <= x for e in each) / 4
    assert net.get_ydata()[-1] == 1 and mean.get_ydata()[-1] == 0.75
    assert net.get_linestyle() != mean.get_linestyle()  # told apart without colour
    assert list(ax.lines[2].get_xdata()) == [10, 10]  # the papers' failure
    assert ax.get_xlim() == (0, 25)


def test_groups_by_yaw():
    yaw = np.array([0, -29.9, 30, 31, -90, np.nan])
    groups = plots.yaw_groups(yaw)
    assert list(groups["common"]) == [True, True, False, False, False, False]
    assert list(groups["challenging"]) == [False, False, True, True, True, False]
    assert groups["all"].all()


def test_a_grid_has_the_shape_of_its_pictures():
    pictures = [np.full((10, 20, 3), 60 * i, np.uint8) for i in range(4)]
    figure = plots.grid(pictures, 2, width=4)
    (ax,) = figure.axes
    shown = ax.images[0].get_array()
    assert shown.shape == (22, 42, 3) and not ax.axison
    assert figure.get_size_inches() == pytest.approx([4, 4 * 22 / 42])


def test_the_style_is_colour_blind_safe_and_repeatable():
    plots.use_style()
    assert plt.rcParams["svg.hashsalt"] == "rednet"
    cycle = plt.rcParams["axes.prop_cycle"].by_key()["color"]
    assert [c.strip("#") for c in cycle[:3]] == ["0173b2", "de8f05", "029e73"]  # seaborn's "colorblind"


def place_of(colour, picture):
    """Middle (x, y) of the pixels of that colour."""
    y, x = np.nonzero((np.abs(picture.astype(int) - colour) < 25).all(-1))
    assert len(x)
    return x.mean(), y.mean()


def test_a_charts_line_is_where_its_values_are():
    across, down = (
        draw.PANEL - plots.LEFT - plots.RIGHT,
        draw.PANEL - plots.TOP - plots.BOTTOM,
    )
    for y in (2.0, 8.0):
        line = plots.Line(np.array([4.0, 6.0]), np.array([y, y]), colour=draw.BLUE, width=3)
        x_at, y_at = place_of(draw.BLUE, plots.chart([line], x_range=(0, 10), y_range=(0, 10)))
        assert x_at == pytest.approx(plots.LEFT + across / 2, abs=1.5)
        assert y_at == pytest.approx(plots.TOP + down * (1 - y / 10), abs=1.5)


def test_a_chart_in_logarithms_has_a_factor_as_a_distance():
    heights = []
    for y in (0.1, 1.0, 10.0):
        line = plots.Line(np.array([0.0, 1.0]), np.array([y, y]), colour=draw.BLUE, width=3)
        heights.append(place_of(draw.BLUE, plots.chart([line], y_range=(0.01, 100.0), log=True))[1])
    assert heights[0] - heights[1] == pytest.approx(heights[1] - heights[2], abs=1.5) and heights[0] > heights[2] + 50


def test_a_chart_breaks_at_what_is_not_a_number_and_stays_in_its_frame():
    x = np.arange(5.0)
    line = plots.Line(x, np.array([1.0, 1, np.nan, 1, 1]), colour=draw.BLUE, width=3)
    picture = plots.chart([line], x_range=(0, 4), y_range=(0, 2))
    middle = plots.LEFT + (draw.PANEL - plots.LEFT - plots.RIGHT) // 2
    blue = (np.abs(picture.astype(int) - draw.BLUE) < 25).all(-1)
    assert not blue[:, middle].any() and blue[:, middle - 60].any() and blue[:, middle + 60].any()
    wide = plots.chart(
        [plots.Line(x * 10 - 20, x * 0 + 1.0, colour=draw.BLUE, width=3)], x_range=(0, 4), y_range=(0, 2)
    )
    blue = (np.abs(wide.astype(int) - draw.BLUE) < 25).all(-1)
    assert not blue[:, : plots.LEFT - 1].any() and not blue[:, draw.PANEL - plots.RIGHT + 2 :].any() and blue.any()


def test_a_chart_without_values_is_still_one():
    nothing = plots.Line(np.array([0.0, 1.0]), np.array([np.nan, np.nan]))
    for log in (False, True):
        assert plots.chart([nothing], log=log).shape == (draw.PANEL, draw.PANEL, 3)
