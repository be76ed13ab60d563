"""The README's picture: the shipped network on a rendered face, through its steps and from frame to frame."""

import numpy as np

from data_prep.face_world.world import FaceWorld
from rednet_core import geometry
from rednet_core.tracking import Tracker
from rednet_lab.names import ROOT
from rednet_lab.show import draw
from rednet_lab.show.trace import record
from rednet_lab.workbench.shipped import open_weights

METHOD = ROOT / "figures" / "method.png"
SEED, VIDEO = 1, 20  # a world that no training has seen
FRAMES = (0, 6, 12, 18, 24)  # of the strip; the last one's steps stand above it
SIZE, PANEL = 256, 190  # pixels of a frame, and of each picture


def method() -> np.ndarray:
    """Return the picture (H, W, 3): above one frame's way through the network, below the frames that led to it."""
    video = FaceWorld(SEED, SIZE).video(VIDEO, FRAMES[-1] + 1)
    tracker = Tracker(open_weights())
    tracker.start(geometry.face_box(video[0].points[None].astype(np.float32), tracker.net.markup)[0])
    seen = [record(tracker.net, tracker.update(one.image), one.image[None], one.points[None])[0] for one in video]
    last = seen[-1]
    crop = draw.enlarge(last.picture, PANEL)
    z0, (detection, regression) = last.steps[0].feedback, (step.maps for step in last.steps)
    steps = {
        f"frame {FRAMES[-1]}": crop,
        "z0: frame before": draw.overlay(crop, z0.max(0)),
        "step 1: detection": draw.overlay(crop, detection.max(0)),
        "step 2: regression": draw.overlay(crop, regression.max(0)),
        "68 points": draw.face(last.picture, PANEL, last.steps[-1].points),
    }
    strip = {}
    for i in FRAMES:
        boxed = draw.box(draw.enlarge(seen[i].image, PANEL), draw.place(seen[i].box, SIZE, PANEL))
        found = draw.place(seen[i].points, SIZE, PANEL)
        strip[f"frame {i}, NME {seen[i].error:.1f} %"] = draw.points(boxed, found, size=2)
    return draw.panels(steps | strip, len(FRAMES))
