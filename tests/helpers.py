"""What the tests build their cases from: a drawn face, a small data set, a tiny network, plain-loop references.

Nothing here is taken from the code under test but its plain types: the face is drawn by hand, references are
written in float64 loops.
"""

import math
import os
import re
import time
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

# Real faces are never part of the project: tests use them where they are, and skip where they are not.
_BESIDE = Path(__file__).resolve().parents[2] / "shared" / "data" / "youtube_faces_keypoints"
REAL_FACES = Path(os.environ.get("REDNET_REAL_FACES") or _BESIDE)
needs_real_faces = pytest.mark.skipif(
    not REAL_FACES.is_dir(), reason="no real faces here: set REDNET_REAL_FACES to a folder in the Udacity layout"
)
# A folder with helen/ and lfpw/ in iBUG's form (research use): the same.
REAL_STILLS = Path(os.environ.get("REDNET_REAL_STILLS") or _BESIDE.parent)
needs_real_stills = pytest.mark.skipif(
    not all((REAL_STILLS / name / "testset").is_dir() for name in ("helen", "lfpw")),
    reason="no real stills here: set REDNET_REAL_STILLS to a folder with helen/ and lfpw/ in iBUG's form",
)

L = 68
CORNERS = (36, 39, 42, 45, 48, 54)  # four eye corners, two mouth corners (DATASETS 0.1)


def template() -> np.ndarray:
    """A frontal face (68, 2), mirror-symmetric about x = 0, in the 68-point order; its face box is (0, 0, 1)."""
    points = np.zeros((L, 2))
    for i in range(17):  # the jaw: half an ellipse from ear to ear, through the chin
        angle = math.pi * (1 - i / 16)
        points[i] = 0.44 * math.cos(angle), -0.10 + 0.55 * math.sin(angle)
    for i in range(5):  # brows, from the outside in and from the inside out
        x, lift = 0.34 - 0.06 * i, 0.03 * math.sin(math.pi * (i + 0.5) / 5)
        points[17 + i] = -x, -0.25 - lift
        points[26 - i] = x, -0.25 - lift
    for i in range(4):  # ridge of the nose, its tip last
        points[27 + i] = 0.0, -0.17 + 0.06 * i
    for i in range(5):  # base of the nose
        points[31 + i] = -0.08 + 0.04 * i, 0.06 + 0.01 * (2 - abs(i - 2))
    # Eyes: outer corner, two above, inner corner, two below; the right one begins at its inner corner.
    left = [(-0.26, 0.0), (-0.22, -0.03), (-0.16, -0.03), (-0.12, 0.0), (-0.16, 0.03), (-0.22, 0.03)]
    for place, (x, y) in zip(range(36, 42), left, strict=True):
        points[place] = x, y - 1 / 6
    for place, other in zip(range(42, 48), (39, 38, 37, 36, 41, 40), strict=True):
        points[place] = -points[other][0], points[other][1]
    outer = [(-0.16, 0), (-0.10, -0.04), (-0.04, -0.06), (0, -0.05), (0.04, -0.06), (0.10, -0.04), (0.16, 0)]
    outer += [(0.10, 0.05), (0.04, 0.07), (0, 0.08), (-0.04, 0.07), (-0.10, 0.05)]
    inner = [(-0.13, 0), (-0.05, -0.02), (0, -0.02), (0.05, -0.02), (0.13, 0), (0.05, 0.03), (0, 0.03), (-0.05, 0.03)]
    points[48:60] = np.array(outer) + [0, 1 / 6]
    points[60:68] = np.array(inner) + [0, 1 / 6]
    return points


def face(centre=(0.0, 0.0), side: float = 1.0, turn: float = 0.0) -> np.ndarray:
    """The template put where its face box is (centre, side), turned clockwise on the screen by `turn` radians."""
    cos, sin = math.cos(turn), math.sin(turn)
    return np.array([[cos * x - sin * y, sin * x + cos * y] for x, y in template()]) * side + np.asarray(centre)


def loop_box(points: np.ndarray) -> np.ndarray:
    """The authors' face box of 68 points by plain arithmetic (DATASETS 0.2, without its rounding)."""
    eye_x = sum(float(points[i][0]) for i in CORNERS[:4]) / 4
    eye_y = sum(float(points[i][1]) for i in CORNERS[:4]) / 4
    mouth_x = sum(float(points[i][0]) for i in CORNERS[4:]) / 2
    mouth_y = sum(float(points[i][1]) for i in CORNERS[4:]) / 2
    side = 3 * math.sqrt((eye_x - mouth_x) ** 2 + (eye_y - mouth_y) ** 2)
    return np.array([(eye_x + mouth_x) / 2, (eye_y + mouth_y) / 2, side])


