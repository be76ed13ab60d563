"""Errors of clips are compared by the rule that was written before the runs."""

import numpy as np
import pandas as pd

from tests.benchmarks import bench_clip_errors as bench


def log(none, jitter, drift):
    rows = [
        {"seed": seed, "video": video, "error": kind, "NME": value + noise}
        for kind, value in {"none": none, "jitter": jitter, "drift": drift}.items()
        for seed in (0, 1)
        for video, noise in enumerate(np.linspace(0, 5, 24))
    ]
    return pd.DataFrame(rows)


def test_the_rule_changes_the_error_only_where_the_interval_says_so():
    assert bench.verdict(log(5.0, 6.0, 7.0), "jitter").endswith("none takes the place of jitter")
    assert bench.verdict(log(6.0, 5.0, 7.0), "jitter").endswith("jitter is the best and stays")
    close = log(5.0, 5.01, 7.0)
    close.loc[close["error"] == "none", "NME"] += np.random.default_rng(0).normal(0, 1, 48)
    assert bench.verdict(close, "jitter").endswith("stays")


def test_a_kind_is_measured_video_by_video(monkeypatch, tmp_path):
    monkeypatch.setattr(bench, "VIDEOS", 2)
    monkeypatch.setattr(bench, "FRAMES", 3)
    rows = bench.measure("smoke", 0, "none", str(tmp_path))
    assert list(rows["group"]) == ["challenging", "common"] and rows["NME"].between(0, bench.CLIP).all()
    assert set(rows["error"]) == {"none"} and set(rows["seed"]) == {0}
