"""Steps are measured on a tiny network; two processes are `test_team`'s."""

import json
import re

from rednet_lab.workbench.gpu_check import PROFILES
from tests.benchmarks import bench_batches, bench_training


def test_a_step_of_each_stage_is_measured(capsys):
    for stage in range(3):
        bench_training.main(["one", "--profile", "smoke", "--only", "eccv", "--stage", str(stage), "--count", "2"])
        found = json.loads(capsys.readouterr().out)
        assert found["seconds"] > 0 and found["peak"] >= found["before"] > 10


def test_a_batch_in_parts_is_timed_in_turns(capsys):
    bench_training.main(["parts", "--profile", "smoke", "--turns", "1"])
    said = capsys.readouterr().out
    ratios = re.findall(r"(\d) part\(s\) +\d+\.\d\d s a step \((\d+\.\d\d)\)", said)
    assert [parts for parts, _ in ratios] == list("124") * 3 and {ratio for parts, ratio in ratios if parts == "1"} == {
        "1.00"
    }


def test_the_stages_of_the_resnet_design_are_at_hand():
    found = bench_training.stages(PROFILES["smoke"], "resnet", 1)
    assert [one.stage for one in found] == ["stills", "people", "clips"] and found[2].config.design == "resnet"


def test_choosing_rows_is_told_by_pictures(capsys):
    bench_batches.choosing((240, 480))
    assert re.findall(r"^ +(\d+) +\d+\.\d +\d+\.\d$", capsys.readouterr().out, re.M) == ["240", "480"]
