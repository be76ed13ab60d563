"""Tracking: the protocol by hand, many videos in step, and what becomes of a lost face."""

import cv2
import numpy as np
import pytest
import torch

from rednet_core.rednet import RedNet
from rednet_core.tracking import Tracker
from tests.helpers import loop_box, settle, smooth_picture, template, tiny, tiny_net

SEVEN = [36, 39, 42, 45, 30, 48, 54]


class Scripted(RedNet):
    """A network whose points are told beforehand, in box sides from the input's centre; it remembers its inputs."""

    def __init__(self, script, **changes):
        super().__init__(tiny(**changes))
        self.script, self.seen = list(script), []
        self.mean_shape.copy_(torch.tensor(template()))

    def forward(self, x, z0, frames=1, states=None):
        self.seen.append((x, z0, states))
        out = super().forward(x, z0, frames, states)
        shape = self.script[min(len(self.seen) - 1, len(self.script) - 1)]
        self.told = torch.tensor(shape, dtype=torch.float32) * 32 + 15.5
        return out

    def points(self, prediction, step=-1):
        return self.told.expand(len(prediction.maps[0]), -1, -1)


def moving(count, dx=0.05, dy=-0.03, growth=1.04, turn=0.02):
    """Shapes that a face drifting across the frames would have in the box of the frame before."""
    cos, sin = np.cos(turn), np.sin(turn)
    return [growth * template() @ np.array([[cos, sin], [-sin, cos]]) + [dx, dy] for _ in range(count)]


# ------------------------------------------------------------------------------------------------ the protocol


@pytest.mark.parametrize("height, width", [(90, 140), (140, 90)])
def test_the_protocol_by_hand_on_frames_that_are_not_square(height, width):
    rng = np.random.default_rng(0)
    net = Scripted(moving(5))
    tracker = Tracker(net)
    box = np.array([0.72 * width, 0.72 * height, 40.0])
    tracker.start(box)
    before = None
    for t in range(5):
        picture = smooth_picture(height, width, rng)
        found = tracker.update(picture)
        x, z0, _ = tracker.net.seen[t]
        scale = 32 / box[2]
        matrix = np.array([[scale, 0, 15.5 - scale * box[0]], [0, scale, 15.5 - scale * box[1]]])
        crop = cv2.warpAffine(picture.astype(np.float64), matrix, (32, 32), borderMode=cv2.BORDER_REPLICATE)
        np.testing.assert_allclose(255 * x[0].permute(1, 2, 0), crop, atol=3)
        np.testing.assert_allclose(found.box[0], box, rtol=1e-4)
        guess = template() * 32 + 15.5 if before is None else before @ matrix[:, :2].T + matrix[:, 2]
        rows, columns = np.mgrid[0:16, 0:16]
        for channel, i in enumerate(SEVEN):
            gx, gy = (guess[i] + 0.5) / 2 - 0.5
            disc = (columns - gx) ** 2 + (rows - gy) ** 2 <= (5 * 16 / 128) ** 2
            assert (z0[0, channel].numpy().astype(bool) != disc).sum() <= 1
        expected = (tracker.net.told.numpy() - 15.5) / scale + box[:2]
        np.testing.assert_allclose(found.points[0], expected, atol=1e-3)
        before, box = expected, loop_box(expected)
    assert box[2] > 45 and before[30, 0] > 0.72 * width + 8  # the face has moved and grown, and was followed


def test_tracking_needs_a_start():
    with pytest.raises(RuntimeError, match="call start"):
        Tracker(tiny_net()).update(np.zeros((50, 50, 3), np.uint8))


def test_a_new_start_forgets_the_old_video():
    net = settle(tiny_net(temporal=True))
    pictures = np.random.default_rng(0).integers(0, 255, (3, 60, 60, 3), dtype=np.uint8)
    tracker, fresh = Tracker(net), Tracker(net)
    for picture in pictures:
        tracker.start([30, 30, 30]) if tracker.box is None else None
        tracker.update(picture)
    tracker.start([30, 30, 30])
    fresh.start(np.array([30.0, 30.0, 30.0]))
    np.testing.assert_array_equal(tracker.update(pictures[0]).points, fresh.update(pictures[0]).points)


