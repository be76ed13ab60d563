"""What can go wrong with data, said so that a person can mend it."""

from pathlib import Path


def readable(text) -> str:
    """Return text that any file and any screen can hold: what is not UTF-8 in a file's name becomes \\udc.. ."""
    return str(text).encode("utf-8", "backslashreplace").decode("utf-8")


class DataError(Exception):
    """A data set, file or store that cannot be used: names the path, the field at fault and the fix."""

    def __init__(self, problem: str, *, path: Path | str | None = None, field: str = "", fix: str = ""):
        self.problem, self.path, self.field, self.fix = problem, path, field, fix
        where = f"{readable(path)}: " if path else ""
        what = f"[{field}] " if field else ""
        how = f" Fix: {fix}" if fix else ""
        super().__init__(f"{where}{what}{problem}{how}")

    def __reduce__(self):  # keyword arguments do not survive pickling between worker processes otherwise
        return _rebuild, (type(self), self.problem, self.path, self.field, self.fix)


class BadItem(DataError):
    """One item of a data set that cannot be used; the rest goes on, and the item is counted and listed."""


def _rebuild(kind, problem, path, field, fix):
    return kind(problem, path=path, field=field, fix=fix)
