"""Constrained shape prediction f_REG: from the response map to coordinates at once (ECCV 3.5, 4.3, figure 5)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rednet_core.layers import ConvBlock, channels

CHANNELS = (64, 64, 256, 256, 512)  # 4.3


class ShapeRegressor(nn.Module):
    """f_REG: five convolutions on the response map, joined by features of the encoder, to offsets from the mean face.

    features are the channels of conv2_2 and conv4_3, (0, 0) for the ablation without them (4.3).
    """

    def __init__(self, landmarks: int, width: float = 1.0, features: tuple[int, int] = (0, 0), dropout: float = 0.4):
        super().__init__()
        r1, r2, r3, r4, r5 = (channels(c, width) for c in CHANNELS)
        shallow, deep = features
        self.R1 = ConvBlock(landmarks + 1, r1)
        self.R2 = ConvBlock(r1 + shallow, r2)
        self.R3 = ConvBlock(r2, r3)
        self.R4 = ConvBlock(r3 + deep, r4)
        self.R5 = ConvBlock(r4, r5)
        self.dropout = nn.Dropout(dropout)
        self.locate = nn.Linear(r5, 2 * landmarks)

    def forward(self, response: Tensor, conv2_2: Tensor | None = None, conv4_3: Tensor | None = None) -> Tensor:
        """Return offsets (N, L, 2) from the mean face, in face-box sides, of a response map (N, L + 1, 128, 128)."""
        x = F.max_pool2d(self.R1(response), 2)  # (N, 64, 64, 64)
        x = x if conv2_2 is None else torch.cat([x, conv2_2], 1)  # (N, 64 + 128, 64, 64)
        x = F.max_pool2d(self.R2(x), 2)  # (N, 64, 32, 32)
        x = F.max_pool2d(self.R3(x), 2)  # (N, 256, 16, 16)
        x = x if conv4_3 is None else torch.cat([x, conv4_3], 1)  # (N, 256 + 512, 16, 16)
        x = F.max_pool2d(self.R4(x), 2)  # (N, 256, 8, 8)
        x = self.R5(x).amax((-1, -2))  # the 8 x 8 pooling: (N, 512)
        return self.locate(self.dropout(x)).unflatten(1, (-1, 2))
