"""What live widgets are made of: controls, and one picture that is painted anew when they move.

A widget paints arrays (`draw`) into one ipywidgets Image, so a move of a slider answers in milliseconds. The first
picture is painted when the widget is made: an error shows in the cell. Recorded traces have `rednet_lab.show.player`.
"""

from collections.abc import Callable
from html import escape

import ipywidgets as w
import numpy as np

from rednet_lab.show import draw
from rednet_lab.show.display import alt_text, plain, show_widget

PANEL = "330px"  # width of the controls
STYLE = {"description_width": "110px"}


class Painter:
    """Controls in a column beside one picture that is painted anew from the controls' values; `alt` describes it."""

    def __init__(self, controls: dict[str, w.Widget], paint: Callable[..., np.ndarray], alt: str = ""):
        self.controls, self.paint, self.alt = controls, paint, alt
        # The picture keeps its shape and gives way first; beside too wide a one the controls go on top.
        self.image = w.Image(
            format="png", layout=w.Layout(max_width="100%", height="auto", flex="0 1 auto", align_self="flex-start")
        )
        self.status, self.about = w.HTML(), alt_text()
        for control in controls.values():
            control.observe(self._changed, names="value")
        self._changed()
        self.panel = w.VBox([*controls.values(), self.status], layout=w.Layout(flex="0 0 auto", width=PANEL))
        self.box = w.HBox([self.panel, self.image, self.about], layout=w.Layout(flex_flow="row wrap"))

    def _changed(self, _=None) -> None:
        try:
            result = self.paint(**{name: control.value for name, control in self.controls.items()})
        except Exception as error:
            # A live notebook writes a callback's traceback into its log: beside the old picture it is seen.
            self.status.value = problem(error)
            raise
        picture, text = result if isinstance(result, tuple) else (result, "")
        self.about.value = escape(". ".join(filter(None, [self.alt, plain(text)])))
        self.image.value = draw.png(picture)
        self.image.width = str(picture.shape[1])
        self.status.value = text

    def _ipython_display_(self) -> None:
        show_widget(self.box)


def problem(error: Exception) -> str:
    """Return an error in words, as HTML."""
    return f"<b>{type(error).__name__}</b>: {escape(str(error))}"


def slider(label: str, low: float, high: float, value: float, step: float | None = None) -> w.Widget:
    """Return a slider that updates while it moves; of whole numbers where low, high and value are."""
    if all(isinstance(v, int) for v in (low, high, value)) and step in (None, 1):
        return w.IntSlider(value, low, high, description=label, style=STYLE)
    step = step or round_step((high - low) / 100)
    # On the slider's own grid: a browser would move it there, and the first picture would be of another value.
    value = min(round(low + round((value - low) / step) * step, 10), high)
    return w.FloatSlider(value, min=low, max=high, step=step, description=label, style=STYLE)


def menu(label: str, options, value=None) -> w.Dropdown:
    """Return a list to choose from: options, or (name, option) pairs."""
    chosen = {} if value is None else {"value": value}
    return w.Dropdown(options=options, description=label, style=STYLE, **chosen)


def buttons(label: str, options: list[str], width: str = "112px") -> w.ToggleButtons:
    """Return one button for each option, in one line with the label; ipywidgets by itself puts the label above."""
    line = w.Layout(display="flex", flex_flow="row nowrap", flex="0 0 auto", width="auto")
    return w.ToggleButtons(options=options, description=label, layout=line, style={"button_width": width})


def round_step(step: float) -> float:
    """Return the nearest of 1, 2 or 5 times a power of ten: values that can be read off and typed."""
    power = 10.0 ** np.floor(np.log10(step))
    return round(float(min((1, 2, 5, 10), key=lambda m: abs(np.log(m * power / step))) * power), 10)
