"""Picture files are read by content, and unreadable ones are named."""

import cv2
import numpy as np
import pytest

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
