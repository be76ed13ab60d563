"""The label map (ECCV Eq. 9). Turn a response map into the input of the next step.

Give each pixel the label of its highest channel (channel 0 is the background). For each landmark l = 1..L take the mean
place of its pixels, rounded (half up), and draw a square of `side` px (odd) with label l round it. A label without
pixels gets no square; where squares overlap, the higher label is seen.
"""

import torch

PLACE = "36_two_feedbacks", "260c75ff"


def inputs():
    """Draw a response map of 16 x 16 with a block of pixels for each of four landmarks; one of them wins none."""
    response = 0.1 * torch.rand(5, 16, 16)
    response[0] = 0.5
    for label, (x, y) in zip((1, 2, 3), ((2, 3), (9, 4), (5, 11)), strict=True):
        x, y = x + int(torch.randint(2, ())), y + int(torch.randint(2, ()))
        response[label, y : y + 2, x : x + 4] = 0.8 + 0.1 * torch.rand(2, 4)
    return response, 3


def your_labels(response, side):
    """Return the label map (H, W), whole numbers, of a response map (L + 1, H, W)."""
    ### BEGIN SOLUTION
    merged, half = response.argmax(0), side // 2
    labels = torch.zeros_like(merged)
    for label in range(1, len(response)):
        rows, columns = torch.nonzero(merged == label, as_tuple=True)
        if len(rows):
            y, x = (int(places.double().mean() + 0.5) for places in (rows, columns))
            labels[max(y - half, 0) : y + half + 1, max(x - half, 0) : x + half + 1] = label
    return labels
    ### END SOLUTION


def flawed(merge=lambda r: r.argmax(0), middle=0.5, low=0, high=1, less=0, lost=False, peak=False):
    """Return a function that draws the label map with one thing done wrong."""

    def draw(response, side):
        merged, half = merge(response), side // 2
        labels = torch.zeros_like(merged)
        for label in range(1, len(response)):
            places = torch.nonzero(response[label] == response[label].max() if peak else merged == label).double()
            if len(places) or lost:
                y, x = (int(v + middle) for v in (places.mean(0) if len(places) else (0, 0)))
                labels[max(y - half - low, 0) : y + half + high, max(x - half - low, 0) : x + half + high] = (
                    label - less
                )
        return labels

    return draw


WRONG = {
    "That is the merged map: draw a square at the middle of each cluster.": lambda r, s: r.argmax(0),
    "The axes are swapped: rows are y, columns are x.": lambda r, s: your_labels(r, s).T,
    "The background channel is left out: argmax over all L + 1.": flawed(lambda r: r[1:].argmax(0) + 1),
    "The middle is cut off, not rounded: add a half first.": flawed(middle=0),
    "The squares lack a row and a column: a slice ends before its end.": flawed(high=0),
    "The squares are too large: half a side is side // 2.": flawed(low=1, high=2),
    "The labels are one too low: 0 is the background.": flawed(less=1),
    "A label without pixels has got a square: leave it out.": flawed(lost=True),
    "That is the highest pixel of each channel: take the mean place of its label.": flawed(peak=True),
}
