"""Beneficial ownership statements (BODS 0.2 to 0.4, JSON or JSON lines): parties, shares and control, with their ends.

A statement is public since its `publicationDate`, and no earlier than its `statementDate`. One that is replaced is held
to last until the one that replaces it is published; from then on it ended with that one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import ClassVar

from ingest.extract.formats.pointer import at, read_json, written
from ingest.extract.registers.interests import relationship
from ingest.extract.registers.parties import Said, party, party_id
from ingest.extract.registers.statements import Statement, read_statements, versions
from ingest.source import Extract, Models, Record, Refusal, Source
from kg.errors import RecordError
from kg.model import Claim, ClaimBatch, Edge, Evidence

_READ = frozenset(
    (
        *(
            "name",
            "alternateNames",
            "names",
            "identifiers",
            "jurisdiction",
            "incorporatedInJurisdiction",
            "foundingDate",
        ),
        *("birthDate", "deathDate", "dissolutionDate", "publicListing", "taxResidencies", "addresses", "nationalities"),
        *("placeOfResidence", "politicalExposure", "subject", "interestedParty", "interests", "componentRecords"),
        *("isComponent", "unspecifiedPersonDetails"),
    )
)
_ABOUT = frozenset(
    (
        *("statementID", "statementId", "statementType", "statementDate", "replacesStatements", "publicationDetails"),
        *("recordId", "recordType", "recordStatus", "recordDetails"),
    )
)
"""Members of a statement that say what it is a statement of."""


class Bods(Source):
    """Ownership and control as statements of a register."""

    extractor: ClassVar[str] = "bods.statements@3"
    patterns: ClassVar[Sequence[str]] = ("*.json", "*.jsonl")

    def records(self) -> Iterator[Record]:
        """One record per file: statements of one file refer to each other."""
        for path in self.files:
            with path.open("rb") as file:
                head = file.read(20_000)
            if is_bods(head):
                yield Record("bods", path.relative_to(self.folder).as_posix(), path.read_bytes())

    def claims(self, record: Record, models: Models) -> Extract:
        value = read_json(record.content)
        statements, refused = read_statements(value)
        reading, ids = _Reading(record.document, self.extractor, value), _ids(statements)
        for statement, later in versions(statements):
            try:
                reading.read(statement, later, ids)
            except RecordError as error:
                refused.append(Refusal(statement.place(), str(error)))
        return Extract(ClaimBatch.of(reading.claims), refused, sorted(reading.unread), dict(reading.rules))


def is_bods(head: bytes) -> bool:
    """True for the beginning of a file of statements."""
    return b'"statementI' in head and (b'"recordType"' in head or b'"statementType"' in head)


def _ids(statements: Sequence[Statement]) -> dict[str, str]:
    """Ids of the parties by statement id and by record id."""
    parties = [(s, party_id(s)) for s in statements if s.kind != "relationship"]
    return {s.record: id for s, id in parties} | {s.id: id for s, id in parties}


class _Reading:
    """One file being read: claims, what nobody read, and how many statements were superseded."""

    def __init__(self, document: str, extractor: str, value: object) -> None:
        self._document, self._extractor, self._value = document, extractor, value
        self.claims: list[Claim] = []
        self.unread: set[str] = set()
        self.rules: Counter[str] = Counter()

    def read(self, statement: Statement, later: Statement | None, ids: dict[str, str]) -> None:
        item = at(self._value, "".join(f"/{step}" for step in statement.steps if step != "recordDetails"))
        self.unread |= ({*statement.details} | {*item}) - _READ - _ABOUT
        if later:
            self.rules["statement.superseded"] += 1
        if statement.kind == "relationship":
            said = list(relationship(statement, later, ids))
        else:
            said = list(_until(statement, later))
        self.claims += [self._claim(one, statement) for one in said]

    def _claim(self, said: Said, statement: Statement) -> Claim:
        quote = written(at(self._value, said.place.removeprefix("json:")))
        sure = 0.99 if said.published else 1.0  # what a statement says goes before the end of what it replaces
        evidence = Evidence(self._document, said.place, quote, self._extractor, sure)
        return Claim(said.what, evidence, said.published or statement.public, said.valid_from, said.valid_to)


def _until(statement: Statement, later: Statement | None) -> Iterator[Said]:
    """What a party's next statement no longer says ends with it; that the party exists does not."""
    kept = {repr(one.what) for one in party(later)} if later else set()
    for one in party(statement):
        if later and repr(one.what) not in kept and _can_end(one):
            yield from one.until(later.published, statement, later)
        else:
            yield one


def _can_end(said: Said) -> bool:
    what = said.what
    return isinstance(what, Edge) or bool({"name", "ticker", "identifier"} & set(what.props))
