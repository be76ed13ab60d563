"""Inference at paper size: RED-Net's two designs beside FAN-4 and HRNet-W18, one frame, in one run.

    python tests/benchmarks/bench_peers.py [--only fan4 ...] [--threads 1] [--repeats 5] [--no-compile] [--device cuda]

FAN-4: four hourglasses (Bulat and Tzimiropoulos, ICCV 2017). HRNet-W18: Sun et al., 2019, with its head for landmarks.
Both are built at their published sizes, 256 px and 68 maps of 64 px; all weights are random, which changes no time.
Times are medians of one frame, in turns with the first network's float32; one thread is processor time. folded: batch
norm in the convolutions, where a convolution stands before it (in FAN almost none does). RED-Net takes two steps.
How far a fast way moves the points of trained weights is `bench_exactness.py`'s to say.
"""

import argparse
import contextlib
import io
import statistics
import sys
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402
from torch import nn  # noqa: E402
from torch.fx.experimental.optimization import fuse  # noqa: E402
from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

from rednet_core.fold import folded  # noqa: E402
from rednet_core.rednet import NetConfig, RedNet, count_parameters  # noqa: E402
from rednet_lab.workbench.stages import has_bfloat16  # noqa: E402
from tests.benchmarks.where_time_goes import timed  # noqa: E402

POINTS, SIZE = 68, 256
WAYS = ("float32", "folded", "folded, bfloat16", "folded, compiled", "ONNX Runtime")


class Block(nn.Module):
    """FAN's block: three 3 x 3 convolutions behind one another, their outputs side by side, added to the input."""

    def __init__(self, before: int, after: int):
        super().__init__()
        widths = (before, after // 2, after // 4, after // 4)
        self.parts = nn.ModuleList(self.part(a, b, 3) for a, b in zip(widths, widths[1:], strict=False))
        self.skip = nn.Identity() if before == after else self.part(before, after, 1)

    @staticmethod
    def part(before: int, after: int, kernel: int) -> nn.Sequential:
        conv = nn.Conv2d(before, after, kernel, padding=kernel // 2, bias=False)
        return nn.Sequential(nn.BatchNorm2d(before), nn.ReLU(), conv)

    def forward(self, x):
        outputs, here = [], x
        for part in self.parts:
            here = part(here)
            outputs.append(here)
        return torch.cat(outputs, 1) + self.skip(x)


class Hourglass(nn.Module):
    """Down by two and up again, `depth` times within one another."""

    def __init__(self, depth: int, width: int = 256):
        super().__init__()
        self.beside, self.down, self.up = (Block(width, width) for _ in range(3))
        self.inner = Hourglass(depth - 1, width) if depth > 1 else Block(width, width)

    def forward(self, x):
        deep = self.up(self.inner(self.down(F.avg_pool2d(x, 2))))
        return self.beside(x) + F.interpolate(deep, scale_factor=2.0)


class Fan(nn.Module):
    """FAN with so many hourglasses: pictures (N, 3, 256, 256) to the last one's maps (N, 68, 64, 64)."""

    def __init__(self, count: int = 4, width: int = 256):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 64, 7, 2, 3), nn.BatchNorm2d(64), nn.ReLU(), Block(64, 128))
        self.stem2 = nn.Sequential(nn.AvgPool2d(2), Block(128, 128), Block(128, width))
        self.glasses = nn.ModuleList(Hourglass(4, width) for _ in range(count))
        self.ends = nn.ModuleList(
            nn.Sequential(Block(width, width), nn.Conv2d(width, width, 1), nn.BatchNorm2d(width), nn.ReLU())
            for _ in range(count)
        )
        self.maps = nn.ModuleList(nn.Conv2d(width, POINTS, 1) for _ in range(count))
        self.back = nn.ModuleList(nn.Conv2d(width, width, 1) for _ in range(count - 1))
        self.maps_back = nn.ModuleList(nn.Conv2d(POINTS, width, 1) for _ in range(count - 1))

    def forward(self, x):
        x = self.stem2(self.stem(x))
        for k, (glass, end, maps) in enumerate(zip(self.glasses, self.ends, self.maps, strict=True)):
            here = end(glass(x))
            said = maps(here)
            if k < len(self.back):
                x = x + self.back[k](here) + self.maps_back[k](said)
        return said


