"""Vectors made ahead: what encoders read is dealt out to workers, and lies in the cache when it is asked for.

An encoder reads each value alone, on a number of threads that is told, so a vector has the same bits whoever makes it
and whatever is made beside it. Weights are loaded once by a worker and kept; only values of which the cache has no
vector travel, and one process writes the cache.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property, lru_cache, partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from kg.errors import ModelError
from kg.executor import Executor, Progress, quiet
from kg.model import AsOf, digest
from kgrisk.extras import need
from kgrisk.opened import Opened

if TYPE_CHECKING:
    from gnn.encoder import Encoder

log = logging.getLogger(__name__)

SHARD: Final = 8
"""Values encoded at a time: half a second of work for texts, some seconds for sound."""
ALONE: Final = ("audio", "image", "text")
"""Modalities of which a node has one value that is encoded by itself."""
Content = str | bytes
Made = tuple[list[int], np.ndarray]
"""Places of the values of a shard that can be read, and their vectors."""


@dataclass(frozen=True)
class Held:
    """An encoder as it travels: without the weights it has loaded, which a worker loads by itself."""

    mark: str
    """Its fingerprint: by it a worker knows the one it holds already."""
    threads: int
    encoder: Encoder = field(compare=False)

    def __getstate__(self) -> dict[str, Any]:
        kind = type(self.encoder)
        own = {n: v for n, v in vars(self.encoder).items() if not isinstance(getattr(kind, n, None), cached_property)}
        return {"mark": self.mark, "threads": self.threads, "kind": kind, "own": own}

    def __setstate__(self, state: dict[str, Any]) -> None:
        made = state["kind"].__new__(state["kind"])
        vars(made).update(state["own"])
        vars(self).update(mark=state["mark"], threads=state["threads"], encoder=made)


@lru_cache(maxsize=4)
def _kept(held: Held) -> Encoder:
    """In a worker: the first of its fingerprint, with the weights that it loaded."""
    return held.encoder


def encode(shard: Sequence[Content], held: Held) -> Made:
    """In a worker: the vectors of a shard; what the encoder refuses is left out, whoever asks for it is told why."""
    encoder, places, rows = _kept(held), list[int](), list[np.ndarray]()
    with need("gnn.model", "learn").exact(held.threads):
        for place, value in enumerate(shard):
            try:
                rows.append(encoder.encode([value])[0].detach().numpy())
                places.append(place)
            except ModelError:
                continue
    return places, np.stack(rows) if rows else np.zeros((0, encoder.dim), np.float32)


def ahead(
    graph: Opened, executor: Executor, encoder: Encoder, values: Iterable[Content], progress: Progress = quiet
) -> int:
    """Make the vectors that the cache of a graph lacks; returns how many.

    `progress` is called with shards done and all; what it raises ends the work, and what was made is kept.
    """
    import torch

    cache = need("gnn.encoder", "learn").VectorCache(graph.home / "cache")
    keyed = {digest(value.encode() if isinstance(value, str) else value): value for value in values}
    todo = sorted(key for key in keyed if not cache.path(encoder, key).exists())
    shards = [todo[at : at + SHARD] for at in range(0, len(todo), SHARD)]
    if not shards:
        return 0
    put, made = executor.put(Held(encoder.fingerprint, graph.settings.threads, encoder)), 0
    found = executor.map(encode, [[keyed[key] for key in shard] for shard in shards], put, progress=progress)
    for shard, (places, matrix) in zip(shards, found, strict=True):
        for place, row in zip(places, matrix, strict=True):
            cache.save(encoder, shard[place], torch.from_numpy(row.copy()))
        made += len(places)
    return made


def index(
    graph: Opened, space: Any, executor: Executor, progress: Callable[[str, int, int], None] | None = None
) -> int:
    """Make and publish the vectors that `kgrisk search` compares, dealt out to workers; gives the commit.

    `progress` is called with the modality, its shards done and all; what it raises ends the work.
    """
    for encoder, values in _indexed(graph, space):
        ahead(graph, executor, encoder, values, partial(progress, encoder.modality) if progress else quiet)
    return int(need("gnn.crosslingual", "learn").index(graph.ledger, graph.files, graph.home / "cache", space))


def _indexed(graph: Opened, space: Any) -> Iterator[tuple[Encoder, list[Content]]]:
    """The encoders of the index with what each is to read."""
    room, snapshot = need("gnn.things", "learn"), graph.ledger.view(AsOf())
    known, ids = room.encoders(space), set(snapshot.ids)
    values: dict[str, list[Content]] = {name: [] for name in ALONE}
    values["text"] += [text for _, text, _ in need("gnn.crosslingual", "learn").texts(snapshot)]
    for thing in room.things(graph.ledger, graph.files, {"text", *(space.widths if space is not None else ())}):
        if thing.id in ids and thing.modality in values:
            values[thing.modality].append(thing.content)
    return ((known[name], own) for name, own in values.items() if own)


def features(graph: Opened, executor: Executor, settings: Any) -> int:
    """Make the vectors of texts, images and sound that a training will read of what is known today; returns how many.

    Encoders that learn are left to the training, as is what only an earlier day shows.
    """
    trainable, tensors = need("gnn.trainable", "learn"), need("gnn.tensors", "learn")
    usual, told = need("gnn.settings", "learn").ENCODERS, need("gnn.values", "learn").told
    facts, made = tensors.GraphTensors.with_facts(graph.ledger.view(AsOf()), datetime.now(UTC))[1], 0
    for modality in sorted({*settings.modalities} & {*ALONE}):
        name = settings.encoders.get(modality, usual[modality])
        if name == "clip" or issubclass(trainable.kind(name), trainable.Trainable):
            continue
        encoder = trainable.named(modality, name)
        made += ahead(graph, executor, encoder, told(modality)(facts, graph.files).values())
    return made
