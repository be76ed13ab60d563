"""What a training step costs at full size, in parts, and shared by two processes.

    python tests/benchmarks/bench_training.py steps [--only vgg resnet eccv]      # seconds and memory, beside the price
    python tests/benchmarks/bench_training.py parts                               # a batch in one, two and four parts
    python tests/benchmarks/bench_training.py one --profile gpu --count 16 --parts 4    # its memory, MB
    python tests/benchmarks/bench_training.py processes [--profile quick]         # one; two with half of each batch

steps: each stage of each network in float32, on one thread, in a process of its own that trains on few pictures and in
another that trains on more. Memory a picture is the difference of their peaks, as the system tells them; kept is what
the price list says that a picture keeps for the backward pass. Seconds are processor time. share: of what a large
convolution reaches here. The others take turns in one run. Two processes: pictures a second by the clock, so the load
of the machine is told; ideal is twice one process's.
"""

import argparse
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
import torch.distributed as dist  # noqa: E402

from rednet_lab.workbench import gpu_check, team  # noqa: E402
from rednet_lab.workbench.price import PASSES, cost  # noqa: E402
from rednet_lab.workbench.profiles import PROFILES, Profile  # noqa: E402
from tests.benchmarks.bench_cost import peak_memory  # noqa: E402
from tests.benchmarks.where_time_goes import peaks  # noqa: E402

NETWORKS, CPU = ("vgg", "resnet", "eccv"), torch.device("cpu")
FEW, MORE = 1, 3  # pictures; of a clip, one frame more


def stages(profile: Profile, network: str, faces: int, precision: str = "float32") -> list:
    """Return a network's three stages on rendered faces, ready to take steps; ImageNet's weights change no cost."""
    if network == "resnet":
        profile = replace(profile, net=replace(profile.net, design="resnet"))
    data = gpu_check.faces(profile.store_size, faces)
    return [
        replace(one, changes=(("precision", precision),), imagenet=False)
        for one in gpu_check.chain(profile, data, 1000, eccv=network == "eccv")
    ]


def one_step(profile: str, network: str, stage: int, count: int, parts: int = 1) -> dict:
    """Take one step on so many pictures, or on a clip of one frame more; return its seconds and the process's peak."""
    training = stages(PROFILES[profile], network, 4)[stage]
    frames = count + 1 if stage == 2 else 1
    training = replace(
        training, before=None, plan=replace(training.plan, batch=count if stage < 2 else 1, frames=frames)
    )
    run = replace(training, parts=parts).trainer(None, CPU)
    before, began = peak_memory(CPU), time.process_time()
    run.train_step()
    return {"seconds": time.process_time() - began, "before": before, "peak": peak_memory(CPU)}


def steps(options) -> None:
    """Print a row for each stage of each network."""
    best = peaks(CPU)["conv float32"]
    print(f"a large convolution: {best:.0f} GFLOP/s; {options.profile}, one thread, float32, load {load()}")
    titles = ("s/picture", "MB/picture", "kept MB", "GMAC", "share")
    print(f"{'network, stage':<20}" + "".join(f"{title:>12}" for title in titles), flush=True)
    for network in options.only:
        for stage, training in enumerate(stages(PROFILES[options.profile], network, 1)):
            found = []
            for count in (FEW, MORE):
                given = [
                    "one",
                    "--profile",
                    options.profile,
                    "--only",
                    network,
                    "--stage",
                    str(stage),
                    "--count",
                    str(count),
                ]
                done = subprocess.run([sys.executable, __file__, *given], capture_output=True, text=True, check=True)
                found.append(json.loads(done.stdout.splitlines()[-1]))
            seconds, memory = ((found[1][name] - found[0][name]) / (MORE - FEW) for name in ("seconds", "peak"))
            one = cost(training.config, training.train, 2 if stage == 2 else 1)
            share = 2e-9 * PASSES * one.multiply_adds / seconds / best
            cells = (
                f"{seconds:>12.1f}{memory:>12.0f}{one.kept / 1e6:>12.0f}{one.multiply_adds / 1e9:>12.1f}{share:>12.2f}"
            )
            print(f"{network + ', ' + training.stage:<20}{cells}", flush=True)


