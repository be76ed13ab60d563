"""Network inputs: crops by hand, first guesses, and who knows what of whom along a clip."""

from functools import partial

import cv2
import numpy as np
import pytest
import torch

from data_prep import synthetic
from data_prep.synthetic import SyntheticClips
from data_prep.tracker_error import TrackerError
from rednet_core import inputs
from rednet_core.augment import NONE, Augmentation
from rednet_core.batches import Batch, Clips, Stills
from tests.helpers import blob, centroid, loop_box, make_data, template, tiny_net


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def data():
    return make_data([(k, range(5)) for k in range(4)], size=64)


def plain_crop(picture, box, size):
    """A crop in NumPy and OpenCV: the box's square, scaled to size x size; and its matrix."""
    scale = size / box[2]
    matrix = np.array([[scale, 0, (size - 1) / 2 - scale * box[0]], [0, scale, (size - 1) / 2 - scale * box[1]]])
    crop = cv2.warpAffine(picture.astype(np.float64), matrix, (size, size), borderMode=cv2.BORDER_REPLICATE)
    return crop / 255, matrix


def discs(seven, size, radius):
    """z_0 by a loop: seven points in input pixels, drawn on the map of half the size."""
    rows, columns = np.mgrid[0:size, 0:size]
    points = [((x + 0.5) / 2 - 0.5, (y + 0.5) / 2 - 0.5) for x, y in seven]
    return np.stack([(columns - x) ** 2 + (rows - y) ** 2 <= radius**2 for x, y in points])


SEVEN = [36, 39, 42, 45, 30, 48, 54]


# -------------------------------------------------------------------------------------------------------- stills


def test_stills_without_augmentation_are_plain_crops_of_the_face_box(data):
    net, batch = tiny_net(), Stills(data, np.arange(20), batch=6).batch(0)
    found = inputs.still_inputs(batch, net, generator(), NONE)
    assert found.frames == 1 and torch.equal(found.mask, batch.mask) and torch.equal(found.identity, batch.identity)
    for n in range(6):
        points = batch.points[n].double().numpy()
        crop, matrix = plain_crop(batch.crops[n].numpy(), loop_box(points), 32)
        np.testing.assert_allclose(found.x[n].permute(1, 2, 0), crop, atol=0.03)
        np.testing.assert_allclose(found.points[n], points @ matrix[:, :2].T + matrix[:, 2], atol=1e-3)


def test_a_stills_first_guess_is_the_mean_face_whatever_the_augmentation(data):
    net, batch = tiny_net(), Stills(data, np.arange(20), batch=6).batch(0)
    found = inputs.still_inputs(batch, net, generator(), Augmentation(flip=1.0))
    expected = discs(template()[SEVEN] * 32 + 15.5, 16, 5 * 16 / 128)
    for n in range(6):
        np.testing.assert_array_equal(found.z0[n].numpy().astype(bool), expected)


def test_a_first_guess_can_be_nothing(data):
    net, batch = tiny_net(), Stills(data, np.arange(20), batch=6).batch(0)
    nothing = tiny_net(first_guess="zeros")
    assert (inputs.still_inputs(batch, nothing, generator(), NONE).z0 == 0).all()
    assert (inputs.still_inputs(batch, net, generator(), NONE).z0 != 0).any()
    assert nothing.first_guess(3).shape == net.first_guess(3).shape == (3, 7, 16, 16)
    assert torch.equal(net.first_guess(3, "zeros"), nothing.first_guess(3))


def test_an_unknown_first_guess_is_named(data):
    with pytest.raises(ValueError, match="first guess 'previous', known: mean, zeros"):
        tiny_net().first_guess(1, "previous")
    with pytest.raises(ValueError, match="first_guess 'previous', known: mean, zeros"):
        tiny_net(first_guess="previous")


