"""The log of recipes tried for the quick profile, which notebook 50 shows.

    python tests/benchmarks/bench_recipes.py --data FOLDER [--only NAME ...] [--seeds 0 1]

Every row of figures/evidence/recipes.csv is one training from scratch on real faces (Udacity layout), differing from
the base in what its name says, scored on validation persons. Rows are appended as they are measured; one that is
there already is not run again. Seconds are of one machine and noisy: compare the number of images and weights.
"""

import argparse
import os
import sys
import time
from dataclasses import replace
from pathlib import Path

import pandas as pd
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from data_prep.readers.udacity import UdacityFaces  # noqa: E402
from rednet_core import metrics, stages  # noqa: E402
from rednet_core.batches import Stills  # noqa: E402
from rednet_core.rednet import NetConfig, count_parameters  # noqa: E402
from rednet_core.training import TrainConfig, Trainer  # noqa: E402
from rednet_lab.evaluation import predict_mean_shape, predict_stills  # noqa: E402
from rednet_lab.evaluation import score as score_of  # noqa: E402
from rednet_lab.files import write_text  # noqa: E402
from rednet_lab.names import ROOT  # noqa: E402
from rednet_lab.progress import Progress  # noqa: E402
from rednet_lab.stamp import make_stamp  # noqa: E402
from rednet_lab.workbench.profiles import QUICK  # noqa: E402
from rednet_lab.workbench.sources import FaceWorldSource, stored  # noqa: E402

LOG = ROOT / "figures" / "evidence" / "recipes.csv"
IMAGES = 9_600  # every recipe sees so many pictures, unless its name says otherwise

ONE_EACH = {"encoder_convs": (1, 1, 1, 1, 1), "decoder_convs": (1, 1, 1, 1)}
SOME_TWO = {"encoder_convs": (1, 1, 2, 2, 1), "decoder_convs": (1, 2, 2, 1)}
PAPERS = {"encoder_convs": (2, 2, 3, 3, 3), "decoder_convs": (2, 3, 3, 3)}
BASE_NET = NetConfig(input_size=64, width=0.375, sigma=6.0, **ONE_EACH)
BASE = {
    "batch": 16,
    "optimiser": "adamw",
    "rate": 8e-3,
    "schedule": "one_cycle",
    "weight_decay": 0.01,
    "images": IMAGES,
}
PLAIN = {"contrast": 0.0, "brightness": 0.0}

