"""What each network costs: time a frame, training speed, memory, parameters, multiply-adds; and what makes it faster.

    python tests/benchmarks/bench_cost.py [--only vgg-full ...] [--repeats 5] [--batch 4] [--compile] [--device cuda]

Networks: vgg, resnet and eccv, each in the papers' size (`full`: 256 px, ECCV 128 px) and in the quick profile's.
Each is measured in a process of its own, so that peak memory is its own. Times are medians, one frame at a time, in
evaluation mode, without gradients; with --threads 1 they are processor time, which other work disturbs less. The
second table is time as a ratio to plain float32; below 1 is faster. "stem each step" is what computing the stem in
every step, instead of once a frame, would cost. torch.compile takes minutes on a processor and is only measured with
--compile. Parameters and multiply-adds are those of f_srn (ECCV: with f_REG).
"""

import argparse
import contextlib
import copy
import json
import os
import statistics
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import torch  # noqa: E402
from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

from rednet_core.eccv import EccvConfig, EccvNet  # noqa: E402
from rednet_core.fold import folded  # noqa: E402
from rednet_core.inputs import Inputs  # noqa: E402
from rednet_core.objective import terms  # noqa: E402
from rednet_core.rednet import NetConfig, RedNet, count_parameters  # noqa: E402
from rednet_lab.profiles import QUICK  # noqa: E402

NETWORKS = {
    "vgg-full": (RedNet, NetConfig()),
    "resnet-full": (RedNet, NetConfig(design="resnet")),
    "eccv-full": (EccvNet, EccvConfig()),
    "vgg-quick": (RedNet, QUICK.net),
    "resnet-quick": (RedNet, replace(QUICK.net, design="resnet", encoder_units=(1, 1, 1, 1), skip_units=1)),
    "eccv-quick": (
        EccvNet,
        EccvConfig(QUICK.net.input_size, QUICK.net.width, QUICK.net.encoder_convs, steps=(14, 10, 6)),
    ),
}
WAYS = ("bf16", "channels_last", "folded", "folded + channels_last", "folded + channels_last + bf16", "compile")


