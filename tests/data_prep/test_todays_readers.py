"""Readers of the formats that came after the papers' own: read back exactly, and what is wrong is named."""

import pickle

import numpy as np
import pytest
from scipy.io import loadmat, savemat

from data_prep.datasets import dataset
from data_prep.errors import BadItem, DataError
from data_prep.markups import COFW29, IBUG68_3D, WFLW98
from data_prep.mat import read_mat
from data_prep.pts import parse_points
from data_prep.readers.cofw import Cofw, Cofw68
from data_prep.readers.family300w import Dlib300W, Family300W
from data_prep.readers.lp300w import Aflw2000, Lp300W
from data_prep.readers.merl_rav import MerlRav, decode
from data_prep.readers.wflw import ATTRIBUTES, Wflw
from rednet_core.markup import IBUG68
from tests.data_prep import makers_today as made
from tests.data_prep.makers import WIDTH, encode, pair, picture, points_of, put, read_all

# ------------------------------------------------------------------------------------------------------------ WFLW


def test_wflw_is_read_back(tmp_path):
    made.wflw(tmp_path / "WFLW ü")
    reader = Wflw(tmp_path / "WFLW ü")
    items, problems = read_all(reader)
    assert not problems and [(i.key, i.split) for i in items.values()] == [
        ("train/1", "train"),
        ("train/2", "train"),
        ("test/1", "test"),
    ]
    item = items["test/1"]
    np.testing.assert_allclose(item.points, made.drawn(3, WFLW98), atol=1e-4)
    np.testing.assert_allclose(item.box, [52.5, 47.5, 65])
    assert item.mask.all() and np.isnan(item.yaw) and reader.markup is WFLW98
    assert reader.tally()[-1].startswith("test attributes: 0 pose, 1 expression") and len(ATTRIBUTES) == 6
    assert pickle.loads(pickle.dumps(reader))[2].key == "test/1"


def test_two_faces_of_a_picture_are_two_items_and_bad_lines_are_named(tmp_path):
    good, name = made.drawn(2, WFLW98), "1--Parade/1_Parade_1.jpg"
    mirrored = good * [-1, 1] + [WIDTH, 0]
    lines = [
        made.wflw_line(good, name),
        made.wflw_line(good, "../../etc/passwd"),
        made.wflw_line(good, name).replace(" 0 1 0 0 1 0 ", " 0 7 0 0 1 0 "),
        made.wflw_line(good, name)[:-30],
        made.wflw_line(good, name).replace("20 15 85", "20 1e30 85"),
        made.wflw_line(good, "gone/gone.jpg"),
        made.wflw_line(mirrored, name),
    ]
    made.wflw(tmp_path, ((1,), (3,)), lines)
    reader = Wflw(tmp_path)
    items, problems = read_all(reader)
    assert list(items) == ["train/1", "train/2", "test/1"]
    said = " | ".join(why for _, why in reader.problems())
    for part in ("line 3", "bad picture name", "line 4", "neither 0 nor 1", "is not a number of pixels", "missing"):
        assert part in said
    assert any("wflw98 markup" in why for why in problems.values())  # mirrored, not swapped


def test_wflws_test_faces_of_one_attribute(tmp_path):
    made.wflw(tmp_path)
    assert len(Wflw(tmp_path, only="expression")) == 3
    with pytest.raises(DataError, match="known: pose"):
        Wflw(tmp_path, only="beauty")
    assert [item.split for item in Wflw(tmp_path, only="pose")] == ["train", "train"]


# --------------------------------------------------------------------------------------- 300W-LP and AFLW2000-3D


def test_300w_lp_is_read_back_with_its_pose_in_the_projects_signs(tmp_path):
    made.lp300w(tmp_path / "300W_LP")
    reader = Lp300W(tmp_path)
    items, problems = read_all(reader)
    assert not problems and list(items) == ["AFW/AFW_1_1_0", "AFW/AFW_1_1_5", "HELEN/HELEN_2_1_0"]
    item = items["AFW/AFW_1_1_5"]
    np.testing.assert_allclose(item.points, points_of(2), atol=1e-4)
    np.testing.assert_allclose((item.yaw, item.pitch, item.roll), (20, -8, -5), atol=1e-4)
    assert {i.split for i in items.values()} == {"train"} and reader.markup is IBUG68


