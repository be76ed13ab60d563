"""What this machine can train: ten steps of each stage at full size, their speed, memory, and agreement with the CPU.

    python3 go.py gpu-check                                    # the papers' size, a few minutes on a GPU
    python3 go.py gpu-check --profile gpu
    python3 go.py gpu-check --profile smoke --device cpu       # seconds, to see that it works

The first losses are compared with the processor's in float32: more than some per cent of difference is a fault. The
share of the peak is of what this device does in a large matrix product, measured here.
"""

import sys
import time
from dataclasses import replace

import numpy as np
import pandas as pd
import torch
from torch.utils.benchmark import Timer

from data_prep.face_world import FaceWorld
from data_prep.landmark_subset import InMemory, seven_of
from rednet_core.markup import IBUG68
from rednet_core.training import Trainer
from rednet_lab.names import PROFILE_NAMES, THREADS, add_device, command
from rednet_lab.progress import Progress
from rednet_lab.workbench.lab import choose_device
from rednet_lab.workbench.price import KINDS, PASSES, cost
from rednet_lab.workbench.profiles import PROFILES, Plan, Profile
from rednet_lab.workbench.sources import Role
from rednet_lab.workbench.stages import STAGES, Training, eccv_plans, stage_config, suited

PERSONS, FRAMES, WARM_UP = 8, 10, 3
AGREES = 0.05  # of the losses in half precision, from the processor's


def faces(size: int, persons: int = PERSONS) -> InMemory:
    """Return videos of the face world, FRAMES frames of each person."""
    world = FaceWorld(0, size)
    samples = [world.frame(person, t, difficulty="common") for person in range(persons) for t in range(FRAMES)]
    table = np.zeros(len(samples), KINDS)
    table["points"], table["mask"] = np.array([sample.points for sample in samples]), True
    table["identity"] = table["video"] = np.repeat(np.arange(persons), FRAMES)
    table["frame"] = np.tile(np.arange(FRAMES), persons)
    return InMemory(np.array([sample.image for sample in samples]), table, IBUG68)


def chain(profile: Profile, data: InMemory, steps: int, eccv: bool) -> list[Training]:
    """Return a network's three stages on these faces, `steps` batches each, with the profile's sizes."""
    plans = eccv_plans(profile) if eccv else (profile.stage1, profile.stage2, profile.stage3)
    config, role, found = profile.eccv if eccv else profile.net, Role(data, np.arange(len(data.table))), []
    marked = data if config.markup == IBUG68.name else seven_of(data, IBUG68)
    for stage, plan in zip(STAGES, plans, strict=True):
        config = stage_config(config, stage, profile)
        short = replace(plan.train, steps=steps, rate=1e-4, schedule="constant")
        plan = Plan(short, min(plan.batch, len(data.table)), plan.frames)
        how = profile.clip_error if stage == "clips" else profile.augmentation
        name = f"{'eccv' if eccv else 'journal'} {stage}"
        found.append(Training(name, stage, config, role, marked, plan, how, 0, found[-1] if found else None))
    return found


def first_losses(training: Training, net, device: torch.device) -> np.ndarray:
    """Return the raw terms of a first step on two pictures, or two clips."""
    run = replace(training, plan=replace(training.plan, batch=2)).trainer(net and net.to(device), device)
    record = run.train_step()
    return np.array([record.detection, record.regression])


def measure(run: Trainer, device: torch.device) -> float:
    """Run all steps of a training; return seconds a step behind the first few."""
    cuda = device.type == "cuda"
    run.run(WARM_UP)
    if cuda:
        torch.cuda.synchronize()
    began, done = time.perf_counter(), run.step
    run.run()
    if cuda:
        torch.cuda.synchronize()
    return (time.perf_counter() - began) / (run.step - done)


def peak(device: torch.device, precision: str) -> float:
    """Return the multiply-adds a second of a large matrix product here."""
    n = 8192 if device.type == "cuda" else 1024
    a = torch.rand(n, n, device=device, dtype=getattr(torch, precision))
    product = Timer("float((a @ a)[0, 0])", globals={"a": a}, num_threads=torch.get_num_threads())  # float() waits
    return n**3 / min(product.timeit(1).mean for _ in range(5))


def check(profile: Profile, device: torch.device, steps: int = 10) -> pd.DataFrame:
    """Return a row for each stage of both networks: agreement, pictures a second, memory, share of the peak."""
    data, rows, peaks = faces(profile.store_size), [], {}
    with Progress("gpu-check", "stage") as progress:
        for eccv in (False, True):
            before = None
            for training in chain(profile, data, steps, eccv):
                progress(len(rows), 2 * len(STAGES), training.name)
                plan, precision = training.plan, suited(training.train, device).precision
                plain = replace(training, changes=(("precision", "float32"),))
                cpu = first_losses(plain, before, torch.device("cpu"))
                here = first_losses(training, before, device)
                if device.type == "cuda":
                    torch.cuda.reset_peak_memory_stats()
                run = training.trainer(before and before.to(device), device)
                seconds, before = measure(run, device), run.net
                one = cost(training.config, run.config, plan.frames)
                rate = plan.batch * plan.frames / seconds
                if precision not in peaks:
                    peaks[precision] = peak(device, precision)
                off = float(np.nanmax(np.abs(here - cpu) / cpu))
                memory = torch.cuda.max_memory_allocated() if device.type == "cuda" else float("nan")
                rows.append(
                    {
                        "training": training.name,
                        "precision": precision,
                        "loss against the CPU's": f"{off:+.2%}" + ("" if off < AGREES else "  FAULT"),
                        "pictures a second": rate,
                        "memory (GB)": memory / 1e9,
                        "by the price list (GB)": one.kept * plan.batch * plan.frames / 1e9,
                        "share of the peak": PASSES * one.multiply_adds * rate / peaks[precision],
                    }
                )
    return pd.DataFrame(rows)


def main(arguments=None) -> int:
    """Print the table and what fits; return 1 where a loss does not agree."""
    parser = command("go.py gpu-check", __doc__)
    parser.add_argument("--profile", choices=PROFILE_NAMES, default="full")
    add_device(parser)
    parser.add_argument("--steps", type=int, default=10)
    given = parser.parse_args(arguments)
    device = choose_device(given.device)
    if device.type == "cpu" and given.profile == "full":
        print("There is no GPU here: a step at the papers' size takes minutes; --profile smoke shows how it works.")
        return 2
    torch.set_num_threads(THREADS)
    table = check(PROFILES[given.profile], device, max(given.steps, WARM_UP + 1))
    print(table.to_string(index=False, float_format=lambda value: f"{value:.3g}"))
    if device.type == "cuda":
        total = torch.cuda.get_device_properties(device).total_memory / 1e9
        needed = table["memory (GB)"].max()
        print(f"{torch.cuda.get_device_name(device)}, {total:.0f} GB: {given.profile} needs {needed:.1f} GB of them.")
    return int(table["loss against the CPU's"].str.contains("FAULT").any())


if __name__ == "__main__":
    sys.exit(main())