def blob(size: int | tuple[int, int], point, sigma: float = 1.5) -> np.ndarray:
    """A picture (H, W) float64 of one round blob at point (x, y), 1 at its middle."""
    height, width = (size, size) if isinstance(size, int) else size
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    return np.exp(-((x - point[0]) ** 2 + (y - point[1]) ** 2) / (2 * sigma**2))


def centroid(picture: np.ndarray) -> np.ndarray:
    """Centre of mass (x, y) of a picture (H, W)."""
    picture = np.asarray(picture, np.float64)
    y, x = np.mgrid[0 : picture.shape[0], 0 : picture.shape[1]]
    return np.array([(picture * x).sum(), (picture * y).sum()]) / picture.sum()


def smooth_picture(height: int, width: int, rng: np.random.Generator) -> np.ndarray:
    """A colour picture (H, W, 3) uint8 without fine detail: resampling it hardly depends on the filter."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    picture = np.zeros((height, width, 3))
    for channel in range(3):
        for _ in range(3):
            fx, fy, phase = rng.uniform(-0.15, 0.15), rng.uniform(-0.15, 0.15), rng.uniform(0, 6.28)
            picture[..., channel] += np.sin(fx * x + fy * y + phase)
    return np.clip(127.5 + 40 * picture, 0, 255).round().astype(np.uint8)


def face_picture(size: int, points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A picture (size, size, 3) uint8 in which the face's points can be found: a plain head with soft marks."""
    import cv2

    picture = np.full((size, size, 3), rng.integers(0, 90, 3), np.uint8)
    outline = np.concatenate([points[:17], points[26:16:-1]]).round().astype(np.int32)
    cv2.fillPoly(picture, [outline], tuple(int(v) for v in rng.integers(150, 220, 3)))
    for start, end, colour in ((36, 42, (30, 30, 30)), (42, 48, (30, 30, 30)), (48, 60, (170, 40, 60))):
        cv2.fillPoly(picture, [points[start:end].round().astype(np.int32)], colour)
    # Texture: in flat regions pooling meets exact ties, and rounding would decide where a switch points.
    texture = cv2.GaussianBlur(rng.normal(0, 40, picture.shape), (3, 3), 0)
    return np.clip(cv2.GaussianBlur(picture, (3, 3), 0) + texture, 0, 255).astype(np.uint8)


ROW = np.dtype(
    [
        ("points", "<f4", (L, 2)),
        ("mask", "?", (L,)),
        ("identity", "<i4"),
        ("video", "<i4"),
        ("frame", "<i4"),
    ]
)


@dataclass
class Data:
    """What rednet_core asks of prepared data: crops (N, S, S, 3) uint8 and a table with five fields."""

    crops: np.ndarray
    table: np.ndarray


def make_data(videos, size: int = 48, seed: int = 0, still: bool = False) -> Data:
    """Data of videos [(identity, frame numbers)]: a face that drifts a little from frame to frame.

    Every crop's first pixel holds its row number in two bytes, so that a batch tells which rows it is made of.
    """
    rng = np.random.default_rng(seed)
    count = sum(len(numbers) for _, numbers in videos)
    data = Data(np.zeros((count, size, size, 3), np.uint8), np.zeros(count, ROW))
    row = 0
    for video, (identity, numbers) in enumerate(videos):
        centre, side = size * (0.5 + rng.uniform(-0.05, 0.05, 2)), size * rng.uniform(0.55, 0.65)
        for step, number in enumerate(numbers):
            moved = centre if still else centre + size * 0.02 * np.array([math.sin(step), math.cos(step)])
            points = face(moved, side, rng.uniform(-0.05, 0.05))
            data.crops[row] = face_picture(size, points, rng)
            data.crops[row, 0, 0] = row % 256, row // 256, 0
            entry = data.table[row]
            entry["points"], entry["mask"] = points, True
            entry["identity"], entry["video"], entry["frame"] = identity, video, number
            row += 1
    return data


def row_numbers(crops) -> np.ndarray:
    """Which rows of `make_data` these crops (N, S, S, 3) are."""
    first = np.asarray(crops)[:, 0, 0].astype(int)
    return first[:, 0] + 256 * first[:, 1]


def tiny(**changes):
    """A NetConfig that runs in milliseconds."""
    from rednet_core.rednet import NetConfig

    small = dict(input_size=32, width=0.125, encoder_convs=(1,) * 5, decoder_convs=(1,) * 4, hidden=16)
    small |= dict(encoder_units=(1,) * 4, skip_units=1, identity_units=16)
    return NetConfig(**{**small, **changes})


