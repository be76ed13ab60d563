"""AFLW's data base and LFW's two tables: what is read, what is masked, and every way in which they can be wrong."""

import math
import pickle
import sqlite3

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_prep.errors import DataError
from data_prep.landmark_subset import LandmarkSubset
from data_prep.markups import AFLW21, LFW10
from data_prep.prepare import prepare
from data_prep.readers.aflw import Aflw, deal
from data_prep.readers.aflw_tables import FEATURES, read_faces
from data_prep.readers.lfw import LfwSeven, LfwTen
from rednet_core.markup import SEVEN
from tests.data_prep.makers import HEIGHT, WIDTH, aflw, encode, lfw_row, picture, points_of, put, read_all, tree_of
from tests.helpers import loop_box

# ----------------------------------------------------------------------------------------------------------- AFLW


def test_a_face_in_full(tmp_path):
    root = tmp_path / "AFLW ü"
    aflw(root, [{"id": 39341, "file": "image00002.jpg", "pose": (0.5, -0.25, 1.0)}])
    before = tree_of(root)
    reader = Aflw(root)
    item = reader[0]
    assert item.key == "image00002.jpg/39341" and reader.markup is AFLW21
    np.testing.assert_allclose(item.points, points_of(39341, AFLW21), atol=1e-4)
    assert item.mask.all() and item.visible.all() and item.identity == ""
    np.testing.assert_allclose((item.roll, item.pitch, item.yaw), np.degrees([0.5, -0.25, 1.0]))
    assert np.abs(item.image.astype(int) - picture(39341)).mean() < 3
    assert tree_of(root) == before  # no journal, no lock
    assert pickle.loads(pickle.dumps(reader))[0].key == item.key


def test_points_without_a_row_are_masked_and_hold_a_likely_place(tmp_path):
    faces = [{"id": k, "file": f"image{k:05d}.jpg"} for k in range(1, 6)]
    faces[2]["missing"] = (7, 8, 13, 21)
    item = read_all(Aflw(aflw(tmp_path, faces)))[0]["image00003.jpg/3"]
    assert np.flatnonzero(~item.mask).tolist() == [6, 7, 12, 20] and not item.visible[6]
    np.testing.assert_allclose(item.points[item.mask], points_of(3, AFLW21)[item.mask], atol=1e-4)
    # The five faces are the same but for place, size and a turn of 0.04: the fit finds the lost ones.
    np.testing.assert_allclose(item.points[~item.mask], points_of(3, AFLW21)[~item.mask], atol=2)


def test_without_all_corners_the_crop_is_the_data_bases_box_at_the_same_scale(tmp_path):
    faces = [{"id": k, "file": f"image{k:05d}.jpg"} for k in range(1, 6)]
    for face in faces:
        box = loop_box68(points_of(face["id"], AFLW21))
        face["rects"] = [(round(box[0] - 20), round(box[1] - 15), 40, 40)]
    faces[0]["missing"] = (7,)
    store, report = prepare(Aflw(aflw(tmp_path / "a", faces)), tmp_path / "store", size=40, margin=1.5)
    assert report.kept == 5
    expected = loop_box68(points_of(1, AFLW21)) * [1, 1, 1.5]
    np.testing.assert_allclose(store.table["box"][0], expected, atol=4)
    faces[0]["rects"] = []
    _, report = prepare(Aflw(aflw(tmp_path / "b", faces)), tmp_path / "store b", size=40)
    assert report.kept == 4 and "corner is not annotated" in report.skipped[0][1]


def loop_box68(points):
    full = np.zeros((68, 2))
    full[[36, 39, 42, 45, 30, 48, 54]] = points[list(AFLW21.seven)]
    return loop_box(full)


