"""What is particular to single notebooks: numbers that must be right, controls that the rule does not fit."""

import re
from pathlib import Path

import cv2
import numpy as np

from data_prep.face_world import FaceWorld, render
from rednet_lab.show.face_controls import plain_face
from tests.browser.exercise import Manner, WidgetCell

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


def face_world(here: WidgetCell) -> None:
    """Turned far to the side a face hides points; upright again it shows as many as before."""
    count = r"(\d+) of 68 points visible"
    before = here.screen().number(count)
    here.control("yaw").press("End")
    turned = here.screen().number(count)
    here.control("yaw").type("0")
    assert turned < before - 5 and here.screen().number(count) == before


def disc(here: WidgetCell) -> None:
    """The share of the foreground grows as the square of the radius."""
    share = r"foreground: ([\d.]+) %"
    shares = {}
    for radius in (8, 16):
        here.control("radius").type(str(radius))
        shares[float(here.control("radius").value())] = here.screen().number(share)
    (small, low), (large, high) = shares.items()
    assert 0.6 < (high / low) / (large / small) ** 2 < 1.6  # whole pixels, and a disc may leave the map


def trained(here: WidgetCell) -> None:
    """A dashboard stands at the training's last step, with its curves."""
    screen = here.screen()
    said = " ".join(screen.words)
    done, total, left = re.search(r"step (\d+) of (\d+), .*?(\d+:\d\d) left", said).groups()
    assert (done, left) == (total, "0:00") and screen.pictures, said


def swept(here: WidgetCell) -> None:
    """Other settings make the curve stale and say so; the button draws it anew; a held thing's size is seen."""
    first = here.screen()
    assert "press sweep" not in " ".join(first.words)
    here.control("before it").put("bar")
    small = here.screen()
    assert "press sweep" in " ".join(small.words) and small.pictures != first.pictures
    here.control("its size").press("End")
    assert here.screen().pictures != small.pictures
    here.control(SWEEP).handle.click()
    assert "press sweep" not in " ".join(here.screen().words)


SWEEP = "sweep: find where it breaks"
SWEPT = Manner(
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
    "50_stage1": {0: Manner(check=trained), 1: SWEPT},
    "52_stage2": {0: Manner(check=trained)},
    "54_stage3": {0: Manner(check=trained), 1: SWEPT},
    "60_tracking": {0: OWN_CLIP},
    "90_ledger": {0: Manner(texts={"word": lambda folder: "LSTM"})},
}

# Parameters of single notebooks. A stage that is in the cache is not trained, and its dashboard not shown: with a
# seed that the series has not, each stage is trained in the browser, on top of those before it.
GIVEN = {"50_stage1": {"seed": 1}, "52_stage2": {"seed": 1}, "54_stage3": {"seed": 1}}
