"""Exposures: who would lose how much if whom failed, as a sparse matrix read from a snapshot.

`claims[i, j]` is what i would lose if j paid nothing: i is the creditor, j the debtor. Liabilities are its
transpose. What an entity has and owes outside the network closes its balance sheet: `external_assets +
claims - owed - external_liabilities = equity`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from kg.errors import MeasureError
from kg.memory import Need
from kg.snapshot import Snapshot
from queries.balance import fill_outside, latest_money, priced_edges, to_currency
from queries.kernels.rows import Rows

Floats = NDArray[np.float64]
Part = TypeVar("Part")

EDGES = pa.schema(
    [
        pa.field("id", pa.string()),
        pa.field("type", pa.string()),
        pa.field("source", pa.int64()),  # row of ids: the creditor
        pa.field("target", pa.int64()),  # row of ids: the debtor
        pa.field("amount", pa.float64()),  # in the currency of the exposures
        pa.field("statement", pa.string()),
        pa.field("predicted", pa.bool_()),
    ]
)
"""One exposure with what leads back to its evidence."""
NEED: Final = Need(
    "reading exposures of",
    {"edges": 550, "nodes": 400},
    "count fewer types of edges (`types`), ask for an earlier instant, or use a machine with more memory",
)
"""Of edges of the types that count, matrices and sweeps over them included, and nodes of the snapshot: above what
`python -m benchmarks.scale` and `pytest tests/test_kg_memory.py` found."""
BLOCK: Final = Need(
    "asking",
    {"numbers": 130, "debtrank": 80, "pagerank": 60, "elsinger": 210},
    "ask fewer scenarios at a time (`block`) or with fewer workers; the answer is the same",
)
"""Of scenarios times entities: shocks, payments, losses and what a measure holds beside them, by its name where that is
less or more than most do."""


@dataclass(frozen=True)
class Exposures:
    """Who would lose how much if whom failed, and what each has to absorb it with."""

    ids: tuple[str, ...]
    currency: str
    edges: pa.Table
    """One row per exposure in EDGES; parallel exposures are summed in `claims` but keep their rows here."""
    equity: Floats
    """(n,) money; NaN where no source states it."""
    external_assets: Floats
    """(n,) money held outside the network."""
    external_liabilities: Floats
    """(n,) money owed outside the network, of the same seniority."""
    unpriced: tuple[str, ...] = ()
    """Edge ids left out because no source states an amount."""
    assumed: tuple[str, ...] = ()
    """Ids whose outside assets no source states; see `queries.balance.fill_outside`."""

    @classmethod
    def of(
        cls,
        claims: ArrayLike | sparse.csr_array,
        external_assets: ArrayLike,
        external_liabilities: ArrayLike | None = None,
        *,
        ids: Sequence[str] | None = None,
        currency: str = "EUR",
    ) -> Exposures:
        """From a matrix `claims[i, j]` of i's claims on j; equity follows from the balance sheet."""
        matrix = sparse.coo_array(claims if sparse.issparse(claims) else np.asarray(claims, float))
        n = matrix.shape[0]
        names = tuple(ids) if ids is not None else tuple(f"bank:{i}" for i in range(n))
        source, target = (np.asarray(part, np.int64) for part in matrix.coords)
        edges = pa.table(
            {
                "id": [f"{names[i]}>{names[j]}" for i, j in zip(source, target, strict=True)],
                "type": ["LENDS_TO"] * len(source),
                "source": source,
                "target": target,
                "amount": np.asarray(matrix.data, float),
                "statement": [""] * len(source),
                "predicted": [False] * len(source),
            },
            schema=EDGES,
        )
        assets = np.asarray(external_assets, float)
        owed = np.zeros(n) if external_liabilities is None else np.asarray(external_liabilities, float)
        made = cls(names, currency, _checked(edges), np.zeros(n), assets, owed)
        return replace(made, equity=assets - owed + made.held - made.owed)

    @classmethod
    def from_snapshot(
        cls,
        snapshot: Snapshot,
        types: Sequence[str] = ("LENDS_TO", "EXPOSED_TO"),
        currency: str | None = None,
        include_predicted: float | None = None,
        rates: Mapping[str, float] | None = None,
    ) -> Exposures:
        """Exposures at the instant of the snapshot.

        `include_predicted=0.8` adds each PREDICTED edge of these types with a score of at least 0.8, at
        score times the typical (median) loan of its creditor, marked `predicted`. `rates` is the value of
        one unit of each other currency in `currency`; MeasureError names the currencies that have none. The same
        question to the same snapshot is answered with the same object, which is not to be changed.
        """
        kept: dict[object, Exposures] = snapshot.__dict__.setdefault("exposures", {})  # as cached_property keeps things
        asked = (tuple(types), currency, include_predicted, tuple(sorted((rates or {}).items())))
        if asked not in kept:
            kept[asked] = _read(snapshot, tuple(types), currency, include_predicted, rates or {})
        return kept[asked]

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def index(self) -> dict[str, int]:
        """Row of each id."""
        return {id: row for row, id in enumerate(self.ids)}

    @cached_property
    def claims(self) -> sparse.csr_array[np.float64]:
        """(n, n) money; parallel exposures summed, diagonal empty."""
        ends = (self.edges["source"].to_numpy(), self.edges["target"].to_numpy())
        matrix = sparse.csr_array((self.edges["amount"].to_numpy(), ends), shape=(len(self), len(self)))
        matrix.sum_duplicates()
        return matrix

    def check_block(self, scenarios: int, workers: int = 1, measure: str = "") -> None:
        """TooLargeError if so many scenarios, asked of a measure at once in each of so many processes, do not fit."""
        each = f" in each of {workers} processes" if workers > 1 else ""
        asked = f"{scenarios:,} scenarios at once among {len(self):,} entities{each}"
        BLOCK.check(asked, **{measure if measure in BLOCK.each else "numbers": scenarios * workers * len(self)})

    def remembered(self, what: Hashable, make: Callable[[], Part]) -> Part:
        """What `make` made the first time: for parts of a measure that hang on the exposures and no shock."""
        kept: dict[Hashable, Part] = self.__dict__.setdefault("parts", {})  # as cached_property keeps things
        if what not in kept:
            kept[what] = make()
        return kept[what]

    @cached_property
    def rows(self) -> Rows:
        """`claims` laid out for sweeps: `queries.kernels`."""
        return Rows.of_matrix(self.claims)

    @cached_property
    def held(self) -> Floats:
        """(n,) what each is owed inside the network."""
        return np.asarray(self.claims.sum(axis=1), float).reshape(-1)

    @cached_property
    def owed(self) -> Floats:
        """(n,) what each owes inside the network."""
        return np.asarray(self.claims.sum(axis=0), float).reshape(-1)

    @property
    def predicted(self) -> pa.Table:
        """The exposures a model expects and no source states."""
        return self.edges.filter(self.edges["predicted"])

    def without(self, edge_ids: Sequence[str]) -> Exposures:
        """The counterfactual in which these exposures stand to someone outside who always pays.

        Amounts move to external assets of the creditor and external liabilities of the debtor, so equity
        and total debts stay and the only difference is that these edges carry no loss.
        """
        unknown = set(edge_ids) - set(self.edges["id"].to_pylist())
        if unknown:
            raise MeasureError(f"exposures {sorted(unknown)} are not here; take ids from `exposures.edges`")
        gone = pc.is_in(self.edges["id"], pa.array(list(edge_ids), pa.string()))
        out = self.edges.filter(gone)
        assets, owed = self.external_assets.copy(), self.external_liabilities.copy()
        np.add.at(assets, out["source"].to_numpy(), out["amount"].to_numpy())
        np.add.at(owed, out["target"].to_numpy(), out["amount"].to_numpy())
        kept = self.edges.filter(pc.invert(gone))
        return replace(self, edges=kept, external_assets=assets, external_liabilities=owed)

    def without_predicted(self) -> Exposures:
        """Only what sources state."""
        return self.without(self.predicted["id"].to_pylist())


