"""The site: built by Sphinx from a small run made here, whole in itself, and walked in a browser where there is one."""

import base64
import io
import json

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image

from rednet_lab.publish import site
from rednet_lab.tex import TexError, mathml
from tests.browser.chromium import ARGUMENTS, find_chromium, missing
from tests.helpers import fetched_by

PLAYER = "<div id='player'>1</div><script>document.getElementById('player').textContent = '2'</script>"


def make_run(folder):
    """Write a run of two notebooks with formulas, a picture, a player, a live widget and results."""
    run = folder / "quick"
    packed = io.BytesIO()
    Image.new("RGB", (60, 40), "teal").save(packed, "png")
    picture = {"image/png": base64.b64encode(packed.getvalue()).decode(), "text/plain": "<Figure>"}
    live = {site.WIDGET: {"model_id": "1"}, "text/plain": "Browser()"}
    cells = [
        new_markdown_cell("# 34 · Spatial steps\n\nEq. 3: $e_i \\in R$, see notebooks 20 and 90.\n\n$$\\frac{a}{b}$$"),
        new_code_cell('profile = "quick"', metadata={"tags": ["parameters"]}),
        new_markdown_cell("## Two steps\n\n[the code](../rednet_core/maps.py), [maps](20_maps_and_losses.ipynb)"),
        new_code_cell('lab.figure(fig, "steps", "c", "a")', outputs=[new_output("display_data", data=picture)]),
        new_code_cell("player", outputs=[new_output("display_data", data={"text/html": PLAYER})]),
        new_code_cell("browser", outputs=[new_output("display_data", data=live)]),
    ]
    (run / "executed").mkdir(parents=True)
    nbformat.write(new_notebook(cells=cells), run / "executed" / "34_spatial_recurrence.ipynb")
    other = new_notebook(cells=[new_markdown_cell("# 20 · Maps\n\nHeat maps, $\\nonsense{a}$.")])
    nbformat.write(other, run / "executed" / "20_maps_and_losses.ipynb")
    results = {"stamp": {"profile": "smoke", "source": "face_world", "seed": 0, "time": "2026"}}
    results["figures"] = [{"file": "steps.png", "caption": "Two <steps> of $5", "alt": "two steps of a face"}]
    results["numbers"] = {"gain": {"value": 1.2345, "unit": "%", "label": "gain"}}
    (run / "34_spatial_recurrence").mkdir()
    (run / "34_spatial_recurrence" / "results.json").write_text(json.dumps(results), encoding="utf-8")
    (run / "34_spatial_recurrence" / "steps.png").write_bytes(packed.getvalue())
    return run


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    for name in site.NEEDS:
        pytest.importorskip(name, reason="the docs extra is not installed: python3 go.py site installs it")
    folder = tmp_path_factory.mktemp("site")
    (told,) = site.build(make_run(folder), folder / "html")  # one formula cannot be drawn, and that is said
    assert "20_maps_and_losses" in told and "nonsense is not known" in told
    return folder / "html"


def test_notebooks_have_formulas_alt_texts_players_and_links(built):
    page = (built / "notebooks" / "34_spatial_recurrence.html").read_text(encoding="utf-8")
    assert (
        page.count("<math") == 2 and "<mfrac>" in page and "\\frac{" not in page.replace('alttext="\\frac{a}{b}"', "")
    )
    assert 'alt="two steps of a face"' in page and PLAYER in page and "Browser()" in page
    assert 'href="20_maps_and_losses.html"' in page and "the code" in page and "rednet_core/maps.py" not in page
    assert "<details" in page  # the parameters are folded


def test_the_pages_say_what_they_show(built):
    page = (built / "index.html").read_text(encoding="utf-8")
    assert "a run of yours" in page and "its figures mean nothing" in page
    results = (built / "results.html").read_text(encoding="utf-8")
    assert "Two &lt;steps&gt; of $5" in results and "1.23 %" in results and 'alt="two steps of a face"' in results
    for name in ("figures/README.html", "figures/ledger/claims.html", "api/rednet_core.maps.html"):
        assert (built / name).is_file()


def test_nothing_is_fetched_from_elsewhere(built):
    pages = {page.name: fetched_by(page.read_text(encoding="utf-8")) for page in built.rglob("*.html")}
    assert len(pages) > 20 and not any(pages.values()), pages


def test_what_cannot_be_built_is_said(tmp_path):
    pytest.importorskip("sphinx")
    (tmp_path / "own.txt").write_text("not a site", encoding="utf-8")
    with pytest.raises(site.SiteError, match="something else"):
        site.build(make_run(tmp_path / "run"), tmp_path)
    with pytest.raises(site.SiteError, match="no executed notebooks"):
        site.build(tmp_path, tmp_path / "html")


@pytest.mark.parametrize("tex", [r"\frac{a}", r"\nonsense{a}", r"\begin{tikz}a\end{tikz}"])
def test_tex_that_is_unknown_or_incomplete_is_no_formula(tex):
    with pytest.raises(TexError):
        mathml(tex)


def test_docstrings_are_read_as_plain_text():
    lines = ["Return x_ * y, `c`.", "", "    e = a_i * b", "", "- one", "  more", "- two", "After."]
    assert site.plain_rst(lines) == [r"Return x\_ \* y, ``c``.", "", "", "::", "", "    e = a_i * b", "", "", "- one",
                                     "  more", "- two", "After.", ""]  # fmt: skip


@pytest.mark.skipif(bool(missing()), reason=missing() or "-")
@pytest.mark.parametrize("width", [1280, 390])
def test_a_reader_walks_and_searches_without_a_network(built, width):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=find_chromium(), args=list(ARGUMENTS))
        page = browser.new_page(viewport={"width": width, "height": 800})
        wrong, asked = [], []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto((built / "index.html").as_uri())
        page.locator("article").get_by_role("link", name="34 · Spatial steps").first.click()
        assert page.locator("#player").text_content() == "2"
        assert page.locator("math mfrac").bounding_box()["height"] > 10
        for address in ("notebooks/34_spatial_recurrence.html", "figures/ledger/claims.html", "results.html"):
            page.goto((built / address).as_uri())
            assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.goto((built / "search.html").as_uri() + "?q=heat")
        page.locator("#search-results").get_by_role("link", name="20 · Maps").first.click()
        assert page.title().startswith("20 · Maps")
        assert wrong == [] and all(url.startswith(("file:", "data:")) for url in asked)
        browser.close()
