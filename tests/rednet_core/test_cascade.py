"""Unshared cascades, networks without batch norm, Adam with rates by block: the comparisons' side of the networks."""

from dataclasses import replace

import pytest
import torch

from rednet_core.eccv import EccvConfig, EccvNet
from rednet_core.fold import folded
from rednet_core.layers import StepBatchNorm2d
from rednet_core.rednet import NetConfig, RedNet, count_parameters
from rednet_core.training import TrainConfig, make_optimiser

TINY = NetConfig(input_size=32, width=0.125, encoder_convs=(1,) * 5, decoder_convs=(1,) * 4)
RESNET = replace(TINY, design="resnet", encoder_units=(1,) * 4, skip_units=1)
ECCV = EccvConfig(32, 0.125, (1,) * 5, "seven")
NETS = [(RedNet, TINY), (RedNet, RESNET), (EccvNet, ECCV)]
IDS = ("vgg", "resnet", "eccv")


def pictures(n=2):
    return torch.rand(n, 3, 32, 32, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("network, config", NETS, ids=IDS)
def test_cascade_has_an_encoder_decoder_for_each_step(network, config):
    alone = replace(config, steps=config.steps[-1:], **({"regression": False} if network is EccvNet else {}))
    one = count_parameters(network(alone))
    shared, cascade = network(config), network(replace(config, shared=False))
    steps = len(config.steps)
    heads = count_parameters(cascade) - steps * one
    # Heads of other sizes and f_REG are what K times one network lacks.
    assert abs(heads) < 0.2 * one + (count_parameters(cascade.f_reg) if network is EccvNet else 0)
    assert count_parameters(cascade) > 0.9 * steps * one > 1.5 * (count_parameters(shared) - heads)


@pytest.mark.parametrize("network, config", NETS, ids=IDS)
def test_cascade_is_its_networks_in_a_row(network, config):
    """Step k of the cascade is the one-step network k on the maps of step k - 1."""
    net = network(replace(config, shared=False)).eval()
    x = pictures()
    z = net.first_guess(2)
    out = net(x, z)
    for k in range(len(config.steps)):
        owner = net.cascade[k - 1] if k else net
        code = owner.backbone if network is RedNet else owner
        seen = (x - 0.45) / 0.25
        if network is RedNet:
            kind = config.steps[k]
            found = owner.heads[kind](code.decode(code.encode(code.stem(seen), z, 0), 0))
            z = net.feedback(found, k + 1)
        else:
            found = owner.decode(owner.encode(seen, z, 0), 0)
            z = net.feedback(found, k + 1) if k + 1 < len(config.steps) else None
        torch.testing.assert_close(out.maps[k], found)


@pytest.mark.parametrize("network, config", NETS, ids=IDS)
def test_steps_of_a_cascade_do_not_train_each_other(network, config):
    net = network(replace(config, shared=False)).train()
    out = net(pictures(), net.first_guess(2))
    out.maps[-1].square().mean().backward()
    last, before = net.cascade[-1], [net, *net.cascade[:-1]]
    assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in last.parameters())
    for each in before:
        own = [p for n, p in each.named_parameters() if "cascade" not in n]
        assert all(p.grad is None or not p.grad.any() for p in own)


def test_cascade_keeps_f_trn_and_f_cls_once():
    net = RedNet(replace(TINY, shared=False, temporal=True, identities=3, hidden=8, identity_units=8))
    names = [n for n, _ in net.named_parameters() if "f_trn" in n or "f_cls" in n]
    assert names and not [n for n in names if n.startswith("cascade")]
    out = net(pictures(4), net.first_guess(4), 2)
    assert out.identity.shape == (4, 3) and all(state is not None for state in out.states)


@pytest.mark.parametrize("config", [TINY, RESNET], ids=IDS[:2])
def test_without_batch_norm_no_statistics_are_left(config):
    net = RedNet(replace(config, batch_norm=False))
    assert not [m for m in net.modules() if isinstance(m, StepBatchNorm2d)]
    x, z = pictures(), net.first_guess(2)
    net.eval()
    kept = [m.clone() for m in net(x, z).maps]
    for a, b in zip(kept, net.train()(x, z).maps, strict=True):
        torch.testing.assert_close(a, b)  # nothing depends on the batch
    for a, b in zip(kept, folded(net)(x, z).maps, strict=True):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize("network, config", NETS, ids=IDS)
def test_encoder_rates_hold_the_stem_and_slow_the_rest(network, config):
    for net in (network(config), network(replace(config, shared=False))):
        rates = (0.0, 0.0, 0.1, 0.1, 0.1)
        optimiser = make_optimiser(net, TrainConfig(1, "adam", 0.01, encoder_rates=rates, momentum=0.5))
        assert isinstance(optimiser, torch.optim.Adam) and optimiser.defaults["betas"][0] == 0.5
        share = {id(p): group["share"] for group in optimiser.param_groups for p in group["params"]}
        assert len(share) == len(list(net.parameters()))
        for block, rate in zip(net.encoder_blocks(), rates, strict=True):
            assert {share[id(p)] for p in block.parameters()} == {rate}
        encoder = {id(p) for block in net.encoder_blocks() for p in block.parameters()}
        assert {s for key, s in share.items() if key not in encoder} == {1.0}


def test_encoder_rates_need_one_for_each_block():
    with pytest.raises(ValueError):
        make_optimiser(RedNet(TINY), TrainConfig(1, "adam", encoder_rates=(0.1, 0.1)))
