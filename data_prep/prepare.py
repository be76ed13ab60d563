"""From a reader to a prepared store: cut, resize, count what was skipped, write.

The crop convention of every store, once and for all: the authors' face box of the item's own points
(`geometry.face_box`), enlarged by `margin`, resampled to size x size. Readers of video frames that a tracker
shall walk through give margin None: the whole (square) picture is kept, so the face moves in it.
"""

import json
import shutil
import tempfile
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from data_prep.account import top_reasons
from data_prep.errors import BadItem, DataError, readable
from data_prep.item import Item, Reader
from data_prep.jobs import CHUNK, results_of
from data_prep.resume import KeptWriter
from data_prep.store import Store, StoreWriter
from data_prep.wrapped import Tail
from rednet_core import geometry

MARGIN = 1.5  # room for scale 0.9, rotation 15 degrees and a shift of 7 px in 256: 1.36 + 0.05, and some more
MIN_BOX = 8.0  # pixels; a smaller face box has nothing in it


@dataclass
class PrepareReport:
    """What became of a reader's items: how many were kept, and why the others were not."""

    kept: int = 0
    skipped: list[tuple[str, str]] = field(default_factory=list)  # (where, why)
    noted: dict[str, list] = field(default_factory=dict)  # what a parser noted: [in how many, where first]

    def summary(self) -> str:
        """Return one line for people, with the commonest reasons."""
        return f"{self.kept} kept, {len(self.skipped)} skipped{top_reasons(self.skipped)}"


def add_notes(noted: dict[str, list], item: Item) -> None:
    """Count what the parser of an item's annotation has noted: {note: [in how many, where first]}."""
    for note in item.notes:
        noted.setdefault(note, [0, item.key])[0] += 1


