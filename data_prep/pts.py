"""Landmark text files (.pts): any bytes give the points that stand there, or a BadItem that says what is wrong.

    version: 1
    n_points:  68
    {
    <x> <y>          one line a point
    }

Coordinates are returned as the file has them; where its pixels begin (0 or 1) is the data set's business. Small
departures that leave no doubt are taken and noted (lines of coordinates and nothing else are one); whatever could mean
other points than were meant is refused.
"""

import csv
import io
import os
import re
from pathlib import Path

import numpy as np

from data_prep.errors import BadItem, DataError

LARGEST_FILE = 1 << 20  # bytes; 194 points take 5,000
LARGEST_TABLE = 256 << 20  # bytes; Udacity's larger one has 4 MB
LARGEST = 1e6  # pixels; no picture is that large
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
PAIR = re.compile(rf"({NUMBER.pattern})[ \t]+({NUMBER.pattern})", re.ASCII)
PLAIN = re.compile(  # as nearly all files are
    rb"version: 1\r?\nn_points: {1,2}(\d{1,6})\r?\n\{\r?\n"
    rb"((?:-?\d{1,7}(?:\.\d{1,15})? -?\d{1,7}(?:\.\d{1,15})?\r?\n)+)\}\s*"
)
HEADER = re.compile(r"([A-Za-z_ ]+?)\s*:\s*(.*)")


def read_points(path: Path, count: int) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return points (count, 2) float64 of a .pts file, and notes on how it departs from the format; raise BadItem."""
    return parse_points(read_bytes(path), count, path)


def read_bytes(path: Path, what: str = "annotation", most: int = LARGEST_FILE) -> bytes:
    """Return the bytes of an item's file; raise BadItem for one that is missing, unreadable or of more than `most`."""
    try:
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            # As much as is there: room is made for as much as is asked for.
            data = file.read(size + 1) if size <= most else b""
    except FileNotFoundError:
        raise BadItem(f"{what} file is missing", path=path) from None
    except (OSError, MemoryError, ValueError) as error:
        raise BadItem(f"{what} file cannot be read ({getattr(error, 'strerror', '') or error})", path=path) from None
    if max(size, len(data)) > most:
        raise BadItem(f"{what} file of more than {most >> 20} MiB", path=path)
    return data


def read_rows(path: Path, fix: str = "") -> list[list[str]]:
    """Return the rows of a CSV table in UTF-8; raise DataError for a missing, another or a far larger one."""
    try:
        text = read_bytes(path, "table", LARGEST_TABLE).decode("utf-8-sig")
        return list(csv.reader(io.StringIO(text, newline="")))
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"not a text table ({error})", path=path, fix=fix) from None


def text_lines(data: bytes) -> list[str]:
    """Return lines of a text file without its byte order mark, comments, empty lines and blanks at either end."""
    data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    lines = (line.strip() for line in re.split(r"\r\n|\r|\n", text))
    return [line for line in lines if line and not line.startswith(("#", "//"))]


def number(text: str) -> float | None:
    """Return the number that `text` is, None where it is none or cannot be a pixel; stricter than float()."""
    value = float(text) if NUMBER.fullmatch(text) else np.nan
    return value if abs(value) <= LARGEST else None


def coordinates(line: str) -> tuple[float, float] | str:
    """Return (x, y) of a line of two numbers between blanks or one comma, else what is wrong with it."""
    pair = PAIR.fullmatch(line)
    if pair and abs(x := float(pair[1])) <= LARGEST and abs(y := float(pair[4])) <= LARGEST:  # as nearly always
        return x, y
    fields = line.split()
    if "," in line:  # a comma parts x from y; a decimal comma would give more of them
        fields = [field.strip() for field in line.split(",")]
        if len(fields) != 2:
            return f"{line[:40]!r} is not two numbers"
    if len(fields) != 2:  # an index before them or a flag behind them: which are x and y is a guess
        return f"{len(fields)} fields instead of 2"
    left, right = number(fields[0]), number(fields[1])
    if left is None or right is None:
        return f"coordinate {(fields[0] if left is None else fields[1])[:40]!r} is not a number of pixels"
    return left, right


def _plain(data: bytes, count: int) -> np.ndarray | None:
    """Return the points of a file without any departure from the format, as nearly all are; None for any other."""
    match = PLAIN.fullmatch(data)
    if not match or int(match[1]) != count:
        return None
    values = np.array(match[2].split(), np.float64)
    return values.reshape(count, 2) if len(values) == 2 * count and np.abs(values).max() <= LARGEST else None


def parse_points(data: bytes, count: int, path: Path | str | None = None) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return points (count, 2) float64 of the bytes of a .pts file, and notes; raise BadItem naming line and fault."""
    if (plain := _plain(data, count)) is not None:
        return plain, ()
    lines = text_lines(data.replace(b"{", b"\n{\n").replace(b"}", b"\n}\n"))
    notes = []
    if len(lines) == count and "{" not in lines and all(PAIR.fullmatch(line) for line in lines):
        notes.append("no header")
        if not data.endswith((b"\n", b"\r")) and not _as_long(lines[-1], lines[0]):
            raise BadItem("no header, and the last number may be cut off", path=path, field=f"point {count}")
        lines = ["{", *lines, "}"]
    if "{" not in lines:
        raise BadItem("no opening brace, not a .pts file", path=path, field="{")
    start = lines.index("{")
    declared = _header(lines[:start], notes, path) if "no header" not in notes else count
    body = lines[start + 1 :]
    if "}" in body:
        end = body.index("}")
        if body[end + 1 :]:
            raise BadItem("text after the closing brace", path=path, field="}")
        body = body[:end]
    elif not data.endswith((b"\n", b"\r")):
        raise BadItem("cut off: no closing brace, and the last number may be incomplete", path=path, field="}")
    else:
        notes.append("no closing brace")
    if declared is not None and declared != len(body):
        raise BadItem(f"n_points says {declared}, {len(body)} lines follow", path=path, field="n_points")
    if len(body) != count:
        raise BadItem(f"{len(body)} points instead of {count}", path=path, field="n_points")
    points = []
    for place, line in enumerate(body, 1):
        pair = coordinates(line)
        if isinstance(pair, str):
            raise BadItem(pair, path=path, field=f"point {place}")
        points.append(pair)
    return np.array(points, np.float64).reshape(count, 2), tuple(dict.fromkeys(notes))


def _as_long(line: str, other: str) -> bool:
    """Return whether the last number of a line has as many decimals as another line's, one or more."""
    decimals = [len(text.split()[-1].partition(".")[2]) for text in (line, other)]
    return decimals[0] == decimals[1] > 0


def _header(lines: list[str], notes: list[str], path) -> int | None:
    """Return the number of points that the header promises, None where it does not say; append to notes."""
    declared = None
    for line in lines:
        match = HEADER.fullmatch(line)
        if not match:
            raise BadItem(f"{line[:40]!r} is no header line", path=path, field="header")
        key, value = match[1].lower().replace(" ", "_"), match[2]
        if key == "n_points":
            if not re.fullmatch(r"\d{1,6}", value, re.ASCII) or declared is not None:
                raise BadItem(f"n_points {value[:40]!r} is no count, or given twice", path=path, field="n_points")
            declared = int(value)
        elif key == "version" and value not in ("1", "1.0"):
            notes.append("unknown version")
    if declared is None:
        notes.append("n_points is not given")
    return declared
