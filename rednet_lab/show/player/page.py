"""A board as a piece of HTML that plays by itself: no kernel, no network, no other file.

`page` gives a <figure> with the contact sheet as a plain picture, the storyboard packed as JSON, and SCRIPTS. The
script puts the player in the sheet's place; where scripts are taken out (GitHub's view of a notebook, a page not
trusted) and in print the sheet stays. What a site that carries such pages needs to know:

- The outputs must reach the page unsanitised (nbconvert: sanitize_html=False, its default) with <script> kept whole;
  <script type="application/json"> is data, not to be minified, typeset (MathJax skips scripts) or indexed.
- Any number of players may stand on one page: the script finds figures that are not started yet and gives ids to
  nothing. It may be there once for each player; all but the first see that their figure is the only one left.
- Nothing is fetched. A content policy must allow inline scripts and styles and img-src data:.
- BUDGET is the most that one player weighs; a page's players add up.
"""

import base64
import json
import re
import zlib
from functools import lru_cache
from html import escape
from pathlib import Path

import cv2
import numpy as np

from rednet_lab.show import draw
from rednet_lab.show.player import paint
from rednet_lab.show.player.storyboard import LEVELS, MISSING, Board, Layer

BUDGET = 400_000  # bytes of one player with its contact sheet
SCRIPTS = ("painting.js", "player.js", "start.js")  # in this order: each uses what stands before it
SHARE = 8192  # places are kept in so many parts of a picture's side
DATA = re.compile(r'<script type="application/json" data-rednet-board>(.*?)</script>', re.DOTALL)
# One after another until it fits: pixels and quality of a picture; then every so-many-th face or frame only.
SPRITES = ((256, 90), (192, 85), (128, 85), (128, 70), (96, 70))
EVERY = (1, 2, 3, 4, 6, 8)


class Packer:
    """One long row of bytes: arrays are added, each once, and told by their place, type and shape."""

    def __init__(self):
        self.bytes, self.known = bytearray(), {}

    def add(self, array: np.ndarray, kind: str) -> list:
        """Where an array lies: [type, offset, shape]; kind "u1", "i2" or "i4", little-endian."""
        array = np.ascontiguousarray(array, dtype="<" + kind)
        key = (kind, array.shape, array.tobytes())
        if key not in self.known:
            self.bytes.extend(b"\0" * (-len(self.bytes) % 4))
            self.known[key] = [kind, len(self.bytes), list(array.shape)]
            self.bytes.extend(key[2])
        return self.known[key]

    def packed(self) -> str:
        """All of it, deflated, in base64."""
        return base64.b64encode(zlib.compress(bytes(self.bytes), 7)).decode()


def data_of(board: Board) -> dict:
    """The board as plain values for JSON, arrays in one deflated row of bytes; its pictures are not in it."""
    packer = Packer()

    def layer(one: Layer | None) -> dict | None:
        if one is None:
            return None
        return {"maps": packer.add(one.maps, "u1"), "channels": list(one.channels), "labels": one.labels}

    def places(points: np.ndarray) -> list:
        return packer.add(np.clip(np.round(points * SHARE), -32768, 32767), "i2")

    used = sorted({cell.picture for column in board.cells for cell in column})
    truths = sorted({cell.truth for column in board.cells for cell in column if cell.truth is not None})
    cells = [
        [
            {
                "picture": used.index(cell.picture),
                "points": places(cell.points),
                "channels": "all" if len(cell.channels) == len(board.channels) else list(cell.channels),
                "truth": None if cell.truth is None else truths.index(cell.truth),
                "box": None if cell.box is None else [round(float(v), 5) for v in cell.box],
                "titles": cell.titles,
                **{name: layer(getattr(cell, name)) for name in ("given", "said", "before", "merged")},
            }
            for cell in column
        ]
        for column in board.cells
    ]
    rows = [
        {"label": r.label, "digits": r.digits, "headline": r.headline, "values": packer.add(r.values, "i4")}
        for r in board.rows
    ]
    return {
        "kind": board.kind,
        "title": board.title,
        "columns": board.columns,
        "axes": [[name, labels] for name, labels in board.axes],
        "channels": board.channels,
        "notes": board.notes,
        "missing": MISSING,
        "levels": LEVELS,
        "share": SHARE,
        "rows": rows,
        "cells": cells,
        "truths": [places(board.truths[i]) for i in truths],
        "views": paint.VIEWS,
        "layers": paint.LAYERS,
        "less": paint.LESS,
        **_colours(),
        "bytes": packer.packed(),
    }


