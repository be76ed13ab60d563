"""The few curves everything is sculpted with: splines, soft steps, bumps and rounded maxima."""

import numpy as np


def spline(x, knots, values):
    """Smooth curve through (knots, values) at x, by cubic Hermite pieces with limited (overshoot-free) slopes."""
    knots, values = np.asarray(knots, float), np.asarray(values, float)
    step = np.diff(knots)
    rise = np.diff(values) / step
    inner = np.where(rise[:-1] * rise[1:] > 0, 2 * rise[:-1] * rise[1:] / (rise[:-1] + rise[1:] + 1e-12), 0)
    slope = np.concatenate([rise[:1], inner, rise[-1:]])
    i = np.clip(np.searchsorted(knots, x) - 1, 0, len(step) - 1)
    t = np.clip((x - knots[i]) / step[i], 0, 1)
    a, b = values[i], values[i + 1]
    low, high = slope[i] * step[i], slope[i + 1] * step[i]
    return a + t * (low + t * (3 * (b - a) - 2 * low - high + t * (2 * (a - b) + low + high)))


def smoothstep(x, low, high):
    """0 below low, 1 above high, smooth in between (low may exceed high, which turns it round)."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def bell(x, centre, width, power=2.0):
    """A bump of height 1 at centre whose half height lies near `width`; a higher power flattens its top."""
    return np.exp(-0.7 * np.abs((x - centre) / width) ** power)


def soft_max(a, b, softness):
    """A maximum of a and b, rounded over `softness` where they meet; b may be minus infinity."""
    gap = np.abs(a - np.where(np.isfinite(b), b, -1e3))
    return np.maximum(a, b) + softness * np.log1p(np.exp(-gap / softness)) * np.isfinite(b)
