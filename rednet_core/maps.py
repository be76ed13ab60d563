"""Response maps: targets drawn from points, points read off maps. Everything in batches on the maps' device.

Points are (x, y) in map pixels, pixel centres at whole numbers. Radius and sigma are the papers' 5 px on a
128 px map; `per_map` scales them to other sizes (METHOD 1).
"""

import torch
from torch import Tensor

PAPER_MAP = 128
PAPER_RADIUS = PAPER_SIGMA = 5.0


def per_map(pixels: float, map_size: int) -> float:
    """Return a length given in pixels of the papers' 128 px map, in pixels of a map of map_size."""
    return pixels * map_size / PAPER_MAP


def distances(points: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Return the signed distances of the columns and of the rows from points (N, L, 2): two tensors (N, L, size)."""
    places = torch.arange(size, device=points.device, dtype=points.dtype)
    return places - points[..., 0, None], places - points[..., 1, None]


def draw_discs(points: Tensor, size: int, radius: float) -> Tensor:
    """Return the detection target (N, L, size, size): 1 within `radius` of the point, else 0 (journal 4.2).

    A point that is not known (NaN) has an empty map.
    """
    dx, dy = distances(points, size)
    return (dx.square()[..., None, :] + dy.square()[..., :, None] <= radius**2).to(points.dtype)


def draw_gaussians(points: Tensor, size: int, sigma: float, height: float = 1.0) -> Tensor:
    """Return the regression target (N, L, size, size): height exp(-d^2 / 2 sigma^2) (journal 4.2).

    A point that is not known (NaN) has an empty map.
    """
    dx, dy = distances(points, size)
    across, down = (torch.exp(d.square() / (-2 * sigma**2)).nan_to_num(0) for d in (dx, dy))
    return down[..., :, None] * (height * across)[..., None, :]


def peaks(maps: Tensor) -> tuple[Tensor, Tensor]:
    """Return place (N, L, 2) and value (N, L) of the highest pixel of each map (N, L, H, W)."""
    value, index = maps.flatten(2).max(-1)
    width = maps.shape[-1]
    return torch.stack([index % width, index // width], -1).to(maps.dtype), value


def _centre_of_mass(maps: Tensor, centre: Tensor, window: float) -> Tensor:
    """Centre of mass (N, L, 2) of maps (N, L, m, m) under a Gaussian window of that width round centre (N, L, 2)."""
    dx, dy = distances(centre, maps.shape[-1])
    across, down = (torch.exp(d.square() / (-2 * window**2)) for d in (dx, dy))
    columns = torch.einsum("nlhw,nlh->nlw", maps, down) * across
    rows = torch.einsum("nlhw,nlw->nlh", maps, across) * down
    mass = columns.sum(-1).clamp(min=1e-12)
    return centre + torch.stack([(columns * dx).sum(-1), (rows * dy).sum(-1)], -1) / mass[..., None]


def decode(maps: Tensor, sigma: float, rounds: int = 6) -> Tensor:
    """Return points (N, L, 2), sub-pixel, of maps (N, L, m, m) that hold Gaussian-like peaks of width sigma.

    Round the highest pixel c, take the centre of mass s under a Gaussian window of the same width. The product of the
    two Gaussians stands half way between c and the true centre mu, so mu = c + 2 (s - c). Near the map's border, which
    cuts a part off, mu is what makes the product's centre of mass on the map's pixels be s, found by Newton's method:
    that centre changes with mu as the product's variance over sigma^2. The papers do not say how they read maps.
    """
    top, height = peaks(maps)
    seen, last = _centre_of_mass(maps.clamp(min=0), top, sigma), maps.shape[-1] - 1
    plain = found = top + 2 * (seen - top)
    places = torch.arange(last + 1, device=maps.device, dtype=maps.dtype)
    for _ in range(rounds):
        apart = (places - top[..., None]).square() + (places - found[..., None]).square()
        product = (apart / (-2 * sigma**2)).softmax(-1)  # (N, L, 2, m), of one axis each
        centre = (product * places).sum(-1)
        spread = (product * (places - centre[..., None]).square()).sum(-1)
        step = (seen - centre) * sigma**2 / spread.clamp(min=0.01 * sigma**2)
        found = (found + step).clamp(-sigma, last + sigma)
    near = (top < 4 * sigma) | (top > last - 4 * sigma)
    return torch.where(near & (height > 0)[..., None], found, plain)


def decode_discs(maps: Tensor, radius: float, rounds: int = 8) -> Tensor:
    """Return points (N, L, 2), sub-pixel, of probability maps (N, L, m, m) that hold discs of that radius.

    A disc has no highest pixel. From one of them, mu moves by the difference between the centre of mass that a Gaussian
    window round mu sees and the one that it would see of a disc round mu, until there is none: mean shift that knows
    what the border cuts off. Other things in the map are outside the window.
    """
    top, height = peaks(maps)
    found, last = top, maps.shape[-1] - 1
    for _ in range(rounds):
        dx, dy = distances(found, last + 1)
        disc = (radius + 0.5 - (dx.square()[..., None, :] + dy.square()[..., :, None]).sqrt()).clamp(0, 1)
        step = _centre_of_mass(maps, found, radius) - _centre_of_mass(disc, found, radius)
        found = (found + 1.5 * step).clamp(-radius, last + radius)  # a step closes half of it at a border
    return torch.where(height[..., None] > 0, found, top)
