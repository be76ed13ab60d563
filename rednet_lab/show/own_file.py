"""A reader's own photograph or video, dropped into an instrument: uploaded, its face found or boxed by hand.

Everything happens where the kernel runs: on the reader's own machine, if JupyterLab runs there.
"""

from html import escape

import ipywidgets as w
import numpy as np

from rednet_lab.show import draw
from rednet_lab.show.footage import MOST_BYTES, detect, frames_of, uploaded
from rednet_lab.show.trace import Face
from rednet_lab.show.widgets import STYLE, UPLOAD, problem, slider

WIDE = w.Layout(width="auto")
HINT = f"a photo or a short video, up to {MOST_BYTES // 1_000_000} MB; a larger one by its path"


class OwnFile:
    """An upload, a field for a file's path, and sliders for the face box in its first frame (% of the longer side).

    `seconds` are read of a video that is named. `controls` holds all of it for a painter, which is to be made after.
    """

    def __init__(self, accept: str = "image/*", label: str = "your own photo", seconds: float = 0.0):
        self.seconds = seconds
        self.upload = w.FileUpload(accept=accept, multiple=False, description=label, layout=WIDE, tooltip=HINT)
        self.upload.add_class(UPLOAD.format(MOST_BYTES))
        self.path = w.Text(placeholder="its path, or: webcam", description="file", style=STYLE)
        self.path.continuous_update = False  # read when Enter is pressed
        least = {"face across": 0.0, "face down": 0.0, "face size": 5.0}  # a box of no size holds no picture
        self.box = {name: slider(name, low, 100.0, 50.0, 0.5) for name, low in least.items()}
        self.frames: list[np.ndarray] = []
        self.words = HINT  # what the reader should know: where the box comes from, or what is wrong with the file
        self.show(False)
        self.upload.observe(self._arrived, names="value")
        self.path.observe(self._arrived, names="value")

    @property
    def controls(self) -> dict[str, w.Widget]:
        """Return the controls by the names that a painter gives them to what paints."""
        boxes = {name.replace(" ", "_"): one for name, one in self.box.items()}
        return {"file": self.upload, "path": self.path, **boxes}

    def show(self, shown: bool) -> None:
        """Show the box's sliders, or hide them."""
        for one in self.box.values():
            one.layout.display = None if shown else "none"

    def _arrived(self, change) -> None:
        """Take over what was uploaded or named; a file that cannot be read leaves nothing of an earlier one."""
        if not change["new"]:
            return
        self.frames, self.name = [], ""
        try:
            if change["owner"] is self.path:
                self.take(change["new"], frames_of(change["new"], self.seconds))
            else:
                (file,) = change["new"]
                self.take(file["name"], uploaded(file["name"], bytes(file["content"])))
        except Exception as error:
            self.words = problem(error)
            self.show(False)

    def take(self, name: str, frames: list[np.ndarray]) -> None:
        """Take these frames as the reader's own, and propose a face box in the first: the detector's, or the middle."""
        box = detect(frames[0])
        how = "no frontal face found: set the box with the sliders" if box is None else "face found by the detector"
        height, width = frames[0].shape[:2]
        self.name, self.frames, self.words = name, frames, f"{escape(name)}: {how}"
        found = np.array([width / 2, height / 2, min(height, width) * 0.6] if box is None else box)
        pairs = list(zip(self.box.values(), found / max(height, width) * 100, strict=True))
        steps = [float(np.clip(round(value / one.step) * one.step, one.min, one.max)) for one, value in pairs]
        self.proposed = steps, found  # what is between steps, a slider that was moved back brings again
        for one, value in zip(self.box.values(), steps, strict=True):
            one.value = value
        self.show(True)

    def face(self) -> Face | None:
        """Return the first frame with the box as the sliders have it, or None where there is no file."""
        if not self.frames:
            return None
        (steps, found), values = self.proposed, np.array([one.value for one in self.box.values()])
        own = values * max(self.frames[0].shape[:2]) / 100
        return Face(self.name, self.frames[0], np.where(values == steps, found, own))


def whole_picture(face: Face, size: int = draw.PANEL, points: np.ndarray | None = None) -> np.ndarray:
    """Return the picture, made square, with its face box and points; points (L, 2) in its pixels."""
    square = draw.squared(face.image, 235)
    side = len(square)
    x, y = draw.place(face.box[:2], side, size)
    return draw.box(draw.face(square, size, points, face.truth), np.array([x, y, face.box[2] * size / side]))
