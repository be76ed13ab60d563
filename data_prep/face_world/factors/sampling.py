"""How stills are drawn: the distribution of every factor, and framing by the face box.

The role of AFLW, Helen and LFPW: fresh people, any pose, any light, things in the way. Identity factors are drawn
apart from the rest so that one person can be seen again.
"""

from dataclasses import replace

import numpy as np

from data_prep.face_world.basics import generator
from data_prep.face_world.factors.camera import framed
from data_prep.face_world.factors.dressing import sample_background, sample_occluders, sample_wear
from data_prep.face_world.factors.fields import Factors
from data_prep.face_world.factors.people import sample_person


def sample_factors(rng, person=None, identity=0, *, occlusion=1.0, pose=1.0, **fixed):
    """Draw the Factors of one still.

    rng: a NumPy generator, or a tuple of integers such as (seed, index) that names one. person: the identity
    factors as a dict (see people.sample_person), drawn too if None. occlusion scales how often something is in
    the way, pose how far heads turn (0 is frontal). fixed: factors given by the caller. The face box with 1.5
    times its side lies inside the frame.
    """
    if not isinstance(rng, np.random.Generator):
        rng = generator(*rng)
    if person is None:
        person = sample_person(rng)
    values = dict(person, identity=identity)
    values |= sample_expression(rng)
    values |= sample_pose(rng, pose)
    values |= sample_light(rng, person["skin"])
    values |= sample_camera(rng)
    values |= sample_wear(rng, occlusion)
    values |= sample_background(rng)
    side, jitter = rng.uniform(0.9, 1.0), rng.uniform(-1, 1, 2)
    things = sample_occluders(rng, values) if rng.random() < 0.16 * occlusion else ()
    values |= fixed
    factors = framed(Factors(**values), side / 1.5, jitter * (1 - side) / 2)
    return replace(factors, occluders=things) if things and "occluders" not in fixed else factors


def _clip(value, low, high):
    return float(min(max(value, low), high))


def _some(rng, chance, low=0.0, high=1.0):
    """Return 0 most of the time, else uniform between low and high."""
    draw = rng.random(2)
    return float(low + (high - low) * draw[1]) if draw[0] < chance else 0.0


def sample_expression(rng):
    """Return strengths of the expressions of a still."""
    mood = rng.random()
    face = dict.fromkeys(("jaw", "smile", "frown", "pucker", "lips_apart", "lips_pressed", "sneer"), 0.0)
    if mood < 0.30:  # a smile, often with teeth
        face["smile"] = float(rng.uniform(0.25, 1.0))
        face["lips_apart"] = face["smile"] * float(rng.choice([0.0, 0.5, 1.0]))
        face["jaw"] = _some(rng, 0.4, 0, 0.35)
    elif mood < 0.62:  # speech
        face["jaw"], face["lips_apart"] = float(rng.beta(1.2, 3.6)), float(rng.uniform(0, 0.7))
        face["pucker"], face["smile"] = _some(rng, 0.35), _some(rng, 0.3, 0, 0.5)
    elif mood < 0.72:
        face["frown"], face["lips_pressed"] = float(rng.random()), _some(rng, 0.4)
        face["sneer"] = _some(rng, 0.3)
    elif mood < 0.77:  # surprise, a shout, a yawn
        face["jaw"], face["lips_apart"] = float(rng.uniform(0.5, 1.0)), float(rng.random() * 0.6)
    elif mood < 0.82:
        face["pucker"] = float(rng.uniform(0.3, 1.0))
    brows = rng.random()
    face["brows_up"] = float(rng.random()) if brows < 0.2 else 0.0
    face["brows_down"] = float(rng.random()) if 0.2 < brows < 0.4 else 0.0
    face["brows_worried"] = _some(rng, 0.12)
    blink = float(rng.choice([rng.uniform(0, 0.3), rng.uniform(0.3, 0.75), 1.0], p=[0.85, 0.08, 0.07]))
    face["blink_left"] = face["blink_right"] = blink
    if rng.random() < 0.03:
        face["blink_right"] = 1.0
    face["squint"] = _clip(face["smile"] * rng.random() + _some(rng, 0.15), 0, 1)
    face["gaze_x"], face["gaze_y"] = _clip(rng.normal(0, 0.35), -1, 1), _clip(rng.normal(-0.05, 0.3), -1, 1)
    return face