def test_300w_lps_choices(tmp_path):
    made.lp300w(tmp_path)
    assert [i.key for i in Lp300W(tmp_path, synthetic=False)] == ["AFW/AFW_1_1_0", "HELEN/HELEN_2_1_0"]
    assert len(Lp300W(tmp_path, flips=True)) == 4
    space = Lp300W(tmp_path, points="3d")
    assert space.markup is IBUG68_3D
    np.testing.assert_allclose(space[0].points - points_of(1), 0.5, atol=1e-4)
    for path in (tmp_path / "landmarks").rglob("*.mat"):
        path.unlink()
    np.testing.assert_allclose(Lp300W(tmp_path)[0].points, points_of(1), atol=1e-4)  # pt2d stands in
    with pytest.raises(BadItem, match="file is missing"):
        Lp300W(tmp_path, points="3d")[0]


def test_aflw2000_is_read_back_and_bad_files_are_named(tmp_path):
    made.aflw2000(tmp_path / "AFLW2000")
    put(tmp_path / "AFLW2000" / "image00009.jpg", encode(picture(), "jpg"))
    savemat(tmp_path / "AFLW2000" / "image00009.mat", {"pt3d_68": np.zeros((3, 21)), "Pose_Para": np.zeros((1, 7))})
    put(tmp_path / "AFLW2000" / "image00011.jpg", encode(picture(), "jpg"))
    put(tmp_path / "AFLW2000" / "image00011.mat", b"<html>")
    put(tmp_path / "AFLW2000" / "image00013.jpg", encode(picture(), "jpg"))
    reader = Aflw2000(tmp_path)
    items, problems = read_all(reader)
    assert list(items) == ["image00002", "image00004"] and {i.split for i in items.values()} == {"test"}
    np.testing.assert_allclose(items["image00004"].points, points_of(4), atol=1e-4)
    assert items["image00004"].yaw == pytest.approx(20) and reader.markup is IBUG68_3D
    said = " | ".join(problems.values())
    for part in ("(21, 2) instead of (68, 2)", "MATLAB", "image without annotation"):
        assert part in said


# -------------------------------------------------------------------------------------------------------- MERL-RAV


def test_merl_ravs_signs_become_mask_and_visibility(tmp_path):
    made.merl_rav(tmp_path / "merl_rav_organized")
    items, problems = read_all(MerlRav(tmp_path))
    assert not problems
    seen, hidden = items["frontal/trainset/image00001"], items["righthalf/testset/image00002_1"]
    assert seen.mask.all() and seen.visible.all() and (seen.split, seen.group) == ("train", "")
    assert (hidden.split, hidden.group) == ("test", "MERL-RAV righthalf")
    assert np.flatnonzero(~hidden.mask).tolist() == [0, 1, 2]
    assert np.flatnonzero(~hidden.visible).tolist() == [0, 1, 2, 3, 4, 5]
    np.testing.assert_allclose(hidden.points[3:], points_of(2)[3:], atol=1e-4)
    assert (hidden.points > 0).all()  # a hidden point's sentinel goes nowhere


def test_one_coordinate_below_zero_is_outside_and_not_coded():
    points, mask, visible = decode(np.array([[-5.0, 30.0], [-1, -1], [-1, -2], [4, 5]]))
    assert points.tolist() == [[-5, 30], [1, 1], [1, 2], [4, 5]]
    assert mask.tolist() == [True, False, True, True] and visible.tolist() == [True, False, False, True]


def test_merl_ravs_labels_alone_say_what_to_do(tmp_path):
    made.merl_rav(tmp_path / "merl_rav_labels")
    for path in tmp_path.rglob("*.jpg"):
        path.unlink()
    assert any("script" in warning for warning in MerlRav(tmp_path).warnings)


# ------------------------------------------------------------------------------------------------- 300-W's family


