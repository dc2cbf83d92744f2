"""The poison world: a seeded random graph in which beside every edge stand twins that must not be seen.

Each true statement gets up to six twins with absurd amounts (or ends): not yet valid, no longer valid, retracted,
not yet recorded, superseded by a later publication, and not yet published. All are real claims, committed to a real
ledger in three commits, so that the known clock comes from the commits. `World.seen` tells what must be visible at
an instant straight from the list of statements: filter by the three clocks, then the best statement of each group;
it shares no code with kg.project.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

import pyarrow.compute as pc

from kg.ledger import Ledger
from kg.model import FIRST, LAST, AsOf, Claim, ClaimBatch, Edge, Evidence, Judgement, Node, RunManifest, iso

EVENTS = {"TRADED", "PAID", "MENTIONED_IN", "AFFECTED_BY", "equity", "sentiment"}
"""Types without an end of validity."""
RANK = {"registers": 4, "filings": 3, "trades": 3, "news": 2, "model": 0}
HAS = {"name": "HAS_NAME", "distress": "HAS_SCORE", "sentiment": "HAS_SCORE"}
PLACE = ("latitude", "longitude", "radius")
PROPERTIES = {"name", "distress", "equity", "event_type", "label", "sentiment", *PLACE}
DISPUTED = {"LENDS_TO", "EXPOSED_TO", "OWNS", "SUPPLIES"}
ABSURD = Decimal("88888888.88")
NOW = datetime(2024, 6, 1, tzinfo=UTC)


def day(year: int, days: int = 0) -> datetime:
    return datetime(year, 1, 1, tzinfo=UTC) + timedelta(days=days)


@dataclass(frozen=True)
class Said:
    """One claim of the world, and the commits between which it is alive."""

    what: str
    """Edge type or property."""
    source: str
    target: str
    key: str
    props: dict[str, Any]
    valid_from: datetime
    valid_to: datetime
    published: datetime
    extractor: str
    locator: str
    confidence: float = 0.9
    born: int = 1
    died: int = 99

    @property
    def document(self) -> str:
        return sha256((self.source if self.what == "label" else self.locator).encode()).hexdigest()

    @property
    def quote(self) -> str:
        return f"{self.source} {self.what} {self.target}: {self.props.get('amount', self.props.get('share', ''))}"

    @property
    def said(self) -> str:
        """What tells two values apart."""
        return repr(sorted(self.props.items()))

    def claim(self) -> Claim:
        evidence = Evidence(self.document, self.locator, self.quote, self.extractor, self.confidence)
        if self.what in PROPERTIES:
            what: Edge | Node = Node("Company", self.source, self.props, self.key)
        else:
            what = Edge(self.what, self.source, self.target, self.props, self.key)
        return Claim(what, evidence, self.published, self.valid_from, self.valid_to)


@dataclass(frozen=True)
class Row:
    """One relationship as a store must show it."""

    type: str
    source: str
    target: str
    key: str
    id: str
    said: Said
    statement: str
    claims: int
    conflict: int

    @property
    def minor(self) -> int | None:
        amount = self.said.props.get("amount", self.said.props.get("equity"))
        return None if amount is None else int(amount * 100)

    @property
    def currency(self) -> str | None:
        return self.said.props.get("currency")

    @property
    def since(self) -> str:
        return iso(self.said.valid_from)

    def __getattr__(self, name: str) -> Any:
        if name in ("share", "score", "role"):
            return self.said.props.get(name)
        raise AttributeError(name)


@dataclass
class Seen:
    """What is visible at one instant."""

    rows: list[Row]
    labels: dict[str, str]
    by: dict[str, list[Row]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for row in sorted(self.rows, key=lambda r: r.id):
            self.by.setdefault(row.type, []).append(row)

    def of(self, *types: str) -> list[Row]:
        return [row for type in types for row in self.by.get(type, [])]

    def edges(self) -> list[Row]:
        return [row for row in self.rows if row.type not in PROPERTIES]

    def out(self, node: str, *types: str) -> list[Row]:
        return [row for row in self.of(*types) if row.source == node]

    def into(self, node: str, *types: str) -> list[Row]:
        return [row for row in self.of(*types) if row.target == node]

    def trails(self, types: tuple[str, ...], hops: int) -> Iterator[list[Row]]:
        """All walks of 1..hops edges that use no edge twice."""
        leaving: dict[str, list[Row]] = {}
        for row in self.of(*types):
            leaving.setdefault(row.source, []).append(row)

        def grow(trail: list[Row]) -> Iterator[list[Row]]:
            yield trail
            if len(trail) < hops:
                for row in leaving.get(trail[-1].target, []):
                    if row not in trail:
                        yield from grow([*trail, row])

        for row in self.of(*types):
            yield from grow([row])


class World:
    """The statements, the ledger they were committed to, and what must be seen when."""

    def __init__(self, folder: Path, seed: int = 11) -> None:
        self.nodes, self.said, self.merges = Builder(Random(seed)).build()
        self.ledger = Ledger.open(folder)
        self._seen: dict[AsOf, Seen] = {}
        self._commit()

    def _commit(self) -> None:
        """Three commits: what was first said; what was withdrawn; what came late, and who turned out the same."""
        opening = [Claim(Node(label, id), _plain(id), day(2019)) for id, label in self.nodes.items()]
        self.ledger.commit(self._batch(1, opening), RunManifest("ingest", {"n": 1}))
        self.ledger.commit(self._batch(2), RunManifest("ingest", {"n": 2}), retract=self._dead(2))
        judged = [Claim(Judgement(a, b), _plain(f"{a}={b}"), day(2019)) for a, b in self.merges.items()]
        self.ledger.commit(self._batch(3, judged), RunManifest("resolve", {"n": 3}), retract=self._dead(3))
        assert self.ledger.head == 3

    def _batch(self, commit: int, more: list[Claim] = []) -> ClaimBatch:  # noqa: B006  # never changed
        edges = [s.claim() for s in self.said if s.born == commit and s.what not in PROPERTIES]
        facts = [s.claim() for s in self.said if s.born == commit and s.what in PROPERTIES]
        table = ClaimBatch.of(facts).table
        facts_only = ClaimBatch(table.filter(pc.equal(table["kind"], "property")))
        return ClaimBatch.concat([ClaimBatch.of([*more, *edges]), facts_only])

    def _dead(self, commit: int) -> list[str]:
        known = {row["locator"]: row["claim"] for row in self.ledger.events().to_pylist() if row["kind"] != "node"}
        dead = [known[s.locator] for s in self.said if s.died == commit]
        unlabelled = [row["claim"] for row in self.ledger.events().to_pylist() if row["locator"] in self.unlabelled]
        return dead + (unlabelled if commit == 2 else [])

    @cached_property
    def unlabelled(self) -> set[str]:
        """Locators of node rows withdrawn in the second commit."""
        scored = sorted({s.source for s in self.said if s.what == "distress" and self.nodes[s.source] == "Company"})
        return {f"row:{id}" for id in scored[:8]}

    @cached_property
    def statements(self) -> dict[str, str]:
        """Statement of each claim by its locator."""
        return {row["locator"]: row["statement"] for row in self.ledger.events().to_pylist()}

    @cached_property
    def claims(self) -> dict[str, str]:
        """Claim id by locator."""
        return {row["locator"]: row["claim"] for row in self.ledger.events().to_pylist()}

    def at(self, valid: datetime = NOW, commit: int = 2, published: datetime | None = day(2025)) -> AsOf:
        return AsOf(valid, self.ledger.known(commit), published)

    def seen(self, at: AsOf) -> Seen:
        """What a store must show."""
        if at not in self._seen:
            self._seen[at] = self._see(at)
        return self._seen[at]

    def _see(self, at: AsOf) -> Seen:
        commit = self.ledger.commit_at(at.known)
        public = at.published or LAST
        valid = at.valid or self.ledger.known(commit)
        canon = self.merges if commit >= 3 else {}
        groups: dict[tuple[str, ...], list[Said]] = {}
        for s in [*self.said, *self._labels(commit)]:
            if s.born <= commit < s.died and s.published <= public and s.valid_from <= valid < s.valid_to:
                many = s.props["name"] if s.what == "name" else ""
                group = (s.what, canon.get(s.source, s.source), canon.get(s.target, s.target), s.key, many)
                groups.setdefault(group, []).append(s)
        rows = [self._winner(group, candidates) for group, candidates in groups.items()]
        return Seen(rows, {canon.get(id, id): label for id, label in self.nodes.items()} | self.nodes)

    def _labels(self, commit: int) -> Iterator[Said]:
        for id, label in self.nodes.items():
            if commit < 2 or f"row:{id}" not in self.unlabelled:
                yield Said(
                    "label", id, "", "", {"label": label}, FIRST, LAST, day(2019), "registers.nodes@1", f"row:{id}"
                )

    def _winner(self, group: tuple[str, ...], candidates: list[Said]) -> Row:
        by_claim = sorted(candidates, key=lambda s: self.claims[s.locator])
        best = max(  # the first of equals: the smallest claim id
            by_claim, key=lambda s: (RANK[s.extractor.partition(".")[0]], s.published, s.valid_from, s.confidence)
        )
        what, source, target, key, many = group
        shown = what if what not in PROPERTIES else ""
        words = (shown or HAS.get(what, "HAS_FACT"), source, target, "" if shown else what, key, many)
        id = sha256("\x1f".join(words).encode()).hexdigest()[:32]
        statement = self.statements[best.locator]
        saying = sum(self.statements[s.locator] == statement for s in candidates)
        conflict = len({s.said for s in candidates}) - 1
        return Row(what, source, target, key, id, best, statement, saying, conflict)


def _plain(id: str) -> Evidence:
    return Evidence(sha256(id.encode()).hexdigest(), f"row:{id}", id, "registers.nodes@1")


class Builder:
    """Draws the nodes, the true statements and their twins."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.nodes: dict[str, str] = {}
        self.said: list[Said] = []
        self.merges: dict[str, str] = {}
        self.taken: set[tuple[str, str, str, str]] = set()

    def build(self) -> tuple[dict[str, str], list[Said], dict[str, str]]:
        counts = {"Company": 890, "Bank": 120, "Fund": 60, "Person": 260, "Security": 120, "Account": 380}
        scheme = {"Person": "person", "Security": "isin", "Account": "acct", "Document": "doc", "Event": "event"}
        counts |= {"Sector": 12, "Country": 20, "Document": 70, "Event": 60}
        scheme |= {"Sector": "sector", "Country": "iso"}
        self.ids = {
            label: [f"{scheme.get(label, 'lei')}:{label.lower()}{i:04d}" for i in range(count)]
            for label, count in counts.items()
        }
        for label, ids in self.ids.items():
            self.nodes |= dict.fromkeys(ids, label)
        self.firms = self.ids["Company"] + self.ids["Bank"] + self.ids["Fund"]
        self._merged()
        self._random_edges()
        self._planted()
        self._facts()
        self._told()
        return self.nodes, self.said, self.merges

    def _merged(self) -> None:
        """Eight entities that some sources know by name only; the third commit finds out who they are."""
        for i, id in enumerate(self.ids["Company"][:8]):
            self.nodes[f"name:company {i}"] = "Company"
            self.merges[f"name:company {i}"] = id
        self.firms += list(self.merges)

    def _any(self, label: str) -> str:
        return self.random.choice(self.ids[label])

    def _money(self) -> dict[str, Any]:
        amount = Decimal(self.random.randrange(10_000, 9_000_000)) / 100
        return {"amount": amount, "currency": "USD" if self.random.random() < 0.2 else "EUR"}

    def _random_edges(self) -> None:
        """Loops and parallel edges come by themselves among few nodes, and a few are put in on purpose."""
        r, firms, some = self.random, self.firms, self.firms[:60] + list(self.merges)
        for i in range(420):
            owner = r.choice(firms + self.ids["Person"]) if i % 3 else r.choice(some)
            self.put("OWNS", owner, r.choice(some if i % 2 else firms), f"class{i % 3}", {"share": r.random()})
        for i in range(560):
            lender = r.choice(self.ids["Bank"]) if i % 4 else r.choice(some)
            borrower = r.choice(some if i % 2 else self.ids["Bank"])
            self.put("LENDS_TO" if i % 4 else "EXPOSED_TO", lender, borrower, f"facility{i % 5}", self._money())
        for i in range(360):
            self.put("SUPPLIES", r.choice(firms if i % 2 else some), r.choice(some), "", self._money())
        for id in some[:3]:
            self.put("OWNS", id, id, "own", {"share": 0.05})
            self.put("LENDS_TO", id, id, "own", self._money())
        for id in self.firms[:220]:
            self.put("IN_SECTOR", id, self._any("Sector"))
            self.put("IN_COUNTRY", id, self._any("Country"))
        for i in range(260):
            self.put(
                "OFFICER_OF",
                r.choice(self.ids["Person"][:90]),
                r.choice(some),
                f"role{i % 2}",
                {"role": f"role{i % 2}"},
            )
        for id in self.ids["Security"]:
            self.put("ISSUED", r.choice(some), id)
        for i in range(260):
            holder = r.choice(self.ids["Fund"] + self.ids["Bank"])
            self.put("HOLDS", holder, self._any("Security"), f"2024-03-31 {i % 2}", self._money() | {"quantity": 5.0})
        for id in self.ids["Account"]:
            self.put("HAS_ACCOUNT", r.choice(some + self.ids["Person"][:30]), id)
        accounts = self.ids["Account"][:150]
        for i in range(420):
            self.put("PAID", r.choice(accounts), r.choice(accounts), f"pay{i}", self._money(), self._moment())
        for _ in range(420):
            self.put("MENTIONED_IN", r.choice(some), self._any("Document"), "", {"count": 3}, self._moment())
        for i in range(160):
            relation = "LENDS_TO" if i % 2 else "SUPPLIES"
            pair = (r.choice(self.ids["Bank"]), r.choice(some))
            self.put("PREDICTED", *pair, relation, {"score": round(r.random(), 6)}, extractor="model.rgcn@1")

    def _moment(self) -> datetime:
        return day(2021, self.random.randrange(900)) + timedelta(seconds=self.random.randrange(80_000))

    def _planted(self) -> None:
        """Rings of payments, insiders trading before an event, officers on both sides of a loan."""
        r = self.random
        for i in range(24):
            ring = r.sample(self.ids["Account"], 3 + i % 2)
            start = day(2021, r.randrange(700))
            for step, (a, b) in enumerate(zip(ring, ring[1:] + ring[:1], strict=True)):
                self.put(
                    "PAID",
                    a,
                    b,
                    f"ring{i}-{step}",
                    {"amount": Decimal(1000 + i), "currency": "EUR"},
                    start + timedelta(days=step),
                )
        for i, event in enumerate(self.ids["Event"]):
            firm, person, moment = (
                r.choice(self.firms[:40]),
                r.choice(self.ids["Person"][:90]),
                day(2022, r.randrange(500)),
            )
            self.put("AFFECTED_BY", firm, event, "subject", {"role": "subject"}, moment)
            if i % 2:
                self.put("AFFECTED_BY", r.choice(self.firms[:40]), event, "party", {"role": "party"}, moment)
            paper = self._any("Security")
            self.put("ISSUED", firm, paper, "insider")
            self.put("OFFICER_OF", person, firm, f"insider{i}", {"role": "insider"})
            for n in range(3):
                trade = self._money() | {"role": "SB"[n % 2], "quantity": 10.0}
                self.put("TRADED", person, paper, f"day{i}-{n}", trade, moment - timedelta(days=20 * n - 10))
        loans = [s for s in self.said if s.what == "LENDS_TO" and s.locator.endswith(" true")]
        for i, loan in enumerate(r.sample(loans, 30)):
            person = r.choice(self.ids["Person"])
            self.put("OFFICER_OF", person, loan.source, f"both{i}", {"role": "both"})
            self.put("OFFICER_OF", person, loan.target, f"both{i}", {"role": "both"})
            if i % 3 == 0:
                self.put("PREDICTED", loan.source, loan.target, "LENDS_TO", {"score": 0.99}, extractor="model.rgcn@1")

    def _facts(self) -> None:
        r = self.random
        for id in self.firms[:260]:
            for year in (2021, 2022):
                value = {"equity": Decimal(r.randrange(-500_000, 9_000_000)) / 100, "currency": "EUR"}
                self.put("equity", id, "", f"FY{year}", value, day(year, 364))
        for id in self.firms[:120]:
            self.put("distress", id, "", "rgcn", {"distress": round(r.random(), 6)}, extractor="model.rgcn@1")
            self.put("name", id, "", "", {"name": f"Firm {id[-4:]} {r.randrange(99)}"})
        for event in self.ids["Event"]:
            self.put("event_type", event, "", "", {"event_type": r.choice(["default", "bankruptcy", "lawsuit"])})

    def _told(self) -> None:
        """How documents speak of firms (days with several, some equally grave), who shares what, where events were."""
        r, people = self.random, self.ids["Person"][:30]
        for firm in [*self.ids["Company"][:2], *self.merges][:6]:
            for n in range(12):
                moment = day(2021, 40 * (n % 4)) + timedelta(hours=n)
                tone = {"sentiment": r.randrange(-10, 11) / 10}
                self.put("sentiment", firm, "", self.ids["Document"][n], tone, moment)
        for i in range(70):
            kind = ("device", "address", "account")[i % 3]
            self.put("SHARES_IDENTIFIER", *r.sample(people[: 6 + i % 25], 2), kind, {"count": 1 + i % 4})
        for event in self.ids["Event"][::2]:  # the others have no place
            for name in PLACE:
                self.put(name, event, "", "", {name: round(r.uniform(-60, 60), 4)})

    # ---- one true statement and its twins

    def put(
        self, what: str, source: str, target: str, key: str = "", props: dict[str, Any] | None = None,
        moment: datetime | None = None, *, extractor: str = "filings.part@1",
    ) -> None:  # fmt: skip
        r, taken = self.random, self.taken
        group = (what, self.merges.get(source, source), self.merges.get(target, target), key)
        if group in taken:  # one true statement per group, so that the rows of a group are its twins
            return
        taken.add(group)
        start = moment or day(2020, r.randrange(500))
        end = LAST if what in EVENTS else day(2024, 200 + r.randrange(400))
        public = start + timedelta(days=r.randrange(30, 400))
        name = f"{what} {source} {target} {key} {len(self.said)}"
        true = Said(what, source, target, key, props or {}, start, end, public, extractor, f"row:{name} true")
        if r.random() < 0.06:
            true = replace(true, born=3)  # learned late, but true
        elif r.random() < 0.06:
            true = replace(true, died=3)  # given up later
        self.said.append(true)
        self.said += [replace(twin, locator=f"row:{name} {why}") for why, twin in self._twins(true)]
        if r.random() < 0.1 and what not in PROPERTIES:
            self.said.append(replace(true, locator=f"row:{name} again", confidence=0.5))

    def _twins(self, true: Said) -> Iterator[tuple[str, Said]]:
        """Beside the true statement: the same group where the value differs, another end where there is no value."""
        bad, other, third = self._absurd(true), self._absurd(true), self._absurd(true)
        apart = replace(bad, key=true.key + "~")
        many = true.what == "name"
        if true.what not in EVENTS:
            yield "past", replace(bad, valid_from=day(2010), valid_to=true.valid_from)
            yield "future", replace(bad, valid_from=true.valid_to, valid_to=LAST)
        else:
            yield "future", replace(apart, key=true.key + "~future", valid_from=day(2029), published=day(2020))
        strong = "registers.part@1" if true.extractor.startswith("filings") else "filings.part@1"
        if self.random.random() < 0.5 and not many:
            yield "gone", replace(bad, extractor=strong, born=1, died=2)
            yield "late", replace(other, published=true.published + timedelta(days=9), born=3, died=99)
        else:
            yield "gone", replace(apart, key=true.key + "~gone", born=1, died=2)
            yield "late", replace(apart, key=true.key + "~late", born=3, died=99)
        hidden = replace(apart, key=true.key + "~secret", published=day(2031), born=self.random.choice((1, 2, 3)))
        if true.what == "PREDICTED":  # its key is the relation
            hidden = replace(self._elsewhere(hidden), key=true.key, born=hidden.born)
        yield "unpublished", hidden
        if true.what in DISPUTED:
            yield "unpublished too", self._rival(hidden)
            yield "past too", self._rival(replace(bad, valid_from=day(2010), valid_to=true.valid_from))
            yield "future too", self._rival(replace(bad, valid_from=true.valid_to, valid_to=LAST))
        if third.target == true.target and not many and true.props:
            yield "superseded", replace(third, published=true.published - timedelta(days=25))

    def _rival(self, twin: Said) -> Said:
        """A weaker source that says another value of the same twin."""
        name = "share" if "share" in twin.props else "amount"
        other = twin.props | {name: twin.props[name] / 2 if name == "share" else twin.props[name] + 1}
        return replace(twin, props=other, extractor="news.part@1")

    def _absurd(self, true: Said) -> Said:
        props = dict(true.props)
        much = self.random.random()
        if true.target and self.random.random() < 0.3:
            return self._elsewhere(true)
        for name in ("amount", "equity", "share", "score", "distress", "sentiment", *PLACE):
            if name in props:
                money = name in ("amount", "equity")
                props[name] = ABSURD + int(much * 10**6) if money else round(0.99 + much / 100, 9)
                return replace(true, props=props, born=1, died=99)
        if true.what == "SHARES_IDENTIFIER":
            return replace(true, props={"count": 1_000 + int(much * 10**6)}, born=1, died=99)
        if "name" in props or "event_type" in props:
            other = {"name": f"Wrong {much}"} if "name" in props else {"event_type": f"wrong {much}"}
            return replace(true, props=other, born=1, died=99)
        return self._elsewhere(true)

    def _elsewhere(self, true: Said) -> Said:
        """The same relation to somebody else."""
        others = [id for id, label in self.nodes.items() if label == self.nodes[true.target] and id != true.target]
        return replace(true, target=self.random.choice(others), born=1, died=99)
