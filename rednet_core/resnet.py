"""The ResNet design of the encoder-decoder f_enc / f_dec (journal Tables 2 and 3, figure 5).

Encoder C0..C4 are ResNet-152's convolutions; decoder D4..D1 is four deconvolutions deep, because the skip branches
E3..E1 bring it what the encoder saw at 16, 32 and 64. No pooling anywhere, so no switches. The shape comments are
those of the paper: 256 x 256 input, width 1. This file does not know heads, steps, losses or identities.
"""

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rednet_core.layers import ConvNorm, channels

STEM_CHANNELS = 64  # C0 (Table 2)
UNIT_CHANNELS = (64, 128, 256, 512)  # of the 3 x 3 convolutions in C1, C2, C3, C4
ENCODER_UNITS = (3, 8, 36, 3)  # ResNet-152; ResNet-50 has (3, 4, 6, 3), ResNet-101 (3, 4, 23, 3)
DECODER_CHANNELS = (64, 128, 256, 512)  # of the deconvolutions in D1, D2, D3, D4
SKIP_UNITS = 3  # of E1, E2 and E3 alike (Table 3)
EXPANSION = 4  # a unit's output over its 3 x 3 convolution
Stride = Literal["first", "last"]


@dataclass
class SkipCode:
    """The bottleneck e (N, 2048, 8, 8), and what the skip branches start from: the outputs of C1, C2 and C3."""

    e: Tensor
    bridged: list[Tensor]  # (N, 256, 64, 64), (N, 512, 32, 32), (N, 1024, 16, 16)


class Unit(nn.Module):
    """A residual unit (figure 5, right): 1 x 1, 3 x 3, 1 x 1 convolutions, added to the shortcut.

    The 3 x 3 convolution carries the stride. Where the channels change, the shortcut is a 1 x 1 convolution with
    that stride, as in ResNet-152; where only the size changes, it keeps every second pixel and has no weights.
    """

    def __init__(self, in_channels: int, middle: int, out_channels: int, stride: int, steps: int):
        super().__init__()
        self.stride = stride
        self.reduce = ConvNorm(nn.Conv2d(in_channels, middle, 1, bias=False), steps)
        self.spatial = ConvNorm(nn.Conv2d(middle, middle, 3, stride, padding=1, bias=False), steps)
        self.expand = ConvNorm(nn.Conv2d(middle, out_channels, 1, bias=False), steps, relu=False)
        self.shortcut = None
        if in_channels != out_channels:
            self.shortcut = ConvNorm(nn.Conv2d(in_channels, out_channels, 1, stride, bias=False), steps, relu=False)

    def forward(self, x: Tensor, step: int = 0) -> Tensor:
        """Turn x (N, C, H, W) into (N, C', H / stride, W / stride)."""
        straight = self.shortcut(x, step) if self.shortcut is not None else x[..., :: self.stride, :: self.stride]
        return F.relu(straight + self.expand(self.spatial(self.reduce(x, step), step), step), inplace=True)


class Units(nn.Module):
    """The units of C1..C4, which halve the resolution once, or of E1..E3, which keep it (halve = None)."""

    def __init__(self, in_channels: int, middle: int, out_channels: int, count: int, halve: str | None, steps: int):
        super().__init__()
        halving = {"first": 0, "last": count - 1, None: -1}[halve]
        self.units = nn.ModuleList(
            Unit(out_channels if i else in_channels, middle, out_channels, 2 if i == halving else 1, steps)
            for i in range(count)
        )

    def forward(self, x: Tensor, step: int = 0) -> Tensor:
        """Turn x (N, C, H, W) into (N, C', H / 2, W / 2), or of the same size."""
        for unit in self.units:
            x = unit(x, step)
        return x


class Up(nn.Module):
    """D4..D1: a 2 x 2 deconvolution with stride 2, then a 1 x 1 convolution; batch norm and ReLU after each."""

    def __init__(self, in_channels: int, middle: int, out_channels: int, steps: int):
        super().__init__()
        self.deconv = ConvNorm(nn.ConvTranspose2d(in_channels, middle, 2, 2, bias=False), steps)
        self.mix = ConvNorm(nn.Conv2d(middle, out_channels, 1, bias=False), steps)

    def forward(self, x: Tensor, step: int = 0) -> Tensor:
        """Turn x (N, C, H, W) into (N, C', 2 H, 2 W)."""
        return self.mix(self.deconv(x, step), step)


