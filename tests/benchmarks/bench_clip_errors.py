"""Which error of boxes and guesses in clips trains stage 3 best on profile quick: none (the papers'), jitter or drift?

    python tests/benchmarks/bench_clip_errors.py [--seeds 0 1]

The rule, written before the runs: the measure is the tracking NME, clipped at 20 %, of 24 rendered videos of a world
that no training and no test has seen (40 frames, half of them challenging), their mean over videos. The best of the
three becomes quick's where the 95 % interval of its difference from the present one (`statistics.effect`: paired,
videos drawn with replacement, the seeds' spread added) lies below zero; else the present one stays. Every video's
figure is appended to figures/evidence/clip_errors.csv; what is there is not run again. Notebook 54 shows it.
"""

import argparse
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from data_prep.readers.face_world import FaceWorldVideos  # noqa: E402
from data_prep.tracker_error import TrackerError  # noqa: E402
from rednet_core.metrics import nme  # noqa: E402
from rednet_lab.evaluation import predict_videos  # noqa: E402
from rednet_lab.names import ROOT, RUNS  # noqa: E402
from rednet_lab.statistics import effect  # noqa: E402
from rednet_lab.workbench.lab import Lab  # noqa: E402
from rednet_lab.workbench.profiles import PROFILES  # noqa: E402
from rednet_lab.workbench.sources import stored  # noqa: E402
from tests.benchmarks.rows import kept  # noqa: E402

LOG = ROOT / "figures" / "evidence" / "clip_errors.csv"
KINDS = get_args(TrackerError.__annotations__["kind"])
WORLD, VIDEOS, FRAMES = 77, 24, 40
CLIP = 20.0  # per cent


def measure(profile: str, seed: int, kind: str, out: str = RUNS) -> pd.DataFrame:
    """Train stage 3 with one kind of error and return its figures, video by video."""
    lab = Lab("54_stage3", profile, "face_world", "", "cpu", seed, out)
    last = lab.chain[2]
    net = lab.trained(replace(last, name=f"clips {kind}", how=replace(last.how, kind=kind))).net
    reader = FaceWorldVideos(WORLD, 0, 10, VIDEOS, FRAMES, lab.profile.frame_size)
    store = stored("validation videos", reader, lab.profile.frame_size, None)
    found = predict_videos(net, store, store.rows("test"))
    table = store.table[found.rows]
    each = pd.DataFrame({"video": table["video"], "group": [store.groups[g] for g in table["group"]]})
    each["NME"] = nme(found.points, found.truth, net.markup, found.mask).clip(max=CLIP)
    rows = each.groupby(["group", "video"], as_index=False).mean().round(3)
    return rows.assign(seed=seed, error=kind)


def verdict(log: pd.DataFrame, present: str) -> str:
    """Return what the rule says of the log."""
    table = log.pivot_table("NME", ["seed", "video"], "error").unstack("seed")
    means = {kind: table[kind].to_numpy().mean() for kind in KINDS}
    best = min(means, key=means.get)
    told = ", ".join(f"{kind} {mean:.2f}" for kind, mean in means.items())
    if best == present:
        return f"{told}: {present} is the best and stays"
    found = effect(table[present].T.to_numpy(), table[best].T.to_numpy(), np.arange(len(table)))
    word = f"{best} takes the place of {present}" if found.high < 0 else f"{present} stays"
    return f"{told}: {best} - {present} {found.mean:+.2f} [{found.low:+.2f}, {found.high:+.2f}]: {word}"


def main() -> None:
    """Run what the log does not have yet, and say what the rule says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", nargs="*", type=int, default=[0], help="seeds (default 0)")
    for seed in parser.parse_args().seeds:
        for kind in KINDS:
            log = kept(LOG, partial(measure, "quick", seed, kind), seed=seed, error=kind)
    print(verdict(log, PROFILES["quick"].clip_error.kind))


if __name__ == "__main__":
    main()
