"""Obligations: a loan that one source tells with its facility and another without is one edge, by judgement.

A *loose* statement is an edge whose source gave it no key, or one made of its own document; a *named* one has the key
of the obligation: the facility, the invoice. A loose statement is the obligation of the one key between the same two
entities whose amount, currency and time fit it. Two such keys are a doubt for a person, and nothing is judged. Each
judgement is a claim with its reasons; all are made anew each time, and what no longer holds is retracted.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import polars as pl
import pyarrow as pa

from ingest.extract.prose import chinese_quantities
from ingest.extract.text import quantities
from ingest.rulings import Author, Ruling
from kg.errors import LedgerError
from kg.files import Files
from kg.identity import clusters
from kg.ledger import Ledger
from kg.model import FIRST, Claim, ClaimBatch, Evidence, RunManifest, SameEdge
from kg.ontology import RELIABILITY

TYPES: Final = ("LENDS_TO", "EXPOSED_TO", "OBLIGED_TO")
"""Edges whose amounts are summed or due, and whose key tells obligations apart."""
APART: Final = timedelta(days=366)
"""How far the start that a text names may lie from that of the obligation."""
TOLERANCE: Final = Decimal("0.05")
"""Share of the amount that rounding may hide: `5 million` may be 4.8, never 4.5."""
RULE: Final = "resolve.obligation@1"
JUDGED: Final = "resolve.judged_obligation@1"
_COLUMNS: Final = (
    "claim", "statement", "subject", "name", "object", "key", "value_decimal", "unit", "valid_from", "valid_to",
    "published", "document", "quote", "extractor",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Told:
    """One claim about an obligation, with the names its ends are called by now."""

    claim: str
    statement: str
    subject: str
    name: str
    object: str
    key: str
    value_decimal: Decimal
    unit: str
    valid_from: datetime
    valid_to: datetime
    published: datetime
    document: str
    quote: str
    extractor: str
    ends: tuple[str, str] = ("", "")

    @property
    def loose(self) -> bool:
        """True if its key names no obligation: it has none, or the document made it."""
        return self.key == "" or self.key.startswith((self.document[:16], "page:"))

    @property
    def rank(self) -> int:
        return RELIABILITY.get(self.extractor.partition(".")[0], 1)

    def edge(self, key: str, same: bool = True) -> SameEdge:
        return SameEdge(self.name, self.subject, self.object, self.statement, key, same)

    def __str__(self) -> str:
        key = f" {self.key!r}" if self.key and not self.loose else ""
        return f"{self.name}{key} {self.subject} > {self.object} {self.value_decimal.normalize():f} {self.unit}"


@dataclass(frozen=True, slots=True)
class Joined:
    """A loose statement and the key it is given."""

    told: Told
    key: str
    why: str
    score: float


@dataclass(frozen=True, slots=True)
class Doubt:
    """A loose statement that fits several obligations, for a person to decide."""

    told: Told
    keys: tuple[str, ...]


@dataclass(slots=True)
class ObligationsReport:
    """What one pass judged."""

    commit: int = 0
    committed: bool = False
    joined: int = 0
    """Loose statements that are one with a named obligation."""
    retracted: int = 0
    """Earlier judgements that no longer hold."""
    doubts: tuple[Doubt, ...] = ()


def join(ledger: Ledger, files: Files) -> ObligationsReport:
    """Judge all alive obligations, in one commit; nothing new to say writes nothing."""
    alive = ledger.alive()
    found, doubts = judged(alive)
    before = _before(alive)
    wanted = {(one.told.statement, one.told.subject, one.key): one for one in found}
    new = [one for what, one in wanted.items() if what not in before]
    void = [claim for what, claim in before.items() if what not in wanted]
    report = ObligationsReport(ledger.head, False, len(wanted), len(void), tuple(doubts))
    if new or void:
        rows = [f"{one.told} is {one.key!r}: {one.why}" for one in new] or [f"{len(void)} judgements no longer hold"]
        said = [(one.told.edge(one.key), one.score) for one in new]
        report.commit, report.committed = _ruling(ledger, said, rows, RULE, void).commit(ledger, files), True
    return report


def judge(ledger: Ledger, files: Files, statement: str, key: str, author: Author, *, same: bool = True) -> int:
    """A person says that the edge of a statement is, or is not, the obligation of a key; returns the commit.

    What was judged of the two before is retracted. LedgerError if no alive edge says the statement.
    """
    alive = ledger.alive()
    told = next((one for one in _told(alive) if one.statement == statement), None)
    if told is None:
        raise LedgerError(f"no alive edge of {', '.join(TYPES)} with an amount says {statement}; take one of `doubts`")
    rows = alive.select(["claim", "kind", "value_text", "key"]).to_pylist()
    void = [r["claim"] for r in rows if r["kind"] in _KINDS and (r["value_text"], r["key"]) == (statement, key)]
    row = f"{told} {'is' if same else 'is not'} {key!r}: said by {author.by}: {author.why}"
    return _ruling(ledger, [(told.edge(key, same), 1.0)], [row], JUDGED, void, author).commit(ledger, files)


def judged(alive: pa.Table) -> tuple[list[Joined], list[Doubt]]:
    """Which loose statements are a named obligation, and which may be several."""
    between: dict[tuple[str, tuple[str, str], str], list[Told]] = defaultdict(list)
    for one in _told(alive):
        between[one.name, one.ends, one.unit].append(one)
    said, denied = _by_person(alive)
    found, doubts = dict[tuple[str, str], Joined](), dict[str, Doubt]()
    for group in between.values():
        named = [one for one in group if not one.loose]
        for one in group if named else ():
            if one.statement not in said:
                keys = {k: v for k, v in _fitting(one, named).items() if (one.statement, k) not in denied}
                _settle(one, keys, found, doubts)
    return list(found.values()), list(doubts.values())


def _settle(
    one: Told, keys: Mapping[str, Told], found: dict[tuple[str, str], Joined], doubts: dict[str, Doubt]
) -> None:
    if len(keys) > 1:
        doubts[one.statement] = Doubt(one, tuple(sorted(keys)))
    for key, other in keys.items() if len(keys) == 1 else ():
        exact = one.value_decimal == other.value_decimal
        amount = "the amount" if exact else f"the amount, rounded as {one.quote!r} shows it,"
        why = f"{amount} is that of {other} of {other.extractor} ({other.claim}), and no other key fits"
        found[one.statement, one.subject] = Joined(one, key, why, 0.9 if exact else 0.8)


def _fitting(one: Told, named: Sequence[Told]) -> dict[str, Told]:
    """The obligation of each key that a statement fits, the most reliable first; keys spelt alike count as one."""
    if one.loose:
        fits: Callable[[Told], bool] = lambda other: True  # noqa: E731  # read beside its counterpart
    else:  # a document that spells the facility in its own way
        fits = lambda other: _plain(other.key) == _plain(one.key) and other.rank > one.rank  # noqa: E731
    since = {key: min(o.valid_from for o in named if o.key == key) for key in {o.key for o in named}}
    found: dict[str, Told] = {}
    for other in sorted(named, key=lambda o: (-o.rank, o.key, o.claim)):
        if other.key == one.key or not fits(other) or other.document == one.document:
            continue
        if _meet(one, other, since[other.key]) and _agree(one, other.value_decimal):
            found.setdefault(_plain(other.key), other)
    return {other.key: other for other in found.values()}


def _meet(one: Told, other: Told, since: datetime) -> bool:
    """True if both hold at some time, and a start that the text names is near that of the obligation.

    A text that names no day has its publication as start, which tells nothing.
    """
    names_start = one.valid_from not in (FIRST, one.published) and since != FIRST
    near = not names_start or abs(one.valid_from - since) <= APART
    return near and one.valid_from < other.valid_to and other.valid_from < one.valid_to


def _agree(one: Told, amount: Decimal) -> bool:
    """True if an amount is the one told, after the rounding that the words of the claim show."""
    apart = abs(one.value_decimal - amount)
    return apart == 0 or apart <= min(_rounding(one), abs(amount) * TOLERANCE)


def _rounding(one: Told) -> Decimal:
    """Half a unit of the last digit written: 50,000 for `EUR 5.1 million`, nothing for what is not in the words."""
    found = [m for read in (quantities.money, chinese_quantities.money) for m in read(one.quote)]
    written = [one.quote[m.start : m.end] for m in found if m.amount == one.value_decimal]
    digits = [re.sub(r"\D", "", text).lstrip("0") for text in written]
    steps = [Decimal(1).scaleb(one.value_decimal.adjusted() - len(d) + 1) / 2 for d in digits if d]
    return min(steps, default=Decimal(0))


def _plain(key: str) -> str:
    """A key without case, spaces and signs."""
    return re.sub(r"[\W_]", "", key).casefold() or key


_KINDS: Final = ("same_edge", "not_same_edge")


def _told(alive: pa.Table) -> Iterator[Told]:
    """Every claim about an obligation that has an amount."""
    rows = pl.DataFrame(alive)
    judged = rows.filter(pl.col("kind").is_in(["same", "not_same"])).select("kind", "commit", "subject", "object")
    same = sorted((commit, min(a, b), max(a, b)) for kind, commit, a, b in judged.iter_rows() if kind == "same")
    apart = {frozenset((a, b)) for kind, _, a, b in judged.iter_rows() if kind == "not_same"}
    called = clusters(((a, b) for _, a, b in same), apart)
    edges = rows.filter(
        (pl.col("kind") == "edge") & pl.col("name").is_in(TYPES) & pl.col("value_decimal").is_not_null()
    )
    for row in edges.sort("claim").select(_COLUMNS).iter_rows(named=True):
        yield Told(**row, ends=(called.get(row["subject"], row["subject"]), called.get(row["object"], row["object"])))


def _judgements(alive: pa.Table) -> Iterator[dict[str, Any]]:
    rows = pl.DataFrame(alive).filter(pl.col("kind").is_in(_KINDS))
    yield from rows.select("claim", "kind", "subject", "key", "value_text", "extractor").iter_rows(named=True)


def _before(alive: pa.Table) -> dict[tuple[str, str, str], str]:
    """What earlier passes judged and still stands, by statement, its subject and the key."""
    own = RULE.partition("@")[0]
    rows = (row for row in _judgements(alive) if row["extractor"].partition("@")[0] == own)
    return {(row["value_text"], row["subject"], row["key"]): row["claim"] for row in rows}


def _by_person(alive: pa.Table) -> tuple[set[str], set[tuple[str, str]]]:
    """Statements that somebody gave a key, and (statement, key) that somebody denied."""
    own, said, denied = RULE.partition("@")[0], set[str](), set[tuple[str, str]]()
    for row in _judgements(alive):
        if row["kind"] == "not_same_edge":
            denied.add((row["value_text"], row["key"]))
        elif row["extractor"].partition("@")[0] != own:
            said.add(row["value_text"])
    return said, denied


def _ruling(
    ledger: Ledger, said: Iterable[tuple[SameEdge, float]], rows: Sequence[str], rule: str, void: Sequence[str],
    author: Author | None = None,
) -> Ruling:  # fmt: skip
    """Judgements whose evidence is the run's manifest, row by row."""
    by = {"by": author.by, "why": author.why} if author else {}
    manifest = RunManifest("resolve", {"rows": list(rows), "head": ledger.head, **by})
    document, published = manifest.id, ledger.known(ledger.head)
    claims = (
        Claim(edge, Evidence(document, f"run:{document} row:{n}", rows[n], rule, score), published)
        for n, (edge, score) in enumerate(said)
    )
    return Ruling(ClaimBatch.of(claims), tuple(void), manifest)
