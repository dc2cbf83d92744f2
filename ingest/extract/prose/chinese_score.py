"""Precision and recall of what is read in Chinese against sentences marked by hand.

A line of the marked file is a sentence with its names as `[O:firm]` and `[P:person]`, a tab, and what it asserts,
parted by semicolons: `LENDS_TO a>b amount=500000000CNY`, `OFFICER_OF! p>a` (ended), `default subject=a`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from ingest.extract.prose.chinese_relations import findings
from ingest.extract.prose.relations import Finding
from ingest.extract.text.names import Gazetteer

PUBLISHED: Final = datetime(2023, 6, 15, 8, tzinfo=UTC)
"""When the sentences count as published."""
_MARK: Final = re.compile(r"\[([OP]):([^\]]+)\]")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A marked sentence."""

    text: str
    names: frozenset[tuple[int, int, str]]
    """Start, end and O or P of each name."""
    said: frozenset[str]
    """What it asserts, without quantities and roles."""
    values: frozenset[str]
    """The same with each quantity."""


def read(line: str) -> Sentence:
    """Sentence of a line of the marked file."""
    marked, _, said = line.rstrip("\n").partition("\t")
    text, at, names = "", 0, set()
    for match in _MARK.finditer(marked):
        text += marked[at : match.start()]
        names.add((len(text), len(text) + len(match[2]), match[1]))
        text, at = text + match[2], match.end()
    units = [unit.split() for unit in said.split(";") if unit.strip()]
    plain = {_unit(unit) for unit in units}
    return Sentence(text + marked[at:], frozenset(names), frozenset(plain), frozenset(_values(units)))


def _unit(parts: list[str]) -> str:
    return " ".join([parts[0], *sorted(p for p in parts[1:] if not _quantity(p))])


def _quantity(part: str) -> bool:
    return part.startswith(("amount=", "share=", "date=", "role="))


def _values(units: list[list[str]]) -> Iterator[str]:
    for parts in units:
        yield from (f"{_unit(parts)} {part}" for part in parts if _quantity(part))


def found(sentence: Sentence) -> tuple[set[tuple[int, int, str]], set[str], set[str]]:
    """Names, assertions and quantities that extraction reads in a sentence."""
    named, said = findings(sentence.text, [(0, len(sentence.text))], Gazetteer(), PUBLISHED)
    names = {(m.start, m.end, "P" if m.label == "Person" else "O") for m in named}
    return names, {_told(f) for f in said}, {value for f in said for value in _told_values(f)}


def _told(finding: Finding) -> str:
    if finding.event:
        return " ".join([finding.event, *sorted(f"{role}={m.text}" for role, m in finding.parties)])
    return f"{finding.type}{'!' if finding.valid_to else ''} {finding.source.text}>{finding.target.text}"


def _told_values(finding: Finding) -> Iterator[str]:
    told, props = _told(finding), finding.props
    if "amount" in props:
        yield f"{told} amount={Decimal(str(props['amount'])).normalize():f}{props['currency']}"
    if "share" in props:
        yield f"{told} share={props['share']:g}"
    if "role" in props:
        yield f"{told} role={props['role']}"
    when = finding.valid_from or finding.valid_to
    if when and when != PUBLISHED:
        yield f"{told} date={when:%Y-%m-%d}"


def score(lines: list[str]) -> dict[str, tuple[float, float, int]]:
    """Precision, recall and number marked: of names, of relations and events, and recall of quantities."""
    counts: Counter[tuple[str, str]] = Counter()
    for sentence in map(read, lines):
        names, said, values = found(sentence)
        for kind, got, gold in (("names", names, sentence.names), ("said", said, sentence.said)):
            counts[kind, "right"] += len(got & gold)
            counts[kind, "found"] += len(got)
            counts[kind, "marked"] += len(gold)
        counts["values", "right"] += len(values & sentence.values)
        counts["values", "found"] += len(values)
        counts["values", "marked"] += len(sentence.values)
    return {
        kind: (
            counts[kind, "right"] / max(counts[kind, "found"], 1),
            counts[kind, "right"] / max(counts[kind, "marked"], 1),
            counts[kind, "marked"],
        )
        for kind in ("names", "said", "values")
    }
