"""The ECCV 2016 network: VGG-16 encoder with five pools, mirrored decoder, labels fed back, f_REG at the end.

The comments' shapes are the paper's: 128 x 128 inputs and maps, 4 x 4 encodings. The loop over steps and frames is the
journal's (`rednet_core.network`), so inputs, training, tracking and evaluation serve both. The paper's names are
f_sRNN for f_srn, f_tRNN for f_trn, f_CLS for f_cls, C_id for e_i and C_pe for e_p.
"""

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rednet_core.eccv import labels
from rednet_core.eccv.regression import ShapeRegressor
from rednet_core.layers import channels, pool, unpool
from rednet_core.maps import peaks, per_map
from rednet_core.network import Cascade, FirstGuess, Prediction, RecurrentNet, check, check_names
from rednet_core.temporal import Pooling, Update
from rednet_core.vgg import ENCODER_CHANNELS, ENCODER_CONVS, Block, Code

Feedback = Literal["label_map", "prob_maps"]
SHRINK = 32  # input size over the encoding's: five pools


@dataclass(frozen=True)
class EccvConfig:
    """Every choice that makes a network; the defaults are the paper's.

    The authors' public demo is feedback="prob_maps", first_guess="zeros", markup="seven", regression=False and two
    steps on a still; one step a frame in video is the same network without step_statistics, grown to one step.
    """

    input_size: int = 128  # pixels; the maps are as large
    width: float = 1.0  # of the paper's channel counts
    encoder_convs: tuple[int, ...] = ENCODER_CONVS  # VGG-16's thirteen, mirrored in the decoder; fewer for a laptop
    markup: str = "ibug68"
    steps: tuple[float, ...] = (7, 5, 3)  # K steps, and the side of the label squares in each, px of a 128 px map (4.2)
    feedback: Feedback = "label_map"  # what a step hands on: labels in one channel (Eq. 9), or the demo's "prob_maps"
    shared: bool = True  # one encoder-decoder for all steps; False: a cascade, each step has its own (Table 2)
    cascade: Cascade = "alone"  # its networks learn each by itself, or "joint" (of prob_maps)
    step_statistics: bool = True  # batch-norm statistics per step; shared ones fail at test time (METHOD 4)
    first_guess: FirstGuess = "mean"  # z_0 where nothing is known yet: the "mean" face, or "zeros" as in the demo
    detach_feedback: bool = False  # of prob_maps; labels carry no gradient anyway
    identities: int = 0  # persons for f_CLS; 0 leaves f_CLS out (stage 1)
    dropout: float = 0.4  # before the last layers of f_CLS and f_REG (4.3)
    temporal: bool = False  # f_tRNN, from stage 3 on
    hidden: int = 256  # LSTM units (4.2)
    update: Update = "replace"  # how f_tRNN's C_pe' meets C_pe: "replace" (Eq. 5) or "residual"
    pooling: Pooling = "switches"  # how f_tRNN squeezes C_pe: max with "switches" (figure 5), or "average"
    regression: bool = True  # f_REG
    encoder_features: bool = True  # conv2_2 and conv4_3 go into f_REG; False is the ablation of 4.3
    detach_response: bool = True  # Eq. 8 is over theta_REG alone; False lets f_REG's loss into the encoder-decoder

    def __post_init__(self) -> None:
        check_names(self)
        size = self.input_size
        check(
            self,
            (not self.steps or not min(self.steps) > 0, f"steps {self.steps}: one side above 0 px or more"),
            (size < SHRINK or size % SHRINK, f"input_size {size} is no multiple of {SHRINK}"),
            (len(self.encoder_convs) != 5 or min(self.encoder_convs) < 1, "encoder_convs: 5 counts of 1 or more"),
            (self.identities < 0, f"identities {self.identities} is negative"),
            (not 0 <= self.dropout < 1, f"dropout {self.dropout} is no share"),
            *((not getattr(self, name) > 0, f"{name} must be above 0") for name in ("width", "hidden")),
        )

    @property
    def map_size(self) -> int:
        return self.input_size

    @property
    def sides(self) -> tuple[float, ...]:
        """Return the side of the label squares in each step, in pixels of this network's maps."""
        return tuple(per_map(side, self.map_size) for side in self.steps)


@dataclass
class EccvPrediction(Prediction):
    """As the journal's, with f_REG's offsets; maps are logits (N, L + 1, m, m), e_i and e_p the paper's C_id, C_pe."""

    offsets: Tensor | None = None  # (N, L, 2) from the mean face, in sides of the face box


@dataclass
class LabelCode(Code):
    """The encoding (N, 512, 4, 4), the five switches, and the encoder's features that f_REG looks at."""

    features: tuple[Tensor, Tensor]  # conv2_2 (N, 128, 64, 64) and conv4_3 (N, 512, 16, 16)


