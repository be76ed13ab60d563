"""300-VW, its splits, and YouTube Faces: frames match their points, videos are decoded forward, files are untrusted."""

import pickle
import zipfile

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.io import savemat

from data_prep import video as videos
from data_prep.errors import BadItem, DataError
from data_prep.prepare import prepare
from data_prep.readers import youtube_faces
from data_prep.readers.vw300 import VW300
from data_prep.readers.vw300_split import COLUMNS, OFFICIAL, default_split, read_split
from data_prep.readers.youtube_faces import YouTubeFaces, shapes
from data_prep.video import Video
from tests.data_prep import makers
from tests.data_prep.makers import frame_number, npz, picture, points_of, pts, put, read_all, tree_of, vw300

# ---------------------------------------------------------------------------------------------------------- Video


@pytest.mark.parametrize("codec", ["MJPG", "mp4v"])
def test_frames_are_those_that_were_written_in_any_order(tmp_path, codec):
    film = Video(makers.video(tmp_path / "vid.avi", 20, codec))
    for k in (0, 1, 2, 7, 3, 19, 19, 0, 11):
        assert frame_number(film.frame(k)) == k
    assert len(film.times()) == 20 and frame_number(film.frame(5)) == 5


def test_going_forward_opens_once_and_decodes_each_frame_once(tmp_path, monkeypatch):
    calls = []

    open_capture = cv2.VideoCapture

    class Counting:  # around one, not a subclass: collecting those brings the interpreter down
        def __init__(self, *args):
            calls.append("open")
            self.capture = open_capture(*args)

        def __getattr__(self, name):
            calls.append(name)
            return getattr(self.capture, name)

        def set(self, what, value):
            assert what == cv2.CAP_PROP_ORIENTATION_AUTO, "never seek"
            return self.capture.set(what, value)

    path = makers.video(tmp_path / "vid.avi", 12)
    monkeypatch.setattr(videos.cv2, "VideoCapture", Counting)
    film = Video(path)
    for k in (0, 1, 2, 6, 7, 11):
        film.frame(k)
    assert calls.count("open") == 1 and calls.count("grab") == 6 and calls.count("read") == 6


def test_colours_are_rgb(tmp_path):
    writer = cv2.VideoWriter(str(tmp_path / "v.avi"), cv2.VideoWriter_fourcc(*"MJPG"), 25, (64, 48))
    writer.write(np.full((48, 64, 3), (200, 40, 40), np.uint8))  # blue
    writer.release()
    red, _, blue = Video(tmp_path / "v.avi").frame(0)[20, 20]
    assert blue > 150 > red


def test_what_is_no_video_is_named(tmp_path):
    with pytest.raises(BadItem, match="absent.avi: video file is missing"):
        Video(tmp_path / "absent.avi").frame(0)
    with pytest.raises(BadItem, match="cannot be opened"):
        Video(put(tmp_path / "text.avi", b"no video")).frame(0)
    film = Video(makers.video(tmp_path / "short.avi", 3))
    with pytest.raises(BadItem, match="video ends after 3 frames"):
        film.frame(3)
    assert frame_number(film.frame(2)) == 2  # and it can be read again
    assert frame_number(pickle.loads(pickle.dumps(film)).frame(1)) == 1


# --------------------------------------------------------------------------------------------------------- 300-VW


def test_annotation_k_belongs_to_the_kth_decoded_frame(tmp_path):
    root = tmp_path / "300VW Dataset ü"
    vw300(root, "001", 6)
    vw300(root, "540", 4)
    before = tree_of(root)
    reader = VW300(tmp_path)  # found one folder further in
    items, problems = read_all(reader)
    assert not problems and list(items)[:2] == ["001/000001", "001/000002"] and len(items) == 10
    for item in items.values():
        assert item.points[0].tolist() == [item.frame, item.frame]  # 1-based in the file
        assert frame_number(item.image) == item.frame - 1
    assert items["001/000001"].split == "train" and items["540/000004"].split == "test"
    assert items["540/000001"].group == "common"
    assert {item.identity for item in items.values()} == {"300-VW 001", "300-VW 540"}  # stage 3 needs persons
    assert reader.runs() == [range(0, 6), range(6, 10)]
    np.testing.assert_allclose(VW300(root, base=0)[0].points - reader[0].points, 1)
    assert tree_of(root) == before


