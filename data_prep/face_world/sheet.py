"""Contact sheets: many faces in one picture, so that anyone can look at what the face world makes."""

from dataclasses import replace

import cv2
import numpy as np

from data_prep.face_world.basics import generator
from data_prep.face_world.factors.camera import framed
from data_prep.face_world.factors.dressing import sample_wear
from data_prep.face_world.factors.fields import Factors
from data_prep.face_world.factors.people import sample_person
from data_prep.face_world.render.picture import render
from data_prep.face_world.world import FaceWorld
from data_prep.markups import LINES
from rednet_core.markup import IBUG68

YAWS = (-90, -60, -30, 0, 30, 60, 90)
EXPRESSIONS: tuple = (
    *({}, {"smile": 0.9, "lips_apart": 0.8}, {"jaw": 0.9}, {"pucker": 1.0}, {"frown": 1.0, "brows_down": 0.8}),
    *({"brows_up": 1.0, "jaw": 0.3}, {"blink_left": 1.0, "blink_right": 1.0}, {"gaze_x": 0.9}),
)
_GREEN, _RED = (60, 220, 90), (230, 60, 50)


def drawn(sample):
    """Return the sample's image (S, S, 3) with its points: green where visible, red where not."""
    zoom = max(1, 256 // sample.image.shape[0])
    size = sample.image.shape[0] * zoom
    image = cv2.resize(sample.image, (size, size), interpolation=cv2.INTER_NEAREST)
    points = (sample.points + 0.5) * zoom - 0.5
    for line in LINES[IBUG68.name]:
        path = np.round(points[list(line)] * 16).astype(np.int32)
        cv2.polylines(image, [path], False, _GREEN, 1, cv2.LINE_AA, 4)
    for point, seen in zip(points, sample.visible, strict=True):
        place = tuple(int(v) for v in np.round(point * 16))
        cv2.circle(image, place, 24, _GREEN if seen else _RED, -1, cv2.LINE_AA, 4)
    return cv2.resize(image, sample.image.shape[:2], interpolation=cv2.INTER_AREA)


def _plain(seed, person, **factors):
    """Return factors of a person in a plain good photograph."""
    camera = {"blur": 0.002, "noise": 0.004, "compression": 0.0, "background": "blur", "background_blur": 0.8}
    identity = sample_person(generator(seed, 1, person)) | sample_wear(generator(seed, 2, person), 0.0)
    neutral = framed(Factors(**(camera | identity)), 0.58)  # so that an expression does not change the head's size
    return replace(neutral, **factors)


def contact_sheet(kind="stills", rows=6, columns=8, seed=0, size=128, points=False, first=0, difficulty="common"):
    """Return one RGB picture (rows * size, columns * size, 3) of faces, or for some kinds of their own number of
    columns.

    kind: "stills" (as drawn for training), "yaw" (a person a row, turned from -90 to 90), "expressions" (a person
    a row), "people" (one person a row in different pictures) or "video" (a video a row, every tenth frame).
    """
    world = FaceWorld(seed=seed, size=size)
    makers = {
        "stills": lambda r, c: world.still(first + r * columns + c),
        "yaw": lambda r, c: render(_plain(seed, first + r, yaw=float(YAWS[c]), body_yaw=0.5 * YAWS[c]), size),
        "expressions": lambda r, c: render(_plain(seed, first + r, **EXPRESSIONS[c]), size),
        "people": lambda r, c: world.identity_still(first + r, c),
        "video": lambda r, c: world.frame(first + r, 10 * c, difficulty),
    }
    if kind not in makers:
        raise ValueError(f"kind: {kind!r} is none of {', '.join(makers)}")
    columns = {"yaw": len(YAWS), "expressions": len(EXPRESSIONS)}.get(kind, columns)
    show = drawn if points else (lambda sample: sample.image)
    return np.vstack([np.hstack([show(makers[kind](r, c)) for c in range(columns)]) for r in range(rows)])


def single(seed=0, person=0, size=256, **changes):
    """Return the Sample of one person in a plain photograph, with the given factors changed."""
    return render(replace(_plain(seed, person), **changes), size)
