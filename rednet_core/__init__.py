"""RED-Net: recurrent encoder-decoder face alignment in video (IJCV 2018), written to be read.

From a picture to points, with a trained network's file:

>>> from rednet_core.checkpoint import load_net
>>> from rednet_core.tracking import Tracker
>>> tracker = Tracker(load_net(file))
>>> tracker.start(box)  # the face box in the first frame: centre x, centre y, side, in pixels
>>> for picture in video:  # (H, W, 3) uint8 RGB
...     points = tracker.update(picture).points[0]  # (68, 2): x, y in the picture's pixels

Symbols, in the program and its comments as in the papers:

x    picture (N, 3, n, n)                         e    encoding (Eq. 1): e = [e_i, e_p] (Eq. 9)
z    response maps (N, C, m, m)                   e_i  identity half, what does not change in time; f_cls reads it
z_0  first guess, drawn as maps                   e_p  pose half (and expression), what does; f_trn updates it to e_p*
z_d  detection maps (Eq. 4), C_d = 7 channels     h    state of f_trn's LSTM (Eq. 10)
z_r  regression maps (Eq. 6), C_r = L channels    y    what is annotated: discs, Gaussians, persons
N    pictures of a batch (in Eq. 12, 13: persons) K    spatial steps of f_srn (Eq. 3)
B, T clips of a batch, frames of a clip; N = B T  L    landmarks of a face
n, m side of input and maps, in pixels            lambda, gamma  weights of l_r and l_cls (Eq. 8, 11, 14)

The ECCV 2016 paper writes f_ENC, f_DENC, f_sRNN, f_tRNN, f_CLS, f_REG, C_id, C_pe and M for f_enc, f_dec, f_srn,
f_trn, f_cls, its shape regressor, e_i, e_p and z.

Read the modules in this order: `markup` and `geometry` (what a point is, and where), `maps` (response maps), `vgg` and
`resnet` (f_enc, f_dec), `temporal` (f_trn), `identity` (f_cls), `network` and `rednet` (the loop f_srn), `losses`,
`objective`, `augment`, `inputs`, `training` and `stages` (how it learns), `tracking`; `protocols` says what fits where.
`eccv` is the earlier paper's network, made of the same parts.
This package knows nothing of data sets, notebooks or files under `figures/`.
"""
