"""One trace, two faces: the storyboard against the trace by loops, player and contact sheet against the storyboard."""

import base64
import re
from collections import Counter
from dataclasses import replace

import cv2
import numpy as np
import pytest

from rednet_lab.show import draw, player
from rednet_lab.show.player import BUDGET, SHARE, contact_sheet, forms, player_html, show
from rednet_lab.show.storyboard import LEAST, LEVELS, MISSING, step_storyboard, track_storyboard
from rednet_lab.show.trace import SEVEN_NAMES, trace_video
from tests.helpers import loop_box, make_data

HEADLINE = re.compile(r"(\d+\.\d+) %")


def row_of(story, start):
    (found,) = [row for row in story.rows if row.label.startswith(start)]
    return found


# ------------------------------------------------------------------------------------------------ the storyboard


def test_the_steps_numbers_are_the_traces(both, labelled, traces):
    error, answer, peak = (row_of(both, start) for start in ("error, seven", "error of the final", "height"))
    assert len(both.cells[0]) == 12 and both.axes[0][1][2] == "3: yaw 2°"
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
    story = track_storyboard(tracks)
    error, h, change = (row_of(story, start) for start in ("error", "length", "change of h"))
    for c, frames in enumerate(tracks.values()):
        for t, frame in enumerate(frames):
            assert error.text(c, t) == f"{round(frame.error, 6):.1f}"
            assert h.text(c, t) == f"{np.linalg.norm(frame.hidden):.2f}"
            if t:
                assert change.text(c, t) == f"{np.linalg.norm(frame.hidden - frames[t - 1].hidden):.2f}"
    assert change.text(0, 0) == "–"
    assert len(story.pictures) == len(story.truths) == 4  # shared by both tracks


def test_maps_are_kept_to_half_a_level_and_the_faint_not(traces):
    story = step_storyboard(traces)
    kept, maps = story.cells[0][story.moment(2, 1)].answer.maps / LEVELS, traces[2].steps[1].maps
    np.testing.assert_allclose(kept[maps >= LEAST], maps[maps >= LEAST], atol=0.5 / LEVELS + 1e-6)
    assert (kept[maps < LEAST] == 0).all()


def test_a_label_map_is_given_as_labels_and_what_was_answered_before_is_kept(both, labelled):
    second = both.cells[0][both.moment(0, 1)]
    np.testing.assert_array_equal(second.given.maps[0], labelled[0].steps[1].given)
    np.testing.assert_array_equal(second.merged.maps[0], labelled[0].steps[1].merged)
    assert second.before is both.cells[0][both.moment(0, 0)].answer and second.given.labels
    plain = both.cells[1][both.moment(0, 1)]
    assert plain.given is plain.before and plain.merged is None


def test_what_cannot_be_shown_is_refused(traces, labelled):
    with pytest.raises(ValueError, match="same faces"):
        step_storyboard({"a": traces, "b": labelled[:2]})
    with pytest.raises(ValueError, match="3 names for 4 faces"):
        step_storyboard(traces, names=["a", "b", "c"])
    with pytest.raises(ValueError, match="of nothing"):
        track_storyboard([])
    with pytest.raises(ValueError, match="known: steps, track"):
        show(traces, "film")


def test_seven_points_have_their_names(labelled):
    assert step_storyboard(labelled).channels == SEVEN_NAMES


# --------------------------------------------------------------------------- the same numbers in player and sheet


def sheet_and_words(monkeypatch, story, *some):
    """Return a contact sheet, and what is written on it."""
    written, words = [], draw.words
    with monkeypatch.context() as patch:
        patch.setattr(draw, "words", lambda page, texts, *how: written.extend(texts) or words(page, texts, *how))
        return contact_sheet(story, *some), [text for text, *_ in written]


@pytest.mark.parametrize("kind", ["steps", "track"])
def test_player_and_contact_sheet_hold_the_storyboards_numbers(both, tracks, kind, unpack, monkeypatch):
    story = both if kind == "steps" else track_storyboard(tracks, "A track")
    paper, written = sheet_and_words(monkeypatch, story)
    packed = unpack(player_html(story, paper.jpeg(), paper.alt))
    assert [row["label"] for row in packed["rows"]] == [row.label for row in story.rows]
    for row, kept in zip(story.rows, packed["rows"], strict=True):
        np.testing.assert_array_equal(kept["values"], row.values)
    for c, column in enumerate(story.cells):
        for m, cell in enumerate(column):
            np.testing.assert_allclose(packed["cells"][c][m]["points"] / SHARE, cell.points, atol=0.51 / SHARE)
    assert packed["missing"] == MISSING and packed["title"] == story.title
    errors = [HEADLINE.search(text)[1] for text in written if HEADLINE.search(text)]
    columns, moments = range(len(story.columns)), range(len(story.cells[0]))
    known = [story.rows[0].text(column, moment) for column in columns for moment in moments]
    assert errors and not Counter(errors) - Counter(known)


