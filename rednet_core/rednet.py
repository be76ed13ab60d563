"""RED-Net: the journal's network, an encoder-decoder looped over spatial steps (f_srn) and frames (f_trn).

What is said in the comments' shapes is the paper's network: 256 x 256 inputs, 128 x 128 maps, 8 x 8 encodings. The loop
itself is in `network`.
"""

from dataclasses import dataclass
from typing import Any, Literal

import torch.nn.functional as F
from torch import Tensor, nn

from rednet_core import geometry, maps
from rednet_core.markup import MARKUPS
from rednet_core.network import Cascade, FirstGuess, Prediction, RecurrentNet, check, check_names
from rednet_core.resnet import ENCODER_UNITS, SKIP_UNITS, ResNetEncoderDecoder, SkipCode, Stride
from rednet_core.temporal import Pooling, Update
from rednet_core.vgg import DECODER_CONVS, ENCODER_CONVS, Code, VGGEncoderDecoder

__all__ = ["NetConfig", "Prediction", "RedNet", "count_parameters"]

DESIGNS: dict[str, Any] = {"vgg": VGGEncoderDecoder, "resnet": ResNetEncoderDecoder}
POSITIVE = ("width", "radius", "sigma", "heat", "feedback_gain", "hidden", "identity_units")  # fields of NetConfig


@dataclass(frozen=True)
class NetConfig:
    """Every choice that makes a network; the defaults are the paper's."""

    design: Literal["vgg", "resnet"] = "vgg"
    input_size: int = 256  # pixels; the maps are half of it
    width: float = 1.0  # of the paper's channel counts
    encoder_convs: tuple[int, ...] = ENCODER_CONVS  # "vgg": Table 1; fewer for a laptop
    decoder_convs: tuple[int, ...] = DECODER_CONVS
    encoder_units: tuple[int, ...] = ENCODER_UNITS  # "resnet": Table 2; fewer for a laptop
    skip_units: int = SKIP_UNITS  # "resnet": Table 3
    stride: Stride = "first"  # "resnet": the unit that halves: ResNet-152's, or the text's "last" (3 x the work)
    markup: str = "ibug68"  # the points of the regression step
    steps: tuple[str, ...] = ("detection", "regression")  # K spatial steps (3.2)
    shared: bool = True  # one encoder-decoder for all steps; False: a cascade, each step has its own (Table 7)
    cascade: Cascade = "alone"  # its networks learn each by itself (Table 7), or "joint": a loss reaches those before
    batch_norm: bool = True  # after each convolution; False: a bias instead (4.1)
    step_statistics: bool = True  # batch-norm statistics per step; shared ones fail at test time (METHOD 4)
    first_guess: FirstGuess = "mean"  # z_0 where nothing is known yet: the "mean" face, or "zeros"
    feedback_gain: float = 1.0  # what z is multiplied by on its way in; the authors' code feeds maps of height 10
    detach_feedback: bool = False  # True: a step's loss does not train the steps before (authors' code)
    detection_maps: Literal["full", "half"] = "full"  # their side, of the other maps'; authors' code: 64 of 128
    radius: float = maps.PAPER_RADIUS  # of the detection discs, in px of a 128 px map (4.2)
    sigma: float = maps.PAPER_SIGMA  # of the regression Gaussians, likewise
    heat: float = 1.0  # height of the regression Gaussians; authors' code: 10
    identities: int = 0  # N persons for f_cls; 0 leaves f_cls out (stage 1)
    identity_units: int = 256  # length of the identity vector (4.3)
    dropout: float = 0.6  # on the identity vector (4.3)
    temporal: bool = False  # f_trn, from stage 3 on
    hidden: int = 256  # LSTM units (4.2)
    update: Update = "replace"  # how f_trn's e_p* meets e_p: "replace" (Eq. 10) or "residual"
    pooling: Pooling = "average"  # how f_trn squeezes e_p: "average" (figure 6), or max with "switches" (text of 4.2)
    interleave: Literal["own", "through", "last"] = "own"  # whose state the LSTM has, see `network`

    def __post_init__(self) -> None:
        check_names(self)
        shrink, size = 2 * DESIGNS[self.design].code_shrink, self.input_size
        counts = {"encoder_convs": 5, "decoder_convs": 4, "encoder_units": 4}
        tuples = {name: (getattr(self, name), n) for name, n in counts.items()}
        lacking = f"markup {self.markup!r} lacks one of the seven points; bring the faces to 'seven' first"
        check(
            self,
            (MARKUPS[self.markup].stand_in, lacking),
            (not self.steps, "steps is empty"),
            (set(self.steps) - {"detection", "regression"}, f"steps {self.steps}: detection or regression"),
            (size < shrink or size % shrink, f"input_size {size} is no multiple of {shrink}"),
            *((len(t) != n or min(t) < 1, f"{name}: {n} counts of 1 or more") for name, (t, n) in tuples.items()),
            (self.skip_units < 1, f"skip_units {self.skip_units} is under 1"),
            (self.identities < 0, f"identities {self.identities} is negative"),
            (not 0 <= self.dropout < 1, f"dropout {self.dropout} is no share"),
            *((not getattr(self, name) > 0, f"{name} must be above 0") for name in POSITIVE),
        )

    @property
    def map_size(self) -> int:
        return self.input_size // 2

    @property
    def map_radius(self) -> float:
        return maps.per_map(self.radius, self.map_size)

    @property
    def map_sigma(self) -> float:
        return maps.per_map(self.sigma, self.map_size)


