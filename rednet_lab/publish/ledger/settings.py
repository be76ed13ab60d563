"""Hyper-parameters as the code has them: defaults of objects, and what the profiles set. This imports the networks."""

from __future__ import annotations

import importlib
import inspect
from dataclasses import fields, is_dataclass

from rednet_lab.publish.ledger.entries import LedgerError

READS = ("rednet_core/*.py", "rednet_core/eccv/*.py")  # the settings' own defaults


def default_of(link: str) -> object:
    """The value of "package/module.py::NAME", "::Class.field", "::Class.method.argument" or "::OBJECT.attribute"."""
    path, _, name = link.partition("::")
    found = importlib.import_module(path.removesuffix(".py").replace("/", "."))
    for part in name.split("."):
        if is_dataclass(found) and isinstance(found, type):
            defaults = {field.name: field.default for field in fields(found)}
            found = defaults[part] if part in defaults else getattr(found, part)
        elif inspect.isfunction(found):
            found = inspect.signature(found).parameters[part].default
        else:
            found = getattr(found, part)
    return found


def in_profile(setting: str, profile: str) -> object:
    """What a profile sets, by a dotted path such as "stage1.train.rate"."""
    from rednet_lab.workbench.profiles import PROFILES

    found = PROFILES[profile]
    for part in setting.split("."):
        if not hasattr(found, part):
            raise LedgerError(f"setting {setting}: a profile has no {part}")
        found = getattr(found, part)
    return found


def same(told: object, found: object) -> bool:
    """Whether a value of the ledger is the code's: numbers by value, lists as tuples."""
    if isinstance(told, tuple) and isinstance(found, tuple):
        return len(told) == len(found) and all(map(same, told, found))
    if isinstance(told, int | float) and isinstance(found, int | float):
        return abs(told - found) <= 1e-12 * max(abs(told), abs(found), 1)
    return told == found
