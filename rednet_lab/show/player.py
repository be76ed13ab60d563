"""The player of a storyboard: a piece of HTML that plays by itself, with no kernel, no network and no other file.

`show` is the one call, in JupyterLab and in a run. Its output is a <figure> with the contact sheet as a plain picture,
the storyboard packed into one text, and player.js. The script puts the player in the sheet's place; where scripts are
taken out (GitHub, a notebook that is not trusted) and in print the sheet stays. A page that carries players must know:

- The output must reach the page unsanitised, <script> whole; a <script type="text/plain"> is data.
- Any number of players may stand on one page: the script finds figures that are not started and gives ids to nothing.
- Nothing is fetched. A content policy must allow inline scripts and styles, and img-src data:.
- BUDGET is the most that one player weighs; a page's players add up.
"""

import base64
import json
import zlib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from html import escape
from pathlib import Path

import numpy as np
from IPython.display import display

from rednet_lab.show import draw
from rednet_lab.show.contact_sheet import contact_sheet
from rednet_lab.show.storyboard import LEVELS, MISSING, Cell, Layer, Row, Storyboard, step_storyboard, track_storyboard
from rednet_lab.show.trace import Frame

READS = ("rednet_lab/show/player.js",)
KINDS = {"steps": step_storyboard, "track": track_storyboard}
PLAYER = "data-rednet-player"  # the mark of a player in a page
READS = ("rednet_lab/show/player.js",)
BUDGET = 400_000  # bytes of one player with its contact sheet
SHARE = 8192  # places are kept in so many parts of a picture's side
VIEWS = ("over the face", "alone", "change")
LAYERS = ("none", "z0, the guess", "last step's maps")
# One after another until it fits: pixels and quality of a picture; then every so-many-th face or frame only.
SPRITES = ((256, 90), (192, 85), (128, 85), (128, 70), (96, 70))
EVERY = (1, 2, 3, 4, 6, 8)


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
        f'<script type="text/plain">{data}</script>\n<script>\n{script()}</script></figure>'
    )


@lru_cache
def script() -> str:
    """Return the player's script."""
    return Path(__file__).with_suffix(".js").read_text(encoding="utf-8")


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
