"""Pool with switches and unpool. Write 2 x 2 max pooling that remembers where each maximum stood, and undo it.

Number the four places of a window 0 and 1 (above), 2 and 3 (below). Unpooling puts each maximum back at its own place;
all other places are 0. A 4 x 4 map has four windows; every channel has switches of its own.
"""

import torch

PLACE = "30_vgg_encoder_decoder", "3096d345"


def inputs():
    """Draw three channels of 4 x 4."""
    return (torch.rand(3, 4, 4),)


def your_pool(x):
    """Return the maxima (C, 2, 2), their places 0..3 (C, 2, 2), and the map unpooled (C, 4, 4), of x (C, 4, 4)."""
    ### BEGIN SOLUTION
    windows = x.view(-1, 2, 2, 2, 2).transpose(2, 3).flatten(3)  # (C, 2, 2, 4): the pixels of each window in a row
    top, place = windows.max(-1)
    back = torch.zeros_like(windows).scatter(-1, place[..., None], top[..., None])
    return top, place, back.unflatten(3, (2, 2)).transpose(2, 3).reshape(x.shape)
    ### END SOLUTION


def put(top, place):
    """Return maxima (C, 2, 2) put at places (C, 2, 2), as a map (C, 4, 4)."""
    back = torch.zeros(*top.shape, 4).scatter(-1, place[..., None], top[..., None])
    return back.unflatten(3, (2, 2)).transpose(2, 3).reshape(-1, 4, 4)


def flawed(top=lambda x: your_pool(x)[0], place=lambda x: your_pool(x)[1], back=None, said=lambda place: place):
    """Return pooling and unpooling with one thing done wrong."""

    def pool(x):
        values, places = top(x), place(x)
        return values, said(places), put(values, places) if back is None else back(x, values)

    return pool


FIRST_ROWS = 8 * torch.arange(2)[:, None] + 2 * torch.arange(2)  # where a window begins in the whole map
WRONG = {
    "That is a window's mean: take the maximum.": flawed(top=lambda x: x.view(-1, 2, 2, 2, 2).mean((2, 4))),
    "That is a window's minimum: take the maximum.": flawed(lambda x: -your_pool(-x)[0], lambda x: your_pool(-x)[1]),
    "Your windows are rows of four pixels: a window is two rows of two.": flawed(
        lambda x: x.view(-1, 2, 2, 4).amax(-1), lambda x: x.view(-1, 2, 2, 4).argmax(-1)
    ),
    "The places run down first: 0, 1 are above, 2, 3 below.": flawed(said=lambda place: place % 2 * 2 + place // 2),
    "Another channel's switches: each has its own.": flawed(place=lambda x: your_pool(x)[1][:1].expand(3, 2, 2)),
    "The places count from 1: count from 0.": flawed(said=lambda place: place + 1),
    "Those are places in the whole map: two bits name a pixel of its window.": flawed(
        said=lambda place: FIRST_ROWS + place // 2 * 4 + place % 2
    ),
    "The maxima are put back above and left: use the switches.": flawed(
        back=lambda x, top: put(top, torch.zeros_like(top).long())
    ),
    "Each maximum is spread over its window: the other three places are 0.": flawed(
        back=lambda x, top: top.repeat_interleave(2, 1).repeat_interleave(2, 2)
    ),
    "The unpooled map is the input itself: only the maxima may come back.": flawed(back=lambda x, top: x),
}
