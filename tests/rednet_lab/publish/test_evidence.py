"""Publishing a run: what is copied, what is refused, and executed snapshots; everything in folders made here."""

import base64
import io
import json

import nbformat
import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output
from PIL import Image

from rednet_lab.names import EVIDENCE, ROOT
from rednet_lab.publish import evidence
from rednet_lab.publish.__main__ import main
from rednet_lab.publish.evidence import PublishError, publish

MARKERS = "".join(f"<!-- made: {name} -->\n<!-- end: {name} -->\n" for name in ("picture", "series", "claims"))
NAME = "72_recurrent_steps"


@pytest.fixture
def checkout(tmp_path):
    """A checkout with a README that has the markers, and no evidence yet."""
    (tmp_path / "README.md").write_text(MARKERS, encoding="utf-8")
    return tmp_path


def make_run(checkout, run="quick", seeds=(0, 1, 2), profile="quick", source="face_world", picture=b"png"):
    """Write a run of one notebook under figures/runs: a figure, a table, an interval, an executed notebook."""
    folder = checkout / "figures" / "runs" / run / NAME
    folder.mkdir(parents=True, exist_ok=True)
    stamp = {"profile": profile, "source": source, "seed": 0, "device": "cpu", "torch": "2", "code": "ab"}
    stamp["machine"] = {"cpus": 2}
    listed = {"figures": [{"file": "bars.png"}], "tables": [{"file": "t.csv"}], "numbers": {}}
    (folder / "results.json").write_text(json.dumps({"stamp": stamp, **listed}), encoding="utf-8")
    (folder / "bars.png").write_bytes(picture)
    (folder / "t.csv").write_text("a\n1\n", encoding="utf-8")
    (folder / "scratch.npy").write_bytes(b"not listed")
    ours = {"without": 7.1, "with": 6.6, "effect": -0.5, "low": -0.7, "high": -0.3, "unit": "%"}
    part = {"claim": "C2", "part": "error", "paper": None, "ours": ours, "wanted": "lower"}
    part |= {"seeds": list(seeds), "source": source, "profile": profile, "note": ""}
    (folder / "intervals.json").write_text(json.dumps({"stamp": stamp, "intervals": [part]}), encoding="utf-8")
    executed = folder.parent / "executed" / f"{NAME}.ipynb"
    executed.parent.mkdir(exist_ok=True)
    nbformat.write(new_notebook(cells=[new_code_cell("x = 1")]), executed)
    return folder.parent


def test_a_run_becomes_evidence_and_the_pages_show_it(checkout):
    said = publish(make_run(checkout), checkout)
    folder = checkout / EVIDENCE / "quick"
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    files = ("results.json", "intervals.json", "bars.png", "t.csv")
    assert names == {*(f"{NAME}/{name}" for name in files), f"snapshots/{NAME}.ipynb"}
    assert "README.md written" in said and "figures/ledger/claims.md written" in said
    assert "| **C2** two recurrent steps" in (checkout / "README.md").read_text(encoding="utf-8")
    assert "7.1 → 6.6 %" in (checkout / "figures" / "ledger" / "claims.md").read_text(encoding="utf-8")


def test_fewer_trainings_do_not_replace_more_unless_forced(checkout):
    publish(make_run(checkout), checkout)
    intervals = checkout / EVIDENCE / "quick" / NAME / "intervals.json"
    before = intervals.read_bytes()
    run = make_run(checkout, seeds=(0,))
    with pytest.raises(PublishError, match="C2, error: 3 published, 1 in this run"):
        publish(run, checkout)
    (run / NAME / "intervals.json").unlink()  # no intervals are fewer, too
    with pytest.raises(PublishError, match="C2, error: 3 published, none in this run"):
        publish(run, checkout)
    assert intervals.read_bytes() == before
    publish(make_run(checkout, seeds=(0,)), checkout, force=True)
    assert intervals.read_bytes() != before
    publish(make_run(checkout, seeds=(3, 4, 5, 6)), checkout)  # more may always come


def test_a_smoke_run_and_a_folder_that_is_none_are_refused(checkout):
    with pytest.raises(PublishError, match="smoke is no evidence"):
        publish(make_run(checkout, run="smoke", profile="smoke"), checkout)
    with pytest.raises(PublishError, match="no results in it"):
        publish(checkout, checkout)
    assert not (checkout / EVIDENCE).exists()