def _colours() -> dict:
    """The colours of heat maps, differences, labels and lines: the ones that the other faces are drawn in."""

    def spell(colours) -> list[str]:
        return ["#" + bytes(int(v) for v in colour).hex() for colour in colours]

    heat = draw.heat(np.arange(LEVELS + 1)[None] / LEVELS)[0]
    names = ("TRUTH", "PREDICTED", "YELLOW", "BLACK", "WHITE")
    return {
        "heat": spell(heat),
        "change": spell(draw.diverging(2 * LEVELS + 1)),
        "labelled": spell(draw.LABELS),
        "inks": spell(draw.INKS),
        "colours": dict(zip(map(str.lower, names), spell(getattr(draw, name) for name in names), strict=True)),
    }


def sprite(board: Board, size: int, quality: int) -> dict:
    """The board's pictures side by side as one JPEG in a data URI; the side of one, and how many stand in a row."""
    pictures = [board.pictures[i] for i in sorted({cell.picture for column in board.cells for cell in column})]
    side = min(size, max(len(p) for p in pictures))
    side += -side % 16  # whole blocks of JPEG: no picture bleeds into the next
    across = max(1, int(len(pictures) ** 0.5))
    tiles = [draw.enlarge(p, side) if len(p) != side else p for p in pictures]
    image = draw.montage(tiles, across, gap=0)
    choice = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_OPTIMIZE, 1]
    data = cv2.imencode(".jpg", image[..., ::-1], choice)[1].tobytes()
    return {"src": "data:image/jpeg;base64," + base64.b64encode(data).decode(), "side": side, "across": across}


@lru_cache
def script() -> str:
    """The player's scripts as one, with the style sheet that it puts in; nothing of it is seen by the page's others."""
    css, *parts = ((Path(__file__).parent / name).read_text(encoding="utf-8") for name in ("player.css", *SCRIPTS))
    return "\n".join(['(() => {\n"use strict";', f"const CSS = {json.dumps(css)};", *parts, "})();"])


def page(board: Board, paper: bytes, alt: str, budget: int = BUDGET) -> str:
    """The player's HTML, with the contact sheet (JPEG). Raises ValueError where nothing brings it under the budget."""
    html = ""
    for every in EVERY:
        shown = board.thinned(every) if every > 1 else board
        data = data_of(shown)
        for size, quality in SPRITES:
            html = _html({**data, "sprite": sprite(shown, size, quality)}, paper, alt)
            if len(html.encode()) <= budget:
                return html
            if len(data["bytes"]) > budget / 2:
                break  # it is not the pictures that are too heavy
    raise ValueError(
        f"the player of {board.title or board.kind!r} weighs {len(html):,} bytes, its budget is {budget:,}: "
        f"show fewer than {board.moments} moments"
    )


def _html(data: dict, paper: bytes, alt: str) -> str:
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False).replace("</", "<\\/")
    picture = base64.b64encode(paper).decode()
    caption = f"<figcaption>{escape(data['title'])}</figcaption>" if data["title"] else ""
    return (
        f'<figure data-rednet-player><img alt="{escape(alt, quote=True)}" style="max-width:100%" '
        f'src="data:image/jpeg;base64,{picture}">{caption}\n'
        f'<script type="application/json" data-rednet-board>{text}</script>\n'
        f"<script>\n{script()}</script></figure>"
    )


def read_page(html: str) -> list[dict]:
    """The storyboards inside a page, with their arrays in place: each row's "values" is an array again."""
    found = []
    for text in DATA.findall(html):
        data = json.loads(text)
        raw = zlib.decompress(base64.b64decode(data["bytes"]))
        for row in data["rows"]:
            kind, offset, shape = row["values"]
            row["values"] = np.frombuffer(raw, "<" + kind, int(np.prod(shape)), offset).reshape(shape)
        found.append(data)
    return found
