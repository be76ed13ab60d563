"""One fixed square a video: the face stays in it through all frames, as fine as the video has it."""

import cv2
import numpy as np
import pytest

from data_prep.cli import main
from data_prep.errors import BadItem, DataError
from data_prep.fixed_crop import FixedCrop
from data_prep.joined import Joined
from data_prep.landmark_subset import LandmarkSubset
from data_prep.prepare import prepare
from data_prep.readers.ibug import IbugFaces
from data_prep.readers.vw300 import VW300
from data_prep.store import Store
from rednet_core.markup import SEVEN
from rednet_lab.evaluation import predict_mean_shape, predict_videos
from rednet_lab.workbench.prepared import PreparedSource
from tests.data_prep.folders import MAKERS
from tests.data_prep.makers import pair, pts, put
from tests.data_prep.makers_stores import put as put_store
from tests.data_prep.makers_stores import stills
from tests.helpers import blob, centroid, face, loop_box, tiny_net
from tests.rednet_lab.conftest import TINY

WIDTH, HEIGHT, SIDE, FRAMES = 480, 270, 60, 8
NOSE = 30


def path_of(video, k):
    """Points (68, 2) of frame k: the face of video 001 goes to the right, that of 002 down, smaller and turned."""
    if video == "001":
        return face((80 + 12 * k, 130), SIDE)
    return face((300, 60 + 10 * k), 0.7 * SIDE, 0.05 * k)


def film(root, number, frames=FRAMES):
    """A 300-VW video with a bright spot on the nose of a moving face."""
    (root / number / "annot").mkdir(parents=True)
    writer = cv2.VideoWriter(str(root / number / "vid.avi"), cv2.VideoWriter_fourcc(*"MJPG"), 25, (WIDTH, HEIGHT))
    assert writer.isOpened()
    for k in range(frames):
        points = path_of(number, k)
        spot = blob((HEIGHT, WIDTH), points[NOSE], 3)
        writer.write(np.repeat((20 + 220 * spot).astype(np.uint8)[..., None], 3, -1))
        put(root / number / "annot" / f"{k + 1:06d}.pts", pts(points + 1))
    writer.release()


@pytest.fixture
def films(tmp_path):
    for number in ("001", "002"):
        film(tmp_path / "vw", number)
    return tmp_path / "vw"


def expected_square(video, margin=1.5):
    """The square by a loop over the frames' own boxes."""
    left, top, right, bottom = np.inf, np.inf, -np.inf, -np.inf
    for k in range(FRAMES):
        x, y, side = loop_box(path_of(video, k))
        reach = margin * side / 2
        left, top, right, bottom = (
            min(left, x - reach),
            min(top, y - reach),
            max(right, x + reach),
            max(bottom, y + reach),
        )
    return (left + right) / 2, (top + bottom) / 2, max(right - left, bottom - top)


# ------------------------------------------------------------------------------------------------------ the square


def test_the_face_of_every_frame_is_in_its_videos_square_and_moves_in_it(films, tmp_path):
    store, _ = prepare(FixedCrop(VW300(films)), tmp_path / "store", 128, None, "key")
    assert len(store) == 2 * FRAMES and store.videos == ["001", "002"]
    for number, video in enumerate(store.videos):
        rows = store.table[store.table["video"] == number]
        np.testing.assert_allclose(rows["box"], [expected_square(video)] * FRAMES, rtol=1e-5)
        for k, row in enumerate(rows):
            x, y, side = loop_box(row["points"])
            assert min(x, y) - 0.75 * side >= -0.51 and max(x, y) + 0.75 * side <= 127.51  # pixel 0 begins at -0.5
            spot = centroid(np.clip(store.crops[number * FRAMES + k][..., 0].astype(float) - 60, 0, None))
            np.testing.assert_allclose(spot, row["points"][NOSE], atol=0.5)
        way = np.ptp(rows["points"][:, NOSE], axis=0)
        assert way.max() > 0.7 * side


def test_it_is_finer_than_whole_frames_at_the_same_size(films, tmp_path):
    boxed, _ = prepare(FixedCrop(VW300(films)), tmp_path / "boxed", 128, None, "key")
    whole, _ = prepare(VW300(films), tmp_path / "whole", 128, None)
    for k in (0, FRAMES):
        assert loop_box(boxed.table["points"][k])[2] > 2 * loop_box(whole.table["points"][k])[2]


