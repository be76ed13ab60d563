"""What the networks of both papers have in common: the loop over spatial steps and frames, with f_trn and f_cls in it.

How the two recurrences interleave is a choice (`interleave`); the LSTM's weights are shared by the steps always.
"own", the default: the state crosses frames, never spatial steps. Each step has a state of its own, for its encodings
are distributed differently, as its batch-norm statistics are. So all frames of a clip go through one step at once, and
only the LSTM runs along time. "through": one state goes through all steps of a frame and on to the next frame, which
must wait. "last": only the last step has f_trn; the others look at their frame alone.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args, get_origin, get_type_hints

import torch
from torch import Tensor, nn

from rednet_core import maps
from rednet_core.identity import IdentityClassifier
from rednet_core.layers import init_gaussian
from rednet_core.markup import MARKUPS
from rednet_core.temporal import State, TemporalRecurrence

MEAN_PIXEL, PIXEL_SPREAD = 0.45, 0.25  # of pictures in [0, 1]
Method = Callable[..., Any]
FirstGuess = Literal["mean", "zeros"]
Cascade = Literal["alone", "joint"]


def choices_of(kind: type) -> dict[str, tuple]:
    """Return the fields of a configuration that choose among names, and the names that each of them knows."""
    hints = {name: hint for name, hint in get_type_hints(kind).items() if get_origin(hint) is Literal}
    known = {name: get_args(hint) for name, hint in hints.items()}
    return known | ({"markup": tuple(MARKUPS)} if "markup" in get_type_hints(kind) else {})


def check_names(config: Any) -> None:
    """Raise ValueError for a field that chooses among names and has none of those that it knows."""
    for name, known in choices_of(type(config)).items():
        if getattr(config, name) not in known:
            found = f"{name} {getattr(config, name)!r}"
            raise ValueError(f"{type(config).__name__}: {found}, known: {', '.join(map(str, known))}")


def check(config: Any, *problems: tuple[Any, str]) -> None:
    """Raise ValueError with the first of the problems (whether it is there, what to say) that is there."""
    for wrong, problem in problems:
        if wrong:
            raise ValueError(f"{type(config).__name__}: {problem}")


@dataclass
class Prediction:
    """What a network says of N pictures, per spatial step; states are one per step, for the next frame."""

    maps: list[Tensor] = field(default_factory=list)  # detection: logits (N, 7, m, m); regression: (N, L, m, m)
    e_i: list[Tensor] = field(default_factory=list)  # identity halves (N, 256, 8, 8)
    e_p: list[Tensor] = field(default_factory=list)  # pose halves as decoded (e_p* with f_trn)
    states: list[State | None] = field(default_factory=list)
    identity: Tensor | None = None  # scores (N, identities)


class RecurrentNet(nn.Module):
    """The loop f_srn; a paper's network says what its encoder, decoder and feedback are.

    A subclass calls `add_branches` and `finish` when it has built its encoder-decoder.
    """

    Config: type = object
    Answer: type[Prediction] = Prediction
    config: Any
    mean_shape: Tensor
    # A subclass's own: what steps see of a picture, f_enc, f_dec with its head, responses in [0, 1], z of a step, z_0.
    look: Method
    encode: Method
    decode: Method
    respond: Method
    feedback: Method
    draw_z0: Method
    encoder_blocks: Method
    f_trn: TemporalRecurrence | None
    f_cls: IdentityClassifier | None

    def __init__(self, config: Any):
        super().__init__()
        self.config, self.markup = config, MARKUPS[config.markup]

    def add_branches(self, half: int, identity_units: int, squeeze: bool) -> None:
        """Make f_trn and f_cls, where they are wanted, for the halves e_p and e_i of `half` channels each (Eq. 9)."""
        config = self.config
        self.f_trn = TemporalRecurrence(half, config.hidden, config.update, config.pooling) if config.temporal else None
        self.f_cls = None
        if config.identities:
            self.f_cls = IdentityClassifier(half, config.identities, identity_units, config.dropout, squeeze)

    def finish(self, small: dict[Any, float], **left_out) -> None:
        """Initialise all weights, those of `small` layers with that deviation, and make a cascade's further networks.

        A cascade has a network of one step for each step behind the first, which is `self`. Of these only encoder,
        decoder and head are used: f_trn, f_cls and what is `left_out` are those of `self`.
        """
        # Mean face in box sides from the box's centre; measured on the training set, kept with the weights.
        self.register_buffer("mean_shape", torch.zeros(self.markup.n_points, 2))
        init_gaussian(self)
        if self.f_trn is not None:
            self.f_trn.start_from_zero()
        for layer, deviation in small.items():
            nn.init.normal_(layer.weight, std=deviation)
        later = () if self.config.shared else self.config.steps[1:]
        alone = {"shared": True, "identities": 0, "temporal": False, **left_out}
        self.cascade = nn.ModuleList(type(self)(replace(self.config, steps=(step,), **alone)) for step in later)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload] # a layout that convolutions are faster in

    @property
    def detached(self) -> bool:
        """Tell whether a step's loss stops at what it is fed: by choice, or where a cascade's networks learn alone."""
        return self.config.detach_feedback or (not self.config.shared and self.config.cascade == "alone")

    def mean_points(self) -> Tensor:
        """Return the mean face (L, 2) where the face box is the whole input, in input pixels."""
        size = self.config.input_size
        return self.mean_shape * size + (size - 1) / 2

    def first_guess(self, count: int, how: str | None = None) -> Tensor:
        """Return z_0 (count, C, m, m) for pictures of which nothing is known; how: the configuration's, or another."""
        how = how or self.config.first_guess
        if how not in get_args(FirstGuess):
            raise ValueError(f"first guess {how!r}, known: {', '.join(get_args(FirstGuess))}")
        z0 = self.draw_z0(self.mean_points()[None])
        return (torch.zeros_like(z0) if how == "zeros" else z0).expand(count, -1, -1, -1)

    def forward(self, x: Tensor, z0: Tensor, frames: int = 1, states: list[State | None] | None = None) -> Any:
        """Run all spatial steps on pictures x (N, 3, n, n) in [0, 1], z0 (N, C, m, m); N = B * frames, clip by clip.

        z_k = f_srn(x, z_{k-1}; theta_srn), k = 1 ... K (Eq. 3; ECCV Eq. 3), f_srn = f_dec(f_enc(x, z)).
        """
        steps, interleave = self.config.steps, getattr(self.config, "interleave", "own")
        states = states or [None] * len(steps)
        if self.f_trn is not None and interleave == "through" and frames > 1:
            return self._frame_by_frame(x, z0, frames, states)
        out, z = self.Answer(), z0
        owner: Any = self  # whose weights step k has
        x = (x - MEAN_PIXEL) / PIXEL_SPREAD
        seen = self.look(x)  # what all steps see of the picture, computed once a frame
        for k in range(len(steps)):
            if k:
                z = self.feedback(out.maps[-1], k)
            if k and self.cascade:  # nothing is shared with the step before, the stem neither
                owner = self.cascade[k - 1]
                seen = owner.look(x)
            code = owner.encode(seen, z, k)
            e_i, e_p = code.e.chunk(2, 1)  # e = [e_i, e_p] (Eq. 9), each (N, 256, 8, 8)
            state = None
            if self.f_trn is not None and (interleave != "last" or k == len(steps) - 1):
                before = (out.states or states)[-1] if interleave == "through" else states[k]
                e_p, state = self.f_trn(e_p, frames, before)  # Eq. 10
            code.e = torch.cat([e_i, e_p], 1)
            raw = owner.decode(code, k)  # Eq. 4, 6
            for name, value in (("maps", raw), ("e_i", e_i), ("e_p", e_p), ("states", state)):
                getattr(out, name).append(value)
        if self.f_cls is not None:
            out.identity = self.f_cls(out.e_i[-1])  # Eq. 12, on the last step's encoding
        return self.conclude(out, code)

    def conclude(self, out: Any, code: Any) -> Any:
        """Return the prediction, with what follows the last step."""
        return out

    def _frame_by_frame(self, x: Tensor, z0: Tensor, frames: int, states: list[State | None]) -> Any:
        """A clip in which each frame waits for the last step of the one before; batch norm sees one frame at a time."""
        each = []
        for t in range(frames):
            each.append(self(x[t::frames], z0[t::frames], 1, states))  # frame t of all B clips
            states = each[-1].states

        def in_a_row(parts: tuple[Tensor, ...]) -> Tensor:
            return torch.stack(parts, 1).flatten(0, 1)  # T times (B, ...) to (B * T, ...)

        out = self.Answer(states=states)
        for name in ("maps", "e_i", "e_p"):
            steps = zip(*(getattr(one, name) for one in each), strict=True)
            setattr(out, name, [in_a_row(parts) for parts in steps])
        if self.f_cls is not None:
            out.identity = in_a_row(tuple(one.identity for one in each))
        return out

    def confidence(self, prediction: Prediction) -> Tensor:
        """Return the mean height (N,) of the last step's peaks: about 1 on a clear face, towards 0 when lost."""
        last = self.respond(prediction.maps[-1], len(self.config.steps) - 1)
        return maps.peaks(last)[1].mean(-1)
