"""Predictions over whole sets, scores and curves: against a hand-driven tracker, OpenCV's crops and plain loops."""

import math

import cv2
import numpy as np
import pytest
import torch
from sklearn import metrics as reference

from rednet_core import geometry
from rednet_core.tracking import Tracker
from rednet_lab import evaluation
from tests.helpers import face, loop_box, template, tiny_net


@pytest.mark.parametrize("kind", ["trained", "remembering"])
def test_videos_in_step_are_a_hand_driven_tracker_on_each(data, kind, request):
    net = request.getfixturevalue(kind)
    rows = np.random.default_rng(0).permutation(len(data.table))  # rows may come in any order
    seen = []
    result = evaluation.predict_videos(net, data, rows, progress=lambda done, total: seen.append((done, total)))
    assert sorted(result.rows) == list(range(len(data.table)))
    np.testing.assert_array_equal(result.truth, data.table["points"][result.rows])
    np.testing.assert_array_equal(result.mask, data.table["mask"][result.rows])
    assert seen == [(t, 6) for t in range(1, 7)]
    for video in range(5):
        mine = np.flatnonzero(data.table["video"][result.rows] == video)
        frames = data.table["frame"][result.rows[mine]]
        assert (np.diff(frames) > 0).all()
        tracker = Tracker(net)
        tracker.start(loop_box(data.table["points"][result.rows[mine[0]]]))
        expected = np.stack([tracker.update(data.crops[result.rows[place]]).points[0] for place in mine])
        # Rounding can flip a pixel on the edge of z_0's discs and so move a point or two; not most of them.
        assert np.quantile(np.abs(result.points[mine] - expected), 0.9) < 0.05, video


def test_choices_reach_the_tracker(data, remembering):
    net, rows = remembering, np.arange(len(data.table))
    with_memory = evaluation.predict_videos(net, data, rows)
    without = evaluation.predict_videos(net, data, rows, temporal=False)
    assert np.quantile(np.abs(with_memory.points - without.points), 0.9) > 0.05  # beyond the tolerance above


def test_stills_are_read_in_their_own_boxes_step_by_step(data, trained):
    net = trained
    rows, seen = np.array([5, 2, 9, 11, 0]), []
    result = evaluation.predict_stills(net, data, rows, batch=2, progress=lambda *d: seen.append(d))
    assert seen == [(2, 5), (4, 5), (5, 5)]
    assert [s.shape for s in result.steps] == [(5, 7, 2), (5, 68, 2), (5, 68, 2)]
    np.testing.assert_array_equal(result.points, result.steps[-1])
    np.testing.assert_array_equal(result.rows, rows)
    for n, row in enumerate(rows):
        box = loop_box(data.table["points"][row])
        scale = 32 / box[2]
        matrix = np.array([[scale, 0, 15.5 - scale * box[0]], [0, scale, 15.5 - scale * box[1]]])
        crop = cv2.warpAffine(data.crops[row].astype(np.float64), matrix, (32, 32), borderMode=cv2.BORDER_REPLICATE)
        x = torch.tensor(crop / 255, dtype=torch.float32).permute(2, 0, 1)[None]
        with torch.no_grad():
            out = net(x, net.draw_z0(net.mean_points()[None]))
        for k in range(3):
            expected = (net.points(out, k)[0].numpy() - 15.5) / scale + box[:2]
            # OpenCV's crop differs by a grey level here and there; most points are read off the same peak
            close = np.abs(result.steps[k][n] - expected).max(-1) < 0.5
            assert close.mean() > 0.85, (n, k)


def test_stills_from_nothing_differ_from_stills_from_the_mean_face(data, trained):
    rows = np.arange(4)
    mean, zeros = (evaluation.predict_stills(trained, data, rows, guess=guess) for guess in ("mean", "zeros"))
    assert not np.allclose(mean.points, zeros.points)


def test_the_batch_size_of_stills_does_not_matter(data, trained):
    rows = np.arange(7)
    one, other = (evaluation.predict_stills(trained, data, rows, batch=batch) for batch in (1, 7))
    np.testing.assert_allclose(one.points, other.points, atol=0.02)


def test_the_mean_shape_is_a_loop():
    rng = np.random.default_rng(5)
    points = np.stack([face(rng.uniform(20, 60, 2), rng.uniform(20, 60)) + rng.normal(0, 1, (68, 2)) for _ in range(7)])
    found = geometry.mean_shape(points, tiny_net().markup, np.ones((7, 68), bool))
    expected = np.zeros((68, 2))
    for k in range(7):
        x, y, side = loop_box(points[k])
        for i in range(68):
            expected[i] += (points[k, i] - [x, y]) / side / 7
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_the_mean_shape_of_one_face_everywhere_is_that_face():
    points = np.stack([face((30 + k, 40), 20 + k) for k in range(5)])
    np.testing.assert_allclose(
        geometry.mean_shape(points, tiny_net().markup, np.ones((5, 68), bool)), template(), atol=1e-6
    )


def test_the_mean_shape_predictor_is_a_loop(data):
    rows = np.array([3, 1, 8])
    result = evaluation.predict_mean_shape(template(), data, rows, tiny_net().markup)
    for n, row in enumerate(rows):
        x, y, side = loop_box(data.table["points"][row])
        for i in (0, 36, 54):
            np.testing.assert_allclose(result.points[n, i], template()[i] * side + [x, y], atol=1e-3)
    np.testing.assert_array_equal(result.truth, data.table["points"][rows])


def test_score_is_numpys_mean_std_and_share():
    each = np.array([1.0, 4.0, 10.0, 10.000001, 30.0])
    found = evaluation.score(each)
    assert found.mean == pytest.approx(sum(each) / 5)
    assert found.std == pytest.approx(math.sqrt(sum((e - sum(each) / 5) ** 2 for e in each) / 5))
    assert found.failure == 40  # exactly 10 per cent is no failure yet
    assert found.count == 5
    assert found.auc == evaluation.auc(each)


def test_the_curve_is_a_count():
    each = np.random.default_rng(5).gamma(2, 3, 50)
    thresholds, share = evaluation.error_curve(each, limit=8, steps=40)
    assert thresholds[0] == 0 and thresholds[-1] == 8 and len(thresholds) == len(share) == 41
    for t, s in zip(thresholds, share, strict=True):
        assert s == pytest.approx(sum(e <= t for e in each) / 50)


def test_the_curve_counts_an_error_at_the_threshold():
    _, share = evaluation.error_curve(np.array([0.0, 5.0]), limit=10, steps=2)
    assert share.tolist() == [0.5, 1.0, 1.0]


@pytest.mark.parametrize("limit", [5.0, 10.0])
def test_auc_is_scikit_learns_area_under_the_curve(limit):
    each = np.random.default_rng(6).gamma(2, 3, 200)
    thresholds, share = evaluation.error_curve(each, limit, steps=20000)
    assert evaluation.auc(each, limit) == pytest.approx(reference.auc(thresholds / limit, share), abs=1e-4)


def test_auc_of_perfect_and_of_hopeless_faces():
    assert evaluation.auc(np.zeros(3)) == 1
    assert evaluation.auc(np.array([10.0, 11.0, 1000.0])) == 0
