"""Exercises on what runs step after step: both recurrences, training, tracking; and the bootstrap."""

import torch
from torch import nn

from rednet_lab.exercises import exercise


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


def run_spatial_loop(answer, body, heads, steps, seven, stem, z0):
    """Return an answer's maps, and what the last of them teach the first guess."""
    maps = answer(body, heads, steps, seven, stem, z0)
    if not maps:
        return None
    taught = torch.autograd.grad(maps[-1].square().sum(), z0, allow_unused=True)[0]
    return list(maps), torch.zeros_like(z0) if taught is None else taught


@exercise("34_spatial_recurrence", "e8d66b3c", your_loop, run=run_spatial_loop)
def spatial_loop():
    """The spatial loop (Eq. 3). Write the loop that feeds the network its own answer.

    `stem` (N, C, m, m) is the picture. `body(stem, z, k)` runs the encoder-decoder in step k with the feedback z, and
    `heads[k]` turns its features into the maps of step k: logits of the seven points in a detection step, heat maps
    of all points in a regression step. What is fed on: the probabilities of a detection step; of a regression step
    the heat maps of the seven points (channels `seven`), clamped to [0, 1].
    """
    mix, shift = nn.Conv2d(4 + 2, 5, 1), torch.randn(3, 5, 1, 1)
    steps = ("regression", "detection", "regression")
    heads = [nn.Conv2d(5, 2 if kind == "detection" else 6, 1) for kind in steps]

    def body(stem, z, k):
        return torch.tanh(mix(torch.cat([stem, z], 1)) + shift[k])

    return body, heads, steps, [4, 1], torch.randn(1, 4, 3, 3), torch.rand(1, 2, 3, 3).requires_grad_()


spatial_loop.wrong |= {
    "Every step sees z0: feed on what the step before answered.": "body(stem, z, k) => body(stem, z0, k)",
    "The answers are added up: a new one replaces the old one.": (
        "raw = => old, raw = z,",
        "append(raw) => append(raw); z = old + z",
    ),
    "The feedback is detached: the paper trains the steps jointly.": "append(raw) => append(raw); z = z.detach()",
    "Logits are fed on: a detection step hands on probabilities.": "raw.sigmoid() => raw",
    "The probabilities are cut to 0 and 1: hand them on as they are.": "raw.sigmoid() => (raw > 0).float()",
    "The heat maps are not clamped to [0, 1].": ".clamp(0, 1) => ",
    "The first channels are fed on: take `seven`.": "[:, seven] => [:, : len(seven)]",
    "Heat maps go through a sigmoid: only logits do.": ".clamp(0, 1) => .sigmoid()",
    "Every step runs with the statistics of step 0: give `body` the step k.": "z, k) => z, 0)",
    "The steps are counted from 1: k starts at 0.": "z, k) => z, min(k + 1, 2))",
    "Only the last step's maps are returned: return those of every step.": "return answers => return answers[-1:]",
}


