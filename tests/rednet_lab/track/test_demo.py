"""The page of the live network: what it needs is fetched once and checked; in a real browser it equals PyTorch."""

import threading
from contextlib import contextmanager

import cv2
import numpy as np
import pytest
import torch

from data_prep.errors import DataError
from rednet_core.tracking import Tracker
from rednet_lab.files import read_json
from rednet_lab.track import demo, exported
from rednet_lab.track.follow import slip
from rednet_lab.workbench.shipped import open_weights
from tests.browser.chromium import ARGUMENTS, find_chromium, missing


def reason() -> str:
    """Return why the page cannot be tried here; empty where it can."""
    if lacking := [name for name in exported.NEEDS if exported.find_spec(name) is None]:
        return f"not installed: {', '.join(lacking)} (pip install '.[onnx]')"
    try:
        demo.runtime(fetch=False)
    except DataError:
        return "the runtime for browsers is not in the cache: python3 go.py demo --fetch"
    return missing()


def test_a_runtime_that_is_not_there_or_not_what_it_should_be_is_told_with_the_fix(cache, tmp_path, monkeypatch):
    monkeypatch.setattr(demo.shutil, "which", lambda name: None)
    with pytest.raises(DataError, match=r"not in the cache.*install Node.js.*--archive FILE"):
        demo.runtime()
    (tmp_path / "other.tgz").write_bytes(b"not it")
    with pytest.raises(DataError, match="not the archive it should be"):
        demo.runtime(tmp_path / "other.tgz")
    assert not cache.exists() or not list(cache.iterdir())


