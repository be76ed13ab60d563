"""Landmark text files: every quirk of DATASETS 1, and that no bytes at all give wrong points or a crash."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_prep import pts
from data_prep.errors import BadItem
from data_prep.pts import parse_points, read_points

POINTS = [(10.5, 20.25), (-3.0, 1e-3), (250.123456, 7)]


def text(points=POINTS, header="version: 1\nn_points:  {n}\n", newline="\n", end="}", sep=" "):
    lines = header.format(n=len(points)) + "{\n" + "".join(f"{x!r}{sep}{y!r}\n" for x, y in points) + end
    return lines.replace("\n", newline).encode()


def wrong(data, count=3):
    with pytest.raises(BadItem) as caught:
        parse_points(data, count, "face.pts")
    assert str(caught.value).startswith("face.pts: [")
    return str(caught.value)


# ------------------------------------------------------------------------------------------------- what is taken


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    "header",
    [
        "version: 1\nn_points:  {n}\n",
        "version: 1\nn_points: {n}\n",
        "version:1.0\nn_points:{n}\n",
        "VERSION : 1\nN_Points :\t{n}  \n",
        "n_points: {n}\n",
        "# made by hand\nversion: 1\n\nn_points: {n}\n// more\n",
    ],
)
@pytest.mark.parametrize("end", ["}", "}\n", "}\n\n  \n"])
def test_every_way_of_writing_a_header_gives_the_same_points(newline, header, end):
    points, notes = parse_points(text(header=header, newline=newline, end=end), 3)
    np.testing.assert_array_equal(points, POINTS)
    assert notes == () and points.dtype == np.float64


@pytest.mark.parametrize("sep", ["  ", "\t", " \t ", ",", " , "])
def test_blanks_tabs_or_a_comma_part_x_from_y(sep):
    np.testing.assert_array_equal(parse_points(text(sep=sep), 3)[0], POINTS)


def test_a_byte_order_mark_is_nothing():
    np.testing.assert_array_equal(parse_points(b"\xef\xbb\xbf" + text(), 3)[0], POINTS)


def test_blanks_behind_the_coordinates_and_blank_lines_are_nothing():
    data = text().replace(b"20.25\n", b"20.25   \n\n \t\n")
    np.testing.assert_array_equal(parse_points(data, 3)[0], POINTS)


def test_braces_need_no_line_of_their_own():
    np.testing.assert_array_equal(parse_points(b"n_points: 1 {4 5}", 1)[0], [[4, 5]])


@pytest.mark.parametrize(
    "data, note",
    [
        (text(end=""), "no closing brace"),
        (text(header="version: 3\nn_points: {n}\n"), "unknown version"),
        (text(header=""), "n_points is not given"),
    ],
)
def test_what_leaves_no_doubt_is_taken_and_noted(data, note):
    points, notes = parse_points(data, 3)
    np.testing.assert_array_equal(points, POINTS)
    assert notes == (note,)


# ------------------------------------------------------------------------------------------------ what is refused


@pytest.mark.parametrize(
    "data, reason",
    [
        (b"", "[{] no opening brace"),
        (b"not a landmark file at all\n", "[{] no opening brace"),
        (text().replace(b"{", b""), "[{] no opening brace"),
        (text().replace(b"n_points:  3", b"n_points:  4"), "[n_points] n_points says 4, 3 lines follow"),
        (text().replace(b"n_points:  3", b"n_points:  many"), "[n_points] n_points 'many' is no count"),
        (text().replace(b"version: 1", b"n_points: 3"), "given twice"),
        (text(POINTS[:2]), "[n_points] 2 points instead of 3"),
        (text([*POINTS, (1, 1)]), "[n_points] 4 points instead of 3"),
        (text().replace(b"20.25", b"abc"), "[point 1] coordinate 'abc' is not a number"),
        (text().replace(b"20.25", b"nan"), "[point 1] coordinate 'nan' is not a number"),
        (text().replace(b"20.25", b"-inf"), "[point 1] coordinate '-inf'"),
        (text().replace(b"20.25", b"1e39"), "[point 1] coordinate '1e39'"),
        (text().replace(b"20.25", b"1_0"), "[point 1] coordinate '1_0'"),
        (text().replace(b"20.25", b"\xb2"), "[point 1] coordinate"),
        (text().replace(b"10.5 20.25", b"10.5"), "[point 1] 1 fields"),
        (text().replace(b"10.5 20.25", b"1 2 3 4"), "[point 1] 4 fields"),
        (text().replace(b"10.5 20.25", b"0 10.5 20.25"), "[point 1] 3 fields"),
        (text().replace(b"20.25", b"20.25 1"), "[point 1] 3 fields"),
        (text().replace(b"10.5 20.25", b"0\t10.5\t20.25"), "[point 1] 3 fields"),
        (text().replace(b"10.5 20.25", b"0,10.5,20.25"), "[point 1] '0,10.5,20.25' is not two numbers"),
        (text().replace(b"10.5 20.25", b"10,5 20,25"), "[point 1] '10,5 20,25' is not two numbers"),
        (text().replace(b"10.5 20.25", b"10,5 20"), "[point 1] coordinate '5 20' is not a number"),
        (text().replace(b"10.5 20.25", b"10.5 20.25 # eye"), "[point 1] 4 fields"),
        (text() + b"{\n", "[}] text after the closing brace"),
        (text(end="")[:-1], "[}] cut off"),
        (text().replace(b"version: 1", b"<html>"), "[header] '<html>' is no header line"),
        (text().decode().encode("utf-16"), "["),
    ],
)
def test_what_could_mean_other_points_is_refused(data, reason):
    assert reason in wrong(data)


def test_files_that_cannot_be_read_are_named(tmp_path):
    with pytest.raises(BadItem, match="absent.pts: annotation file is missing"):
        read_points(tmp_path / "absent.pts", 3)
    with pytest.raises(BadItem, match="annotation file cannot be read"):
        read_points(tmp_path, 3)
    (tmp_path / "huge.pts").write_bytes(text() + b" " * pts.LARGEST_FILE)
    with pytest.raises(BadItem, match="huge.pts: annotation file of more than 1 MiB"):
        read_points(tmp_path / "huge.pts", 3)
    (tmp_path / "fine ü.pts").write_bytes(text())
    np.testing.assert_array_equal(read_points(tmp_path / "fine ü.pts", 3)[0], POINTS)


# ------------------------------------------------------------------------------------------------- whatever comes

COORDINATE = st.floats(-1e6, 1e6, allow_nan=False)
FACES = st.lists(st.tuples(COORDINATE, COORDINATE), min_size=1, max_size=12)
BYTES = st.binary(max_size=300)
NEARLY = st.lists(
    st.sampled_from(
        ["version: 1", "n_points: 2", "n_points:  2", "{", "}", "1 2", "3.5 -4", "nan 1", "x", "1,2", "\r"]
    ),
    max_size=9,
).map(lambda lines: "\n".join(lines).encode())


@given(BYTES | NEARLY)
def test_any_bytes_give_points_or_a_typed_error(data):
    try:
        points, _ = parse_points(data, 2)
    except BadItem:
        return
    assert points.shape == (2, 2) and np.isfinite(points).all() and (np.abs(points) <= 1e6).all()


@given(FACES, st.sampled_from(["\n", "\r\n"]), st.sampled_from([" ", "  ", "\t", ","]), st.sampled_from(["}", "}\n"]))
def test_what_was_written_is_read(points, newline, sep, end):
    found, notes = parse_points(text(points, newline=newline, sep=sep, end=end), len(points))
    np.testing.assert_array_equal(found, points)
    assert notes == ()


@given(FACES, st.data())
def test_a_file_cut_anywhere_gives_the_whole_points_or_an_error(points, data):
    whole = text(points)
    cut = data.draw(st.integers(0, len(whole)))
    try:
        found, _ = parse_points(whole[:cut], len(points))
    except BadItem:
        return
    np.testing.assert_array_equal(found, points)


@given(FACES, st.data())
def test_a_line_lost_or_doubled_is_an_error(points, data):
    lines = text(points).split(b"\n")
    place = data.draw(st.integers(3, 2 + len(points)))
    for changed in (lines[:place] + lines[place + 1 :], lines[: place + 1] + lines[place:]):
        with pytest.raises(BadItem):
            parse_points(b"\n".join(changed), len(points))


def test_an_odd_blank_between_x_and_y_is_a_blank_and_no_third_field():
    points, notes = parse_points(text().replace(b"10.5 20.25", b"10.5\x0b20.25").replace(b"-3.0 ", b"-3.0  \t "), 3)
    np.testing.assert_array_equal(points, POINTS)
    assert notes == ()
