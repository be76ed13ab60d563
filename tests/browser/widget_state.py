"""Finds the widgets of a stored notebook that a viewer could not show: their state is not, or not wholly, stored."""

import re

from rednet_lab.runner.executed import WIDGET_STATE

VIEW = "application/vnd.jupyter.widget-view+json"
REFERENCE = re.compile(r"IPY_MODEL_([0-9a-f]+)")


def missing_state(notebook: dict) -> list[str]:
    """Models that outputs show, or that stored models refer to, and that are not stored; models without a name."""
    kept = notebook["metadata"].get("widgets", {})
    found = [f"metadata.widgets holds {key!r}" for key in kept if key != WIDGET_STATE]
    if WIDGET_STATE in kept and "state" not in kept[WIDGET_STATE]:
        return [*found, "metadata.widgets has no key 'state'"]
    state = kept.get(WIDGET_STATE, {}).get("state", {})
    for number, cell in enumerate(notebook["cells"]):
        for output in cell.get("outputs", []):
            view = output.get("data", {}).get(VIEW)
            if view and view["model_id"] not in state:
                found.append(f"cell {number} shows the model {view['model_id']}, which is not stored")
    for key, model in state.items():
        if not {"model_module", "model_name", "state"} <= set(model):
            found.append(f"model {key} is stored with {sorted(model)} only")
        for other in REFERENCE.findall(str(model.get("state", {}))):
            if other not in state:
                found.append(f"{model.get('model_name')} {key} refers to {other}, which is not stored")
    return found