class EccvNet(RecurrentNet):
    """The ECCV network. `forward` runs all spatial steps on N pictures, or on B clips of T = frames."""

    Config, Answer = EccvConfig, EccvPrediction
    config: EccvConfig

    def __init__(self, config: EccvConfig):
        super().__init__(config)
        count, steps = self.markup.n_points, len(config.steps) if config.step_statistics and config.shared else 1
        c1, c2, c3, c4, c5 = wide = [channels(c, config.width) for c in ENCODER_CHANNELS]
        self.fed = 1 if config.feedback == "label_map" else count + 1  # channels of z
        inputs = [3 + self.fed, c1, c2, c3, c4]
        narrowed = [c1, c1, c2, c3, c4]  # a decoder block's last convolution leaves what the next switches have
        sizes = list(zip(inputs, wide, narrowed, config.encoder_convs, strict=True))
        self.encoder = nn.ModuleList(Block([i] + [c] * n, steps) for i, c, _, n in sizes)  # conv1 .. conv5
        # The mirror of conv1's first convolution is the head.
        counts = [[c1] * n for n in config.encoder_convs[:1]] + [[c] * n + [o] for _, c, o, n in sizes[1:]]
        self.decoder = nn.ModuleList(Block(each, steps) for each in counts)  # mirrors of conv1 .. conv5
        self.head = nn.Conv2d(c1, count + 1, 3, padding=1)
        self.add_branches(c5 // 2, c5 // 2, squeeze=False)
        features = (c2, c4) if config.encoder_features else (0, 0)
        self.f_reg = ShapeRegressor(count, config.width, features, config.dropout) if config.regression else None
        small: dict[nn.Module, float] = {self.head: 0.01}  # the first maps are flat, not noise
        if self.f_reg is not None:
            small[self.f_reg.locate] = 0.001  # the first prediction is nearly the mean face
        self.finish(small, regression=False)

    def encoder_blocks(self) -> list[nn.ModuleList]:
        """Return conv1 .. conv5, each with its counterparts in a cascade."""
        return [nn.ModuleList(each) for each in zip(*(net.encoder for net in (self, *self.cascade)), strict=True)]

    def shape_points(self, offsets: Tensor) -> Tensor:
        """Return faces (N, L, 2) that far off the mean face, in input pixels; the face box is the whole input."""
        size = self.config.input_size
        return (self.mean_shape + offsets) * size + (size - 1) / 2

    def _draw(self, points: Tensor, present: Tensor, step: int) -> Tensor:
        """Return z (N, 1 or L + 1, m, m) of points: their squares as labels between 0 and 1, or as a channel each."""
        drawn = labels.label_map(points, present, self.config.map_size, self.config.sides[step])
        if self.config.feedback == "label_map":
            return drawn[:, None].to(points.dtype) / points.shape[1]
        return F.one_hot(drawn, points.shape[1] + 1).movedim(-1, 1).to(points.dtype)

    def draw_z0(self, points: Tensor) -> Tensor:
        """Return z_0 of a guess (N, L, 2) in input pixels, which are map pixels."""
        return self._draw(points, torch.ones_like(points[..., 0], dtype=torch.bool), 0)

    def look(self, x: Tensor) -> Tensor:
        """Return the picture itself: z joins it before the first convolution."""
        return x

    def encode(self, seen: Tensor, z: Tensor, step: int) -> LabelCode:
        """Return the encoding C = f_ENC(x, z; theta_ENC) (Eq. 1), with what decoder and f_REG need beside it."""
        x, switches, features = torch.cat([seen, z], 1), [], []  # (N, 3 + 1, 128, 128)
        for block in self.encoder:
            features.append(block(x, step))  # conv1_2 at 128, conv2_2 at 64, conv3_3, conv4_3 at 16, conv5_3 at 8
            x, switch = pool(features[-1])
            switches.append(switch)
        return LabelCode(x, switches, (features[1], features[3]))

    def decode(self, code: Code, step: int) -> Tensor:
        """Return the response map M = f_DENC(C; theta_DENC) (Eq. 2), (N, L + 1, 128, 128) as logits."""
        x = code.e
        for block, switch in zip(reversed(self.decoder), reversed(code.switches), strict=True):
            x = block(unpool(x, switch), step)
        return self.head(x)

    def respond(self, raw: Tensor, step: int) -> Tensor:
        """Return the landmarks' probabilities (N, L, m, m), without the background's, of a response map."""
        return raw.softmax(1)[:, 1:]

    def feedback(self, raw: Tensor, step: int) -> Tensor:
        """Return z = f_sRNN(M) (Eq. 3, 9): what step `step` is fed, of the response map of the step before it."""
        if self.config.feedback == "prob_maps":
            z = raw.softmax(1)
            return z.detach() if self.detached else z
        return self._draw(*labels.cluster_centres(labels.merge(raw), raw.shape[1] - 1), step)

    def conclude(self, out: EccvPrediction, code: LabelCode) -> EccvPrediction:
        """Add the shape y = f_REG(M; theta_REG) of the last response map M (Eq. 8)."""
        if self.f_reg is not None:
            response = out.maps[-1].softmax(1)
            response = response.detach() if self.config.detach_response else response
            # "Remain unchanged in f_REG" (4.3): its loss does not train the encoder through these.
            seen = [f.detach() for f in code.features] if self.config.encoder_features else []
            out.offsets = self.f_reg(response, *seen)
        return out

    def points(self, prediction: EccvPrediction, step: int | None = None) -> Tensor:
        """Return points (N, L, 2) in input pixels: f_REG's, or, of a given step or without it, the clusters' centres.

        A label that wins no pixel is where its channel is highest.
        """
        if step is None and prediction.offsets is not None:
            return self.shape_points(prediction.offsets)
        raw = prediction.maps[-1 if step is None else step]
        centres, present = labels.cluster_centres(labels.merge(raw), raw.shape[1] - 1)
        return torch.where(present[..., None], centres.to(raw.dtype), peaks(raw.softmax(1)[:, 1:])[0])
