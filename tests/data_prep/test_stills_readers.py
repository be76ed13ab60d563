"""Readers of pairs of picture and points (iBUG's form, Helen's original, Talking Face, Face Movies): good and bad."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.io import savemat

from data_prep.datasets import dataset
from data_prep.doctor import examine
from data_prep.errors import BadItem, DataError
from data_prep.images import read_image
from data_prep.landmark_subset import LandmarkSubset
from data_prep.markups import HELEN194, TALKING_FACE68
from data_prep.prepare import prepare
from data_prep.readers.face_movies import FaceMovies, parse_plain
from data_prep.readers.helen194 import HelenOriginal, parse_helen
from data_prep.readers.ibug import IbugFaces
from data_prep.readers.talking_face import TalkingFace
from rednet_core.markup import IBUG68, SEVEN
from tests.data_prep.makers import encode, helen_text, pair, picture, points_of, pts, put, read_all, tree_of, vw300

SEVEN_OF_68 = [36, 39, 42, 45, 30, 48, 54]


@pytest.fixture
def helen(tmp_path):
    root = tmp_path / "Gesichter ü 300 W" / "helen"  # blanks and letters beyond ASCII
    for k in range(3):
        pair(root / "trainset", f"10040{k}_1", k, "jpg", base=1)
    pair(root / "testset", "29_ 02", 4, "png", base=1)  # a blank in the name, as in image_092 _01
    return root


# ---------------------------------------------------------------------------------------------------- iBUG's form


def test_pairs_of_both_halves_are_read_with_pixels_from_zero(helen):
    before = tree_of(helen)
    items, problems = read_all(IbugFaces(helen, "helen"))
    assert list(items) == ["trainset/100400_1", "trainset/100401_1", "trainset/100402_1", "testset/29_ 02"]
    assert not problems and [item.split for item in items.values()] == ["train"] * 3 + ["test"]
    item = items["testset/29_ 02"]
    np.testing.assert_allclose(item.points, points_of(4), atol=1e-4)
    np.testing.assert_array_equal(item.image, picture(4))
    assert item.mask.all() and (item.identity, item.video, item.box) == ("", "", None) and np.isnan(item.yaw)
    assert tree_of(helen) == before  # nothing is written into the source


def test_as_the_authors_read_them(helen):
    one, other = IbugFaces(helen, "helen"), IbugFaces(helen.parent, "helen", base=0)  # found from one folder above
    np.testing.assert_allclose(other[0].points - one[0].points, 1)
    assert one.description != other.description and one.markup is IBUG68


def test_the_reader_is_picklable_and_its_description_follows_the_files(helen):
    reader = IbugFaces(helen, "helen")
    assert pickle.loads(pickle.dumps(reader))[3].key == "testset/29_ 02"
    assert IbugFaces(helen, "helen").description == reader.description
    pair(helen / "testset", "30_1", 1, base=1)
    assert IbugFaces(helen, "helen").description != reader.description


def test_lfpw_encoded_anew_as_jpeg_is_known_and_read_as_its_png(tmp_path):
    for kind in ("png", "jpg"):
        for half, stem in (("trainset", "image_0001"), ("testset", "image_0002")):
            pair(tmp_path / kind / half, stem, len(half), kind, base=1)
    right, copy = (dataset("lfpw").open(tmp_path / kind) for kind in ("png", "jpg"))
    assert [examine(tmp_path / kind).dataset.name for kind in ("png", "jpg")] == ["lfpw", "lfpw"]
    for one, other in zip(read_all(right)[0].values(), read_all(copy)[0].values(), strict=True):
        np.testing.assert_array_equal(one.points, other.points)
        assert (one.key, one.split, one.group) == (other.key, other.split, other.group)
        assert np.abs(one.image.astype(int) - other.image).mean() < 3
    (tmp_path / "jpg" / "trainset" / "image_0001.png").write_bytes(encode(picture(0), "png"))  # both kinds of one
    assert "two images of this name" in str(read_all(dataset("lfpw").open(tmp_path / "jpg"))[1])


def test_flat_sets(tmp_path):
    pair(tmp_path / "ibug", "image_092 _01", 1, "jpg", base=1)
    reader = IbugFaces(tmp_path, "ibug")
    assert reader[0].key == "image_092 _01" and reader[0].split == "test"


def test_every_bad_pair_is_named_and_the_rest_is_read(helen):
    half = helen / "trainset"
    pair(half, "crlf", 1, base=1, newline="\r\n", gap=" ", bom=True)
    pair(half, "alpha", 2, "rgba", suffix="jpg", base=1)  # PNG with alpha under a .jpg name
    pair(half, "UPPER", 3, "jpg", suffix="JPG", base=1)
    pair(half, "outside", 0, base=1)
    put(half / "outside.pts", pts(points_of(0) + 1 - [40, 0]))  # points left of the picture are points
    put(half / "lonely.jpg", encode(picture(), "jpg"))
    put(half / "ghost.pts", pts(points_of(0)))
    pair(half, "twice", 1, "jpg")
    put(half / "twice.png", encode(picture(), "png"))
    for name, data in (("empty", b""), ("cut", encode(picture(), "png")[:200]), ("text", b"no image")):
        pair(half, name)
        put(half / f"{name}.png", data)
    for name, data in (
        ("brace", pts(points_of(0)).replace(b"{", b"")),
        ("count", pts(points_of(0)[:67])),
        ("word", pts(points_of(0)).replace(b"\n}", b"\nx y\n}").replace(b"68", b"69")),
        ("nan", pts(points_of(0)).replace(b"{\n", b"{\nnan 1\n").replace(b"68", b"69")),
        ("half", pts(points_of(0))[:700]),
    ):
        pair(half, name)
        put(half / f"{name}.pts", data)
    for junk in ("._100400_1.pts", ".DS_Store", "Thumbs.db", "._100400_1.jpg"):
        put(half / junk, b"\0\5\26\7junk")
    items, problems = read_all(IbugFaces(helen, "helen"))
    names = {key.split("/")[1] for key in items}
    assert names == {"100400_1", "100401_1", "100402_1", "29_ 02", "crlf", "alpha", "UPPER", "outside"}
    np.testing.assert_array_equal(items["trainset/alpha"].image, picture(2))
    assert items["trainset/outside"].points[:, 0].min() < 0 and items["trainset/outside"].mask.all()
    reasons = {path.replace("\\", "/").split("/")[-1]: why for path, why in problems.items()}
    assert reasons.pop("lonely.jpg") == "image without annotation"
    assert reasons.pop("ghost.pts") == "annotation without image"
    assert "two images of this name" in reasons.pop("twice.jpg")
    for name in ("empty.png", "cut.png", "text.png"):
        assert "not a readable image" in reasons.pop(name)
    assert "no opening brace" in reasons.pop("brace.pts")
    assert "67 points instead of 68" in reasons.pop("count.pts")
    assert "69 points instead of 68" in reasons.pop("word.pts") and "69 points" in reasons.pop("nan.pts")
    assert "cut off" in reasons.pop("half.pts")
    assert not reasons


def test_a_preparation_lists_the_bad_ones(helen, tmp_path):
    put(helen / "trainset" / "lonely.jpg", encode(picture(), "jpg"))
    store, report = prepare(IbugFaces(helen, "helen"), tmp_path / "store", size=32)
    assert len(store) == 4 and report.skipped == [(str(helen / "trainset" / "lonely.jpg"), "image without annotation")]


def box_file(path, names, value=(11, 21, 61, 81)):
    record = np.empty((1, len(names)), object)
    for k, name in enumerate(names):
        record[0, k] = {"imgName": name, "bb_detector": np.array(value, float), "bb_ground_truth": np.zeros(4)}
    path.parent.mkdir(parents=True, exist_ok=True)
    savemat(path, {"bounding_boxes": record})


def test_boxes_are_read_where_they_are(helen):
    place = helen.parent / "Bounding Boxes"
    box_file(place / "bounding_boxes_helen_trainset.mat", ["100400_1.jpg", "100402_1.jpg"])
    items, _ = read_all(IbugFaces(helen, "helen"))
    np.testing.assert_allclose(items["trainset/100400_1"].box, [35, 50, 60])  # 1-based corners, made 0-based
    assert items["trainset/100401_1"].box is None and items["testset/29_ 02"].box is None


def test_a_box_that_is_none_is_told_and_left_out(helen):
    box_file(helen / "Bounding Boxes" / "bounding_boxes_helen_testset.mat", ["29_ 02.png"], (9, 9, 3, 3))
    reader = IbugFaces(helen, "helen")
    assert reader[3].box is None and "a box cannot be used" in reader.warnings[0]


def test_a_box_file_asked_for_must_be_there(helen, tmp_path):
    with pytest.raises(DataError, match="bounding_boxes_helen_trainset.mat: .*no such box file"):
        IbugFaces(helen, "helen", boxes=tmp_path)


@pytest.mark.parametrize(
    "make, reason",
    [
        (lambda root: root / "absent", "no such folder"),
        (lambda root: root, r"no trainset and testset in it \(found: nothing\)"),
        (lambda root: put(root / "trainset" / "readme.txt", b"x").parent.parent, "no pairs of picture and .pts in it"),
    ],
)
def test_other_folders_are_errors(tmp_path, make, reason):
    with pytest.raises(DataError, match=reason) as caught:
        IbugFaces(make(tmp_path), "lfpw")
    assert "Fix: ask for it" in str(caught.value)


def test_half_a_set_is_told(helen, tmp_path):
    pair(tmp_path / "lfpw" / "testset", "image_0001", 0)
    assert IbugFaces(tmp_path, "lfpw").warnings == ["trainset is missing or empty: only the other half is used"]


# ------------------------------------------------------------------------------------------------ Helen's original


def shuffled(points):
    """The points in another order that somebody may have kept: sides exchanged, lines run the other way."""
    parts = [points[40::-1], points[57:40:-1], points[58:114]]
    for one, other in ((114, 134), (154, 174)):
        for first in (other, one):  # the viewer's right one first, from the inner corner, over the bottom
            parts.append(np.roll(points[first : first + 20], -10, 0)[[0, *range(19, 0, -1)]])
    return np.concatenate(parts)


@pytest.fixture(params=["as the markup", "another order"])
def original(tmp_path, request):
    for k in range(3):
        points = points_of(k, HELEN194)
        put(tmp_path / "helen_1" / f"face {k}.jpg", encode(picture(k), "jpg"))
        text = helen_text(f"face {k}", points if request.param == "as the markup" else shuffled(points))
        put(tmp_path / "annotation" / f"{3 - k}.txt", text)  # a file's number says nothing
    put(tmp_path / "trainnames.txt", b"face 0\r\nface 1\r\n")
    put(tmp_path / "testnames.txt", b"face 2\n")
    return tmp_path


def test_194_points_are_brought_to_the_markups_order_whatever_the_files(original):
    items, problems = read_all(HelenOriginal(original))
    assert not problems and {key: item.split for key, item in items.items()} == {
        "face 0": "train",
        "face 1": "train",
        "face 2": "test",
    }
    for k in range(3):
        np.testing.assert_allclose(items[f"face {k}"].points, points_of(k, HELEN194), atol=1e-4)
        seven = items[f"face {k}"].points[list(HELEN194.seven)]
        assert (np.diff(seven[:4, 0]) > 0).all() and seven[5, 0] < seven[6, 0]


def test_its_seven_have_no_nose(original):
    item = LandmarkSubset(HelenOriginal(original))[0]
    assert item.mask.tolist() == [True, True, True, True, False, True, True] and item.points.shape == (7, 2)


def test_bad_annotations_are_named(original):
    good = helen_text("face 9", points_of(0, HELEN194))
    for number, data in (
        (4, helen_text("face 0", points_of(0, HELEN194))),
        (5, good),
        (6, helen_text("face 9", points_of(0, HELEN194)[:193])),
        (7, good.replace(b" , ", b" ; ", 1)),
        (8, b""),
        (9, good.split(b"\n", 1)[1]),
        (10, helen_text("../../face", points_of(0, HELEN194))),
    ):
        put(original / "annotation" / f"{number}.txt", data)
    put(original / "helen_2" / "unknown.jpg", encode(picture(), "jpg"))
    items, problems = read_all(HelenOriginal(original))
    assert len(items) == 3
    reasons = {path.replace("\\", "/").split("/")[-1]: why for path, why in problems.items()}
    assert "a second time" in reasons["face 0.jpg"] and "image face 9 is missing" in reasons["5.txt"]
    assert "193 points instead of 194" in reasons["6.txt"] and "3 fields instead of 2" in reasons["7.txt"]
    assert "empty" in reasons["8.txt"] and "no picture name" in reasons["9.txt"] + reasons["10.txt"]
    assert reasons["unknown.jpg"] == "image without annotation"


@given(st.binary(max_size=200) | st.integers(0, 5000).map(lambda cut: helen_text("f", np.ones((194, 2)))[:cut]))
def test_any_bytes_are_194_points_or_a_typed_error(data):
    try:
        _, points = parse_helen(data)
    except BadItem:
        return
    np.testing.assert_array_equal(points, np.ones((194, 2)))


# ---------------------------------------------------------------------------------------------------- Talking Face


@pytest.fixture(params=["apart", "together"])
def talking(tmp_path, request):
    for k in range(4):
        stem = f"franck_{k:05d}"
        pair(tmp_path / "images", stem, k, "jpg", TALKING_FACE68, gap=" ")
        if request.param == "apart":
            (tmp_path / "points").mkdir(exist_ok=True)
            (tmp_path / "images" / f"{stem}.pts").rename(tmp_path / "points" / f"{stem}.pts")
    return tmp_path


def test_talking_face_has_its_own_markup_and_counts_from_zero(talking):
    reader = TalkingFace(talking)
    assert reader.markup is TALKING_FACE68
    items = [reader[k] for k in range(4)]
    assert [(item.frame, item.video, item.identity, item.split) for item in items] == [
        (k, "franck", "franck", "test") for k in range(4)
    ]
    for k, item in enumerate(items):
        np.testing.assert_allclose(item.points, points_of(k, TALKING_FACE68), atol=1e-4)
        np.testing.assert_allclose(item.points[list(reader.markup.seven)], points_of(k)[SEVEN_OF_68], atol=1e-4)


def test_ibugs_68_are_refused_as_talking_face(talking):
    put(next(talking.rglob("franck_00002.pts")), pts(points_of(2)))
    _, problems = read_all(TalkingFace(talking))
    assert len(problems) == 1 and "not where those of a face in the talkingface68 markup" in str(problems)


def test_talking_faces_lost_frames_are_counted(talking):
    next(talking.rglob("franck_00001.pts")).unlink()
    next(talking.rglob("franck_00003.jpg")).unlink()
    items, problems = read_all(TalkingFace(talking))
    assert [item.frame for item in items.values()] == [0, 2]
    assert sorted(problems.values()) == ["annotation without image", "image without annotation"]


# ----------------------------------------------------------------------------------------------------- Face Movies


def test_face_movies_three_layouts(tmp_path):
    for k in range(3):
        put(tmp_path / "demo" / "img" / f"{k + 8}.jpg", encode(picture(k), "jpg"))
        put(tmp_path / "demo" / "annot" / f"{k + 8}.pts", pts(points_of(k)))
        put(tmp_path / "plain" / f"f{k:03d}.png", encode(picture(k), "png"))
        put(tmp_path / "plain" / f"f{k:03d}.txt", "".join(f"{x} {y}\n" for x, y in points_of(k)).encode())
    vw300(tmp_path, "film", 4, base=0)
    reader = FaceMovies(tmp_path)
    items, problems = read_all(reader)
    assert not problems and len(items) == 10
    frames = {video: [i.frame for i in items.values() if i.video == video] for video in ("demo", "plain", "film")}
    assert frames == {"demo": [8, 9, 10], "plain": [0, 1, 2], "film": [1, 2, 3, 4]}  # 10 comes after 9
    np.testing.assert_allclose(items["plain/f002"].points, points_of(2), atol=1e-4)
    assert reader.warnings == ["videos: 3 here, 6 in the papers", "frames: 10 here, 2,150 in the papers"]
    assert [len(run) for run in reader.runs()] == [3, 4, 3]


def test_face_movies_of_another_markup_are_refused(tmp_path):
    pair(tmp_path / "film", "f1", 0, markup=TALKING_FACE68)
    _, problems = read_all(FaceMovies(tmp_path))
    assert "markup" in str(problems)


def test_no_face_movies(tmp_path):
    with pytest.raises(DataError, match="no <video>/img"):
        FaceMovies(tmp_path)


@given(st.binary(max_size=300) | st.integers(0, 600).map(lambda cut: (b"1.5 2.5\n" * 68)[:cut]))
def test_any_plain_text_is_68_points_or_a_typed_error(data):
    try:
        points = parse_plain(data)
    except BadItem:
        return
    np.testing.assert_array_equal(points, np.tile([1.5, 2.5], (68, 1)))


def test_sets_of_two_markups_meet_in_the_seven(helen, talking, tmp_path):
    for reader in (IbugFaces(helen, "helen"), TalkingFace(talking)):
        seven = LandmarkSubset(reader)
        store, report = prepare(seven, tmp_path / f"store {reader.markup.name}", size=32)
        assert store.markup is SEVEN and report.kept == 4 and store.table["mask"].all()


def test_a_camera_held_upright_does_not_turn_a_data_sets_picture(tmp_path):
    """EXIF says "turn by 90 degrees"; the points were set on the pixels as they are stored."""
    pair(tmp_path / "trainset", "1_1", 0, "jpg", base=1)
    path = tmp_path / "trainset" / "1_1.jpg"
    plain = path.read_bytes()
    orientation = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"
    body = b"Exif\0\0" + orientation
    path.write_bytes(plain[:2] + b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body + plain[2:])
    assert read_image(path).shape == (110, 90, 3)  # a person's own photograph is turned
    item = IbugFaces(tmp_path, "helen")[0]
    assert item.image.shape == (90, 110, 3)
    path.write_bytes(plain)
    np.testing.assert_array_equal(item.image, IbugFaces(tmp_path, "helen")[0].image)
