"""What each network costs: time a frame, training speed, memory, parameters, multiply-adds; and what makes it faster.

    python tests/benchmarks/bench_cost.py [--only vgg-full ...] [--repeats 5] [--batch 4] [--no-compile] [--device cuda]

Networks: vgg, resnet and eccv, each in the papers' size (`full`: 256 px, ECCV 128 px) and in the quick profile's.
Each is measured in a process of its own, so that peak memory is its own; printed is what comes on top of a process
that has torch and no network. Times are medians, one frame at a time, in evaluation mode, without gradients; with
--threads 1 they are processor time, which other work disturbs less. "plain" is float32, batch norm as layers, PyTorch's
own order of dimensions, the stem computed once a frame. The second table is time as a ratio to plain, measured in
turns with it; below 1 is faster. The third says where the time goes and how near it is to what this machine can do at
all. Compiling is not counted in a ratio but printed. Parameters and multiply-adds are those of f_srn (ECCV: and f_REG).
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

from rednet_core.eccv import EccvConfig, EccvNet  # noqa: E402
from rednet_core.fold import folded  # noqa: E402
from rednet_core.inputs import Inputs  # noqa: E402
from rednet_core.network import MEAN_PIXEL, PIXEL_SPREAD  # noqa: E402
from rednet_core.objective import terms  # noqa: E402
from rednet_core.rednet import NetConfig, RedNet, count_parameters  # noqa: E402
from rednet_lab.workbench.price import multiply_adds  # noqa: E402
from rednet_lab.workbench.profiles import QUICK  # noqa: E402
from tests.benchmarks import where_time_goes  # noqa: E402
from tests.benchmarks.where_time_goes import timed  # noqa: E402

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
PLAIN, TRACKING, FASTEST = "plain", "folded + channels_last", "folded + channels_last + bf16"
WAYS = ("stem each step", "channels_last", "folded", "bf16", TRACKING, FASTEST)
COMPILED = ("compile", f"{TRACKING} + compile", f"{FASTEST} + compile")


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


def seconds(run, repeats, device):
    """Median time of run() after one call that does not count."""
    return statistics.median([timed(run, device) for _ in range(repeats + 1)][1:])


def made_faster(net, way, x, z0):
    """A call of the network on x and z0 made faster in one way (or slower: the stem in each step)."""
    parts = way.split(" + ")
    fast = folded(net) if "folded" in parts else copy.deepcopy(net)
    shape = torch.channels_last if "channels_last" in parts else torch.contiguous_format
    fast, x, z0 = (each.to(memory_format=shape) for each in (fast, x, z0))
    if way == "stem each step":
        body, encode, seen = fast.backbone, fast.backbone.encode, (x - MEAN_PIXEL) / PIXEL_SPREAD
        body.encode = lambda stem, z, k: encode(body.stem(seen) if k else stem, z, k)
    call = torch.compile(fast) if "compile" in parts else fast

    @torch.no_grad()
    def run():
        with torch.autocast(x.device.type, torch.bfloat16) if "bf16" in parts else contextlib.nullcontext():
            return call(x, z0)

    return run


def one_way(net, way, x, z0, repeats):
    """Time of a network made faster in one way as a ratio to the network as it is, or why it could not be.

    The two take turns, so that other work on the machine slows both. Also the seconds of the first call, by the clock.
    """
    plain, start = made_faster(net, PLAIN, x, z0), time.perf_counter()
    try:
        quick = made_faster(net, way, x, z0)
        quick()
        first = time.perf_counter() - start
        plain()
        turns = [(timed(plain, x.device), timed(quick, x.device)) for _ in range(repeats)]
    except Exception as error:  # an operation without bfloat16, no compiler, ...: say so and go on
        return f"{type(error).__name__}: {str(error).strip().splitlines()[0][:80]}", time.perf_counter() - start
    return statistics.median(fast / slow for slow, fast in turns), first


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
    base = peak_memory(device)
    net = kind(config).to(device).to(memory_format=torch.contiguous_format).eval()
    found = {"px": config.input_size, "parameters": count_parameters(net), "macs": multiply_adds(config)}
    x, z0 = torch.rand(1, 3, config.input_size, config.input_size, device=device), net.first_guess(1, "zeros")
    with torch.no_grad():
        found["frame"] = seconds(lambda: net(x, z0), options.repeats, device)
    found["base"], found["memory"] = base, peak_memory(device)
    found["pictures"] = training(net, options.batch, max(1, options.repeats // 2), device)
    found["training memory"] = peak_memory(device)
    net.zero_grad(set_to_none=True)
    net.eval()
    found["ways"], found["compiling"] = {}, {}
    for way in WAYS + COMPILED * options.compile:
        if way != "stem each step" or hasattr(net, "backbone"):
            found["ways"][way], first = one_way(net, way, x, z0, options.repeats)
        if way in COMPILED:
            found["compiling"][way] = first
    found["peaks"] = where_time_goes.peaks(device)
    found["where"] = {
        way: where_time_goes.profiled(made_faster(net, way, x, z0), device, options.repeats)
        for way in (PLAIN, TRACKING, FASTEST)
    }
    return found


def attribution(name, found):
    """Lines of the third table: shares of the time, and how near convolutions come to the machine's best."""
    for way, groups in found["where"].items():
        total = sum(spent for spent, _ in groups.values())
        convolving = sum(groups[group][0] for group in where_time_goes.CONVOLUTIONS)
        moved = sum(size for group, (_, size) in groups.items() if group not in where_time_goes.CONVOLUTIONS)
        best, rate = found["peaks"]["conv bf16" if "bf16" in way else "conv float32"], 2e-9 * found["macs"] / convolving
        cells = [f"{100 * spent / total:.0f}" for spent, _ in groups.values()]
        cells += [f"{rate:.0f}", f"{100 * rate / best:.0f}", f"{moved / (total - convolving) / 1e9:.1f}"]
        cells += [f"{rate / best * convolving / total:.2f}"]
        yield f"{name:<13}{way:<29}" + "".join(f"{cell:>12}" for cell in cells)


