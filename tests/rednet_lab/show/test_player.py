"""One trace, three faces: the storyboard against the trace by loops, and widget, page and sheet against each other."""

import base64
import html.parser
import re
from dataclasses import replace
from pathlib import Path

import cv2
import ipywidgets as w
import numpy as np
import pytest

from rednet_core.eccv import EccvConfig, EccvNet
from rednet_lab.show import draw
from rednet_lab.show.player import paint, sheet, show, steps_board, track_board
from rednet_lab.show.player.forms import still_forms
from rednet_lab.show.player.live import choices, live, rehearse
from rednet_lab.show.player.page import BUDGET, SCRIPTS, page, read_page, script
from rednet_lab.show.player.storyboard import ALL, LEAST, LEVELS, MISSING
from rednet_lab.show.trace import SEVEN_NAMES, trace_stills, trace_video
from tests.helpers import loop_box, make_data, settle, template, tiny_net

ROWS = np.array([0, 3, 5, 6])
SEVEN = [36, 39, 42, 45, 30, 48, 54]
HEADLINE = re.compile(r"(\d+\.\d+) %")


class OfSeven:
    """Data with the seven points only."""

    def __init__(self, data):
        kind = [("points", "<f4", (7, 2)), ("mask", "?", (7,)), ("identity", "<i4"), ("video", "<i4"), ("frame", "<i4")]
        self.crops, self.table = data.crops, np.zeros(len(data.table), kind)
        self.table["points"], self.table["mask"] = data.table["points"][:, SEVEN], True


@pytest.fixture(scope="module")
def eccv_net():
    import torch

    torch.manual_seed(5)
    net = EccvNet(EccvConfig(32, 0.125, (1,) * 5, "seven", steps=(28, 20, 12)))
    net.mean_shape.copy_(torch.tensor(template()[SEVEN], dtype=torch.float32))
    net.train()
    with torch.no_grad():
        for _ in range(3):
            net(torch.rand(4, 3, 32, 32), net.first_guess(4))
    return net.eval()


@pytest.fixture(scope="module")
def labelled(eccv_net, faces):
    return trace_stills(eccv_net, OfSeven(faces), ROWS)


@pytest.fixture(scope="module")
def tracks(faces):
    """A track with a memory, and the same with it wiped."""
    net, truth = settle(tiny_net(seed=3, temporal=True)), np.array(faces.table["points"][:4])
    video = (faces.crops[:4], truth, loop_box(truth[0]))
    return {"memory": trace_video(net, *video), "wiped": trace_video(net, *video, temporal=False)}


@pytest.fixture
def both(labelled, traces):
    return steps_board({"labels": labelled, "maps": traces}, "Two <feedbacks>", [f"yaw {i}°" for i in range(4)])


def row_of(board, start):
    (found,) = [row for row in board.rows if row.label.startswith(start)]
    return found


# ------------------------------------------------------------------------------------------------ the storyboard


def test_the_steps_numbers_are_the_traces(both, labelled, traces):
    error, answer, peak = (row_of(both, start) for start in ("error, seven", "error of the final", "height"))
    assert both.moments == 12 and both.axes[0][1][2] == "3: yaw 2°"
    for c, frames in enumerate((labelled, traces)):
        for f, frame in enumerate(frames):
            for k in range(3):
                step, moment = frame.steps[min(k, len(frame.steps) - 1)], both.moment(f, k)
                assert error.text(c, moment) == f"{round(step.error, 6):.1f}"
                assert peak.text(c, moment) == f"{round(float(np.mean([m.max() for m in step.maps])), 6):.2f}"
                last = k >= len(frame.steps) - 1
                assert answer.text(c, moment) == (f"{round(frame.error, 6):.1f}" if last else "–")


def test_the_numbers_of_a_chosen_point(both, labelled, traces):
    error, pixels = row_of(both, "error, seven"), row_of(both, "pixels")
    frame, moment = traces[1], both.moment(1, 1)
    eyes = np.linalg.norm(frame.truth[36] - frame.truth[45])
    wanted = 100 * np.linalg.norm(frame.steps[1].points[20] - frame.truth[20]) / eyes
    assert error.text(1, moment, 20) == f"{wanted:.1f}"
    assert error.text(0, moment, 20) == "–"  # the other network has no such point
    assert error.text(0, moment, 30) != "–" and pixels.text(1, moment, 30) == "–"
    assert pixels.text(0, moment, 30) == str(int((labelled[1].steps[1].merged == 5).sum()))  # the nose is the fifth


