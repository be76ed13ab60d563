"""A trace holds what the network itself says: every number against a direct call of it."""

import numpy as np
import pytest
import torch

from rednet_core import geometry
from rednet_core.augment import resample
from rednet_core.metrics import LEAST_INTEROCULAR
from rednet_core.tracking import Tracker
from rednet_lab.show.storyboard import track_storyboard
from rednet_lab.show.trace import SEVEN_NAMES, likelier, look, record, trace_stills, trace_video
from tests.helpers import loop_box, make_data, settle, tiny_net

ROWS = np.array([0, 3, 5, 6])


def direct(net, image, box):
    """What the network sees in the box of a picture, where that is, and what it says of it, without a tracker."""
    size = net.config.input_size
    matrix = geometry.crop_matrix(torch.tensor(box, dtype=torch.float32)[None], size)
    x = resample(torch.from_numpy(np.ascontiguousarray(image))[None], matrix, size)
    with torch.no_grad():
        return x, matrix[0].double().numpy(), net(x, net.first_guess(1))


def loop_error(found, truth):
    """Mean distance of points in per cent of the outer eye corners' distance (68 points), by a loop."""
    eyes = np.mean([truth[i] for i in (36, 39, 42, 45)], 0)
    mouth = np.mean([truth[i] for i in (48, 54)], 0)
    between = max(np.hypot(*(truth[36] - truth[45])), LEAST_INTEROCULAR * np.hypot(*(eyes - mouth)))
    return 100 * np.mean([np.hypot(*(a - b)) for a, b in zip(found, truth, strict=True)]) / between


def test_the_steps_of_a_still_equal_a_direct_call(net, faces, traces):
    assert len(traces) == len(ROWS)
    for row, trace in zip(ROWS, traces, strict=True):
        truth = faces.table["points"][row].astype(float)
        x, matrix, out = direct(net, faces.crops[row], loop_box(truth))
        assert [step.kind for step in trace.steps] == list(net.config.steps) == ["detection", "regression"]
        detection, regression = trace.steps
        maps = out.maps[0][0].sigmoid().numpy(), out.maps[1][0].clamp(0, 1).numpy()
        np.testing.assert_allclose(detection.feedback, net.first_guess(1)[0], atol=1e-5)
        np.testing.assert_allclose(detection.maps, maps[0], atol=1e-4)
        np.testing.assert_allclose(regression.feedback, maps[0], atol=1e-4)  # what step 1 answered
        np.testing.assert_allclose(regression.maps, maps[1], atol=1e-4)
        for k, step in enumerate(trace.steps):
            np.testing.assert_allclose(step.points, net.points(out, k)[0], atol=1e-2)
            np.testing.assert_allclose(step.e_i, out.e_i[k][0], atol=1e-3)
            np.testing.assert_allclose(step.e_p, out.e_p[k][0], atol=1e-3)
        np.testing.assert_allclose(trace.picture / 255, x[0].permute(1, 2, 0), atol=0.51 / 255)
        # Carried back by hand: the box's square is the network's input.
        scale, box = loop_box(truth)[2] / net.config.input_size, loop_box(truth)
        back = (regression.points + 0.5) * scale + box[:2] - box[2] / 2
        np.testing.assert_allclose(trace.points, back, atol=1e-2)
        np.testing.assert_allclose(trace.box, box, rtol=1e-5)
        np.testing.assert_array_equal(trace.image, faces.crops[row])
        np.testing.assert_allclose(trace.confidence, maps[1].max((1, 2)).mean(), atol=1e-4)


def test_errors_by_a_loop(net, faces, traces):
    seven = list(net.markup.seven)
    for row, trace in zip(ROWS, traces, strict=True):
        truth = faces.table["points"][row].astype(float)
        assert trace.error == pytest.approx(loop_error(trace.points, truth), rel=1e-4)
        _, matrix, _ = direct(net, faces.crops[row], loop_box(truth))
        inside = np.array([matrix[:, :2] @ p + matrix[:, 2] for p in truth])
        np.testing.assert_allclose(trace.truth, inside, atol=1e-3)
        np.testing.assert_array_equal(trace.truth_in_image, faces.table["points"][row])
        for step, found in zip(trace.steps, (trace.steps[0].points, trace.steps[1].points[seven]), strict=True):
            np.testing.assert_array_equal(step.seven(net.markup), found)
            padded = inside.copy()
            padded[seven] = found  # the loop's normaliser needs all 68; only the seven count
            assert step.error == pytest.approx(loop_error(padded, inside) * 68 / 7, rel=1e-3)


def test_the_seven_are_named():
    assert len(set(SEVEN_NAMES)) == 7


def test_a_video_is_tracked_from_frame_to_frame(net, faces):
    images, truth = faces.crops[:4], np.array(faces.table["points"][:4])
    start = loop_box(truth[0])
    traces = trace_video(net, images, truth, start)
    tracker = Tracker(net)
    tracker.start(start)
    for image, trace in zip(images, traces, strict=True):
        seen = tracker.update(image)
        np.testing.assert_allclose(trace.points, seen.points[0], atol=1e-3)
        np.testing.assert_allclose(trace.box, seen.box[0], atol=1e-3)
        np.testing.assert_allclose(trace.steps[0].feedback, seen.z0[0], atol=1e-5)
    # z_0 of a later frame is drawn from the points before, not the mean face again.
    assert np.abs(traces[1].steps[0].feedback - traces[0].steps[0].feedback).max() > 0.5
    meant = trace_video(net, images, truth, start, guess="mean")
    np.testing.assert_array_equal(meant[1].steps[0].feedback, meant[0].steps[0].feedback)


