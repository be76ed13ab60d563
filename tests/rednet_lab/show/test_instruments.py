"""The instruments that look at one face: what they paint is what the network and rednet_core say, live and printed."""

import cv2
import numpy as np
import pytest
import torch

from rednet_core import layers, losses, maps
from rednet_core.markup import IBUG68
from rednet_lab.show import disentangling, draw, explorer, loss_landscape
from rednet_lab.show.trace import FaceTracer, faces_of
from tests.helpers import settle, tiny_net


def shown(painter):
    """The picture that a widget shows, (H, W, 3)."""
    return cv2.imdecode(np.frombuffer(painter.image.value, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]


@pytest.fixture(scope="module")
def four(faces):
    return faces_of(faces, np.array([0, 3, 5, 6]), IBUG68)


# ------------------------------------------------------------------------------------------------- explorer


@pytest.fixture(scope="module")
def inside(net):
    return explorer.Activations(net)


def test_activations_are_those_of_the_network(inside, four, net):
    layers_, frame = inside.look(four[0])
    assert list(layers_) == ["z fed back", "A0", "A1", "A2", "A3", "A4", "e_i", "e_p", "B4", "B3", "B2", "B1"] + [
        "response maps"
    ]
    seen, folded = FaceTracer(net).see(four[0]), inside.tracer.net
    with torch.no_grad():
        stem = folded.backbone.stem((seen.inputs - 0.45) / 0.25)
        encoding = folded.backbone.encode(stem, seen.z0, 0)
    np.testing.assert_allclose(np.concatenate([layers_["e_i"][0], layers_["e_p"][0]]), encoding.e[0], atol=1e-5)
    for layer, switches in zip(("A1", "A2", "A3", "A4"), encoding.switches, strict=True):
        pooled, where = layers.pool(torch.from_numpy(layers_[layer][0])[None])
        assert torch.equal(where, switches), layer
    np.testing.assert_allclose(layers_["response maps"][1], frame.steps[1].maps)
    assert len(layers_["A0"]) == 2 and layers_["A0"][0] is layers_["A0"][1]  # the stem runs once


def test_switches_say_in_two_bits_where_each_maximum_stood(inside, four):
    values = inside.look(four[1])[0]["A2"][1]
    places = inside.switches(four[1], "A2", 1)
    for c, y, x in ((0, 0, 0), (1, 1, 2), (3, 2, 1)):
        window = values[c, 2 * y : 2 * y + 2, 2 * x : 2 * x + 2].ravel()
        assert window[places[c, y, x]] == window.max()
    assert places.min() >= 0 and places.max() == 3
    assert inside.switches(four[1], "B1", 1) is None


def test_a_network_without_pooling_has_no_switches_and_says_so(four):
    net = settle(tiny_net(design="resnet", encoder_units=(1, 1, 1, 1)))
    inside = explorer.Activations(net)
    assert list(inside.look(four[0])[0])[:2] == ["z fed back", "C0"] and inside.switches(four[0], "C1", 0) is None
    assert explorer.panel(inside, four[0], "C1", 0, 0).shape[1] == 2 * draw.PANEL + 6


def test_the_explorer_shows_what_its_controls_say_live_as_in_print(net, four):
    widget, inside = explorer.explore_layers(net, four), explorer.Activations(net)
    for control, value in (("face", "face 2"), ("channel", 3), ("step", 1), ("over", True)):
        before = widget.image.value
        widget.controls[control].value = value
        assert widget.image.value != before, control
    wanted = explorer.panel(inside, four[1], "A2", 0, 3, True)
    np.testing.assert_array_equal(shown(widget), wanted)
    one = inside.look(four[1])[0]["A2"][0][3]
    assert f"largest {one.max():.2f}" in widget.status.value


def test_a_layer_with_fewer_channels_takes_the_last_one(net, four):
    widget = explorer.explore_layers(net, four)
    widget.controls["layer"].value, widget.controls["step"].value = "response maps", 2
    widget.controls["channel"].value = 67
    widget.controls["step"].value = 1  # the detection step has seven maps
    assert widget.controls["channel"].max == 6 and widget.controls["channel"].value == 6
    assert widget.status.value.startswith("channel 6:")


# ------------------------------------------------------------------------------------------------- landscape


@pytest.mark.parametrize("weight", [1.0, 15.0])
@pytest.mark.parametrize("truth", [(9.3, 12.8), (0.4, 15.0)])
def test_the_landscape_is_what_the_losses_say_at_every_place(weight, truth):
    size, radius, sigma = 20, 2.6, 2.0
    found = loss_landscape.landscape(np.array(truth), size, radius, sigma, weight)
    point, one = torch.tensor(truth)[None, None], torch.ones(1, 1)
    disc, target = maps.draw_discs(point, size, radius), maps.draw_gaussians(point, size, sigma)
    for x, y in ((9, 13), (12, 13), (0, 0), (19, 5), (1, 14)):
        at = torch.tensor([[[float(x), float(y)]]])
        logits = torch.where(maps.draw_discs(at, size, radius) > 0, loss_landscape.SURE, -loss_landscape.SURE)
        assert found.detection[y, x] == pytest.approx(float(losses.detection_loss(logits, disc, one, weight)), rel=1e-5)
        answer = maps.draw_gaussians(at, size, sigma)
        l_r = float(losses.regression_loss(answer, target, disc, one, weight))
        assert found.regression[y, x] == pytest.approx(l_r, rel=1e-4, abs=1e-7)
    empty = losses.regression_loss(torch.zeros_like(target), target, disc, one, weight)
    assert found.lazy_regression == pytest.approx(float(empty), rel=1e-5)


def test_no_constant_answer_is_better_than_the_lazy_one():
    found = loss_landscape.landscape(np.array([9.0, 9.0]), 20, 2.6, 2.0, 15.0)
    disc = maps.draw_discs(torch.tensor([[[9.0, 9.0]]]), 20, 2.6)
    costs = [
        float(losses.detection_loss(torch.full_like(disc, v), disc, torch.ones(1, 1))) for v in np.arange(-4, 4, 0.1)
    ]
    assert min(costs) >= found.lazy_detection - 1e-6 and min(costs) == pytest.approx(found.lazy_detection, rel=1e-2)


def test_every_control_of_the_landscape_changes_it_and_its_words_are_the_losses():
    picture = np.full((32, 32, 3), 120, np.uint8)
    points = np.array([[7.2, 8.1], [9.9, 4.0]])
    widget = loss_landscape.explore_loss(picture, points, 16, ["a", "b"], 0, 5.0)
    moves = {"landmark": 1, "radius": 9.0, "sigma": 8.0, "weight": 3.0, "across": -8.0, "down": 16.0}
    for control, value in moves.items():
        before = widget.image.value
        widget.controls[control].value = value
        assert widget.image.value != before, control
    found = loss_landscape.landscape(points[1], 16, 9 / 8, 1.0, 3.0)
    assert f"l_d {found.detection[6, 9]:.4f}" in widget.status.value  # (9.9, 4) - (8, -16) / 8 is next to (9, 6)
    assert f"nothing {found.lazy_regression:.5f}" in widget.status.value


# ----------------------------------------------------------------------------------------------------- halves exchanged


@pytest.fixture(scope="module")
def known():
    """A network with f_cls for three persons."""
    return settle(tiny_net(seed=5, identities=3, identity_units=8))


def test_nothing_exchanged_is_the_networks_own_answer_and_everything_is_the_others(known, four):
    mixer = disentangling.HalfMixer(known)
    a, b = four[0], four[2]
    own, other = (FaceTracer(known).see(face).prediction for face in (a, b))
    mixed = mixer.mix(a, b, 0.0, 0.0)
    np.testing.assert_allclose(mixed.points, known.points(own)[0], atol=1e-3)
    np.testing.assert_allclose(mixed.persons, own.identity.softmax(1)[0], atol=1e-5)
    # In the last step nothing of the image gets past encoding and switches; with z of that step alike it is B's answer.
    all_of_it = mixer.mix(a, b, 1.0, 1.0, switches=True)
    np.testing.assert_allclose(all_of_it.points, known.points(other)[0], atol=1e-3)
    np.testing.assert_allclose(all_of_it.persons, other.identity.softmax(1)[0], atol=1e-5)


def test_the_person_is_read_from_e_i_alone(known, four):
    mixer = disentangling.HalfMixer(known)
    a, b = four[0], four[2]
    own = mixer.mix(a, b, 0.0, 0.0).persons
    np.testing.assert_allclose(mixer.mix(a, b, 0.0, 1.0, switches=True).persons, own, atol=1e-6)
    assert np.abs(mixer.mix(a, b, 1.0, 0.0).persons - own).max() > 1e-4


def test_e_p_moves_the_points_of_the_chosen_steps(known, four):
    mixer = disentangling.HalfMixer(known)
    own, last, every = (
        mixer.mix(four[0], four[2], 0.0, share, every=e).points for share, e in ((0, 0), (1, 0), (1, 1))
    )
    assert np.abs(last - own).max() > 1e-4 and np.abs(every - last).max() > 1e-4


def test_the_widget_of_exchanged_codes_shows_what_its_controls_say(known, four):
    widget = disentangling.disentangle(known, four, {"face 1": 0, "face 4": 2})
    for control, value in (("e_i", 0.5), ("e_p", 0.3), ("switches", True), ("b", "face 2")):
        before = widget.image.value
        widget.controls[control].value = value
        assert widget.image.value != before, control
    widget.controls["where"].value = "every step"
    mixer = disentangling.HalfMixer(known)
    mixed = mixer.mix(four[0], four[1], 0.5, 0.3, True, True)
    title = "A with 50 % of B's e_i, 30 % of e_p"
    np.testing.assert_array_equal(shown(widget), disentangling.panel(mixer, four[0], four[1], mixed, (0, -1), title))
    assert f"{mixer.distance(mixed.points, mixer.encoded(four[0]).points):.1f} %" in widget.status.value


def test_exchange_in_a_network_with_a_memory_is_refused_and_one_without_f_cls_says_so(four):
    with pytest.raises(ValueError, match="f_trn"):
        disentangling.HalfMixer(tiny_net(temporal=True))
    mixer = disentangling.HalfMixer(settle(tiny_net()))
    assert mixer.mix(four[0], four[1], 1.0, 0.0).persons is None
    assert disentangling.bars(None, (-1, -1)).shape == (draw.PANEL, draw.PANEL, 3)
