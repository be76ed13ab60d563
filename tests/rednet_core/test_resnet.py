"""The ResNet design against Tables 2 and 3, row by row, on PyTorch's meta device (shapes without arithmetic)."""

import pytest
import torch
from torch import nn

from rednet_core import rednet, resnet
from rednet_core.layers import StepBatchNorm2d
from rednet_core.rednet import NetConfig, RedNet, count_parameters
from tests.helpers import settle, tiny, tiny_net

# Table 2: block, number of units, channels of a unit's three convolutions, size of the block's output at 256 px.
TABLE_2 = [
    ("C1", 3, [(1, 64), (3, 64), (1, 256)], 64),
    ("C2", 8, [(1, 128), (3, 128), (1, 512)], 32),
    ("C3", 36, [(1, 256), (3, 256), (1, 1024)], 16),
    ("C4", 3, [(1, 512), (3, 512), (1, 2048)], 8),
]
# Table 2's right half: block, channels of the deconvolution and of the 1 x 1 convolution, size of the output.
DECODER = [("D4", 512, 1024, 16), ("D3", 256, 512, 32), ("D2", 128, 256, 64), ("D1", 64, 128, 128)]
# Table 3: branch, units, channels, size, the block it starts from, the block it is added to (METHOD 1).
TABLE_3 = [
    ("E3", 3, [(1, 256), (3, 256), (1, 1024)], 16, "C3", "D4"),
    ("E2", 3, [(1, 128), (3, 128), (1, 512)], 32, "C2", "D3"),
    ("E1", 3, [(1, 64), (3, 64), (1, 256)], 64, "C1", "D2"),
]
ROWS = [row[0] for row in TABLE_2 + DECODER + TABLE_3]


def watched(config):
    """A network on the meta device, what went in and out of each of its layers in one pass, and the prediction."""
    seen = {}
    with torch.device("meta"):
        net = RedNet(config)
        for name, layer in net.named_modules():
            layer.register_forward_hook(lambda m, i, o, name=name: seen.setdefault(name, []).append((i[0], o)))
        out = net(torch.empty(1, 3, 256, 256), torch.empty(1, 7, 128, 128))
    return net, seen, out


@pytest.fixture(scope="module", params=["first", "last"])
def paper(request):
    return watched(NetConfig(design="resnet", stride=request.param))


def convolutions(module):
    return [m for m in module.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d)]


def unit_row(unit):
    parts = [part.conv for part in (unit.reduce, unit.spatial, unit.expand)]
    return [(conv.kernel_size[0], conv.out_channels) for conv in parts]


@pytest.mark.parametrize("block, count, row, size", TABLE_2, ids=[row[0] for row in TABLE_2])
def test_block_is_table_2s_row(paper, block, count, row, size):
    net, seen, _ = paper
    units = getattr(net.backbone, block).units
    assert len(units) == count and all(unit_row(unit) == row for unit in units)
    assert seen[f"backbone.{block}"][0][1].shape == (1, row[-1][1], size, size)


def test_c0_is_a_7x7_convolution_with_stride_2(paper):
    net, seen, _ = paper
    conv = net.backbone.C0.conv
    assert (conv.kernel_size, conv.stride, conv.out_channels) == ((7, 7), (2, 2), 64)
    assert seen["backbone.C0"][0][1].shape == (1, 64, 128, 128)


@pytest.mark.parametrize("block, deconv, mix, size", DECODER, ids=[row[0] for row in DECODER])
def test_decoder_block_is_table_2s_row(paper, block, deconv, mix, size):
    net, seen, _ = paper
    up, one = getattr(net.backbone, block).deconv.conv, getattr(net.backbone, block).mix.conv
    assert isinstance(up, nn.ConvTranspose2d) and (up.kernel_size, up.stride) == ((2, 2), (2, 2))
    assert (up.out_channels, one.kernel_size, one.out_channels) == (deconv, (1, 1), mix)
    assert seen[f"backbone.{block}"][0][1].shape == (1, mix, size, size)


