"""The reader of Udacity's layout, on folders written here: what is good is read, what is bad is named and counted."""

import math
import os
import pickle

import numpy as np
import pytest

from data_prep.errors import BadItem, DataError
from data_prep.prepare import prepare
from data_prep.readers.udacity import TEST_SHARE, VALIDATION_SHARE, UdacityFaces, split_persons
from rednet_core.markup import IBUG68
from tests.data_prep.makers import read_all
from tests.data_prep.makers_udacity import HEADER, encode, good, picture, points_of, row, write
from tests.helpers import REAL_FACES, needs_real_faces

HEIGHT, WIDTH = 90, 100


BASE = 1  # the points of the tables count pixels from one
PEOPLE = ["Ada_Lovelace", "Alan_Turing", "Emmy_Noether", "O'Neil_St._John"]


@pytest.fixture
def folder(tmp_path):
    training = [good(f"{name}_{v}{f}.jpg", k) for k, name in enumerate(PEOPLE) for v in (0, 3) for f in (0, 1)]
    test = [good(f"{name}_{v}0.jpg", 5 + k, "jpg") for k, name in enumerate(PEOPLE) for v in (0, 3)]
    return write(tmp_path / "p1", {"training": training, "test": test})


def only(tmp_path, *entries, **choices):
    """A reader of a training half with these entries."""
    return UdacityFaces(write(tmp_path / "p1", {"training": list(entries)}, **choices))


def problem(reader, index):
    with pytest.raises(BadItem) as caught:
        reader[index]
    return str(caught.value)


# -------------------------------------------------------------------------------------------------- what is read


def test_every_annotated_picture_is_read_from_both_halves(folder):
    reader = UdacityFaces(folder)
    assert len(reader) == 24
    items = [reader[k] for k in range(24)]
    assert len({item.key for item in items}) == 24
    assert sum(item.key.startswith("training/") for item in items) == 16
    for item in items:
        assert item.image.shape == (HEIGHT, WIDTH, 3) and item.image.dtype == np.uint8
        assert item.points.shape == (68, 2) and item.mask.all() and item.visible.all()
    assert reader.markup is IBUG68


def test_an_item_in_detail(folder):
    reader = UdacityFaces(folder)
    item = next(item for item in (reader[k] for k in range(24)) if item.key == "training/Emmy_Noether_31.jpg")
    np.testing.assert_array_equal(item.points, points_of(2) - BASE)
    np.testing.assert_array_equal(item.image, picture(2))  # PNG under a .jpg name, alpha dropped
    assert (item.identity, item.video, item.frame) == ("Emmy_Noether", "training/Emmy_Noether_3", 1)


def test_the_same_name_in_both_halves_is_two_pictures(folder):
    reader = UdacityFaces(folder)
    items = {reader[k].key: reader[k] for k in range(24)}
    one, other = items["training/Ada_Lovelace_00.jpg"], items["test/Ada_Lovelace_00.jpg"]
    np.testing.assert_array_equal(one.points, points_of(0) - BASE)
    np.testing.assert_array_equal(other.points, points_of(5) - BASE)
    assert one.identity == other.identity and one.video != other.video and one.split == other.split
    assert np.abs(other.image.astype(int) - picture(5)).mean() < 3  # a real JPEG


def test_names_may_hold_dots_quotes_and_any_script(tmp_path):
    names = ["O'Neil_St._John_00.jpg", "Beyoncé_Knowles_12.jpg", "Jr._10.jpg"]
    reader = only(tmp_path, *(good(name, k) for k, name in enumerate(names)))
    items = [reader[k] for k in range(3)]
    assert [item.identity for item in items] == ["O'Neil_St._John", "Beyoncé_Knowles", "Jr."]
    assert [item.frame for item in items] == [0, 2, 0]


def test_videos_of_more_than_one_digit(tmp_path):
    item = only(tmp_path, good("Ada_Lovelace_123.jpg"))[0]
    assert (item.identity, item.video, item.frame) == ("Ada_Lovelace", "training/Ada_Lovelace_12", 3)


