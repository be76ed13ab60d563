"""One trace, three faces: `show` gives a widget where a kernel listens, a player for pages, a contact sheet for paper.

The storyboard (`steps_board`, `track_board`) holds every number and picture; live.py, page.py and sheet.py render it.
"""

from rednet_lab.show.player.forms import show
from rednet_lab.show.player.page import page
from rednet_lab.show.player.sheet import Sheet, sheet
from rednet_lab.show.player.steps import steps_board
from rednet_lab.show.player.storyboard import Board
from rednet_lab.show.player.track import track_board

__all__ = ["Board", "Sheet", "page", "sheet", "show", "steps_board", "track_board"]
