"""Widgets without a screen: moving a control changes what is shown, and an error in doing so is heard of."""

import cv2
import ipywidgets as w
import numpy as np
import pytest

from rednet_lab.show.widgets import Painter, buttons, slider


def shown(painter):
    """The picture that a widget shows, (H, W, 3)."""
    return cv2.imdecode(np.frombuffer(painter.image.value, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]


@pytest.fixture
def grey():
    """A painter of a grey picture, with a status and a value that it cannot paint."""

    def paint(level: int, wide: bool):
        if level == 13:
            raise ValueError("no <13> here")
        return np.full((8, 16 if wide else 8, 3), level, np.uint8), f"level {level}"

    return Painter({"level": slider("level", 0, 20, 5), "wide": w.Checkbox(False)}, paint)


def test_a_painter_paints_at_once_and_again_when_a_control_moves(grey):
    assert (shown(grey) == 5).all() and shown(grey).shape == (8, 8, 3) and grey.status.value == "level 5"
    grey.controls["level"].value = 9
    assert (shown(grey) == 9).all() and grey.status.value == "level 9"
    grey.controls["wide"].value = True
    assert shown(grey).shape == (8, 16, 3) and grey.image.width == "16"


def test_a_painter_without_words_has_none():
    painter = Painter({}, lambda: np.zeros((4, 4, 3), np.uint8))
    assert painter.status.value == "" and shown(painter).shape == (4, 4, 3)


def test_an_error_in_a_callback_is_raised_and_shown_and_not_the_end(grey):
    with pytest.raises(ValueError, match="no <13> here"):
        grey.controls["level"].value = 13
    assert grey.status.value == "<b>ValueError</b>: no &lt;13&gt; here"
    assert (shown(grey) == 5).all()
    grey.controls["level"].value = 14
    assert (shown(grey) == 14).all() and grey.status.value == "level 14"


def test_an_error_is_shown_where_a_live_notebook_only_logs_it(grey):
    # What a browser sends when a slider is moved; ipywidgets catches what this raises.
    move = {"content": {"data": {"method": "update", "state": {"value": 13}}}}
    grey.controls["level"]._handle_msg(move)
    assert "ValueError" in grey.status.value


def test_an_error_in_the_first_picture_shows_in_its_cell():
    with pytest.raises(ZeroDivisionError):
        Painter({"x": slider("x", 0, 3, 0)}, lambda x: 1 / x)


def test_sliders_of_whole_numbers_and_of_others():
    whole, other = slider("a", 0, 9, 3), slider("b", 0.0, 1.0, 0.5)
    assert isinstance(whole, w.IntSlider) and (whole.min, whole.max, whole.value) == (0, 9, 3)
    assert isinstance(other, w.FloatSlider) and other.step == pytest.approx(0.01)
    assert slider("c", 0, 10, 5, 0.5).step == 0.5
    assert whole.continuous_update and other.continuous_update  # answers while it moves


def test_buttons_stand_in_a_line_with_their_label():
    some = buttons("maps", ["over", "alone"])
    assert some.value == "over" and some.description == "maps" and some.style.button_width == "112px"
    assert (some.layout.display, some.layout.flex_flow) == ("flex", "row nowrap")
