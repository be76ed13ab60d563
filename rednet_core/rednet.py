"""RED-Net: the encoder-decoder looped over spatial steps (f_srn) and frames (f_trn), with f_cls at the side.

What is said in the comments' shapes is the paper's network: 256 x 256 inputs, 128 x 128 maps, 8 x 8 codes.
How the two recurrences interleave is a choice (`interleave`); the LSTM's weights are shared by the steps always.
"own", the default: the state crosses frames, never spatial steps. Each step has a state of its own, for its codes are
distributed differently, as its batch-norm statistics are. So all frames of a clip go through one step at once, and
only the LSTM runs along time. "through": one state goes through all steps of a frame and on to the next frame, which
must wait. "last": only the last step has f_trn; the others look at their frame alone.
"""

from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn

from rednet_core import geometry, maps
from rednet_core.identity import IdentityClassifier
from rednet_core.layers import init_gaussian
from rednet_core.markup import MARKUPS
from rednet_core.resnet import ENCODER_UNITS, SKIP_UNITS, STRIDES, ResNetEncoderDecoder
from rednet_core.temporal import POOLINGS, UPDATES, State, TemporalRecurrence
from rednet_core.vgg import DECODER_CONVS, ENCODER_CONVS, VGGEncoderDecoder

DESIGNS = {"vgg": VGGEncoderDecoder, "resnet": ResNetEncoderDecoder}
MEAN_PIXEL, PIXEL_SPREAD = 0.45, 0.25  # of pictures in [0, 1]
FIRST_GUESSES = ("mean", "zeros")
INTERLEAVINGS = ("own", "through", "last")
KNOWN = {  # values of the fields of NetConfig that choose among names
    "design": DESIGNS,
    "stride": STRIDES,
    "markup": MARKUPS,
    "first_guess": FIRST_GUESSES,
    "update": UPDATES,
    "pooling": POOLINGS,
    "interleave": INTERLEAVINGS,
}
POSITIVE = ("width", "radius", "sigma", "feedback_gain", "hidden", "identity_units")  # fields of NetConfig


def unknown_names(config, known: dict) -> list[tuple[bool, str]]:
    """Whether each field that chooses among names has one that is not known, and what to say then."""
    chosen = {name: getattr(config, name) for name in known}
    return [
        (chosen[name] not in names, f"{name} {chosen[name]!r}, known: {', '.join(names)}")
        for name, names in known.items()
    ]


@dataclass(frozen=True)
class NetConfig:
    """Every choice that makes a network; the defaults are the paper's."""

    design: str = "vgg"
    input_size: int = 256  # pixels; the maps are half of it
    width: float = 1.0  # of the paper's channel counts
    encoder_convs: tuple[int, ...] = ENCODER_CONVS  # "vgg": Table 1; fewer for a laptop
    decoder_convs: tuple[int, ...] = DECODER_CONVS
    encoder_units: tuple[int, ...] = ENCODER_UNITS  # "resnet": Table 2; fewer for a laptop
    skip_units: int = SKIP_UNITS  # "resnet": Table 3
    stride: str = "first"  # "resnet": the unit that halves: ResNet-152's "first", or the text's "last" (3 x the work)
    markup: str = "ibug68"  # the points of the regression step
    steps: tuple[str, ...] = ("detection", "regression")  # K spatial steps (3.2)
    shared: bool = True  # one encoder-decoder for all steps; False: a cascade, each step has its own (Table 7)
    batch_norm: bool = True  # after each convolution; False: a bias instead (4.1)
    step_statistics: bool = True  # batch-norm statistics per step; shared ones fail at test time (METHOD 4)
    first_guess: str = "mean"  # z_0 where nothing is known yet: the "mean" face, or "zeros"
    feedback_gain: float = 1.0  # what z is multiplied by on its way in; the authors' code feeds maps of height 10
    detach_feedback: bool = False  # True: a step's loss does not train the steps before (authors' code)
    radius: float = maps.PAPER_RADIUS  # of the detection discs, in px of a 128 px map (4.2)
    sigma: float = maps.PAPER_SIGMA  # of the regression Gaussians, likewise
    identities: int = 0  # N persons for f_cls; 0 leaves f_cls out (stage 1)
    identity_units: int = 256  # length of the identity vector (4.3)
    dropout: float = 0.6  # on the identity vector (4.3)
    temporal: bool = False  # f_trn, from stage 3 on
    hidden: int = 256  # LSTM units (4.2)
    update: str = "replace"  # how f_trn's e_p* meets e_p: "replace" (Eq. 10) or "residual"
    pooling: str = "average"  # how f_trn squeezes e_p: "average" (figure 6), or max with "switches" (text of 4.2)
    interleave: str = "own"  # whose state the LSTM has: each step its "own", one "through" all, or f_trn in the "last"

    def __post_init__(self) -> None:
        shrink = 2 * DESIGNS[self.design].code_shrink if self.design in DESIGNS else 0
        for wrong, problem in (
            *unknown_names(self, KNOWN),
            (
                self.markup in MARKUPS and MARKUPS[self.markup].stand_in,
                f"markup {self.markup!r} lacks one of the seven points; bring the faces to 'seven' first",
            ),
            (not self.steps, "steps is empty"),
            (set(self.steps) - {"detection", "regression"}, f"steps {self.steps}: detection or regression"),
            (
                shrink and (self.input_size < shrink or self.input_size % shrink),
                f"input_size {self.input_size} is no multiple of {shrink}",
            ),
            (len(self.encoder_convs) != 5 or min(self.encoder_convs) < 1, "encoder_convs: five counts of 1 or more"),
            (len(self.decoder_convs) != 4 or min(self.decoder_convs) < 1, "decoder_convs: four counts of 1 or more"),
            (len(self.encoder_units) != 4 or min(self.encoder_units) < 1, "encoder_units: four counts of 1 or more"),
            (self.skip_units < 1, f"skip_units {self.skip_units} is under 1"),
            (self.identities < 0, f"identities {self.identities} is negative"),
            (not 0 <= self.dropout < 1, f"dropout {self.dropout} is no share"),
            *((not getattr(self, name) > 0, f"{name} must be above 0") for name in POSITIVE),
        ):
            if wrong:
                raise ValueError(f"NetConfig: {problem}")

    @property
    def map_size(self) -> int:
        return self.input_size // 2

    @property
    def map_radius(self) -> float:
        return maps.per_map(self.radius, self.map_size)

    @property
    def map_sigma(self) -> float:
        return maps.per_map(self.sigma, self.map_size)


