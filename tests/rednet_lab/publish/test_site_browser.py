"""The site in a real browser, with the network cut off: opened from its folder, walked through, searched, looked at."""

import pytest

from rednet_lab.publish.site.build import build
from rednet_lab.series import SERIES
from tests.browser.chromium import find_chromium, missing
from tests.rednet_lab.publish.test_site import make_run

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing())


class Reader:
    """A page at 1280x800 without a network; notes what it asks for and what it complains about."""

    def __init__(self, browser, site):
        self.site, self.asked, self.said = site, [], []
        context = browser.new_context(viewport={"width": 1280, "height": 800}, offline=True)
        self.page = context.new_page()
        self.page.set_default_timeout(60_000)
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("requestfailed", self.failed)
        self.page.on("console", lambda message: self.said.append(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self.said.append(f"error: {error}"))

    def failed(self, request):
        if "ERR_ABORTED" not in (request.failure or ""):  # the next page was opened while a picture was read
            self.said.append(f"failed: {request.url[:200]}")

    def open(self, name):
        self.page.goto((self.site / name).as_uri())

    @property
    def name(self):
        return self.page.url.partition("#")[0].rsplit("/", 1)[-1]

    def pixels(self, property_):
        return self.page.evaluate(f"document.documentElement.{property_}")


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    site = tmp_path_factory.mktemp("read") / "site"
    build(make_run(tmp_path_factory.mktemp("made")), site)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:  # ended before other tests go on: it keeps an event loop running
        browser = driver.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        yield Reader(browser, site)
        browser.close()


@pytest.fixture(autouse=True)
def quiet(reader):
    """After each test: nothing was asked for from anywhere but the folder, and nothing was complained about."""
    yield
    assert [url for url in reader.asked if not url.startswith(("file:", "data:"))] == []
    assert reader.asked and reader.said == []


def test_the_series_is_walked_from_the_front_page_to_the_results(reader):
    reader.open("index.html")
    reader.page.click(".doors a >> nth=0")
    seen = []
    for entry in SERIES:
        seen.append(reader.name)
        assert entry.title in reader.page.title()
        assert reader.pixels("scrollWidth") <= 1280  # nothing sticks out to the side
        formulas = reader.page.locator("math")
        for index in range(formulas.count()):
            box = formulas.nth(index).bounding_box()
            assert box["width"] > 4 and box["height"] > 6, formulas.nth(index).get_attribute("alttext")
        broken = "[...document.images].filter((i) => i.complete && !i.naturalWidth).length"
        assert reader.page.evaluate(broken) == 0
        reader.page.click(".turn .next")
    assert seen == [f"{entry.name}.html" for entry in SERIES] and reader.name == "results.html"
    reader.page.go_back()
    reader.page.click(".turn .previous")
    assert reader.name == f"{SERIES[-2].name}.html"


def test_mathematics_is_set_and_not_spelt(reader):
    reader.open("20_maps_and_losses.html")
    sizes = """(formula) => { const [above, below] = formula.querySelector("mfrac").children;
      return [above.getBoundingClientRect().bottom, below.getBoundingClientRect().top]; }"""
    above, below = reader.page.locator("math:has(mfrac)").first.evaluate(sizes)
    assert above <= below  # the fraction's parts stand over each other: the browser lays MathML out
    assert "$" not in reader.page.inner_text("section.prose >> nth=3") and reader.page.locator("code.tex").count() == 0


def test_search_finds_a_section_and_opens_it(reader):
    reader.open("index.html")
    reader.page.keyboard.press("/")
    reader.page.keyboard.type("gaussian")
    results = reader.page.locator(".find li a")
    assert results.count() > 0 and "Gaussian" in reader.page.inner_text(".find ol")
    target = results.first.get_attribute("href")
    reader.page.keyboard.press("Enter")
    reader.page.wait_for_url(f"**/{target}")
    anchor = target.partition("#")[2]
    assert reader.page.evaluate(f"document.getElementById({anchor!r}).getBoundingClientRect().top") < 800
    reader.page.fill(".find input", "zzzznothing <b>")
    assert reader.page.inner_text(".find ol") == "nothing found"


def test_code_is_folded_and_unfolded_with_one_button(reader):
    reader.open(f"{SERIES[0].name}.html")
    seen = "[...document.querySelectorAll('.source .highlight')].filter((e) => e.checkVisibility()).length"
    before = reader.page.evaluate(seen)
    reader.page.click(".bar button.code")
    assert before > 3 and reader.page.evaluate(seen) == 0
    reader.page.click(".bar button.code")
    assert reader.page.evaluate(seen) > before  # the parameters too


def test_every_output_is_seen_and_the_colours_follow_the_reader(reader):
    reader.open(f"{SERIES[0].name}.html")
    text = reader.page.inner_text("main")
    for words in ("printed words", "warned words", "a value", "frame", "the player", "step 2", "ValueError: no"):
        assert words in text, words
    paper = "getComputedStyle(document.body).backgroundColor"
    light = reader.page.evaluate(paper)
    reader.page.emulate_media(color_scheme="dark")
    assert reader.page.evaluate(paper) != light
    reader.page.emulate_media(media="print", color_scheme="light")
    assert not reader.page.locator(".side").is_visible() and not reader.page.locator(".bar").is_visible()
    reader.page.emulate_media(media="screen")
