"""What is particular to single notebooks: numbers that must be right, controls that the rule does not fit."""

import re
from pathlib import Path

import cv2
import numpy as np

from data_prep.face_world import FaceWorld, render
from rednet_lab.show.face_controls import plain_face
from tests.browser.exercise import Desk, Manner

RULE = Manner()


def photo(folder: Path) -> Path:
    """A picture of a made face, as a reader's own."""
    file = folder / "own.png"
    file.parent.mkdir(parents=True, exist_ok=True)
    sample = render(plain_face(FaceWorld(5, 240).still(2).factors), 240)
    assert cv2.imwrite(str(file), sample.image[..., ::-1])
    return file


def clip(folder: Path) -> Path:
    """A short film of a made face that moves sideways, as a reader's own."""
    file = folder / "own.mp4"
    face = cv2.imread(str(photo(folder)))
    writer = cv2.VideoWriter(str(file), cv2.VideoWriter_fourcc(*"mp4v"), 10, face.shape[1::-1])
    for shift in range(0, 24, 4):
        writer.write(np.roll(face, shift, 1))
    writer.release()
    return file


def face_world(desk: Desk) -> None:
    """Turned far to the side a face hides points; upright again it shows as many as before."""
    count = r"(\d+) of 68 points visible"
    before = desk.screen().number(count)
    desk.control("yaw").press("End")
    turned = desk.screen().number(count)
    desk.control("yaw").type("0")
    assert turned < before - 5 and desk.screen().number(count) == before


def disc(desk: Desk) -> None:
    """The share of the foreground grows as the square of the radius."""
    share = r"foreground: ([\d.]+) %"
    shares = {}
    for radius in (8, 16):
        desk.control("radius").type(str(radius))
        shares[float(desk.control("radius").value())] = desk.screen().number(share)
    (small, low), (large, high) = shares.items()
    assert 0.6 < (high / low) / (large / small) ** 2 < 1.6  # whole pixels, and a disc may leave the map


def trained(desk: Desk) -> None:
    """A dashboard stands at the training's last step, with its curves."""
    screen = desk.screen()
    said = " ".join(screen.words)
    done, total, left = re.search(r"step (\d+) of (\d+), .*?(\d+) s left", said).groups()
    assert (done, left) == (total, "0") and screen.pictures, said


def swept(desk: Desk) -> None:
    """Other settings make the curve stale and say so; the button draws it anew; a held thing's size is seen."""
    first = desk.screen()
    assert "press sweep" not in " ".join(first.words)
    desk.control("before it").put("bar")
    small = desk.screen()
    assert "press sweep" in " ".join(small.words) and small.pictures != first.pictures
    desk.control("its size").press("End")
    assert desk.screen().pictures != small.pictures
    desk.control(SWEEP).handle.click()
    assert "press sweep" not in " ".join(desk.screen().words)


SWEEP = "sweep: find where it breaks"
FLIGHT = Manner(
    still={SWEEP: "the first picture has its curve", "its size": "nothing is held before the face"}, check=swept
)

NAMED = {
    "texts": {"file": lambda folder: str(photo(folder))},
    "keeps": {"file": "what was read stays until something else is"},
}
OWN_PHOTO = Manner(files={"your own photo": photo}, **NAMED)
OWN_CLIP = Manner(files={"your own clip or photo": clip}, **NAMED)

# Notebook -> number of the interactive cell (of those found by reading, from 0) -> manner.
MANNERS = {
    "10_face_world": {0: Manner(check=face_world)},
    "20_maps_and_losses": {0: Manner(check=disc)},
    "30_vgg_encoder_decoder": {1: OWN_PHOTO},
    "50_stage1": {0: Manner(check=trained), 1: FLIGHT},
    "52_stage2": {0: Manner(check=trained)},
    "54_stage3": {0: Manner(check=trained), 1: FLIGHT},
    "60_tracking": {2: OWN_CLIP},
    "90_ledger": {0: Manner(texts={"word": lambda folder: "LSTM"})},
}

# Parameters of single notebooks. A stage that is in the cache is not trained, and its dashboard not shown: with a
# seed of its own each stage is trained in the browser.
GIVEN = {"50_stage1": {"seed": 1}, "52_stage2": {"seed": 2}, "54_stage3": {"seed": 3}}

# Interactive by their text, and without a widget on profile smoke; with the reason.
ABSENT = {("60_tracking", 1): "the reader's own video: none is given"}
