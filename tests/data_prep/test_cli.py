"""The doctor and the command line: every data set is told from its folder, and a store is complete or absent."""

import errno
import json
import shutil

import pytest
from filelock import FileLock

from data_prep import store as stores
from data_prep.cli import main
from data_prep.datasets import DATASETS, dataset
from data_prep.doctor import examine, nearest
from data_prep.errors import DataError
from data_prep.markups import AFLW21
from data_prep.store import Store
from rednet_core.markup import SEVEN
from tests.data_prep.folders import MAKERS
from tests.data_prep.makers import encode, pair, picture, put, tree_of, vw300
from tests.helpers import REAL_FACES, needs_real_faces

EVERY = pytest.mark.parametrize("name", list(DATASETS))


def test_every_data_set_has_a_folder_here():
    assert MAKERS.keys() == DATASETS.keys()


# ----------------------------------------------------------------------------------------------------- the doctor


@EVERY
def test_the_doctor_tells_what_a_folder_is_and_writes_nothing(tmp_path, name):
    folder = tmp_path / "daten ü"
    MAKERS[name](folder)
    before = tree_of(tmp_path)
    found = examine(folder, read=True)
    assert found.dataset.name == name and not found.missing and not found.error
    assert found.listed == found.usable > 0 and not found.skipped and not found.elsewhere
    text = found.text()
    for part in ("seems to be", DATASETS[name].table4, DATASETS[name].terms, DATASETS[name].how_to_get):
        assert part in text
    assert tree_of(tmp_path) == before
    assert examine(folder, name=name).usable == found.usable


@EVERY
def test_what_differs_from_the_nearest_is_told(tmp_path, name):
    MAKERS[name](tmp_path / "x")
    one = DATASETS[name]
    victims = [p for p in sorted((tmp_path / "x").rglob("*")) if p.is_file() and _is(p, tmp_path / "x", one.signs[0])]
    assert victims
    for victim in victims:
        victim.unlink()
    found = examine(tmp_path / "x", name=name)
    assert one.signs[0].what in found.missing
    assert f"missing   {one.signs[0].what}" in found.text() and "get it" in found.text()


def _is(path, root, sign):
    return any(path in set(root.glob(pattern)) for pattern in sign.patterns)


def test_300vw_without_its_extra_is_still_300vw(tmp_path):
    vw300(tmp_path, "001", 3)
    found = examine(tmp_path)
    assert found.dataset.name == "300vw" and found.missing == ["extra.zip or extra/*.mat"]


def test_expected_and_found_counts_and_the_reasons_are_told(tmp_path):
    MAKERS["helen"](tmp_path)
    for k in range(5):
        put(tmp_path / "trainset" / f"9{k}_1.jpg", encode(picture(), "jpg"))
    text = examine(tmp_path).text()
    assert "7 listed, 2 usable" in text and "expected  2,330 usable" in text
    assert "skipped   5 x image without annotation" in text and text.count("_1.jpg") >= 3 and "94_1.jpg" not in text


def test_a_picture_that_cannot_be_read_is_found_by_reading(tmp_path):
    for k in range(40):
        pair(tmp_path / "trainset", f"{k}_1", 0, "jpg")
    put(tmp_path / "trainset" / "10_1.jpg", b"nothing")  # second by name: not among those that are opened
    few, all_of_them = examine(tmp_path), examine(tmp_path, read=True)
    assert (few.usable, few.opened) == (40, 12) and (all_of_them.usable, all_of_them.opened) == (39, 40)
    assert "12 that were opened" in few.text()


def test_a_data_set_one_folder_further_in_is_pointed_at(tmp_path):
    MAKERS["udacity"](tmp_path / "some" / "p1")
    found = examine(tmp_path / "some")
    assert found.dataset is None and "inside    YouTube Faces in Udacity's layout" in found.text()
    assert "is in p1: point there" in found.text()


def test_archives_are_to_be_unpacked_first(tmp_path):
    put(tmp_path / "helen.zip", b"")
    text = examine(tmp_path).text()
    assert "no data set that is known here" in text and "helen.zip: unpack first" in text and "known     aflw" in text