def test_of_real_faces_only_numbers_are_copied(checkout):
    publish(make_run(checkout, run="quick-udacity", source="udacity"), checkout)
    folder = checkout / EVIDENCE / "quick-udacity"
    assert {path.name for path in folder.rglob("*.*")} == {"results.json", "intervals.json", "t.csv"}


def test_what_is_large_is_left_out_and_said_and_what_is_gone_stops(checkout):
    said = publish(make_run(checkout, picture=b"x" * (evidence.MOST_BYTES + 1)), checkout)
    assert any("left out" in line and "bars.png" in line for line in said)
    assert not (checkout / EVIDENCE / "quick" / NAME / "bars.png").exists()
    run = make_run(checkout)
    (run / NAME / "t.csv").unlink()
    with pytest.raises(PublishError, match="t.csv is listed"):
        publish(run, checkout)
    assert (checkout / EVIDENCE / "quick" / NAME / "t.csv").is_file()  # what was published stays whole


def test_a_listed_file_outside_its_folder_is_refused(checkout):
    run = make_run(checkout)
    results = json.loads((run / NAME / "results.json").read_text(encoding="utf-8"))
    results["tables"] = [{"file": "../../../../README.md"}]
    (run / NAME / "results.json").write_text(json.dumps(results), encoding="utf-8")
    with pytest.raises(PublishError, match="outside its folder"):
        publish(run, checkout)


def test_the_command_tells_an_error_in_a_line(capsys, tmp_path):
    assert main(["evidence", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith("Nothing done. ")


# ------------------------------------------------------------------------------------------------ executed snapshots


def noise(width, height, kind="png"):
    packed = io.BytesIO()
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8))
    image.save(packed, kind)
    return packed.getvalue()


def test_a_snapshot_has_what_is_said_and_not_what_is_heavy():
    picture = {"image/png": base64.b64encode(noise(400, 300)).decode()}
    big = new_output("display_data", data=picture, metadata={"image/png": {"alt": "noise"}})
    long = new_output("stream", name="stdout", text="word " * 10_000)
    heavy = new_output("display_data", data={"text/html": "x" * 200_000})
    light = new_output("display_data", data={"text/html": "<b>frame</b>"})
    cell = new_code_cell("x = 1", outputs=[big, long, heavy, light], execution_count=3)
    notebook = new_notebook(cells=[cell], metadata={"widgets": {}, "rednet": {"stamp": "abc"}})
    evidence.strip(notebook)
    assert "widgets" not in notebook.metadata and notebook.metadata.rednet.stamp == "abc"
    ((kind, packed),) = big.data.items()
    assert len(base64.b64decode(packed)) <= evidence.MOST and big.metadata == {kind: {"alt": "noise"}}
    assert long.text.startswith("word word") and "more characters" in long.text
    assert "200 KB; run the notebook" in heavy.data["text/plain"] and light.data["text/html"] == "<b>frame</b>"


@pytest.mark.parametrize("place", ["/mnt/big/figures", "C:/figures", "~/figures"])
def test_a_snapshot_does_not_tell_where_it_was_made(place):
    given = new_code_cell(f'seed = 3\nout = "{place}"\n', metadata={"tags": ["injected-parameters"]})
    warned = new_output("stream", name="stderr", text="/tmp/ipykernel_123/4.py:1: UserWarning: x")
    evidence.strip(new_notebook(cells=[given, new_code_cell("y", outputs=[warned])]))
    assert given.source == 'seed = 3\nout = "figures/runs"\n' and warned.text == "4.py:1: UserWarning: x"


def test_pictures_shrink_only_as_far_as_they_must():
    small = noise(40, 30)
    assert evidence.smaller(small, 30_000) is small
    for kind in ("png", "jpeg"):
        packed = evidence.smaller(noise(400, 300, kind), 30_000)
        width, height = Image.open(io.BytesIO(packed)).size
        assert len(packed) <= 30_000 and width / height == pytest.approx(4 / 3, abs=0.02) and width >= 100


def test_no_picture_of_a_real_face_is_tracked():
    runs = [run for run in (ROOT / EVIDENCE).iterdir() if "udacity" in run.name or "prepared" in run.name]
    assert runs and [path for run in runs for path in run.rglob("*.*") if path.suffix not in evidence.NUMBERS] == []
