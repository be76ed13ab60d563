"""Exercises on what the network is made of: maps, their losses, and layers."""

import torch
import torch.nn.functional as F

from rednet_lab.exercises import exercise


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


@exercise("20_maps_and_losses", "c337f8fe", your_decode)
def decode_map():
    """Decode a map. Write the function that reads a point off a heat map, better than to the next pixel.

    Find the highest pixel $c$. Take the centre of mass $m$ of the map under a Gaussian window of width sigma round
    $c$; negative values count as 0. A Gaussian under an equal window has its middle half way between $c$ and the true
    centre, so the point is $c + 2(m - c)$.
    """
    centre, sigma, places = 9 + 6 * torch.rand(3, 2), 2.0, torch.arange(24.0)
    across, down = (torch.exp(-((places - centre[:, i, None]) ** 2) / (2 * sigma**2)) for i in (0, 1))
    return down[:, :, None] * across[:, None, :] + 0.05 * torch.randn(3, 24, 24), sigma


decode_map.wrong |= {
    "The axes are swapped: a point is (x, y), the column first.": lambda m, s: your_decode(m, s).flip(-1),
    "Half a pixel too far: pixel centres are whole numbers here, not .5.": lambda m, s: your_decode(m, s) + 0.5,
    "The factor 2 is missing: m stands only half way to the point.": "c + 2 * => c + ",
    "That is the highest pixel alone. Go on from it, to a part of a pixel.": "c + 2 * => c + 0 * ",
    "The window is missing: the noise of the whole map counts.": ("* window => ", "c + 2 * => c + "),
    "The factor is there, the window is not: multiply the map by it.": "* window => ",
    "The window is too narrow: exp(-d² / 2σ²), with the 2.": "(2 * sigma => (sigma",
    "Negative values count as mass: set them to 0 first.": "maps.clamp(min=0) => maps",
    "A centre of mass is divided by the mass.": " / mass.sum((1, 2))[:, None] => ",
}


def your_loss(logits, target, mask, weight):
    """Return l_d of logits and target (N, L, H, W) with mask (N, L); a foreground pixel counts `weight` times."""
    ### BEGIN SOLUTION
    loss = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    loss = loss * (1 + (weight - 1) * target)
    per_point = loss.mean((-1, -2)) * mask
    return per_point.sum() / mask.sum()
    ### END SOLUTION


@exercise("20_maps_and_losses", "d935cc82", your_loss)
def weighted_loss():
    """The weighted cross-entropy. Write the detection loss (Eq. 5) with its foreground weight and its mask.

    Each pixel costs its sigmoid cross-entropy, a pixel of the disc `weight` times as much. The loss of a point is the
    mean over all pixels of its map; the loss of the batch is the mean over the annotated points (mask 1) only.
    """
    mask = torch.tensor([[1.0, 0, 1], [1, 1, 0]])
    return torch.randn(2, 3, 6, 6), (torch.rand(2, 3, 6, 6) < 0.2).float(), mask, 15.0


weighted_loss.wrong |= {
    "The mask is ignored: points without annotation must not count.": lambda x, z, m, w: your_loss(x, z, 0 * m + 1, w),
    "Masked points still count below the line: divide by mask.sum().": "/ mask.sum() => / mask.numel()",
    "The foreground weight is missing.": " * (1 + (weight - 1) * target) => ",
    "A foreground pixel counts once too often: 1 + (weight - 1) target.": "(weight - 1) => weight",
    "The weight is on the background.": "(1 + (weight - 1) * target) => (weight - (weight - 1) * target)",
    "Only the foreground counts: the background must cost something, too.": "1 + (weight - 1) => weight",
    "That is the sum over a map's pixels: take the mean.": "loss.mean => loss.sum",
    "The sigmoid is applied twice: these are logits.": "with_logits(logits => with_logits(logits.sigmoid()",
    "The minus sign is missing, as in the printed Eq. 5.": "return => return -",
    "Divided by the sum of the weights: divide by the number of pixels.": (
        "/ mask.sum() => / ((1 + (weight - 1) * target).mean((-1, -2)) * mask).sum()"
    ),
}


def your_pool(x):
    """Return the maxima (C, 2, 2), their places 0..3 (C, 2, 2), and the map unpooled (C, 4, 4), of x (C, 4, 4)."""
    ### BEGIN SOLUTION
    windows = x.view(-1, 2, 2, 2, 2).transpose(2, 3).flatten(3)  # (C, 2, 2, 4): the pixels of each window in a row
    top, place = windows.max(-1)
    back = torch.zeros_like(windows).scatter(-1, place[..., None], top[..., None])
    return top, place, back.unflatten(3, (2, 2)).transpose(2, 3).reshape(x.shape)
    ### END SOLUTION


