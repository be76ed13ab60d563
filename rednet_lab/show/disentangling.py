"""Disentangling: e_i, e_p and the pooling switches of face A exchanged for those of face B, or blended."""

from dataclasses import dataclass, replace

import ipywidgets as w
import numpy as np
import torch

from rednet_core.network import MEAN_PIXEL, PIXEL_SPREAD
from rednet_core.rednet import Prediction, RedNet
from rednet_lab.show import draw
from rednet_lab.show.trace import Face, FaceTracer
from rednet_lab.show.widgets import Painter, buttons, menu, slider

HIGHEST = 5  # persons shown of f_cls's answer
LAST_STEP, EVERY_STEP = "last step", "every step"


@dataclass
class Encoded:
    """What the network has of one face at each step: its encodings (and switches or skips), and its answer."""

    picture: np.ndarray  # what it saw, (n, n, 3)
    stem: torch.Tensor
    z0: torch.Tensor
    encodings: list  # per step: rednet_core.vgg.Code, or SkipCode, which hold e
    points: np.ndarray  # (L, 2) in input pixels


@dataclass
class Mixed:
    """The answer to a mixed encoding: points (L, 2) in input pixels, and f_cls's probabilities of persons."""

    points: np.ndarray
    persons: np.ndarray | None


class HalfMixer:
    """A network taken apart at its bottleneck; every face is encoded once."""

    def __init__(self, net: RedNet):
        if net.f_trn is not None:
            raise ValueError("HalfMixer: the memory of this network's f_trn would mix in; take that of stage 1 or 2")
        self.tracer = FaceTracer(net)
        self.net = self.tracer.net
        self.kept: dict[str, Encoded] = {}

    @torch.no_grad()
    def encoded(self, face: Face) -> Encoded:
        """Return the face's encodings, as the network makes them when nothing is exchanged."""
        if face.name not in self.kept:
            net, seen = self.net, self.tracer.see(face)
            stem = net.backbone.stem((seen.inputs - MEAN_PIXEL) / PIXEL_SPREAD)
            z, encodings = seen.z0, []
            for k in range(len(net.config.steps)):
                encodings.append(net.backbone.encode(stem, net.config.feedback_gain * z, k))
                z = net.feedback(seen.prediction.maps[k], k + 1)
            points = net.points(seen.prediction)[0].cpu().numpy()
            self.kept[face.name] = Encoded(draw.picture(seen.inputs[0]), stem, seen.z0, encodings, points)
        return self.kept[face.name]

    @torch.no_grad()
    def mix(self, a: Face, b: Face, e_i: float, e_p: float, switches: bool = False, every: bool = False) -> Mixed:
        """Return A's answer with the shares e_i and e_p (0: A's, 1: B's) of B's halves, perhaps B's switches too.

        Only in the last spatial step, or in every one; image and z_0 stay A's.
        """
        net, one, two = self.net, self.encoded(a), self.encoded(b)
        prediction, z, last = Prediction(), one.z0, len(net.config.steps) - 1
        for k, kind in enumerate(net.config.steps):
            own = net.backbone.encode(one.stem, net.config.feedback_gain * z, k)
            encoding, half = own, own.e.chunk(2, 1)
            if every or k == last:
                other = two.encodings[k].e.chunk(2, 1)
                half = [(1 - s) * x + s * y for s, x, y in zip((e_i, e_p), half, other, strict=True)]
                encoding = replace(two.encodings[k] if switches else own, e=torch.cat(half, 1))
            raw = net.heads[kind](net.backbone.decode(encoding, k))
            prediction.maps.append(raw)
            prediction.e_i.append(half[0])
            z = net.feedback(raw, k + 1)
        points = net.points(prediction)[0].cpu().numpy()
        scores = None if net.f_cls is None else net.f_cls(prediction.e_i[-1]).softmax(1)[0].cpu().numpy()
        return Mixed(points, scores)

    def distance(self, one: np.ndarray, two: np.ndarray) -> float:
        """Return the mean distance of two sets of points (L, 2) in input pixels, in per cent of the face box."""
        return 100 * float(np.linalg.norm(one - two, axis=-1).mean()) / self.net.config.input_size


