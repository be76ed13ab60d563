"""SDM, the Supervised Descent Method (Xiong and De la Torre, CVPR 2013): shapes improved by linear regression on SIFT.

x_{k+1} = x_k + R_k phi(x_k) + b_k: descriptors phi at the current landmarks, a matrix R_k for each of a few steps, and
R_k is the least-squares answer to where the landmarks should have gone. That is the whole method.

The descriptors are Lowe's (IJCV 2004, section 6) without his detector, of known size and angle, at all points of all
pictures at once: 4 x 4 cells of eight gradient orientations each. Where a gradient falls between cells or orientations
it is shared linearly, as Lowe has it; his wide Gaussian over the window acts here cell by cell, not pixel by pixel.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from rednet_core import geometry as frames_
from rednet_core.augment import PAPERS, Augmentation, vary_box
from rednet_core.markup import Markup
from rednet_lab.evaluation import Progress
from rednet_lab.experiments.baselines.baseline import Baseline, Found, grey

CARRIED = ("pose", "shape")
CELLS, ORIENTATIONS = 4, 8
LENGTH = CELLS * CELLS * ORIENTATIONS
LARGEST = 0.2  # of a normalised descriptor's entries: one strong edge shall not drown the rest


@dataclass(frozen=True)
class SdmConfig:
    """SDM's choices; lengths are in box sides."""

    cells: tuple[float, ...] = (0.09, 0.07, 0.055, 0.045, 0.04)  # of the descriptors of each step: one of 4 x 4 cells
    kept: int = 32  # of a descriptor's 128 numbers, by PCA
    variations: int = 4  # of each training still
    # What a frame inherits from the landmarks of the one before: the whole "shape" (journal 5.6), or its "pose" only:
    # the mean face shifted, scaled and turned as they are. Inherited shapes drift here; notebook 78 shows it.
    carry: str = "pose"
    tracked: float = 0.5  # share of training starts that are inherited; the others are the mean face in the box
    error: Augmentation = Augmentation(scale=0.08, turn=8.0, shift=0.06)  # of what is inherited
    other: float = 0.5  # of an inherited shape: how far it may be on the way to another face's
    box: Augmentation = PAPERS
    held_out: float = 0.1  # of the training faces, to choose the ridge by
    ridges: tuple[float, ...] = (1e-3, 1e-2, 1e-1, 1.0)  # times the mean of the Gram matrix's diagonal

    def __post_init__(self) -> None:
        if self.carry not in CARRIED:
            raise ValueError(f"SdmConfig: carry {self.carry!r}, known: {', '.join(CARRIED)}")


