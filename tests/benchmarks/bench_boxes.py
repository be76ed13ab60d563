"""What an error of the face box costs each method: the networks that ship beside peers trained on the same real faces.

    python tests/benchmarks/bench_boxes.py FOLDER    # YouTube Faces points in the Udacity layout

Peers see the training stills of `faces` (profile quick, seed 0), once with the boxes of their own settings, once with
the wide ones of the shipped networks' recipe; the plain heat-map CNN has quick's. All are measured on the persons that
none has seen, in the annotation's box and in boxes off by up to 10 and 20 % in place and size, the same for all.
Intervals (95 %) draw whole persons again; they do not hold the chance of a training. Rows go to
figures/evidence/boxes.csv, a method when it is measured; what is there is not trained again. Notebook 78 shows them.
"""

import argparse
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from data_prep.store import Store  # noqa: E402
from rednet_core.metrics import FAILURE  # noqa: E402
from rednet_lab.experiments import Bench, baselines  # noqa: E402
from rednet_lab.experiments.baselines.sdm import SdmConfig  # noqa: E402
from rednet_lab.experiments.baselines.trees import TreesConfig  # noqa: E402
from rednet_lab.experiments.variants import PLAIN  # noqa: E402
from rednet_lab.names import ROOT, RUNS  # noqa: E402
from rednet_lab.statistics import effect  # noqa: E402
from rednet_lab.workbench.lab import Lab  # noqa: E402
from rednet_lab.workbench.shipped import MARGIN, PLACE, SIZE, WEIGHTS, WIDE, box_errors, open_weights, reader_of  # noqa: E402
from rednet_lab.workbench.sources import stored  # noqa: E402
from tests.benchmarks.rows import kept  # noqa: E402

LOG = ROOT / "figures" / "evidence" / "boxes.csv"
OFF = (0.0, 0.1, 0.2)
MORE = TreesConfig(num_trees_per_cascade_level=200)  # four times the course's: the budget of minutes


def methods(lab: Lab) -> dict:
    """Return a maker of (method, seconds of training) by its name; the first row is the simplest answer."""

    def peer(name: str, choices=None):
        def make():
            one = baselines.fitted(lab, name, choices=choices)
            return one.method, one.seconds

        return make

    def plain():
        one = Bench(lab).trained(PLAIN, lab.seed)
        return one.net, one.seconds

    found = {
        "mean face in the box": peer("first box"),
        "SDM": peer("SDM"),
        "SDM, wide": peer("SDM", SdmConfig(box=WIDE)),
    }
    if baselines.have_dlib():
        found |= {"regression trees": peer("regression trees")}
        found |= {"regression trees, wide": peer("regression trees", replace(MORE, box=WIDE))}
    found["plain heat-map CNN"] = plain
    there = [name for name in WEIGHTS if (PLACE / f"{name}.safetensors").is_file()]
    return found | {f"RED-Net, {name}": lambda name=name: (open_weights(name), np.nan) for name in there}


def measure(store: Store, name: str, make) -> pd.DataFrame:
    """Return a method's rows on the test faces of a store, one for each error of the box."""
    method, seconds = make()
    test, rows = store.rows("test"), []
    persons = store.table["identity"][test]
    for off in OFF:
        each = box_errors(method, store, test, off)
        found = effect(np.zeros_like(each), each, persons)  # the mean itself, as a difference to nothing
        rows.append({"method": name, "box off by (%)": round(100 * off), "faces": len(each), "persons": found.clusters})
        rows[-1] |= {"NME (%)": found.mean, "95 % from": found.low, "to": found.high}
        rows[-1] |= {"failures (%)": 100 * np.mean(each > FAILURE), "training (s)": seconds}
    return pd.DataFrame(rows).round(2)


def main() -> None:
    """Measure what the log does not have yet, and print it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", help="folder of YouTube Faces in the Udacity layout")
    parser.add_argument("--profile", default="quick", help="of the peers' crops and of the plain CNN (default quick)")
    given = parser.parse_args()
    lab = Lab("78_comparison", given.profile, "udacity", given.data, "cpu", 0, RUNS)
    store = stored("shipped-faces", reader_of("faces", given.data), SIZE, MARGIN)
    for name, make in methods(lab).items():
        log = kept(LOG, partial(measure, store, name, make), method=name)
    print(log.to_string(index=False))


if __name__ == "__main__":
    main()
