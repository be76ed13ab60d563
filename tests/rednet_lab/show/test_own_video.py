"""A reader's own video: what can be read is read, what cannot is named, and a face is found, followed, found again."""

from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from data_prep.errors import DataError
from data_prep.face_world import FaceWorld
from rednet_core.geometry import face_box
from rednet_core.markup import IBUG68
from rednet_lab.show import own_video
from rednet_lab.show.own_video import LONGEST, LOST, PATIENCE, detect, first_box, follow, frames_of, search
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
    assert name in str(caught.value) and "my_video" in str(caught.value) and "webcam" in str(caught.value)


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
    assert "me.jpg" in str(caught.value) and "my_video" in str(caught.value)


@pytest.mark.parametrize("name", ["IMG_1.HEIC", "img.heif"])
def test_a_telephones_heic_is_told_what_to_do(tmp_path, name):
    (tmp_path / name).write_bytes(b"\0\0\0 ftypheic")
    with pytest.raises(DataError, match="HEIC pictures cannot be read.*Fix: save a copy of it as JPEG"):
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

    def read(self):
        self.left -= 1
        return self.left >= 0, np.zeros((20, 30, 3), np.uint8)

    def release(self):
        self.released = True


def test_the_webcam_is_opened_and_let_go_of(monkeypatch):
    opened = []
    camera = Camera(1000, opened)
    monkeypatch.setattr(own_video.cv2, "VideoCapture", camera)
    assert len(frames_of("webcam", 2)) == 50  # 25 a second where the camera does not say
    assert opened == [0] and camera.released


def test_a_webcam_that_gives_nothing_is_named(monkeypatch):
    camera = Camera(0, [])
    monkeypatch.setattr(own_video.cv2, "VideoCapture", camera)
    with pytest.raises(DataError, match="allow the camera"):
        frames_of("webcam")
    assert camera.released


# ----------------------------------------------------------------------------------------------------- uploading


def test_an_upload_is_read_as_the_file_it_was(video):
    with open(video, "rb") as file:
        frames = own_video.uploaded("my clip.avi", file.read())
    for one, other in zip(frames, frames_of(video), strict=True):
        np.testing.assert_array_equal(one, other)


def test_an_upload_that_cannot_be_read_is_named_without_the_folder_it_was_kept_in():
    for name in ("me.jpg", "me.avi", "me"):
        with pytest.raises(DataError) as caught:
            own_video.uploaded(name, b"no picture at all")
        assert str(caught.value).startswith(f"{name}: [file]") and "Fix: " in str(caught.value)


def test_an_upload_that_is_too_large_is_refused():
    with pytest.raises(DataError, match="11 MB are too much.* Fix: give its path"):
        own_video.uploaded("me.mp4", bytes(11_000_000))


def test_a_picture_of_too_many_pixels_is_refused_before_it_is_decoded(tmp_path, monkeypatch):
    path = tmp_path / "me.png"
    cv2.imwrite(str(path), np.zeros((30, 40, 3), np.uint8))
    monkeypatch.setattr(own_video, "MOST_PIXELS", 30 * 40)
    assert len(frames_of(str(path))) == 1
    monkeypatch.setattr(own_video, "MOST_PIXELS", 30 * 40 - 1)
    monkeypatch.setattr(own_video, "read_image", None)
    with pytest.raises(DataError, match="40 x 30 pixels are too many"):
        frames_of(str(path))


def test_no_more_frames_than_memory_is_meant_for(video, monkeypatch):
    monkeypatch.setattr(own_video, "MOST_FRAMES", 7)
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
    monkeypatch.delattr(own_video.cv2, "CascadeClassifier", raising=False)
    assert detect(face[0]) is None


class Sure:
    """Stands for a Tracker that is the surer the nearer its boxes are to the true one; remembers what it was asked."""

    def __init__(self, true, asked):
        self.true, self.asked = np.asarray(true, float), asked

    def __call__(self, net):
        return self

    def start(self, boxes):
        self.boxes = np.atleast_2d(boxes)
        self.asked.append(self.boxes)

    def update(self, pictures):
        assert len(pictures) == len(self.boxes)
        off = np.abs(self.boxes - self.true) / self.true[2]
        return SimpleNamespace(confidence=np.exp(-off.sum(-1)))