def test_augmented_stills_keep_points_on_their_pixels(data):
    net = tiny_net(input_size=64)
    batch = Stills(data, np.arange(20), batch=8).batch(0)
    places = [48] * 4 + [37] * 4
    for n, place in enumerate(places):
        batch.crops[n] = torch.tensor((255 * blob(64, batch.points[n, place].numpy(), 2.0)).round().astype(np.uint8))[
            ..., None
        ]
    how = Augmentation(shift=0.05, flip=0.0)
    found = inputs.still_inputs(batch, net, generator(), how)
    for n, place in enumerate(places):
        np.testing.assert_allclose(centroid(found.x[n, 0]), found.points[n, place], atol=0.1)
    mirrored = inputs.still_inputs(batch, net, generator(), Augmentation(shift=0.05, flip=1.0))
    torch.testing.assert_close(mirrored.x, found.x.flip(-1))
    torch.testing.assert_close(mirrored.points[:4, 54, 0], 63 - found.points[:4, 48, 0])


def test_stills_are_turned_shifted_and_scaled_within_the_limits(data):
    net, batch = tiny_net(), Stills(data, np.arange(20), batch=400).batch(0)
    found = inputs.still_inputs(batch, net, generator(), Augmentation(scale=0.1, turn=15, shift=0.05, flip=0.0))
    eyes = batch.points[:, 45] - batch.points[:, 36], found.points[:, 45] - found.points[:, 36]
    angle = [torch.rad2deg(torch.atan2(e[:, 1], e[:, 0])) for e in eyes]
    turned = angle[1] - angle[0]
    assert turned.abs().max() <= 15.01 and turned.max() > 14 and turned.min() < -14
    boxes = torch.tensor(np.stack([loop_box(p) for p in found.points.double().numpy()]))
    scale = boxes[:, 2] / 32
    assert 0.899 < scale.min() < 0.91 and 1.09 < scale.max() < 1.101
    offset = (boxes[:, :2] - 15.5) / 32
    assert 0.045 < offset.abs().max() < 0.05 * 1.1 * 1.42


def test_light_is_part_of_the_augmentation(data):
    batch = Stills(data, np.arange(20), batch=6).batch(0)
    dark = inputs.still_inputs(batch, tiny_net(), generator(), Augmentation(brightness=0.5))
    plain = inputs.still_inputs(batch, tiny_net(), generator(), Augmentation())
    torch.testing.assert_close(dark.points, plain.points)
    assert (dark.x - plain.x).abs().mean() > 0.05


def test_the_seed_decides_and_no_other_random_numbers_are_used(data):
    net, batch = tiny_net(), Stills(data, np.arange(20), batch=6).batch(0)
    torch.manual_seed(1)
    one = inputs.still_inputs(batch, net, generator(1))
    torch.manual_seed(2)
    same, other = inputs.still_inputs(batch, net, generator(1)), inputs.still_inputs(batch, net, generator(2))
    assert torch.equal(one.x, same.x) and torch.equal(one.points, same.points)
    assert not torch.equal(one.x, other.x)


# --------------------------------------------------------------------------------------------------------- clips


def moving_clip(n=3, t=4, size=64):
    """A batch of clips in which the face moves visibly from frame to frame."""
    data = make_data([(k, range(t)) for k in range(n)], size=size)
    for row in range(n * t):
        data.table["points"][row] += 2.5 * (row % t)
    rows = np.arange(n * t)
    return Batch(
        torch.tensor(data.crops[rows]),
        torch.tensor(data.table["points"]),
        torch.tensor(data.table["mask"]),
        torch.tensor(data.table["identity"]).long(),
        t,
    )


def test_box_and_guess_of_a_frame_come_from_the_frame_before():
    net, batch, t = tiny_net(), moving_clip(), 4
    found = inputs.clip_inputs(batch, net, generator())
    assert found.frames == t and torch.equal(found.identity, batch.identity)
    mean = discs(template()[SEVEN] * 32 + 15.5, 16, 5 * 16 / 128)
    for row in range(3 * t):
        before = row if row % t == 0 else row - 1  # a first frame's box is given: its own
        points, points_before = batch.points[row].double().numpy(), batch.points[before].double().numpy()
        crop, matrix = plain_crop(batch.crops[row].numpy(), loop_box(points_before), 32)
        np.testing.assert_allclose(found.x[row].permute(1, 2, 0), crop, atol=0.03)
        np.testing.assert_allclose(found.points[row], points @ matrix[:, :2].T + matrix[:, 2], atol=1e-3)
        if row % t == 0:
            np.testing.assert_array_equal(found.z0[row].numpy().astype(bool), mean)
        else:
            # the frame before's points, seen in this frame's input
            seven = (points_before @ matrix[:, :2].T + matrix[:, 2])[SEVEN]
            differing = found.z0[row].numpy().astype(bool) != discs(seven, 16, 5 * 16 / 128)
            assert differing.sum() <= 1  # a pixel on the very edge may fall either way in float32
            assert not np.array_equal(discs(seven, 16, 0.6), discs(found.points[row, SEVEN].double().numpy(), 16, 0.6))


