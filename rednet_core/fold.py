"""Batch norm folded into the convolutions before it: the same network for inference, with fewer passes over memory."""

import copy
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from rednet_core.layers import ConvNorm, StepBatchNorm2d


class FoldedConv(nn.Module):
    """What a ConvNorm computes in evaluation mode, as one convolution; weights of its own for each spatial step.

    The steps share their weights but not their statistics, so folding has to give each step a copy.
    """

    def __init__(self, block: ConvNorm):
        super().__init__()
        conv, norm = block.conv, block.norm
        assert isinstance(norm, StepBatchNorm2d)
        self.transposed, self.relu = isinstance(conv, nn.ConvTranspose2d), block.relu
        self.stride, self.padding = conv.stride, conv.padding
        each = [
            fuse_conv_bn_weights(conv.weight, None, mean, var, norm.eps, norm.weight, norm.bias, self.transposed)
            for mean, var in zip(norm.running_mean, norm.running_var, strict=True)
        ]
        self.weights, self.biases = (nn.ParameterList(of_steps) for of_steps in zip(*each, strict=True))
        self.requires_grad_(False)

    def forward(self, x: Tensor, step: int = 0) -> Tensor:
        """Turn x (N, C, H, W) into (N, C', H', W')."""
        row = step if len(self.weights) > 1 else 0
        convolve = F.conv_transpose2d if self.transposed else F.conv2d
        x = convolve(x, self.weights[row], self.biases[row], self.stride, self.padding)  # type: ignore[arg-type]
        return F.relu(x, inplace=True) if self.relu else x


@torch.no_grad()
def folded(net: Any) -> Any:
    """Return a copy of a network of either paper for inference, every batch norm folded into its convolution."""
    net = copy.deepcopy(net).eval()
    for module in list(net.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, ConvNorm) and isinstance(child.norm, StepBatchNorm2d):
                setattr(module, name, FoldedConv(child))
    return net
