"""Entries of the EU's consolidated list of financial sanctions, from its XML and its CSV in one shape.

The XML (`export/sanctionEntity`) says everything in attributes. The CSV has a row for each name, address, birth date or
identification, and repeats the entity's columns in each; its columns are brought to the names of the attributes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from lxml import etree

from ingest.extract.formats.markup import local, parse
from ingest.extract.formats.table import ROW, read_table
from ingest.extract.registers.statements import moment, public
from kg.errors import RecordError

KINDS: Final[Mapping[str, str]] = {
    "regulation": "Entity_Regulation_",
    "subjectType": "Entity_SubjectType_",
    "nameAlias": "NameAlias_",
    "address": "Address_",
    "birthdate": "BirthDate_",
    "identification": "Identification_",
    "citizenship": "Citizenship_",
}
"""Elements of an entry, and the prefix of the same in the CSV."""
_OTHERWISE: Final[Mapping[str, str]] = {
    "Entity_Regulation_Type": "regulationType",
    "Entity_SubjectType": "code",
    "Identification_TypeCode": "identificationTypeCode",
    "BirthDate_BirthDate": "birthdate",
    "NameAlias_WholeName": "wholeName",
}
"""Columns that are not called as the attribute is."""
_ENTITY: Final[Mapping[str, str]] = {
    "Entity_LogicalId": "logicalId",
    "Entity_EU_ReferenceNumber": "euReferenceNumber",
    "Entity_UnitedNationId": "unitedNationId",
    "Entity_DesignationDate": "designationDate",
    "Entity_DesignationDetails": "designationDetails",
}
COLUMNS: Final = frozenset(("Entity_LogicalId", "NameAlias_WholeName"))
GENERATED: Final = "fileGenerationDate"


@dataclass(frozen=True, slots=True)
class Part:
    """One element of an entry: its attributes, and where each stands."""

    values: Mapping[str, str]
    places: Mapping[str, str]

    def get(self, name: str) -> str:
        """The value of an attribute, or ""."""
        return self.values.get(name, "").strip()

    def cite(self, *names: str) -> tuple[str, str]:
        """Locator and quote of the first of these attributes that says something, else of any."""
        name = next((name for name in (*names, *self.values) if self.get(name)), "")
        if not name:
            raise RecordError(f"nothing stands in {', '.join(names)}")
        return self.places[name], self.values[name]


@dataclass(frozen=True, slots=True)
class Entry:
    """One party of the list."""

    about: Part
    parts: dict[str, list[Part]] = field(default_factory=dict)

    @property
    def reference(self) -> str:
        """The EU's reference number, else the list's own id."""
        return self.about.get("euReferenceNumber") or self.about.get("logicalId")

    def each(self, kind: str) -> Sequence[Part]:
        """Its names, addresses and so on."""
        return self.parts.get(kind, [])

    @property
    def person(self) -> bool:
        """True for a natural person."""
        codes = {
            part.get(name).casefold() for part in self.each("subjectType") for name in ("code", "classificationCode")
        }
        return bool(codes & {"person", "p"})


@dataclass(frozen=True, slots=True)
class SanctionsList:
    """All entries of one file, and the date it was made."""

    entries: Sequence[Entry]
    generated: str


def list_day(text: str) -> datetime | None:
    """Day or time of an ISO date, or of `05/08/2026`, which the list's CSV writes day first."""
    return moment(_year_first(text))


def shown(text: str) -> datetime | None:
    """When what the list dates so was public: a day at its end."""
    return public(_year_first(text))


def _year_first(text: str) -> str:
    day, _, rest = text.strip().partition("/")
    month, _, year = rest.partition("/")
    return f"{year}-{month:0>2}-{day:0>2}" if year else text


def is_list(head: bytes) -> bool:
    """True for the beginning of the list as XML or CSV."""
    return b"<sanctionEntity" in head or (b"Entity_LogicalId" in head and b"NameAlias_WholeName" in head)


def read_list(content: bytes) -> SanctionsList:
    """The list in a file; RecordError if it is none."""
    if content.lstrip(b"\xef\xbb\xbf \r\n\t")[:1] == b"<":
        root = parse(content)
        entries = list(_of_xml(root))
        generated = root.get("generationDate") or ""
    else:
        entries, generated = _of_csv(content)
    if not entries:
        raise RecordError("no entry of the EU's sanctions list; expected export/sanctionEntity, or its CSV")
    return SanctionsList(entries, generated)


def _of_xml(root: etree._Element) -> Iterator[Entry]:
    number = 0
    for element in root.iterchildren(tag=etree.Element):
        if local(element) != "sanctionEntity":
            continue
        number += 1
        path = f"xpath:/{local(root)}[1]/sanctionEntity[{number}]"
        entry, seen = Entry(_attributes(element, path)), dict[str, int]()
        for child in element.iterchildren(tag=etree.Element):
            name = local(child)
            seen[name] = seen.get(name, 0) + 1
            if name in KINDS:
                entry.parts.setdefault(name, []).append(_attributes(child, f"{path}/{name}[{seen[name]}]"))
        yield entry


def _attributes(element: etree._Element, path: str) -> Part:
    values = {str(name): str(value) for name, value in element.attrib.items()}
    summary = next((child for child in element if local(child) == "regulationSummary"), None)
    if summary is not None:
        values["publicationDate"] = values.get("publicationDate") or summary.get("publicationDate") or ""
    return Part(values, {name: f"{path}/@{name}" for name in values})


def _of_csv(content: bytes) -> tuple[list[Entry], str]:
    table = read_table(content)
    if not set(table.columns) >= COLUMNS:
        raise RecordError(f"the CSV lacks {', '.join(sorted(COLUMNS - set(table.columns)))}")
    entries: dict[str, Entry] = {}
    seen: set[tuple[str, str, str]] = set()
    generated = ""
    for row in table.frame.iter_rows(named=True):
        cells = {name: row[name] or "" for name in table.columns}
        generated = generated or cells.get(GENERATED, "")
        if not (id := cells["Entity_LogicalId"]):
            continue
        entry = entries.setdefault(id, Entry(_cells(cells, _ENTITY, row[ROW])))
        for kind, prefix in KINDS.items():
            part = _cells(cells, {c: _attribute(c, prefix) for c in cells if _of(c, prefix)}, row[ROW])
            if any(part.values.values()) and (mark := (id, kind, repr(part.values))) not in seen:
                seen.add(mark)
                entry.parts.setdefault(kind, []).append(part)
    return list(entries.values()), generated


def _of(column: str, prefix: str) -> bool:
    return column.startswith(prefix) or column == prefix.rstrip("_")


def _cells(cells: Mapping[str, str], names: Mapping[str, str], row: int) -> Part:
    given = {name: column for column, name in names.items() if column in cells}
    return Part(
        {name: cells[column] for name, column in given.items()},
        {name: f"row:{row} cells:{column}" for name, column in given.items()},
    )


def _attribute(column: str, prefix: str) -> str:
    """`countryIso2Code` of `Address_CountryIso2Code`."""
    short = column.removeprefix(prefix)
    return _OTHERWISE.get(column) or short[:1].lower() + short[1:]
