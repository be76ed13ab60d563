"""Colour and light: sRGB and linear values, and the shading every material shares.

Arrays of pixels are channel first, (3, P): NumPy is several times faster when the last axis is the long one.
"""

import numpy as np

from data_prep.face_world.basics import linear


def paint_of(srgb):
    """Return the linear colour (3, 1) of one sRGB colour, ready to meet pixels (3, P)."""
    return linear(srgb).reshape(3, 1)


def rgb(*values):
    """Return three numbers as float32 (3, 1)."""
    return np.array(values, np.float32).reshape(3, 1)


def tint(warmth):
    """Return colour (3, 1) of a light from blue (-1) to orange (1), with mean about 1."""
    return rgb(1 + 0.28 * warmth, 1 + 0.02 * warmth, 1 - 0.34 * warmth)


class Lamp:
    """The picture's light: directed, ambient and a rim from behind, all in the camera frame."""

    def __init__(self, factors, to_light):
        gain = 2.0**factors.exposure
        self.to_light = to_light.astype(np.float32)
        self.colour = np.float32(factors.light * gain) * tint(factors.light_warmth)
        ambient = np.float32(factors.ambient * gain)
        self.sky = ambient * tint(factors.ambient_warmth - 0.1)
        self.ground = np.float32(0.55) * ambient * tint(factors.ambient_warmth + 0.25)
        half = self.to_light + np.array([0, 0, 1], np.float32)
        self.half = half / max(1e-3, float(np.sqrt((half * half).sum())))
        side = -1.0 if to_light[0] > 0 else 1.0
        self.to_rim = np.array([0.80 * side, 0.35, -0.48], np.float32)
        self.rim = np.float32(factors.rim * gain) * tint(-0.2)

    def diffuse(self, normal, sun, openness, wrap):
        """Return light (3, P) that a matt surface with normals (3, P) sends back; sun and openness (P,) are the shares
        of
        directed and ambient light that reach it; wrap: three shares by which light creeps past the terminator."""
        facing = dot(normal, self.to_light)
        reach = sun * (np.float32(0.35) + np.float32(0.65) * openness)
        up = np.float32(0.5) + np.float32(0.5) * normal[1]
        room = openness * (np.float32(0.35) + np.float32(0.65) * openness) + np.float32(0.05)
        light = np.empty((3, normal.shape[1]), np.float32)
        for channel in range(3):
            w = np.float32(wrap[channel])
            lit = np.maximum(facing + w, 0)
            lit *= reach
            lit *= self.colour[channel] / (1 + w)
            lit += room * (self.ground[channel] + up * (self.sky - self.ground)[channel])
            light[channel] = lit
        if self.rim.any():
            light += np.maximum(dot(normal, self.to_rim) + np.float32(0.15), 0) * self.rim
        return light

    def shine(self, normal, sun, sharpness):
        """Return strength (P,) of the highlight of a surface: 1 where it mirrors the light, narrower with sharpness."""
        return np.exp((dot(normal, self.half) - 1) * np.float32(sharpness)) * sun


def dot(vectors, direction):
    """Return products (P,) of vectors (3, P) with a direction (3,), without a BLAS, whose sums may
    depend on threads.
    """
    return vectors[0] * direction[0] + vectors[1] * direction[1] + vectors[2] * direction[2]


def blend(base, colour, alpha):
    """Return base (3, P) moved in place towards colour (3, 1) or (3, P) by alpha (P,)."""
    base += alpha * (colour - base)
    return base


def blend_at(base, places, colour, alpha):
    """Return base (3, P) moved in place towards colour (3, 1) or (3, n) by alpha (n,) at the n places of an index."""
    for channel in range(3):
        old = base[channel].take(places)
        base[channel][places] = old + alpha * (colour[channel] - old)


def ramp(value, low, high):
    """Return 0 below low, 1 above high, straight in between."""
    return np.clip((value - np.float32(low)) * np.float32(1 / (high - low)), 0, 1)


def noise_at(tile, x, y):
    """Return float32 values (channels, P), standard normal, of a repeating square byte tile at texel positions x, y
    (P,).
    """
    side = tile.shape[0]
    flat = (y.astype(np.int64) & (side - 1)) * side + (x.astype(np.int64) & (side - 1))
    bytes_ = tile.reshape(side * side, -1).take(flat, 0)
    return (bytes_.T.astype(np.float32) - np.float32(128)) * np.float32(1 / 40)