def test_a_clips_first_guess_can_be_nothing():
    found = inputs.clip_inputs(moving_clip(), tiny_net(first_guess="zeros"), generator())
    empty = [bool((z == 0).all()) for z in found.z0]
    assert empty == [True, False, False, False] * 3


def test_clips_of_a_batch_do_not_hand_guesses_to_each_other():
    batch = moving_clip()
    both = inputs.clip_inputs(batch, tiny_net(), generator())
    alone = Batch(batch.crops[4:8], batch.points[4:8], batch.mask[4:8], batch.identity[4:8], 4)
    one = inputs.clip_inputs(alone, tiny_net(), generator())
    for name in ("x", "z0", "points"):
        torch.testing.assert_close(getattr(both, name)[4:8], getattr(one, name))


@pytest.mark.parametrize("kind", ["jitter", "drift"])
def test_a_trackers_error_is_bounded_and_not_zero(kind):
    net, ratio, offset, how = tiny_net(), [], [], TrackerError(kind)
    batch = moving_clip(n=8)
    for seed in range(20):
        found = inputs.clip_inputs(batch, net, generator(seed), how=how)
        for row in range(0, len(batch.points), 4):  # first frames: the box should be their own
            seen = loop_box(found.points[row].double().numpy())
            ratio.append(seen[2] / 32)
            offset.append((seen[:2] - 15.5) / 32)
    ratio, offset = np.array(ratio), np.array(offset)
    # a box up to 4 % smaller shows the face up to 1 / 0.96 as large
    assert 0.9 * how.box_scale < abs(ratio - 1).max() <= how.box_scale / (1 - how.box_scale) + 1e-4
    # an offset of 4 % of the true side, seen in such a box
    assert 0.9 * how.box_shift < abs(offset).max() <= how.box_shift * (1 + 2 * how.box_scale) + 1e-4


def test_the_papers_clips_are_as_they_are_and_a_drift_is_smooth():
    """A motionless face: with no error it stands still; jitter throws it about, a drift carries it slowly."""
    data, net, steps = make_data([(k, range(10)) for k in range(4)], size=64, still=True), tiny_net(), {}
    data.table["points"] = np.repeat(data.table["points"][::10], 10, 0)  # nothing moves, not even a little
    batch = Clips(data, np.arange(40), 4, 10).batch(0)
    for kind in ("none", "jitter", "drift"):
        found = inputs.clip_inputs(batch, net, generator(3), how=TrackerError(kind))
        boxed = torch.stack([torch.tensor(loop_box(p.double().numpy())) for p in found.points]).unflatten(0, (4, 10))
        steps[kind] = float(boxed[..., :2].diff(dim=1).norm(dim=-1).mean())
        moved = found.z0.unflatten(0, (4, 10))[:, 1:].diff(dim=1).abs().sum()
        assert (moved == 0) == (kind == "none")
    assert steps["none"] < 1e-3 < 0.1 < steps["drift"] < 0.5 * steps["jitter"]
    default = inputs.clip_inputs(batch, net, generator(3))
    assert torch.equal(default.x, inputs.clip_inputs(batch, net, generator(3), how=TrackerError("none")).x)
    with pytest.raises(ValueError, match="kind 'wobble', known: none, jitter, drift"):
        TrackerError("wobble")


