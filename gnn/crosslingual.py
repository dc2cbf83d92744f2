"""Cross-lingual search: texts as vectors that are near where their meaning is, in any language.

The vectors are published as claims of their own model, in an index of their own: they are of another length than those
of the graph model and cannot be compared with them. A vector is as old as the newest text it is made from.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gnn.contrastive import Space
from gnn.encoder import VectorCache
from gnn.encoders.multilingual import Multilingual
from gnn.publish import Writable, extractor
from gnn.things import MODEL, encoded, encoders, placed, things
from kg.errors import ModelError
from kg.files import Files
from kg.model import AsOf, Claim, ClaimBatch, Evidence, Facts, RunManifest, as_time, digest
from kg.snapshot import Snapshot
from kg.vectors import address, put_vectors

LABELS: Final = ("Document", "Page", "Event", "Company", "Bank", "Fund")
"""What is embedded; never persons, whose vectors could not be erased with their names."""
TEXTS: Final = ("title", "name", "description", "text")


class Indexed(Writable, Protocol):
    """What a ledger offers here."""

    def view(self, at: AsOf) -> Snapshot: ...


Row = tuple[str, str, datetime, np.ndarray]
"""Id of a node, key of its vector, since when it stands, and the vector."""


def index(ledger: Indexed, files: Files, cache: Path | None = None, space: Space | None = None) -> int:
    """Make and publish the vector of everything with a text, and of every stretch of a recording by its words.

    With a shared space, whose anchor is these text vectors, images, sound and figures stand in the same index. Returns
    the commit, the head if nothing changed.
    """
    if space is not None and space.anchor != "text":
        raise ModelError("the index is of text vectors: only a space with the anchor 'text' brings others to it")
    snapshot, store = ledger.view(AsOf()), VectorCache(cache)
    rows = [*_texts(snapshot, store), *_things(ledger, files, store, space, set(snapshot.ids))]
    matrix = np.stack([vector for *_, vector in rows]) if rows else np.zeros((0, Multilingual.dim), np.float32)
    vectors = put_vectors(files, matrix)
    lines = [f"{id}: embedding {address(vectors, row)}" for row, (id, *_) in enumerate(rows)]
    run = RunManifest("embed", {"model": MODEL, "encoder": _made_by(space), "vectors": vectors, "rows": lines})
    files.put(run.to_bytes())
    claims = [
        Claim(
            Facts(id, {"embedding": address(vectors, row)}, key),
            Evidence(run.id, f"run:{run.id} row:{row}", lines[row], extractor(MODEL), 1.0),
            when,
            when,
        )
        for row, (id, key, when, _) in enumerate(rows)
    ]
    alive = ledger.alive()
    own = pc.starts_with(alive["extractor"], f"model.{MODEL}@")
    former = alive.filter(pc.and_(own, pc.not_equal(alive["document"], run.id)))
    return ledger.commit(ClaimBatch.of(claims), run, retract=former["claim"].to_pylist())


def _texts(snapshot: Snapshot, store: VectorCache) -> Iterator[Row]:
    said = texts(snapshot)
    made = store.vectors(Multilingual(), [text for _, text, _ in said])
    for (id, _, when), vector in zip(said, made, strict=True):
        if vector is not None:
            yield id, MODEL, when, vector.numpy()


def _things(ledger: Indexed, files: Files, store: VectorCache, space: Space | None, ids: set[str]) -> Iterator[Row]:
    """What is no text of a node, where there is a way to bring it in; a merged node's things are left out."""
    wanted = {"text", *(space.widths if space is not None else ())}
    made = [thing for thing in things(ledger, files, wanted) if thing.id in ids]
    for thing, vector in placed(encoded(made, encoders(space), store), space):
        yield thing.id, thing.key, thing.published, vector.numpy()


def _made_by(space: Space | None) -> str:
    """What decides the vectors: the text encoder, and the weights of the space."""
    own = Multilingual().fingerprint
    if space is None:
        return own
    weights = b"".join(value.numpy().tobytes() for _, value in sorted(space.state_dict().items()))
    return f"{own} and space {digest(weights)[:16]}"


def texts(snapshot: Snapshot) -> list[tuple[str, str, datetime]]:
    """Id, text and time of the newest part, of everything that has one, by id."""
    ids, labels = snapshot.ids, snapshot.labels
    parts: dict[int, list[tuple[int, str]]] = defaultdict(list)
    newest: dict[int, datetime] = {}
    for rank, property in enumerate(TEXTS):
        for fact in _rows(snapshot.facts_of(property)):
            row, text, published = fact
            if labels[row] in LABELS and text.strip():
                parts[row].append((rank, text.strip()))
                newest[row] = max(newest.get(row, published), published)
    made = [(ids[row], ". ".join(text for _, text in sorted(found)), newest[row]) for row, found in parts.items()]
    return sorted(made)


def _rows(facts: pa.Table) -> Iterable[tuple[int, str, datetime]]:
    columns = (facts[name].to_pylist() for name in ("subject", "value_text", "published"))
    return ((row, text, as_time(when)) for row, text, when in zip(*columns, strict=True) if text)


def question(text: str) -> list[float]:
    """The vector of a question, in any of the languages. ModelError for an empty one."""
    if not text.strip():
        raise ModelError("an empty question has no meaning to look for; write some words")
    return [float(x) for x in Multilingual().encode([text])[0]]
