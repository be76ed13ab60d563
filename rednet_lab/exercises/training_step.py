"""One training step. Write what happens to a batch.

Put the network into training mode; add up its losses, each times its factor; take the gradient; update. Return the
total as it was before the update.
"""

import torch
from torch import nn

PLACE = "50_stage1", "18d42c2c"


def inputs():
    """Make a small network in evaluation mode, its optimiser, two batches, two losses and their factors."""
    net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Tanh(), nn.Linear(4, 2)).eval()
    optimiser = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    losses = [lambda out: out[:, 0].square().mean(), lambda out: (out[:, 1] - 1).square().mean()]
    return net, optimiser, torch.randn(2, 6, 3), losses, [1.0, 5.0]


def your_step(net, optimiser, x, losses, factors):
    """Train net on the batch x for one step; losses are functions of its output. Return the total (a number)."""
    ### BEGIN SOLUTION
    net.train()
    out = net(x)
    total = sum(factor * loss(out) for factor, loss in zip(factors, losses, strict=True))
    optimiser.zero_grad()
    total.backward()
    optimiser.step()
    return total.item()
    ### END SOLUTION


def run(answer, net, optimiser, batches, losses, factors):
    """Return the totals of two steps, and the weights and statistics they leave."""
    totals = [answer(net, optimiser, x, losses, factors) for x in batches]
    return None if totals[0] is None else (totals, list(net.state_dict().values()))


def flawed(train=True, clear=True, updates=1, sign=1, after=False, use=lambda losses, factors: (losses, factors)):
    """Return a step with one thing done wrong."""

    def step(net, optimiser, x, *given):
        losses, factors = use(*given)
        net.train(train)
        out = net(x)
        total = sum(factor * loss(out) for factor, loss in zip(factors, losses, strict=True))
        if clear:
            optimiser.zero_grad()
        (sign * total).backward()
        for _ in range(updates):
            optimiser.step()
        if after:
            total = sum(factor * loss(net(x)) for factor, loss in zip(factors, losses, strict=True))
        return total.item()

    return step


WRONG = {
    "Old gradients are not cleared: zero_grad() before backward().": flawed(clear=False),
    "Nothing is learned: step() comes after backward(), with no zero_grad() between.": flawed(updates=0),
    "Two updates for one gradient: step() once.": flawed(updates=2),
    "The network is in evaluation mode: batch norm learns nothing of the batch.": flawed(train=False),
    "The factors are missing.": flawed(use=lambda losses, factors: (losses, [1.0, 1.0])),
    "Only the last loss trains: add all up.": flawed(use=lambda losses, factors: (losses[1:], factors[1:])),
    "The losses are averaged: add them up.": flawed(use=lambda losses, factors: (losses, [f / 2 for f in factors])),
    "The total is measured after the update: return that before it.": flawed(after=True),
    "The step goes uphill: the gradient is of the loss, not of its negative.": flawed(sign=-1),
}