class SDM(Baseline):
    """The cascade: `regressors` (K, L * kept + 1, L * 2), whose last row is b_k, and the PCA's `basis` (128, kept)."""

    def __init__(self, markup: Markup, sees: int, choices: SdmConfig | None = None):
        choices = choices or SdmConfig()
        super().__init__(markup, sees, choices, len(choices.cells))
        self.ridges: list[float] = []
        length = markup.n_points * self.choices.kept + 1
        self.register_buffer("regressors", torch.zeros(len(self.choices.cells), length, markup.n_points * 2))
        self.register_buffer("basis", torch.zeros(LENGTH, self.choices.kept))

    def forward(self, x: Tensor, z0: Tensor, frames: int = 1, states: list | None = None) -> Found:
        """Return shapes after each step, for crops x (N, 3, n, n) in [0, 1] and starts z0 (N, L, 2) in crop pixels."""
        maps, shapes = orientation_maps(grey(x)), [z0]
        for k in range(len(self.regressors)):
            shapes.append(shapes[-1] + self._way(self._phi(maps, shapes[-1], k), self.regressors[k]))
        return Found(shapes[1:])

    def _phi(self, maps: Tensor, shape: Tensor, k: int) -> Tensor:
        """phi (N, L * kept + 1): reduced descriptors at the landmarks, and a one for b_k."""
        reduced = descriptors(maps, shape, self.choices.cells[k] * self.config.input_size) @ self.basis
        return torch.cat([reduced.flatten(1), reduced.new_ones(len(shape), 1)], 1)

    def _way(self, phi: Tensor, regressor: Tensor) -> Tensor:
        """Return the way (N, L, 2) in crop pixels that a regression wants the landmarks to go."""
        return (phi @ regressor).unflatten(1, (-1, 2)) * self.config.input_size

    @torch.no_grad()
    def fit(self, data, rows: np.ndarray, seed: int = 0, progress: Progress = None) -> "SDM":
        """Least squares, one step after the other, each from where the steps before have left the shapes."""
        rows = self.measure_mean_shape(data, rows)
        order = np.random.default_rng(seed).permutation(len(rows))
        held = max(1, round(self.choices.held_out * len(rows)))
        train, test = (self._starts(data, rows[some], seed) for some in (order[held:], order[:held]))
        self._measure_basis(train)
        for k in range(len(self.regressors)):
            gram, right = 0.0, 0.0
            phis = []  # of all batches: the shapes move only when R_k is known
            for i, (pictures, shape, truth) in enumerate(train):
                phis.append(phi := self._phi(orientation_maps(pictures.float() / 255), shape, k))
                way = (truth - shape).flatten(1) / self.config.input_size
                gram, right = gram + phi.T @ phi, right + phi.T @ way
                if progress:
                    progress(k * len(train) + i + 1, len(self.regressors) * len(train))
            self._choose_ridge(k, gram.cpu().double(), right.cpu().double(), test)
            for phi, (_, shape, _) in zip(phis, train, strict=True):
                shape += self._way(phi, self.regressors[k])
        return self

    def _starts(self, data, rows: np.ndarray, seed: int) -> list[tuple[Tensor, Tensor, Tensor]]:
        """Batches of grey crops (uint8), shapes to start from and true shapes, both in crop pixels."""
        generator = torch.Generator().manual_seed(seed)
        found = []
        for inputs in self.varied(data, rows, seed, self.choices.variations, self.choices.box):
            tracked = torch.rand(len(inputs.points), 1, 1, generator=generator) < self.choices.tracked
            before = self._frame_before(inputs.points, generator)
            start = torch.where(tracked.to(before.device), before, inputs.z0)
            found.append(((grey(inputs.x) * 255).round().to(torch.uint8), start, inputs.points))
        return found

    def draw_z0(self, points: Tensor) -> Tensor:
        """The start (N, L, 2) that a frame inherits from landmarks (N, L, 2) of the one before, in crop pixels."""
        return points if self.choices.carry == "shape" else aligned(self.first_guess(len(points)), points)

    def _frame_before(self, points: Tensor, generator: torch.Generator) -> Tensor:
        """Starts (N, L, 2) as a tracker might inherit them: drawn from the true points, which are spoilt before."""
        box = frames_.face_box(points, self.markup)
        moved, turn = vary_box(box, self.choices.error, generator)
        shape = frames_.apply(frames_.crop_matrix(moved, 1, turn), points)  # in box sides, round (0, 0)
        share = self.choices.other * torch.rand(len(points), 1, 1, generator=generator).to(points)
        shape = shape + share * (shape.roll(1, 0) - shape)
        return self.draw_z0(shape * box[:, None, 2:] + box[:, None, :2])

    def _measure_basis(self, batches: list) -> None:
        """PCA of the first step's descriptors, about the origin; one basis for all landmarks and steps."""
        spread = 0.0
        for pictures, shape, _ in batches[:8]:
            maps = orientation_maps(pictures.float() / 255)
            each = descriptors(maps, shape, self.choices.cells[0] * self.config.input_size).flatten(0, 1)
            spread = spread + each.T @ each
        self.basis.copy_(torch.linalg.eigh(spread.cpu()).eigenvectors[:, -self.choices.kept :].flip(1))

    def _choose_ridge(self, k: int, gram: Tensor, right: Tensor, test: list) -> None:
        """Set R_k to the ridge solution that leaves held-out shapes closest to the truth, and move those."""
        level = gram.diagonal().mean() * torch.eye(len(gram), dtype=gram.dtype)
        phis = [self._phi(orientation_maps(pictures.float() / 255), shape, k) for pictures, shape, _ in test]
        tried = []
        for ridge in self.choices.ridges:
            factor = torch.linalg.cholesky(gram + ridge * level)
            regressor = torch.cholesky_solve(right, factor).to(self.regressors)
            left = [
                (shape + self._way(phi, regressor) - truth).norm(dim=-1).sum()
                for phi, (_, shape, truth) in zip(phis, test, strict=True)
            ]
            tried.append((float(sum(left)), ridge, regressor))
        _, ridge, self.regressors[k] = min(tried, key=lambda each: each[0])
        self.ridges.append(ridge)
        for phi, (_, shape, _) in zip(phis, test, strict=True):
            shape += self._way(phi, self.regressors[k])


