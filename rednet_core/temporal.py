"""Temporal recurrence f_trn: what changes from frame to frame goes through an LSTM (journal 3.3, figure 6).

It does not know images, maps or spatial steps: it takes the pose halves e_p of T frames and gives their updates.
"""

from contextlib import nullcontext
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

State = tuple[Tensor, Tensor]  # h and c of the LSTM, each (1, B, hidden)
Update = Literal["replace", "residual"]
Pooling = Literal["average", "switches"]


class TemporalRecurrence(nn.Module):
    """f_trn: squeeze e_p to a vector, LSTM over the frames, spread it out again as e_p* (Eq. 10).

    update says how e_p* meets e_p: "replace" is the paper's; "residual" adds it to e_p, from zero, so that a
    network trained without f_trn is not disturbed when f_trn is switched on.
    pooling says how a map becomes a number and a number a map: "average" and upsampling (journal figure 6), or
    "switches", the maximum, put back where it stood (journal 4.2's text; ECCV figure 5).
    """

    def __init__(self, channels: int, hidden: int = 256, update: Update = "replace", pooling: Pooling = "average"):
        super().__init__()
        self.update, self.pooling = update, pooling
        self.squeeze = nn.Conv2d(channels, hidden, 1) if channels != hidden else nn.Identity()
        self.lstm = nn.LSTM(hidden, hidden, batch_first=True)
        # The ECCV form has no convolution behind the LSTM (its figure 5), so long as there is nothing else to do.
        bare = pooling == "switches" and update == "replace" and channels == hidden
        self.spread = nn.Identity() if bare else nn.Conv2d(hidden, channels, 1)

    def start_from_zero(self) -> None:
        """Make a residual update begin as no update at all; called once, after the network's initialisation."""
        if self.update == "residual" and isinstance(self.spread, nn.Conv2d):
            for parameter in self.spread.parameters():
                nn.init.zeros_(parameter)

    def forward(self, e_p: Tensor, frames: int = 1, state: State | None = None) -> tuple[Tensor, State]:
        """Return the updates e_p* of e_p (B * T, C, 8, 8), the frames of a clip in a row, and the LSTM's state.

        h^t = p(e_p^t, h^{t-1}; theta_trn), e_p^t* = q(h^t; theta_trn), t = 1 ... T (Eq. 10; ECCV Eq. 5).
        state is that of the frame before the clip, None at the start of a video. Whatever the rest of the network
        runs in, f_trn runs in float32: errors of its state add up over the frames, and under autocast cuDNN's LSTM
        would be given float16, whatever type was asked for.
        """
        kind, dtype = e_p.device.type, next(self.lstm.parameters()).dtype
        with torch.autocast(kind, enabled=False) if kind != "meta" else nullcontext():
            update, state = self._update(e_p.to(dtype), frames, state)
            return (e_p + update if self.update == "residual" else update).to(e_p.dtype), state

    def _update(self, e_p: Tensor, frames: int, state: State | None) -> tuple[Tensor, State]:
        size = e_p.shape[-2:]
        v, switches = self.squeeze(e_p), None  # (B * T, 256, 8, 8)
        if self.pooling == "switches":
            v, switches = F.max_pool2d(v, size, return_indices=True)
        else:
            v = v.mean((-1, -2))  # (B * T, 256)
        v = v.reshape(-1, frames, v.shape[1])  # (B, T, 256)
        h, state = self.lstm(v, state)  # h^t = p(e_p^t, h^{t-1})
        h = h.flatten(0, 1)[..., None, None]  # (B * T, 256, 1, 1)
        h = F.interpolate(h, size) if switches is None else F.max_unpool2d(h, switches, size)
        return self.spread(h), state  # q(h^t): (B * T, C, 8, 8)
