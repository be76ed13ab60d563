"""What drawing training batches costs beside a training step, from a store that is larger than the memory.

    python tests/benchmarks/bench_batches.py [--crops 100000] [--size 320] [--steps 40] [--draws 1000]
        [--folder DIR | --store STORE | --choose]

Writes a store of so many crops of noise into a temporary folder (30.7 GB; fewer where the disk has no room, and says
so) and removes it in the end; or takes a prepared store that is there. Then trains on it at the quick profile's size,
stills and clips, and prints the median time of drawing a batch, how long the training waits for it (it is drawn while
the step before runs), and the rest of the step: cold, with the system's cache of the file dropped before every step
(where the system lets a program do so: Linux), and warm, the same batches again. cost is waiting over the rest.

Then memory while many batches are drawn and nothing else is done: the process's own is to stay flat; pages of the file
count apart, since the system takes them back as it needs them. Last (or with --choose alone): what choosing the rows of
a batch takes, by the number of pictures, which grows with them.
"""

import argparse
import ctypes
import mmap
import os
import shutil
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np  # noqa: E402
import torch  # noqa: E402

from data_prep.item import Item  # noqa: E402
from data_prep.landmark_subset import InMemory  # noqa: E402
from data_prep.store import Store, StoreWriter  # noqa: E402
from rednet_core.batches import Clips, Stills  # noqa: E402
from rednet_core.inputs import clip_inputs, still_inputs  # noqa: E402
from rednet_core.markup import IBUG68, SEVEN  # noqa: E402
from rednet_core.rednet import RedNet  # noqa: E402
from rednet_core.training import Trainer  # noqa: E402
from rednet_lab.workbench.profiles import QUICK
from tests.helpers import face  # noqa: E402

VIDEO = 250  # frames of each video; persons have two
ROOM = 2e9  # bytes of the disk that are left free
DROPS = hasattr(os, "posix_fadvise") and hasattr(mmap, "MADV_DONTNEED")


def write_store(path, count, size):
    """A store of `count` crops: noise from a block of which each crop begins elsewhere, one face for all."""
    block = np.random.default_rng(0).integers(0, 256, size**2 * 3 * 8, dtype=np.uint8)
    points = face(((size - 1) / 2, (size - 1) / 2), size / 1.5).astype(np.float32)
    known, box = np.ones(68, bool), np.array([0.0, 0.0, size])
    with StoreWriter(path, IBUG68, size) as writer:
        for k in range(count):
            start = (k * 7919) % (len(block) - size**2 * 3)
            facts = {"identity": f"person {k // (2 * VIDEO)}", "video": f"{k // VIDEO}", "frame": k % VIDEO}
            crop = block[start : start + size**2 * 3].reshape(size, size, 3)
            writer.add(crop, Item(f"{k}", crop, points, known, known, **facts), points, box)
        return writer.close({"source": {"reader": "noise"}})


def drop(store):
    """Make the system forget what it holds of the crops' file; True where it can be asked to."""
    if not DROPS:
        return False
    store.crops._mmap.madvise(mmap.MADV_DONTNEED)  # pages that are still mapped would stay
    with open(store.path / "crops.npy", "rb") as file:
        os.fsync(file.fileno())  # pages that wait to be written would stay
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    return True


