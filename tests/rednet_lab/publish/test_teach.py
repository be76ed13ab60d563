"""Workshops: their one source fits the notebooks, slides are whole in themselves."""

import json
import re
import subprocess
import sys

import pytest

from rednet_lab.names import ROOT
from rednet_lab.publish import teach
from tests.helpers import fetched_by

PLAN = teach.source()


def headings(name):
    """Return the headings of a notebook."""
    cells = json.loads((ROOT / "notebooks" / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]
    return re.findall(
        r"^#+ (.*)$", "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown"), re.M
    )


@pytest.mark.parametrize("step", PLAN["steps"].values(), ids=PLAN["steps"])
def test_a_step_shows_what_its_notebook_has(step):
    found = headings(step["notebook"])
    assert [s for s in step["sections"] if not any(h.startswith(s) for h in found)] == []
    assert all(step[part].strip() for part in ("goal", "pitfall", "stuck", "number"))
    assert step["ask"] and all(ask["q"].endswith("?") and ask["a"] for ask in step["ask"])
    text = (ROOT / "notebooks" / f"{step['notebook']}.ipynb").read_text(encoding="utf-8")
    assert f'\\"{step["number"]}\\"' in text or re.search(r'lab.number\(f?\\"', text)  # the number is measured there


def test_paths_take_the_minutes_they_promise(tmp_path):
    assert set(PLAN["paths"]) == {60, 90, 180} and all(sum(p.values()) == m for m, p in PLAN["paths"].items())
    text = (ROOT / "teach" / "paths.yaml").read_text(encoding="utf-8")
    (tmp_path / "teach").mkdir()
    (tmp_path / "teach" / "paths.yaml").write_text(text.replace("tour: 12, map: 14", "tour: 13, map: 14"), "utf-8")
    with pytest.raises(ValueError, match="path 60 takes 61 min"):
        teach.source(tmp_path)
    assert teach.written(tmp_path / "nowhere") == {}


def test_guides_and_sheets_hold_every_step():
    guide = teach.guide(PLAN, 60, ROOT)
    assert guide.count("\n## ") == len(PLAN["paths"][60]) and "50 to 60 min" in guide
    for ask in (ask for step in PLAN["steps"].values() for ask in step["ask"]):
        assert ask["q"] in teach.sheet(PLAN, False) and ask["a"] not in teach.sheet(PLAN, False)
        assert ask["a"] in teach.sheet(PLAN, True)


def test_what_a_path_takes_is_measured_and_stands_in_its_guide(tmp_path, monkeypatch):
    start, ran, burn = subprocess.Popen, [], "b = bytearray(300_000_000); [i * i for i in range(3_000_000)]"

    def runner(command, cwd, env):
        ran.append((command[-1], env["REDNET_CACHE"]))
        return start([sys.executable, "-c", f"{burn}; exit({int(command[-1] == '60_tracking')})"])

    monkeypatch.setattr(subprocess, "Popen", runner)
    with pytest.raises(ValueError, match="60_tracking failed"):
        teach.measure(60, tmp_path)
    assert ran[0] == ("00_tour", str(tmp_path / "cache")) and len(ran) == len(PLAN["paths"][60])
    monkeypatch.setattr(teach, "source", lambda root: {"paths": {60: {"map": 60}}, "steps": PLAN["steps"]})
    found = teach.measure(60, tmp_path)
    assert found.keys() == {"map"} and found["map"]["cpu"] > 0 and found["map"]["memory"] > 0.3
    (tmp_path / "teach").mkdir()
    (tmp_path / teach.MEASURED).write_text(
        json.dumps({"60": {"fresh": {"map": {"cpu": 90.0, "memory": 1.5}}}}), "utf-8"
    )
    assert "- fresh: 1.5 minutes of CPU in all (map 90 s), 1.5 GB at most" in teach.costs(60, tmp_path)
    assert teach.costs(90, tmp_path) == []


def test_the_60_minute_path_fits_a_weak_laptop_with_a_kit():
    taken = json.loads((ROOT / teach.MEASURED).read_text("utf-8"))["60"]["with a kit"]
    assert ", ".join(taken).split(", ") == list(PLAN["paths"][60])
    assert sum(step["cpu"] for step in taken.values()) <= 600 and max(step["memory"] for step in taken.values()) < 3


def test_slides_need_no_network_and_hide_solutions(tmp_path, capsys):
    assert teach.main(["60", str(tmp_path / "a")]) == 2 and "--reveal" in capsys.readouterr().err
    script = tmp_path / "package" / "dist" / "reveal.js"
    script.parent.mkdir(parents=True)
    script.write_text("var Reveal", encoding="utf-8")
    assert teach.main(["60", str(tmp_path / "a"), "--reveal", str(tmp_path / "package")]) == 0
    text = (tmp_path / "a" / "slides-60.html").read_text(encoding="utf-8")
    assert (tmp_path / "a" / "reveal.js" / "dist" / "reveal.js").is_file()
    assert fetched_by(text) == []
    assert text.count("<section>") + text.count("<section ") > 20 and "<math" in text
    assert "A solution: try first" not in text and "Spatial recurrence" in text