def test_the_papers_faces_are_the_first_of_every_jpg(tmp_path):
    faces = [
        {"id": 9, "file": "image00002.jpg"},
        {"id": 5, "file": "image00002.jpg"},
        {"id": 12, "file": "image00003.png", "kind": "png"},
        {"id": 13, "file": "image00004.jpg"},
    ]
    aflw(tmp_path, faces)
    assert [entry.key for entry in Aflw(tmp_path).entries] == ["image00002.jpg/5", "image00004.jpg/13"]
    every = Aflw(tmp_path, faces="all")
    assert len(read_all(every)[0]) == 4 and {every[k].split for k in (0, 1)} == {every[0].split}
    with pytest.raises(DataError, match="faces 'some', known: first, all"):
        Aflw(tmp_path, faces="some")


def test_points_counted_from_the_data_bases_rectangle_are_refused(tmp_path):
    rects = [(125 + 20 * k, 100, 50, 50) for k in range(3)]
    right = [points_of(k, AFLW21) + [100 + 20 * k, 80] for k in range(3)]
    for moved, kept in ((0, 3), (1, 0)):
        faces = [
            {"id": k + 1, "file": f"image{k}.jpg", "points": points - moved * np.array(rect[:2]), "rects": [rect]}
            for k, (points, rect) in enumerate(zip(right, rects, strict=True))
        ]
        aflw(tmp_path / str(moved), [{**face, "size": (300, 240)} for face in faces])
        for face in faces:
            put(tmp_path / str(moved) / "data" / "flickr" / "0" / face["file"], encode(picture(0, 240, 300), "jpg"))
        items, problems = read_all(Aflw(tmp_path / str(moved)))
        assert len(items) == kept and len(problems) == (not kept) * 3
        assert kept or "counted from the face box's corner" in str(problems)


def test_complete_faces_only(tmp_path):
    faces = [{"id": k, "file": f"image{k:05d}.jpg", "missing": (20,) if k == 2 else (13,)} for k in (1, 2, 3)]
    assert len(Aflw(aflw(tmp_path, faces), complete=True)) == 2
    seven = LandmarkSubset(Aflw(tmp_path))
    assert [seven[k].mask.all() for k in range(3)] == [True, False, True]


def test_a_data_base_in_wal_mode_is_read_without_a_file_beside_it(tmp_path):
    aflw(tmp_path, [{"id": 1, "file": "image00001.jpg"}])
    connection = sqlite3.connect(tmp_path / "data" / "aflw.sqlite")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.close()
    before = tree_of(tmp_path)  # the folder's own time would tell of a file that came and went
    assert len(Aflw(tmp_path)) == 1 and tree_of(tmp_path) == before


def test_pictures_are_those_of_the_faces_own_data_base(tmp_path):
    other = "INSERT INTO FaceImages VALUES (0, 'other', 'image00001.jpg', '!/image00001.jpg', 0, 1, 1)"
    reader = Aflw(aflw(tmp_path, [{"id": 1, "file": "image00001.jpg"}], sql=[other]))
    assert len(reader) == 1 and reader[0].mask.all()


def test_near_duplicates_can_be_left_out(tmp_path):
    statements = ["CREATE TABLE NearDuplicates (face_id INTEGER PRIMARY KEY)", "INSERT INTO NearDuplicates VALUES (2)"]
    aflw(tmp_path, [{"id": k, "file": f"image{k:05d}.jpg"} for k in (1, 2, 3)], sql=statements)
    assert len(Aflw(tmp_path)) == 3
    assert [e.facts["face"].number for e in Aflw(tmp_path, near_duplicates=False).entries] == [1, 3]


def test_the_papers_images_are_dealt_into_the_papers_counts():
    dealt = [*deal([f"image{number:05}.jpg" for number in range(21_080)], 0).values()]
    assert (dealt.count("train"), dealt.count("test")) == (16_864, 4_216)  # Table 4


def test_the_split_is_exactly_80_to_20_by_image_and_by_seed(tmp_path):
    faces = [{"id": k, "file": f"image{k:05d}.jpg", "image": False} for k in range(1, 51)]
    aflw(tmp_path, faces)
    for seed in (0, 1):
        splits = [entry.facts["split"] for entry in Aflw(tmp_path, split_seed=seed).entries]
        assert (splits.count("train"), splits.count("test")) == (40, 10)
    one, other = ([e.facts["split"] for e in Aflw(tmp_path, split_seed=s).entries] for s in (0, 1))
    assert one != other