def _read(
    snapshot: Snapshot,
    types: tuple[str, ...],
    currency: str | None,
    include_predicted: float | None,
    rates: Mapping[str, float],
) -> Exposures:
    """Exposures as the snapshot states them. TooLargeError before they are begun, if they do not fit."""
    counted = pc.sum(pc.is_in(snapshot.edges["type"], pa.array(types, pa.string()))).as_py() or 0
    NEED.check(edges=counted, nodes=len(snapshot))
    edges, unpriced = priced_edges(snapshot, types, include_predicted)
    rows = np.unique(np.concatenate([edges["source"].to_numpy(), edges["target"].to_numpy()])).astype(np.int64)
    money = {name: latest_money(snapshot, name, rows) for name in ("equity", "external_assets", "assets")}
    factor = to_currency([edges["unit"], *(unit for _, unit in money.values())], currency, rates)
    place = np.full(len(snapshot) + 1, -1, np.int64)
    place[rows] = np.arange(len(rows))
    amount = edges["amount"].to_numpy() * factor.of(edges["unit"])
    table = pa.table(
        {
            "id": edges["id"],
            "type": edges["type"],
            "source": place[edges["source"].to_numpy()],
            "target": place[edges["target"].to_numpy()],
            "amount": amount,
            "statement": edges["statement"],
            "predicted": edges["predicted"],
        },
        schema=EDGES,
    )
    known = {name: values * factor.of(unit) for name, (values, unit) in money.items()}
    return _balanced(tuple(snapshot.ids[row] for row in rows), factor.currency, _checked(table), known, unpriced)


def _checked(edges: pa.Table) -> pa.Table:
    """Edges without self-loops and zeros; MeasureError on an amount that is negative or no number."""
    amount = edges["amount"].to_numpy()
    bad = ~np.isfinite(amount) | (amount < 0)
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise MeasureError(
            f"exposure {edges['id'][row].as_py()} has amount {amount[row]}; expected a finite number of at least 0: "
            "turn a negative claim round (debtor and creditor swapped) or correct its source"
        )
    return edges.filter(pc.and_(pc.not_equal(edges["source"], edges["target"]), pc.greater(edges["amount"], 0)))


def _balanced(
    ids: tuple[str, ...],
    currency: str,
    edges: pa.Table,
    known: Mapping[str, Floats],
    unpriced: tuple[str, ...],
) -> Exposures:
    """Exposures whose outside assets and liabilities close every balance sheet."""
    zero = np.zeros(len(ids))
    bare = Exposures(ids, currency, edges, known["equity"], zero, zero, unpriced)
    predicted = replace(bare, edges=bare.predicted).held
    outside = fill_outside(known, bare.held - predicted, bare.owed, predicted)
    return replace(
        bare,
        external_assets=outside.assets,
        external_liabilities=outside.liabilities,
        assumed=tuple(id for id, assumed in zip(ids, outside.assumed, strict=True) if assumed),
    )
