"""A reader's own photograph or video, dropped into an instrument: uploaded, its face found or boxed by hand.

Everything happens where the kernel runs: on the reader's own machine, if JupyterLab runs there.
"""

from html import escape

import ipywidgets as w
import numpy as np

from rednet_core.rednet import RedNet
from rednet_lab.show import draw
from rednet_lab.show.display import UPLOAD, renew, show_widget
from rednet_lab.show.own_video import MOST_BYTES, detect, follow, frames_of, uploaded
from rednet_lab.show.player import forms
from rednet_lab.show.storyboard import track_storyboard
from rednet_lab.show.trace import Face
from rednet_lab.show.widgets import STYLE, Painter, problem, slider

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
        x, y, side = (width / 2, height / 2, min(height, width) * 0.6) if box is None else box
        for one, value in zip(self.box.values(), np.array([x, y, side]) / max(height, width) * 100, strict=True):
            one.value = float(np.clip(value, 0, 100))
        self.show(True)

    def face(self) -> Face | None:
        """Return the first frame with the box as the sliders have it, or None where there is no file."""
        if not self.frames:
            return None
        longer = max(self.frames[0].shape[:2]) / 100
        return Face(self.name, self.frames[0], np.array([one.value * longer for one in self.box.values()]))


def whole_picture(face: Face, size: int = draw.PANEL, points: np.ndarray | None = None) -> np.ndarray:
    """Return the picture, made square, with its face box and points; points (L, 2) in its pixels."""
    height, width = face.image.shape[:2]
    side = max(height, width)
    square = np.full((side, side, 3), 235, np.uint8)
    square[:height, :width] = face.image
    x, y = draw.place(face.box[:2], side, size)
    return draw.box(draw.face(square, size, points, face.truth), np.array([x, y, face.box[2] * size / side]))


class OwnTracker:
    """Upload a clip (or name a file, or use the camera), set the first face box, and have the face followed."""

    def __init__(self, net: RedNet, seconds: float = 10.0):
        self.net, self.track = net, []
        self.own = OwnFile("video/*,image/*", "your own clip or photo", seconds)
        self.button = w.Button(description="follow the face", layout=WIDE, disabled=True, tooltip="from the yellow box")
        self.said, self.result = w.HTML(), w.Output()
        self.button.on_click(self._follow)
        for control in (self.own.upload, self.own.path):
            control.observe(self._clear, names="value")
        self.painter = Painter(self.own.controls, self._paint, "the first frame with the box of the face")
        self.painter.panel.children = (*self.painter.panel.children, self.button, self.said)
        self.box, self.shown = w.VBox([self.painter.box, self.result]), None

    def _paint(self, **_):
        face = self.own.face()
        self.button.disabled = face is None
        if face is None:
            return draw.message("nothing here yet"), self.own.words
        return whole_picture(face, int(1.4 * draw.PANEL)), f"{self.own.words}; {len(self.own.frames)} frames"

    def _clear(self, _=None) -> None:
        self.track, self.said.value, self.result.outputs = [], "", ()

    def _follow(self, _=None) -> None:
        def tell(done: int, total: int) -> None:
            if done % 10 == 0:
                self.said.value = f"frame {done} of {total} ..."

        self._clear()
        try:
            self.track, self.said.value = follow(self.net, self.own.frames, self.own.face().box, tell)
            if not self.track:
                raise ValueError("no face in any frame: set the yellow box by hand and try again")
            data = forms(track_storyboard({"tracked": self.track}))
            self.result.outputs = ({"output_type": "display_data", "data": data, "metadata": {}},)
            renew(self.shown, data)
        except Exception as error:
            self.said.value = problem(error)
            raise

    def _ipython_display_(self) -> None:
        self.shown = show_widget(self.box)