def bars(persons: np.ndarray | None, own: tuple[int, int], size: int = draw.PANEL) -> np.ndarray:
    """Return f_cls's probabilities of the likeliest persons, A's and B's own persons marked; own are their labels."""
    if persons is None:
        return draw.message("no f_cls in this network", size=size)
    out = np.full((size, size, 3), 255, np.uint8)
    order = list(dict.fromkeys([label for label in own if label >= 0] + np.argsort(persons)[::-1].tolist()))[:HIGHEST]
    texts = []
    for i, label in enumerate(order):
        y, wide = 14 + i * 46, int(persons[label] * (size - 16))
        out[y + 16 : y + 32, 8 : 8 + max(wide, 1)] = draw.BLUE if label in own else draw.GREY
        whose = " and ".join(name for name, mine in zip("AB", own, strict=True) if mine == label)
        words = f"person {label}" + (f" ({whose})" if whose else "")
        texts += [(words, (8, y + 6), "lm"), (f"{100 * persons[label]:.0f} %", (size - 8, y + 6), "rm")]
    return draw.words(out, texts, 12)


def own_points(mixer: HalfMixer, face: Face, colour=draw.PREDICTED, size: int = draw.PANEL) -> np.ndarray:
    """Return what the network saw of a face, with its own points."""
    one = mixer.encoded(face)
    where = draw.place(one.points, one.picture.shape[1], size)
    return draw.points(draw.enlarge(one.picture, size), where, colour, size=3)


def moved_points(mixer: HalfMixer, a: Face, mixed: Mixed, size: int = draw.PANEL) -> np.ndarray:
    """Return face A with the points of a mixed encoding, and lines to them from its own."""
    one = mixer.encoded(a)
    start, end = (draw.place(points, one.picture.shape[1], size) for points in (one.points, mixed.points))
    return draw.points(draw.arrows(draw.enlarge(one.picture, size), start, end, draw.SKY), end, size=3)


def panel(mixer: HalfMixer, a: Face, b: Face, mixed: Mixed, own: tuple[int, int], title: str) -> np.ndarray:
    """Return what is painted: A and B with their own points, A with the mixed encoding's, and who f_cls says it is."""
    pictures = {
        f"A: {a.name}": own_points(mixer, a, draw.SKY),
        f"B: {b.name}": own_points(mixer, b),
        title: moved_points(mixer, a, mixed),
        "who is it? f_cls reads e_i": bars(mixed.persons, own),
    }
    return draw.panels(pictures)


def disentangle(net: RedNet, faces: list[Face], persons: dict[str, int]) -> Painter:
    """Choose faces A and B, and how much of B's e_i and e_p the decoder gets; persons: a face's label in f_cls, or -1.

    Two pictures of one person differ in what the face does, two persons of one pose in who they are.
    """
    mixer, named = HalfMixer(net), {face.name: face for face in faces}
    names = list(named)
    controls = {
        "a": menu("A", names, names[0]),
        "b": menu("B", names, names[-1]),
        "e_i": slider("e_i: A to B", 0.0, 1.0, 0.0, 0.05),
        "e_p": slider("e_p: A to B", 0.0, 1.0, 1.0, 0.05),
        "switches": w.Checkbox(False, description="B's switches (skips) too"),
        "where": buttons("exchanged in", [LAST_STEP, EVERY_STEP]),
    }

    def paint(a: str, b: str, e_i: float, e_p: float, switches: bool, where: str):
        one, two = named[a], named[b]
        mixed = mixer.mix(one, two, e_i, e_p, switches, where == EVERY_STEP)
        own, other = mixer.encoded(one).points, mixer.encoded(two).points
        moved, left = mixer.distance(mixed.points, own), mixer.distance(mixed.points, other)
        words = f"points: {moved:.1f} % of the box from A's own,<br>{left:.1f} % from B's"
        words += f" (A and B: {mixer.distance(own, other):.1f} %)"
        title = f"A with {100 * e_i:.0f} % of B's e_i, {100 * e_p:.0f} % of e_p"
        return panel(mixer, one, two, mixed, (persons.get(a, -1), persons.get(b, -1)), title), words

    alt = "two faces, the first with the points of a mixed encoding, and who f_cls says it is"
    return Painter(controls, paint, alt)
