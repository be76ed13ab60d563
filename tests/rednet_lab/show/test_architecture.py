"""The drawings of the networks: their numbers are the network's, nothing covers a word, and words say what is drawn."""

import re
from functools import cache
from xml.etree import ElementTree

import pytest
import torch
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath

from rednet_core.rednet import NetConfig, RedNet
from rednet_lab.show import architecture
from rednet_lab.show.svg import WIDTH, Canvas

SVG = "{http://www.w3.org/2000/svg}"
NARROWER = 0.9  # Arial's letters beside DejaVu's, which matplotlib brings everywhere (measured: 0.87)
papers = cache(architecture.papers)  # a network is measured once
DRAWINGS = {
    "journal": lambda: architecture.network(papers()),
    "journal, ResNet": lambda: architecture.network(papers("resnet")),
    "journal, spatial loop": lambda: architecture.network(papers(temporal=False, identities=0), frames=1),
    "journal, temporal": lambda: architecture.network(papers(steps=("regression",))),
    "ECCV": lambda: architecture.network(papers("eccv")),
    "ECCV, spatial loop": lambda: architecture.network(papers("eccv", temporal=False, identities=0), frames=1),
    "VGG": lambda: architecture.stack(papers()),
    "ResNet": lambda: architecture.stack(papers("resnet")),
    "ECCV stack": lambda: architecture.stack(papers("eccv")),
    "branches": lambda: architecture.branches(papers()),
    "branches, ResNet": lambda: architecture.branches(papers("resnet", update="residual")),
    "ECCV branches": lambda: architecture.branches(papers("eccv")),
    "feedbacks": lambda: architecture.feedbacks(papers("eccv"), papers("eccv", feedback="prob_maps")),
}
DRAWINGS = {name: cache(drawn) for name, drawn in DRAWINGS.items()}


@pytest.fixture(scope="module", params=DRAWINGS, ids=lambda name: name.replace(" ", "_"))
def drawing(request):
    return DRAWINGS[request.param]()


def elements(drawing, kind):
    return list(ElementTree.fromstring(drawing.svg).iter(SVG + kind))


def words(drawing):
    return ["".join(text.itertext()) for text in elements(drawing, "text")]


def text_boxes(drawing):
    """Return (words, left, top, right, bottom) of each text, as wide as its letters are."""
    found = []
    for text in elements(drawing, "text"):
        said, size = "".join(text.itertext()), float(text.get("font-size"))
        if not said:
            continue
        font = FontProperties(family="DejaVu Sans", weight=text.get("font-weight", "normal"))
        wide = NARROWER * TextPath((0, 0), said, size=size, prop=font).get_extents().x1
        x, y = float(text.get("x")), float(text.get("y"))
        left = x - {"start": 0, "middle": wide / 2, "end": wide}[text.get("text-anchor")]
        box = left, y - 0.75 * size, left + wide, y + 0.25 * size
        if text.get("transform"):  # turned by a quarter about its middle
            middle = y - 0.35 * size
            box = x - size / 2, middle - wide / 2, x + size / 2, middle + wide / 2
        found.append((said, *box))
    return found


def apart(a, b):
    return a[3] <= b[1] or b[3] <= a[1] or a[4] <= b[2] or b[4] <= a[2]


def test_no_word_covers_another_or_leaves_the_drawing(drawing):
    boxes, height = text_boxes(drawing), float(ElementTree.fromstring(drawing.svg).get("height"))
    for i, a in enumerate(boxes):
        assert 0 <= a[1] and a[3] <= WIDTH and 0 <= a[2] and a[4] <= height, a
        for b in boxes[i + 1 :]:
            assert apart(a, b), (a, b)


def test_no_line_runs_through_a_word(drawing):
    frames = [[float(box.get(side)) for side in ("x", "y", "width", "height")] for box in elements(drawing, "rect")[1:]]
    for said, left, top, right, bottom in text_boxes(drawing):
        x, y = (left + right) / 2, (top + bottom) / 2
        if any(a <= x <= a + w and b <= y <= b + h for a, b, w, h in frames):
            continue  # in a box, which covers what is under it
        for line in elements(drawing, "polyline"):
            points = [tuple(map(float, pair.split(","))) for pair in line.get("points").split()]
            for (x0, y0), (x1, y1) in zip(points, points[1:], strict=False):
                spans = (min(x0, x1), max(x0, x1), left, right), (min(y0, y1), max(y0, y1), top, bottom)
                assert not all(low < end and start < high for low, high, start, end in spans), (said, points)


def test_the_checks_see_what_covers_what():
    c = Canvas(100)
    c.text(50, 50, "covered")
    c.text(70, 52, "covering")
    c.arrow((10, 50), (90, 50))
    drawing = c.drawing("")
    with pytest.raises(AssertionError):
        test_no_word_covers_another_or_leaves_the_drawing(drawing)
    with pytest.raises(AssertionError):
        test_no_line_runs_through_a_word(drawing)


def test_real_text_on_white_with_words_for_what_is_drawn(drawing):
    assert len(drawing.svg) < 60_000 and 'fill="white"' in drawing.svg.split("\n")[2]
    assert ElementTree.fromstring(drawing.svg).find(SVG + "title").text == drawing.alt
    sizes = [float(text.get("font-size")) for text in elements(drawing, "text")]
    assert min(sizes) >= 13, "smaller letters cannot be read at half width"