# name: (changes of the network, of the training, of the augmentation)
RECIPES: dict[str, tuple[dict, dict, dict]] = {
    "base": ({}, {}, {}),
    "no light augmentation": ({}, {}, PLAIN),
    "rate 3e-3": ({}, {"rate": 3e-3}, {}),
    "rate 1.2e-2": ({}, {"rate": 1.2e-2}, {}),
    "batch 32": ({}, {"batch": 32}, {}),
    "batch 8": ({}, {"batch": 8}, {}),
    "constant rate 3e-3": ({}, {"rate": 3e-3, "schedule": "constant"}, {}),
    "SGD 0.05, one cycle": ({}, {"optimiser": "sgd", "rate": 0.05, "weight_decay": 5e-4}, {}),
    "SGD 0.01, constant": ({}, {"optimiser": "sgd", "rate": 0.01, "weight_decay": 5e-4, "schedule": "constant"}, {}),
    "sigma 4.5": ({"sigma": 4.5}, {}, {}),
    "sigma 8": ({"sigma": 8.0}, {}, {}),
    "foreground weight 1": ({}, {"foreground_weight": 1.0}, {}),
    "foreground weight 5": ({}, {"foreground_weight": 5.0}, {}),
    "detached feedback": ({"detach_feedback": True}, {}, {}),
    "width 0.25, some blocks of two": ({"width": 0.25, **SOME_TWO}, {}, {}),
    "width 0.1875, the paper's depth": ({"width": 0.1875, **PAPERS}, {}, {}),
    "width 0.25": ({"width": 0.25}, {}, {}),
    "width 0.5": ({"width": 0.5}, {}, {}),
    "input 96, width 0.25, 40 % of the images": ({"input_size": 96, "width": 0.25}, {"images": int(0.4 * IMAGES)}, {}),
    "2.5 times the images": ({}, {"images": int(2.5 * IMAGES)}, {}),
    "half of the images of the face world, first": ({}, {"images": IMAGES // 2, "first": IMAGES // 2}, {}),
    "as many images of the face world, first": ({}, {"first": IMAGES}, {}),
}


def run(name: str, data: str, seed: int) -> dict:
    """Train one recipe and return its row."""
    net_changes, changes, light = RECIPES[name]
    config, train = replace(BASE_NET, **net_changes), {**BASE, **changes}
    images, batch, first = train.pop("images"), train.pop("batch"), train.pop("first", 0)
    size = config.input_size * 3 // 2
    store = stored("udacity", UdacityFaces(data), size)
    how = replace(QUICK.augmentation, **light)
    with Progress(name) as progress:

        def trainer_on(data, images: int) -> Trainer:
            config_of = TrainConfig(images // batch, seed=seed, **train)
            show = (lambda t, r: progress(r.step + 1, t.config.steps, f"l_r {r.regression:.4f}"),)
            stills = Stills(data, data.rows("train"), batch, seed)
            return stages.stage1(config, stills, config_of, how, callbacks=show)

        trainer = trainer_on(store, images)
        before = trainer_on(FaceWorldSource(QUICK, "", seed).stills().data, first) if first else None
        began, cpu = time.perf_counter(), time.process_time()
        if before:
            before.run()
            weights = {k: v for k, v in before.net.state_dict().items() if k != "mean_shape"}
            trainer.net.load_state_dict(weights, strict=False)
        trainer.run()
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    net, rows = trainer.net, store.rows("validation")
    found = predict_stills(net, store, rows)
    mean = predict_mean_shape(net.mean_shape.numpy(), store, rows, net.markup)
    score = score_of(metrics.nme(found.points, found.truth, net.markup, found.mask))
    stamp = make_stamp({"profile": "recipe", "source": "udacity", "data": data, "seed": seed, "device": "cpu"})
    return {
        "recipe": name,
        "seed": seed,
        "error (%)": round(score.mean, 2),
        "std (%)": round(score.std, 2),
        "failures (%)": round(score.failure, 1),
        "mean shape (%)": round(float(metrics.nme(mean.points, mean.truth, net.markup, mean.mask).mean()), 2),
        "images": (images // batch + first // batch) * batch,
        "weights (M)": round(count_parameters(net) / 1e6, 2),
        "seconds": round(seconds),
        "CPU seconds": round(cpu),
        "torch": stamp["torch"],
        "code": stamp["code"][:10],
    }


def main() -> None:
    """Run the recipes that the log does not have yet."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder of YouTube Faces in the Udacity layout")
    parser.add_argument("--only", nargs="*", choices=list(RECIPES), metavar="NAME", help="these recipes only")
    parser.add_argument("--seeds", nargs="*", type=int, default=[0], help="seeds (default 0)")
    choices = parser.parse_args()
    torch.set_num_threads(min(os.cpu_count() or 1, 8))
    for seed in choices.seeds:
        for name in choices.only or RECIPES:
            log = pd.read_csv(LOG) if LOG.exists() else pd.DataFrame(columns=["recipe", "seed"])
            if ((log["recipe"] == name) & (log["seed"] == seed)).any():
                print(f"{name}, seed {seed}: in the log already")
                continue
            row = run(name, choices.data, seed)
            print({k: row[k] for k in ("recipe", "seed", "error (%)", "seconds")}, flush=True)
            _append(log, row)


def _append(log: pd.DataFrame, row: dict) -> None:
    write_text(LOG, pd.concat([log, pd.DataFrame([row])], ignore_index=True).to_csv(index=False, lineterminator="\n"))


if __name__ == "__main__":
    main()
