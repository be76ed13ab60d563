"""The identity head and its loss (Eq. 12, 13). Write what $f_{cls}$ makes of $e_i$ at test time, and the loss.

1 x 1 convolution to the identity vector, mean over the places, one linear layer to the scores of N persons (no dropout
at test time). The loss is the mean cross-entropy over the pictures whose person is known; -1 means unknown.
"""

import torch
import torch.nn.functional as F

PLACE = "42_identity_disentangling", "346303be"


def inputs():
    """Draw codes of five pictures, the weights of the head, and who is who; two are unknown."""
    return (
        torch.randn(5, 6, 4, 4),
        torch.randn(8, 6),
        torch.randn(7, 8),
        torch.randn(7),
        torch.tensor([3, -1, 0, 6, -1]),
    )


def your_identity_loss(e_i, squeeze, weight, bias, who):
    """Return the loss of e_i (N, C, h, w): squeeze (U, C), weight (P, U), bias (P), who (N) with -1 for unknown."""
    ### BEGIN SOLUTION
    vector = torch.einsum("uc,nchw->nu", squeeze, e_i) / e_i[0, 0].numel()
    scores = vector @ weight.T + bias
    return F.cross_entropy(scores, who, ignore_index=-1)
    ### END SOLUTION


def flawed(pool=lambda maps: maps.mean((2, 3)), loss=lambda z, who: F.cross_entropy(z, who, ignore_index=-1)):
    """Return the head and its loss with one thing done wrong."""

    def head(e_i, squeeze, weight, bias, who):
        return loss(pool(torch.einsum("uc,nchw->nuhw", squeeze, e_i)) @ weight.T + bias, who)

    return head


def two_way(scores, who):
    """Return Eq. 13 as it is printed: two-way entropies over a softmax."""
    truth = F.one_hot(who.clamp(min=0), 7).float()
    return F.binary_cross_entropy(scores.softmax(1).clamp(1e-7, 1 - 1e-7)[who >= 0], truth[who >= 0])


WRONG = {
    "Unknown persons count as person 0: leave them out.": flawed(
        loss=lambda z, who: F.cross_entropy(z, who.clamp(min=0))
    ),
    "Unknown persons count as the last one: leave them out.": flawed(loss=lambda z, who: F.cross_entropy(z, who % 7)),
    "Divided by all pictures: the mean is over the known persons.": lambda *g: 0.6 * your_identity_loss(*g),
    "That is the sum: take the mean over the known persons.": lambda *g: 3 * your_identity_loss(*g),
    "Softmax twice: cross_entropy takes scores.": flawed(
        loss=lambda z, who: F.cross_entropy(z.softmax(1), who, ignore_index=-1)
    ),
    "The minus sign is missing: the loss is -log of the true person's share.": lambda *g: -your_identity_loss(*g),
    "The places are summed: take their mean.": flawed(lambda maps: maps.sum((2, 3))),
    "The maximum over the places is taken: f_cls takes the mean.": flawed(lambda maps: maps.amax((2, 3))),
    "The bias is missing.": lambda *g: your_identity_loss(*g[:3], torch.zeros(7), g[4]),
    "That is Eq. 13 as printed: the text means the N-way cross-entropy.": flawed(loss=two_way),
}
