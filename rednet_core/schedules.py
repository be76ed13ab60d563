"""Learning rates as plain functions of the step, so that a schedule has no state to lose."""

import math
from typing import Literal

WARM_UP = 0.2  # share of a one-cycle run in which the rate rises
FINAL = 1e-3  # of the highest rate, at the end of a one-cycle run


def constant(config, step: int) -> float:
    """Return the same rate throughout."""
    return config.rate


def steps(config, step: int) -> float:
    """Return the ECCV paper's rate: times 0.8 after every 10 epochs (ECCV 5.1)."""
    return config.rate * 0.8 ** math.floor(step / config.steps_per_epoch / 10)


def tenths(config, step: int) -> float:
    """Return the journal's "an order of magnitude" by validation, at fixed places: a tenth after 60 %, after 85 %."""
    done = step / config.steps
    return config.rate * (0.01 if done >= 0.85 else 0.1 if done >= 0.6 else 1.0)


def one_cycle(config, step: int) -> float:
    """Return a short run's best rate: up on a cosine for the first fifth, down on one to a thousandth."""
    warm = WARM_UP * config.steps
    falling = 1.0, FINAL, (step - warm) / max(config.steps - warm, 1)
    low, high, done = (0.04, 1.0, step / warm) if step < warm else falling
    return config.rate * (low + (high - low) * (1 - math.cos(math.pi * done)) / 2)


Schedule = Literal["constant", "steps", "tenths", "one_cycle"]
SCHEDULES = {"constant": constant, "steps": steps, "tenths": tenths, "one_cycle": one_cycle}


def rate_at(config, step: int) -> float:
    """Return the learning rate of `step` under config.schedule."""
    return SCHEDULES[config.schedule](config, step)