@pytest.mark.parametrize("guess", ["mean", "zeros"])
def test_other_first_guesses_stay_the_same_from_frame_to_frame(guess):
    net = Scripted(moving(4))
    tracker = Tracker(net, guess=guess)
    tracker.start([45, 45, 40])
    for _ in range(4):
        tracker.update(np.zeros((90, 90, 3), np.uint8))
    first = tracker.net.seen[0][1]
    assert all(torch.equal(z0, first) for _, z0, _ in tracker.net.seen)
    assert bool((first == 0).all()) is (guess == "zeros")


def test_the_lstms_state_is_carried_or_not():
    pictures = np.random.default_rng(1).integers(0, 255, (3, 60, 60, 3), dtype=np.uint8)
    for temporal in (True, False):
        net = Scripted([template()], temporal=True)
        tracker = Tracker(net, temporal=temporal)
        tracker.start([30, 30, 30])
        results = [tracker.update(picture) for picture in pictures]
        states = [states for _, _, states in tracker.net.seen]
        assert states[0] is None
        if temporal:
            assert states[1] is results[0].prediction.states and states[2] is results[1].prediction.states
        else:
            assert states == [None, None, None]


def test_confidence_is_the_mean_height_of_the_last_steps_peaks():
    net = settle(tiny_net())
    with torch.no_grad():  # peaks from below 0 to above 1, which count as 0 and 1
        net.heads["regression"].bias.copy_(torch.linspace(-2, 2, 68))
    tracker = Tracker(net)
    tracker.start([[30, 30, 30], [25, 30, 35]])
    found = tracker.update(np.random.default_rng(2).integers(0, 255, (2, 60, 60, 3), dtype=np.uint8))
    maps = found.prediction.maps[-1].numpy()
    for n in range(2):
        heights = [min(max(maps[n, i].max(), 0), 1) for i in range(68)]
        assert found.confidence[n] == pytest.approx(np.mean(heights), rel=1e-5)


def test_a_network_that_only_detects_gives_seven_points_with_the_sevens_markup():
    net = settle(tiny_net(markup="seven", steps=("detection", "detection")))
    tracker = Tracker(net)
    tracker.start([30, 30, 30])
    found = tracker.update(np.zeros((60, 60, 3), np.uint8))
    assert found.points.shape == (1, 7, 2) and 0 <= found.confidence[0] <= 1


def test_tracking_works_on_a_copy_in_evaluation_and_keeps_no_gradient():
    net = tiny_net().train()
    tracker = Tracker(net)
    tracker.start([30, 30, 30])
    found = tracker.update(np.zeros((60, 60, 3), np.uint8))
    assert not tracker.net.training and not found.prediction.maps[0].requires_grad
    assert net.training and not net.backbone.A1.convs[0].norm.running_mean.any()  # its statistics never moved


def test_the_folded_copy_finds_what_the_network_finds():
    net = settle(tiny_net(seed=5))
    tracker = Tracker(net)
    tracker.start([[30, 30, 30], [25, 30, 35]])
    found = tracker.update(np.random.default_rng(3).integers(0, 255, (2, 60, 60, 3), dtype=np.uint8))
    with torch.no_grad():
        plain = net(found.inputs, found.z0)
    for ours, theirs in zip(found.prediction.maps, plain.maps, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)


# ------------------------------------------------------------------------------------------------- a lost face


def sane(box, picture=90):
    return np.isfinite(box).all() and (box[:2] > 0).all() and (box[:2] < picture).all() and 8 <= box[2] <= 2 * picture


