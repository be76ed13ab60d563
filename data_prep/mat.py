"""MATLAB files (.mat, version 5) from strangers: numbers, text, cells and structures, and any fault a DataError.

Written for this package because scipy's reader, which is fast and complete, can bring the process down on a damaged
file. Here every length is checked against the bytes that are there before anything is made of it.
"""

import struct
import zlib
from math import prod
from pathlib import Path

import numpy as np

from data_prep.errors import DataError

LARGEST = 64 << 20  # bytes, packed or unpacked
DEEPEST = 8  # cells within cells
MATRIX, PACKED = 14, 15  # element types; below, the types of plain numbers and of text
NUMBERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
TEXT = {1: "latin-1", 2: "latin-1", 4: "utf-16", 16: "utf-8", 17: "utf-16"}
CELL, STRUCT, CHAR, NUMERIC, COMPLEX = 1, 2, 4, range(6, 16), 0x800  # classes of matrices, and a flag


def read_mat(data: bytes, variable: str, path: Path | str):
    """Return the variable of a MATLAB file's bytes; raise DataError naming path and variable.

    Numbers come as float64 arrays of MATLAB's shape, text as str, cells as lists (column by column), structures as
    dicts by field name or, where they are not one but many, lists of dicts.
    """
    try:
        return _variable(data, variable)
    except (ValueError, struct.error, zlib.error) as error:
        problem = f"not a readable MATLAB file ({str(error)[:80]})"
        raise DataError(problem, path=path, field=variable, fix="get the file again, or save it as version 5") from None


def _variable(data: bytes, variable: str):
    if data.startswith(b"MATLAB 7.3"):
        raise ValueError("version 7.3")
    if not 128 < len(data) <= LARGEST:
        raise ValueError(f"{len(data)} bytes")
    mark = data[126:128]
    if mark not in (b"IM", b"MI"):
        raise ValueError("no version 5 header")
    file = _Reader(data, "<" if mark == b"IM" else ">")
    place, left = 128, LARGEST
    while place < len(data):
        kind, start, end, place = file.element(place, len(data))
        if kind == PACKED:
            unpacked = zlib.decompressobj().decompress(data[start:end], left + 1)
            left -= len(unpacked)
            if left < 0:
                raise ValueError(f"unpacks to more than {LARGEST >> 20} MiB")
            inner, place = _Reader(unpacked, file.order), end  # a packed element is not filled up to eight bytes
            kind, start, end, _ = inner.element(0, len(unpacked))
        else:
            inner = file
        if kind == MATRIX and inner.name(start, end) == variable:
            return inner.matrix(start, end)
    raise ValueError(f"holds no variable {variable!r}")


class _Reader:
    """The elements of some bytes; every method raises ValueError where they are not what they should be."""

    def __init__(self, data: bytes, order: str):
        self.data, self.order = data, order

    def element(self, place: int, limit: int) -> tuple[int, int, int, int]:
        """Return (type, first byte, one past the last, place of the next element) of the element at a place."""
        if place + 8 > limit:
            raise ValueError("cut off")
        kind, size = struct.unpack_from(self.order + "II", self.data, place)
        start = place + 8
        if kind >> 16:  # a small element: length and type share four bytes, the next four are the data
            kind, size, start = kind & 0xFFFF, kind >> 16, place + 4
            if size > 4:
                raise ValueError("a small element of more than four bytes")
        if start + size > limit:
            raise ValueError("cut off")
        return kind, start, start + size, min(limit, max(place + 8, start + size + -size % 8 * (start == place + 8)))

    def numbers(self, place: int, limit: int) -> tuple[np.ndarray, int]:
        """Return the numbers (N,) of the element at a place, and the place of the next."""
        kind, start, end, after = self.element(place, limit)
        if kind not in NUMBERS:
            raise ValueError(f"numbers of unknown type {kind}")
        plain = np.dtype(self.order + NUMBERS[kind])
        if (end - start) % plain.itemsize:
            raise ValueError("numbers are cut off")
        return np.frombuffer(self.data, plain, (end - start) // plain.itemsize, start), after

    def _head(self, start: int, end: int) -> tuple[int, tuple[int, ...], str, int]:
        """Return (flags, shape, name, place of what follows) of a matrix."""
        flags, place = self.numbers(start, end)
        lengths, place = self.numbers(place, end)
        _, first, last, place = self.element(place, end)
        shape = tuple(int(n) for n in lengths)
        if not len(flags) or not shape or min(shape) < 0:
            raise ValueError("a matrix without type or shape")
        return int(flags[0]), shape, self.data[first:last].decode("latin-1"), place

    def name(self, start: int, end: int) -> str:
        """Return the name of the matrix whose content is data[start:end]."""
        return self._head(start, end)[2]

    def matrix(self, start: int, end: int, depth: int = 0):
        """Return the value of the matrix whose content is data[start:end]."""
        if start == end:
            return np.zeros((0, 0))
        if depth > DEEPEST:
            raise ValueError("cells within cells without end")
        flags, shape, _, place = self._head(start, end)
        kind = flags & 0xFF
        if kind == CELL:
            return self._matrices(prod(shape), place, end, depth)[0]
        if kind == STRUCT:
            length, place = self.numbers(place, end)
            names, place = self.numbers(place, end)
            width = int(length[0]) if len(length) else 0
            if not 0 < width <= 64 or len(names) % width:
                raise ValueError("field names of no length")
            raw = names.tobytes()
            fields = [raw[k : k + width].split(b"\0")[0].decode("latin-1") for k in range(0, len(raw), width)]
            values, _ = self._matrices(prod(shape) * len(fields), place, end, depth)
            records = [dict(zip(fields, values[k:], strict=False)) for k in range(0, len(values), max(len(fields), 1))]
            return records[0] if len(records) == 1 else records
        if kind == CHAR:
            code, first, last, _ = self.element(place, end)
            if code not in TEXT:
                raise ValueError(f"text of unknown type {code}")
            wide = {"<": "-le", ">": "-be"}[self.order] if TEXT[code] == "utf-16" else ""
            return self.data[first:last].decode(TEXT[code] + wide)
        if kind not in NUMERIC or flags & COMPLEX:
            raise ValueError(f"a matrix of class {kind}, which is not read here")
        found, _ = self.numbers(place, end)
        if len(found) != prod(shape):
            raise ValueError(f"{len(found)} numbers for a matrix of shape {shape}")
        return found.astype(np.float64).reshape(shape, order="F")

    def _matrices(self, count: int, place: int, end: int, depth: int) -> tuple[list, int]:
        if count > (end - place) // 8:  # each takes eight bytes or more
            raise ValueError(f"{count} values are promised, and cut off")
        values = []
        for _ in range(count):
            kind, first, last, place = self.element(place, end)
            if kind != MATRIX:
                raise ValueError(f"a value of type {kind} in a cell")
            values.append(self.matrix(first, last, depth + 1))
        return values, place
