"""The player of a storyboard: HTML that plays by itself, with no kernel, no network, no other file; and its sheet.

`show` is the one call. Its output is a <figure> with the contact sheet as a plain picture, the storyboard packed into
one text, and player.js, which puts the player in the sheet's place; where scripts are taken out (GitHub, a notebook
that is not trusted) and in print the sheet stays. Any number of players may stand on a page; nothing is fetched. A page
must take inline scripts, styles and img-src data:, and leave the output as it is (<script type="text/plain"> is data).
"""

import base64
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import cv2
import numpy as np
from IPython.display import display

from rednet_lab.show import draw
from rednet_lab.show.storyboard import LEVELS, MISSING, Cell, Layer, Row, Storyboard, step_storyboard, track_storyboard
from rednet_lab.show.trace import Frame

READS = ("rednet_lab/show/player.js",)
KINDS = {"steps": step_storyboard, "track": track_storyboard}
SCRIPT = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")
PLAYER = "data-rednet-player"  # the mark of a player in a page
BUDGET = 400_000  # bytes of one player with its contact sheet
SHARE = 8192  # places are kept in so many parts of a picture's side
VIEWS = ("over the face", "alone", "change")
LAYERS = ("none", "z0, the guess", "last step's maps")
# One after another until it fits: pixels and quality of a picture; then every so-many-th face or frame only.
SPRITES = ((256, 90), (192, 85), (128, 85), (128, 70), (96, 70))
EVERY = (1, 2, 3, 4, 6, 8)
FACES, FRAMES = 4, 8  # on a sheet, at most
WIDTH = 1050  # pixels: 7 inches of paper at 150 to the inch
SIDE = 240  # pixels of a picture on its way to the sheet
GAP = 8  # pixels between pictures
TEXT = 17  # pixels of the texts' height, where the pictures are wide enough for it
SHEET = 100_000  # bytes of the sheet as a JPEG
Tile = tuple[np.ndarray, list[str]]  # a picture, and the lines under it


def show(
    traces: Mapping[str, Sequence[Frame]] | Sequence[Frame] | Storyboard,
    what: str = "steps",
    title: str = "",
    names: Sequence[str] = (),
) -> None:
    """Show recorded traces: their spatial "steps", or as a "track" along a video.

    traces: frames, or several networks' or tracks' frames by name, or a ready storyboard; names: of the faces.
    """
    if what not in KINDS:
        raise ValueError(f"show: {what!r}, known: {', '.join(KINDS)}")
    if not isinstance(traces, Storyboard):
        traces = KINDS[what](traces, title, *([names] if what == "steps" else []))
    data = forms(traces)
    display(data, metadata={"image/jpeg": {"alt": data["text/plain"]}}, raw=True)


def forms(story: Storyboard) -> dict[str, str]:
    """Return the MIME bundle of a storyboard: the player as text/html, the contact sheet as image/jpeg, its words."""
    sheet = contact_sheet(story)
    jpeg = sheet.jpeg()
    data = {"text/html": player_html(story, jpeg, sheet.alt), "text/plain": sheet.alt}
    return {**data, "image/jpeg": base64.b64encode(jpeg).decode()}


def player_html(story: Storyboard, sheet: bytes, alt: str, budget: int = BUDGET) -> str:
    """Return the player with its contact sheet (JPEG). Raise ValueError where nothing brings it under the budget."""
    html = ""
    for every in EVERY:
        shown = story.thinned(every) if every > 1 else story
        packed = pack(shown)
        for size, quality in SPRITES:
            html = _html(story.title, f"{packed} {sprite(shown, size, quality)}", sheet, alt)
            if len(html.encode()) <= budget:
                return html
            if len(packed) > budget / 2:
                break  # it is not the pictures that are too heavy
    raise ValueError(
        f"the player of {story.title or story.kind!r} weighs {len(html):,} bytes, its budget is {budget:,}: "
        f"show fewer than {len(story.cells[0])} moments"
    )