def test_workers_write_the_same_store_and_leave_nothing_beside_it(tmp_path):
    for number in ("001", "002", "540"):
        vw300(tmp_path / "vw", number, 5)
    put(tmp_path / "vw" / "002" / "annot" / "000003.pts", b"broken")
    reports = [prepare(VW300(tmp_path / "vw"), tmp_path / str(n), 24, None, workers=n)[1] for n in (1, 2)]
    assert reports[0] == reports[1] and reports[0].kept == 14
    for name in ("crops.npy", "table.npy", "store.json", "skipped.json"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes(), name
    assert sorted(p.name for p in (tmp_path / "2").iterdir()) == [
        "crops.npy",
        "skipped.json",
        "store.json",
        "table.npy",
    ]


def test_a_video_a_little_shorter_than_its_annotation_gives_what_it_has(tmp_path):
    vw300(tmp_path, "001", 6, annotated=8)
    items, problems = read_all(VW300(tmp_path))
    assert len(items) == 6 and list(problems.values()) == ["video ends after 6 frames"]
    vw300(tmp_path, "002", 8, annotated=6)
    assert len(read_all(VW300(tmp_path))[0]) == 12


@pytest.mark.parametrize("frames, annotated", [(4, 12), (12, 4)])
def test_a_video_of_another_length_cannot_be_matched(tmp_path, frames, annotated):
    vw300(tmp_path, "001", frames, annotated=annotated)
    items, problems = read_all(VW300(tmp_path))
    assert not items and f"the video has {frames} frames, but {annotated} are annotated" in str(problems)


def test_a_frame_that_is_lost_leaves_a_gap_in_the_numbers(tmp_path):
    vw300(tmp_path, "001", 6)
    (tmp_path / "001" / "annot" / "000003.pts").unlink()
    items, _ = read_all(VW300(tmp_path))
    assert [item.frame for item in items.values()] == [1, 2, 4, 5, 6]
    assert [frame_number(item.image) for item in items.values()] == [0, 1, 3, 4, 5]


def test_systems_files_and_other_folders_are_no_videos(tmp_path):
    vw300(tmp_path, "001", 3)
    put(tmp_path / "001" / "annot" / "._000001.pts", b"junk")
    put(tmp_path / "notes" / "x.txt", b"")
    (tmp_path / "002" / "annot").mkdir(parents=True)
    put(tmp_path / ".DS_Store", b"")
    put(tmp_path / "001" / "annot" / "1.pts", pts(points_of(0)))
    vw300(tmp_path, "999", 3)
    reader = VW300(tmp_path)
    items, problems = read_all(reader)
    assert len(items) == 3
    text = str(problems)
    assert "second annotation of frame 1" in text
    assert "video without annotations" in text and "video is in no group of the split" in text
    assert any(warning.startswith("notes: not a video's folder") for warning in reader.warnings)


def test_a_missing_video_file_skips_its_frames_only(tmp_path):
    vw300(tmp_path, "001", 3)
    vw300(tmp_path, "002", 3)
    (tmp_path / "001" / "vid.avi").unlink()
    reader = VW300(tmp_path)
    items, problems = read_all(reader)
    assert len(items) == 3 and set(problems.values()) == {"its video file is missing"}
    assert len(reader.problems()) == 3  # known without decoding anything


# -- frames that the owner excludes


def exclude(path, frames, variable="error"):
    path.parent.mkdir(parents=True, exist_ok=True)
    savemat(path, {variable: np.array(frames)})
    return path


@pytest.mark.parametrize("form", ["folder", "zip", "zip within a folder"])
def test_the_owners_excluded_frames_are_left_out(tmp_path, form):
    vw300(tmp_path / "vw", "001", 6)
    mat = exclude(tmp_path / "vw" / "extra" / "001.mat", [2, 5])
    if form != "folder":
        with zipfile.ZipFile(tmp_path / "vw" / "extra.zip", "w") as archive:
            archive.write(mat, "001.mat" if form == "zip" else "extra/001.mat")
            archive.writestr("../../escape.mat", b"x")
            archive.writestr("__MACOSX/extra/001.mat", b"junk")
        mat.unlink()
    before = tree_of(tmp_path)
    reader = VW300(tmp_path / "vw")
    items, problems = read_all(reader)
    assert [item.frame for item in items.values()] == [1, 3, 4, 6]
    assert set(problems.values()) == {"left out by the owner (unreliable annotation)"}
    assert len(read_all(VW300(tmp_path / "vw", excluded=False))[0]) == 6
    assert tree_of(tmp_path) == before  # the archive is read where it is


def test_without_the_owners_list_it_is_told(tmp_path):
    vw300(tmp_path, "001", 2)
    assert any("2,127" in warning for warning in VW300(tmp_path).warnings)


@pytest.mark.parametrize("frames", [[0, 1], [1.5], ["a"]])
def test_an_excluded_list_of_something_else_is_an_error(tmp_path, frames):
    vw300(tmp_path, "001", 2)
    exclude(tmp_path / "extra" / "001.mat", frames)
    with pytest.raises(DataError, match=r"001.mat: \[error\]"):
        VW300(tmp_path)


def test_an_archive_that_is_none_is_an_error(tmp_path):
    vw300(tmp_path, "001", 2)
    put(tmp_path / "extra.zip", b"not a zip")
    with pytest.raises(DataError, match="extra.zip: not a readable archive"):
        VW300(tmp_path)


# -- splits


def test_the_official_lists_are_whole():
    numbers = [video for videos in OFFICIAL.values() for video in videos.split()]
    assert [len(videos.split()) for videos in OFFICIAL.values()] == [31, 19, 14, 50]
    assert len(set(numbers)) == 114 and numbers[0] == "114"


def test_the_default_split_has_the_papers_numbers():
    split = default_split()
    assert [sum(r.split == kind for r in split.values()) for kind in ("train", "test")] == [90, 24]
    tests = [role.group for role in split.values() if role.split == "test"]
    assert (tests.count("common"), tests.count("challenging")) == (9, 15)
    assert all(split[video].split == "train" for video in OFFICIAL["train"].split())
    assert all(split[video].split == "test" for video in ("526", "540", "557"))
    assert all((role.group == "common") == (video in OFFICIAL["1"]) for video, role in split.items() if role.group)


def split_file(path, *lines):
    return put(path, "\n".join([",".join(COLUMNS), *lines]).encode())


def test_a_users_split_is_used(tmp_path):
    vw300(tmp_path / "vw", "001", 2)
    vw300(tmp_path / "vw", "002", 2)
    file = split_file(tmp_path / "s.csv", "001,test,2,Ada", "", "2,train,,Alan")
    reader = VW300(tmp_path / "vw", split_file=file)
    items, _ = read_all(reader)
    assert [(i.split, i.group, i.identity) for i in items.values()] == [("test", "challenging", "Ada")] * 2 + [
        ("train", "", "Alan")
    ] * 2
    assert any("1 training and 1 test videos, the papers' 90 and 24" in warning for warning in reader.warnings)


def test_one_with_the_papers_numbers_and_persons_has_nothing_to_complain_of(tmp_path):
    roles = default_split()
    lines = [f"{v},{r.split},{dict(common=1, challenging=3).get(r.group, '')},p{v}" for v, r in roles.items()]
    found, notes = read_split(split_file(tmp_path / "s.csv", *lines))
    assert notes == [] and {v: (r.split, r.group) for v, r in found.items()} == {
        v: (r.split, r.group) for v, r in roles.items()
    }


@pytest.mark.parametrize(
    "lines, reason",
    [
        (["001,train,,Ada", "540,test,1,Ada"], r"\[identity\] persons in training and test: Ada"),
        (["001,train,,", "1,test,1,"], r"\[line 3\] video 001 is listed twice"),
        (["999,train,,"], r"\[line 2\] '999' is no video of 300-VW"),
        (["001,dev,,"], r"\[line 2\] split 'dev' is neither"),
        (["001,test,4,"], r"\[line 2\] scenario '4' is not"),
        (["001,test,,"], r"\[line 2\] scenario '' is not"),
        (["001,train"], r"\[line 2\] 2 columns instead of 4"),
    ],
)
def test_a_split_that_cannot_be_is_refused(tmp_path, lines, reason):
    with pytest.raises(DataError, match=f"s.csv: {reason}"):
        read_split(split_file(tmp_path / "s.csv", *lines))


@given(st.binary(max_size=120) | st.text(max_size=80).map(lambda t: (",".join(COLUMNS) + "\n" + t).encode()))
def test_any_split_file_is_a_split_or_a_typed_error(tmp_path_factory, data):
    path = put(tmp_path_factory.getbasetemp() / "any.csv", data)
    try:
        split, _ = read_split(path)
    except DataError:
        return
    assert all(role.split in ("train", "test") for role in split.values())


# -------------------------------------------------------------------------------------------------- YouTube Faces


@pytest.fixture
def youtube(tmp_path):
    root = tmp_path / "yt" / "part_1" / "part_1"
    npz(root / "Ada_Lovelace_0.npz", 3)
    npz(root / "Ada_Lovelace_5.npz", 2)
    npz(tmp_path / "yt" / "part_2" / "Alan_Turing_1.npz", 2)
    lines = ["videoID,personName,imageHeight", "Ada_Lovelace_0,Countess,90", "Gone_1,Nobody,90"]
    put(tmp_path / "yt" / "index.csv", "\r\n".join(lines).encode())
    return tmp_path / "yt"


def test_frames_of_npz_videos(youtube):
    reader = YouTubeFaces(youtube)
    items, problems = read_all(reader)
    assert not problems and len(items) == 7
    item = items["Ada_Lovelace_0/2"]
    np.testing.assert_array_equal(item.image, picture(2))
    np.testing.assert_allclose(item.points, points_of(2), atol=1e-4)
    assert (item.identity, item.video, item.frame) == ("Countess", "Ada_Lovelace_0", 2)
    assert items["Ada_Lovelace_5/0"].identity == "Ada_Lovelace"
    assert [len(run) for run in reader.runs()] == [3, 2, 2]
    assert any("1 videos of the index have no .npz, such as Gone_1" in w for w in reader.warnings)
    assert any("2 .npz are not in the index" in w for w in reader.warnings)
    reader[0]
    assert pickle.loads(pickle.dumps(reader))[6].key == "Alan_Turing_1/1"
    assert len(pickle.dumps(reader)) < 20_000  # no frames travel with it


def test_each_video_is_read_once(youtube, monkeypatch):
    opened = []
    load = np.load
    monkeypatch.setattr(np, "load", lambda *a, **k: opened.append(k) or load(*a, **k))
    read_all(YouTubeFaces(youtube))
    assert opened == [{"allow_pickle": False}] * 3


def big(shape):
    """Bytes of an .npy that claims a shape and holds nothing."""
    import io

    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})
    return file.getvalue()


