"""A reader's own video: what can be read is read, what cannot is named, and frontal faces are found."""

import cv2
import numpy as np
import pytest

from data_prep.errors import DataError
from data_prep.face_world import FaceWorld
from rednet_core.geometry import face_box
from rednet_core.markup import IBUG68
from rednet_lab.show import footage
from rednet_lab.show.footage import LONGEST, detect, frames_of
from tests.helpers import smooth_picture

CASCADES = pytest.mark.skipif(not hasattr(cv2, "CascadeClassifier"), reason="this OpenCV has no cascades")


@pytest.fixture(scope="module")
def face():
    """A frontal face of the face world in a larger picture, and its face box there."""
    for number in range(20):
        sample = FaceWorld(4, 160, occlusion=0, pose=0).still(number)
        picture = np.full((240, 320, 3), 90, np.uint8)
        picture[60:220, 100:260] = sample.image
        if detect(picture) is not None or not hasattr(cv2, "CascadeClassifier"):
            return picture, face_box(sample.points + [100, 60], IBUG68)
    pytest.fail("the cascade finds none of twenty faces")


def write_video(path, pictures, rate=10):
    height, width = pictures[0].shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), rate, (width, height))
    assert writer.isOpened()
    for picture in pictures:
        writer.write(picture[..., ::-1])
    writer.release()
    return str(path)


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    """A video file of 12 frames, one plain colour each, red rising and blue falling."""
    pictures = [np.full((48, 64, 3), (20 * i, 40, 230 - 20 * i), np.uint8) for i in range(12)]
    return write_video(tmp_path_factory.mktemp("own") / "my clip.avi", pictures)


# ------------------------------------------------------------------------------------------------------- reading


def test_frames_come_in_order_and_in_rgb(video):
    frames = frames_of(video)
    assert len(frames) == 12 and all(frame.shape == (48, 64, 3) and frame.dtype == np.uint8 for frame in frames)
    for i, frame in enumerate(frames):
        np.testing.assert_allclose(frame.mean((0, 1)), (20 * i, 40, 230 - 20 * i), atol=6)


@pytest.mark.parametrize(("seconds", "count"), [(0.5, 5), (1.0, 10), (0.0, 1), (60, 12)])
def test_as_many_seconds_as_asked_for(video, seconds, count):
    assert len(frames_of(video, seconds)) == count


def test_large_frames_are_reduced_and_small_ones_left(tmp_path):
    large = smooth_picture(400, 1000, np.random.default_rng(0))
    (frame,) = frames_of(write_video(tmp_path / "large.avi", [large]))
    assert frame.shape == (288, 720, 3) and max(frame.shape) == LONGEST
    np.testing.assert_allclose(frame.mean((0, 1)), large.mean((0, 1)), atol=3)


def test_a_photograph_is_a_video_of_one_frame(tmp_path):
    picture = smooth_picture(30, 40, np.random.default_rng(0))
    for name in ("me.png", "ME.PNG"):
        cv2.imwrite(str(tmp_path / name), picture[..., ::-1])
        (frame,) = frames_of(str(tmp_path / name))
        np.testing.assert_array_equal(frame, picture)


def test_a_path_from_home_is_understood(video, monkeypatch, tmp_path):
    (tmp_path / "clip.avi").write_bytes(open(video, "rb").read())
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path))
    assert len(frames_of("~/clip.avi")) == 12


@pytest.mark.parametrize("name", ["not there.mp4", "", "folder"])
def test_what_is_no_file_is_named(tmp_path, monkeypatch, name):
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match="no such file") as caught:
        frames_of(name)
    assert name in str(caught.value) and "[file]" in str(caught.value) and "webcam" in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"these are words, not frames\n" * 50, b"RIFF\x00\x10\x00\x00AVI LIST"])
@pytest.mark.parametrize("ending", ["avi", "mp4"])
def test_a_file_that_is_no_video_is_named(tmp_path, content, ending):
    path = tmp_path / f"notes.{ending}"
    path.write_bytes(content)
    with pytest.raises(DataError, match="no frame can be read") as caught:
        frames_of(str(path))
    assert path.name in str(caught.value) and "Fix: try MP4 or AVI" in str(caught.value)