@dataclass
class Prediction:
    """What the network says of N pictures, per spatial step; states are one per step, for the next frame."""

    maps: list[Tensor] = field(default_factory=list)  # detection: logits (N, 7, m, m); regression: (N, L, m, m)
    e_i: list[Tensor] = field(default_factory=list)  # identity codes (N, 256, 8, 8)
    e_p: list[Tensor] = field(default_factory=list)  # pose and expression codes as decoded (e_p* with f_trn)
    states: list[State | None] = field(default_factory=list)
    identity: Tensor | None = None  # scores (N, identities)


class Guessing:
    """What the networks of both papers have in common before the first step; each draws a z_0 in its own way."""

    def mean_points(self) -> Tensor:
        """The mean face (L, 2) where the face box is the whole input, in input pixels."""
        size = self.config.input_size
        return self.mean_shape * size + (size - 1) / 2

    def first_guess(self, count: int, how: str | None = None) -> Tensor:
        """z_0 (count, C, m, m) for pictures of which nothing is known yet; how: the configuration's, or another."""
        how = how or self.config.first_guess
        if how not in FIRST_GUESSES:
            raise ValueError(f"first guess {how!r}, known: {', '.join(FIRST_GUESSES)}")
        z0 = self.draw_z0(self.mean_points()[None])
        return (torch.zeros_like(z0) if how == "zeros" else z0).expand(count, -1, -1, -1)


def unshared(net: nn.Module, **left_out) -> nn.ModuleList:
    """Networks of one step each for the steps behind the first, which is `net` itself; none where steps share.

    Of these only encoder, decoder and head are used: f_trn and f_cls (left_out) are those of `net`.
    """
    config = net.config
    later = () if config.shared else config.steps[1:]
    alone = {"shared": True, "identities": 0, **left_out}
    return nn.ModuleList(type(net)(replace(config, steps=(step,), **alone)) for step in later)


