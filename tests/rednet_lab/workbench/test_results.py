"""What a notebook leaves: small pictures, the same bytes for the same figure, a list that is always whole."""

import io
import json
import math

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from rednet_lab.show import draw, plots
from rednet_lab.show.svg import Canvas
from rednet_lab.workbench.lab import Results

STAMP = {"profile": "smoke", "seed": 3}


@pytest.fixture(autouse=True)
def course_style():
    with plt.rc_context():
        plots.use_style()
        yield
    plt.close("all")


@pytest.fixture
def results(tmp_path):
    return Results(tmp_path / "smoke" / "10_a", STAMP)


def listed(results):
    return json.loads((results.folder / "results.json").read_text(encoding="utf-8"))


def curve():
    figure, ax = plt.subplots(figsize=(4, 3))
    ax.plot(np.linspace(0, 1, 50) ** 2, label="a")
    ax.set(xlabel="step", ylabel="error (%)")
    ax.legend()
    return figure


def noise(width, height):
    """The worst case: a figure of pixels that have nothing to do with each other."""
    figure, ax = plt.subplots(figsize=(width, height))
    ax.imshow(np.random.default_rng(0).integers(0, 255, (900, 900, 3), np.uint8), aspect="auto")
    ax.set_axis_off()
    return figure


# A page-wide figure of noise, and one whose noise would take far more than the limit at 35 dots an inch.
@pytest.mark.parametrize(("width", "height", "limit"), [(7, 3, draw.PNG_LIMIT), (3, 2, 1500)])
def test_a_png_is_small_whatever_is_on_it(width, height, limit):
    packed = draw.small_png(noise(width, height), limit)
    assert len(packed) <= limit
    image = Image.open(io.BytesIO(packed)).convert("RGB")
    image.load()
    assert image.width / image.height == pytest.approx(width / height, rel=0.2)


def test_a_plain_png_is_fine_and_keeps_its_colours():
    figure, axes = plt.subplots(1, 2, figsize=(7, 3))
    for ax, colour in zip(axes, ("red", "blue"), strict=True):
        ax.set(facecolor=colour, xticks=[], yticks=[])
    image = Image.open(io.BytesIO(draw.small_png(figure))).convert("RGB")
    assert image.width > 1000  # the finest resolution, as it fits
    middle = image.height // 2
    for x, colour in ((image.width // 4, (255, 0, 0)), (3 * image.width // 4, (0, 0, 255))):
        assert np.abs(np.subtract(image.getpixel((x, middle)), colour)).max() < 12


@pytest.mark.parametrize("vector", [True, False])
def test_the_same_figure_is_the_same_bytes(tmp_path, vector):
    found = []
    for run in ("a", "b"):
        results = Results(tmp_path / run, STAMP)
        results.figure(curve(), "curve", "A curve", "rising", vector=vector)
        (entry,) = listed(results)["figures"]
        found.append((results.folder / entry["file"]).read_bytes())
    assert found[0] == found[1]
    assert found[0][:5] == (b"<?xml" if vector else b"\x89PNG\r")


def test_everything_is_listed_with_the_stamp(results):
    frame = pd.DataFrame({"group": ["common"], "error": [4.25], "words": ["a, b"]})
    figure = curve()
    results.figure(figure, "curve", "A curve", "rising", hero=True)
    assert not plt.fignum_exists(figure.number)  # shown once, and closed
    assert results.table(frame, "errors", "Errors") is frame
    assert results.number("nme", np.float32(4.25), "%", "error", "less is better", headline=True) == 4.25
    results.number("plain", 3)
    assert listed(results) == {
        "stamp": STAMP,
        "figures": [{"file": "curve.svg", "caption": "A curve", "alt": "rising", "hero": True}],
        "tables": [{"file": "errors.csv", "caption": "Errors"}],
        "numbers": {
            "nme": {"value": 4.25, "unit": "%", "label": "error", "note": "less is better", "headline": True},
            "plain": {"value": 3.0, "unit": "", "label": "plain", "note": "", "headline": False},
        },
    }
    assert (results.folder / "errors.csv").read_bytes() == b'group,error,words\ncommon,4.25,"a, b"\n'
    assert {path.name for path in results.folder.iterdir()} == {"curve.svg", "errors.csv", "results.json"}


def test_saved_again_replaces_what_was_there(results):
    results.table(pd.DataFrame({"a": [1]}), "t", "first")
    results.table(pd.DataFrame({"a": [2]}), "t", "second")
    results.number("n", 1)
    results.number("n", 2)
    assert listed(results)["tables"] == [{"file": "t.csv", "caption": "second"}]
    assert listed(results)["numbers"]["n"]["value"] == 2 and (results.folder / "t.csv").read_text() == "a\n2\n"


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, np.float32("nan")])
def test_a_number_that_is_none_is_refused(results, value):
    results.number("good", 1)
    with pytest.raises(ValueError, match="'bad' is not finite"):
        results.number("bad", value)
    assert list(listed(results)["numbers"]) == ["good"]


def test_a_save_that_fails_changes_neither_file_nor_list(results, monkeypatch):
    results.table(pd.DataFrame({"a": [1]}), "t", "first")
    results.figure(curve(), "curve", "A curve", "rising")
    before, drawn = listed(results), (results.folder / "curve.svg").read_bytes()

    def half(self, path, *_, **__):
        with open(path, "w") as file:
            file.write("ha")
        raise OSError("disk full")

    monkeypatch.setattr(pd.DataFrame, "to_csv", half)
    monkeypatch.setattr(plt.Figure, "savefig", half)
    with pytest.raises(OSError, match="disk full"):
        results.table(pd.DataFrame({"a": [2]}), "t", "second")
    with pytest.raises(OSError, match="disk full"):
        results.figure(curve(), "curve", "Another", "rising")
    assert listed(results) == before and (results.folder / "t.csv").read_text() == "a\n1\n"
    assert (results.folder / "curve.svg").read_bytes() == drawn


def test_a_drawing_is_saved_as_it_is_with_its_own_words(results):
    canvas = Canvas(20)
    canvas.text(50, 10, "e_p × 8")
    drawing = canvas.drawing("e_p with 8 channels")
    assert results.drawing(drawing, "architecture", "a code") is drawing
    assert (results.folder / "architecture.svg").read_text(encoding="utf-8") == drawing.svg
    entry = {"file": "architecture.svg", "caption": "a code", "alt": "ep with 8 channels", "hero": False}
    assert listed(results)["figures"] == [entry]
