"""A zip file in place of a folder: the same store, and every hostile or broken archive ends in a sentence."""

import errno
import os
import stat
import zipfile

import numpy as np
import pytest

from data_prep import archive
from data_prep.archive import folder_of, unpack
from data_prep.cli import main
from data_prep.errors import DataError
from data_prep.store import Store
from tests.data_prep import makers_today
from tests.data_prep.makers import encode, pair, picture, points_of, pts, put, vw300


def zipped(path, folder, top="", backslashes=False, extra=(), kind=zipfile.ZIP_DEFLATED):
    """A zip file of a folder's files below `top`; extra are (name or ZipInfo, bytes)."""
    with zipfile.ZipFile(path, "w", kind) as file:
        for one in sorted(p for p in folder.rglob("*") if p.is_file()):
            name = "/".join([*([top] if top else []), one.relative_to(folder).as_posix()])
            info = zipfile.ZipInfo("x", (2020, 5, 6, 7, 8, 10))
            info.filename = name.replace("/", "\\") if backslashes else name
            info.compress_type = kind
            file.writestr(info, one.read_bytes())
        for name, data in extra:
            file.writestr(name, data)
    return path


@pytest.fixture
def helen(tmp_path):
    root = tmp_path / "source"
    for k in range(3):
        pair(root / "trainset", f"10040{k}_1", k, "jpg", base=1)
    pair(root / "testset", "29_1", 4, "jpg", base=1)
    return root


@pytest.mark.parametrize("top", ["", "helen", "my download/Helen ü"])
@pytest.mark.parametrize("backslashes", [False, True], ids=["slashes", "backslashes"])
def test_a_zip_is_prepared_as_its_folder(tmp_path, helen, top, backslashes, capsys):
    file = zipped(tmp_path / "helen.zip", helen, top, backslashes, [("__MACOSX/x/._1.jpg", b"x"), (".DS_Store", b"x")])
    assert main(["doctor", str(file)]) == 0
    said = capsys.readouterr().out
    assert (
        "seems to be Helen" in said and "4 listed, 4 usable" in said and str(file) in said and "data_prep-" not in said
    )
    assert ".jpg in " in said and "files     none" not in said
    assert main(["prepare", str(helen), str(tmp_path / "a"), "--size", "32"]) == 0
    assert main(["prepare", str(file), str(tmp_path / "b"), "--size", "32"]) == 0
    one, other = Store(tmp_path / "a"), Store(tmp_path / "b")
    assert np.array_equal(one.crops, other.crops) and one.table.tobytes() == other.table.tobytes()
    assert sorted(p.name for p in tmp_path.iterdir() if "unpacked" in p.name) == []
    assert main(["prepare", str(file), str(tmp_path / "b"), "--size", "32"]) == 0
    assert "already prepared" in capsys.readouterr().out


def test_videos_and_any_markup_come_from_a_zip(tmp_path, capsys):
    vw300(tmp_path / "vw", "001", 3)
    zipped(tmp_path / "vw.zip", tmp_path / "vw", "300VW_Dataset_2015_12_14")
    command = ["prepare", str(tmp_path / "vw.zip"), str(tmp_path / "s"), "--size", "32", "--fixed-crop", "--seven"]
    assert main([*command, "--workers", "2"]) == 0
    assert Store(tmp_path / "s").table["frame"].tolist() == [1, 2, 3]
    makers_today.wflw(tmp_path / "w")
    assert main(["doctor", str(zipped(tmp_path / "w.zip", tmp_path / "w"))]) == 0
    assert "seems to be WFLW" in capsys.readouterr().out


def test_what_is_skipped_is_named_by_its_place_in_the_archive(tmp_path, helen):
    put(helen / "trainset" / "100400_1.pts", b"no points")
    file = zipped(tmp_path / "helen.zip", helen)
    assert main(["prepare", str(file), str(tmp_path / "s"), "--size", "32"]) == 0
    said = (tmp_path / "s" / "skipped.json").read_text()
    assert "helen.zip/trainset/100400_1" in said.replace("\\\\", "/") and "unpacked" not in said


def test_a_run_that_was_stopped_finds_what_it_unpacked(tmp_path, helen, monkeypatch):
    file, calls = zipped(tmp_path / "helen.zip", helen), []
    own = archive.unpack
    monkeypatch.setattr(archive, "unpack", lambda *a: calls.append(a) or own(*a))
    with pytest.raises(KeyboardInterrupt), folder_of(file, tmp_path / "s"):
        raise KeyboardInterrupt
    with folder_of(file, tmp_path / "s") as (folder, _):
        assert len(list(folder.rglob("*.pts"))) == 4
        with pytest.raises(DataError, match="another run"), folder_of(file, tmp_path / "s"):
            pytest.fail("two runs at once")
        assert folder.is_dir()
    assert len(calls) == 1 and not list(tmp_path.glob(".s.unpacked*"))


def link(name):
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


def named(name):
    info = zipfile.ZipInfo("x")
    info.filename = name
    return info


@pytest.mark.parametrize(
    "name",
    ["../evil.pts", "a/../../evil.pts", "/etc/evil.pts", "..\\evil.pts", "C:\\evil.pts", "C:/evil.pts", "\\\\host\\x"],
)
def test_no_name_leads_outside(tmp_path, helen, name, capsys):
    file = zipped(tmp_path / "x.zip", helen, extra=[(named(name), b"x")])
    assert main(["doctor", str(file)]) == 1 and main(["prepare", str(file), str(tmp_path / "s")]) == 1
    assert capsys.readouterr().err.count("would lie outside the folder") == 2
    assert not list(tmp_path.rglob("*evil*")) and not list(tmp_path.glob(".s.unpacked-*/content"))


