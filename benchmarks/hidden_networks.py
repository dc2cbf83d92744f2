"""Networks of several kinds whose cells are hidden: what a bank claims and owes in all is told, and few cells."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from queries.reconstruct.margins import Margins
from queries.reconstruct.ranged import Books

Floats = NDArray[np.float64]
FAMILIES = ("even", "gravity", "core", "blocks", "pareto", "chain")
DISCLOSED = 0.05


@dataclass(frozen=True)
class Hidden:
    """A network, and what is told of it."""

    books: Books
    truth: Floats
    hit: str
    """Who fails."""


def hidden(family: str, seed: int, disclosed: float = DISCLOSED) -> Hidden:
    """A network of 8 to 14 banks; the same seed hides the same network, and the more is disclosed the same first."""
    r = np.random.default_rng([FAMILIES.index(family), seed])
    claims = _claims(family, r)
    n, total = len(claims), claims.sum()
    order = r.random((n, n))
    known = {
        (f"bank:{i}", f"bank:{j}"): float(claims[i, j])
        for i, j in np.argwhere((order < disclosed) & ~np.eye(n, dtype=bool)).tolist()
    }
    margins = Margins.of(claims.sum(axis=1), claims.sum(axis=0), known)
    net = margins.assets - margins.liabilities
    equity = r.uniform(0.3, 1.5, n) * (margins.assets + 0.3 * total / n)
    outside = np.maximum(equity - net, 0.0) + 0.1 * total / n
    return Hidden(Books(margins, outside, outside + net - equity), claims, f"bank:{r.integers(n)}")


def _claims(family: str, r: np.random.Generator) -> Floats:
    """(n, n) amounts of one family: links drawn evenly, by size, round a core, in two groups, Pareto's, a ring."""
    n = int(r.integers(8, 15))
    shape, others = (n, n), 1.0 - np.eye(n)
    if family == "even":
        made = r.exponential(10, shape) * (r.random(shape) < r.uniform(0.2, 0.9))
    elif family == "gravity":
        size = np.exp(r.normal(0, 1.2, n))
        both = np.outer(size, size**0.7 * np.exp(r.normal(0, 0.5, n)))
        dense = np.exp(r.normal(0, 1.5))
        made = both * np.exp(r.normal(0, 1, shape)) * (r.random(shape) < dense * both / (1 + dense * both))
    elif family == "core":
        core = np.arange(n) < r.integers(2, 4)
        within, beside = np.outer(core, core), core[:, None] | core[None, :]
        chance = np.where(within, 0.95, np.where(beside, 0.4, 0.03))
        made = np.exp(r.normal(0, 1.2, shape)) * np.where(within, 5, 1) * (r.random(shape) < chance)
    elif family == "blocks":
        group = r.integers(0, 2, n)
        chance = np.where(group[:, None] == group[None, :], 0.8, 0.1)
        made = r.exponential(10, shape) * (r.random(shape) < chance)
    elif family == "pareto":
        made = r.pareto(1.2, shape) * (r.random(shape) < r.uniform(0.2, 0.6))
    else:
        ring, order = np.zeros(shape), r.permutation(n)
        ring[order, np.roll(order, 1)] = 1
        made = np.exp(r.normal(0, 0.5, shape)) * (ring + (r.random(shape) < 0.08) > 0)
    return np.asarray(made * others, float)
