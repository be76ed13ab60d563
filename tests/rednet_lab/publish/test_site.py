"""The site: mathematics of every notebook, every kind of output, whole folders, a check that finds what is wrong."""

import base64
import copy
import io
import json
import re
import shutil
import urllib.parse

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_output
from PIL import Image

from rednet_lab.names import ROOT
from rednet_lab.publish.site import cli
from rednet_lab.publish.site.build import SiteError, build
from rednet_lab.publish.site.check import Page, check, problems_of
from rednet_lab.publish.site.notebook import article
from rednet_lab.publish.site.parts import Shown, cards, heroes
from rednet_lab.publish.site.prose import Prose
from rednet_lab.series import SERIES, Entry
from rednet_lab.show.placeholder import PLAYER, STATE, VIEW
from rednet_lab.tex import TexError, mathml

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
CODE = re.compile(r"```.*?```|`[^`]*`", re.DOTALL)
TEX = re.compile(r"\$\$.+?\$\$|\$[^$]+\$", re.DOTALL)
STAMP = {"profile": "quick", "source": "face_world", "seed": 0, "device": "cpu", "torch": "2.13.0", "code": "abc",
         "machine": {"cpus": 2}, "time": "2026-01-01T00:00:00+00:00"}  # fmt: skip


def picture(width: int = 40, height: int = 30) -> bytes:
    """A PNG that does not compress well."""
    packed = io.BytesIO()
    Image.effect_noise((width, height), 90).save(packed, "png")
    return packed.getvalue()


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


WIDGETS = {
    "box": {"model_name": "VBoxModel", "state": {"children": ["IPY_MODEL_slider", "IPY_MODEL_image"]}},
    "slider": {"model_name": "IntSliderModel", "state": {"description": "step", "value": 2}},
    "image": {
        "model_name": "ImageModel", "state": {"format": "png"},
        "buffers": [{"path": ["value"], "encoding": "base64", "data": encoded(picture())}],
    },
}  # fmt: skip
OUTPUTS = {
    "printed": new_output("stream", name="stdout", text="printed words"),
    "warned": new_output("stream", name="stderr", text="warned words"),
    "a value": new_output("execute_result", data={"text/plain": "a value"}),
    "<b>frame</b>": new_output("execute_result", data={"text/html": "<b>frame</b>", "text/plain": "no"}),
    "<math": new_output("display_data", data={"text/markdown": "so $a_1$"}),
    'display="block"': new_output("display_data", data={"text/latex": r"$\frac{a}{b}$"}),
    "data:image/svg+xml;base64,": new_output("display_data", data={"image/svg+xml": "<svg></svg>"}),
    "data:image/png;base64,": new_output("display_data", data={"image/png": encoded(picture())}),
    "the player": new_output(
        "display_data", data={"text/html": f"<p {PLAYER}>the player</p>", VIEW: {"model_id": "box"}}
    ),
    "step <b>2</b>": new_output("display_data", data={VIEW: {"model_id": "box"}, "text/plain": "VBox()"}),
    "ValueError": new_output("error", ename="ValueError", evalue="no", traceback=["\x1b[31mValueError\x1b[0m: no"]),
}


def notebook_of(*cells, **stamp):
    notebook = nbformat.v4.new_notebook(cells=copy.deepcopy(list(cells)))
    notebook.metadata["widgets"] = {STATE: {"state": WIDGETS, "version_major": 2, "version_minor": 0}}
    notebook.metadata["rednet"] = {"stamp": STAMP | stamp, "seconds": 65.0, "error": None}
    return notebook


def make_run(folder, notebooks=NOTEBOOKS):
    """A run folder as the runner leaves it: the repository's own notebooks, with made outputs in the first two."""
    run = folder / "figures" / "quick"
    (run / "executed").mkdir(parents=True)
    for path in notebooks:
        notebook = nbformat.read(path, as_version=4)
        cell = new_code_cell('lab.figure(fig, "steps", caption, "alt")', outputs=[OUTPUTS["data:image/png;base64,"]])
        last = [*(new_code_cell("1", outputs=[output], execution_count=1) for output in OUTPUTS.values()), cell]
        made = notebook_of(*notebook.cells, *(last if path in notebooks[:2] else []))
        nbformat.write(made, run / "executed" / path.name)
        (run / path.stem).mkdir()
        figures = [{"file": "steps.png", "caption": "Steps (seed 0)", "alt": "two steps", "hero": True}]
        results = {"stamp": STAMP, "figures": figures, "tables": [{"file": "t.csv", "caption": "T"}],
                   "numbers": {"nme": {"value": 5.1, "label": "error", "unit": "%", "headline": True}}}  # fmt: skip
        (run / path.stem / "results.json").write_text(json.dumps(results), encoding="utf-8")
        (run / path.stem / "steps.png").write_bytes(picture())
        (run / path.stem / "t.csv").write_text("group,error\ncommon,5.0\n", encoding="utf-8")
    return run


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("made"))