def test_changes_are_against_the_step_before(both, labelled):
    moved, e_p = row_of(both, "moved"), row_of(both, "change of e_p")
    first, second = labelled[0].steps[:2]
    assert moved.text(0, both.moment(0, 0)) == "–" == e_p.text(0, both.moment(0, 0))
    shift = 100 * np.linalg.norm(second.points - first.points, axis=1).mean() / 32
    assert moved.text(0, both.moment(0, 1)) == f"{shift:.1f}"
    wanted = 100 * np.linalg.norm(second.e_p - first.e_p) / np.linalg.norm(first.e_p)
    assert e_p.text(0, both.moment(0, 1)) == f"{wanted:.0f}"


def test_the_tracks_numbers_are_the_traces(tracks):
    board = track_board(tracks)
    error, h, change = (row_of(board, start) for start in ("error", "length", "change of h"))
    for c, frames in enumerate(tracks.values()):
        for t, frame in enumerate(frames):
            assert error.text(c, t) == f"{round(frame.error, 6):.1f}"
            assert h.text(c, t) == f"{np.linalg.norm(frame.hidden):.2f}"
            if t:
                assert change.text(c, t) == f"{np.linalg.norm(frame.hidden - frames[t - 1].hidden):.2f}"
    assert change.text(0, 0) == "–"
    assert len(board.pictures) == len(board.truths) == 4  # shared by both tracks


def test_maps_are_kept_to_half_a_level_and_the_faint_not(traces):
    board = steps_board(traces)
    cell, maps = board.cells[0][board.moment(2, 1)], traces[2].steps[1].maps
    kept = cell.said.maps / LEVELS
    strong = maps >= LEAST
    np.testing.assert_allclose(kept[strong], maps[strong], atol=0.5 / LEVELS + 1e-6)
    assert (kept[~strong] == 0).all()
    change = paint.difference(cell, 30)
    wanted = traces[2].steps[1].maps[30] - traces[2].steps[0].maps[4]
    np.testing.assert_allclose(change, wanted, atol=LEAST + 1 / LEVELS)


def test_what_cannot_be_shown_is_refused(traces, labelled):
    with pytest.raises(ValueError, match="same faces"):
        steps_board({"a": traces, "b": labelled[:2]})
    with pytest.raises(ValueError, match="3 names for 4 faces"):
        steps_board(traces, names=["a", "b", "c"])
    with pytest.raises(ValueError, match="without frames"):
        track_board([])
    with pytest.raises(ValueError, match="known: steps, track"):
        show(traces, "film")


# ------------------------------------------------------------------------------------- the same numbers on each face


class Cells(html.parser.HTMLParser):
    """The texts of a table's cells, row by row."""

    def __init__(self, text):
        super().__init__()
        self.rows = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        if tag == "tr":
            self.rows.append([])

    def handle_data(self, data):
        self.rows[-1].append(data)


def set_controls(widget, board, moment, channel=ALL):
    where = np.unravel_index(moment, [len(labels) for _, labels in board.axes])
    for (name, _), at in zip(board.axes, where, strict=True):
        widget.controls[name].value = widget.controls[name].min + int(at)
    widget.controls["channel"].value = channel


@pytest.mark.parametrize("kind", ["steps", "track"])
def test_widget_page_and_sheet_show_the_same_numbers(both, tracks, kind):
    board = both if kind == "steps" else track_board(tracks, "A track")
    paper, widget = sheet(board), live(board)
    (packed,) = read_page(page(board, paper.jpeg(), paper.alt))
    assert [row["label"] for row in packed["rows"]] == [row.label for row in board.rows]
    for moment in (0, 3, board.moments - 1):
        for channel in (ALL, 30):
            set_controls(widget, board, moment, channel)
            shown = [cells for cells in Cells(widget.status.value).rows if cells[0] in {r.label for r in board.rows}]
            assert shown == board.table(moment, channel)
            for cells, row in zip(shown, packed["rows"], strict=True):
                for c, text in enumerate(cells[1:]):
                    values = row["values"][c, moment]
                    value = values[channel + 1 if len(values) > 1 else 0]
                    assert text == ("–" if value == MISSING else f"{value / 10 ** row['digits']:.{row['digits']}f}")
    assert paper.texts
    frames = {"steps": None, "track": list(tracks.values())}[kind]
    for column, moment, text in paper.texts:
        number = HEADLINE.search(text)[1]
        assert number == board.table(moment)[0][1 + column]
        if frames:
            assert number == f"{frames[column][moment].error:.1f}"