def test_links_repeated_names_and_inner_archives_are_left_out_and_said(tmp_path, helen, capsys):
    extra = [(link("trainset/2_2.jpg"), b"/etc/passwd"), ("TRAINSET/100400_1.PTS", b"x"), ("more.zip", b"PK")]
    file = zipped(tmp_path / "x.zip", helen, extra=extra)
    assert main(["doctor", str(file)]) == 0
    said = capsys.readouterr().out
    for part in ("1 links in the archive are left out", "1 files are in the archive twice", "not opened: more.zip"):
        assert part in said
    assert "4 listed, 4 usable" in said


def patched(path, old, new):
    data = path.read_bytes()
    assert old in data
    path.write_bytes(data.replace(old, new))
    return path


def test_encrypted_nested_empty_and_other_files_end_in_a_sentence(tmp_path, helen, capsys):
    secret = zipped(tmp_path / "secret.zip", helen)
    data = bytearray(secret.read_bytes())
    at = data.rindex(b"PK\x01\x02")
    data[at + 8] |= 1  # the flag of the last member in the central directory
    secret.write_bytes(data)
    nested = zipped(tmp_path / "nested.zip", tmp_path / "none", extra=[("a/helen.zip", b"PK"), ("lfpw.zip", b"PK")])
    empty = zipped(tmp_path / "empty.zip", tmp_path / "none")
    tar = put(tmp_path / "x.tar", b"ustar")
    text = put(tmp_path / "x.txt", b"sunny")
    cut = put(tmp_path / "cut.zip", secret.read_bytes()[:-40])
    for path, reason in (
        (secret, "is encrypted"),
        (nested, "holds archives, not files: helen.zip, lfpw.zip"),
        (empty, "holds no files"),
        (tar, "not a zip file"),
        (cut, "not a zip file"),
        (text, "a file, neither a folder nor a zip file"),
        (tmp_path / "gone.zip", "no such folder"),
    ):
        for command in (["doctor", str(path)], ["prepare", str(path), str(tmp_path / "s")]):
            assert main(command) == 1
            said = capsys.readouterr().err
            assert reason in said and said.count("\n") == 1, said


def test_a_damaged_member_is_left_out_and_the_rest_is_used(tmp_path, helen, capsys):
    file = zipped(tmp_path / "x.zip", helen, kind=zipfile.ZIP_STORED)
    text = pts(points_of(4) + 1)
    patched(file, text, text[:-9] + b"1" + text[-8:])  # one byte of the test face's points: its checksum is wrong
    assert main(["prepare", str(file), str(tmp_path / "s"), "--size", "32"]) == 0
    said = capsys.readouterr().out
    assert (
        "1 of 8 files in the archive cannot be unpacked, such as testset/29_1.pts" in said
        and "3 kept, 1 skipped" in said
    )


def test_a_member_that_is_a_file_and_a_folder_too_is_left_out_and_the_rest_is_used(tmp_path, helen, capsys):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("trainset", b"x")
        for path in sorted(path for path in helen.rglob("*") if path.is_file()):
            archive.write(path, path.relative_to(helen).as_posix())
    assert main(["doctor", str(tmp_path / "x.zip"), "--dataset", "helen"]) == 0
    assert "files in the archive cannot be unpacked, such as trainset/" in capsys.readouterr().out


def test_a_bomb_is_refused_before_anything_is_written(tmp_path, monkeypatch):
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("trainset/1_1.pts", bytes(80 << 20))
    with pytest.raises(DataError, match="not a data set's"):
        unpack(bomb, tmp_path / "out")
    pair(tmp_path / "x", "1_1", 1)
    small = zipped(tmp_path / "small.zip", tmp_path / "x")
    monkeypatch.setattr(archive, "MOST_FILES", 1)
    with pytest.raises(DataError, match="more than any data set has"):
        unpack(small, tmp_path / "out")
    monkeypatch.setattr(archive, "MOST_FILES", 10)
    monkeypatch.setattr(archive, "SPARE", 1 << 60)
    with pytest.raises(DataError, match="are free"):
        unpack(small, tmp_path / "out")
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())


def test_a_full_disk_and_a_name_that_no_disk_holds_leave_nothing(tmp_path, helen, monkeypatch, capsys):
    long = zipped(tmp_path / "long.zip", helen, extra=[("trainset/" + "ü" * 200 + ".jpg", b"x")])
    assert main(["prepare", str(long), str(tmp_path / "s")]) == 1
    assert "no possible name" in capsys.readouterr().err

    def full(*_):
        raise OSError(errno.ENOSPC, "no space")

    file = zipped(tmp_path / "x.zip", helen)
    monkeypatch.setattr(archive.shutil, "copyfileobj", full)
    assert main(["prepare", str(file), str(tmp_path / "s")]) == 1
    assert "no space left" in capsys.readouterr().err
    assert not list(tmp_path.glob(".s.unpacked*"))


def test_unpacked_files_have_the_archives_times(tmp_path, helen):
    unpack(zipped(tmp_path / "x.zip", helen), tmp_path / "out")
    assert len({os.stat(p).st_mtime for p in (tmp_path / "out").rglob("*.pts")}) == 1
    assert (tmp_path / "out" / "testset" / "29_1.jpg").read_bytes() == encode(picture(4), "jpg")
