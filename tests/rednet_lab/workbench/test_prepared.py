"""Prepared stores as a source: joined, in their parts, with what is missing said or stood in for."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from data_prep.errors import DataError
from data_prep.joined import Joined
from data_prep.landmark_subset import LandmarkSubset
from data_prep.markups import AFLW21, LFW10
from data_prep.sixty_eight import SixtyEightPoints
from rednet_core import stages
from rednet_core.batches import Stills
from rednet_core.markup import IBUG68, SEVEN
from rednet_lab.workbench.prepared import PreparedSource
from tests.data_prep.makers_stores import Drawn, put, stills, videos
from tests.rednet_lab.conftest import TINY


@pytest.fixture
def whole(tmp_path):
    put(tmp_path, "stills", stills())
    put(tmp_path, "people", stills("known", persons=True))
    put(tmp_path, "videos", videos(), size=64, margin=None)
    return tmp_path


def test_each_part_is_its_store(whole):
    source = PreparedSource(TINY, str(whole), 0)
    assert (len(source.stills().rows), len(source.test_stills().rows)) == (12, 4)
    people = source.people()
    assert len(people.rows) + len(people.held_back) == 12 and len(people.held_back) == 3
    clips = source.clips()
    assert len(clips.rows) == 12 and not clips.synthetic and clips.data.size == 64
    assert source.what == "prepared stores (stills: drawn; people: known; videos: filmed)" and source.markup == "ibug68"


def test_videos_are_in_their_own_groups(whole):
    found = PreparedSource(TINY, str(whole), 0).test_videos()
    assert list(found.groups) == ["common", "challenging"]
    for group, rows in found.groups.items():
        assert list(found.data.table["frame"][rows]) == [0, 1, 2, 3]
        assert {found.data.groups[i] for i in found.data.table["group"][rows]} == {group}


def test_videos_without_groups_are_grouped_by_their_median_yaw(tmp_path):
    put(tmp_path, "stills", stills())
    put(tmp_path, "videos", videos(groups=("", ""), yaws=(50.0, np.nan)), margin=None)
    found = PreparedSource(TINY, str(tmp_path), 0).test_videos()
    assert {name: len(rows) for name, rows in found.groups.items()} == {"common": 4, "challenging": 4}
    yaw = {name: found.data.table["yaw"][rows] for name, rows in found.groups.items()}
    assert (yaw["challenging"] == 50).all()
    assert (np.abs(yaw["common"]) < 10).all()  # estimated: the drawn face looks straight ahead


def test_several_stores_of_a_part_are_joined(tmp_path):
    first = put(tmp_path, "stills/a", stills("a", persons=True))
    second = put(tmp_path, "stills/b", stills("b", persons=True))
    joined = Joined(tmp_path / "stills")
    assert len(joined) == 32 and joined.crops.shape == (32, 48, 48, 3) and len(joined.rows("test")) == 8
    for index in (0, 15, 16, 31, -1):
        store, place = (first, index) if 0 <= index < 16 else (second, index % 32 - 16)
        assert np.array_equal(joined.crops[index], store.crops[place])
    rows = np.array([31, 2, 17, 2])
    assert np.array_equal(joined.crops[rows], np.stack([joined.crops[i] for i in rows]))
    assert np.array_equal(joined.crops[14:18], np.concatenate([first.crops[14:], second.crops[:2]]))
    assert [joined.identities[i] for i in joined.table["identity"][[0, 16]]] == ["a train 0", "b train 0"]
    assert joined.fingerprint not in (first.fingerprint, second.fingerprint) and joined.meta["margin"] == 1.5
    joined.verify()


def test_a_person_of_two_stores_is_one_and_a_video_is_not(tmp_path):
    put(tmp_path, "videos/a", videos(), margin=None)
    put(tmp_path, "videos/b", videos(groups=("", "challenging")), margin=None)
    joined = Joined(tmp_path / "videos")
    assert len(joined.identities) == 5 and len(joined.videos) == 10 and "b/train 0" in joined.videos
    table = joined.table
    assert table["identity"][0] == table["identity"][20] and table["video"][0] != table["video"][20]
    assert table["group"][0] == joined.groups.index("common") and table["group"][20] == -1


def test_without_people_the_stills_persons_are_taken_and_without_videos_clips_are_made(tmp_path):
    put(tmp_path, "stills", stills(persons=True))
    source = PreparedSource(TINY, str(tmp_path), 0)
    assert len(source.people().held_back) == 3 and source.people().data is source.stills().data
    assert source.clips().synthetic and len(source.clips().rows) == 12
    found = source.test_videos()
    assert "of real stills" in found.what and sum(map(len, found.groups.values())) == 4 * TINY.videos[3]


def test_without_videos_clips_are_made_of_known_persons_where_there_is_a_store_of_them(tmp_path):
    put(tmp_path, "stills", stills())
    put(tmp_path, "people", stills("known", persons=True))
    source = PreparedSource(TINY, str(tmp_path), 0)
    clips, people = source.clips(), source.people()
    assert clips.synthetic and clips.data is people.data and clips.rows.tolist() == people.rows.tolist()
    assert (clips.data.table["identity"][clips.rows] >= 0).all()  # stage 3 keeps the identity loss


def test_yaw_is_estimated_where_it_is_not_told_and_of_videos_for_test_frames_only(tmp_path):
    put(tmp_path, "stills/told", stills(yaw=70.0))
    put(tmp_path, "stills/not", stills())
    put(tmp_path, "videos", videos(yaws=(np.nan, np.nan)), margin=None)
    yaw = Joined(tmp_path / "stills").table["yaw"]
    assert (yaw[16:] == 70).all() and (np.abs(yaw[:16]) < 10).all()
    filmed = Joined(tmp_path / "videos", videos=True)
    assert np.isnan(filmed.table["yaw"][filmed.rows("train")]).all()
    assert np.isfinite(filmed.table["yaw"][filmed.rows("test")]).all()


def test_without_people_and_persons_stage_2_is_refused_with_the_remedy(tmp_path):
    put(tmp_path, "stills", stills())
    with pytest.raises(DataError, match="of 0 persons known by name.*FOLDER/people"):
        PreparedSource(TINY, str(tmp_path), 0).people()


def test_what_does_not_fit_is_refused_with_the_remedy(tmp_path):
    with pytest.raises(ValueError, match="data: name the folder"):
        PreparedSource(TINY, "", 0)
    with pytest.raises(DataError, match="no folder stills.*FOLDER/stills"):
        PreparedSource(TINY, str(tmp_path), 0)
    (tmp_path / "stills").mkdir()
    with pytest.raises(DataError, match="no prepared store"):
        PreparedSource(TINY, str(tmp_path), 0)
    put(tmp_path, "stills/a", stills("a"))
    put(tmp_path, "stills/b", LandmarkSubset(stills("b")))
    with pytest.raises(DataError, match="different kinds .*a: ibug68, 48 px, b: seven.*--seven"):
        PreparedSource(TINY, str(tmp_path), 0)


def test_parts_of_other_markups_and_cut_videos_are_refused(tmp_path):
    put(tmp_path, "stills", stills())
    put(tmp_path, "videos", videos())
    with pytest.raises(DataError, match="--whole-frames"):
        PreparedSource(TINY, str(tmp_path), 0)
    put(tmp_path, "people", LandmarkSubset(stills("k", persons=True)))
    with pytest.raises(DataError, match="markup seven, but the stills have ibug68"):
        PreparedSource(TINY, str(tmp_path), 0)
    lacking = stills()
    lacking.markup = LFW10
    put(tmp_path / "other", "stills", lacking)
    with pytest.raises(DataError, match="lfw10 lacks one of the seven.*--seven"):
        PreparedSource(TINY, str(tmp_path / "other"), 0)


def test_missing_splits_are_named(tmp_path):
    put(tmp_path, "stills", Drawn([{"split": "train"}] * 3))
    with pytest.raises(DataError, match="no test still"):
        PreparedSource(TINY, str(tmp_path), 0).test_stills()


def test_stored_faces_are_items(whole):
    source = PreparedSource(TINY, str(whole), 0)
    reader, data = source.stills_reader(), source.stills().data
    item = reader[3]
    assert len(reader) == len(data) and np.array_equal(item.image, data.crops[3]) and item.split == "train"
    assert np.array_equal(item.points, data.table["points"][3]) and item.key == "drawn 3"
    with pytest.raises(IndexError):
        reader[len(reader)]


@pytest.mark.parametrize("markup", [IBUG68, AFLW21, SEVEN], ids=lambda m: m.name)
def test_the_network_has_the_points_of_the_data(open_lab, tmp_path, markup):
    for part, reader, margin in (("stills", stills(persons=True), 1.5), ("videos", videos(frames=3), None)):
        reader.markup = markup
        put(tmp_path, part, reader, margin=margin)
    lab = open_lab(source="prepared", data=str(tmp_path))
    assert lab.run == "tiny-prepared" and "prepared stores" in lab.caption
    net = lab.stage3.net
    assert net.markup is markup and net.f_cls is not None and lab.profile.net.markup == markup.name


def test_stills_are_tested_in_sets_by_group_or_data_set_and_aflws_judge(tmp_path):
    put(tmp_path, "stills/helen", stills("helen", group="300-W common"))
    put(tmp_path, "stills/wflw", stills("wflw"))
    source = PreparedSource(TINY, str(tmp_path), 0)
    assert {name: len(role.rows) for name, role in source.test_sets().items()} == {"300-W common": 4, "wflw": 4}
    assert len(source.test_stills().rows) == 8
    put(tmp_path, "stills/aflw", stills("aflw"))
    source = PreparedSource(TINY, str(tmp_path), 0)
    rows = source.test_stills().rows
    assert rows.tolist() == source.test_sets()["aflw"].rows.tolist() and len(rows) == 4


def test_a_video_without_a_group_does_not_fall_into_another_data_sets(tmp_path):
    put(tmp_path, "stills", stills())
    put(tmp_path, "videos/300vw", videos(), margin=None)
    put(tmp_path, "videos/tf", Drawn(videos(groups=("", "")).facts, "talking_face"), margin=None)
    found = PreparedSource(TINY, str(tmp_path), 0).test_videos()
    assert {name: len(rows) for name, rows in found.groups.items()} == {
        "common": 4,
        "challenging": 4,
        "talking_face": 8,
    }


def test_stage_1_learns_from_annotated_points_only_on_a_mixed_store(tmp_path):
    """Faces with 7 and with 68 points in one batch: the loss is finite, and what is masked changes nothing."""
    put(tmp_path, "stills/helen", stills("helen"))
    put(tmp_path, "stills/aflw", SixtyEightPoints(LandmarkSubset(stills("aflw"))))
    role = PreparedSource(TINY, str(tmp_path), 0).stills()
    assert role.data.markup is IBUG68 and sorted(set(role.data.table["mask"].sum(1))) == [7, 68]
    histories, weights = [], []
    for moved in (0.0, 30.0):
        role.data.table["points"][~role.data.table["mask"]] += moved
        plan = TINY.stage1.config(len(role.rows), 0)
        config = replace(TINY.net, markup="ibug68")
        run = stages.stage1(config, Stills(role.data, role.rows, 8), replace(plan, steps=3), TINY.augmentation)
        histories.append(run.run()[:, :3].nan_to_num(-1))
        weights.append(torch.cat([p.detach().ravel() for p in run.net.parameters()]))
        assert torch.isfinite(histories[-1]).all() and torch.isfinite(weights[-1]).all()
    assert torch.equal(histories[0], histories[1]) and torch.equal(weights[0], weights[1])
