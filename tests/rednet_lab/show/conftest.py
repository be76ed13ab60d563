"""Storyboards of small networks, and what a player's HTML holds."""

import base64
import json
import zlib
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from rednet_core.eccv import EccvConfig, EccvNet
from rednet_lab.show.storyboard import step_storyboard
from rednet_lab.show.trace import trace_stills, trace_video
from tests.helpers import loop_box, settle, template, tiny_net

SEVEN = [36, 39, 42, 45, 30, 48, 54]


@pytest.fixture(scope="session")
def labelled(faces):
    """Traces of four faces by a network of the ECCV paper, whose steps are labels of seven points."""
    torch.manual_seed(5)
    net = EccvNet(EccvConfig(32, 0.125, (1,) * 5, "seven", steps=(28, 20, 12)))
    net.mean_shape.copy_(torch.tensor(template()[SEVEN], dtype=torch.float32))
    net.train()
    with torch.no_grad():
        for _ in range(3):
            net(torch.rand(4, 3, 32, 32), net.first_guess(4))
    kind = [("points", "<f4", (7, 2)), ("mask", "?", (7,)), ("identity", "<i4"), ("video", "<i4"), ("frame", "<i4")]
    table = np.zeros(len(faces.table), kind)
    table["points"], table["mask"] = faces.table["points"][:, SEVEN], True
    return trace_stills(net.eval(), SimpleNamespace(crops=faces.crops, table=table), np.array([0, 3, 5, 6]))


@pytest.fixture(scope="session")
def tracks(faces):
    """A track with a memory, and the same with it wiped."""
    net, truth = settle(tiny_net(seed=3, temporal=True)), np.array(faces.table["points"][:4])
    video = (faces.crops[:4], truth, loop_box(truth[0]))
    return {"memory": trace_video(net, *video), "wiped": trace_video(net, *video, temporal=False)}


@pytest.fixture(scope="session")
def both(labelled, traces):
    """Two networks' steps on four faces, with a title that would break a page."""
    return step_storyboard(
        {"labels": labelled, "maps": traces}, "Two <!--<script> & more", [f"yaw {i}°" for i in range(4)]
    )


@pytest.fixture(scope="session")
def unpack():
    """A function that gives the storyboard inside a player's HTML, its rows' values and cells' points as arrays."""

    def unpacked(html: str) -> dict:
        packed = html.split('<script type="text/plain">')[1].split(" ")[0]
        raw = zlib.decompress(base64.b64decode(packed))
        start = 4 + int.from_bytes(raw[:4], "little")
        found = json.loads(raw[4:start])
        cells = [(cell, "points") for column in found["cells"] for cell in column]
        for holder, name in [(row, "values") for row in found["rows"]] + cells:
            kind, offset, shape = holder[name]
            holder[name] = np.frombuffer(raw, "<" + kind, int(np.prod(shape)), start + offset).reshape(shape)
        return found

    return unpacked
