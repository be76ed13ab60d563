"""Made faces with a slider for each factor, alone or with networks that look at them, to find where they break.

A network may start from its mean face, from nothing, from its own last answer (as a tracker does), or from an answer
that is frozen: then the face moves on and z_0 stays, and one sees what the feedback does.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import ipywidgets as w
import numpy as np

from data_prep.face_world import FIELDS, OCCLUDERS, FaceWorld, Factors, Occluder, Sample, render
from data_prep.markup_shapes import sketch
from rednet_core.geometry import face_box
from rednet_core.metrics import FAILURE
from rednet_core.rednet import RedNet
from rednet_lab.show import draw, plots
from rednet_lab.show.trace import Face, FaceTracer, Frame
from rednet_lab.show.widgets import Painter, menu, slider

SLIDERS = "yaw pitch roll jaw smile brows_up blink_left gaze_x light_azimuth light age skin".split()
MOVED = ("yaw", "pitch", "roll", "jaw", "smile", "brows_up", "blink_left", "light_azimuth", "light")
RENDERED, SHOWN = 192, 400  # pixels
MEAN, NOTHING, LAST, FROZEN = GUESSES = ("mean face", "nothing", "last answer", "frozen")
SWEEP = 19  # values of a factor in a sweep
ERRORS = (0.0, 30.0)  # per cent: the reach of the chart


def plain_face(factors: Factors) -> Factors:
    """Return the same person, upright, at rest and with nothing in the way."""
    calm = dict.fromkeys(("yaw", "pitch", "roll", "jaw", "smile", "frown", "pucker", "blink_left", "blink_right"), 0.0)
    return replace(factors, **calm, occluders=(), headwear="none", glasses="none", cover="none")


def held(before: str, size: float = 0.45) -> tuple[Occluder, ...]:
    """Return one thing (of OCCLUDERS) that is held before a face, or nothing."""
    return () if before == "nothing" else (Occluder(before, x=0.05, y=0.15, size=size),)


def reach(factor: str) -> tuple[float, float]:
    """Return the lowest and the highest value that a factor may have."""
    return float(FIELDS[factor]["low"]), float(FIELDS[factor]["high"])


def explore_face(world: FaceWorld, person: int = 3) -> Painter:
    """Return sliders for one face's factors, one thing to hold before it, and its points (hidden ones in pink)."""
    start = plain_face(world.still(person).factors)
    controls = {"person": slider("person", 0, 40, person)}
    controls |= {name: slider(name.replace("_", " "), *reach(name), float(getattr(start, name))) for name in SLIDERS}
    controls["before"] = menu("before it", ["nothing", *OCCLUDERS])
    controls["dots"] = w.Checkbox(True, description="points")

    def paint(person: int, before: str, dots: bool, **values):
        face = replace(plain_face(world.still(person).factors), occluders=held(before), **values)
        sample = render(face, RENDERED)
        picture = draw.face(sample.image, SHOWN, truth=sample.points if dots else None, visible=sample.visible)
        return picture, f"{int(sample.visible.sum())} of 68 points visible"

    return Painter(controls, paint, "a rendered face with its points")


class ControlledFaces:
    """Networks, and made faces to show them; every face is rendered once."""

    def __init__(self, world: FaceWorld, nets: dict[str, RedNet]):
        self.tracers = {name: FaceTracer(net) for name, net in nets.items()}
        self.size = max(128, 2 * max(net.config.input_size for net in nets.values()))  # pixels of a picture
        self.sample = lru_cache(512)(lambda factors: render(factors, self.size))
        self.plain = lru_cache(64)(lambda person: on_the_sliders(plain_face(world.still(person).factors)))

    def factors(self, person: int = 3, before: str = "nothing", hides: float = 0.45, **values: float) -> Factors:
        """Return a person's face at rest with these factors, and one thing (of OCCLUDERS) held before it."""
        return replace(self.plain(person), occluders=held(before, hides), **values)

    def face(self, factors: Factors, net: str) -> Face:
        """Return the made face in its true box, with the points that this network is asked for."""
        sample: Sample = self.sample(factors)
        markup = self.tracers[net].markup
        truth = sketch(sample.points, markup).astype(np.float32)
        return Face("made", sample.image, face_box(truth, markup), truth)

    def frame(self, factors: Factors, net: str, guess: str = MEAN, points: np.ndarray | None = None) -> Frame:
        """Return the network's answer; `points` (L, 2) are where z_0 is drawn with the guesses LAST and FROZEN."""
        if guess not in GUESSES:
            raise ValueError(f"guess {guess!r}, known: {', '.join(GUESSES)}")
        points = points if guess in (LAST, FROZEN) else None
        return self.tracers[net].frame(self.face(factors, net), "zeros" if guess == NOTHING else "mean", points)

    def turn(
        self,
        factors: Factors,
        net: str,
        factor: str,
        values: Sequence[float],
        guess: str = MEAN,
        points: np.ndarray | None = None,
    ) -> list[Frame]:
        """Return answers while one factor moves over the values, from its present one outwards to both sides.

        With LAST every answer starts from its neighbour's; with FROZEN all start from `points`, or from the first.
        """
        values = np.asarray(values, float)
        start = int(np.abs(values - getattr(factors, factor)).argmin())
        out: list[Frame | None] = [None] * len(values)
        first = points
        for side in (range(start, len(values)), range(start - 1, -1, -1)):
            before = first
            for i in side:
                out[i] = self.frame(replace(factors, **{factor: float(values[i])}), net, guess, before)
                before = out[i].points if guess == LAST or before is None else before
                first = before if first is None else first
        return out


