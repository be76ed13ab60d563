"""The compared methods: they learn, they track by RED-Net's rules, and what is kept gives the same numbers."""

import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from data_prep.prepare import prepare
from data_prep.readers.face_world import FaceWorldStills
from data_prep.store import Store
from data_prep.synthetic import synthetic_videos
from rednet_core import geometry, metrics
from rednet_core.markup import IBUG68
from rednet_core.tracking import Tracker
from rednet_lab.evaluation import predict_mean_shape, predict_stills, predict_videos
from rednet_lab.experiments import baselines
from rednet_lab.experiments.baselines import (
    INSTALL,
    METHODS,
    SDM,
    FirstBox,
    SdmConfig,
    Trees,
    TreesConfig,
    fitted,
    have_dlib,
)
from rednet_lab.experiments.baselines.cfan import CFAN
from rednet_lab.experiments.baselines.esr import ESR, EsrConfig
from rednet_lab.experiments.baselines.neural import DCNC, TCDCN, NeuralConfig
from rednet_lab.experiments.baselines.sdm import aligned, orientation_maps

SMALL = SdmConfig(kept=8, variations=4)
FEW = TreesConfig(cascade_depth=4, num_trees_per_cascade_level=20, oversampling_amount=4, variations=1)
BRIEF = {
    "esr": (ESR, EsrConfig(stages=8, ferns=60, variations=20)),
    "dcnc": (DCNC, NeuralConfig(steps=40, batch=8)),
    "cfan": (CFAN, NeuralConfig(steps=60, hidden=(128, 64))),
    "tcdcn": (TCDCN, NeuralConfig(steps=150)),
}
needs_dlib = pytest.mark.skipif(not have_dlib(), reason=f"no dlib here: {INSTALL}")


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A store of 120 rendered faces to train on and 30 to test on."""
    folder = tmp_path_factory.mktemp("world") / "store"
    prepare(FaceWorldStills(0, 120, 1, 30, size=64), folder, 48, workers=1)
    return Store(folder)


@pytest.fixture(scope="module")
def sdm(world):
    return SDM(IBUG68, 48, SMALL).fit(world, world.rows("train"))


@pytest.fixture(scope="module")
def first_box(world):
    return FirstBox(IBUG68, 48).fit(world, world.rows("train"))


@pytest.fixture(scope="module")
def trees(world):
    return Trees(IBUG68, 48, FEW).fit(world, world.rows("train"))


@pytest.fixture(scope="module", params=BRIEF)
def published(request, world):
    """One of Table 9's other methods, trained for seconds."""
    kind, choices = BRIEF[request.param]
    return kind(IBUG68, 48, choices).fit(world, world.rows("train"))


@pytest.fixture(scope="module")
def videos(world):
    return synthetic_videos(world, world.rows("test")[:8], 10, seed=2)


def error(result):
    return metrics.nme(result.points, result.truth, IBUG68, result.mask, "floored")  # a profile's corners nearly meet


def beats(method, other, data, rows, predict):
    """Mean difference of two methods' errors on the same items, over its standard error."""
    gain = error(predict(other, data, rows)) - error(predict(method, data, rows))
    return gain.mean() / (gain.std() / len(gain) ** 0.5)


# ---------------------------------------------------------------------------------------------------- SDM


def test_sdm_beats_the_mean_shape_and_each_step_helps_at_first(world, sdm, first_box):
    rows = world.rows("test")
    assert beats(sdm, first_box, world, rows, predict_stills) > 4
    found = predict_stills(sdm, world, rows)
    steps = [metrics.nme(points, found.truth, IBUG68, found.mask).mean() for points in found.steps]
    assert len(steps) == len(SMALL.cells) and steps[1] < steps[0]
    assert set(sdm.ridges) <= set(SMALL.ridges) and len(sdm.ridges) == len(steps)


def test_sdm_learns_the_picture_and_not_the_box(world, sdm):
    rows = world.rows("test")[:12]
    x = torch.from_numpy(np.array(world.crops[rows])).permute(0, 3, 1, 2) / 255
    start = sdm.first_guess(len(x))
    found, of_others = sdm(x, start).shapes[-1], sdm(x.roll(1, 0), start).shapes[-1]
    torch.testing.assert_close(found.roll(1, 0), of_others)  # alone and in company, the same
    torch.testing.assert_close(sdm(x[3:4], start[3:4]).shapes[-1], found[3:4], atol=1e-3, rtol=0)
    assert (found - of_others).abs().mean() > 0.3


def test_the_same_seed_is_the_same_method(world, sdm):
    rows = world.rows("train")
    again, other = (SDM(IBUG68, 48, SMALL).fit(world, rows, seed) for seed in (0, 1))
    torch.testing.assert_close(again.regressors, sdm.regressors, atol=0, rtol=0)
    assert (other.regressors - sdm.regressors).abs().max() > 1e-3


