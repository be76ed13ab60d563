"""What people wear, what comes between them and the camera, and what stands behind them."""

import numpy as np

from data_prep.face_world.factors.fields import Occluder
from data_prep.face_world.factors.people import skin_tone

_CLOTHES = {"crew": 0.28, "open collar": 0.26, "suit": 0.34, "turtleneck": 0.09, "bare": 0.03}
_HEADWEAR = {"cap": 0.4, "beanie": 0.25, "headscarf": 0.25, "turban": 0.1}
_COVER_HEIGHTS = {0.1: 0.5, 0.35: 0.25, 0.65: 0.15, 1.0: 0.1}
_THINGS = {"hand": 0.3, "microphone": 0.2, "strand": 0.2, "bar": 0.08, "ellipse": 0.1, "box": 0.12}
_BACKGROUNDS = {
    **{"plain": 0.10, "gradient": 0.12, "blur": 0.16, "indoor": 0.28},
    **{"stripes": 0.06, "outdoor": 0.12, "crowd": 0.10, "noise": 0.06},
}


def one_of(rng, chances):
    """Return one key of a dict of chances that sum to 1."""
    return list(chances)[int(rng.choice(len(chances), p=list(chances.values())))]


def muted_colour(rng, bright=0.5, spread=0.25, vivid=0.15):
    """Return an sRGB colour about that bright; vivid is how far its channels differ."""
    return tuple(float(v) for v in np.clip(rng.normal(bright, spread) + rng.normal(0, vivid, 3), 0.02, 0.98))


def sample_wear(rng, occlusion):
    """Return headwear, glasses, covers and clothes; occlusion scales how often there are any."""
    values = {"clothes": one_of(rng, _CLOTHES), "shirt_colour": muted_colour(rng, 0.8, 0.15, 0.06)}
    dark = rng.random() < 0.5
    values["clothes_colour"] = muted_colour(rng, 0.13, 0.08, 0.03) if dark else muted_colour(rng, 0.4, 0.24, 0.1)
    if rng.random() < 0.10 * occlusion:
        values["headwear"] = one_of(rng, _HEADWEAR)
        values["headwear_colour"] = colour = muted_colour(rng, 0.35, 0.25, 0.15)
        if values["headwear"] == "headscarf":  # goes on round the neck
            values |= {"cover": "scarf", "cover_colour": colour, "cover_height": float(rng.uniform(0.15, 0.33))}
    sees = rng.random()
    if sees < 0.20 * occlusion:
        values["glasses"] = "dark" if sees < 0.04 * occlusion else "clear"
        values["glasses_shape"] = tuple(float(v) for v in rng.random(3))
        dark = rng.random() < 0.8
        values["glasses_colour"] = muted_colour(rng, 0.12, 0.12, 0.06) if dark else muted_colour(rng, 0.5, 0.2, 0.05)
    hides = rng.random()
    if hides < 0.07 * occlusion and "cover" not in values:
        values["cover"] = "mask" if hides < 0.015 * occlusion else "scarf"
        values["cover_colour"] = muted_colour(rng, 0.5, 0.25, 0.15)
        values["cover_height"] = one_of(rng, _COVER_HEIGHTS)
    return values


def sample_background(rng):
    """Return kind, colours and sharpness of the background."""
    first = np.array(muted_colour(rng, 0.34, 0.24, 0.05))
    second = np.clip(first + rng.normal(0, 0.2) + rng.normal(0, 0.06, 3), 0.01, 0.99)
    return {
        "background": one_of(rng, _BACKGROUNDS),
        "background_colours": tuple(float(v) for v in (*first, *second)),
        "background_blur": float(rng.random()),
        "background_seed": int(rng.integers(2**31)),
    }


def sample_occluders(rng, person):
    """Return one or two things before the face; person: a dict with the factors of skin and hair."""
    count = 1 + int(rng.random() < 0.25)
    return tuple(occluder(rng, one_of(rng, _THINGS), person) for _ in range(count))


def occluder(rng, kind, person):
    """Return one occluder of the kind, where such a thing would be."""
    if kind == "hand":
        side = float(rng.choice([-1, 1]))
        place = (side * rng.uniform(0.1, 0.5), rng.uniform(-0.1, 0.6), rng.uniform(0.45, 0.75))
        angle = side * rng.uniform(-10, 70)
        colour = np.clip(skin_tone(person["skin"], person["skin_red"]) ** (1 / 2.2), 0, 1)
    elif kind == "microphone":
        place = (rng.normal(0, 0.2), rng.uniform(0.35, 0.75), rng.uniform(0.12, 0.3))
        angle, colour = rng.normal(0, 30), muted_colour(rng, 0.2, 0.12, 0.04)
    elif kind == "strand":
        place = (rng.normal(0, 0.25), rng.uniform(-0.45, 0.1), rng.uniform(0.3, 0.7))
        angle, colour = rng.normal(0, 30), person["hair_colour"]
    else:
        place = (rng.normal(0, 0.4), rng.normal(0.1, 0.35), rng.uniform(0.15, 0.5))
        angle, colour = rng.uniform(-180, 180), muted_colour(rng, 0.45, 0.25, 0.15)
    x, y, size = (float(v) for v in place)
    colour = tuple(float(v) for v in colour)
    return Occluder(kind, x, y, size, float(angle), colour, seed=int(rng.integers(2**31)))