def turns(ways: dict, count: int) -> None:
    """Print the processor time of a step of each Trainer, and its ratio to the first one's, in turns."""
    told = {name: [] for name in ways}
    for number in range(count + 1):
        for name, run in ways.items():
            began = time.process_time()
            run.train_step()
            run.step += 1
            if number:
                told[name].append(time.process_time() - began)
            elif name != next(iter(ways)):
                print(f"    {name}: first step {time.process_time() - began:.0f} s", flush=True)
    first = next(iter(told.values()))
    for name, values in told.items():
        ratio = statistics.median(a / b for a, b in zip(values, first, strict=True))
        print(f"    {name:<12}{statistics.median(values):>8.2f} s a step ({ratio:.2f})", flush=True)


def ways_of(options) -> None:
    """Print what parting a batch does to a step of each stage."""
    for network in options.only:
        for training in stages(PROFILES[options.profile], network, 4, options.precision):
            plan = replace(
                training.plan, batch=8 if training.stage != "clips" else 4, frames=min(training.plan.frames, 4)
            )
            plain = replace(training, before=None, plan=plan)
            print(
                f"{network}, {training.stage}: {plan.batch} of {plan.frames}, {options.precision}, load {load()}",
                flush=True,
            )
            ways = {f"{parts} part(s)": replace(plain, parts=parts) for parts in (1, 2, 4)}
            turns({name: one.trainer(None, CPU) for name, one in ways.items()}, options.turns)


def shared(options) -> None:
    """Take steps of stage 1 in one process or, under torchrun, in several; the first one prints pictures a second."""
    team.begin()
    mine = team.team()
    training = replace(stages(PROFILES[options.profile], options.only[0], 4)[0], before=None)
    run = training.trainer(None, CPU)
    run.run(2)
    if mine:
        dist.barrier()
    began, processor = time.perf_counter(), time.process_time()
    run.run(2 + options.turns)
    seconds, processor = time.perf_counter() - began, time.process_time() - processor
    if not mine or mine.lead:
        print(
            json.dumps({"rate": options.turns * training.plan.batch / seconds, "processor": processor / options.turns})
        )
    if mine:
        dist.destroy_process_group()


def processes(options) -> None:
    """Print pictures a second of one process and of two, in turns, beside the ideal."""
    given = [__file__, "shared", "--profile", options.profile, "--turns", str(options.turns), "--only", options.only[0]]
    several = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    found: dict[int, list] = {1: [], 2: []}
    for _ in range(options.rounds):
        for count, told in found.items():
            command = [sys.executable, *(several if count > 1 else ()), *given]
            env = {**os.environ, "OMP_NUM_THREADS": "1"}
            done = subprocess.run(command, capture_output=True, text=True, env=env, check=True)
            told.append(one := json.loads(done.stdout.splitlines()[-1]))
            work = f"{one['processor']:.2f} s of processor time a step in each"
            print(f"{count} process(es): {one['rate']:.1f} pictures/s, {work}, load {load()}", flush=True)
    ratio = statistics.median(two["rate"] / one["rate"] for one, two in zip(found[1], found[2], strict=True))
    work = statistics.median(one["processor"] / two["processor"] for one, two in zip(found[1], found[2], strict=True))
    print(
        f"two processes: {ratio:.2f} times one's pictures a second by the clock, {work:.2f} by processor time; ideal 2"
    )


def load() -> str:
    """Return the machine's load over the last minute, where it says."""
    return f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} cores" if hasattr(os, "getloadavg") else "unknown"


def main(arguments=None) -> None:
    """Print one of the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("steps", "parts", "processes", "one", "shared"))
    parser.add_argument("--only", nargs="+", choices=NETWORKS, default=[])
    parser.add_argument("--profile", choices=list(PROFILES), default="")
    parser.add_argument("--precision", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3, help="of one process and two")
    parser.add_argument("--stage", type=int, default=0, help="used internally, as is --count")
    parser.add_argument("--count", type=int, default=1)
    parser.add_argument("--parts", type=int, default=1, help="of `one`: MB of a step in a process of its own")
    options = parser.parse_args(arguments)
    options.only = options.only or list(NETWORKS if options.what == "steps" else NETWORKS[:1])
    options.profile = options.profile or {"steps": "full", "processes": "quick"}.get(options.what, "gpu")
    torch.set_num_threads(1)
    if options.what == "one":
        print(json.dumps(one_step(options.profile, options.only[0], options.stage, options.count, options.parts)))
    else:
        {"steps": steps, "processes": processes, "shared": shared}.get(options.what, ways_of)(options)


if __name__ == "__main__":
    main()
