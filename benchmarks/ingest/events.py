"""Events and names in fictional sentences: precision, recall and F1 by type, by role and by kind of span.

A sentence of tests/data/events.tsv marks its names, sums, days and shares (`{ORG Alder plc}`) and tells its events
(`lawsuit(plaintiff=...;defendant=...;date=...;amount=... CUR)`, `?` after the type for one that is only alleged). Half
of them was used while the rules were written, the other half judges. All were published on Friday, 15 March 2024.

An event is right if its type is; a role if type, role and name are; names are known to the gazetteer ("known") or not.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from benchmarks.figure import Figure
from ingest.extract.prose.relations import Finding, relations
from ingest.extract.text.dates import find_dates
from ingest.extract.text.names import Gazetteer, longest
from ingest.extract.text.quantities import money, shares
from ingest.extract.text.recognise import pipe, seen_names, written_names
from ingest.source import Models

GOLD = Path(__file__).parents[2] / "tests" / "data" / "events.tsv"
PUBLISHED = datetime(2024, 3, 15, 12, tzinfo=UTC)
KINDS = ("ORG", "PERSON", "MONEY", "DATE", "PERCENT")
_MARK = re.compile(r"\{(ORG|PERSON|MONEY|DATE|PERCENT) ([^}]*)\}")
Span = tuple[str, int, int]


@dataclass(frozen=True)
class Told:
    """An event as the sentence tells it."""

    type: str
    alleged: bool
    roles: frozenset[tuple[str, str]]
    date: str = ""
    amount: str = ""


@dataclass(frozen=True)
class Sentence:
    """A sentence without its marks, the spans that were marked, and what it tells."""

    half: str
    text: str
    spans: frozenset[Span]
    events: tuple[Told, ...]


def sentences(half: str = "") -> list[Sentence]:
    """Those of one half, or all."""
    with GOLD.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [_sentence(row) for row in rows if half in ("", row["half"])]


def _sentence(row: dict[str, str]) -> Sentence:
    text, spans, at = "", set(), 0
    for mark in _MARK.finditer(row["sentence"]):
        text += row["sentence"][at : mark.start()]
        spans.add((mark[1], len(text), len(text) + len(mark[2])))
        text, at = text + mark[2], mark.end()
    events = tuple(_told(m) for m in re.finditer(r"(\w+)(\??)\(([^)]*)\)", row["event"] or ""))
    return Sentence(row["half"], text + row["sentence"][at:], frozenset(spans), events)


def _told(match: re.Match[str]) -> Told:
    pairs = [part.split("=", 1) for part in match[3].split(";")]
    rest = {k: v for k, v in pairs if k in ("date", "amount")}
    roles = frozenset((k, v) for k, v in pairs if k not in rest)
    return Told(match[1], bool(match[2]), roles, rest.get("date", ""), rest.get("amount", ""))


@lru_cache(maxsize=1)
def known() -> Models:
    """A gazetteer that holds the firms of all sentences."""
    names = {s.text[a:b] for s in sentences() for kind, a, b in s.spans if kind == "ORG"}
    return Models(Gazetteer((f"lei:{n}", "Bank" if "Bank" in n else "Company", name) for n, name in _numbered(names)))


def _numbered(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    return ((f"{n:03d} {name}", name) for n, name in enumerate(sorted(names)))


def read(sentence: Sentence, models: Models) -> list[Told]:
    """Events that the project reads; findings of one type are one event."""
    found: dict[str, list[Finding]] = {}
    for finding in relations(sentence.text, models, PUBLISHED):
        if finding.event:
            found.setdefault(finding.event, []).append(finding)
    return [_of(type, findings) for type, findings in found.items()]


def _of(type: str, findings: Sequence[Finding]) -> Told:
    roles = frozenset((role, m.name) for f in findings for role, m in f.parties)
    first = findings[0]
    day = first.valid_from.date().isoformat() if first.valid_from and first.valid_from != PUBLISHED else ""
    amount = f"{first.props['amount']} {first.props['currency']}" if "amount" in first.props else ""
    return Told(type, first.confidence < 0.5, roles, day, amount)


@dataclass
class Tally:
    """Counts of what was right, found and said, by name."""

    right: Counter[str]
    found: Counter[str]
    said: Counter[str]

    @classmethod
    def empty(cls) -> Tally:
        return cls(Counter(), Counter(), Counter())

    def add(self, said: Iterable[tuple[str, object]], found: Iterable[tuple[str, object]]) -> None:
        said, found = set(said), set(found)
        self.said.update(name for name, _ in said)
        self.found.update(name for name, _ in found)
        self.right.update(name for name, _ in said & found)

    def f1(self, name: str) -> float:
        return 2 * self.right[name] / max(1, self.found[name] + self.said[name])

    def figure(self, what: str, name: str, aim: float | None = None) -> Figure:
        right, found, said = self.right[name], self.found[name], self.said[name]
        note = f"P {right / max(1, found):.2f} R {right / max(1, said):.2f}, {said} said, {found} found"
        return Figure(what, self.f1(name), aim, note=note)


def tally(half: str, models: Models) -> Tally:
    """Events by type, `events` for all of them; roles as `role ...`, `roles`; days and sums of events found."""
    counts = Tally.empty()
    for sentence in sentences(half):
        found = {e.type: e for e in read(sentence, models)}
        said = {e.type: e for e in sentence.events}
        for group in ("events", ""):
            counts.add(*([(group or type, type) for type in events] for events in (said, found)))
        for name in ("roles", ""):
            counts.add(
                *([(name or f"role {r}", (t, r, n)) for t, e in es.items() for r, n in e.roles] for es in (said, found))
            )
        for type in said.keys() & found.keys():
            counts.add(*([("days", e.date)] if e.date else [] for e in (said[type], found[type])))
            counts.add(*([("sums", _plain(e.amount))] if e.amount else [] for e in (said[type], found[type])))
            counts.add(*([("alleged", type)] if e.alleged else [] for e in (said[type], found[type])))
    return counts


def _plain(amount: str) -> tuple[float, str]:
    number, currency = amount.split()
    return float(number), currency


def recognised(sentence: Sentence, models: Models) -> set[Span]:
    """Names, sums, days and shares that the project's recognisers see."""
    text, gazetteer = sentence.text, models.gazetteer or Gazetteer()
    doc = pipe().get_pipe("ner")(pipe().make_doc(text))
    written = written_names(text, gazetteer)
    seen = [
        m for m in seen_names(doc, 0, text, gazetteer) if all(m.end <= w.start or w.end <= m.start for w in written)
    ]
    names = {("PERSON" if m.label == "Person" else "ORG", m.start, m.end) for m in longest([*written, *seen])}
    names |= {("MONEY", m.start, m.end) for m in money(text)}
    names |= {("DATE", m.start, m.end) for m in find_dates(text, PUBLISHED)}
    return names | {("PERCENT", m.start, m.end) for m in shares(text)}


