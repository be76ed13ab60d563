"""A residual unit with its skip (journal figure 5, right). Write it without batch norm.

1 x 1 convolution and ReLU, 3 x 3 convolution (padding 1) and ReLU, 1 x 1 convolution; then the input is *added*, and
the ReLU comes after the sum.
"""

import torch
import torch.nn.functional as F

PLACE = "32_resnet_design", "b99b26f6"


def inputs():
    """Draw a feature map, and the weights of the three convolutions."""
    return torch.randn(2, 8, 5, 5), torch.randn(4, 8, 1, 1), torch.randn(4, 4, 3, 3) / 3, torch.randn(8, 4, 1, 1)


def your_unit(x, reduce, spatial, expand):
    """Return the unit's output (N, C, H, W) for x (N, C, H, W) and the weights of its three convolutions."""
    ### BEGIN SOLUTION
    y = F.conv2d(x, reduce).relu()
    y = F.conv2d(y, spatial, padding=1).relu()
    return (x + F.conv2d(y, expand)).relu()
    ### END SOLUTION


def branch(x, reduce, spatial, expand, first=torch.relu, second=torch.relu):
    """Return the three convolutions alone."""
    y = first(F.conv2d(x, reduce))
    return F.conv2d(second(F.conv2d(y, spatial, padding=1)), expand)


WRONG = {
    "The skip is missing: add x.": lambda x, *w: branch(x, *w).relu(),
    "The ReLU comes before the sum: add first.": lambda x, *w: x + branch(x, *w).relu(),
    "The last ReLU is missing: it comes after the sum.": lambda x, *w: x + branch(x, *w),
    "The ReLU behind the first convolution is missing.": lambda x, *w: (x + branch(x, *w, first=lambda y: y)).relu(),
    "The ReLU behind the second convolution is missing.": lambda x, *w: (x + branch(x, *w, second=lambda y: y)).relu(),
    "x is joined as channels: the skip is a sum.": lambda x, *w: torch.cat([x, branch(x, *w)], 1).relu(),
    "x is subtracted: the skip is a sum.": lambda x, *w: (branch(x, *w) - x).relu(),
    "The skip goes through a ReLU of its own: x comes as it is.": lambda x, *w: (x.relu() + branch(x, *w)).relu(),
    "The sum is halved: a unit adds, it does not average.": lambda x, *w: (x + branch(x, *w)).relu() / 2,
}