def test_nothing_at_all(tmp_path):
    assert nearest(tmp_path) == (None, []) and "files     none" in examine(tmp_path).text()
    with pytest.raises(DataError, match="no such folder"):
        examine(tmp_path / "absent")
    with pytest.raises(DataError, match="unknown data set 'x', known: aflw"):
        dataset("x")
    with pytest.raises(DataError, match="unknown data set 'hellen'.* Fix: say helen"):
        dataset("hellen")


def test_a_data_set_that_it_is_not_is_not_said_to_be_there(tmp_path):
    """The user says --dataset; the folder says something else."""
    MAKERS["helen"](tmp_path)
    text = examine(tmp_path, name="aflw").text()
    assert "taken for AFLW, 21 points, as you say (0 of 2 signs of it)" in text and "seems to be" not in text
    assert "nearest   Helen in iBUG's form, 68 points: leave --dataset out, or say helen" in text
    assert "error     no aflw.sqlite, nor data/aflw.sqlite, in it\n" in text  # how to get it is said once
    text = examine(tmp_path, name="talking_face", read=True).text()  # pictures with .pts, as Talking Face has
    assert "taken for Talking Face" in text and "nearest   Helen" in text and "2 listed, 0 usable (read)" in text
    assert "nearest" not in examine(tmp_path, name="helen").text() and "inside" not in text


def test_an_unknown_layout_gets_the_nearest_match_and_what_differs(tmp_path):
    put(tmp_path / "images" / "0" / "image00001.jpg", encode(picture(), "jpg"))
    put(tmp_path / "images" / "a.jpg", encode(picture(), "jpg"))
    text = examine(tmp_path).text()
    assert "no data set that is known here; nearest is AFLW, 21 points (1 of 2 signs of it)" in text
    assert "missing   aflw.sqlite" in text and "found     images" in text and "files     2 .jpg in images" in text
    for name in "abcd":
        put(tmp_path / name / "x.jpg", encode(picture(), "jpg"))
    assert "files     6 .jpg in 5 folders" in examine(tmp_path).text()


def test_several_data_sets_in_a_folder_are_all_told(tmp_path):
    for name in ("helen", "aflw", "udacity"):
        MAKERS[name](tmp_path / name)
    found = examine(tmp_path)
    assert found.dataset.name == "helen"
    assert [place for place, _ in found.elsewhere] == ["aflw", "udacity"] and "is in aflw: point there" in found.text()
    assert examine(tmp_path / "helen").elsewhere == []


def test_how_many_are_missing_from_a_whole_copy_is_said(tmp_path):
    MAKERS["helen"](tmp_path)
    text = examine(tmp_path).text()
    assert "expected  2,330 usable in a whole copy, 2,328 more than here" in text
    assert "files     1 .jpg in testset, 1 .jpg in trainset, 1 .pts in testset, 1 .pts in trainset" in text
    assert " train: 1 of 2,000 items\n" in text and " test: 1 of 330 items\n" in text


def test_an_option_that_a_reader_does_not_have_is_an_error(tmp_path):
    MAKERS["helen"](tmp_path)
    with pytest.raises(DataError, match="helen has no option 'bass', known: base, boxes"):
        examine(tmp_path, bass=0)
    MAKERS["aflw"](tmp_path / "a")
    with pytest.raises(DataError, match="faces 'both', known: first, all"):  # and nothing about the folder
        examine(tmp_path / "a", faces="both")


@needs_real_faces
def test_real_faces_are_told():
    found = examine(REAL_FACES)
    assert found.dataset.name == "udacity" and not found.missing and found.usable > 1000


# ------------------------------------------------------------------------------------------------ the command line


@EVERY
def test_every_data_set_is_prepared(tmp_path, name, capsys):
    MAKERS[name](tmp_path / "x")
    assert main(["prepare", str(tmp_path / "x"), str(tmp_path / "store"), "--size", "32"]) == 0
    store = Store(tmp_path / "store")
    store.verify()
    said = capsys.readouterr().out
    assert said.startswith(f"{name}: ") and f"{len(store)} kept, 0 skipped" in said
    assert main(["prepare", str(tmp_path / "x"), str(tmp_path / "store"), "--size", "32"]) == 0
    assert "already prepared" in capsys.readouterr().out