def conv(before: int, after: int, kernel: int = 3, stride: int = 1, relu: bool = True) -> nn.Sequential:
    """Return convolution, batch norm and, if asked for, ReLU."""
    layers = [nn.Conv2d(before, after, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(after)]
    return nn.Sequential(*layers, *[nn.ReLU()] * relu)


class Residual(nn.Module):
    """A residual unit of these layers."""

    def __init__(self, *layers: nn.Module, skip: nn.Module | None = None):
        super().__init__()
        self.body, self.skip = nn.Sequential(*layers), skip or nn.Identity()

    def forward(self, x):
        return F.relu(self.body(x) + self.skip(x))


class Exchange(nn.Module):
    """HRNet's module: four basic units on every branch, then each branch gets the sum of all, at its resolution."""

    def __init__(self, widths: list[int]):
        super().__init__()
        self.branches = nn.ModuleList(
            nn.Sequential(*[Residual(conv(w, w), conv(w, w, relu=False)) for _ in range(4)]) for w in widths
        )
        self.ways = nn.ModuleList(
            nn.ModuleList(self.way(widths, i, j) for j in range(len(widths))) for i in range(len(widths))
        )

    @staticmethod
    def way(widths: list[int], to: int, start: int) -> nn.Module:
        if to == start:
            return nn.Identity()
        if to < start:
            return nn.Sequential(conv(widths[start], widths[to], 1, relu=False), nn.Upsample(None, 2 ** (start - to)))
        steps = range(start, to)
        return nn.Sequential(*[
            conv(widths[start], widths[to if k == to - 1 else start], 3, 2, relu=k < to - 1) for k in steps
        ])  # fmt: skip

    def forward(self, xs):
        xs = [branch(x) for branch, x in zip(self.branches, xs, strict=True)]
        return [F.relu(sum(way(x) for way, x in zip(ways, xs, strict=True))) for ways in self.ways]


class HrNet(nn.Module):
    """HRNetV2-W18 for landmarks: pictures (N, 3, 256, 256) to maps (N, 68, 64, 64)."""

    def __init__(self, width: int = 18):
        super().__init__()
        widths = [width * 2**k for k in range(4)]

        def bottleneck(before: int) -> Residual:
            skip = conv(before, 256, 1, relu=False) if before != 256 else None
            return Residual(conv(before, 64, 1), conv(64, 64), conv(64, 256, 1, relu=False), skip=skip)

        self.stem = nn.Sequential(conv(3, 64, 3, 2), conv(64, 64, 3, 2), bottleneck(64), *map(bottleneck, [256] * 3))
        self.first = nn.ModuleList([conv(256, widths[0]), conv(256, widths[1], 3, 2)])
        self.more = nn.ModuleList(conv(widths[k], widths[k + 1], 3, 2) for k in (1, 2))
        modules = ((2, 1), (3, 4), (4, 3))
        self.stages = nn.ModuleList(nn.Sequential(*[Exchange(widths[:n]) for _ in range(m)]) for n, m in modules)
        total = sum(widths)
        self.head = nn.Sequential(nn.Conv2d(total, total, 1), nn.BatchNorm2d(total), nn.ReLU(),
                                  nn.Conv2d(total, POINTS, 1))  # fmt: skip

    def forward(self, x):
        x = self.stem(x)
        xs = [part(x) for part in self.first]
        for k, stage in enumerate(self.stages):
            xs = stage(xs if k == 0 else [*xs, self.more[k - 1](xs[-1])])
        high = [F.interpolate(one, xs[0].shape[-2:], mode="bilinear", align_corners=False) for one in xs[1:]]
        return self.head(torch.cat([xs[0], *high], 1))


NETWORKS = {
    "red-resnet": lambda: RedNet(NetConfig(design="resnet")),
    "red-vgg": lambda: RedNet(NetConfig()),
    "fan4": Fan,
    "hrnet18": HrNet,
}


def made(net: nn.Module, way: str, given: tuple):
    """Return a call of a network that computes one frame in one way. Raise RuntimeError where this machine cannot."""
    low = "bfloat16" in way
    if low and not has_bfloat16(given[0].device):
        raise RuntimeError("no bfloat16 units")
    if way == "ONNX Runtime":
        import onnxruntime

        file = io.BytesIO()
        if isinstance(net, RedNet):
            raise RuntimeError("see track/exported.py: the VGG design alone, measured by bench_track.py")
        torch.onnx.export(net, given, file, dynamo=False, opset_version=18)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        session = onnxruntime.InferenceSession(file.getvalue(), options, providers=["CPUExecutionProvider"])
        (name,), x = (one.name for one in session.get_inputs()), given[0].numpy()
        return lambda: session.run(None, {name: x})
    if "folded" in way:
        net = folded(net) if isinstance(net, RedNet) else fuse(net)
    net = net.to(memory_format=torch.channels_last)
    if "compiled" in way:
        net = torch.compile(net)
    given = tuple(one.contiguous(memory_format=torch.channels_last) for one in given)

    @torch.no_grad()
    def run():
        with torch.autocast(given[0].device.type, torch.bfloat16) if low else contextlib.nullcontext():
            return net(*given)

    return run


def inputs(net: nn.Module, device: torch.device) -> tuple:
    """Return a frame for a network, and for RED-Net its first guess."""
    x = torch.rand(1, 3, SIZE, SIZE, device=device)
    return (x, net.first_guess(1, "zeros")) if isinstance(net, RedNet) else (x,)


def multiply_adds(name: str) -> float:
    """Return the multiply-adds of one frame, without doing them."""
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        net = NETWORKS[name]()
        net(*inputs(net, torch.device("meta")))
    return counter.get_total_flops() / 2


def main(arguments=None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=list(NETWORKS), default=list(NETWORKS))
    parser.add_argument("--repeats", type=int, default=5, help="timed frames of each way (default 5)")
    parser.add_argument("--threads", type=int, default=0, help="processor threads (default: torch's choice)")
    parser.add_argument("--device", default="cpu", help="cpu (default) or cuda")
    parser.add_argument("--no-compile", dest="compile", action="store_false", help="leave out torch.compile: minutes")
    options = parser.parse_args(arguments)
    if options.threads:
        torch.set_num_threads(options.threads)
    warnings.simplefilter("ignore")
    device, anchor = torch.device(options.device), None
    print(
        f"torch {torch.__version__}, {device}, {torch.get_num_threads()} threads, {SIZE} px, batch 1; ms a frame, and"
    )
    print(f"in brackets the ratio to {options.only[0]}'s float32, measured in turns with it")
    print(f"{'network':<12}{'M param':>9}{'GMAC':>8}" + "".join(f"{way:>20}" for way in WAYS), flush=True)
    for name in options.only:
        torch.manual_seed(0)
        net = NETWORKS[name]().to(device).eval()
        given = inputs(net, device)
        print(f"{name:<12}{count_parameters(net) / 1e6:>9.2f}{multiply_adds(name) / 1e9:>8.2f}", end="")
        for way in WAYS:
            if "compiled" in way and not options.compile:
                print(f"{'-':>20}", end="")
                continue
            try:
                run = made(net, way, given)
                anchor = anchor or run
                run()
                turns = [(timed(run, device), timed(anchor, device)) for _ in range(options.repeats)]
                ratio = statistics.median(one / other for one, other in turns)
                said = f"{1000 * statistics.median(one for one, _ in turns):.0f} ({ratio:.2f})"
            except Exception as error:  # no compiler, no package, no units: say so and go on
                said = (str(error) or type(error).__name__).splitlines()[0][:19]
            print(f"{said:>20}", end="", flush=True)
        print(flush=True)


if __name__ == "__main__":
    main()
