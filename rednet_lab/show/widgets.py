"""Live widgets: controls and one picture that is painted anew when they move; and their placeholders.

A widget paints arrays (`draw`) into one ipywidgets Image, so a move of a slider answers in milliseconds. The first
picture is painted when the widget is made: an error shows in the cell.

In a run (REDNET_BATCH=1) only the placeholder is left in the notebook. Live, JupyterLab chooses the widget out of an
output's forms whether or not its kernel still lives, and then writes "model not found". So widget and placeholder are
two outputs, and HIDING, which comes with the second, shows one of them. Pages that put outputs together in a way of
their own (Colab, Visual Studio Code) get one output with both forms.
"""

import os
import sys
from base64 import b64encode
from collections.abc import Callable, Iterator
from html import escape, unescape
from pathlib import Path
from re import sub

import cv2
import ipywidgets as w
import numpy as np
from IPython.display import DisplayHandle, display

from rednet_lab.progress import in_batch
from rednet_lab.show import draw

READS = ("rednet_lab/show/widgets.js",)
SCRIPT = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")
UPLOAD = "rednet-most-{}"  # the class of an upload control that takes so many bytes, over which widgets.js watches
ALT = "rednet-alt"  # the class of hidden words that widgets.js makes the alt text of the picture beside them
PLACEHOLDER = "data-rednet-placeholder"  # the mark of one in a page
LIVE = "Live controls were here: run the cell again to have them back."
MOVES = 5  # of a list's options, tried in a run
# Where a live widget is, its placeholder is hidden; where none can be, its renderer's message is. That renderer is
# the only one that does not write its kind into data-mime-type. A widget that is on its way comes first.
HIDING = f"""<style>
.jp-OutputArea-child:has(.widget-box) + .jp-OutputArea-child:has([{PLACEHOLDER}]),
.jp-OutputArea-child:has(> .jp-OutputArea-output:not([data-mime-type])):not(:has(.widget-box)):has(+ .jp-OutputArea-child [{PLACEHOLDER}])
  {{ display: none !important; }}
[{PLACEHOLDER}] img {{ max-width: 100%; }}
.jp-OutputArea [{PLACEHOLDER}] {{ animation: rednet-wait 1s; }}
@keyframes rednet-wait {{ from, to {{ visibility: hidden; max-height: 0; overflow: hidden; }} }}
</style>"""  # noqa: E501
PANEL = "330px"  # width of the controls
STYLE = {"description_width": "110px"}


class Painter:
    """Controls in a column beside one picture that is painted anew from the controls' values; `alt` describes it."""

    def __init__(self, controls: dict[str, w.Widget], paint: Callable[..., np.ndarray], alt: str = ""):
        self.controls, self.paint, self.alt = controls, paint, alt
        # The picture keeps its shape and gives way first; beside too wide a one the controls go on top.
        shape = w.Layout(max_width="100%", height="auto", flex="0 1 auto", align_self="flex-start")
        self.image = w.Image(format="png", layout=shape)
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
    if step is None:  # the nearest of 1, 2 or 5 times a power of ten: values that can be read off and typed
        finest = (high - low) / 100
        powers = 10.0 ** np.floor(np.log10(finest)) * np.array([1, 2, 5, 10])
        step = round(float(min(powers, key=lambda power: abs(np.log(power / finest)))), 10)
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


# ---- placeholders


def show_widget(box: w.Widget) -> DisplayHandle | None:
    """Show a widget, and its placeholder where the notebook has no kernel; return the placeholder's handle or None.

    In a run the placeholder alone is shown, and then every control is moved: an error behind one fails the run.
    """
    view = {} if in_batch() else box._repr_mimebundle_()
    one_output = in_batch() or "google.colab" in sys.modules or any(name.startswith("VSCODE_") for name in os.environ)
    if not one_output:
        display({**view, "text/plain": LIVE}, raw=True)  # first: a placeholder takes a moment
    data = placeholder(box)
    metadata = {"image/png": {"alt": data["text/plain"]}}
    if not one_output:
        return display(_styled(data), metadata=metadata, raw=True, display_id=True)
    display({**view, **data}, metadata=metadata, raw=True)
    if in_batch():
        rehearse(box)
    return None