@EVERY
def test_a_read_only_source_is_prepared_and_left_as_it_was(tmp_path, name):
    MAKERS[name](tmp_path / "x")
    before, places = tree_of(tmp_path / "x"), [tmp_path / "x", *(tmp_path / "x").rglob("*")]
    for place in places:
        place.chmod(0o555 if place.is_dir() else 0o444)
    try:
        assert main(["prepare", str(tmp_path / "x"), str(tmp_path / "store"), "--size", "16"]) == 0
        assert tree_of(tmp_path / "x") == before  # nothing beside a data base, nothing unpacked
    finally:
        for place in places:
            place.chmod(0o755)


def test_seven_points_whole_frames_and_options(tmp_path, capsys):
    MAKERS["aflw"](tmp_path / "x")
    command = ["prepare", str(tmp_path / "x"), str(tmp_path / "s"), "--size", "40", "--seven", "--whole-frames"]
    assert main([*command, "--set", "faces=all", "--set", "split_seed=3"]) == 0
    store = Store(tmp_path / "s")
    assert store.markup is SEVEN and store.meta["margin"] is None
    assert store.meta["source"]["seven points of"]["split_seed"] == 3 and store.meta["source"]["markup"] == AFLW21.name


def test_a_dry_run_writes_nothing(tmp_path, capsys):
    MAKERS["300vw"](tmp_path / "x")
    before = tree_of(tmp_path)
    assert main(["prepare", str(tmp_path / "x"), str(tmp_path / "a" / "store"), "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert "3 items, 0 known to be bad" in said and "dry run" in said and "note      no split file" in said
    assert tree_of(tmp_path) == before


def test_skipped_items_are_counted_and_listed(tmp_path, capsys):
    MAKERS["helen"](tmp_path / "x")
    put(tmp_path / "x" / "trainset" / "9_1.jpg", encode(picture(), "jpg"))
    assert main(["prepare", str(tmp_path / "x"), str(tmp_path / "store"), "--size", "16"]) == 0
    said = capsys.readouterr().out
    assert "2 kept, 1 skipped, of 3 items" in said and "skipped   1 x image without annotation" in said
    assert " train: 1 item\n" in said and " test: 1 item (of them 1 in 300-W common)\n" in said
    listed = json.loads((tmp_path / "store" / "skipped.json").read_text())
    assert listed == [{"where": str(tmp_path / "x" / "trainset" / "9_1.jpg"), "why": "image without annotation"}]


@pytest.mark.parametrize(
    "change, reason",
    [
        (["--size", "24"], "another store stands there: size is 16 there, 24 is wanted"),
        (["--margin", "2"], "another store stands there: margin is 1.5 there, 2.0 is wanted"),
        (["--set", "base=0"], "another store stands there: base is 1 there, 0 is wanted"),
    ],
)
def test_another_store_is_not_replaced(tmp_path, capsys, change, reason):
    MAKERS["helen"](tmp_path / "x")
    command = ["prepare", str(tmp_path / "x"), str(tmp_path / "store"), "--size", "16"]
    assert main(command) == 0
    before = tree_of(tmp_path / "store")
    assert main([*command, *change]) == 1 and reason in capsys.readouterr().err
    assert tree_of(tmp_path / "store") == before


@pytest.mark.parametrize(
    "arguments, reason",
    [
        (["prepare", "{}/absent", "{}/s"], "no such folder"),
        (["prepare", "{}", "{}/s"], "no data set that is known here"),
        (["prepare", "{}", "{}/s", "--dataset", "aflw"], "no aflw.sqlite"),
        (["prepare", "{}", "{}/s", "--size", "0"], "[--size] 0 is not between 8 and 4096"),
        (["prepare", "{}", "{}/s", "--margin", "inf"], "[--margin] inf is not between"),
        (["prepare", "{}", "{}/s", "--margin", "nan"], "[--margin] nan is not between"),
        (["prepare", "{}", "{}/s", "--workers", "0"], "[--workers] 0 is not between"),
        (["prepare", "{}", "{}/s", "--set", "base"], "'base' is not OPTION=VALUE"),
        (["doctor", "{}/absent"], "no such folder"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(tmp_path, capsys, arguments, reason):
    assert main([part.format(tmp_path) for part in arguments]) == 1
    said = capsys.readouterr().err
    assert said.startswith("error: ") and reason in said and "Traceback" not in said
    assert list(tmp_path.iterdir()) == []


def test_an_empty_folder_is_a_place_for_a_store_and_another_is_not(tmp_path, capsys):
    MAKERS["afw"](tmp_path / "x")
    (tmp_path / "empty").mkdir()
    assert main(["prepare", str(tmp_path / "x"), str(tmp_path / "empty"), "--dataset", "afw", "--size", "16"]) == 0
    assert len(Store(tmp_path / "empty")) == 1
    assert main(["prepare", str(tmp_path / "x"), str(tmp_path / "x"), "--dataset", "afw", "--size", "16"]) == 1
    assert "no store, and something else stands there Fix: name another place" in capsys.readouterr().err


def test_the_doctors_exit_says_whether_it_can_be_prepared(tmp_path, capsys):
    assert main(["doctor", str(tmp_path)]) == 1
    MAKERS["lfpw"](tmp_path)
    assert main(["doctor", str(tmp_path), "--read"]) == 0 and "LFPW" in capsys.readouterr().out


def test_an_option_that_is_given_two_values_is_an_error(tmp_path, capsys):
    MAKERS["afw"](tmp_path)
    given = ["doctor", str(tmp_path), "--dataset", "afw", "--set", "base=0", "--set"]
    assert main([*given, "base=0"]) == 0 and main([*given, "base=1"]) == 1
    assert "base is given twice, as 0 and as 1" in capsys.readouterr().err


def test_the_list_names_every_data_set(capsys):
    assert main(["list"]) == 0
    said = capsys.readouterr().out
    assert all(one.title in said and one.how_to_get in said for one in DATASETS.values())


# ------------------------------------------------------------------------------------------- complete or absent


def leftovers(folder):
    return [p.name for p in folder.iterdir() if p.name.endswith(".part") or p.name == "store"]


def test_no_space_left_is_said_and_leaves_nothing(tmp_path, capsys, monkeypatch):
    MAKERS["helen"](tmp_path / "x")

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(stores.StoreWriter, "add", full)
    assert main(["prepare", str(tmp_path / "x"), str(tmp_path / "store"), "--size", "16"]) == 1
    assert "no space left" in capsys.readouterr().err and leftovers(tmp_path) == []


def test_too_little_space_is_known_beforehand(tmp_path, capsys, monkeypatch):
    MAKERS["helen"](tmp_path / "x")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 9, 1))
    assert main(["prepare", str(tmp_path / "x"), str(tmp_path / "store")]) == 1
    assert "are free" in capsys.readouterr().err and leftovers(tmp_path) == []


def test_two_runs_at_once(tmp_path, capsys):
    MAKERS["helen"](tmp_path / "x")
    part = tmp_path / ".store.0badf00d.part"
    part.mkdir()  # the other run's
    with FileLock(tmp_path / ".store.lock"):
        assert main(["prepare", str(tmp_path / "x"), str(tmp_path / "store"), "--size", "16"]) == 1
        assert "another run is preparing this store" in capsys.readouterr().err and part.is_dir()
    assert main(["prepare", str(tmp_path / "x"), str(tmp_path / "store"), "--size", "16"]) == 0
    assert leftovers(tmp_path) == ["store"]  # what the other one left when it died is gone


def test_an_interrupted_run_leaves_nothing(tmp_path, capsys, monkeypatch):
    MAKERS["helen"](tmp_path / "x")

    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(stores.StoreWriter, "add", stop)
    assert main(["prepare", str(tmp_path / "x"), str(tmp_path / "store"), "--size", "16"]) == 130
    assert leftovers(tmp_path) == []
