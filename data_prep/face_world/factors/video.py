"""Moving faces: the factors of one person over time, as smooth functions of the frame number.

Every frame can be asked for on its own: trajectories are sums of slow waves, and blinks and passing objects
come from a short table of events that a video's plan holds. The camera stays as it is through a video.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from data_prep.face_world.basics import generator
from data_prep.face_world.factors.camera import box_of, framed
from data_prep.face_world.factors.dressing import occluder, sample_background, sample_wear
from data_prep.face_world.factors.fields import Factors
from data_prep.face_world.factors.people import sample_person
from data_prep.face_world.factors.sampling import sample_camera, sample_light

DIFFICULTIES = ("common", "challenging")
SLOT = 80  # frames; one blink and at most one passing object start in each
_SLOTS = 48  # then the events repeat
_WAVES = 5


@dataclass(frozen=True)
class Wave:
    """A smooth random curve of values mostly within -1..1, with periods (frames) in a band."""

    rates: np.ndarray
    phases: np.ndarray

    def __call__(self, t):
        """Return the value at frame t."""
        return float(np.tanh(1.1 * np.sin(self.rates * t + self.phases).sum() * (2 / _WAVES) ** 0.5))


def wave(rng, shortest, longest):
    """Return a Wave whose periods lie between shortest and longest frames."""
    periods = np.exp(rng.uniform(np.log(shortest), np.log(longest), _WAVES))
    return Wave(2 * np.pi / periods, rng.uniform(0, 2 * np.pi, _WAVES))


@dataclass(frozen=True)
class VideoPlan:
    """What is fixed in a video: factors at rest, curves by name, amplitudes by name, and events a slot."""

    still: Factors
    curves: dict
    amplitudes: dict
    means: dict
    blink_starts: np.ndarray
    passes: tuple


# name: shortest and longest period in frames (25 frames a second)
_BANDS = {
    "yaw": (50, 200),
    "pitch": (40, 160),
    "roll": (60, 220),
    "x": (60, 240),
    "y": (60, 240),
    "zoom": (120, 400),
    "talk": (5.5, 13),
    "speech": (50, 160),
    "lips": (6, 16),
    "smile": (60, 240),
    "brows": (40, 160),
    "gaze_x": (22, 90),
    "gaze_y": (30, 110),
    "light": (90, 300),
    "body": (120, 400),
}


def _amplitudes(rng, hard):
    """Return (amplitude, mean) by curve: how far each factor swings and about what."""
    wide = 1.0 if hard else 0.0
    amplitude = {
        "yaw": rng.uniform(35, 62) if hard else rng.uniform(6, 20),
        "pitch": rng.uniform(5, 12 + 6 * wide),
        "roll": rng.uniform(3, 8 + 8 * wide),
        "x": rng.uniform(0.06, 0.22),
        "y": rng.uniform(0.03, 0.14),
        "zoom": rng.uniform(0.0, 0.04),
        "talk": rng.uniform(0.1, 0.5),
        "smile": rng.uniform(0.0, 0.8),
        "brows": rng.uniform(0.0, 0.7),
        "gaze_x": rng.uniform(0.1, 0.5),
        "gaze_y": rng.uniform(0.05, 0.3),
        "light": rng.uniform(25, 80) if hard else rng.uniform(0, 8),
        "body": rng.uniform(2, 10),
    }
    mean = {
        "yaw": rng.normal(0, 14) if hard else rng.normal(0, 6),
        "pitch": rng.normal(-2, 4),
        "roll": rng.normal(0, 3),
        "speech": rng.uniform(-0.6, 0.8),
        "smile": rng.uniform(-0.5, 0.4),
        "body": rng.normal(0, 10),
    }
    return amplitude, mean


@lru_cache(maxsize=64)
def plan(seed_key, person_key, identity, difficulty, occlusion=1.0):
    """Return the VideoPlan of the video named by integers seed_key, of the person named by integers person_key."""
    if difficulty not in DIFFICULTIES:
        raise ValueError(f"difficulty: {difficulty!r} is none of {', '.join(DIFFICULTIES)}")
    hard = difficulty == "challenging"
    rng = generator(*seed_key, DIFFICULTIES.index(difficulty))
    values = dict(sample_person(generator(*person_key)), identity=identity)
    values |= sample_light(rng, values["skin"]) | sample_camera(rng)
    values |= sample_wear(rng, occlusion * (1.3 if hard else 0.6)) | sample_background(rng)
    values["distance"] = float(np.exp(rng.uniform(np.log(700), np.log(3000))))
    values["motion"] = 0.0
    if not hard:  # well lit and facing the lamp
        values["light_azimuth"] = float(np.clip(values["light_azimuth"], -50, 50))
        values["ambient"] = max(values["ambient"], 0.3)
    else:
        values["exposure"] = max(-3.0, values["exposure"] - 0.25)
    still = framed(Factors(**values), rng.uniform(0.51, 0.59))
    curves = {name: wave(rng, *band) for name, band in _BANDS.items()}
    amplitudes, means = _amplitudes(rng, hard)
    starts = np.arange(_SLOTS) * SLOT + rng.integers(0, SLOT - 12, _SLOTS)
    passes = tuple(
        _passing(rng, k, values) if hard and rng.random() < 0.75 * occlusion else None for k in range(_SLOTS)
    )
    return VideoPlan(still, curves, amplitudes, means, starts, passes)


def _passing(rng, slot, values):
    """Return (start frame, frames, path from, path to, Occluder) of something that passes before the face in a slot."""
    kind = str(
        rng.choice(["hand", "microphone", "strand", "ellipse", "box", "bar"], p=[0.4, 0.2, 0.1, 0.1, 0.12, 0.08])
    )
    thing = occluder(rng, kind, values)
    frames = int(rng.integers(26, SLOT - 14))
    start = slot * SLOT + int(rng.integers(0, SLOT - frames))
    side = rng.choice([-1.0, 1.0])
    if kind in ("hand", "microphone") and rng.random() < 0.6:  # rises to the face and falls back
        return start, frames, (thing.x, 1.9), (thing.x, 1.9), thing
    return start, frames, (-1.6 * side, rng.normal(0, 0.25)), (1.6 * side, rng.normal(0, 0.25)), thing


def _blink(age):
    """Return closure (0 to 1) of the lids `age` frames after a blink began: down in 3 frames, up in 5."""
    if age < 0 or age > 8:
        return 0.0
    share = age / 3 if age < 3 else (8 - age) / 5
    return float(np.sin(np.pi / 2 * share) ** 2)


def _occluders(plan_, t):
    """Return the passing object of frame t, if any: eased from start to end by way of its place at the face."""
    event = plan_.passes[int(t) // SLOT % _SLOTS]
    if event is None:
        return ()
    start, frames, first, last, thing = event
    share = (t % (SLOT * _SLOTS) - start) / frames
    if not 0 <= share <= 1:
        return ()
    ease = np.sin(np.pi * share) ** 2  # 1 when it is at its place before the face
    ends = first if share < 0.5 else last
    return (
        replace(thing, x=float(ends[0] + ease * (thing.x - ends[0])), y=float(ends[1] + ease * (thing.y - ends[1]))),
    )


def frame_factors(plan_, t):
    """Return the Factors of frame t (0, 1, ...) of a planned video."""
    curve = {name: c(t) for name, c in plan_.curves.items()}
    swing, mean = plan_.amplitudes, plan_.means

    def at(name, low=-1e9, high=1e9):
        return float(np.clip(mean.get(name, 0.0) + swing[name] * curve[name], low, high))

    speaks = min(1.0, max(0.0, 0.5 + mean["speech"] + 0.8 * curve["speech"]))
    mouth = speaks * (0.5 + 0.5 * curve["talk"])
    blink = max(_blink(t % (SLOT * _SLOTS) - start) for start in plan_.blink_starts)
    smile = at("smile", 0, 1)
    still = plan_.still
    factors = replace(
        still,
        yaw=at("yaw", -90, 90),
        pitch=at("pitch", -30, 30),
        roll=at("roll", -30, 30),
        body_yaw=at("body", -90, 90),
        x=still.x + swing["x"] * curve["x"],
        y=still.y + swing["y"] * curve["y"],
        scale=still.scale * (1 + swing["zoom"] * curve["zoom"]),
        jaw=min(1.0, swing["talk"] * mouth),
        lips_apart=min(1.0, 0.7 * mouth + 0.4 * smile),
        pucker=max(0.0, 0.6 * speaks * curve["lips"] * (1 - smile)),
        smile=smile,
        brows_up=max(0.0, swing["brows"] * curve["brows"]),
        brows_down=max(0.0, -0.7 * swing["brows"] * curve["brows"]),
        squint=0.4 * smile,
        blink_left=blink,
        blink_right=blink,
        gaze_x=at("gaze_x", -1, 1),
        gaze_y=at("gaze_y", -1, 1),
        light_azimuth=float(np.clip(still.light_azimuth + swing["light"] * curve["light"], -180, 180)),
        light_elevation=float(np.clip(still.light_elevation + 0.3 * swing["light"] * curve["body"], -60, 89)),
        noise_seed=(still.noise_seed + 7919 * int(t)) % 2**31,
        occluders=_occluders(plan_, t),
    )
    return _kept_inside(factors)


def _kept_inside(factors):
    """Return the factors with the head pushed back so that its face box stays inside the frame."""
    x, y, side = box_of(factors)
    reach = max(0.0, 0.49 - side / 2)
    dx, dy = np.clip([x, y], 0.5 - reach, 0.5 + reach) - [x, y]
    if not (dx or dy):
        return factors
    return replace(factors, x=float(factors.x + dx / factors.scale), y=float(factors.y + dy / factors.scale))
