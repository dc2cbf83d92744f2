"""The EU's consolidated list of financial sanctions (XML and CSV): parties with every alias, marked while listed.

A party that the next list of the folder lacks was delisted by then: its marks end on that list's date. The next list is
the next one made that has at least half of the parties, so that a list of others delists nobody.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar, Final

from ingest.extract.formats.identifier import COUNTRIES, identify, person_id
from ingest.extract.registers.sanctioned import Entry, Part, is_list, list_day, read_list, shown
from ingest.extract.registers.statements import moment
from ingest.source import Extract, Models, Record, Refusal, Source
from kg.errors import RecordError
from kg.model import Claim, ClaimBatch, Edge, Evidence, Facts, Node

_WEAK: Final = 0.6
"""Confidence of an alias that the list itself calls weak."""
_ENDING = ("delist", "repeal", "terminat")


class Sanctions(Source):
    """Parties under financial sanctions of the EU."""

    extractor: ClassVar[str] = "sanctions.parties@2"
    patterns: ClassVar[Sequence[str]] = ("*.xml", "*.csv")

    def records(self) -> Iterator[Record]:
        """One record per list, oldest first; each knows whom the next one lacks."""
        now = datetime.now(UTC)
        lists = [(path, content) for path in self.files if (content := _content(path))]
        read = []
        for path, content in lists:
            try:
                found = read_list(content)
                read.append((list_day(found.generated), path, content, {entry.reference for entry in found.entries}))
            except RecordError:
                read.append((None, path, content, set()))
        dated = sorted((when, there) for when, _, _, there in read if when)
        for when, path, content, there in read:
            later = next(
                (one for one in dated if when and one[0] > when and 2 * len(there & one[1]) >= len(there)), None
            )
            gone = sorted(there - later[1]) if later else []
            meta = {"read": now} | ({"gone": gone, "until": later[0].isoformat()} if later and gone else {})
            yield Record("sanctions", path.relative_to(self.folder).as_posix(), content, meta=meta)

    def claims(self, record: Record, models: Models) -> Extract:
        found = read_list(record.content)
        generated = shown(found.generated) or record.meta.get("read")
        gone, until = set(record.meta.get("gone", ())), moment(record.meta.get("until"))
        claims: list[Claim] = []
        refused: list[Refusal] = []
        for entry in found.entries:
            try:
                reading = _Reading(record.document, self.extractor, entry, generated)
                claims += list(reading.claims(until if entry.reference in gone else None))
                refused += reading.refused
            except RecordError as error:
                refused.append(Refusal(entry.about.cite("euReferenceNumber", "logicalId")[0], str(error)))
        return Extract(ClaimBatch.of(claims), refused, ("remark", "gender", "title", "function"))


def _content(path: Path) -> bytes:
    with path.open("rb") as file:
        head = file.read(20_000)
        return head + file.read() if is_list(head) else b""


class _Reading:
    """One entry being read."""

    def __init__(self, document: str, extractor: str, entry: Entry, generated: datetime | None) -> None:
        self._document, self._extractor, self._entry = document, extractor, entry
        laws = [day for law in entry.each("regulation") if (day := shown(law.get("publicationDate")))]
        first = min(laws, default=generated)
        if first is None or not entry.reference:
            raise RecordError("an entry without reference number, or without any date of publication")
        self._first = first
        self.refused: list[Refusal] = []
        known = f"reg:EU-FSF/{entry.reference}"
        self.id = person_id(known) if entry.person else known

    def claims(self, until: datetime | None) -> Iterator[Claim]:
        """Everything the entry says; its marks end at `until`."""
        label = "Person" if self._entry.person else "Company"
        about = self._entry.about
        if not self._entry.each("nameAlias"):
            raise RecordError(f"entry {self._entry.reference} has no name")
        yield self._claim(Node(label, self.id), about.cite("euReferenceNumber", "logicalId"))
        yield from self._named()
        yield from self._marked(until)
        yield from self._placed()
        yield from self._numbered()

    def _named(self) -> Iterator[Claim]:
        for alias in self._entry.each("nameAlias"):
            parts = [alias.get(name) for name in ("firstName", "middleName", "lastName")]
            name = alias.get("wholeName") or " ".join(part for part in parts if part)
            if name:
                sure = _WEAK if alias.get("strong") == "false" else 1.0
                place = alias.cite("wholeName", "lastName", "firstName")
                yield self._claim(Facts(self.id, {"name": " ".join(name.split())}), place, alias, sure=sure)

    def _marked(self, until: datetime | None) -> Iterator[Claim]:
        """A mark per programme from the day of designation, and one event of the listing."""
        laws = self._entry.each("regulation")
        designated = list_day(self._entry.about.get("designationDate"))
        programmes: dict[str, list[Part]] = {}
        for law in laws:
            programmes.setdefault(law.get("programme") or "unknown programme", []).append(law)
        for programme, own in programmes.items():
            days = [day for law in own if (day := _force(law))]
            ends = [day for law in own if _ends(law) and (day := _force(law))]
            start = min([designated] if designated else days, default=None)
            end = min([*ends, *([until] if until else [])], default=None)
            if end and start and start >= end:
                raise RecordError(f"entry {self._entry.reference} is delisted before it is listed")
            mark = Facts(self.id, {"flag": f"sanctioned: {programme}"})
            yield self._claim(mark, own[0].cite("programme"), own[0], (start, end))
        if laws:
            yield from self._listing(laws[0], designated or _force(laws[0]))

    def _listing(self, law: Part, day: datetime | None) -> Iterator[Claim]:
        event = f"event:sanction-{self.id.partition(':')[2].replace('/', '-')}"
        place = law.cite("numberTitle", "programme")
        yield self._claim(Node("Event", event), place, law)
        yield self._claim(Facts(event, {"event_type": "sanction"}), place, law, (day, None))
        if title := law.get("numberTitle"):
            yield self._claim(Facts(event, {"title": title}), place, law, (day, None))
        yield self._claim(Edge("AFFECTED_BY", self.id, event, {"role": "subject"}, "subject"), place, law, (day, None))

    def _placed(self) -> Iterator[Claim]:
        for address in self._entry.each("address"):
            if (code := address.get("countryIso2Code").upper()) in COUNTRIES:
                place = address.cite("countryIso2Code")
                yield self._claim(Node("Country", f"iso:{code}"), place, address)
                yield self._claim(Edge("IN_COUNTRY", self.id, f"iso:{code}"), place, address)
        for citizen in self._entry.each("citizenship"):
            if (code := citizen.get("countryIso2Code").upper()) in COUNTRIES:
                told = Facts(self.id, {"statement": code}, f"nationality|{code}")
                yield self._claim(told, citizen.cite("countryIso2Code"), citizen)
        for birth in self._entry.each("birthdate"):
            if day := birth.get("birthdate") or birth.get("year"):
                told = Facts(self.id, {"statement": day}, f"birth date|{day}")
                yield self._claim(told, birth.cite("birthdate", "year"), birth)

    def _numbered(self) -> Iterator[Claim]:
        """Numbers of firms; documents of persons stay out of the graph."""
        for number in self._entry.each("identification"):
            value, kind = number.get("number"), number.get("identificationTypeCode").casefold()
            if self._entry.person or not value or number.get("knownFalse") == "true":
                continue
            country = number.get("countryIso2Code").upper()
            scheme = "bic:" if kind == "swiftbic" else f"reg:{country if country in COUNTRIES else 'EU-FSF-ID'}/"
            try:
                id = identify(f"lei:{value}" if kind == "lei" else f"{scheme}{value}")
            except ValueError as error:
                self.refused.append(Refusal(number.cite("number")[0], str(error)))
                continue
            yield self._claim(Facts(self.id, {"identifier": id}), number.cite("number"), number)

    def _claim(
        self,
        what: Node | Facts | Edge,
        place: tuple[str, str],
        part: Part | None = None,
        holds: tuple[datetime | None, datetime | None] = (None, None),
        sure: float = 1.0,
    ) -> Claim:
        told = shown(part.get("publicationDate")) if part else None
        evidence = Evidence(self._document, *place, self._extractor, sure)
        return Claim(what, evidence, told or self._first, *holds)


def _force(law: Part) -> datetime | None:
    return list_day(law.get("entryIntoForceDate")) or list_day(law.get("publicationDate"))


def _ends(law: Part) -> bool:
    return law.get("regulationType").casefold().startswith(_ENDING)
