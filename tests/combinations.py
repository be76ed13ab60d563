"""Few combinations of many choices."""

from itertools import combinations, product

import numpy as np


def pairwise(choices):
    """Few combinations in which every two values of two choices meet: each next one meets the most that are left."""
    # A list, not a set: the order of a set of strings changes from run to run.
    left = [((a, x), (b, y)) for a, b in combinations(choices, 2) for x, y in product(choices[a], choices[b])]
    random = np.random.default_rng(0)
    found = []
    while left:
        candidates = []
        for _ in range(60):
            start = dict(left[random.integers(len(left))])
            candidates.append({n: start.get(n, v[random.integers(len(v))]) for n, v in choices.items()})
        best = max(candidates, key=lambda c: sum(c[a] == x and c[b] == y for (a, x), (b, y) in left))
        left = [pair for pair in left if any(best[name] != value for name, value in pair)]
        found.append(best)
    return found
