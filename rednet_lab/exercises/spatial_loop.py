"""The spatial loop (Eq. 3). Write the loop that feeds the network its own answer.

`stem` (N, C, m, m) is the picture. `body(stem, z, k)` runs the encoder-decoder in step k with the feedback z, and
`heads[k]` turns its features into the maps of step k: logits of the seven points in a detection step, heat maps of all
points in a regression step. What is fed on: the probabilities of a detection step; of a regression step the heat maps
of the seven points (channels `seven`), clamped to [0, 1].
"""

import torch
from torch import nn

PLACE = "34_spatial_recurrence", "e8d66b3c"
STEPS = ("regression", "detection", "regression")


def inputs():
    """Draw a picture, a first guess and a small network whose steps differ in their statistics."""
    mix, shift = nn.Conv2d(4 + 2, 5, 1), torch.randn(3, 5, 1, 1)
    heads = [nn.Conv2d(5, 2 if kind == "detection" else 6, 1) for kind in STEPS]

    def body(stem, z, k):
        return torch.tanh(mix(torch.cat([stem, z], 1)) + shift[k])

    return body, heads, STEPS, [4, 1], torch.randn(1, 4, 3, 3), torch.rand(1, 2, 3, 3).requires_grad_()


def your_loop(body, heads, steps, seven, stem, z0):
    """Return the maps of each step, as a list; steps names the kind of each, seven the channels that are fed on."""
    ### BEGIN SOLUTION
    z, answers = z0, []
    for k, kind in enumerate(steps):
        raw = heads[k](body(stem, z, k))
        z = raw.sigmoid() if kind == "detection" else raw[:, seven].clamp(0, 1)
        answers.append(raw)
    return answers
    ### END SOLUTION


def run(answer, body, heads, steps, seven, stem, z0):
    """Return an answer's maps, and what the last of them teach the first guess."""
    maps = answer(body, heads, steps, seven, stem, z0)
    if not maps:
        return None
    taught = torch.autograd.grad(maps[-1].square().sum(), z0, allow_unused=True)[0]
    return list(maps), torch.zeros_like(z0) if taught is None else taught


def clamped(raw, seven):
    """Return what is fed on of heat maps."""
    return raw[:, seven].clamp(0, 1)


def flawed(detect=torch.sigmoid, regress=clamped, after=lambda new, old, z0: new, step=lambda k: k, kept=slice(None)):
    """Return a loop with one thing done wrong."""

    def loop(body, heads, steps, seven, stem, z0):
        z, answers = z0, []
        for k, kind in enumerate(steps):
            raw = heads[k](body(stem, z, step(k)))
            z = after(detect(raw) if kind == "detection" else regress(raw, seven), z, z0)
            answers.append(raw)
        return answers[kept]

    return loop


WRONG = {
    "Every step sees z0: feed on what the step before answered.": flawed(after=lambda new, old, z0: z0),
    "The answers are added up: a new one replaces the old one.": flawed(after=lambda new, old, z0: old + new),
    "The feedback is detached: the paper trains the steps jointly.": flawed(after=lambda new, old, z0: new.detach()),
    "Logits are fed on: a detection step hands on probabilities.": flawed(detect=lambda raw: raw),
    "The probabilities are cut to 0 and 1: hand them on as they are.": flawed(detect=lambda raw: (raw > 0).float()),
    "The heat maps are not clamped to [0, 1].": flawed(regress=lambda raw, seven: raw[:, seven]),
    "The first channels are fed on: take `seven`.": flawed(regress=lambda raw, seven: raw[:, : len(seven)].clamp(0, 1)),
    "Heat maps go through a sigmoid: only logits do.": flawed(regress=lambda raw, seven: raw[:, seven].sigmoid()),
    "Every step runs with the statistics of step 0: give `body` the step k.": flawed(step=lambda k: 0),
    "The steps are counted from 1: k starts at 0.": flawed(step=lambda k: min(k + 1, 2)),
    "Only the last step's maps are returned: return those of every step.": flawed(kept=slice(-1, None)),
}
