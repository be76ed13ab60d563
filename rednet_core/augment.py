"""From stored crops to network inputs: augmentation as one batched resampling on the device.

Random numbers are drawn on the CPU from a generator that the caller seeds, so a run makes the same pictures on
every device. Nothing here loops over images.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from rednet_core import geometry
from rednet_core.markup import Markup


@dataclass(frozen=True)
class Augmentation:
    """How much stills are varied: the papers' four (journal 5.1 by way of ECCV 5.1), and two of light.

    scale and turn (degrees) are uniform within +-, shift within +- that share of the face box (7 px of 256),
    flip is a probability. contrast and brightness are not in the papers: 0 switches them off.
    """

    scale: float = 0.1
    turn: float = 15.0
    shift: float = 7 / 256
    flip: float = 0.5
    contrast: float = 0.0
    brightness: float = 0.0


PAPERS = Augmentation()
NONE = Augmentation(0.0, 0.0, 0.0, 0.0)


def resample(pictures: Tensor, matrix: Tensor, size: int) -> Tensor:
    """Return crops (N, 3, size, size) in [0, 1] of pictures (N, H, W, 3) uint8 through matrices (N, 2, 3).

    What lies outside a picture repeats its border. A picture that is shrunk by two or more is averaged first:
    bilinear sampling alone would skip pixels. How a picture is read does not depend on the others.
    """
    back = geometry.invert(matrix)  # crop pixel -> picture pixel
    shrink = back[:, :, 0].norm(dim=-1).nan_to_num(1.0)
    factors = (shrink + 1e-3).floor().clamp(1, min(pictures.shape[1:3]))
    crops = back.new_empty(len(back), 3, size, size)
    for factor in factors.unique().tolist():  # one as a rule
        alike = factors == factor
        crops[alike] = _sample(pictures, alike, back[alike], size, int(factor))
    return crops


def _sample(pictures: Tensor, alike: Tensor, back: Tensor, size: int, factor: int) -> Tensor:
    """Bilinear samples of those pictures that are `alike`, averaged over factor x factor pixels, where `back` says.

    Only the rows and columns that the crops reach are read: of a large frame most are not.
    """
    ends = geometry.apply(back, back.new_tensor([[0, 0], [0, size], [size, 0], [size, size]])).flatten(0, 1)
    ends = ends.nan_to_num().clamp(-1e6, 1e6) // factor  # in blocks of factor pixels, as all here
    last = (ends.new_tensor([pictures.shape[2], pictures.shape[1]]) - 1) // factor
    low = (ends.amin(0) - 1).clamp(min=0).minimum(last)
    (left, top), (right, bottom) = (factor * torch.stack([low, (ends.amax(0) + 3).maximum(low + 1)])).int().tolist()
    back = torch.cat([back[..., :2], back[..., 2:] - factor * low[:, None]], -1)
    values = pictures[:, top:bottom, left:right][alike].permute(0, 3, 1, 2).to(back.dtype) / 255
    if factor > 1:
        values = F.avg_pool2d(values, factor, ceil_mode=True, count_include_pad=False)
    centres = torch.arange(size, device=values.device, dtype=back.dtype)
    places = torch.stack(torch.meshgrid(centres, centres, indexing="xy"), -1).view(-1, 2)
    source = geometry.apply(back, places).view(len(values), size, size, 2)
    reach = torch.tensor([values.shape[3], values.shape[2]], device=values.device, dtype=back.dtype) * factor
    grid = (2 * source + 1) / reach - 1  # grid_sample's units: -1 and 1 are the outer edges of the border pixels
    return F.grid_sample(values, grid, padding_mode="border", align_corners=False)


def rand(*shape: int, generator: torch.Generator, dim: int = 0) -> Tensor:
    """Return uniform random numbers in [0, 1) for what lies along `dim`.

    A generator with a `share` (r, R) is that of process r of R: it draws for the pictures of all, and gives its own.
    """
    own, processes = getattr(generator, "share", (0, 1))
    whole = [n * processes if i == dim else n for i, n in enumerate(shape)]
    return torch.rand(whole, generator=generator).chunk(processes, dim)[own]


def _uniform(n: int, reach: float, generator: torch.Generator) -> Tensor:
    return (2 * rand(n, generator=generator) - 1) * reach


def vary_box(box: Tensor, how: Augmentation, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return a random box (N, 3) round the true one, and a random turn (N,) in radians."""
    n = len(box)
    shift = torch.stack([_uniform(n, how.shift, generator), _uniform(n, how.shift, generator)], -1)
    scale = 1 + _uniform(n, how.scale, generator)
    angle = torch.deg2rad(_uniform(n, how.turn, generator))
    centre = box[:, :2] + shift.to(box.device) * box[:, 2:]
    # A face drawn larger is a smaller box.
    return torch.cat([centre, box[:, 2:] / scale.to(box.device)[:, None]], -1), angle.to(box.device)


def vary_light(pictures: Tensor, how: Augmentation, generator: torch.Generator) -> Tensor:
    """Return pictures (N, 3, H, W) in [0, 1] with random contrast and brightness."""
    n, device = len(pictures), pictures.device
    gain = torch.exp(_uniform(n, how.contrast, generator)).to(device)[:, None, None, None]
    lift = _uniform(n, how.brightness, generator).to(device)[:, None, None, None]
    middle = pictures.mean((1, 2, 3), keepdim=True)
    return ((pictures - middle) * gain + middle + lift).clamp(0, 1)


def flip_some(
    pictures: Tensor, points: Tensor, mask: Tensor, markup: Markup, how: Augmentation, generator: torch.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """Return pictures (N, 3, n, n), points (N, L, 2) and mask (N, L), some mirrored with their points renamed."""
    flip = (rand(len(pictures), generator=generator) < how.flip).to(pictures.device)
    mirrored = geometry.mirror(points, pictures.shape[-1], markup)
    pictures = torch.where(flip[:, None, None, None], pictures.flip(-1), pictures)
    points = torch.where(flip[:, None, None], mirrored, points)
    return pictures, points, torch.where(flip[:, None], mask[:, list(markup.flip)], mask)
