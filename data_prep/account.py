"""Counts for people: every item of a data set is kept or skipped, and each number is said with what it is of."""

from collections import Counter

import numpy as np

from data_prep.item import SPLITS
from data_prep.readers.base import counted
from data_prep.store import Store
from rednet_core.geometry import face_box

SHOWN = 3  # examples of each kind of bad item


def line(what: str, value: str) -> str:
    """Return one finding, its kind in a column of its own."""
    return f"  {what:<9} {value}"


def skipped_lines(skipped: list[tuple[str, str]]) -> list[str]:
    """Return the reasons, commonest first, each with how often and a few examples; skipped are (where, why)."""
    lines = []
    for why, count in Counter(why for _, why in skipped).most_common():
        lines.append(line("skipped", f"{count:,} x {why}"))
        lines += [line("", f"  {where}") for where, reason in skipped if reason == why][:SHOWN]
    return lines


def kept_lines(store: Store) -> list[str]:
    """Return what is in a store: faces, persons and videos of each split, and test groups; how large the faces are."""
    lines = []
    for number, split in enumerate(SPLITS):
        rows = store.table[store.table["split"] == number]
        if len(rows):
            persons, videos = (len(np.unique(rows[name][rows[name] >= 0])) for name in ("identity", "video"))
            groups = [
                f"{np.count_nonzero(rows['group'] == k):,} in {name}"
                for k, name in enumerate(store.groups)
                if (rows["group"] == k).any()
            ]
            of_them = f" (of them {', '.join(groups)})" if groups else ""
            lines.append(line("", counted(split, len(rows), persons, videos) + of_them))
    return lines + _size_line(store)


def _size_line(store: Store) -> list[str]:
    """Return how large faces are, where they may differ: a store that is not of crops round each face."""
    if store.meta.get("margin") is not None:
        return []
    seven = list(store.markup.seven)
    rows = np.flatnonzero(store.table["mask"][:, seven[:4] + seven[5:]].all(1))
    if not len(rows):
        return []
    sides = face_box(store.table["points"][rows].astype(np.float64), store.markup)[:, 2]
    smallest, middle = np.percentile(sides, [5, 50])
    return [line("faces", f"{middle:.0f} px wide of {store.size}, the smallest twentieth under {smallest:.0f} px")]
