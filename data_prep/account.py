"""Counts for people: every item of a data set is kept or skipped, and each number is said with what it is of."""

import re
from collections import defaultdict

import numpy as np

from data_prep.errors import readable
from data_prep.item import SPLITS
from data_prep.plausible import UPPER_LEFT
from data_prep.readers.base import counted
from data_prep.store import Store
from rednet_core.geometry import face_box

SHOWN = 3  # examples of each kind of bad item
NEARLY_ALL = 0.9
KINDS = 12  # kinds of reasons, or of notes, that are told
# What differs between two sentences that say the same of two items: what stands in quotes, file names, numbers.
PARTICULAR = re.compile(r"'[^']*'|\"[^\"]*\"|\([^()]*\)|\S+\.\w{1,4}\b|[+-]?\d[\d.,e+-]*")


def line(what: str, value: str) -> str:
    """Return one finding, its kind in a column of its own."""
    return readable(f"  {what:<9} {value}")


def kinds_of(sentences: list[str]) -> list[tuple[str, list[int]]]:
    """Return (the first of its kind, places of all of that kind), commonest first: names and numbers make no kind."""
    places = defaultdict(list)
    for place, sentence in enumerate(sentences):
        places[PARTICULAR.sub("…", sentence)].append(place)
    found = sorted(places.values(), key=lambda own: -len(own))
    alike = (len({sentences[place] for place in own}) == 1 for own in found)
    return [(f"{'' if same else 'such as: '}{sentences[own[0]]}", own) for same, own in zip(alike, found, strict=True)]


def skipped_lines(skipped: list[tuple[str, str]]) -> list[str]:
    """Return the reasons, commonest first, each with how often and a few examples; skipped are (where, why).

    Reasons that differ by a name or a number only are one; the rarest of very many are counted, not told.
    """
    kinds, lines = kinds_of([why for _, why in skipped]), []
    for why, places in kinds[:KINDS]:
        lines.append(line("skipped", f"{len(places):,} x {why}"))
        lines += [line("", f"  {skipped[place][0]}") for place in places[:SHOWN]]
    if rest := kinds[KINDS:]:
        count = sum(len(places) for _, places in rest)
        lines.append(line("skipped", f"{count:,} for {len(rest):,} more kinds of reasons"))
    return lines


def note_lines(notes: list[str]) -> list[str]:
    """Return what is to be known of a data set as a whole, a line a kind; the rest of very many are counted."""
    kinds = kinds_of(notes)
    lines = [line("note", why if len(own) == 1 else f"{len(own):,} x {why}") for why, own in kinds[:KINDS]]
    if rest := sum(len(own) for _, own in kinds[KINDS:]):
        lines.append(line("note", f"{rest:,} more notes"))
    return lines


def noted_lines(noted: dict[str, list], kept: int) -> list[str]:
    """Return what was noted of `kept` items, by note: [how many, the first].

    That a face lies in the upper left says something only where nearly all do.
    """
    lines = []
    for note, (count, where) in noted.items():
        if note == UPPER_LEFT:
            if count < NEARLY_ALL * kept:
                continue
            note += ": were they made on smaller pictures, or are they counted from a box's corner?"
        lines.append(line("noted", f"{count:,} x {note}, first in {where}"))
    return lines


def top_reasons(skipped: list[tuple[str, str]], shown: int = 3) -> str:
    """Return the commonest kinds of reasons in half a line."""
    return "".join(f"; {len(places)} x {why}" for why, places in kinds_of([why for _, why in skipped])[:shown])


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