def test_300w_in_one_folder_is_its_sets_with_the_usual_split(tmp_path):
    made.family300w(tmp_path)
    reader = Family300W(tmp_path)
    items, problems = read_all(reader)
    assert not problems and {key: (i.split, i.group) for key, i in items.items()} == {
        "afw/1_1": ("train", ""),
        "helen/trainset/2_1": ("train", ""),
        "helen/testset/3_1": ("test", "300-W common"),
        "ibug/image_003 _1": ("test", "300-W challenging"),
        "lfpw/trainset/image_0001": ("train", ""),
        "lfpw/testset/image_0001": ("test", "300-W common"),
    }
    assert reader.whole_copy == {"train": 2000 + 811 + 337, "test": 330 + 224 + 135} and not reader.warnings
    np.testing.assert_allclose(items["afw/1_1"].points, points_of(3), atol=1e-4)
    assert pickle.loads(pickle.dumps(reader))[0].key == "helen/trainset/2_1"
    papers = dataset("300w").open(tmp_path, test_half="train")
    assert {item.split for item in papers} == {"train"}


def test_dlibs_xml_is_read_back(tmp_path):
    made.dlib300w(tmp_path)
    reader = Dlib300W(tmp_path)
    items, problems = read_all(reader)
    assert not problems and [(k, i.split) for k, i in items.items()] == [
        ("helen/trainset/1_1", "train"),
        ("afw/3_1", "test"),
    ]
    item = items["afw/3_1"]
    assert np.abs(item.points - points_of(3)).max() <= 0.5 and item.box.tolist() == [49.5, 44.5, 59]
    assert len(Dlib300W(tmp_path, mirrored=True)) == 3


@pytest.mark.parametrize(
    "data, reason",
    [
        (b"<dataset><images><image file='a.jpg'>", "not readable as XML"),
        (b"<html></html>", "no <dataset>"),
        (made.dlib_xml([], "<!DOCTYPE x [<!ENTITY a 'b'>]>"), "document type"),
        (b"<!--" + b"x" * 65525 + b"--><!DOCTYPE x [<!ENTITY a 'b'>]><dataset/>", "document type"),
        ("<!DOCTYPE x [<!ENTITY a 'b'>]><dataset/>".encode("utf-16"), "document type"),
    ],
)
def test_other_xml_is_refused(tmp_path, data, reason):
    put(tmp_path / "labels_ibug_300W_train.xml", data)
    with pytest.raises(DataError, match=reason):
        Dlib300W(tmp_path)


def test_bad_faces_of_dlibs_xml_are_named(tmp_path):
    text = made.dlib_xml([(1, "afw/1_1.jpg"), (2, "../2.jpg"), (3, "afw/3.jpg"), (4, "afw/4.jpg")]).decode()
    head, *faces = text.split("<image ")
    faces[2] = faces[2].replace("name='67'", "name='68'")
    put(tmp_path / "labels_ibug_300W_train.xml", "<image ".join([head, *faces]).encode())
    put(tmp_path / "afw" / "1_1.jpg", encode(picture(1), "jpg"))
    reader = Dlib300W(tmp_path)
    assert list(read_all(reader)[0]) == ["afw/1_1"]
    said = " | ".join(why for _, why in reader.problems())
    assert "bad picture name" in said and "named parts" in said and "image file is missing" in said


# ------------------------------------------------------------------------------------------------------------ COFW


def check_cofw(folder):
    reader = Cofw(folder)
    items, problems = read_all(reader)
    assert not problems and list(items) == ["train/1", "train/2", "test/1"] and reader.markup is COFW29
    for key, k in (("train/1", 1), ("train/2", 2), ("test/1", 3)):
        item = items[key]
        np.testing.assert_allclose(item.points, made.drawn(k, COFW29), atol=1e-4)
        np.testing.assert_array_equal(item.image, picture(k))
        assert item.mask.all() and np.flatnonzero(~item.visible).tolist() == [0, 5, 10, 15, 20, 25]
        np.testing.assert_allclose(item.box, [49.5, 44.5, 59])
    assert pickle.loads(pickle.dumps(reader))[1].key == "train/2"


def test_cofw_is_read_back(tmp_path):
    made.cofw(tmp_path)
    check_cofw(tmp_path)


def test_cofw_as_it_is_given_out_is_read_back(tmp_path):
    pytest.importorskip("h5py", reason="COFW's files are HDF5: h5py is not installed")
    made.cofw_hdf5(tmp_path / "COFW_color")
    check_cofw(tmp_path)
    made.cofw_hdf5(tmp_path / "grey", grey=(1,))
    grey = Cofw(tmp_path / "grey")[0].image
    assert (grey == picture(1)[..., :1]).all() and grey.shape == picture(1).shape


