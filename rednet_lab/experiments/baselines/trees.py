"""An ensemble of regression trees (Kazemi and Sullivan, CVPR 2014), by dlib: shapes improved by pixel comparisons.

It is of the family of ESR (Cao and others, IJCV 2014), which the paper compares with: a cascade that is boosted, on
differences of pixels that move with the shape. dlib is an optional extra, and only asked for when it is used.
"""

from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from rednet_core import geometry as frames_
from rednet_core.augment import PAPERS, Augmentation
from rednet_lab.evaluation import Progress
from rednet_lab.experiments.baselines.baseline import Baseline, Found, grey

INSTALL = "pip install dlib-bin"
ENLARGED = 192  # pixels: dlib's landmarks are whole pixels, so it is given larger pictures


def have_dlib() -> bool:
    """Return whether dlib is installed."""
    return find_spec("dlib") is not None


def dlib():
    """Return dlib itself. Raise ImportError with the fix where it is not installed."""
    try:
        import dlib as found
    except ImportError as error:
        raise ImportError(f"the regression trees are dlib's, which is not installed: {INSTALL}") from error
    return found


@dataclass(frozen=True)
class TreesConfig:
    """dlib's options by dlib's names, where they are not left as dlib has them, and how stills are varied.

    A tenth of dlib's own number of trees: training is about a minute on profile quick, as SDM's is.
    """

    cascade_depth: int = 10
    tree_depth: int = 4
    num_trees_per_cascade_level: int = 50
    nu: float = 0.1
    oversampling_amount: int = 5
    oversampling_translation_jitter: float = 0.05
    feature_pool_size: int = 400
    num_test_splits: int = 20
    lambda_param: float = 0.1
    variations: int = 2
    box: Augmentation = PAPERS


class Trees(Baseline):
    """dlib's shape predictor on the crops that RED-Net sees; it always starts from its mean face in the box."""

    Choices = TreesConfig

    @torch.no_grad()
    def forward(self, x: Tensor, z0: Tensor, frames: int = 1, states: list | None = None) -> Found:
        """Return shapes in crops x (N, 3, n, n) in [0, 1]; z0 is not used: as ESR, it is given the box only."""
        whole = dlib().rectangle(0, 0, ENLARGED - 1, ENLARGED - 1)
        found = [[(p.x, p.y) for p in self.predictor(picture, whole).parts()] for picture in _enlarged(x)]
        points = torch.tensor(found, dtype=torch.float32, device=x.device)
        return Found([frames_.rescale(points, ENLARGED, self.config.input_size)])

    def fit(self, data, rows: np.ndarray, seed: int = 0, progress: Progress = None) -> "Trees":
        """Train dlib's cascade; it cannot tell how far it is, so progress only says when it begins and ends."""
        its = dlib()
        rows = self.measure_mean_shape(data, rows)
        options = its.shape_predictor_training_options()  # its padding mode: by the landmarks, not the box
        for name, value in asdict(self.choices).items():
            if name not in ("variations", "box"):
                setattr(options, name, value)
        # One thread: with more, dlib 20 was seen to spoil NumPy's reference counts in some runs, with one never.
        options.random_seed, options.num_threads = str(seed), 1
        pictures, shapes = [], []
        whole = its.rectangle(0, 0, ENLARGED - 1, ENLARGED - 1)
        for inputs in self.varied(data, rows, seed, self.choices.variations, self.choices.box):
            pictures += list(_enlarged(inputs.x))
            points = frames_.rescale(inputs.points, self.config.input_size, ENLARGED).round().long().tolist()
            shapes += [[its.full_object_detection(whole, [its.point(x, y) for x, y in face])] for face in points]
        if progress:
            progress(0, 1)
        self.predictor = its.train_shape_predictor(pictures, shapes, options)
        if progress:
            progress(1, 1)
        return self

    def save(self, folder: Path) -> None:
        """Keep dlib's file and the mean shape."""
        self.predictor.save(str(folder / "trees.dat"))
        super().save(folder)

    def load(self, folder: Path) -> "Trees":
        """Take them."""
        self.predictor = dlib().shape_predictor(str(folder / "trees.dat"))
        return super().load(folder)


def _enlarged(x: Tensor) -> np.ndarray:
    """Crops (N, 3, n, n) in [0, 1] as grey pictures (N, ENLARGED, ENLARGED) uint8."""
    large = F.interpolate(grey(x)[:, None], size=(ENLARGED, ENLARGED), mode="bilinear", align_corners=False)
    return (large[:, 0] * 255).round().clamp(0, 255).to(torch.uint8).cpu().numpy()
