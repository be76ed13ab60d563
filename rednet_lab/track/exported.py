"""The network as one ONNX graph: for the page of `rednet_lab.track.demo`, and as the tracker's other engine.

    (x, z0, z1, mix[, memory]) -> (maps1 ... mapsK, points1 ... pointsK[, memory])

Step 2 and later are fed (1 - mix) z + mix z1, where z is what the step before left: mix = 0 is the network as it is,
mix = 1 puts other maps in the place of the feedback (zeros cut it). memory (N, 2K, hidden) holds h and c of f_trn for
each step; zeros are no memory. All weights are in the graph once, as float32; onnx, onnxscript and onnxruntime are the
`onnx` extra.
"""

from __future__ import annotations

import hashlib
import logging
import warnings
from contextlib import redirect_stdout
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from data_prep.errors import DataError
from rednet_core import vgg
from rednet_core.rednet import Prediction, RedNet
from rednet_lab.files import write_whole
from rednet_lab.stamp import module_hash
from rednet_lab.workbench.cache import cache_root

OPSET = 18
NEEDS = ("onnx", "onnxscript", "onnxruntime")


def _pool(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return the pooled x and 1 where the first maximum of each window is: `layers.pool` in operators that are fast."""
    rank = torch.tensor([[4.0, 3.0], [2.0, 1.0]]).repeat(x.shape[2] // 2, x.shape[3] // 2)
    top = F.max_pool2d(x, 2)
    highest = rank * (x == F.interpolate(top, scale_factor=2.0)).float()  # "where" takes ONNX Runtime longer
    return top, (highest == F.interpolate(F.max_pool2d(highest, 2), scale_factor=2.0)).float()


def _unpool(x: Tensor, switches: Tensor) -> Tensor:
    return switches * F.interpolate(x, scale_factor=2.0)


def _one_frame(self: nn.LSTM, v: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """Compute what nn.LSTM does for one frame, v (N, 1, hidden): it has no graph in which N is free."""
    h, c = (one[0] for one in state)
    gates = F.linear(v[:, 0], self.weight_ih_l0, self.bias_ih_l0) + F.linear(h, self.weight_hh_l0, self.bias_hh_l0)
    i, f, g, o = gates.chunk(4, 1)
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    h = o.sigmoid() * c.tanh()
    return h[:, None], (h[None], c[None])


class Loop(nn.Module):
    """The spatial steps of one frame, with another feedback mixed in."""

    def __init__(self, net: RedNet):
        super().__init__()
        self.net = net
        self.names = ["x", "z0", "z1", "mix"] + ["memory"] * (net.f_trn is not None)
        steps = range(1, 1 + len(net.config.steps))
        self.answers = [f"maps{k}" for k in steps] + [f"points{k}" for k in steps]
        self.answers += ["memory_out"] * (net.f_trn is not None)

    def forward(self, x: Tensor, z0: Tensor, z1: Tensor, mix: Tensor, memory: Tensor | None = None) -> tuple:
        """Return the maps and the points of each step, and the memory for the next frame."""
        net, states = self.net, None
        if memory is not None:
            rows = memory.transpose(0, 1)[:, None]
            states = [(rows[2 * k], rows[2 * k + 1]) for k in range(len(net.config.steps))]

        def feedback(raw: Tensor, k: int) -> Tensor:
            return (1 - mix) * RedNet.feedback(net, raw, k) + mix * z1

        with patch.object(net, "feedback", feedback):
            out = net(x, z0, states=states)
        points = [net.points(out, k) for k in range(len(out.maps))]
        left = [torch.stack([t[0] for s in out.states for t in s], 1)] if memory is not None else []
        return *out.maps, *points, *left


def example(net: RedNet, count: int = 1) -> list[Tensor]:
    """Return inputs of the graph for `count` grey pictures of which nothing is known."""
    size, z0 = net.config.input_size, net.first_guess(count).contiguous()
    given = [torch.full((count, 3, size, size), 0.5), z0, torch.zeros_like(z0), torch.zeros(1)]
    return given + [torch.zeros(count, 2 * len(net.config.steps), net.config.hidden)] * (net.f_trn is not None)


@torch.no_grad()
def write_onnx(net: RedNet, path: Path) -> None:
    """Write a network as an ONNX file. Raise DataError where the packages are missing or the network has no graph."""
    if missing := [name for name in NEEDS if find_spec(name) is None]:
        raise DataError(f"{', '.join(missing)} not installed", path=path, field="onnx", fix="pip install '.[onnx]'")
    if net.config.design != "vgg" or net.cascade or getattr(net.config, "interleave", "own") != "own":
        raise DataError("only the VGG design's shared steps are exported", path=path, field="network", fix="use torch")
    loop, count = Loop(net.eval()), torch.export.Dim("n", min=1, max=4096)
    shapes = tuple({} if name == "mix" else {0: count} for name in loop.names)
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    pools, memory = patch.multiple(vgg, pool=_pool, unpool=_unpool), patch.object(nn.LSTM, "forward", _one_frame)
    with redirect_stdout(StringIO()), warnings.catch_warnings(), pools, memory:
        warnings.simplefilter("ignore")
        made = torch.onnx.export(loop, tuple(example(net, 2)), dynamo=True, opset_version=OPSET, verbose=False,
                                 input_names=loop.names, output_names=loop.answers, dynamic_shapes=shapes)  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    made.save(str(path))


def weights_hash(net: RedNet) -> str:
    """Return a short hash of a network's weights, on any device; of an OnnxNet, of those that it was made of."""
    values = b"".join(value.float().cpu().numpy().tobytes() for value in net.state_dict().values())
    return getattr(net, "weights", hashlib.sha256(values).hexdigest()[:12])


def exported(net: RedNet) -> Path:
    """Return the file of a network's graph, from the cache or written now (in some ten seconds)."""
    made_of = module_hash("rednet_lab.track.exported"), torch.__version__, net.config, weights_hash(net)
    path = cache_root() / "onnx" / f"{hashlib.sha256(repr(made_of).encode()).hexdigest()[:24]}.onnx"
    if not path.is_file():
        write_whole(path, lambda part: write_onnx(net, part))
    return path


class OnnxNet(RedNet):
    """A network of which ONNX Runtime computes the maps, on the processor; the rest is the network's own."""

    def __init__(self, net: RedNet, threads: int = 0):
        if net.f_trn is not None:
            raise DataError("this engine has no memory", path="network", field="engine", fix="use torch")
        path = exported(net)  # says what is missing
        import onnx
        import onnxruntime

        nn.Module.__init__(self)
        self.config, self.markup, self.f_trn, self.weights = net.config, net.markup, None, weights_hash(net)
        self.register_buffer("mean_shape", net.mean_shape.clone())
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or torch.get_num_threads()
        loop = Loop(net)  # without the reading of points: torch is faster at that
        maps = onnx.utils.Extractor(onnx.load(path)).extract_model(loop.names, loop.answers[: len(net.config.steps)])
        self.session = onnxruntime.InferenceSession(
            maps.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        self.idle = {"z1": np.zeros((1, *example(net)[1].shape[1:]), np.float32), "mix": np.zeros(1, np.float32)}

    def __deepcopy__(self, memo: dict) -> OnnxNet:
        return self  # nothing in it changes

    def forward(self, x: Tensor, z0: Tensor, frames: int = 1, states: list | None = None) -> Prediction:
        """Return the maps of all steps for pictures x (N, 3, n, n), z0 (N, C, m, m), none of which has a past."""
        given = {"x": x.numpy(), "z0": z0.contiguous().numpy()}
        z1 = np.broadcast_to(self.idle["z1"], given["z0"].shape)
        maps = self.session.run(None, {**given, "z1": np.ascontiguousarray(z1), "mix": self.idle["mix"]})
        codes = [x.new_zeros(len(x), 1, 1, 1)] * len(maps)  # the graph does not tell them
        return Prediction([torch.from_numpy(one) for one in maps], codes, codes, [None] * len(maps))
