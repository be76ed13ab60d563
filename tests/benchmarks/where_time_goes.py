"""Where the time of a frame goes: torch.profiler's times and the bytes of every operation, beside what the machine can.

Used by bench_cost.py. Times are those that an operation spends itself. Bytes are those of what it reads and writes,
counted one level above the profiler: copies that a convolution makes of its input inside are timed, not counted.
"""

import statistics
import time

import torch
from torch.profiler import ProfilerActivity, profile
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

GROUPS = {  # the first that has a part of an operation's name
    "im2col conv": ("_slow_conv", "slow_conv_transpose", "thnn_conv"),  # PyTorch's own, for small inputs
    "conv": ("conv",),
    "norm": ("batch_norm",),
    "ReLU": ("relu", "clamp_min"),
    "unpool": ("max_unpool",),
    "pool": ("max_pool",),
    "feedback": ("argmax", "softmax", "sigmoid", "scatter", "bitwise", "amax", "floor"),  # what a step hands on
    "cat, copy": ("cat", "add", "copy", "mul", "fill", "zero", "clone", "resize", "empty"),
}
OTHER = "other"
CONVOLUTIONS = ("im2col conv", "conv")


def group_of(name):
    """Which group an operation belongs to, by its name."""
    return next((group for group, parts in GROUPS.items() if any(part in name for part in parts)), OTHER)


class Bytes(TorchDispatchMode):
    """Adds up the bytes of the tensors that operations read and write, by group."""

    def __init__(self):
        super().__init__()
        self.moved = dict.fromkeys((*GROUPS, OTHER), 0)

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        if not func.is_view:
            tensors = [t for t in tree_leaves((args, kwargs, result)) if isinstance(t, torch.Tensor)]
            self.moved[group_of(func.name())] += sum(t.numel() * t.element_size() for t in tensors)
        return result


def timed(run, device):
    """Seconds that run() takes: processor time on one processor thread, else by the clock."""
    clock = time.process_time if device.type == "cpu" and torch.get_num_threads() == 1 else time.perf_counter
    start = clock()
    run()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return clock() - start


def profiled(run, device, repeats):
    """Seconds and bytes of one run() for each group: {group: (seconds, bytes)}.

    The profiler goes by the clock, and a run that is interrupted charges it to the operation that it was at. So each
    operation counts with its least time over the runs, and the sum is brought to the median of timed().
    """
    with Bytes() as counted:
        run()
    kinds = [ProfilerActivity.CPU] + [ProfilerActivity.CUDA] * (device.type == "cuda")
    names, least = [], []
    for _ in range(repeats + 1):
        with profile(activities=kinds) as watched:
            run()
        events = [e for e in watched.events() if e.device_type == torch.autograd.DeviceType.CPU]
        events.sort(key=lambda e: e.time_range.start)
        own = [e.self_device_time_total if device.type == "cuda" else e.self_cpu_time_total for e in events]
        same = names == [e.name for e in events]  # else it is the first run, or one that went another way
        names, least = [e.name for e in events], [*map(min, least, own)] if same else own
    whole = statistics.median(timed(run, device) for _ in range(3))
    spent = dict.fromkeys(counted.moved, 0.0)
    for name, value in zip(names, least, strict=True):
        spent[group_of(name)] += value * whole / sum(least)
    return {group: (value, counted.moved[group]) for group, value in spent.items()}


def fastest(run, device, least=0.5):
    """Least time of run(): what the machine can, not what it did while others used it."""
    end = time.perf_counter() + least
    found = [timed(run, device) for _ in range(5)]
    while time.perf_counter() < end:
        found.append(timed(run, device))
    return min(found)


@torch.no_grad()
def peaks(device):
    """The most this machine does: GFLOP/s in matrix products and 3 x 3 convolutions, GB/s in copies of a map."""
    found = {}
    for name, kind in (("float32", torch.float32), ("bf16", torch.bfloat16)):
        a, b = (torch.rand(1024, 1024, device=device).to(kind) for _ in range(2))
        found[f"matmul {name}"] = 2 * 1024**3 / fastest(lambda a=a, b=b: a @ b, device) / 1e9
        x, w = torch.rand(1, 256, 64, 64, device=device).to(kind), torch.rand(256, 256, 3, 3, device=device).to(kind)
        x, w = (t.contiguous(memory_format=torch.channels_last) for t in (x, w))
        work = 2 * 64 * 64 * 9 * 256**2
        found[f"conv {name}"] = work / fastest(lambda x=x, w=w: torch.conv2d(x, w, padding=1), device) / 1e9
    plane = torch.rand(64, 256, 256, device=device)  # a map of A0: 17 MB
    other = torch.empty_like(plane)
    found["copy"] = 8 * plane.numel() / fastest(lambda: other.copy_(plane), device) / 1e9
    return found
