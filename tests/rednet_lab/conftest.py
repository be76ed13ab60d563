"""A cache of a test's own; a profile "tiny", whose data and stages are made once a session; faces, a net, traces."""

from dataclasses import replace
from functools import lru_cache

import cv2
import numpy as np
import pytest
import torch

from data_prep.readers.udacity import split_persons
from rednet_lab import stamp
from rednet_lab.workbench import profiles, sources
from rednet_lab.workbench.lab import Lab
from tests.helpers import face, face_picture, make_data, settle, tiny_net

TINY = replace(
    profiles.SMOKE,
    name="tiny",
    stills=(10, 3, 6),
    people=(3, 6),
    videos=(3, 3, 4, 3),
    stage1=replace(profiles.SMOKE.stage1, train=replace(profiles.SMOKE.stage1.train, steps=4), batch=4),
    stage2=replace(profiles.SMOKE.stage2, train=replace(profiles.SMOKE.stage2.train, steps=2), batch=4),
    stage3=replace(profiles.SMOKE.stage3, train=replace(profiles.SMOKE.stage3.train, steps=2), frames=3),
    demo=replace(profiles.SMOKE.demo, train=replace(profiles.SMOKE.demo.train, steps=2), batch=4),
    eccv_demo=replace(profiles.SMOKE.eccv_demo, train=replace(profiles.SMOKE.eccv_demo.train, steps=2), batch=4),
)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache for one test."""
    monkeypatch.setenv("REDNET_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(scope="session")
def tiny_world(tmp_path_factory):
    """A folder that lasts for the session: what profile tiny is made of is made once."""
    return tmp_path_factory.mktemp("tiny")


code_hash = lru_cache(stamp.code_hash)


@pytest.fixture
def hashed_once(monkeypatch):
    """The code does not change under a test, and reading all of it takes half a second each time."""
    monkeypatch.setattr(stamp, "code_hash", code_hash)


@pytest.fixture
def open_lab(tiny_world, hashed_once, monkeypatch):
    """Return a function that opens a Lab on profile tiny, as a notebook does."""
    monkeypatch.setitem(profiles.PROFILES, "tiny", TINY)
    monkeypatch.setattr(sources, "workers", lambda: 1)  # data is prepared in this process
    monkeypatch.setenv("REDNET_BATCH", "1")  # no progress bars
    monkeypatch.setenv("REDNET_CACHE", str(tiny_world / "cache"))
    torch.set_num_threads(1)

    def make(notebook="10_a", source="face_world", data="", seed=0, **choices) -> Lab:
        choices = {"profile": "tiny", "device": "cpu", "out": str(tiny_world / "out"), **choices}
        return Lab(notebook, source=source, data=data, seed=seed, **choices)

    return make


@pytest.fixture(scope="session")
def faces():
    """Drawn faces: two videos of four frames."""
    return make_data([(0, range(4)), (1, range(4))], size=48)


@pytest.fixture(scope="session")
def net():
    """A network that has learnt nothing but whose statistics fit."""
    torch.set_num_threads(1)
    return settle(tiny_net(seed=3))


@pytest.fixture(scope="session")
def traces(net, faces):
    """Traces of four stills."""
    from rednet_lab.show.trace import trace_stills

    return trace_stills(net, faces, np.array([0, 3, 5, 6]))


@pytest.fixture(scope="session")
def udacity(tmp_path_factory):
    """A folder in the Udacity layout: drawn faces of 3 training, 1 validation and 2 test persons, 9 of each."""
    folder = tmp_path_factory.mktemp("P1_Facial_Keypoints")
    split = split_persons([f"Person_{letter}" for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"], 0)
    persons = [
        name
        for part, count in (("train", 3), ("validation", 1), ("test", 2))
        for name in [person for person in split if split[person] == part][:count]
    ]
    rng = np.random.default_rng(0)
    lines = [",".join(["", *map(str, range(136))])]
    (folder / "training").mkdir()
    for person in persons:
        for frame in range(9):
            points = face((48 + rng.uniform(-3, 3), 44), rng.uniform(46, 54), rng.uniform(-0.1, 0.1)).round()
            cv2.imwrite(str(folder / "training" / f"{person}_0{frame}.jpg"), face_picture(96, points, rng)[..., ::-1])
            lines.append(",".join([f"{person}_0{frame}.jpg", *(f"{value:g}" for value in points.ravel())]))
    (folder / "training_frames_keypoints.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder
