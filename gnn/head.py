"""Head: probability that a firm gets into distress, learned from earlier cuts."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch
from torch import Tensor

from gnn.convolution import both_ways
from gnn.tensors import GraphTensors
from gnn.vocabulary import LABELS, RELATIONS
from kg.errors import ModelError
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
    """(firms,) int64 rows of the graph: firms of which no distress event was published by the cut."""
    truth: np.ndarray
    """(firms,) 1.0 where the firm is among the `fallen` of the window after the cut."""
    stricken: Tensor
    """(nodes,) float32 exp(-age in years) of the latest distress event published by the cut, 0 without one."""

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def positives(self) -> int:
        return int(self.truth.sum())

    def drawn(self, seed: tuple[int, ...]) -> Cohort:
        """As many firms drawn with replacement, as many of them in distress (Efron 1979).

        A head without chance in it gives another answer only where its firms are others.
        """
        draw = np.random.default_rng(seed)
        kinds = [np.flatnonzero(self.truth > 0), np.flatnonzero(self.truth == 0)]
        place = np.sort(np.concatenate([draw.choice(rows, len(rows)) for rows in kinds if len(rows)]))
        return replace(self, rows=self.rows[torch.from_numpy(place)], truth=self.truth[place])


class Head(ABC):
    """A way to say P(distress within the window). A head is one file in gnn/heads/ and is found by its file name."""

    name: ClassVar[str]

    def __init__(self, seed: int = 0, threads: int = 1, state: Path | None = None) -> None:
        self.seed, self.threads, self.state = seed, threads, state
        """`state` is a folder for a long fit to go on from if it is stopped; quick heads leave it alone."""

    @abstractmethod
    def fit(self, cohorts: Sequence[Cohort], valid: Cohort) -> None:
        """Learn from the cohorts; settings are chosen on `valid`, a later one, and then all of them are used."""

    @abstractmethod
    def predict(self, cohort: Cohort) -> np.ndarray:
        """(firms,) probabilities."""

    @property
    def reach(self) -> int:
        """So many hops from a firm lies what its score may hang on."""
        return 1

    def kept(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """What a fitted head is, as tensors and facts for `restore`. ModelError for a head that is never published."""
        raise ModelError(f"head {self.name} is a baseline and is not kept; only heads that read the graph are")

    def restore(self, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
        """Be again what `kept` told, without learning anything."""
        raise ModelError(f"head {self.name} is a baseline and is not kept; only heads that read the graph are")


def logit(probability: np.ndarray) -> np.ndarray:
    """Log odds, kept finite."""
    p = np.clip(probability, 1e-6, 1 - 1e-6)
    odds: np.ndarray = np.log(p / (1 - p))
    return odds


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


def fallen(
    later: dict[str, list[datetime]], told: dict[str, list[datetime]], start: datetime, until: datetime
) -> set[str]:
    """Nodes with a distress event in (start, until], or with one that was published by `until`.

    `later` are the dates known at labelling, `told` those published by the end of the window. A default before the
    start that came out within the window counts: at the start nobody knew, and the window is when it struck those who
    asked. One that came out after the window counts in no cohort whose start it precedes.
    """
    return {id for id, own in later.items() if any(start < when <= until for when in own)} | set(told)


def cohort(graph: GraphTensors, known: dict[str, list[datetime]], fell: Set[str]) -> Cohort:
    """Firms at risk at the graph's cut, and who of them fell.

    `known` are the dates as published by the cut: they alone say who is at risk and who is stricken. `fell` may hold
    nodes that were known to be in distress; they are not at risk and are passed over.
    """
    firms = torch.isin(graph.labels, torch.tensor([LABELS.index(name) for name in FIRMS])).tolist()
    stricken = torch.zeros(len(graph))
    rows, truth = [], []
    for row, id in enumerate(graph.ids):
        if before := [when for when in known.get(id, []) if when <= graph.cut]:
            stricken[row] = math.exp(-(graph.cut - before[-1]) / timedelta(days=365.25))
        elif firms[row]:
            rows.append(row)
            truth.append(float(id in fell))
    return Cohort(graph, torch.tensor(rows, dtype=torch.int64), np.array(truth), stricken)


def widths(cohorts: Iterable[Cohort]) -> dict[str, int]:
    """Modality -> length of its vectors, over all cohorts; ModelError where two of them disagree."""
    found: dict[str, int] = {}
    for own in cohorts:
        for name, features in sorted(own.graph.features.items()):
            dim = features.values.shape[1]
            if found.setdefault(name, dim) != dim:
                raise ModelError(
                    f"modality {name}: vectors of {found[name]} and of {dim} numbers; use one encoder for all cohorts"
                )
    return dict(sorted(found.items()))


def facts(cohort: Cohort, width: int) -> np.ndarray:
    """(firms, width) numeric facts of the firms themselves, zeros and zero masks where there are none."""
    own = cohort.graph.features.get("numeric")
    if own is None:
        return np.zeros((len(cohort), width))
    if own.values.shape[1] != width:
        raise ModelError(f"facts of {own.values.shape[1]} columns, the head was fitted on {width}; train again")
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
