"""The benchmark of lost faces looks at faces and at places beside them, and tells which is which."""

from data_prep.readers.face_world import FaceWorldStills
from rednet_lab.track.follow import LOST
from tests.benchmarks import bench_lost as bench


def test_places_beside_a_face_slip_more_than_faces(monkeypatch):
    monkeypatch.setattr(bench, "PICTURES", 4)
    rows = bench.measure("world", FaceWorldStills(0, 1, 0, 5, size=160))
    assert (rows["state"] == "face").sum() == 4 and len(rows) > 8
    slips = rows.groupby("state")["slip"].median()
    assert slips["face"] < LOST < slips["lost"]
