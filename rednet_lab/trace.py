"""A run of the network written down: per frame and spatial step what went in, what came out, how far off it is.

Figures, widgets and tests read the same trace, so they show the same numbers.
"""

from dataclasses import dataclass, field

import numpy as np
from torch import Tensor

from rednet_core import frames
from rednet_core.eccv import EccvNet
from rednet_core.eccv.labels import merge
from rednet_core.metrics import errors, seven_errors
from rednet_core.rednet import RedNet
from rednet_core.tracking import Tracked, Tracker
from rednet_lab import draw

SEVEN_NAMES = (
    "left eye, outer",
    "left eye, inner",
    "right eye, inner",
    "right eye, outer",
    "nose tip",
    "mouth, left",
    "mouth, right",
)


@dataclass
class Step:
    """One spatial step: its kind, the feedback it was given and its maps (C, m, m) in [0, 1], its points."""

    kind: str
    feedback: np.ndarray  # (7, m, m): z_{k-1}
    maps: np.ndarray  # (7, m, m) probabilities, or (L, m, m) heat maps
    points: np.ndarray  # (C, 2) in input pixels
    error: float  # per cent of the inter-ocular distance, on the seven points; NaN without truth
    e_i: np.ndarray = field(repr=False)  # (C, h, w)
    e_p: np.ndarray = field(repr=False)

    def seven(self, markup) -> np.ndarray:
        """The seven points (7, 2) of this step."""
        return self.points if len(self.points) == 7 else self.points[list(markup.seven)]


@dataclass
class Frame:
    """One frame: what the network saw (n, n, 3), the truth (L, 2) in input pixels or None, and the steps."""

    picture: np.ndarray
    truth: np.ndarray | None
    steps: list[Step]
    image: np.ndarray = field(repr=False)  # the frame itself (H, W, 3)
    points: np.ndarray = field(repr=False)  # the last step's points (L, 2), in the frame's pixels
    truth_in_image: np.ndarray | None = field(repr=False)
    box: np.ndarray = field(repr=False)  # (3,), in the frame's pixels
    confidence: float = 1.0
    error: float = np.nan  # of all points of the last step
    hidden: np.ndarray | None = field(default=None, repr=False)  # LSTM state h of the last step


def _numpy(tensor) -> np.ndarray:
    return tensor.detach().float().cpu().numpy()


def record(net: RedNet, seen: Tracked, images: np.ndarray, truth: np.ndarray | None) -> list[Frame]:
    """The traces of N pictures from one tracker update; images (N, H, W, 3), truth (N, L, 2) in their pixels."""
    markup = net.markup
    matrix = _numpy(seen.matrix)
    truth_in = None if truth is None else frames.apply(matrix, truth)
    out = []
    for n in range(len(images)):
        steps, feedback = [], seen.z0[n : n + 1]
        for k, kind in enumerate(net.config.steps):
            raw = seen.prediction.maps[k][n : n + 1]
            maps = raw.sigmoid() if kind == "detection" else raw.clamp(0, 1)
            points = _numpy(net.points(seen.prediction, k)[n])
            step = Step(kind, _numpy(feedback[0]), _numpy(maps[0]), points, np.nan, *_codes(seen, k, n))
            if truth_in is not None:
                step.error = float(seven_errors(step.seven(markup)[None], truth_in[n : n + 1], markup)[0])
            steps.append(step)
            feedback = net.feedback(kind, raw)
        found, real = seen.points[n], None if truth is None else truth[n]
        state = seen.prediction.states[-1]
        out.append(
            Frame(
                draw.picture(seen.inputs[n]),
                None if truth_in is None else truth_in[n],
                steps,
                images[n],
                found,
                real,
                seen.box[n],
                float(seen.confidence[n]),
                np.nan if real is None else float(errors(found[None], real[None], markup)[0]),
                None if state is None else _numpy(state[0][0, n]),
            )
        )
    return out


def _codes(seen: Tracked, k: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    return _numpy(seen.prediction.e_i[k][n]), _numpy(seen.prediction.e_p[k][n])


def look(net: RedNet | EccvNet, data, rows: np.ndarray) -> tuple[Tracked, np.ndarray]:
    """What a network of either paper says of stored stills in their face boxes; the true points in its pixels.

    data has the points of the network's own markup (`Lab.marked`).
    """
    seen, _, truth = _seen(net, data, rows)
    return seen, frames.apply(_numpy(seen.matrix), truth)


def _seen(net: RedNet | EccvNet, data, rows: np.ndarray) -> tuple[Tracked, np.ndarray, np.ndarray]:
    truth, images = np.array(data.table["points"][rows]), np.array(data.crops[rows])
    tracker = Tracker(net)
    tracker.start(frames.face_box(truth, net.markup))
    return tracker.update(images), images, truth


def likelier(logits: Tensor, weight: float) -> Tensor:
    """Labels (N, m, m) of an ECCV response map (N, L + 1, m, m), the loss's weight of foreground pixels undone.

    Trained with foreground pixels counted `weight` times, a landmark wins pixels where it is `weight` times less
    likely than the background; here it wins those where it is likelier.
    """
    logits = logits.clone()
    logits[:, 0] += float(np.log(weight))
    return merge(logits)


def trace_stills(net: RedNet, data, rows: np.ndarray) -> list[Frame]:
    """The traces of stored stills, each cropped by its annotated face box."""
    seen, images, truth = _seen(net, data, rows)
    return record(net, seen, images, truth)


def trace_video(net: RedNet, images, truth: np.ndarray | None, box: np.ndarray, **choices) -> list[Frame]:
    """The traces of a video, tracked from `box` in its first frame; images (T, H, W, 3), truth (T, L, 2) or None."""
    tracker = Tracker(net, **choices)
    tracker.start(box)
    out = []
    for t, image in enumerate(images):
        seen = tracker.update(image)
        out += record(net, seen, image[None], None if truth is None else truth[t : t + 1])
    return out