def test_least_squares_is_what_the_first_regressor_solves(world):
    only = replace(SMALL, cells=SMALL.cells[:1], ridges=(0.01,), held_out=0.01)
    method = SDM(IBUG68, 48, only).fit(world, world.rows("train"))
    order = np.random.default_rng(0).permutation(len(world.rows("train")))[1:]
    batches = method._starts(world, world.rows("train")[order], 0)
    phi = torch.cat(
        [method._phi(orientation_maps(pictures.float() / 255), shape, 0) for pictures, shape, _ in batches]
    ).double()
    way = torch.cat([(truth - shape).flatten(1) / 48 for _, shape, truth in batches]).double()
    level = 0.01 * phi.square().sum(0).mean()
    wanted = torch.linalg.lstsq(
        torch.cat([phi, level.sqrt() * torch.eye(phi.shape[1])]), torch.cat([way, torch.zeros(phi.shape[1], 136)])
    ).solution
    torch.testing.assert_close(method.regressors[0].double(), wanted, atol=1e-4, rtol=1e-3)


def test_aligned_undoes_a_similarity_and_is_the_nearest():
    generator = torch.Generator().manual_seed(0)
    shape = torch.randn(4, 9, 2, generator=generator)
    angle, scale = torch.tensor([0.0, 0.5, -2.0, 3.0]), torch.tensor([1.0, 0.2, 3.0, 1.5])
    turn = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()], -1).view(4, 2, 2) * scale.view(4, 1, 1)
    points = shape @ turn.mT + torch.randn(4, 1, 2, generator=generator)
    torch.testing.assert_close(aligned(shape, points), points, atol=1e-5, rtol=1e-5)
    target = points + 0.1 * torch.randn(points.shape, generator=generator)
    best = (aligned(shape, target) - target).square().sum()
    assert best <= (points - target).square().sum()


def test_what_a_frame_inherits_is_the_pose_or_the_shape(sdm):
    smile = sdm.first_guess(2) * 0.7 + 5
    smile[:, 48:55, 1] -= 4
    start = sdm.draw_z0(smile)
    torch.testing.assert_close(start, aligned(sdm.first_guess(2), smile))
    assert (start - smile).abs().max() > 1  # the smile is not inherited
    assert SDM(IBUG68, 48, replace(SMALL, carry="shape")).draw_z0(smile) is smile


def test_a_pose_or_shape_and_nothing_else_is_carried():
    with pytest.raises(ValueError, match="carry 'box', known: pose, shape"):
        SdmConfig(carry="box")


# ------------------------------------------------------------------------------------- Table 9's other methods


def test_a_published_method_beats_the_mean_shape_and_is_kept_whole(published, world, first_box, videos, tmp_path):
    rows = world.rows("test")
    assert beats(published, first_box, world, rows, predict_stills) > 2
    found = predict_stills(published, world, rows)
    assert np.isfinite(found.points).all() and len(found.steps) == len(published.config.steps)
    tracked = predict_videos(published, videos, np.arange(10))  # by the protocol of all
    assert tracked.points.shape == (10, 68, 2) and np.isfinite(tracked.points).all()
    published.save(tmp_path)
    loaded = type(published)(IBUG68, 48, published.choices).load(tmp_path)
    np.testing.assert_array_equal(predict_stills(loaded, world, rows).points, found.points)


def test_a_published_method_is_the_same_for_a_seed(world):
    rows, few = world.rows("train")[:24], NeuralConfig(steps=3, batch=8, variations=1, hidden=(8,))
    settings = {ESR: EsrConfig(stages=2, ferns=4, pixels=20, variations=2), DCNC: few, CFAN: few, TCDCN: few}
    for kind, choices in settings.items():
        one, same, other = (
            predict_stills(kind(IBUG68, 48, choices).fit(world, rows, seed), world, rows).points for seed in (0, 0, 1)
        )
        np.testing.assert_array_equal(one, same, err_msg=kind.__name__)
        assert np.abs(one - other).max() > 0, kind.__name__


# ------------------------------------------------------------------------------------------------ tracking


def test_the_tracker_walks_a_video_with_it(sdm, first_box, videos):
    every = np.arange(len(videos.table))
    found = predict_videos(sdm, videos, every)
    assert found.points.shape == (80, 68, 2) and np.isfinite(found.points).all()
    assert beats(sdm, first_box, videos, every, predict_videos) > 4
    tracker = Tracker(sdm)
    tracker.start(geometry.face_box(np.array(videos.table["points"][30]), IBUG68))
    by_hand = [tracker.update(videos.crops[row]) for row in range(30, 40)]
    np.testing.assert_allclose(np.concatenate([seen.points for seen in by_hand]), found.points[30:40], atol=1e-2)
    for before, seen in zip(by_hand, by_hand[1:], strict=False):  # the box comes from the landmarks before
        np.testing.assert_allclose(seen.box, geometry.face_box(before.points, IBUG68), rtol=1e-5)
    assert np.isnan(by_hand[0].confidence).all()  # it does not say how sure it is


