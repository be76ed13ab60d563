"""A triangle rasteriser in NumPy: which triangle is in front at each pixel, and where inside it.

Scan conversion of all triangles at once: every triangle is cut into the rows of pixels it touches, in every row
its three edges leave one span, and the spans are spread out into a list of fragments (one pixel of one triangle
each). A buffer of 64-bit keys (depth in the high bits, fragment number in the low ones) then keeps the nearest
fragment of each pixel. Several layers (head, hair, glasses) are drawn in one go, each with a buffer of its own.
Attributes are interpolated linearly in the image, which is exact enough for triangles of a few pixels.
"""

from dataclasses import dataclass

import numpy as np

_DEPTH_BITS, _FRAGMENT_BITS = 22, 28


@dataclass(frozen=True)
class Hits:
    """The front-most surface: flat pixel index (P,), triangle (P,), weights of its corners 1 and 2 (P,), depth (P,)."""

    pixel: np.ndarray
    triangle: np.ndarray
    weight1: np.ndarray
    weight2: np.ndarray
    depth: np.ndarray


def rasterise(points, triangles, layers, size, n_layers):
    """Return the Hits of each layer: a list of n_layers.

    points (V, 3) float32: x, y in pixels (pixel centres at whole numbers, y down) and depth z (larger is nearer);
    triangles (T, 3) int, counter-clockwise as seen from outside with y up; layers (T,) int; size: the square
    picture's side in pixels.
    """
    faces, y0, y1, planes = _facing(points, triangles, size)
    owner, row = _spread(y0, y1 - y0 + 1)
    left, right, from_x, from_y = _spans(owner, row, planes, size)
    span, column = _spread(left, np.maximum(right - left + 1, 0))
    face = owner.take(span)
    dx, dy = column.astype(np.float32) - from_x.take(span), from_y.take(span)
    w1x, w1y, w2x, w2y, z, z1, z2 = (plane.take(face) for plane in planes[2:])
    weight1 = w1x * dx + w1y * dy
    weight2 = w2x * dx + w2y * dy
    depth = z + weight1 * z1 + weight2 * z2
    triangle = faces.take(face)
    pixel = row.take(span) * size + column + layers.take(triangle) * (size * size)
    keys = np.full(n_layers * size * size, -1, np.int64)
    if len(pixel):
        low = depth.min()
        scale = np.float32(((1 << _DEPTH_BITS) - 2) / max(float(depth.max() - low), 1e-6))
        steps = ((depth - low) * scale).astype(np.int64)
        np.maximum.at(keys, pixel, (steps << _FRAGMENT_BITS) | np.arange(len(pixel)))
    results = []
    for layer in keys.reshape(n_layers, -1):
        found = np.flatnonzero(layer >= 0)
        winner = layer.take(found) & ((1 << _FRAGMENT_BITS) - 1)
        results.append(Hits(found, *(values.take(winner) for values in (triangle, weight1, weight2, depth))))
    return results


def _spread(start, count):
    """Return (owner, value): for each i the values start[i], start[i] + 1, ... count[i] of them, and i beside each."""
    owner = np.repeat(np.arange(len(count)), count)
    return owner, np.arange(len(owner)) + (start - np.cumsum(count) + count).take(owner)


def _facing(points, triangles, size):
    """Return numbers of the triangles that face the viewer and touch the picture, their first and last row, and planes.

    planes (9, F): corner 0, x and y slopes of the weights of corners 1 and 2, depth and its change with each weight.
    """
    a, b, c = triangles.T
    x, y, z = np.ascontiguousarray(points.T)
    ax, ay, cx, cy, bx, by = (values.take(corner) for corner in (a, c, b) for values in (x, y))
    area = (cx - ax) * (by - ay) - (bx - ax) * (cy - ay)  # positive where it faces the viewer, y being down
    y0 = np.maximum(np.ceil(np.minimum(np.minimum(ay, by), cy)), 0)
    y1 = np.minimum(np.floor(np.maximum(np.maximum(ay, by), cy)), size - 1)
    faces = np.flatnonzero((area > 1e-6) & (y1 >= y0))
    ax, ay, bx, by, cx, cy, y0, y1 = (v.take(faces) for v in (ax, ay, bx, by, cx, cy, y0, y1))
    inverse = 1 / area.take(faces)
    w1x, w1y, w2x, w2y = (ay - cy) * inverse, (cx - ax) * inverse, (by - ay) * inverse, (ax - bx) * inverse
    za, zb, zc = (z.take(corner.take(faces)) for corner in (a, b, c))
    return faces, y0.astype(np.int64), y1.astype(np.int64), (ax, ay, w1x, w1y, w2x, w2y, za, zb - za, zc - za)


def _spans(owner, row, planes, size):
    """Return first and last column of every span, and its corner 0: x (absolute) and distance down from
    it to the row.
    """
    ax, ay, w1x, w1y, w2x, w2y = (plane.take(owner) for plane in planes[:6])
    dy = row.astype(np.float32) - ay
    low, high = np.full(len(owner), -1e9, np.float32), np.full(len(owner), 1e9, np.float32)
    w1, w2 = w1y * dy, w2y * dy
    for slope, value in ((w1x, w1), (w2x, w2), (-(w1x + w2x), 1 - w1 - w2)):  # slope * dx + value >= 0
        bound = -value / np.where(np.abs(slope) < 1e-9, np.float32(1e-9), slope)
        np.maximum(low, bound, out=low, where=slope > 0)
        np.minimum(high, bound, out=high, where=slope <= 0)
    left = np.clip(np.ceil(ax + low - np.float32(1e-4)), 0, size).astype(np.int64)
    right = np.clip(np.floor(ax + high + np.float32(1e-4)), -1, size - 1).astype(np.int64)
    return left, right, ax, dy
