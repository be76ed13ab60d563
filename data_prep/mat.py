"""MATLAB files (.mat, version 5) from strangers: bounded in size, and any failure a DataError."""

import io
import struct
import zlib
from pathlib import Path

from data_prep.errors import DataError

LARGEST = 64 << 20  # bytes, packed or unpacked
PACKED = 15  # type of a compressed element


def read_mat(data: bytes, variable: str, path: Path | str):
    """The variable of a MATLAB file's bytes, as scipy gives it; raises DataError naming path and variable.

    Needs scipy, which the lock installs (scikit-learn brings it); nothing else in this package does.
    """
    try:
        from scipy.io import loadmat
    except ImportError:
        raise DataError("scipy is needed to read .mat files", path=path, fix="pip install scipy") from None
    try:
        if _unpacked(data) > LARGEST:
            raise DataError("unpacks to more than 64 MiB", path=path, field=variable)
        values = loadmat(io.BytesIO(data), variable_names=[variable], squeeze_me=True, struct_as_record=False)
    except DataError:
        raise
    except Exception as error:  # scipy raises whatever its parsing trips over
        kind = type(error).__name__
        raise DataError(f"not a readable MATLAB file ({kind}: {str(error)[:80]})", path=path, field=variable) from None
    if variable not in values:
        raise DataError(f"holds no variable {variable!r}", path=path, field=variable)
    return values[variable]


def _unpacked(data: bytes) -> int:
    """Bytes of a version 5 file once its compressed elements are unpacked; stops counting beyond the limit."""
    if len(data) < 128 or len(data) > LARGEST:
        raise ValueError(f"{len(data)} bytes")
    order = ">" if data[126:128] == b"MI" else "<"
    place, total = 128, 0
    while place + 8 <= len(data):
        kind, size = struct.unpack(order + "II", data[place : place + 8])
        place += 8
        total += size
        if kind == PACKED:
            unpacker = zlib.decompressobj()
            total += len(unpacker.decompress(data[place : place + size], LARGEST + 1)) - size
        if total > LARGEST:
            break
        place += size
    return total
