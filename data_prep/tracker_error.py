"""How a clip's face boxes and first guesses are off from where the frame before has the face, in training.

The papers augment no clips ("to preserve the temporal consistency", journal 5.1): every box and every z_0 is exactly
where the frame before has the landmarks. A tracker's are not; what that does to a training is told in notebook 54.
"""

import math
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

from rednet_core.augment import Augmentation, rand, vary_box


def drift(clips: int, frames: int, values: int, generator: torch.Generator) -> Tensor:
    """Return smooth random paths (clips, frames, values) within [-1, 1]: two slow sines each."""
    time = torch.arange(frames)[None, :, None] / max(frames - 1, 1)
    waves = rand(2, 2, clips, 1, values, generator=generator, dim=2)
    rate, phase = 0.25 + waves[:, 0], 2 * math.pi * waves[:, 1]
    return torch.sin(2 * math.pi * rate * time + phase).mean(0)


@dataclass(frozen=True)
class TrackerError:
    """The displacement of a clip's boxes and guesses: "none" as in the papers, ours "jitter" or "drift".

    "jitter" draws it anew in every frame; "drift" moves it smoothly in time, as a tracker errs. Reaches are within +-,
    in box sides: of the box's place, its size (a share), the whole guess, each of its points by itself.
    """

    kind: Literal["none", "jitter", "drift"] = "none"
    box_shift: float = 0.04
    box_scale: float = 0.04
    guess_shift: float = 0.05
    point_shift: float = 0.02

    def __post_init__(self) -> None:
        known = get_args(TrackerError.__annotations__["kind"])
        if self.kind not in known:
            raise ValueError(f"TrackerError: kind {self.kind!r}, known: {', '.join(known)}")

    def box(self, box: Tensor, frames: int, generator: torch.Generator) -> Tensor:
        """Return the boxes (N, 3) of N / frames clips as a tracker might have them."""
        if self.kind == "none":
            return box
        if self.kind == "jitter":
            random = Augmentation(scale=self.box_scale, turn=0.0, shift=self.box_shift, flip=0.0)
            return vary_box(box, random, generator)[0]
        path = drift(len(box) // frames, frames, 3, generator).flatten(0, 1).to(box)
        centre = box[:, :2] + self.box_shift * path[:, :2] * box[:, 2:]
        return torch.cat([centre, box[:, 2:] * (1 + self.box_scale * path[:, 2:])], 1)

    def guess(self, points: Tensor, box: Tensor, frames: int, generator: torch.Generator) -> Tensor:
        """Return points (N, L, 2) as a tracker might have found them: shifted together, and each a little by itself."""
        n, count = points.shape[:2]
        if self.kind == "none":
            return points
        if self.kind == "jitter":
            together = 2 * rand(n, 1, 2, generator=generator) - 1
            alone = 2 * rand(n, count, 2, generator=generator) - 1
        else:
            paths = drift(n // frames, frames, 2 + 2 * count, generator).view(n, 1 + count, 2)
            together, alone = paths[:, :1], paths[:, 1:]
        return points + (together * self.guess_shift + alone * self.point_shift).to(points) * box[:, None, 2:]