def your_lstm(v, w_x, w_h, b_x, b_h):
    """Return h (B, T, H) of the vectors v (B, T, C); w_x (4 H, C), w_h (4 H, H), biases (4 H)."""
    ### BEGIN SOLUTION
    h = c = torch.zeros(len(v), w_h.shape[1])
    every = []
    for t in range(v.shape[1]):
        i, f, g, o = (v[:, t] @ w_x.T + b_x + h @ w_h.T + b_h).chunk(4, 1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        h = o.sigmoid() * c.tanh()
        every.append(h)
    return torch.stack(every, 1)
    ### END SOLUTION


@exercise("38_temporal_recurrence", "05c852c5", your_lstm)
def lstm_clip():
    r"""An LSTM through a clip (inside Eq. 10). Write the recurrence that $f_{trn}$ runs over the frames.

    $(i, f, g, o) = W_x v_t + b_x + W_h h_{t-1} + b_h$, cut in four in this order; $c_t = \sigma(f) c_{t-1} + \sigma(i)
    \tanh(g)$; $h_t = \sigma(o) \tanh(c_t)$. Every clip starts with $h = c = 0$.
    """
    return torch.randn(3, 4, 6), torch.randn(20, 6), torch.randn(20, 5), torch.randn(20), torch.randn(20)


lstm_clip.wrong |= {
    "The state is not reset: every clip starts with h = c = 0.": lambda v, *w: your_lstm(
        v.flatten(0, 1)[None], *w
    ).view(*v.shape[:2], -1),
    "h is not carried: the gates must see the frame before.": " + h @ w_h.T => ",
    "c is not carried: the memory is lost at every frame.": "f.sigmoid() * c + => ",
    "The forget gate is missing: c is multiplied by σ(f).": "f.sigmoid() * c => c",
    "The gates stand in another order: i, f, g, o.": "i, f, g, o => i, f, o, g",
    "i and f are swapped: the first quarter lets in, the second keeps.": "i, f, g, o => f, i, g, o",
    "The last tanh is missing: h = σ(o) tanh(c).": "c.tanh() => c",
    "The new value goes through a sigmoid: it is tanh(g).": "g.tanh() => g.sigmoid()",
    "One bias is missing: b_x and b_h are both added.": " + b_h => ",
    "Only the last frame's h is returned: return those of all frames.": "torch.stack(every, 1) => h",
    "The clip runs backward: start with its first frame.": lambda v, *w: your_lstm(v.flip(1), *w).flip(1),
}


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


def run_training_step(answer, net, optimiser, batches, losses, factors):
    """Return the totals of two steps, and the weights and statistics they leave."""
    totals = [answer(net, optimiser, x, losses, factors) for x in batches]
    return None if totals[0] is None else (totals, list(net.state_dict().values()))


@exercise("50_stage1", "18d42c2c", your_step, run=run_training_step)
def training_step():
    """One training step. Write what happens to a batch.

    Put the network into training mode; add up its losses, each times its factor; take the gradient; update. Return the
    total as it was before the update.
    """
    net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Tanh(), nn.Linear(4, 2)).eval()
    optimiser = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    losses = [lambda out: out[:, 0].square().mean(), lambda out: (out[:, 1] - 1).square().mean()]
    return net, optimiser, torch.randn(2, 6, 3), losses, [1.0, 5.0]


training_step.wrong |= {
    "Old gradients are not cleared: zero_grad() before backward().": "optimiser.zero_grad() => pass",
    "Nothing is learned: step() comes after backward(), with no zero_grad() between.": "optimiser.step() => pass",
    "Two updates for one gradient: step() once.": "optimiser.step() => optimiser.step(); optimiser.step()",
    "The network is in evaluation mode: batch norm learns nothing of the batch.": "net.train() => net.eval()",
    "The factors are missing.": "factor * loss => loss",
    "Only the last loss trains: add all up.": "(factors, losses => (factors[1:], losses[1:]",
    "The losses are averaged: add them up.": "factor * loss => factor / 2 * loss",
    "The total is measured after the update: return that before it.": (
        "return total => return sum(f * g(net(x)) for f, g in zip(factors, losses, strict=True))"
    ),
    "The step goes uphill: the gradient is of the loss, not of its negative.": "total.backward => (-total).backward",
}


def your_track(frames, box, locate, face_box):
    """Return the points (T, L, 2) of T frames, and the boxes (T, 3) that they were found in."""
    ### BEGIN SOLUTION
    points, boxes, guess = [], [], None
    for frame in frames:
        found = locate(frame, box, guess)
        points.append(found)
        boxes.append(box)
        box, guess = face_box(found), found
    return torch.stack(points), torch.stack(boxes)
    ### END SOLUTION


