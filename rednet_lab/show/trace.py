"""A run of either paper's network written down: per frame and spatial step what went in and out, and the error.

Figures, widgets and tests read the same trace, so they show the same numbers.
"""

from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from rednet_core import geometry
from rednet_core.eccv import EccvNet
from rednet_core.eccv.labels import merge
from rednet_core.markup import Markup
from rednet_core.metrics import nme, seven_nme
from rednet_core.rednet import RedNet
from rednet_core.tracking import Tracked, Tracker
from rednet_lab.show import draw

EYES = ("left eye, outer", "left eye, inner", "right eye, inner", "right eye, outer")
SEVEN_NAMES = (*EYES, "nose tip", "mouth, left", "mouth, right")


@dataclass
class Step:
    """One spatial step of either paper's network: its kind, what it was given, what it answered, how far off it is.

    kind is "detection", "regression" or, of the ECCV network, "labels". maps are probabilities, or heat maps clipped
    to [0, 1]; the ECCV network's background channel is left out of them (merged tells where it won).
    """

    kind: str
    feedback: np.ndarray  # (F, m, m): z_{k-1} as the network is given it
    maps: np.ndarray  # (7, m, m) or (L, m, m), in [0, 1]
    before: np.ndarray  # (7, m, m) or (L, m, m): the previous step's maps of the points; for step 1 its first guess
    points: np.ndarray  # (C, 2) in input pixels
    error: float  # per cent of the inter-ocular distance, on the seven points; NaN without truth
    e_i: np.ndarray = field(repr=False)  # (C, h, w)
    e_p: np.ndarray = field(repr=False)  # as decoded: e_p* where there is f_trn
    h: np.ndarray | None = field(default=None, repr=False)  # (hidden,): the LSTM's state after this step
    given: np.ndarray | None = field(default=None, repr=False)  # (m, m): the labels 0..L in z, of the ECCV network
    merged: np.ndarray | None = field(default=None, repr=False)  # (m, m): Eq. 9's label of each pixel, likewise

    def seven(self, markup: Markup) -> np.ndarray:
        """Return the seven points (7, 2) of this step."""
        return self.points if len(self.points) == 7 else self.points[list(markup.seven)]


@dataclass
class Frame:
    """One frame: what the network saw (n, n, 3), the truth (L, 2) in input pixels or None, and the steps."""

    picture: np.ndarray
    truth: np.ndarray | None
    steps: list[Step]
    image: np.ndarray = field(repr=False)  # the frame itself (H, W, 3)
    points: np.ndarray = field(repr=False)  # the answer (L, 2): the last step's, or f_REG's; in the frame's pixels
    truth_in_image: np.ndarray | None = field(repr=False)
    box: np.ndarray = field(repr=False)  # (3,), in the frame's pixels
    confidence: float = 1.0
    error: float = np.nan  # of all points of the answer
    markup: str = "ibug68"  # what the points are
    known: np.ndarray | None = field(default=None, repr=False)  # (L,): which points of the truth are annotated
    slip: float = np.nan  # of a face that is followed: how far its points move with the crop (`rednet_lab.track`)

    @property
    def hidden(self) -> np.ndarray | None:
        """Return the LSTM's state (hidden,) after the last step, or None."""
        return self.steps[-1].h


def _numpy(tensor) -> np.ndarray:
    return tensor.detach().float().cpu().numpy()


def record(
    net: RedNet | EccvNet, seen: Tracked, images: np.ndarray, truth: np.ndarray | None, mask: np.ndarray | None = None
) -> list[Frame]:
    """Return the traces of N pictures from one tracker update; images (N, H, W, 3), truth (N, L, 2) in their pixels.

    mask (N, L) bool says which points are annotated, as everywhere; without one all are.
    """
    markup, said = net.markup, seen.prediction
    matrix = _numpy(seen.matrix)
    truth_in = None if truth is None else geometry.apply(matrix, truth)
    known = np.ones(seen.points.shape[:2], bool) if mask is None else np.asarray(mask)
    each = _eccv_steps(net, seen) if isinstance(net, EccvNet) else _journal_steps(net, seen)
    # Read off the maps once a step and not once a picture: what is small and kept would lie scattered among what is
    # large and thrown away, and memory would grow with each frame.
    points = [_numpy(net.points(said, k)) for k in range(len(each))]
    halves = [[_numpy(half[k]) for half in (said.e_i, said.e_p)] for k in range(len(each))]
    states = [state and _numpy(state[0][0]) for state in said.states] or [None] * len(each)
    out = []
    for n in range(len(images)):
        steps = []
        for k, (kind, *maps) in enumerate(each):
            feedback, answer, before, *label_maps = (m[n] for m in maps)
            both, state = (part[n] for part in halves[k]), None if states[k] is None else states[k][n]
            step = Step(kind, feedback, answer, before, points[k][n], np.nan, *both, state, *label_maps)
            if truth_in is not None:
                seven, one = step.seven(markup)[None], slice(n, n + 1)
                step.error = float(seven_nme(seven, truth_in[one], markup, known[one])[0])
            steps.append(step)
        found, real = seen.points[n], None if truth is None else truth[n]
        error = np.nan if real is None else float(nme(found[None], real[None], markup, known[n : n + 1])[0])
        where = (images[n], found, real, seen.box[n], float(seen.confidence[n]), error, markup.name, known[n])
        out.append(Frame(draw.picture(seen.inputs[n]), None if truth_in is None else truth_in[n], steps, *where))
    return out


