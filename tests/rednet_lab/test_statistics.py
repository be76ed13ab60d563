"""Standard errors and degrees of freedom of effects, where each training has test persons of its own."""

import numpy as np
import pytest
from scipy.special import stdtrit

from rednet_lab import statistics
from rednet_lab.statistics import STATISTICS, effect_of_sums, summed

FOLDS, PERSONS = 6, 46


def folds(between: float, within: float, seed: int = 0):
    """Return the effect of made-up trainings: each has own persons, and a spread of its own."""
    rng = np.random.default_rng(seed)
    sums = np.zeros((2, FOLDS, FOLDS * PERSONS, 4))
    for fold in range(FOLDS):
        where = fold * PERSONS + np.arange(PERSONS)
        shift = rng.normal(0, between)
        for side in range(2):
            value = 8 + side * (shift + rng.normal(0, within, PERSONS))
            value = np.broadcast_to(value, PERSONS)
            items = np.stack([np.ones(PERSONS), value, value**2, value > 10], -1)
            sums[side, fold] = summed(items[None], where, FOLDS * PERSONS)[0]
    return effect_of_sums(sums[0], sums[1], STATISTICS["mean"], own=True)


@pytest.mark.parametrize("between, within, train", [(1.0, 0.5, True), (0.0, 3.0, False)])
def test_of_folds_the_larger_standard_error_counts_with_its_own_freedom(between, within, train):
    found = folds(between, within, 3)
    spread = np.std(found.each, ddof=1) / np.sqrt(FOLDS)
    if train:
        assert found.test == 0 and found.train == pytest.approx(spread)
        assert found.high - found.mean == pytest.approx(spread * stdtrit(FOLDS - 1, 0.975))
    else:
        assert found.train == 0 and found.test >= spread
        assert found.high - found.mean == pytest.approx(found.test * stdtrit(FOLDS * PERSONS - 1, 0.975))


def test_no_effect_is_called_one_no_more_often_than_told(monkeypatch):
    monkeypatch.setattr(statistics, "DRAWS", 200)
    within = 1.0
    between = (
        within / np.sqrt(PERSONS) * np.sqrt(1.5)
    )  # six tenths of a fold's variance: where the sum of both was worst
    wrong = sum(not found.low <= 0 <= found.high for found in (folds(between, within, seed) for seed in range(150)))
    assert wrong <= 14  # 5 % of 150 is 7.5; more than 14 comes by chance one time in a hundred
