"""Metrics against loops, scikit-learn's area and hand-made faces."""

import inspect
import math

import numpy as np
import pytest

from rednet_core import metrics
from rednet_core.markup import IBUG68, SEVEN
from tests.helpers import face

rng = np.random.default_rng


def all_of(points):
    return np.ones(points.shape[:-1], bool)


def faces(n=6, seed=0):
    points = np.stack([face((50, 50), 80 + 5 * k, 0.1 * k) for k in range(n)])
    return points, points + rng(seed).normal(0, 2, points.shape)


def test_nme_is_the_papers_by_a_loop():
    points, predicted = faces()
    found = metrics.nme(predicted, points, IBUG68, all_of(points))
    for n in range(len(points)):
        eye = math.dist(points[n, 36], points[n, 45])
        total = sum(math.dist(predicted[n, i], points[n, i]) for i in range(68))
        assert found[n] == pytest.approx(100 * total / 68 / eye, rel=1e-12)


def test_point_nme_is_a_loop():
    points, predicted = faces(seed=1)
    found = metrics.point_nme(predicted, points, IBUG68, all_of(points))
    assert found.shape == (6, 68)
    for n, i in ((0, 0), (3, 36), (5, 67)):
        expected = 100 * math.dist(predicted[n, i], points[n, i]) / math.dist(points[n, 36], points[n, 45])
        assert found[n, i] == pytest.approx(expected)


def test_nme_leaves_out_what_is_not_annotated():
    points, predicted = faces(seed=2)
    mask = rng(3).random((6, 68)) < 0.5
    mask[:, [36, 45]] = True
    wild = predicted.copy()
    wild[~mask] += 1e6
    found = metrics.nme(wild, points, IBUG68, mask)
    for n in range(6):
        eye = math.dist(points[n, 36], points[n, 45])
        each = [math.dist(predicted[n, i], points[n, i]) for i in range(68) if mask[n, i]]
        assert found[n] == pytest.approx(100 * sum(each) / len(each) / eye)


def test_seven_points_use_their_own_outer_corners():
    points, predicted = faces(seed=4)
    seven = [36, 39, 42, 45, 30, 48, 54]
    found = metrics.nme(predicted[:, seven], points[:, seven], SEVEN, all_of(points[:, seven]))
    for n in range(6):
        each = [math.dist(predicted[n, i], points[n, i]) for i in seven]
        assert found[n] == pytest.approx(100 * sum(each) / 7 / math.dist(points[n, 36], points[n, 45]))


def turned(yaw_degrees):
    """A face whose width shrinks as a turned head's does (weak perspective, a flat face), eyes and mouth level."""
    points = face((0, 0), 1.0)
    # The drawn face's eyes are 0.52 apart where eyes and mouth are 1/3: widen it to the average 1.3 (metrics.py).
    points[:, 0] *= 1.3 / 3 / 0.52 * math.cos(math.radians(yaw_degrees))
    return points[None] * 100


@pytest.mark.parametrize("yaw", [0, 30, 45, 59])
def test_the_floor_does_nothing_up_to_sixty_degrees(yaw):
    points = turned(yaw)
    plain = math.dist(points[0, 36], points[0, 45])
    assert metrics.interocular(points, IBUG68, all_of(points), "floored")[0] == pytest.approx(plain)
    assert metrics.interocular(points, IBUG68, all_of(points))[0] == pytest.approx(plain)


@pytest.mark.parametrize("yaw", [62, 75, 90])
def test_the_floor_holds_beyond_sixty_degrees(yaw):
    points = turned(yaw)
    assert metrics.interocular(points, IBUG68, all_of(points), "floored")[0] == pytest.approx(0.65 * 100 / 3)
    plain = math.dist(points[0, 36], points[0, 45])
    assert metrics.interocular(points, IBUG68, all_of(points))[0] == pytest.approx(plain)  # the papers' by default
    points[:, 45, 0] += 0.1  # at 90 degrees the papers' measure is infinite
    ours, papers = (metrics.nme(points + 1, points, IBUG68, all_of(points), n)[0] for n in ("floored", "corners"))
    assert ours < papers


