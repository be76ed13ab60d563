"""Files are written whole or not at all."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from rednet_lab import files
from rednet_lab.files import clock, figures, read_json, remove, write_json, write_text


def test_text_is_utf8_with_plain_line_ends_and_its_folder_is_made(tmp_path):
    path = tmp_path / "a" / "b" / "t.txt"
    write_text(path, "ä\nb\n")
    assert path.read_bytes() == b"\xc3\xa4\nb\n"
    assert os.listdir(path.parent) == ["t.txt"]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_failure_half_way_leaves_the_old_text(tmp_path, monkeypatch, step):
    path = tmp_path / "t.txt"
    write_text(path, "old")

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(files.os, step, fail)
    with pytest.raises(OSError, match="disk full"):
        write_text(path, "new, and longer")
    assert path.read_text() == "old"


def test_writers_at_once_do_not_mix_their_texts(tmp_path, monkeypatch):
    path, texts = tmp_path / "t.txt", [str(i) * 20_000 for i in range(6)]
    written = threading.Barrier(len(texts), timeout=20)
    monkeypatch.setattr(files.os, "fsync", lambda _: written.wait())  # nobody puts his in place before all have written
    with ThreadPoolExecutor(len(texts)) as pool:
        list(pool.map(partial(write_text, path), texts))  # raises what a writer raised
    assert path.read_text() in texts
    assert os.listdir(tmp_path) == ["t.txt"]


def test_json_goes_and_comes_back(tmp_path):
    value = {"a": [1, 2.5, None, True], "name": "Å"}
    write_json(tmp_path / "v.json", value)
    assert read_json(tmp_path / "v.json") == value
    assert "Å" in (tmp_path / "v.json").read_text(encoding="utf-8")
    with pytest.raises(TypeError):
        write_json(tmp_path / "v.json", {"a": object()})
    assert read_json(tmp_path / "v.json") == value


@pytest.mark.parametrize("content", [None, b"", b'{"a": 1', b"\xff\xfe\x00"])
def test_what_is_no_json_is_the_default(tmp_path, content):
    if content is not None:
        (tmp_path / "v.json").write_bytes(content)
    assert read_json(tmp_path / "v.json", {"d": 1}) == {"d": 1} and read_json(tmp_path / "v.json") is None


def test_remove_takes_files_folders_and_links_but_not_what_a_link_shows(tmp_path):
    (tmp_path / "folder" / "in").mkdir(parents=True)
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "file").write_text("x")
    (tmp_path / "file").write_text("x")
    try:
        os.symlink(tmp_path / "kept", tmp_path / "link", target_is_directory=True)
        os.symlink(tmp_path / "nowhere", tmp_path / "dangling")
    except OSError:
        pass  # Windows wants a right for it
    for name in ("folder", "file", "link", "dangling", "never there"):
        remove(tmp_path / name)
    assert os.listdir(tmp_path) == ["kept"] and (tmp_path / "kept" / "file").exists()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00"), (6.6, "0:07"), (59.5, "1:00"), (754, "12:34"), (3599.7, "1:00:00"), (3723, "1:02:03")],
)
def test_clock(seconds, text):
    assert clock(seconds) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(12.345, "12.3"), (0.04561, "0.0456"), (1234.4, "1234"), (-1234.6, "-1235"), (7, "7"), ("a", "a"), (0.0, "0")],
)
def test_figures(value, text):
    assert figures(value) == text