def on_the_sliders(factors: Factors) -> Factors:
    """Return the factors with those of MOVED at values that a slider can have; a browser would round them anyway."""
    values = {}
    for name in MOVED:
        low, high = reach(name)
        step = (high - low) / 100
        values[name] = round(low + round((getattr(factors, name) - low) / step) * step, 9)
    return replace(factors, **values)


def breaks(values: np.ndarray, errors: np.ndarray, at: float) -> list[float]:
    """Return the nearest values below and above `at` where the error passes the papers' limit."""
    bad = np.asarray(errors) > FAILURE
    below, above = values[bad & (values < at)], values[bad & (values >= at)]
    return [float(v) for v in (*below[-1:], *above[:1])]


def point_picture(frame: Frame, visible: np.ndarray | None = None, size: int = draw.PANEL) -> np.ndarray:
    """Return the picture with true points in green (hidden ones in pink) and found ones in orange."""
    seen = visible if visible is not None and len(visible) == len(frame.truth_in_image) else None
    return draw.face(frame.image, size, frame.points, frame.truth_in_image, seen)


def panel(frame: Frame, guess: str, chart: np.ndarray, visible: np.ndarray | None = None) -> np.ndarray:
    """Return what is painted: z_0 over what the network sees, its last maps, the points, and a chart."""
    seen, first, last = draw.enlarge(frame.picture, draw.PANEL), frame.steps[0], frame.steps[-1]
    pictures = {
        f"points: error {frame.error:.1f} %": point_picture(frame, visible),
        f"z0 given: {guess}": draw.overlay(seen, first.feedback.max(0)),
        f"step {len(frame.steps)}: {last.kind} maps": draw.overlay(seen, last.maps.max(0)),
        "error (%) while one factor moves": chart,
    }
    return draw.panels(pictures)


def explore_networks(world: FaceWorld, nets: dict[str, RedNet], person: int = 3) -> Painter:
    """Return sliders for a made face's factors; networks look at it as it moves. A sweep moves one factor by itself."""
    faces = ControlledFaces(world, nets)
    start = faces.plain(person)
    controls = {"net": menu("network", list(nets)), "guess": menu("z0 is", GUESSES)}
    controls["person"] = slider("person", 0, 40, person)
    controls |= {name: slider(name.replace("_", " "), *reach(name), float(getattr(start, name))) for name in MOVED}
    controls |= {"before": menu("before it", ["nothing", *OCCLUDERS]), "hides": slider("its size", 0.1, 1.0, 0.45)}
    controls["factor"] = menu("sweep over", MOVED)
    # Counts the button's presses: a hidden control, so that the sweep is painted as everything else is.
    controls["sweeps"] = w.IntText(0, layout=w.Layout(display="none"))
    kept = {"guess": MEAN, "points": None, "frozen": None, "sweeps": -1, "curve": None}

    def paint(net: str, guess: str, person: int, before: str, hides: float, factor: str, sweeps: int, **values):
        values = {name: round(value, 6) for name, value in values.items()}  # without the browser's last digits
        factors = faces.factors(person, before, round(hides, 6), **values)
        if guess == FROZEN and kept["guess"] != FROZEN:
            kept["frozen"] = kept["points"]
        kept["guess"] = guess
        given = kept["frozen"] if guess == FROZEN else kept["points"]
        frame = faces.frame(factors, net, guess, given)
        kept["points"] = frame.points
        swept = (net, guess, factor, replace(factors, **{factor: 0.0}))
        if sweeps != kept["sweeps"]:
            xs = np.linspace(*reach(factor), SWEEP)
            turned = faces.turn(factors, net, factor, xs, guess, given if guess == FROZEN else None)
            kept.update(sweeps=sweeps, curve=(swept, factor, xs, np.array([each.error for each in turned])))
        now, name, xs, errors = kept["curve"]
        fresh = now == swept
        line = plots.Line(xs, errors, "" if fresh else "other settings", draw.BLUE if fresh else plots.PALE)
        cursor = values[name] if name == factor else None
        chart = plots.chart([line], name, y_range=ERRORS, levels={"failure": FAILURE}, cursor=cursor)
        text = f"error {frame.error:.1f} %, confidence {frame.confidence:.2f}"
        if fresh:
            found = breaks(xs, errors, values[factor])
            text += f"<br>fails at {factor} {', '.join(f'{v:.2g}' for v in found)}" if found else "<br>never fails"
        else:
            text += "<br>press <i>sweep</i> for the curve of these settings"
        return panel(frame, guess, chart, faces.sample(factors).visible), text

    painter = Painter(controls, paint, "a rendered face with its points, z0 and response maps over it, and a curve")
    button = w.Button(description="sweep: find where it breaks", layout=w.Layout(width="auto"))

    def press(_) -> None:
        controls["sweeps"].value += 1

    button.on_click(press)
    painter.panel.children = (*painter.panel.children[:-1], button, painter.panel.children[-1])
    return painter
