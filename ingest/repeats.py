"""Repeats collapse: of documents that say one thing the first counts its reposts, and the events they tell are one.

Runs over the ledger after ingest, as resolution does, in one commit. All alive documents of news are judged anew each
time, so the order in which they came does not matter and a late first takes the place of the one before; what no longer
holds is retracted, and nothing new to say writes nothing. Repeated documents keep their own mentions and claims.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from ingest.extract.news.repeats import Repeat, Text, repeats
from kg.files import Files
from kg.ledger import Ledger
from kg.model import Claim, ClaimBatch, Evidence, Facts, Judgement, RunManifest

COUNT = "repeats.count@1"
EVENT = "repeats.event@1"
_SOURCE = "news."
"""Start of the extractors whose documents are compared."""


@dataclass(slots=True)
class RepeatsReport:
    """What one pass found."""

    commit: int = 0
    committed: bool = False
    documents: int = 0
    """Documents compared."""
    repeats: int = 0
    """Documents that repeat an earlier one."""
    firsts: int = 0
    """Documents that are repeated."""
    events: int = 0
    """Events of repeats that are one with an event of the first."""


@dataclass(frozen=True, slots=True)
class _Saying:
    """A claim of the pass before it has its place in the manifest."""

    what: Facts | Judgement
    row: str
    published: datetime
    extractor: str
    confidence: float

    @property
    def key(self) -> tuple[str, str, str]:
        """What tells it from others already in the ledger."""
        if isinstance(self.what, Judgement):
            return "same", self.what.a, self.what.b
        return "reposts", self.what.id, self.row


def collapse(ledger: Ledger, files: Files) -> RepeatsReport:
    """Count the reposts of each first document and join the events that repeats tell again, in one commit."""
    alive = pl.DataFrame(ledger.alive())
    texts = _texts(alive)
    found = repeats(texts)
    report = RepeatsReport(ledger.head, False, len(texts), len(found), len({r.first for r in found}))
    wanted = {s.key: s for s in (*_counts(found, texts), *_events(found, alive))}
    report.events = sum(isinstance(s.what, Judgement) for s in wanted.values())
    had = {(kind, *rest): claim for kind, *rest, claim in _before(alive)}
    new = [wanted[key] for key in wanted if key not in had]
    void = [claim for key, claim in had.items() if key not in wanted]
    if new or void:
        report.commit, report.committed = _commit(ledger, files, new, void), True
    return report


def _texts(alive: pl.DataFrame) -> list[Text]:
    """Each document of news with its title and text, what it says it repeats, and the names written in it."""
    ours = alive.filter(pl.col("extractor").str.starts_with(_SOURCE))
    props = ours.filter((pl.col("kind") == "property") & pl.col("subject").str.starts_with("doc:"))
    posts = dict(props.filter(pl.col("name") == "identifier").select("value_text", "subject").iter_rows())
    names = ours.filter((pl.col("kind") == "edge") & (pl.col("name") == "MENTIONED_IN"))
    quoted = dict(names.group_by("object").agg("quote").iter_rows())
    told: dict[str, dict[str, str]] = defaultdict(dict)
    when: dict[str, datetime] = {}
    for id, name, key, value, published in props.select(
        "subject", "name", "key", "value_text", "published"
    ).iter_rows():
        told[id][key if name == "statement" else name] = value
        when[id] = published
    return [
        Text(
            id,
            when[id],
            "\n".join(dict.fromkeys(filter(None, (said.get("title"), said.get("text"))))),
            posts.get(f"post:{said.get('repost_of')}", ""),
            frozenset(quoted.get(id, ())),
        )
        for id, said in sorted(told.items())
        if said.get("text")
    ]


def _counts(found: Sequence[Repeat], texts: Sequence[Text]) -> Iterator[_Saying]:
    """How often each first is repeated, known when the last repeat was out."""
    when = {t.id: t.published for t in texts}
    of: dict[str, list[Repeat]] = defaultdict(list)
    for repeat in found:
        of[repeat.first].append(repeat)
    for first, said in sorted(of.items()):
        said.sort(key=lambda r: r.id)
        row = f"{first} is repeated by {len(said)}: " + ", ".join(f"{r.id} ({r.how} {r.likeness:g})" for r in said)
        last = max(when[r.id] for r in said)
        yield _Saying(Facts(first, {"reposts": len(said)}), row, last, COUNT, min(r.likeness for r in said))


def _events(found: Sequence[Repeat], alive: pl.DataFrame) -> Iterator[_Saying]:
    """Events of a repeat that are told of the same parties as one of its first, and of no other there."""
    told = _told(alive)
    apart = {frozenset(pair) for pair in _judged(alive, "not_same")}
    when = dict(alive.filter(pl.col("name") == "REPORTED_IN").select("object", "published").iter_rows())
    for repeat in found:
        firsts, others = told.get(repeat.first, {}), told.get(repeat.id, {})
        for key, events in sorted(others.items()):
            pair = sorted({*firsts.get(key, ()), *events})
            if len(firsts.get(key, ())) == 1 == len(events) and len(pair) == 2 and frozenset(pair) not in apart:
                row = f"{pair[0]} = {pair[1]}: one {key[0]} told by {repeat.first} and its repeat {repeat.id}"
                yield _Saying(Judgement(*pair), row, when[repeat.id], EVENT, min(0.95, repeat.likeness))


def _told(alive: pl.DataFrame) -> Mapping[str, Mapping[tuple[str, str], set[str]]]:
    """Events of each document, by their type and parties."""
    edges = alive.filter((pl.col("kind") == "edge") & pl.col("extractor").str.starts_with(_SOURCE))
    types = dict(alive.filter(pl.col("name") == "event_type").select("subject", "value_text").iter_rows())
    parties: dict[str, set[str]] = defaultdict(set)
    for subject, event, role in (
        edges.filter(pl.col("name") == "AFFECTED_BY").select("subject", "object", "value_text").iter_rows()
    ):
        parties[event].add(f"{role}={subject}")
    told: dict[str, dict[tuple[str, str], set[str]]] = defaultdict(lambda: defaultdict(set))
    for event, document in edges.filter(pl.col("name") == "REPORTED_IN").select("subject", "object").iter_rows():
        told[document][types.get(event, ""), " ".join(sorted(parties[event]))].add(event)
    return told


def _judged(alive: pl.DataFrame, kind: str) -> list[tuple[str, str]]:
    return list(alive.filter(pl.col("kind") == kind).select("subject", "object").iter_rows())


def _before(alive: pl.DataFrame) -> Iterator[tuple[str, str, str, str]]:
    """What earlier passes said and still stands: key and claim."""
    ours = alive.filter(pl.col("extractor").str.starts_with("repeats."))
    for kind, subject, other, quote, claim in ours.select("kind", "subject", "object", "quote", "claim").iter_rows():
        yield ("same", subject, other, claim) if kind == "same" else ("reposts", subject, quote, claim)


def _commit(ledger: Ledger, files: Files, sayings: Sequence[_Saying], void: Sequence[str]) -> int:
    """One commit whose evidence is the run's manifest, row by row."""
    rows = [s.row for s in sayings] or [f"{len(void)} earlier judgements no longer hold"]
    manifest = RunManifest("repeats", {"rows": rows, "head": ledger.head})
    document = files.put(manifest.to_bytes())
    claims = (
        Claim(s.what, Evidence(document, f"run:{manifest.id} row:{n}", s.row, s.extractor, s.confidence), s.published)
        for n, s in enumerate(sayings)
    )
    return ledger.commit(ClaimBatch.of(claims), manifest, retract=list(void))
