"""Predictions over whole test sets, and the papers' figures of a set of errors.

Stills are predicted by their own boxes, videos in the tracking protocol. What is predicted here is measured by
`rednet_core.metrics`; both work on any FaceData (`rednet_core.protocols`).
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from rednet_core import geometry
from rednet_core.markup import Markup
from rednet_core.metrics import FAILURE, Normaliser, interocular, nme
from rednet_core.protocols import FaceAligner, FaceData
from rednet_core.tracking import Tracker

COMMON_YAW = 30.0  # degrees: a face with a smaller |yaw| is in the papers' common group, any other is challenging


@dataclass
class Result:
    """Predictions and truth of M pictures in stored pixels: points and truth (M, L, 2), rows (M,) of the data."""

    rows: np.ndarray
    points: np.ndarray
    truth: np.ndarray
    mask: np.ndarray
    steps: list[np.ndarray] = field(default_factory=list, repr=False)  # points after each spatial step


Progress = Callable[[int, int], None] | None


def own_boxes(data: FaceData, rows: np.ndarray, markup: Markup) -> np.ndarray:
    """Return the face boxes (M, 3) of these rows of `data`, from what is annotated."""
    table = data.table[rows]
    return geometry.face_box(np.array(table["points"]), markup, np.array(table["mask"]))


def predict_stills(
    net: FaceAligner,
    data: FaceData,
    rows: np.ndarray,
    guess: str = "previous",
    batch: int = 64,
    progress: Progress = None,
    boxes: np.ndarray | None = None,
) -> Result:
    """Return the landmarks of single pictures, each cropped by its own annotated face box (image protocol).

    guess: z_0, "mean" or "zeros"; otherwise the network's own first guess. boxes (M, 3): others than the annotated.
    """
    boxes = own_boxes(data, rows, net.markup) if boxes is None else boxes
    tracker = Tracker(net, guess=guess)
    points, steps = [], []
    for start in range(0, len(rows), batch):
        some = rows[start : start + batch]
        tracker.start(boxes[start : start + batch])
        seen = tracker.update(data.crops[some])
        back = geometry.invert(seen.matrix)
        every = [net.points(seen.prediction, k) for k in range(len(net.config.steps))]
        steps.append([geometry.apply(back, p).cpu().numpy() for p in every])
        points.append(seen.points)
        if progress:
            progress(min(start + batch, len(rows)), len(rows))
    joined = [np.concatenate(each) for each in zip(*steps, strict=True)]
    return _result(data, rows, np.concatenate(points), joined)


def predict_videos(net: FaceAligner, data: FaceData, rows: np.ndarray, progress: Progress = None, **choices) -> Result:
    """Return the landmarks of videos in the tracking protocol, all videos in step; rows are frames, in any order.

    choices go to Tracker. The first frame's box is the annotated one.
    """
    table = data.table[rows]
    order = np.lexsort((table["frame"], table["video"]))
    rows, table = rows[order], table[order]
    _, first, lengths = np.unique(table["video"], return_index=True, return_counts=True)
    longest = np.argsort(-lengths, kind="stable")
    first, lengths = first[longest], lengths[longest]
    points = np.empty((len(rows), net.markup.n_points, 2), np.float32)
    tracker = Tracker(net, **choices)
    tracker.start(own_boxes(data, rows[first], net.markup))
    for t in range(lengths[0]):
        running = int((lengths > t).sum())
        tracker.keep(running)
        now = first[:running] + t
        points[now] = tracker.update(data.crops[rows[now]]).points
        if progress:
            progress(t + 1, int(lengths[0]))
    return _result(data, rows, points, [])


def _result(data: FaceData, rows: np.ndarray, points: np.ndarray, steps: list[np.ndarray]) -> Result:
    table = data.table[rows]
    return Result(rows, points, table["points"].copy(), table["mask"].copy(), steps)


def predict_mean_shape(shape: np.ndarray, data: FaceData, rows: np.ndarray, markup: Markup) -> Result:
    """Return what the mean-shape predictor says: the mean face (L, 2) put into each picture's annotated face box."""
    box = own_boxes(data, rows, markup)
    return _result(data, rows, shape * box[:, None, 2:] + box[:, None, :2], [])


def nmes(results: dict[str, Result], markup: Markup, by: Normaliser = "corners") -> dict[str, np.ndarray]:
    """Return the NME (N,) of every face of several results, in per cent."""
    return {name: nme(each.points, each.truth, markup, each.mask, by) for name, each in results.items()}


def floor_of(truth: np.ndarray, markup: Markup, mask: np.ndarray) -> np.ndarray:
    """Return the papers' normaliser over our floored one (N,), at most 1: an error times it is the floored error."""
    return interocular(truth, markup, mask) / interocular(truth, markup, mask, "floored")


@dataclass(frozen=True)
class Score:
    """The papers' three figures over a set of faces, all in per cent, and the area under the error curve."""

    mean: float
    std: float
    failure: float
    auc: float
    count: int


def score(each: np.ndarray) -> Score:
    """Return the Score of per-face NMEs (N,): mean, standard deviation over faces, share above 10 per cent, AUC."""
    failure = 100 * float(np.mean(each > FAILURE))
    return Score(float(each.mean()), float(each.std()), failure, auc(each), len(each))


def error_curve(each: np.ndarray, limit: float = FAILURE, steps: int = 1000) -> tuple[np.ndarray, np.ndarray]:
    """Return the cumulative error curve: thresholds (steps + 1,) in per cent, the share of faces at or under each."""
    thresholds = np.linspace(0, limit, steps + 1)
    return thresholds, np.searchsorted(np.sort(each), thresholds, side="right") / len(each)


def auc(each: np.ndarray, limit: float = FAILURE) -> float:
    """Return the area under the cumulative error curve up to `limit`, 1 where every error is zero (exact, no grid)."""
    return float(np.clip(1 - each / limit, 0, None).mean())
