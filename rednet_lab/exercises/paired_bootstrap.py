"""The paired bootstrap. Write the interval of a difference of two networks on the same faces.

The difference b - a is taken face by face. Faces of one person are alike, so whole persons are drawn: each row of
`draws` names the persons of one drawing, with their faces all together. Of the mean differences of all drawings, the
2.5 and 97.5 % quantiles bound the interval.
"""

import torch

PLACE = "70_protocol", "e158b0d8"


def inputs():
    """Draw errors of 14 faces of four persons by two networks, and 60 drawings of persons."""
    person = torch.tensor([0, 0, 0, 0, 0, 1, 1, 2, 2, 2, 3, 3, 3, 3])
    a = 5 + torch.rand(14) + person
    return a, a - 0.5 + torch.randn(14), person, torch.randint(4, (60, 4))


def your_interval(a, b, person, draws):
    """Return (mean difference, lower, upper end) of errors a, b (n), person (n) and draws (R, persons)."""
    ### BEGIN SOLUTION
    difference, persons = b - a, int(person.max()) + 1
    sums = torch.zeros(persons).index_add(0, person, difference)
    counts = torch.bincount(person, minlength=persons)
    means = sums[draws].sum(1) / counts[draws].sum(1)
    low, high = torch.quantile(means, torch.tensor([0.025, 0.975]))
    return difference.mean(), low, high
    ### END SOLUTION


def drawn(values, person, draws):
    """Return the mean (R) of each drawing."""
    return torch.stack([torch.cat([values[person == p] for p in row]).mean() for row in draws])


def ends(difference, means, low=0.025, high=0.975):
    """Return the mean difference and two quantiles."""
    return difference.mean(), torch.quantile(means, low), torch.quantile(means, high)


def by_spread(a, b, person, draws):
    """Return mean and mean plus and minus 1.96 standard deviations."""
    means = drawn(b - a, person, draws)
    return (b - a).mean(), means.mean() - 1.96 * means.std(), means.mean() + 1.96 * means.std()


WRONG = {
    "The sign is turned: b - a is below 0 where b is better.": lambda a, b, p, d: your_interval(b, a, p, d),
    "Not paired: those are two intervals, one less the other. Take the differences first.": lambda a, b, p, d: tuple(
        y - x for x, y in zip(ends(a, drawn(a, p, d)), ends(b, drawn(b, p, d)), strict=True)
    ),
    "Faces are drawn, not persons.": lambda a, b, p, d: ends(b - a, (b - a)[d].mean(1)),
    "Each person counts the same: let each face count the same.": lambda a, b, p, d: ends(
        b - a, torch.stack([(b - a)[p == q].mean() for q in range(4)])[d].mean(1)
    ),
    "Those are the 5 and 95 % quantiles: a 95 % interval leaves 2.5 % on each side.": lambda a, b, p, d: ends(
        b - a, drawn(b - a, p, d), 0.05, 0.95
    ),
    "Mean and spread in place of the quantiles.": by_spread,
    "Those are the errors of b alone: take the difference first.": lambda a, b, p, d: ends(b, drawn(b, p, d)),
    "In per cent of a: the difference is in the errors' own unit.": lambda a, b, p, d: ends(
        (b - a) / a, drawn((b - a) / a, p, d)
    ),
}