@pytest.mark.parametrize("branch, count, row, size, start, end", TABLE_3, ids=[row[0] for row in TABLE_3])
def test_skip_branch_is_table_3s_row(paper, branch, count, row, size, start, end):
    net, seen, _ = paper
    units = getattr(net.backbone, branch).units
    assert len(units) == count and all(unit_row(unit) == row for unit in units)
    given, made = seen[f"backbone.{branch}"][0]
    assert given is seen[f"backbone.{start}"][0][1]
    assert made.shape == seen[f"backbone.{end}"][0][1].shape == (1, row[-1][1], size, size)


def test_the_encoder_has_50_units_of_totally_151_convolutions(paper):
    """Journal 4.1. As in ResNet-152's own name, shortcuts are not counted: there are four."""
    net, _, _ = paper
    blocks = [getattr(net.backbone, name) for name in ("C1", "C2", "C3", "C4")]
    units = [unit for block in blocks for unit in block.units]
    assert len(units) == 50
    encoder = [net.backbone.C0, *blocks]
    shortcuts = [unit.shortcut for unit in units if unit.shortcut is not None]
    assert len(shortcuts) == 4
    assert sum(len(convolutions(part)) for part in encoder) - len(shortcuts) == 151


def test_there_is_no_pooling(paper):
    net, _, _ = paper
    halving = [m for m in convolutions(net) if isinstance(m, nn.Conv2d) and m.stride == (2, 2)]
    spatial = [m for m in halving if m.kernel_size == (3, 3)]
    assert len(spatial) == 4
    assert not [m for m in net.modules() if "pool" in type(m).__name__.lower()]


@pytest.mark.parametrize("stride, place", [("first", 0), ("last", -1)])
def test_the_stride_is_where_it_was_asked_for(stride, place):
    _, seen, _ = watched(NetConfig(design="resnet", stride=stride))
    for (block, count, _, size), before in zip(TABLE_2, (128, 64, 32, 16), strict=True):
        sizes = [seen[f"backbone.{block}.units.{i}"][0][1].shape[-1] for i in range(count)]
        halving = range(count)[place]
        assert sizes == [size if i >= halving else before for i in range(count)]


def test_the_place_of_the_stride_changes_no_weights_shape():
    with torch.device("meta"):
        first, last = (RedNet(NetConfig(design="resnet", stride=stride)) for stride in ("first", "last"))
    shapes = [[(name, p.shape) for name, p in net.named_parameters()] for net in (first, last)]
    assert shapes[0] == shapes[1]


def test_z_is_concatenated_behind_the_stem_and_the_stem_runs_once_a_frame(paper):
    _, seen, _ = paper
    assert seen["backbone.C1"][0][0].shape == (1, 64 + 7, 128, 128)
    assert len(seen["backbone.C0"]) == 1
    assert {len(seen[f"backbone.{block}"]) for block in ROWS} == {2}


def test_bottleneck_and_maps_have_the_papers_sizes(paper):
    _, _, out = paper
    assert [tuple(m.shape) for m in out.maps] == [(1, 7, 128, 128), (1, 68, 128, 128)]
    assert {tuple(e.shape) for e in (*out.e_i, *out.e_p)} == {(1, 1024, 8, 8)}


def by_hand():
    """(blocks' parameters, their multiply-adds at stride "first" in one step, the stem's) from the tables alone."""
    weights, macs = 0, 0

    def conv(kernel, before, after, size):
        nonlocal weights, macs
        weights += kernel**2 * before * after + 2 * after  # without bias; batch norm's scale and shift
        macs += kernel**2 * before * after * size**2

    conv(7, 3, 64, 128)
    stem = macs
    before = 64 + 7
    for row, count, at in [(r[2], r[1], r[3]) for r in TABLE_2]:
        for unit in range(count):
            after = row[-1][1]
            conv(1, before, row[0][1], at * (2 if unit == 0 else 1))  # the 3 x 3 behind it halves
            conv(3, row[0][1], row[1][1], at)
            conv(1, row[1][1], after, at)
            if unit == 0:
                conv(1, before, after, at)
            before = after
    for _, deconv, mix, at in DECODER:
        conv(1, before, deconv, at)  # of the 2 x 2 kernel each output pixel meets one weight ...
        weights += 3 * before * deconv  # ... of four
        conv(1, deconv, mix, at)
        before = mix
    for _, count, row, at, _, _ in TABLE_3:
        for _ in range(count):
            conv(1, row[-1][1], row[0][1], at)
            conv(3, row[0][1], row[1][1], at)
            conv(1, row[1][1], row[-1][1], at)
    return weights, macs - stem, stem