def test_oddities_are_told_and_survived(tmp_path):
    faces = [
        {"id": 1, "file": "image00001.jpg", "rects": [], "pose": None},
        {"id": 2, "file": "image00002.jpg", "rects": [(-7, -3, 60, 60), (0, 0, 9, 9)]},
        {"id": 3, "file": "image00003.jpg", "pose": (0.0, 0.0, -2 * math.pi)},
        {"id": 4, "file": "image00004.jpg", "points": np.vstack([[-1, -1], points_of(4, AFLW21)[1:]])},
        {"id": 5, "file": "image00005.jpg", "disk": "0/image00005.png", "kind": "png"},
        {"id": 6, "file": "image00006.jpg", "disk": "3/image00006.jpg"},
        {"id": 7, "file": "image00007.jpg", "image": False},
        {"id": 8, "file": "image00008.jpg", "size": (WIDTH + 1, HEIGHT)},
        {"id": 9, "file": "image00009.jpg", "path": None},
        {"id": 10, "file": "image00010.jpg", "path": "../../../etc/x.jpg", "image": False},
        {"id": 11, "file": "image00011.jpg", "missing": tuple(range(1, 21))},
    ]
    aflw(tmp_path, faces, sql=["INSERT INTO FeatureCoords VALUES (2, 3, 1.0, 1.0)"])
    put(tmp_path / "data" / "flickr" / "0" / "image00003.jpg", encode(picture(3), "jpg")[:300])
    reader = Aflw(tmp_path, faces="all")
    items, problems = read_all(reader)
    assert [int(key.split("/")[1]) for key in items] == [1, 2, 4, 5, 6]
    assert items["image00001.jpg/1"].box is None and np.isnan(items["image00001.jpg/1"].yaw)
    assert items["image00002.jpg/2"].box[2] > 9 and not items["image00004.jpg/4"].mask[0]
    np.testing.assert_allclose(items["image00002.jpg/2"].points[2], points_of(2, AFLW21)[2], atol=1e-4)
    for reason in (
        "not a readable image",
        "image file is missing",
        f"image of {WIDTH} x {HEIGHT} pixels",
        "no row of FaceImages",
        "bad image path '../../../etc/x.jpg'",
        "fewer than two points",
    ):
        assert reason in str(problems), reason
    assert len(problems) == 6
    for warning in (
        "1 of 11 faces have no rectangle",
        "2 of 11 faces have no pose",
        "1 poses are undefined",
        "1 faces have a second rectangle",
        "1 points are no numbers or not above 0",
        "1 points are given twice",
        "1 images have another suffix",
    ):
        assert any(warning in told for told in reader.warnings), (warning, reader.warnings)


def test_the_data_base_may_lie_beside_flickr_and_have_other_capitals(tmp_path):
    aflw(tmp_path / "x", [{"id": 1, "file": "image00001.jpg"}], sql=["ALTER TABLE FacePose RENAME TO facePOSE_"])
    (tmp_path / "x" / "data").rename(tmp_path / "flat")
    reader = Aflw(tmp_path / "flat")
    assert reader[0].mask.all() and np.isnan(reader[0].yaw)


@pytest.mark.parametrize(
    "sql, reason",
    [
        (["DROP TABLE FeatureCoords"], r"\[featurecoords\] lacks face_id, feature_id, x, y"),
        (["ALTER TABLE Faces RENAME COLUMN db_id TO base"], r"\[faces\] lacks db_id"),
        (
            ["UPDATE FeatureCoordTypes SET feature_id = 40 WHERE feature_id = 7"],
            "LeftEyeLeftCorner has number 40, not 7",
        ),
        (["DELETE FROM FeatureCoordTypes WHERE feature_id = 7"], "names 20 of the 21 features"),
        (["DELETE FROM Faces"], "no face in its data base in it"),
    ],
)
def test_another_data_base_is_an_error(tmp_path, sql, reason):
    aflw(tmp_path, [{"id": 1, "file": "image00001.jpg"}], sql=sql)
    with pytest.raises(DataError, match=reason):
        Aflw(tmp_path)


