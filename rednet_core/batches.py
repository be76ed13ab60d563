"""Batches of stills and of clips, drawn from any prepared data by (seed, step) alone.

The data is any FaceData (`protocols`), as a prepared store. Batch number `step` is the same whatever was drawn before,
so a resumed run needs no sampler state. This module does not know what is done with a batch.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from rednet_core.protocols import FaceData


@dataclass
class Batch:
    """N = B * frames pictures as stored; a clip's frames stand in a row.

    crops (N, S, S, 3) uint8; points (N, L, 2) in crop pixels; mask (N, L); identity (N,), -1 where unknown.
    """

    crops: Tensor
    points: Tensor
    mask: Tensor
    identity: Tensor
    frames: int = 1

    def to(self, device: torch.device | str) -> "Batch":
        """Return the same batch on a device."""
        tensors = ("crops", "points", "mask", "identity")
        return replace(self, **{name: getattr(self, name).to(device, non_blocking=True) for name in tensors})


def gather(data: FaceData, rows: np.ndarray, frames: int = 1, labels: np.ndarray | None = None, share=(0, 1)) -> Batch:
    """Return the Batch of these rows of `data`; labels (one per identity of the data) renumber the identities.

    share (r, R): of R processes that train together, what number r has of the rows.
    """
    rows = np.split(rows, share[1])[share[0]]
    table = data.table[rows]
    identity = table["identity"].astype(np.int64)
    if labels is not None:
        identity = np.where(identity >= 0, labels[identity], -1)
    crops = torch.from_numpy(np.ascontiguousarray(data.crops[rows]))
    points, mask = (torch.from_numpy(table[name].copy()) for name in ("points", "mask"))
    return Batch(crops, points, mask, torch.from_numpy(identity), frames)


def person_labels(data: FaceData, rows: np.ndarray) -> np.ndarray:
    """Return the label of every identity of `data`: 0..N-1 for those among `rows`, -1 for the others."""
    persons = np.unique(data.table["identity"][rows])
    persons = persons[persons >= 0]
    labels = np.full(max(int(data.table["identity"].max()), 0) + 1, -1, np.int64)
    labels[persons] = np.arange(len(persons))
    return labels


class Ahead:
    """Draws the next batch in a thread while the one before is trained on: the same batches, without the wait.

    draw(step) must depend on the step alone; one step after the other is asked for, others are drawn at once.
    """

    def __init__(self, draw: Callable[[int], Batch]):
        self.draw, self._pool = draw, ThreadPoolExecutor(1, "batches")
        self._next: tuple[int, Future[Batch]] | None = None

    def __call__(self, step: int) -> Batch:
        batch = self._next[1].result() if self._next and self._next[0] == step else self.draw(step)
        self._next = step + 1, self._pool.submit(self.draw, step + 1)
        return batch


class Stills:
    """Batches of single pictures: every epoch visits each row once, in a new order."""

    share = (0, 1)

    def __init__(self, data: FaceData, rows: np.ndarray, batch: int, seed: int = 0):
        if len(rows) == 0:
            raise ValueError("Stills: no rows to draw from")
        self.data, self.rows, self.size, self.seed = data, np.asarray(rows), batch, seed
        self.labels = person_labels(data, self.rows)
        self.identities = int(self.labels.max()) + 1

    def batch(self, step: int) -> Batch:
        """Return batch number `step`; batches run on from one epoch's order into the next."""
        places = np.arange(step * self.size, (step + 1) * self.size)
        epochs, inside = np.divmod(places, len(self.rows))
        rows = np.empty(self.size, np.int64)
        for epoch in np.unique(epochs):
            order = np.random.default_rng([self.seed, int(epoch)]).permutation(len(self.rows))
            here = epochs == epoch
            rows[here] = self.rows[order[inside[here]]]
        return gather(self.data, rows, labels=self.labels, share=self.share)


class Clips:
    """Batches of clips of T consecutive frames, no two of a batch of one person, forward or backward in time.

    rows are frames of videos; a clip never crosses a gap in the frame numbers (journal 5.1, "Training strategy").
    each: so many random clips of every video are the training set, all there are where it has fewer (the papers'
    100); None takes every clip there is. Raise ValueError where no video has T frames in a row.
    A kind of clips that is made of stills sets them in motion: see `inputs.clip_inputs`.
    """

    motion: Callable[[Tensor, int, torch.Generator], Tensor] | None = None
    light: Callable[[Tensor, int, torch.Generator], Tensor] | None = None
    share = (0, 1)

    def __init__(
        self, data: FaceData, rows: np.ndarray, batch: int, frames: int = 10, seed: int = 0, each: int | None = None
    ):
        self.data, self.size, self.frames, self.seed = data, batch, frames, seed
        table = data.table[np.asarray(rows)]
        order = np.lexsort((table["frame"], table["video"]))
        self.rows, table = np.asarray(rows)[order], table[order]
        self.starts = self._find_starts(table)
        if len(self.starts) == 0:
            raise ValueError(f"Clips: no video has {frames} frames in a row")
        if each is not None:
            self.starts = self._some_of_each(table["video"][self.starts], each)
        # A picture of nobody known is of a person of its own.
        person = table["identity"][self.starts].astype(np.int64)
        self.person = np.where(person >= 0, person, -1 - self._own_person(table)[self.starts])
        self.labels = person_labels(data, self.rows)
        self.identities = int(self.labels.max()) + 1
        if len(np.unique(self.person)) < batch:
            raise ValueError(f"Clips: batches of {batch} without a shared person need as many persons")

    def _find_starts(self, table: np.ndarray) -> np.ndarray:
        """Places in `rows` from which a clip can run without leaving its video or crossing a gap."""
        video, frame = table["video"], table["frame"]
        broken = (np.diff(video) != 0) | (np.diff(frame) != 1)
        run = np.concatenate([[0], np.cumsum(broken)])
        ends = np.searchsorted(run, run, side="right")
        return np.flatnonzero(np.arange(len(run)) + self.frames <= ends)

    def _some_of_each(self, videos: np.ndarray, each: int) -> np.ndarray:
        """`each` of the starts of every video, drawn by (seed, video); videos (M,) are those of the starts."""
        drawn = np.empty(len(videos))
        for video in np.unique(videos):
            here = np.flatnonzero(videos == video)
            drawn[here] = np.random.default_rng([self.seed, max(int(video), 0), 1]).permutation(len(here))
        return self.starts[drawn < each]

    def _own_person(self, table: np.ndarray) -> np.ndarray:
        return table["video"].astype(np.int64)

    def _offsets(self, random: np.random.Generator) -> np.ndarray:
        """Which frames of each clip, counted from its start: (size, T), rising or falling."""
        ahead = np.arange(self.frames)
        return np.where(random.random(self.size)[:, None] < 0.5, ahead, ahead[::-1])

    def batch(self, step: int) -> Batch:
        """Return batch number `step`: `size` clips of different persons, each person's clip a random one."""
        random = np.random.default_rng([self.seed, step])
        order = random.permutation(len(self.starts))
        _, first = np.unique(self.person[order], return_index=True)
        chosen = self.starts[order[np.sort(first)[: self.size]]]
        places = chosen[:, None] + self._offsets(random)
        return gather(self.data, self.rows[places.ravel()], self.frames, self.labels, self.share)
