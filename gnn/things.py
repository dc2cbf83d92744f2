"""Things: what the graph holds besides the texts of its nodes, ready to be encoded and searched.

Images of pages, stretches of recordings as sound and as words, and the figures of a document; each with the words that
the graph itself pairs with it, which is what a shared space (`gnn.contrastive`) learns from.
"""

from __future__ import annotations

import io
import re
import wave as wav
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch
from torch import Tensor

from gnn.contrastive import Space
from gnn.encoder import Encoder, VectorCache
from gnn.encoders.image import Image
from gnn.encoders.multilingual import Multilingual
from gnn.encoders.table import COLUMNS, Table
from gnn.encoders.whisper import Whisper
from gnn.publish import TEXT_INDEXES
from gnn.sound import RATE, wave
from kg.errors import ModelError
from kg.files import Files
from kg.model import as_time
from kg.ontology import PROPERTIES

(MODEL,) = TEXT_INDEXES
"""Key of a node's text vector; `usem3.image` is that of its image, `usem3.audio|time:1.20-3.40` of a part of it."""
IMAGES: Final = tuple(name for name, spec in PROPERTIES.items() if spec.modality == "image")
EVERY: Final = frozenset({"audio", "image", "table", "text"})
STRETCH: Final = re.compile(r"time:(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)")


class Stated(Protocol):
    """What a ledger offers here."""

    def alive(self, commit: int | None = None) -> pa.Table: ...


@dataclass(frozen=True)
class Thing:
    """Something that is not the text of a node: its image, or a stretch of a recording as sound or as words."""

    id: str
    modality: str
    document: str
    """sha256 of the file it is in."""
    locator: str
    published: datetime
    content: Any
    """What the encoder of the modality takes."""
    words: str = ""
    """What is said of it in words, where the graph says so: what it is paired with in training."""

    @property
    def key(self) -> str:
        """Its key in the index."""
        part = f"|{self.locator}" if STRETCH.fullmatch(self.locator) else ""
        return f"{MODEL}.{self.modality}{part}"


def things(ledger: Stated, files: Files, modalities: Set[str] = EVERY) -> Iterator[Thing]:
    """Images of pages, stretches of recordings and figures of documents that the graph knows, each once.

    Of what is stated more than once the oldest claim counts; only those of the named modalities are made.
    """
    made = (_images, _stretches, _tables)
    alive = ledger.alive().sort_by([("published", "ascending"), ("claim", "ascending")])
    for make in made:
        yield from (thing for thing in make(alive, files, modalities) if thing.modality in modalities)


def _images(alive: pa.Table, files: Files, wanted: Set[str]) -> Iterator[Thing]:
    said = _first(alive, ("text",)) | _first(alive, ("caption",))
    for row in _rows(alive, IMAGES) if "image" in wanted else ():
        name = str(row["value_text"]).rpartition(":")[2]
        if name in files:
            yield _thing(row, "image", files.get(name), said.get(row["subject"], ""))


def _stretches(alive: pa.Table, files: Files, wanted: Set[str]) -> Iterator[Thing]:
    for row in _rows(alive, ("segment",)):
        words = str(row["value_text"])
        if not STRETCH.fullmatch(row["locator"]) or row["document"] not in files:
            continue
        yield _thing(row, "text", words, words)
        sound = stretch(files.get(row["document"]), row["locator"]) if "audio" in wanted else None
        if sound is not None:
            yield _thing(row, "audio", sound, words)


def _tables(alive: pa.Table, files: Files, wanted: Set[str]) -> Iterator[Thing]:
    """The figures of each document that has them of one entity alone: of each column the latest."""
    found: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    figures = alive.filter(pc.is_in(alive["name"], pa.array(COLUMNS))).sort_by([("valid_from", "ascending")])
    for row in figures.to_pylist() if "table" in wanted else ():
        found[row["document"]].append(row)
    said = _first(alive, ("text",))
    for document, rows in found.items():
        if len({row["subject"] for row in rows}) > 1:
            continue
        values = np.full(len(COLUMNS), np.nan)
        for row in rows:
            number = next(row[k] for k in ("value_real", "value_decimal", "value_int") if row[k] is not None)
            values[COLUMNS.index(row["name"])] = float(number)
        node = f"doc:{document}"
        told = max(as_time(row["published"]) for row in rows)
        yield Thing(node, "table", document, rows[0]["locator"], told, values, said.get(node, ""))


def stretch(recording: bytes, locator: str) -> bytes | None:
    """The seconds that a locator names, as a WAV file; None where they are too short to say anything."""
    found = STRETCH.fullmatch(locator)
    if found is None:
        raise ModelError(f"{locator!r} names no stretch of a recording; expected time:<seconds>-<seconds>")
    start, end = (round(float(part) * RATE) for part in found.groups())
    samples = _samples(recording)[start:end]
    if len(samples) < RATE // 5:
        return None
    buffer = io.BytesIO()
    with wav.open(buffer, "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return buffer.getvalue()


@lru_cache(maxsize=2)
def _samples(recording: bytes) -> np.ndarray:
    return wave(recording)


def encoders(space: Space | None = None) -> dict[str, Encoder]:
    """The frozen encoder of each modality of the index; of tables, where the space knows their scale."""
    known: dict[str, Encoder] = {"audio": Whisper(), "image": Image(), "text": Multilingual()}
    return known | ({"table": Table(space.table)} if space is not None and space.table else {})


def encoded(made: Sequence[Thing], known: Mapping[str, Encoder], cache: VectorCache) -> list[tuple[Thing, Tensor]]:
    """Each thing with its encoder's vector; what an encoder refuses is left out, with a line in the log."""
    found: list[tuple[Thing, Tensor]] = []
    for modality in sorted({thing.modality for thing in made} & set(known)):
        own = [thing for thing in made if thing.modality == modality]
        content = [thing.content for thing in own]
        vectors = (
            list(known[modality].encode(content)) if modality == "table" else cache.vectors(known[modality], content)
        )
        found += [(thing, vector) for thing, vector in zip(own, vectors, strict=True) if vector is not None]
    return found


@torch.no_grad()
def placed(found: Iterable[tuple[Thing, Tensor]], space: Space | None) -> list[tuple[Thing, Tensor]]:
    """Things with their vectors in the space of the index: texts as they are, the others through the space."""
    rows = []
    for thing, vector in found:
        if thing.modality == "text":
            rows.append((thing, vector))
        elif space is not None and thing.modality in space.widths:
            rows.append((thing, space(thing.modality, vector[None])[0]))
    return rows


def _thing(row: Mapping[str, Any], modality: str, content: str | bytes, words: str) -> Thing:
    return Thing(row["subject"], modality, row["document"], row["locator"], as_time(row["published"]), content, words)


def _rows(alive: pa.Table, names: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    """Claims of these properties, the first of each subject and key."""
    seen: set[tuple[str, str, str]] = set()
    for row in alive.filter(pc.is_in(alive["name"], pa.array(names))).to_pylist():
        mark = (row["subject"], row["name"], row["key"])
        if mark not in seen:
            seen.add(mark)
            yield row


def _first(alive: pa.Table, names: Sequence[str]) -> dict[str, str]:
    """By subject the value of its first claim of these properties."""
    return {row["subject"]: str(row["value_text"]) for row in _rows(alive, names)}
