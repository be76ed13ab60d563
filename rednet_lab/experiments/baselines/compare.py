"""The compared methods of a run: trained once for its stills and seed, measured, and set beside the paper's Table 9.

They are measured on the very items on which `Bench` measured a network, so that everything is paired.
"""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from torch import nn

from rednet_core.geometry import face_box
from rednet_core.markup import MARKUPS
from rednet_core.tracking import Tracker
from rednet_lab.evaluation import predict_mean_shape, predict_stills, predict_videos
from rednet_lab.experiments import charts
from rednet_lab.experiments.baselines.baseline import Baseline, FirstBox
from rednet_lab.experiments.baselines.cfan import CFAN
from rednet_lab.experiments.baselines.esr import ESR, EsrConfig
from rednet_lab.experiments.baselines.neural import DCNC, TCDCN, NeuralConfig
from rednet_lab.experiments.baselines.sdm import SDM, SdmConfig
from rednet_lab.experiments.baselines.trees import Trees, TreesConfig, dlib
from rednet_lab.experiments.bench import Measured, figures
from rednet_lab.progress import Progress
from rednet_lab.stamp import code_hash, imported_files
from rednet_lab.workbench.cache import asset, digest
from rednet_lab.workbench.lab import Lab

METHODS: dict[str, type[Baseline]] = {"first box": FirstBox, "ESR": ESR, "SDM": SDM, "regression trees": Trees}
METHODS |= {"DCNC": DCNC, "CFAN": CFAN, "TCDCN": TCDCN}
FEW = NeuralConfig(steps=4, batch=8, variations=1, hidden=(16,))
LARGEST = 128  # pixels: crops larger than that tell these methods nothing more
SMOKE = {  # on profile smoke, to see that it runs
    "ESR": EsrConfig(stages=2, ferns=5, pixels=20, variations=2),
    **dict.fromkeys(("DCNC", "CFAN", "TCDCN"), FEW),
    "SDM": SdmConfig(kept=6, variations=1),
    "regression trees": TreesConfig(cascade_depth=2, num_trees_per_cascade_level=10, oversampling_amount=2),
}
HERE, PRINTED = "measured here", "quoted: the paper's, other data"
GREY = "color: #888888; font-style: italic"


@dataclass(frozen=True)
class Fitted:
    """A trained method, and the seconds that its training took."""

    method: Baseline
    seconds: float


def fitted(lab, name: str, seed: int | None = None, choices=None) -> Fitted:
    """A method trained on a Lab's stills, from the cache or now; seed and choices: the run's and the method's own.

    Raise ValueError for a name that is not in METHODS, ImportError with the fix where the method's library is missing.
    """
    if name not in METHODS:
        raise ValueError(f"method {name!r}, known: {', '.join(METHODS)}")
    kind, seed = METHODS[name], lab.seed if seed is None else seed
    choices = choices or (SMOKE.get(name) if lab.profile.name == "smoke" else None)
    method = kind(MARKUPS[lab.profile.net.markup], min(lab.profile.net.input_size, LARGEST), choices)
    role = lab.source.stills()
    key = {
        "method": name,
        "sees": method.config.input_size,
        "choices": asdict(method.choices) if method.choices else {},
        "data": role.data.fingerprint,
        "rows": digest({"rows": role.rows.tolist()}),
        "seed": seed,
        "device": lab.device.type,
        "torch": torch.__version__.partition("+")[0],
        "dlib": dlib().__version__ if kind is Trees else "",
        "code": code_hash(*imported_files(kind.__module__)),
    }

    def make(folder: Path) -> dict:
        began = time.perf_counter()
        with Progress(f"{name}, seed {seed}") as progress:
            method.to(lab.device).fit(role.data, role.rows, seed, progress)
        method.save(folder)
        return {"seconds": time.perf_counter() - began}

    folder, facts = asset(f"{lab.profile.name}-{name.replace(' ', '-')}", key, make)
    return Fitted(method.load(folder).to(lab.device), facts["seconds"])


# --- measured ---


