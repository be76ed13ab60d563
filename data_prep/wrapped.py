"""A reader round a reader: what it does not change is the inner one's."""

import numpy as np

from data_prep.item import Item


class Wrapped:
    """The base of readers that change another reader's items; what that one lacks is empty here."""

    def __init__(self, reader):
        self.reader = reader

    def __len__(self) -> int:
        return len(self.reader)

    def __getitem__(self, index: int) -> Item:
        return self.reader[index]

    def place(self, index: int) -> str:
        """Return where an item of the wrapped reader comes from."""
        return self.reader.place(index) if hasattr(self.reader, "place") else f"item {index}"

    def video(self, index: int) -> str:
        """Return the name of an item's video, "" where the wrapped reader has no videos."""
        return self.reader.video(index) if hasattr(self.reader, "video") else ""

    def runs(self) -> list[range] | None:
        """Return the wrapped reader's."""
        return self.reader.runs() if hasattr(self.reader, "runs") else None

    def problems(self) -> list[tuple[str, str]]:
        """Return the wrapped reader's."""
        return self.reader.problems() if hasattr(self.reader, "problems") else []

    def tally(self) -> list[str]:
        """Return the wrapped reader's."""
        return self.reader.tally() if hasattr(self.reader, "tally") else []

    @property
    def warnings(self) -> list[str]:
        """The wrapped reader's."""
        return getattr(self.reader, "warnings", [])


class Tail(Wrapped):
    """The items of another reader from number `first` on."""

    def __init__(self, reader, first: int):
        super().__init__(reader)
        self.first, self.markup, self.description = first, reader.markup, {**reader.description, "first": first}

    def __len__(self) -> int:
        return len(self.reader) - self.first

    def __getitem__(self, index: int) -> Item:
        return self.reader[self.first + range(len(self))[index]]

    def place(self, index: int) -> str:
        """Return where an item comes from."""
        return super().place(self.first + index)

    def square(self, index: int) -> np.ndarray | None:
        """Return the square (3,) of an item's video where the reader has fixed crops (`data_prep.fixed_crop`)."""
        return self.reader.square(self.first + index) if hasattr(self.reader, "square") else None

    def runs(self) -> list[range] | None:
        """Return what is left of the reader's runs."""
        own = super().runs()
        if own is None:
            return None
        return [range(max(r.start - self.first, 0), r.stop - self.first) for r in own if r.stop > self.first]
