"""Items cut by worker processes: results in the order of the items, whatever is killed, and memory that does not grow.

Who cuts is called with an item's number, has the `reader` and the `size` of its crops, and returns a crop and what
belongs to it, or a BadItem.
"""

import contextlib
import os
import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from functools import partial
from itertools import islice
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from data_prep.errors import BadItem
from data_prep.wrapped import Tail

CHUNK = 32  # items a worker is given at a time
KILLED = "the process that read it was killed (out of memory, or a fault in a decoder)"
UNGUARDED = "no worker process starts. A script of your own? Put what it does under  if __name__ == '__main__':"
PATIENCE = 3  # items of a job whose worker may be killed


class Cuts(Protocol):
    """Reads and cuts item number i, in any process that it is sent to."""

    reader: Tail
    size: int

    def __call__(self, index: int) -> tuple | BadItem: ...


def jobs(reader: Tail) -> tuple[list[range], bool]:
    """Return ranges of items, each for one worker, and whether they are a reader's own runs (videos, to be read in
    order).
    """
    own = reader.runs() if hasattr(reader, "runs") else None
    if own is not None:
        return own, True
    return [range(first, min(first + CHUNK, len(reader))) for first in range(0, len(reader), CHUNK)], False


def results_of(cutter: Cuts, workers: int, folder: Path) -> Iterator:
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


def _pool(workers: int, cutter: Cuts) -> ProcessPoolExecutor:
    # spawn: the same on every system, and safe where threads (OpenMP, a kernel's) are already running.
    return ProcessPoolExecutor(workers, get_context("spawn"), initializer=_start_worker, initargs=(cutter,))


def _submit(pool: ProcessPoolExecutor, job: tuple) -> Future:
    try:
        return pool.submit(_work, *job)
    except BrokenExecutor as error:  # broken since the last look: as if the job had been in it
        future: Future = Future()
        future.set_exception(error)
        return future


def _one_by_one(job: tuple[range, Path | None], cutter: Cuts) -> list:
    """Return the results of a job whose worker was killed: again as a whole, then item by item in a worker of its own.

    An item whose worker is killed again is bad; after a few of them the rest of the job is, too, and is not tried.
    """
    indices, place = job
    open_one = partial(_pool, 1, cutter)
    with open_one() as pool:
        try:
            pool.submit(os.getpid).result()
        except BrokenExecutor as broken:
            raise RuntimeError(UNGUARDED) from broken
        with contextlib.suppress(BrokenExecutor):
            return pool.submit(_work, indices, place).result()
    results, kills, pool = [], 0, open_one()
    with open(place, "wb") if place else contextlib.nullcontext() as file:
        for index in indices:
            result = BadItem(KILLED, path=cutter.reader.place(index))
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


_cutter: Cuts | None = None  # a worker process's own copy: sent once, not with every item


def _start_worker(cutter: Cuts) -> None:
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