def on_stills(lab: Lab, methods: Sequence[nn.Module], like: Measured) -> Measured:
    """Return the methods' figures (one a seed) on the test stills, with the persons and groups of another's, `like`."""
    test = lab.source.test_stills()
    return _measured(methods, test.data, test.rows, like, predict_stills)


def on_videos(lab: Lab, methods: Sequence[nn.Module], like: Measured, **choices) -> Measured:
    """Return the same on the test videos in the tracking protocol; choices go to the Tracker."""
    videos = lab.source.test_videos()
    return _measured(methods, videos.data, videos.rows, like, predict_videos, choices)


def in_true_boxes(lab: Lab, net: nn.Module, like: Measured) -> Measured:
    """Figures of a network's mean shape put into every test frame's annotated box: no tracking, nothing learnt."""
    videos, shape = lab.source.test_videos(), net.mean_shape.cpu().numpy()
    rows, _ = videos.in_order()
    each = figures(predict_mean_shape(shape, videos.data, rows, net.markup), videos.data, net.markup)
    return replace(like, **{name: values[None] for name, values in each.items()})


def _measured(methods, data, rows, like: Measured, predict, choices=None) -> Measured:
    found = []
    for k, method in enumerate(methods):
        with Progress(f"{type(method).__name__}, {k + 1} of {len(methods)}") as progress:
            result = predict(method, data, rows, progress=progress, **(choices or {}))
        found.append(figures(result, data, method.markup))
    return replace(like, **{name: np.stack([each[name] for each in found]) for name in found[0]})


def milliseconds(method: nn.Module, pictures: np.ndarray, points: np.ndarray, **choices) -> float:
    """Median time of a frame while one video (T, H, W, 3) is tracked; points (L, 2) of its first frame."""
    tracker, spent = Tracker(method, **choices), []
    tracker.start(face_box(points, method.markup))
    for picture in pictures:
        began = time.perf_counter()
        tracker.update(picture)
        spent.append(time.perf_counter() - began)
    return 1000 * float(np.median(spent))


# --- Table 9 beside ours ---


def printed_rows(points: int) -> pd.DataFrame:
    """Return the paper's Table 9 for 7 or 68 points; that of seven points where it has none for so many."""
    return charts.quoted.TABLE9[points if points in charts.quoted.TABLE9 else 7]


def table9(videos: dict[str, Measured], points: int, errors: str) -> pd.DataFrame:
    """Return mean tracking errors by method and group, and below them the paper's rows; errors: "errors" or "seven"."""
    ours = charts.scores(videos, errors, ("mean",)).rename(columns={"variant": "method"})
    theirs = printed_rows(points).rename_axis("method").reset_index()
    ours.insert(0, "whose", HERE)
    theirs.insert(0, "whose", PRINTED)
    return pd.concat([ours, theirs], ignore_index=True)


def greyed(table: pd.DataFrame, caption: str):
    """Return a `table9` to look at, its quoted rows in grey."""
    marked = table.style.apply(lambda row: [GREY if row["whose"] == PRINTED else ""] * len(row), axis=1)
    return marked.format(precision=2, na_rep="").set_caption(caption).hide(axis="index")


def bars9(videos: dict[str, Measured], points: int) -> plt.Figure:
    """Return the same as bars: ours by group on the left, two of the paper's data sets on the right."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 0.36 * len(videos) + 1.4), width_ratios=(3, 2))
    ours = charts.scores(videos, what=("mean",)).set_index("variant")
    ours = ours[[f"{g} mean (%)" for g in charts.groups_of(next(iter(videos.values()))) if g != "all"]]
    ours.plot.barh(ax=left, width=0.8, legend=False, title=f"measured here, {points} points")
    printed_rows(points)[["TF", "300-VW"]].plot.barh(
        ax=right, width=0.8, legend=False, title="quoted from the paper: other data",
        color=["0.85", "0.65"], hatch="//", edgecolor="white",
    )  # fmt: skip
    for ax in (left, right):
        ax.set(xlabel="tracking error (%)", ylabel="")
        ax.invert_yaxis()
        ax.grid(axis="y", visible=False)
    figure.legend(loc="outside lower center", ncols=4, fontsize="small")
    return figure