class ResNetEncoderDecoder(nn.Module):
    """f_enc and f_dec in the ResNet design.

    width scales every channel count; encoder_units (C1..C4) and skip_units (of E1, E2, E3 each) are Tables 2 and 3's
    unless a smaller network is wanted; feedback is the number of channels of z; steps the number of spatial steps
    that keep batch-norm statistics of their own (the stem runs once a frame and has one set), 0 for no batch norm.
    stride says which unit of each block halves the resolution. Table 2's sizes are those of a block's output, so
    both agree with it. "first" is ResNet-152's own: its ImageNet weights see the resolution they were trained at.
    "last" is the text's "at the end of each block" to the letter, at three times the arithmetic.
    """

    code_shrink = 16  # map size over bottleneck size
    encoder = ("C0", "C1", "C2", "C3", "C4")
    choices = ("encoder_units", "skip_units", "stride")  # the fields of NetConfig that are this design's own

    def __init__(
        self,
        width: float = 1.0,
        feedback: int = 7,
        steps: int = 2,
        encoder_units: tuple[int, ...] = ENCODER_UNITS,
        skip_units: int = SKIP_UNITS,
        stride: Stride = "first",
    ):
        super().__init__()
        c0 = channels(STEM_CHANNELS, width)
        m1, m2, m3, m4 = (channels(c, width) for c in UNIT_CHANNELS)
        c1, c2, c3, c4 = (EXPANSION * m for m in (m1, m2, m3, m4))
        d1, d2, d3, d4 = (channels(c, width) for c in DECODER_CHANNELS)
        n1, n2, n3, n4 = encoder_units
        self.C0 = ConvNorm(nn.Conv2d(3, c0, 7, 2, padding=3, bias=False), min(steps, 1))
        self.C1 = Units(c0 + feedback, m1, c1, n1, stride, steps)
        self.C2 = Units(c1, m2, c2, n2, stride, steps)
        self.C3 = Units(c2, m3, c3, n3, stride, steps)
        self.C4 = Units(c3, m4, c4, n4, stride, steps)
        self.D4 = Up(c4, d4, c3, steps)
        self.D3 = Up(c3, d3, c2, steps)
        self.D2 = Up(c2, d2, c1, steps)
        self.D1 = Up(c1, d1, 2 * d1, steps)
        # Table 3. Its caption pairs E1 with C1 twice; sizes leave one reading: E1 with C1, E2 with C2, E3 with C3.
        self.E1 = Units(c1, m1, c1, skip_units, None, steps)
        self.E2 = Units(c2, m2, c2, skip_units, None, steps)
        self.E3 = Units(c3, m3, c3, skip_units, None, steps)
        self.code_channels, self.out_channels, self.half_channels = c4, 2 * d1, c1

    def stem(self, x: Tensor) -> Tensor:
        """Return the image alone, brought to the size of the maps; computed once a frame."""
        return self.C0(x)  # (N, 3, 256, 256) -> (N, 64, 128, 128)

    def encode(self, stem: Tensor, z: Tensor, step: int) -> SkipCode:
        """Return e = f_enc(x, z; theta_enc) (Eq. 1) of stem features and response maps z, concatenated."""
        x = torch.cat([stem, z], 1)  # (N, 64 + 7, 128, 128)
        c1 = self.C1(x, step)  # (N, 256, 64, 64)
        c2 = self.C2(c1, step)  # (N, 512, 32, 32)
        c3 = self.C3(c2, step)  # (N, 1024, 16, 16)
        return SkipCode(self.C4(c3, step), [c1, c2, c3])  # e: (N, 2048, 8, 8)

    def decode(self, code: SkipCode, step: int, half: bool = False) -> Tensor:
        """Return f_dec(e; theta_dec) of Eq. 2 without the head: features at the size of the maps, or at half of it."""
        c1, c2, c3 = code.bridged
        x = self.D4(code.e, step) + self.E3(c3, step)  # (N, 1024, 16, 16)
        x = self.D3(x, step) + self.E2(c2, step)  # (N, 512, 32, 32)
        x = self.D2(x, step) + self.E1(c1, step)  # (N, 256, 64, 64)
        return x if half else self.D1(x, step)  # (N, 128, 128, 128)
