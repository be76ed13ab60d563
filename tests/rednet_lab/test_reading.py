"""Reading lines say what the numbers allow, and nothing else."""

import numpy as np
import pytest

from rednet_lab.reading import reading, told
from rednet_lab.statistics import effect

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


def test_frames_of_one_video_do_not_make_a_difference_sure():
    video = np.repeat(np.arange(3), 100)
    change = np.repeat([1.0, 1.2, -1.0], 100)
    assert "null" not in told("x", BASE, BASE + change) and "null" in told("x", BASE, BASE + change, video)


def test_several_trainings_are_said():
    seeds = np.stack([BASE, BASE + 0.1, BASE - 0.1])
    assert "3 trainings each" in reading("x", effect(seeds, seeds + 2, np.arange(300)))
