"""What readers of data sets with heads of any pose share: a check that a profile passes, and parts side by side."""

from pathlib import Path

import numpy as np

from data_prep.readers.base import plausible
from rednet_core.markup import Markup

PROFILE = 0.5  # eyes nearer to each other than this, in eye-to-mouth distances, are a head turned by 55 degrees or more


def plausible_at_any_yaw(points: np.ndarray, mask: np.ndarray, markup: Markup, path: Path) -> None:
    """Raise BadItem as `plausible` does, but let pass a face of which it cannot tell.

    That is one whose eye and mouth corners are not all annotated, and one in profile, where a corner may lie behind
    another.
    """
    seven = np.asarray(points, np.float64)[list(markup.seven)]
    if markup.stand_in or not np.asarray(mask)[list(markup.seven)].all():
        return
    across = np.linalg.norm(seven[2:4].mean(0) - seven[:2].mean(0))
    if across >= PROFILE * np.linalg.norm(seven[5:].mean(0) - seven[:4].mean(0)):
        plausible(points, markup, path)


def square(low: np.ndarray, high: np.ndarray) -> np.ndarray | None:
    """Return the box (3,) = centre x, centre y, side round two corners (2,), None where they are not in order."""
    low, high = np.asarray(low, np.float64), np.asarray(high, np.float64)
    if not np.isfinite([*low, *high]).all() or not (high > low).all():
        return None
    return np.append((low + high) / 2, (high - low).max())
