"""The VGG design against Table 1, row by row, on PyTorch's meta device (shapes without arithmetic)."""

import pytest
import torch
from torch import nn

from rednet_core import rednet, vgg
from rednet_core.layers import ConvBlock
from rednet_core.rednet import NetConfig, RedNet
from tests.helpers import tiny, tiny_net

# Table 1: block, number of convolutions, channels, size of the convolutions' output at 256 px.
TABLE_1 = [
    ("A0", 2, [64, 64], 256),
    ("A1", 2, [128, 128], 128),
    ("A2", 3, [256, 256, 256], 64),
    ("A3", 3, [512, 512, 512], 32),
    ("A4", 3, [512, 512, 512], 16),
    ("B4", 3, [512, 512, 512], 16),
    ("B3", 3, [512, 512, 256], 32),
    ("B2", 3, [256, 256, 128], 64),
    ("B1", 2, [128, 128], 128),
]


@pytest.fixture(scope="module")
def paper():
    """The paper's network, and what came out of each of its convolutions in one pass of one picture."""
    seen = []
    with torch.device("meta"):
        net = RedNet(NetConfig())
        for name, layer in net.named_modules():
            if isinstance(layer, nn.Conv2d):
                layer.register_forward_hook(lambda m, i, o, name=name: seen.append((name, i[0].shape, o.shape, m)))
        out = net(torch.empty(1, 3, 256, 256), torch.empty(1, 7, 128, 128))
    return net, seen, out


@pytest.mark.parametrize("block, count, channels, size", TABLE_1, ids=[row[0] for row in TABLE_1])
def test_block_is_table_1s_row(paper, block, count, channels, size):
    net, seen, _ = paper
    assert len(getattr(net.backbone, block).convs) == count
    outputs = [shape for name, _, shape, _ in seen if name.startswith(f"backbone.{block}.")][:count]
    assert outputs == [(1, c, size, size) for c in channels]
    assert all(m.kernel_size == (3, 3) and m.padding == (1, 1) for n, _, _, m in seen if n.startswith("backbone."))


def test_the_encoder_has_vgg_16s_thirteen_convolutions_and_the_decoder_mirrors_them(paper):
    net, _, _ = paper
    counts = [len([m for m in getattr(net.backbone, row[0]).modules() if isinstance(m, ConvBlock)]) for row in TABLE_1]
    assert sum(counts[:5]) == 13
    assert counts[5:] == counts[4:0:-1]


def test_z_is_concatenated_behind_the_stem(paper):
    net, seen, _ = paper
    first = next(shape for name, shape, _, _ in seen if name.startswith("backbone.A1."))
    assert first == (1, 64 + 7, 128, 128)


def test_the_stems_channels_come_first():
    """Where ImageNet's weights for A1 go; the feedback's channels, behind them, can start at zero."""
    backbone = tiny_net().eval().backbone
    weight = backbone.A1.convs[0].conv.weight
    stem = backbone.stem(torch.rand(2, 3, 32, 32))
    z, other = torch.rand(2, 2, 7, 16, 16)
    with torch.no_grad():
        assert not torch.equal(backbone.encode(stem, z, 0).e, backbone.encode(stem, other, 0).e)
        weight[:, stem.shape[1] :] = 0
        assert torch.equal(backbone.encode(stem, z, 0).e, backbone.encode(stem, other, 0).e)


def test_the_stem_runs_once_a_frame_and_the_rest_once_a_step(paper):
    _, seen, _ = paper
    runs = {row[0]: len([1 for name, *_ in seen if name.startswith(f"backbone.{row[0]}.")]) / row[1] for row in TABLE_1}
    assert runs.pop("A0") == 1
    assert set(runs.values()) == {2}


def test_bottleneck_heads_and_codes_have_the_papers_sizes(paper):
    _, _, out = paper
    assert [tuple(m.shape) for m in out.maps] == [(1, 7, 128, 128), (1, 68, 128, 128)]
    assert {tuple(e.shape) for e in (*out.e_i, *out.e_p)} == {(1, 256, 8, 8)}


