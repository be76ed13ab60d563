"""Videos for tracking: one square a video, which holds the face in all its frames with room around it.

Whole frames brought to a store's size make the face small; a crop round each frame's own face leaves nothing to
track. One fixed square a video keeps both: the face moves in it, and it is shown as finely as the video has it. The
face is looked for in the annotation of all frames, before any is decoded.
"""

from collections import defaultdict

import numpy as np

from data_prep.errors import BadItem, DataError
from data_prep.prepare import MARGIN, MIN_BOX, Cutter, bad_item, cut
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
            if name := reader.video(index) if hasattr(reader, "video") else "":
                self._videos[name].append(index)
        if not self._videos:
            raise DataError("has no videos, so no fixed crop of one", field="--fixed-crop", fix="leave it out")
        self._squares: dict[str, np.ndarray | None] = {}

    def square(self, index: int) -> np.ndarray:
        """Return the square (3,) = centre x, centre y, side in the picture's pixels that item `index` is cut by."""
        video = self.reader.video(index)
        if video not in self._squares:
            self._squares[video] = self._find(video)
        if self._squares[video] is None:
            raise BadItem("no frame of its video has a face box", path=video)
        return self._squares[video]

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


class FixedCropCutter(Cutter):
    """Reads and cuts item number i: by its video's square where the reader is `fixed`, never more than the picture."""

    def __call__(self, index: int):
        if not self.reader.fixed:
            return super().__call__(index)
        try:
            item, box = self.reader[index], self.reader.square(index)
            height, width = item.image.shape[:2]
            if box[2] >= max(height, width):
                box = np.array([(width - 1) / 2, (height - 1) / 2, max(height, width)])
            crop, points = cut(item, box, self.size)
            item.image = None  # the picture stays in the worker
            return crop, item, points, box
        except Exception as error:
            return bad_item(error, self.reader, index)