def tiny_net(seed: int = 0, **changes):
    """A RedNet of `tiny`, with weights drawn from `seed` and the drawn face as its mean shape."""
    import torch

    from rednet_core.rednet import RedNet

    torch.manual_seed(seed)
    net = RedNet(tiny(**changes))
    shape = template()
    if net.markup.n_points == 7:
        shape = shape[[36, 39, 42, 45, 30, 48, 54]]
    net.mean_shape.copy_(torch.tensor(shape, dtype=torch.float32))
    return net


def settle(net, pictures: int = 8, passes: int = 5, seed: int = 1):
    """Give a network running statistics that fit its activations, and return it in evaluation mode."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    size = net.config.input_size
    net.train()
    with torch.no_grad():
        for _ in range(passes):
            x = torch.rand(pictures, 3, size, size, generator=generator)
            net(x, torch.rand(pictures, len(net.markup.seven), size // 2, size // 2, generator=generator).round())
    return net.eval()


class Fetches(HTMLParser):
    """Collects what a browser would fetch for a page by itself, from elsewhere."""

    def __init__(self):
        super().__init__()
        self.found, self.inside = [], ""

    def handle_starttag(self, tag, attributes):
        told = {name: value or "" for name, value in attributes}
        places = [told.get("src", ""), told.get("href", "") if tag == "link" else "", told.get("poster", "")]
        self.found += [place for place in places if re.match(r"(?:https?:)?//", place)]
        self.inside = tag

    def handle_endtag(self, tag):
        self.inside = ""

    def handle_data(self, data):
        if self.inside in ("style", "script"):
            self.found += re.findall(
                r"""(?:url\(\s*["']?|@import\s+["']|\.src\s*=\s*["'])(?:https?:)?//[^"')\s]+""", data
            )


def fetched_by(html: str) -> list[str]:
    """Return the addresses elsewhere that a page would fetch from; a page without a network has none."""
    page = Fetches()
    page.feed(html)
    return page.found


def wait_for(path, seconds=60):
    """Wait for a file that another process makes."""
    deadline = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < deadline, f"{path.name} did not come"
        time.sleep(0.05)


def upload(widget, name, content):
    """Give an upload control what a browser sends when a file is chosen; ipywidgets catches what this raises."""
    file = {"name": name, "type": "", "size": len(content), "last_modified": 0, "content": memoryview(content)}
    state = {"value": [file]}
    widget._handle_msg({"content": {"data": {"method": "update", "state": state}}})


# ------------------------------------------------------------------- printed sentences beside the numbers in them

NUMBER = r"([+-]?\d+(?:\.\d+)?)"
INTERVAL = rf"changes by {NUMBER} .+?\(\d+% interval {NUMBER} to {NUMBER}\)(.*)"


def _told(mean, low, high, words):
    if "null result" in words:
        return low <= 0 <= high and ("nothing changes at all" not in words or low == mean == high == 0)
    before = float(re.search(rf"(?:from|1% of) {NUMBER}", words)[1])
    if "measurable" in words:
        return abs(mean) <= 0.01 * abs(before) + 0.005
    after, rises = float(re.search(rf"to {NUMBER}", words)[1]), "it rises" in words
    return (mean > 0) == rises == (after > before) and abs(after - before - mean) < 0.02 and (low >= 0 or high <= 0)


READ = {  # a sentence that a notebook prints: whether the numbers in it allow its words
    INTERVAL: lambda mean, low, high, words: _told(float(mean), float(low), float(high), words),
    rf"lazy {NUMBER}, right {NUMBER}: (being right pays|the lazy answer)": lambda lazy, right, words: (
        (float(right) <= float(lazy)) if words == "being right pays" else (float(right) >= float(lazy))
    ),
    rf"box, {NUMBER}% of the way: they (stay|follow|go)": lambda share, word: (
        word in {True: ("stay", "follow"), False: ("follow", "go")}[float(share) < 50]
        and (word == "stay") <= (float(share) <= 10)
        and (word == "go") <= (float(share) >= 100)
    ),
    rf"mean face: {NUMBER} points of {NUMBER}: it (hardly minds|gets worse|gets better)": lambda change, base, word: (
        abs(float(change)) <= 0.05 * float(base) + 0.01
        if word == "hardly minds"
        else (float(change) > 0) == (word == "gets worse")
    ),
    rf"{NUMBER} %,(?: always)? the mean face:? {NUMBER} %: (better than|not)": lambda ours, guess, word: (
        float(ours) <= float(guess) if word == "better than" else float(ours) >= float(guess)
    ),
    rf"the state uses {NUMBER} % of its range(.*)": lambda reach, words: (
        float(reach) <= 10 if "hardly used" in words else float(reach) >= 10
    ),
}


def sentences(text: str) -> list[tuple[str, bool]]:
    """The reading lines in what a notebook printed, each with whether it agrees with its own (rounded) numbers."""
    return [
        (found[0], bool(agrees(*found.groups()))) for line, agrees in READ.items() for found in re.finditer(line, text)
    ]
