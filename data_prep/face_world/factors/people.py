"""Who: draws the identity factors of a person, which stay the same in all that person's pictures."""

import numpy as np

from data_prep.face_world.basics import linear
from data_prep.face_world.head.shapes import SHAPE_NAMES

_HAIR = np.array(  # natural hair colours, sRGB, from black to blond, then red, grey and white
    [
        *([16, 14, 14], [34, 25, 20], [58, 40, 28], [88, 62, 42], [126, 94, 62], [172, 138, 94], [205, 176, 128]),
        *([122, 62, 36], [128, 126, 124], [205, 203, 200]),
    ]
)

_TONES = linear(  # from the darkest to the lightest skin, sRGB
    np.array(
        [[54, 35, 27], [84, 55, 41], [118, 79, 58], [155, 109, 82], [190, 141, 112], [217, 173, 146], [235, 199, 178]]
    )
    / 255
)


def skin_tone(skin, red):
    """Return the linear colour (3,) of a skin from darkest (0) to lightest (1), with its ruddiness (-1 to 1)."""
    place = skin * (len(_TONES) - 1)
    low = min(int(place), len(_TONES) - 2)
    tone = _TONES[low] + np.float32(place - low) * (_TONES[low + 1] - _TONES[low])
    return tone * np.array([1 + 0.04 * red, 1 - 0.09 * red, 1 - 0.07 * red], np.float32)


def sample_person(rng):
    """Return a dict of the identity factors of a random adult, drawn with NumPy generator rng."""
    masculine = rng.random() < 0.58
    age = float(rng.beta(1.6, 2.2))
    skin = float(np.clip(rng.beta(1.9, 1.2), 0.02, 1.0))
    person = {"shape": _shape(rng, masculine, age), "skin": skin, "age": age}
    person["skin_red"] = float(np.clip(rng.normal(0, 0.4), -1, 1))
    person["freckles"] = float(rng.random() * (rng.random() < 0.2) * (skin > 0.5))
    moles = np.where(np.repeat(rng.random(3) < 0.2, 2), rng.uniform(-1, 1, 6), 0.0)
    person["moles"] = tuple(float(v) for v in moles)
    person["grain"] = tuple(float(v) for v in rng.random(2))
    person["gloss"] = float(rng.random())
    person["brow_thickness"] = float(np.clip(rng.normal(0.65 if masculine else 0.4, 0.2), 0, 1))
    person["brow_density"] = float(np.clip(rng.normal(0.92 if skin < 0.6 else 0.82, 0.15), 0.3, 1))
    pale_eyes = skin > 0.6 and rng.random() < 0.5
    person["eye_colour"] = float(rng.uniform(0.4, 1.0) if pale_eyes else rng.uniform(0, 0.35))
    person["lid_fold"] = float(rng.random())
    person["lip_red"] = float(rng.uniform(0.3, 1.0))
    made_up = not masculine and rng.random() < 0.6
    person["lipstick"] = float(rng.random()) if made_up else 0.0
    person["lipstick_hue"] = float(rng.random())
    person["eye_makeup"] = float(rng.uniform(0.2, 1.0)) if made_up else float(rng.uniform(0, 0.3))
    person |= _hair(rng, masculine, age, skin)
    beard = "none"
    if masculine and rng.random() < 0.45:
        beard = str(rng.choice(["stubble", "moustache", "goatee", "full"], p=[0.42, 0.15, 0.18, 0.25]))
    person["beard"], person["beard_density"] = beard, float(rng.random())
    return person


def _shape(rng, masculine, age):
    """Return shape coefficients, with a few that differ between men and women or grow with age."""
    values = np.clip(rng.standard_normal(len(SHAPE_NAMES)), -2.6, 2.6)
    lean = 0.5 if masculine else -0.5
    for name, shift in (
        ("jaw width", 1.0),
        ("brow ridge", 1.4),
        ("brow height", -0.9),
        ("chin width", 0.8),
        ("nose width", 0.6),
    ):
        values[SHAPE_NAMES.index(name)] += lean * shift
    for name, shift in (
        ("neck width", 1.6),
        ("eye opening", -0.6),
        ("upper lip", -0.6),
        ("lower face height", 0.7),
        ("nose length", 0.4),
    ):
        values[SHAPE_NAMES.index(name)] += lean * shift
    for name, shift in (
        ("upper lip", -1.0),
        ("cheek fullness", -0.4),
        ("double chin", 0.9),
        ("ear size", 0.8),
        ("eye opening", -0.6),
    ):
        values[SHAPE_NAMES.index(name)] += (age - 0.4) * shift
    return tuple(float(v) for v in np.clip(values, -3.2, 3.2))


def _hair(rng, masculine, age, skin):
    tone = rng.random() ** (2.2 if skin < 0.55 else 1.35) * (2.6 if skin < 0.55 else 6)
    place = int(tone)
    colour = _HAIR[place] + (tone - place) * (_HAIR[min(place + 1, 6)] - _HAIR[place])
    if skin > 0.7 and rng.random() < 0.08:
        colour = _HAIR[7].astype(float)
    grey = np.clip((age - 0.55) * 2.4 + rng.normal(0, 0.25), 0, 1) if age > 0.45 else 0.0
    colour = colour + grey * (_HAIR[8 + int(rng.random() < grey * 0.6)] - colour)
    if masculine:
        old = 0.16 * (age > 0.5)
        styles = {"short": 0.36, "side part": 0.22, "buzz": 0.12, "bald": 0.05 + old, "receding": 0.08 + old}
        styles |= {"fringe": 0.03, "curly": 0.06, "curtain": 0.03, "long": 0.02}
    else:
        styles = {
            "long": 0.28,
            "curtain": 0.18,
            "fringe": 0.2,
            "tied back": 0.16,
            "curly": 0.1,
            "short": 0.05,
            "side part": 0.03,
        }
    names, weights = list(styles), np.array(list(styles.values()))
    return {
        "hair_style": str(rng.choice(names, p=weights / weights.sum())),
        "hair_colour": tuple(float(v) for v in np.clip(colour / 255 + rng.normal(0, 0.015), 0.01, 0.95)),
        "hair_volume": float(rng.random()),
        "hair_length": float(rng.random()),
        "hair_part": float(rng.uniform(-0.8, 0.8)),
        "hairline": float(np.clip(rng.normal(0.5, 0.22) + 0.2 * (masculine and age > 0.5), 0, 1)),
        "hair_wave": float(rng.random() ** 1.5),
    }
