"""Links of a finished run explained: its model as it was kept, on the graph as it was known to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from gnn.explaining.link import LinkStory, explained
from gnn.pipeline import chosen_encoders, restored
from gnn.settings import Settings
from gnn.views import Ledgerlike, Views
from kg.files import Files
from kg.model import AsOf
from kg.snapshot import Snapshot

Triple = tuple[str, str, str]


def stories(
    source: Ledgerlike | Callable[[AsOf], Snapshot],
    files: Files,
    checkpoint: Path,
    triples: Sequence[Triple],
    cache: Path | None = None,
) -> list[LinkStory]:
    """The story of each triple of ids (source, relation, target) by the model in a run's folder.

    `source` gives snapshots as they were known when the run began. ModelError if the folder holds no model of this
    version, or an end or relation is not in its graph.
    """
    model, facts = restored(checkpoint)
    kept, cut = facts["settings"], datetime.fromisoformat(facts["cut"])
    settings = Settings(modalities=tuple(kept["modalities"]), encoders=kept["encoders"], window=kept["window"])
    views = Views(source, files, cache)
    graph = views.tensors(cut, chosen_encoders(views, cut, settings))
    return [explained(model, graph, views.snapshot(cut), triple) for triple in triples]
