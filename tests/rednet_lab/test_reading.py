"""Reading lines say what the numbers allow, and nothing else."""

import re

import numpy as np
import pytest

from rednet_lab.reading import reading, told
from rednet_lab.statistics import effect
from tests.helpers import sentences

RNG = np.random.default_rng(0)
BASE = RNG.gamma(4.0, 1.0, 300)


@pytest.mark.parametrize(
    ("change", "wanted", "unwanted"),
    [
        (1.0 + RNG.normal(0, 0.2, 300), "it rises from", "null"),
        (-0.5 + RNG.normal(0, 0.2, 300), "it falls from", "null"),
        (RNG.normal(0, 2.0, 300) - 0.05, "a null result: the interval holds zero", "rises"),
        (np.zeros(300), "a null result: nothing changes at all", "falls"),
        (0.01 + RNG.normal(0, 0.001, 300), "measurable, but less than 1%", "rises"),
    ],
)
def test_the_sentence_is_that_of_the_numbers(change, wanted, unwanted):
    line = told("wiping the memory", BASE, BASE + change)
    assert wanted in line and unwanted not in line and line.startswith("Wiping the memory: the error changes by ")
    assert f"{change.mean():+.2f}" in line and "one training" in line
    assert [agrees for _, agrees in sentences(line)] == [True]


def test_a_sentence_that_its_numbers_do_not_allow_is_found():
    line = told("wiping the memory", BASE, BASE + 1.0 + RNG.normal(0, 0.2, 300))
    wrong = [line.replace("rises", "falls"), re.sub(": it rises.*", ", a null result: the interval holds zero", line)]
    wrong += [
        "lazy 0.030, right 0.050: being right pays (-60 %)",
        "the state uses 40 % of its range: this is hardly used",
    ]
    wrong += ["the points move by 9.0 % of the box, 80% of the way: they stay with the picture"]
    wrong += ["stage 1, z0 frozen, not the mean face: +2.00 points of 5.00: it hardly minds (one person)"]
    wrong += ["after 6 steps 25.0 %, the mean face 21.0 %: better than the mean face"]
    assert sentences(line) and all(agrees for _, agrees in sentences(line))
    assert [[agrees for _, agrees in sentences(one)] for one in wrong] == [[False]] * len(wrong)


def test_frames_of_one_video_do_not_make_a_difference_sure():
    video = np.repeat(np.arange(3), 100)
    change = np.repeat([1.0, 1.2, -1.0], 100)
    assert "null" not in told("x", BASE, BASE + change) and "null" in told("x", BASE, BASE + change, video)


def test_several_trainings_are_said():
    seeds = np.stack([BASE, BASE + 0.1, BASE - 0.1])
    assert "3 trainings each" in reading("x", effect(seeds, seeds + 2, np.arange(300)))
