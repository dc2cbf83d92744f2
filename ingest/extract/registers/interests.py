"""Interests of ownership statements as claims: who holds which share or has which say, and until which statement.

A shareholding is OWNS with its share: the exact one, else the minimum, with the whole range in a `statement` of the
owned entity. Any other interest (votes, a seat on the board, a trustee's office) is no share of the capital: OFFICER_OF
with its name as role. So is an indirect shareholding whose direct links are told, which would count twice as OWNS.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from ingest.extract.registers.parties import Said
from ingest.extract.registers.statements import Object, Statement, moment, objects, text, words
from kg.errors import RecordError
from kg.model import Edge, Facts, Value

UNKNOWN = "unknown interest"


def relationship(statement: Statement, later: Statement | None, ids: Mapping[str, str]) -> Iterator[Said]:
    """What one relationship statement says; `ids` names the parties by statement and record.

    RecordError if its subject or interested party is not in the file.
    """
    subject = _party(statement, statement.details.get("subject"), ids)
    holder = statement.details.get("interestedParty")
    if unspecified := _unspecified(holder):
        reason, told = unspecified
        key = f"undisclosed party|{reason}|{statement.record}"
        yield Said(Facts(subject, {"statement": told}, key), statement.place("interestedParty"))
        return
    owner = _party(statement, holder, ids)
    if owner == subject:
        raise RecordError("subject and interested party are one")
    interests = list(objects(statement.details, "interests"))
    if not interests:
        yield Said(Edge("OFFICER_OF", owner, subject, {"role": UNKNOWN}, UNKNOWN), statement.place("interestedParty"))
    for number, interest in interests:
        start, end = moment(interest.get("startDate")), _end(statement, interest, later)
        if start and end and start >= end:
            continue  # replaced, or ended, before it began
        for what in _interest(statement, interest, (owner, subject), number):
            one = Said(what, statement.place("interests", number), start)
            if end is None or not isinstance(what, Edge):
                yield one
            elif later is None or moment(interest.get("endDate")):
                yield one._replace(valid_to=end)
            else:
                yield from one.until(end, statement, later)


def _interest(statement: Statement, interest: Object, ends: tuple[str, str], number: int) -> Iterator[Edge | Facts]:
    kind = words(text(interest.get("type"))) or UNKNOWN
    indirect = "indirect" in (interest.get("directOrIndirect"), interest.get("interestLevel"))
    share, told = _share(interest.get("share"))
    if kind == "shareholding" and not (indirect and statement.details.get("componentRecords")):
        props: dict[str, Value] = {} if share is None else {"share": float(share)}
        yield Edge("OWNS", *ends, props, "indirect" if indirect else "")
    else:
        role = f"indirect {kind}" if indirect else kind
        yield Edge("OFFICER_OF", *ends, {"role": f"{role} {told}".strip()}, role)
    if told and "to" in told:
        yield Facts(ends[1], {"statement": f"{kind} {told}"}, f"interest|{statement.record}/{number}")


def _share(given: Any) -> tuple[Decimal | None, str]:
    """Share from 0 to 1 (exact, else the minimum) and how it is told, such as `25 to under 50 %`."""
    if not isinstance(given, dict):
        return None, ""
    exact = _percent(given.get("exact"))
    if exact is not None:
        return exact / 100, f"{exact.normalize():f} %"
    above, below = given.get("exclusiveMinimum"), given.get("exclusiveMaximum")
    low, low_open = _bound(given.get("minimum"), above)
    high, high_open = _bound(given.get("maximum"), below)
    if low is None and high is None:
        return None, ""
    start = f"{'over ' if low_open else ''}{(low or Decimal(0)).normalize():f}"
    end = Decimal(100) if high is None else high
    return None if low is None else low / 100, f"{start} to {'under ' if high_open else ''}{end.normalize():f} %"


def _bound(inclusive: Any, exclusive: Any) -> tuple[Decimal | None, bool]:
    """A bound and whether it is left out: before 0.4 `exclusive...` is a yes or no beside the number."""
    if isinstance(exclusive, bool) or exclusive is None:
        return _percent(inclusive), exclusive is True
    return _percent(exclusive), True


def _percent(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    number = Decimal(value)
    if not 0 <= number <= 100:
        raise RecordError(f"share {value} is not from 0 to 100 per cent")
    return number


def _end(statement: Statement, interest: Object, later: Statement | None) -> datetime | None:
    """When the interest ended: as told, as the statement that replaces this one tells it, or with that statement."""
    told = moment(interest.get("endDate"))
    if told or (later is None and not statement.closed):
        return told
    if later is None:
        return statement.published
    kind = interest.get("type")
    ends = [moment(one.get("endDate")) for _, one in objects(later.details, "interests") if one.get("type") == kind]
    return min((end for end in ends if end), default=later.published)


def _party(statement: Statement, given: Any, ids: Mapping[str, str]) -> str:
    if isinstance(given, dict):
        given = next((given[key] for key in given if key.startswith("describedBy")), None)
    if (found := ids.get(str(given))) is None:
        raise RecordError(f"party {given!r} is not in the file; give the statements that describe it beside this one")
    return found


def _unspecified(given: Any) -> tuple[str, str] | None:
    """Reason and description of a party that is not told."""
    if not isinstance(given, dict) or any(key.startswith("describedBy") for key in given):
        return None
    about = given.get("unspecified", given)
    about = about if isinstance(about, dict) else {}
    reason = words(text(about.get("reason"))) or "unknown"
    return reason, text(about.get("description")) or reason
