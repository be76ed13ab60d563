"""Picture files are read by content, and unreadable ones are named."""

import io
import os
import struct
import threading
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

from data_prep import heard
from data_prep.errors import BadItem
from data_prep.images import read_image
from tests.helpers import smooth_picture


@pytest.fixture
def picture():
    return smooth_picture(40, 31, np.random.default_rng(0))  # RGB


def encoded(picture, kind=".png", alpha=None):
    pixels = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    if alpha is not None:
        pixels = np.dstack([pixels, np.full(picture.shape[:2], alpha, np.uint8)])
    return cv2.imencode(kind, pixels)[1].tobytes()


def test_a_png_is_read_exactly_as_rgb(tmp_path, picture):
    (tmp_path / "a.png").write_bytes(encoded(picture))
    found = read_image(tmp_path / "a.png")
    np.testing.assert_array_equal(found, picture)
    assert found.dtype == np.uint8


def test_a_jpeg_is_read_nearly(tmp_path, picture):
    (tmp_path / "a.jpg").write_bytes(encoded(picture, ".jpg"))
    assert np.abs(read_image(tmp_path / "a.jpg").astype(int) - picture).mean() < 3


def test_the_name_does_not_matter_and_alpha_is_dropped(tmp_path, picture):
    (tmp_path / "a.jpg").write_bytes(encoded(picture, ".png", alpha=77))
    np.testing.assert_array_equal(read_image(tmp_path / "a.jpg"), picture)


def test_a_grey_picture_has_three_equal_channels(tmp_path, picture):
    cv2.imwrite(str(tmp_path / "a.png"), picture[..., 0])
    found = read_image(tmp_path / "a.png")
    assert found.shape == (40, 31, 3)
    for channel in range(3):
        np.testing.assert_array_equal(found[..., channel], picture[..., 0])


def test_any_folder_name_will_do(tmp_path, picture):
    folder = tmp_path / "Bilder für Ünïcode 面"
    folder.mkdir()
    (folder / "ä b.png").write_bytes(encoded(picture))
    np.testing.assert_array_equal(read_image(folder / "ä b.png"), picture)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(BadItem, match="absent.png: image file is missing"):
        read_image(tmp_path / "absent.png")


@pytest.mark.parametrize("kind", [".png", ".jpg"])
@pytest.mark.parametrize("keep", [0.0, 0.05, 0.5, 0.97])
def test_a_truncated_file_is_named(tmp_path, picture, kind, keep):
    whole = encoded(picture, kind)
    (tmp_path / "cut.jpg").write_bytes(whole[: int(len(whole) * keep)])
    with pytest.raises(BadItem, match="cut.jpg: not a readable image"):
        read_image(tmp_path / "cut.jpg")


def test_something_else_is_named(tmp_path):
    (tmp_path / "page.jpg").write_text("<html>404 not found</html>")
    with pytest.raises(BadItem, match="page.jpg: not a readable image"):
        read_image(tmp_path / "page.jpg")


def test_a_folder_is_named(tmp_path):
    with pytest.raises(BadItem, match="image file cannot be read"):
        read_image(tmp_path)


def detailed(seed=0):
    """A picture that takes many bytes."""
    rng = np.random.default_rng(seed)
    return np.clip(smooth_picture(160, 120, rng).astype(int) + rng.integers(-20, 21, (160, 120, 3)), 0, 255)


def saved(kind, **choices):
    file = io.BytesIO()
    Image.fromarray(detailed().astype(np.uint8)).save(file, kind, **choices)
    return file.getvalue()


def chunks(data):
    """(kind, content) of a PNG's chunks."""
    place = 8
    while place < len(data):
        (length,) = struct.unpack(">I", data[place : place + 4])
        yield data[place + 4 : place + 8], data[place + 8 : place + 8 + length]
        place += 12 + length


def png(parts):
    """A PNG of chunks, each with the right checksum."""
    body = [struct.pack(">I", len(c)) + k + c + struct.pack(">I", zlib.crc32(k + c)) for k, c in parts]
    return b"\x89PNG\r\n\x1a\n" + b"".join(body)


