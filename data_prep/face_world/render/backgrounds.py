"""What stands behind the head: walls, rooms, streets, stripes, and blobs arranged like faces."""

import cv2
import numpy as np

from data_prep.face_world.basics import generator, window


def background(factors, size):
    """Return linear light (size, size, 3) float32 of the background."""
    rng = generator(factors.background_seed, 23)
    low = max(48, size // 2)  # out of focus anyway, so half the pixels do
    colours = np.array(factors.background_colours, np.float32).reshape(2, 3)
    canvas = _PAINTERS[factors.background](rng, low, colours)
    blur = factors.background_blur**1.5 * low * 0.07
    if blur > 0.3:
        canvas = cv2.GaussianBlur(canvas, (0, 0), blur)
    canvas = cv2.pow(np.clip(canvas, 0, 1).astype(np.float32), 2.2)
    return cv2.resize(canvas, (size, size), interpolation=cv2.INTER_LINEAR)


def _plain(rng, size, colours):
    return np.tile(colours[0], (size, size, 1)) + 0.02 * window(rng, size, 3)[..., None]


def _gradient(rng, size, colours):
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.mgrid[0:size, 0:size].astype(np.float32) / size - 0.5
    share = np.clip(0.5 + x * np.cos(angle) + y * np.sin(angle), 0, 1)[..., None]
    if rng.random() < 0.4:
        share = np.clip(1.6 * np.sqrt(x * x + y * y), 0, 1)[..., None]
    return colours[0] + share * (colours[1] - colours[0])


def _blur(rng, size, colours):
    share = np.clip(0.5 + 0.35 * window(rng, size, 3) + 0.15 * window(rng, size, 2), 0, 1)[..., None]
    return (
        colours[0] + share * (colours[1] - colours[0]) + 0.05 * window(rng, size, 3)[..., None] * rng.standard_normal(3)
    )


def _boxes(rng, canvas, colours, count, tall):
    size = canvas.shape[0]
    for _ in range(count):
        x, y = rng.uniform(-0.2, 1, 2) * size
        w, h = rng.uniform(0.06, 0.5) * size, rng.uniform(0.06, 0.5 * tall) * size
        colour = np.clip(colours[rng.integers(2)] + rng.normal(0, 0.16, 3) + rng.normal(0, 0.12), 0, 1)
        corner, far = (int(x), int(y)), (int(x + w), int(y + h))
        cv2.rectangle(canvas, corner, far, colour.tolist(), -1)
        if rng.random() < 0.4:
            cv2.rectangle(canvas, corner, far, (colour * rng.uniform(0.3, 1.6)).tolist(), int(rng.integers(1, 4)))
    return canvas


def _indoor(rng, size, colours):
    canvas = np.ascontiguousarray(_gradient(rng, size, colours), np.float32)
    _boxes(rng, canvas, colours, int(rng.integers(3, 9)), 1.6)
    for _ in range(int(rng.integers(0, 4))):  # lamps
        centre = tuple(int(v) for v in rng.uniform(0, size, 2))
        cv2.circle(canvas, centre, int(rng.uniform(0.02, 0.07) * size), (1.0, 0.97, 0.85), -1)
    return canvas


def _stripes(rng, size, colours):
    angle = rng.choice([0, np.pi / 2, rng.uniform(0, np.pi)])
    y, x = np.mgrid[0:size, 0:size].astype(np.float32)
    wave = np.sin((x * np.cos(angle) + y * np.sin(angle)) * rng.uniform(8, 60) / size + rng.uniform(0, 6))
    share = np.clip(0.5 + rng.uniform(0.5, 4) * wave, 0, 1)[..., None]
    return colours[0] + share * (colours[1] - colours[0])


def _outdoor(rng, size, colours):
    canvas = np.empty((size, size, 3), np.float32)
    sky = np.array([0.62, 0.75, 0.9]) * rng.uniform(0.6, 1.1)
    horizon = int(rng.uniform(0.25, 0.8) * size)
    canvas[:horizon] = sky
    canvas[horizon:] = colours[1]
    leaves = window(rng, size, 2) + 0.6 * window(rng, size, 1)
    green = np.array([0.22, 0.36, 0.14]) * rng.uniform(0.5, 1.4)
    line = horizon - size * 0.25 * (0.5 + 0.5 * window(rng, size, 3)[0])
    trees = np.arange(size)[:, None] > line[None]
    trees &= np.arange(size)[:, None] < horizon + 0.1 * size
    canvas[trees] = np.clip(green + 0.07 * leaves[trees][:, None], 0, 1)
    canvas += 0.03 * leaves[..., None]
    return _boxes(rng, canvas, colours, int(rng.integers(0, 3)), 1.2)


def _crowd(rng, size, colours):
    """Return blobs with darker spots where eyes and mouths would be: what a detector should learn to leave alone."""
    canvas = np.ascontiguousarray(_blur(rng, size, colours), np.float32)
    for _ in range(int(rng.integers(2, 7))):
        x, y = rng.uniform(-0.05, 1.05, 2) * size
        r = rng.uniform(0.06, 0.2) * size
        skin = np.array([0.75, 0.55, 0.45]) * rng.uniform(0.35, 1.2) + rng.normal(0, 0.03, 3)
        dark = (skin * rng.uniform(0.15, 0.5)).tolist()
        cv2.ellipse(
            canvas,
            (int(x), int(y + 2.4 * r)),
            (int(1.7 * r), int(1.4 * r)),
            0,
            0,
            360,
            rng.uniform(0, 1, 3).tolist(),
            -1,
        )
        cv2.ellipse(canvas, (int(x), int(y - 0.2 * r)), (int(0.86 * r), int(1.15 * r)), 0, 0, 360, dark, -1)
        cv2.ellipse(canvas, (int(x), int(y)), (int(0.74 * r), int(r)), 0, 0, 360, skin.tolist(), -1)
        for side in (-1, 1):
            cv2.ellipse(
                canvas,
                (int(x + side * 0.32 * r), int(y - 0.15 * r)),
                (int(0.15 * r) + 1, int(0.07 * r) + 1),
                0,
                0,
                360,
                dark,
                -1,
            )
        cv2.ellipse(canvas, (int(x), int(y + 0.52 * r)), (int(0.26 * r) + 1, int(0.08 * r) + 1), 0, 0, 360, dark, -1)
    return canvas


def _noise(rng, size, colours):
    rough = 0.4 * window(rng, size, 1) + 0.6 * window(rng, size, 2)
    share = np.clip(0.5 + 0.4 * rough, 0, 1)[..., None]
    return colours[0] + share * (colours[1] - colours[0])


_PAINTERS = {
    "plain": _plain,
    "gradient": _gradient,
    "blur": _blur,
    "indoor": _indoor,
    "stripes": _stripes,
    "outdoor": _outdoor,
    "crowd": _crowd,
    "noise": _noise,
}
