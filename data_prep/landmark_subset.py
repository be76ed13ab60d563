"""Any reader as one of the papers' seven points, so that data sets of different markups can be trained on together."""

from dataclasses import replace

import numpy as np

from data_prep.item import Item
from data_prep.wrapped import Wrapped
from rednet_core.markup import SEVEN


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

    def video(self, index: int) -> str:
        """Return the wrapped reader's, "" where it has no videos."""
        return self.reader.video(index) if hasattr(self.reader, "video") else ""

    def annotation(self, index: int) -> np.ndarray:
        """Return the seven points (7, 2) of a video's frame, without reading its picture; raise BadItem."""
        return self.reader.annotation(index)[list(self.reader.markup.seven)]