def test_parameters_are_those_of_the_tables(paper):
    """68.83 M by hand from Tables 2 and 3, 275 MB in float32; the project's draft had 68.9 M and the same 275 MB.

    The paper prints 257 Mb. The skip branches hold 4.40 M; without them the tables make 257.7 MB, which may be
    chance: the paper does not say what it counts. Batch-norm statistics (0.35 M for two steps) are not counted.
    """
    net, _, _ = paper
    heads = 128 * 7 + 7 + 128 * 68 + 68
    assert count_parameters(net) == by_hand()[0] + heads
    assert count_parameters(net) / 1e6 == pytest.approx(68.83, abs=0.01)
    skips = sum(count_parameters(getattr(net.backbone, branch)) for branch in ("E1", "E2", "E3"))
    assert 4 * (count_parameters(net) - skips) / 1e6 == pytest.approx(257.7, abs=0.1)
    statistics = sum(b.numel() for m in net.modules() if isinstance(m, StepBatchNorm2d) for b in m.buffers())
    assert statistics / 1e6 == pytest.approx(0.35, abs=0.01)


def test_two_steps_of_a_256_px_picture_take_39_billion_multiply_adds():
    """The draft's 39 with the stride in the first unit; 120 with it in the last, at the letter of the text."""
    from torch.utils.flop_counter import FlopCounterMode

    found = {}
    for stride in ("first", "last"):
        with torch.device("meta"):
            net = RedNet(NetConfig(design="resnet", stride=stride))
            with FlopCounterMode(display=False) as counter:
                net(torch.empty(1, 3, 256, 256), torch.empty(1, 7, 128, 128))
        found[stride] = counter.get_total_flops() / 2
    _, step, stem = by_hand()
    assert found["first"] == 2 * step + stem + (7 + 68) * 128 * 128**2
    assert found["first"] / 1e9 == pytest.approx(39, abs=0.5)
    assert found["last"] / 1e9 == pytest.approx(120, abs=0.5)


# --------------------------------------------------------------------------------------------- arithmetic, in small


def resnet_net(**changes):
    return tiny_net(design="resnet", **changes)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("channels", [8, 12], ids=["projected", "identity"])
def test_a_unit_is_its_three_convolutions_added_to_the_shortcut(stride, channels):
    torch.manual_seed(0)
    unit, x = resnet.Unit(channels, 3, 12, stride, steps=2), torch.randn(2, channels, 6, 6)

    def norm(value):
        return nn.BatchNorm2d(value.shape[1])(value)

    y = torch.relu(norm(nn.functional.conv2d(x, unit.reduce.conv.weight)))
    y = torch.relu(norm(nn.functional.conv2d(y, unit.spatial.conv.weight, stride=stride, padding=1)))
    y = norm(nn.functional.conv2d(y, unit.expand.conv.weight))
    if channels == 8:
        straight = norm(nn.functional.conv2d(x, unit.shortcut.conv.weight, stride=stride))
    else:
        assert unit.shortcut is None
        straight = nn.functional.max_pool2d(x, 1, stride)  # every second pixel
    torch.testing.assert_close(unit(x, 1), torch.relu(straight + y))


