"""Tracking by detection: the face box and z_0 of a frame come from the landmarks of the frame before.

The papers' protocol (journal 5.1, "Experimental settings"): the first frame's box is given. Several videos can
be walked through in step, one frame of each at a time. This module does not know where frames come from.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rednet_core import geometry
from rednet_core.augment import resample
from rednet_core.fold import folded
from rednet_core.protocols import FaceAligner

LEAST_BOX = 8.0  # pixels; a smaller face box has nothing in it


@dataclass
class Tracked:
    """One frame's result for N videos: points (N, L, 2) and box (N, 3) in the frame's pixels, and how sure.

    confidence (N,) is the mean height of the last step's peaks: about 1 on a clear face, towards 0 when lost.
    """

    points: np.ndarray
    box: np.ndarray
    confidence: np.ndarray
    prediction: Any = field(repr=False)
    matrix: Tensor = field(repr=False)  # frame to input, (N, 2, 3)
    inputs: Tensor = field(repr=False)  # what the network saw, (N, 3, n, n)
    z0: Tensor = field(repr=False)


class Tracker:
    """Follows one face in each of N videos.

    guess: z_0 of a later frame, "previous" (the papers'), "mean" or "zeros"; temporal=False resets the LSTM at
    every frame, which is what switching f_trn's memory off means at test time. guarded: a new box that cannot be a
    face's is not taken (`_credible`, ours); False is the papers' plain rule.
    """

    def __init__(self, net: FaceAligner, guess: str = "previous", temporal: bool = True, guarded: bool = True):
        # Batch norm folded into the convolutions: the same landmarks to a thousandth of a pixel, in less time.
        self.net, self.guess, self.temporal, self.guarded = folded(net), guess, temporal, guarded
        self.box: Tensor | None = None
        self.points: Tensor | None = None
        self.states: list | None = None

    def start(self, box: np.ndarray) -> None:
        """Begin at face boxes (N, 3) or (3,) = centre x, centre y, side, in pixels of the first frame."""
        self.box = torch.as_tensor(np.atleast_2d(box), dtype=torch.float32, device=self.net.mean_shape.device)
        self.points, self.states = None, None

    def keep(self, count: int) -> None:
        """Go on with the first `count` videos only (the others have ended)."""
        self.box = None if self.box is None else self.box[:count]
        self.points = None if self.points is None else self.points[:count]
        if self.states:
            self.states = [s and (s[0][:, :count].contiguous(), s[1][:, :count].contiguous()) for s in self.states]

    @torch.no_grad()
    def update(self, pictures: np.ndarray) -> Tracked:
        """Return the landmarks of the next frame; pictures (H, W, 3), one for all, or (N, H, W, 3) uint8 RGB."""
        if self.box is None:
            raise RuntimeError("Tracker: call start(box) with the first frame's face box before update")
        seen = torch.from_numpy(np.ascontiguousarray(pictures)).to(self.box.device).view(-1, *pictures.shape[-3:])
        net, size = self.net, self.net.config.input_size
        matrix = geometry.crop_matrix(self.box, size)
        x = resample(seen.expand(len(matrix), -1, -1, -1), matrix, size)
        if self.points is None or self.guess != "previous":
            z0 = net.first_guess(len(x), None if self.guess == "previous" else self.guess)
        else:
            z0 = net.draw_z0(geometry.apply(matrix, self.points))
        out = net(x, z0, states=self.states if self.temporal else None)
        points = geometry.apply(geometry.invert(matrix), net.points(out))
        confidence = net.confidence(out)
        result = Tracked(points.cpu().numpy(), self.box.cpu().numpy(), confidence.cpu().numpy(), out, matrix, x, z0)
        self.points, self.states = points, out.states
        box = geometry.face_box(points, net.markup)
        self.box = _credible(box, self.box, pictures.shape[-3:-1]) if self.guarded else box
        return result


def _credible(new: Tensor, old: Tensor, picture: tuple[int, int]) -> Tensor:
    """The new face box where it is credible, else the old one: a lost face must not lose its box.

    Credible is a box not far from the old one, its middle in the picture (height, width), of a face's size in it.
    """
    height, width = picture
    growth = new[:, 2:] / old[:, 2:]
    moved = (new[:, :2] - old[:, :2]).norm(dim=-1, keepdim=True) / old[:, 2:]
    inside = (new[:, :2] > 0).all(-1, keepdim=True) & (new[:, :1] < width) & (new[:, 1:2] < height)
    sized = (new[:, 2:] > LEAST_BOX) & (new[:, 2:] < 2 * max(height, width))
    return torch.where((growth > 0.6) & (growth < 1.7) & (moved < 0.5) & inside & sized, new, old)
