"""From a batch as stored to what the network is given: inputs, points, first guess. One function a stage needs.

A still, and a clip's first frame, start from the network's first guess z_0. Every later frame's guess, and its
face box, come from the frame before, as in use (journal 5.1). Points that are not annotated count nowhere: where a
place is needed for them, it is the mean face's.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from rednet_core import augment, geometry
from rednet_core.augment import Augmentation
from rednet_core.batches import Batch, Clips
from rednet_core.protocols import ClipError, FaceAligner


@dataclass
class Inputs:
    """N pictures for the network: x (N, 3, n, n), z0 (N, 7, m, m), points (N, L, 2) in input pixels, mask (N, L)."""

    x: Tensor
    z0: Tensor
    points: Tensor
    mask: Tensor
    identity: Tensor
    frames: int = 1


def _boxed(batch: Batch, net: FaceAligner) -> tuple[Tensor, Tensor]:
    """The batch's points (N, L, 2), the mean face's places where they are not annotated, and its face boxes (N, 3)."""
    box = geometry.face_box(batch.points, net.markup, batch.mask)
    mean = net.mean_shape * box[:, None, 2:] + box[:, None, :2]
    return torch.where(batch.mask[..., None], batch.points, mean), box


def still_inputs(
    batch: Batch, net: FaceAligner, generator: torch.Generator, how: Augmentation = augment.PAPERS
) -> Inputs:
    """Return augmented stills, cropped by their own (varied) face box."""
    size = net.config.input_size
    points, box = _boxed(batch, net)
    varied, angle = augment.vary_box(box, how, generator)
    matrix = geometry.crop_matrix(varied, size, angle)
    x, points = augment.resample(batch.crops, matrix, size), geometry.apply(matrix, points)
    x, points, mask = augment.flip_some(x, points, batch.mask, net.markup, how, generator)
    x = augment.vary_light(x, how, generator)
    return Inputs(x, net.first_guess(len(x)), points, mask, batch.identity)


def _shifted_in_time(values: Tensor, count: int) -> Tensor:
    """values (N, ...) of the frame before; a clip's first frame, which has none before, keeps its own."""
    clip = values.unflatten(0, (-1, count))
    return torch.cat([clip[:, :1], clip[:, :-1]], 1).flatten(0, 1)


def clip_inputs(
    batch: Batch,
    net: FaceAligner,
    generator: torch.Generator,
    kind: type[Clips] = Clips,
    how: ClipError | None = None,
) -> Inputs:
    """Return clips as a tracker meets them: box and z_0 of a frame come from the frame before.

    how: how they are off from there; None: they are not, for the papers augment no clips (5.1, "to preserve the
    temporal consistency").
    A kind of clips that is made of stills says how they move (kind.motion) and what light falls on them (kind.light);
    real frames are left as they are.
    """
    size, n = net.config.input_size, len(batch.points)
    (points, box), moved = _boxed(batch, net), None
    if kind.motion:
        moved = kind.motion(box, batch.frames, generator)
        points = geometry.apply(moved, points)
        box = geometry.face_box(points, net.markup, batch.mask)
    before, box = (_shifted_in_time(values, batch.frames) for values in (points, box))
    if how:
        box = how.box(box, batch.frames, generator)
    matrix = geometry.crop_matrix(box, size)
    x = augment.resample(batch.crops, matrix if moved is None else geometry.compose(matrix, moved), size)
    if kind.light:
        x = kind.light(x, batch.frames, generator)
    if how:
        before = how.guess(before, box, batch.frames, generator)
    z0 = net.draw_z0(geometry.apply(matrix, before))
    first = torch.arange(n, device=x.device) % batch.frames == 0
    z0 = torch.where(first.view(-1, *[1] * (z0.ndim - 1)), net.first_guess(n), z0)
    return Inputs(x, z0, geometry.apply(matrix, points), batch.mask, batch.identity, batch.frames)
