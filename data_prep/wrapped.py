"""A reader round a reader: what it does not change is the inner one's."""

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
        self.first, self.markup = first, reader.markup

    @property
    def description(self) -> dict:
        return {**self.reader.description, "first": self.first}

    def __len__(self) -> int:
        return len(self.reader) - self.first

    def __getitem__(self, index: int) -> Item:
        return self.reader[self.first + range(len(self))[index]]
