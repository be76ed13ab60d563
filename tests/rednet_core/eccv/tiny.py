"""A tiny ECCV network, its pictures, and loops over pixels for its label maps (Eq. 9)."""

import math

import numpy as np
import torch

from rednet_core.eccv import EccvConfig, EccvNet
from tests.helpers import template


def tiny_eccv(seed=0, **changes):
    """An EccvNet that runs in milliseconds, with the drawn face as its mean shape."""
    torch.manual_seed(seed)
    small = dict(input_size=32, width=0.125, encoder_convs=(1,) * 5, hidden=16, steps=(20, 12, 12))
    net = EccvNet(EccvConfig(**{**small, **changes}))
    shape = template() if net.markup.n_points == 68 else template()[[36, 39, 42, 45, 30, 48, 54]]
    net.mean_shape.copy_(torch.tensor(shape, dtype=torch.float32))
    return net


def pictures(n, net, seed=0):
    generator = torch.Generator().manual_seed(seed)
    size = net.config.input_size
    points = net.mean_points() + torch.randn(n, net.markup.n_points, 2, generator=generator)
    return torch.rand(n, 3, size, size, generator=generator), net.draw_z0(points)


def loop_map(points, present, size, side):
    """Square by square, pixel by pixel: side px wide, on the pixel nearest to the point; later squares on top."""
    found = np.zeros((len(points), size, size), int)
    for n, picture in enumerate(points):
        for l, (x, y) in enumerate(picture):
            if not present[n, l]:
                continue
            column, row = math.floor(float(x) + 0.5), math.floor(float(y) + 0.5)
            reach = int(side) // 2
            for i in range(row - reach, row + reach + 1):
                for j in range(column - reach, column + reach + 1):
                    if 0 <= i < size and 0 <= j < size:
                        found[n, i, j] = l + 1
    return found


def loop_centres(classes, count):
    """Mean place of each label's pixels."""
    centres, present = np.zeros((len(classes), count, 2)), np.zeros((len(classes), count), bool)
    for n, picture in enumerate(classes):
        for l in range(count):
            places = [(j, i) for i, row in enumerate(picture) for j, value in enumerate(row) if value == l + 1]
            if places:
                centres[n, l] = np.mean(places, 0)
                present[n, l] = True
    return centres, present
