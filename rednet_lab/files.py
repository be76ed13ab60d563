"""Small helpers for files: everything is written whole or not at all, in UTF-8 with plain line ends."""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` make a file so that a reader, or a kill, finds the old or the new one and nothing between."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.part")
    try:
        write(part)
        _persist(os.replace, part, path)
    except BaseException:  # a full disk, say: what is half-written must not take the last of it
        with suppress(OSError):
            part.unlink()
        raise


def leftovers(folder: Path) -> list[Path]:
    """Return what `write_whole` had in hand, anywhere in a folder, when its process was killed."""
    return sorted(folder.rglob(".*.part"))


def write_text(path: Path, text: str) -> None:
    """Write a text, whole or not at all."""

    def write(part: Path) -> None:
        with open(part, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())

    write_whole(path, write)


def write_json(path: Path, value: object) -> None:
    """Write a value as JSON, whole or not at all."""
    write_text(path, json.dumps(value, indent=1, ensure_ascii=False) + "\n")


def read_json(path: Path, default: object = None) -> object:
    """Return a JSON file's value, or the default if there is none, or nothing of its kind (half-written, edited)."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return default
    return value if default is None or isinstance(value, type(default)) else default


def remove(path: Path) -> None:
    """Remove a file or folder if it is there."""
    if path.is_dir() and not path.is_symlink():
        _persist(shutil.rmtree, path)
    elif path.exists() or path.is_symlink():
        _persist(os.remove, path)


def _persist(action, *paths) -> None:
    """Call a file operation, again for two seconds where Windows says that a virus scanner or viewer holds the file."""
    for attempt in range(20):
        try:
            return action(*paths)
        except PermissionError:
            if os.name != "nt" or attempt == 19:
                raise
            time.sleep(0.1)


def now() -> str:
    """Return the time in UTC."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def clock(seconds: float) -> str:
    """Return a duration as 0:07, 12:34 or 1:02:03."""
    minutes, rest = divmod(int(seconds + 0.5), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def figures(value: object) -> str:
    """Return a number with three figures (12.3, 0.0456, 1234), anything else as it is."""
    if not isinstance(value, float):
        return str(value)
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def signed(value: float) -> str:
    """Return a number with its sign and three figures."""
    return ("−" if value < 0 else "+" if value > 0 else "") + figures(abs(float(value)))
