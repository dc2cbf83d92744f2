"""A quality report tells what a ledger (and its last run) lacks or doubts: each check with count, share and examples.

    report = quality(ledger)                 # as of now; AsOf(valid=..., known=..., published=...) for another time
    report.rows()                            # a table: check, what, count, of, share, examples
    report.to_dict(), report.to_html()       # for JSON and for a page

It reads the alive claims as they were said, before resolution, so that two sources that differ are seen to differ.
"""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Final

import polars as pl
import pyarrow as pa

from ingest.obligations import judged
from ingest.report import RunReport
from ingest.suspects import suspects
from kg.ledger import Ledger
from kg.model import AsOf
from kg.ontology import EDGES, FIRMS, PROPERTIES, RELIABILITY

SHOWN: Final = 5
"""Examples told of each finding."""
STALE: Final = 400
"""Days after which what a source said last is stale: a year's report and a month to publish it."""
_MANY = [name for name, spec in PROPERTIES.items() if spec.many]
_EVENTS = [name for specs in (PROPERTIES, EDGES) for name, spec in specs.items() if spec.time == "event"]
_MONEY = [name for name, spec in PROPERTIES.items() if spec.type == "money" and name not in ("fact", "contagion_loss")]
_CARRIES: Final[Mapping[str, tuple[str, str]]] = {
    **dict.fromkeys(("LENDS_TO", "EXPOSED_TO", "SUPPLIES", "HOLDS", "PAID", "TRADED"), ("amount", "value_decimal")),
    "OWNS": ("share", "value_real"),
}
"""Edges that say little without their value."""
_VALUES = ("value_text", "value_int", "value_real", "value_decimal", "value_time", "unit")
_GROUP = ("kind", "subject", "name", "object", "key")


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report."""

    check: str
    """missing, unit, sign, outlier, duplicate, contradiction, dates, shares, unresolved, stale, quarantined, ..."""
    what: str
    count: int
    of: int
    """How many there are in all; 0 if that says nothing."""
    examples: Sequence[str] = ()

    @property
    def share(self) -> float:
        """Count as a share of all, 0 where there is nothing to be a share of."""
        return self.count / self.of if self.of else 0.0


@dataclass(frozen=True)
class Quality:
    """Everything the checks found, with the number of claims they looked at."""

    claims: int
    valid: str
    findings: Sequence[Finding] = field(default_factory=tuple)

    def rows(self) -> list[dict[str, Any]]:
        """The findings as a table."""
        return [asdict(one) | {"share": round(one.share, 4), "examples": list(one.examples)} for one in self.findings]

    def of(self, check: str) -> list[Finding]:
        """Findings of one check."""
        return [one for one in self.findings if one.check == check]

    def to_dict(self) -> dict[str, Any]:
        return {"claims": self.claims, "valid": self.valid, "findings": self.rows()}

    def to_html(self) -> str:
        """A table for a page; every text of the data is escaped."""
        head = "<tr><th>check</th><th>what</th><th>count</th><th>of</th><th>share</th><th>examples</th></tr>"
        body = "".join(
            f"<tr><td>{one.check}</td><td>{html.escape(one.what)}</td><td>{one.count}</td><td>{one.of or ''}</td>"
            f"<td>{f'{one.share:.1%}' if one.of else ''}</td><td>{html.escape('; '.join(one.examples))}</td></tr>"
            for one in self.findings
        )
        return f'<table class="quality"><thead>{head}</thead><tbody>{body}</tbody></table>'


def quality(ledger: Ledger, at: AsOf = AsOf(), report: RunReport | None = None) -> Quality:
    """What is missing, doubtful or out of date in the claims alive at an instant, and what a run refused."""
    commit, at = ledger.instant(at)
    assert at.valid is not None and at.published is not None
    alive = ledger.alive(commit)
    claims = _last_said(pl.DataFrame(alive).filter(pl.col("published") <= at.published))
    event = pl.col("name").is_in(_EVENTS)
    now = claims.filter((pl.col("valid_from") <= at.valid) & (event | (pl.col("valid_to") > at.valid)))
    found = [
        *_missing(now), *_suspicious(claims), *_repeated(now), *_contradicted(now), *_disordered(claims, at.valid),
        *_shares(now), *_unresolved(now), *_stale(claims, at.valid), *_loose(alive),
        *(_refused(report) if report else ()),
    ]  # fmt: skip
    return Quality(claims.height, at.valid.isoformat(), tuple(one for one in found if one.count))


def _last_said(claims: pl.DataFrame) -> pl.DataFrame:
    """Less what a document said open and then, published later, with its end: as the projection has it."""
    said = pl.struct("document", "kind", "name", "subject", "object", "key", "valid_from", *_VALUES)
    return claims.filter(pl.col("valid_to") <= pl.col("valid_to").sort_by("published").last().over(said))


def _finding(check: str, what: str, bad: pl.DataFrame, of: int, example: pl.Expr) -> Finding:
    return Finding(check, what, bad.height, of, tuple(bad.head(SHOWN).select(example.alias("x"))["x"].to_list()))


def _missing(claims: pl.DataFrame) -> Iterator[Finding]:
    """Firms and persons without name, country or sector; edges and figures without the value they should carry."""
    nodes = claims.filter(pl.col("kind") == "node").unique("subject").sort("subject")
    for label in (*FIRMS, "Person"):
        of = nodes.filter(pl.col("name") == label)
        for name in ("name", "IN_COUNTRY", "IN_SECTOR")[: 1 if label == "Person" else 3]:
            have = claims.filter((pl.col("kind") != "node") & (pl.col("name") == name))["subject"].unique()
            bad = of.filter(~pl.col("subject").is_in(have.implode()))
            yield _finding("missing", f"{label} without {name}", bad, of.height, pl.col("subject"))
    for name, (what, column) in _CARRIES.items():
        edges = claims.filter((pl.col("kind") == "edge") & (pl.col("name") == name))
        bad = edges.filter(pl.col(column).is_null())
        said = pl.format("{} {}", "subject", "object")
        yield _finding("missing", f"{name} without {what}", bad, edges.height, said)


def _suspicious(claims: pl.DataFrame) -> Iterator[Finding]:
    """Figures that leap out of their series."""
    money = claims.filter((pl.col("kind") == "property") & pl.col("name").is_in(_MONEY))
    money = money.unique(["subject", "name", "key", "value_decimal"]).sort("subject", "name", "key")
    found = suspects(money, ("subject", "name", "unit"), ("value_decimal",)) if money.height else pl.DataFrame()
    for rule in ("unit", "sign", "outlier"):
        of = found.filter(pl.col("rule") == rule) if found.height else found
        rows = money[of["row"].to_list()] if of.height else money.head(0)
        said = pl.format("{} {} {}: {}", "subject", "name", "key", pl.col("value_decimal").cast(pl.Float64))
        yield _finding(rule, "figures beside their series", rows, money.height, said)


def _repeated(claims: pl.DataFrame) -> Iterator[Finding]:
    """Edges of one type, ends, value and start that differ in their key alone: perhaps one loan told twice."""
    joined = claims.filter(pl.col("kind") == "same_edge")["value_text"]
    told = (pl.col("kind") == "edge") & pl.col("value_decimal").is_not_null()
    edges = claims.filter(told & ~pl.col("statement").is_in(joined.implode()))
    same = ["name", "subject", "object", "value_decimal", "unit", "valid_from"]
    groups = edges.unique([*same, "key"]).group_by(same).len().filter(pl.col("len") > 1).sort(same)
    said = pl.format("{} {} {} {} {}", "name", "subject", "object", pl.col("value_decimal").cast(pl.Float64), "unit")
    yield _finding("duplicate", "edges that differ in their key alone", groups, edges.height, said)


def _contradicted(claims: pl.DataFrame) -> Iterator[Finding]:
    """One property or edge with several values at once."""
    single = claims.filter(pl.col("kind").is_in(["property", "edge"]) & ~pl.col("name").is_in(_MANY))
    value = pl.struct(_VALUES)
    groups = single.group_by(_GROUP).agg(value.n_unique().alias("values"), pl.col("document").n_unique().alias("from"))
    bad = groups.filter(pl.col("values") > 1).sort(_GROUP)
    for name in bad["name"].unique().sort().to_list():
        of = groups.filter(pl.col("name") == name).height
        said = pl.format("{} {} {}: {} values", "subject", "object", "key", "values")
        yield _finding("contradiction", f"{name} with several values", bad.filter(pl.col("name") == name), of, said)


def _disordered(claims: pl.DataFrame, valid: datetime) -> Iterator[Finding]:
    """Events told before they happened, publications and starts in the future, intervals that never began."""
    said = pl.format("{} {} {}", "subject", "name", "key")
    event = pl.col("name").is_in(_EVENTS) & (pl.col("kind") != "node")
    early = claims.filter(event & (pl.col("valid_from") > pl.col("published").dt.offset_by("1d")))
    yield _finding("dates", "events and figures told before they happened", early, claims.height, said)
    ahead = claims.filter(pl.col("published") > valid)
    yield _finding("dates", "claims published after the instant asked for", ahead, claims.height, said)
    old = claims.filter((pl.col("valid_from").dt.year() > 1) & (pl.col("valid_from").dt.year() < 1800))
    yield _finding("dates", "claims that begin before 1800", old, claims.height, said)


def _shares(claims: pl.DataFrame) -> Iterator[Finding]:
    """Firms whose owners' direct shares of one class add up to more than the whole."""
    owned = claims.filter(
        (pl.col("name") == "OWNS") & pl.col("value_real").is_not_null() & (pl.col("key") != "indirect")
    )
    last = owned.sort("published").unique(["subject", "object", "key"], keep="last")
    sums = last.group_by("object", "key").agg(pl.col("value_real").sum().alias("sum"))
    bad = sums.filter(pl.col("sum") > 1.005).sort("sum", "object", descending=[True, False])
    said = pl.format("{} {}: {}", "object", "key", pl.col("sum").round(4))
    yield _finding("shares", "firms owned by more than 100 %", bad, sums.height, said)


