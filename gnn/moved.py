"""Moved: the vectors of a former run on a later day, without training anew.

Between two trainings the weights stand, so a vector changes only where the graph changed within as many hops as the
model has layers. The layers of the run's own day are kept beside its checkpoint when they are first made; what is new
by the later day is found by comparing the two graphs (gnn/incremental.py), and a node that the model never met gets a
vector from what is said of it. What a run published stays as it is: these vectors are an answer and no claims.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from gnn.checkpoint import FACTS, load_tensors, save_tensors
from gnn.encoder import Encoder
from gnn.encoders.clip import Clip, checked
from gnn.encoders.table import Table
from gnn.incremental import LOCAL, Refreshed, refreshed, whole
from gnn.model import exact
from gnn.passing import Passing
from gnn.pipeline import restored
from gnn.rerank import Reranked
from gnn.result import Embeddings
from gnn.settings import ENCODERS
from gnn.tensors import GraphTensors
from gnn.trainable import Prepared, Trainable, named
from gnn.views import Ledgerlike, Views
from gnn.vocabulary import LABELS
from kg.errors import ModelError
from kg.files import Files
from kg.model import as_time


@dataclass(frozen=True)
class Moved:
    """Vectors as of a later day, and how much of them had to be computed."""

    run: str
    cut: datetime
    embeddings: Embeddings
    recomputed: tuple[int, ...]
    """Rows computed per layer, from 0."""
    new: int
    """Nodes that the run had not met."""


def moved(
    checkpoint: Path,
    source: Ledgerlike,
    files: Files,
    cut: datetime,
    cache: Path | None = None,
    clip: Path | None = None,
) -> Moved:
    """The vectors of a run's model as of `cut`. ModelError if the model's messages are no local matter, or if what
    read the values then cannot be had any more."""
    whole_model, facts = restored(checkpoint)
    model = whole_model.first if isinstance(whole_model, Reranked) else whole_model
    if not (isinstance(model, Passing) and model.name in LOCAL):
        raise ModelError(
            f"the vectors of model {model.name} do not hang on near messages alone, so none can be had for a later day "
            f"without a new fit; train again with that day as the cut, or by one of {', '.join(LOCAL)}"
        )
    encoders, views = kept(checkpoint, facts, clip), Views(source, files, cache)
    with exact(1):
        before = views.tensors(datetime.fromisoformat(facts["cut"]), encoders)
        after = views.tensors(as_time(cut), encoders)
        now = refreshed(model, layers(model, before, facts["ids"], checkpoint / "layers"), after)
        vectors = F.normalize(now.vectors, dim=1).numpy().astype(np.float32)
    names = tuple(LABELS[label] for label in after.labels.tolist())
    new = len(set(after.ids) - set(facts["ids"]))
    return Moved(checkpoint.name, as_time(cut), Embeddings(after.ids, names, vectors), now.recomputed, new)


def kept(checkpoint: Path, facts: Mapping[str, Any], clip: Path | None = None) -> list[Encoder]:
    """The encoders of a run as they were; ModelError if one of them is another by now. `clip` is the folder of CLIP."""
    settings, found = facts["settings"], list[Encoder]()
    for modality in settings["modalities"]:
        own = named(modality, settings["encoders"].get(modality, ENCODERS[modality]))
        if isinstance(own, Clip):
            own = Clip(checked(clip))
        elif isinstance(own, Table):
            own = Table(facts["scale"])
        elif isinstance(own, Trainable) and modality in settings.get("along", ()):
            own = Prepared(own)  # its network learned with the model and lies among the model's weights
        elif isinstance(own, Trainable):
            own.load(checkpoint / "encoders" / modality)
        if own.fingerprint != facts["encoders"][modality]:
            raise ModelError(
                f"{modality} was read by {facts['encoders'][modality]}, now it is {own.fingerprint}; train again"
            )
        found.append(own)
    return found


def layers(model: Passing, graph: GraphTensors, ids: list[str], folder: Path) -> Refreshed:
    """The vectors of every layer on the run's own day: read from the folder, or made in a full pass and kept there."""
    row = {id: place for place, id in enumerate(ids)}
    table = torch.tensor([row.get(id, -1) for id in graph.ids], dtype=torch.int64)
    if (folder / FACTS).exists():
        tensors, facts = load_tensors(folder)
        if facts["graph"] == said(graph):
            count = len(model.layers) + 1
            parts = [tuple(tensors[f"{name}.{n}"] for n in range(count)) for name in ("embedded", "described")]
            return Refreshed(graph, table, parts[0], parts[1], (0,) * count)
    made = whole(model, graph, table)
    tensors = {f"embedded.{n}": value for n, value in enumerate(made.embedded)}
    tensors |= {f"described.{n}": value for n, value in enumerate(made.described)}
    save_tensors(folder, tensors, {"graph": said(graph)})
    return made


def said(graph: GraphTensors) -> str:
    """A digest of all that a model reads of a graph."""
    found = sha256(repr((graph.ids, graph.cut)).encode())
    parts: list[Tensor] = [graph.labels, graph.edges, graph.last]
    for _, own in sorted(graph.features.items()):
        parts += [own.rows, own.values]
    for part in parts:
        found.update(part.contiguous().numpy().tobytes())
    return found.hexdigest()