def test_a_video_that_breaks_off_gives_what_there_is(video, tmp_path):
    data = open(video, "rb").read()
    (tmp_path / "half.avi").write_bytes(data[: len(data) // 2])
    try:
        frames = frames_of(str(tmp_path / "half.avi"))
    except DataError as error:  # an OpenCV whose reader wants the index at the end
        assert "no frame can be read" in str(error)
    else:
        assert 0 < len(frames) < 12


def test_a_photograph_that_is_none_is_named(tmp_path):
    path = tmp_path / "me.jpg"
    path.write_bytes(b"no picture")
    with pytest.raises(DataError, match="try another picture") as caught:
        frames_of(str(path))
    assert "me.jpg" in str(caught.value) and "[file]" in str(caught.value)


@pytest.mark.parametrize("name", ["IMG_1.HEIC", "img.heif"])
def test_a_telephones_heic_is_told_what_to_do(tmp_path, name):
    (tmp_path / name).write_bytes(b"\0\0\0 ftypheic")
    with pytest.raises(DataError, match="HEI[CF] pictures cannot be read.*Fix: save it as JPEG"):
        frames_of(str(tmp_path / name))


class Camera:
    """Stands for cv2.VideoCapture: a camera with so many frames that does not know its rate."""

    def __init__(self, count, opened):
        self.left, self.opened, self.released = count, opened, False

    def __call__(self, place):
        self.opened.append(place)
        return self

    def get(self, _):
        return 0.0

    def set(self, *_):
        return True

    def read(self):
        self.left -= 1
        return self.left >= 0, np.zeros((20, 30, 3), np.uint8)

    def release(self):
        self.released = True


def test_the_webcam_is_opened_and_let_go_of(monkeypatch):
    opened = []
    camera = Camera(1000, opened)
    monkeypatch.setattr(footage.cv2, "VideoCapture", camera)
    assert len(frames_of("webcam", 2)) == 50  # 25 a second where the camera does not say
    assert opened == [0] and camera.released


def test_a_webcam_that_gives_nothing_is_named(monkeypatch):
    camera = Camera(0, [])
    monkeypatch.setattr(footage.cv2, "VideoCapture", camera)
    with pytest.raises(DataError, match="allow the camera"):
        frames_of("webcam")
    assert camera.released


# ----------------------------------------------------------------------------------------------------- uploading


def test_an_upload_is_read_as_the_file_it_was(video):
    with open(video, "rb") as file:
        frames = footage.uploaded("my clip.avi", file.read())
    for one, other in zip(frames, frames_of(video), strict=True):
        np.testing.assert_array_equal(one, other)


def test_an_upload_that_cannot_be_read_is_named_without_the_folder_it_was_kept_in():
    for name in ("me.jpg", "me.avi", "me"):
        with pytest.raises(DataError) as caught:
            footage.uploaded(name, b"no picture at all")
        assert str(caught.value).startswith(f"{name}: [file]") and "Fix: " in str(caught.value)


def test_an_upload_that_is_too_large_is_refused():
    with pytest.raises(DataError, match="11 MB are too much.* Fix: give its path"):
        footage.uploaded("me.mp4", bytes(11_000_000))


def test_a_picture_of_too_many_pixels_is_refused_before_it_is_decoded(tmp_path, monkeypatch):
    path = tmp_path / "me.png"
    cv2.imwrite(str(path), np.zeros((30, 40, 3), np.uint8))
    monkeypatch.setattr(footage, "MOST_PIXELS", 30 * 40)
    assert len(frames_of(str(path))) == 1
    monkeypatch.setattr(footage, "MOST_PIXELS", 30 * 40 - 1)
    monkeypatch.setattr(footage, "read_image", None)
    with pytest.raises(DataError, match="40 x 30 pixels are too many"):
        frames_of(str(path))


def test_no_more_frames_than_memory_is_meant_for(video, monkeypatch):
    monkeypatch.setattr(footage, "MOST_FRAMES", 7)
    assert len(frames_of(video, 60)) == 7


# ------------------------------------------------------------------------------------------------------- finding


@CASCADES
def test_the_detector_finds_the_papers_box(face):
    picture, box = face
    found = detect(picture)
    assert np.hypot(*(found[:2] - box[:2])) < 0.2 * box[2] and 0.75 < found[2] / box[2] < 1.33


@CASCADES
def test_of_two_faces_the_larger_one_is_found(face):
    picture, box = face
    both = np.full((240, 620, 3), 90, np.uint8)
    both[:, :320] = picture
    both[100:205, 360:500] = cv2.resize(picture, (140, 105), interpolation=cv2.INTER_AREA)
    assert np.hypot(*(detect(both)[:2] - box[:2])) < 0.3 * box[2]


def test_where_no_face_is_the_detector_says_so():
    assert detect(smooth_picture(120, 160, np.random.default_rng(3))) is None
    assert detect(np.zeros((20, 20, 3), np.uint8)) is None


def test_an_opencv_without_cascades_is_no_error(face, monkeypatch):
    monkeypatch.delattr(footage.cv2, "CascadeClassifier", raising=False)
    assert detect(face[0]) is None
