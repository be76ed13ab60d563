"""ESR, explicit shape regression (Cao and others, CVPR 2012): boosted ferns on differences of pixels.

x_{t+1} = x_t + M_t^-1 r_t(I, x_t): stage t adds to the shape x_t what its ferns say, r_t = sum_k r_{t,k}, in the frame
of the mean shape (M_t is the similarity that lays x_t on it). A fern compares five pairs of pixels whose places move
with the landmarks; each of its 2^5 bins holds the mean of what was left to go, shrunk by n / (n + beta). Shapes are
complex numbers here, x + iy, so that a similarity is a factor.
"""

from dataclasses import dataclass

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from rednet_core.augment import PAPERS, Augmentation
from rednet_lab.evaluation import Progress
from rednet_lab.experiments.baselines.baseline import Baseline, Found, grey


@dataclass(frozen=True)
class EsrConfig:
    """ESR's choices; the paper has 500 ferns a stage, 400 pixels, 20 starts of each training face, beta 1000."""

    stages: int = 10  # T
    ferns: int = 100  # K
    depth: int = 5  # F: pairs of pixels in a fern
    pixels: int = 200  # P, drawn anew for each stage
    reach: float = 0.12  # of a pixel from its landmark, in box sides
    beta: float = 0.02  # shrinkage, as a share of the training faces
    starts: int = 5  # training shapes that a face is begun from; the answer is the median
    variations: int = 5  # of each training still
    box: Augmentation = PAPERS


class ESR(Baseline):
    """The cascade. It always starts from training shapes in the box: the frame before gives it the box only."""

    Choices = EsrConfig
    learnt = ("mean", "examples", "landmarks", "offsets", "pairs", "thresholds", "outputs")

    @torch.no_grad()
    def forward(self, x: Tensor, z0: Tensor, frames: int = 1, states: list | None = None) -> Found:
        """Return the shapes in crops x (N, 3, n, n) in [0, 1]; z0 is not used."""
        pictures, found = grey(x).cpu().numpy(), []
        for example in self.examples:
            shapes = np.repeat(example[None], len(pictures), 0)
            for stage in range(self.choices.stages):
                values, factor = self._values(pictures, shapes, stage)
                shapes = shapes + factor * sum(self._fern(values, stage, k) for k in range(self.choices.ferns))
            found.append(np.stack([shapes.real, shapes.imag], -1))
        return Found([torch.from_numpy(np.median(found, 0).astype(np.float32)).to(x)])

    def _values(self, pictures: np.ndarray, shapes: np.ndarray, stage: int) -> tuple[np.ndarray, np.ndarray]:
        """Return pixels (N, P) of a stage, and the factor (N, 1) that turns and scales the mean shape to each shape."""
        centred = shapes - shapes.mean(1, keepdims=True)
        factor = (centred @ self.mean.conj() / np.vdot(self.mean, self.mean).real)[:, None]
        place = shapes[:, self.landmarks[stage]] + factor * self.offsets[stage]
        last = pictures.shape[-1] - 1
        columns, rows = (part.round().clip(0, last).astype(int) for part in (place.real, place.imag))
        return pictures[np.arange(len(pictures))[:, None], rows, columns], factor

    def _bins(self, values: np.ndarray, stage: int, k: int) -> np.ndarray:
        first, second = self.pairs[stage, k].T
        above = values[:, first] - values[:, second] > self.thresholds[stage, k]
        return above @ (1 << np.arange(self.choices.depth))

    def _fern(self, values: np.ndarray, stage: int, k: int) -> np.ndarray:
        return self.outputs[stage, k][self._bins(values, stage, k)]

    def fit(self, data, rows: np.ndarray, seed: int = 0, progress: Progress = None) -> "ESR":
        """Boost: each fern is fitted to what those before it have left."""
        c, rng, size = self.choices, np.random.default_rng(seed), self.config.input_size
        rows = self.measure_mean_shape(data, rows)
        mean = self.mean_shape.cpu().numpy() @ (size, 1j * size)
        batches = list(self.varied(data, rows, seed, c.variations, c.box))
        pictures = np.concatenate([grey(each.x).cpu().numpy() for each in batches])
        truth = np.concatenate([each.points.cpu().numpy() @ (1, 1j) for each in batches])
        self.mean, self.examples = mean - mean.mean(), truth[rng.choice(len(truth), c.starts, replace=False)]
        shapes, bins = truth[rng.permutation(len(truth))], 1 << c.depth  # each face starts from another's shape
        self.landmarks = rng.integers(0, truth.shape[1], (c.stages, c.pixels))
        self.offsets = size * c.reach * (rng.uniform(-1, 1, (c.stages, c.pixels, 2)) @ (1, 1j))
        self.pairs = np.zeros((c.stages, c.ferns, c.depth, 2), int)
        self.thresholds = np.zeros((c.stages, c.ferns, c.depth))
        self.outputs = np.zeros((c.stages, c.ferns, bins, truth.shape[1]), complex)
        for stage in range(c.stages):
            values, factor = self._values(pictures, shapes, stage)
            left, moved = (truth - shapes) / factor, 0.0
            centred = values - values.mean(0)
            shared = centred.T @ centred
            spread = np.sqrt(np.maximum(np.add.outer(*[shared.diagonal()] * 2) - 2 * shared, 1e-9))
            for k in range(c.ferns):
                self._choose(centred, spread, left, values, rng, stage, k)
                own = self._bins(values, stage, k)
                one_of = sparse.csr_matrix((np.ones(len(own)), (own, np.arange(len(own)))), (bins, len(own)))
                self.outputs[stage, k] = one_of @ left / (np.bincount(own, minlength=bins) + c.beta * len(own))[:, None]
                said = self.outputs[stage, k][own]
                left, moved = left - said, moved + said
            shapes = shapes + factor * moved
            if progress:
                progress(stage + 1, c.stages)
        return self

    def _choose(self, centred, spread, left, values, rng, stage: int, k: int) -> None:
        """Set a fern's pairs: those whose difference goes best with what is left, along random directions."""
        for f in range(self.choices.depth):
            direction = rng.normal(size=left.shape[1]) + 1j * rng.normal(size=left.shape[1])
            along = (left @ direction.conj()).real
            with_it = centred.T @ (along - along.mean())
            self.pairs[stage, k, f] = np.unravel_index(
                (np.subtract.outer(with_it, with_it) / spread).argmax(), spread.shape
            )
            difference = values[:, self.pairs[stage, k, f, 0]] - values[:, self.pairs[stage, k, f, 1]]
            self.thresholds[stage, k, f] = rng.uniform(-0.2, 0.2) * np.abs(difference).max()