@pytest.mark.parametrize(
    "shape",
    [
        0.0 * template(),  # all points in one place: empty maps
        0.65 * template(),  # a little smaller in every frame
        1.6 * template(),  # a little larger in every frame
        template() + [0.45, 0.1],  # drifting out of the picture
        np.full((68, 2), np.nan),
        template()[::-1] * 40,
    ],
    ids=["nothing", "shrinking", "growing", "drifting", "nan", "wild"],
)
def test_a_lost_face_keeps_a_sane_box(shape):
    net = Scripted([shape])
    tracker = Tracker(net)
    tracker.start([45, 45, 40])
    for _ in range(40):
        found = tracker.update(np.zeros((90, 90, 3), np.uint8))
        assert sane(found.box[0]), found.box


def test_after_a_lost_frame_the_box_is_the_last_good_one():
    net = Scripted([template() + 0.05, 0 * template(), template()])
    tracker = Tracker(net)
    tracker.start([45, 45, 40])
    boxes = [tracker.update(np.zeros((90, 90, 3), np.uint8)).box[0] for _ in range(3)]
    np.testing.assert_allclose(boxes[1], [47, 47, 40], atol=1e-3)
    np.testing.assert_allclose(boxes[2], boxes[1])


@pytest.mark.parametrize(
    "scale, shift, credible",
    [(0.65, 0, True), (0.55, 0, False), (1.6, 0, True), (1.8, 0, False), (1, 0.45, True), (1, 0.55, False)],
)
def test_a_sudden_change_is_not_believed(scale, shift, credible):
    net = Scripted([scale * template() + [shift, 0], template()])
    tracker = Tracker(net)
    tracker.start([45, 45, 40])
    boxes = [tracker.update(np.zeros((90, 90, 3), np.uint8)).box[0] for _ in range(2)]
    expected = [45 + 40 * shift, 45, 40 * scale] if credible else [45, 45, 40]
    np.testing.assert_allclose(boxes[1], expected, atol=1e-3)


def test_one_lost_face_does_not_touch_the_others(trained):
    net = trained
    pictures = np.random.default_rng(3).integers(0, 255, (4, 2, 60, 60, 3), dtype=np.uint8)
    both, alone = Tracker(net), Tracker(net)
    both.start([[30, 30, 30], [25, 30, 35]]), alone.start([25, 30, 35])
    for t in range(4):
        frames = pictures[t].copy()
        frames[0] = 0
        found, one = both.update(frames), alone.update(frames[1])
        np.testing.assert_allclose(found.points[1], one.points[0], atol=1e-2)


@pytest.mark.parametrize("interleave", ["own", "through", "last"])
def test_the_lstms_state_of_a_video_is_its_own_however_steps_and_states_interleave(interleave):
    """The second of two videos ends early; the first goes on as if it had been alone."""
    net = settle(tiny_net(temporal=True, interleave=interleave))
    torch.nn.init.normal_(net.f_trn.spread.weight)
    pictures = np.random.default_rng(4).integers(0, 255, (4, 2, 60, 60, 3), dtype=np.uint8)
    both, alone, forgetful = Tracker(net), Tracker(net), Tracker(net, temporal=False)
    both.start([[30, 30, 30], [25, 30, 35]])
    for tracker in (alone, forgetful):
        tracker.start([30, 30, 30])
    for t in range(4):
        if t == 2:
            both.keep(1)
        for tracker in (both, alone, forgetful):  # one box for all: flat maps of an untrained network say nothing
            tracker.box = torch.tensor([[30.0, 30, 30], [25, 30, 35]])[: 2 if tracker is both and t < 2 else 1]
            tracker.points = None
        seen = [
            both.update(pictures[t][: 2 if t < 2 else 1]),
            alone.update(pictures[t, 0]),
            forgetful.update(pictures[t, 0]),
        ]
        one, other, third = (found.prediction.maps[-1][0] for found in seen)
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)
        assert torch.allclose(third, other, atol=1e-5) is (t == 0)
