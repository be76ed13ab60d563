"""RED-Net: recurrent encoder-decoder face alignment in video (IJCV 2018), written to be read.

Read the modules in this order: `markup` and `frames` (what a point is, and where), `maps` (response maps),
`vgg`, `resnet` and `rednet` (the network), `losses`, `augment`, `training` and `stages` (how it learns), `tracking`.
`eccv` is the earlier paper's network, made of the same parts.
This package knows nothing of data sets, notebooks or files under `figures/`.
"""
