"""Measures methods on the very items on which `Bench` measured a network, so that everything is paired."""

import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from torch import nn

from rednet_core.evaluation import predict_mean_shape, predict_stills, predict_videos
from rednet_core.geometry import face_box
from rednet_core.tracking import Tracker
from rednet_lab.experiments.bench import Measured, figures
from rednet_lab.progress import Progress
from rednet_lab.workbench.lab import Lab


def on_stills(lab: Lab, methods: Sequence[nn.Module], like: Measured) -> Measured:
    """The methods' figures (one a seed) on the test stills, with the persons and groups of another's, `like`."""
    test = lab.source.test_stills()
    return _measured(methods, test.data, test.rows, like, predict_stills)


def on_videos(lab: Lab, methods: Sequence[nn.Module], like: Measured, **choices) -> Measured:
    """The same on the test videos in the tracking protocol; choices go to the Tracker."""
    videos = lab.source.test_videos()
    return _measured(methods, videos.data, np.concatenate(list(videos.groups.values())), like, predict_videos, choices)


def in_true_boxes(lab: Lab, net: nn.Module, like: Measured) -> Measured:
    """Figures of a network's mean shape put into every test frame's annotated box: no tracking, nothing learnt."""
    videos, shape = lab.source.test_videos(), net.mean_shape.cpu().numpy()
    table, rows = videos.data.table, np.concatenate(list(videos.groups.values()))
    rows = rows[np.lexsort((table["frame"][rows], table["video"][rows]))]  # the order of predict_videos
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
