"""A finished run, opened to be explained: its models as they were kept, on the graph as it was known to them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from gnn.encoder import Encoder
from gnn.explaining.link import LinkStory, explained
from gnn.head import Cohort, cohort, distress_dates
from gnn.judge import Judge
from gnn.model import Model, exact
from gnn.moved import kept
from gnn.pipeline import restored
from gnn.tensors import GraphTensors
from gnn.views import Ledgerlike, Views
from kg.errors import ModelError
from kg.files import Files
from kg.model import AsOf
from kg.snapshot import Snapshot

Triple = tuple[str, str, str]


@dataclass(frozen=True)
class Told:
    """One run with everything it was given."""

    checkpoint: Path
    model: Model
    """The model of links."""
    facts: dict[str, Any]
    views: Views
    clip: Path | None = None

    @classmethod
    def of(
        cls,
        source: Ledgerlike | Callable[[AsOf], Snapshot],
        files: Files,
        checkpoint: Path,
        cache: Path | None = None,
        clip: Path | None = None,
    ) -> Told:
        """The run in a folder; `source` gives snapshots as they were known when the run began, `clip` as in Settings.

        ModelError if the folder holds no model of this version.
        """
        model, facts = restored(checkpoint)
        return cls(checkpoint, model, facts, Views(source, files, cache), clip)

    @property
    def cut(self) -> datetime:
        return datetime.fromisoformat(self.facts["cut"])

    @cached_property
    def encoders(self) -> list[Encoder]:
        """As the run used them, learned weights and scales included."""
        return kept(self.checkpoint, self.facts, self.clip)

    @cached_property
    def graph(self) -> GraphTensors:
        return self.views.tensors(self.cut, self.encoders)

    @cached_property
    def snapshot(self) -> Snapshot:
        return self.views.snapshot(self.cut)

    @cached_property
    def judge(self) -> Judge:
        """The head of the published scores. ModelError if the run keeps none."""
        return Judge.load(self.checkpoint)

    @cached_property
    def cohort(self) -> Cohort:
        """The firms that were scored; what became of them is left out, as no explanation may know it."""
        return cohort(self.graph, distress_dates(self.views.public(self.cut)), set())

    def firm(self, id: str) -> int:
        """Place of a firm in the cohort. ModelError says why it has none."""
        row = self.graph.index.get(id)
        if row is None:
            raise ModelError(f"{id}: nothing was published of it by {self.cut:%Y-%m-%d}, the cut of the run")
        places = np.flatnonzero(self.cohort.rows.numpy() == row)
        if not len(places):
            raise ModelError(
                f"{id} has no score at {self.cut:%Y-%m-%d}: only firms that were not in distress by then have one"
            )
        return int(places[0])


def story(run: Told, triple: Triple) -> LinkStory:
    """The story of a triple of ids (source, relation, target). ModelError if one is not in the graph of the run."""
    with exact(1):
        return explained(run.model, run.graph, run.snapshot, triple)
