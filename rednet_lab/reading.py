"""Reading lines: the sentence that a measured difference allows. A null result is named as one."""

import numpy as np

from rednet_lab.statistics import LEVEL, Effect, effect

SMALL = 0.01  # of the first value: what is sure but smaller is said to hardly matter


def reading(what: str, found: Effect, of: str = "the error", unit: str = "points") -> str:
    """Return the sentence on `what` was done: whether a quantity rises or falls, by how much, and how sure that is.

    found is the quantity with it minus the quantity without. Where there is one training of each, the interval speaks
    of other test items alone, and the sentence says so.
    """
    span = f"{LEVEL:.0%} interval {found.low:+.2f} to {found.high:+.2f}"
    begin = what if "_" in what.split()[0] else what[:1].upper() + what[1:]  # f_REG stays f_REG
    line = f"{begin}: {of} changes by {found.mean:+.2f} {unit} ({span})"
    if found.low == found.high == 0:
        line = f"{line}, a null result: nothing changes at all"
    elif found.low <= 0 <= found.high:
        line = f"{line}, a null result: the interval holds zero"
    elif abs(found.mean) < SMALL * abs(found.first):
        line = f"{line}, which is measurable, but less than {SMALL:.0%} of {found.first:.2f}"
    else:
        line = f"{line}: it {'rises' if found.mean > 0 else 'falls'} from {found.first:.2f} to {found.second:.2f}"
    return line + (
        " (one training: other test items alone)." if found.seeds < 2 else f" ({found.seeds} trainings each)."
    )


def told(what: str, without: np.ndarray, with_it: np.ndarray, clusters: np.ndarray | None = None, **words) -> str:
    """Return the reading line of two predictors' errors (N,) of the same items; clusters (N,): items that are alike."""
    return reading(what, effect(without, with_it, np.arange(len(without)) if clusters is None else clusters), **words)
