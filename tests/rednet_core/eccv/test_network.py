"""The ECCV network against METHOD 2: sizes on the meta device, feedback against loops, and where gradients may go."""

import dataclasses
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from rednet_core.eccv import EccvConfig, EccvNet, labels
from rednet_core.layers import ConvBlock, StepBatchNorm2d
from rednet_core.rednet import count_parameters
from tests.helpers import template
from tests.rednet_core.eccv.tiny import loop_centres, loop_map, pictures, tiny_eccv

BLOCKS = [(2, 64, 128), (2, 128, 64), (3, 256, 32), (3, 512, 16), (3, 512, 8)]  # VGG-16 at 128 px
MIRROR = [[512, 512, 512], [512, 512, 256], [256, 256, 128], [128, 64], [64]]


def settle(net):
    """Running statistics that fit, flat maps made lively, evaluation mode."""
    nn.init.normal_(net.head.weight)
    net.train()
    with torch.no_grad():
        for seed in range(5):
            net(*pictures(6, net, seed))
    return net.eval()


# ------------------------------------------------------------------------------------------------- sizes (METHOD 2)


@pytest.fixture(scope="module", params=["label_map", "prob_maps"])
def paper(request):
    seen = {}
    with torch.device("meta"):
        net = EccvNet(EccvConfig(feedback=request.param, markup="seven", temporal=True, identities=105))
        for name, layer in net.named_modules():
            layer.register_forward_hook(lambda m, i, o, name=name: seen.setdefault(name, []).append((i, o)))
        out = net(torch.empty(2, 3, 128, 128), net.first_guess(2, "zeros"), frames=2)
    return net, seen, out


def convolutions(module):
    return [m for m in module.modules() if isinstance(m, nn.Conv2d)]


def test_the_encoder_is_vgg_16s_thirteen_convolutions(paper):
    net, seen, _ = paper
    assert [(len(b.convs), b.convs[-1].conv.out_channels) for b in net.encoder] == [(n, c) for n, c, _ in BLOCKS]
    for i, (count, channels, size) in enumerate(BLOCKS):
        for j in range(count):
            assert seen[f"encoder.{i}.convs.{j}"][0][1].shape == (2, channels, size, size)
    assert sum(len(convolutions(b)) for b in net.encoder) == 13
    assert all(c.kernel_size == (3, 3) for c in convolutions(net.encoder) + convolutions(net.decoder) + [net.head])


def test_the_input_is_the_image_and_a_label_map_or_all_probabilities(paper):
    net, seen, _ = paper
    fed = {"label_map": 1, "prob_maps": 7 + 1}[net.config.feedback]
    assert seen["encoder.0"][0][0][0].shape == (2, 3 + fed, 128, 128)


def test_the_code_is_4_x_4_x_256_twice(paper):
    _, _, out = paper
    assert {tuple(e.shape) for e in (*out.e_i, *out.e_p)} == {(2, 256, 4, 4)}


def test_the_decoder_mirrors_the_encoder(paper):
    net, seen, _ = paper
    for i, widths, (_, _, size) in zip((4, 3, 2, 1, 0), MIRROR, BLOCKS[::-1], strict=True):
        assert [c.conv.out_channels for c in net.decoder[i].convs] == widths
        assert seen[f"decoder.{i}"][0][1].shape == (2, widths[-1], size, size)
    assert sum(len(convolutions(b)) for b in net.decoder) + 1 == 13  # the head is the thirteenth


def test_the_response_map_has_l_plus_1_channels_at_128_in_each_of_three_steps(paper):
    _, seen, out = paper
    assert [tuple(m.shape) for m in out.maps] == [(2, 8, 128, 128)] * 3
    assert len(seen["encoder.0"]) == len(seen["head"]) == 3