def test_names_may_be_missing_and_the_lowest_annotation_comes_first(tmp_path):
    statements = [
        "DROP TABLE FeatureCoordTypes",
        "ALTER TABLE FeatureCoords ADD COLUMN annot_type_id INTEGER DEFAULT 5",
    ]
    statements += ["INSERT INTO FeatureCoords VALUES (1, 3, 7.0, 8.0, 2)"]
    reader = Aflw(aflw(tmp_path, [{"id": 1, "file": "image00001.jpg"}], sql=statements))
    assert reader[0].points[2].tolist() == [7, 8] and any("does not name" in w for w in reader.warnings)


def test_the_features_are_the_21_in_their_order():
    assert len(FEATURES) == 21 and [FEATURES[i] for i in AFLW21.seven] == [
        "LeftEyeLeftCorner",
        "LeftEyeRightCorner",
        "RightEyeLeftCorner",
        "RightEyeRightCorner",
        "NoseCenter",
        "MouthLeftCorner",
        "MouthRightCorner",
    ]


def test_no_data_base(tmp_path):
    with pytest.raises(DataError, match="no aflw.sqlite, nor data/aflw.sqlite, in it Fix: write to TU Graz"):
        Aflw(tmp_path)
    put(tmp_path / "aflw.sqlite", b"not a data base, but long enough to be one" * 9)
    with pytest.raises(DataError, match="not a readable AFLW data base"):
        Aflw(tmp_path)


@given(st.data())
def test_any_bytes_are_a_data_base_or_a_typed_error(tmp_path_factory, data):
    base = tmp_path_factory.getbasetemp() / "any aflw"
    whole = base / "data" / "aflw.sqlite"
    if not whole.is_file():
        aflw(base, [{"id": 1, "file": "image00001.jpg"}])
    content = bytearray(whole.read_bytes())
    if data.draw(st.booleans()):
        content = content[: data.draw(st.integers(0, len(content)))]
    else:
        for place in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=40)):
            content[place] = 255 - content[place]
    try:
        faces, _ = read_faces(put(base / "broken.sqlite", bytes(content)))
    except DataError:
        return
    for face in faces:
        assert np.isfinite(face.points).all() and (face.points[face.mask] > 0).all()


# ------------------------------------------------------------------------------------------------------------ LFW

TABLE = "LFW_annotation.txt"


@pytest.fixture
def lfw(tmp_path):
    rows = []
    for k, name in enumerate(["Ada_Lovelace_0001", "Ada_Lovelace_0002", "J-P_van_der_Berg_0001"]):
        put(tmp_path / "lfw" / name.rpartition("_")[0] / f"{name}.jpg", encode(picture(k), "jpg"))
        rows.append(lfw_row(f"{name}.jpg", points_of(k, SEVEN) + 1))
    put(tmp_path / TABLE, ("\n".join(rows) + "\n").encode())
    return tmp_path


def test_seven_points_in_the_projects_order(lfw):
    before = tree_of(lfw)
    reader = LfwSeven(lfw)
    items, problems = read_all(reader)
    assert not problems and reader.markup is SEVEN and not reader.warnings
    assert [item.identity for item in items.values()] == ["Ada_Lovelace", "Ada_Lovelace", "J-P_van_der_Berg"]
    for k, item in enumerate(items.values()):
        np.testing.assert_allclose(item.points, points_of(k, SEVEN), atol=1e-3)
    np.testing.assert_allclose(reader[0].box, [49.5, 44, 61])
    np.testing.assert_allclose(LfwSeven(lfw, base=0)[0].points - reader[0].points, 1, atol=1e-4)
    assert tree_of(lfw) == before


def test_the_table_may_lie_beside_the_images(lfw):
    assert len(read_all(LfwSeven(lfw / "lfw"))[0]) == 3
    (lfw / "lfw-deepfunneled").mkdir()
    (lfw / "lfw").rename(lfw / "x")
    assert "funneled" in LfwSeven(lfw).warnings[0]