def test_cofw_without_h5py_says_what_to_install(tmp_path, monkeypatch):
    put(tmp_path / "COFW_test_color.mat", b"MATLAB 7.3 MAT-file".ljust(512) + b"\x89HDF\r\n\x1a\n")
    monkeypatch.setitem(__import__("sys").modules, "h5py", None)
    with pytest.raises(DataError, match="pip install h5py"):
        Cofw(tmp_path)


def test_damaged_cofw_is_an_error(tmp_path):
    pytest.importorskip("h5py", reason="COFW's files are HDF5: h5py is not installed")
    made.cofw_hdf5(tmp_path)
    path = tmp_path / "COFW_test_color.mat"
    whole = path.read_bytes()
    for data in (whole[:600], whole[:2000], whole[:128] + bytes(len(whole) - 128)):
        path.write_bytes(data)
        with pytest.raises(DataError):
            Cofw(tmp_path)


def test_pictures_of_another_scale_than_0_to_255_are_bad_items(tmp_path):
    made.cofw(tmp_path)
    cells = np.empty((2, 1), object)
    cells[:, 0] = [picture(1) / 255, picture(2) * 2.0]
    held = loadmat(tmp_path / "COFW_train_color.mat")
    savemat(tmp_path / "COFW_train_color.mat", {**{k: held[k] for k in ("phisTr", "bboxesTr")}, "IsTr": cells})
    items, problems = read_all(Cofw(tmp_path))
    assert list(items) == ["test/1"] and str(problems).count("no whole numbers from 0 to 255") == 2


def test_pictures_that_are_not_there_are_bad_items(tmp_path):
    made.cofw(tmp_path)
    path = tmp_path / "COFW_train_color.mat"
    phis, boxes = (read_mat(path.read_bytes(), name, path) for name in ("phisTr", "bboxesTr"))
    cells = np.empty((1, 1), object)
    cells[0, 0] = picture(1)
    savemat(path, {"IsTr": cells, "phisTr": phis, "bboxesTr": boxes})
    items, problems = read_all(Cofw(tmp_path))
    assert list(items) == ["train/1", "test/1"] and "no readable picture" in " ".join(problems.values())
    made.cofw68(tmp_path / "68")
    put(tmp_path / "68" / "test_annotations" / "0_points.mat", b"")
    assert [why for _, why in Cofw68(tmp_path / "68").problems()] == ["faces are numbered from 1"]


def test_cofw68_has_the_68_points_of_cofws_test_pictures(tmp_path):
    made.cofw68(tmp_path)
    (item,) = [Cofw68(tmp_path)[0]]
    np.testing.assert_allclose(item.points, points_of(3), atol=1e-4)
    np.testing.assert_array_equal(item.image, picture(3))
    assert item.mask.all() and np.flatnonzero(~item.visible).tolist() == list(range(0, 68, 4))
    np.testing.assert_allclose(item.box, [49.5, 44.5, 59])


# ------------------------------------------------------------------------------------------------ header-less .pts


def bare(points, end="\n"):
    return "\n".join(f"{x:.3f} {y:.3f}" for x, y in points).encode() + end.encode()


@pytest.mark.parametrize("end", ["\n", "", "\r\n\r\n"])
def test_bare_lines_of_coordinates_are_points_and_noted(end):
    points, notes = parse_points(bare(points_of(1), end), 68)
    np.testing.assert_allclose(points, points_of(1), atol=1e-3)
    assert notes == ("no header",)


@pytest.mark.parametrize(
    "data",
    [
        bare(points_of(1)[:67]),  # one short
        bare(points_of(1), "")[:-1],  # the last number has fewer decimals than the others
        bare(points_of(1)).replace(b" ", b" 1 ", 1),  # a third column
        bare(points_of(1)).replace(b" ", b" nan", 1),
        b"version: 1\n" + bare(points_of(1)),  # a header, but no brace
    ],
)
def test_bare_lines_that_leave_doubt_are_refused(data):
    with pytest.raises(BadItem):
        parse_points(data, 68)


def test_a_set_of_bare_files_is_prepared(tmp_path):
    pair(tmp_path, "1_1", 1, "jpg")
    put(tmp_path / "1_1.pts", bare(points_of(1) + 1))
    (item,) = [dataset("afw").open(tmp_path)[0]]
    np.testing.assert_allclose(item.points, points_of(1), atol=1e-2)