def _journal_steps(net: RedNet, seen: Tracked) -> list[tuple]:
    """Return of each step: its kind; z, its maps, and the seven maps of the step before, each (N, C, m, m)."""
    out, z = [], seen.z0
    for k, (kind, raw) in enumerate(zip(net.config.steps, seen.prediction.maps, strict=True)):
        maps = net.respond(raw, k)
        out.append((kind, _numpy(z), _numpy(maps), _numpy(z)))  # what the step before answered is what it is given
        z = net.feedback(raw, k + 1)
    return out


def _eccv_steps(net: EccvNet, seen: Tracked) -> list[tuple]:
    """Return of each step "labels"; z, its maps, those before (N, C, m, m); labels given and answered (N, m, m)."""
    out, z, count = [], seen.z0, net.markup.n_points
    for k, raw in enumerate(seen.prediction.maps):
        given = (z[:, 0] * count).round().long() if z.shape[1] == 1 else merge(z)
        if k == 0:
            before = F.one_hot(given, count + 1).movedim(-1, 1)[:, 1:] if z.shape[1] == 1 else z[:, 1:]
        answer = raw.softmax(1)[:, 1:]
        label_maps = [m.to(torch.uint8).cpu().numpy() for m in (given, merge(raw))]
        out.append(("labels", _numpy(z), _numpy(answer), _numpy(before), *label_maps))
        before = answer
        if k + 1 < len(net.config.steps):
            z = net.feedback(raw, k + 1)
    return out


def look(net: RedNet | EccvNet, data, rows: np.ndarray) -> tuple[Tracked, np.ndarray]:
    """Return what a network of either paper says of stored stills in their face boxes; the true points in its pixels.

    data has the points of the network's own markup (`Lab.marked`).
    """
    seen, _, truth, _ = _seen(net, data, rows)
    return seen, geometry.apply(_numpy(seen.matrix), truth)


def _seen(net: RedNet | EccvNet, data, rows: np.ndarray) -> tuple[Tracked, np.ndarray, np.ndarray, np.ndarray]:
    truth, mask = (np.array(data.table[name][rows]) for name in ("points", "mask"))
    tracker, images = Tracker(net), np.array(data.crops[rows])
    tracker.start(geometry.face_box(truth, net.markup, mask))
    return tracker.update(images), images, truth, mask


def likelier(logits: Tensor, weight: float) -> Tensor:
    """Return labels (N, m, m) of an ECCV response map (N, L + 1, m, m), the loss's weight of foreground pixels undone.

    Trained with foreground pixels counted `weight` times, a landmark wins pixels where it is `weight` times less
    likely than the background; here it wins those where it is likelier.
    """
    logits = logits.clone()
    logits[:, 0] += float(np.log(weight))
    return merge(logits)


def trace_stills(net: RedNet | EccvNet, data, rows: np.ndarray) -> list[Frame]:
    """Return the traces of stored stills, each cropped by its annotated face box."""
    return record(net, *_seen(net, data, rows))


def trace_video(
    net: RedNet | EccvNet, images, truth: np.ndarray | None, box: np.ndarray, mask: np.ndarray | None = None, **choices
) -> list[Frame]:
    """Return the traces of a video tracked from `box`; images (T, H, W, 3), truth (T, L, 2), mask (T, L) annotated."""
    tracker = Tracker(net, **choices)
    tracker.start(box)
    out = []
    for t, image in enumerate(images):
        known = (None if each is None else each[t : t + 1] for each in (truth, mask))
        out += record(net, tracker.update(image), image[None], *known)
    return out


@dataclass(frozen=True)
class Face:
    """A picture (H, W, 3) uint8, a face box (3,) in it, and the true points (L, 2) in its pixels, or None."""

    name: str
    image: np.ndarray
    box: np.ndarray
    truth: np.ndarray | None = None
    mask: np.ndarray | None = None  # (L,): which of them are annotated; None: all


def faces_of(data, rows: np.ndarray, markup: Markup, name: str = "face") -> list[Face]:
    """Return stored pictures as Faces, in their annotated boxes."""
    truth, mask = (np.array(data.table[name][rows]) for name in ("points", "mask"))
    pictures = [np.array(data.crops[row]) for row in np.asarray(rows)]
    each = zip(pictures, geometry.face_box(truth, markup, mask), truth, mask, strict=True)
    return [Face(f"{name} {i + 1}", *one) for i, one in enumerate(each)]


class FaceTracer:
    """A network that is shown one face at a time, as a tracker would show it."""

    def __init__(self, net: RedNet):
        self.tracker = Tracker(net)
        self.net = self.tracker.net  # batch norm folded: the same answers in less time
        self.markup = net.markup

    def see(self, face: Face, guess: str = "mean", points: np.ndarray | None = None) -> Tracked:
        """Return the answer; z_0 is drawn from points (L, 2) of the picture, or is the first guess of that name."""
        self.tracker.start(face.box)
        self.tracker.guess = guess if points is None else "previous"
        if points is not None:
            self.tracker.points = torch.as_tensor(points, dtype=torch.float32, device=self.net.mean_shape.device)[None]
        return self.tracker.update(face.image)

    def frame(self, face: Face, guess: str = "mean", points: np.ndarray | None = None) -> Frame:
        """Return the same as a trace: every step's feedback, maps, points and error."""
        known = (None if each is None else each[None] for each in (face.truth, face.mask))
        return record(self.net, self.see(face, guess, points), face.image[None], *known)[0]
