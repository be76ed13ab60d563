"""A reader's own clip in a notebook: uploaded or named, its face found or boxed by hand, followed, and played."""

from collections.abc import Callable

import ipywidgets as w
import numpy as np

from rednet_core.rednet import RedNet
from rednet_lab.show import draw
from rednet_lab.show.own_file import WIDE, OwnFile, whole_picture
from rednet_lab.show.player import forms
from rednet_lab.show.storyboard import track_storyboard
from rednet_lab.show.trace import Frame, record
from rednet_lab.show.widgets import Painter, problem, renew, show_widget
from rednet_lab.track.follow import DOUBTFUL, Follower


def follow_clip(
    net: RedNet,
    clip: list[np.ndarray],
    box: np.ndarray | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[list[Frame], str]:
    """Return traces of the frames in which a face is followed, each with its slip, and in words what happened.

    box (3,) is the face in the first frame; without one it is looked for. Frames without a face are left out.
    """
    follower, track, found, there = Follower(net, check=1, heights=DOUBTFUL), [], 0, False
    if box is not None:
        follower.start(box)
    for done, image in enumerate(clip):
        progress(done, len(clip))
        seen = follower.update(image)
        for one in seen:
            track += record(net, one.tracked, image[None], None)
            track[-1].slip = one.slip
        found, there = found + (bool(seen) and not there), bool(seen)
    said = f"followed in {len(track)} of {len(clip)} frames, found {found} times"
    return track, f"{said}; the last slip {track[-1].slip:.2f} (0: a face, 1: none)" if track else said


class OwnTracker:
    """Upload a clip (or name a file, or use the camera), set the first face box, and have the face followed.

    example: frames for a reader without a clip, taken by a button.
    """

    def __init__(self, net: RedNet, seconds: float = 10.0, example: list[np.ndarray] | None = None):
        self.net, self.track = net, []
        self.own = OwnFile("video/*,image/*", "your own clip or photo", seconds)
        self.button = w.Button(description="follow the face", layout=WIDE, disabled=True, tooltip="from the yellow box")
        self.said, self.result = w.HTML(), w.Output()
        self.button.on_click(self._follow)
        for control in (self.own.upload, self.own.path):
            control.observe(self._clear, names="value")
        self.painter = Painter(self.own.controls, self._paint, "the first frame with the box of the face")
        self.example = w.Button(description="try this clip", layout=WIDE, tooltip="a made video instead of your own")
        self.example.on_click(lambda _: self._try(example))
        buttons = (self.example, self.button) if example else (self.button,)
        self.painter.panel.children = (*self.painter.panel.children, *buttons, self.said)
        self.box, self.shown = w.VBox([self.painter.box, self.result]), None

    def _paint(self, **_):
        face = self.own.face()
        self.button.disabled = face is None
        if face is None:
            return draw.message("nothing here yet"), self.own.words
        return whole_picture(face, int(1.4 * draw.PANEL)), f"{self.own.words}; {len(self.own.frames)} frames"

    def _try(self, example: list[np.ndarray]) -> None:
        self._clear()
        self.own.take("a made video", example)
        self.painter._changed()

    def _clear(self, _=None) -> None:
        self.track, self.said.value, self.result.outputs = [], "", ()

    def _follow(self, _=None) -> None:
        def tell(done: int, total: int) -> None:
            if done % 10 == 0:
                self.said.value = f"frame {done} of {total} ..."

        self._clear()
        try:
            self.track, self.said.value = follow_clip(self.net, self.own.frames, self.own.face().box, tell)
            data = forms(track_storyboard({"tracked": self.track}))
            self.result.outputs = ({"output_type": "display_data", "data": data, "metadata": {}},)
            renew(self.shown, data)
        except Exception as error:
            self.said.value = problem(error)
            raise

    def _ipython_display_(self) -> None:
        self.shown = show_widget(self.box)