def test_a_notebook_gets_the_drawing_with_its_words(drawing):
    data, facts = drawing._repr_mimebundle_()
    assert data == {"image/svg+xml": drawing.svg, "text/plain": drawing.alt}
    assert facts == {"image/svg+xml": {"alt": drawing.alt}}


def test_the_words_name_the_parts():
    for part in ("fenc", "fdec", "fsrn", "ftrn", "fcls", "ei", "ep", "Spatial steps: 2", "frames: 2"):
        assert part in DRAWINGS["journal"]().alt
    for part in ("fENC", "fDENC", "fsRNN", "ftRNN", "fCLS", "fREG", "Spatial steps: 3"):
        assert part in DRAWINGS["ECCV"]().alt
    assert "fREG" not in DRAWINGS["journal"]().alt and "ftrn" not in DRAWINGS["journal, spatial loop"]().alt
    for part in ("A0 64", "A4 512", "e 512 × 8", "B1 128", "head 68", "switches"):
        assert part in DRAWINGS["VGG"]().alt
    assert "skip branches" in DRAWINGS["ResNet"]().alt and "argmax" in DRAWINGS["feedbacks"]().alt


def row(drawing, label):
    """Return the numbers that stand to the right of a label in the table of blocks."""
    texts = elements(drawing, "text")
    height = next(text.get("y") for text in texts if text.text == label)
    beside = [text for text in texts if text.get("y") == height and (text.text or "").isdigit()]
    return [int(text.text) for text in sorted(beside, key=lambda text: float(text.get("x")))]


@pytest.mark.parametrize("width", [0.25, 0.5])
def test_the_channels_of_the_blocks_are_those_of_the_modules(width):
    vgg, resnet, eccv = (papers(design, width=width) for design in ("vgg", "resnet", "eccv"))
    body = vgg.backbone
    out = [getattr(body, f"A{i}").convs[-1].conv.out_channels for i in range(5)]
    back = [getattr(body, f"B{i}").convs[-1].conv.out_channels for i in (4, 3, 2, 1)]
    assert row(architecture.stack(vgg), "channels") == [3, *out, body.code_channels, *back, 68]
    body = resnet.backbone
    out = [getattr(body, f"C{i}").units[-1].expand.conv.out_channels for i in (1, 2, 3, 4)]
    back = [getattr(body, f"D{i}").mix.conv.out_channels for i in (4, 3, 2, 1)]
    stem = body.C0.conv.out_channels
    assert row(architecture.stack(resnet), "channels") == [3, stem, *out, body.code_channels, *back, 68]
    out = [block.convs[-1].conv.out_channels for block in eccv.encoder]
    back = [block.convs[-1].conv.out_channels for block in reversed(eccv.decoder)]
    assert row(architecture.stack(eccv), "channels") == [3, *out, out[-1], *back, eccv.head.out_channels]


def test_the_sizes_are_the_papers_and_change_with_the_input():
    assert row(DRAWINGS["VGG"](), "size, px") == [256, 256, 128, 64, 32, 16, 8, 16, 32, 64, 128, 128]
    assert row(DRAWINGS["ResNet"](), "size, px") == [256, 128, 64, 32, 16, 8, 8, 16, 32, 64, 128, 128]
    small = architecture.stack(papers(input_size=64))
    assert row(small, "size, px") == [64, 64, 32, 16, 8, 4, 2, 4, 8, 16, 32, 32]


@pytest.mark.parametrize(("hidden", "persons", "markup", "points"), [(256, 105, "ibug68", 68), (64, 7, "seven", 7)])
def test_the_whole_network_says_its_own_numbers(hidden, persons, markup, points):
    said = words(architecture.network(papers(hidden=hidden, identities=persons, markup=markup, input_size=64)))
    assert said.count(f"ftrn: LSTM {hidden}") == 4  # two steps of two frames
    assert said.count(f"{persons} persons") == 2 and said.count(f"{points} × 32 × 32") == (4 if points == 7 else 2)
    assert said.count("fsrn: z, 7 × 32 × 32") == 2 and said.count("ep: 256 × 2 × 2") == 4


def test_the_layers_behind_the_code_say_their_own_numbers():
    net = papers("eccv", width=0.5, hidden=32, identities=9, markup="seven", input_size=64)
    said = " ".join(words(architecture.branches(net)))
    r2 = net.f_reg.R2.conv
    joined = r2.in_channels - net.f_reg.R1.conv.out_channels
    for part in ("LSTM 32", "linear 9", f"R2 conv {r2.out_channels} 32 × 32 + {joined} in", "linear 14"):
        assert part in said
    said = words(architecture.feedbacks(net, papers("eccv", feedback="prob_maps", markup="seven", input_size=64)))
    assert said.count("4 × 64 × 64") == 1 and said.count("11 × 64 × 64") == 1  # 3 + 1 and 3 + 8 channels


def test_a_live_network_is_left_as_it_was():
    net = RedNet(NetConfig(input_size=32, width=0.125, temporal=True)).train()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    assert re.search("LSTM 256", architecture.network(net).svg)
    assert net.training and not any(part._forward_hooks for part in net.modules())
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())


def test_the_tracked_overview_is_what_the_command_makes():
    kept = architecture.FILE.read_text(encoding="utf-8")
    assert kept == architecture.overview(), "run python -m rednet_lab.show.architecture"
    assert "python -m rednet_lab.show.architecture" in kept