class RedNet(Guessing, nn.Module):
    """The journal's network. `forward` runs all spatial steps on N pictures, or on B clips of T = frames."""

    Config = NetConfig
    mean_shape: Tensor

    def __init__(self, config: NetConfig):
        super().__init__()
        self.config, self.markup = config, MARKUPS[config.markup]
        steps = (len(config.steps) if config.step_statistics and config.shared else 1) * config.batch_norm
        feedback = len(self.markup.seven)  # C_d: the weights are shared, so z always has seven channels
        design = DESIGNS[config.design]
        own = {name: getattr(config, name) for name in design.choices}
        self.backbone = design(config.width, feedback, steps, **own)
        heads = {"detection": feedback, "regression": self.markup.n_points}
        kinds = sorted(set(config.steps)) if config.shared else config.steps[:1]
        self.heads = nn.ModuleDict({kind: nn.Conv2d(self.backbone.out_channels, heads[kind], 1) for kind in kinds})
        half = self.backbone.code_channels // 2  # e = [e_i, e_p] (Eq. 9)
        self.f_trn = TemporalRecurrence(half, config.hidden, config.update, config.pooling) if config.temporal else None
        self.f_cls = (
            IdentityClassifier(half, config.identities, config.identity_units, config.dropout)
            if config.identities
            else None
        )
        # Mean face in box sides from the box's centre; measured on the training set, kept with the weights.
        self.register_buffer("mean_shape", torch.zeros(self.markup.n_points, 2))
        init_gaussian(self)
        if self.f_trn is not None:
            self.f_trn.start_from_zero()
        for head in self.heads.values():  # small: the first maps are flat, not noise
            nn.init.normal_(head.weight, std=0.01)
        self.cascade = unshared(self, temporal=False)
        self.to(memory_format=torch.channels_last)  # a layout that convolutions are faster in

    def encoder_blocks(self) -> list[nn.ModuleList]:
        """A0..A4 or C0..C4, each with its counterparts in a cascade."""
        backbones = [net.backbone for net in (self, *self.cascade)]
        return [nn.ModuleList(getattr(each, name) for each in backbones) for name in self.backbone.encoder]

    def draw_z0(self, points: Tensor) -> Tensor:
        """z_0 (N, 7, m, m): discs at the seven points of a guess (N, L, 2) in input pixels (journal 5.1)."""
        config = self.config
        seven = geometry.rescale(points[:, list(self.markup.seven)], config.input_size, config.map_size)
        return maps.draw_discs(seven, config.map_size, config.map_radius)

    def feedback(self, kind: str, raw: Tensor) -> Tensor:
        """The seven maps that step `kind` hands to the next: its probabilities, or its seven points' heat maps."""
        z = raw.sigmoid() if kind == "detection" else raw[:, list(self.markup.seven)].clamp(0, 1)
        return z.detach() if self.config.detach_feedback else z

    def forward(self, x: Tensor, z0: Tensor, frames: int = 1, states: list[State | None] | None = None) -> Prediction:
        """x (N, 3, 256, 256) in [0, 1], z0 (N, 7, 128, 128); N = B * frames, a clip's frames in a row."""
        interleave, last = self.config.interleave, len(self.config.steps) - 1
        states = states or [None] * len(self.config.steps)
        if self.f_trn is not None and interleave == "through" and frames > 1:
            return self._frame_by_frame(x, z0, frames, states)
        out = Prediction()
        x, z, owner = (x - MEAN_PIXEL) / PIXEL_SPREAD, z0, self
        stem = self.backbone.stem(x)  # once a frame: (N, 64, 128, 128)
        for k, kind in enumerate(self.config.steps):  # Eq. 3
            if k and self.cascade:  # nothing is shared with the step before, the stem neither
                owner = self.cascade[k - 1]
                stem = owner.backbone.stem(x)
            code = owner.backbone.encode(stem, self.config.feedback_gain * z, k)
            e_i, e_p = code.e.chunk(2, 1)  # Eq. 9, each (N, 256, 8, 8)
            state = None
            if self.f_trn is not None and (interleave != "last" or k == last):
                before = (out.states or states)[-1] if interleave == "through" else states[k]
                e_p, state = self.f_trn(e_p, frames, before)  # Eq. 10
            code.e = torch.cat([e_i, e_p], 1)
            raw = owner.heads[kind](owner.backbone.decode(code, k))  # Eq. 4, 6
            z = self.feedback(kind, raw)
            out.maps.append(raw)
            out.e_i.append(e_i)
            out.e_p.append(e_p)
            out.states.append(state)
        if self.f_cls is not None:
            out.identity = self.f_cls(out.e_i[-1])  # Eq. 12, on the last step's code
        return out

    def _frame_by_frame(self, x: Tensor, z0: Tensor, frames: int, states: list[State | None]) -> Prediction:
        """A clip in which each frame waits for the last step of the one before; batch norm sees one frame at a time."""
        each = []
        for t in range(frames):
            each.append(self(x[t::frames], z0[t::frames], 1, states))  # frame t of all B clips
            states = each[-1].states

        def in_a_row(parts: tuple[Tensor, ...]) -> Tensor:
            return torch.stack(parts, 1).flatten(0, 1)  # T times (B, ...) to (B * T, ...)

        out = Prediction(states=states)
        for name in ("maps", "e_i", "e_p"):
            steps = zip(*(getattr(one, name) for one in each), strict=True)
            setattr(out, name, [in_a_row(parts) for parts in steps])
        if self.f_cls is not None:
            out.identity = in_a_row(tuple(one.identity for one in each))
        return out

    def points(self, prediction: Prediction, step: int = -1) -> Tensor:
        """Points (N, L, 2) in input pixels read off the maps of one step; a detection step has the seven."""
        config, raw = self.config, prediction.maps[step]
        if config.steps[step] == "detection":
            points = maps.decode_discs(raw.sigmoid(), config.map_radius)
        else:
            points = maps.decode(raw, config.map_sigma)
        return geometry.rescale(points, config.map_size, config.input_size)

    def confidence(self, prediction: Prediction) -> Tensor:
        """Mean height (N,) of the last step's peaks: about 1 on a clear face, towards 0 when lost."""
        raw = prediction.maps[-1].sigmoid() if self.config.steps[-1] == "detection" else prediction.maps[-1]
        return maps.peaks(raw)[1].clamp(0, 1).mean(-1)


def count_parameters(module: nn.Module) -> int:
    """Number of trained numbers in a module."""
    return sum(p.numel() for p in module.parameters() if p.requires_grad)
