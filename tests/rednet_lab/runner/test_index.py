"""The page of a run: what it shows, what it escapes, and what it does when something is not as it should be."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from rednet_lab.runner import state
from rednet_lab.runner.course import Options, make_jobs
from rednet_lab.runner.executed import to_html
from rednet_lab.runner.index import write_index
from rednet_lab.runner.screen import headlines
from tests.helpers import fetched_by
from tests.rednet_lab.tiny import Tiny

VOID = {"meta", "img", "link", "br", "hr"}
STAMP = {"profile": "quick", "torch": "2.13.0", "code": "abcdef0123456789", "machine": {"system": "L", "cpus": 2},
         "time": "2026-01-01T00:00:00+00:00"}  # fmt: skip


class Checker(HTMLParser):
    """Collects addresses and complains about tags that are not closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open, self.addresses, self.ids = [], [], []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.addresses += [value for name, value in attributes if name in ("href", "src")]
        self.ids += [value for name, value in attributes if name == "id"]
        if tag == "img":
            assert dict(attributes).get("alt")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture
def run(tmp_path):
    """Return a course of four whose first notebook has 'run', with results as its helper would write them."""
    tiny = Tiny(tmp_path, **{"10_a": (), "12_b": ("10_a",), "20_c": (), "30_d": ()})
    course, options = tiny.course, Options(out=tiny.out)
    jobs = make_jobs(course, options, list(course.series), 0)
    paths = state.Paths(jobs[0])
    state.begin(jobs[0])
    for file in (paths.executed, paths.html, paths.results / "a b.png"):
        file.write_bytes(b"x")
    (paths.results / "t.csv").write_text('group,error,note\ncommon,5.123456789,"a <b>"\n', encoding="utf-8")
    results = {
        "stamp": STAMP,
        "figures": [
            {"file": "a b.png", "caption": "Points & <maps>", "alt": 'a "face"', "hero": True},
        ],
        "tables": [{"file": "t.csv", "caption": "Errors"}],
        "numbers": {
            "nme": {
                "label": "Error",
                "value": 5.123456,
                "unit": "%",
                "note": "less is <better>",
                "headline": True,
            },
            "plain": 3,
        },
    }
    paths.results_file.write_text(json.dumps(results), encoding="utf-8")
    state.finish(jobs[0], 65.0, None)
    state.finish(jobs[2], 1.0, "ValueError: <oops>\n  line 1")
    state.skip(jobs[1], "needs 10_a")

    def page(**changes) -> str:
        if changes:
            paths.results_file.write_text(json.dumps(results | changes), encoding="utf-8")
        return write_index(jobs[0].folder, course, options, 0).read_text(encoding="utf-8")

    page.jobs = jobs
    return page


def test_shows_states_figures_tables_and_numbers(run):
    text = run()
    checked = Checker(text)
    assert [a for a in checked.addresses if re.match(r"[a-z]+:|//", a)] == []  # nothing from elsewhere
    folder = run.jobs[0].folder
    for address in checked.addresses:
        target = address.replace("%20", " ")
        assert target[1:] in checked.ids if address.startswith("#") else (folder / target).exists()
    for wanted in ("Points &amp; &lt;maps&gt;", 'alt="a &#34;face&#34;"', ">5.12 ", "less is &lt;better&gt;",
                   "5.1235", "a &lt;b&gt;", "1:05", "ValueError: &lt;oops&gt;", "needs 10_a", "not run yet",
                   "1 of 4 notebooks done", "2 failed or not run", "2 cores", "abcdef0123"):  # fmt: skip
        assert wanted in text, wanted
    assert "mean nothing" not in text
    assert headlines(run.jobs) == ["Error: 5.12 % (less is <better>)"]


def test_says_what_is_missing_or_stale(run):
    paths = state.Paths(run.jobs[0])
    (paths.results / "a b.png").unlink()
    text = run(tables=[{"file": "gone.csv"}, "nonsense"], numbers=None)
    Checker(text)
    assert "missing: a b.png" in text and "gone.csv cannot be shown" in text
    assert "done, but with other code, data or parameters than now" in text
    paths.results_file.write_text("{ half", encoding="utf-8")
    Checker(run())
    run.jobs[3].notebook.unlink()
    assert "no such notebook here" in run()


def test_a_failed_notebook_shows_no_results_of_before(run):
    state.finish(run.jobs[0], 1.0, "broke")
    text = run()
    assert "Points" not in text and "broke" in text and "5.12" not in text


def test_record_and_results_survive_odd_content(run):
    paths = state.Paths(run.jobs[0])
    paths.record.write_text("[]", encoding="utf-8")
    assert state.state_of(run.jobs[0]) == "never"
    paths.record.write_bytes(b"\xff\xfe")
    assert state.state_of(run.jobs[0]) == "never"
    assert Path(write_index(run.jobs[0].folder, run.jobs[0].course, run.jobs[0].options, 0)).exists()


def test_an_executed_notebook_becomes_a_page_that_is_whole_in_itself():
    picture = {"image/png": "iVBORw0KGgo=", "text/plain": "<Figure>"}
    outputs = [
        new_output("display_data", picture, metadata={"image/png": {"alt": 'a "face" <b>'}}),
        new_output(
            "display_data", {"application/vnd.jupyter.widget-view+json": {"model_id": "1"}, "text/plain": "box"}
        ),
        new_output("display_data", {"text/latex": "$x^2$", "text/plain": "x"}),
    ]
    cells = [new_markdown_cell("Words $a < b$ and `$no$`\n\n$$\\frac{1}{2}$$"), new_code_cell("1", outputs=outputs)]
    widgets = {"application/vnd.jupyter.widget-state+json": {"state": {}, "version_major": 2, "version_minor": 0}}
    page = to_html(new_notebook(cells=cells, metadata={"widgets": widgets}), "T </title><script>", "foot <i>")
    assert fetched_by(page) == [] and "<script" not in page and "foot &lt;i&gt;" in page
    assert page.count("<math") == 3 and "<mfrac>" in page and "$no$" in page and "box" in page
    assert "alt='a \"face\" &lt;b&gt;'" in page and "data:image/png;base64,iVBORw0KGgo=" in page