@pytest.mark.parametrize("true", [(60, 60, 100), (200, 80, 60), (40, 40, 45), (160, 70, 130)])
@pytest.mark.parametrize(("height", "width"), [(140, 260), (260, 140)])
def test_the_search_goes_over_the_whole_picture_and_takes_the_surest_box(monkeypatch, true, height, width):
    true = true if width > height else (true[1], true[0], true[2])
    asked = []
    monkeypatch.setattr(own_video, "Tracker", Sure(true, asked))
    box, sure = search(None, np.zeros((height, width, 3), np.uint8))
    boxes = np.concatenate(asked)
    assert max(len(some) for some in asked) <= 64 and len(boxes) > 50  # in batches
    off = np.abs(boxes - true).sum(-1)
    np.testing.assert_array_equal(box, boxes[off.argmin()])
    assert sure == pytest.approx(np.exp(-off.min() / true[2]))
    assert np.abs(box - true).max() < 0.3 * true[2]
    assert (boxes[:, :2] >= boxes[:, 2:] / 2 - 1e-9).all() and (boxes[:, 0] <= width - boxes[:, 2] / 2 + 1).all()


def test_without_a_detection_an_unsure_search_finds_nothing(net, monkeypatch):
    picture = np.zeros((60, 60, 3), np.uint8)
    box = np.array([30.0, 30.0, 30.0])
    monkeypatch.setattr(own_video, "detect", lambda image: None)
    for sure, found in ((LOST - 0.01, False), (LOST + 0.01, True)):
        monkeypatch.setattr(own_video, "search", lambda net, image, sure=sure: (box, sure))
        assert (first_box(net, picture) is not None) == found


def test_the_detectors_box_is_refined_by_the_first_landmarks(net, faces, monkeypatch):
    box = face_box(np.array(faces.table["points"][0]), IBUG68)
    monkeypatch.setattr(own_video, "detect", lambda image: box)
    monkeypatch.setattr(own_video, "search", None)  # not needed
    tracker = own_video.Tracker(net)
    tracker.start(box)
    tracker.update(faces.crops[0])
    np.testing.assert_allclose(first_box(net, faces.crops[0]), tracker.box[0], atol=1e-4)


# ------------------------------------------------------------------------------------------------------- following


@pytest.fixture
def looks(monkeypatch):
    """The pictures in which a face was looked for; it is found in those that are not black."""
    seen = []

    def look(net, image):
        seen.append(image)
        return np.array([24.0, 24.0, 30.0]) if image.any() else None

    monkeypatch.setattr(own_video, "first_box", look)
    return seen


def test_a_clip_without_a_face_has_no_traces_and_says_so(net, looks):
    clip = [np.zeros((48, 48, 3), np.uint8)] * 4
    assert follow(net, clip) == ([], "followed in 0 of 4 frames, found 0 times")
    assert len(looks) == 4


def test_a_box_that_is_given_is_where_it_starts(net, looks, faces, monkeypatch):
    monkeypatch.setattr(own_video, "LOST", -1.0)  # never lost
    box, told = np.array([20.0, 25.0, 28.0]), []
    track, said = follow(net, list(faces.crops[:3]), box, lambda done, total: told.append((done, total)))
    np.testing.assert_allclose(track[0].box, box)
    assert len(track) == 3 and not looks and said == "followed in 3 of 3 frames, found 1 times"
    assert told == [(0, 3), (1, 3), (2, 3)]


def test_frames_before_the_first_face_are_left_out(net, looks, faces, monkeypatch):
    monkeypatch.setattr(own_video, "LOST", -1.0)  # never lost
    black = np.zeros((48, 48, 3), np.uint8)
    track, said = follow(net, [black, black, *faces.crops[:3]])
    assert len(track) == 3 and said == "followed in 3 of 5 frames, found 1 times"
    assert len(looks) == 3
    for trace, image in zip(track, faces.crops, strict=False):
        np.testing.assert_array_equal(trace.image, image)
        assert np.isnan(trace.error)


def test_a_face_that_is_lost_is_looked_for_again(net, looks, faces, monkeypatch):
    monkeypatch.setattr(own_video, "LOST", 2.0)  # always lost
    clip = [faces.crops[0]] * (2 * PATIENCE + 1)
    track, said = follow(net, clip)
    assert len(track) == len(clip) and len(looks) == 3  # at the start and after every five doubtful frames
    assert said == f"followed in {len(clip)} of {len(clip)} frames, found 3 times"
    np.testing.assert_allclose(track[PATIENCE].box, [24.0, 24.0, 30.0])  # started anew


def test_a_real_file_is_followed_from_end_to_end(net, face, tmp_path, monkeypatch):
    picture, box = face
    monkeypatch.setattr(own_video, "detect", lambda image: box)  # found with any OpenCV
    clip = frames_of(write_video(tmp_path / "me.avi", [picture] * 3))
    track, _ = follow(net, clip)
    assert len(track) == 3 and all(trace.points.shape == (68, 2) for trace in track)
    assert all(np.isfinite(trace.points).all() and 0 <= trace.confidence <= 1 for trace in track)