def sample_pose(rng, pose=1.0):
    """Return angles of a still: about 55 % of the yaws within 30 degrees, the rest out to 90."""
    if rng.random() < 0.5:
        yaw = rng.normal(0, 14)
    else:
        yaw = rng.choice([-1, 1]) * 90 * rng.beta(1.35, 1.2)
    pitch, roll = _clip(rng.normal(-2, 9), -30, 30), _clip(rng.normal(0, 8), -30, 30)
    yaw, pitch, roll = _clip(yaw * pose, -90, 90), pitch * pose, roll * pose
    body = yaw * rng.uniform(0.0, 1.0) + rng.normal(0, 8)
    distance = float(np.exp(rng.uniform(np.log(600), np.log(4000))))
    return {"yaw": yaw, "pitch": pitch, "roll": roll, "body_yaw": _clip(body, -90, 90), "distance": distance}


def sample_light(rng, skin):
    """Return one directed light over ambient light, from soft and frontal to hard and sideways, for a skin tone.

    The camera's exposure is set as a camera would, for the skin, and misses it by a fraction of a stop.
    """
    hard = rng.random()
    azimuth = rng.normal(0, 34) if rng.random() < 0.8 else rng.uniform(-120, 120)
    light = {
        "light_azimuth": _clip(azimuth, -180, 180),
        "light_elevation": _clip(rng.normal(34, 20), -30, 85),
        "light": float(0.7 + 0.9 * hard),
        "light_warmth": _clip(rng.normal(0.25, 0.3), -1, 1),
        "ambient": float(np.clip(0.62 - 0.50 * hard + rng.normal(0, 0.08), 0.07, 1.0)),
        "ambient_warmth": _clip(rng.normal(0.12, 0.3), -1, 1),
        "shadow": float(rng.uniform(0.4, 0.97)),
        "rim": _some(rng, 0.15, 0.2, 1.2),
    }
    a, e = np.radians([light["light_azimuth"], light["light_elevation"]])
    falls = max(0.25, np.cos(a) * np.cos(e)) * light["light"] + 0.7 * light["ambient"]
    albedo = 0.03 + 0.5 * skin**1.6
    wanted = 0.19 * (albedo / 0.25) ** 0.45 * np.exp(rng.normal(0, 0.4))
    light["exposure"] = _clip(np.log2(wanted / (albedo * falls)), -2.5, 2.5)
    return light


def sample_camera(rng):
    """Return faults of the camera: most pictures have few, some have many."""
    poor = rng.random() ** 2
    grey = rng.random()
    return {
        "gamma": _clip(np.exp(rng.normal(0, 0.14)), 0.6, 1.6),
        "contrast": _clip(rng.normal(1.14, 0.15), 0.5, 1.6),
        "saturation": 0.0 if grey < 0.06 else _clip(rng.normal(1.02, 0.2), 0.1, 1.5),
        "tint": _clip(rng.normal(0.05, 0.3), -1, 1),
        "blur": float(0.001 + 0.010 * poor * rng.random()),
        "motion": _some(rng, 0.06, 0.01, 0.04),
        "motion_angle": float(rng.uniform(-90, 90)),
        "noise": float(0.003 + 0.04 * poor * rng.random()),
        "noise_seed": int(rng.integers(2**31)),
        "compression": float(rng.random() * (0.25 + 0.6 * poor)),
        "coarseness": float(1 + 1.4 * poor * rng.random()),
        "border": _border(rng),
    }


def _border(rng):
    """Return the shares of the frame that lie beyond the source picture's edge: none most of the time."""
    if rng.random() > 0.18:
        return (0.0,) * 4
    width = float(rng.uniform(0.01, 0.13))
    which = rng.random()
    if which < 0.35:
        return (0.0, width, 0.0, width)
    sides = rng.random(4) < (0.9 if which < 0.5 else 0.3)
    return tuple(width * float(side) for side in sides)
