"""The small parts every network of the papers is made of: batch norm per step, conv blocks, 2-bit switches."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class StepBatchNorm2d(nn.Module):
    """Batch normalisation with shared scale and shift, but running statistics of its own for each spatial step.

    The weights are shared over the K steps (Eq. 3), yet step 1 sees z_0 and step 2 sees z_d: their activations
    are distributed differently, and one running mean cannot serve both at test time (METHOD 4).
    steps=1 gives ordinary batch norm; `step` is then ignored.
    """

    running_mean: Tensor
    running_var: Tensor
    normalise = staticmethod(F.batch_norm)  # processes that train together have one of their own

    def __init__(self, channels: int, steps: int = 1, momentum: float = 0.1, eps: float = 1e-5):
        super().__init__()
        self.momentum, self.eps = momentum, eps
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(steps, channels))
        self.register_buffer("running_var", torch.ones(steps, channels))

    def forward(self, x: Tensor, step: int = 0) -> Tensor:
        """Return x (N, C, H, W) normalised with the batch's statistics in training, those of `step` otherwise."""
        row = step if len(self.running_mean) > 1 else 0
        mean, var = self.running_mean[row], self.running_var[row]
        return self.normalise(x, mean, var, self.weight, self.bias, self.training, self.momentum, self.eps)


class Shift(nn.Module):
    """A bias for each channel: what stands in batch norm's place where there is none."""

    def __init__(self, channels: int):
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor, step: int = 0) -> Tensor:
        """Return x (N, C, H, W) plus the bias, the same in every step."""
        return x + self.bias[:, None, None]


class ConvNorm(nn.Module):
    """A convolution or deconvolution without bias, batch norm (steps=0: a bias only) and, where wanted, ReLU."""

    def __init__(self, conv: nn.Conv2d | nn.ConvTranspose2d, steps: int = 1, relu: bool = True):
        super().__init__()
        self.conv, self.relu = conv, relu
        self.norm = StepBatchNorm2d(conv.out_channels, steps) if steps else Shift(conv.out_channels)

    def forward(self, x: Tensor, step: int = 0) -> Tensor:
        """Turn x (N, C, H, W) into (N, C', H', W')."""
        x = self.norm(self.conv(x), step)
        return F.relu(x, inplace=True) if self.relu else x


class ConvBlock(ConvNorm):
    """3 x 3 convolution, batch norm, ReLU: every convolution of the VGG design (journal 4.1)."""

    def __init__(self, in_channels: int, out_channels: int, steps: int = 1):
        super().__init__(nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False), steps)


def channels(papers: int, width: float) -> int:
    """Return a channel count of the paper at another width, never under 8 and a multiple of 8 (vector units)."""
    return max(8, int(round(papers * width / 8)) * 8)


def pool(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return the 2 x 2 max pooling of x (N, C, H, W), and where in its window each maximum stood (figure 4's switch).

    PyTorch keeps the place as an index into the H x W plane; its low bits are the papers' 2-bit code.
    """
    return F.max_pool2d(x, 2, return_indices=True)


def unpool(x: Tensor, switches: Tensor) -> Tensor:
    """Put each value of x (N, C, H, W) back at its switch in (N, C, 2H, 2W); all other places are zero."""
    return F.max_unpool2d(x, switches, (2, 2))


def init_gaussian(module: nn.Module) -> None:
    """Initialise with He's Gaussian every convolution and linear layer (journal 5.1, reference 18)."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear | nn.ConvTranspose2d):
            if isinstance(layer, nn.ConvTranspose2d):  # windows do not overlap: an output sums one value a channel
                nn.init.normal_(layer.weight, std=(2 / layer.in_channels) ** 0.5)
            else:
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
