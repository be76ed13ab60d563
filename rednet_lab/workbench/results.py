"""What a notebook leaves behind: figures, tables and numbers in its folder, all of them stamped.

results.json lists them for the index page and for later notebooks: {"stamp", "figures", "tables", "numbers"}.
"""

import math
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd

from rednet_lab.files import write_json, write_text, write_whole
from rednet_lab.show import draw, plots
from rednet_lab.show.svg import Drawing


class Results:
    """The results folder of one notebook of one run; every save rewrites results.json atomically.

    facts (profile, data, seed) are put behind each caption.
    """

    def __init__(self, folder: Path, stamp: dict, facts: str = ""):
        self.folder, self.stamp, self.facts = folder, stamp, facts
        self.entries: dict[str, dict[str, dict]] = {"figures": {}, "tables": {}, "numbers": {}}

    def figure(
        self, figure: plt.Figure, name: str, caption: str, alt: str, hero: bool = False, vector: bool = True
    ) -> None:
        """Save a matplotlib figure as <name>.svg, or <name>.png (kept under 100 KB) for pictures, and show it once."""
        path = self.folder / f"{name}.{'svg' if vector else 'png'}"
        # No date in the file: the same figure is the same bytes.
        if vector:
            write_whole(path, lambda part: figure.savefig(part, format="svg", metadata={"Date": None}))
        else:
            write_whole(path, lambda part: part.write_bytes(draw.small_png(figure)))
        self._add("figures", name, {"file": path.name, "caption": caption, "alt": alt, "hero": hero})
        plots.show_once(figure, alt)

    def pictures(
        self, pictures: list, columns: int, name: str, caption: str, alt: str, hero: bool = False, width: float = 7.0
    ) -> None:
        """Save and show pictures of one size in a grid."""
        self.figure(plots.grid(pictures, columns, width), name, caption, alt, hero, vector=False)

    def drawing(self, drawing: Drawing, name: str, caption: str, hero: bool = False) -> Drawing:
        """Save a ready SVG drawing as <name>.svg and return it for display; it brings its own words for alt."""
        path = self.folder / f"{name}.svg"
        write_text(path, drawing.svg)
        self._add("figures", name, {"file": path.name, "caption": caption, "alt": drawing.alt, "hero": hero})
        return drawing

    def table(self, frame: pd.DataFrame, name: str, caption: str) -> pd.DataFrame:
        """Save a table as <name>.csv and return it for display."""
        path = self.folder / f"{name}.csv"
        write_whole(path, lambda part: frame.to_csv(part, index=False, lineterminator="\n"))
        self._add("tables", name, {"file": path.name, "caption": caption})
        return frame

    def number(self, name: str, value: float, unit: str = "", label: str = "", note: str = "", headline: bool = False):
        """Keep one figure; `headline` ones are shown on the run's last screen. Returns the value."""
        value = float(value)
        if not math.isfinite(value):
            raise ValueError(f"number {name!r} is not finite: {value}")
        entry = {"value": value, "unit": unit, "label": label or name, "note": note, "headline": headline}
        self._add("numbers", name, entry)
        return value

    def _add(self, kind: str, name: str, entry: dict) -> None:
        if self.facts and "caption" in entry:
            entry["caption"] += f" ({self.facts})"
        self.entries[kind][name] = entry
        content = {"stamp": self.stamp}
        content.update({kind: list(self.entries[kind].values()) for kind in ("figures", "tables")})
        content["numbers"] = self.entries["numbers"]
        write_json(self.folder / "results.json", content)