def renew(handle: DisplayHandle | None, data: dict[str, str]) -> None:
    """Replace a placeholder that `show_widget` gave a handle of."""
    if handle is not None:
        handle.update(_styled(data), raw=True)


def _styled(data: dict[str, str]) -> dict[str, str]:
    """Return a MIME bundle whose HTML stands behind a widget and gives way to it."""
    html = f"{HIDING}<script>{SCRIPT}</script><div {PLACEHOLDER}>{data['text/html']}</div>"
    return {**data, "text/html": html}


def alt_text(text: str = "") -> w.HTML:
    """Return hidden words to stand beside an Image, which has no alt text of its own: widgets.js gives it this one."""
    words = w.HTML(escape(text), layout=w.Layout(display="none"))
    words.add_class(ALT)
    return words


def parts(box: w.Widget) -> Iterator[w.Widget]:
    """Yield a widget and all inside it that is not hidden, and the words for those who do not see its picture."""
    if box.layout.display != "none" or ALT in box._dom_classes:
        yield box
        for child in getattr(box, "children", ()):
            yield from parts(child)


def placeholder(box: w.Widget) -> dict[str, str]:
    """Return a widget as it stands as a MIME bundle: its pictures and words, and the values of its controls."""
    shown, values, pictures, alt = [], [], [], "what the controls show"
    for part in sorted(parts(box), key=lambda part: ALT not in part._dom_classes):  # the words come first
        if ALT in part._dom_classes:
            alt = unescape(part.value) or alt
        elif isinstance(part, w.Image) and part.value:
            pixels = cv2.imdecode(np.frombuffer(part.value, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
            pictures.append(b64encode(draw.palette_png(np.ascontiguousarray(pixels), 256)).decode())
            photograph = b64encode(draw.jpeg(pixels, 90)).decode()
            shown.append(f'<img src="data:image/jpeg;base64,{photograph}" alt="{escape(alt)}">')
        elif isinstance(part, w.HTML) and part.value:
            shown.append(f"<div>{part.value}</div>")
        elif isinstance(part, w.Button | w.FileUpload):
            continue
        elif getattr(part, "description", "") and (value := _value(part)):
            values.append(f"{part.description}: {value}")
    html = "".join(shown) + (f"<p>{escape('; '.join(values))}</p>" if values else "")
    note = "The controls move where a kernel runs: python3 go.py lab"
    data = {"text/html": f"<div>{html}<p><small>{note}</small></p></div>"}
    data["text/plain"] = "; ".join(filter(None, [alt if pictures else plain("".join(shown)), *values]))
    return data | ({"image/png": pictures[0]} if pictures else {})


def plain(html: str) -> str:
    """Return the words of a piece of HTML."""
    return unescape(sub(r"\s+", " ", sub(r"<[^>]*>", " ", html))).strip()


def _value(part: w.Widget) -> str:
    """Return a control's value in words."""
    value = getattr(part, "label", None) or getattr(part, "value", "")
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, float) else str(value)


def rehearse(box: w.Widget) -> None:
    """Move every control of a widget, there and back; raise what answering it raises."""
    for part in list(parts(box)):
        if isinstance(part, w.Button) and not part.disabled:
            part.click()
        elif hasattr(part, "index") and hasattr(part, "options"):
            start, count = part.index, len(part.options)
            for i in np.unique(np.linspace(0, count - 1, min(count, MOVES)).astype(int)).tolist():
                part.index = i
            part.index = start
        elif isinstance(part, w.Checkbox | w.IntSlider | w.FloatSlider):
            start = part.value
            for value in (not start,) if isinstance(part, w.Checkbox) else (part.min, part.max):
                part.value = value
            part.value = start