@pytest.mark.parametrize("kind", ["steps", "track"])
def test_truth_is_spoken_of_only_where_there_is_one(traces, tracks, kind, unpack):
    frames = {"steps": traces, "track": tracks["memory"]}[kind]
    make = {"steps": step_storyboard, "track": track_storyboard}[kind]
    known, own = make(frames), make([replace(f, truth=None, truth_in_image=None, error=np.nan) for f in frames])
    assert unpack(player_html(own, b"", ""))["truths"] == [] and unpack(player_html(known, b"", ""))["truths"]
    sheets = [contact_sheet(story) for story in (known, own)]
    assert "truth" not in sheets[1].alt
    green = [(np.abs(s.picture.astype(int) - draw.TRUTH) < 40).all(-1).sum() for s in sheets]
    assert green[0] > 4 * green[1] + 50


def test_a_contact_sheet_shows_what_is_asked_for_in_little_room(both, tracks, monkeypatch):
    (few, written), all_of_it = sheet_and_words(monkeypatch, both, [1]), contact_sheet(both)
    assert few.picture.shape[0] < all_of_it.picture.shape[0]
    assert {text for text in written if text.startswith("face ")} == {"face 2: yaw 1°"}
    for sheet in (few, all_of_it, contact_sheet(track_storyboard(tracks))):
        assert len(sheet.jpeg(30_000)) <= 30_000


# ------------------------------------------------------------------------------------------------ what is displayed


@pytest.mark.parametrize("batch", ["0", "1"])
def test_one_output_without_a_widget_live_and_in_a_run(both, monkeypatch, batch):
    told = []
    monkeypatch.setattr(player, "display", lambda data, **more: told.append((data, more)))
    monkeypatch.setenv("REDNET_BATCH", batch)
    show(both)
    ((data, more),) = told
    assert set(data) == {"text/html", "text/plain", "image/jpeg"} and more["raw"]
    assert more["metadata"]["image/jpeg"]["alt"] == data["text/plain"]
    picture = cv2.imdecode(np.frombuffer(base64.b64decode(data["image/jpeg"]), np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None and min(picture.shape[:2]) > 100


def test_a_player_fetches_nothing_and_stays_in_its_budget(both, tracks):
    for story in (both, track_storyboard(tracks)):
        text = forms(story)["text/html"]
        assert len(text.encode()) <= BUDGET
        assert not re.search(r"https?://|\bimport\(|fetch\(|src=\"(?!data:)", text)
        assert 'alt="' in text and " id=" not in text  # two on one page have nothing of the same name


def test_no_title_or_name_can_break_the_page(labelled):
    evil = '<!--<script></script>"><b>'
    text = forms(step_storyboard({evil: labelled}, evil, [evil] * 4))["text/html"]
    assert text.count("<script") == text.count("</script>") == 2
    assert "<!--" not in text and "<b>" not in text and "&lt;!--&lt;script&gt;" in text


def test_too_heavy_a_storyboard_is_thinned_and_says_so_or_is_refused(traces, unpack):
    many = step_storyboard(list(traces) * 6)
    full = len(player_html(many, b"", ""))
    packed = unpack(player_html(many, b"", "", budget=int(full * 0.66)))
    assert packed["notes"] and len(packed["axes"][0][1]) < 24
    assert packed["rows"][0]["values"].shape[1] == 2 * len(packed["axes"][0][1]) == len(packed["cells"][0])
    with pytest.raises(ValueError, match="its budget is 1,000"):
        player_html(many, b"", "", budget=1000)


def test_a_long_clip_of_large_frames_without_truth_fits(net):
    data = make_data([(0, range(1))], size=48)
    box = loop_box(data.table["points"][0])
    (frame,) = trace_video(net, data.crops[:1], None, box)
    rng = np.random.default_rng(0)
    noisy = [cv2.resize(rng.integers(0, 255, (90, 160, 3), np.uint8), (640, 360)) for _ in range(60)]
    story = track_storyboard([replace(frame, image=image, slip=0.123) for image in noisy])
    assert not story.truths and story.headline(0, 5) == "slip 0.12"
    assert len(player_html(story, b"", "").encode()) <= BUDGET
