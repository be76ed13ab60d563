"""How many faces a second the face world makes on one core.

    python tests/benchmarks/bench_face_world.py [--seconds 4]

Prints, for pictures of 96, 128 and 256 pixels, frames per second with the factors drawn for every picture (a new
person each time, as stills are made), with factors given (rendering alone), and for the frames of a video. Two
figures each: by the clock, and by processor time, which a busy machine disturbs less.
"""

import argparse
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import cv2  # noqa: E402

from data_prep.face_world import FaceWorld, render, sample_factors  # noqa: E402

DRAWN = 256  # factors drawn beforehand, and stills before they repeat


def rate(make, seconds):
    """(frames per second by the clock, by processor time) of make(index), which is called for that many seconds."""
    for index in range(4):
        make(index)
    count, clock, processor = 0, time.perf_counter(), time.process_time()
    while time.perf_counter() - clock < seconds:
        make(count % DRAWN)
        count += 1
    return count / (time.perf_counter() - clock), count / (time.process_time() - processor)


def main(arguments=None):
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=4.0, help="how long each line is measured (default 4)")
    seconds = parser.parse_args(arguments).seconds
    cv2.setNumThreads(1)
    factors = [sample_factors((0, index)) for index in range(DRAWN)]
    print(f"{'size':>4}  {'what':<22}{'clock':>8}{'processor':>11}   frames per second, one core")
    for size in (96, 128, 256):
        world = FaceWorld(size=size)
        for what, make in (
            ("stills, factors drawn", world.still),
            ("stills, factors given", lambda index, size=size: render(factors[index], size)),
            ("video frames", lambda index, world=world: world.frame(0, index)),
        ):
            clock, processor = rate(make, seconds)
            print(f"{size:>4}  {what:<22}{clock:>8.1f}{processor:>11.1f}")


if __name__ == "__main__":
    main()
