"""Supply chains as shares: what part of an input comes from whom, what part of the orders goes to whom."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from kg.errors import MeasureError
from queries.exposures import Exposures
from queries.parameter import suggestion
from queries.solve import solve

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]
Matrix = sparse.csr_array

SETTLED = 1e-13
SWEEPS = 5_000
PATIENCE = 200
"""Sweeps between two tries to finish by a linear solve."""


@dataclass(frozen=True)
class Chain:
    """A supply network ready for sweeps. Firms are rows of the exposures it was made of."""

    exposures: Exposures
    sold: Floats
    """(n,) all that each sells in a year."""
    orders: Matrix[np.float64]
    """(n, n) share of i's sales that goes to j."""
    essential: Matrix[np.float64]
    """(needs, n) share of a need that comes from j; a need is an essential product of one buyer."""
    buyer: Rows
    """(needs,) whose need it is, rising."""
    product: tuple[str, ...]
    """(needs,) which product."""
    linear: Matrix[np.float64]
    """(n, n) share of all that i buys that is a non-essential input from j."""
    peers: Matrix[np.float64]
    """(sectors, n) 1 where a firm is of the sector."""
    sector: Rows
    """(n,) row of `peers`."""

    @classmethod
    def of(
        cls,
        exposures: Exposures,
        sectors: Mapping[str, str],
        needs: Callable[[str, str], bool],
        revenue: Mapping[str, float],
    ) -> Chain:
        """From sales (`claims[i, j]`: i sells to j), sectors by id, who needs what, and revenue by id."""
        if lost := [id for id in revenue if id not in exposures.index]:
            raise MeasureError(f"{lost[0]} has a revenue but no supplies{suggestion(lost[0], list(exposures.ids))}")
        product = np.array([sectors.get(id) or f"only {id}" for id in exposures.ids], object)
        kinds, sector = np.unique(product.astype(str), return_inverse=True)
        sold = _sold(exposures, revenue)
        orders = sparse.csr_array(sparse.diags_array(_inverse(sold)) @ exposures.claims)
        flow = sparse.coo_array(exposures.claims.T)  # rows buy from columns
        buyer, maker = (np.asarray(part) for part in flow.coords)
        n = len(exposures)
        pairs, pair = np.unique(sector[buyer] * len(kinds) + sector[maker], return_inverse=True)
        vital = np.array([needs(str(kinds[k // len(kinds)]), str(kinds[k % len(kinds)])) for k in pairs], bool)[pair]
        linear = sparse.csr_array((flow.data * ~vital, (buyer, maker)), (n, n))
        linear = sparse.csr_array(sparse.diags_array(_inverse(exposures.owed)) @ linear)
        linear.eliminate_zeros()
        keys, need = np.unique(buyer[vital] * len(kinds) + sector[maker[vital]], return_inverse=True)
        shares = sparse.csr_array((flow.data[vital], (need, maker[vital])), (len(keys), n))
        shares = sparse.csr_array(sparse.diags_array(_inverse(np.asarray(shares.sum(axis=1), float))) @ shares)
        peers = sparse.csr_array((np.ones(n), (sector, np.arange(n))), (len(kinds), n))
        names = tuple(str(kinds[key % len(kinds)]) for key in keys)
        return cls(exposures, sold, orders, shares, keys // max(len(kinds), 1), names, linear, peers, sector)

    def missed(self, left: Floats) -> Floats:
        """(n, scenarios) replaceability times lost output: what customers feel of each firm's outage."""
        made = np.asarray(self.peers @ (self.sold[:, None] * left), float)[self.sector]
        share = np.divide(self.sold[:, None], made, out=np.ones_like(made), where=made > 0)
        return np.asarray(np.minimum(share, 1.0) * (1.0 - left), float)

    def after_inputs(self, left: Floats) -> Floats:
        """(n, scenarios) output that inputs allow when this much is left of each firm's."""
        missed = self.missed(left)
        short = np.asarray(self.linear @ missed, float)
        if len(self.buyer):
            starts = np.flatnonzero(np.r_[True, np.diff(self.buyer) > 0])
            worst = np.maximum.reduceat(np.asarray(self.essential @ missed, float), starts, axis=0)
            rows = self.buyer[starts]
            short[rows] = np.maximum(short[rows], worst)
        return np.asarray(np.maximum(1.0 - short, 0.0), float)

    def after_orders(self, left: Floats) -> Floats:
        """(n, scenarios) output that orders call for when this much is left of each customer's."""
        return np.asarray(np.maximum(1.0 - np.asarray(self.orders @ (1.0 - left), float), 0.0), float)


@dataclass(frozen=True)
class Left:
    """What a shock leaves of everyone's output, (n, scenarios)."""

    orders: Floats
    """As far as customers still order."""
    inputs: Floats
    """As far as suppliers still deliver."""
    sweeps: int
    moved: float
    """By how much the last sweep still changed anything; 0 to rounding where it has settled."""

    @property
    def output(self) -> Floats:
        """The smaller of both."""
        return np.minimum(self.orders, self.inputs)


def cascade(chain: Chain, psi: Floats, coupled: bool = False) -> Left:
    """Output that orders, and that inputs, leave of (n, scenarios) capacity: the greatest solution, from above."""
    n = len(psi)
    if coupled:

        def both(left: Floats) -> Floats:
            least = np.minimum(left[:n], left[n:])
            return np.vstack([chain.after_orders(least), chain.after_inputs(least)])

        left, sweeps, moved = _swept(both, np.vstack([psi, psi]))
        return Left(left[:n], left[n:], sweeps, moved)
    inputs, sweeps, moved = _swept(chain.after_inputs, psi)
    orders, more, late = _swept(chain.after_orders, psi, lambda psi, left: _finish(chain.orders, psi, left))
    return Left(orders, inputs, max(sweeps, more), max(moved, late))


def _swept(
    step: Callable[[Floats], Floats], psi: Floats, finish: Callable[[Floats, Floats], Floats] | None = None
) -> tuple[Floats, int, float]:
    """Sweeps left = min(psi, step(left)) from psi down, how many, and by how much the last one moved."""
    left, moved = psi.copy(), 0.0
    for sweep in range(1, SWEEPS + 1):
        new = np.minimum(psi, step(left))
        moved = float(np.abs(new - left).max(initial=0.0))
        left = new
        if moved <= SETTLED:
            return left, sweep, 0.0
        if finish and sweep % PATIENCE == 0:
            left = finish(psi, left)
    return left, SWEEPS, moved


def _finish(orders: Matrix[np.float64], psi: Floats, left: Floats) -> Floats:
    """For circles that lose orders slowly: solve for all who are bound by orders, where that is a solution."""
    lost, least = 1.0 - left, 1.0 - psi
    for column in range(lost.shape[1]):
        z, c = lost[:, column], least[:, column]
        free = np.flatnonzero((z > 0) & (z > c + SETTLED))
        fixed = np.where(np.isin(np.arange(len(z)), free), 0.0, z)
        try:
            solved = solve(sparse.csr_array(orders[free][:, free]), (orders @ fixed)[free], z[free])
        except MeasureError:  # a circle that has no answer yet: sweeps go on
            continue
        whole = fixed.copy()
        whole[free] = solved
        if (solved >= z[free] - 1e-9).all() and np.abs(np.maximum(c, orders @ whole) - whole).max() <= 1e-12:
            lost[:, column] = np.clip(whole, 0.0, 1.0)
    return np.asarray(1.0 - lost, float)


@dataclass(frozen=True)
class Hop:
    """One link of a chain of missing inputs."""

    supplier: str
    customer: str
    product: str
    essential: bool
    short: float
    """Share of this need of the customer that is missing, over all its makers."""
    sales_at_risk: float
    """Money of sales that the customer loses for want of it."""
    edges: tuple[str, ...]


def binding_path(chain: Chain, psi: Floats, customer: str, coupled: bool = False) -> list[Hop]:
    """The chain of scarcest inputs from the shocked supplier to a customer, supplier first; empty if none is short.

    `psi` is (n,): the capacity that the shock leaves of each.
    """
    index = chain.exposures.index
    if customer not in index:
        raise MeasureError(f"{customer} buys and sells nothing here{suggestion(customer, list(index))}")
    inputs = cascade(chain, psi[:, None], coupled).inputs
    missed, row = chain.missed(inputs)[:, 0], index[customer]
    hops: list[Hop] = []
    seen = {row}
    while (hop := _scarcest(chain, missed, row)) is not None and inputs[row, 0] < psi[row] - 1e-12:
        hops.append(hop)
        row = index[hop.supplier]
        if row in seen:
            break
        seen.add(row)
    return hops[::-1]


def _scarcest(chain: Chain, missed: Floats, row: int) -> Hop | None:
    """Which input binds a firm, and which of its makers most."""
    needs = np.flatnonzero(chain.buyer == row)
    scarce = np.asarray(chain.essential @ missed, float)
    parts = [(float(scarce[need]), int(need)) for need in needs]
    parts.append((float(np.asarray(chain.linear @ missed, float)[row]), -1))
    short, need = max(parts)
    if short <= 0:
        return None
    shares = (chain.linear if need < 0 else chain.essential)[[row if need < 0 else need]].toarray()[0] * missed
    maker, ids = int(shares.argmax()), chain.exposures.ids
    edges = chain.exposures.edges
    between = (edges["source"].to_numpy() == maker) & (edges["target"].to_numpy() == row)
    found = tuple(edges["id"].to_pylist()[k] for k in np.flatnonzero(between))
    product = chain.product[need] if need >= 0 else ""
    return Hop(ids[maker], ids[row], product, need >= 0, short, short * float(chain.sold[row]), found)


def _inverse(values: Floats) -> Floats:
    return np.divide(1.0, values, out=np.zeros_like(values), where=values > 0)


def _sold(exposures: Exposures, revenue: Mapping[str, float]) -> Floats:
    """What each sells: the revenue given, else what it sells inside the chain."""
    sold = exposures.held.copy()
    for id, value in revenue.items():
        row = exposures.index[id]
        if not np.isfinite(value) or value < sold[row] * (1 - 1e-9):
            raise MeasureError(
                f"revenue {value} of {id} is less than the {sold[row]:.2f} it sells inside the chain; "
                "give all it sells, or leave it out"
            )
        sold[row] = max(float(value), sold[row])
    return sold
