"""How fast pictures and videos are prepared on one core, against a bare loop that only decodes them.

    python tests/benchmarks/bench_prepare.py [--pictures 150] [--frames 200] [--rounds 3]

Writes pictures in iBUG's form (JPEG of 500 x 400, and of 1200 x 900 as Helen's are about), Udacity's layout (PNG
of 180 x 190) and a 300-VW video (1280 x 720, MJPG) into a temporary folder, then prepares them into stores of
320-pixel crops. Prints items per second of `prepare` (open, decode, check, crop, checksum, write) and of the bare
loop (`cv2.imread`; `cv2.VideoCapture.read`), taken in turns, the best round of each, by the clock and by processor
time; the share of bare decoding, which is to be 0.70 or more; and the share of the floor, which no preparation can
pass: decode, resample each picture as its face wants it, write. The store's checksum, without which a damaged store
is believed, has a line of its own, and so have the items read without cutting them, to see where the rest goes. Last
comes the most memory that preparing took: of the process that writes, and of the largest of its workers, for one,
two and four of them.
"""

import argparse
import hashlib
import os
import resource
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import cv2  # noqa: E402
import numpy as np  # noqa: E402

from data_prep.fixed_crop import FixedCrop  # noqa: E402
from data_prep.prepare import Cutter, prepare, resampled  # noqa: E402
from data_prep.readers.ibug import IbugFaces  # noqa: E402
from data_prep.readers.udacity import UdacityFaces  # noqa: E402
from data_prep.readers.vw300 import VW300  # noqa: E402
from data_prep.wrapped import Tail  # noqa: E402
from tests.data_prep import makers_udacity  # noqa: E402
from tests.data_prep.makers import pts  # noqa: E402
from tests.helpers import face, smooth_picture  # noqa: E402

SIZE = 320


def noisy(height, width, seed):
    """A picture with detail, as a camera's has: a plain one decodes too fast."""
    rng = np.random.default_rng(seed)
    picture = smooth_picture(height, width, rng).astype(np.int16)
    return np.clip(picture + rng.integers(-12, 13, picture.shape), 0, 255).astype(np.uint8)


def write_pictures(folder, count, height, width):
    """The pictures in iBUG's form, and their paths."""
    paths = []
    (folder / "trainset").mkdir(parents=True)
    for k in range(count):
        path = folder / "trainset" / f"{k}_1.jpg"
        cv2.imwrite(str(path), noisy(height, width, k % 8))
        path.with_suffix(".pts").write_bytes(pts(face((width / 2, height / 2), height / 2) + 1))
        paths.append(path)
    return paths


def write_video(folder, frames, height=720, width=1280):
    """A 300-VW video and its annotation."""
    (folder / "001" / "annot").mkdir(parents=True)
    path = folder / "001" / "vid.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 25, (width, height))
    pictures = [noisy(height, width, k) for k in range(4)]
    for k in range(frames):
        writer.write(pictures[k % 4])
        annotation = folder / "001" / "annot" / f"{k + 1:06d}.pts"
        annotation.write_bytes(pts(face((width / 2, height / 2), height / 3) + 1))
    writer.release()
    return path


def read_pictures(paths):
    """The bare loop over pictures."""
    for path in paths:
        cv2.imread(str(path))


def read_video(path):
    """The bare loop over a video's frames."""
    video = cv2.VideoCapture(str(path))
    while video.read()[0]:
        pass


def write_udacity(folder, count):
    """Pictures in Udacity's layout, and their paths."""
    names = [f"Person_{chr(65 + k % 26)}_{k // 10}{k % 10}.jpg" for k in range(count)]
    entries = []
    for k, name in enumerate(names):
        bgra = cv2.cvtColor(noisy(190, 180, k % 8), cv2.COLOR_RGB2BGRA)
        entries.append((name, face((90, 95), 90).round(), cv2.imencode(".png", bgra)[1].tobytes()))
    makers_udacity.write(folder, {"training": entries})
    return [folder / "training" / name for name in names]


def floor(pictures, boxes, place, checksum):
    """What cannot be left out: each picture decoded, resampled to the crop that its face wants, and written."""
    digest = hashlib.sha256()
    with open(place, "wb") as file:
        for picture, box in zip(pictures, boxes, strict=True):
            crop, _ = resampled(picture, box, SIZE)
            if checksum:
                digest.update(crop)
            file.write(crop)