def _unresolved(claims: pl.DataFrame) -> Iterator[Finding]:
    """Firms known by a name alone, and edges that end at one."""
    nodes = claims.filter((pl.col("kind") == "node") & pl.col("name").is_in(FIRMS)).unique("subject").sort("subject")
    bad = nodes.filter(pl.col("subject").str.starts_with("name:"))
    yield _finding("unresolved", "firms known by name alone", bad, nodes.height, pl.col("subject"))
    edges = claims.filter(pl.col("kind") == "edge")
    loose = edges.filter(pl.col("subject").str.starts_with("name:") | pl.col("object").str.starts_with("name:"))
    said = pl.format("{} {} {}", "subject", "name", "object")
    yield _finding("unresolved", "edges that end at a name alone", loose, edges.height, said)


def _loose(alive: pa.Table) -> Iterator[Finding]:
    """Loans told without a key that fit several told with one, and are counted beside them."""
    doubts = judged(alive)[1]
    examples = [f"{one.told} ({one.told.statement}) is {' or '.join(map(repr, one.keys))}" for one in doubts]
    yield Finding("duplicate", "loans without a key that fit several", len(doubts), 0, tuple(examples[:SHOWN]))


def _stale(claims: pl.DataFrame, valid: datetime) -> Iterator[Finding]:
    """Sources whose newest publication is long ago."""
    source = pl.col("extractor").str.split(".").list.first().alias("source")
    newest = claims.group_by(source).agg(pl.col("published").max(), pl.len().alias("claims"))
    newest = newest.filter(pl.col("source").is_in(list(RELIABILITY)))
    days = (pl.lit(valid) - pl.col("published")).dt.total_days()
    old = newest.with_columns(days.alias("days")).filter(pl.col("days") > STALE).sort("days", descending=True)
    said = pl.format("{}: {} days, since {}", "source", "days", pl.col("published").dt.strftime("%Y-%m-%d"))
    yield _finding("stale", "sources that published nothing for more than 400 days", old, newest.height, said)


def _refused(report: RunReport) -> Iterator[Finding]:
    """What the last run could not read, did not take, and left unread."""
    for source in report.sources:
        examples = [f"{q.path} {q.locator}: {q.reason}" for q in report.quarantined if q.source == source]
        yield Finding("quarantined", f"parts of {source}", len(examples), 0, tuple(examples[:SHOWN]))
    untaken = report.untaken
    yield Finding("untaken", "files that no source took", len(untaken), 0, tuple(untaken[:SHOWN]))
    unread = [f"{path}: {', '.join(names)}" for path, names in sorted(report.unread.items())]
    yield Finding("unread", "files with columns or tags nobody read", len(unread), 0, tuple(unread[:SHOWN]))
