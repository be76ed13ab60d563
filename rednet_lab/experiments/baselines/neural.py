"""Networks that say coordinates, as those of journal Table 9 do: TCDCN and DCNC, and what they share with CFAN.

They see grey crops of 40 px and say how far each landmark is from the mean face in the box; boxes alone are handed from
frame to frame.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rednet_core.augment import PAPERS, Augmentation
from rednet_core.markup import Markup
from rednet_lab.evaluation import Progress
from rednet_lab.experiments.baselines.baseline import Baseline, Found, grey

SIDE = 40  # pixels that a whole face is seen with
# Between five classes of pose: how far the nose is from between the eyes, of their distance.
POSES = (-0.3, -0.1, 0.1, 0.3)


@dataclass(frozen=True)
class NeuralConfig:
    """How one part of these methods is trained, and how stills are varied."""

    steps: int = 600  # batches, of each part
    batch: int = 32
    rate: float = 2e-3  # Adam's
    pose: float = 0.02  # weight of TCDCN's auxiliary task beside the landmarks
    hidden: tuple[int, ...] = (400, 200, 100)  # of CFAN's auto-encoders
    variations: int = 4
    box: Augmentation = PAPERS


class Neural(Baseline):
    """A method of one or more parts that are trained one after the other: `build` makes them, `learn` trains them."""

    Choices, parts = NeuralConfig, 1

    def __init__(self, markup: Markup, sees: int, choices: NeuralConfig | None = None):
        super().__init__(markup, sees, choices, self.parts)
        self.build(2 * markup.n_points)

    def build(self, numbers: int) -> None:
        """Make the networks; `numbers` is how many coordinates there are."""
        raise NotImplementedError

    def learn(self, pictures: Tensor, truth: Tensor, descend: Callable) -> None:
        """Train on grey pictures (N, n, n) and true shapes (N, L, 2) in crop pixels by descend(parameters, loss)."""
        raise NotImplementedError

    def fit(self, data, rows: np.ndarray, seed: int = 0, progress: Progress = None) -> "Neural":
        """Train all parts with Adam, the rate falling to nothing along each."""
        c, rows = self.choices, self.measure_mean_shape(data, rows)
        torch.manual_seed(seed)
        self.build(2 * self.markup.n_points)
        self.to(self.mean_shape.device)
        batches = list(self.varied(data, rows, seed, c.variations, c.box))
        pictures, truth = torch.cat([grey(b.x) for b in batches]), torch.cat([b.points for b in batches])
        generator, done = torch.Generator().manual_seed(seed), 0

        def descend(parameters, loss: Callable[[Tensor], Tensor]) -> None:
            nonlocal done
            optimiser = torch.optim.Adam(parameters, c.rate)
            falling = torch.optim.lr_scheduler.OneCycleLR(optimiser, c.rate, total_steps=c.steps)
            for _ in range(c.steps):
                some = torch.randint(len(truth), (c.batch,), generator=generator).to(truth.device)
                optimiser.zero_grad()
                loss(some).backward()
                optimiser.step()
                falling.step()
            done += 1
            if progress:
                progress(min(done, self.parts), self.parts)

        self.train()
        self.learn(pictures, truth, descend)
        self.eval()
        return self

    def placed(self, numbers: Tensor) -> Tensor:
        """Return shapes (N, L, 2) in crop pixels from what one says (N, 2 L), tenths of a box from the mean face."""
        return self.first_guess(len(numbers)) + 0.1 * self.config.input_size * numbers.unflatten(1, (-1, 2))

    def distance(self, shape: Tensor, truth: Tensor) -> Tensor:
        """Return the mean squared distance, in tenths of a box."""
        return ((shape - truth) / (0.1 * self.config.input_size)).square().mean()


def small(pictures: Tensor, side: int = SIDE) -> Tensor:
    """Return grey pictures (N, n, n) as (N, 1, side, side), each with mean zero and spread one."""
    x = F.interpolate(pictures[:, None], size=(side, side), mode="bilinear", align_corners=False, antialias=True)
    return (x - x.mean((2, 3), keepdim=True)) / (x.std((2, 3), keepdim=True) + 1e-3)


class AbsTanh(nn.Module):
    """|tanh x|, which both networks have behind their convolutions."""

    def forward(self, x: Tensor) -> Tensor:
        """Return it."""
        return torch.tanh(x).abs()


def whole_face(features: int = 100) -> nn.Sequential:
    """Return four convolutions with pooling between them, and `features` numbers of a 40-px face (TCDCN's figure 2)."""
    layers: list[nn.Module] = []
    for before, behind, side in ((1, 16, 5), (16, 48, 3), (48, 64, 3)):
        layers += [nn.Conv2d(before, behind, side), AbsTanh(), nn.MaxPool2d(2)]
    return nn.Sequential(*layers, nn.Conv2d(64, 64, 2), AbsTanh(), nn.Flatten(), nn.Linear(64 * 4, features), AbsTanh())


class TCDCN(Neural):
    """Tasks-constrained deep network (Zhang and others, ECCV 2014): pose is told beside the landmarks.

    l = |y - f(x)|^2 + lambda * cross-entropy of the pose; the paper's other tasks (glasses, smile, gender) need labels
    that face alignment data has not. Pose here is where the nose is between the eyes: it can be had from any landmarks.
    """

    def build(self, numbers: int) -> None:
        """Make the shared feature and a linear answer for each task."""
        self.feature, self.shape, self.pose = whole_face(), nn.Linear(100, numbers), nn.Linear(100, len(POSES) + 1)

    def forward(self, x: Tensor, z0: Tensor, frames: int = 1, states: list | None = None) -> Found:
        """Return the shapes in crops x (N, 3, n, n) in [0, 1]; z0 is not used."""
        return Found([self.placed(self.shape(self.feature(small(grey(x)))))])

    def learn(self, pictures: Tensor, truth: Tensor, descend: Callable) -> None:
        """Train both tasks together."""
        faces, (left, right) = small(pictures), self.markup.outer_eyes
        eyes = truth[:, right] - truth[:, left]
        nose = truth[:, self.markup.seven[4]] - (truth[:, right] + truth[:, left]) / 2
        turned = (nose * eyes).sum(-1) / eyes.square().sum(-1)
        pose = torch.bucketize(turned, torch.tensor(POSES).to(turned))

        def loss(some: Tensor) -> Tensor:
            feature = self.feature(faces[some])
            pose_loss = F.cross_entropy(self.pose(feature), pose[some])
            return self.distance(self.placed(self.shape(feature)), truth[some]) + self.choices.pose * pose_loss

        descend(self.parameters(), loss)


class DCNC(Neural):
    """Deep convolutional network cascade (Sun and others, CVPR 2013): one network sees the face, two levels correct it.

    The correcting networks are one a landmark and see a patch around it; here they run side by side, as groups.
    """

    parts = 3
    PATCHES = (0.18, 0.12)  # sides, in box sides; the paper's are of this order
    PIXELS = 15

    def build(self, numbers: int) -> None:
        """Make the first level and the small networks of the two others."""
        points, wide = numbers // 2, 8
        self.face = nn.Sequential(whole_face(), nn.Linear(100, numbers))
        self.levels = nn.ModuleList(
            nn.Sequential(
                *(nn.Conv2d(points, wide * points, 4, groups=points), AbsTanh(), nn.MaxPool2d(2)),
                *(nn.Conv2d(wide * points, wide * points, 3, groups=points), AbsTanh(), nn.MaxPool2d(2)),
                *(nn.Conv2d(wide * points, numbers, 2, groups=points), nn.Flatten()),
            )
            for _ in self.PATCHES
        )

    def forward(self, x: Tensor, z0: Tensor, frames: int = 1, states: list | None = None) -> Found:
        """Return the shapes after each level in crops x (N, 3, n, n) in [0, 1]; z0 is not used."""
        pictures = grey(x)
        shapes = [self.placed(self.face(small(pictures)))]
        for level in range(len(self.levels)):
            shapes.append(self._corrected(pictures, shapes[-1], level))
        return Found(shapes)

    def _corrected(self, pictures: Tensor, shape: Tensor, level: int) -> Tensor:
        """Return the shape with each landmark moved by what its network says of its patch."""
        side, size = self.PATCHES[level] * self.config.input_size, self.config.input_size
        steps = torch.linspace(-0.5, 0.5, self.PIXELS, device=shape.device) * side
        around = torch.stack(torch.meshgrid(steps, steps, indexing="xy"), -1).flatten(0, 1)
        grid = (2 * (shape[:, :, None] + around) + 1) / size - 1  # (N, L, PIXELS^2, 2)
        patches = F.grid_sample(pictures[:, None], grid, padding_mode="border", align_corners=False)[:, 0]
        patches = (patches - patches.mean(-1, keepdim=True)) / (patches.std(-1, keepdim=True) + 0.02)
        moved = self.levels[level](patches.unflatten(-1, (self.PIXELS, self.PIXELS)))
        return shape + 0.5 * side * moved.unflatten(1, (-1, 2))

    def learn(self, pictures: Tensor, truth: Tensor, descend: Callable) -> None:
        """Train the first level, then each correction from where those before it end."""
        faces = small(pictures)
        descend(self.face.parameters(), lambda some: self.distance(self.placed(self.face(faces[some])), truth[some]))
        with torch.no_grad():
            shapes = torch.cat([self.placed(self.face(part)) for part in faces.split(256)])
        for level, network in enumerate(self.levels):

            def loss(some: Tensor, level=level, shapes=shapes) -> Tensor:
                return self.distance(self._corrected(pictures[some], shapes[some], level), truth[some])

            descend(network.parameters(), loss)
            with torch.no_grad():
                parts = zip(pictures.split(256), shapes.split(256), strict=True)
                shapes = torch.cat([self._corrected(*part, level) for part in parts])
