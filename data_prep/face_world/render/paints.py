"""The paint of everything but skin: eyes, inside of the mouth, clothes, knitted things, hair. Pixels: (3, P)."""

import numpy as np

from data_prep.face_world.basics import linear, smoothstep, strand_tile
from data_prep.face_world.render.light import blend, blend_at, noise_at, paint_of, rgb

_IRIS = linear(
    np.array([[38, 22, 14], [66, 40, 22], [98, 66, 34], [104, 98, 62], [92, 118, 128], [84, 118, 158], [128, 140, 148]])
    / 255
)


def eye_albedo(factors, unit, grain):
    """Return albedo (3, P) of eyeball points given as unit vectors (3, P) in the head's axes; grain (P,) is noise."""
    a, b = np.radians(35.0) * factors.gaze_x, np.radians(25.0) * factors.gaze_y
    gaze = np.array([np.sin(a) * np.cos(b), np.sin(b), np.cos(a) * np.cos(b)], np.float32)
    off = unit - gaze[:, None]
    radius = np.sqrt((off * off).sum(0))  # chord from the middle of the iris, in eyeball radii
    white = paint_of([0.67, 0.64, 0.62]) * (1 - unit[0] ** 2 * rgb(0.18, 0.42, 0.42))
    place = factors.eye_colour * (len(_IRIS) - 1)
    low = min(int(place), len(_IRIS) - 2)
    tone = (_IRIS[low] + (place - low) * (_IRIS[low + 1] - _IRIS[low])).astype(np.float32)[:, None]
    rings = 0.45 + 0.6 * smoothstep(radius, 0.2, 0.44) - 0.75 * smoothstep(radius, 0.42, 0.53) + 0.12 * grain
    iris = np.maximum(tone * rings, np.float32(0.004))
    albedo = blend(white, iris, 1 - smoothstep(radius, 0.50, 0.57))
    return blend(albedo, rgb(0.004, 0.004, 0.004), 1 - smoothstep(radius, 0.18, 0.24))


def mouth_albedo(factors, x, above_upper, above_lower):
    """Return (albedo (3, P), gloss (P,)) inside the mouth: x and heights (P,) over the teeth's edges, in mm."""
    albedo = np.repeat(paint_of([0.16, 0.05, 0.05]), len(x), 1)
    open_wide = min(1.0, factors.jaw * 2.2)
    tongue = smoothstep(-above_lower, -9.0 * factors.jaw - 1, 2.0) * smoothstep(np.abs(x), 19, 14)
    blend(albedo, paint_of([0.62, 0.30, 0.30]), tongue * np.float32(open_wide))
    gaps = 0.72 + 0.28 * np.clip(np.abs(np.sin(np.pi * x / 7.6)) * 4, 0, 1)
    tooth = paint_of([0.86, 0.82, 0.74]) * (np.clip(1.15 - (np.abs(x) / 25) ** 2, 0.1, 1) * gaps)
    uneven = 0.5 * np.cos(np.pi * x / 7.6) ** 2
    upper, lower = smoothstep(above_upper + uneven, -0.3, 0.5), smoothstep(-above_lower + uneven, -0.2, 0.5)
    for mask, height, long in ((lower, -above_lower, 7.5), (upper, above_upper, 9.0)):
        row = blend(tooth.copy(), paint_of([0.60, 0.30, 0.30]), smoothstep(height, long, long + 1.5))
        blend(albedo, row, mask)
    return albedo, np.float32(0.25) * np.maximum(upper, lower)


def cloth_albedo(factors, x, y, z, skin):
    """Return albedo (3, P) of the clothes at resting places (P,) in mm; skin (3, 1) shows at the throat."""
    main, shirt = paint_of(factors.clothes_colour), paint_of(factors.shirt_colour)
    weave = noise_at(strand_tile(), x * 1.3 + 512, y * 0.6 + 1024)
    albedo = main * (1 + np.float32(0.067) * weave[3] + np.float32(0.044) * weave[0])
    r, depth = np.abs(x), -146 - y  # mm from the middle, and below the collar
    front = z > -30
    if factors.clothes != "suit" and sum(factors.shirt_colour) % 0.3 < 0.07:
        albedo[:, np.sin(y / 4.0) > 0.2] *= np.float32(0.45)
    paints = _COLLARS[factors.clothes](r, depth, x + y, main, shirt, skin)
    for where, colour in paints:
        here = np.flatnonzero(front & where)
        blend_at(albedo, here, colour if colour.shape[1] == 1 else colour[:, here], np.float32(1))
    return albedo


