"""Small copies of executed notebooks, tracked with the code: `python -m rednet_lab.publish.snapshots RUN_FOLDER`.

GitHub shows them as they are, and the site is made of them where nothing was executed. Widgets give way to their
pictures, pictures to smaller ones, what is too long to its beginning; code, text, tables and stamps stay whole.
"""

from __future__ import annotations

import argparse
import io
import re
import sys
from base64 import b64decode, b64encode
from pathlib import Path

import nbformat
from PIL import Image

from rednet_lab.files import write_text
from rednet_lab.names import ROOT
from rednet_lab.publish.site.build import SNAPSHOTS
from rednet_lab.show.placeholder import PLAYER, without_widgets

MOST_KB, MOST_TEXT = 30, 8_000  # of a picture or a piece of HTML, in KB; of what a cell printed, in characters
# Where results and kernels lay on one machine: nothing that a reader elsewhere could use.
OUT = re.compile(r"""^out = (["'])(?:/|~|[A-Za-z]:).*\1$""", re.M)
KERNEL = re.compile(r"\S*ipykernel_\d+[/\\]")
JPEG = b"\xff\xd8"  # what such a file begins with
STEPS = (1.0, 0.85, 0.7, 0.55, 0.45, 0.35, 0.25)


def strip(notebook, most: int, players: bool = False) -> None:
    """Make an executed notebook small, in place; no picture or piece of HTML is left of more than `most` bytes.

    Players that come with a picture give way to it, or stay whole with `players`.
    """
    without_widgets(notebook)
    for cell in notebook.cells:
        if "injected-parameters" in cell.metadata.get("tags", []):
            cell.source = OUT.sub('out = "figures"', cell.source)
        for output in cell.get("outputs", []):
            if output.output_type == "stream":
                output.text = shortened(KERNEL.sub("", output.text))
            data = output.get("data", {})
            if players and PLAYER in data.get("text/html", ""):
                data.pop("image/png", None)  # the player has its picture inside
                data.pop("image/jpeg", None)
                continue
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
        part = image.resize(size, Image.Resampling.LANCZOS)
        found = [_packed(part, kind) for kind in kinds]
        for packed in found:
            if len(packed) <= most:
                return packed
    return min(found, key=len)


def _packed(image: Image.Image, kind: str) -> bytes:
    packed = io.BytesIO()
    if kind == "PNG":
        image = image.quantize(128, dither=Image.Dither.NONE)
    image.save(packed, kind, optimize=True, quality=75)
    return packed.getvalue()


def main(argv: list[str] | None = None) -> int:
    """Write the small copies of a run and say how large they are; 2 if there is nothing to copy."""
    p = argparse.ArgumentParser(prog="python -m rednet_lab.publish.snapshots", description=__doc__.split("\n")[0])
    p.add_argument("run", type=Path, nargs="?", default=ROOT / "figures" / "runs" / "quick", metavar="RUN FOLDER")
    p.add_argument("--to", type=Path, metavar="FOLDER", help=f"where they go (default: {SNAPSHOTS}/ in the run folder)")
    p.add_argument("--most", type=int, default=MOST_KB, metavar="KB", help=f"of one picture (default: {MOST_KB})")
    p.add_argument("--players", action="store_true", help="keep the players, up to 400 KB each")
    args = p.parse_args(argv)
    files = [file for file in sorted((args.run / "executed").glob("*.ipynb")) if file.stem.count(".") == 0]
    if not files:
        print(f"{args.run}: no executed notebooks. Make them with: python3 go.py run", file=sys.stderr)
        return 2
    before = after = 0
    for file in files:
        notebook = nbformat.read(file, as_version=4)
        strip(notebook, args.most * 1000, args.players)
        text = nbformat.writes(notebook) + "\n"
        write_text((args.to or args.run / SNAPSHOTS) / file.name, text)
        sizes = file.stat().st_size, len(text.encode())
        before, after = before + sizes[0], after + sizes[1]
        print(f"  {file.stem:<28}{sizes[0] / 1000:8.0f} KB -> {sizes[1] / 1000:6.0f} KB")
    print(f"  {'all':<28}{before / 1000:8.0f} KB -> {after / 1000:6.0f} KB in {args.to or args.run / SNAPSHOTS}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
