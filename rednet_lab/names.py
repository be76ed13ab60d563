"""The names that everything agrees on: the checkout's root, profiles, sources, devices and the folders of runs.

Nothing here needs an installed package, so the runner can refuse a wrong name before anything is installed.
"""

from __future__ import annotations

import re
from argparse import ArgumentParser, ArgumentTypeError, RawDescriptionHelpFormatter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROFILE_NAMES = ("smoke", "quick", "bench", "gpu", "full")
LONG = ("gpu", "full")  # of these the price is told before they run
SOURCES = ("face_world", "udacity", "prepared")
EVIDENCE = "figures/evidence"  # tracked by git; written by python -m rednet_lab.publish alone
RUNS = "figures/runs"  # ignored by git; what a notebook's `out` is: its results lie in <out>/<run>/<notebook>
THREADS = 1  # of a training, on any machine: as many run beside each other as there are cores, and sums stay the same
DEVICES = ("auto", "cpu", "cuda", "mps")  # and cuda:N, one card of several
USUAL_SOURCE, USUAL_SEED = SOURCES[0], 0  # a run's folder does not name them


class DeviceError(ArgumentTypeError, ValueError):
    """No device has this name."""


def device_name(name: str) -> str:
    """Return a device's name as it is; raise DeviceError for one that is neither in DEVICES nor cuda:N."""
    if name in DEVICES or re.fullmatch(r"cuda:\d+", name):
        return name
    raise DeviceError(f"device {name!r}, known: {', '.join(DEVICES)}, cuda:N")


def run_name(profile: str, source: str = USUAL_SOURCE, seed: int = USUAL_SEED) -> str:
    """Return the name of a run's folder: quick, quick-udacity, quick-seed1, quick-udacity-seed1."""
    return "-".join([profile, *[source] * (source != USUAL_SOURCE), *[f"seed{seed}"] * (seed != USUAL_SEED)])


def command(prog: str, description: str, epilog: str = "") -> ArgumentParser:
    """Return the parser of a command, whose help shows these texts line by line."""
    return ArgumentParser(prog, None, description, epilog, formatter_class=RawDescriptionHelpFormatter)


def add_run_options(p: ArgumentParser, profile: str, seed: str = "") -> None:
    """Give a command the options that choose a run's size, data and device; seed says what its seed, if any, is of."""
    p.add_argument("--profile", choices=PROFILE_NAMES, default=profile, help="how much work (default: %(default)s)")
    p.add_argument("--source", choices=SOURCES, default=USUAL_SOURCE, help="which faces (default: %(default)s)")
    p.add_argument("--data", metavar="FOLDER", default="", help="where the real faces or the prepared stores are")
    if seed:
        p.add_argument("--seed", type=int, default=USUAL_SEED, help=seed)
    add_device(p)


def add_device(parser: ArgumentParser) -> None:
    """Give a command the option that chooses a device."""
    said = "auto, cpu, mps, cuda or cuda:N (default: auto)"
    parser.add_argument("--device", type=device_name, default="auto", help=said)
