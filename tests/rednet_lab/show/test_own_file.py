"""A reader's own photograph or video in the instruments: uploaded, boxed, looked at; what is wrong is said."""

import cv2
import numpy as np
import pytest

from rednet_core.markup import IBUG68
from rednet_lab.show import explorer, own_file
from rednet_lab.show.own_file import OwnFile, whole_picture
from rednet_lab.show.trace import Face, faces_of
from tests.helpers import smooth_picture, upload


@pytest.fixture(scope="module")
def photo():
    """A picture without a face, as PNG, and its pixels."""
    picture = smooth_picture(60, 90, np.random.default_rng(1))
    return cv2.imencode(".png", picture[..., ::-1])[1].tobytes(), picture


def shown(painter):
    """The picture that a widget shows, (H, W, 3)."""
    return cv2.imdecode(np.frombuffer(painter.image.value, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]


def sliders(owner):
    """The three sliders of the face box."""
    return [owner.box[f"face {name}"] for name in ("across", "down", "size")]


def test_without_a_detected_face_the_box_is_in_the_middle_and_can_be_moved(photo):
    own = OwnFile()
    assert own.face() is None and own.words == own_file.HINT and own.box["face size"].layout.display == "none"
    upload(own.upload, "me & you.png", photo[0])
    np.testing.assert_array_equal(own.face().image, photo[1])
    np.testing.assert_allclose(own.face().box, [45, 30, 36])
    assert "me &amp; you.png: no frontal face" in own.words and own.box["face size"].layout.display is None
    for slider, value in zip(sliders(own), (20.0, 40.0, 50.0), strict=True):
        slider.value = value
    np.testing.assert_allclose(own.face().box, [18, 36, 45])  # per cent of 90 pixels


def test_the_detectors_box_is_taken_over(photo, monkeypatch):
    monkeypatch.setattr(own_file, "detect", lambda image: np.array([27.0, 31.5, 40.5]))
    own = OwnFile()
    upload(own.upload, "me.png", photo[0])
    np.testing.assert_allclose(own.face().box, [27, 31.5, 40.5]) and own.found
    assert "found by the detector" in own.words


def test_a_file_that_cannot_be_read_is_said_and_takes_the_earlier_one_away(photo):
    own = OwnFile()
    upload(own.upload, "me.png", photo[0])
    assert own.face() is not None
    upload(own.upload, "<me>.png", b"words")
    assert "DataError" in own.words and "&lt;me&gt;.png" in own.words and "try another picture" in own.words
    assert own.face() is None and own.box["face size"].layout.display == "none"
    upload(own.upload, "me.png", photo[0])
    assert own.face() is not None and "DataError" not in own.words


def test_a_photo_is_explored_as_any_face(net, faces, photo):
    widget = explorer.explore_layers(net, faces_of(faces, np.array([0]), IBUG68))
    upload(widget.controls["file"], "me.png", photo[0])
    assert widget.controls["face"].value == explorer.OWN and "me.png" in widget.status.value
    inside = explorer.Activations(net)
    for box in ([45.0, 30.0, 36.0], [45.0, 30.0, 45.0]):  # in the middle; then enlarged to half of the picture
        wanted = explorer.panel(inside, Face("me", photo[1], np.array(box)), "A2", 1, 0)
        np.testing.assert_array_equal(shown(widget), wanted)
        widget.controls["face_size"].value = 50.0
    widget.controls["face"].value = "face 1"
    assert "me.png" not in widget.status.value and widget.controls["face_size"].layout.display == "none"


def test_a_broken_photo_is_said_and_the_explorer_goes_back_to_a_face_of_its_own(net, faces, photo):
    widget = explorer.explore_layers(net, faces_of(faces, np.array([0]), IBUG68))
    first = widget.image.value
    upload(widget.controls["file"], "me.png", photo[0])
    upload(widget.controls["file"], "you.png", b"words")
    assert "DataError" in widget.status.value and "you.png" in widget.status.value
    assert widget.controls["face"].options == ("face 1",) and widget.image.value == first
    widget.controls["channel"].value = 2
    assert widget.status.value.startswith("channel 2")


def test_a_box_drawn_on_a_picture_that_is_not_square_is_where_it_is():
    picture = np.zeros((40, 80, 3), np.uint8)
    out = whole_picture(Face("x", picture, np.array([39.5, 19.5, 20.0])), 160)
    yellow = np.argwhere((out[..., 0] > 150) & (out[..., 2] < 150))
    np.testing.assert_allclose(yellow.mean(0), [39.5, 79.5], atol=1)
    assert np.ptp(yellow[:, 0]) == pytest.approx(40, abs=2)


def test_the_explorer_takes_a_path_too(net, faces, photo, tmp_path):
    (tmp_path / "me.png").write_bytes(photo[0])
    widget = explorer.explore_layers(net, faces_of(faces, np.array([0]), IBUG68))
    widget.controls["path"].value = str(tmp_path / "me.png")
    assert widget.controls["face"].value == explorer.OWN and "me.png" in widget.status.value
    wanted = explorer.panel(explorer.Activations(net), Face("me", photo[1], np.array([45.0, 30.0, 36.0])), "A2", 1, 0)
    np.testing.assert_array_equal(shown(widget), wanted)
    wrong = {"method": "update", "state": {"value": str(tmp_path / "no.png")}}
    widget.controls["path"]._handle_msg({"content": {"data": wrong}})
    assert "no such file" in widget.status.value
    widget.controls["channel"].value = 2
    assert widget.status.value.startswith("channel 2")


def test_a_slider_moved_and_moved_back_brings_the_detectors_box_again(monkeypatch):
    monkeypatch.setattr(own_file, "detect", lambda frame: np.array([33.33, 21.21, 19.19]))
    own = OwnFile()
    own.take("mine", [np.zeros((60, 90, 3), np.uint8)])
    slider = own.box["face down"]
    assert slider.value % slider.step == 0
    before = own.face().box
    slider.value += slider.step
    assert (own.face().box != before).any()
    slider.value -= slider.step
    np.testing.assert_array_equal(own.face().box, before)
