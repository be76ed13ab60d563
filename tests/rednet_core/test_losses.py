"""Both losses against float64 loops written from Eq. 5 and 7."""

import math

import numpy as np
import pytest
import torch

from rednet_core import losses


def case(n=2, c=3, h=4, w=5, seed=0):
    generator = torch.Generator().manual_seed(seed)
    values = 3 * torch.randn(n, c, h, w, generator=generator, dtype=torch.float64)
    foreground = (torch.rand(n, c, h, w, generator=generator) < 0.3).double()
    mask = torch.tensor([[True, False, True], [True, True, True]])
    target = torch.rand(n, c, h, w, generator=generator, dtype=torch.float64)
    return values, target, foreground, mask


def loop_mean(each, foreground, mask, weight):
    """Sum over the annotated points' pixels, foreground counted `weight` times, over the number of those pixels."""
    total = pixels = 0.0
    for n, c, y, x in np.ndindex(each.shape):
        if mask[n, c]:
            total += float(each[n, c, y, x]) * (weight if foreground[n, c, y, x] else 1.0)
            pixels += 1
    return total / pixels


@pytest.mark.parametrize("weight", [1.0, 15.0])
def test_detection_loss_is_eq_5_by_a_loop(weight):
    logits, _, target, mask = case()
    each = np.zeros(logits.shape)
    for place in np.ndindex(each.shape):
        p = 1 / (1 + math.exp(-float(logits[place])))
        each[place] = -math.log(p) if target[place] else -math.log(1 - p)
    expected = loop_mean(each, target, mask, weight)
    assert float(losses.detection_loss(logits, target, mask, weight)) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("weight", [1.0, 15.0])
def test_regression_loss_is_eq_7_by_a_loop(weight):
    values, target, foreground, mask = case(seed=1)
    each = (values.numpy() - target.numpy()) ** 2
    expected = loop_mean(each, foreground, mask, weight)
    found = losses.regression_loss(values, target, foreground, mask, weight)
    assert float(found) == pytest.approx(expected, rel=1e-9)


def test_foreground_weighs_fifteen_times_unless_told_otherwise():
    values, target, foreground, mask = case(seed=2)
    assert losses.FOREGROUND_WEIGHT == 15
    assert losses.detection_loss(values, foreground, mask) == losses.detection_loss(values, foreground, mask, 15.0)
    plain = losses.regression_loss(values, target, foreground, mask)
    assert plain == losses.regression_loss(values, target, foreground, mask, 15.0)
    assert plain != losses.regression_loss(values, target, foreground, mask, 14.0)


@pytest.mark.parametrize("kind", ["detection", "regression"])
def test_unannotated_points_give_exactly_no_gradient(kind):
    values, target, foreground, mask = case(seed=3)
    values.requires_grad_()
    if kind == "detection":
        losses.detection_loss(values, foreground, mask).backward()
    else:
        losses.regression_loss(values, target, foreground, mask).backward()
    assert (values.grad[0, 1] == 0).all()
    for n, c in ((0, 0), (0, 2), (1, 0), (1, 1), (1, 2)):
        assert (values.grad[n, c] != 0).all()


def test_the_mean_does_not_depend_on_how_many_points_are_annotated():
    values, target, foreground, _ = case(n=1, seed=4)
    values, target, foreground = (t[:, :1].expand(1, 3, -1, -1) for t in (values, target, foreground))
    one = losses.regression_loss(values, target, foreground, torch.tensor([[True, False, False]]))
    three = losses.regression_loss(values, target, foreground, torch.tensor([[True, True, True]]))
    torch.testing.assert_close(one, three)


def test_a_batch_without_any_annotation_loses_nothing():
    values, target, foreground, _ = case(seed=5)
    nothing = torch.zeros(2, 3, dtype=torch.bool)
    assert losses.detection_loss(values, foreground, nothing) == 0
    assert losses.regression_loss(values, target, foreground, nothing) == 0


def test_large_logits_stay_finite():
    logits = torch.tensor([[[[-200.0, 200.0]]]])
    loss = losses.detection_loss(logits, torch.tensor([[[[1.0, 0.0]]]]), torch.ones(1, 1), 1.0)
    assert float(loss) == pytest.approx(200)


@pytest.mark.parametrize("kind", ["detection", "regression"])
def test_balance_weighs_each_maps_foreground_by_its_own_background(kind):
    values, target, foreground, mask = case(seed=4)
    foreground[1, 2] = 0  # a point outside the picture: a map without foreground
    foreground[0, 0] = 1  # and one without background
    total = 0.0
    for n, c in np.ndindex(2, 3):
        if not mask[n, c]:
            continue
        ones = int(foreground[n, c].sum())
        for y, x in np.ndindex(4, 5):
            v, t = float(values[n, c, y, x]), float((foreground if kind == "detection" else target)[n, c, y, x])
            each = math.log1p(math.exp(-abs(v))) + max(v, 0) - v * t if kind == "detection" else (v - t) ** 2
            total += each * ((20 - ones) / ones if foreground[n, c, y, x] else 1)
    expected = total / (20 * int(mask.sum()))
    if kind == "detection":
        found = losses.detection_loss(values, foreground, mask, losses.BALANCE)
    else:
        found = losses.regression_loss(values, target, foreground, mask, losses.BALANCE)
    assert float(found) == pytest.approx(expected, rel=1e-9)
