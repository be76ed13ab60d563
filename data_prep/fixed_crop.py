"""Videos for tracking: one square a video, which holds the face in all its frames with room around it.

Whole frames brought to a store's size make the face small; a crop round each frame's own face leaves nothing to
track. One fixed square a video keeps both: the face moves in it, and it is shown as finely as the video has it. The
face is looked for in the annotation of all frames, before any is decoded.
"""

from collections import defaultdict

import numpy as np

from data_prep.errors import BadItem, DataError
from data_prep.prepare import MARGIN, MIN_BOX
from data_prep.wrapped import Wrapped
from rednet_core import geometry


class FixedCrop(Wrapped):
    """A reader of videos whose items are `reader`'s, to be cut by one square a video (`square`).

    The square holds every frame's face box enlarged by `margin`. Raise DataError for a reader without videos.
    """

    def __init__(self, reader, margin: float = MARGIN):
        super().__init__(reader)
        self.markup, self.margin = reader.markup, margin
        self.description = {"fixed crop per video of": reader.description, "room": margin}
        self._videos = defaultdict(list)
        for index in range(len(reader)):
            if name := self.video(index):
                self._videos[name].append(index)
        if not self._videos:
            raise DataError("has no videos, so no fixed crop of one", field="--fixed-crop", fix="leave it out")
        self._squares: dict[str, np.ndarray | None] = {}

    def square(self, index: int) -> np.ndarray:
        """Return the square (3,) = centre x, centre y, side in the picture's pixels that item `index` is cut by."""
        video = self.video(index)
        if video not in self._squares:
            self._squares[video] = self._find(video)
        square = self._squares[video]
        if square is None:
            raise BadItem("no frame of its video has a face box", path=video)
        return square

    def _find(self, video: str) -> np.ndarray | None:
        points = []
        for index in self._videos[video]:
            try:
                points.append(self.reader.annotation(index))
            except BadItem:  # it is skipped when it is its turn, and said then
                continue
        boxes = geometry.face_box(np.array(points, np.float64).reshape(-1, self.markup.n_points, 2), self.markup)
        boxes = boxes[boxes[:, 2] >= MIN_BOX]
        if not len(boxes):
            return None
        reach = boxes[:, 2:] * self.margin / 2
        low, high = (boxes[:, :2] - reach).min(0), (boxes[:, :2] + reach).max(0)
        return np.append((low + high) / 2, (high - low).max())