def test_the_server_is_for_this_machine_and_names_modules_as_browsers_want_them(tmp_path):
    with demo.server(tmp_path) as running:
        assert running.server_address[0] == "127.0.0.1"
    kinds = {kind: demo.Pages.extensions_map[kind] for kind in (".mjs", ".js", ".wasm")}
    assert kinds == {".mjs": "text/javascript", ".js": "text/javascript", ".wasm": "application/wasm"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    if said := reason():
        pytest.skip(said)
    to = tmp_path_factory.mktemp("demo")
    demo.build(open_weights(), to)
    return to


def tiles(folder) -> list[np.ndarray]:
    """Return the clip's frames, and the other face behind them, as the page has them."""
    sheet = np.array(demo.Image.open(folder / "sample.webp"))
    side = demo.SIDE
    rows = sheet.reshape(-1, side, demo.ACROSS, side, 3).swapaxes(1, 2).reshape(-1, side, side, 3)
    return list(rows[: demo.FRAMES + 1])


@pytest.fixture(scope="module")
def opened(folder):
    """Return a function that opens the page in a browser whose camera shows the clip."""
    from playwright.sync_api import sync_playwright

    film = folder / "camera.mjpeg"
    film.write_bytes(b"".join(cv2.imencode(".jpg", tile[..., ::-1])[1].tobytes() for tile in tiles(folder)[:-1]))
    camera = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    running = demo.server(folder)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{running.server_address[1]}/"
    with sync_playwright() as driver:
        arguments = [*ARGUMENTS, *camera, f"--use-file-for-fake-video-capture={film}"]
        browser = driver.chromium.launch(executable_path=find_chromium(), args=arguments)

        @contextmanager
        def open_page(**options):
            page, wrong = browser.new_page(**options), []
            page.set_default_timeout(240_000)
            page.on("pageerror", lambda error: wrong.append(str(error)))
            page.on("request", lambda ask: ask.url.startswith((address, "blob:", "data:")) or wrong.append(ask.url))
            page.goto(address)
            page.wait_for_function("window.demo && /Running|first frame/.test(document.body.textContent)")
            yield page
            assert wrong == []
            page.close()

        yield open_page
        browser.close()
    running.shutdown()
    running.server_close()


LOOK = """async ([i, box, how]) => {
  const n = 7 * demo.told.map ** 2, z1 = how === "cut" ? new Float32Array(n) : null;
  return (await demo.look(demo.tile(i), { box, points: null, memory: null }, { z1 })).points; }"""


@pytest.fixture(scope="module")
def page(opened):
    with opened(viewport={"width": 1280, "height": 800}, reduced_motion="reduce") as page:
        yield page


def test_the_page_finds_pytorchs_points_to_a_hundredth_of_a_pixel(page, folder):
    assert page.evaluate("demo.off") < 0.01 and "from PyTorch's" in page.text_content("#parity")
    net, told, frames = open_weights(), read_json(folder / "network.json"), tiles(folder)
    x, y, side = told["sample"]["box"]
    tracker = Tracker(net)
    for number, box in ((9, [x + 0.2 * side, y, 0.8 * side]), (20, [x, y, 2.6 * side]), (24, told["sample"]["other"])):
        tracker.start(np.array(box))
        points = np.array(page.evaluate(LOOK, [number, box, "own"]))
        assert np.abs(points - tracker.update(frames[number]).points[0]).max() < 0.01, box
        measured = page.evaluate("([i, box]) => demo.slipOf(demo.tile(i), box)", [number, box])
        assert measured == pytest.approx(slip(tracker, frames[number], np.array(box))[0], abs=1e-3)


def test_cutting_the_feedback_is_what_a_network_without_feedback_computes(page, folder):
    net, told = open_weights(), read_json(folder / "network.json")
    box, tracker = told["sample"]["box"], Tracker(net)
    tracker.net.feedback = lambda raw, step: torch.zeros_like(tracker.net.first_guess(len(raw)))
    tracker.start(np.array(box))
    wanted = tracker.update(tiles(folder)[0]).points[0]
    cut = np.array(page.evaluate(LOOK, [0, box, "cut"]))
    assert np.abs(cut - wanted).max() < 0.01 < np.abs(cut - page.evaluate(LOOK, [0, box, "own"])).max()


def test_a_reader_goes_step_by_step_and_moves_the_box_and_the_switches(page):
    assert not page.evaluate("demo.state().running")  # little motion was asked for
    faded = "document.querySelectorAll('.later').length"
    for left in (3, 2, 1, 0, 0):
        page.click("#next")
        page.wait_for_function(f"{faded} === {left}")
    assert "next frame's box" in page.text_content("#status")
    before = page.evaluate("demo.state().seen.points")
    for change in ("document.querySelector('[value=other]').click()", "document.querySelector('[value=own]').click()"):
        page.evaluate(change)
        page.wait_for_function("b => (JSON.stringify(demo.state().seen.points) !== b)", arg=str(before))
    page.evaluate("() => { const s = document.querySelector('#right'); s.value = 20; s.oninput(); }")
    page.wait_for_function("demo.state().seen.used[0] > demo.state().track.box[0] + 5")
    page.click("#reset")
    page.wait_for_function("demo.state().seen.used[0] === demo.state().track.box[0]")


def test_a_face_is_found_in_the_camera_and_in_a_file(page, folder, tmp_path):
    truth = read_json(folder / "network.json")["sample"]["box"]
    page.select_option("#source", "camera")
    page.wait_for_function("demo.state().opened === 'camera' && demo.state().track.held")
    x, y, side = page.evaluate("demo.state().seen.box")
    width = page.evaluate("document.querySelector('#view').width")
    assert abs(x / width - truth[0] / demo.SIDE) < 0.15 and 0.6 < side / width / (truth[2] / demo.SIDE) < 1.6
    cv2.imwrite(str(tmp_path / "own.png"), tiles(folder)[0][..., ::-1])
    page.select_option("#source", "file")
    page.set_input_files("#file", tmp_path / "own.png")
    page.wait_for_function("demo.state().opened === 'file' && demo.state().track.held")
    assert np.abs(np.array(page.evaluate("demo.state().seen.box")) - truth).max() < 0.2 * truth[2]


def test_every_control_is_reached_by_the_keyboard_and_a_telephone_shows_all(page):
    page.click("#run")
    page.wait_for_function("!demo.state().running")
    reached = set()
    for _ in range(24):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id || document.activeElement.name"))
    assert {"source", "run", "next", "feedback", "freeze", "watch", "right", "down", "size", "reset"} <= reached
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.locator("#memory").is_hidden()  # the shipped network has none