def png_without(share):
    """A PNG whose pixels' bytes lack a piece, in chunks that are whole."""
    change = {b"IDAT": lambda content: content[: int(len(content) * share)] + content[int(len(content) * share) + 60 :]}
    return png([(kind, change.get(kind, lambda content: content)(content)) for kind, content in chunks(saved("PNG"))])


def hole(data, share, length):
    place = int(len(data) * share)
    return data[:place] + data[place + length :]


HEARD = pytest.mark.skipif(os.name == "nt", reason="OpenCV brings a C library of its own there, which is not heard")
CUT_INSIDE = {
    "JPEG with its end mark": lambda: saved("JPEG", quality=92)[:4000] + b"\xff\xd9",
    "progressive JPEG with its end mark": lambda: saved("JPEG", progressive=True)[:3000] + b"\xff\xd9",
    "JPEG with restarts and a hole": lambda: hole(saved("JPEG", restart_marker_rows=2), 0.5, 900),
    "JPEG with a hole": lambda: hole(saved("JPEG", quality=92), 0.5, 1500),
    "JPEG with zeros in it": lambda: hole(saved("JPEG", quality=92), 0.3, 3000)[:-2000] + bytes(2000) + b"\xff\xd9",
    "PNG with a hole": lambda: hole(saved("PNG"), 0.5, 300),
    "PNG with a hole, lengths and checksums mended": lambda: png_without(0.5),
    "PNG without its last rows, mended": lambda: png_without(0.999),
    "PNG of less data than it needs": lambda: png([c for c in chunks(saved("PNG")) if c[0] != b"IDAT"]),
    "TIFF with a JPEG that is cut": lambda: hole(saved("TIFF", compression="jpeg"), 0.5, 0)[:3000] + bytes(20000),
}


@HEARD
@pytest.mark.parametrize("kind", CUT_INSIDE)
def test_a_picture_cut_inside_is_named_and_its_decoder_says_nothing_itself(tmp_path, kind, capfd):
    (tmp_path / "cut.jpg").write_bytes(CUT_INSIDE[kind]())
    with pytest.raises(BadItem, match="cut.jpg: not a readable image"):
        read_image(tmp_path / "cut.jpg")
    assert capfd.readouterr().err == ""


@HEARD
def test_bytes_that_no_pixel_needs_are_noted_and_the_picture_is_whole(tmp_path, capfd):
    whole = saved("JPEG")
    (tmp_path / "a.jpg").write_bytes(whole[:-2] + bytes(40) + whole[-2:])
    heard.notes.clear()
    found = read_image(tmp_path / "a.jpg")
    assert list(heard.notes) == ["its decoder says: Corrupt JPEG data: … extraneous bytes before marker 0xd9"]
    (tmp_path / "a.jpg").write_bytes(whole)
    np.testing.assert_array_equal(found, read_image(tmp_path / "a.jpg"))
    assert capfd.readouterr().err == "" and len(heard.notes) == 1


def test_what_is_heard_is_of_the_work_and_a_progress_bar_goes_on(capfd):
    def work(text, fails=False):
        os.write(2, text)
        if fails:
            raise ValueError
        return 7

    assert heard.listen(work, b"[mjpeg @ 0x12] overread 8\nagain\nagain\n") == (7, ["overread 8", "again"])
    assert heard.listen(work, b"\rface: 3 of 9") == (7, []) and capfd.readouterr().err == "\rface: 3 of 9"
    with pytest.raises(ValueError):
        heard.listen(work, b"lost", True)
    assert heard.listen(work, b"") == (7, [])
    os.write(2, b"said aloud")
    assert capfd.readouterr().err == "said aloud"


def test_several_threads_hear_each_their_own():
    found = {}

    def read(k):
        found[k] = [heard.listen(os.write, 2, b"%d" % k)[1] for _ in range(50)]

    threads = [threading.Thread(target=read, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {k: [[str(k)]] * 50 for k in range(4)}


def test_without_a_standard_error_pictures_are_read_all_the_same(tmp_path, picture):
    (tmp_path / "a.png").write_bytes(encoded(picture))
    kept = os.dup(2)
    try:
        os.close(2)
        found = read_image(tmp_path / "a.png")
    finally:
        os.dup2(kept, 2)
        os.close(kept)
    np.testing.assert_array_equal(found, picture)
