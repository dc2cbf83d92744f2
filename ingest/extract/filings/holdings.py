"""Form 13F: the positions a manager reports at the end of a quarter.

Each row of the information table is one HOLDS edge from the manager to a security by CUSIP. Values were thousands
of dollars in reports filed before 2023-01-03 and are dollars since (SEC release 34-93518). A position stands until
the next report is due, 45 days after the next quarter's end.
"""

from __future__ import annotations

import calendar
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from lxml import etree

from ingest.clean import number
from ingest.extract.filings.filing import Party, Spot, Witness
from ingest.extract.formats.identifier import identify, name_id
from ingest.extract.formats.markup import Paths, inner
from ingest.source import Refusal
from kg.model import Claim, Edge, Node, Value, as_time

DOLLARS_SINCE = datetime(2023, 1, 3, tzinfo=UTC)


def positions(
    root: etree._Element, witness: Witness, manager: Party | None, period: date | None
) -> Iterator[Claim | Refusal]:
    """Securities, their issuers and the manager's positions; a Refusal for each row that cannot be read.

    Without manager or period (a table apart from its cover page) only securities and issuers are claimed.
    """
    paths = Paths()
    lines: Counter[str] = Counter()
    for row in root.iter("{*}infoTable"):
        spot = Spot(f"xpath:{paths.of(row)}", inner(row))
        try:
            yield from _security(row, spot, witness)
            if manager is not None and period is not None:
                yield _position(row, spot, witness, manager, period, lines)
        except ValueError as error:
            yield Refusal(witness.prefix + spot.locator, f"{error} (in {spot.quote[:80]!r})")
    if manager is None or period is None:
        yield Refusal(
            witness.prefix + f"xpath:/{root.tag.rpartition('}')[2]}[1]",
            "no manager and period: put a sidecar <name>.meta.json with cik, name, period and published beside it",
        )


def _security(row: etree._Element, spot: Spot, witness: Witness) -> Iterator[Claim]:
    id, issuer = identify(f"cusip:{_text(row, 'cusip').upper().zfill(9)}"), _text(row, "nameOfIssuer")
    if not issuer:
        raise ValueError("the row names no issuer")
    firm = Party(issuer, spot)
    yield from firm.claims(witness)
    yield witness.says(Node("Security", id, {"name": f"{issuer} {_text(row, 'titleOfClass')}".strip()}), spot)
    yield witness.says(Edge("ISSUED", name_id(issuer), id), spot)


def _position(
    row: etree._Element, spot: Spot, witness: Witness, manager: Party, period: date, lines: Counter[str]
) -> Claim:
    value, quantity = number(_text(row, "value")), number(_text(row, "sshPrnamt"))
    if value is None or quantity is None:
        raise ValueError("value or sshPrnamt is not a number")
    security = identify(f"cusip:{_text(row, 'cusip').upper().zfill(9)}")
    key = "/".join(part for part in (str(period), _text(row, "putCall").capitalize()) if part)
    lines[f"{security} {key}"] += 1
    if (line := lines[f"{security} {key}"]) > 1:
        key = f"{key}#{line}"
    role = _text(row, "putCall") or _text(row, "sshPrnamtType") or "SH"
    amount = value * (1 if witness.published >= DOLLARS_SINCE else 1000)
    props: dict[str, Value] = {"amount": Decimal(amount), "currency": "USD", "quantity": float(quantity), "role": role}
    edge = Edge("HOLDS", manager.id, security, props, key)
    return witness.says(edge, spot, as_time(period), as_time(next_due(period)))


def next_due(period: date) -> date:
    """When the report for the quarter after `period` is due."""
    return quarter_after(period) + timedelta(days=45)


def quarter_after(period: date) -> date:
    """Last day of the month three months later."""
    month = period.month + 3
    year, month = period.year + (month - 1) // 12, (month - 1) % 12 + 1
    return date(year, month, calendar.monthrange(year, month)[1])


def _text(row: etree._Element, name: str) -> str:
    found = next(row.iter(f"{{*}}{name}"), None)
    return "" if found is None else inner(found)
