"""Live widgets: step through spatial iterations and response maps, move a face's factors, play a tracked video.

Each widget paints arrays (`draw`) into one ipywidgets Image, so a move of a slider answers in milliseconds. The
first picture is painted when the widget is made: an error shows in the cell, in batch too. Where no kernel runs
the notebooks show the same content as figures.
"""

from collections.abc import Callable, Sequence
from html import escape

import ipywidgets as w
import numpy as np

from rednet_core.markup import Markup
from rednet_lab import draw
from rednet_lab.trace import SEVEN_NAMES, Frame, Step

SIZE = 320  # pixels of a painted picture
PANEL = "330px"  # width of the controls
STYLE = {"description_width": "110px"}
ALL = -1  # the stepper's choice of all channels


class Painter:
    """Controls in a column beside one picture that is painted anew from the controls' values."""

    def __init__(self, controls: dict[str, w.Widget], paint: Callable[..., np.ndarray]):
        self.controls, self.paint = controls, paint
        # The picture keeps its shape and gives way first; beside too wide a one the controls go on top.
        self.image = w.Image(
            format="png", layout=w.Layout(max_width="100%", height="auto", flex="0 1 auto", align_self="flex-start")
        )
        self.status = w.HTML()
        for control in controls.values():
            control.observe(self._changed, names="value")
        self._changed()
        self.panel = w.VBox([*controls.values(), self.status], layout=w.Layout(flex="0 0 auto", width=PANEL))
        self.box = w.HBox([self.panel, self.image], layout=w.Layout(flex_flow="row wrap"))

    def _changed(self, _=None) -> None:
        try:
            result = self.paint(**{name: control.value for name, control in self.controls.items()})
        except Exception as error:
            # A live notebook writes a callback's traceback into its log: beside the old picture it is seen.
            self.status.value = f"<b>{type(error).__name__}</b>: {escape(str(error))}"
            raise
        picture, text = result if isinstance(result, tuple) else (result, "")
        self.image.value = draw.png(picture)
        self.image.width = str(picture.shape[1])
        self.status.value = text

    def _ipython_display_(self) -> None:
        from IPython.display import display

        display(self.box)


def slider(label: str, low: float, high: float, value: float, step: float | None = None) -> w.Widget:
    """A slider that updates while it moves; whole numbers where low, high and value are."""
    if all(isinstance(v, int) for v in (low, high, value)) and step in (None, 1):
        return w.IntSlider(value, low, high, description=label, style=STYLE)
    step = step or (high - low) / 100
    return w.FloatSlider(value, min=low, max=high, step=step, description=label, style=STYLE)


def channel_names(step: Step, markup: Markup) -> list[str]:
    """What each map of a step is of."""
    if len(step.maps) == 7:
        return list(SEVEN_NAMES)
    groups = {i: name for name, members in markup.groups.items() for i in members}
    return [f"{i}: {groups[i]}" for i in range(len(step.maps))]


def step_picture(frame: Frame, k: int, channel: int | None, show: str, truth: bool, size: int = SIZE) -> np.ndarray:
    """What the stepper paints: feedback given, response of one channel (None: all), and the points, side by side."""
    step, n = frame.steps[k], frame.picture.shape[1]
    face = draw.enlarge(frame.picture, size)

    def one(maps: np.ndarray) -> np.ndarray:
        return maps.max(0) if channel is None or channel >= len(maps) else maps[channel]

    given = draw.overlay(face, step.feedback.max(0))
    said = draw.overlay(face, one(step.maps)) if show == "over the face" else draw.heat(one(step.maps), size)
    found = draw.points(face, draw.place(step.points, n, size))
    if truth and frame.truth is not None:
        found = draw.points(found, draw.place(frame.truth, n, size), draw.TRUTH, size=2)
    error = "" if np.isnan(step.error) else f", error {step.error:.1f} %"
    titles = (f"z{k}: given to step {k + 1}", f"step {k + 1}: {step.kind}", f"points{error}")
    return draw.montage([draw.label(p, t) for p, t in zip((given, said, found), titles, strict=True)], 3)


def stepper(frames: Sequence[Frame], markup: Markup) -> Painter:
    """Step through faces, spatial steps and landmark channels of recorded traces."""
    steps = len(frames[0].steps)
    names = channel_names(max(frames[0].steps, key=lambda s: len(s.maps)), markup)
    controls = {
        "face": slider("face", 0, len(frames) - 1, 0),
        "step": slider("spatial step", 1, steps, 1),
        "channel": w.Dropdown(  # ALL, not None: ipywidgets shows None as nothing chosen
            options=[("all", ALL), *((n, i) for i, n in enumerate(names))], description="map of", style=STYLE
        ),
        "show": w.ToggleButtons(options=["over the face", "alone"], description="maps", style=STYLE),
        "truth": w.Checkbox(True, description="show the truth (green)"),
    }

    def paint(face: int, step: int, channel: int, show: str, truth: bool):
        kind = frames[face].steps[step - 1]
        channel = None if channel == ALL else channel
        seven = list(markup.seven)
        # A detection step has seven maps: the chosen point's own one, where it is among the seven.
        if channel is not None and len(kind.maps) == 7:
            channel = seven.index(channel) if channel in seven else None
        return step_picture(frames[face], step - 1, channel, show, truth)

    return Painter(controls, paint)


def player(tracks: dict[str, Sequence[Frame]], size: int = 300) -> Painter:
    """Play one tracked video; several tracks of the same video (with and without f_trn, say) side by side."""
    count = min(len(frames) for frames in tracks.values())
    play = w.Play(min=0, max=count - 1, interval=120)
    frame = slider("frame", 0, count - 1, 0)
    w.jslink((play, "value"), (frame, "value"))

    def paint(frame: int, boxes: bool, truth: bool):
        return draw.montage(
            [track_picture(frames[frame], size, boxes, truth, name) for name, frames in tracks.items()], len(tracks)
        )

    controls = {
        "frame": frame,
        "boxes": w.Checkbox(True, description="face box"),
        "truth": w.Checkbox(True, description="show the truth (green)"),
    }
    painter = Painter(controls, paint)
    painter.panel.children = (play, *painter.panel.children)
    return painter


def track_picture(frame: Frame, size: int, box: bool = True, truth: bool = True, name: str = "") -> np.ndarray:
    """One tracked frame as a size x size picture: points, box, truth, and the error in words."""
    side = max(frame.image.shape[:2])
    square = np.zeros((side, side, 3), np.uint8)
    square[: frame.image.shape[0], : frame.image.shape[1]] = frame.image
    out = draw.enlarge(square, size)
    if truth and frame.truth_in_image is not None:
        out = draw.points(out, draw.place(frame.truth_in_image, side, size), draw.TRUTH, size=2)
    out = draw.points(out, draw.place(frame.points, side, size))
    if box:
        x, y, width = frame.box
        centre = draw.place(np.array([x, y]), side, size)
        out = draw.box(out, np.array([*centre, width * size / side]))
    words = [name] if name else []
    words += [f"{frame.error:.1f} %"] if not np.isnan(frame.error) else [f"sure {frame.confidence:.2f}"]
    return draw.label(out, "  ".join(words))
