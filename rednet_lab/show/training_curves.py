"""The training dashboard: curves that grow, predictions on a few faces, and the time that is left.

It only looks: a training that is watched ends with the same weights, bit for bit, as one that is not. A training
that comes from the cache is shown from its history. Where nobody watches (a batch run) it writes lines of a log.
"""

import time
from collections.abc import Callable, Sequence

import ipywidgets as w
import numpy as np
import pandas as pd

from rednet_core.rednet import RedNet
from rednet_core.training import COLUMNS, Record, Trainer
from rednet_lab.files import clock
from rednet_lab.show import draw, plots
from rednet_lab.show.trace import Face, FaceTracer
from rednet_lab.show.widgets import Painter, alt_text, placeholder, renew, show_widget, slider

PAINTS = 1.0  # seconds between two pictures of a running training
LOOKS = 5.0  # seconds between two looks at the sample faces, and never more than a twentieth of the time
LINES = 10  # of a log
WHAT = "curves of a training's terms, and sample faces with their points"
CHART = (draw.PANEL, 165)
NAMES = {"detection": "l_d", "regression": "l_r", "identity": "l_cls", "rate": "learning rate"}


def curves(history: np.ndarray, step: int, total: int, smooth: int, errors: Sequence = ()) -> np.ndarray:
    """Return the curves of a history (steps, 5; see COLUMNS) up to a step: pale, and dark a running median."""
    places = np.unique(np.linspace(0, len(history) - 1, min(len(history), 600)).astype(int))
    places, pictures = places[places < step], {}
    for name, label in NAMES.items():
        values, log = history[:, COLUMNS.index(name)], name in ("detection", "regression")
        good = values[np.isfinite(values) & (values > 0)]
        if len(good) == 0:
            continue
        lines = [plots.Line(places, values[places], "", (150, 190, 225), width=1)]
        if name != "rate":
            median = pd.Series(values[:step]).rolling(smooth, min_periods=1).median().to_numpy()
            lines.append(plots.Line(places, median[places], "", draw.BLUE))
        reach = (float(good.min()) / 1.1 if log else 0.0, float(good.max()) * 1.1)
        picture = plots.chart(lines, "step", CHART, (0, max(total, 2)), reach, log)
        pictures[f"{label}: {values[step - 1]:.3g}"] = picture
    if len(errors) > 1:  # (step, mean error of the sample faces in %), of a training that was watched
        steps, values = np.array(errors).T
        line = [plots.Line(steps, values, "", draw.VERMILION)]
        picture = plots.chart(line, "step", CHART, (0, total), (0, values.max() * 1.1))
        pictures[f"error of the samples (%): {values[-1]:.1f}"] = picture
    return draw.panels(pictures)


def samples(net: RedNet, faces: list[Face], size: int) -> tuple[np.ndarray, float]:
    """Return the faces in a row with the network's points (orange) and the truth (green), and the mean error in %."""
    tracer, pictures, errors = FaceTracer(net), [], []  # a folded copy: the network that is trained is left alone
    for face in faces:
        frame = tracer.frame(face)
        errors.append(frame.error)
        seen = draw.face(frame.picture, size, frame.steps[-1].points, frame.truth)
        pictures.append(draw.titled(seen, f"{frame.error:.1f} %", 11))
    return draw.montage(pictures, len(pictures)), float(np.nanmean(errors))


