"""Controls of a made face and a network that looks at it: what is shown is its answer; z_0 is what was asked for."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from data_prep.face_world import FaceWorld
from rednet_lab.show import face_controls
from rednet_lab.show.face_controls import (
    FROZEN,
    LAST,
    MEAN,
    NOTHING,
    ControlledFaces,
    breaks,
    explore_face,
    explore_networks,
)
from tests.helpers import settle, tiny_net

WORLD = FaceWorld(0, 64)


def shown(painter):
    """The picture that a widget shows, (H, W, 3)."""
    return cv2.imdecode(np.frombuffer(painter.image.value, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]


@pytest.fixture(scope="module")
def nets(net):
    return {"one": net, "seven": settle(tiny_net(seed=2, markup="seven"))}


@pytest.fixture(scope="module")
def controlled(nets):
    return ControlledFaces(WORLD, nets)


def test_z0_is_the_mean_face_nothing_or_drawn_at_the_points_given(controlled, nets):
    factors, net = controlled.factors(yaw=20.0), nets["one"]
    mean = controlled.frame(factors, "one", MEAN)
    np.testing.assert_allclose(mean.steps[0].feedback, net.first_guess(1)[0], atol=1e-6)
    assert not controlled.frame(factors, "one", NOTHING).steps[0].feedback.any()
    face = controlled.face(factors, "one")
    given = controlled.frame(factors, "one", FROZEN, face.truth).steps[0].feedback
    seven = mean.truth[list(net.markup.seven)] * 0.5 - 0.25  # input pixels to map pixels
    for disc, (x, y) in zip(given, seven, strict=True):
        assert disc[int(round(y)), int(round(x))] == 1
    again = controlled.frame(factors, "one", MEAN, face.truth)  # points are not asked for
    np.testing.assert_array_equal(again.steps[0].feedback, mean.steps[0].feedback)
    with pytest.raises(ValueError, match="known: mean face"):
        controlled.frame(factors, "one", "median face")


def test_the_box_is_the_true_one_and_a_network_of_seven_points_gets_seven(controlled):
    factors = controlled.factors(yaw=30.0)
    frames = [controlled.frame(factors, name) for name in ("one", "seven")]
    np.testing.assert_allclose(frames[0].box, frames[1].box, rtol=1e-5)
    assert len(frames[0].truth) == 68 and len(frames[1].truth) == 7
    assert controlled.factors(before="hand").occluders[0].kind == "hand" and not controlled.factors().occluders


def test_a_turn_begins_where_the_face_is_and_hands_the_last_answer_on(controlled):
    factors, yaws = controlled.factors(yaw=8.0), [-40.0, -20.0, 0.0, 20.0, 40.0]
    free = controlled.turn(factors, "one", "yaw", yaws)
    for yaw, frame in zip(yaws, free, strict=True):
        alone = controlled.frame(replace(factors, yaw=yaw), "one")
        np.testing.assert_allclose(frame.points, alone.points, atol=1e-4)
    chain = controlled.turn(factors, "one", "yaw", yaws, LAST)
    np.testing.assert_allclose(chain[2].points, free[2].points, atol=1e-4)  # the first has no answer before it
    for here, before in ((3, 2), (4, 3), (1, 2), (0, 1)):
        wanted = controlled.frame(replace(factors, yaw=yaws[here]), "one", LAST, chain[before].points)
        np.testing.assert_allclose(chain[here].points, wanted.points, atol=1e-4)
    frozen = controlled.turn(factors, "one", "yaw", yaws, FROZEN)
    for here in (0, 1, 3, 4):
        wanted = controlled.frame(replace(factors, yaw=yaws[here]), "one", FROZEN, frozen[2].points)
        np.testing.assert_allclose(frozen[here].points, wanted.points, atol=1e-4)


def test_where_it_breaks_is_next_to_where_the_face_is():
    values, errors = np.arange(-4.0, 5.0), np.array([30, 9, 11, 2, 1, 3, 12, 9, 40.0])
    assert breaks(values, errors, 0.0) == [-2.0, 2.0]
    assert breaks(values, errors, -2.0) == [-4.0, -2.0] and breaks(values, errors * 0, 0.0) == []


def test_the_widget_shows_the_networks_answer_to_its_sliders(nets, controlled):
    widget = explore_networks(WORLD, nets)
    assert f"error {controlled.frame(controlled.factors(), 'one').error:.1f} %" in widget.status.value
    moves = {"yaw": 40.0, "jaw": 0.8, "person": 5, "before": "hand", "hides": 0.9, "light": 2.0, "net": "seven"}
    for control, value in moves.items():
        before = widget.image.value
        widget.controls[control].value = value
        assert widget.image.value != before, control
    factors = controlled.factors(5, "hand", 0.9, **{name: widget.controls[name].value for name in face_controls.MOVED})
    assert (factors.yaw, factors.jaw, factors.light) == (40.0, 0.8, 2.0)
    assert f"error {controlled.frame(factors, 'seven').error:.1f} %, confidence" in widget.status.value


def test_a_frozen_z0_stays_where_it_was_while_the_face_moves(nets, controlled, monkeypatch):
    painted = []
    panel = face_controls.panel
    monkeypatch.setattr(face_controls, "panel", lambda frame, *rest: painted.append(frame) or panel(frame, *rest))
    widget = explore_networks(WORLD, nets)
    first = painted[-1].points
    widget.controls["guess"].value = FROZEN
    for yaw in (10.0, 20.0):
        widget.controls["yaw"].value = yaw
        wanted = controlled.frame(controlled.factors(yaw=yaw), "one", FROZEN, first)
        np.testing.assert_allclose(painted[-1].steps[0].feedback, wanted.steps[0].feedback)
    widget.controls["guess"].value = LAST  # now every answer starts from the one before
    before = painted[-1].points
    widget.controls["yaw"].value = 25.0
    wanted = controlled.frame(controlled.factors(yaw=25.0), "one", LAST, before)
    np.testing.assert_allclose(painted[-1].points, wanted.points, atol=1e-4)


def test_the_button_sweeps_and_a_curve_of_other_settings_is_not_passed_off_as_this_one(nets):
    widget = explore_networks(WORLD, {"one": nets["one"]})
    assert "fails" in widget.status.value
    widget.controls["yaw"].value = 10.0  # moves along the curve that is there
    assert "fails" in widget.status.value
    widget.controls["smile"].value = 1.0
    assert "press" in widget.status.value and "fails" not in widget.status.value
    (button,) = [child for child in widget.panel.children if hasattr(child, "click")]
    button.click()
    assert "fails" in widget.status.value


def test_controls_render_the_face_that_its_sliders_say():
    widget = explore_face(WORLD)
    assert "of 68 points visible" in widget.status.value
    seen = {widget.image.value}
    for control, value in (("yaw", 50.0), ("person", 7), ("before", "hand"), ("dots", False)):
        widget.controls[control].value = value
        seen.add(widget.image.value)
    assert len(seen) == 5
