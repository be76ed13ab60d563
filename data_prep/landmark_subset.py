"""The papers' seven points of anything that has more: of readers, so that data sets of different markups can be
trained on together, and of prepared data, for a network of the markup "seven"."""

from dataclasses import dataclass, replace

import numpy as np

from data_prep.item import Item
from data_prep.wrapped import Wrapped
from rednet_core.markup import SEVEN, Markup


class LandmarkSubset(Wrapped):
    """A reader whose items are `reader`'s with their seven points; what its markup lacks is masked, never made up."""

    markup = SEVEN

    def __init__(self, reader):
        super().__init__(reader)
        self.description = {"seven points of": reader.description, "markup": reader.markup.name}

    def __getitem__(self, index: int) -> Item:
        item, markup = self.reader[index], self.reader.markup
        places = list(markup.seven)
        mask, visible = item.mask[places], item.visible[places]
        mask[list(markup.stand_in)] = False  # indexing with a list has made copies
        return replace(item, points=item.points[places], mask=mask, visible=visible & mask)

    def annotation(self, index: int) -> np.ndarray:
        """Return the seven points (7, 2) of a video's frame, without reading its picture; raise BadItem."""
        return self.reader.annotation(index)[list(self.reader.markup.seven)]


@dataclass
class InMemory:
    """Prepared data in memory, with the fields of a store: crops (M, S, S, 3) uint8 and a table of M rows."""

    crops: np.ndarray
    table: np.ndarray
    markup: Markup


def seven_of(data, markup: Markup) -> InMemory:
    """Return the same pictures with the papers' seven points of `markup`, in the order of the markup "seven"."""
    seven, old = list(markup.seven), data.table
    kind = [("points", "<f4", (7, 2)), ("mask", "?", (7,)), ("identity", "<i4"), ("video", "<i4"), ("frame", "<i4")]
    table = np.empty(len(old), kind)
    for name in ("identity", "video", "frame"):
        table[name] = old[name]
    table["points"], table["mask"] = old["points"][:, seven], old["mask"][:, seven]
    return InMemory(data.crops, table, SEVEN)
