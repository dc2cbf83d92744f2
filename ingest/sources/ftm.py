"""FollowTheMoney entities (JSON or JSON lines): parties, what they own and direct, sanctions, family and other links.

An entity is public since `last_change`, else `modifiedAt`, else what a sidecar says, else since it was read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

from ingest.extract.formats.pointer import BROKEN, at, pointer, read_json, written
from ingest.extract.registers import entities, links
from ingest.extract.registers.entities import Entity, entity_id
from ingest.extract.registers.parties import Said
from ingest.extract.registers.statements import public
from ingest.sidecar import published_beside, read_beside
from ingest.source import Extract, Models, Record, Refusal, Source
from kg.errors import RecordError
from kg.model import Claim, ClaimBatch, Evidence


class Ftm(Source):
    """Entities and links of FollowTheMoney."""

    extractor: ClassVar[str] = "ftm.entities@2"
    patterns: ClassVar[Sequence[str]] = ("*.json", "*.jsonl", "*.ftm")

    def records(self) -> Iterator[Record]:
        """One record per file: entities of one file refer to each other."""
        now = datetime.now(UTC)
        for path in self.files:
            with path.open("rb") as file:
                head = file.read(50_000)
            if is_ftm(head):
                name = path.relative_to(self.folder).as_posix()
                sidecar = _beside(path)
                yield Record("ftm", name, path.read_bytes(), published_beside(sidecar), {"read": now}, sidecar)

    def claims(self, record: Record, models: Models) -> Extract:
        value = read_json(record.content)
        found, refused = _entities(value)
        ids: dict[str, str] = {}
        for entity in found:
            if not entity.label and entity.schema not in links.SHAPES:
                ids[entity.given] = ""
            elif entity.label:
                try:
                    ids[entity.given] = entity_id(entity)
                except RecordError as error:
                    refused.append(Refusal(entity.place(), str(error)))
        reading = _Reading(record, self.extractor, value, ids)
        for entity in found:
            try:
                reading.read(entity)
            except RecordError as error:
                refused.append(Refusal(entity.place(), str(error)))
        return Extract(ClaimBatch.of(reading.claims), refused, sorted(reading.unread))


def is_ftm(head: bytes) -> bool:
    """True for the beginning of a file of entities."""
    return b'"schema"' in head and b'"properties"' in head and b'"$schema"' not in head


def _beside(path: Path) -> bytes:
    return read_beside(path.with_name(f"{path.name}.meta.json"))


def _entities(value: Any) -> tuple[list[Entity], list[Refusal]]:
    """Every entity of the file, those nested in others too, and what is none."""
    found: list[Entity] = []
    refused: list[Refusal] = []
    if isinstance(value, dict) and isinstance(value.get("entities"), list):
        items: list[tuple[tuple[str | int, ...], Any]] = [(("entities", n), e) for n, e in enumerate(value["entities"])]
    else:
        items = [((n,), e) for n, e in enumerate(value)] if isinstance(value, list) else [((), value)]
    for steps, item in items:
        if item is None:
            continue
        try:
            if item is BROKEN or not isinstance(item, dict):
                raise RecordError("the line or item is no JSON object; expected an entity")
            found += _with_nested(item, steps)
        except RecordError as error:
            refused.append(Refusal(pointer(steps), str(error)))
    if not found:
        raise RecordError("no entity of FollowTheMoney in the file; expected objects with id, schema and properties")
    return found, refused


def _with_nested(item: Mapping[str, Any], steps: tuple[str | int, ...]) -> Iterator[Entity]:
    entity = Entity(item, steps)
    yield entity
    for name, values in entity.properties.items():
        for number, value in enumerate(values if isinstance(values, list) else []):
            if isinstance(value, dict) and "schema" in value:
                yield from _with_nested(value, (*steps, "properties", name, number))


class _Reading:
    """One file being read."""

    def __init__(self, record: Record, extractor: str, value: Any, ids: Mapping[str, str]) -> None:
        self._record, self._extractor, self._value, self._ids = record, extractor, value, ids
        self._otherwise = record.published or record.meta.get("read")
        self.claims: list[Claim] = []
        self.unread: set[str] = set()

    def read(self, entity: Entity) -> None:
        if entity.label:
            if id := self._ids.get(entity.given):
                for said, sure in entities.entity(entity, id):
                    self._add(said, entity, sure)
                self._all(links.linked(entity, id, self._ids), entity)
            self._note(entity, entities.USED)
        elif entity.schema in links.SHAPES:
            self._note(entity, links.USED)
            self._all(links.link(entity, self._ids), entity)
        elif entity.schema == "Sanction":
            self._note(entity, links.USED)
            self._all(links.sanction(entity, self._ids), entity)
        else:
            self.unread.add(entity.schema)

    def _note(self, entity: Entity, used: frozenset[str]) -> None:
        nested = {name for name, value in entity.properties.items() if _holds_entities(value)}
        self.unread |= {f"{entity.schema}.{name}" for name in set(entity.properties) - used - nested}

    def _all(self, said: Iterator[Said], entity: Entity) -> None:
        for one in list(said):
            self._add(one, entity, 1.0)

    def _add(self, said: Said, entity: Entity, sure: float) -> None:
        quote = written(at(self._value, said.place.removeprefix("json:")))
        evidence = Evidence(self._record.document, said.place, quote, self._extractor, sure)
        self.claims.append(Claim(said.what, evidence, self._published(entity), said.valid_from, said.valid_to))

    def _published(self, entity: Entity) -> datetime:
        told = entity.item.get("last_change") or entity.first("modifiedAt")
        when = public(told) or self._otherwise
        if when is None:
            raise RecordError(f"{entity.schema} {entity.given} does not say when it was published")
        return when


def _holds_entities(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(one, dict) for one in value)
