"""What can go wrong with data, said so that a person can mend it."""

import re
from pathlib import Path

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")  # the last: of direction


def readable(text) -> str:
    """Return a line that any file and any screen can hold: what is not UTF-8, breaks a line or commands a screen is
    spelt (\\udc.., \\n, \\x1b).
    """
    said = str(text).encode("utf-8", "backslashreplace").decode("utf-8")
    return CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), said)


class DataError(Exception):
    """A data set, file or store that cannot be used: names the path, the field at fault and the fix."""

    def __init__(self, problem: str, *, path: Path | str | None = None, field: str = "", fix: str = ""):
        self.problem, self.path, self.field, self.fix = problem, path, field, fix
        where = f"{path}: " if path else ""
        what = f"[{field}] " if field else ""
        how = f" Fix: {fix}" if fix else ""
        super().__init__(readable(f"{where}{what}{problem}{how}"))

    def __reduce__(self):  # keyword arguments do not survive pickling between worker processes otherwise
        return _rebuild, (type(self), self.problem, self.path, self.field, self.fix)


class BadItem(DataError):
    """One item of a data set that cannot be used; the rest goes on, and the item is counted and listed."""


def _rebuild(kind, problem, path, field, fix):
    return kind(problem, path=path, field=field, fix=fix)