def test_the_seven_are_scored_against_their_places_in_68():
    points, predicted = faces(seed=7)
    seven = [36, 39, 42, 45, 30, 48, 54]
    found = metrics.seven_nme(predicted[:, seven], points, IBUG68, all_of(points))
    for n in range(6):
        each = [math.dist(predicted[n, i], points[n, i]) for i in seven]
        assert found[n] == pytest.approx(100 * sum(each) / 7 / math.dist(points[n, 36], points[n, 45]))
    wide = turned(80)
    expected = 100 * math.sqrt(2) / (0.65 * 100 / 3)  # the floor holds here too
    assert metrics.seven_nme(wide[:, seven] + 1, wide, IBUG68, all_of(wide), "floored")[0] == pytest.approx(expected)


def test_jitter_counts_trembling_only():
    markup = IBUG68
    truth = np.zeros((5, 68, 2))
    truth[:, markup.outer_eyes[1], 0] = 50.0
    truth[:, list(markup.seven)[5:], 1] = 40.0
    assert np.allclose(metrics.jitter(truth + 3.0, truth, markup, all_of(truth)), 0)
    moved = truth + np.arange(5)[:, None, None] % 2 * np.array([1.0, 0.0])
    expected = 100 / metrics.interocular(truth, markup, all_of(truth))[1:]
    assert np.allclose(metrics.jitter(moved, truth, markup, all_of(truth)), expected)


def test_disc_accuracy_looks_inside_the_discs():
    discs = np.zeros((1, 2, 8, 8))
    discs[0, :, 2:4, 2:4] = 1
    said = np.zeros_like(discs)
    said[0, 0, 2:4, 2] = 0.9  # half of the disc
    said[0, 1] = 0.9  # everything, the disc too
    assert metrics.disc_accuracy(said, discs, np.ones((1, 2), bool)).tolist() == [[0.5, 1.0]]


@pytest.mark.parametrize("hidden", [36, 39, 48])
def test_what_is_not_annotated_is_never_scored(hidden):
    """A perfect answer to a face with one corner hidden, whose stored place is rubbish, has no error in any measure."""
    truth = np.stack([face((50, 50), 80)] * 3)
    answer, seven = truth.copy(), list(IBUG68.seven)
    truth[:, hidden] = np.nan, 1e4
    mask = all_of(truth)
    mask[:, hidden] = False
    for normaliser in ("corners", "floored", "pupils"):
        assert (metrics.nme(answer, truth, IBUG68, mask, normaliser) == 0).all()
        assert (metrics.seven_nme(answer[:, seven], truth, IBUG68, mask, normaliser) == 0).all()
        assert (metrics.jitter(answer, truth, IBUG68, mask, normaliser) == 0).all()
    single = metrics.point_nme(answer, truth, IBUG68, mask)
    assert np.isnan(single[:, hidden]).all() and np.nansum(single) == 0
    discs, known = np.ones((1, 2, 4, 4)), np.array([[True, False]])
    found = metrics.disc_accuracy(np.zeros((1, 2, 4, 4)), discs, known)
    assert found[0, 0] == 0 and np.isnan(found[0, 1])


def test_no_measure_has_a_default_without_the_mask():
    for measure in (metrics.nme, metrics.point_nme, metrics.seven_nme, metrics.jitter, metrics.disc_accuracy):
        assert inspect.signature(measure).parameters["mask"].default is inspect.Parameter.empty


def test_the_pupils_are_the_middles_of_the_eyes():
    points = np.stack([face((50, 50), 80)])
    left, right = points[0, 36:42].mean(0), points[0, 42:48].mean(0)
    assert metrics.interocular(points, IBUG68, all_of(points), "pupils")[0] == pytest.approx(math.dist(left, right))


def test_a_hidden_outer_corner_gives_the_scale_of_a_frontal_face():
    points = turned(0)
    mask = all_of(points)
    mask[0, 36] = False
    for normaliser in ("corners", "floored"):
        found = metrics.interocular(points, IBUG68, mask, normaliser)[0]
        assert found == pytest.approx(math.dist(points[0, 36], points[0, 45]), rel=0.03)


def test_errors_of_float32_points_are_float64():
    truth, predicted = (points.astype(np.float32) for points in faces())
    seven, every = predicted[:, list(IBUG68.seven)], all_of(truth)
    found = metrics.nme(predicted, truth, IBUG68, every), metrics.jitter(predicted, truth, IBUG68, every)
    assert {one.dtype for one in (*found, metrics.seven_nme(seven, truth, IBUG68, every))} == {np.dtype(float)}
