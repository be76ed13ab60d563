"""Executed snapshots: small copies of executed notebooks, tracked with the evidence.

GitHub shows them as they are, and the site is made of them where nothing was executed. Players and widgets give way to
their pictures, pictures to smaller ones, what is too long to its beginning; code, text, tables and stamps stay whole.
"""

from __future__ import annotations

import io
import re
from base64 import b64decode, b64encode

import numpy as np
from PIL import Image

from rednet_lab.names import RUNS
from rednet_lab.show import draw

MOST, MOST_TEXT = 30_000, 8_000  # bytes of a picture or a piece of HTML; characters of what a cell printed
# Where results and kernels lay on one machine: nothing that a reader elsewhere could use.
OUT = re.compile(r"""^out = (["'])(?:/|~|[A-Za-z]:).*\1$""", re.M)
KERNEL = re.compile(r"\S*ipykernel_\d+[/\\]")
WIDGET = "application/vnd.jupyter.widget-view+json"
JPEG = b"\xff\xd8"  # what such a file begins with
STEPS = (1.0, 0.85, 0.7, 0.55, 0.45, 0.35, 0.25)


def strip(notebook, most: int = MOST) -> None:
    """Make an executed notebook small, in place; no picture or piece of HTML is left of more than `most` bytes."""
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        if "injected-parameters" in cell.metadata.get("tags", []):
            cell.source = OUT.sub(f'out = "{RUNS}"', cell.source)
        for output in cell.get("outputs", []):
            if output.output_type == "stream":
                output.text = shortened(KERNEL.sub("", output.text))
            data = output.get("data", {})
            data.pop(WIDGET, None)
            pictures = [kind for kind in ("image/png", "image/jpeg") if kind in data]
            for kind in pictures:
                packed = smaller(b64decode(data.pop(kind)), most)
                now = "image/jpeg" if packed.startswith(JPEG) else "image/png"
                data[now] = b64encode(packed).decode()
                if kind in output.metadata:  # its size and its words for those who do not see it
                    output.metadata[now] = output.metadata.pop(kind)
            for kind in ("image/svg+xml", "text/html"):
                if kind in data and (pictures or len(data[kind]) > most):
                    size = len(data.pop(kind))
                    if not pictures:
                        data["text/plain"] = f"left out of this copy: {kind} of {size // 1000} KB; run the notebook"
            if "text/plain" in data:
                data["text/plain"] = shortened(data["text/plain"])


def shortened(text: str) -> str:
    """Return a text, of a long one only the beginning."""
    rest = len(text) - MOST_TEXT
    return text if rest <= 0 else f"{text[:MOST_TEXT]}\n... ({rest} more characters; run the notebook)"


def smaller(data: bytes, most: int) -> bytes:
    """Return a PNG or JPEG of at most `most` bytes, made ever smaller; as it is if it fits already.

    A PNG may become a JPEG: photographs stay larger in it, drawings in fewer colours.
    """
    if len(data) <= most:
        return data
    image = Image.open(io.BytesIO(data))
    kinds, image = ("PNG", "JPEG") if image.format == "PNG" else ("JPEG",), image.convert("RGB")
    for step in STEPS:
        size = (max(1, round(image.width * step)), max(1, round(image.height * step)))
        part = np.asarray(image.resize(size, Image.Resampling.LANCZOS))
        found = [draw.palette_png(part) if kind == "PNG" else draw.jpeg(part, 75) for kind in kinds]
        for packed in found:
            if len(packed) <= most:
                return packed
    return min(found, key=len)
