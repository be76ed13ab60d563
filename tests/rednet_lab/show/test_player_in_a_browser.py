"""The player in a real browser, from a file and with the network cut off: what it writes is what the trace says."""

from dataclasses import replace
from html import escape

import nbformat
import pytest

from rednet_lab.show.player import steps_board, track_board
from rednet_lab.show.player.forms import still_forms
from rednet_lab.stamp import make_stamp
from tests.browser.chromium import find_chromium, missing
from tests.rednet_lab.show.test_player import eccv_net, labelled, tracks  # noqa: F401 - fixtures

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing())
TABLE = "all => all.map(row => [...row.children].map(cell => cell.textContent))"
INK = """canvas => { const c = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
  let sum = 0; for (let i = 0; i < c.length; i += 7) sum = (sum * 31 + c[i]) % 1000003; return sum; }"""


@pytest.fixture(scope="module")
def boards(labelled, traces, tracks):  # noqa: F811
    names = [f"yaw {i}" for i in range(4)]
    return [steps_board({"labels": labelled, "maps": traces}, "Two & more", names), track_board(tracks, "A track")]


@pytest.fixture(scope="module")
def exported(boards, tmp_path_factory):
    """A notebook that holds what `show` leaves in a run, through nbconvert's exporter."""
    from rednet_lab.runner.executed import to_html

    outputs = [nbformat.v4.new_output("display_data", still_forms(board)) for board in boards]
    cells = [nbformat.v4.new_code_cell(f"show(board_{i})", outputs=[output]) for i, output in enumerate(outputs)]
    file = tmp_path_factory.mktemp("exported") / "page.html"
    stamp = {"rednet": make_stamp({"profile": "tiny", "source": "face_world", "data": "", "seed": 0, "device": "cpu"})}
    notebook = nbformat.v4.new_notebook(cells=cells, metadata=stamp)
    file.write_text(to_html(notebook, "page"), encoding="utf-8")
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


def written(player):
    return [row for row in player.eval_on_selector_all("tr", TABLE) if row[0]]


def captions(player):
    return player.eval_on_selector_all("figcaption", "all => all.map(c => c.textContent)")


def test_every_moment_says_what_the_trace_says(players, boards, traces):
    for player, board in zip(players, boards, strict=True):
        player.focus()
        count, last = board.moments, len(board.axes[-1][1])
        for moment in range(count):
            assert written(player) == board.table(moment)
            titles = [
                board.caption(column, moment, panel)
                for column in range(len(board.columns))
                for panel in range(len(board.cells[column][moment].titles))
            ]
            assert captions(player) == titles
            player.press("ArrowRight")
            if (moment + 1) % last == 0 and len(board.axes) > 1:  # the last step: on to the next face, from step 1
                player.press("ArrowDown")
                for _ in range(last):
                    player.press("ArrowLeft")
    assert written(players[1])[0][1] == boards[1].table(boards[1].moments - 1)[0][1]


def test_a_chosen_point_has_its_own_numbers_and_picture(players, boards):
    for player, board in zip(players, boards, strict=True):
        before = player.eval_on_selector_all("canvas", f"all => all.map({INK})")
        player.query_selector("select[aria-label=point]").select_option(label=board.channels[30])
        assert written(player) == board.table(0, 30) != board.table(0)
        assert player.eval_on_selector_all("canvas", f"all => all.map({INK})") != before


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
        picture = f"all => all.map({INK})"
        for select in player.query_selector_all("select"):
            before = player.eval_on_selector_all("canvas", picture)
            point = select.get_attribute("aria-label") == "point"
            select.select_option(index=31 if point else 1)  # not every step knows every point
            assert player.eval_on_selector_all("canvas", picture) != before
            select.select_option(index=0)
            assert player.eval_on_selector_all("canvas", picture) == before
        for box in player.query_selector_all("input[type=checkbox]"):
            before = player.eval_on_selector_all("canvas", picture)
            box.click()
            assert player.eval_on_selector_all("canvas", picture) != before
            box.click()


def test_it_plays_and_pauses(page, players, boards):
    player = players[1]
    button = player.query_selector("button")
    button.click()
    wanted = boards[1].table(2)
    page.wait_for_function(
        "([player, text]) => player.querySelector('td').textContent === text",
        arg=[player, wanted[0][1]],
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
    sheets = "all => all.map(s => getComputedStyle(s).display)"
    assert set(page.eval_on_selector_all("figure > img", sheets)) == {"none"}
    page.emulate_media(media="print")
    assert "none" not in page.eval_on_selector_all("figure[data-rednet-player] > img", sheets)
    assert set(page.eval_on_selector_all(".rednet", sheets)) == {"none"}
    page.emulate_media(media="screen")


def test_a_player_that_cannot_start_says_so_and_leaves_the_sheet(page, boards, tmp_path):
    text = still_forms(boards[1])["text/html"]
    torn = text.replace('"bytes":"', '"bytes":"AAAA')
    file = tmp_path / "torn.html"
    file.write_text("<!doctype html><meta charset=utf-8>" + torn, encoding="utf-8")
    other = page.context.new_page()
    other.goto(file.as_uri())
    alert = other.wait_for_selector("[role=alert]")
    assert "could not start" in alert.text_content()
    assert other.eval_on_selector("img", "s => getComputedStyle(s).display") != "none"
    assert other.query_selector(".rednet") is None
    other.close()


def test_titles_are_text_and_no_markup(page, players, boards):
    assert players[0].query_selector("h4").text_content() == boards[0].title != escape(boards[0].title)


def test_without_a_truth_there_is_no_tick_for_it(page, players, tracks, tmp_path):  # noqa: F811
    blind = [replace(frame, truth=None, truth_in_image=None, error=float("nan")) for frame in tracks["memory"]]
    file = tmp_path / "own.html"
    file.write_text("<!doctype html><meta charset=utf-8>" + still_forms(track_board(blind))["text/html"], "utf-8")
    other = page.context.new_page()
    other.goto(file.as_uri())
    ticks = "all => all.map(t => t.parentElement.textContent)"
    own = other.wait_for_selector(".rednet").eval_on_selector_all("input[type=checkbox]", ticks)
    assert own == ["face box"]
    assert players[1].eval_on_selector_all("input[type=checkbox]", ticks) == [*own, "the truth (green crosses)"]
    other.close()
