"""The one call: shows a trace in the form that suits where it is shown."""

import base64
from collections.abc import Mapping, Sequence

from IPython.display import display

from rednet_lab.progress import in_batch
from rednet_lab.show.display import present
from rednet_lab.show.player.live import live, rehearse
from rednet_lab.show.player.page import page
from rednet_lab.show.player.sheet import sheet
from rednet_lab.show.player.steps import steps_board
from rednet_lab.show.player.storyboard import Board
from rednet_lab.show.player.track import track_board
from rednet_lab.show.trace import Frame

BOARDS = {"steps": steps_board, "track": track_board}
Traces = Mapping[str, Sequence[Frame]] | Sequence[Frame] | Board


def still_forms(board: Board) -> dict:
    """The MIME bundle of a board without a kernel: the player as text/html, the contact sheet as image/jpeg.

    GitHub strips the player down to the sheet inside it.
    """
    paper = sheet(board)
    jpeg = paper.jpeg()
    data = {"text/html": page(board, jpeg, paper.alt), "text/plain": paper.alt}
    return {**data, "image/jpeg": base64.b64encode(jpeg).decode()}


def show(traces: Traces, what: str = "steps", title: str = "", names: Sequence[str] = (), widget: bool | None = None):
    """Show recorded traces: their spatial "steps", or as a "track" along a video.

    traces: frames, or several networks' or tracks' frames by name, or a ready board; names: of the faces. widget:
    whether a kernel is there to answer; as a rule, what the runner's environment says. In batch every control is
    gone through first, so that an error behind one fails the run.
    """
    if what not in BOARDS:
        raise ValueError(f"show: {what!r}, known: {', '.join(BOARDS)}")
    if isinstance(traces, Board):
        board = traces
    else:
        board = steps_board(traces, title, names) if what == "steps" else track_board(traces, title)
    widget = not in_batch() if widget is None else widget
    data = still_forms(board)
    metadata = {"image/jpeg": {"alt": data["text/plain"]}}
    if widget:
        present(live(board).box, data, metadata)
    else:
        rehearse(board)
        display(data, metadata=metadata, raw=True)
