"""The three stages: which parts each has, what it takes over from the one before, and that it can be repeated."""

import numpy as np
import pytest
import torch

from data_prep.synthetic import SyntheticClips
from rednet_core import stages
from rednet_core.augment import NONE, Augmentation
from rednet_core.batches import Clips, Stills
from rednet_core.markup import IBUG68
from rednet_core.training import TrainConfig
from tests.helpers import loop_box, make_data, tiny

TRAIN = TrainConfig(steps=2, seed=4)


@pytest.fixture(scope="module")
def data():
    return make_data([(k, range(5)) for k in range(4)] + [(-1, range(5))], size=40)


def weights(net):
    return {name: value.detach().clone() for name, value in net.state_dict().items()}


def assert_same(one, other):
    assert one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_stage_1_is_f_srn_on_stills_with_a_measured_mean_shape(data):
    rows = np.arange(3, 15)
    run = stages.stage1(tiny(), Stills(data, rows, 4, 4), TRAIN, how=Augmentation())
    assert run.net.f_cls is None and run.net.f_trn is None
    shapes = []
    for row in rows:
        x, y, side = loop_box(data.table["points"][row])
        shapes.append((data.table["points"][row] - [x, y]) / side)
    np.testing.assert_allclose(run.net.mean_shape, np.mean(shapes, 0), atol=1e-5)
    assert run.run()[:, 2].isnan().all()


def test_stage_2_adds_f_cls_for_the_persons_of_its_rows(data):
    first = stages.stage1(tiny(), Stills(data, np.arange(20), 4, 4), TRAIN, how=NONE)
    first.run()
    before = weights(first.net)
    second = stages.stage2(first.net, Stills(data, np.arange(5, 20), 4, 4), TRAIN, how=NONE)
    assert second.net.config.identities == 3 and second.net.f_trn is None
    for name, value in before.items():
        assert torch.equal(second.net.state_dict()[name], value), name
    assert second.run()[:, 2].isfinite().all()
    assert_same(weights(first.net), before)  # the first stage's network is left as it was


def test_stage_2_without_known_persons_is_refused(data):
    first = stages.stage1(tiny(), Stills(data, np.arange(20), 4, 4), TRAIN, how=NONE)
    with pytest.raises(ValueError, match="known persons"):
        stages.stage2(first.net, Stills(data, np.arange(20, 25), 4, 4), TRAIN, how=NONE)


@pytest.mark.parametrize("kind", [Clips, SyntheticClips])
@pytest.mark.parametrize("temporal", [False, True])
def test_stage_3_adds_f_trn_and_trains_on_clips(data, kind, temporal):
    first = stages.stage1(tiny(), Stills(data, np.arange(20), 4, 4), TRAIN, how=NONE)
    third = stages.stage3(first.net, kind(data, np.arange(20), 3, 3, 4), TRAIN, temporal=temporal, update="residual")
    assert (third.net.f_trn is not None) is temporal and third.net.config.identities == 4
    assert third.net.config.update == "residual"
    batch = third.draw(0)
    assert batch.frames == 3 and len(batch.crops) == 9
    same = all(torch.equal(batch.crops[3 * k], batch.crops[3 * k + 2]) for k in range(3))
    assert same is (kind is SyntheticClips)
    for name, value in first.net.state_dict().items():
        assert torch.equal(third.net.state_dict()[name], value), name
    assert third.run()[:, 3].isfinite().all()


def test_stages_are_the_same_whatever_random_numbers_were_drawn_before(data):
    results = []
    for noise in (1, 2):
        torch.manual_seed(noise)
        first = stages.stage1(tiny(), Stills(data, np.arange(20), 4, 4), TRAIN, how=Augmentation())
        first.run()
        torch.rand(noise)
        second = stages.stage2(first.net, Stills(data, np.arange(20), 4, 4), TRAIN, how=Augmentation())
        second.run()
        torch.rand(noise)
        third = stages.stage3(second.net, Clips(data, np.arange(20), 2, 3, 4), TRAIN)
        third.run()
        results.append(weights(third.net))
    assert_same(*results)


def test_every_stage_resumes(data, tmp_path):
    def run(folder, until):
        config, stills = TrainConfig(steps=4, checkpoint_seconds=0.0), Stills(data, np.arange(20), 4)
        first = stages.stage1(tiny(), stills, config, NONE, checkpoint_path=folder and folder / "1.pt")
        first.run(until)
        if until:
            return None
        second = stages.stage2(first.net, stills, config, NONE, checkpoint_path=folder and folder / "2.pt")
        second.run()
        clips, run = Clips(data, np.arange(20), 2, 3), {"checkpoint_path": folder and folder / "3.pt"}
        third = stages.stage3(second.net, clips, config, run=run)
        third.run()
        return weights(third.net)

    run(tmp_path, 2)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["1.pt"]
    assert_same(run(tmp_path, None), run(None, None))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["1.pt", "2.pt", "3.pt"]


def test_stage_3_does_not_lose_f_cls_without_a_word(data):
    """On 300-VW without persons the identity loss used to vanish (Eq. 14's gamma l_cls)."""
    first = stages.stage1(tiny(), Stills(data, np.arange(20), 4), TRAIN, NONE)
    second = stages.stage2(first.net, Stills(data, np.arange(20), 4), TRAIN, NONE)
    nobody = Clips(data, np.arange(20, 25), 1, 3)
    with pytest.raises(ValueError, match="nobody in these videos is named"):
        stages.stage3(second.net, nobody, TRAIN)
    told = stages.stage3(second.net, nobody, TRAIN, nameless=True)
    assert told.net.f_cls is None and told.net.f_trn is not None
    assert stages.stage3(first.net, nobody, TRAIN).net.f_cls is None  # there was none to lose


def test_faces_with_seven_of_68_points_train_beside_whole_ones(data):
    """AFLW's and LFW's seven points in a 68-point markup: the other 61, masked and NaN here, count nowhere."""
    half = make_data([(k, range(5)) for k in range(4)], size=40)
    lifted = np.arange(0, 20, 2)
    others = [i for i in range(68) if i not in IBUG68.seven]
    points, mask = half.table["points"], half.table["mask"]
    for row in lifted:
        points[row, others], mask[row, others] = np.nan, False
    run = stages.stage1(tiny(), Stills(half, np.arange(20), 8), TRAIN, how=Augmentation())
    assert run.net.mean_shape.isfinite().all()
    whole = stages.stage1(tiny(), Stills(half, np.arange(1, 20, 2), 8), TRAIN, how=Augmentation())
    torch.testing.assert_close(run.net.mean_shape[others], whole.net.mean_shape[others])
    assert run.run()[:, :2].isfinite().all() and all(p.isfinite().all() for p in run.net.parameters())
    clips = Clips(half, np.arange(20), 2, 3)
    assert stages.stage3(run.net, clips, TRAIN).run()[:, 3].isfinite().all()
