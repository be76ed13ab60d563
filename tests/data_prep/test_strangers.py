"""What strangers' files do: nothing is silently wrong, no file stops the others, every fault is said and counted."""

import io
import os
import re
import sqlite3
import struct
import subprocess
import sys
import unicodedata
import zipfile
import zlib
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from data_prep.account import KINDS, kinds_of, note_lines, skipped_lines
from data_prep.cli import main
from data_prep.datasets import DATASETS, dataset
from data_prep.doctor import OPENED, examine, nearest
from data_prep.errors import BadItem, DataError, readable
from data_prep.folders import AnyCase, listing, tree, unreadable
from data_prep.images import LARGEST_PICTURE, read_image
from data_prep.item import Item
from data_prep.plausible import check_points
from data_prep.prepare import prepare
from data_prep.readers.base import Listed, pair_up
from data_prep.readers.vw300 import VW300
from data_prep.store import Store
from data_prep.video import Video, check_length, gaps
from rednet_core.markup import IBUG68, SEVEN
from tests.data_prep import makers
from tests.data_prep.folders import MAKERS
from tests.data_prep.makers import encode, frame_number, pair, picture, points_of, put, read_all, vw300
from tests.helpers import face

CHECKOUT = Path(__file__).resolve().parents[2]
EVERY = pytest.mark.parametrize("name", list(DATASETS))


# ---------------------------------------------------------------------------------------------- videos and numbering


def rewrite_avi(path, change):
    """An AVI with the pictures that `change(number, bytes)` gives in place of its own; its header stays as it is."""
    data = path.read_bytes()
    start = data.index(b"movi") + 4
    place, number, parts = start, 0, []
    while data[place : place + 4] in (b"00dc", b"00db", b"JUNK"):
        kind, (size,) = data[place : place + 4], struct.unpack("<I", data[place + 4 : place + 8])
        content = data[place + 8 : place + 8 + size]
        if kind != b"JUNK":
            content, number = change(number, content), number + 1
        parts.append(kind + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2))
        place += 8 + size + size % 2
    body = b"".join(parts)  # without the index, which would still tell the old sizes
    head = bytearray(data[:start])
    head[start - 8 : start - 4] = struct.pack("<I", len(body) + 4)
    head[4:8] = struct.pack("<I", len(head) + len(body) - 8)
    path.write_bytes(bytes(head) + body)
    return path


def without(*lost):
    return lambda number, content: b"" if number in lost else content


def test_dropped_frames_refuse_their_video_and_no_other(tmp_path):
    for number, lost in (("001", (4, 9)), ("002", ()), ("003", (18, 19)), ("004", (0,)), ("007", (0, 19))):
        vw300(tmp_path, number, 20)
        rewrite_avi(tmp_path / number / "vid.avi", without(*lost))
    items, problems = read_all(VW300(tmp_path))
    assert "18 frames, but 20 are annotated, and 2 are missing before" in problems[str(tmp_path / "001" / "vid.avi")]
    assert "1 are missing before" in problems[str(tmp_path / "004" / "vid.avi")]
    assert "1 are missing before" in problems[str(tmp_path / "007" / "vid.avi")]
    assert {item.video for item in items.values()} == {"002", "003"} and len(items) == 38
    assert all(frame_number(item.image) == item.frame - 1 for item in items.values())
    assert "video ends after 18 frames" in str(problems)  # at the end nothing can be mixed up


@pytest.mark.parametrize("annotated, reason", [(19, ""), (20, "1 are missing before"), (17, "1 are missing before")])
def test_as_many_frames_as_annotations_fit_whatever_the_header_says(tmp_path, annotated, reason):
    film = rewrite_avi(makers.video(tmp_path / "vid.avi", 20), without(7))
    assert Video(film).claimed_count() == 20 and len(Video(film).times()) == 19
    found = check_length(Video(film), annotated)
    assert reason in found and bool(found) == bool(reason)


def test_a_frame_that_no_decoder_can_read_ends_its_video(tmp_path):
    vw300(tmp_path, "001", 12)
    rewrite_avi(tmp_path / "001" / "vid.avi", lambda number, content: b"\xff\xff junk" if number == 5 else content)
    items, problems = read_all(VW300(tmp_path))
    assert all(frame_number(item.image) == item.frame - 1 for item in items.values())
    assert len(items) == 5 and ("is damaged and not delivered" in str(problems) or "ends after 5" in str(problems))


