"""Layers against torch's own and against loops."""

import numpy as np
import pytest
import torch
from torch import nn

from rednet_core import layers


def test_with_one_step_it_is_ordinary_batch_norm():
    ours, theirs = layers.StepBatchNorm2d(5), nn.BatchNorm2d(5)
    with torch.no_grad():
        for norm in (ours, theirs):
            norm.weight.copy_(torch.linspace(0.5, 2, 5))
            norm.bias.copy_(torch.linspace(-1, 1, 5))
    generator = torch.Generator().manual_seed(0)
    for step in (0, 1, 0):  # the step is ignored
        x = 2 + 3 * torch.randn(4, 5, 6, 6, generator=generator)
        torch.testing.assert_close(ours(x, step), theirs(x))
    torch.testing.assert_close(ours.running_mean[0], theirs.running_mean)
    torch.testing.assert_close(ours.running_var[0], theirs.running_var)
    ours.eval(), theirs.eval()
    x = torch.randn(2, 5, 3, 3, generator=generator)
    torch.testing.assert_close(ours(x, 1), theirs(x))


def test_statistics_of_a_step_are_untouched_by_the_others():
    norm = layers.StepBatchNorm2d(3, steps=3)
    before = norm.running_mean.clone(), norm.running_var.clone()
    norm(5 + 2 * torch.randn(4, 3, 8, 8), 1)
    for step in (0, 2):
        assert torch.equal(norm.running_mean[step], before[0][step])
        assert torch.equal(norm.running_var[step], before[1][step])
    assert (norm.running_mean[1] != 0).all() and (norm.running_var[1] != 1).all()


def test_each_step_normalises_with_its_own_statistics_at_test_time():
    norm, references = layers.StepBatchNorm2d(3, steps=2), [nn.BatchNorm2d(3), nn.BatchNorm2d(3)]
    generator = torch.Generator().manual_seed(1)
    for _ in range(4):
        for step in (0, 1):
            x = (1 + 4 * step) * torch.randn(4, 3, 5, 5, generator=generator) + 7 * step
            norm(x, step), references[step](x)
    norm.eval()
    x = torch.randn(2, 3, 5, 5, generator=generator)
    for step in (0, 1):
        torch.testing.assert_close(norm(x, step), references[step].eval()(x))
    assert not torch.allclose(norm(x, 0), norm(x, 1))


def test_scale_and_shift_are_shared_by_the_steps():
    norm = layers.StepBatchNorm2d(3, steps=4)
    assert [p.shape for p in norm.parameters()] == [(3,), (3,)]
    for step in (0, 3):
        norm.zero_grad()
        norm(torch.randn(2, 3, 4, 4), step).square().sum().backward()
        assert (norm.weight.grad != 0).all()


def test_evaluation_changes_no_statistics():
    norm = layers.StepBatchNorm2d(3, steps=2).eval()
    norm(torch.randn(2, 3, 4, 4) + 9, 1)
    assert (norm.running_mean == 0).all() and (norm.running_var == 1).all()


def test_a_conv_block_is_convolution_batch_norm_relu():
    block = layers.ConvBlock(4, 6, steps=2)
    x = torch.randn(2, 4, 7, 9)
    conv = nn.Conv2d(4, 6, 3, padding=1, bias=False)
    conv.weight = block.conv.weight
    expected = torch.relu(nn.BatchNorm2d(6)(conv(x)))
    torch.testing.assert_close(block(x, 1), expected)
    assert block.conv.bias is None


def test_a_conv_block_hands_its_step_to_its_norm():
    block = layers.ConvBlock(4, 6, steps=3)
    block(torch.randn(2, 4, 7, 9), 2)
    assert [(row != 1).any().item() for row in block.norm.running_var] == [False, False, True]


def loop_pool(x):
    """Maxima of 2 x 2 windows, and the switch of figure 4: 0..3 in reading order, the first of equals."""
    n, c, h, w = x.shape
    value, switch = np.zeros((n, c, h // 2, w // 2)), np.zeros((n, c, h // 2, w // 2), int)
    for place in np.ndindex(value.shape):
        b, k, i, j = place
        window = [float(x[b, k, 2 * i + p // 2, 2 * j + p % 2]) for p in range(4)]
        value[place], switch[place] = max(window), window.index(max(window))
    return value, switch


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("levels", [1000, 3], ids=["distinct", "with ties"])
def test_pool_is_a_loop(levels, layout):
    x = torch.randint(0, levels, (2, 8, 6, 10), generator=torch.Generator().manual_seed(2)).float()
    value, switches = layers.pool(x.contiguous(memory_format=layout))
    expected, code = loop_pool(x)
    np.testing.assert_array_equal(value, expected)
    rows, columns = np.divmod(switches.numpy(), 10)
    np.testing.assert_array_equal(2 * (rows % 2) + columns % 2, code)
    np.testing.assert_array_equal(rows // 2, np.arange(3)[None, None, :, None] + 0 * rows)
    np.testing.assert_array_equal(columns // 2, np.arange(5)[None, None, None, :] + 0 * rows)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_unpool_puts_each_value_at_its_switch(layout):
    x = torch.randn(2, 8, 6, 10, generator=torch.Generator().manual_seed(3)).contiguous(memory_format=layout)
    _, switches = layers.pool(x)
    values = torch.randn(2, 8, 3, 5, generator=torch.Generator().manual_seed(4)).contiguous(memory_format=layout)
    found = layers.unpool(values, switches)
    expected = np.zeros((2, 8, 6, 10))
    _, code = loop_pool(x)
    for b, k, i, j in np.ndindex(code.shape):
        p = code[b, k, i, j]
        expected[b, k, 2 * i + p // 2, 2 * j + p % 2] = float(values[b, k, i, j])
    np.testing.assert_array_equal(found, expected)


def test_pooling_what_was_unpooled_gives_it_back():
    x = torch.rand(1, 3, 8, 8)
    value, switches = layers.pool(x)
    torch.testing.assert_close(layers.pool(layers.unpool(value, switches))[0], value)


def test_gaussian_initialisation_has_hes_spread():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(40, 50, 3), nn.Linear(500, 300))
    layers.init_gaussian(net)
    for layer, fan_in in ((net[0], 40 * 9), (net[1], 500)):
        assert float(layer.weight.detach().std()) == pytest.approx((2 / fan_in) ** 0.5, rel=0.03)
        assert abs(float(layer.weight.detach().mean())) < 0.03 * (2 / fan_in) ** 0.5
        assert (layer.bias == 0).all()
