"""Metrics against loops, scikit-learn's area and hand-made faces."""

import math

import numpy as np
import pytest
from sklearn import metrics as reference

from rednet_core import metrics
from rednet_core.markup import IBUG68, SEVEN
from tests.helpers import face

rng = np.random.default_rng


def faces(n=6, seed=0):
    points = np.stack([face((50, 50), 80 + 5 * k, 0.1 * k) for k in range(n)])
    return points, points + rng(seed).normal(0, 2, points.shape)


def test_errors_are_the_papers_by_a_loop():
    points, predicted = faces()
    found = metrics.errors(predicted, points, IBUG68)
    for n in range(len(points)):
        eye = math.dist(points[n, 36], points[n, 45])
        total = sum(math.dist(predicted[n, i], points[n, i]) for i in range(68))
        assert found[n] == pytest.approx(100 * total / 68 / eye, rel=1e-12)


def test_point_errors_are_a_loop():
    points, predicted = faces(seed=1)
    found = metrics.point_errors(predicted, points, IBUG68)
    assert found.shape == (6, 68)
    for n, i in ((0, 0), (3, 36), (5, 67)):
        expected = 100 * math.dist(predicted[n, i], points[n, i]) / math.dist(points[n, 36], points[n, 45])
        assert found[n, i] == pytest.approx(expected)


def test_errors_leave_out_what_is_not_annotated():
    points, predicted = faces(seed=2)
    mask = rng(3).random((6, 68)) < 0.5
    wild = predicted.copy()
    wild[~mask] += 1e6
    found = metrics.errors(wild, points, IBUG68, mask)
    for n in range(6):
        eye = math.dist(points[n, 36], points[n, 45])
        each = [math.dist(predicted[n, i], points[n, i]) for i in range(68) if mask[n, i]]
        assert found[n] == pytest.approx(100 * sum(each) / len(each) / eye)


def test_seven_points_use_their_own_outer_corners():
    points, predicted = faces(seed=4)
    seven = [36, 39, 42, 45, 30, 48, 54]
    found = metrics.errors(predicted[:, seven], points[:, seven], SEVEN)
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
    assert metrics.interocular(points, IBUG68)[0] == pytest.approx(plain)
    assert metrics.interocular(points, IBUG68, least=0)[0] == pytest.approx(plain)


@pytest.mark.parametrize("yaw", [62, 75, 90])
def test_the_floor_holds_beyond_sixty_degrees(yaw):
    points = turned(yaw)
    assert metrics.interocular(points, IBUG68)[0] == pytest.approx(0.65 * 100 / 3)
    assert metrics.interocular(points, IBUG68, least=0)[0] == pytest.approx(math.dist(points[0, 36], points[0, 45]))
    assert metrics.errors(points + 1, points, IBUG68)[0] < metrics.errors(points + 1, points, IBUG68, least=1e-6)[0]


def test_score_is_numpys_mean_std_and_share():
    each = np.array([1.0, 4.0, 10.0, 10.000001, 30.0])
    found = metrics.score(each)
    assert found.mean == pytest.approx(sum(each) / 5)
    assert found.std == pytest.approx(math.sqrt(sum((e - sum(each) / 5) ** 2 for e in each) / 5))
    assert found.failure == 40  # exactly 10 per cent is no failure yet
    assert found.count == 5
    assert found.auc == metrics.auc(each)


def test_the_curve_is_a_count():
    each = rng(5).gamma(2, 3, 50)
    thresholds, share = metrics.error_curve(each, limit=8, steps=40)
    assert thresholds[0] == 0 and thresholds[-1] == 8 and len(thresholds) == len(share) == 41
    for t, s in zip(thresholds, share, strict=True):
        assert s == pytest.approx(sum(e <= t for e in each) / 50)


def test_the_curve_counts_an_error_at_the_threshold():
    _, share = metrics.error_curve(np.array([0.0, 5.0]), limit=10, steps=2)
    assert share.tolist() == [0.5, 1.0, 1.0]


@pytest.mark.parametrize("limit", [5.0, 10.0])
def test_auc_is_scikit_learns_area_under_the_curve(limit):
    each = rng(6).gamma(2, 3, 200)
    thresholds, share = metrics.error_curve(each, limit, steps=20000)
    assert metrics.auc(each, limit) == pytest.approx(reference.auc(thresholds / limit, share), abs=1e-4)


def test_auc_of_perfect_and_of_hopeless_faces():
    assert metrics.auc(np.zeros(3)) == 1
    assert metrics.auc(np.array([10.0, 11.0, 1000.0])) == 0


def test_the_seven_are_scored_against_their_places_in_68():
    points, predicted = faces(seed=7)
    seven = [36, 39, 42, 45, 30, 48, 54]
    found = metrics.seven_errors(predicted[:, seven], points, IBUG68)
    for n in range(6):
        each = [math.dist(predicted[n, i], points[n, i]) for i in seven]
        assert found[n] == pytest.approx(100 * sum(each) / 7 / math.dist(points[n, 36], points[n, 45]))
    wide = turned(80)
    expected = 100 * math.sqrt(2) / (0.65 * 100 / 3)  # the floor holds here too
    assert metrics.seven_errors(wide[:, seven] + 1, wide, IBUG68)[0] == pytest.approx(expected)
