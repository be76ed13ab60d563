"""From a batch as stored to what the network is given: inputs, points, first guess. One function a stage needs.

A still, and a clip's first frame, start from the network's first guess z_0. Every later frame's guess, and its
face box, come from the frame before, with a tracker's error, as in use (journal 5.1).
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from rednet_core import augment, geometry
from rednet_core.augment import Augmentation
from rednet_core.batches import Batch, Clips
from rednet_core.rednet import RedNet

# A tracker's landmarks are never exact. Reach of the error of the box, of the whole guess z_0 and of its single
# points, in box sides; without them the network learns to trust z_0 as no tracker deserves.
BOX_SHIFT, BOX_SCALE = 0.04, 0.04
GUESS_SHIFT, POINT_SHIFT = 0.05, 0.02


@dataclass
class Inputs:
    """N pictures for the network: x (N, 3, n, n), z0 (N, 7, m, m), points (N, L, 2) in input pixels, mask (N, L)."""

    x: Tensor
    z0: Tensor
    points: Tensor
    mask: Tensor
    identity: Tensor
    frames: int = 1


def still_inputs(batch: Batch, net: RedNet, generator: torch.Generator, how: Augmentation = augment.PAPERS) -> Inputs:
    """Augmented stills, cropped by their own (varied) face box."""
    size = net.config.input_size
    box = geometry.face_box(batch.points, net.markup)
    varied, angle = augment.vary_box(box, how, generator)
    matrix = geometry.crop_matrix(varied, size, angle)
    x, points = augment.resample(batch.crops, matrix, size), geometry.apply(matrix, batch.points)
    x, points, mask = augment.flip_some(x, points, batch.mask, net.markup, how, generator)
    x = augment.vary_light(x, how, generator)
    return Inputs(x, net.first_guess(len(x)), points, mask, batch.identity)


def _shifted_in_time(values: Tensor, count: int) -> Tensor:
    """values (N, ...) of the frame before; a clip's first frame, which has none before, keeps its own."""
    clip = values.unflatten(0, (-1, count))
    return torch.cat([clip[:, :1], clip[:, :-1]], 1).flatten(0, 1)


def _displaced(points: Tensor, box: Tensor, generator: torch.Generator) -> Tensor:
    """points (N, L, 2) as a tracker might have found them: shifted together, and each a little by itself."""
    n, count = points.shape[:2]
    together = (2 * torch.rand(n, 1, 2, generator=generator) - 1) * GUESS_SHIFT
    alone = (2 * torch.rand(n, count, 2, generator=generator) - 1) * POINT_SHIFT
    return points + (together + alone).to(points) * box[:, None, 2:]


def clip_inputs(batch: Batch, net: RedNet, generator: torch.Generator, kind: type[Clips] = Clips) -> Inputs:
    """Clips as a tracker meets them: box and z_0 of a frame come from the frame before, with a tracker's error.

    A kind of clips that is made of stills says how they move (kind.motion) and what light falls on them (kind.light);
    real frames are left as they are.
    """
    size, n = net.config.input_size, len(batch.points)
    points, moved = batch.points, None
    if kind.motion:
        moved = kind.motion(geometry.face_box(points, net.markup), batch.frames, generator)
        points = geometry.apply(moved, points)
    before = _shifted_in_time(points, batch.frames)
    wobble = Augmentation(scale=BOX_SCALE, turn=0.0, shift=BOX_SHIFT, flip=0.0)
    box, _ = augment.vary_box(geometry.face_box(before, net.markup), wobble, generator)
    matrix = geometry.crop_matrix(box, size)
    x = augment.resample(batch.crops, matrix if moved is None else geometry.compose(matrix, moved), size)
    if kind.light:
        x = kind.light(x, batch.frames, generator)
    z0 = net.draw_z0(geometry.apply(matrix, _displaced(before, box, generator)))
    first = torch.arange(n, device=x.device) % batch.frames == 0
    z0 = torch.where(first[:, None, None, None], net.first_guess(n), z0)
    return Inputs(x, z0, geometry.apply(matrix, points), batch.mask, batch.identity, batch.frames)