class RedNet(RecurrentNet):
    """The journal's network. `forward` runs all spatial steps on N pictures, or on B clips of T = frames."""

    Config = NetConfig
    config: NetConfig

    def __init__(self, config: NetConfig):
        super().__init__(config)
        steps = (len(config.steps) if config.step_statistics and config.shared else 1) * config.batch_norm
        feedback = len(self.markup.seven)  # C_d: the weights are shared, so z always has seven channels
        design = DESIGNS[config.design]
        own = {name: getattr(config, name) for name in design.choices}
        self.backbone = design(config.width, feedback, steps, **own)
        wide = self.backbone.out_channels
        from_half = self.backbone.half_channels if config.detection_maps == "half" else wide
        ends = {"detection": (from_half, feedback), "regression": (wide, self.markup.n_points)}
        kinds = sorted(set(config.steps)) if config.shared else config.steps[:1]
        self.heads = nn.ModuleDict({kind: nn.Conv2d(*ends[kind], 1) for kind in kinds})
        self.add_branches(self.backbone.code_channels // 2, config.identity_units, squeeze=True)
        self.finish(dict.fromkeys(self.heads.values(), 0.01))  # small: the first maps are flat, not noise

    def encoder_blocks(self) -> list[nn.ModuleList]:
        """Return A0..A4 or C0..C4, each with its counterparts in a cascade."""
        backbones = [net.backbone for net in (self, *self.cascade)]
        return [nn.ModuleList(getattr(each, name) for each in backbones) for name in self.backbone.encoder]

    def draw_z0(self, points: Tensor) -> Tensor:
        """Return z_0 (N, 7, m, m): discs at the seven points of a guess (N, L, 2) in input pixels (journal 5.1)."""
        config = self.config
        seven = geometry.rescale(points[:, list(self.markup.seven)], config.input_size, config.map_size)
        return maps.draw_discs(seven, config.map_size, config.map_radius)

    def look(self, x: Tensor) -> Tensor:
        """Return the stem's features (N, 64, 128, 128) of a picture, which does not meet z."""
        return self.backbone.stem(x)

    def encode(self, seen: Tensor, z: Tensor, step: int) -> Code | SkipCode:
        """Return the encoding e = f_enc(x, z; theta_enc) (Eq. 1), with what the decoder needs beside it."""
        return self.backbone.encode(seen, self.config.feedback_gain * z, step)

    def _kind(self, step: int) -> str:
        """The kind of a step; a cascade's networks have one each."""
        return self.config.steps[step if step < len(self.config.steps) else 0]

    def decode(self, code: Code | SkipCode, step: int) -> Tensor:
        """Return the maps of a step, head(f_dec(e; theta_dec)): z_d as logits (Eq. 4), or z_r (Eq. 6)."""
        kind = self._kind(step)
        half = kind == "detection" and self.config.detection_maps == "half"
        return self.heads[kind](self.backbone.decode(code, step, half))

    def respond(self, raw: Tensor, step: int) -> Tensor:
        """Return a step's maps as responses in [0, 1]: probabilities, or heat maps of height 1."""
        return raw.sigmoid() if self._kind(step) == "detection" else (raw / self.config.heat).clamp(0, 1)

    def feedback(self, raw: Tensor, step: int) -> Tensor:
        """Return what step `step` is fed, of the maps of the one before: the seven points' responses (N, 7, m, m)."""
        if self._kind(step - 1) == "regression":
            raw = raw[:, list(self.markup.seven)]
        z = self.respond(raw, step - 1)
        if self.config.detection_maps == "half" and self._kind(step - 1) == "detection":
            z = F.interpolate(z, scale_factor=2, mode="bilinear")
        return z.detach() if self.detached else z

    def points(self, prediction: Prediction, step: int = -1) -> Tensor:
        """Return points (N, L, 2) in input pixels read off the maps of one step; a detection step has the seven."""
        config, raw = self.config, prediction.maps[step]
        size = raw.shape[-1]
        if config.steps[step] == "detection":
            points = maps.decode_discs(raw.sigmoid(), maps.per_map(config.radius, size))
        else:
            points = maps.decode(raw, maps.per_map(config.sigma, size))
        return geometry.rescale(points, size, config.input_size)


def count_parameters(module: nn.Module) -> int:
    """Return the number of trained numbers in a module."""
    return sum(p.numel() for p in module.parameters() if p.requires_grad)