def test_the_pages_places_are_the_boards(both):
    import json
    import zlib

    from rednet_lab.show.player.page import DATA, SHARE

    packed = json.loads(DATA.findall(page(both, b"", ""))[0])
    raw = zlib.decompress(base64.b64decode(packed["bytes"]))
    for c, column in enumerate(both.cells):
        for m, cell in enumerate(column):
            kind, offset, shape = packed["cells"][c][m]["points"]
            places = np.frombuffer(raw, "<" + kind, int(np.prod(shape)), offset).reshape(shape) / SHARE
            np.testing.assert_allclose(places, cell.points, atol=0.51 / SHARE)


@pytest.mark.parametrize("kind", ["steps", "track"])
def test_truth_is_spoken_of_only_where_there_is_one(traces, tracks, kind):
    frames = {"steps": traces, "track": tracks["memory"]}[kind]
    make = {"steps": steps_board, "track": track_board}[kind]
    blind = [replace(frame, truth=None, truth_in_image=None, error=np.nan) for frame in frames]
    known, own = make(frames), make(blind)
    assert "truth" in choices(known) and "truth" in live(known).controls
    assert "truth" not in choices(own) and "truth" not in live(own).controls
    rehearse(own)
    (packed,) = read_page(page(own, b"", ""))
    assert packed["truths"] == [] and read_page(page(known, b"", ""))[0]["truths"]
    assert "truth" not in sheet(own).alt
    face, cells = draw.enlarge(known.pictures[0], 96), (known.cells[0][0], own.cells[0][0])
    without = paint.marked(known, cells[0], face, truth=False)
    np.testing.assert_array_equal(paint.marked(own, cells[1], face), without)
    assert (paint.marked(known, cells[0], face) != without).any()


# -------------------------------------------------------------------------------------------------------- the widget


