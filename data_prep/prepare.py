"""From a reader to a prepared store: cut, resize, count what was skipped, write.

The crop convention of every store, once and for all: the authors' face box of the item's own points
(`geometry.face_box`), enlarged by `margin`, resampled to size x size. Readers of video frames that a tracker
shall walk through give margin None: the whole (square) picture is kept, so the face moves in it.
"""

import contextlib
import json
import os
import shutil
import tempfile
import threading
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from multiprocessing import get_context, parent_process
from pathlib import Path

import cv2
import numpy as np

from data_prep.account import top_reasons
from data_prep.errors import BadItem, DataError, readable
from data_prep.item import Item, Reader
from data_prep.resume import KeptWriter
from data_prep.store import Store, StoreWriter
from data_prep.wrapped import Tail
from rednet_core import geometry

MARGIN = 1.5  # room for scale 0.9, rotation 15 degrees and a shift of 7 px in 256: 1.36 + 0.05, and some more
CHUNK = 32  # items a worker is given at a time
KILLED = "the process that read it was killed (out of memory, or a fault in a decoder)"
PATIENCE = 3  # items of a job whose worker may be killed
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
    """Return the size x size uint8 crop of `box` (3,) from the item's image, and the points (L, 2) in that crop.

    What lies outside the picture repeats its border. A crop smaller than its source is averaged, not sampled.
    """
    image, scaled = item.image, np.asarray(box, np.float64)
    if blue_first := image.strides[2] < 0:  # a frame as a video's decoder has it
        image = image[..., ::-1]
    shrink = min(int(box[2] // size), *image.shape[:2])
    if shrink > 1:  # warpAffine has no area filter: average first, then sample at less than 1 : 2
        height, width = image.shape[0] // shrink, image.shape[1] // shrink
        image = cv2.resize(image[: height * shrink, : width * shrink], (width, height), interpolation=cv2.INTER_AREA)
        scaled = np.append((scaled[:2] + 0.5) / shrink - 0.5, scaled[2] / shrink)
    matrix = whole = geometry.crop_matrix(np.asarray(box, np.float64), size)
    if shrink > 1:
        matrix = geometry.crop_matrix(scaled, size)
    crop = cv2.warpAffine(image, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    if blue_first:
        crop = cv2.cvtColor(crop, cv2.COLOR_BGR2RGB, dst=crop)
    points = geometry.apply(whole, item.points.astype(np.float64))
    return crop, points.astype(np.float32)


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


def jobs(reader: Reader) -> tuple[list[range], bool]:
    """Return ranges of items, each for one worker, and whether they are a reader's own runs (videos, to be read in
    order).
    """
    own = reader.runs() if hasattr(reader, "runs") else None
    if own is not None:
        return own, True
    return [range(first, min(first + CHUNK, len(reader))) for first in range(0, len(reader), CHUNK)], False


def results_of(cutter: Cutter, workers: int, folder: Path) -> Iterator:
    """Yield results in order of the items. Few jobs are ahead of the one that is wanted, so memory does not grow."""
    if workers <= 1:
        yield from map(cutter, range(len(cutter.reader)))
        return
    ranges, are_runs = jobs(cutter.reader)
    # A video's crops wait on disk for their turn: they are too many for memory.
    places = [folder / f"run-{k}" if are_runs else None for k in range(len(ranges))]
    open_pool = partial(_pool, workers, cutter)
    pool, waiting = open_pool(), zip(ranges, places, strict=True)
    ahead: deque[tuple[tuple[range, Path | None], Future]] = deque()
    try:
        while True:
            for job in islice(waiting, 2 * workers - len(ahead)):
                ahead.append((job, _submit(pool, job)))
            if not ahead:
                return
            job, future = ahead.popleft()
            try:
                results = future.result()
            except BrokenExecutor:  # a worker was killed, by the system for want of memory or by a decoder's fault
                pool.shutdown(cancel_futures=True)
                results = _one_by_one(job, cutter)
                pool = open_pool()
                ahead = deque((other, _submit(pool, other)) for other, _ in ahead)
            yield from results if job[1] is None else _from_disk(results, job[1], cutter.size)
    finally:
        pool.shutdown(cancel_futures=True)


def _pool(workers: int, cutter: Cutter) -> ProcessPoolExecutor:
    # spawn: the same on every system, and safe where threads (OpenMP, a kernel's) are already running.
    return ProcessPoolExecutor(workers, get_context("spawn"), initializer=_start_worker, initargs=(cutter,))


def _submit(pool: ProcessPoolExecutor, job: tuple) -> Future:
    try:
        return pool.submit(_work, *job)
    except BrokenExecutor as error:  # broken since the last look: as if the job had been in it
        future: Future = Future()
        future.set_exception(error)
        return future


def _one_by_one(job: tuple[range, Path | None], cutter: Cutter) -> list:
    """Return the results of a job whose worker was killed: again as a whole, then item by item in a worker of its own.

    An item whose worker is killed again is bad; after a few of them the rest of the job is, too, and is not tried.
    """
    indices, place = job
    open_one = partial(_pool, 1, cutter)
    with open_one() as pool:
        with contextlib.suppress(BrokenExecutor):
            return pool.submit(_work, indices, place).result()
    results, kills, pool = [], 0, open_one()
    with open(place, "wb") if place else contextlib.nullcontext() as file:
        for index in indices:
            result = BadItem(KILLED, path=place_of(cutter.reader, index))
            if kills < PATIENCE:
                try:
                    result = pool.submit(_work, range(index, index + 1), None).result()[0]
                except BrokenExecutor:
                    kills += 1
                    pool.shutdown()
                    pool = open_one()
            if file and not isinstance(result, BadItem):
                file.write(np.ascontiguousarray(result[0]).data)
                result = (None, *result[1:])
            results.append(result)
    pool.shutdown()
    return results


def _from_disk(results: list, place: Path, size: int) -> Iterator:
    with open(place, "rb") as file:
        for result in results:
            if isinstance(result, BadItem):
                yield result
            else:
                crop = np.frombuffer(file.read(size * size * 3), np.uint8).reshape(size, size, 3)
                yield crop, *result[1:]
    place.unlink()


_cutter: Cutter | None = None  # a worker process's own copy: sent once, not with every item


def _start_worker(cutter: Cutter) -> None:
    global _cutter
    _cutter = cutter
    cv2.setNumThreads(1)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End with the parent: a killed process does not end its workers: they would wait for more work for ever."""
    if parent := parent_process():
        parent.join()
        os._exit(1)


def _work(indices: range, place: Path | None) -> list:
    """Return results of some items; with a place, their crops are written there and not returned."""
    assert _cutter is not None
    if place is None:
        return [_cutter(index) for index in indices]
    results = []
    with open(place, "wb") as file:
        for index in indices:
            result = _cutter(index)
            if not isinstance(result, BadItem):
                file.write(np.ascontiguousarray(result[0]).data)
                result = (None, *result[1:])
            results.append(result)
    return results


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
