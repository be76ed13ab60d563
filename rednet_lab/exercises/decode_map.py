"""Decode a map. Write the function that reads a point off a heat map, better than to the next pixel.

Find the highest pixel $c$. Take the centre of mass $m$ of the map under a Gaussian window of width sigma round $c$;
negative values count as 0. A Gaussian under an equal window has its middle half way between $c$ and the true centre,
so the point is $c + 2(m - c)$.
"""

import torch

PLACE = "20_maps_and_losses", "c337f8fe"


def inputs():
    """Draw three maps of 24 x 24 with a Gaussian and noise."""
    centre, sigma, places = 9 + 6 * torch.rand(3, 2), 2.0, torch.arange(24.0)
    across, down = (torch.exp(-((places - centre[:, i, None]) ** 2) / (2 * sigma**2)) for i in (0, 1))
    return down[:, :, None] * across[:, None, :] + 0.05 * torch.randn(3, 24, 24), sigma


def your_decode(maps, sigma):
    """Return the points (L, 2), as (x, y), of heat maps (L, m, m) whose peaks are sigma px wide."""
    ### BEGIN SOLUTION
    size = maps.shape[-1]
    top = maps.flatten(1).argmax(1)
    c = torch.stack([top % size, top // size], -1).to(maps.dtype)
    dx, dy = (torch.arange(size) - c[:, i, None] for i in (0, 1))  # (L, m) each
    window = torch.exp(-(dx[:, None, :] ** 2 + dy[:, :, None] ** 2) / (2 * sigma**2))
    mass = maps.clamp(min=0) * window
    shift = torch.stack([(mass * dx[:, None, :]).sum((1, 2)), (mass * dy[:, :, None]).sum((1, 2))], -1)
    return c + 2 * shift / mass.sum((1, 2))[:, None]
    ### END SOLUTION


def flawed(maps, sigma, factor=2.0, window=True, negative=False, divided=True):
    """Decode with one thing left out."""
    places = torch.arange(24.0)
    top = maps.flatten(1).argmax(1)
    c = torch.stack([top % 24, top // 24], -1).to(maps.dtype)
    dx, dy = (places - c[:, i, None] for i in (0, 1))
    mass = maps if negative else maps.clamp(min=0)
    if window:
        mass = mass * torch.exp(-(dx[:, None, :] ** 2 + dy[:, :, None] ** 2) / (2 * sigma**2))
    shift = torch.stack([(mass * dx[:, None, :]).sum((1, 2)), (mass * dy[:, :, None]).sum((1, 2))], -1)
    return c + factor * (shift / mass.sum((1, 2))[:, None] if divided else shift)


WRONG = {
    "The axes are swapped: a point is (x, y), the column first.": lambda m, s: your_decode(m, s).flip(-1),
    "Half a pixel too far: pixel centres are whole numbers here, not .5.": lambda m, s: your_decode(m, s) + 0.5,
    "The factor 2 is missing: m stands only half way to the point.": lambda m, s: flawed(m, s, factor=1),
    "That is the highest pixel alone. Go on from it, to a part of a pixel.": lambda m, s: flawed(m, s, factor=0),
    "The window is missing: the noise of the whole map counts.": lambda m, s: flawed(m, s, 1, window=False),
    "The factor is there, the window is not: multiply the map by it.": lambda m, s: flawed(m, s, window=False),
    "The window is too narrow: exp(-d² / 2σ²), with the 2.": lambda m, s: flawed(m, s / 2**0.5),
    "Negative values count as mass: set them to 0 first.": lambda m, s: flawed(m, s, negative=True),
    "A centre of mass is divided by the mass.": lambda m, s: flawed(m, s, divided=False),
}
