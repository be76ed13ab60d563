"""Peers and shipped networks are measured on the same faces and in the same boxes."""

from tests.benchmarks import bench_boxes as bench


def test_every_method_is_measured_in_boxes_that_are_off(open_lab, udacity):
    lab = open_lab(source="udacity", data=str(udacity))
    store, made = lab.source.data("stills"), bench.methods(lab)
    assert {"mean face in the box", "SDM", "plain heat-map CNN", "RED-Net, world"} <= set(made)
    rows = bench.measure(store, "mean face", made["mean face in the box"])
    assert list(rows["box off by (%)"]) == [0, 10, 20] and rows["NME (%)"].is_monotonic_increasing
    assert (rows["faces"] == len(store.rows("test"))).all() and (rows["95 % from"] < rows["NME (%)"]).all()
