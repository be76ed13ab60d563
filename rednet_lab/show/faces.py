"""Faces for the instruments: a picture, its face box and, where it is known, the truth; and what a network says."""

from dataclasses import dataclass

import numpy as np
import torch

from rednet_core import geometry
from rednet_core.markup import Markup
from rednet_core.rednet import RedNet
from rednet_core.tracking import Tracked, Tracker
from rednet_lab.show.trace import Frame, record


@dataclass(frozen=True)
class Face:
    """A picture (H, W, 3) uint8, a face box (3,) in it, and the true points (L, 2) in its pixels, or None."""

    name: str
    image: np.ndarray
    box: np.ndarray
    truth: np.ndarray | None = None


def faces_of(data, rows: np.ndarray, markup: Markup, name: str = "face") -> list[Face]:
    """Stored pictures as Faces, in their annotated boxes."""
    truth = np.array(data.table["points"][rows])
    boxes = geometry.face_box(truth, markup, np.array(data.table["mask"][rows]))
    return [
        Face(f"{name} {i + 1}", np.array(data.crops[row]), boxes[i], truth[i]) for i, row in enumerate(np.asarray(rows))
    ]


class Watcher:
    """A network that is shown one face at a time, as a tracker would show it."""

    def __init__(self, net: RedNet):
        self.tracker = Tracker(net)
        self.net = self.tracker.net  # batch norm folded: the same answers in less time
        self.markup = net.markup

    def see(self, face: Face, guess: str = "mean", points: np.ndarray | None = None) -> Tracked:
        """The network's answer; z_0 is drawn from points (L, 2) of the picture, or is the first guess of that name."""
        self.tracker.start(face.box)
        self.tracker.guess = guess if points is None else "previous"
        if points is not None:
            self.tracker.points = torch.as_tensor(points, dtype=torch.float32, device=self.net.mean_shape.device)[None]
        return self.tracker.update(face.image)

    def frame(self, face: Face, guess: str = "mean", points: np.ndarray | None = None) -> Frame:
        """The same as a trace: every step's feedback, maps, points and error."""
        truth = None if face.truth is None else face.truth[None]
        return record(self.net, self.see(face, guess, points), face.image[None], truth)[0]