def test_the_order_is_that_of_the_table_and_the_reader_is_picklable(folder):
    reader = UdacityFaces(folder)
    again = pickle.loads(pickle.dumps(reader))
    keys = [reader[k].key for k in range(24)]
    assert [again[k].key for k in reversed(range(24))] == keys[::-1]
    assert keys[0] == "training/Ada_Lovelace_00.jpg" and keys[16] == "test/Ada_Lovelace_00.jpg"


def test_negative_coordinates_are_points_like_others(tmp_path):
    points = points_of(0)
    points[0], points[1] = (-23, 40), (30, -4)
    item = only(tmp_path, ("Ada_Lovelace_00.jpg", points, encode(picture(), "png")))[0]
    np.testing.assert_array_equal(item.points[:2] + BASE, [[-23, 40], [30, -4]])
    assert item.mask.all()


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("bom", [False, True])
def test_any_line_ending_and_a_byte_order_mark(tmp_path, newline, bom):
    reader = only(tmp_path, good(), good("Alan_Turing_10.jpg", 1), newline=newline, bom=bom)
    assert [reader[k].identity for k in range(len(reader))] == ["Ada_Lovelace", "Alan_Turing"]
    np.testing.assert_array_equal(reader[1].points, points_of(1) - BASE)


def test_a_last_row_without_its_line_end_may_be_cut_off_in_its_last_number(folder):
    table = folder / "test_frames_keypoints.csv"
    table.write_bytes(table.read_bytes().rstrip()[:-1])
    reader = UdacityFaces(folder)
    last = max(k for k in range(len(reader)) if reader.entries[k].facts["values"])
    assert "may be cut off" in reader.entries[last].problem
    assert len([entry for entry in reader.entries if entry.problem]) == 1


def test_blank_lines_are_nothing(tmp_path):
    write(tmp_path / "p1", {"training": [good()]})
    table = tmp_path / "p1" / "training_frames_keypoints.csv"
    table.write_text(table.read_text().replace("\n", "\n\n") + "\n\n")
    assert len(UdacityFaces(tmp_path / "p1")) == 1


def test_a_data_folder_inside_is_found(folder, tmp_path):
    os.makedirs(tmp_path / "clone")
    os.rename(folder, tmp_path / "clone" / "data")
    assert len(UdacityFaces(tmp_path / "clone")) == len(UdacityFaces(tmp_path / "clone" / "data")) == 24


def test_yaw_is_estimated_with_the_papers_sign(tmp_path):
    """A face squeezed towards one side: the nose to the viewer's left is yaw > 0 (DATASETS 2.5)."""
    points = points_of(0).copy()
    points[27:36, 0] -= 9
    items = only(
        tmp_path,
        ("Ada_Lovelace_00.jpg", points, encode(picture(), "png")),
        ("Ada_Lovelace_01.jpg", points_of(0), encode(picture(), "png")),
    )
    assert items[0].yaw > 10 and abs(items[1].yaw) < 4
    assert all(math.isfinite(v) for v in (items[0].pitch, items[0].roll))


def test_the_description_identifies_the_tables(folder, tmp_path):
    one = UdacityFaces(folder).description
    assert one == UdacityFaces(folder).description and one["reader"] == "udacity"
    assert UdacityFaces(folder, split_seed=1).description != one != UdacityFaces(folder, base=0).description
    write(folder, {"test": [good()]})
    assert UdacityFaces(folder).description["tables"]["training"] == one["tables"]["training"]
    assert UdacityFaces(folder).description["tables"]["test"] != one["tables"]["test"]


# --------------------------------------------------------------------------------------------------------- splits


def test_no_person_is_in_two_splits_and_both_halves_go_together(tmp_path):
    names = [f"Person_{chr(65 + k // 26)}{chr(65 + k % 26)}" for k in range(60)]
    image = encode(picture(), "png")
    write(
        tmp_path / "p1",
        {
            "training": [(f"{name}_0{f}.jpg", points_of(0), image) for name in names for f in (0, 1)],
            "test": [(f"{name}_00.jpg", points_of(0), image) for name in names],
        },
    )
    reader = UdacityFaces(tmp_path / "p1")
    splits = {}
    for k in range(len(reader)):
        splits.setdefault(reader[k].identity, set()).add(reader[k].split)
    assert len(splits) == 60 and all(len(found) == 1 for found in splits.values())
    assert set().union(*splits.values()) == {"train", "validation", "test"}