def spans(half: str, models: Models) -> Tally:
    """Spans by kind: right if kind, start and end are."""
    counts = Tally.empty()
    for sentence in sentences(half):
        both = (sentence.spans, recognised(sentence, models))
        counts.add(*([(kind, _bare(kind, a, b, sentence.text)) for kind, a, b in group] for group in both))
    return counts


def _bare(kind: str, start: int, end: int, text: str) -> tuple[int, int]:
    """The span without a preposition or article before a day."""
    head = re.match(r"(?:(?:on|in|since|during|the) )+", text[start:end]) if kind == "DATE" else None
    return start + (head.end() if head else 0), end


def measure() -> list[Figure]:
    figures: list[Figure] = []
    for names, models in (("known", known()), ("unknown", Models())):
        counts = tally("test", models)
        figures += [
            counts.figure(f"events ({names} names): F1", "events"),
            counts.figure(f"roles ({names} names): F1", "roles"),
        ]
        if names == "known":
            kinds = sorted({e.type for s in sentences() for e in s.events})
            figures += [counts.figure(f"event {kind}: F1", kind) for kind in kinds]
            figures += [counts.figure(f"{role}: F1", role) for role in sorted(counts.said) if role.startswith("role ")]
            figures += [counts.figure(f"{what} of events: F1", what) for what in ("days", "sums", "alleged")]
        figures += [spans("test", models).figure(f"span {kind} ({names} names): F1", kind) for kind in KINDS]
    return figures


def wrong(half: str, models: Models) -> Iterator[str]:
    """Sentences of the half to tune on that are read otherwise than they tell."""
    for sentence in sentences(half):
        found = read(sentence, models)
        if _plain_all(found) != _plain_all(sentence.events):
            yield f"{sentence.text}\n   said  {_line(sentence.events)}\n   found {_line(found)}"


def _plain_all(events: Iterable[Told]) -> set[object]:
    return {(e.type, e.alleged, e.roles, e.date, _plain(e.amount) if e.amount else None) for e in events}


def _line(events: Iterable[Told]) -> str:
    return " | ".join(
        f"{e.type}{'?' * e.alleged}({', '.join(f'{r}={n}' for r, n in sorted(e.roles))}; {e.date} {e.amount})"
        for e in events
    )


if __name__ == "__main__":
    for line in wrong("tune", known()):
        print(line)
