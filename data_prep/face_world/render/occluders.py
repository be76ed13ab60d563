"""Things between camera and face: hands, microphones, strands of hair and plain shapes.

Each is drawn in the picture's plane at a place given in face-box sides from the head's anchor, with its own
mask, so that exactly the points under it become invisible. Hands and microphones are height fields (the upper
half of a union of capsules or spheres), lit by the picture's lamp.
"""

import cv2
import numpy as np

from data_prep.face_world.basics import generator, linear, sheet_tiles
from data_prep.face_world.render.light import Lamp

_FINGERS = (  # root x, y, tip x, y, radius: in hand lengths, fingers up
    *((-0.20, -0.02, -0.27, -0.40, 0.062), (-0.07, -0.06, -0.09, -0.50, 0.066)),
    *((0.07, -0.05, 0.09, -0.46, 0.064), (0.19, 0.01, 0.24, -0.33, 0.055)),
)


def draw_occluders(picture, cover, factors, scene):
    """Draw factors.occluders on picture (S, S, 3) linear light, in place, and raise cover (S, S) under them."""
    size, side = picture.shape[0], factors.scale * picture.shape[0]
    lamp = Lamp(factors, scene.to_light)
    for thing in factors.occluders:
        centre = (size - 1) / 2 + side * np.array([factors.x + thing.x, factors.y + thing.y])
        _draw(picture, cover, thing, centre, thing.size * side, lamp)


def _draw(picture, cover, thing, centre, extent, lamp):
    size = picture.shape[0]
    reach = extent * _REACH[thing.kind]
    low = np.clip(np.floor(centre - reach), 0, size).astype(int)
    high = np.clip(np.ceil(centre + reach) + 1, 0, size).astype(int)
    if (high - low).min() < 2:
        return
    x = np.arange(low[0], high[0], dtype=np.float32)[None] - np.float32(centre[0])
    y = np.arange(low[1], high[1], dtype=np.float32)[:, None] - np.float32(centre[1])
    cos, sin = np.float32(np.cos(np.radians(thing.angle))), np.float32(np.sin(np.radians(thing.angle)))
    u, v = (cos * x - sin * y) / np.float32(extent), (sin * x + cos * y) / np.float32(extent)
    height, albedo = _KINDS[thing.kind](u, v, thing, generator(thing.seed, 37))
    alpha = np.clip(height * np.float32(extent) + 0.5, 0, 1)
    colour = albedo * _lit(np.maximum(height, 0), extent, lamp, cos, sin)
    window = np.s_[low[1] : high[1], low[0] : high[0]]
    _cast_shadow(picture, alpha, window, extent, lamp)
    picture[window] += alpha[..., None] * (colour - picture[window])
    cover[window] = np.maximum(cover[window], alpha)


def _lit(height, extent, lamp, cos, sin):
    """Return light (h, w, 3) on a height field in units of extent."""
    soft = cv2.GaussianBlur(height, (0, 0), max(0.6, 0.008 * extent))
    slope_x = cv2.Sobel(soft, cv2.CV_32F, 1, 0, scale=extent / 8)
    slope_y = cv2.Sobel(soft, cv2.CV_32F, 0, 1, scale=extent / 8)
    normal = np.dstack([-slope_x, slope_y, np.ones_like(slope_x)])
    normal /= np.sqrt((normal * normal).sum(-1, keepdims=True))
    one = np.ones(height.size, np.float32)
    light = lamp.diffuse(normal.reshape(-1, 3).T, one, one, (0.25, 0.18, 0.15))
    return light.T.reshape(*height.shape, 3)


def _cast_shadow(picture, alpha, window, extent, lamp):
    """Darken what lies behind, a little away from the light."""
    shift = 0.06 * extent
    matrix = np.array([[1, 0, -shift * lamp.to_light[0]], [0, 1, shift * max(0.2, lamp.to_light[1])]], np.float32)
    reach = max(3, int(0.10 * extent)) | 1
    soft = cv2.warpAffine(cv2.blur(alpha, (reach, reach)), matrix, alpha.shape[::-1])
    picture[window] *= 1 - 0.35 * soft[..., None]


def _capsules(u, v, parts):
    """Return the height (h, w) of a union of capsules (x0, y0, x1, y1, radius): half a tube; negative outside."""
    best = np.array(-np.inf, np.float32)
    for x0, y0, x1, y1, radius in parts:
        dx, dy = x1 - x0, y1 - y0
        t = np.clip(((u - x0) * dx + (v - y0) * dy) / max(dx * dx + dy * dy, 1e-6), 0, 1)
        r = np.float32(radius * (1 - 0.18 * t))
        gap = np.sqrt((u - x0 - t * dx) ** 2 + (v - y0 - t * dy) ** 2)
        height = np.where(gap < r, np.sqrt(np.maximum(r * r - gap * gap, 0)) + 1e-4, r - gap)
        best = np.maximum(best, height)
    return best.astype(np.float32)