@pytest.fixture(scope="module")
def site(run, tmp_path_factory):
    """A site of the whole series, made by the command."""
    to = tmp_path_factory.mktemp("to") / "a site"
    assert cli.main([str(run), "--to", str(to)]) == 0
    return to


# ------------------------------------------------------------------------------------------------------- mathematics


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_all_mathematics_of_a_notebook_is_drawn(path):
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "markdown":
            html = Prose([], ()).render(cell.source)
            assert html.count("<math") == len(TEX.findall(CODE.sub("", cell.source))), cell.source
            assert problems_of(html) == []


def test_there_is_mathematics_to_draw():
    sources = [cell.source for path in NOTEBOOKS for cell in nbformat.read(path, as_version=4).cells]
    assert sum(len(TEX.findall(CODE.sub("", source))) for source in sources if "def " not in source) > 40


def test_tex_that_is_unknown_or_incomplete_is_not_drawn_as_something_else():
    for tex in (r"\nosuchthing x", r"\frac{1}", "a & b", r"\begin{nosuch}a\end{nosuch}", "a_"):
        with pytest.raises(TexError):
            mathml(tex)
    html = Prose([], ()).render(r"the $\nosuchthing$ stays")
    assert "nosuchthing</code>" in html and "could not be drawn" in problems_of(html)[0]


def test_equations_in_lines_are_set_as_a_table():
    html = Prose([], ()).render("\\begin{aligned}a &= b \\\\ c &= d\\end{aligned}")
    assert html.count("<mtr>") == 2 and problems_of(html) == []


def test_spaces_and_bars_are_set_as_tex_sets_them():
    assert mathml(r"a\log b").count("mspace") == 2 and mathml(r"\log(b)").count("mspace") == 0
    assert mathml(r"\lVert x\rVert_2").count('stretchy="false"') == 2
    assert 'alttext="x &lt; y"' in mathml("x < y") and "<mo>;</mo>" in mathml("x;y")


# ------------------------------------------------------------------------------------------------------ one notebook


@pytest.mark.parametrize("shown", OUTPUTS)
def test_every_kind_of_output_is_shown(shown):
    made = article(notebook_of(new_code_cell("x", outputs=[OUTPUTS[shown]])))
    assert shown in made.html
    assert problems_of(made.html) == [] and "VBox()" not in made.html and "state+json" not in made.html


def test_a_widget_gives_way_to_a_player_beside_it_and_stands_still_otherwise():
    view, player = OUTPUTS["step <b>2</b>"], OUTPUTS["the player"]
    alone = article(notebook_of(new_code_cell("x", outputs=[view])))
    assert alone.widgets == 1 and alone.html.count("<img") == 1 and "go.py lab" in alone.html
    both = article(notebook_of(new_code_cell("x", outputs=[view, player])))
    assert both.html.count("the player") == 1 and "go.py lab" not in both.html


def test_pictures_and_tables_get_the_captions_of_the_results_and_never_wrong_ones():
    head, body = "<th></th><th>g</th><th>v</th>", "<th>0</th><td>a</td><td>5.0</td>"
    frame = f'<table class="dataframe"><thead><tr>{head}</tr></thead><tbody><tr>{body}</tr></tbody></table>'
    table = new_output("execute_result", data={"text/html": frame})
    png = OUTPUTS["data:image/png;base64,"]
    results = {"figures": [{"file": "steps.svg", "caption": "Two <steps>", "alt": 'a "face"'}],
               "tables": [{"file": "steps.csv", "caption": "The table"}]}  # fmt: skip
    code = 'lab.figure(fig, "steps", "c", "a")\nlab.table(frame, "steps", "c")'
    html = article(notebook_of(new_code_cell(code, outputs=[png, table])), results, lambda name: f"there/{name}").html
    assert 'src="there/steps.svg"' in html and """alt='a "face"'""" in html
    assert "Two &lt;steps&gt;</figcaption>" in html and '<p class="caption">The table' in html
    assert '<th class="words">g</th>' in html and '<td class="words">a</td>' in html and "<td>5.0</td>" in html
    two = article(notebook_of(new_code_cell(code, outputs=[png, png])), results, lambda name: f"there/{name}").html
    assert "there/" not in two and two.count("picture made by the code above") == 2