@pytest.mark.skipif(os.name == "nt", reason="ffmpeg's plugin brings a C library of its own there, which is not heard")
@pytest.mark.parametrize("codec", ["MJPG", "XVID"])
@pytest.mark.parametrize(
    "damage", [lambda c: c[: len(c) // 2], lambda c: c[: len(c) // 2] + bytes(len(c) // 4) + c[3 * len(c) // 4 :]]
)
def test_a_damaged_frame_is_named_and_its_decoder_says_nothing_itself(tmp_path, codec, damage, capfd):
    rng = np.random.default_rng(0)
    film = cv2.VideoWriter(str(tmp_path / "vid.avi"), cv2.VideoWriter_fourcc(*codec), 25, (128, 96))
    for _ in range(9):
        film.write(rng.integers(0, 255, (96, 128, 3), np.uint8))
    film.release()
    rewrite_avi(tmp_path / "vid.avi", lambda number, content: damage(content) if number == 5 else content)
    video = Video(tmp_path / "vid.avi")
    told = ""
    for number in range(9):
        try:
            video.frame(number)
        except BadItem as error:
            told += str(error)
    assert "vid.avi: frame 6 is damaged" in told and told.count("is damaged") == 1
    assert capfd.readouterr().err == ""


def test_uneven_times_are_no_lost_frames():
    even = [40.0 * k for k in range(50)]
    assert gaps(even) == gaps([0.0]) == gaps([]) == gaps([0.0] * 9) == 0
    assert gaps([time for k, time in enumerate(even) if k not in (7, 8, 30)]) == 3 and gaps(even[2:]) == 2
    assert gaps(list(np.cumsum(np.random.default_rng(0).uniform(10, 90, 50)))) == 0  # recorded so


@pytest.mark.parametrize("count, kept", [(8, 8), (7, 0)])
def test_annotations_numbered_from_0_are_counted_so_or_refused(tmp_path, count, kept):
    vw300(tmp_path, "001", count, annotated=8)
    folder = tmp_path / "001" / "annot"
    for path in sorted(folder.iterdir()):
        path.rename(folder / f"{int(path.stem) - 1:06d}.pts")
    reader = VW300(tmp_path)
    items, problems = read_all(reader)
    assert len(items) == kept and bool(problems) == (not kept)
    assert "001: its annotations are numbered from 0, and are counted so" in reader.warnings
    for item in items.values():
        np.testing.assert_allclose(item.points[0], frame_number(item.image) + 1, atol=1e-4)


@pytest.mark.parametrize("frames, kept", [(9, 8), (8, 0)])
def test_annotations_numbered_from_2_fit_a_video_of_one_frame_more_and_no_other(tmp_path, frames, kept):
    vw300(tmp_path, "001", frames, annotated=8)
    folder = tmp_path / "001" / "annot"
    for path in sorted(folder.iterdir(), reverse=True):
        path.rename(folder / f"{int(path.stem) + 1:06d}.pts")
    items, problems = read_all(VW300(tmp_path))
    assert len(items) == kept and bool(problems) == (not kept)


@pytest.mark.parametrize("name", ["face_movies", "talking_face"])
def test_pictures_counted_from_1_with_points_counted_from_0_are_refused(tmp_path, name):
    markup = dataset(name).maker.markup
    for k in range(4):
        stem = tmp_path / "film" / f"franck_{k:05}"
        pair(stem.parent, stem.name, k, "jpg", markup)
    assert len(read_all(dataset(name).open(tmp_path))[0]) == 4
    for k in reversed(range(4)):
        (stem.parent / f"franck_{k:05}.jpg").rename(stem.parent / f"franck_{k + 1:05}.jpg")
    items, problems = read_all(dataset(name).open(tmp_path))
    assert not items and "numbered from 1 to 4, annotations from 0 to 3" in str(problems)


@pytest.mark.parametrize(
    "pictures, texts, kept",
    [
        ((1, 2, 3, 4, 5), (0, 1, 2, 3), 0),  # a picture more
        ((1, 2, 3, 4), (0, 1, 2, 3, 4), 0),  # the last picture lost, or the first
        ((0, 1, 2, 3, 4), (1, 2, 3, 5), 0),
        ((2, 3, 4, 5, 6, 7), (1, 2, 3, 5), 0),
        ((0, 1, 2, 3), (1, 2, 3), 3),  # an annotation lost
        ((0, 1, 2, 3), (0, 3), 2),
        ((3, 4, 5, 6), (4, 5, 6), 3),
    ],
)
def test_sequences_that_lack_some_are_matched_only_where_their_numbers_leave_no_doubt(tmp_path, pictures, texts, kept):
    for number in pictures:
        put(tmp_path / "film" / "img" / f"{number}.png", encode(picture(number), "png"))
    for number in texts:
        put(tmp_path / "film" / "annot" / f"{number}.pts", makers.pts(points_of(number)))
    assert len(read_all(dataset("face_movies").open(tmp_path))[0]) == kept


def turned(path, matrix=(0, 1, -1, 0)):
    """An MP4 whose track asks to be turned by 90 degrees."""
    data = bytearray(path.read_bytes())
    place = data.index(b"tkhd") + 4
    place += 40 if data[place] == 0 else 52
    a, b, c, d = (value << 16 for value in matrix)
    data[place : place + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(bytes(data))
    return path


def test_a_video_that_asks_to_be_turned_is_taken_as_it_is_stored(tmp_path):
    film = turned(makers.video(tmp_path / "vid.mp4", 6, "mp4v"))
    asked = cv2.VideoCapture(str(film))
    assert asked.read()[1].shape == (128, 96, 3)  # a decoder that is not told otherwise turns it
    asked.release()
    for k in (0, 3):
        assert Video(film).frame(k).shape == (96, 128, 3) and frame_number(Video(film).frame(k)) == k


@pytest.mark.parametrize(
    "text",
    [b"ffconcat version 1.0\nfile other.avi\n", b"\xef\xbb\xbf#EXTM3U\n#EXTINF:1,\nother.avi\n", b"v=0\no=- 0 0\n"],
)
def test_a_text_that_names_other_videos_is_no_video(tmp_path, text):
    vw300(tmp_path, "001", 4)
    (tmp_path / "001" / "vid.avi").rename(tmp_path / "001" / "other.avi")
    put(tmp_path / "001" / "vid.avi", text)
    items, problems = read_all(VW300(tmp_path))
    assert not items and "a text, no video" in problems[str(tmp_path / "001" / "vid.avi")]


@pytest.mark.parametrize("name, place", [("talking_face", "images/franck_{}"), ("face_movies", "film/img/{}")])
def test_a_second_picture_of_a_frame_is_refused(tmp_path, name, place):
    for number in ("00001", "1", "2"):
        path = tmp_path / place.format(number)
        pair(path.parent, path.name, 0, "jpg", dataset(name).maker.markup)
    items, problems = read_all(dataset(name).open(tmp_path))
    assert len(items) == 2 and list(problems.values()) == ["second picture of frame 1"]


# ------------------------------------------------------------------------------------------------ what points may be


def mirrored(points):
    return points * [-1, 1] + [110, 0]


def coded(points):
    points = points + 40.0
    points[[3, 4]], points[[10, 11]] = -1, -points[[10, 11]]
    return points


def in_one_place(points):
    points = points.copy()
    points[[3, 4]] = -1, 60
    return points


def far(points):
    points = points.copy()
    points[2] = 2000, 30
    return points


def huge(points):
    points = points.copy()
    points[1, 0] = 1e30
    return points


def counted_from(corner):
    """A change of points into what they are from the corner of their own box, which is called 0 or 1."""
    return lambda points: points - points.min(0) + corner


def shares(points):
    return (points - points.min(0)) / np.ptp(points, 0)


WRONG = {
    "shares of the picture": (lambda points: points / [110, 90], "shares of the picture"),
    "shares of a box": (shares, "shares of the picture"),
    "shares of a box from its middle": (lambda points: 2 * shares(points) - 1, "shares of the picture"),
    "counted from their own corner": (counted_from(0), "counted from their own corner"),
    "counted from their own corner, from 1": (counted_from(1), "counted from their own corner"),
    "counted from the picture's middle": (lambda points: points - [55, 45], "outside the picture|code"),
    "mirrored": (mirrored, "where those of a face"),
    "x for y": (lambda points: points[:, ::-1].copy(), "where those of a face"),
    "coded by sign": (coded, "are codes and no places"),
    "several at one place outside": (in_one_place, "a code for hidden"),
    "all at 0": (lambda points: points * 0, "codes|where those of a face"),
    "of a picture three times as large": (lambda points: points * 3, "outside the picture"),
    "counted from the next point on": (lambda points: np.roll(points, -1, 0), "an eye's points|where those of a face"),
    "counted from the one before": (lambda points: np.roll(points, 1, 0), "an eye's points|where those of a face"),
    "one far away": (far, "nowhere near the face"),
    "1e30": (huge, "is not a number of pixels"),
    "not finite": (lambda points: points * [np.nan, 1], "not finite"),
}


@pytest.mark.parametrize("wrong", WRONG)
@EVERY
def test_every_data_sets_reader_refuses_points_that_are_no_face(tmp_path, name, wrong, monkeypatch):
    MAKERS[name](tmp_path)
    reader = dataset(name).open(tmp_path)
    change, reason = WRONG[wrong]
    if wrong in ("coded by sign", "several at one place outside", "one far away") and reader.markup.n_points < 29:
        pytest.skip("too few points to tell")
    if wrong.startswith("counted from their own corner") and name == "300vw":
        pytest.skip("its first point tells the frame's number, from the corner")
    if wrong in ("counted from the next point on", "counted from the one before") and reader.markup is not IBUG68:
        pytest.skip("no contours of eyes that are known to be some")
    index = next(k for k in range(len(reader)) if not reader.entries[k].problem)
    right, read = reader[index], reader.read

    def read_wrong(entry):
        item = read(entry)
        assert item.mask[list(reader.markup.seven)[:4]].all()
        return replace(item, points=change(item.points.astype(np.float64)))

    assert isinstance(right, Item)
    monkeypatch.setattr(reader, "read", read_wrong)
    with pytest.raises(BadItem, match=reason):
        reader[index]


def test_a_pose_in_other_units_is_refused(tmp_path):
    MAKERS["300w_lp"](tmp_path)
    savemat(tmp_path / "AFW" / "AFW_1_1_0.mat", {"pt2d": points_of(1).T + 1, "Pose_Para": np.array([[-8.0, 20, 5]])})
    items, problems = read_all(dataset("300w_lp").open(tmp_path))
    assert len(items) == 2 and "a head that is turned by 1146" in problems[str(tmp_path / "AFW" / "AFW_1_1_0.jpg")]


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_pictures_for_training_and_for_testing_are_told(tmp_path):
    MAKERS["helen"](tmp_path)
    assert not any("testing, too" in warning for warning in dataset("helen").open(tmp_path).warnings)
    for path in sorted((tmp_path / "testset").iterdir()):
        path.unlink()
    (tmp_path / "testset").rmdir()
    (tmp_path / "testset").symlink_to(tmp_path / "trainset", target_is_directory=True)
    assert "1 picture for training and for testing, too" in " ".join(dataset("helen").open(tmp_path).warnings)


@pytest.mark.parametrize("name, kept", [("300w_dlib", 1), ("wflw", 1)])
def test_a_list_that_is_empty_is_told(tmp_path, name, kept):
    MAKERS[name](tmp_path)
    path = next(path for path in tmp_path.rglob("*_train.*") if path.suffix in (".txt", ".xml"))
    path.write_bytes(b"<dataset/>" if path.suffix == ".xml" else b"")
    reader = dataset(name).open(tmp_path)
    assert len(reader) == kept and any(f"{path.name} " in w and "no train faces" in w for w in reader.warnings)


@pytest.mark.parametrize("change, told", [(1.0, False), (0.5, True)])
def test_points_made_on_pictures_half_as_large_are_told_by_doctor_and_prepare(tmp_path, change, told, capsys):
    for k in range(3):
        put(tmp_path / "x" / f"100{k}_1.jpg", encode(picture(k), "jpg"))
        put(tmp_path / "x" / f"100{k}_1.pts", makers.pts(points_of(k) * change))
    assert main(["doctor", str(tmp_path / "x"), "--dataset", "afw"]) == 0
    assert ("3 x the points lie in the picture's upper left: were they" in capsys.readouterr().out) == told
    assert main(["prepare", str(tmp_path / "x"), str(tmp_path / "s"), "--dataset", "afw", "--size", "16"]) == 0
    assert ("3 x the points lie in the picture's upper left: were they" in capsys.readouterr().out) == told


def test_points_counted_from_the_data_sets_own_box_are_refused():
    points, known, box = face((150, 140), 50), np.ones(68, bool), np.array([150.0, 150, 80])
    check_points(points, known, IBUG68, "right", size=(200, 200), box=box)
    with pytest.raises(BadItem, match="the face box's corner"):
        check_points(points - (box[:2] - 40), known, IBUG68, "wrong", size=(200, 200), box=box)
    check_points(points, known, IBUG68, "a box of another face", size=(200, 200), box=np.array([20.0, 30, 80]))


def test_faces_at_the_edge_turned_or_partly_annotated_are_points_like_others():
    points, known = face((40, 40), 50), np.ones(68, bool)
    for moved in (points, points - 45, points - [60, 0], points @ [[0, 1], [-1, 0]], -points):  # even upside down
        check_points(moved if moved.min() > -60 else moved + 100, known, IBUG68, "a face")
    profile = points * [0.1, 1]
    profile[[36, 39]] = profile[[39, 36]]  # a corner behind another
    check_points(profile, known, IBUG68, "a profile", any_pose=True)
    with pytest.raises(BadItem):
        check_points(profile, known, IBUG68, "no profiles expected")
    with pytest.raises(BadItem):
        check_points(mirrored(points), known, IBUG68, "a mirrored face", any_pose=True)
    one_eye = known.copy()
    one_eye[42:48] = False
    check_points(np.where(one_eye[:, None], points, np.nan), one_eye, IBUG68, "half a face")


@pytest.mark.parametrize("extra", ["{index} {x} {y}", "{x} {y} {index}", "{index}\t{x}\t{y}", "{index},{x},{y}"])
def test_a_third_column_is_refused(tmp_path, extra):
    put(tmp_path / "1000_1.jpg", encode(picture(), "jpg"))
    rows = [extra.format(index=k, x=x, y=y) for k, (x, y) in enumerate(points_of(0))]
    put(tmp_path / "1000_1.pts", "\n".join(["version: 1", "n_points: 68", "{", *rows, "}"]).encode())
    with pytest.raises(BadItem):
        dataset("afw").open(tmp_path)[0]


@pytest.mark.parametrize(
    "name", ["helen", "lfpw", "afw", "ibug", "300vw", "talking_face", "face_movies", "merl_rav", "300w"]
)
def test_what_a_parser_notes_reaches_the_report(tmp_path, name, capsys):
    MAKERS[name](tmp_path / "x")
    texts = list((tmp_path / "x").rglob("*.pts"))
    for path in texts:
        path.write_bytes(path.read_bytes().replace(b"version: 1", b"version: 7"))
    assert texts and main(["doctor", str(tmp_path / "x"), "--dataset", name]) == 0
    assert "unknown version, first in" in capsys.readouterr().out
    for workers in ("1", "2"):
        command = ["prepare", str(tmp_path / "x"), str(tmp_path / workers), "--dataset", name, "--size", "16"]
        assert main([*command, "--workers", workers]) == 0
        said = capsys.readouterr().out
        count = len(Store(tmp_path / workers))
        assert f"noted     {count:,} x unknown version, first in" in said


def test_no_reader_drops_what_a_parser_notes():
    for path in (CHECKOUT / "data_prep").rglob("*.py"):
        for line in path.read_text(encoding="utf-8").splitlines():
            if ("read_points(" in line or "parse_points(" in line) and "def " not in line:
                assert "[0]" not in line and "_ =" not in line, f"{path}: {line}"


@pytest.mark.parametrize("kept, status", [(68, 0), (67, 1)])
def test_doctor_and_prepare_agree_on_points_without_a_header(tmp_path, kept, status, capsys):
    put(tmp_path / "x" / "1000_1.jpg", encode(picture(), "jpg"))
    rows = [f"{x:.6f} {y:.6f}" for x, y in points_of(0)][:kept]
    put(tmp_path / "x" / "1000_1.pts", ("\n".join(rows) + "\n").encode())
    assert main(["doctor", str(tmp_path / "x"), "--dataset", "afw"]) == status
    said = capsys.readouterr().out
    assert main(["prepare", str(tmp_path / "x"), str(tmp_path / "s"), "--dataset", "afw", "--size", "16"]) == status
    assert ("no header" in said) == (not status) and f"{1 - status} usable" in said


# ---------------------------------------------------------------------------------------------------- one bad file


def huge_png(width=40000, height=40000):
    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 99)) + chunk(b"IEND", b"")


def huge_jpeg():
    data = bytearray(encode(picture(), "jpg"))
    place = data.index(b"\xff\xc0")
    data[place + 5 : place + 9] = struct.pack(">HH", 65000, 65000)
    return bytes(data)


def huge_bmp():
    data = bytearray(cv2.imencode(".bmp", picture())[1].tobytes())
    data[18:26] = struct.pack("<ii", 60000, -60000)
    return bytes(data)


def huge_gif():
    file = io.BytesIO()
    Image.new("P", (20000, 20000)).save(file, "GIF")  # a whole one: few bytes, and 1.2 GB when it is decoded
    return file.getvalue()


def cut_jpeg():
    return encode(picture(), "jpg")[:-200]


@pytest.mark.parametrize("make", [huge_png, lambda: huge_png(20000, 20000), huge_jpeg, huge_bmp, huge_gif, cut_jpeg])
def test_a_picture_that_promises_too_much_is_one_bad_item(tmp_path, make, capfd):
    for k in range(3):
        pair(tmp_path / "x", f"100{k}_1", k, "png")
    put(tmp_path / "x" / "1001_1.png", make())
    with pytest.raises(BadItem, match="pixels by its header|not a readable image"):
        read_image(tmp_path / "x" / "1001_1.png")
    assert main(["doctor", str(tmp_path / "x"), "--dataset", "afw"]) == 0
    assert main(["prepare", str(tmp_path / "x"), str(tmp_path / "s"), "--dataset", "afw", "--size", "16"]) == 0
    assert len(Store(tmp_path / "s")) == 2 and 20000**2 > LARGEST_PICTURE
    assert "1001_1.png" in capfd.readouterr().out


@pytest.mark.parametrize("bits", [10, 12, 16])
def test_a_picture_of_16_bits_that_holds_fewer_is_refused(tmp_path, bits):
    pixels = picture().astype(np.uint16) << bits - 8
    path = put(tmp_path / "a.png", cv2.imencode(".png", pixels)[1].tobytes())
    if bits == 16:
        np.testing.assert_array_equal(read_image(path), picture()[..., ::-1])
    else:
        with pytest.raises(BadItem, match="of which only the lower are used"):
            read_image(path)


def test_a_png_whose_side_notes_are_odd_is_read_without_a_word(tmp_path, capfd):
    whole = encode(picture(), "png")
    kind, content = b"iCCP", b"odd\0\0no profile at all"
    chunk = struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
    path = put(tmp_path / "a.png", whole[:33] + chunk + whole[33:])
    np.testing.assert_array_equal(read_image(path), picture())
    assert capfd.readouterr().err == ""
    np.testing.assert_array_equal(read_image(put(tmp_path / "rgba.png", encode(picture(), "rgba"))), picture())


def test_a_name_that_is_not_utf8_is_one_bad_item(tmp_path, capsys):
    for k in range(2):
        pair(tmp_path / "x", f"100{k}_1", k, "png")
    try:
        for suffix, path in ((b".png", "1000_1.png"), (b".pts", "1000_1.pts")):
            with open(os.fsencode(tmp_path / "x") + b"/1003_\xff" + suffix, "wb") as file:
                file.write((tmp_path / "x" / path).read_bytes())
    except OSError:
        pytest.skip("this file system takes no such name")
    assert main(["doctor", str(tmp_path / "x"), "--dataset", "afw"]) == 0
    for store, workers in (("1", "1"), ("2", "2")):
        command = ["prepare", str(tmp_path / "x"), str(tmp_path / store), "--dataset", "afw", "--size", "16"]
        assert main([*command, "--workers", workers]) == 0
        assert main([*command, "--workers", workers]) == 0
        said = capsys.readouterr().out
        assert "is not UTF-8" in said and "1003_\\udcff" in said and "already prepared" in said
    assert (tmp_path / "1" / "skipped.json").read_bytes() == (tmp_path / "2" / "skipped.json").read_bytes()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with a name")
@EVERY
def test_a_pipe_in_the_place_of_any_file_is_waited_for_by_nobody(tmp_path, name, capsys):
    MAKERS[name](tmp_path / "x")
    for path in sorted(path for path in (tmp_path / "x").rglob("*") if path.is_file()):
        kept = path.read_bytes()
        path.unlink()
        os.mkfifo(path)
        for command in (["doctor", str(tmp_path / "x")], ["doctor", str(tmp_path / "x"), "--dataset", name, "--read"]):
            assert main(command) in (0, 1)
        path.unlink()
        path.symlink_to("/dev/zero")
        assert main(["doctor", str(tmp_path / "x"), "--dataset", name, "--read"]) in (0, 1)
        path.unlink()
        path.write_bytes(kept)
    capsys.readouterr()
    os.mkfifo(tmp_path / "x" / "pipe.npz")
    assert main(["doctor", str(tmp_path / "x"), "--dataset", name]) == 0
    assert "pipe.npz: neither a file nor a folder" in capsys.readouterr().out


@pytest.mark.skipif(os.name == "nt", reason="links need a right of their own there")
@pytest.mark.skipif(os.name == "nt", reason="paths are not that long there")
def test_folders_of_any_depth_are_gone_through(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    depth = sys.getrecursionlimit() + 100
    for _ in range(depth):
        os.mkdir("d")
        os.chdir("d")
    put(Path("x"), b"")
    try:
        assert [path.name for path in tree(tmp_path)] == ["x"] and unreadable(tmp_path) == []
    finally:  # whoever removes it goes down as far
        os.unlink("x")
        for _ in range(depth):
            os.chdir("..")
            os.rmdir("d")


def test_a_data_base_of_endless_or_unfinished_tables_is_refused(tmp_path):
    MAKERS["aflw"](tmp_path)
    path = next(tmp_path.rglob("aflw.sqlite"))
    put(path.with_name("aflw.sqlite-wal"), b"x")
    with pytest.raises(DataError, match="a part of it is in aflw.sqlite-wal"):
        dataset("aflw").open(tmp_path)
    path.with_name("aflw.sqlite-wal").write_bytes(b"")
    endless = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x AS face_id, x AS file_id FROM c"
    with sqlite3.connect(path) as base:
        base.executescript(f"DROP TABLE Faces; CREATE VIEW Faces AS {endless}")
    base.close()
    with pytest.raises(DataError, match="faces. lacks"):
        dataset("aflw").open(tmp_path)


@pytest.mark.parametrize(
    "name, place",
    [
        ("udacity", "training_frames_keypoints.csv"),
        ("aflw", "data/aflw.sqlite"),
        ("helen", "Bounding Boxes/bounding_boxes_helen_trainset.mat"),
        ("300vw", "extra/001.mat"),
        ("lfw", "LFW_annotation.txt"),
        ("youtube_faces", "index.csv"),
        ("wflw", "WFLW_annotations/list_98pt_rect_attr_train_test/list_98pt_rect_attr_train.txt"),
        ("300w_dlib", "labels_ibug_300W_train.xml"),
    ],
)
def test_a_table_larger_than_memory_ends_in_a_sentence(tmp_path, name, place, capsys):
    MAKERS[name](tmp_path)
    path = tmp_path / place
    path.parent.mkdir(exist_ok=True)
    try:
        with open(path, "ab") as file:
            file.truncate(8 << 40)
    except OSError:
        pytest.skip("a file system without such files")
    assert main(["doctor", str(tmp_path), "--dataset", name]) == 1
    assert re.search("of more than|far larger", capsys.readouterr().out)


@pytest.mark.skipif(os.name == "nt", reason="no such names there")
def test_what_commands_a_screen_in_a_name_is_spelt(tmp_path, capsys):
    pair(tmp_path, "1000_1", 0, "jpg")
    put(tmp_path / "evil\x1b[31m\n\u202ered_1.jpg", encode(picture(), "jpg"))
    put(tmp_path / "evil\x1b[31m\n\u202ered_1.pts", makers.pts(points_of()))
    assert main(["doctor", str(tmp_path), "--dataset", "afw"]) == 0
    said = capsys.readouterr().out
    assert r"evil\x1b[31m\n\u202ered_1.jpg" in said and not {"\x1b", "\u202e"} & set(said)
    assert "has marks that command a screen" in said


def test_names_with_accents_are_the_same_however_they_are_written(tmp_path):
    apart, one = (unicodedata.normalize(form, "José_Ñ") for form in ("NFD", "NFC"))
    put(tmp_path / "lfw" / apart / f"{apart}_0001.jpg", encode(picture(1), "jpg"))
    put(tmp_path / "LFW_annotation.txt", makers.lfw_row(f"{one}_0001.jpg", points_of(1, SEVEN)).encode())
    assert dataset("lfw").open(tmp_path)[0].identity == one
    pair(tmp_path / "pairs", one, 1, "jpg")
    (tmp_path / "pairs" / f"{one}.pts").rename(tmp_path / "pairs" / f"{apart}.pts")
    assert [entry.problem for entry in pair_up(listing(tmp_path / "pairs"), tmp_path)] == [""]


@pytest.mark.skipif(os.name == "nt", reason="a shell's way to close them")
@pytest.mark.parametrize("closed", ["2>&-", ">&-", "<&- >&- 2>&-"])
def test_streams_that_are_closed_get_nothing_and_stop_nothing(tmp_path, closed):
    for k in range(3):
        path = tmp_path / "x" / f"100{k}_1.jpg"
        pair(path.parent, path.stem, k, "jpg")
        path.write_bytes(path.read_bytes()[:-2] + b"\0" * 9 + b"\xff\xd9")  # its decoder has something to say
    command = f'"{sys.executable}" -m data_prep prepare x store --dataset afw --size 32 {closed}'
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    assert subprocess.run(command, shell=True, cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL).returncode == 0
    store = Store(tmp_path / "store")
    store.verify()
    assert len(store) == 3


def test_folders_linked_in_a_circle_are_gone_through_once(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    put(tmp_path / "a" / "b" / "1.txt", b"")
    put(tmp_path / "elsewhere" / "2.txt", b"")
    for k, place in enumerate(("a", "a", "a/b", "a/b", ".")):
        (tmp_path / place / f"link{k}").symlink_to(tmp_path / "a", target_is_directory=True)
    (tmp_path / "a" / "other").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    found = [path.relative_to(tmp_path / "a").as_posix() for path in tree(tmp_path / "a")]
    assert found == ["b/1.txt", "other/2.txt"]
    assert "no data set" in examine(tmp_path).text()


def test_a_folder_that_cannot_be_opened_is_told_and_the_rest_is_used(tmp_path, monkeypatch):
    MAKERS["helen"](tmp_path)
    (tmp_path / "trainset" / "closed").mkdir()
    scan = os.scandir

    def scandir(path="."):
        if Path(os.fsdecode(path)).name == "closed":
            raise PermissionError(13, "Permission denied", os.fsdecode(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", scandir)
    monkeypatch.setattr(Path, "iterdir", lambda self: iter([self / entry.name for entry in scandir(self)]))
    assert listing(tmp_path / "trainset" / "closed") == [] and len(unreadable(tmp_path)) == 1
    found = examine(tmp_path)
    assert found.usable == 2 and "closed: cannot be opened (Permission denied)" in found.text()


class Bursting(Listed):
    """A reader of drawn faces whose item 1 fails with an error that nobody has foreseen."""

    markup, description = IBUG68, {"reader": "bursting"}

    def __init__(self, error):
        super().__init__()
        self.error = error
        self.entries = [makers.listed(k) for k in range(4)]

    def read(self, entry):
        if entry.key == "1":
            raise self.error
        return makers.drawn_item(entry.key, int(entry.key))


@pytest.mark.parametrize("error", [cv2.error("(-215) assertion"), MemoryError(), struct.error("short"), KeyError("x")])
def test_an_error_that_no_reader_foresaw_is_one_bad_item(tmp_path, error):
    store, report = prepare(Bursting(error), tmp_path / "s", 16)
    assert len(store) == 3 and report.skipped[0][0] == "face 1.jpg" and type(error).__name__ in report.skipped[0][1]


class Killing(Bursting):
    """Reading item 1 kills the process: always, or only the first time (where a file is left)."""

    def __init__(self, mark=None, bad="1"):
        super().__init__(None)
        self.mark, self.bad = mark, bad

    def read(self, entry):
        if entry.key == self.bad and not (self.mark and self.mark.exists()):
            if self.mark:
                self.mark.touch()
            os._exit(9)
        return makers.drawn_item(entry.key, int(entry.key))


class KillingFilms(Killing):
    """The same, as two videos, whose crops wait on disk."""

    def runs(self):
        return [range(0, 3), range(3, 4)]


@pytest.mark.parametrize("once, kind", [(True, Killing), (False, Killing), (False, KillingFilms)])
def test_a_killed_worker_costs_its_item_at_most(tmp_path, once, kind):
    reader = kind(tmp_path / "mark" if once else None)
    store, report = prepare(reader, tmp_path / "s", 16, workers=2)
    assert len(store) == (4 if once else 3)
    assert report.skipped == ([] if once else [("face 1.jpg", report.skipped[0][1])])
    assert once or "process that read it was killed" in report.skipped[0][1]
    alone, _ = prepare(Killing(bad="none"), tmp_path / "t", 16)
    wanted = [k for k in range(4) if once or k != 1]
    np.testing.assert_array_equal(store.crops[:], alone.crops[wanted])


# -------------------------------------------------------------------------------------------------- said to people


def test_options_are_of_their_type_and_no_word_is_silently_true(tmp_path):
    MAKERS["aflw"](tmp_path)
    for text, value in (("no", False), ("False", False), ("0", False), ("off", False), ("yes", True), ("TRUE", True)):
        assert dataset("aflw").open(tmp_path, complete=text).description["complete"] is value
    assert dataset("aflw").open(tmp_path, split_seed="-3").description["split_seed"] == -3
    wrong = [("complete", "maybe"), ("complete", ""), ("complete", "2"), ("split_seed", "abc"), ("split_seed", "1.5")]
    for name, text in [*wrong, ("split_seed", "nan"), ("split_seed", True), ("faces", "some"), ("nonsense", "1")]:
        with pytest.raises(DataError, match=rf"\[{name}\]"):
            dataset("aflw").open(tmp_path, **{name: text})
    MAKERS["helen"](tmp_path / "helen")
    for text in ("abc", "2", "-1", "inf", "", "0.5"):
        with pytest.raises(DataError, match=r"\[base\]"):
            dataset("helen").open(tmp_path / "helen", base=text)


def test_nothing_usable_is_an_exit_of_1(tmp_path, capsys):
    MAKERS["lfw"](tmp_path)
    assert main(["doctor", str(tmp_path)]) == 0
    (tmp_path / "lfw").rename(tmp_path / "lfw_funneled")
    assert main(["doctor", str(tmp_path), "--dataset", "lfw"]) == 1
    assert "0 usable" in capsys.readouterr().out


def test_the_doctor_opens_a_few_and_where_all_of_them_are_bad_hopes_for_none(tmp_path):
    for k in range(30):
        pair(tmp_path / "trainset", f"{k}_1", 0, "jpg")
        put(tmp_path / "trainset" / f"{k}_1.pts", b"no points")
    found = examine(tmp_path)
    assert (found.listed, found.opened, found.usable) == (30, OPENED, 0)
    vw300(tmp_path / "vw", "001", 6)
    (tmp_path / "vw" / "001" / "vid.avi").write_bytes(b"no video")
    assert examine(tmp_path / "vw").usable == 0


def test_reading_everything_shows_how_far_it_is(tmp_path):
    MAKERS["helen"](tmp_path)
    told = []
    examine(tmp_path, read=True, progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 2), (2, 2)]


def test_reasons_that_differ_by_a_name_are_one_and_very_many_are_counted():
    many = [(f"file {k}", f"second row of this name in 'table {k}.csv' ({k} of 9)") for k in range(4000)]
    lines = skipped_lines([*many, ("x", "image file is missing")])
    assert len(lines) == 6 and "4,000 x such as: second row" in lines[0] and "1 x image file is missing" in lines[4]
    words = [chr(97 + k // 26) + chr(97 + k % 26) for k in range(300)]
    assert len(skipped_lines([(word, f"because of {word}") for word in words])) == 2 * KINDS + 1
    assert len(note_lines([f"because of {word}" for word in words])) == KINDS + 1
    assert kinds_of([]) == [] and kinds_of(["a 1", "b", "a 2"])[0] == ("such as: a 1", [0, 2])


def test_a_thousand_odd_folders_are_a_line(tmp_path, capsys):
    vw300(tmp_path, "001", 3)
    for k in range(300):
        (tmp_path / f"old {k}").mkdir()
    assert main(["doctor", str(tmp_path)]) == 0
    assert len(capsys.readouterr().out.splitlines()) < 25


def test_a_screen_of_other_letters_takes_what_is_said(tmp_path):
    folder = tmp_path / "Лица ü"
    MAKERS["helen"](folder)
    put(folder / "trainset" / "100_лицо.jpg", b"nothing")
    command = [sys.executable, "-m", "data_prep", "prepare", str(folder), str(folder / "хранилище"), "--size", "16"]
    environment = {**os.environ, "PYTHONIOENCODING": "cp1252", "PYTHONUTF8": "0"}
    done = subprocess.run(command, cwd=CHECKOUT, env=environment, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert b"\\u0445" in done.stdout and b"2 kept" in done.stdout


def test_a_nearly_full_disk_has_room_for_the_rest(tmp_path, monkeypatch, capsys):
    for k in range(80):
        pair(tmp_path / "x" / "trainset", f"{k:03}_1", k % 3)
    command = ["prepare", str(tmp_path / "x"), str(tmp_path / "store"), "--size", "64"]
    place = 64 * 64 * 3
    read, left = makers.stop_after(70)
    monkeypatch.setattr("data_prep.readers.ibug.IbugFaces.read", read)
    with pytest.raises(KeyboardInterrupt):
        left(command)
    monkeypatch.undo()
    monkeypatch.setattr("data_prep.cli.shutil.disk_usage", lambda path: SimpleNamespace(free=20 * place))
    assert main([*command[:-2], "--size", "65"]) == 1 and "are needed" in capsys.readouterr().err
    assert main(command) == 0 and len(Store(tmp_path / "store")) == 80


def test_a_touched_file_is_named_as_what_differs(tmp_path, capsys):
    MAKERS["helen"](tmp_path / "x")
    command = ["prepare", str(tmp_path / "x"), str(tmp_path / "store"), "--size", "16"]
    assert main(command) == 0
    os.utime(next((tmp_path / "x" / "trainset").glob("*.pts")), (1, 1))
    assert main(command) == 1
    assert "another store stands there: files changed since" in capsys.readouterr().err


def test_an_annotation_may_be_named_by_the_whole_name_of_its_picture(tmp_path):
    pair(tmp_path, "1000_1", 0, "jpg")
    (tmp_path / "1000_1.pts").rename(tmp_path / "1000_1.jpg.pts")
    reader = dataset("afw").open(tmp_path)
    assert reader[0].key == "1000_1" and len(reader) == 1
    pair(tmp_path, "1000_1", 0, "jpg")
    (entry,) = pair_up(listing(tmp_path), tmp_path)
    assert "two annotations" in entry.problem


@EVERY
@pytest.mark.parametrize("whole", [False, True], ids=["suffixes", "whole names"])
def test_names_in_other_letters_are_the_same_data_set(tmp_path, name, whole, capsys):
    MAKERS[name](tmp_path / "x")
    assert main(["prepare", str(tmp_path / "x"), str(tmp_path / "one"), "--dataset", name, "--size", "32"]) == 0
    for path in sorted((tmp_path / "x").rglob("*"), key=lambda path: -len(path.parts)):
        if whole or path.is_file():
            path.rename(path.with_name(path.name.upper() if whole else path.stem + path.suffix.upper()))
    assert examine(tmp_path / "x").dataset.name == name, examine(tmp_path / "x").text()
    assert main(["prepare", str(tmp_path / "x"), str(tmp_path / "other"), "--size", "32"]) == 0
    one, other = Store(tmp_path / "one"), Store(tmp_path / "other")
    np.testing.assert_array_equal(one.crops, other.crops)
    np.testing.assert_array_equal(one.table["points"], other.table["points"])


def test_of_two_names_that_differ_by_case_the_very_one_is_taken_or_none(tmp_path):
    for place in ("Vid.avi", "vid.avi", "A/One.jpg", "B/x"):
        put(tmp_path / place, b"")
    look = AnyCase()
    if look.file(tmp_path, "VID.AVI") is not None:
        pytest.skip("a file system that knows no case")
    assert look.file(tmp_path, "nothing", "vid.avi") == tmp_path / "vid.avi"
    assert look.file(tmp_path, "a/one.JPG") == tmp_path / "A" / "One.jpg" and look.folder(tmp_path, "b").name == "B"
    assert look.folder(tmp_path, "a/one.jpg") is None and look.file(tmp_path, "a/two.jpg", "b") is None
    assert list(look.matches(tmp_path, "?/*.JPG")) == [tmp_path / "A" / "One.jpg"]


def test_a_zip_with_backslashes_is_read_as_others(tmp_path):
    vw300(tmp_path, "001", 4)
    savemat(tmp_path / "001.mat", {"error": np.array([2])})
    with zipfile.ZipFile(tmp_path / "extra.zip", "w") as archive:
        info = zipfile.ZipInfo("x")
        info.filename = "extra\\001.mat"  # ZipInfo itself would mend it on some systems
        archive.writestr(info, (tmp_path / "001.mat").read_bytes())
    assert "left out by the owner" in str(VW300(tmp_path).problems())


def test_what_is_no_folder_is_said_to_be_what_it_is(tmp_path, capsys):
    put(tmp_path / "faces.rar", b"Rar!")
    assert main(["doctor", str(tmp_path / "faces.rar")]) == 1
    assert "archive" in capsys.readouterr().err


def test_signs_of_its_own_tell_a_data_set_before_any_pictures(tmp_path):
    for name in ("trainset", "testset"):
        pair(tmp_path / name, "image_0001", 0, "jpg")  # LFPW, encoded anew
    assert nearest(tmp_path)[0].name == "lfpw"
    put(tmp_path / "other" / "x" / "a_0001.jpg", encode(picture(), "jpg"))
    assert nearest(tmp_path / "other")[0].name == "lfw"  # by its pictures' names, before Helen's any *.jpg


def test_a_text_of_any_name_can_be_shown_and_stored():
    assert readable("a\udcffb") == "a\\udcffb" and readable(Path("ü/лицо")) == str(Path("ü/лицо"))
    assert "\\udcff" in str(BadItem("wrong", path="a\udcff"))
