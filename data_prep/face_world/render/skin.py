"""The paint of skin: what colour and gloss each visible point of head and ears has."""

import cv2
import numpy as np

from data_prep.face_world.basics import skin_tile
from data_prep.face_world.factors.people import skin_tone
from data_prep.face_world.render.light import blend_at, noise_at, paint_of, ramp, rgb
from data_prep.face_world.render.paint_maps import CHANNELS, feature_maps, skin_places

WRAP = (0.34, 0.18, 0.12)  # light seeps through skin, red most
_BEARDS = {"moustache": ("moustache",), "goatee": ("moustache", "goatee")}
_ALL_BEARD = ("moustache", "goatee", "full")


def skin_colour(factors):
    """Return the linear colour (3, 1) of the person's skin."""
    return skin_tone(factors.skin, factors.skin_red).reshape(3, 1)


def _read_maps(u, v):
    """Return feature values (16, P) float32 in 0..1 and places (2 of P) in mm on the skin at u, v (P,), bilinear."""
    maps = feature_maps()
    height, width = maps[0].shape[:2]
    count = len(u)
    padded = -(-count // 256) * 256  # remap wants a picture, not a list
    x, y = np.zeros((2, padded // 256, 256), np.float32)
    x.reshape(-1)[:count], y.reshape(-1)[:count] = u * np.float32(width - 1), v * np.float32(height - 1)
    values = np.empty((4 * len(maps), count), np.float32)
    for k, four in enumerate(maps):
        for c, channel in enumerate(cv2.split(cv2.remap(four, x, y, cv2.INTER_LINEAR))):  # planes: last axis long
            values[4 * k + c] = channel.reshape(-1)[:count]
    values *= np.float32(1 / 255)
    places = cv2.split(cv2.remap(skin_places(), x, y, cv2.INTER_LINEAR))
    return values, [place.reshape(-1)[:count] for place in places]


def paint(factors, u, v):
    """Return (albedo (3, P) linear, gloss (P,)) of the head's skin at u, v (P,) in 0..1."""
    values, places = _read_maps(u, v)
    channel = dict(zip(CHANNELS, values, strict=True))
    gx, gy = factors.grain
    scale = np.float32(1.7)  # texels of noise a millimetre
    noise = noise_at(skin_tile(), scale * places[0] + 251 * gx + 512, scale * places[1] + 241 * gy + 512)
    pores, mottle, blotch, stubble = noise
    base = skin_colour(factors)
    albedo = base * (1 + np.float32(0.05) * pores + np.float32(0.055) * (mottle + blotch))
    red = channel["blush"] * (np.float32(0.55 + 0.25 * factors.skin_red) + np.float32(0.2) * mottle)
    bags = channel["bags"] * np.float32(0.65 + 0.6 * factors.age)
    for c, (less_by_red, less_by_bags) in enumerate(((0.0, 0.20), (0.24, 0.27), (0.20, 0.22))):
        shade = 1 - np.float32(1.5 * less_by_bags) * channel["shadow"]  # the thin skin of the lids is darker
        albedo[c] *= (1 - np.float32(less_by_red) * red) * (1 - np.float32(less_by_bags) * bags) * shade
    _features(factors, channel, albedo, base, pores, mottle, stubble)
    _moles(factors, places, albedo)
    _hairy(factors, channel, albedo, stubble, mottle)
    gloss = (np.float32(0.05 + 0.05 * factors.gloss) + np.float32(0.36 * factors.gloss) * channel["gloss"]) * (
        1 + np.float32(0.25) * pores
    )
    gloss += channel["lips"] * np.float32(0.10 + 0.35 * factors.lipstick)
    return albedo, np.maximum(gloss, 0)


def _features(factors, channel, albedo, base, pores, mottle, stubble):
    """Paint lips, creases, folds, wrinkles, freckles, lids and lashes."""
    natural = base * (1 - factors.lip_red * rgb(0.10, 0.62, 0.54)) * np.float32(0.85)
    pink, dark = paint_of([0.78, 0.36, 0.42]), paint_of([0.48, 0.08, 0.12])
    stick = pink + factors.lipstick_hue * (dark - pink)
    colour = natural + 0.85 * factors.lipstick * (stick - natural)
    here = np.flatnonzero(channel["lips"] > 0.02)
    blend_at(albedo, here, colour * (1 + 0.05 * stubble[here]), channel["lips"][here] * np.float32(0.92))
    parted = min(1.0, 2.5 * factors.jaw + 1.5 * factors.lips_apart)  # no shadow between parted lips
    dark = channel["crease"] * (np.float32(0.85) - np.float32(0.75 * parted) * channel["lips"])
    smiling = 0.35 * min(1.0, factors.smile + factors.sneer)
    dark += channel["folds"] * np.float32(0.10 + 0.5 * factors.age + smiling)
    raised = 0.3 * max(factors.brows_up, factors.squint * 0.7)
    dark += channel["wrinkles"] * (np.float32(0.36 * factors.age**1.5 + raised) * (1 + np.float32(0.3) * mottle))
    dark += channel["lid_fold"] * np.float32(0.55 * factors.lid_fold)
    here = np.flatnonzero(dark > 0.01)
    albedo[:, here] *= 1 - np.minimum(dark[here], np.float32(0.93)) * rgb(0.72, 0.88, 0.90)
    if factors.freckles > 0.02:
        here = np.flatnonzero(channel["freckled"] > 0.05)
        spots = (
            ramp(pores[here] + np.float32(0.9) * mottle[here], 1.5 - 0.8 * factors.freckles, 2.4)
            * channel["freckled"][here]
        )
        albedo[:, here] *= 1 - spots * rgb(0.30, 0.48, 0.55) * np.float32(factors.freckles)
    if factors.eye_makeup > 0.3:
        here = np.flatnonzero(channel["shadow"] > 0.05)
        blend_at(
            albedo,
            here,
            paint_of([0.35, 0.25, 0.27]),
            channel["shadow"][here] * np.float32(0.6 * factors.eye_makeup - 0.18),
        )
    here = np.flatnonzero(channel["lashes"] > 0.02)
    lash = np.minimum(channel["lashes"][here] * np.float32(0.80 + 0.4 * factors.eye_makeup), np.float32(0.96))
    blend_at(albedo, here, rgb(0.008, 0.007, 0.006), lash)


def _moles(factors, places, albedo):
    """Paint up to three dark spots of 2 mm radius."""
    for x, y in zip(factors.moles[::2], factors.moles[1::2], strict=True):
        if x or y:
            near = np.flatnonzero((places[0] - 60 * x) ** 2 + (places[1] + 35 - 70 * y) ** 2 < 4.0)
            albedo[:, near] *= rgb(0.40, 0.32, 0.30)


def _hairy(factors, channel, albedo, stubble, mottle):
    """Paint eyebrows, facial hair and the shade of the scalp."""
    colour = paint_of(factors.hair_colour)
    here = np.flatnonzero(channel["brow"] > 0.05)
    edge = 0.80 - 0.42 * factors.brow_thickness
    alpha = ramp(channel["brow"][here] + np.float32(0.07) * stubble[here], edge - 0.05, edge + 0.35)
    brow = colour * np.float32(min(0.55, 0.16 / float(colour.max()))) * (1 + np.float32(0.15) * stubble[here])
    blend_at(albedo, here, brow, np.minimum(alpha * np.float32(factors.brow_density), np.float32(0.95)))
    if factors.beard != "none":
        field = np.maximum.reduce([channel[name] for name in _BEARDS.get(factors.beard, _ALL_BEARD)])
        here = np.flatnonzero(field > 0.03)
        field, grain = field[here], stubble[here]
        if factors.beard == "stubble":
            alpha = field * np.float32(0.16 + 0.42 * factors.beard_density) * (1 + np.float32(0.18) * grain)
            shade = (np.minimum(colour, np.float32(0.05)) + np.float32(0.015)) * np.ones_like(grain)
        else:
            dense = 0.55 + 0.45 * factors.beard_density
            alpha = ramp(field + np.float32(0.16) * grain + np.float32(0.07) * mottle[here], 0.62 - 0.3 * dense, 0.95)
            alpha *= np.float32(dense)
            shade = colour * (np.float32(0.85) + np.float32(0.22) * grain)
        blend_at(albedo, here, shade, np.clip(alpha, 0, np.float32(0.97)))
    cover = {"bald": 0.35, "receding": 0.5}.get(factors.hair_style, 0.97)
    lift = 16 * (factors.hairline - 0.5) + (30 if factors.hair_style in ("receding", "bald") else 0)
    field = (channel["scalp"] * np.float32(255) - np.float32(128)) * np.float32(0.5) - np.float32(lift)
    here = np.flatnonzero(field > -4)
    alpha = ramp(field[here] + np.float32(2.5) * stubble[here], -1, 9) * np.float32(cover)
    blend_at(albedo, here, colour * (np.float32(0.8) + np.float32(0.2) * stubble[here]), alpha)
