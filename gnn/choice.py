"""Choice: which encoder reads each modality of a run, by name, taught on the train window where it has to be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from gnn.encoder import Encoder
from gnn.encoders.table import Table
from gnn.tensors import GraphTensors, fitted_table
from gnn.trainable import Trainable, named
from gnn.values import told
from kg.errors import ModelError
from kg.files import Files
from kg.snapshot import Snapshot

USUAL: Final[Mapping[str, str]] = {
    "text": "text",
    "image": "image",
    "numeric": "table",
    "series": "returns",
    "audio": "acoustic",
    "structure": "structure",
}
"""The encoder of each modality where a run names no other."""


def chosen(
    snapshot: Snapshot, files: Files, end: datetime, modalities: Sequence[str], names: Mapping[str, str]
) -> list[Encoder]:
    """An encoder for each modality. What is learned is learned from what was published by `end` of the train window.

    ModelError for a modality or a name that is not known, with those that are.
    """
    for name in [*modalities, *names]:
        if name not in USUAL:
            raise ModelError(f"modality {name} is unknown; known: {', '.join(USUAL)}")
    made = []
    for modality in modalities:
        own = named(modality, names.get(modality, USUAL[modality]))
        if isinstance(own, Table):
            own = fitted_table(snapshot, end)
        elif isinstance(own, Trainable) and not own.ready:
            own.fit(values(snapshot, files, end, modality))
        made.append(own)
    return made


def values(snapshot: Snapshot, files: Files, end: datetime, modality: str) -> list[Any]:
    """Values of one modality of all nodes as published by a date, in the order of the nodes' ids."""
    _, facts = GraphTensors.with_facts(snapshot, end)
    found = told(modality)(facts, files)
    return [found[node] for node in sorted(found)]


def keep(encoders: Sequence[Encoder], folder: Path) -> None:
    """Write the weights that were learned here beside those of the model: one folder per modality."""
    for own in encoders:
        if isinstance(own, Trainable):
            own.save(folder / own.modality)