def test_bad_videos_are_named_and_the_rest_is_read(youtube):
    part = youtube / "part_3"
    npz(part / "A_0.npz", landmarks2D=None)
    npz(part / "B_0.npz", landmarks2D=np.zeros((68, 2, 9)))
    npz(part / "C_0.npz", landmarks2D=np.zeros((21, 2, 3)))
    npz(part / "D_0.npz", colorImages=np.zeros((9, 9, 3, 3), np.float32))
    npz(part / "E_0.npz", colorImages=np.array([object()]))
    npz(part / "F_0.npz", colorImages=np.zeros((9, 9, 3), np.uint8))
    put(part / "G_0.npz", b"no archive")
    put(part / "H_0.npz", npz(part / "H_0.npz").read_bytes()[:500])
    npz(part / "nameless.npz")
    npz(part / "Alan_Turing_1.npz")
    points = np.stack([points_of(k) for k in range(3)], -1)
    points[5, 0, 1] = np.nan
    npz(part / "I_0.npz", landmarks2D=points)
    with zipfile.ZipFile(part / "J_0.npz", "w") as archive:
        archive.writestr("colorImages.npy", big((60000, 60000, 3, 1000)))
        archive.writestr("landmarks2D.npy", big((68, 2, 1000)))
    items, problems = read_all(YouTubeFaces(youtube))
    assert len(items) == 9  # 7, and I's first and third frame
    why = {path.replace("\\", "/").split("/")[-1]: reason for path, reason in problems.items()}
    for name, reason in (
        ("A_0.npz", "has no such array"),
        ("B_0.npz", "frames of shape (90, 110, 3, 3) with points of shape (68, 2, 9)"),
        ("C_0.npz", "with points of shape (21, 2, 3)"),
        ("D_0.npz", "[colorImages] shape"),
        ("E_0.npz", "[colorImages] shape (1,), type object"),
        ("F_0.npz", "[colorImages] shape (9, 9, 3)"),
        ("G_0.npz", "not a readable .npz"),
        ("H_0.npz", "not a readable .npz"),
        ("I_0.npz frame 1", "a coordinate is not finite"),
        ("J_0.npz", "[colorImages] 10800000000000 bytes, more than is read"),
        ("nameless.npz", "file name is not Person_Name_k.npz"),
        ("Alan_Turing_1.npz", "second file of this video (first in part_2)"),
    ):
        assert reason in why.pop(name), name
    assert not why