def _html(title: str, data: str, sheet: bytes, alt: str) -> str:
    caption = f"<figcaption>{escape(title)}</figcaption>" if title else ""
    return (
        f'<figure {PLAYER}><img alt="{escape(alt)}" style="max-width:100%" '
        f'src="data:image/jpeg;base64,{base64.b64encode(sheet).decode()}">{caption}\n'
        f'<script type="text/plain">{data}</script>\n<script>\n{SCRIPT}</script></figure>'
    )


def pack(story: Storyboard) -> str:
    """Return the storyboard without its pictures as one text: the length of its JSON, the JSON, all arrays; deflated.

    In base64 no title or name can end the script that holds it. An array in the JSON is [type, offset, shape].
    """
    arrays, known = bytearray(), {}

    def plain(value):
        if isinstance(value, Layer | Cell | Row):
            return vars(value)
        if value.dtype.kind == "f":  # places, in shares of a side
            value = np.clip(np.round(value * SHARE), -32768, 32767).astype("<i2")
        value = np.ascontiguousarray(value, dtype=value.dtype.newbyteorder("<"))
        key = (value.dtype.str[1:], value.shape, value.tobytes())
        if key not in known:  # each array once
            arrays.extend(b"\0" * (-len(arrays) % 4))
            known[key] = [key[0], len(arrays), key[1]]
            arrays.extend(key[2])
        return known[key]

    names = ("TRUTH", "PREDICTED", "YELLOW", "BLACK", "WHITE")
    story_ = {name: value for name, value in vars(story).items() if name != "pictures"}
    constants = {"missing": MISSING, "levels": LEVELS, "share": SHARE, "views": VIEWS, "layers": LAYERS}
    colours = {
        "heat": _spelt(draw.heat(np.arange(LEVELS + 1)[None] / LEVELS)[0]),
        "change": _spelt(draw.diverging(2 * LEVELS + 1)),
        "labelled": _spelt(draw.LABELS),
        "lines": _spelt((draw.BLUE, draw.VERMILION, draw.GREEN, draw.PINK)),
        "colours": dict(zip(map(str.lower, names), _spelt(getattr(draw, name) for name in names), strict=True)),
    }
    text = json.dumps({**story_, **constants, **colours}, default=plain, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    return base64.b64encode(zlib.compress(len(text).to_bytes(4, "little") + text + arrays, 7)).decode()


def _spelt(colours) -> list[str]:
    return ["#" + bytes(int(v) for v in colour).hex() for colour in colours]


def sprite(story: Storyboard, size: int, quality: int) -> str:
    """Return the pictures that cells show: their numbers, their side, how many in a row, and all as one JPEG."""
    used = sorted({cell.picture for column in story.cells for cell in column})
    side = min(size, max(len(story.pictures[i]) for i in used))
    side += -side % 16  # whole blocks of JPEG: no picture bleeds into the next
    across = max(1, int(len(used) ** 0.5))
    image = draw.montage([draw.enlarge(story.pictures[i], side) for i in used], across, gap=0)
    return f"{','.join(map(str, used))} {side} {across} {base64.b64encode(draw.jpeg(image, quality)).decode()}"


# ---- the contact sheet, for print and for where no script runs (GitHub, mail)


@dataclass(eq=False)
class ContactSheet:
    """A picture (H, W, 3), and what is on it in words."""

    picture: np.ndarray
    alt: str

    def jpeg(self, limit: int = SHEET) -> bytes:
        """Return the sheet as a JPEG under `limit` bytes: coarser, and smaller where that is not enough."""
        for scale, quality in [(s, q) for s in (1, 0.75, 0.5, 0.35) for q in (88, 75)]:
            data = draw.jpeg(draw.enlarge(self.picture, int(self.picture.shape[1] * scale)), quality)
            if len(data) <= limit:
                break
        return data


def contact_sheet(story: Storyboard, some: Sequence[int] | None = None) -> ContactSheet:
    """Return the contact sheet of a storyboard: `some` of its faces or frames, or a few spread over all."""
    count = len(story.axes[0][1])
    most = max(2, FACES // len(story.columns)) if story.kind == "steps" else FRAMES
    if some is None:
        some = np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int)).tolist()
    if story.kind == "steps":
        rows = [_face_row(story, face, column) for face in some for column in range(len(story.columns))]
        alt = f"{len(some)} faces; of each, step by step, what the network is given and the points that it finds"
    else:
        half = (len(some) + 1) // 2 if len(story.columns) == 1 and len(some) > 5 else len(some)
        parts = [part for part in (some[:half], some[half:]) if part]
        rows = [_frame_row(story, part, column) for column in range(len(story.columns)) for part in parts]
        truth = ", and the truth where it is known" if story.truths else ""
        alt = f"{len(some)} frames of a tracked video: face box and points found{truth}"
    return _laid_out(rows, f"{story.title}: {alt}" if story.title else alt)


