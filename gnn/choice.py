"""Choice: which encoder reads each modality of a run, by name, taught on the train window where it has to be."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from gnn.encoder import Encoder
from gnn.encoders.clip import Clip, checked
from gnn.encoders.table import Table
from gnn.settings import ENCODERS, Settings
from gnn.tensors import GraphTensors, fitted_table
from gnn.trainable import Prepared, Trainable, named, trainable
from gnn.values import told
from kg.errors import ModelError
from kg.files import Files
from kg.snapshot import Snapshot


def reads(settings: Settings) -> dict[str, str]:
    """Encoder by modality of those that learn with the models. ModelError for a modality that the run does not read."""
    for name in settings.along:
        if name not in settings.modalities:
            raise ModelError(f"encoder of {name} shall learn along, the run reads {', '.join(settings.modalities)}")
    return {name: settings.encoders.get(name, ENCODERS[name]) for name in settings.along if name in ENCODERS}


def chosen(snapshot: Snapshot, files: Files, end: datetime, settings: Settings) -> list[Encoder]:
    """An encoder for each modality. What is learned is learned from what was published by `end` of the train window.

    Of an encoder that learns with the models only the preparation is taken. ModelError for a name that is not known,
    with those that are.
    """
    modalities, names, along = settings.modalities, settings.encoders, reads(settings)
    made: list[Encoder] = []
    for modality in modalities:
        if modality in along:
            made.append(Prepared(trainable(modality, along[modality])))
            continue
        own = named(modality, names.get(modality, ENCODERS[modality]))
        if isinstance(own, Clip):
            own = Clip(checked(settings.clip))
        elif isinstance(own, Table):
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
