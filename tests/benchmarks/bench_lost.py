"""How well a look tells a face that is followed from one that is lost, on real pictures: peaks' height and slip.

    python tests/benchmarks/bench_lost.py YOUTUBE_FACES --helen HELEN    # either folder; Udacity's layout, 300-W's

Faces: a test picture's annotated box, looked at once. Lost: boxes beside the face, moved twice to where the network's
points go, as a tracker moves them; kept where they end with less than a fifth of the face (intersection over union).
Rows, one a look, go to figures/evidence/lost.csv; notebook 60 draws each measure's curve: lost ones found over false
alarms. A network and data set that are there are not measured again. What is printed has each network's limits for
HEIGHTS in rednet_lab/track/follow.py, and what a look with them does.
"""

import argparse
import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from data_prep.datasets import dataset  # noqa: E402
from data_prep.errors import BadItem  # noqa: E402
from data_prep.item import Item  # noqa: E402
from rednet_core.geometry import face_box  # noqa: E402
from rednet_core.tracking import Tracker  # noqa: E402
from rednet_lab.names import ROOT  # noqa: E402
from rednet_lab.progress import Progress  # noqa: E402
from rednet_lab.track.follow import DOUBTFUL, one_look, overlap, slip  # noqa: E402
from rednet_lab.workbench.shipped import PLACE, WEIGHTS, open_weights  # noqa: E402
from tests.benchmarks.rows import kept  # noqa: E402

LOG = ROOT / "figures" / "evidence" / "lost.csv"
PICTURES, BESIDE = 150, 6  # of each data set; places tried beside each face
APART = 0.2  # of a box that has lost its face, at most


def beside(box: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """Return boxes (N, 3) beside one, of 0.6 to 1.4 of its size and 0.7 to 1.5 of its side away."""
    angle, away = draw.uniform(0, 2 * np.pi, BESIDE), draw.uniform(0.7, 1.5, BESIDE) * box[2]
    moved = box[:2] + away[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1)
    return np.column_stack([moved, box[2] * draw.uniform(0.6, 1.4, BESIDE)])


def looks(tracker: Tracker, item: Item, draw: np.random.Generator) -> Iterator[dict]:
    """Yield what a look says of a picture's face, and of places beside it where the network's points come to rest."""
    markup, picture = tracker.net.markup, item.image
    truth = face_box(np.asarray(item.points, np.float32), markup)
    for state, boxes in (("face", truth[None]), ("lost", beside(truth, draw))):
        for _ in range(1 if state == "face" else 3):
            tracker.start(boxes)
            seen = tracker.update(picture)
            boxes = face_box(seen.points, markup)
            keep = np.isfinite(boxes).all(1) & (boxes[:, 2] > 8)
            if state == "lost":
                keep &= overlap(truth, boxes) < APART
            boxes, height = boxes[keep], seen.confidence[keep]
            if not len(boxes):
                return
        for one in zip(height, slip(tracker, picture, boxes), strict=True):
            yield {"state": state, **dict(zip(("height", "slip"), map(float, one), strict=True))}


def limits_of(rows: pd.DataFrame) -> tuple[float, float]:
    """Return (gone, sure) of a network's looks: the height half way between both medians, that of 99 of 100 faces."""
    face = rows["state"] == "face"
    middles = rows["height"].groupby(face).median()
    return float(middles.mean()), float(rows["height"][face].quantile(0.01))


def told(log: pd.DataFrame) -> pd.DataFrame:
    """Return what a look does (%), two rows for each data set and network: by height and slip, by the slip alone."""
    out = []
    for (data, weights), rows in log.groupby(["data", "weights"]):
        face, limits = rows["state"] == "face", limits_of(log[log["weights"] == weights])
        for way, heights in (("both", limits), ("slip", DOUBTFUL)):
            says, looked = one_look(rows["height"], rows["slip"], heights)
            shares = [100 * one.mean() for one in (says[~face], says[face], looked[face])]
            out.append([data, weights, way, *limits, *shares, sum(~face), sum(face)])
    names = ["data", "weights", "way", "gone", "sure", "found", "alarms", "looks", "lost", "faces"]
    return pd.DataFrame(out, columns=names).round(3)


def measure(weights: str, reader) -> pd.DataFrame:
    """Return the looks of a shipped network at a reader's test pictures."""
    tracker, draw, rows, seen = Tracker(open_weights(weights)), np.random.default_rng(0), [], 0
    with Progress(f"looks of {weights}", "picture") as progress:
        for number in draw.permutation(len(reader)):
            with contextlib.suppress(BadItem):
                item = reader[number]
                if item.split == "test":
                    rows += looks(tracker, item, draw)
                    progress(seen := seen + 1, PICTURES, "")
            if seen == PICTURES:
                break
    return pd.DataFrame(rows).round(3)


def main() -> None:
    """Measure what the log does not have yet, and say what one look does."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("udacity", help="folder of YouTube Faces in the Udacity layout")
    parser.add_argument("--helen", default="", help="folder of Helen with 300-W's points")
    given = parser.parse_args()
    for name, folder in (("udacity", given.udacity), ("helen", given.helen)):
        for weights in (w for w in WEIGHTS if folder and (PLACE / f"{w}.safetensors").is_file()):
            which = {"weights": weights, "data": name}

            def rows(which=which, folder=folder) -> pd.DataFrame:
                return measure(which["weights"], dataset(which["data"]).open(folder)).assign(**which)

            kept(LOG, rows, **which)
    print(told(pd.read_csv(LOG)).to_string(index=False))


if __name__ == "__main__":
    main()
