"""The example in the package's docstring, run as it stands on the file of a tiny network."""

import doctest

import numpy as np

import rednet_core
from rednet_core import checkpoint
from tests.helpers import settle, tiny_net


def test_from_a_picture_to_points_in_six_lines(tmp_path):
    file = tmp_path / "net.pt"
    checkpoint.save_net(file, settle(tiny_net()))
    video = np.random.default_rng(0).integers(0, 256, (3, 60, 80, 3), np.uint8)
    names = {"file": file, "box": np.array([40.0, 30.0, 36.0]), "video": video}
    (example,) = (t for t in doctest.DocTestFinder().find(rednet_core, "rednet_core") if t.examples)
    example.globs = names
    assert len(example.examples) <= 6
    assert doctest.DocTestRunner().run(example, clear_globs=False).failed == 0
    assert names["points"].shape == (68, 2) and np.isfinite(names["points"]).all()


def test_every_symbol_of_the_papers_is_found_by_a_search():
    legend = rednet_core.__doc__
    for symbol in ("N ", "L ", "m ", "B, T", "K ", "x ", "z ", "e_i", "e_p", "z_d", "z_r", "f_srn", "f_trn", "f_cls"):
        assert symbol in legend, symbol
    assert "lambda, gamma" in legend
