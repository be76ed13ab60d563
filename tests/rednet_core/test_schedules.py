"""Learning rates against closed forms."""

from types import SimpleNamespace

import pytest

from rednet_core.schedules import rate_at


def config(schedule, **changes):
    return SimpleNamespace(**{"schedule": schedule, "rate": 0.02, "steps": 1000, "steps_per_epoch": 7.5, **changes})


def test_constant():
    assert {rate_at(config("constant"), step) for step in (0, 500, 999)} == {0.02}


@pytest.mark.parametrize("epochs, factor", [(0, 1), (9.9, 1), (10, 0.8), (19.9, 0.8), (20, 0.64), (101, 0.8**10)])
def test_the_eccv_papers_steps_of_ten_epochs(epochs, factor):
    assert rate_at(config("steps"), int(epochs * 7.5)) == pytest.approx(0.02 * factor)


@pytest.mark.parametrize(
    "step, rate", [(0, 0.02), (599, 0.02), (600, 0.002), (849, 0.002), (850, 0.0002), (999, 0.0002)]
)
def test_the_journals_tenths(step, rate):
    assert rate_at(config("tenths"), step) == pytest.approx(rate)


def test_one_cycle_rises_for_a_fifth_and_falls_to_a_thousandth():
    rates = [rate_at(config("one_cycle"), step) for step in range(1001)]
    assert rates[0] == pytest.approx(0.04 * 0.02)
    assert max(rates) == rates[200] == pytest.approx(0.02)
    assert rates[1000] == pytest.approx(0.02e-3)
    assert all(a < b for a, b in zip(rates[:200], rates[1:201], strict=True))
    assert all(a > b for a, b in zip(rates[200:], rates[201:], strict=False))
    assert rates[100] == pytest.approx(0.02 * (0.04 + 0.96 / 2))  # half way up the cosine
    assert rates[600] == pytest.approx(0.02 * (1 + 1e-3) / 2)  # half way down


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_one_cycle_of_a_few_steps_is_positive(steps):
    assert all(0 < rate_at(config("one_cycle", steps=steps), step) <= 0.02 for step in range(steps))
