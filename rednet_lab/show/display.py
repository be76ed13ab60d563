"""Widgets where a kernel answers, and their placeholders where none does: pictures, words and values of the controls.

In a run (REDNET_BATCH=1) only the placeholder is left in the notebook. Live, JupyterLab chooses the widget out of an
output's forms whether or not its kernel still lives, and then writes "model not found". So widget and placeholder are
two outputs, and STYLE, which comes with the second, shows one of them. Pages that put outputs together in a way of
their own (Colab, Visual Studio Code) get one output with both forms.
"""

import os
import sys
from base64 import b64encode
from collections.abc import Iterator
from functools import lru_cache
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
UPLOAD = "rednet-most-{}"  # the class of an upload control that takes so many bytes, over which widgets.js watches
ALT = "rednet-alt"  # the class of hidden words that widgets.js makes the alt text of the picture beside them
PLACEHOLDER = "data-rednet-placeholder"  # the mark of one in a page
READS = ("rednet_lab/show/widgets.js",)
LIVE = "Live controls were here: run the cell again to have them back."
MOVES = 5  # of a list's options, tried in a run
# Where a live widget is, its placeholder is hidden; where none can be, its renderer's message is. That renderer is
# the only one that does not write its kind into data-mime-type. A widget that is on its way comes first.
STYLE = f"""<style>
.jp-OutputArea-child:has(.widget-box) + .jp-OutputArea-child:has([{PLACEHOLDER}]),
.jp-OutputArea-child:has(> .jp-OutputArea-output:not([data-mime-type])):not(:has(.widget-box)):has(+ .jp-OutputArea-child [{PLACEHOLDER}])
  {{ display: none !important; }}
[{PLACEHOLDER}] img {{ max-width: 100%; }}
.jp-OutputArea [{PLACEHOLDER}] {{ animation: rednet-wait 1s; }}
@keyframes rednet-wait {{ from, to {{ visibility: hidden; max-height: 0; overflow: hidden; }} }}
</style>"""  # noqa: E501


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


@lru_cache
def _script() -> str:
    return Path(__file__).with_name("widgets.js").read_text(encoding="utf-8")


def _styled(data: dict[str, str]) -> dict[str, str]:
    """Return a MIME bundle whose HTML stands behind a widget and gives way to it."""
    html = f"{STYLE}<script>{_script()}</script><div {PLACEHOLDER}>{data['text/html']}</div>"
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
        elif _label(part) and (value := _value(part)):
            values.append(f"{part.description}: {value}")
    html = "".join(shown) + (f"<p>{escape('; '.join(values))}</p>" if values else "")
    note = "The controls move where a kernel runs: python3 go.py lab"
    data = {"text/html": f"<div>{html}<p><small>{note}</small></p></div>"}
    data["text/plain"] = "; ".join(filter(None, [alt if pictures else plain("".join(shown)), *values]))
    return data | ({"image/png": pictures[0]} if pictures else {})


def plain(html: str) -> str:
    """Return the words of a piece of HTML."""
    return unescape(sub(r"\s+", " ", sub(r"<[^>]*>", " ", html))).strip()


def _label(part: w.Widget) -> str:
    """Return what a control that has a value is called."""
    return "" if isinstance(part, w.Button | w.FileUpload) else getattr(part, "description", "")


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