def test_five_switches_of_the_five_pools(paper):
    net, _, _ = paper
    with torch.device("meta"):
        code = net.encode(torch.empty(1, 3, 128, 128), net.first_guess(1, "zeros"), 0)
    assert [tuple(s.shape[1:]) for s in code.switches] == [(c, size // 2, size // 2) for _, c, size in BLOCKS]
    assert tuple(code.features[0].shape[1:]) == (128, 64, 64) and tuple(code.features[1].shape[1:]) == (512, 16, 16)


def test_f_trnn_is_max_pooling_lstm_and_unpooling(paper):
    net, seen, _ = paper
    assert net.f_trn.pooling == "switches"
    assert sum(p.numel() for p in net.f_trn.parameters()) == 4 * 256 * (256 + 256 + 2)  # the LSTM and nothing else
    assert seen["f_trn.lstm"][0][0][0].shape == (1, 2, 256)  # one clip of two frames


def test_f_cls_is_average_pooling_dropout_and_one_layer(paper):
    net, seen, _ = paper
    assert sum(p.numel() for p in net.f_cls.parameters()) == 256 * 105 + 105
    assert net.f_cls.dropout.p == 0.4 and seen["f_cls.classify"][0][0][0].shape == (2, 256)
    assert len(seen["f_cls"]) == 1


def test_f_reg_is_64_64_256_256_512_with_conv2_2_and_conv4_3(paper):
    net, seen, out = paper
    shapes = [
        [tuple(t.shape[1:]) for t in (seen[f"f_reg.R{i}"][0][0][0], seen[f"f_reg.R{i}"][0][1])] for i in range(1, 6)
    ]
    assert shapes == [
        [(8, 128, 128), (64, 128, 128)],
        [(64 + 128, 64, 64), (64, 64, 64)],
        [(64, 32, 32), (256, 32, 32)],
        [(256 + 512, 16, 16), (256, 16, 16)],
        [(256, 8, 8), (512, 8, 8)],
    ]
    assert net.f_reg.dropout.p == 0.4 and net.f_reg.locate.in_features == 512
    assert out.offsets.shape == (2, 7, 2)


def test_encoder_parameters_are_14_8_million(paper):
    """4.1: "from 117 M to 14.8 M"."""
    net, _, _ = paper
    assert count_parameters(net.encoder) / 1e6 == pytest.approx(14.7, abs=0.1)


def test_the_ablation_drops_the_encoders_features():
    net = tiny_eccv(encoder_features=False)
    assert net.f_reg.R2.conv.in_channels == 8 and net.f_reg.R4.conv.in_channels == 32
    assert net(*pictures(2, net)).offsets.shape == (2, 68, 2)
    assert tiny_eccv(regression=False)(*pictures(2, net)).offsets is None


# -------------------------------------------------------------------------------------------------- switches, steps


def test_decoding_unpools_with_the_matching_pools_switches():
    net = settle(tiny_eccv())
    x, z = pictures(2, net)
    with torch.no_grad():
        code = net.encode(x, z, 0)
        straight = net.decode(code, 0)
        for level in range(5):
            swapped = list(code.switches)
            swapped[level] = swapped[level].flip(0)
            assert not torch.equal(net.decode(replace(code, switches=swapped), 0), straight)


def by_loop(raw, side, feedback):
    """f_sRNN pixel by pixel: what the next step is given of logits (N, L + 1, m, m)."""
    raw = raw.double().numpy()
    if feedback == "prob_maps":
        e = np.exp(raw - raw.max(1, keepdims=True))
        return e / e.sum(1, keepdims=True)
    classes, count = raw.argmax(1), raw.shape[1] - 1
    centres, present = loop_centres(classes, count)
    return loop_map(centres, present, raw.shape[-1], side)[:, None] / count


@pytest.mark.parametrize("feedback", ["label_map", "prob_maps"])
def test_each_step_is_given_what_f_srnn_makes_of_the_step_before(feedback):
    net = settle(tiny_eccv(feedback=feedback, markup="seven", input_size=64, steps=(14, 10, 6)))
    seen = []
    net.encoder[0].register_forward_pre_hook(lambda m, given: seen.append(given[0][:, 3:].clone()))
    x, z0 = pictures(2, net)
    with torch.no_grad():
        out = net(x, z0)
    assert len(seen) == 3 and torch.equal(seen[0], z0)
    for k, side in ((1, 5), (2, 3)):  # 10 and 6 px of 128 are 5 and 3 of 64
        np.testing.assert_allclose(seen[k], by_loop(out.maps[k - 1], side, feedback), atol=1e-5)
        assert seen[k].unique().numel() > 2  # not an empty map


def test_the_papers_squares_are_7_5_and_3_pixels():
    """z of step k has squares of side k; the first guess has the widest."""
    net = EccvNet(EccvConfig(width=0.125, encoder_convs=(1,) * 5, markup="seven"))
    net.mean_shape.copy_(torch.tensor(template()[[36, 39, 42, 45, 30, 48, 54]]))
    assert net.config.sides == (7, 5, 3)
    z0 = net.first_guess(1)[0, 0]
    assert [int((z0 == v).sum()) for v in z0.unique()][1:] == [49] * 7
    response = torch.zeros(1, 8, 128, 128)
    response[:, 0] = 1
    for l in range(7):
        response[0, l + 1, 20 : 22 + 5 * l, 15 * (l + 1)] = 2
    for k, pixels in ((1, 25), (2, 9)):
        z = net.feedback(response, k)
        assert [int((z == v).sum()) for v in z.unique()][1:] == [pixels] * 7
        np.testing.assert_allclose(z.unique(), np.arange(8) / 7, atol=1e-6)


def test_the_demos_first_guess_is_nothing():
    net = tiny_eccv(feedback="prob_maps", first_guess="zeros", markup="seven", steps=(12, 12))
    assert torch.equal(net.first_guess(2), torch.zeros(2, 8, 32, 32))
    drawn = net.first_guess(1, "mean")
    assert torch.equal(drawn.sum(1), torch.ones(1, 32, 32)) and (drawn[0, 1:].sum((1, 2)) > 0).all()
    with pytest.raises(ValueError, match="first guess 'previous', known: mean, zeros"):
        net.first_guess(1, "previous")


@pytest.mark.parametrize("feedback", ["label_map", "prob_maps"])
def test_three_steps_are_their_unrolled_form(feedback):
    net = settle(tiny_eccv(feedback=feedback, step_statistics=False))
    one = tiny_eccv(feedback=feedback, step_statistics=False, steps=(20,)).eval()
    one.load_state_dict(net.state_dict())
    x, z = pictures(3, net)
    with torch.no_grad():
        out = net(x, z)
        for k in range(3):
            raw = one(x, z).maps[0]
            torch.testing.assert_close(out.maps[k], raw)
            z = net.feedback(raw, min(k + 1, 2))


@pytest.mark.parametrize("step", [0, 2])
def test_a_step_has_statistics_of_its_own_in_every_layer(step):
    net = tiny_eccv(regression=False)
    norms = [m for m in net.modules() if isinstance(m, StepBatchNorm2d)]
    assert len(norms) == 5 + 4  # with one convolution a block; the fifth of the decoder is the head, without norm
    x, z = pictures(2, net)
    with torch.no_grad():
        net.decode(net.encode(x, z, step), step)
    for norm in norms:
        assert [(row != 1).any().item() for row in norm.running_var] == [k == step for k in range(3)]
    shared = tiny_eccv(step_statistics=False)
    assert {len(m.running_var) for m in shared.modules() if isinstance(m, StepBatchNorm2d)} == {1}


def test_the_picture_is_centred_and_scaled_and_z_is_behind_it():
    net, seen = tiny_eccv(), []
    net.encoder[0].register_forward_pre_hook(lambda m, given: seen.append(given[0]))
    x, z0 = pictures(2, net)
    net(x, z0)
    torch.testing.assert_close(seen[0], torch.cat([(x - 0.45) / 0.25, z0], 1))


# ------------------------------------------------------------------------------------------------------- gradients


def graded(module):
    return {name for name, p in module.named_parameters() if p.grad is not None and (p.grad != 0).any()}


@pytest.mark.parametrize(
    "feedback, detach, joint", [("label_map", False, False), ("prob_maps", False, True), ("prob_maps", True, False)]
)
def test_a_later_step_trains_an_earlier_one_only_through_joint_probabilities(feedback, detach, joint):
    net = tiny_eccv(feedback=feedback, detach_feedback=detach, regression=False, steps=(20, 12))
    nn.init.normal_(net.head.weight)
    out = net(*pictures(2, net))
    out.maps[0].retain_grad()
    out.maps[1].square().sum().backward()
    first = out.maps[0].grad
    assert (first is not None and bool((first != 0).any())) is joint
    assert "encoder.0.convs.0.conv.weight" in graded(net)


def test_f_regs_loss_trains_f_reg_and_nothing_else():
    net = tiny_eccv()
    nn.init.normal_(net.f_reg.locate.weight)
    net(*pictures(3, net)).offsets.square().sum().backward()
    touched = graded(net)
    assert touched == {name for name, _ in net.named_parameters() if name.startswith("f_reg.")}


def test_with_an_open_response_f_regs_loss_reaches_the_network_but_not_through_its_features():
    net, kept = tiny_eccv(detach_response=False, steps=(20,)), []
    nn.init.normal_(net.f_reg.locate.weight), nn.init.normal_(net.head.weight)
    encode = net.encode

    def watched(*given):
        code = encode(*given)
        kept.extend(code.features)
        return replace(code, e=code.e.detach())  # the only way back into the encoder would be the features

    net.encode = watched
    net(*pictures(3, net)).offsets.square().sum().backward()
    assert "head.weight" in graded(net) and any(name.startswith("decoder.") for name in graded(net))
    assert kept and not any(name.startswith("encoder.") for name in graded(net))


def test_f_cls_reads_c_id_alone():
    net = tiny_eccv(identities=4, dropout=0.0)
    out = net(*pictures(3, net))
    for code in (*out.e_i, *out.e_p):
        code.retain_grad()
    out.identity.sum().backward()
    assert (out.e_i[-1].grad != 0).any() and out.e_p[-1].grad is None
    torch.testing.assert_close(out.identity, net.f_cls.classify(out.e_i[-1].mean((-1, -2))))


# ------------------------------------------------------------------------------------------------------------ clips


def test_a_clip_at_once_is_frame_by_frame_and_clips_do_not_leak():
    net = settle(tiny_eccv(temporal=True, input_size=64, identities=3))
    x, z0 = pictures(8, net)
    with torch.no_grad():
        at_once, states = net(x, z0, frames=4), None
        other = net(x[4:], z0[4:], frames=4)
        for t in range(4):
            one = net(x[t::4], z0[t::4], states=states)
            states = one.states
            torch.testing.assert_close(one.maps[0], at_once.maps[0][t::4], atol=1e-4, rtol=1e-4)
        forgetful = net(x[3::4], z0[3::4])
    torch.testing.assert_close(at_once.maps[0][4:], other.maps[0], atol=1e-4, rtol=1e-4)
    assert not torch.allclose(forgetful.maps[0], one.maps[0], atol=1e-4)
    assert len(states) == 3 and not torch.allclose(states[0][0], states[1][0])


def test_f_trnn_puts_its_update_where_the_maxima_stood():
    net = settle(tiny_eccv(temporal=True, input_size=128, width=0.25, hidden=64))
    x, z0 = pictures(2, net)
    given = []
    net.f_trn.register_forward_pre_hook(lambda m, i: given.append(i[0]))
    with torch.no_grad():
        out = net(x, z0, frames=2)
    assert given[0].shape == (2, 64, 4, 4)
    kept = out.e_p[0] != 0
    assert kept.sum((-1, -2)).max() == 1
    assert (given[0][kept] == given[0].amax((-1, -2), keepdim=True).expand_as(kept)[kept]).all()


# ----------------------------------------------------------------------------------------------------------- points


def test_points_are_cluster_centres_or_f_regs():
    net = tiny_eccv(input_size=64, markup="seven")
    truth = net.mean_points() + torch.tensor([3.0, -2.0])
    drawn = labels.label_map(truth[None], torch.ones(1, 7, dtype=torch.bool), 64, 3)
    raw = 5.0 * torch.nn.functional.one_hot(drawn, 8).movedim(-1, 1)
    raw[0, 3], raw[0, 3, 40, 11] = 0, 7.9  # label 3 wins no pixel ...
    raw[0, 0] += 3
    offsets = torch.full((1, 7, 2), 0.25)
    out = predicted(raw, offsets)
    found = net.points(out, 0)[0]
    expected = (truth + 0.5).floor()
    expected[2] = torch.tensor([11.0, 40.0])  # ... and is where its channel is highest
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(net.points(out)[0], net.mean_points() + 0.25 * 64)
    out.offsets = None
    torch.testing.assert_close(net.points(out)[0], expected)


def predicted(raw, offsets):
    from rednet_core.eccv import EccvPrediction

    return EccvPrediction(maps=[raw], offsets=offsets)


def test_confidence_is_the_mean_height_of_the_peaks():
    net = tiny_eccv(markup="seven")
    raw = torch.zeros(1, 8, 4, 4)
    raw[0, 1:, 2, 2] = torch.arange(7.0)
    heights = [math.exp(v) / (1 + sum(math.exp(w) for w in range(7))) for v in range(7)]
    heights = [max(h, 1 / 8) for h in heights]  # elsewhere all eight channels are equal
    found = net.confidence(predicted(raw, None))
    assert float(found) == pytest.approx(np.mean(heights), rel=1e-5)


def test_the_first_shape_is_nearly_the_mean_face_and_the_first_maps_are_flat():
    net = tiny_eccv()
    out = net(*pictures(4, net))
    assert out.offsets.abs().max() < 0.1 and out.maps[0].abs().mean() < 0.2


# --------------------------------------------------------------------------------------------------- configuration


@pytest.mark.parametrize(
    "wrong",
    [
        {"markup": "ibug69"},
        {"steps": ()},
        {"steps": (7, 0)},
        {"input_size": 120},
        {"input_size": 0},
        {"encoder_convs": (1, 1, 1, 1)},
        {"feedback": "maps"},
        {"first_guess": "previous"},
        {"update": "gated"},
        {"pooling": "max"},
        {"identities": -1},
        {"dropout": 1.0},
        {"width": 0.0},
        {"hidden": 0},
    ],
    ids=lambda wrong: "=".join(map(str, *wrong.items())),
)
def test_a_wrong_choice_is_named(wrong):
    with pytest.raises(ValueError, match=rf"EccvConfig: .*{next(iter(wrong))}"):
        EccvConfig(**wrong)


def test_every_field_of_the_configuration_is_a_plain_value():
    for field in dataclasses.fields(EccvConfig()):
        assert isinstance(getattr(EccvConfig(), field.name), str | int | float | bool | tuple)


def test_all_convolutions_but_the_head_have_batch_norm_and_relu():
    net = tiny_eccv(encoder_convs=(2, 2, 3, 3, 3))
    blocks = [m for m in (*net.encoder.modules(), *net.decoder.modules()) if isinstance(m, ConvBlock)]
    assert len(blocks) == 25
