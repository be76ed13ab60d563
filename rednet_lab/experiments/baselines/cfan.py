"""CFAN, coarse-to-fine auto-encoder networks (Zhang and others, ECCV 2014): stacked auto-encoders say the shape.

The first sees the whole face at low resolution and says where the landmarks are; the others see SIFT descriptors at
the landmarks, finer ones each time, and say how they move: x_{k+1} = x_k + h_k(phi(x_k)). Every layer is trained as an
auto-encoder before the whole is trained to regress: min |a - W^T s(W a + b) - c|^2, then min |x* - h(a)|^2.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from rednet_lab.experiments.baselines.baseline import Found, grey
from rednet_lab.experiments.baselines.neural import Neural, small
from rednet_lab.experiments.baselines.sdm import LENGTH, descriptors, orientation_maps


class CFAN(Neural):
    """The global network and two local ones."""

    parts = 3
    CELLS = (0.07, 0.045)  # of the descriptors of the local networks, in box sides

    def build(self, numbers: int) -> None:
        """Make the three stacks of sigmoid layers, a linear one behind each."""
        points = numbers // 2
        wide = [40 * 40, *[points * LENGTH] * len(self.CELLS)]
        self.stacks = nn.ModuleList(self._stack(first, numbers) for first in wide)

    def _stack(self, first: int, numbers: int) -> nn.Sequential:
        sizes = (first, *self.choices.hidden)
        layers = [nn.Sequential(nn.Linear(a, b), nn.Sigmoid()) for a, b in zip(sizes, sizes[1:], strict=False)]
        return nn.Sequential(*layers, nn.Linear(sizes[-1], numbers))

    def forward(self, x: Tensor, z0: Tensor, frames: int = 1, states: list | None = None) -> Found:
        """Return the shapes after each network in crops x (N, 3, n, n) in [0, 1]; z0 is not used."""
        pictures, shapes = grey(x), []
        for k in range(self.parts):
            shapes.append(self._next(self._seen(pictures, shapes[-1] if k else None, k), shapes[-1] if k else None, k))
        return Found(shapes)

    def _seen(self, pictures: Tensor, shape: Tensor | None, k: int) -> Tensor:
        """Return what network k sees, (N, ...): the face, or descriptors at the landmarks."""
        if shape is None:
            return small(pictures).flatten(1)
        cell = self.CELLS[k - 1] * self.config.input_size
        return descriptors(orientation_maps(pictures), shape, cell).flatten(1) * LENGTH**0.5

    def _next(self, seen: Tensor, shape: Tensor | None, k: int) -> Tensor:
        said = self.stacks[k](seen)
        return self.placed(said) if shape is None else shape + self.placed(said) - self.first_guess(len(said))

    def learn(self, pictures: Tensor, truth: Tensor, descend: Callable) -> None:
        """Train each network where those before it end: its layers as auto-encoders, then all of it."""
        shape = None
        for k, stack in enumerate(self.stacks):
            with torch.no_grad():
                before = [None] * len(pictures.split(256)) if shape is None else shape.split(256)
                parts = zip(pictures.split(256), before, strict=True)
                seen = torch.cat([self._seen(*part, k) for part in parts])
            given = seen
            for layer in stack[:-1]:
                back = nn.Parameter(given.mean(0))
                weights = layer[0].weight

                def rebuilt(some: Tensor, given=given, layer=layer, weights=weights, back=back) -> Tensor:
                    return (layer(given[some]) @ weights + back - given[some]).square().mean()

                descend([*layer.parameters(), back], rebuilt)
                with torch.no_grad():
                    given = layer(given)

            def loss(some: Tensor, seen=seen, shape=shape, k=k) -> Tensor:
                return self.distance(self._next(seen[some], None if shape is None else shape[some], k), truth[some])

            descend(stack.parameters(), loss)
            with torch.no_grad():
                shape = self._next(seen, shape, k)