def peak_memory(device):
    """Most memory held so far, in MB: the process's on a processor, the allocator's on a GPU."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 1e6
    try:
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6
    except ImportError:  # Windows
        import psutil

        return psutil.Process().memory_info().peak_wset / 1e6


def timed(run, device):
    """Seconds that run() takes: processor time on one processor thread, else by the clock."""
    clock = time.process_time if device.type == "cpu" and torch.get_num_threads() == 1 else time.perf_counter
    start = clock()
    run()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return clock() - start


def seconds(run, repeats, device):
    """Median time of run() after one call that does not count."""
    return statistics.median([timed(run, device) for _ in range(repeats + 1)][1:])


def multiply_adds(kind, config):
    """Multiply-adds of one frame, without doing them."""
    with torch.device("meta"):
        net = kind(config)
        with FlopCounterMode(display=False) as counter:
            net(torch.empty(1, 3, config.input_size, config.input_size), net.first_guess(1, "zeros"))
    return counter.get_total_flops() / 2


def one_way(net, way, x, z0, repeats):
    """Time of a network made faster in one way as a ratio to the network as it is, or why it could not be.

    The two take turns, so that other work on the machine slows both.
    """
    fast = folded(net) if "folded" in way else copy.deepcopy(net)
    shape = torch.channels_last if "channels_last" in way else torch.contiguous_format
    fast = fast.to(memory_format=shape)
    near, near_z0 = x.contiguous(memory_format=shape), z0.contiguous(memory_format=shape)
    call = torch.compile(fast) if way == "compile" else fast

    def quick():
        with torch.autocast(x.device.type, torch.bfloat16) if "bf16" in way else contextlib.nullcontext():
            call(near, near_z0)

    try:
        with torch.no_grad():
            quick()
            turns = [(timed(lambda: net(x, z0), x.device), timed(quick, x.device)) for _ in range(repeats)]
    except Exception as error:  # an operation without bfloat16, no compiler, ...: say so and go on
        return f"{type(error).__name__}: {str(error).strip().splitlines()[0][:80]}"
    plain, other = zip(*turns, strict=True)
    return statistics.median(other) / statistics.median(plain)


def training(net, batch, repeats, device):
    """Pictures a second through forward, losses and backward."""
    size, count = net.config.input_size, net.markup.n_points
    points = size * (0.2 + 0.6 * torch.rand(batch, count, 2, device=device))
    mask, nobody = torch.ones(batch, count, dtype=torch.bool, device=device), torch.full((batch,), -1, device=device)
    inputs = Inputs(torch.rand(batch, 3, size, size, device=device), net.draw_z0(points), points, mask, nobody)
    net.train()

    def step():
        net.zero_grad()
        sum(terms(net, net(inputs.x, inputs.z0), inputs, 15.0).values()).backward()

    return batch / seconds(step, repeats, device)


def measure(name, options):
    """All figures of one network."""
    kind, config = NETWORKS[name]
    device = torch.device(options.device)
    torch.manual_seed(0)
    net = kind(config).to(device).eval()
    found = {"px": config.input_size, "parameters": count_parameters(net), "macs": multiply_adds(kind, config)}
    x, z0 = torch.rand(1, 3, config.input_size, config.input_size, device=device), net.first_guess(1, "zeros")
    with torch.no_grad():
        found["frame"] = seconds(lambda: net(x, z0), options.repeats, device)
        found["ways"] = {}
        if hasattr(net, "backbone"):
            stem = seconds(lambda: net.backbone.stem(x), options.repeats, device)
            found["ways"]["stem each step"] = 1 + (len(config.steps) - 1) * stem / found["frame"]
    found["memory"] = peak_memory(device)
    for way in WAYS:
        if way != "compile" or options.compile:
            found["ways"][way] = one_way(net, way, x, z0, options.repeats)
    found["pictures"] = training(net, options.batch, max(1, options.repeats // 2), device)
    found["training memory"] = peak_memory(device)
    return found


def main(arguments=None):
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=list(NETWORKS), default=list(NETWORKS))
    parser.add_argument("--repeats", type=int, default=5, help="timed calls for each figure (default 5)")
    parser.add_argument("--batch", type=int, default=4, help="pictures in a training batch (default 4)")
    parser.add_argument("--threads", type=int, default=0, help="processor threads (default: torch's choice)")
    parser.add_argument("--device", default="cpu", help="cpu (default) or cuda")
    parser.add_argument("--compile", action="store_true", help="measure torch.compile too")
    parser.add_argument("--json", action="store_true", help="print one network's raw figures (used internally)")
    options = parser.parse_args(arguments)
    if options.threads:
        torch.set_num_threads(options.threads)
    if options.json:
        print(json.dumps(measure(options.only[0], options)))
        return
    given = ["--repeats", options.repeats, "--batch", options.batch, "--device", options.device]
    given += ["--threads", torch.get_num_threads()] + ["--compile"] * options.compile
    print(f"torch {torch.__version__}, {options.device}, {torch.get_num_threads()} threads, batch {options.batch}")
    titles = ("px", "M param", "MB", "GMAC", "ms/frame", "MB peak", "img/s train", "MB peak")
    print(f"{'network':<13}" + "".join(f"{title:>12}" for title in titles), flush=True)
    results = {}
    for name in options.only:
        command = [sys.executable, __file__, "--json", "--only", name, *map(str, given)]
        done = subprocess.run(command, capture_output=True, text=True, env=os.environ)
        if done.returncode:
            print(f"{name:<13} failed: {done.stderr.strip().splitlines()[-1]}", flush=True)
            continue
        found = results[name] = json.loads(done.stdout.splitlines()[-1])
        row = [f"{found['px']}", f"{found['parameters'] / 1e6:.2f}", f"{4 * found['parameters'] / 1e6:.1f}"]
        row += [f"{found['macs'] / 1e9:.2f}", f"{1e3 * found['frame']:.1f}", f"{found['memory']:.0f}"]
        row += [f"{found['pictures']:.2f}", f"{found['training memory']:.0f}"]
        print(f"{name:<13}" + "".join(f"{cell:>12}" for cell in row), flush=True)
    print("\ntime as a ratio to plain float32")
    for way in ("stem each step", *WAYS):
        cells = []
        for name in results:
            value = results[name]["ways"].get(way, "-")
            cells.append(value[:12] if isinstance(value, str) else f"{value:.2f}")
        print(f"{way:<30}" + "".join(f"{cell:>14}" for cell in cells))
    print(f"{'':<30}" + "".join(f"{name:>14}" for name in results))
    for name, found in results.items():
        for way, value in found["ways"].items():
            if isinstance(value, str):
                print(f"{name}, {way}: {value}")


if __name__ == "__main__":
    main()
