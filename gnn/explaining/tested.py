"""Tested: whether what explains a run's scores and links is faithful, beside random orders of the same parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import Final, Literal, get_args

import numpy as np
import torch
from torch import Tensor

from gnn.encoders.table import NAMES, Table
from gnn.explaining.edges import effects, log_odds, near, without
from gnn.explaining.faithful import Faithfulness, Kept, faithfulness
from gnn.explaining.firm import asking, edge_effects, figure_values
from gnn.explaining.of_run import Told
from gnn.explaining.shares import Shares, of_firms, of_links, shown
from gnn.explaining.surrogate import Kind, Surrogate
from gnn.explaining.surrogate import of_firms as surrogate_of_firms
from gnn.explaining.walks import along
from gnn.missing import log_odds as head_odds
from gnn.model import exact
from gnn.models.paths import PathModel
from gnn.odds import Odds
from gnn.tensors import Features, GraphTensors
from gnn.vocabulary import PREDICTABLE, RELATIONS
from kg.errors import ModelError

Of = Literal["firms", "links"]
Parts = Literal["edges", "figures", "modalities"]
Case = tuple[Kept, np.ndarray]
PARTS: Final = 12
"""Edges near what is explained that are taken away and given back."""
POINTS: Final = 5
"""Shares of the parts at which the curves are measured."""


def faithful(run: Told, of: Of = "firms", parts: Parts = "edges", count: int = 12, seed: int = 0) -> Faithfulness:
    """Deletion and insertion curves of an attribution beside random ones, over `count` firms or links of a run.

    ModelError for what there is no attribution of, a run without a kept head, or nothing that has two parts.
    """
    ways: dict[tuple[str, str], Callable[[Told, int, int], Iterator[Case]]] = {
        ("firms", "edges"): _edges_of_firms,
        ("firms", "figures"): _figures_of_firms,
        ("firms", "modalities"): _modalities_of_firms,
        ("links", "edges"): _edges_of_links,
        ("links", "modalities"): _modalities_of_links,
    }
    if (of, parts) not in ways:
        known = "; ".join(f"{one} by {other}" for one, other in ways)
        raise ModelError(f"no attribution of {of} by {parts}; there are: {known}")
    with exact(1):
        cases = list(ways[of, parts](run, count, seed))
        if len(cases) < 2:
            raise ModelError(
                f"{len(cases)} of the {of} have two {parts} or more to take away; ask for more with a larger count, "
                f"or by another of {', '.join(get_args(Parts))}"
            )
        return faithfulness(cases, seed, points=POINTS)


def stand_in(run: Told, kind: Kind = "tree", depth: int = 3) -> Surrogate:
    """A readable model of the run's published scores, with its fidelity on firms it was not fitted on."""
    if kind not in get_args(Kind):
        raise ModelError(f"no surrogate is of kind {kind!r}; give {' or '.join(get_args(Kind))}")
    if depth < 1:
        raise ModelError(f"a tree of depth {depth} asks nothing; give a depth of 1 or more")
    with exact(1):
        scale = next((own.scale for own in run.encoders if isinstance(own, Table)), {})
        return surrogate_of_firms([run.judge], run.cohort, kind, depth, scale)


def firms(run: Told, seed: int) -> list[int]:
    """Places of the run's firms in an order of chance."""
    places: list[int] = np.random.default_rng(seed).permutation(len(run.cohort)).tolist()
    return places


def links(run: Told, count: int) -> Tensor:
    """(count, 3) the links that the model expects most, by turns of each relation."""
    odds = Odds(run.model, run.graph)
    found = [odds.best(RELATIONS.index(name), count) for name in PREDICTABLE]
    turns = [own[place] for place in range(count) for own in found if place < len(own)]
    if not turns:
        raise ModelError("the model expects no link between nodes of this graph, so there is none to explain")
    return torch.stack(turns[:count])


def _edges_of_firms(run: Told, count: int, seed: int) -> Iterator[Case]:
    found = 0
    for place in firms(run, seed):
        rows = near(run.graph, run.cohort.rows[place : place + 1], limit=PARTS)
        if len(rows) > 1 and found < count:
            found += 1
            yield partial(_with_edges, asking(run, place), run.graph, rows), edge_effects(run, place, rows)


def _edges_of_links(run: Told, count: int, seed: int) -> Iterator[Case]:
    for triple in links(run, count):
        rows, model = near(run.graph, triple[[0, 2]], limit=PARTS), run.model
        if len(rows) > 1:
            walked = isinstance(model, PathModel)
            value = along(model, run.graph, _hop(triple))[rows] if walked else effects(model, run.graph, triple, rows)  # type: ignore[arg-type]  # mypy forgets
            yield partial(_with_edges, _log_odds_of(run, triple), run.graph, rows), value.numpy()


def _hop(triple: Tensor) -> tuple[int, int, int]:
    head, relation, tail = triple.tolist()
    return head, relation, tail


def _log_odds_of(run: Told, triple: Tensor) -> Callable[[GraphTensors], float]:
    return lambda seen: float(log_odds(run.model, run.graph, triple[None], seen))


def _with_edges(tell: Callable[[GraphTensors], float], graph: GraphTensors, rows: Tensor, there: np.ndarray) -> float:
    return tell(without(graph, rows[torch.from_numpy(~there)]))


def _figures_of_firms(run: Told, count: int, seed: int) -> Iterator[Case]:
    found = 0
    for place in firms(run, seed):
        if found < count and len(value := figure_values(run, place)) > 1:
            found += 1
            yield partial(_with_figures, run, place, list(value)), np.array(list(value.values()))


def _with_figures(run: Told, place: int, names: list[str], there: np.ndarray) -> float:
    own, node = run.graph.features["numeric"], int(run.cohort.rows[place])
    gone = [NAMES.index(name) for name, stays in zip(names, there, strict=True) if not stays]
    values = own.values.clone()
    row = int(torch.nonzero(own.rows == node)[0])
    values[row, gone + [len(NAMES) + column for column in gone]] = 0.0
    seen = run.graph.with_features({**run.graph.features, "numeric": Features(own.rows, values)})
    return asking(run, place)(seen)


def _modalities_of_firms(run: Told, count: int, seed: int) -> Iterator[Case]:
    places, own = firms(run, seed)[:count], of_firms([run.judge], run.cohort)

    @cache
    def odds(there: frozenset[str]) -> np.ndarray:
        cohort = run.cohort
        seen = type(cohort)(shown(run.graph, there), cohort.rows, cohort.truth, cohort.stricken)
        found: np.ndarray = head_odds([run.judge], seen)[0]
        return found

    return _by_modality(own, odds, places)


def _modalities_of_links(run: Told, count: int, seed: int) -> Iterator[Case]:
    asked = links(run, count)

    @cache
    def odds(there: frozenset[str]) -> np.ndarray:
        found: np.ndarray = log_odds(run.model, run.graph, asked, shown(run.graph, there)).numpy()
        return found

    return _by_modality(of_links(run.model, run.graph, asked), odds, list(range(len(asked))))


def _by_modality(own: Shares, odds: Callable[[frozenset[str]], np.ndarray], places: list[int]) -> Iterator[Case]:
    names = np.array(own.names)
    for place in places if len(names) > 1 else ():

        def kept(there: np.ndarray, place: int = place) -> float:
            return float(odds(frozenset(names[there].tolist()))[place])

        yield kept, own.values[place]
