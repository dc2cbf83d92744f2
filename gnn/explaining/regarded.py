"""Regarded: what the attention of a run's model went to, and whether that was what its answers rest on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np

from gnn.explaining.attention import Eye, Looked, looked, of_firms, of_links
from gnn.explaining.faithful import Faithfulness, faithfulness
from gnn.explaining.of_run import Told
from gnn.explaining.tested import Case, Of, links
from gnn.heads.network import Network
from gnn.model import exact
from gnn.passing import Passing
from gnn.rerank import Reranked
from kg.errors import ModelError

LINKS: Final = 60
"""Links that are looked at."""


@dataclass(frozen=True)
class Regard:
    """The attention on one modality, or on all, beside what goes without it."""

    modality: str
    nodes: int
    attention: float
    """Mean weight over the nodes that have it."""
    effect: float
    """Mean move of the log odds without it."""
    agreement: float
    """Rank correlation (Spearman) of the two, with its 95 % interval."""
    low: float
    high: float


@dataclass(frozen=True)
class Regarded:
    """Attention of a run, by modality, with its faithfulness."""

    of: str
    fusion: str
    rows: tuple[Regard, ...]
    """All together first."""
    faithfulness: Faithfulness | None
    """Curves of taking modalities away in the order of attention; None where no node has two."""

    def verdict(self) -> str:
        """The finding in words."""
        whole = self.rows[0]
        said = "points to" if whole.low > 0 else "points away from" if whole.high < 0 else "says nothing of"
        rank = f"rank correlation {whole.agreement:+.2f} ({whole.low:+.2f} to {whole.high:+.2f})"
        return f"Attention {said} what counts: {rank}." + (
            f" As an order, {self.faithfulness.verdict()}" if self.faithfulness else ""
        )


def regarded(run: Told, of: Of = "links", count: int = 12, seed: int = 0) -> Regarded:
    """Attention on the firms that were scored, or on the ends of the links expected most.

    ModelError where that model fuses nothing: a regression, a model of structure alone, a run without modalities.
    """
    with exact(1):
        eye, fusion = _of_firms(run) if of == "firms" else _of_links(run)
        items = np.random.default_rng(seed).permutation(len(eye.rows))[:count].tolist()
        cases = list(_cases(eye, items))
        tested = faithfulness(cases, seed, points=2) if len(cases) > 1 else None
        seen = looked(eye)
    if not len(seen.weight):
        raise ModelError(f"none of the {of} has a modality of its own: attention went to nothing")
    names = [None, *sorted(set(seen.modality.tolist()))]
    return Regarded(of, fusion, tuple(_regard(seen, name) for name in names), tested)


def _regard(seen: Looked, name: str | None) -> Regard:
    own = seen.of(name)
    means = float(seen.weight[own].mean()), float(seen.effect[own].mean())
    return Regard(name or "all", int(own.sum()), *means, *seen.agreement(name))


def _of_firms(run: Told) -> tuple[Eye, str]:
    head = run.judge.head
    if not isinstance(head, Network):
        raise ModelError(
            f"the published head {head.name!r} has no fusion and so no attention; ask for links, or see what scores "
            "rest on: `kgrisk explain distress:ENTITY`"
        )
    return of_firms(head, run.cohort), type(_fused(head.model.encoder).fusion).name


def _of_links(run: Told) -> tuple[Eye, str]:
    model = _fused(run.model)
    return of_links(model, run.graph, links(run, LINKS)), type(model.fusion).name


def _fused(model: object) -> Passing:
    """The part of a model that fuses. ModelError where there is none."""
    own = model.first if isinstance(model, Reranked) else model
    if not isinstance(own, Passing) or not own.fusion.names:
        name = getattr(own, "name", type(own).__name__)
        raise ModelError(f"model {name!r} of the run fuses no modalities, so there is no attention; train with some")
    return own


def _cases(eye: Eye, items: list[int]) -> Iterator[Case]:
    """For each item whose node has two modalities or more, its log odds with some of them, and its attention."""

    @cache
    def without(gone: tuple[str, ...]) -> np.ndarray:
        return eye.without(gone)

    for item in items:
        own = np.flatnonzero(eye.has[item])

        def kept(there: np.ndarray, item: int = item, own: np.ndarray = own) -> float:
            return float(without(tuple(eye.names[k] for k in own[~there]))[item])

        if len(own) > 1:
            yield kept, eye.weights[item, own]