def test_bad_rows_are_named(lfw):
    good = points_of(0, SEVEN) + 1
    for person in ("B", "C", "D", "E"):
        put(lfw / "lfw" / person / f"{person}_0001.jpg", encode(picture(), "jpg"))
    put(lfw / "lfw" / "E" / "E_0001.jpg", encode(np.zeros((250, 250, 3), np.uint8), "jpg"))
    rows = [
        lfw_row("Absent_0001.jpg", good),
        lfw_row("Ada_Lovelace_0001.jpg", good),
        lfw_row("B_0001.jpg", good).rpartition("  ")[0],
        lfw_row("C_0001.jpg", good[[1, 0, 2, 3, 4, 5, 6]]),
        lfw_row("D_0001.jpg", good).replace("\t20 ", "\tnan "),
        lfw_row("readme", good),
        lfw_row("E_0001.jpg", good + [190, 0]),
    ]
    with open(lfw / TABLE, "ab") as file:
        file.write("\r\n".join([*rows, ""]).encode())
    reader = LfwSeven(lfw)
    items, problems = read_all(reader)
    assert list(items)[3:] == ["E/E_0001.jpg"] and reader.warnings == [
        "1 faces have a point outside the 250 x 250 picture"
    ]
    why = {path.replace("\\", "/").split("/")[-1]: reason for path, reason in problems.items()}
    assert why["Absent_0001.jpg"] == "image file is missing"
    assert "second row" in why["Ada_Lovelace_0001.jpg"] and "18 columns instead of 19" in why["B_0001.jpg"]
    assert "not in order" in why["C_0001.jpg"] and "'nan' is not a number" in why["D_0001.jpg"]
    assert "bad file name 'readme'" in why["lfw"] and len(why) == 6


def test_no_table(tmp_path):
    with pytest.raises(DataError, match="no LFW_annotation.txt in it or beside it Fix: images: LFW's page"):
        LfwSeven(tmp_path)
    put(tmp_path / TABLE, b"# nothing\n")
    with pytest.raises(DataError, match="no rows in LFW_annotation.txt in it"):
        LfwSeven(tmp_path)


HEADER = "# a\n# b\n# c\n# columns: file x y w h\n headpose points x0 y0 ...\n#\n"


def test_ten_points_relative_to_their_box(lfw):
    points = points_of(0, LFW10).round().astype(int)
    numbers = " ".join(map(str, (points - [20, 15]).ravel()))
    rows = [f"{p}/{p}_0001.jpg  20 15 60 60  -1  10  {numbers}" for p in ("Ada_Lovelace", "J-P_van_der_Berg")]
    rows.append(rows[0].replace("0001.jpg", "0002.jpg").replace(" -1 ", " 7 "))
    put(lfw / "lfw_ffd_ann.txt", (HEADER + "\n".join(rows)).encode())
    reader = LfwTen(lfw)
    items, problems = read_all(reader)
    assert reader.markup is LFW10 and len(items) == 2 and "none of -2 ... 2" in str(problems)
    np.testing.assert_array_equal(reader[0].points, points)
    np.testing.assert_allclose(reader[0].box, [49.5, 44.5, 60])
    seven = LandmarkSubset(reader)[0]
    assert np.flatnonzero(~seven.mask).tolist() == [4]
    np.testing.assert_array_equal(seven.points[[0, 1, 2, 3, 5, 6]], points[[0, 1, 6, 7, 2, 3]])


@given(st.binary(max_size=300))
def test_any_table_is_read_or_a_typed_error(tmp_path_factory, data):
    base = tmp_path_factory.getbasetemp() / "any lfw"
    put(base / TABLE, data)
    put(base / "lfw_ffd_ann.txt", HEADER.encode() + data)
    for reader in (LfwSeven, LfwTen):
        try:
            found = reader(base)
        except DataError:
            continue
        assert all(entry.problem for entry in found.entries)  # there are no images
