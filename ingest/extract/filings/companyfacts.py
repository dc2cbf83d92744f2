"""Company facts are every figure a filer ever tagged, as EDGAR's `companyfacts` JSON lists them: one entry per filing.

An entry says value, period, unit, the filing (accession number, form, fiscal year) and the day it was filed, which is
when it was published. A restated figure is a later entry of the same concept and period with another value: both stay,
and each is returned for its own publication date. Keys are those of inline XBRL, so that a filing and this list agree.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from ingest.extract.filings.filing import Party, Spot, Witness
from ingest.extract.filings.xbrl import CONCEPTS, Context, Fact, properties_of
from ingest.extract.formats.identifier import identify
from ingest.extract.formats.pointer import pointer, read_json, written
from ingest.source import Refusal
from kg.errors import RecordError
from kg.model import Claim, Node, as_time

_PROPERTY_OF = {f"us-gaap:{concept}" for concepts in CONCEPTS.values() for concept in concepts}


def is_company_facts(content: bytes) -> bool:
    """True for the JSON of EDGAR's companyfacts (by its first keys)."""
    head = content[:2000].lstrip(b"\xef\xbb\xbf \r\n\t")
    return head.startswith(b"{") and b'"entityName"' in head and b'"facts"' in head and b'"cik"' in head


class CompanyFacts:
    """The facts of one filer; `claims` turns them into claims with their own publication dates."""

    def __init__(self, content: bytes) -> None:
        said = read_json(content)
        if not isinstance(said, dict) or not isinstance(said.get("facts"), dict):
            raise RecordError("no companyfacts: expected a JSON object with cik, entityName and facts")
        try:
            self.id = identify(f"cik:{said.get('cik')}")
        except ValueError as error:
            raise RecordError(f"companyfacts of no filer: {error}") from error
        self._said: Mapping[str, Any] = said

    def claims(self, witness: Witness) -> Iterator[Claim | Refusal]:
        """Claims of every entry, refusals for entries that cannot be read. The witness's own date is not used."""
        entries = list(self._entries())
        read = [entry for entry in entries if not isinstance(entry, Refusal)]
        if not read:
            raise RecordError("companyfacts without a single fact; expected facts/<taxonomy>/<concept>/units")
        first = replace(witness, published=as_time(min(filed for _, filed in read)))
        name = str(self._said.get("entityName", ""))
        party = Party(
            name, Spot(pointer(["entityName" if name else "cik"]), name or written(self._said["cik"])), self.id[4:]
        )
        yield from party.claims(first)
        chosen = _chosen([fact for fact, _ in read])
        for entry in entries:
            if isinstance(entry, Refusal):
                yield entry
                continue
            fact, filed = entry
            said = replace(witness, published=as_time(filed))
            node = Node(party.kind, self.id, *fact.stated(chosen.get(fact.path)))
            yield said.says(node, Spot(fact.path, fact.quote), fact.context.valid_from)

    def _entries(self) -> Iterator[tuple[Fact, date] | Refusal]:
        for taxonomy, concepts in self._said["facts"].items():
            for concept, told in concepts.items() if isinstance(concepts, dict) else ():
                units = told.get("units") if isinstance(told, dict) else None
                if not isinstance(units, dict) or not all(isinstance(entries, list) for entries in units.values()):
                    yield Refusal(pointer(["facts", taxonomy, concept]), "the concept has no units with lists of facts")
                    continue
                for unit, entries in units.items():
                    for n, entry in enumerate(entries):
                        place = pointer(["facts", taxonomy, concept, "units", unit, n])
                        yield _entry(f"{taxonomy}:{concept}", unit, entry, place)


def _entry(concept: str, unit: str, entry: Any, place: str) -> tuple[Fact, date] | Refusal:
    try:
        start = date.fromisoformat(entry["start"]) if entry.get("start") else None
        context = Context(entry["accn"], start, date.fromisoformat(entry["end"]), "")
        value = entry["val"]
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            raise ValueError(f"val {value!r} is no number")
        return Fact(concept, context, Decimal(value), unit, 99, place, written(entry)), date.fromisoformat(
            entry["filed"]
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        quote = json.dumps(entry, default=str)[:120]
        return Refusal(
            place, f"no fact ({type(error).__name__}: {error}); expected accn, end, filed and val, found {quote}"
        )


def _chosen(facts: list[Fact]) -> dict[str, str]:
    """Property by place, for the facts that are one: of each filing and period the preferred concept."""
    return {fact.path: name for name, fact in properties_of(f for f in facts if f.concept in _PROPERTY_OF)}