def test_a_square_larger_than_the_picture_is_the_picture(films, tmp_path):
    boxed, _ = prepare(FixedCrop(VW300(films), margin=40), tmp_path / "boxed", 64, None, "key")
    whole, _ = prepare(VW300(films), tmp_path / "whole", 64, None)
    assert (boxed.crops[:] == whole.crops[:]).all() and (boxed.table["box"] == [239.5, 134.5, 480]).all()


def test_frames_without_a_face_do_not_move_the_square(films, tmp_path):
    """Bad annotations, frames that the owner leaves out, and faces without a size are not what a video is cut by."""
    far = face((5000, 5000), SIDE)
    put(films / "001" / "annot" / "000002.pts", b"no points")
    put(films / "001" / "annot" / "000003.pts", pts(np.full((68, 2), 9000.0)))
    put(films / "001" / "annot" / "second 000004.pts", pts(far))  # no frame's
    put(films / "001" / "annot" / "04.pts", pts(far))  # the second of frame 4
    square = FixedCrop(VW300(films)).square(0)
    np.testing.assert_allclose(square, expected_square("001"), rtol=1e-6)


def test_a_video_without_a_face_is_skipped_and_said(films, tmp_path):
    for path in (films / "001" / "annot").iterdir():
        path.write_bytes(pts(face((50, 50), 4)))
    store, report = prepare(FixedCrop(VW300(films)), tmp_path / "store", 32, None, "key")
    assert store.videos == ["002"] and set(report.skipped) == {("001", "no frame of its video has a face box")}


def test_workers_and_runs_that_were_stopped_cut_the_same(films, tmp_path, monkeypatch):
    prepare(FixedCrop(VW300(films)), tmp_path / "1", 64, None, "key", 1)
    prepare(FixedCrop(VW300(films)), tmp_path / "2", 64, None, "key", 2)
    for name in ("crops.npy", "table.npy", "store.json"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes(), name


def test_what_has_no_videos_has_no_box_of_one(tmp_path):
    pair(tmp_path / "trainset", "1_1")
    for reader in (IbugFaces(tmp_path, "helen"), LandmarkSubset(IbugFaces(tmp_path, "helen"))):
        with pytest.raises(DataError, match="has no videos"):
            FixedCrop(reader)


@pytest.mark.parametrize("name", ["300vw", "talking_face", "face_movies"])
def test_every_data_set_of_annotated_videos_can_be_cut_so(tmp_path, name, capsys):
    MAKERS[name](tmp_path / "x")
    command = ["prepare", str(tmp_path / "x"), str(tmp_path / "s"), "--size", "40", "--fixed-crop", "--seven"]
    assert main(command) == 0 and "px wide of 40" in capsys.readouterr().out
    store = Store(tmp_path / "s")
    assert store.markup is SEVEN and store.meta["margin"] is None
    boxes = np.concatenate([store.table["points"].min((1, 2)), 39 - store.table["points"].max((1, 2))])
    assert (boxes > 0).all()
    assert main(command) == 0 and "already prepared" in capsys.readouterr().out


def test_points_that_cannot_be_read_raise_where_they_are_asked_for(films):
    put(films / "001" / "annot" / "000002.pts", b"no points")
    with pytest.raises(BadItem, match="no opening brace"):
        VW300(films).annotation(1)


# ----------------------------------------------------------------------------------------- tracking from the store


def test_the_tracking_protocol_runs_on_such_a_store(films, tmp_path):
    split = "video,split,scenario,identity\n001,test,1,a\n002,test,3,b\n"
    put(tmp_path / "split.csv", split.encode())
    videos = FixedCrop(VW300(films, split_file=tmp_path / "split.csv"))
    put_store(tmp_path / "all", "stills", stills(persons=True))
    (tmp_path / "all" / "videos").mkdir()
    prepare(videos, tmp_path / "all" / "videos" / "vw", 128, None, "key")
    source = PreparedSource(TINY, str(tmp_path / "all"), 0)
    found = source.test_videos()
    assert {name: len(rows) for name, rows in found.groups.items()} == {"common": FRAMES, "challenging": FRAMES}
    assert Joined(tmp_path / "all" / "videos").readers == ["vw300"]
    net = tiny_net()
    for rows in found.groups.values():
        truth = predict_mean_shape(net.mean_shape.numpy(), found.data, rows, net.markup)
        result = predict_videos(net, found.data, rows)
        assert np.isfinite(result.points).all() and (result.truth == truth.truth).all()
        # The first frame is seen by its true box: whatever an untrained network says lies in or near it.
        first = result.rows == rows[0]
        x, y, side = loop_box(result.truth[first][0])
        assert np.abs(result.points[first][0] - [x, y]).max() < side
