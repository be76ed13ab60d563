"""The player in a real browser, from a file, with the network cut off: it writes what the storyboard says."""

import base64
from dataclasses import replace

import nbformat
import pytest
from nbconvert import HTMLExporter

from rednet_lab.show import draw
from rednet_lab.show.player import PLAYER, forms
from rednet_lab.show.storyboard import ALL, LEVELS, step_storyboard, track_storyboard
from tests.browser.chromium import find_chromium, missing

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing())
TABLE = "all => all.map(row => [...row.children].map(cell => cell.textContent))"
PIXELS = """canvas => { const c = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
  let sum = 0; for (let i = 0; i < c.length; i += 7) sum = (sum * 31 + c[i]) % 1000003; return sum; }"""
PICTURES = f"all => all.map({PIXELS})"


@pytest.fixture(scope="module")
def stories(both, tracks):
    return [both, track_storyboard(tracks, "A track")]


@pytest.fixture(scope="module")
def exported(stories, tmp_path_factory):
    """A notebook that holds what `show` leaves, through nbconvert's own exporter."""
    outputs = [nbformat.v4.new_output("display_data", forms(story)) for story in stories]
    cells = [nbformat.v4.new_code_cell(f"show(story_{i})", outputs=[output]) for i, output in enumerate(outputs)]
    file = tmp_path_factory.mktemp("exported") / "page.html"
    file.write_text(HTMLExporter().from_notebook_node(nbformat.v4.new_notebook(cells=cells))[0], encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def page(exported):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        context = browser.new_context(offline=True, viewport={"width": 1280, "height": 800})
        page = context.new_page()
        page.wrong = []
        page.on("pageerror", lambda error: page.wrong.append(str(error)))
        page.goto(exported.as_uri(), wait_until="domcontentloaded")
        page.wait_for_function("document.querySelectorAll('.rednet').length === 2", timeout=60_000)
        yield page
        browser.close()


@pytest.fixture
def players(page):
    """Both players, at their first moments."""
    for player in page.query_selector_all(".rednet"):
        for slider in player.query_selector_all("input[type=range]"):
            slider.evaluate("s => { s.value = 0; s.dispatchEvent(new Event('input')); }")
        for select in player.query_selector_all("select"):
            select.select_option(index=0)
    yield page.query_selector_all(".rednet")
    assert not [text for text in page.wrong if "require" not in text and "MathJax" not in text]


@pytest.fixture
def alone(page, tmp_path):
    """Return a function that opens a piece of HTML as a page of its own."""
    opened = []

    def show(html, **options):
        file = tmp_path / f"{len(opened)}.html"
        file.write_text("<!doctype html><meta charset=utf-8>" + html, encoding="utf-8")
        opened.append(page.context.browser.new_page(**options))
        opened[-1].goto(file.as_uri())
        return opened[-1]

    yield show
    for each in opened:
        each.close()


def numbers(story, moment, channel=ALL):
    """The table as it should be written: [label, of column 1, ...] for each row."""
    columns = range(len(story.columns))
    return [[row.label, *(row.text(c, moment, channel) for c in columns)] for row in story.rows]


def captions(story, moment):
    """What should stand over the panels."""
    found = []
    for c, name in enumerate(story.columns):
        titles = list(story.cells[c][moment].titles)
        titles[0] = ", ".join(filter(None, [name, titles[0]]))
        titles[-1] = ", ".join(filter(None, [titles[-1], story.headline(c, moment)]))
        found += titles
    return found


def written(player):
    return [row for row in player.eval_on_selector_all("tr", TABLE) if row[0]]


def test_every_moment_says_what_the_storyboard_says(players, stories):
    for player, story in zip(players, stories, strict=True):
        player.focus()
        last = len(story.axes[-1][1])
        for moment in range(len(story.cells[0])):
            assert written(player) == numbers(story, moment)
            seen = player.eval_on_selector_all("figcaption", "all => all.map(c => c.textContent)")
            assert seen == captions(story, moment)
            player.press("ArrowRight")
            if (moment + 1) % last == 0 and len(story.axes) > 1:  # the last step: on to the next face, from step 1
                player.press("ArrowDown")
                for _ in range(last):
                    player.press("ArrowLeft")


def test_a_chosen_point_has_its_own_numbers_and_picture(players, stories):
    for player, story in zip(players, stories, strict=True):
        before = player.eval_on_selector_all("canvas", PICTURES)
        player.query_selector("select[aria-label=point]").select_option(label=story.channels[30])
        assert written(player) == numbers(story, 0, 30) != numbers(story, 0)
        assert player.eval_on_selector_all("canvas", PICTURES) != before


def test_every_control_is_reached_by_the_keyboard_and_answers(page, players):
    for player in players:
        player.focus()
        reached = set()
        for _ in range(20):
            page.keyboard.press("Tab")
            kind = page.evaluate("() => document.activeElement.closest('.rednet') && document.activeElement.outerHTML")
            reached |= {kind} - {None}
        controls = player.eval_on_selector_all("button, select, input", "all => all.map(c => c.outerHTML)")
        assert set(controls) <= reached
        for select in player.query_selector_all("select"):
            point = select.get_attribute("aria-label") == "point"
            before = player.eval_on_selector_all("canvas", PICTURES)
            select.select_option(index=31 if point else 1)  # not every step knows every point
            assert player.eval_on_selector_all("canvas", PICTURES) != before
            select.select_option(index=0)
            assert player.eval_on_selector_all("canvas", PICTURES) == before
        for box in player.query_selector_all("input[type=checkbox]"):
            before = player.eval_on_selector_all("canvas", PICTURES)
            box.click()
            assert player.eval_on_selector_all("canvas", PICTURES) != before
            box.click()


def test_a_map_is_painted_as_the_storyboard_holds_it(players, stories):
    story, player = stories[0], players[0]
    player.query_selector("select[aria-label=maps]").select_option(label="alone")
    layer = story.cells[1][0].answer
    highest, canvas = layer.maps.max(0), player.query_selector_all("canvas")[4]
    look = "(c, [x, y]) => [...c.getContext('2d').getImageData(x, y, 1, 1).data].slice(0, 3)"
    side = 480 / len(highest)
    for y, x in ((0, 0), (5, 9), divmod(int(highest.argmax()), len(highest))):
        seen = canvas.evaluate(look, [int((x + 0.5) * side), int((y + 0.5) * side)])
        assert seen == draw.heat(highest / LEVELS)[y, x].tolist()


def test_it_plays_and_pauses(page, players, stories):
    player, story = players[1], stories[1]
    button = player.query_selector("button")
    button.click()
    page.wait_for_function(
        "([player, text]) => player.querySelector('td').textContent === text",
        arg=[player, numbers(story, 2)[0][1]],
        timeout=20_000,
    )
    button.click()
    stopped = written(player)
    page.wait_for_timeout(400)
    assert written(player) == stopped and button.get_attribute("aria-pressed") == "false"


def test_pictures_are_described_and_the_sheet_is_for_print(page, players):
    for player in players:
        labels = player.eval_on_selector_all("canvas", "all => all.map(c => c.getAttribute('aria-label'))")
        assert all(labels) and len(set(labels)) == len(labels)
    sheets, shown = f"figure[{PLAYER}] > img", "all => all.map(s => getComputedStyle(s).display)"
    assert set(page.eval_on_selector_all(sheets, shown)) == {"none"}
    page.emulate_media(media="print")
    assert "none" not in page.eval_on_selector_all(sheets, shown)
    assert set(page.eval_on_selector_all(".rednet", shown)) == {"none"}
    page.emulate_media(media="screen")


def test_it_fits_the_window(players):
    for player in players:
        assert player.bounding_box()["height"] < 800


def test_on_a_telephone_it_is_no_wider_than_the_page_and_takes_its_colours(alone, stories):
    dark = "<body style='background: #111; color: #eee'>" + "".join(forms(story)["text/html"] for story in stories)
    other = alone(dark, viewport={"width": 390, "height": 800})
    other.wait_for_function("document.querySelectorAll('.rednet').length === 2")
    assert other.evaluate("document.documentElement.scrollWidth") <= 390
    for selector in (".rednet td", ".rednet button", ".rednet figcaption"):
        style = other.eval_on_selector(
            selector, "e => [getComputedStyle(e).color, getComputedStyle(e).backgroundColor]"
        )
        assert style == ["rgb(238, 238, 238)", "rgba(0, 0, 0, 0)"]


def test_who_wants_little_motion_gets_a_slow_player(alone, stories):
    other = alone(forms(stories[1])["text/html"], reduced_motion="reduce")
    button = other.wait_for_selector(".rednet button")
    other.clock.install()  # the page's own time is told by this test, however slow the machine
    button.click()
    for milliseconds, frame in ((700, "0"), (600, "1")):  # five frames at the usual pace; then one at the slow one
        other.clock.run_for(milliseconds)
        assert other.eval_on_selector("input[type=range]", "s => s.value") == frame


def test_a_player_that_cannot_start_says_so_and_leaves_the_sheet(alone, stories):
    torn = forms(stories[1])["text/html"].replace('<script type="text/plain">', '<script type="text/plain">AAAA')
    other = alone(torn)
    assert "could not start" in other.wait_for_selector("[role=alert]").text_content()
    assert other.eval_on_selector("img", "s => getComputedStyle(s).display") != "none"
    assert other.query_selector(".rednet") is None


def test_without_scripts_the_contact_sheet_is_seen(alone, stories):
    data = forms(stories[0])
    other = alone(data["text/html"], java_script_enabled=False)
    image = other.query_selector("img")
    assert image.is_visible() and image.bounding_box()["width"] > 300
    assert image.get_attribute("alt") == data["text/plain"]
    src = image.get_attribute("src").removeprefix("data:image/jpeg;base64,")
    assert base64.b64decode(src) == base64.b64decode(data["image/jpeg"])


def test_titles_are_text_and_no_markup(players, stories):
    assert players[0].query_selector("h4").text_content() == stories[0].title


def test_without_a_truth_there_is_no_tick_for_it(alone, players, tracks):
    blind = [replace(frame, truth=None, truth_in_image=None, error=float("nan")) for frame in tracks["memory"]]
    ticks = "all => all.map(t => t.parentElement.textContent)"
    other = alone(forms(track_storyboard(blind))["text/html"])
    own = other.wait_for_selector(".rednet").eval_on_selector_all("input[type=checkbox]", ticks)
    assert own == ["face box"]
    assert players[1].eval_on_selector_all("input[type=checkbox]", ticks) == [*own, "the truth (green crosses)"]


def test_a_change_between_maps_of_unequal_size_is_taken_place_by_place(alone, traces):
    detection, regression = traces[0].steps
    half = regression.before[:, ::2, ::2]
    seen = []
    for before in (half, half.repeat(2, 1).repeat(2, 2)):
        steps = [detection, replace(regression, before=before)]
        page = alone(forms(step_storyboard([replace(traces[0], steps=steps)]))["text/html"])
        player = page.wait_for_selector(".rednet")
        player.query_selector("input[aria-label='spatial step']").evaluate(
            "s => { s.value = 1; s.dispatchEvent(new Event('input')); }"
        )
        player.query_selector("select[aria-label=maps]").select_option(label="change")
        seen.append(player.query_selector_all("canvas")[1].evaluate(PIXELS))
        assert player.query_selector("[role=alert]").text_content() == ""
    assert seen[0] == seen[1]
