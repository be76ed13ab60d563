"""A folded network computes what it was folded from, in double precision, where no switch can flip by rounding."""

import pytest
import torch

from rednet_core.fold import FoldedConv, folded
from rednet_core.layers import ConvNorm, StepBatchNorm2d
from tests.helpers import settle, tiny_net
from tests.rednet_core.eccv import test_network as eccv


def lively(net):
    """Statistics, scales and shifts that are far from their beginnings and differ from step to step."""
    generator = torch.Generator().manual_seed(3)
    for norm in (m for m in net.modules() if isinstance(m, StepBatchNorm2d)):
        for tensor, low in ((norm.weight, 0.5), (norm.bias, -0.5), (norm.running_mean, -0.5), (norm.running_var, 0.5)):
            tensor.data = low + torch.rand(tensor.shape, generator=generator)
    return net.double()


NETS = {
    "vgg": lambda: settle(tiny_net(identities=3, temporal=True)),
    "resnet": lambda: settle(tiny_net(design="resnet", encoder_units=(2, 1, 1, 1), stride="last")),
    "shared": lambda: settle(tiny_net(step_statistics=False)),
    "eccv": lambda: eccv.settle(eccv.tiny_eccv(feedback="prob_maps")),
}


@pytest.mark.parametrize("name", list(NETS))
def test_a_folded_network_computes_the_same(name):
    net = lively(NETS[name]())
    before = {key: value.clone() for key, value in net.state_dict().items()}
    fast = folded(net)
    x, z0 = torch.rand(2, 3, 32, 32).double(), net.first_guess(2).double()
    with torch.no_grad():
        for one, other in zip(net(x, z0).maps, fast(x, z0).maps, strict=True):
            assert one.abs().max() > 0.01
            torch.testing.assert_close(one, other, atol=1e-9, rtol=1e-7)
    assert not [m for m in fast.modules() if isinstance(m, StepBatchNorm2d | ConvNorm)]
    assert not fast.training
    assert all(torch.equal(before[key], value) for key, value in net.state_dict().items())


def test_each_step_has_weights_of_its_own():
    fast = folded(lively(settle(tiny_net())))
    layer = fast.backbone.A1.convs[0]
    assert isinstance(layer, FoldedConv) and len(layer.weights) == 2
    assert not torch.allclose(layer.weights[0], layer.weights[1])
    assert len(fast.backbone.A0.convs[0].weights) == 1


def test_a_folded_network_takes_channels_last_and_is_not_trained():
    fast = folded(settle(tiny_net())).to(memory_format=torch.channels_last)
    assert fast.backbone.A2.convs[0].weights[1].is_contiguous(memory_format=torch.channels_last)
    assert not [name for name, p in fast.backbone.named_parameters() if p.requires_grad]