def cut(item: Item, box: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the size x size uint8 crop of `box` (3,) from the item's image, and the points (L, 2) in that crop."""
    crop, matrix = resampled(item.image, np.asarray(box, np.float64), size)
    return crop, geometry.apply(matrix, item.points.astype(np.float64)).astype(np.float32)


def resampled(image: np.ndarray, box: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the size x size crop of `box` (3,) from an image (H, W, 3) uint8, and the matrix (2, 3) from one to the
    other.

    What lies outside the picture repeats its border. A crop smaller than its source is averaged, not sampled.
    """
    scaled = box
    if blue_first := image.strides[2] < 0:  # a frame as a video's decoder has it
        image = image[..., ::-1]
    shrink = min(int(box[2] // size), *image.shape[:2])
    if shrink > 1:  # warpAffine has no area filter: average first, then sample at less than 1 : 2
        height, width = image.shape[0] // shrink, image.shape[1] // shrink
        image = cv2.resize(image[: height * shrink, : width * shrink], (width, height), interpolation=cv2.INTER_AREA)
        scaled = np.append((scaled[:2] + 0.5) / shrink - 0.5, scaled[2] / shrink)
    matrix = whole = geometry.crop_matrix(box, size)
    if shrink > 1:
        matrix = geometry.crop_matrix(scaled, size)
    crop = cv2.warpAffine(image, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    if blue_first:
        crop = cv2.cvtColor(crop, cv2.COLOR_BGR2RGB, dst=crop)
    return crop, whole


def crop_box(item: Item, reader: Reader, margin: float | None) -> np.ndarray:
    """Return the square (3,) of the source image that the store keeps of this item; raise BadItem where undefined."""
    height, width = item.image.shape[:2]
    if margin is None:
        return np.array([(width - 1) / 2, (height - 1) / 2, max(width, height)], np.float64)
    seven = list(reader.markup.seven)
    corners = seven[:4] + seven[5:]
    if item.mask[corners].all():
        box = geometry.face_box(item.points.astype(np.float64), reader.markup)
    elif item.box is not None:  # DATASETS 0.2: the data set's own box, never a guess from what is not there
        box = np.array(item.box, np.float64)
    else:
        raise BadItem("an eye or mouth corner is not annotated, the face box is undefined", path=item.key)
    if not box[2] >= MIN_BOX:
        raise BadItem(f"face box smaller than {MIN_BOX:g} pixels", path=item.key, field="points")
    reach = box[2] / 2
    if not (-reach < box[0] < width + reach and -reach < box[1] < height + reach and reach < 2 * max(width, height)):
        raise BadItem("face box outside the picture or far larger", path=item.key, field="points")
    box[2] *= margin
    return box


def bad_item(error: Exception, reader: Reader, index: int) -> BadItem:
    """Return an item's error as a BadItem: what no reader has foreseen is named by its type."""
    if isinstance(error, BadItem):
        return error
    text = " ".join(str(error).split())[:160]
    return BadItem(f"cannot be read ({type(error).__name__}: {text})", path=place_of(reader, index))


def place_of(reader: Reader, index: int) -> str:
    """Return where an item of a reader comes from, as far as the reader tells."""
    return reader.place(index) if hasattr(reader, "place") else f"item {index}"


class Cutter:
    """Reads and cuts item number i; a class, so that worker processes can be sent one."""

    def __init__(self, reader: Tail, size: int, margin: float | None):
        self.reader, self.size, self.margin = reader, size, margin

    def __call__(self, index: int):
        try:
            item = self.reader[index]
            box = self.box(item, index)
            crop, points = cut(item, box, self.size)
            item.image = np.empty((0, 0, 3), np.uint8)  # the picture stays in the worker
            return crop, item, points, box
        except Exception as error:  # one item stops no other, whatever is wrong with it
            return bad_item(error, self.reader, index)

    def box(self, item: Item, index: int) -> np.ndarray:
        """Return the square (3,) that the item is cut by: a fixed one never larger than the picture; raise BadItem."""
        square = self.reader.square(index)
        if square is None:
            return crop_box(item, self.reader, self.margin)
        whole = crop_box(item, self.reader, None)
        return whole if square[2] >= whole[2] else square


def prepare(
    reader: Reader,
    path: Path | str,
    size: int,
    margin: float | None = MARGIN,
    key: str = "",
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Store, PrepareReport]:
    """Write the store of `reader` at `path` (size x size crops) and return it with the report.

    An item that cannot be used is skipped, counted and listed in `<path>/skipped.json`; a reader without a
    single good item is a DataError. The store is the same for any number of workers. With a key (`resume.work_key`)
    a run that was stopped is gone on with: progress is told first how many items are already done, and the caller sees
    to it that there is one run at a time. Without, it starts anew and leaves nothing when it is stopped.
    """
    path, total = Path(path), len(reader)
    path.parent.mkdir(parents=True, exist_ok=True)
    spool = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent))
    own = key or uuid.uuid4().hex[:8]
    try:
        with KeptWriter(path, reader.markup, size, own) as writer:
            if progress:
                progress(writer.items, total)
            cutter = Cutter(Tail(reader, writer.items), size, margin)
            for done, result in enumerate(results_of(cutter, workers, spool), writer.items + 1):
                if isinstance(result, BadItem):
                    writer.skipped.append((readable(result.path), readable(result.problem)))
                else:
                    writer.add(*result)
                    add_notes(writer.noted, result[1])
                if key and done % CHUNK == 0:
                    writer.note(done)
                if progress:
                    progress(done, total)
            report = PrepareReport(len(writer), writer.skipped, writer.noted)
            if not report.kept:
                writer.items = 0  # nothing of it is worth keeping
            return finished(writer, report, reader, margin, path), report
    finally:
        shutil.rmtree(spool, ignore_errors=True)


def finished(writer: StoreWriter, report: PrepareReport, reader: Reader, margin: float | None, path: Path) -> Store:
    """Return the whole store, its list of skipped items beside it; raise DataError where nothing was kept."""
    if not report.kept:
        raise DataError(f"no usable item among {len(reader)}: {report.summary()}", path=path)
    skipped = [{"where": where, "why": why} for where, why in report.skipped]
    text = json.dumps(skipped, indent=1, ensure_ascii=False)
    (writer.work / "skipped.json").write_text(text, encoding="utf-8")
    return writer.close({"source": reader.description, "margin": margin, "skipped": len(skipped)})
