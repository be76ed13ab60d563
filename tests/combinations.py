"""Few combinations of many choices."""

from dataclasses import replace
from itertools import combinations, product

import numpy as np
import torch


def pairwise(choices):
    """Few combinations in which every two values of two choices meet: each next one meets the most that are left."""
    # A list, not a set: the order of a set of strings changes from run to run.
    left = [((a, x), (b, y)) for a, b in combinations(choices, 2) for x, y in product(choices[a], choices[b])]
    random = np.random.default_rng(0)
    found = []
    while left:
        candidates = []
        for _ in range(60):
            start = dict(left[random.integers(len(left))])
            candidates.append({n: start.get(n, v[random.integers(len(v))]) for n, v in choices.items()})
        best = max(candidates, key=lambda c: sum(c[a] == x and c[b] == y for (a, x), (b, y) in left))
        left = [pair for pair in left if any(best[name] != value for name, value in pair)]
        found.append(best)
    return found


def distinct(choices, idle):
    """All combinations of many choices that differ in more than choices without effect, each written out in full.

    idle(combination) names the choices that have nothing to act on in a combination; they stand at their first value.
    """
    found = {}
    for values in product(*choices.values()):
        one = dict(zip(choices, values, strict=True))
        one |= {name: choices[name][0] for name in idle(one)}
        found[tuple(one.values())] = one
    return list(found.values())


def networks(choices, flow, make):
    """Yield each of many choices with its network; those that differ in how values flow alone share one, set anew.

    Options in `flow` are read in the forward pass and make no module; building takes as long as running.
    """
    built = {}
    for one in choices:
        modules = tuple(value for name, value in one.items() if name not in flow)
        if modules not in built:
            built[modules] = make(one)
        net = built[modules]
        net.zero_grad()
        for each in (net, *net.cascade):
            each.config = replace(each.config, **{name: one[name] for name in flow})
        yield one, net


def reaches(loss, leaf):
    """Tell whether a loss's gradient gets to a leaf, from the graph alone, without the backward pass."""
    todo, seen = [loss.grad_fn], set()
    while todo:
        node = todo.pop()
        if getattr(node, "variable", None) is leaf:
            return True
        todo += [one for one, _ in node.next_functions if one is not None and one not in seen]
        seen.update(todo)
    return False


def untrained(net, loss, optimiser):
    """What is wrong with one step of training down a loss, in words: not finite, or a parameter left alone."""
    loss.backward()
    optimiser.step()
    wrong = [] if loss.isfinite() else [f"the loss is {float(loss)}"]
    for name, p in net.named_parameters():
        if p.grad is None or not p.grad.any():
            wrong.append(f"no gradient reaches {name}")
    broken = not torch.stack([p.detach().sum() for p in net.parameters()]).isfinite().all()
    return wrong + ["after the step a parameter is not finite"] * broken