def aligned(shape: Tensor, points: Tensor) -> Tensor:
    """shape (N, L, 2) shifted, scaled and turned to lie on points (N, L, 2) as well as it can (least squares)."""
    middle, other = points.mean(1, keepdim=True), shape.mean(1, keepdim=True)
    p, s = torch.view_as_complex((points - middle).contiguous()), torch.view_as_complex((shape - other).contiguous())
    factor = (s.conj() * p).sum(1, keepdim=True) / s.abs().square().sum(1, keepdim=True)
    return torch.view_as_real(s * factor) + middle


# --- SIFT ---


def orientation_maps(pictures: Tensor) -> Tensor:
    """Return strength of the gradient in each of eight directions, (N, 8, H, W), of grey pictures (N, H, W)."""
    padded = F.pad(pictures[:, None], (1, 1, 1, 1), mode="replicate")[:, 0]
    dx, dy = padded[:, 1:-1, 2:] - padded[:, 1:-1, :-2], padded[:, :-2, 1:-1] - padded[:, 2:, 1:-1]
    turn = torch.atan2(dy, dx)[:, None] * (ORIENTATIONS / (2 * math.pi))  # in orientations, against the clock
    centres = torch.arange(ORIENTATIONS, device=pictures.device).view(1, -1, 1, 1)
    away = (turn - centres + ORIENTATIONS / 2).remainder(ORIENTATIONS) - ORIENTATIONS / 2
    return (1 - away.abs()).clamp(min=0) * torch.hypot(dx, dy)[:, None]


def _triangles(length: int, cell: float, like: Tensor) -> Tensor:
    """A matrix (length, length) that sums a line's neighbours, one `cell` away no longer: multiplied, a smoothing."""
    places = torch.arange(length, device=like.device, dtype=like.dtype)
    return (1 - (places[:, None] - places).abs() / cell).clamp(min=0)


def descriptors(maps: Tensor, points: Tensor, cell: float) -> Tensor:
    """Descriptors (N, L, 128) at points (N, L, 2) of `orientation_maps`; cell: side in pixels of one of 4 x 4 cells.

    What lies outside a picture has no gradient.
    """
    height, width = maps.shape[2:]
    smooth = _triangles(height, cell, maps) @ maps @ _triangles(width, cell, maps)
    steps = torch.arange(CELLS, device=points.device) - (CELLS - 1) / 2  # cells' centres, in cells
    rows, columns = torch.meshgrid(steps, steps, indexing="ij")
    centres = torch.stack([columns, rows], -1).flatten(0, 1)
    places = points[:, :, None] + cell * centres  # (N, L, 16, 2)
    grid = (2 * places + 1) / places.new_tensor([width, height]) - 1
    cells = F.grid_sample(smooth, grid, padding_mode="zeros", align_corners=False)  # (N, 8, L, 16)
    window = torch.exp(-centres.square().sum(-1) / (2 * (CELLS / 2) ** 2))
    each = (cells * window).permute(0, 2, 3, 1).flatten(2)
    return F.normalize(F.normalize(each, dim=-1).clamp(max=LARGEST), dim=-1)
