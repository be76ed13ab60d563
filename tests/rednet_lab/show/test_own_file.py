"""A reader's own photograph or video in the instruments: uploaded, boxed, looked at; what is wrong is said."""

import cv2
import numpy as np
import pytest

from rednet_core.markup import IBUG68
from rednet_lab.show import explorer, own_file
from rednet_lab.show.own_file import OwnFile, OwnTracker, whole_picture
from rednet_lab.show.player import PLAYER
from rednet_lab.show.trace import Face, FaceTracer, faces_of
from tests.helpers import smooth_picture


def upload(widget, name, content):
    """What a browser sends when a file is chosen; ipywidgets catches what this raises."""
    file = {"name": name, "type": "", "size": len(content), "last_modified": 0, "content": memoryview(content)}
    state = {"value": [{key: value for key, value in file.items()}]}
    widget._handle_msg({"content": {"data": {"method": "update", "state": state}}})


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


def test_a_clip_is_followed_from_the_box_as_it_was_set(net, photo):
    tracker = OwnTracker(net)
    assert tracker.button.disabled
    upload(tracker.own.upload, "me.png", photo[0])
    assert not tracker.button.disabled and "1 frames" in tracker.painter.status.value
    tracker.own.box["face size"].value = 60.0
    tracker.button.click()
    (frame,) = tracker.track
    np.testing.assert_allclose(frame.box, [45, 30, 54])
    expected = FaceTracer(net).frame(Face("me", photo[1], np.array([45.0, 30.0, 54.0])))
    np.testing.assert_allclose(frame.points, expected.points, atol=1e-3)
    assert "followed in 1 of 1" in tracker.said.value
    assert PLAYER in tracker.result.outputs[0]["data"]["text/html"]
    upload(tracker.own.upload, "you.png", b"words")
    assert tracker.track == [] and tracker.result.outputs == () and tracker.button.disabled


def test_a_path_works_as_an_upload_does_and_a_wrong_one_is_said(net, photo, tmp_path):
    (tmp_path / "me.png").write_bytes(photo[0])
    tracker = OwnTracker(net)
    tracker.own.path._handle_msg(
        {"content": {"data": {"method": "update", "state": {"value": str(tmp_path / "no.avi")}}}}
    )
    assert "no such file" in tracker.painter.status.value and tracker.button.disabled
    tracker.own.path.value = str(tmp_path / "me.png")
    assert "no frontal face" in tracker.painter.status.value and not tracker.button.disabled


def test_an_error_while_following_is_shown(net, photo, monkeypatch):
    monkeypatch.setattr(own_file, "follow", lambda *arguments: ([], "nobody"))
    tracker = OwnTracker(net)
    upload(tracker.own.upload, "me.png", photo[0])
    tracker.button.click()  # ipywidgets writes what a button raises into the log only
    assert "no face in any frame" in tracker.said.value


def test_an_upload_that_is_too_large_is_said_with_another_way_beside_it(net, photo, monkeypatch):
    tracker = OwnTracker(net)
    assert f"rednet-most-{own_file.MOST_BYTES}" in tracker.own.upload._dom_classes  # widgets.js refuses more than that
    order = list(tracker.painter.controls.values())
    assert order.index(tracker.own.path) == order.index(tracker.own.upload) + 1
    assert "10 MB" in tracker.painter.status.value and "path" in tracker.painter.status.value
    monkeypatch.setattr("rednet_lab.show.own_video.MOST_BYTES", 100)
    upload(tracker.own.upload, "me.png", photo[0])  # from a page that let it through
    assert "give its path instead" in tracker.painter.status.value and tracker.button.disabled


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
