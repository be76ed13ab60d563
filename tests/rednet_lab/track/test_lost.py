"""The benchmark of lost faces looks at faces and at places beside them; its log has what the tracker goes by."""

import inspect

import pandas as pd
import pytest

from data_prep.readers.face_world import FaceWorldStills
from rednet_lab.track import follow
from rednet_lab.track.exported import weights_hash
from rednet_lab.track.follow import one_look
from rednet_lab.workbench.shipped import open_weights
from tests.benchmarks import bench_lost as bench


def test_places_beside_a_face_slip_more_than_faces(monkeypatch):
    monkeypatch.setattr(bench, "PICTURES", 4)
    rows = bench.measure("world", FaceWorldStills(0, 1, 0, 5, size=160))
    assert (rows["state"] == "face").sum() == 4 and len(rows) > 8
    slips = rows.groupby("state")["slip"].median()
    assert slips["face"] < follow.LOST < slips["lost"]


@pytest.mark.parametrize("weights", bench.WEIGHTS)
def test_the_limits_of_the_heights_are_those_of_the_log_and_of_these_weights(weights):
    log = pd.read_csv(bench.LOG)
    wanted = bench.limits_of(log[log["weights"] == weights])
    assert follow.HEIGHTS[weights_hash(open_weights(weights))] == pytest.approx(wanted, abs=6e-4)


def test_what_is_said_of_a_look_is_what_the_log_has():
    log = pd.read_csv(bench.LOG)
    table = bench.told(log)
    both, slip = (table[table["way"] == way] for way in ("both", "slip"))
    assert (both["found"].to_numpy() >= slip["found"].to_numpy()).all() and not table["alarms"].any()
    looked, words = round((both["looks"] * both["faces"]).sum() / 100), follow.__doc__.replace("\n", " ")
    found, alone = (f"{one['found'].min():.1f} to {one['found'].max():.1f}" for one in (both, slip))
    assert f"one look finds {found} % of {both['lost'].sum():,} lost boxes, the slip alone {alone};" in words
    assert f"of {both['faces'].sum()} faces both call none lost, and {looked} need a look" in words


def test_a_search_takes_as_many_places_for_faces_as_its_limit_says_by_the_log():
    taken = (log := pd.read_csv(bench.LOG))["slip"] <= follow.FOUND
    counts = [f"{taken[log['state'] == one].sum():,} of the {sum(log['state'] == one):,}" for one in ("face", "lost")]
    source = inspect.getsource(follow)
    assert f"({counts[0]} faces, {counts[1]} lost boxes above)" in source


def test_a_look_goes_by_the_height_where_it_is_sure_and_else_by_the_slip():
    rows = pd.DataFrame({"height": [0.1, 0.5, 0.7, 0.7, 0.9], "slip": [0.0, 0.0, 0.4, 0.5, 2.0]})
    says, looked = one_look(rows["height"], rows["slip"], (0.5, 0.9))
    assert says.tolist() == [True, False, False, True, False] and looked.tolist() == [False, True, True, True, False]
    says, looked = one_look(rows["height"], rows["slip"], follow.DOUBTFUL)
    assert says.tolist() == [False, False, False, True, True] and looked.all()