def test_up_doubles_by_deconvolution_and_mixes():
    torch.manual_seed(0)
    up, x = resnet.Up(6, 4, 5, steps=2), torch.randn(2, 6, 3, 3)
    made = torch.zeros(2, 4, 6, 6)
    for i in range(6):
        for j in range(6):  # an output pixel is one input pixel through one of the four weight matrices
            made[:, :, i, j] = x[:, :, i // 2, j // 2] @ up.deconv.conv.weight[:, :, i % 2, j % 2]
    made = torch.relu(nn.BatchNorm2d(4)(made))
    made = torch.relu(nn.BatchNorm2d(5)(nn.functional.conv2d(made, up.mix.conv.weight)))
    torch.testing.assert_close(up(x, 1), made)


@pytest.mark.parametrize("branch, end", [("E3", "D4"), ("E2", "D3"), ("E1", "D2")])
def test_skips_are_added_where_they_must(branch, end):
    """What goes into the next decoder block is the sum of this one's output and the branch's."""
    net, seen = resnet_net().eval(), {}
    backbone = net.backbone
    following = {"D4": "D3", "D3": "D2", "D2": "D1"}[end]
    for name in (branch, end, following):
        getattr(backbone, name).register_forward_hook(lambda m, i, o, name=name: seen.update({name: (i[0], o)}))
    with torch.no_grad():
        code = backbone.encode(backbone.stem(torch.rand(2, 3, 32, 32)), torch.zeros(2, 7, 16, 16), 0)
        backbone.decode(code, 0)
    assert seen[branch][1].abs().sum() > 0
    torch.testing.assert_close(seen[following][0], seen[end][1] + seen[branch][1])


def test_a_skip_branch_carries_gradient_to_its_block_past_the_bottleneck():
    net = resnet_net()
    backbone = net.backbone
    code = backbone.encode(backbone.stem(torch.rand(2, 3, 32, 32)), torch.zeros(2, 7, 16, 16), 0)
    code.e = code.e.detach()
    backbone.decode(code, 0).square().sum().backward()
    assert (backbone.C3.units[0].reduce.conv.weight.grad != 0).any()
    assert backbone.C4.units[0].reduce.conv.weight.grad is None


@pytest.mark.parametrize("step", [0, 2])
def test_a_step_moves_its_own_statistics_in_every_layer_and_no_others(step):
    backbone = resnet_net(steps=("detection",) * 3, encoder_units=(2, 1, 2, 1), skip_units=2).backbone
    norms = [m for m in backbone.modules() if isinstance(m, StepBatchNorm2d) and len(m.running_mean) == 3]
    assert len(norms) == 6 * 3 + 4 + 4 * 2 + 3 * 2 * 3  # units, shortcuts, D4..D1, branches: all but the stem's
    with torch.no_grad():
        backbone.decode(backbone.encode(backbone.stem(torch.rand(2, 3, 32, 32)), torch.rand(2, 7, 16, 16), step), step)
    for norm in norms:
        assert [(row != 1).any().item() for row in norm.running_var] == [k == step for k in range(3)]


def test_small_versions_by_width_and_units():
    net = RedNet(tiny(design="resnet", width=0.25, encoder_units=(1, 2, 1, 3), skip_units=2))
    backbone = net.backbone
    assert [len(getattr(backbone, f"C{i}").units) for i in (1, 2, 3, 4)] == [1, 2, 1, 3]
    assert [len(getattr(backbone, f"E{i}").units) for i in (1, 2, 3)] == [2, 2, 2]
    assert backbone.C0.conv.out_channels == 16 and backbone.code_channels == 512
    out = net(torch.rand(2, 3, 64, 64), torch.rand(2, 7, 32, 32))
    assert out.maps[1].shape == (2, 68, 32, 32) and out.e_p[0].shape == (2, 256, 2, 2)


def test_a_clip_at_once_is_frame_by_frame_with_carried_states():
    net = settle(resnet_net(temporal=True, identities=3))
    torch.nn.init.normal_(net.f_trn.spread.weight)
    x, z0 = torch.rand(6, 3, 32, 32), torch.rand(6, 7, 16, 16).round()
    with torch.no_grad():
        at_once, states = net(x, z0, frames=3), None
        for t in range(3):
            one = net(x[t::3], z0[t::3], states=states)
            states = one.states
            torch.testing.assert_close(one.maps[1], at_once.maps[1][t::3], atol=1e-5, rtol=1e-4)
    assert at_once.identity.shape == (6, 3)


def test_every_weight_is_trained():
    net = resnet_net(temporal=True, identities=3, skip_units=2, encoder_units=(2, 2, 2, 2), input_size=64)
    out = net(torch.rand(4, 3, 64, 64), torch.rand(4, 7, 32, 32), frames=2)
    (sum(m.square().mean() for m in out.maps) + out.identity.square().mean()).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() and (p.grad != 0).any() for p in net.parameters())


def test_deconvolutions_start_with_hes_spread():
    torch.manual_seed(0)
    weight = resnet_net(width=0.5).backbone.D4.deconv.conv.weight.detach()
    assert float(weight.std()) == pytest.approx((2 / weight.shape[0]) ** 0.5, rel=0.02)


def test_the_design_is_listed():
    assert set(rednet.DESIGNS) == {"vgg", "resnet"}
