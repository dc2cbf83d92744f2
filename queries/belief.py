"""Belief: how likely each statement behind the exposures is true, and what follows for sums of exposures.

A statement is true with the probability that at least one of its independent witnesses is right,

    p_s = 1 - prod_d (1 - c_sd)

with c_sd the confidence of document d in statement s: the noisy-or of Pearl, "Probabilistic Reasoning in
Intelligent Systems", 1988, section 4.3.2. A document is one witness: of its claims the best counts. Statements are
independent of each other.

What is linear in the exposures, Y = sum_s a_s X_s with X_s ~ Bernoulli(p_s), has mean sum a_s p_s and variance
sum a_s^2 p_s (1 - p_s); its distribution comes statement by statement from the recursion of Andersen, Sidenius,
Basu, "All your hedges in one basket", Risk, November 2003, on a grid.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kg.errors import MeasureError
from queries.exposures import Exposures

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

TAIL = 0.05
"""Share of the worlds below `low`, and above `high`."""
CELLS = 4_096
"""Cells of the grid on which the distribution of a sum is kept."""
FIXED = -1
"""Row of an exposure that stands in every world: a predicted one, which counts at its expected amount already."""


@dataclass(frozen=True)
class Interval:
    """Numbers with the range that 90 % of the worlds fall into."""

    mean: Floats
    sd: Floats
    low: Floats
    """5 % of the worlds lie below."""
    high: Floats
    """5 % of the worlds lie above."""


@dataclass(frozen=True)
class Belief:
    """How likely each statement is true, by which documents, and which exposure hangs on which statement."""

    statements: tuple[str, ...]
    witnesses: tuple[Mapping[str, float], ...]
    """By statement: confidence of each document that says it."""
    rows: Ints
    """(exposures,) row of the statement behind each row of `exposures.edges`, or FIXED."""

    @classmethod
    def of(cls, exposures: Exposures, claims: pa.Table) -> Belief:
        """From claims (statement, document, confidence); MeasureError if an exposure has none or one is out of 0..1.

        An exposure without a statement is known by its own id; predicted exposures need no claim.
        """
        found: dict[str, dict[str, float]] = {}
        columns = (claims[name].to_pylist() for name in ("statement", "document", "confidence"))
        for statement, document, confidence in zip(*columns, strict=True):
            said = found.setdefault(statement, {})
            said[document] = max(said.get(document, 0.0), _share(confidence, statement))
        edges = exposures.edges.select(["statement", "id", "predicted"]).to_pylist()
        names = ["" if edge["predicted"] else edge["statement"] or edge["id"] for edge in edges]
        statements = tuple(sorted({name for name in names if name}))
        if missing := [name for name in statements if name not in found]:
            raise MeasureError(
                f"no claim says {len(missing)} of the exposures, such as {missing[0]}; "
                "take the claims and the exposures at the same instants"
            )
        place = {name: row for row, name in enumerate(statements)} | {"": FIXED}
        rows = np.array([place[name] for name in names], np.int64)
        return cls(statements, tuple(found[name] for name in statements), rows)

    @cached_property
    def likely(self) -> Floats:
        """(statements,) probability that each is true."""
        return np.array([1 - np.prod([1 - c for c in said.values()]) for said in self.witnesses], float)

    @property
    def documents(self) -> tuple[str, ...]:
        """Every document that says one of the statements."""
        return tuple(sorted({document for said in self.witnesses for document in said}))

    def lowered(self, statement: str, document: str, confidence: float) -> Belief:
        """The same with another confidence of one document in one statement."""
        if statement not in self.statements or document not in self.witnesses[self.statements.index(statement)]:
            raise MeasureError(f"{document} does not say {statement}; take both from the claims of an exposure")
        row, known = self.statements.index(statement), list(self.witnesses)
        known[row] = {**known[row], document: _share(confidence, statement)}
        return replace(self, witnesses=tuple(known))

    def exposed(self, truth: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """(worlds, exposures) which exposures stand in worlds where these statements (worlds, statements) are true."""
        padded = np.hstack([truth, np.ones((len(truth), 1), bool)])  # FIXED is the last column
        return np.asarray(padded[:, self.rows])


def _share(confidence: float, statement: str) -> float:
    if not 0 <= confidence <= 1:
        raise MeasureError(f"confidence {confidence} in {statement} is no share from 0 to 1; correct its claim")
    return float(confidence)


def direct_loss(exposures: Exposures, belief: Belief, lost: Floats) -> Interval:
    """What each creditor loses at once when each debtor j loses `lost[j]` of every unit it owes; nothing is capped."""
    edges = exposures.edges
    amount = edges["amount"].to_numpy() * np.asarray(lost, float)[edges["target"].to_numpy()]
    return linear(belief, amount, edges["source"].to_numpy(), len(exposures))


def by_counterparty(exposures: Exposures, belief: Belief, creditor: str) -> pa.Table:
    """What a creditor is owed by each debtor, most first: debtor, amount (as stated), mean, sd, low, high."""
    if creditor not in exposures.index:
        raise MeasureError(f"{creditor} has no exposures here; take an id of `exposures.ids`")
    edges = exposures.edges
    own = edges["source"].to_numpy() == exposures.index[creditor]
    amount, target = np.where(own, edges["amount"].to_numpy(), 0.0), edges["target"].to_numpy()
    found = linear(belief, amount, target, len(exposures))
    made = pa.table(
        {
            "debtor": list(exposures.ids),
            "amount": np.bincount(target, amount, len(exposures)),
            **{name: getattr(found, name) for name in ("mean", "sd", "low", "high")},
        }
    )
    owing = made.filter(pa.array(np.bincount(target[own], minlength=len(exposures)) > 0))
    return owing.sort_by([("amount", "descending"), ("debtor", "ascending")])


def linear(belief: Belief, amount: Floats, group: Ints, groups: int) -> Interval:
    """Sums over the exposures of each group, where each exposure counts `amount` if its statement is true."""
    likely = np.append(belief.likely, 1.0)  # FIXED is the last
    pairs, place = np.unique(np.stack([group, belief.rows]), axis=1, return_inverse=True)
    a = np.bincount(place.reshape(-1), amount, pairs.shape[1])  # exposures of one statement fall together
    p, of = likely[pairs[1]], pairs[0]
    mean, variance = (np.asarray(np.bincount(of, x, groups), float) for x in (a * p, a * a * p * (1 - p)))
    low, high = mean.copy(), mean.copy()
    unsure = (a != 0) & (p > 0) & (p < 1)
    for row in np.unique(of[unsure]):
        own = (of == row) & unsure
        sure = float((a * p)[(of == row) & ~unsure].sum())
        low[row], high[row] = (sure + x for x in _quantiles(a[own], p[own]))
    return Interval(mean, np.sqrt(variance), low, high)


def _quantiles(a: Floats, p: Floats) -> tuple[float, float]:
    """TAIL and 1 - TAIL quantile of sum a_s X_s; an amount between two cells is split so that the mean stays."""
    cell = a.sum() / (CELLS - 1)
    density = np.zeros(CELLS + 1)
    density[0] = 1.0
    for amount, likely in zip(a / cell, p, strict=True):
        whole = int(amount)
        part = amount - whole
        moved = np.zeros_like(density)
        moved[whole:] += (1 - part) * density[: len(density) - whole]
        moved[whole + 1 :] += part * density[: max(len(density) - whole - 1, 0)]
        density = (1 - likely) * density + likely * moved
    reached = np.cumsum(density)
    low, high = (int(np.searchsorted(reached, q - 1e-9)) * cell for q in (TAIL, 1 - TAIL))
    return low, high
