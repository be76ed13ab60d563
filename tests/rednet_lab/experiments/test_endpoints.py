"""The rules are complete, say what they mean, and give the right word for effects whose truth is known."""

from dataclasses import replace

import numpy as np
import pytest

from rednet_lab.experiments import endpoints
from rednet_lab.experiments.endpoints import Endpoint, EndpointError, Gate, holm, judge, load, p_value
from rednet_lab.statistics import Effect, effect

RULES, CLAIMS = load()


def found(mean, test=0.05, train=0.05, first=10.0, seeds=6, clusters=60) -> Effect:
    """Return an effect of that size on an error of ten per cent."""
    wide = 2 * float(np.hypot(test, train))
    return Effect(first, first + mean, mean, mean - wide, mean + wide, test, train, seeds, clusters, (mean,) * seeds)


LOWER = Endpoint("C1", "a lower error", "NME", "lower", 4.0)
ALIKE = Endpoint("C13", "alike", "recognised", "alike", 5.0, unit="points")


def word(endpoint, one, **more):
    return judge(endpoint, one, RULES, p_value(one, endpoint, RULES), **{"converged": 0.5, **more}).word


def test_every_claim_of_the_papers_has_one_primary_question():
    assert set(CLAIMS) == {f"C{n}" for n in range(1, 15)}
    assert all(one.says and one.measure for one in CLAIMS.values())
    assert RULES.trainings >= 6 and RULES.level == 0.95 and RULES.null_level == 0.9


@pytest.mark.parametrize("claim", [c for c, one in CLAIMS.items() if one.paper and one.unit == "%" and one.effect])
def test_the_smallest_effect_is_half_of_the_papers_gain(claim):
    one = CLAIMS[claim]
    gain = 100 * abs(one.paper[1] - one.paper[0]) / one.paper[0]
    assert one.effect == pytest.approx(gain / 2, abs=0.07)


def test_the_papers_gain_in_points_is_halved_too():
    one = CLAIMS["C5"]
    assert one.effect == pytest.approx((one.paper[1] - one.paper[0]) / 2)


def test_each_word_has_its_effect():
    assert word(LOWER, found(-0.8)) == endpoints.SUPPORTED
    assert word(LOWER, found(+0.8)) == endpoints.OPPOSITE
    assert word(LOWER, found(0.0)) == endpoints.NOT_SEEN
    assert word(LOWER, found(-0.3, 0.3, 0.3)) == endpoints.OPEN
    assert word(LOWER, found(-0.8), own_data=True) == endpoints.REPRODUCED
    assert word(LOWER, found(+0.8), own_data=True) == endpoints.CONTRADICTED
    assert word(ALIKE, found(1.0, 0.5, 0.5)) == endpoints.SUPPORTED
    assert word(ALIKE, found(-12.0, 1.0, 1.0)) == endpoints.OPPOSITE
    assert word(ALIKE, found(4.0, 2.0, 2.0)) == endpoints.OPEN


def test_a_sure_effect_that_is_too_small_to_matter_is_not_seen():
    tiny = found(-0.1, 0.01, 0.01)
    assert p_value(tiny, LOWER, RULES) < 0.001 and word(LOWER, tiny) == endpoints.NOT_SEEN


def test_higher_is_lower_the_other_way_round():
    assert word(replace(LOWER, wanted="higher"), found(0.8)) == endpoints.SUPPORTED


def test_failed_gates_and_few_trainings_decide_nothing():
    gated = replace(LOWER, gate=Gate("memory", "is it used?", 0.0))
    strong = found(-0.8)
    assert word(LOWER, strong, converged=4.0) == endpoints.NOT_TESTABLE
    assert word(LOWER, strong, converged=None) == endpoints.NOT_TESTABLE
    assert word(gated, strong) == endpoints.NOT_TESTABLE
    assert word(gated, strong, gate=0.0) == endpoints.NOT_TESTABLE
    assert word(gated, strong, gate=0.1) == endpoints.SUPPORTED
    assert word(LOWER, replace(strong, seeds=5)) == endpoints.WAITING


def test_holm_is_stepwise_and_never_falls():
    assert holm({"a": 0.01, "b": 0.04, "c": 0.03}) == pytest.approx({"a": 0.03, "c": 0.06, "b": 0.06})
    assert holm({"a": 0.9, "b": 0.8}) == {"b": 1.0, "a": 1.0}


def test_the_interval_and_the_smallest_visible_effect_follow_from_the_data():
    random = np.random.default_rng(0)
    clusters = np.repeat(np.arange(40), 5)
    base = 8 + random.normal(0, 1, 40)[clusters] + random.normal(0, 0.5, (6, 200))
    one = effect(base, base - 0.4 + random.normal(0, 0.3, (6, 200)), clusters)
    said = judge(LOWER, one, RULES, p_value(one, LOWER, RULES), 0.0)
    assert said.low < 5.0 < said.high and said.word == endpoints.SUPPORTED
    assert 0 < said.detectable < 5.0  # five per cent is seen, so less would have been


def test_with_no_effect_a_comparison_is_called_supported_as_seldom_as_promised():
    random, clusters, wrong = np.random.default_rng(1), np.repeat(np.arange(30), 3), 0
    for _ in range(200):
        base = 8 + random.normal(0, 1, 30)[clusters] + random.normal(0, 0.5, (6, 90))
        other = base + random.normal(0, 0.6, 6)[:, None] + random.normal(0, 0.4, 30)[clusters]
        one = effect(base, other, clusters)
        wrong += word(LOWER, one) in (endpoints.SUPPORTED, endpoints.OPPOSITE)
    assert wrong <= 20  # one in twenty is promised


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("wanted: lower", "wanted: smaller", "C1: wrong or unknown: wanted"),
        ("effect: 3.8", "effect: -3.8", "C1: wrong or unknown: effect"),
        ("    effect: 3.8\n", "", "C1: wrong or unknown: effect"),
        ("    first: VGG design\n", "    first: VGG design\n    size: 3\n", "C1: wrong or unknown: size"),
    ],
)
def test_a_wrong_file_names_claim_and_field(tmp_path, old, new, told):
    text = endpoints.FILE.read_text(encoding="utf-8")
    assert old in text
    wrong = tmp_path / "endpoints.yaml"
    wrong.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(EndpointError, match=told):
        load(wrong)


def test_the_hash_is_that_of_the_text_on_every_system(tmp_path):
    file = tmp_path / "endpoints.yaml"
    file.write_bytes(endpoints.FILE.read_bytes().replace(b"\n", b"\r\n"))
    assert endpoints.fingerprint(file) == endpoints.fingerprint()
    file.write_bytes(endpoints.FILE.read_bytes() + b"\n")
    assert endpoints.fingerprint(file) != endpoints.fingerprint()