def _hand(u, v, thing, rng):
    spread, bend = rng.uniform(0.6, 1.3), rng.uniform(0.7, 1.0)
    parts = [(-0.12, 0.05, -0.10, 0.30, 0.15), (0.03, 0.02, 0.02, 0.30, 0.15), (0.13, 0.06, 0.10, 0.30, 0.12)]
    parts += [(-0.05, 0.3, -0.04, 0.9, 0.15), (0.05, 0.3, 0.04, 0.9, 0.15)]
    for x0, y0, x1, y1, radius in _FINGERS:
        middle = (x0 + spread * 0.55 * (x1 - x0), y0 + 0.55 * (y1 - y0))
        tip = (x0 + spread * bend * (x1 - x0) + rng.normal(0, 0.01), y0 + bend * (y1 - y0))
        parts += [(x0, y0 + 0.12, *middle, radius * 1.05), (*middle, *tip, radius)]
    thumb = rng.uniform(0.25, 0.38)
    parts += [(-0.14, 0.24, -0.26, 0.10, 0.075), (-0.26, 0.10, -thumb, -0.06, 0.062)]
    height = _capsules(u, v, parts)
    skin = linear(thing.colour)
    knuckle = 1 - 0.12 * np.exp(-((v + 0.02) ** 2) / 0.002)[..., None]
    return height, skin * np.array([1.02, 0.95, 0.94], np.float32) * knuckle


def _microphone(u, v, thing, rng):
    ball = np.sqrt(np.maximum(0.16 - u * u - (v + 0.5) ** 2, 0))
    height = np.where(ball > 0, ball, 0.4 - np.sqrt(u * u + (v + 0.5) ** 2))
    stick = _capsules(u, v, [(0, -0.2, 0, 3.0, 0.24)])
    mesh = 0.75 + 0.25 * np.sign(np.sin(40 * u) * np.sin(40 * v))
    is_ball = height > stick
    colour = linear(thing.colour)
    albedo = np.where(is_ball[..., None], (colour * 0.7 + 0.05) * mesh[..., None], colour * 0.5)
    return np.maximum(height, stick).astype(np.float32), albedo.astype(np.float32)


def _strand(u, v, thing, rng):
    best, shade = np.full(u.shape, -1.0, np.float32), np.zeros(u.shape, np.float32)
    for _ in range(int(rng.integers(2, 7))):
        offset, sway, phase = rng.normal(0, 0.09), rng.uniform(0.02, 0.14), rng.uniform(0, 6)
        gap = np.abs(u - offset - sway * np.sin(2.2 * v + phase))
        width = rng.uniform(0.004, 0.014)
        height = np.minimum(width - gap, 0.5 * (1 - np.abs(v)))
        shade = np.where(height > best, rng.uniform(0.6, 1.5), shade)
        best = np.maximum(best, height)
    return best.astype(np.float32), (linear(thing.colour) * shade[..., None]).astype(np.float32)


def _bar(u, v, thing, rng):
    height = np.minimum(0.07 - np.abs(u), 3 - np.abs(v)).astype(np.float32)
    return np.minimum(height, 0.02), _patterned(u, v, thing, rng)


def _ellipse(u, v, thing, rng):
    height = 0.5 - np.sqrt(u * u + (v / rng.uniform(0.5, 1.0)) ** 2)
    return np.minimum(height, 0.03).astype(np.float32), _patterned(u, v, thing, rng)


def _box(u, v, thing, rng):
    height = np.minimum(0.5 - np.abs(u), rng.uniform(0.25, 0.5) - np.abs(v))
    return np.minimum(height, 0.01).astype(np.float32), _patterned(u, v, thing, rng)


def _patterned(u, v, thing, rng):
    """Return albedo (h, w, 3) of a plain, striped or blotchy surface."""
    first = linear(thing.colour)
    second = linear(np.clip(np.array(thing.colour) + rng.normal(0, 0.25, 3), 0, 1))
    style = rng.integers(3)
    if style == 0:
        share = np.zeros(np.broadcast(u, v).shape, np.float32)
    elif style == 1:
        share = (np.sin(rng.uniform(15, 50) * (u * rng.normal() + v * rng.normal()) / 1.4) > 0).astype(np.float32)
    else:
        tile = sheet_tiles()[2]
        x, y = ((300 * u).astype(int) & 255), ((300 * v).astype(int) & 255)
        share = np.clip(0.5 + 0.4 * tile[y, x], 0, 1)
    return (first + share[..., None] * (second - first)).astype(np.float32)


_KINDS = {"hand": _hand, "microphone": _microphone, "strand": _strand, "bar": _bar, "ellipse": _ellipse, "box": _box}
_REACH = {"hand": 1.1, "microphone": 3.2, "strand": 1.1, "bar": 3.1, "ellipse": 0.6, "box": 0.75}
