"""Widgets without a screen: moving a control changes what is shown, and an error in doing so is heard of."""

import cv2
import ipywidgets as w
import numpy as np
import pytest

from rednet_core.markup import IBUG68
from rednet_lab import draw
from rednet_lab.trace import SEVEN_NAMES, trace_video
from rednet_lab.widgets import Painter, channel_names, player, slider, step_picture, stepper, track_picture
from tests.helpers import loop_box


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


def test_channels_have_names(traces):
    detection, regression = traces[0].steps
    assert channel_names(detection, IBUG68) == list(SEVEN_NAMES)
    names = channel_names(regression, IBUG68)
    assert len(set(names)) == 68 and names[30].startswith("30: nose")


@pytest.mark.parametrize(
    ("control", "value"), [("face", 2), ("step", 2), ("channel", 30), ("show", "alone"), ("truth", False)]
)
def test_every_control_of_the_stepper_changes_the_picture(traces, control, value):
    widget = stepper(traces, IBUG68)
    before = widget.image.value
    assert widget.controls[control].value != value
    widget.controls[control].value = value
    assert widget.image.value != before


def test_the_stepper_shows_the_step_the_face_and_the_point_that_are_chosen(traces):
    widget = stepper(traces, IBUG68)
    widget.controls["face"].value, widget.controls["step"].value = 1, 2
    np.testing.assert_array_equal(shown(widget), step_picture(traces[1], 1, None, "over the face", True))
    widget.controls["channel"].value = 30
    np.testing.assert_array_equal(shown(widget), step_picture(traces[1], 1, 30, "over the face", True))
    widget.controls["step"].value = 1  # seven maps: point 30, the nose tip, is the fifth of them
    np.testing.assert_array_equal(shown(widget), step_picture(traces[1], 0, 4, "over the face", True))
    widget.controls["channel"].value = 3  # none of the seven: all of them
    np.testing.assert_array_equal(shown(widget), step_picture(traces[1], 0, None, "over the face", True))


def test_a_steps_picture_holds_its_maps_and_its_points(traces):
    trace = traces[0]
    picture = step_picture(trace, 1, 30, "alone", False, size=128)
    assert picture.shape == (128, 3 * 128 + 4, 3)
    middle, right = picture[:, 130:258], picture[:, 260:]
    np.testing.assert_array_equal(middle[40:], draw.heat(trace.steps[1].maps[30], 128)[40:])
    n = trace.picture.shape[1]
    points = draw.points(draw.enlarge(trace.picture, 128), draw.place(trace.steps[1].points, n, 128))
    np.testing.assert_array_equal(right[40:], points[40:])


@pytest.fixture(scope="module")
def track(net, faces):
    truth = np.array(faces.table["points"][:4])
    return trace_video(net, faces.crops[:4], truth, loop_box(truth[0]))


@pytest.mark.parametrize(("control", "value"), [("frame", 2), ("boxes", False), ("truth", False)])
def test_every_control_of_the_player_changes_the_picture(track, control, value):
    widget = player({"tracked": track})
    before = widget.image.value
    widget.controls[control].value = value
    assert widget.image.value != before


def test_the_player_shows_tracks_side_by_side_as_long_as_both_last(track):
    widget = player({"one": track, "two": track[:3]}, size=100)
    assert widget.controls["frame"].max == 2
    widget.controls["frame"].value = 1
    wanted = [track_picture(track[1], 100, name=name) for name in ("one", "two")]
    np.testing.assert_array_equal(shown(widget), draw.montage(wanted, 2))
    plays = [child for child in widget.panel.children if isinstance(child, w.Play)]
    assert len(plays) == 1 and plays[0].max == 2


def test_a_tracked_frame_that_is_not_square_keeps_its_places(net, faces):
    truth = np.array(faces.table["points"][:1])
    (frame,) = trace_video(net, faces.crops[:1], truth, loop_box(truth[0]))
    bare = track_picture(frame, 96, box=False, truth=False)
    frame.image = frame.image[:30]  # its lower part cut off: what is left stays where it was
    cut = track_picture(frame, 96, box=False, truth=False)
    assert cut.shape == bare.shape == (96, 96, 3)
    np.testing.assert_array_equal(cut[36:50], bare[36:50])
    assert (cut[95] == 0).any()


def test_a_tracked_frame_says_its_error_or_how_sure_it_is(track):
    with_error = track_picture(track[0], 160)
    nameless = track[0].__class__(**{**vars(track[0]), "error": np.nan})
    assert (track_picture(nameless, 160)[:30] != with_error[:30]).any()
    np.testing.assert_array_equal(track_picture(nameless, 160)[60:], with_error[60:])


def test_the_cockpit_renders_the_face_that_its_sliders_say():
    from data_prep.face_world import FaceWorld
    from rednet_lab.cockpit import cockpit

    widget = cockpit(FaceWorld(0, 64))
    assert "of 68 points visible" in widget.status.value
    seen = {widget.image.value}
    for control, value in (("yaw", 50.0), ("person", 7), ("before", "hand"), ("dots", False)):
        widget.controls[control].value = value
        seen.add(widget.image.value)
    assert len(seen) == 5
