"""What tracking leaves behind: a table, an annotated video, a sheet; and what it says where something is wrong."""

import base64
import csv
import json
import re
import zlib

import cv2
import numpy as np
import pytest

from data_prep.errors import DataError
from rednet_lab.track import __main__ as command
from rednet_lab.track.__main__ import sources


@pytest.fixture
def track(net, tmp_path, monkeypatch, capsys):
    """Return a function that runs the command with the disc network; it gives the exit code and all that was said."""
    monkeypatch.setattr(command, "open_weights", lambda name: net)

    def run(*words):
        code = command.main([str(word) for word in (*words, "--out", tmp_path / "out")])
        said = capsys.readouterr()
        return code, said.out + said.err

    return run


def film(path, frames, rate=25):
    """Write a video file and return its path."""
    height, width = frames[0].shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), rate, (width, height))
    for frame in frames:
        writer.write(frame[..., ::-1].copy())
    writer.release()
    return path


def table(folder):
    with open(folder / "points.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_video_leaves_a_table_a_film_and_a_sheet(track, walk, tmp_path):
    code, said = track(film(tmp_path / "walk.mp4", walk(30)), "--steps")
    folder = tmp_path / "out" / "walk"
    assert code == 0 and "30 of 30 frames with a face, 1 face(s)" in said
    rows = table(folder)
    assert len(rows) == 30 and {row["face"] for row in rows} == {"1"}
    nose = np.array([[float(row["x30"]), float(row["y30"])] for row in rows])
    assert np.abs(np.diff(nose[:, 0]).mean() - 1.5) < 0.3  # the disc's own speed
    assert [float(row["time"]) for row in rows][:3] == pytest.approx([0, 0.04, 0.08])
    shown = cv2.VideoCapture(str(folder / "annotated.mp4"))
    assert shown.get(cv2.CAP_PROP_FRAME_COUNT) == 30 and shown.get(cv2.CAP_PROP_FRAME_WIDTH) > 200
    sheet = cv2.imread(str(folder / "sheet.png"))
    assert sheet.shape[1] > 1000 and not list(folder.glob(".*"))


def test_a_page_of_its_own_has_the_player_with_slip_and_yaw_and_fetches_nothing(track, walk, tmp_path):
    track(film(tmp_path / "w<a>lk.mp4", walk(60, hidden=range(40, 60))), "--check", 2)
    page = (tmp_path / "out" / "w<a>lk" / "index.html").read_text(encoding="utf-8")
    data = re.search(r'<script type="text/plain">(\S+)', page)[1]
    packed = zlib.decompress(base64.b64decode(data))
    story = json.loads(packed[4 : 4 + int.from_bytes(packed[:4], "little")])
    assert [row["label"].split()[0] for row in story["rows"]][-2:] == ["slip:", "yaw"]
    shown = [int(label) for label in story["axes"][0][1]]
    assert shown == list(range(0, shown[-1] + 1, 4)) and 40 <= shown[-1] < 46  # every fourth, none of a lost face
    assert "one frame in 4," in page and "w&lt;a&gt;lk" in page and 'href="points.csv"' in page
    assert not re.search(r"<(?:script|img|link)\b[^>]*(?:src|href)=[\"'](?!data:)", page)


def test_what_is_done_is_skipped_until_something_changes(track, walk, tmp_path):
    path = film(tmp_path / "walk.mp4", walk(8))
    track(path, "--no-video")
    assert "done already" in track(path, "--no-video")[1]
    assert "frames with a face" in track(path, "--no-video", "--again")[1]
    assert "frames with a face" in track(path, "--no-video", "--faces", 2)[1]
    film(path, walk(9))
    assert "9 of 9 frames" in track(path, "--no-video", "--faces", 2)[1]


def test_a_folder_has_each_video_and_its_pictures_as_one(track, walk, tmp_path):
    place = tmp_path / "all"
    place.mkdir()
    film(place / "a.mp4", walk(5))
    for i, frame in enumerate(walk(4)):
        cv2.imwrite(str(place / f"{i}.png"), frame[..., ::-1])
    code, said = track(place, "--no-video")
    assert code == 0 and "a: 5 of 5" in said and "all: 4 of 4" in said


def test_pictures_of_several_sizes_are_all_in_the_film(track, walk, tmp_path):
    place = tmp_path / "album"
    place.mkdir()
    for i, frame in enumerate(walk(4)):
        wider = cv2.copyMakeBorder(frame[..., ::-1], 0, 0, 0, 40 * i, cv2.BORDER_REPLICATE)
        cv2.imwrite(str(place / f"{i}.png"), wider)
    assert track(place)[0] == 0
    seen = cv2.VideoCapture(str(tmp_path / "out" / "album" / "annotated.mp4"))
    assert seen.get(cv2.CAP_PROP_FRAME_COUNT) == 4


def test_one_file_that_fails_stops_no_other(track, walk, tmp_path):
    (tmp_path / "bad.mp4").write_bytes(b"no video")
    code, said = track(tmp_path / "bad.mp4", film(tmp_path / "good.mp4", walk(5)), "--no-video")
    assert code == 1 and "bad" in said and "no frame can be read" in said and "good: 5 of 5" in said


def test_a_video_without_a_face_is_told_and_has_an_empty_table(track, picture, tmp_path):
    code, said = track(film(tmp_path / "dark.mp4", [picture()] * 5))
    assert code == 0 and "0 of 5 frames with a face" in said and table(tmp_path / "out" / "dark") == []


def test_the_facts_are_written_for_programs_too(track, walk, tmp_path):
    track(film(tmp_path / "walk.mp4", walk(6)), "--no-video")
    facts = json.loads((tmp_path / "out" / "walk" / "done.json").read_text())
    assert facts["frames"] == facts["frames_with_a_face"] == 6 and facts["faces"] == 1 and facts["frames_a_second"] > 0


@pytest.mark.parametrize(
    "name, told", [("x.heic", "save it as JPEG"), ("none.mp4", "no such file or folder"), ("empty", "no videos and no")]
)
def test_what_cannot_be_tracked_is_named_with_the_fix(tmp_path, name, told):
    if name == "empty":
        (tmp_path / name).mkdir()
    elif name != "none.mp4":
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(DataError, match=told):
        sources([str(tmp_path / name)])


def test_sources_of_one_name_have_a_folder_each(tmp_path):
    for name in ("walk.mp4", "Walk.avi", "more/walk.mp4", "walk-2.mp4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    names = [each.name for each in sources([str(tmp_path), str(tmp_path / "more")])]
    assert names == ["Walk", "walk-2", "walk-3", "walk-4"]


def test_a_camera_is_named_by_its_number():
    (usual, other) = sources(["camera", "camera:2"])
    assert (usual.camera, other.camera) == (0, 2)


@pytest.mark.parametrize("box", [(50, 80, -60), (50, 80, 0), ("nan", 80, 60), (50, 80, "inf"), (900, 80, 60)])
def test_a_box_that_is_none_or_lies_beside_the_picture_is_told_with_the_pictures_size(track, walk, tmp_path, box):
    code, said = track(film(tmp_path / "walk.mp4", walk(3)), "--box", *box)
    assert code == 1 and "[--box]" in said and "the first frame is 200 x 160" in said
    assert not list((tmp_path / "out" / "walk").iterdir())


@pytest.mark.parametrize("wrong", [("--faces", 0), ("--check", -1), ("--threads", -1), ("--seconds", "nan")])
def test_wrong_choices_are_a_sentence(track, wrong):
    code, said = track("x.mp4", *wrong)
    assert code == 2 and wrong[0] in said


def test_a_file_that_is_not_there_is_a_sentence(track, tmp_path):
    code, said = track(tmp_path / "nothing.mp4")
    assert code == 2 and "no such file" in said