def test_a_persons_split_does_not_depend_on_the_other_persons():
    names = [f"person {k}" for k in range(500)]
    everybody = split_persons(names, 0)
    few = split_persons(names[::7][::-1], 0)
    assert all(everybody[name] == split for name, split in few.items())
    assert split_persons(names, 1) != everybody


def test_splits_have_their_shares():
    splits = list(split_persons([f"person {k}" for k in range(5000)], 3).values())
    for split, share in (("test", TEST_SHARE), ("validation", VALIDATION_SHARE)):
        assert splits.count(split) / 5000 == pytest.approx(share, abs=0.02)


def test_a_split_is_forever():
    """Numbers measured on held-out persons are only comparable while these stay as they are."""
    names = ["Ada_Lovelace", "Alan_Turing", "Emmy_Noether", "Kurt_Goedel", "Grace_Hopper", "Sofia_Kovalevskaya"]
    expected = {}
    import hashlib

    for name in names:
        share = int(hashlib.sha256(f"0/{name}".encode()).hexdigest()[:12], 16) / 16**12
        expected[name] = "test" if share < 0.15 else "validation" if share < 0.25 else "train"
    assert split_persons(names, 0) == expected


# ------------------------------------------------------------------------------------------- what is bad and named


def test_a_missing_image_is_named(tmp_path):
    reader = only(tmp_path, good(), ("Alan_Turing_00.jpg", points_of(1), None))
    assert "Alan_Turing_00.jpg: image file is missing" in problem(reader, 1)
    assert reader[0].identity == "Ada_Lovelace"