class Dashboard:
    """Watches trainings; `watcher(name)` is the callback of one of them, `replay` shows one that is over."""

    def __init__(self, faces: list[Face], live: bool = True, say: Callable[[str], None] = print):
        self.faces, self.live, self.say = faces, live, say
        self.image, self.status, self.shown = w.Image(format="png"), w.HTML(), False
        self.box, self.handle = w.VBox([self.status, self.image, alt_text(WHAT)]), None
        self.size = (2 * CHART[0] + 6 - 2 * (len(faces) - 1)) // max(len(faces), 1)  # of a sample face
        self.strip: np.ndarray | None = None
        self.errors: list[tuple[int, float]] = []

    def watcher(self, name: str) -> Callable[[Trainer, Record], None]:
        """Return a callback for `rednet_core.training.Trainer` that shows this training."""
        began, first, painted, looked, cost = 0.0, None, -np.inf, -np.inf, 0.0
        self.strip, self.errors = None, []

        def watch(run: Trainer, record: Record) -> None:
            nonlocal began, first, painted, looked, cost
            done, total, now = record.step + 1, run.config.steps, time.monotonic()
            if first is None:  # making the data and the network ready is not counted
                began, first = now, done
            left = (now - began) / (done - first) * (total - done) if done > first else np.nan
            if not self.live:
                if done == total or done * LINES // total > record.step * LINES // total:
                    self.say(f"{name}: {self._words(record, done, total, left)}")
                return
            if now - painted < PAINTS and done < total:
                return
            if self.faces and (now - looked > max(LOOKS, 20 * cost) or done == total):
                looked = time.monotonic()
                self.strip, error = samples(run.net, self.faces, self.size)
                cost = time.monotonic() - looked
                self.errors.append((done, error))
            self._paint(run.history.numpy(), done, total)
            self.status.value = f"<b>{name}</b>: {self._words(record, done, total, left)}"
            painted = time.monotonic()
            if done == total:
                renew(self.handle, placeholder(self.box))

        return watch

    def _words(self, record: Record, done: int, total: int, left: float) -> str:
        terms = [f"{NAMES[n]} {getattr(record, n):.4g}" for n in NAMES if np.isfinite(getattr(record, n))]
        error = f"; samples {self.errors[-1][1]:.1f} %" if self.errors else ""
        return f"step {done} of {total}, {', '.join(terms)}{error}; {'?' if np.isnan(left) else clock(left)} left"

    def picture(self, history: np.ndarray, step: int, total: int, smooth: int = 25) -> np.ndarray:
        """Return the curves up to a step, and the sample faces as they were last seen."""
        above = curves(history, step, total, smooth, self.errors)
        if self.strip is None:
            return above
        wide = max(above.shape[1], self.strip.shape[1])
        parts = [np.pad(p, ((0, 6), (0, wide - p.shape[1]), (0, 0)), constant_values=255) for p in (above, self.strip)]
        return np.concatenate(parts)

    def _paint(self, history: np.ndarray, done: int, total: int) -> None:
        if not self.shown:
            self.handle, self.shown = show_widget(self.box), True
        picture = self.picture(history, done, total)
        self.image.width = str(picture.shape[1])
        self.image.value = draw.png(picture)

    def replay(self, trained) -> Painter:
        """Return a finished training with a slider over its steps; the sample faces are of its end."""
        history = trained.history.numpy()
        if self.faces:
            self.strip, error = samples(trained.net, self.faces, self.size)
            self.errors = [(len(history), error)]
        controls = {
            "step": slider("step", 1, len(history), len(history)),
            "smooth": slider("smoothed over", 1, max(len(history) // 5, 2), max(len(history) // 60, 1)),
        }

        def paint(step: int, smooth: int):
            left = trained.seconds * (1 - step / len(history))
            row = Record(step - 1, *history[step - 1].tolist())
            words = self._words(row, step, len(history), left).replace("; ", "<br>").replace(", l", "<br>l", 1)
            return self.picture(history, step, len(history), smooth), words

        return Painter(controls, paint, WHAT)


def watched(lab, train: Callable[[], object], faces: list[Face]) -> tuple[object, Dashboard]:
    """Return what `train()` returns, watched on a dashboard if it is trained now and not taken from the cache."""
    dashboard = Dashboard(faces, lab.live)
    lab.watchers.append(dashboard.watcher)
    try:
        return train(), dashboard
    finally:
        lab.watchers.remove(dashboard.watcher)