@exercise("30_vgg_encoder_decoder", "3096d345", your_pool)
def pool_unpool():
    """Pool with switches and unpool. Write 2 x 2 max pooling that remembers where each maximum stood, and undo it.

    Number the four places of a window 0 and 1 (above), 2 and 3 (below). Unpooling puts each maximum back at its own
    place; all other places are 0. A 4 x 4 map has four windows; every channel has switches of its own.
    """
    return (torch.rand(3, 4, 4),)


pool_unpool.wrong |= {
    "That is a window's mean: take the maximum.": "windows.max(-1) => windows.mean(-1), windows.argmax(-1)",
    "That is a window's minimum: take the maximum.": "windows.max => windows.min",
    "Your windows are rows of four pixels: a window is two rows of two.": "x.view => x.view(-1, 2, 2, 4) #",
    "The places run down first: 0, 1 are above, 2, 3 below.": "place, => place % 2 * 2 + place // 2,",
    "Another channel's switches: each has its own.": (
        "windows.max(-1) => windows.amax(-1), windows.argmax(-1)[:1].expand(3, 2, 2)"
    ),
    "The places count from 1: count from 0.": "place, => place + 1,",
    "Those are places in the whole map: two bits name a pixel of its window.": (
        "place, => 8 * torch.arange(2)[:, None] + 2 * torch.arange(2) + place // 2 * 4 + place % 2,"
    ),
    "The maxima are put back above and left: use the switches.": "(-1, place => (-1, 0 * place",
    "Each maximum is spread over its window: the other three places are 0.": (
        "back = => back = top[..., None].expand_as(windows) #"
    ),
    "The unpooled map is the input itself: only the maxima may come back.": "place, => place, x #",
}


def your_unit(x, reduce, spatial, expand):
    """Return the unit's output (N, C, H, W) for x (N, C, H, W) and the weights of its three convolutions."""
    ### BEGIN SOLUTION
    y = F.conv2d(x, reduce).relu()
    y = F.conv2d(y, spatial, padding=1).relu()
    return (x + F.conv2d(y, expand)).relu()
    ### END SOLUTION


@exercise("32_resnet_design", "b99b26f6", your_unit)
def residual_unit():
    """A residual unit with its skip (journal figure 5, right). Write it without batch norm.

    1 x 1 convolution and ReLU, 3 x 3 convolution (padding 1) and ReLU, 1 x 1 convolution; then the input is *added*,
    and the ReLU comes after the sum.
    """
    return torch.randn(2, 8, 5, 5), torch.randn(4, 8, 1, 1), torch.randn(4, 4, 3, 3) / 3, torch.randn(8, 4, 1, 1)


residual_unit.wrong |= {
    "The skip is missing: add x.": "x + F => F",
    "The ReLU comes before the sum: add first.": "(x + F.conv2d(y, expand)).relu() => x + F.conv2d(y, expand).relu()",
    "The last ReLU is missing: it comes after the sum.": "expand)).relu() => expand))",
    "The ReLU behind the first convolution is missing.": "reduce).relu() => reduce)",
    "The ReLU behind the second convolution is missing.": "padding=1).relu() => padding=1)",
    "x is joined as channels: the skip is a sum.": "x + F.conv2d(y, expand) => torch.cat([x, F.conv2d(y, expand)], 1)",
    "x is subtracted: the skip is a sum.": "x + F => -x + F",
    "The skip goes through a ReLU of its own: x comes as it is.": "x + F => x.relu() + F",
    "The sum is halved: a unit adds, it does not average.": "expand)).relu() => expand)).relu() / 2",
}


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


@exercise("36_two_feedbacks", "260c75ff", your_labels)
def label_map():
    """The label map (ECCV Eq. 9). Turn a response map into the input of the next step.

    Give each pixel the label of its highest channel (channel 0 is the background). For each landmark l = 1..L take
    the mean place of its pixels, rounded (half up), and draw a square of `side` px (odd) with label l round it. A
    label without pixels gets no square; where squares overlap, the higher label is seen.
    """
    response = 0.1 * torch.rand(5, 16, 16)
    response[0] = 0.5
    for label, (x, y) in zip((1, 2, 3), ((2, 3), (9, 4), (5, 11)), strict=True):
        x, y = x + int(torch.randint(2, ())), y + int(torch.randint(2, ()))
        response[label, y : y + 2, x : x + 4] = 0.8 + 0.1 * torch.rand(2, 4)
    return response, 3


label_map.wrong |= {
    "That is the merged map: draw a square at the middle of each cluster.": lambda r, s: r.argmax(0),
    "The axes are swapped: rows are y, columns are x.": lambda r, s: your_labels(r, s).T,
    "The background channel is left out: argmax over all L + 1.": "response.argmax(0) => response[1:].argmax(0) + 1",
    "The middle is cut off, not rounded: add a half first.": " + 0.5) => )",
    "The squares lack a row and a column: a slice ends before its end.": "half + 1 => half",
    "The squares are too large: half a side is side // 2.": ("- half, => - half - 1,", "half + 1 => half + 2"),
    "The labels are one too low: 0 is the background.": "] = label => ] = label - 1",
    "A label without pixels has got a square: leave it out.": (
        "if len(rows): => if True:",
        ".mean() => .mean().nan_to_num()",
    ),
    "That is the highest pixel of each channel: take the mean place of its label.": (
        "merged == label => response[label] == response[label].max()"
    ),
}