def boxes_of(reader):
    """The squares that the items of a reader are cut by."""
    cutter = Cutter(Tail(reader, 0), SIZE, 1.5)
    return [cutter.box(reader[k], k) for k in range(len(reader))]


def frames_of(path):
    """Frames of a video, decoded and no more."""
    video = cv2.VideoCapture(str(path))
    while (got := video.read())[0]:
        yield got[1][..., ::-1]


def read_items(reader):
    """The reader alone: decoding and the annotation, no crop, no store."""
    for k in range(len(reader)):
        reader[k]


def rates(count, rounds, ways):
    """{name: (items per second by the clock, by processor time)} of the best round of each way, taken in turns."""
    best = {name: (0.0, 0.0) for name in ways}
    for _ in range(rounds):
        for name, work in ways.items():
            clock, processor = time.perf_counter(), time.process_time()
            work()
            now = count / (time.perf_counter() - clock), count / (time.process_time() - processor)
            best[name] = tuple(map(max, best[name], now))
    return best


def memory(reader, path, workers):
    """Most memory (MB) of a new process that prepares, and of the largest of its workers."""
    with ProcessPoolExecutor(1, get_context("spawn")) as fresh:
        return fresh.submit(_most, reader, path, workers).result()


def _most(reader, path, workers):
    prepare(reader, path, SIZE, 1.5, "key", workers)
    unit = 1 if sys.platform == "darwin" else 1024
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
    if Path("/proc/self/status").exists():  # Linux counts there what the process had before it became this one
        lines = Path("/proc/self/status").read_text().splitlines()
        own = next(int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("VmHWM"))
    workers_most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit / 1e6
    return own, workers_most if workers > 1 else own


def main(arguments=None):
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=int, default=150)
    parser.add_argument("--frames", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as place:
        place, stores = Path(place), iter(range(1000))
        cases = []
        for height, width in ((400, 500), (900, 1200)):
            folder = place / f"{height}"
            paths = write_pictures(folder, options.pictures, height, width)
            reader = IbugFaces(folder, "helen")
            pictures = partial(map, cv2.imread, list(map(str, paths)))
            cases.append((f"{width} x {height} JPEG", reader, partial(read_pictures, paths), pictures))
        paths = write_udacity(place / "udacity", options.pictures)
        pictures = partial(map, cv2.imread, list(map(str, paths)))
        cases.append(
            ("180 x 190 PNG, Udacity", UdacityFaces(place / "udacity"), partial(read_pictures, paths), pictures)
        )
        video = write_video(place / "vw", options.frames)
        for what, reader in (("", VW300(place / "vw")), (", fixed crop", FixedCrop(VW300(place / "vw")))):
            cases.append((f"1280 x 720 video{what}", reader, partial(read_video, video), partial(frames_of, video)))
        print(f"{'':<31}{'a second, one core':<29}{'':>11}{'share by processor time of':>32}")
        print(f"{'what':<31}{'loop':<21}{'clock':>8}{'processor':>11}{'bare':>16}{'floor':>8}{'+ checksum':>12}")
        for what, reader, bare, pictures in cases:
            boxes = boxes_of(reader)
            ways = {
                "bare": bare,
                "reader": lambda reader=reader: read_items(reader),
                **{
                    name: lambda p=pictures, b=boxes, c=c: floor(p(), b, place / f"floor {next(stores)}", c)
                    for name, c in (("floor", False), ("floor and checksum", True))
                },
                "prepare": lambda reader=reader: prepare(reader, place / f"store {next(stores)}", SIZE, 1.5, "key"),
            }
            found = rates(len(reader), options.rounds, ways)
            for name, (clock, processor) in found.items():
                bare_, floor_, summed = (processor / found[of][1] for of in ("bare", "floor", "floor and checksum"))
                print(f"{what:<31}{name:<21}{clock:>8.1f}{processor:>11.1f}{bare_:>16.2f}{floor_:>8.2f}{summed:>12.2f}")
        print(f"\n{'what':<31}{'workers':<10}{'writer MB':>10}{'largest worker MB':>20}")
        for what, reader, *_ in cases:
            for workers in (1, 2, 4):
                own, largest = memory(reader, place / f"store {next(stores)}", workers)
                print(f"{what:<31}{workers:<10}{own:>10.0f}{largest:>20.0f}")


if __name__ == "__main__":
    main()
