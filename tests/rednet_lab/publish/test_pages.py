"""README's made parts and the pages under figures/: up to date, whole, their links lead somewhere."""

import json
import posixpath
import re
import shutil

import pytest

from rednet_lab.names import EVIDENCE, ROOT
from rednet_lab.publish import pages
from rednet_lab.publish.__main__ import main
from rednet_lab.publish.ledger import tables
from rednet_lab.series import SERIES

LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


@pytest.fixture(scope="module")
def made():
    """The made pages as they should be: all statistics are done anew, which takes seconds."""
    return pages.written()


def test_the_pages_say_what_the_evidence_says(made, monkeypatch):
    old = [path.name for path in made if path.read_text(encoding="utf-8") != made[path]]
    assert old == [], "run: python -m rednet_lab.publish readme"
    monkeypatch.setattr(pages, "written", lambda root: made)
    assert main(["readme", "--check"]) == 0
    one = next(iter(made))
    monkeypatch.setattr(pages, "written", lambda root: made | {one: "another text"})
    assert main(["readme", "--check"]) == 1


def test_links_of_the_pages_lead_somewhere(made):
    for path in (path for path in made if path.name != "gpu.ipynb"):
        targets = [link for link in LINK.findall(path.read_text(encoding="utf-8")) if "://" not in link]
        assert targets and [t for t in targets if not (path.parent / t).exists()] == [], path


def test_every_notebook_is_in_one_part_of_the_series():
    listed = [entry.name for some in pages.parts().values() for entry in some]
    assert sorted(listed) == [entry.name for entry in SERIES]


def test_only_what_stands_between_the_markers_changes(tmp_path):
    blocks = [f"<!-- made: {name} -->\nold\n<!-- end: {name} -->\n" for name in ("series", "claims")]
    text = "a\n" + "b\n".join(blocks) + "c\n"
    ledger = tables.open_ledger(tmp_path)
    made = pages.rendered(text, ledger)
    assert "old" not in made.split("\n") and SERIES[0].title in made and made.count("\nb\n") == 1
    assert made.startswith("a\n<!-- made: series -->\n") and made.endswith("<!-- end: claims -->\nc\n")
    assert pages.rendered(made, ledger) == made
    with pytest.raises(ValueError, match="made: series"):
        pages.rendered(text.replace("<!-- made: series -->", ""), ledger)


def test_results_are_read_from_the_files(tmp_path):
    assert "python3 go.py run" in pages.results_table(tmp_path)
    stamp = {"profile": "quick", "seed": 0, "device": "cpu", "machine": {"cpus": 2}, "torch": "9.9", "code": "abcdef0"}
    for run, notebook, name, value in (("quick", "50_stage1", "stills_stage1", 6.4321),
                                       ("quick", "52_stage2", "stills_stage2", 6.25),
                                       ("quick-udacity", "50_stage1", "stills_stage1", 5.111)):  # fmt: skip
        (tmp_path / run / notebook).mkdir(parents=True)
        ours = {f"{name}_floored": {"value": 5.5}} if value == 6.4321 else {}
        text = json.dumps({"stamp": stamp, "numbers": {name: {"value": value}, **ours}})
        (tmp_path / run / notebook / "results.json").write_text(text, encoding="utf-8")
    table = pages.results_table(tmp_path)
    assert "| stills: after stage 1 | 6.43 (5.5) | 5.11 |" in table and "| stills: after stage 2 | 6.25 | - |" in table
    assert "mean shape" not in table and "profile quick, seed 0, cpu, 2 cores, torch 9.9, code abcdef0" in table


def test_the_front_page_says_which_results_it_shows_and_where_ones_own_are():
    text = (ROOT / "figures" / "README.md").read_text(encoding="utf-8")
    assert "evidence/" in text and "runs/" in text and "is committed" in text
    linked = {posixpath.basename(target) for target in LINK.findall(text)}
    assert {path.name for path in (ROOT / "figures" / "ledger").glob("*.md")} <= linked


def test_another_number_in_the_evidence_makes_the_pages_old(tmp_path):
    shutil.copy(ROOT / "README.md", tmp_path / "README.md")
    shutil.copytree(ROOT / EVIDENCE, tmp_path / EVIDENCE, ignore=shutil.ignore_patterns("*.png", "snapshots"))
    pages.renew(tmp_path)
    assert pages.renew(tmp_path, check=True) == []
    file = tmp_path / EVIDENCE / "quick" / "50_stage1" / "results.json"
    results = json.loads(file.read_text(encoding="utf-8"))
    results["numbers"]["stills_stage1"]["value"] = 98.765
    file.write_text(json.dumps(results), encoding="utf-8")
    assert tmp_path / "figures" / "README.md" in pages.renew(tmp_path)
    assert "| 98.8" in (tmp_path / "figures" / "README.md").read_text(encoding="utf-8")
