"""What every room works with: curves, linear light, random numbers by key, and tiles of smooth noise."""

from functools import lru_cache

import cv2
import numpy as np

TILE = 256  # side in texels; every tile repeats seamlessly


def spline(x, knots, values):
    """Return the smooth curve through (knots, values) at x, by cubic Hermite pieces with limited
    (overshoot-free) slopes.
    """
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
    """Return 0 below low, 1 above high, smooth in between (low may exceed high, which turns it round)."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def bell(x, centre, width, power=2.0):
    """Return a bump of height 1 at centre whose half height lies near `width`; a higher power flattens its top."""
    return np.exp(-0.7 * np.abs((x - centre) / width) ** power)


def soft_max(a, b, softness):
    """Return a maximum of a and b, rounded over `softness` where they meet; b may be minus infinity."""
    gap = np.abs(a - np.where(np.isfinite(b), b, -1e3))
    return np.maximum(a, b) + softness * np.log1p(np.exp(-gap / softness)) * np.isfinite(b)


def linear(srgb):
    """Return the linear light of sRGB values in 0..1 (any shape), by the plain 2.2 power, float32."""
    return np.asarray(srgb, np.float32) ** np.float32(2.2)


def generator(*key):
    """Return a NumPy generator that depends on the integers (0 or more) of the key and on nothing else."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([int(k) for k in key])))


def _smooth(rng, sigma_x, sigma_y):
    """Return one seamless tile of standard-normal values, smoothed by sigmas in texels."""
    white = rng.standard_normal((TILE, TILE)).astype(np.float32)
    wide = np.tile(white, (3, 3))
    soft = cv2.GaussianBlur(wide, (0, 0), sigma_x, sigmaY=sigma_y) if max(sigma_x, sigma_y) > 0 else wide
    soft = soft[TILE : 2 * TILE, TILE : 2 * TILE]
    return (soft - soft.mean()) / soft.std()


@lru_cache(maxsize=1)
def skin_tile():
    """Return uint8 (TILE, TILE, 4), mean 128, 40 a standard deviation: pores, mottling, blotches, hair stubble."""
    rng = generator(7001)
    layers = [_smooth(rng, 0.8, 0.8), _smooth(rng, 4, 4), _smooth(rng, 16, 16), _smooth(rng, 0.7, 2.2)]
    return np.clip(128 + 40 * np.stack(layers, -1), 0, 255).astype(np.uint8)


@lru_cache(maxsize=1)
def strand_tile():
    """Return uint8 (TILE, TILE, 4): fine strands, locks of strands (both along y), curls, and broad blotches."""
    rng = generator(7002)
    layers = [_smooth(rng, 0.7, 30), _smooth(rng, 3.5, 40), _smooth(rng, 3, 3), _smooth(rng, 14, 14)]
    return np.clip(128 + 40 * np.stack(layers, -1), 0, 255).astype(np.uint8)


@lru_cache(maxsize=1)
def sheet_tiles():
    """Return float32 (4, TILE, TILE) standard-normal: white, fine, middling and broad."""
    rng = generator(7003)
    return np.stack([_smooth(rng, s, s) for s in (0, 1.2, 5, 18)])


@lru_cache(maxsize=1)
def _doubled():
    return np.tile(sheet_tiles(), (1, 2, 2))


def window(rng, size, which):
    """Return a size x size piece at a random place of sheet tile `which` (0 white, 1 fine, 2 middling, 3 broad); a
    view.
    """
    y, x = rng.integers(0, TILE, 2)
    sheet = _doubled()[which]
    if size > TILE:
        sheet = np.tile(sheet, (-(-size // (2 * TILE)) + 1,) * 2)
    return sheet[y : y + size, x : x + size]
