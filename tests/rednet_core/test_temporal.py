"""f_trn against the LSTM's equations written out, and its shapes and starts."""

import math

import numpy as np
import pytest
import torch

from rednet_core.temporal import TemporalRecurrence


def by_hand(trn, e_p, frames, update, pooling="average"):
    """f_trn in float64 loops: 1 x 1 convolution, mean or maximum, the LSTM's gates, put back, 1 x 1 convolution."""
    weights = {k: v.detach().double().numpy() for k, v in trn.state_dict().items()}
    e_p = e_p.detach().double().numpy()
    clips = len(e_p) // frames
    hidden = trn.lstm.hidden_size
    result = np.zeros_like(e_p)
    sigmoid = lambda v: 1 / (1 + np.exp(-v))  # noqa: E731
    states = []
    for b in range(clips):
        h, c = np.zeros(hidden), np.zeros(hidden)
        for t in range(frames):
            picture = e_p[b * frames + t]
            given = picture
            if "squeeze.weight" in weights:
                given = np.einsum("uc,chw->uhw", weights["squeeze.weight"][:, :, 0, 0], picture)
                given = given + weights["squeeze.bias"][:, None, None]
            v = given.mean((1, 2)) if pooling == "average" else given.max((1, 2))
            gates = weights["lstm.weight_ih_l0"] @ v + weights["lstm.bias_ih_l0"]
            gates += weights["lstm.weight_hh_l0"] @ h + weights["lstm.bias_hh_l0"]
            i, f, g, o = np.split(gates, 4)
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            h = sigmoid(o) * np.tanh(c)
            placed = np.ones_like(given) * h[:, None, None]
            if pooling == "switches":
                placed = placed * (given == v[:, None, None])
            q = placed
            if "spread.weight" in weights:
                q = np.einsum("cu,uhw->chw", weights["spread.weight"][:, :, 0, 0], placed)
                q = q + weights["spread.bias"][:, None, None]
            result[b * frames + t] = q + (picture if update == "residual" else 0)
        states.append((h, c))
    return result, states


@pytest.mark.parametrize("channels", [6, 10], ids=["hidden = channels", "squeezed"])
@pytest.mark.parametrize("update", ["replace", "residual"])
@pytest.mark.parametrize("pooling", ["average", "switches"])
def test_f_trn_is_the_lstms_equations(update, channels, pooling):
    torch.manual_seed(1)
    trn = TemporalRecurrence(channels, hidden=6, update=update, pooling=pooling)
    e_p = torch.randn(2 * 5, channels, 3, 3)
    found, (h, c) = trn(e_p, frames=5)
    expected, states = by_hand(trn, e_p, 5, update, pooling)
    np.testing.assert_allclose(found.detach(), expected, atol=1e-5)
    for b, (expected_h, expected_c) in enumerate(states):
        np.testing.assert_allclose(h[0, b].detach(), expected_h, atol=1e-5)
        np.testing.assert_allclose(c[0, b].detach(), expected_c, atol=1e-5)


def test_a_clip_at_once_is_frame_by_frame_with_the_state_carried():
    torch.manual_seed(2)
    trn = TemporalRecurrence(8, hidden=5)
    clips = torch.randn(3, 4, 8, 2, 2)
    at_once, last = trn(clips.flatten(0, 1), frames=4)
    state = None
    for t in range(4):
        frame, state = trn(clips[:, t], 1, state)
        torch.testing.assert_close(frame, at_once.unflatten(0, (3, 4))[:, t])
    torch.testing.assert_close(state, last)


def test_a_frames_update_depends_on_the_frames_before_and_not_on_those_after():
    torch.manual_seed(3)
    trn = TemporalRecurrence(4, hidden=5)
    e_p = torch.randn(6, 4, 2, 2, requires_grad=True)
    found, _ = trn(e_p, frames=6)
    found[2].sum().backward()
    reached = e_p.grad.flatten(1).abs().sum(1) > 0
    assert reached.tolist() == [True, True, True, False, False, False]


def test_clips_of_a_batch_do_not_see_each_other():
    torch.manual_seed(4)
    trn = TemporalRecurrence(4, hidden=5)
    e_p = torch.randn(2 * 3, 4, 2, 2, requires_grad=True)
    found, _ = trn(e_p, frames=3)
    found[3:].sum().backward()
    assert (e_p.grad[:3] == 0).all() and (e_p.grad[3:] != 0).any()


def test_a_residual_update_begins_as_no_update_and_a_replacing_one_does_not():
    e_p = torch.randn(4, 8, 2, 2)
    for update, same in (("residual", True), ("replace", False)):
        torch.manual_seed(5)
        trn = TemporalRecurrence(8, hidden=5, update=update)
        trn.start_from_zero()
        assert torch.equal(trn(e_p, 2)[0], e_p) is same
    assert (trn.spread.weight != 0).any()


def test_a_residual_update_can_leave_its_start():
    torch.manual_seed(6)
    trn = TemporalRecurrence(4, hidden=5, update="residual")
    trn.start_from_zero()
    trn(torch.randn(2, 4, 2, 2), 2)[0].square().sum().backward()
    assert (trn.spread.weight.grad != 0).any()


def test_the_eccv_form_is_an_lstm_between_switches_and_nothing_else():
    """4 x 4 x 256 to 256 to 4 x 4 x 256 (ECCV 4.2): the update stands where the maxima stood, all else is zero."""
    torch.manual_seed(7)
    trn = TemporalRecurrence(256, pooling="switches")
    assert sum(p.numel() for p in trn.parameters()) == 4 * 256 * (256 + 256 + 2)
    e_p = torch.randn(3, 256, 4, 4)
    found, _ = trn(e_p, frames=3)
    assert torch.equal(found != 0, e_p == e_p.amax((-1, -2), keepdim=True))


def test_the_papers_lstm_has_256_units():
    trn = TemporalRecurrence(256)
    assert trn.lstm.hidden_size == trn.lstm.input_size == 256
    assert sum(p.numel() for p in trn.lstm.parameters()) == 4 * 256 * (256 + 256 + 2)
    assert math.isclose(sum(p.numel() for p in trn.parameters()), 4 * 256 * 514 + 256 * 256 + 256)  # no squeeze