def test_what_is_not_annotated_counts_nowhere():
    """NaN where a point is masked: box, picture, guesses and the other points are those of the others alone."""
    batch, net = moving_clip(), tiny_net()
    batch.mask[1::2, [0, 5, 36, 54, 60]] = False
    spoilt = Batch(batch.crops, batch.points.clone(), batch.mask, batch.identity, batch.frames)
    spoilt.points[~batch.mask] = float("nan")
    for make in (inputs.still_inputs, inputs.clip_inputs, partial(inputs.clip_inputs, how=TrackerError("jitter"))):
        good, bad = make(batch, net, generator(5)), make(spoilt, net, generator(5))
        for name in ("x", "z0", "points", "mask"):
            assert torch.equal(getattr(good, name), getattr(bad, name)), name
        assert bad.points.isfinite().all() and bad.x.isfinite().all()


def test_real_clips_pictures_are_left_as_they_are():
    """No augmentation on clips (journal 5.1): the same pictures whatever the seed."""
    batch = moving_clip()
    one, other = (inputs.clip_inputs(batch, tiny_net(), generator(seed)) for seed in (1, 2))
    assert torch.equal(one.x, other.x)


def test_made_clips_move_and_keep_points_on_their_pixels(monkeypatch):
    data = make_data([(k, [0]) for k in range(4)], size=96)
    for row in range(4):
        dot = data.table["points"][row, 57]
        data.crops[row] = (255 * blob(96, dot, 2.5)).round().astype(np.uint8)[..., None]
    batch = SyntheticClips(data, np.arange(4), batch=3, frames=6).batch(0)
    monkeypatch.setattr(SyntheticClips, "light", None)
    net = tiny_net(input_size=64)
    found = inputs.clip_inputs(batch, net, generator(), kind=SyntheticClips)
    steps = found.points.unflatten(0, (3, 6)).diff(dim=1).norm(dim=-1)
    assert 0.2 < steps.mean() < 10
    for row in range(18):
        where = found.points[row, 57].numpy()
        if (where > 8).all() and (where < 55).all():
            np.testing.assert_allclose(centroid(found.x[row, 0]), where, atol=0.1)


def test_made_clips_have_light_and_occluders_and_real_ones_do_not(monkeypatch):
    batch = SyntheticClips(make_data([(k, [0]) for k in range(4)], size=64), np.arange(4), batch=4, frames=6).batch(0)
    still = inputs.clip_inputs(batch, tiny_net(), generator())
    frames_ = still.x.unflatten(0, (4, 6))
    assert torch.equal(frames_[:, 0], frames_[:, 5])  # one still over and over
    for name in ("SHIFT", "SCALE", "TURN"):  # without motion, what changes is the light
        monkeypatch.setattr(synthetic, name, 0.0)
    made = inputs.clip_inputs(batch, tiny_net(), generator(), kind=SyntheticClips)
    brightness = made.x.mean((1, 2, 3)).unflatten(0, (4, 6))
    assert brightness.std(1).min() > 0.005


def test_inputs_of_real_clips_end_to_end():
    data = make_data([(k, range(6)) for k in range(4)], size=64)
    batch = Clips(data, np.arange(24), batch=3, frames=4).batch(0)
    found = inputs.clip_inputs(batch, tiny_net(), generator())
    assert found.x.shape == (12, 3, 32, 32) and found.z0.shape == (12, 7, 16, 16)
    assert found.x.min() >= 0 and found.x.max() <= 1 and found.points.isfinite().all()


@pytest.mark.parametrize("kind", ["jitter", "drift"])
def test_a_clips_guess_is_off_as_a_trackers_would_be_together_and_point_by_point(kind):
    net, batch, how = tiny_net(), moving_clip(n=8, t=10), TrackerError(kind)
    found = inputs.clip_inputs(batch, net, generator(), how=how)
    later = [n for n in range(80) if n % 10]
    # where the discs of z_0 stand, against where the frame before's points stand in this frame's input
    box = loop_box(batch.points[0].numpy())[2]
    points = batch.points.clone()
    moved = how.guess(points, torch.tensor([[0, 0, box]]).expand(80, 3), 10, generator()) - points
    together = moved.mean(1).abs().max() / box
    alone = (moved - moved.mean(1, keepdim=True)).abs().max() / box
    assert 0.8 * how.guess_shift < together <= how.guess_shift + how.point_shift
    assert 0.8 * how.point_shift < alone <= 2.1 * how.point_shift
    assert all(0 < found.z0[n].sum() for n in later)