def report(results):
    """Print ratios, what compiling costs, and where the time goes."""
    print("\ntime as a ratio to plain float32")
    for way in (*WAYS, *COMPILED):
        values = [found["ways"].get(way, "-") for found in results.values()]
        cells = [value[:12] if isinstance(value, str) else f"{value:.2f}" for value in values]
        print(f"{way:<40}" + "".join(f"{cell:>14}" for cell in cells))
    for way in COMPILED:
        cells = [f"{found['compiling'][way]:.0f} s" if way in found["compiling"] else "-" for found in results.values()]
        print(f"{way.replace(TRACKING, 'the same'):<28} first call" + "".join(f"{cell:>14}" for cell in cells))
    print(f"{'':<40}" + "".join(f"{name:>14}" for name in results))
    for name, found in results.items():
        for way, value in found["ways"].items():
            if isinstance(value, str):
                print(f"{name}, {way}: {value}")
    print("\nthe most this machine does, measured beside each network (GFLOP/s; copies GB/s)")
    for name, found in results.items():
        print(f"{name:<13}" + "".join(f"   {what} {value:.0f}" for what, value in found["peaks"].items()))
    print("\nwhere the time goes, % (torch.profiler); GFLOP/s of the convolutions, in % of the best above; GB/s of the")
    print("rest; bound: what would be left of the time, were there convolutions alone, all as fast as the best one")
    titles = [*where_time_goes.GROUPS, where_time_goes.OTHER, "GFLOP/s", "% of best", "GB/s", "bound"]
    print(f"{'':<42}" + "".join(f"{title:>12}" for title in titles))
    for name, found in results.items():
        print(*attribution(name, found), sep="\n")


def main(arguments=None):
    """Print the three tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=list(NETWORKS), default=list(NETWORKS))
    parser.add_argument("--repeats", type=int, default=5, help="timed calls for each figure (default 5)")
    parser.add_argument("--batch", type=int, default=4, help="pictures in a training batch (default 4)")
    parser.add_argument("--threads", type=int, default=0, help="processor threads (default: torch's choice)")
    parser.add_argument("--device", default="cpu", help="cpu (default) or cuda")
    parser.add_argument("--no-compile", dest="compile", action="store_false", help="leave out torch.compile: minutes")
    parser.add_argument("--json", action="store_true", help="print one network's raw figures (used internally)")
    options = parser.parse_args(arguments)
    if options.threads:
        torch.set_num_threads(options.threads)
    if options.json:
        print(json.dumps(measure(options.only[0], options)))
        return
    given = ["--repeats", options.repeats, "--batch", options.batch, "--device", options.device]
    given += ["--threads", torch.get_num_threads()] + ["--no-compile"] * (not options.compile)
    print(f"torch {torch.__version__}, {options.device}, {torch.get_num_threads()} threads, batch {options.batch}")
    titles = ("px", "M param", "MB", "GMAC", "ms/frame", "MB peak", "img/s train", "MB peak")
    print(f"{'network':<13}" + "".join(f"{title:>12}" for title in titles), flush=True)
    results, fresh = {}, {**os.environ, "TORCHINDUCTOR_FORCE_DISABLE_CACHES": "1"}  # compile anew: it is timed
    for name in options.only:
        command = [sys.executable, __file__, "--json", "--only", name, *map(str, given)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, env=fresh)
        except KeyboardInterrupt:
            print("stopped; the rest of the tables is of what was measured before")
            break
        if done.returncode:
            print(f"{name:<13} failed: {done.stderr.strip().splitlines()[-1]}", flush=True)
            continue
        found = results[name] = json.loads(done.stdout.splitlines()[-1])
        row = [f"{found['px']}", f"{found['parameters'] / 1e6:.2f}", f"{4 * found['parameters'] / 1e6:.1f}"]
        row += [f"{found['macs'] / 1e9:.2f}", f"{1e3 * found['frame']:.1f}", f"{found['memory'] - found['base']:.0f}"]
        row += [f"{found['pictures']:.2f}", f"{found['training memory'] - found['base']:.0f}"]
        print(f"{name:<13}" + "".join(f"{cell:>12}" for cell in row), flush=True)
    report(results)


if __name__ == "__main__":
    main()
