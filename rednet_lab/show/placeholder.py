"""Live widgets as they stand: what a page without a kernel shows in their place."""

from __future__ import annotations

from html import escape

VIEW, STATE = "application/vnd.jupyter.widget-view+json", "application/vnd.jupyter.widget-state+json"
RICH = ("text/html", "image/svg+xml", "image/png", "image/jpeg")
CHILD = "IPY_MODEL_"
PRESSED = ("ButtonModel", "FileUploadModel")  # controls that stand nowhere
LIVE = "python3 go.py lab"
PLAYER = "data-rednet-board"  # the mark of a player that needs no kernel, in its HTML
STAND_IN = "data-rednet-still"  # the mark of what `rednet_lab.show.display` puts behind a live widget


def without_widgets(notebook) -> int:
    """Replace the widget views of a notebook, in place, and drop their state; return how many there were.

    A view that comes with another form (a player, a picture) gives way to that; any other becomes its picture and
    the values of its controls, with a line that says where they move.
    """
    models = notebook.metadata.get("widgets", {}).get(STATE, {}).get("state", {})
    count = 0
    for cell in notebook.cells:
        outputs = cell.get("outputs", [])
        replaced = any(_stands_in(str(out.get("data", {}).get("text/html", ""))) for out in outputs)
        for output in list(outputs):
            view = output.get("data", {}).pop(VIEW, None)
            if view is None:
                continue
            count += 1
            if any(kind in output["data"] for kind in RICH):
                continue
            if replaced:
                outputs.remove(output)
            else:
                output["data"] = still(models, view.get("model_id", ""))
    notebook.metadata.pop("widgets", None)
    return count


def _stands_in(html: str) -> bool:
    """Tell whether a piece of HTML is there to be shown in a widget's place."""
    return PLAYER in html or STAND_IN in html


def still(models: dict, identity: str) -> dict[str, str]:
    """Return a widget that stands still: as HTML, in words, and its first picture if it shows one."""
    shown, pictures, controls = [], [], []
    _collect(models, identity, shown, pictures, controls, set())
    values = "".join(f"<li>{escape(label)} <b>{escape(value)}</b></li>" for label, value in controls)
    html = (f'<div class="still">{"".join(shown)}{f"<ul>{values}</ul>" if values else ""}'
            f"<p>Live controls, as they stood; they move in JupyterLab: <code>{LIVE}</code></p></div>")  # fmt: skip
    words = ", ".join(f"{label}: {value}" for label, value in controls)
    told = {"text/html": html, "text/plain": f"Live controls, as they stood ({LIVE}): {words}"}
    return told | ({"image/png": pictures[0]} if pictures else {})


def _collect(models: dict, identity: str, shown: list, pictures: list, controls: list, seen: set) -> None:
    """Gather the pictures and texts, and the controls with their values, of a widget and all inside it."""
    model = models.get(identity)
    if model is None or identity in seen:
        return
    seen.add(identity)
    state, name = model.get("state", {}), model.get("model_name", "")
    layout = models.get(str(state.get("layout", "")).removeprefix(CHILD), {})
    if layout.get("state", {}).get("display") == "none":
        return
    for child in state.get("children") or []:
        _collect(models, str(child).removeprefix(CHILD), shown, pictures, controls, seen)
    if name == "ImageModel":
        data = next((b["data"] for b in model.get("buffers", []) if b.get("path") == ["value"]), "")
        kind = escape(str(state.get("format", "png")))
        shown += [f'<img src="data:image/{kind};base64,{data}" alt="what the controls show">'] if data else []
        pictures += [data] if data and kind == "png" else []
    elif name in ("HTMLModel", "HTMLMathModel"):
        shown += [f"<p>{state['value']}</p>"] if state.get("value") else []
    elif name == "OutputModel":
        shown += [_printed(output) for output in state.get("outputs", [])]
    elif state.get("description") and name not in PRESSED and (value := _value(state)):
        controls.append((str(state["description"]), value))


def _printed(output: dict) -> str:
    """Return what was printed or displayed inside an Output widget."""
    data = output.get("data", {})
    if "text/html" in data:
        return data["text/html"]
    if "image/png" in data:
        return f'<img src="data:image/png;base64,{data["image/png"]}" alt="what the controls show">'
    return f"<pre>{escape(output.get('text') or data.get('text/plain', ''))}</pre>"


def _value(state: dict) -> str:
    """Return a control's value in words."""
    labels, index, value = state.get("_options_labels"), state.get("index"), state.get("value", "")
    if labels and isinstance(index, int) and index < len(labels):
        return str(labels[index])
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, float) else str(value)
