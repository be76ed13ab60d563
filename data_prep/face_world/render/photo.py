"""The camera: from linear light to a photograph, with the faults photographs have."""

from functools import lru_cache

import cv2
import numpy as np

from data_prep.face_world.basics import generator, window

_LEVELS = 4096
_GREY = (0.3, 0.59, 0.11)  # shares of red, green and blue in brightness
_PIVOT = 0.45  # the value that contrast leaves alone


@lru_cache(maxsize=1)
def _tone_table():
    """Return sRGB value (LEVELS,) float32 in 0..1 of linear light up to 2: a gamma of 2.2 with a soft shoulder."""
    light = np.linspace(0, 2, _LEVELS)
    value = np.where(light < 0.6, light, 0.6 + 0.4 * (1 - np.exp(-(light - 0.6) / 0.4)))
    return (np.clip(value, 0, 1) ** (1 / 2.2)).astype(np.float32)


def develop(linear_light, factors):
    """Return uint8 (S, S, 3) RGB picture of linear light (S, S, 3) float32, seen through the camera of the factors."""
    size = linear_light.shape[0]
    index = np.clip(linear_light * np.float32((_LEVELS - 1) / 2), 0, _LEVELS - 1).astype(np.int64)
    image = _tone_table().take(index)
    if factors.blur * size > 0.15:
        image = cv2.GaussianBlur(image, (0, 0), factors.blur * size)
    if factors.motion * size > 1.0:
        image = cv2.filter2D(image, -1, _streak(factors.motion * size, factors.motion_angle))
    if factors.coarseness > 1.05:
        small = max(16, round(size / factors.coarseness))
        image = cv2.resize(image, (small, small), interpolation=cv2.INTER_AREA)
    image = _grade(image, factors)
    if factors.noise:
        rng = generator(factors.noise_seed, 11)
        strength = np.float32(factors.noise) * (1 - np.float32(0.5) * image[..., 1])  # more in the dark
        for channel in range(3):
            image[..., channel] += strength * window(rng, len(image), 0)
    image = np.clip(image * 255 + 0.5, 0, 255).astype(np.uint8)
    if factors.compression > 0.01:
        quality = int(round(95 - 83 * factors.compression**0.8))
        done, code = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
        if not done:
            raise RuntimeError("OpenCV was built without JPEG: set compression=0")
        decoded = cv2.imdecode(code, cv2.IMREAD_COLOR)
        assert decoded is not None  # it was encoded here
        image = cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB)
    if image.shape[0] != size:
        image = cv2.resize(image, (size, size), interpolation=cv2.INTER_LINEAR)
    return image


def _grade(image, factors):
    """Apply gamma, then white balance, saturation and contrast of sRGB values in 0..1, these three as one matrix."""
    if abs(factors.gamma - 1) > 0.01:
        image = cv2.pow(np.maximum(image, 0), factors.gamma)
    balance = np.diag([1 + 0.12 * factors.tint, 1.0, 1 - 0.12 * factors.tint])
    saturate = factors.saturation * np.eye(3) + (1 - factors.saturation) * np.tile(_GREY, (3, 1))
    matrix = factors.contrast * saturate @ balance
    return cv2.transform(image, np.column_stack([matrix, np.full(3, _PIVOT * (1 - factors.contrast))]))


def _streak(length, angle):
    """Return kernel of a straight motion blur of that length in pixels."""
    half = int(np.ceil(length / 2))
    kernel = np.zeros((2 * half + 1, 2 * half + 1), np.float32)
    step = np.array([np.cos(np.radians(angle)), -np.sin(np.radians(angle))]) * length / 2
    ends = [tuple(int(round(16 * (half + sign * s))) for s in step) for sign in (-1, 1)]
    cv2.line(kernel, ends[0], ends[1], 1.0, 1, cv2.LINE_AA, 4)
    return kernel / max(kernel.sum(), 1e-6)
