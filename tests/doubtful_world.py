"""Small networks whose exposures are only as sure as the documents that state them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from kg.plugins import load, names
from queries.belief import Belief
from queries.exposures import Exposures
from queries.measure import RiskMeasure
from queries.scenario import Shocks

MEASURES = names("queries.measures")
every_measure = pytest.mark.parametrize("name", MEASURES)


def measure(name: str) -> RiskMeasure:
    return load("queries.measures", name, RiskMeasure)()  # type: ignore[type-abstract]  # a role is asked for


def believed(x: Exposures, sure: list[float], documents: list[str] | None = None) -> Belief:
    """Each exposure a statement of its own, said by one document."""
    said = documents or [f"doc {row}" for row in range(len(sure))]
    claims = {"statement": x.edges["id"].to_pylist(), "document": said, "confidence": sure}
    return Belief.of(x, pa.table(claims))


def network(seed: int, n: int = 5, exposures: int = 6) -> Exposures:
    """A small random network in which losses travel."""
    r = np.random.default_rng(seed)
    claims = np.zeros((n, n))
    pairs = [(i, j) for i in range(n) for j in range(n) if i != j]
    for row in r.choice(len(pairs), exposures, replace=False):
        claims[pairs[row]] = r.uniform(5, 15)
    held, owed = claims.sum(axis=1), claims.sum(axis=0)
    equity = r.uniform(8, 20, n)
    assets = np.maximum(owed + equity - held, 0) + 5
    return Exposures.of(claims, assets, assets + held - owed - equity)


def book(creditors: int, debtors: int, seed: int = 4) -> tuple[Exposures, Belief]:
    """Creditors who lent to debtors and owe nobody: losses of one round, linear in the exposures."""
    r = np.random.default_rng(seed)
    claims = np.zeros((creditors + debtors, creditors + debtors))
    claims[:creditors, creditors:] = r.uniform(1, 9, (creditors, debtors))
    x = Exposures.of(claims, np.full(creditors + debtors, 1_000.0))
    return x, believed(x, r.uniform(0.5, 0.98, x.edges.num_rows).tolist())


def hit(x: Exposures) -> Shocks:
    """Whoever owes most loses nearly all it has outside, the others a part."""
    share = np.full(len(x), 0.35)
    share[int(x.owed.argmax())] = 0.98
    return Shocks.of(x, share, "external")


def fails(x: Exposures, row: int) -> Shocks:
    return Shocks.parse(x, x.ids[row])
