"""MATLAB files against scipy's writer; and that no bytes bring anything but a value or a DataError."""

import io
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.io import savemat

from data_prep.errors import DataError
from data_prep.mat import read_mat


def mat(packed=False, **values):
    file = io.BytesIO()
    savemat(file, values, do_compression=packed)
    return file.getvalue()


PACKED = pytest.mark.parametrize("packed", [False, True])
KINDS = ["f8", "f4", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8"]


@PACKED
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (5, 1), (3, 4), (2, 3, 4), (0, 0), (0, 3)])
def test_numbers_of_every_type_and_shape(packed, kind, shape):
    values = (np.arange(np.prod(shape)).reshape(shape) * 3 % 100).astype(kind)
    found = read_mat(mat(packed, before=1, error=values, after=np.zeros(3)), "error", "x.mat")
    assert found.dtype == np.float64 and found.shape == values.shape
    np.testing.assert_array_equal(found, values)


@PACKED
def test_cells_of_structures_of_text_and_numbers(packed):
    cells = np.empty((1, 3), object)
    for k, name in enumerate(["a.jpg", "image_092 _01.jpg", "naïve.png"]):
        cells[0, k] = {"imgName": name, "bb_detector": np.arange(4.0) + k, "inner": {"x": [1, 2]}}
    found = read_mat(mat(packed, boxes=cells), "boxes", "x.mat")
    assert [record["imgName"] for record in found] == ["a.jpg", "image_092 _01.jpg", "naïve.png"]
    assert [record["bb_detector"].tolist() for record in found] == [[[k, k + 1, k + 2, k + 3]] for k in range(3)]
    assert found[0]["inner"]["x"].tolist() == [[1, 2]]


def test_an_array_of_structures_is_a_list():
    records = np.array([(1.0, "one"), (2.0, "two")], dtype=[("number", object), ("word", object)])
    found = read_mat(mat(records=records), "records", "x.mat")
    assert [(int(record["number"][0, 0]), record["word"]) for record in found] == [(1, "one"), (2, "two")]


def test_most_significant_byte_first():
    """A file of another machine, written by hand: one matrix of two doubles."""
    parts = [struct.pack(">IIII", 6, 8, 6, 0), struct.pack(">IIii", 5, 8, 1, 2)]
    parts += [struct.pack(">HH4s", 3, 1, b"err\0"), struct.pack(">IIdd", 9, 16, 3.5, -4.0)]
    body = b"".join(parts)
    data = b"MATLAB 5.0".ljust(124) + b"\x01\x00MI" + struct.pack(">II", 14, len(body)) + body
    assert read_mat(data, "err", "x.mat").tolist() == [[3.5, -4.0]]


@pytest.mark.parametrize(
    "data, reason",
    [
        (b"", "0 bytes"),
        (b"x" * 500, "no version 5 header"),
        (b"MATLAB 7.3 MAT-file".ljust(600), "version 7.3"),
        (mat(other=1), "holds no variable 'error'"),
        (mat(error=np.array([1 + 2j])), "class 6, which is not read here"),
        (mat(error=np.arange(9.0))[:-8], "cut off"),
        (mat(True, error=np.arange(9.0))[:-8], "cut off"),
    ],
)
def test_what_cannot_be_read_is_named(data, reason):
    with pytest.raises(DataError) as caught:
        read_mat(data, "error", "x.mat")
    assert str(caught.value).startswith("x.mat: [error] not a readable MATLAB file") and reason in str(caught.value)


def test_one_that_unpacks_to_too_much_is_refused():
    data = mat(True, error=np.zeros(9 << 20))
    assert len(data) < 1 << 20
    with pytest.raises(DataError, match="unpacks to more than 64 MiB"):
        read_mat(data, "error", "x.mat")


def test_cells_without_end_are_refused():
    cell = np.zeros(1)
    for _ in range(20):
        outer = np.empty((1, 1), object)
        outer[0, 0] = cell
        cell = outer
    with pytest.raises(DataError, match="cells within cells"):
        read_mat(mat(error=cell), "error", "x.mat")


def whole(packed):
    cells = np.empty((1, 2), object)
    cells[0, 0], cells[0, 1] = {"imgName": "a.jpg", "bb_detector": np.arange(4.0)}, np.array([[1, 2], [3, 4]], "u2")
    return mat(packed, error=cells)


PLAIN, TIGHT = whole(False), whole(True)


@given(st.data())
def test_any_bytes_are_a_value_or_a_typed_error(data):
    content = bytearray(data.draw(st.sampled_from([PLAIN, TIGHT])))
    kind = data.draw(st.sampled_from(["cut", "noise", "bytes", "words"]))
    if kind == "cut":
        content = content[: data.draw(st.integers(0, len(content)))]
    elif kind == "noise":
        content = content[:128] + data.draw(st.binary(max_size=300))
    elif kind == "bytes":
        for place in data.draw(st.lists(st.integers(128, len(content) - 1), max_size=5)):
            content[place] = data.draw(st.integers(0, 255))
    else:  # the four-byte words of which types and lengths are made
        for place in data.draw(st.lists(st.integers(32, len(content) // 4 - 1), max_size=4)):
            word = data.draw(st.sampled_from([0, 1, 2, 4, 6, 8, 14, 15, 255, 0x00040001, 0x7FFFFFFF, 0xFFFFFFFF]))
            content[4 * place : 4 * place + 4] = struct.pack("<I", word)
    try:
        read_mat(bytes(content), "error", "x.mat")
    except DataError as error:
        assert str(error).startswith("x.mat: [error] ")


def test_every_single_byte_changed_is_a_value_or_a_typed_error():
    for place in range(124, len(PLAIN)):
        for value in (0, 1, 14, 15, 0x7F, 0xFF):
            content = PLAIN[:place] + bytes([value]) + PLAIN[place + 1 :]
            try:
                read_mat(content, "error", "x.mat")
            except DataError:
                continue
