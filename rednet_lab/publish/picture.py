"""README's picture of the method at work: one face seen twice, then the same face tracked.

The face is of the face world, a person that no training has seen, chosen for its looks and not for its error.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import cv2
import numpy as np

from data_prep.face_world.world import FaceWorld
from data_prep.readers.face_world import HELD_OUT
from rednet_core import geometry
from rednet_lab.files import write_whole
from rednet_lab.names import EVIDENCE, ROOT
from rednet_lab.show import draw
from rednet_lab.show.trace import Frame, trace_video
from rednet_lab.workbench.lab import Lab

VIDEO, FRAMES, SIZE = 17, 25, 360  # of the face world; pixels of a rendered frame
PANEL = 200  # pixels of a panel
NAME = "at_work.png"  # in figures/evidence


def draw_picture(net) -> np.ndarray:
    """Return the picture (H, W, 3): z_0, both steps and the points in the first frame; five tracked frames."""
    samples = [FaceWorld(0, SIZE).frame(HELD_OUT + VIDEO, number, difficulty="common") for number in range(FRAMES)]
    images, truth = (np.stack([np.asarray(getattr(s, name)) for s in samples]) for name in ("image", "points"))
    track = trace_video(net, images, truth, geometry.face_box(truth[0], net.markup))
    first = track[0]
    zoom = geometry.crop_matrix(first.box, PANEL)
    face = cv2.warpAffine(
        images[0], np.asarray(zoom, np.float32).reshape(-1, 3)[:2], (PANEL, PANEL), flags=cv2.INTER_AREA
    )
    one, two = first.steps[0], first.steps[-1]
    steps = {
        "a face, and its box": face,
        "first guess z₀: a mean face": draw.overlay(face, one.feedback.max(0)),
        "step 1, detection: seven maps": draw.overlay(face, one.maps.max(0)),
        "step 2, regression: 68 maps": draw.overlay(face, two.maps.max(0)),
        "the points": draw.points(face, geometry.apply(zoom, first.points)),
    }
    shown = {
        f"frame {t}, error {track[t].error:.1f} %": _tracked(track[t])
        for t in np.linspace(0, FRAMES - 1, 5).astype(int)
    }
    return draw.panels(steps | shown, 5)


def _tracked(frame: Frame) -> np.ndarray:
    scale = PANEL / frame.image.shape[1]
    image = draw.face(frame.image, PANEL, frame.points)
    return draw.box(image, np.asarray(frame.box) * scale)


def publish_picture(profile: str = "quick", to: Path = ROOT / EVIDENCE / NAME) -> Path:
    """Draw the picture with the network of stage 3, from the cache or trained now, and write it; return its path."""
    with tempfile.TemporaryDirectory() as out:
        net = Lab("60_tracking", profile, "face_world", "", "auto", 0, out).stage3.net
    write_whole(to, lambda part: part.write_bytes(packed(draw_picture(net))))
    return to


def packed(image: np.ndarray, most: int = 100_000) -> bytes:
    """Return a picture as PNG in as many colours as `most` bytes allow."""
    found = (draw.palette_png(image, colours) for colours in (128, 96, 64, 48, 32))
    return next(data for data in found if len(data) <= most)