def test_the_cells_of_parameters_are_folded_and_the_notebook_is_left_as_it_was():
    cells = [
        new_code_cell("a = 1", metadata={"tags": ["parameters"]}),
        new_code_cell("b", outputs=[OUTPUTS["printed"]]),
    ]
    notebook = notebook_of(*cells)
    before = nbformat.writes(notebook)
    html = article(notebook).html
    assert html.count("<details") == 2 and html.count("open") == 1 and "<summary>parameters" in html
    assert nbformat.writes(notebook) == before


def test_links_between_notebooks_hold_and_others_are_none_without_an_address():
    prose = Prose([], ("20_a", "30_b"))
    html = prose.render("See notebooks 20, 30 and 42, [this](30_b.ipynb#two), [code](../x.py), [out](https://a.b/c).")
    assert re.findall('href="([^"]+)"', html) == ["20_a.html", "30_b.html", "30_b.html#two", "https://a.b/c"]
    prose.render("# One, *two*\n\n# One, two\n\n## $x$ in a head")
    assert [(level, name) for level, name, _ in prose.headings[:2]] == [(1, "one-two"), (1, "one-two-2")]


# ------------------------------------------------------------------------------------------------------- whole sites


def test_the_site_is_whole_and_fetches_nothing(site):
    assert check(site) == []
    assert sorted(path.stem for path in site.glob("*_*.html")) == sorted(entry.name for entry in SERIES)
    for path in site.glob("*.html"):
        page = Page(path.read_text(encoding="utf-8"))
        assert [a for a in page.fetched if urllib.parse.urlsplit(a).scheme not in ("", "data")] == []


def test_next_leads_through_the_whole_series(site):
    name, seen = f"{SERIES[0].name}.html", []
    while name != "results.html":
        seen.append(name.removesuffix(".html"))
        html = (site / name).read_text(encoding="utf-8")
        assert html.count('aria-current="page"') == 1
        name = re.search(r'class="next"[^>]* href="([^"]+)"', html)[1]
    assert seen == [entry.name for entry in SERIES]


def test_front_page_search_and_feet_tell_of_the_run(site):
    front = (site / "index.html").read_text(encoding="utf-8")
    for words in ("5.1 ", "profile quick, the face world, seed 0", "1:05", "No ledger", "two steps", SERIES[-1].title):
        assert words in front, words
    assert "abc</li>" in (site / f"{SERIES[3].name}.html").read_text(encoding="utf-8")
    index = json.loads((site / "search.js").read_text(encoding="utf-8").removeprefix("window.COURSE = ").rstrip(";\n"))
    pages = {page: Page((site / page).read_text(encoding="utf-8")) for page in {entry[0] for entry in index}}
    assert all(entry[2] in pages[entry[0]].ids for entry in index) and len(pages) == len(SERIES) + 1
    assert any("Gaussian" in text for page, *_, text in index if page.startswith("20_"))
    assert not any("import torch" in entry[-1] for entry in index)


def test_a_part_of_the_series_says_what_is_not_there_and_shows_the_ledger(tmp_path):
    there = [path for path in NOTEBOOKS if path.stem[:2] in ("00", "14", "20")]
    run = make_run(tmp_path, there)
    (run / "executed" / f"{SERIES[1].name}.failed.ipynb").write_text("{}", encoding="utf-8")
    (run.parent / "README.md").write_text("# The ledger\n\n[20](../notebooks/20_maps_and_losses.ipynb) <br> $e_p$\n",
                                          encoding="utf-8")  # fmt: skip
    (run / there[1].stem / "steps.png").unlink()
    to = tmp_path / "site"
    parts = build(run, to)
    assert [part.why for part in parts if not part.article][:2] == ["failed in this run", "not in this run"]
    assert [part.entry.name for part in parts if part.article] == [path.stem for path in there]
    assert check(to) == []  # a missing figure is shown as missing; the notebook has its picture still
    front, ledger = ((to / name).read_text(encoding="utf-8") for name in ("index.html", "ledger.html"))
    assert "failed in this run" in front and "No ledger" not in front and 'href="20_maps_and_losses.html"' in ledger
    assert "missing: steps.png" in (to / "results.html").read_text(encoding="utf-8")


