"""Statements of the Beneficial Ownership Data Standard (BODS 0.2, 0.3, 0.4) in one shape, and the chains in which one
replaces another.

From 0.4 a statement is a version of a record (`recordId`, `recordStatus`, `recordDetails`); before, it stands alone and
names those it replaces, so that the first of the chain gives the record its id.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from ingest.extract.formats.pointer import BROKEN, pointer
from ingest.source import Refusal
from kg.errors import RecordError
from kg.model import next_day

Object = Mapping[str, Any]
_KINDS: Final[Mapping[str, str]] = {
    "entitystatement": "entity",
    "personstatement": "person",
    "ownershiporcontrolstatement": "relationship",
    "entity": "entity",
    "person": "person",
    "relationship": "relationship",
}
_DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?$")


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement: a version of what is known of an entity, a person or a relationship."""

    id: str
    record: str
    """Id of the record it is a version of."""
    kind: str
    """entity, person or relationship."""
    published: datetime
    """When the statement was made."""
    public: datetime
    """When its publisher made it public: no earlier than it was made, and a day at its end."""
    closed: bool
    details: Object
    steps: tuple[str | int, ...]
    """Where `details` stands in the file."""

    def place(self, *more: str | int) -> str:
        """Locator of a part of the details."""
        return pointer([*self.steps, *more])


def read_statements(value: Any) -> tuple[list[Statement], list[Refusal]]:
    """All statements of a file in order, and what is none; RecordError if there is no statement at all."""
    items = value if isinstance(value, list) else [value]
    found, refused = [], []
    roots = _roots([item for item in items if isinstance(item, dict)])
    for number, item in enumerate(items):
        if item is None:
            continue
        try:
            found.append(_statement(item, number if isinstance(value, list) else None, roots))
        except RecordError as error:
            refused.append(Refusal(pointer([number]), str(error)))
    if not found:
        why = refused[0].reason if refused else "the list is empty"
        raise RecordError(f"no statement of BODS in the file: {why}")
    return found, refused


def _statement(item: Any, number: int | None, roots: Mapping[str, str]) -> Statement:
    if item is BROKEN or not isinstance(item, dict):
        raise RecordError("the line or item is no JSON object; expected a statement")
    kind = _KINDS.get(str(item.get("recordType") or item.get("statementType") or "").casefold(), "")
    id = str(item.get("statementId") or item.get("statementID") or "")
    if not kind or not id:
        raise RecordError("no statementId, or a type that is none of entity, person, relationship")
    details = item.get("recordDetails", item)
    if not isinstance(details, dict):
        raise RecordError("recordDetails is no object")
    about = item.get("publicationDetails")
    shown = about.get("publicationDate") if isinstance(about, dict) else None
    said = item.get("statementDate") or shown
    if (published := moment(said)) is None:
        raise RecordError(f"statementDate {said!r} is no ISO date")
    steps: list[str | int] = [] if number is None else [number]
    return Statement(
        id,
        str(item.get("recordId") or roots.get(id, id)),
        kind,
        published,
        max(public(said) or published, public(shown) or published),
        item.get("recordStatus") == "closed",
        details,
        (*steps, "recordDetails") if "recordDetails" in item else tuple(steps),
    )


def _roots(items: Sequence[Object]) -> dict[str, str]:
    """First statement of the chain that each statement without a record id belongs to."""
    before: dict[str, str] = {}
    for item in items:
        replaced = item.get("replacesStatements")
        if isinstance(replaced, list) and replaced and "statementID" in item:
            before[str(item["statementID"])] = str(replaced[0])
    return {id: _root(id, before) for id in before}


def _root(id: str, before: Mapping[str, str]) -> str:
    seen = {id}
    while (earlier := before.get(id)) and earlier not in seen:
        seen.add(earlier)
        id = earlier
    return id


def versions(statements: Sequence[Statement]) -> Iterator[tuple[Statement, Statement | None]]:
    """Each statement with the one that replaces it, if any."""
    records: dict[tuple[str, str], list[Statement]] = {}
    for statement in statements:
        records.setdefault((statement.kind, statement.record), []).append(statement)
    for chain in records.values():
        ordered = sorted(chain, key=lambda statement: statement.published)
        yield from zip(ordered, [*ordered[1:], None], strict=True)


def moment(value: Any) -> datetime | None:
    """Start of an ISO date or time, of a year or a year and month; None for anything else."""
    if not isinstance(value, str):
        return None
    try:
        if match := _DATE.match(value.strip()):
            return datetime(int(match[1]), int(match[2] or 1), int(match[3] or 1), tzinfo=UTC)
        found = datetime.fromisoformat(value.strip())
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def public(value: Any) -> datetime | None:
    """When what is dated so was public: the end of an ISO date, a year or a month; a time as it is."""
    start = moment(value)
    match = _DATE.match(value.strip()) if isinstance(value, str) else None
    if start is None or match is None:
        return start
    if match[3]:
        return next_day(start)
    months = 1 if match[2] else 12
    return start.replace(year=start.year + (start.month + months > 12), month=(start.month + months - 1) % 12 + 1)


def objects(details: Object, key: str) -> Iterator[tuple[int, Object]]:
    """The objects of a list, with their places."""
    value = details.get(key)
    for number, item in enumerate(value if isinstance(value, list) else []):
        if isinstance(item, dict):
            yield number, item


def text(value: Any) -> str:
    """The text of a value that should be one, else nothing."""
    return value.strip() if isinstance(value, str) else ""


def words(name: str) -> str:
    """`board member` of `boardMember` or `board-member`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|[-_]", " ", name).lower()
