"""The seams of the package: what a face aligner is from outside, and what it is trained and judged on.

RedNet, EccvNet and the methods they are compared with fit FaceAligner; prepared stores, landmark subsets and
synthetic videos fit FaceData. None is a class to inherit from: anything with these members will do.
"""

from typing import Any, Protocol

import numpy as np
from torch import Generator, Tensor

from rednet_core.markup import Markup


class FaceData(Protocol):
    """Pictures of faces and what is annotated in them.

    crops (N, S, S, 3) uint8; table, a structured array (N,) with the fields points (L, 2) in crop pixels, mask (L,),
    identity, video (-1 where there is none) and frame.
    """

    @property
    def crops(self) -> np.ndarray: ...

    @property
    def table(self) -> np.ndarray: ...


class ClipError(Protocol):
    """How face boxes and guesses of clips are displaced in training, as by a tracker; none of it is the papers'."""

    def box(self, box: Tensor, frames: int, generator: Generator) -> Tensor:
        """Return the displaced boxes (N, 3) of N / frames clips."""

    def guess(self, points: Tensor, box: Tensor, frames: int, generator: Generator) -> Tensor:
        """Return the displaced points (N, L, 2) of the frames before."""


class FaceAligner(Protocol):
    """A method that finds landmarks in a crop x of a face, from a first guess z0.

    config has at least input_size, the crop's side in pixels, and steps, one entry for each answer it gives.
    mean_shape (L, 2) is in face-box sides from the box's centre. What a call returns is the method's own kind of
    prediction, with a field `states` to be handed back for the next frame; `points` reads it.
    """

    config: Any
    markup: Markup
    mean_shape: Tensor

    @property
    def __call__(self) -> Any: ...

    def first_guess(self, count: int, how: str | None = None) -> Tensor:
        """Return z0 for `count` faces of which nothing is known yet."""

    def draw_z0(self, points: Tensor) -> Tensor:
        """Return z0 for faces whose landmarks are thought to be at points (N, L, 2), in input pixels."""

    def points(self, prediction: Any, step: int = -1) -> Tensor:
        """Return the points (N, L, 2) in input pixels after a step."""

    def confidence(self, prediction: Any) -> Tensor:
        """Return how sure the method is of each face, (N,)."""
