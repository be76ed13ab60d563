"""A network that is right by construction, for tests of what stands around a network, and pictures for it.

It sees bright discs: where there is one in the crop it puts the mean face over it; where there is none it leaves the
mean face in the crop's middle, as a trained network does on a picture without a face.
"""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from rednet_core.markup import IBUG68
from rednet_core.rednet import Prediction
from rednet_lab.track import follow
from tests.helpers import template

SIZE = 48


class DiscNet(nn.Module):
    """Finds the bright disc of a crop; with two, the one nearer to the crop's middle."""

    def __init__(self):
        super().__init__()
        self.config, self.markup = SimpleNamespace(input_size=SIZE, steps=("regression",)), IBUG68
        self.register_buffer("mean_shape", torch.from_numpy(template()).float())

    def first_guess(self, count, how=None):
        return torch.zeros(count, 7, 2, 2)

    def draw_z0(self, points):
        return torch.zeros(len(points), 7, 2, 2)

    def forward(self, x, z0, frames=1, states=None):
        return Prediction(maps=[x], e_i=[x], e_p=[x])

    def respond(self, raw, step):
        return raw.clamp(0, 1)

    feedback = respond

    def points(self, prediction, step=-1):
        x = prediction.maps[0].mean(1)
        bright = (x > 0.7).float()
        places = torch.arange(SIZE).float() - (SIZE - 1) / 2
        near = torch.exp(-(places[:, None] ** 2 + places[None] ** 2) / (2 * 40.0**2))
        mass = (bright * near).sum((1, 2))
        weight = bright * near / mass.clamp(min=1e-6)[:, None, None]
        at = torch.stack([(weight * places).sum((1, 2)), (weight * places[:, None]).sum((1, 2))], -1)
        spread = (weight * ((places - at[:, :1, None]) ** 2 + (places[:, None] - at[:, 1:, None]) ** 2)).sum((1, 2))
        side = 5.0 * spread.clamp(min=1e-6).sqrt()
        there = mass > 20
        at, side = torch.where(there[:, None], at, 0 * at), torch.where(there, side, torch.full_like(side, SIZE))
        return self.mean_shape * side[:, None, None] + at[:, None] + (SIZE - 1) / 2

    def confidence(self, prediction):
        return torch.full((len(prediction.maps[0]),), 0.9)  # as high on nothing as on a face


@pytest.fixture
def net(monkeypatch):
    monkeypatch.setattr(follow, "frontal_faces", lambda picture: np.empty((0, 3)))
    return DiscNet()


def dark_with_discs(*discs, size=(160, 200)) -> np.ndarray:
    """Return a dark picture with bright discs (x, y, radius)."""
    y, x = np.mgrid[: size[0], : size[1]]
    out = np.full((*size, 3), 30, np.uint8)
    for cx, cy, radius in discs:
        out[(x - cx) ** 2 + (y - cy) ** 2 < radius**2] = 240
    return out


@pytest.fixture
def picture():
    """Return the function that draws a dark picture with bright discs (x, y, radius)."""
    return dark_with_discs


@pytest.fixture
def walk():
    """Return a function: frames of a disc that moves slowly to the right, and is not there in some of them."""

    def make(frames=40, hidden=()):
        return [dark_with_discs() if t in hidden else dark_with_discs((50 + 1.5 * t, 80, 14)) for t in range(frames)]

    return make
