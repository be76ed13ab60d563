"""The loss landscape of one landmark: what l_d and l_r say of a network that puts the point somewhere else.

The network is imagined: it paints a clean Gaussian (or disc) at a wrong place, and the losses of `rednet_core.losses`
are taken for every place of the map at once. A test holds each value to theirs.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch

from rednet_core import maps
from rednet_lab.show import draw, plots
from rednet_lab.show.widgets import Painter, menu, slider

SURE = float(np.log(19))  # the imagined detector's logit in its disc, and minus that outside: 95 % sure of each pixel


@dataclass(frozen=True)
class Landscape:
    """Both losses of every place: l_d and l_r (m, m), [y, x]; and of saying nothing anywhere."""

    detection: np.ndarray
    regression: np.ndarray
    lazy_detection: float
    lazy_regression: float


def landscape(truth: np.ndarray, size: int, radius: float, sigma: float, weight: float) -> Landscape:
    """Return the losses of one landmark's map for an answer at each pixel; truth (2,) and lengths in map pixels.

    Lazy is the best answer that is the same everywhere: one small probability for l_d, an empty map for l_r.
    """
    point = torch.as_tensor(truth, dtype=torch.float64)[None, None]
    disc = maps.draw_discs(point, size, radius)[0, 0].numpy()
    target = maps.draw_gaussians(point, size, sigma)[0, 0].numpy()
    weights = 1 + (weight - 1) * disc  # foreground pixels count so often
    places = np.arange(size)
    # l_r: the sum of w (g - t)^2 is that of w g^2, minus twice that of w t g, plus that of w t^2. A Gaussian is a
    # product of two, so the sums of all places are two products of matrices.
    g = np.exp(-((places[:, None] - places[None]) ** 2) / (2 * sigma**2))  # (pixel, place)
    empty = (weights * target**2).sum()
    regression = (g.T**2 @ weights @ g**2) - 2 * (g.T @ (weights * target) @ g) + empty
    # l_d: a pixel costs `right` where the answer's disc and the target agree, `wrong` where they differ.
    right, wrong = np.log1p(np.exp(-SURE)), np.log1p(np.exp(SURE))
    reach = int(np.ceil(radius))
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    kernel = (x**2 + y**2 <= radius**2).astype(np.float64)

    def under(values: np.ndarray) -> np.ndarray:  # the sum of values inside a disc at each place
        return cv2.filter2D(values, -1, kernel, borderType=cv2.BORDER_CONSTANT)

    inside, total = under(weights * disc), (weights * disc).sum()
    differ = under(weights) + total - 2 * inside
    detection = right * weights.sum() + (wrong - right) * differ
    # The probability that costs least if it is the same everywhere; a disc may be too small to hold a pixel.
    share = max(total / weights.sum(), 1e-12)
    lazy = -(total * np.log(share) + (weights.sum() - total) * np.log(1 - share))
    return Landscape(*(v / size**2 for v in (detection, regression, lazy, empty)))


def relief(values: np.ndarray, size: int = draw.PANEL) -> np.ndarray:
    """Return a landscape (m, m) as a picture: low is dark, high is bright, with lines of equal height."""
    low, high = float(values.min()), float(values.max())
    smooth = cv2.resize((values - low) / max(high - low, 1e-12), (size, size), interpolation=cv2.INTER_CUBIC)
    out = draw.heat(smooth)
    level = np.minimum(np.floor(smooth * 8), 6)  # none on the plateau, where only rounding makes a difference
    edge = (level != np.roll(level, 1, 0)) | (level != np.roll(level, 1, 1))
    edge[0], edge[:, 0] = False, False
    out[edge] = (out[edge] * 0.6 + 255 * 0.4).astype(np.uint8)
    return out


def panel(picture: np.ndarray, truth: np.ndarray, at: tuple[int, int], found: Landscape, sigma: float) -> np.ndarray:
    """Return what is painted: the answer over the face, both landscapes, and their profile through the truth."""
    size = len(found.detection)
    said = maps.draw_gaussians(torch.tensor([[at]], dtype=torch.float32), size, sigma)[0, 0].numpy()
    face = draw.overlay(draw.enlarge(picture, draw.PANEL), said)

    def marked(image: np.ndarray) -> np.ndarray:
        out = draw.points(image, draw.place(truth[None], size, draw.PANEL), draw.TRUTH, size=9)
        return draw.points(out, draw.place(np.array([at]), size, draw.PANEL), draw.SKY, size=9)

    row = int(np.clip(np.rint(truth[1]), 0, size - 1))
    shift = (np.arange(size) - truth[0]) * (maps.PAPER_MAP / size)
    lines = [
        plots.Line(shift, found.detection[row] / found.lazy_detection, "l_d", draw.BLUE),
        plots.Line(shift, found.regression[row] / found.lazy_regression, "l_r", draw.VERMILION, dashed=True),
    ]
    most = max(2.0, *(float(np.max(line.y[np.abs(shift) <= 40])) for line in lines)) * 1.3
    marks = {"levels": {"saying nothing": 1.0}, "cursor": (at[0] - truth[0]) * maps.PAPER_MAP / size}
    chart = plots.chart(lines, "px right of the truth (of 128)", x_range=(-40.0, 40.0), y_range=(0, most), **marks)
    pictures = {
        "answer: Gaussian (blue), truth (green)": marked(face),
        "l_d of every answer": marked(relief(found.detection)),
        "l_r of every answer": marked(relief(found.regression)),
        "losses, saying nothing = 1": chart,
    }
    return draw.panels(pictures)


def explore_loss(
    picture: np.ndarray, points: np.ndarray, size: int, names: Sequence[str], landmark: int, sigma: float
) -> Painter:
    """Return sliders for radius, sigma (px of the papers' 128 px map), weight, landmark and the answer's place.

    picture (n, n, 3) is the face; points (L, 2) are its landmarks in pixels of its map of `size`.
    """
    numbered = [(name, i) for i, name in enumerate(names)]
    controls = {
        "landmark": menu("landmark", numbered, landmark),
        "radius": slider("radius", 1.0, 20.0, maps.PAPER_RADIUS, 0.5),
        "sigma": slider("sigma", 1.0, 20.0, float(sigma), 0.5),
        "weight": slider("weight", 1.0, 50.0, 15.0, 1.0),
        "across": slider("answer: right", -40.0, 40.0, 20.0, 1.0),
        "down": slider("answer: down", -40.0, 40.0, 0.0, 1.0),
    }

    def paint(landmark: int, radius: float, sigma: float, weight: float, across: float, down: float):
        truth, (r, s) = points[landmark], (maps.per_map(v, size) for v in (radius, sigma))
        found = landscape(truth, size, r, s, weight)
        place = np.rint(truth + np.array([across, down]) * size / maps.PAPER_MAP)
        x, y = np.clip(place, 0, size - 1).astype(int).tolist()
        l_d, l_r = found.detection[y, x], found.regression[y, x]
        words = f"l_d {l_d:.4f} (saying nothing {found.lazy_detection:.4f})"
        words += f"<br>l_r {l_r:.5f} (saying nothing {found.lazy_regression:.5f})"
        return panel(picture, truth, (x, y), found, s), words

    return Painter(controls, paint, "a face, and the losses of every place that an answer could have")