def _suit(r, depth, stripe, main, shirt, skin):
    lapel = 62 - 0.33 * depth
    tie = (main[::-1] * 0.8 + 0.02) * (1 + 0.3 * np.sin(stripe / 3.5))
    return [
        (r < lapel, shirt),
        ((r < 9 + 0.06 * depth) & (depth > 12), tie),
        ((r < lapel) & (depth < 34) & (r > 1.15 * (depth - 12)), shirt * 0.92),
        (np.abs(r - lapel - 2) < 2.0, main * 0.35),
        (r < 30 - 1.6 * depth, skin),
    ]


def _open_collar(r, depth, stripe, main, shirt, skin):
    neckline = 46 - 0.62 * depth
    return [
        (np.abs(r - neckline - 4) < 7, main * 1.25 + 0.01),
        (r < neckline, skin),
        ((r < 1.5) & (depth > 74), main * 0.5),
    ]


def _crew(r, depth, stripe, main, shirt, skin):
    neckline = depth + 0.006 * r * r
    return [(np.abs(neckline - 15) < 4, main * 0.75), (neckline < 12, skin)]


_COLLARS = {"suit": _suit, "open collar": _open_collar, "crew": _crew, "turtleneck": lambda *_: []}


def knit_albedo(colour, across, along):
    """Return albedo (3, P) of knitted or woven stuff of an sRGB colour at places (P,) in mm."""
    weave = noise_at(strand_tile(), across * 1.5 + 512, along * 1.5 + 512)
    return paint_of(colour) * (1 + np.float32(0.08) * weave[3] + np.float32(0.057) * weave[2])


HAIR_WRAP = (0.25, 0.25, 0.25)


def hair_paint(factors, across, along, ragged, normal):
    """Return (albedo (3, P), alpha (P,), sheen (P,), bent normals (3, P)) of hair with normals (3, P).

    across and along (P,) are mm over and along the strands, ragged (P,) how many ragged lengths from the ends.
    """
    gx, gy = 253 * factors.grain[0] + 1024, 239 * factors.grain[1] + 256
    curly = factors.hair_style == "curly"
    if curly:
        _, _, fine, lock = noise_at(strand_tile(), 2.6 * across + gx, 2.6 * along + gy)
        fine, blotch = np.float32(1.7) * fine, lock
    else:
        sway = 4.5 * factors.hair_wave * np.sin(along / 15 + 0.045 * across + 1.5 * np.sin(across / 31))
        fine, lock, _, blotch = noise_at(strand_tile(), 2.3 * (across + sway) + gx, 0.9 * along + gy)
    shade = 1 + np.float32(0.17) * (fine + lock) + np.float32(0.10) * blotch
    albedo = (paint_of(factors.hair_colour) + np.float32(0.002)) * np.clip(shade, 0.25, 2.2)
    soft = 2.5 if curly else 9.0  # how far in from its outline hair is see-through
    grazing = np.clip(normal[2] * np.float32(soft) + np.float32(0.2 if curly else 0.55), 0, 1)
    alpha = np.clip(1.6 * ragged + 0.45 * fine + 0.40 * lock - 0.25, 0, 1)
    alpha *= np.clip(grazing + (1 - grazing) * (0.45 * fine + 0.35 * lock), 0, 1)
    bent = normal.copy()
    bent[0] += np.float32(0.16) * (fine + lock)
    bent[1] += np.float32(0.10) * lock
    bent /= np.sqrt((bent * bent).sum(0))
    return albedo, alpha, np.clip(np.float32(0.55) + np.float32(0.35) * fine, 0, 1.5), bent