def shown(painter):
    return cv2.imdecode(np.frombuffer(painter.image.value, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]


@pytest.mark.parametrize("kind", ["steps", "track"])
def test_every_control_changes_the_picture(both, tracks, kind):
    board = both if kind == "steps" else track_board(tracks)
    widget = live(board)
    for name, values in choices(board).items():
        assert set(values) <= set(range(-1, 99)) | set(paint.VIEWS) | set(paint.LAYERS)
        before = widget.image.value
        widget.controls[name].value = 30 if name == "channel" else values[1]
        assert widget.image.value != before, name
        widget.controls[name].value = values[0]
        assert widget.image.value == before, name


def test_the_picture_is_what_the_board_holds(both):
    widget = live(both)
    widget.controls["step"].value, widget.controls["view"].value = 2, "alone"
    picture, size = shown(widget), 260
    moment = both.moment(0, 1)
    wanted = draw.heat(both.cells[1][moment].said.one(ALL) / LEVELS, size)
    found = picture[size + 6 :, size + 6 : 2 * size + 6]
    np.testing.assert_array_equal(found[40:], wanted[40:])


def test_a_label_map_stands_beside_its_clusters(both, labelled):
    step = labelled[0].steps[1]
    face = draw.enlarge(both.pictures[both.cells[0][1].picture], 96)
    given, _, points = paint.panels(both, 0, both.moment(0, 1), 96, truth=False)
    np.testing.assert_array_equal(given, draw.labels(face, step.given))
    bare = draw.labels(face, step.merged)
    assert (np.abs(points.astype(int) - bare).sum(-1) > 0).mean() < 0.2  # but for the points themselves


def test_play_moves_the_last_axis(both):
    widget = live(both)
    assert isinstance(widget.play, w.Play) and (widget.play.min, widget.play.max) == (1, 3)


def test_an_error_behind_a_control_is_shown_live_and_fails_a_run(tracks, monkeypatch):
    board, tracked = track_board(tracks), paint.tracked

    def broken(board, column, moment, *rest):
        if moment == 2:
            raise ValueError("frame <2> is torn")
        return tracked(board, column, moment, *rest)

    monkeypatch.setattr(paint, "tracked", broken)
    widget = live(board)
    widget.controls["frame"]._handle_msg({"content": {"data": {"method": "update", "state": {"value": 2}}}})
    assert widget.status.value == "<b>ValueError</b>: frame &lt;2&gt; is torn"
    with pytest.raises(ValueError, match="is torn"):
        rehearse(board)
    with pytest.raises(ValueError, match="is torn"):
        show(board, widget=False)


# ------------------------------------------------------------------------------------------------ what show displays


def test_live_offers_all_forms_and_a_run_leaves_no_widget_behind(both, monkeypatch):
    told = []
    monkeypatch.setattr("rednet_lab.show.player.forms.display", lambda data, **more: told.append((data, more)))
    monkeypatch.setenv("REDNET_BATCH", "1")
    made = []
    monkeypatch.setattr(w.Widget, "open", lambda self: made.append(self))
    show(both)
    assert not made
    monkeypatch.delenv("REDNET_BATCH")
    monkeypatch.setattr("rednet_lab.show.display.display", lambda data, **more: told.append((data, more)))
    show(both)
    (batch, more), (live_, _), (behind, _) = told
    assert set(batch) == set(behind) == {"text/html", "text/plain", "image/jpeg"} and more["raw"]
    assert set(live_) == {"text/plain", "application/vnd.jupyter.widget-view+json"}
    assert batch["text/html"] in behind["text/html"] and batch["image/jpeg"] == behind["image/jpeg"]
    assert made
    picture = cv2.imdecode(np.frombuffer(base64.b64decode(batch["image/jpeg"]), np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None and min(picture.shape[:2]) > 100


def test_a_page_fetches_nothing_and_stays_in_its_budget(both, tracks):
    for board in (both, track_board(tracks)):
        text = still_forms(board)["text/html"]
        assert len(text.encode()) <= BUDGET
        assert not re.search(r"https?://|\bimport\(|fetch\(|src=\"(?!data:)", text)
        assert text.count("<script") == text.count("</script>") == 2
        assert 'alt="' in text and " id=" not in text  # two on one page have nothing of the same name


def test_every_script_is_in_the_player_and_none_is_long():
    here = Path(paint.__file__).parent
    assert set(SCRIPTS) == {file.name for file in here.glob("*.js")}
    for name in SCRIPTS:
        text = (here / name).read_text(encoding="utf-8")
        assert text in script() and text.count("\n") <= 250


def test_too_heavy_a_board_is_thinned_and_says_so_or_is_refused(traces):
    many = steps_board(list(traces) * 6)
    full = len(page(many, b"", ""))
    (packed,) = read_page(page(many, b"", "", budget=int(full * 0.8)))
    assert packed["notes"] and len(packed["axes"][0][1]) < 24
    assert packed["rows"][0]["values"].shape[1] == 2 * len(packed["axes"][0][1]) == len(packed["cells"][0])
    with pytest.raises(ValueError, match="its budget is 1,000"):
        page(many, b"", "", budget=1000)


def test_a_long_clip_of_large_frames_without_truth_fits(net):
    data = make_data([(0, range(1))], size=48)
    box = loop_box(data.table["points"][0])
    (frame,) = trace_video(net, data.crops[:1], None, box)
    rng = np.random.default_rng(0)
    frames = []
    for _ in range(60):
        noisy = cv2.resize(rng.integers(0, 255, (90, 160, 3), np.uint8), (640, 360))
        frames.append(type(frame)(**{**vars(frame), "image": noisy}))
    board = track_board(frames)
    assert not board.truths and board.caption(0, 5, 0).startswith("sure 0.")
    assert len(page(board, b"", "").encode()) <= BUDGET


def test_seven_points_have_their_names(labelled):
    assert steps_board(labelled).channels == SEVEN_NAMES
