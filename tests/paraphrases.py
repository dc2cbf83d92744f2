"""Sentences that state, end or deny relations in many ways, and how many of them the extraction reads right.

A row of paraphrases.tsv has letters for names: A and D are banks, B, C, E and S firms, X and Y persons; the names
change from row to row. `says` lists what holds (`LENDS_TO A B amount=5 currency=EUR`) and what has ended (a `-` before
it; a `~` before it: may be read or not); a row that says nothing denies, hedges or asks. The halves share no wording:
dev is tuned on, test only counted. wordings.tsv has the same letters, a form for each row and halves tune and test.
"""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from ingest.extract.prose.relations import Finding, relations
from ingest.extract.text.names import Gazetteer
from ingest.source import Models

TABLE = Path(__file__).parent / "data" / "paraphrases.tsv"
WORDINGS = TABLE.parent / "wordings.tsv"
PUBLISHED = datetime(2024, 3, 15, 12, tzinfo=UTC)
RELATIONS = ("LENDS_TO", "OWNS", "SUBSIDIARY_OF", "SUPPLIES", "OFFICER_OF", "COMPETES_WITH", "EXPOSED_TO")
BANKS = (
    "Brentholm Bank",
    "Marlow & Quill Bank plc",
    "Caldergate Savings Bank",
    "Norrvik Bank AB",
    "Banque Dervaux SA",
    "Halloran Trust Bank",
)
FIRMS = (
    "Corvina Timber AG",
    "Ostby Steel ASA",
    "Pellworth Foods Inc.",
    "Tarnwick Logistics Ltd",
    "Azuline Pharma SE",
    "Kestrel Bay Energy Corp.",
    "Morvane Industries plc",
    "Quillon Devices GmbH",
    "Sabrefield Holdings",
    "Ludwell Motors",
    "Dovre Capital",
    "Hexmoor Chemicals NV",
)
PEOPLE = (
    "Ilse Varga",
    "Marcus Thornbury",
    "Henrike Lindqvist",
    "Tomas Okafor",
    "Priya Ramanathan",
    "Alison Grieve",
    "Kenji Watabe",
)
Unit = tuple[str, str, str, bool]
"""Relation, source, target and whether it has ended."""


@dataclass(frozen=True)
class Row:
    """One sentence with its names filled in, and what it says."""

    half: str
    stratum: str
    sentence: str
    says: dict[Unit, dict[str, str]]
    form: str = ""
    may: frozenset[Unit] = frozenset()
    """What follows from the sentence without being said: right if read, not missed if not."""


@dataclass
class Count:
    """How many units are said, found and right, and how many values of those found right are as said."""

    said: int = 0
    found: int = 0
    right: int = 0
    values: int = 0
    values_right: int = 0
    wrong: list[str] = field(default_factory=list)
    """Sentences that were misread; looked at for the dev half only."""

    @property
    def precision(self) -> float:
        return self.right / max(1, self.found)

    @property
    def recall(self) -> float:
        return self.right / max(1, self.said)

    @property
    def f1(self) -> float:
        return 2 * self.right / max(1, self.found + self.said)


def rows(half: str, table: Path = TABLE) -> Iterator[Row]:
    with table.open(encoding="utf-8") as file:
        for number, row in enumerate(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)):
            if row["half"] == half:
                names = _names(number)
                units = [said for said in row["says"].split(" | ") if said]
                says = dict(_unit(said, names) for said in units if said[0] != "~")
                may = frozenset(_unit(said[1:], names)[0] for said in units if said[0] == "~")
                yield Row(half, row["stratum"], _fill(row["sentence"], names), says, row.get("form", ""), may)


def count(half: str, table: Path = TABLE) -> dict[str, Count]:
    """Counts by relation, by form where the table has forms, and of all."""
    counts = defaultdict(Count, {name: Count() for name in (*RELATIONS, "all")})
    for row in rows(half, table):
        found = {_of(f): f for f in relations(row.sentence, MODELS, PUBLISHED) if not f.event}
        for unit in (row.says.keys() | found.keys()) - row.may:
            for name in dict.fromkeys((unit[0], row.form or unit[0], "all")):
                _add(counts[name], unit, row, found)
    return counts


def _add(into: Count, unit: Unit, row: Row, found: dict[Unit, Finding]) -> None:
    said, read = unit in row.says, unit in found
    into.said += said
    into.found += read
    into.right += said and read
    if said != read:
        into.wrong.append(f"{'missed' if said else 'wrong '} {' '.join(map(str, unit))}: {row.sentence}")
        return
    for key, value in row.says[unit].items():
        right = _same(value, found[unit].props.get(key))
        into.values += 1
        into.values_right += right
        if not right:
            into.wrong.append(f"value {key}={value} read {found[unit].props.get(key)}: {row.sentence}")


def _names(number: int) -> dict[str, str]:
    firms = [FIRMS[(number + i) % len(FIRMS)] for i in range(4)]
    people = [PEOPLE[(number + i) % len(PEOPLE)] for i in range(2)]
    banks = [BANKS[(number + i) % len(BANKS)] for i in range(2)]
    return dict(zip("ADBCESXY", (*banks, *firms, *people), strict=True))


def _fill(sentence: str, names: dict[str, str]) -> str:
    """A name that ends in a dot takes the place of the full stop too."""
    return re.sub(r"\.\.$", ".", sentence.format(**names))


def _unit(said: str, names: dict[str, str]) -> tuple[Unit, dict[str, str]]:
    match = re.fullmatch(r"(-?)([A-Z_]+) (\w) (\w)((?: .*)?)", said)
    assert match, said
    values = dict(re.findall(r"(\w+)=(.*?)(?= \w+=|$)", match[5]))
    source, target = (names[match[i]].rstrip(".") for i in (3, 4))
    return _key(match[2], source, target, bool(match[1])), values


def _key(relation: str, source: str, target: str, ended: bool) -> Unit:
    """Rivals have no order."""
    if relation == "COMPETES_WITH":
        source, target = sorted((source, target))
    return relation, source, target, ended


def _of(finding: Finding) -> Unit:
    source, target = (m.name.rstrip(".") for m in (finding.source, finding.target))
    return _key(finding.type, source, target, finding.valid_to is not None)


def _same(said: str, read: object) -> bool:
    if isinstance(read, Decimal | float):
        return abs(Decimal(said) - Decimal(str(read))) < Decimal("1e-6")
    return said == read


MODELS = Models(
    Gazetteer(
        [
            *((f"lei:bank{i}", "Bank", name) for i, name in enumerate(BANKS)),
            *((f"lei:firm{i}", "Company", name) for i, name in enumerate(FIRMS)),
        ]
    )
)
