"""What each method compared with RED-Net looks like from outside: like a network, so that the same code judges it.

`rednet_core`'s Tracker, predict_stills and predict_videos ask a network for a first guess z_0, run it on face crops
and read points off its answer. For the methods here z_0 is a shape: points (N, L, 2) in the crop, those of the frame
before (journal 5.6) or the mean face's. They see the very crops that the network sees, and lose a face by its rules.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
from torch import Tensor, nn

from rednet_core import geometry
from rednet_core.augment import Augmentation
from rednet_core.batches import gather
from rednet_core.inputs import Inputs, still_inputs
from rednet_core.markup import Markup
from rednet_lab.evaluation import Progress

LEAST_FACES = 8  # fewer fit anything
BATCH = 256
GREY = (0.299, 0.587, 0.114)  # how bright red, green and blue look (ITU-R BT.601)


@dataclass
class Found:
    """An answer: shapes after each step, (N, L, 2) in crop pixels; nothing is remembered from frame to frame."""

    shapes: list[Tensor]
    states: list = field(default_factory=list)


class Baseline(nn.Module):
    """A method of face alignment that works on shapes: `fit` trains it, `forward` answers for N crops.

    sees: side in pixels of the crops that it is given, as RED-Net's input_size. choices: of its dataclass Choices.
    """

    mean_shape: Tensor
    Choices: type | None = None
    learnt: tuple[str, ...] = ()  # names of what is kept besides buffers and weights: arrays

    def __init__(self, markup: Markup, sees: int, choices=None, steps: int = 1):
        super().__init__()
        self.choices = choices or (self.Choices and self.Choices())
        names = tuple(f"shape {k + 1}" for k in range(steps))
        self.markup, self.config = markup, SimpleNamespace(input_size=sees, steps=names)  # as the tracker asks for them
        self.register_buffer("mean_shape", torch.zeros(markup.n_points, 2))

    # --- what the tracker asks for ---

    def draw_z0(self, points: Tensor) -> Tensor:
        """z_0 from a guess (N, L, 2) in crop pixels: the guess itself."""
        return points

    def first_guess(self, count: int, how: str | None = None) -> Tensor:
        """Return the mean face in the box, (count, L, 2), for crops of which nothing is known yet."""
        if how not in (None, "mean"):
            raise ValueError(f"first guess {how!r}: a method that starts from a shape knows only 'mean'")
        size = self.config.input_size
        return (self.mean_shape * size + (size - 1) / 2).expand(count, -1, -1)

    def points(self, found: Found, step: int = -1) -> Tensor:
        """Return points (N, L, 2) in crop pixels after a step."""
        return found.shapes[step]

    def confidence(self, found: Found) -> Tensor:
        """NaN (N,): these methods do not say how sure they are."""
        return found.shapes[-1].new_full((len(found.shapes[-1]),), float("nan"))

    def forward(self, x: Tensor, z0: Tensor, frames: int = 1, states: list | None = None) -> Found:
        """Return shapes found in crops x (N, 3, n, n) in [0, 1], starting from z0 (N, L, 2)."""
        raise NotImplementedError

    # --- training and keeping ---

    def fit(self, data, rows: np.ndarray, seed: int = 0, progress: Progress = None) -> "Baseline":
        """Train on the stills `rows` of prepared data and return the method itself."""
        raise NotImplementedError

    def save(self, folder: Path) -> None:
        """Keep what was learnt in a folder: the buffers and weights, and the arrays."""
        found = {name: value.cpu().numpy() for name, value in self.state_dict().items()}
        np.savez(folder / "learnt.npz", **found, **{name: getattr(self, name) for name in self.learnt})

    def load(self, folder: Path) -> "Baseline":
        """Take what `save` kept and return the method itself."""
        with np.load(folder / "learnt.npz", allow_pickle=False) as kept:
            for name in self.learnt:
                setattr(self, name, kept[name])
            self.load_state_dict({name: torch.from_numpy(kept[name]) for name in kept.files if name not in self.learnt})
        return self.eval()

    def measure_mean_shape(self, data, rows: np.ndarray) -> np.ndarray:
        """Set the mean shape by the fully annotated faces among `rows`, and return these rows.

        These methods have no use for a face with points missing. Raise ValueError where too few are whole.
        """
        whole = rows[data.table["mask"][rows].all(-1)]
        if len(whole) < LEAST_FACES:
            raise ValueError(
                f"{type(self).__name__}: {len(whole)} of {len(rows)} stills have all {self.markup.n_points} points "
                f"annotated, at least {LEAST_FACES} are needed; prepare the data with fewer points (--seven)"
            )
        points, mask = (np.array(data.table[name][whole]) for name in ("points", "mask"))
        shape = geometry.mean_shape(points, self.markup, mask)
        self.mean_shape.copy_(torch.from_numpy(np.asarray(shape, np.float32)))
        return whole

    def varied(self, data, rows: np.ndarray, seed: int, variations: int, how: Augmentation) -> Iterator[Inputs]:
        """Return inputs of every still `variations` times, augmented as RED-Net's training stills are, in batches."""
        generator = torch.Generator().manual_seed(seed)
        order = np.tile(rows, variations)
        for start in range(0, len(order), BATCH):
            batch = gather(data, order[start : start + BATCH]).to(self.mean_shape.device)
            yield still_inputs(batch, self, generator, how)


def grey(x: Tensor) -> Tensor:
    """Return grey pictures (N, H, W) of colour ones (N, 3, H, W)."""
    return (x * x.new_tensor(GREY).view(1, 3, 1, 1)).sum(1)


class FirstBox(Baseline):
    """The mean face put into the box, whatever the picture shows: in a video it stays where the first box was."""

    def fit(self, data, rows: np.ndarray, seed: int = 0, progress: Progress = None) -> "FirstBox":
        """Measure the mean face; one whose own face box is exactly the box, or it would shrink from frame to frame."""
        self.measure_mean_shape(data, rows)
        box = geometry.face_box(self.mean_shape, self.markup)
        self.mean_shape.copy_((self.mean_shape - box[:2]) / box[2])
        return self

    def forward(self, x: Tensor, z0: Tensor, frames: int = 1, states: list | None = None) -> Found:
        """Return the mean face for each of the crops x (N, 3, n, n)."""
        return Found([self.first_guess(len(x))])