def your_identity_loss(e_i, squeeze, weight, bias, who):
    """Return the loss of e_i (N, C, h, w): squeeze (U, C), weight (P, U), bias (P), who (N) with -1 for unknown."""
    ### BEGIN SOLUTION
    vector = torch.einsum("uc,nchw->nu", squeeze, e_i) / e_i[0, 0].numel()
    scores = vector @ weight.T + bias
    return F.cross_entropy(scores, who, ignore_index=-1)
    ### END SOLUTION


@exercise("42_identity_disentangling", "346303be", your_identity_loss)
def identity_loss():
    """The identity head and its loss (Eq. 12, 13). Write what $f_{cls}$ makes of $e_i$ at test time, and the loss.

    1 x 1 convolution to the identity vector, mean over the places, one linear layer to the scores of N persons (no
    dropout at test time). The loss is the mean cross-entropy over the pictures whose person is known; -1 means
    unknown.
    """
    who = torch.tensor([3, -1, 0, 6, -1])
    return torch.randn(5, 6, 4, 4), torch.randn(8, 6), torch.randn(7, 8), torch.randn(7), who


identity_loss.wrong |= {
    "Unknown persons count as person 0: leave them out.": "who, ignore_index=-1 => who.clamp(min=0)",
    "Unknown persons count as the last one: leave them out.": "who, ignore_index=-1 => who % 7",
    "Divided by all pictures: the mean is over the known persons.": lambda *g: 0.6 * your_identity_loss(*g),
    "That is the sum: take the mean over the known persons.": lambda *g: 3 * your_identity_loss(*g),
    "Softmax twice: cross_entropy takes scores.": "(scores, => (scores.softmax(1), ",
    "The minus sign is missing: the loss is -log of the true person's share.": "return => return -",
    "The places are summed: take their mean.": " / e_i[0, 0].numel() => ",
    "The maximum over the places is taken: f_cls takes the mean.": (
        '->nu", squeeze, e_i) / e_i[0, 0].numel() => ->nuhw", squeeze, e_i).amax((2, 3))'
    ),
    "The bias is missing.": " + bias => ",
    "That is Eq. 13 as printed: the text means the N-way cross-entropy.": (
        "return => p = scores.softmax(1)[who >= 0]; t = F.one_hot(who % 7, 7)[who >= 0].float(); return",
        "F.cross_entropy(scores, who, ignore_index=-1) => F.binary_cross_entropy(p, t)",
    ),
}


def your_shape_loss(offsets, points, mean, mask, size):
    """Return the loss of offsets (N, L, 2) for points (N, L, 2) in px, the mean face (L, 2) and mask (N, L)."""
    ### BEGIN SOLUTION
    true = (points - (size - 1) / 2) / size - mean
    distance = (offsets - true).square().sum(-1) / 2
    return (distance * mask).sum() / mask.sum()
    ### END SOLUTION


@exercise("44_f_reg", "4ee58148", your_shape_loss)
def shape_offsets():
    """The offsets of $f_{REG}$ and their loss (ECCV Eq. 8). Write the loss.

    f_REG answers in sides of the face box, which is the whole input: the middle of the input is ((size - 1) / 2,
    (size - 1) / 2), for pixel centres are whole numbers. Its truth is where a point is, from the middle, in sides,
    less the mean face. The loss is half the squared distance, mean over the annotated points.
    """
    mask = torch.tensor([[1.0, 0, 1, 1], [1, 1, 0, 1]])
    return torch.randn(2, 4, 2), 16 * torch.rand(2, 4, 2), 0.5 * torch.randn(4, 2), mask, 16


shape_offsets.wrong |= {
    "The middle is half a pixel off: (size - 1) / 2.": "(size - 1) / 2 => size / 2",
    "The middle is missing: count from the middle of the input.": "(points - (size - 1) / 2) => points",
    "The points are in pixels: divide by the size of the input.": "/ size - mean => - mean",
    "The mean face is missing: take it off.": " - mean => ",
    "The mean face is added: take it off.": "- mean => + mean",
    "The sign is turned: the truth is point less mean face.": "- true => + true",
    "The factor 1/2 is missing.": ".sum(-1) / 2 => .sum(-1)",
    "x and y are averaged and halved: sum them.": ".sum(-1) / 2 => .mean(-1) / 2",
    "The mask is ignored.": "(distance * mask).sum() / mask.sum() => distance.mean()",
    "Masked, but divided by all points: divide by mask.sum().": "/ mask.sum() => / mask.numel()",
    "That is the distance: Eq. 8 has its square.": ".square().sum(-1) / 2 => .norm(dim=-1)",
}
