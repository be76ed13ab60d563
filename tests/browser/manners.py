"""What is particular to single notebooks: numbers that must be right, controls that the rule does not fit."""

from tests.browser.exercise import Desk, Manner

RULE = Manner()


def face_world(desk: Desk) -> None:
    """Turned far to the side a face hides points; upright again it shows as many as before."""
    count = r"(\d+) of 68 points visible"
    before = desk.screen().number(count)
    desk.control("yaw").press("End")
    turned = desk.screen().number(count)
    desk.control("yaw").type("0")
    assert turned < before - 5 and desk.screen().number(count) == before


# Notebook -> number of the interactive cell, counted from 0 -> manner.
MANNERS = {
    "10_face_world": {0: Manner(check=face_world)},
}

# Interactive by their text, and without a widget on profile smoke; with the reason.
ABSENT = {("60_tracking", 1): "the reader's own video: none is given"}