def test_the_first_box_stays_where_it_was(first_box, videos):
    points = predict_videos(first_box, videos, np.arange(10)).points
    np.testing.assert_allclose(points, np.repeat(points[:1], 10, 0), atol=1e-2)
    box = geometry.face_box(np.array(videos.table["points"][:1]), IBUG68)
    np.testing.assert_allclose(geometry.face_box(points[:1], IBUG68), box, rtol=1e-4)


def test_the_first_box_is_the_mean_shape_on_stills(world, first_box):
    rows = world.rows("test")
    result = predict_mean_shape(first_box.mean_shape.numpy(), world, rows, IBUG68)
    np.testing.assert_allclose(predict_stills(first_box, world, rows).points, result.points, atol=1e-3)


# -------------------------------------------------------------------------------------- training and keeping


@pytest.mark.parametrize("name", ["sdm", "first_box", pytest.param("trees", marks=needs_dlib)])
def test_kept_and_loaded_it_gives_the_same_points(name, world, tmp_path, request):
    method = request.getfixturevalue(name)
    method.save(tmp_path)
    loaded = type(method)(IBUG68, 48, *([method.choices] if method.choices else [])).load(tmp_path)
    rows = world.rows("test")
    before, after = predict_stills(method, world, rows), predict_stills(loaded, world, rows)
    np.testing.assert_array_equal(before.points, after.points)
    for file in tmp_path.glob("*.npz"):
        np.load(file, allow_pickle=False)


def test_progress_reaches_its_end(world):
    told = []
    SDM(IBUG68, 48, SMALL).fit(world, world.rows("train")[:20], 0, lambda done, total: told.append((done, total)))
    assert told[-1][0] == told[-1][1] and [done for done, _ in told] == sorted(done for done, _ in told)


class Part:
    """Data whose faces beyond the first few have a point that nobody annotated."""

    def __init__(self, store, whole):
        self.crops, self.markup, self.table = store.crops, store.markup, np.array(store.table)
        self.table["mask"][whole:, 3], self.table["points"][whole:, 3] = False, np.nan


def test_faces_with_points_missing_are_left_out_and_too_few_are_refused(world):
    rows = np.arange(30)
    part = Part(world, 20)
    found = SDM(IBUG68, 48, SMALL).fit(part, rows)
    torch.testing.assert_close(found.regressors, SDM(IBUG68, 48, SMALL).fit(world, rows[:20]).regressors)
    for kind in (SDM, FirstBox):
        with pytest.raises(ValueError, match=f"{kind.__name__}: 3 of 30 stills have all 68 points .*--seven"):
            kind(IBUG68, 48).fit(Part(world, 3), rows)


def test_a_shape_cannot_start_from_zeros(sdm):
    with pytest.raises(ValueError, match="first guess 'zeros'.* 'mean'"):
        sdm.first_guess(1, "zeros")


def test_a_run_trains_a_method_once_for_each_seed(open_lab, monkeypatch):
    lab, small = open_lab(), SdmConfig(kept=2, variations=1, cells=(0.09, 0.06))
    trained = []
    fit = SDM.fit
    monkeypatch.setattr(SDM, "fit", lambda self, *rest: trained.append(rest[2]) or fit(self, *rest))
    one, same = (fitted(lab, "SDM", choices=small) for _ in range(2))
    other = fitted(open_lab(), "SDM", seed=7, choices=small)
    assert trained == [0, 7] and one.seconds == same.seconds > 0
    torch.testing.assert_close(one.method.regressors, same.method.regressors, atol=0, rtol=0)
    assert (one.method.regressors != other.method.regressors).any()
    with pytest.raises(ValueError, match="method 'sdm', known: first box, ESR, SDM, regression trees, "):
        fitted(lab, "sdm")


# ------------------------------------------------------------------------------------------------ dlib's trees


@needs_dlib
def test_trees_beat_the_mean_shape_on_stills_and_in_videos(world, trees, first_box, videos):
    assert beats(trees, first_box, world, world.rows("test"), predict_stills) > 3
    assert beats(trees, first_box, videos, np.arange(len(videos.table)), predict_videos) > 3


@needs_dlib
def test_the_same_seed_is_the_same_trees(world, trees):
    rows = world.rows("test")
    again = Trees(IBUG68, 48, FEW).fit(world, world.rows("train"))
    np.testing.assert_array_equal(predict_stills(again, world, rows).points, predict_stills(trees, world, rows).points)


def test_without_dlib_the_install_line_is_told(world, monkeypatch, open_lab):
    monkeypatch.setitem(sys.modules, "dlib", None)
    assert not baselines.have_dlib()
    with pytest.raises(ImportError, match=INSTALL):
        Trees(IBUG68, 48).fit(world, world.rows("train"))
    with pytest.raises(ImportError, match=INSTALL):
        fitted(open_lab(), "regression trees")


def test_every_method_is_known_by_a_name():
    assert set(METHODS.values()) == {FirstBox, SDM, Trees, *(kind for kind, _ in BRIEF.values())}
