"""Synthetic clips: the motion is smooth and carries the points, the light is bounded, half see something pass."""

import numpy as np
import torch

from data_prep import synthetic
from rednet_core import augment, geometry
from rednet_core.markup import IBUG68
from tests.helpers import blob, centroid, face, make_data

CLIPS, T = 40, 10


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def resting_boxes(n=CLIPS, t=T):
    return torch.tensor([[48.0, 52.0, 60.0]]).expand(n * t, 3)


def paths(matrix, t=T):
    """Shift of the face's centre in box sides, scale, and turn in degrees of each frame: (clips, T, 4)."""
    centre = torch.tensor([[48.0, 52.0]])
    shift = (geometry.apply(matrix, centre.expand(len(matrix), 1, 2))[:, 0] - centre) / 60
    scale = torch.linalg.det(matrix[:, :, :2]).sqrt()
    turn = torch.rad2deg(torch.atan2(matrix[:, 1, 0], matrix[:, 0, 0]))
    return torch.cat([shift, scale[:, None] - 1, turn[:, None]], -1).unflatten(0, (-1, t))


def test_motion_stays_within_its_reach_and_uses_it():
    path = paths(synthetic.motion(resting_boxes(400), T, generator()))
    for values, reach in (
        (path[..., :2], synthetic.SHIFT),
        (path[..., 2], synthetic.SCALE),
        (path[..., 3], synthetic.TURN),
    ):
        assert values.abs().max() <= reach * (1 + 1e-4)
        assert values.abs().max() > 0.9 * reach
        assert values.mean().abs() < 0.1 * reach


def test_motion_is_smooth():
    path = paths(synthetic.motion(resting_boxes(), T, generator(1))) / torch.tensor(
        [synthetic.SHIFT] * 2 + [synthetic.SCALE, synthetic.TURN]
    )
    # Sines of at most 1.25 turns a clip: a frame's step is at most 2 pi 1.25 / 9, a step's change at most its square.
    most = 2 * np.pi * 1.25 / (T - 1)
    assert path.diff(dim=1).abs().max() <= most + 1e-4
    assert path.diff(n=2, dim=1).abs().max() <= most**2 + 1e-4
    assert path.diff(dim=1).abs().mean() > 0.05  # and it moves


def test_every_clip_moves_in_its_own_way_and_the_seed_decides():
    one, same, other = (synthetic.motion(resting_boxes(), T, generator(seed)) for seed in (1, 1, 2))
    assert torch.equal(one, same) and not torch.equal(one, other)
    first_frames = one.unflatten(0, (CLIPS, T))[:, 0].flatten(1)
    assert len({tuple(row.tolist()) for row in first_frames}) == CLIPS


def test_motion_is_a_similarity():
    matrix = synthetic.motion(resting_boxes(), T, generator(3))
    linear = matrix[:, :, :2]
    gram = linear @ linear.transpose(1, 2)
    scale = torch.linalg.det(linear)
    torch.testing.assert_close(gram, scale[:, None, None] * torch.eye(2).expand_as(gram))


def test_points_follow_the_pixels():
    points = torch.tensor(face((48, 52), 60), dtype=torch.float32).expand(3 * T, -1, -1)
    matrix = synthetic.motion(geometry.face_box(points, IBUG68), T, generator(4))
    moved = geometry.apply(matrix, points)
    for place in (36, 45, 8, 57):
        picture = np.repeat((255 * blob(100, points[0, place].numpy(), 3.0)).round().astype(np.uint8)[..., None], 3, -1)
        seen = augment.resample(torch.tensor(picture).expand(3 * T, -1, -1, -1), matrix, 100)
        for k in range(3 * T):
            if (moved[k, place] > 10).all() and (moved[k, place] < 89).all():
                np.testing.assert_allclose(centroid(seen[k, 0]), moved[k, place], atol=0.1)


def test_one_frame_is_a_clip_too():
    assert synthetic.motion(resting_boxes(3, 1), 1, generator()).isfinite().all()
    assert synthetic.light_and_occluder(torch.rand(3, 3, 16, 16), 1, generator()).isfinite().all()


# --------------------------------------------------------------------------------------- light and the occluder


def grey(n=400, t=T, size=24):
    return torch.full((n * t, 3, size, size), 0.5)


def test_light_drifts_within_its_bounds_and_smoothly():
    found = synthetic.light_and_occluder(grey(), T, generator()).unflatten(0, (400, T))
    light = found.flatten(3).median(-1).values  # most pixels are not behind the disc
    spread = (light.max(2).values - light.min(2).values).max()
    assert spread < 1e-6  # the same in all three channels
    drift = (light[:, :, 0] - 0.5) / synthetic.LIGHT
    assert drift.abs().max() <= 1 + 1e-4 and drift.abs().max() > 0.8
    assert drift.diff(dim=1).abs().max() <= 2 * np.pi * 1.25 / (T - 1) + 1e-4
    assert drift.std(1).mean() > 0.1


