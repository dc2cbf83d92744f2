"""Head: probability that a firm gets into distress, learned from earlier cuts."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch
from torch import Tensor

from gnn.convolution import both_ways
from gnn.tensors import LABELS, RELATIONS, GraphTensors
from kg.ontology import DISTRESS_EVENTS, EDGES, FIRMS
from kg.snapshot import Snapshot

TIES: Final = tuple(
    name
    for name in RELATIONS
    if set(FIRMS) & set(EDGES[name].source) and set(FIRMS) & set(EDGES[name].target) and EDGES[name].time == "state"
)
"""Lasting relations between firms: what trouble travels along."""


@dataclass(frozen=True)
class Cohort:
    """The firms at risk at one cut, what was known of them then, and what became of them."""

    graph: GraphTensors
    """As of the cut."""
    rows: Tensor
    """(firms,) int64 rows of the graph: firms without a distress event by the cut."""
    truth: np.ndarray
    """(firms,) 1.0 where a distress event fell into the window after the cut."""
    stricken: Tensor
    """(nodes,) float32 exp(-age in years) of the latest distress event before the cut, 0 without one."""

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def positives(self) -> int:
        return int(self.truth.sum())


class Head(ABC):
    """A way to say P(distress within the window). A head is one file in gnn/heads/ and is found by its file name."""

    name: ClassVar[str]

    def __init__(self, seed: int = 0, threads: int = 1) -> None:
        self.seed, self.threads = seed, threads

    @abstractmethod
    def fit(self, cohorts: Sequence[Cohort], valid: Cohort) -> None:
        """Learn from the cohorts; settings are chosen on `valid`, a later one, and then all of them are used."""

    @abstractmethod
    def predict(self, cohort: Cohort) -> np.ndarray:
        """(firms,) probabilities."""


def distress_dates(snapshot: Snapshot) -> dict[str, list[datetime]]:
    """Dates of the distress events of each node that is their subject, ascending."""
    kinds = snapshot.facts_of("event_type")
    kinds = kinds.filter(pc.is_in(kinds["value_text"], pa.array(DISTRESS_EVENTS)))
    hit = snapshot.edges_of("AFFECTED_BY")
    hit = hit.filter(
        pc.and_(pc.is_in(hit["target"], kinds["subject"].combine_chunks()), pc.equal(hit["value_text"], "subject"))
    )
    dates: dict[str, list[datetime]] = {}
    for source, when in zip(hit["source"].to_pylist(), hit["valid_from"].to_pylist(), strict=True):
        dates.setdefault(snapshot.ids[source], []).append(when)
    return {id: sorted(own) for id, own in dates.items()}


def cohort(graph: GraphTensors, dates: dict[str, list[datetime]], until: datetime) -> Cohort:
    """Firms at risk at the graph's cut and their distress up to `until`; `dates` is what was known at labelling."""
    firms = torch.isin(graph.labels, torch.tensor([LABELS.index(name) for name in FIRMS])).tolist()
    stricken = torch.zeros(len(graph))
    rows, truth = [], []
    for row, id in enumerate(graph.ids):
        own = dates.get(id, [])
        before = [when for when in own if when <= graph.cut]
        if before:
            stricken[row] = math.exp(-(graph.cut - before[-1]) / timedelta(days=365.25))
        elif firms[row]:
            rows.append(row)
            truth.append(float(any(graph.cut < when <= until for when in own)))
    return Cohort(graph, torch.tensor(rows, dtype=torch.int64), np.array(truth), stricken)


def facts(cohort: Cohort) -> np.ndarray:
    """(firms, columns) numeric facts of the firms themselves, zeros and zero masks where there are none."""
    own = cohort.graph.features.get("numeric")
    if own is None:
        return np.zeros((len(cohort), 1))
    table: np.ndarray = own.dense(len(cohort.graph))[cohort.rows].numpy()
    return table.astype(np.float64)


def contagion(cohort: Cohort) -> np.ndarray:
    """(firms, columns) log(1 + sum of `stricken` over partners), by relation between firms and its direction."""
    sums = torch.zeros(len(cohort.graph), 2 * len(RELATIONS))
    for side in both_ways(cohort.graph):
        sums = sums.index_put((side.target, side.relation), cohort.stricken[side.source], accumulate=True)
    columns = [r + d for r, name in enumerate(RELATIONS) if name in TIES for d in (0, len(RELATIONS))]
    table: np.ndarray = sums[cohort.rows][:, columns].log1p().numpy()
    return table.astype(np.float64)