def test_a_video_larger_than_memory_should_hold_is_refused_from_its_header(youtube, monkeypatch):
    monkeypatch.setattr(youtube_faces, "LARGEST", 3 * 90 * 110 * 2)
    reader = YouTubeFaces(youtube)
    assert [why for _, why in reader.problems()] == ["[colorImages] 89100 bytes, more than is read (59400)"]


def test_an_array_that_claims_more_than_the_file_holds_is_refused(youtube):
    with zipfile.ZipFile(youtube / "Z_0.npz", "w") as archive:
        archive.writestr("colorImages.npy", big((9, 9, 3, 4)) + b"x" * 100)
        archive.writestr("landmarks2D.npy", big((68, 2, 4)))
    assert "972 bytes, of which the file holds" in YouTubeFaces(youtube).problems()[0][1]


def test_a_damaged_video_is_named_when_it_is_read(youtube):
    path = youtube / "part_2" / "Alan_Turing_1.npz"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    items, problems = read_all(YouTubeFaces(youtube))
    assert len(items) == 5 and "Alan_Turing_1.npz" in str(problems)


@given(st.data())
def test_any_bytes_have_shapes_or_a_typed_error(tmp_path_factory, data):
    base = tmp_path_factory.getbasetemp()
    whole = base / "whole.npz"
    if not whole.is_file():
        npz(whole, 2)
    content = bytearray(whole.read_bytes())
    kind = data.draw(st.sampled_from(["noise", "cut", "change"]))
    if kind == "noise":
        content = data.draw(st.binary(max_size=200))
    elif kind == "cut":
        content = content[: data.draw(st.integers(0, len(content)))]
    else:
        for place in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=4)):
            content[place] ^= 1 + place % 255
    path = put(base / "any.npz", bytes(content))
    try:
        found = shapes(path)
    except BadItem:
        return
    assert found["colorImages"][3] == found["landmarks2D"][2]


def test_no_videos_at_all(tmp_path):
    with pytest.raises(DataError, match="no <Person_Name_k>.npz in it"):
        YouTubeFaces(tmp_path)