@exercise("60_tracking", "7edebd17", your_track)
def tracking_loop():
    """The tracking loop. Write the papers' protocol: the box of a frame comes from the landmarks of the frame before.

    The first box is given. `locate(frame, box, guess)` finds the points (L, 2) in a box; its guess is the points of the
    frame before, None in the first frame. `face_box(points)` is the box (3,) of points.
    """

    def locate(frame, box, guess):
        return box[:2] + box[2] * torch.tanh(frame) + (0 if guess is None else 0.2 * guess.mean(0))

    def face_box(points):
        return torch.cat([points.mean(0), 1 + points.std().reshape(1)])

    return torch.randn(5, 4, 2), torch.tensor([0.5, 0.2, 2.0]), locate, face_box


tracking_loop.wrong |= {
    "Every frame uses the first box: take it from the points of the frame before.": "box, guess = => guess = found #",
    "The box is a mean of the old and the new one: the papers take the new one.": (
        "= face_box(found), => = (box + face_box(found)) / 2,"
    ),
    "Only the middle of the box moves: its side is new, too.": (
        "= face_box(found), => = torch.cat([face_box(found)[:2], box[2:]]),"
    ),
    "No guess is passed: hand on the points of the frame before.": ", found => , None",
    "The guess is the first frame's: hand on that of the frame before.": ", found => , points[0]",
    "The guess is a mean of all frames: hand on the last one.": ", found => , torch.stack(points).mean(0)",
    "Each frame is looked at twice: its box comes from the frame before, not from itself.": (
        "found = locate( => box = face_box(locate(frame, box, guess)); found = locate("
    ),
    "These are the boxes of the next frame: return the box that a frame was searched in.": (
        "boxes.append(box) => boxes.append(face_box(found))"
    ),
}


def your_interval(a, b, person, draws):
    """Return (mean difference, lower, upper end) of errors a, b (n), person (n) and draws (R, persons)."""
    ### BEGIN SOLUTION
    difference, persons = b - a, int(person.max()) + 1
    sums = torch.zeros(persons).index_add(0, person, difference)
    counts = torch.bincount(person, minlength=persons)
    means = sums[draws].sum(1) / counts[draws].sum(1)
    low, high = torch.quantile(means, torch.tensor([0.025, 0.975]))
    return difference.mean(), low, high
    ### END SOLUTION


@exercise("70_protocol", "e158b0d8", your_interval)
def paired_bootstrap():
    """The paired bootstrap. Write the interval of a difference of two networks on the same faces.

    The difference b - a is taken face by face. Faces of one person are alike, so whole persons are drawn: each row of
    `draws` names the persons of one drawing, with their faces all together. Of the mean differences of all drawings,
    the 2.5 and 97.5 % quantiles bound the interval.
    """
    person = torch.tensor([0, 0, 0, 0, 0, 1, 1, 2, 2, 2, 3, 3, 3, 3])
    a = 5 + torch.rand(14) + person
    return a, a - 0.5 + torch.randn(14), person, torch.randint(4, (60, 4))


paired_bootstrap.wrong |= {
    "The sign is turned: b - a is below 0 where b is better.": "b - a => a - b",
    "Not paired: those are two intervals, one less the other. Take the differences first.": lambda a, b, *g: tuple(
        y - x for x, y in zip(your_interval(0 * a, a, *g), your_interval(0 * b, b, *g), strict=True)
    ),
    "Faces are drawn, not persons.": "means = => means = difference[draws].mean(1) #",
    "Each person counts the same: let each face count the same.": "means = => means = (sums / counts)[draws].mean(1) #",
    "Those are the 5 and 95 % quantiles: a 95 % interval leaves 2.5 % on each side.": "0.025, 0.975 => 0.05, 0.95",
    "Mean and spread in place of the quantiles.": (
        "quantile(means, torch.tensor([0.025, 0.975])) => tensor([-1.96, 1.96]) * means.std() + means.mean()"
    ),
    "Those are the errors of b alone: take the difference first.": "b - a => b",
    "In per cent of a: the difference is in the errors' own unit.": "b - a => (b - a) / a",
}
