"""How fast the tracker is: `python tests/benchmarks/bench_track.py [WEIGHTS]`; engines, threads, frame sizes.

One face, batch 1. All are measured in turn in one process, a few frames of each at a time, and the median over the
rounds is told: of processor time, since a busy machine stretches the clock's, and of the clock for two threads.
No looks is as the papers track, its looks as `python3 go.py track` does; regular looks, at the slip every 5 frames, are
what that does with weights whose heights nobody measured.
"""

import statistics
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from data_prep.readers.face_world import FaceWorldVideos  # noqa: E402
from rednet_core import geometry  # noqa: E402
from rednet_lab.track.exported import OnnxNet  # noqa: E402
from rednet_lab.track.follow import DOUBTFUL, Follower  # noqa: E402
from rednet_lab.workbench.shipped import open_weights  # noqa: E402

ROUNDS, FRAMES = 9, 10
UNKNOWN = {"heights": DOUBTFUL}


def frame(size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Return a frame (height, width) with a face of the face world in it, 300 pixels wide, and its box."""
    item = FaceWorldVideos(0, 0, 1, 3, 1, 192)[2]
    face = cv2.resize(item.image, (400, 400), interpolation=cv2.INTER_CUBIC)
    out = np.random.default_rng(0).integers(0, 256, (*size, 3)).astype(np.uint8)
    y, x = (size[0] - 400) // 2, (size[1] - 400) // 2
    out[y : y + 400, x : x + 400] = face
    return out, geometry.face_box(geometry.rescale(item.points, 192, 400) + (x, y), FaceWorldVideos.markup)


def main() -> None:
    """Print milliseconds a frame and what they are of the first line's."""
    net, ways = open_weights("".join(sys.argv[1:])), {}
    for height, width in ((480, 640), (1080, 1920)):
        picture, box = frame((height, width))
        for looks, choices in (("no", {"check": 0}), ("its", {}), ("regular", UNKNOWN)):
            engines = [("torch", net, 1), ("torch", net, 2), ("onnx", OnnxNet(net, 1), 1), ("onnx", OnnxNet(net, 2), 2)]
            for name, engine, threads in engines if height == 480 and choices != UNKNOWN else engines[:1]:
                follower = Follower(engine, **choices)
                follower.start(box)
                label = f"{name}, {threads} thread(s), {height}p, {looks} looks"
                ways[label] = (threads, lambda f=follower, p=picture: f.update(p))
    told = {label: [] for label in ways}
    for round_ in range(ROUNDS + 1):
        for label, (threads, update) in ways.items():
            torch.set_num_threads(threads if label.startswith("torch") else 1)  # as the command does
            cpu, clock = time.process_time(), time.perf_counter()
            for _ in range(FRAMES):
                update()
            if round_:  # the first warms up
                spent = time.process_time() - cpu, time.perf_counter() - clock
                told[label].append([1000 * one / FRAMES for one in spent])
    first = None
    for label, rounds in told.items():
        cpu, clock = (statistics.median(one[i] for one in rounds) for i in (0, 1))
        first = first or cpu
        print(f"{label:55} {cpu:6.2f} ms processor ({cpu / first:.2f}), {1000 / cpu:5.1f} a second; "
              f"{clock:6.2f} ms clock, {1000 / clock:5.1f}; best {min(one[1] for one in rounds):.2f}")  # fmt: skip


if __name__ == "__main__":
    main()