@pytest.mark.parametrize("kind", ["png", "jpg"])
def test_a_truncated_image_is_named(tmp_path, kind):
    whole = encode(picture(), kind)
    reader = only(tmp_path, ("Ada_Lovelace_00.jpg", points_of(0), whole[: len(whole) // 2]))
    assert "Ada_Lovelace_00.jpg: not a readable image" in problem(reader, 0)


@pytest.mark.parametrize("value", ["abc", "", "1,5".replace(",", ";"), "--3", "1_0"])
def test_something_that_is_no_number_is_named_with_its_column(tmp_path, value):
    values = row("Ada_Lovelace_00.jpg", points_of(0))
    values[1 + 17] = value
    reader = only(tmp_path, ("Ada_Lovelace_00.jpg", values, encode(picture(), "png")))
    assert f"[17] coordinate {value!r} is not a number" in problem(reader, 0)


@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
def test_a_number_that_is_not_finite_is_named_with_its_column(tmp_path, value):
    values = row("Ada_Lovelace_00.jpg", points_of(0))
    values[1 + 135] = value
    reader = only(tmp_path, ("Ada_Lovelace_00.jpg", values, encode(picture(), "png")))
    assert "[135] coordinate is not finite" in problem(reader, 0)


@pytest.mark.parametrize("change", [-1, 1, -136])
def test_a_row_of_wrong_length_is_named(tmp_path, change):
    values = row("Ada_Lovelace_00.jpg", points_of(0))
    values = values[:change] if change < 0 else [*values, "0.0"]
    reader = only(tmp_path, ("Ada_Lovelace_00.jpg", values, encode(picture(), "png")), good("Alan_Turing_00.jpg"))
    assert f"{137 + change} columns instead of 137 in training_frames_keypoints.csv" in problem(reader, 0)
    assert reader[1].identity == "Alan_Turing"


def test_a_second_row_of_one_name_is_named(tmp_path):
    reader = only(tmp_path, good(), ("Ada_Lovelace_00.jpg", points_of(3), None))
    assert len(reader) == 2
    np.testing.assert_array_equal(reader[0].points, points_of(0) - BASE)
    assert "second row of this name" in problem(reader, 1)


def test_an_image_without_a_row_is_counted(tmp_path):
    reader = only(tmp_path, good(), ("Alan_Turing_00.jpg", None, encode(picture(), "png")))
    assert len(reader) == 2 and "image without a row in training_frames_keypoints.csv" in problem(reader, 1)


def test_hidden_files_are_no_images(tmp_path):
    assert len(only(tmp_path, good(), (".DS_Store", None, b"x"), ("._Ada_Lovelace_00.jpg", None, b"x"))) == 1


@pytest.mark.parametrize(
    "name, reason",
    [
        ("picture.jpg", "not Person_Name_VF"),
        ("Ada_Lovelace_0.jpg", "not Person_Name_VF"),
        ("Ada_Lovelace_xy.jpg", "not Person_Name_VF"),
        ("_00.jpg", "not Person_Name_VF"),
        ("../../etc/passwd_00.jpg", "bad file name"),
        ("..\\secret_00.jpg", "bad file name"),
        ("", "bad file name"),
    ],
)
def test_a_bad_name_is_named(tmp_path, name, reason):
    reader = only(tmp_path, good(), (name, row(name, points_of(0)), None))
    assert reason in problem(reader, 1)


def test_points_in_one_place_are_skipped_by_the_preparation_and_do_not_stop_it(tmp_path):
    reader = only(tmp_path, good(), ("Alan_Turing_00.jpg", np.full((68, 2), 40.0), encode(picture(), "png")))
    _, report = prepare(reader, tmp_path / "store", size=32)
    assert report.kept == 1 and "where those of a face" in report.skipped[0][1]


def test_a_preparation_counts_all_that_is_bad(tmp_path):
    image = encode(picture(), "png")
    broken = row("Grace_Hopper_00.jpg", points_of(0))
    broken[5] = "abc"
    reader = only(
        tmp_path,
        good(),
        ("Alan_Turing_00.jpg", points_of(1), None),
        ("Emmy_Noether_00.jpg", points_of(1), image[:100]),
        ("Grace_Hopper_00.jpg", broken, image),
        ("Kurt_Goedel_00.jpg", None, image),
        good("Sofia_Kovalevskaya_12.jpg", 2),
    )
    store, report = prepare(reader, tmp_path / "store", size=48)
    assert report.kept == len(store) == 2 and len(report.skipped) == 4
    assert sorted(store.identities) == ["Ada_Lovelace", "Sofia_Kovalevskaya"]
    assert store.videos == ["training/Ada_Lovelace_0", "training/Sofia_Kovalevskaya_1"]


# --------------------------------------------------------------------------------------- folders that cannot be used


def test_a_missing_folder_is_named_with_the_way_to_get_it(tmp_path):
    with pytest.raises(DataError, match="absent: .*no such folder.*git clone"):
        UdacityFaces(tmp_path / "absent")


def test_an_empty_folder_is_named(tmp_path):
    with pytest.raises(DataError, match=r"no training_frames_keypoints.csv.*found: nothing.*git clone"):
        UdacityFaces(tmp_path)


def test_another_folder_is_named_with_what_was_found(tmp_path):
    (tmp_path / "holiday.jpg").write_bytes(b"x")
    with pytest.raises(DataError, match="found: holiday.jpg"):
        UdacityFaces(tmp_path)


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "file").write_bytes(b"x")
    with pytest.raises(DataError, match="no such folder"):
        UdacityFaces(tmp_path / "file")


def test_a_half_without_its_table_is_named(folder):
    (folder / "training_frames_keypoints.csv").unlink()
    with pytest.raises(DataError, match="training_frames_keypoints.csv: missing, though its images are there"):
        UdacityFaces(folder)


def test_tables_without_rows_or_images_are_refused(tmp_path):
    with pytest.raises(DataError, match="no row or image"):
        only(tmp_path)


@pytest.mark.parametrize(
    "header, reason",
    [
        (HEADER[:-1], r"\[header\] 136 columns, wanted 137"),
        ([*HEADER, "136"], r"\[header\] 138 columns, wanted 137"),
        (["name"], r"\[header\] 1 columns"),
        (row("Alan_Turing_00.jpg", points_of(0)), r"\[header\] the first line does not name the columns"),
        (["", "0", "2", "1", *HEADER[4:]], r"\[header\] the first line does not name the columns"),
    ],
    ids=["short", "long", "another table", "missing", "other order"],
)
def test_a_header_that_does_not_fit_is_named(tmp_path, header, reason):
    with pytest.raises(DataError, match=f"training_frames_keypoints.csv: {reason}"):
        only(tmp_path, good(), header=header)


def test_an_empty_table_is_named(tmp_path):
    write(tmp_path / "p1", {"training": [good()]})
    (tmp_path / "p1" / "training_frames_keypoints.csv").write_bytes(b"")
    with pytest.raises(DataError, match=r"\[header\] 0 columns"):
        UdacityFaces(tmp_path / "p1")


def test_a_table_that_is_no_text_is_named(tmp_path):
    write(tmp_path / "p1", {"training": [good()]})
    (tmp_path / "p1" / "training_frames_keypoints.csv").write_bytes(b"\xff\xfe\x00a\x80\x81")
    with pytest.raises(DataError, match="training_frames_keypoints.csv: not a text table"):
        UdacityFaces(tmp_path / "p1")


# --------------------------------------------------------------------------------------------- every count explained


def test_every_count_is_explained(tmp_path):
    training = [good(f"{name}_0{f}.jpg", k) for k, name in enumerate(PEOPLE) for f in (0, 1)]
    training.append(("Ada_Lovelace_02.jpg", points_of(0), None))  # a row without an image
    test = [good(f"{PEOPLE[0]}_00.jpg"), ("Alan_Turing_00.jpg", None, encode(picture(), "png"))]  # and the reverse
    reader = UdacityFaces(write(tmp_path / "p1", {"training": training, "test": test}))
    assert sorted(why for _, why in reader.problems()) == [
        "image file is missing",
        "image without a row in test_frames_keypoints.csv",
    ]
    said = reader.tally()
    assert said[:3] == [
        "training: 9 rows in the table, 1 of them bad, and 0 images without a row",
        "test: 1 row in the table, 0 of them bad, and 1 image without a row",
        "1 of 4 persons are in both halves: the split into train, validation and test is ours, by person",
    ]
    found, _ = read_all(reader)
    splits = [item.split for item in found.values()]
    for line in said[3:]:
        split, _, rest = line.partition(": ")
        persons = {item.identity for item in found.values() if item.split == split}
        assert rest.startswith(f"{splits.count(split)} item") and f"{len(persons)} known person" in rest
    assert sum(int(line.split()[1]) for line in said[3:]) == len(splits) == 9


# ------------------------------------------------------------------------------------------------------ real faces


@needs_real_faces
def test_real_faces_are_read(tmp_path):
    reader = UdacityFaces(REAL_FACES)
    splits, yaws = {}, []
    step = max(1, len(reader) // 150)
    for k in range(0, len(reader), step):
        try:
            item = reader[k]
        except BadItem:
            continue
        splits.setdefault(item.identity, set()).add(item.split)
        yaws.append(item.yaw)
        eyes_left = item.points[36:42, 0].mean() < item.points[42:48, 0].mean()
        assert eyes_left and item.points[48:68, 1].mean() > item.points[36:48, 1].mean()
    assert len(yaws) > 50 and all(len(found) == 1 for found in splits.values())
    assert np.isfinite(yaws).all() and np.mean(np.abs(yaws) < 90) > 0.98 and abs(np.median(yaws)) < 15


@needs_real_faces
def test_hardly_a_real_face_is_skipped(tmp_path):
    reader = UdacityFaces(REAL_FACES)
    annotated = [k for k in range(len(reader)) if not reader.entries[k].problem]

    class Some(type(reader)):
        def __init__(self):
            self.description = reader.description

        def __len__(self):
            return min(200, len(annotated))

        def __getitem__(self, k):
            return reader[annotated[k * len(annotated) // len(self)]]

    store, report = prepare(Some(), tmp_path / "store", size=64)
    assert report.kept >= 0.97 * len(Some()), report.summary()
    inside = (store.table["points"] > -1).all(-1) & (store.table["points"] < 64).all(-1)
    assert inside.mean() > 0.97  # the margin keeps the landmarks in the crop
