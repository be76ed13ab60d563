"""SVG drawings part by part: boxes, arrows, blocks and real text, on white, in colours safe for colour-blind eyes.

It knows nothing of networks; `architecture` draws them with it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, SMALL, SIZE = 700, 13, 14  # of a drawing and of its letters, px
PLAIN, LINE, FED = "#ffffff", "#222222", "#a33f00"  # FED: what is fed back


@dataclass(frozen=True)
class Drawing:
    """A drawing as SVG text, and the same in words for those who cannot see it."""

    svg: str
    alt: str

    def _repr_mimebundle_(self, include=None, exclude=None) -> tuple[dict, dict]:
        """Return it for a notebook, with the words where pages look for them."""
        kind = "image/svg+xml"
        return {kind: self.svg, "text/plain": self.alt}, {kind: {"alt": self.alt}}


class Canvas:
    """An SVG drawing that grows part by part; x and y in px, words with "_" for a subscript."""

    def __init__(self, height: float):
        self.height, self.parts = height, []

    def text(self, x: float, y: float, words: str, size=SMALL, anchor="middle", bold=False, turn=0, fill=LINE) -> None:
        """Write one line of words, its middle at height y."""
        lowered = rf'<tspan dy="3" font-size="{size - 2}">\1</tspan><tspan dy="-3">\2</tspan>'
        more = ' font-weight="bold"' * bold + f' transform="rotate({turn} {x:g} {y:g})"' * bool(turn)
        self.parts.append(
            f'<text x="{x:g}" y="{y + 0.35 * size:g}" font-size="{size}" text-anchor="{anchor}" fill="{fill}"{more}>'
            f"{re.sub('_([A-Za-z0-9]+)([^_]*)', lowered, escape(words))}</text>"
        )

    def shape(self, points: Sequence[tuple[float, float]], fill: str, line: str = LINE) -> None:
        """Fill a polygon."""
        path = " ".join(f"{x:g},{y:g}" for x, y in points)
        self.parts.append(f'<polygon points="{path}" fill="{fill}" stroke="{line}" stroke-linejoin="round"/>')

    def box(self, x: float, y: float, w: float, h: float, fill: str, *lines: str, bold: bool = True) -> None:
        """Draw a box round (x, y) with lines of words in it, the first one bold."""
        place = f'x="{x - w / 2:g}" y="{y - h / 2:g}" width="{w:g}" height="{h:g}"'
        self.parts.append(f'<rect {place} rx="4" fill="{fill}" stroke="{LINE}"/>')
        for i, words in enumerate(lines):
            self.text(x, y + 17 * (i - (len(lines) - 1) / 2), words, bold=bold and not i)

    def arrow(self, *points: tuple[float, float], fed: bool = False, dashed: bool = False) -> None:
        """Draw a line through points (x, y) with a head at its end; it passes over what it crosses."""
        (x0, y0), (x, y) = points[-2:]
        length, colour = ((x - x0) ** 2 + (y - y0) ** 2) ** 0.5, FED if fed else LINE
        dx, dy = (x - x0) / length, (y - y0) / length
        path = " ".join(f"{a:g},{b:g}" for a, b in (*points[:-1], (x - 6 * dx, y - 6 * dy)))
        line, dashes = f'<polyline points="{path}" fill="none"', ' stroke-dasharray="6 4"' * dashed
        self.parts.append(f'{line} stroke="{PLAIN}" stroke-width="6"/>')
        self.parts.append(f'{line} stroke="{colour}" stroke-width="1.6"{dashes}/>')
        back = x - 8 * dx, y - 8 * dy
        self.shape([(x, y), *((back[0] + 3 * dy * s, back[1] - 3 * dx * s) for s in (-1, 1))], colour, colour)

    def sheets(self, x: float, y: float, side: float, fill: str) -> None:
        """Draw a pile of maps with its middle at (x, y)."""
        for k in (4, 0, -4):
            self.box(x + k, y - k, side, side, fill)

    def cuboid(self, x: float, y: float, wide: float, high: float, fill: str) -> None:
        """Draw a block of feature maps seen from the side: as thick as it has channels, as high as its maps."""
        left, right, top, low, deep = x - wide / 2, x + wide / 2, y - high / 2, y + high / 2, 0.16 * high
        self.shape([(left, top), (left + deep, top - deep), (right + deep, top - deep), (right, top)], fill)
        self.shape([(right, top), (right + deep, top - deep), (right + deep, low - deep), (right, low)], fill)
        self.shape([(left, top), (right, top), (right, low), (left, low)], fill)

    def chain(self, y: float, boxes: list[tuple[str, ...]], left: float = 4, high: float = 48) -> list[float]:
        """Draw boxes (fill, words ...) from `left` to the right edge with arrows between; return their middles."""
        pitch = (WIDTH - left - 4 + 18) / len(boxes)
        at = [left + pitch * (i + 0.5) - 9 for i in range(len(boxes))]
        for i, (x, (fill, *words)) in enumerate(zip(at, boxes, strict=True)):
            self.box(x, y, pitch - 18, high, fill, *words)
            if i:
                self.arrow((x - pitch / 2 - 8, y), (x - pitch / 2 + 8, y))
        return at

    def drawing(self, alt: str) -> Drawing:
        """Return what was drawn, on white, with its words."""
        size, alt = f'width="{WIDTH}" height="{self.height:g}"', alt.replace("_", "")
        face = f'viewBox="0 0 {WIDTH} {self.height:g}" role="img" font-family="Arial, Helvetica, sans-serif"'
        top = f'<svg xmlns="http://www.w3.org/2000/svg" {size} {face}>\n<title>{escape(alt)}</title>'
        return Drawing("\n".join([top, f'<rect {size} fill="white"/>', *self.parts, "</svg>\n"]), alt)
