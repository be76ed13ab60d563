"""What a data set is to the doctor and to `prepare`: how its folder is told, who reads it, and which options it has."""

import inspect
import os
import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path

from data_prep.errors import DataError
from data_prep.folders import unreadable
from data_prep.readers.base import many

READS = ("data_prep/readers/*.py",)  # imported by name
NOT_IN_IT = "not in it"  # the papers' Table 4


@dataclass(frozen=True)
class Sign:
    """Something that a data set's folder has: what it is, and patterns below the folder of which one must be there.

    What is optional is looked for and told, but does not help to tell which data set it is.
    """

    what: str
    patterns: tuple[str, ...]
    optional: bool = False

    @property
    def specific(self) -> bool:
        """Whether its patterns name files or folders, so that not any picture is the sign."""
        return all(re.search("[A-Za-z0-9]", pattern.rpartition(".")[0]) for pattern in self.patterns)


@dataclass(frozen=True)
class DataSet:
    """A data set: reader names "module:class" and the choices that make it this one; its first sign is needed.

    count: usable items in a whole copy (0: not known); table4: what the papers' Table 4 says of it.
    """

    name: str
    title: str
    reader: str
    signs: tuple[Sign, ...]
    count: int
    terms: str
    table4: str = NOT_IN_IT
    fixed: tuple[tuple[str, object], ...] = ()

    @property
    def maker(self) -> Callable:
        """The reader's class, imported when it is asked for."""
        module, _, name = self.reader.partition(":")
        return getattr(import_module(f"data_prep.readers.{module}"), name)

    @property
    def how_to_get(self) -> str:
        """Where a copy comes from."""
        maker = self.maker
        return getattr(maker, "how_to_get", "") or import_module(maker.__module__).HOW_TO_GET

    def choices(self) -> dict[str, object]:
        """Return the reader's options with their defaults."""
        given = {"folder", *(name for name, _ in self.fixed)}
        parameters = inspect.signature(self.maker).parameters
        return {name: one.default for name, one in parameters.items() if name not in given}

    def open(self, folder, **choices):
        """Return the reader of a folder; options may be text, as from a command line.

        Raise DataError for an option it does not have or of another type, and for a folder that it cannot read.
        """
        known = self.choices()
        for name in choices:
            if name not in known:
                there = ", ".join(known) or "none"
                raise DataError(f"{self.name} has no option {name!r}, known: {there}", field=name)
        given = {name: _typed(name, value, known[name]) for name, value in choices.items()}
        reader = self.maker(folder, **dict(self.fixed), **given)
        reader.warnings = [*getattr(reader, "warnings", []), *unreadable(Path(folder))]
        reader.warnings += shared(getattr(reader, "entries", []))
        reader.description = {"dataset": self.name, **reader.description}
        return reader


def shared(entries: list) -> list[str]:
    """Return a sentence where pictures are for training and for testing, too: one half is a link to the other, say."""
    splits: dict[tuple, set[str]] = defaultdict(set)
    real = cache(os.path.realpath)
    for entry in entries:
        if not entry.problem and (split := entry.facts.get("split")):
            splits[real(entry.path.parent), entry.path.name].add(split)
    count = sum(len(found) > 1 for found in splits.values())
    told = f"{many(count, 'picture')} for training and for testing, too: tests on them would be too good"
    return [told] * bool(count)


YES, NO = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


def _typed(name: str, value, default):
    """Return an option's value of the type of its default; raise DataError, in words, for any other.

    Text, as from a command line, is read: no word is silently true, and no number silently another.
    """
    text = str(value).strip().lower()
    if isinstance(default, bool):
        if text not in (*YES, *NO):
            raise DataError(f"{value!r} is neither yes nor no", field=name, fix=f"say {name}=yes or {name}=no")
        return text in YES
    if isinstance(default, int):
        if isinstance(value, bool) or not re.fullmatch(r"[+-]?\d{1,18}", text, re.ASCII):
            raise DataError(f"{value!r} is no whole number", field=name, fix=f"say for example {name}={default}")
        if name == "base" and int(text) not in (0, 1):
            raise DataError(f"pixels begin at 0 or at 1, not at {value}", field=name)
        return int(text)
    return value