def _face_row(story: Storyboard, face: int, column: int) -> list[Tile]:
    """Return a face's tiles: for each step what was given, and the points found."""
    row: list[Tile] = []
    for k in range(len(story.axes[1][1])):
        moment = story.moment(face, k)
        cell = story.cells[column][moment]
        if k and cell is story.cells[column][moment - 1]:
            break  # this network has made all its steps
        picture = draw.enlarge(story.pictures[cell.picture], SIDE)
        first = f"face {story.axes[0][1][face]}" if k == 0 else ""
        row.append((_laid(picture, cell.given), [first, f"{story.columns[column]} z{k}".strip()]))
        under = picture if cell.merged is None else _laid(picture, cell.merged)
        row.append((_marked(story, cell, under), [f"step {k + 1}", story.headline(column, moment)]))
    return row


def _frame_row(story: Storyboard, frames: Sequence[int], column: int) -> list[Tile]:
    """Return the tiles of some frames of a track."""
    row: list[Tile] = []
    for frame in frames:
        cell = story.cells[column][frame]
        picture = _marked(story, cell, draw.enlarge(story.pictures[cell.picture], SIDE))
        picture = draw.box(picture, np.array([*(cell.box[:2] * SIDE - 0.5), cell.box[2] * SIDE]))
        lines = [f"frame {story.axes[0][1][frame]}", story.headline(column, frame)]
        lines = [story.columns[column] if frame == frames[0] else "", *lines] if any(story.columns) else lines
        row.append((picture, lines))
    return row


def _laid(picture: np.ndarray, layer: Layer) -> np.ndarray:
    """Return a picture with a layer's maps over it, the highest at each place."""
    highest = layer.maps.max(0)
    return draw.labels(picture, highest) if layer.labels else draw.overlay(picture, highest / LEVELS)


def _marked(story: Storyboard, cell: Cell, picture: np.ndarray) -> np.ndarray:
    """Return a picture with its points as dots, the truth as crosses."""
    size = picture.shape[1]
    if cell.truth is not None:
        picture = draw.crosses(picture, story.truths[cell.truth] * size - 0.5)
    return draw.points(picture, cell.points * size - 0.5, size=max(3, size // 60))


def _laid_out(rows: list[list[Tile]], alt: str) -> ContactSheet:
    """Return rows of tiles on white, texts under the pictures."""
    across, lines = max(map(len, rows)), max(len(lines) for row in rows for _, lines in row)
    tile = min((WIDTH + GAP) // across - GAP, 260)
    height = min(TEXT, max(10, tile // 8))
    down = tile + lines * (height + 4) + GAP
    page, texts = np.full((len(rows) * down, across * (tile + GAP) - GAP, 3), 255, np.uint8), []
    for y, row in enumerate(rows):
        for x, (picture, lines) in enumerate(row):
            left, top = x * (tile + GAP), y * down
            page[top : top + tile, left : left + tile] = cv2.resize(picture, (tile, tile), interpolation=cv2.INTER_AREA)
            texts += [(text, (left, top + tile + 2 + i * (height + 4)), "la") for i, text in enumerate(lines)]
    return ContactSheet(draw.words(page, texts, height, draw.BLACK), alt)
