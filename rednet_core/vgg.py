"""The VGG design of the encoder-decoder f_enc / f_dec (journal Table 1, figure 4).

Encoder A0..A4 are VGG-16's thirteen convolutions; decoder B4..B1 mirrors it and unpools with the switches of
the matching pools. The shape comments are those of the paper: 256 x 256 input, width 1. This file does not
know heads, steps, losses or identities: it turns (stem features, z) into an encoding and an encoding into features.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from rednet_core.layers import ConvBlock, channels, pool, unpool

ENCODER_CHANNELS = (64, 128, 256, 512, 512)  # A0, A1, A2, A3, A4 (Table 1)
ENCODER_CONVS = (2, 2, 3, 3, 3)
DECODER_CHANNELS = (128, 256, 512, 512)  # B1, B2, B3, B4 (Table 1)
DECODER_CONVS = (2, 3, 3, 3)


@dataclass
class Code:
    """The bottleneck e and the switches that the decoder needs; e is (N, 512, 8, 8)."""

    e: Tensor
    switches: list[Tensor]  # of the pools of A1, A2, A3, A4, at 128, 64, 32, 16


class Block(nn.Module):
    """Convolutions of one resolution: `counts` is (in, out of the first, ..., out of the last)."""

    def __init__(self, counts: list[int], steps: int):
        super().__init__()
        self.convs = nn.ModuleList(ConvBlock(i, o, steps) for i, o in zip(counts, counts[1:], strict=False))

    def forward(self, x: Tensor, step: int = 0) -> Tensor:
        """Turn x (N, C, H, W) into (N, C', H, W)."""
        for conv in self.convs:
            x = conv(x, step)
        return x


class VGGEncoderDecoder(nn.Module):
    """f_enc and f_dec in the VGG design.

    width scales every channel count; encoder_convs and decoder_convs (A0..A4, B1..B4) are Table 1's numbers of
    convolutions unless a smaller network is wanted; feedback is the number of channels of z; steps the number
    of spatial steps that keep batch-norm statistics of their own (the stem runs once a frame and has one set), 0 for
    no batch norm.
    """

    code_shrink = 16  # map size over bottleneck size
    encoder = ("A0", "A1", "A2", "A3", "A4")
    choices = ("encoder_convs", "decoder_convs")  # the fields of NetConfig that are this design's own

    def __init__(
        self,
        width: float = 1.0,
        feedback: int = 7,
        steps: int = 2,
        encoder_convs: tuple[int, ...] = ENCODER_CONVS,
        decoder_convs: tuple[int, ...] = DECODER_CONVS,
    ):
        super().__init__()
        a0, a1, a2, a3, a4 = (channels(c, width) for c in ENCODER_CHANNELS)
        b1, b2, b3, b4 = (channels(c, width) for c in DECODER_CHANNELS)
        n0, n1, n2, n3, n4 = encoder_convs
        self.A0 = Block([3] + [a0] * n0, min(steps, 1))
        self.A1 = Block([a0 + feedback] + [a1] * n1, steps)
        self.A2 = Block([a1] + [a2] * n2, steps)
        self.A3 = Block([a2] + [a3] * n3, steps)
        self.A4 = Block([a3] + [a4] * n4, steps)
        # Unpooling with indices keeps the channel count, so the last convolution of each decoder block narrows
        # to what the next switches have (Table 1 is silent here; SegNet does the same).
        m1, m2, m3, m4 = decoder_convs
        self.B4 = Block([a4] + [b4] * (m4 - 1) + [a3], steps)
        self.B3 = Block([a3] + [b3] * (m3 - 1) + [a2], steps)
        self.B2 = Block([a2] + [b2] * (m2 - 1) + [a1], steps)
        self.B1 = Block([a1] + [b1] * m1, steps)
        self.code_channels, self.out_channels, self.half_channels = a4, b1, a1

    def stem(self, x: Tensor) -> Tensor:
        """Return the image alone, brought to the size of the maps; computed once a frame."""
        a0 = self.A0(x)  # (N, 3, 256, 256) -> (N, 64, 256, 256)
        return pool(a0)[0]  # (N, 64, 128, 128)

    def encode(self, stem: Tensor, z: Tensor, step: int) -> Code:
        """Return e = f_enc(x, z; theta_enc) (Eq. 1) of stem features and response maps z, concatenated."""
        x = torch.cat([stem, z], 1)  # (N, 64 + 7, 128, 128)
        x, s1 = pool(self.A1(x, step))  # (N, 128, 64, 64)
        x, s2 = pool(self.A2(x, step))  # (N, 256, 32, 32)
        x, s3 = pool(self.A3(x, step))  # (N, 512, 16, 16)
        x, s4 = pool(self.A4(x, step))  # (N, 512, 8, 8)
        return Code(x, [s1, s2, s3, s4])

    def decode(self, code: Code, step: int, half: bool = False) -> Tensor:
        """Return f_dec(e; theta_dec) of Eq. 2 without the head: features at the size of the maps, or at half of it."""
        s1, s2, s3, s4 = code.switches
        x = self.B4(unpool(code.e, s4), step)  # (N, 512, 16, 16)
        x = self.B3(unpool(x, s3), step)  # (N, 256, 32, 32)
        x = self.B2(unpool(x, s2), step)  # (N, 128, 64, 64)
        return x if half else self.B1(unpool(x, s1), step)  # (N, 128, 128, 128)
