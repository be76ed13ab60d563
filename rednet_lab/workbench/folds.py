"""Persons dealt anew into training, validation and test, by their names and a seed: what profile bench is judged on."""

import hashlib
import os

import numpy as np

VALIDATION_SHARE = 0.1  # of the training persons


class Split:
    """Prepared data whose splits are `splits`, rows by name, and not the data's own."""

    def __init__(self, data, splits: dict[str, np.ndarray]):
        self._data, self._splits = data, splits

    def __getattr__(self, name: str):
        return getattr(self._data, name)

    def __len__(self) -> int:
        return len(self._data)

    def rows(self, split: str | None = None, group: str | None = None) -> np.ndarray:
        """Return the rows of a split and a group, all where None."""
        found = self._data.rows(None, group)
        return found if split is None else np.intersect1d(found, self._splits[split])


def _share(name: str) -> float:
    """Return a number in [0, 1) that follows from a name."""
    return int.from_bytes(hashlib.sha256(os.fsencode(name)).digest()[:6], "big") / 2**48


def dealt(data, folds: int, seed: int, fixed: bool = False):
    """Return data with its persons dealt into `folds` parts (0: as it is), of which part `seed` is tested.

    Of the others the seed draws a tenth for validation. fixed: the test split is the data's own; the seed then leaves
    one part of the others out, so that trainings differ in their persons (in their pictures, where nobody is named).
    """
    if not folds:
        return data
    table, test = data.table, data.rows("test")
    rows = data.rows("train") if fixed else np.sort(np.concatenate([*map(data.rows, ("train", "validation")), test]))
    persons = table["identity"][rows]
    names = [data.identities[i] if i >= 0 else str(table["key"][row]) for i, row in zip(persons, rows, strict=True)]
    out = np.array([int(folds * _share(name)) == seed % folds for name in names])
    kept = np.array([_share(f"{seed}/{name}") >= VALIDATION_SHARE for name in names])
    splits = {"train": rows[~out & kept], "validation": rows[~out & ~kept], "test": test if fixed else rows[out]}
    return Split(data, splits)


def last_videos(data, folds: int):
    """Return data of which the last tenth of the training videos is the validation split (without folds: as it is)."""
    if not folds:
        return data
    rows = data.rows("train")
    videos = data.table["video"][rows]
    apart = np.isin(videos, np.unique(videos)[-max(1, len(np.unique(videos)) // 10) :])
    return Split(data, {"train": rows[~apart], "validation": rows[apart], "test": data.rows("test")})