def test_videos_that_are_tracked_in_step_are_told_apart(net, faces):
    rows = np.array([[0, 4], [1, 5]])  # two frames of two videos
    truth = np.array(faces.table["points"])
    tracker = Tracker(net)
    tracker.start(np.array([loop_box(truth[row]) for row in rows[0]]))
    for step in rows:
        traces = record(net, tracker.update(faces.crops[step]), faces.crops[step], truth[step])
    for video, trace in enumerate(traces):
        (_, alone) = trace_video(
            net, faces.crops[rows[:, video]], truth[rows[:, video]], loop_box(truth[rows[0, video]])
        )
        assert trace.error == pytest.approx(alone.error, rel=1e-3)
        np.testing.assert_allclose(trace.points, alone.points, atol=1e-2)
        for mine, wanted in zip(trace.steps, alone.steps, strict=True):
            np.testing.assert_allclose(mine.feedback, wanted.feedback, atol=1e-3)
            assert mine.error == pytest.approx(wanted.error, rel=1e-3)


def test_without_truth_there_is_no_error(net, faces):
    box = loop_box(faces.table["points"][0])
    (trace,) = trace_video(net, faces.crops[:1], None, box)
    assert np.isnan(trace.error) and all(np.isnan(step.error) for step in trace.steps)
    assert trace.truth is None and trace.truth_in_image is None and trace.points.shape == (68, 2)


def test_what_is_not_annotated_is_neither_scored_nor_marked(net, faces):
    truth, mask, hidden = np.array(faces.table["points"][:1]), np.ones((1, 68), bool), [3, 40]
    mask[0, hidden] = False
    box, seen = loop_box(truth[0]), np.setdiff1d(np.arange(68), hidden)
    (whole,) = trace_video(net, faces.crops[:1], truth, box)
    distance = np.linalg.norm(whole.points - truth[0], axis=-1)
    wanted = whole.error * distance[seen].mean() / distance.mean()
    truth[0, hidden] = 1e4  # what stands there means nothing
    (trace,) = trace_video(net, faces.crops[:1], truth, box, mask)
    assert trace.error == pytest.approx(wanted, rel=1e-4)
    story = track_storyboard([trace])
    assert len(story.truths[0]) == 66 and story.truths[0].max() < 2
    assert [story.rows[0].text(0, 0, channel) == "–" for channel in (2, 3, 40, 41)] == [False, True, True, False]


def test_the_memory_is_written_down_where_there_is_one(faces):
    remembering = settle(tiny_net(seed=3, temporal=True))
    box = loop_box(faces.table["points"][0])
    first, second = trace_video(remembering, faces.crops[:2], None, box)
    assert first.hidden.shape == (remembering.config.hidden,) and np.abs(second.hidden - first.hidden).max() > 0
    (wiped,) = trace_video(remembering, faces.crops[:1], None, box, temporal=False)
    np.testing.assert_allclose(wiped.hidden, first.hidden, atol=1e-5)


def test_stills_without_a_memory_have_no_state(traces):
    assert all(trace.hidden is None for trace in traces)


def test_tracing_does_not_change_the_network(net, faces):
    before = {name: value.clone() for name, value in net.state_dict().items()}
    net.train()
    try:
        trace_stills(net, faces, ROWS)
        assert net.training  # the tracker works on a copy of its own
        after = net.state_dict()
        assert all(torch.equal(after[name], value) for name, value in before.items())
    finally:
        net.eval()


def test_a_stored_table_is_not_written_to():
    data = make_data([(0, range(2))], size=48)
    before = data.table.copy()
    trace_stills(settle(tiny_net()), data, np.array([1, 0]))
    np.testing.assert_array_equal(data.table, before)


def test_a_look_at_stills_equals_a_direct_call(net, faces):
    seen, truth = look(net, faces, ROWS)
    for i, row in enumerate(ROWS):
        points = faces.table["points"][row].astype(float)
        x, matrix, out = direct(net, faces.crops[row], loop_box(points))
        np.testing.assert_allclose(seen.inputs[i], x[0], atol=1e-5)
        np.testing.assert_allclose(seen.prediction.maps[1][i], out.maps[1][0], atol=1e-4)
        np.testing.assert_allclose(truth[i], points @ matrix[:, :2].T + matrix[:, 2], atol=1e-2)


def test_a_label_wins_a_pixel_where_it_is_likelier_than_the_background():
    # A network trained with weight 15 says w p / (w p + 1 - p) where the true share is p.
    share = torch.tensor([0.02, 0.2, 0.45, 0.55, 0.9]).view(1, 1, 1, 5)
    said = 15 * share / (15 * share + 1 - share)
    logits = torch.cat([1 - said, said], 1).log()
    assert likelier(logits, 15.0).flatten().tolist() == [0, 0, 0, 1, 1]
    assert logits.argmax(1).flatten().tolist() == [0, 1, 1, 1, 1] == likelier(logits, 1.0).flatten().tolist()
    torch.testing.assert_close(logits, torch.cat([1 - said, said], 1).log())


def test_points_are_read_off_the_maps_once_a_step_however_many_pictures(net, faces, monkeypatch):
    """Read for each picture again, sixteen videos' traces took 23 GB: small arrays lay among large ones."""
    calls, read = [], type(net).points
    monkeypatch.setattr(type(net), "points", lambda self, said, k=-1: (calls.append(k), read(self, said, k))[1])
    counts = []
    for rows in (np.arange(1), np.arange(4)):
        calls.clear()
        trace_stills(net, faces, rows)
        counts.append(len(calls))
    assert counts[0] == counts[1]
