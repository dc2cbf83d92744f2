"""Paths that carry a loss: from who loses back to who was shocked, exposure by exposure.

A loss is direct or came over exposures, and what came over an exposure is a share of its debtor's own loss.
Following the shares back gives walks that end at a shock; over all walks they add up to the loss. The search takes
the heaviest open walk first, so the first paths found are the heaviest there are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heappop, heappush

import numpy as np
import pyarrow as pa

from kg.errors import MeasureError
from queries.exposures import Exposures
from queries.measure import Losses
from queries.parameter import suggestion

BUDGET = 200_000
"""Walks looked at before the search gives what it has."""

Walk = tuple[float, int, int, tuple[int, ...], bool]
"""(-loss carried, order, node it has reached, edge rows so far, has it ended)."""


@dataclass(frozen=True, slots=True)
class Path:
    """One way a loss came: entities from who loses to who was shocked, and the exposures between them."""

    loss: float
    """What it carries, in the unit of the losses."""
    share: float
    """Of the whole loss of the entity."""
    entities: tuple[str, ...]
    edges: tuple[str, ...]
    """Edge ids; edge k runs from entity k (creditor) to entity k+1 (debtor)."""
    statements: tuple[str, ...]
    """What to give `ledger.evidence` for the words behind each edge."""
    predicted: bool
    """Does it use an exposure that only a model expects?"""


def explain(losses: Losses, entity: str, *, scenario: int = 0, top: int = 5, hops: int = 6) -> list[Path]:
    """The `top` heaviest paths of at most `hops` exposures behind the loss of an entity, heaviest first.

    An entity of unknown equity counts as an origin: its losses are not known to weaken it.
    """
    exposures = losses.exposures
    if entity not in exposures.index:
        raise MeasureError(
            f"{entity} is not in this run{suggestion(entity, list(exposures.ids))}; take an id of `exposures.ids`"
        )
    start = exposures.index[entity]
    total = float(losses.loss[scenario, start])
    if total <= 0:
        return []
    found = []
    for loss, edges in _heaviest(losses, scenario, start, hops):
        found.append(path_of(exposures, loss, total, start, edges))
        if len(found) == top:
            break
    return found


def _heaviest(losses: Losses, scenario: int, start: int, hops: int) -> Iterator[tuple[float, tuple[int, ...]]]:
    """Ended walks in order of what they carry."""
    table = losses.exposures.edges
    source, debtor = table["source"].to_numpy(), table["target"].to_numpy()
    carried, loss, direct = losses.carried(scenario), losses.loss[scenario], losses.direct[scenario]
    order = np.argsort(source, kind="stable")
    bounds = np.searchsorted(source[order], np.arange(len(losses.exposures) + 1))
    heap: list[Walk] = [(-float(loss[start]), 0, start, (), False)]
    pushed = 0
    for _ in range(BUDGET):
        if not heap:
            return
        weight, _, node, edges, ended = heappop(heap)
        if ended:
            yield -weight, edges
            continue
        unknown = bool(np.isnan(losses.exposures.equity[node])) and node != start
        origin = 1.0 if unknown or loss[node] <= 0 else max(float(direct[node] / loss[node]), 0.0)
        if origin > 0:
            pushed += 1
            heappush(heap, (weight * origin, pushed, node, edges, True))
        if origin >= 1 or len(edges) == hops:
            continue
        for edge in order[bounds[node] : bounds[node + 1]]:
            if carried[edge] > 0:
                pushed += 1
                share = float(carried[edge] / loss[node])
                heappush(heap, (weight * share, pushed, int(debtor[edge]), (*edges, int(edge)), False))


def path_of(exposures: Exposures, loss: float, total: float, start: int, edges: tuple[int, ...]) -> Path:
    """The walk over rows of `exposures.edges` from the row `start` of its ids and the share it carries."""
    rows = exposures.edges.take(pa.array(edges, pa.int64()))
    return Path(
        loss,
        loss / total if total else 0.0,
        (exposures.ids[start], *(exposures.ids[row] for row in rows["target"].to_pylist())),
        tuple(rows["id"].to_pylist()),
        tuple(rows["statement"].to_pylist()),
        any(rows["predicted"].to_pylist()),
    )