def held(store):
    """Share of the crops' file that is in memory, nan where the system does not say."""
    libc = ctypes.CDLL(None) if os.name == "posix" else None
    if not hasattr(libc, "mincore"):
        return float("nan")
    address = store.crops.ctypes.data // mmap.PAGESIZE * mmap.PAGESIZE
    pages = (ctypes.c_ubyte * (store.crops.nbytes // mmap.PAGESIZE))()
    if libc.mincore(ctypes.c_void_p(address), ctypes.c_size_t(len(pages) * mmap.PAGESIZE), pages):
        return float("nan")
    return float((np.frombuffer(pages, np.uint8) & 1).mean())


def timed(call, seconds):
    """The same call; what it takes is appended to `seconds`."""

    def measured(step):
        begin = time.perf_counter()
        batch = call(step)
        seconds.append(time.perf_counter() - begin)
        return batch

    return measured


def one_kind(name, net, store, plan, batches, make_inputs, steps):
    """Print the rows of one kind of batch."""
    for how in ("cold", "warm") if DROPS else ("warm",):
        draws, waits, rests = [], [], []
        trainer = Trainer(net, plan.config(len(store), 0), timed(batches.batch, draws), make_inputs)
        trainer.draw = timed(trainer.draw, waits)
        for step in range(steps + 2) if how == "warm" else ():
            batches.batch(step)
        for step in range(steps + 2):
            trainer.step = step
            if how == "cold":
                drop(store)
            begin = time.perf_counter()
            trainer.train_step()
            rests.append(time.perf_counter() - begin - waits[-1])
        draw, wait, rest = (
            statistics.median(each[2:]) for each in (draws, waits, rests)
        )  # the first ones wake torch up
        worst = sorted(draws[2:])[int(0.9 * (len(draws) - 2))]
        line = f"{name:<26}{how:<6}{1e3 * draw:>9.1f}{1e3 * worst:>9.1f}{1e3 * wait:>9.1f}{1e3 * rest:>14.1f}"
        print(f"{line}{wait / rest:>8.3f}", flush=True)


def choosing(counts=(3_372, 100_000, 1_220_000)):
    """Print what choosing rows takes: twelve pictures of each person, one pixel each, in videos of twelve frames."""
    print(f"\nchoosing a batch, by pictures (processor time)\n{'pictures':>10}{'16 stills ms':>15}{'4 clips ms':>12}")
    for count in counts:
        kinds = [("points", "f4", (7, 2)), ("mask", "?", 7), *((name, "i4") for name in ("identity", "video", "frame"))]
        table = np.zeros(count, kinds)
        table["identity"] = table["video"] = np.arange(count) // 12
        table["frame"] = np.arange(count) % 12
        data, rows = InMemory(np.zeros((count, 1, 1, 3), np.uint8), table, SEVEN), np.arange(count)
        took = []
        for batches in (Stills(data, rows, 16), Clips(data, rows, 4, 10)):
            begin = time.process_time()
            for step in range(20):
                batches.batch(step)
            took.append(1e3 * (time.process_time() - begin) / 20)
        print(f"{count:>10,}{took[0]:>15.1f}{took[1]:>12.1f}", flush=True)


def memory():
    """(own, of files) MB of this process now; nan where the system does not say."""
    try:
        lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
        return tuple(int(lines[name].split()[0]) / 1024 for name in ("RssAnon", "RssFile"))
    except (OSError, KeyError):
        return float("nan"), float("nan")


def flatness(batches, draws):
    """Print memory while batches are drawn."""
    print(f"\nmemory while {draws} batches are drawn\n{'after':>8}{'own MB':>10}{'of files MB':>14}")
    peak = 0.0
    for step in range(draws + 1):
        batches.batch(step)
        own, files = memory()
        peak = max(peak, own)
        if step in (10, draws // 4, draws // 2, draws):
            print(f"{step:>8}{own:>10.0f}{files:>14.0f}", flush=True)
    print(f"    peak{peak:>10.0f}")


def measure(store, options):
    """Print the tables of a store."""
    print(f"{len(store):,} crops of {store.size} px, {store.crops.nbytes / 1e9:.1f} GB, {store.markup.name}")
    drop(store)
    print(f"share of it in memory after dropping: {held(store):.4f}; {torch.get_num_threads()} threads\n")
    rows, net = np.arange(len(store)), RedNet(replace(QUICK.net, markup=store.markup.name))
    print(f"{'batches':<26}{'cache':<6}{'draw ms':>9}{'9 of 10':>9}{'wait ms':>9}{'rest of step':>14}{'cost':>8}")
    stills = Stills(store, rows, QUICK.stage1.batch)
    how = partial(still_inputs, how=QUICK.augmentation)
    one_kind(f"{stills.size} stills", net, store, QUICK.stage1, stills, how, options.steps)
    try:
        clips = Clips(store, rows, QUICK.stage3.batch, QUICK.stage3.frames)
        name = f"{clips.size} clips of {clips.frames} frames"
        one_kind(name, net, store, QUICK.stage3, clips, clip_inputs, options.steps)
    except ValueError as error:
        print(f"no clips: {error}")
    flatness(stills, options.draws)
    choosing()


def main(arguments=None):
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--crops", type=int, default=100_000)
    parser.add_argument("--size", type=int, default=320)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--folder", type=Path, help="where there is room (default: the system's temporary folder)")
    parser.add_argument("--store", type=Path, help="a prepared store to draw from, instead of one of noise")
    parser.add_argument("--choose", action="store_true", help="only what choosing rows takes")
    options = parser.parse_args(arguments)
    if options.choose:
        choosing()
        return
    if options.store:
        measure(Store(options.store), options)
        return
    with tempfile.TemporaryDirectory(dir=options.folder) as place:
        room = int((shutil.disk_usage(place).free - ROOM) // (options.size**2 * 3 + 2048))
        count = min(options.crops, room)
        if count < options.crops:
            print(f"the disk has room for {count:,} crops of {options.crops:,}")
        begin = time.perf_counter()
        store = write_store(Path(place) / "store", count, options.size)
        print(f"written in {time.perf_counter() - begin:.0f} s")
        measure(store, options)
        del store  # an open map keeps its file on Windows


if __name__ == "__main__":
    main()