def test_parameters_are_those_of_the_listed_layers(paper):
    net, _, _ = paper
    expected = 0
    inputs = {"A0": 3, "A1": 64 + 7, "A2": 128, "A3": 256, "A4": 512, "B4": 512, "B3": 512, "B2": 256, "B1": 128}
    for block, _, channels, _ in TABLE_1:
        for before, after in zip([inputs[block], *channels], channels, strict=False):
            expected += 9 * before * after + 2 * after  # a convolution without bias; scale and shift
    heads = 128 * 7 + 7 + 128 * 68 + 68
    assert rednet.count_parameters(net) == expected + heads
    assert 29.4e6 < expected + heads < 29.6e6
    encoder = sum(rednet.count_parameters(getattr(net.backbone, b)) for b in ("A0", "A1", "A2", "A3", "A4"))
    assert encoder / 1e6 == pytest.approx(14.8, abs=0.1)  # 4.1: "117 M to 14.8 M"


def test_two_steps_of_a_256_px_picture_take_75_billion_multiply_adds(paper):
    """By hand from Table 1: 2.5 for the stem, 36.4 for each step, 0.2 for the heads (78 with a stem a step)."""
    _, seen, _ = paper
    macs = sum(m.weight.numel() * out[2] * out[3] for _, _, out, m in seen)
    inputs = {"A0": 3, "A1": 64 + 7, "A2": 128, "A3": 256, "A4": 512, "B4": 512, "B3": 512, "B2": 256, "B1": 128}
    expected = (7 + 68) * 128 * 128**2
    for block, _, channels, size in TABLE_1:
        for before, after in zip([inputs[block], *channels], channels, strict=False):
            expected += (1 if block == "A0" else 2) * 9 * before * after * size**2
    assert macs == expected
    assert macs / 1e9 == pytest.approx(75.4, abs=0.1)


def test_vgg_16s_own_weights_fit_the_encoder(paper):
    """torchvision's vgg16_bn layout, by its published channel list: all but the first convolution of A1."""
    net, _, _ = paper
    wanted, before = [], 3
    for channels in (64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512):
        wanted.append((channels, before, 3, 3))
        before = channels
    ours = [
        m.weight.shape for b in "01234" for m in getattr(net.backbone, f"A{b}").modules() if isinstance(m, nn.Conv2d)
    ]
    assert [tuple(s) for i, s in enumerate(ours) if i != 2] == [s for i, s in enumerate(wanted) if i != 2]
    assert tuple(ours[2]) == (128, 64 + 7, 3, 3)


@pytest.mark.parametrize(
    "papers, width, expected", [(64, 1, 64), (512, 0.25, 128), (64, 0.125, 8), (64, 0.01, 8), (128, 0.3, 40)]
)
def test_channel_counts_at_other_widths(papers, width, expected):
    assert vgg.channels(papers, width) == expected


def test_a_small_network_gives_maps_of_half_the_input():
    net = tiny_net()
    out = net(torch.rand(2, 3, 32, 32), torch.rand(2, 7, 16, 16))
    assert [tuple(m.shape) for m in out.maps] == [(2, 7, 16, 16), (2, 68, 16, 16)]
    assert out.e_i[0].shape == out.e_p[0].shape == (2, 32, 1, 1)


def test_decoding_unpools_with_the_matching_pools_switches():
    """With the switches of another picture the decoder draws something else."""
    net = tiny_net().eval()
    backbone = net.backbone
    x, z = torch.rand(2, 3, 32, 32), torch.zeros(2, 7, 16, 16)
    with torch.no_grad():
        code = backbone.encode(backbone.stem(x), z, 0)
        assert [tuple(s.shape[-2:]) for s in code.switches] == [(8, 8), (4, 4), (2, 2), (1, 1)]
        straight = backbone.decode(code, 0)
        for level in range(4):
            swapped = list(code.switches)
            swapped[level] = swapped[level].flip(0)
            assert not torch.equal(backbone.decode(vgg.Code(code.e, swapped), 0), straight)


def test_a_block_chains_its_convolutions():
    torch.manual_seed(0)
    block, x = vgg.Block([3, 5, 6], steps=2), torch.randn(2, 3, 6, 6)
    chained = x
    for conv in block.convs:
        chained = torch.relu(nn.BatchNorm2d(conv.conv.out_channels)(conv.conv(chained)))
    torch.testing.assert_close(block(x, 1), chained)


def test_convolution_counts_are_choices():
    net = RedNet(tiny(encoder_convs=(2, 1, 3, 1, 2), decoder_convs=(2, 1, 1, 3)))
    assert [len(getattr(net.backbone, f"A{i}").convs) for i in range(5)] == [2, 1, 3, 1, 2]
    assert [len(getattr(net.backbone, f"B{i}").convs) for i in range(1, 5)] == [2, 1, 1, 3]
    assert net(torch.rand(2, 3, 32, 32), torch.rand(2, 7, 16, 16)).maps[1].shape == (2, 68, 16, 16)
