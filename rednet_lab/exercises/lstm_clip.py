"""An LSTM through a clip (inside Eq. 10). Write the recurrence that $f_{trn}$ runs over the frames.

$(i, f, g, o) = W_x v_t + b_x + W_h h_{t-1} + b_h$, cut in four in this order; $c_t = \\sigma(f) c_{t-1} + \\sigma(i)
\\tanh(g)$; $h_t = \\sigma(o) \\tanh(c_t)$. Every clip starts with $h = c = 0$.
"""

import torch

PLACE = "38_temporal_recurrence", "05c852c5"


def inputs():
    """Draw three clips of four frames, and the weights of an LSTM with five units."""
    return torch.randn(3, 4, 6), torch.randn(20, 6), torch.randn(20, 5), torch.randn(20), torch.randn(20)


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


def flawed(memory=True, carried=True, forget=True, last=torch.tanh, new=torch.tanh, order=(0, 1, 2, 3)):
    """Return a recurrence with one thing done wrong."""

    def lstm(v, w_x, w_h, b_x, b_h):
        h = c = torch.zeros(len(v), w_h.shape[1])
        every = []
        for t in range(v.shape[1]):
            gates = (v[:, t] @ w_x.T + b_x + (h @ w_h.T if carried else 0) + b_h).chunk(4, 1)
            i, f, g, o = (gates[k] for k in order)
            c = (f.sigmoid() if forget else 1) * c * memory + i.sigmoid() * new(g)
            h = o.sigmoid() * last(c)
            every.append(h)
        return torch.stack(every, 1)

    return lstm


def one_after_the_other(v, *weights):
    """Run all clips as if they were one: the state of a clip goes on into the next."""
    return your_lstm(v.flatten(0, 1)[None], *weights).view(*v.shape[:2], -1)


WRONG = {
    "The state is not reset: every clip starts with h = c = 0.": one_after_the_other,
    "h is not carried: the gates must see the frame before.": flawed(carried=False),
    "c is not carried: the memory is lost at every frame.": flawed(memory=False),
    "The forget gate is missing: c is multiplied by σ(f).": flawed(forget=False),
    "The gates stand in another order: i, f, g, o.": flawed(order=(0, 1, 3, 2)),
    "i and f are swapped: the first quarter lets in, the second keeps.": flawed(order=(1, 0, 2, 3)),
    "The last tanh is missing: h = σ(o) tanh(c).": flawed(last=lambda c: c),
    "The new value goes through a sigmoid: it is tanh(g).": flawed(new=torch.sigmoid),
    "One bias is missing: b_x and b_h are both added.": lambda v, w_x, w_h, b_x, b_h: your_lstm(v, w_x, w_h, b_x, 0),
    "Only the last frame's h is returned: return those of all frames.": lambda v, *weights: your_lstm(v, *weights)[
        :, -1
    ],
    "The clip runs backward: start with its first frame.": lambda v, *weights: your_lstm(v.flip(1), *weights).flip(1),
}
