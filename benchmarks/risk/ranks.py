"""PageRank beside igraph and networkx: the whole answer, and building what it is computed on."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from benchmarks.exposed import interleaved, network
from benchmarks.figure import Figure
from queries.kernels.fixed import least
from queries.kernels.rows import Rows

EDGES, ALPHA, SETTLED = {"igraph": 1_000_000, "networkx": 100_000}, 0.85, 1e-12
Ranked = NDArray[np.float64]


def measure() -> list[Figure]:
    return [figure for peer, edges in EDGES.items() for figure in beside(peer, edges)]


def ours(rows: Rows, owed: Ranked) -> Ranked:
    """Shares of attention, walking from debtor to creditor; who owes nothing sends it to everyone alike."""
    n = len(owed)
    gain = np.divide(ALPHA, owed, out=np.zeros(n), where=owed > 0)
    z = least(rows, np.where(owed > 0, gain / ALPHA, 1.0), np.where(owed > 0, gain, ALPHA), np.inf, SETTLED).x
    x = np.where(owed > 0, z * owed, z)
    return np.asarray(x / x.sum())  # what dangling nodes send to all alike only scales the answer


def beside(peer: str, edges: int) -> list[Figure]:
    matrix = network(edges, np.float64)
    rows, owed = Rows.of_matrix(matrix), np.asarray(matrix.sum(axis=0)).reshape(-1)
    build, rank = igraph(matrix) if peer == "igraph" else networkx(matrix)
    made = build()
    took = interleaved(
        {
            "ours": lambda: ours(rows, owed),
            peer: lambda: rank(made),
            "building ours": lambda: Rows.of_matrix(matrix),
            f"building {peer}": build,
        },
        rounds=2,
    )
    apart = float(np.abs(ours(rows, owed) - rank(made)).max() * len(owed))
    note = ", ".join(f"{name} {seconds * 1e3:.0f} ms" for name, seconds in took.items())
    name = f"PageRank, {edges:,} edges: times {peer}"
    return [
        Figure(name, took[peer] / took["ours"], 1.0, note=note),
        Figure(f"{name}, building", took[f"building {peer}"] / took["building ours"], 1.0),
        Figure(f"{name}, largest difference over the mean", apart, 1e-3, least=False),
    ]


def igraph(matrix: Any) -> tuple[Any, Any]:
    from igraph import Graph

    claims = sparse.coo_array(matrix)
    i, j = claims.coords

    def build() -> Any:
        made = Graph(n=matrix.shape[0], edges=np.column_stack([j, i]), directed=True)
        made.es["weight"] = claims.data
        return made

    return build, lambda made: np.array(made.pagerank(damping=ALPHA, weights="weight"))


def networkx(matrix: Any) -> tuple[Any, Any]:
    from networkx import DiGraph, from_scipy_sparse_array, pagerank

    def rank(made: Any) -> Ranked:
        return np.array(list(pagerank(made, ALPHA, tol=1e-10 / matrix.shape[0], max_iter=1_000).values()))

    return lambda: from_scipy_sparse_array(matrix.T.tocsr(), create_using=DiGraph), rank