def test_figures_of_another_run_are_not_put_into_a_notebook(tmp_path):
    run = make_run(tmp_path, NOTEBOOKS[:2])
    file = run / NOTEBOOKS[0].stem / "results.json"
    file.write_text(file.read_text(encoding="utf-8").replace('"abc"', '"other"'), encoding="utf-8")
    build(run, tmp_path / "site")
    first, second = ((tmp_path / "site" / f"{path.stem}.html").read_text(encoding="utf-8") for path in NOTEBOOKS[:2])
    assert "Steps (seed 0)" not in first and "Steps (seed 0)" in second


def test_a_site_replaces_a_site_and_nothing_else(run, tmp_path, capsys):
    to, series = tmp_path / "to", SERIES[:1]
    to.mkdir()
    (to / "thesis.txt").write_text("mine", encoding="utf-8")
    assert cli.main([str(run), "--to", str(to)]) == 2
    assert "is no site of ours" in capsys.readouterr().err and (to / "thesis.txt").is_file()
    shutil.rmtree(to)
    build(run, to, series)
    (to / "old.html").write_text("old", encoding="utf-8")
    build(run, to, series)
    assert not (to / "old.html").exists() and (to / "index.html").is_file()
    assert cli.main([str(tmp_path / "no run")]) == 2 and "no such folder" in capsys.readouterr().err
    with pytest.raises(SiteError, match="no executed notebooks"):
        build(tmp_path, tmp_path / "new", (Entry("10_a", "A"),))
    assert not (tmp_path / "new").exists()


# --------------------------------------------------------------------------------------------------------- the check


@pytest.mark.parametrize(
    ("inside", "found"),
    {
        '<a href="gone.html">x</a>': "is not there",
        '<a href="#gone">x</a>': "names a place that is not there",
        '<a href="../outside.html">x</a>': "leads out of the folder",
        '<script src="https://cdn.example/x.js"></script>': "fetches https://cdn.example",
        '<link rel="stylesheet" href="//cdn.example/x.css">': "fetches //cdn.example",
        '<img src="http://a.example/x.png" alt="x">': "fetches http://a.example",
        "<style>@import 'https://a.example/x.css';</style>": "fetches",
        "<style>p { background: url(https://a.example/x.png) }</style>": "fetches",
        "<script>import('https://a.example/x.mjs')</script>": "fetches",
        '<p style="background: url(//a.example/x)">x</p>': "fetches",
        '<img src="data:image/png;base64,">': "no alt text",
        "<p>raw $e_p$ left</p>": "raw TeX: $e_p$",
        "<p>raw $$x$$ left</p>": "raw TeX",
        '<i id="a"></i><b id="a"></b>': "two places are called a",
    }.items(),
)
def test_the_check_finds_what_is_wrong(tmp_path, inside, found):
    (tmp_path / "index.html").write_text(f"<html><body>{inside}</body></html>", encoding="utf-8")
    (problem,) = check(tmp_path)
    assert found in problem and problem.startswith("index.html: ")


def test_the_check_lets_pass_what_is_right_and_weighs_the_folder(tmp_path):
    (tmp_path / "b c.html").write_text('<p id="x y">x</p>', encoding="utf-8")
    right = '<a href="b%20c.html#x%20y">x</a><a href="https://a.example">out</a><code>$x$</code> 5 $ and 6 $'
    (tmp_path / "index.html").write_text(right + '<img src="data:image/png;base64,AA==" alt="x">', encoding="utf-8")
    assert check(tmp_path) == []
    assert "more than 0" in check(tmp_path, most=10)[0]
    assert cli.main(["--check", "--to", str(tmp_path)]) == 0
    assert "no pages" in check(tmp_path / "nothing")[0]


def test_the_course_speaks_for_a_run_before_the_experiments(tmp_path):
    def shown(name, *headlines):
        entry = next(entry for entry in SERIES if entry.name == name)
        numbers = {f"n{k}": {"value": k, "label": label, "headline": True} for k, label in enumerate(headlines)}
        pictures = [{"file": f"{name}.png", "caption": name, "alt": name, "hero": True}]
        return Shown(entry, tmp_path, {"numbers": numbers, "figures": pictures}, name)

    course = [shown("52_stage2", "stills"), shown("54_stage3", "common", "challenging", "late"), shown("60_tracking")]
    rest = [shown("78_comparison", "rival"), shown("90_ledger", "claims")]
    assert "60_tracking.png" in heroes(course + rest) and "90_ledger.png" in heroes(rest)
    places = [cards(course + rest).find(f">{label}<") for label in ("common", "challenging", "late", "claims", "rival")]
    assert -1 not in places and places == sorted(places) and "stills" not in cards(course + rest)
    assert "stills" in cards(course)