def test_light_stays_between_black_and_white():
    for value in (0.0, 1.0):
        found = synthetic.light_and_occluder(torch.full((40 * T, 3, 8, 8), value), T, generator())
        assert found.min() >= 0 and found.max() <= 1


def covered(size=24, n=400):
    """Which pixels something stands before: where a frame is not of one colour."""
    found = synthetic.light_and_occluder(grey(n, T, size), T, generator(1)).unflatten(0, (n, T))
    background = found.flatten(3).median(-1).values[..., None, None]
    return ((found - background).abs() > 1e-6).any(2)  # (clips, T, size, size)


def test_something_passes_in_about_half_of_the_clips():
    share = covered().any(-1).any(-1).any(-1).float().mean()
    assert 0.4 < share < 0.55


def test_what_passes_is_a_small_disc_that_moves_and_leaves():
    area = covered(48)
    of_clip = area[area.any(-1).any(-1).any(-1)].float()
    size = of_clip.mean((2, 3))
    assert size.max() <= np.pi * 0.22**2 + 0.02  # radius at most 0.22 of the picture
    assert size.max() > np.pi * 0.11**2
    seen_somewhere, seen_at_once = of_clip.amax(1).mean((1, 2)), size.amax(1)
    assert (seen_somewhere > 1.3 * seen_at_once).float().mean() > 0.8  # it moves
    assert (size[:, 0] < size.amax(1)).float().mean() > 0.8 and (size[:, -1] < size.amax(1)).float().mean() > 0.8


def test_what_passes_reaches_the_middle_of_the_picture_often_enough():
    """The face stands in the middle: an occluder that only grazes the border would occlude nothing."""
    area = covered(48)
    present = area.any(-1).any(-1).any(-1)
    inner = area[present][:, :, 12:36, 12:36].any(-1).any(-1).any(-1).float().mean()
    assert inner > 0.6


def test_the_same_seed_makes_the_same_pictures():
    pictures = torch.rand(5 * T, 3, 16, 16)
    one, same, other = (synthetic.light_and_occluder(pictures, T, generator(seed)) for seed in (1, 1, 2))
    assert torch.equal(one, same) and not torch.equal(one, other)


# ------------------------------------------------------------------------------------------------- synthetic videos


def test_made_videos_are_the_stills_in_motion():
    data = make_data([(3, [0]), (4, [0]), (-1, [5])], size=48)
    data.markup = IBUG68
    rows = np.array([2, 0])
    videos = synthetic.synthetic_videos(data, rows, frames_each=6, seed=1)
    assert videos.crops.shape == (12, 48, 48, 3) and videos.crops.dtype == np.uint8
    assert videos.table["video"].tolist() == [0] * 6 + [1] * 6
    assert videos.table["frame"].tolist() == list(range(6)) * 2
    assert videos.table["identity"].tolist() == [-1] * 6 + [3] * 6
    assert videos.table["mask"].all()
    for video, row in enumerate(rows):
        still = data.table["points"][row]
        for points in videos.table["points"][videos.table["video"] == video]:
            moved = np.linalg.lstsq(np.c_[still, np.ones(68)], points, rcond=None)
            assert moved[1].max() < 1e-3  # an affine image of the still's points, nothing else
            assert np.abs(points - still).max() < 0.3 * 48
    assert np.abs(np.diff(videos.table["points"][:6], axis=0)).max() > 0.1
    again = synthetic.synthetic_videos(data, rows, frames_each=6, seed=1)
    np.testing.assert_array_equal(videos.crops, again.crops)
    assert (data.table["video"] == [0, 1, 2]).all()  # the source is left as it was


def test_made_videos_pictures_follow_their_points():
    data = make_data([(0, [0])], size=64)
    data.markup = IBUG68
    dot = data.table["points"][0, 30]
    data.crops[0] = (255 * blob(64, dot, 2.5)).round().astype(np.uint8)[..., None]
    for seed in range(20):  # one in which nothing passes
        videos = synthetic.synthetic_videos(data, np.array([0]), frames_each=5, seed=seed)
        if len(np.unique(videos.crops[:, :6, :6])) <= 5:
            break
    for crop, points in zip(videos.crops, videos.table["points"], strict=True):
        light = crop[..., 0].astype(float) - np.median(crop[..., 0])
        np.testing.assert_allclose(centroid(np.maximum(light, 12) - 12), points[30], atol=0.25)
