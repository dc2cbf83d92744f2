"""Random operations on a ledger: assert, correct, merge, un-merge, forbid, retract, score; some are foretold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from shutil import copytree
from typing import Any

from ingest.preview import differences, preview
from ingest.rulings import Ruling
from kg.identity import clusters
from kg.ledger import Ledger
from kg.model import AsOf, Claim, ClaimBatch, Edge, Evidence, Facts, Judgement, Node, RunManifest, SameEdge

START = datetime(2020, 1, 1, tzinfo=UTC)
EXTRACTORS = ("registers.csv@1", "filings.xbrl@1", "news.relations@1", "images.ocr@2", "model.risk@1")


@dataclass
class Ticking:
    """A clock that moves on by a minute a reading."""

    now: datetime = START + timedelta(days=2500)

    def __call__(self) -> datetime:
        self.now += timedelta(minutes=1)
        return self.now


@dataclass
class World:
    """A ledger under random operations. The same seed makes the same world."""

    ledger: Ledger
    seed: int
    entities: int = 30
    ids: list[str] = field(default_factory=list)
    random: Random = field(init=False)
    documents: int = 0
    foretold: int = 0
    """Commits whose preview was held against what came of them."""
    parted: set[frozenset[str]] = field(default_factory=set)
    """Pairs that were forbidden while third ids joined them."""
    beside: Random = field(init=False)
    """Chance of previews and partings: a stream of its own, so that the operations stay what they were."""

    joining: Random = field(init=False)
    """Chance of judgements about edges, likewise."""
    seen: tuple[int, list[dict[str, Any]]] = (0, [])
    """What is alive, and after which commit it was read."""

    def __post_init__(self) -> None:
        self.random, self.beside, self.joining = (Random(self.seed + n) for n in range(3))
        n = self.entities
        self.ids = (
            [f"lei:L{i:03d}" for i in range(n // 3)]
            + [f"cik:{i:04d}" for i in range(n // 3)]
            + [f"name:n {i}" for i in range(n // 3)]
        )

    def start(self) -> None:
        """First commit: a node row for every id."""
        labels = ("Bank", "Company", "Fund")
        claims = [self._claim(Node(labels[i % 3], id, {"name": f"Firm {i % 7}"})) for i, id in enumerate(self.ids)]
        self._commit(claims)

    def run(self, count: int) -> None:
        """`count` operations, a few to a commit."""
        done = 0
        while done < count:
            size = min(self.random.choice((1, 1, 2, 5, 10)), count - done)
            retract: list[str] = []
            claims = [c for _ in range(size) for c in self._operation(retract)]
            if self.joining.random() < 0.25:
                claims += self._join(retract)
            self._commit(claims, retract)
            if self.beside.random() < 0.04:
                self._part()
            done += size

    def _commit(self, claims: list[Claim], retract: list[str] | None = None) -> None:
        batch, run = ClaimBatch.of(claims), RunManifest("random", {"seed": self.seed})
        if self.ledger.head and self.beside.random() < 0.06:
            self._foretell(Ruling(batch, tuple(retract or ()), run))
        else:
            self.ledger.commit(batch, run, retract=retract or [])

    def _foretell(self, ruling: Ruling) -> None:
        """Commit what a preview was made of: the graph and what a store is told change as it said."""
        head, at = self.ledger.head, AsOf(valid=START + timedelta(days=1000))
        before, expected = self.ledger.view(at), preview(self.ledger, ruling, at)
        self.ledger.commit(ruling.batch, ruling.manifest, retract=ruling.retract)
        assert tuple(differences(before, self.ledger.view(at))) == expected.differences
        made = self.ledger.delta(head)
        for real, said in ((made.opens, expected.delta.opens), (made.closes, expected.delta.closes)):
            timeless = [name for name in real.column_names if not name.startswith("known")]
            assert real.select(timeless).equals(said.select(timeless))
        self.foretold += 1

    def _alive(self) -> list[dict[str, Any]]:
        if self.seen[0] != self.ledger.head:
            self.seen = self.ledger.head, self.ledger.alive().to_pylist()
        return self.seen[1]

    def _part(self) -> None:
        """Forbid two ids of one cluster, where third ids may join them as well; what joined them stays in the log."""
        rows = [r for r in self._alive() if r["kind"] in ("same", "not_same")]
        same = sorted((r["commit"], *sorted((r["subject"], r["object"]))) for r in rows if r["kind"] == "same")
        apart = {frozenset((r["subject"], r["object"])) for r in rows if r["kind"] == "not_same"}
        canon = clusters(((a, b) for _, a, b in same), apart)
        pairs = [(a, b) for a in canon for b in canon if a < b and canon[a] == canon[b]]
        if pairs:
            pair = self.beside.choice(sorted(pairs))
            self._commit([self._claim(Judgement(*pair, same=False))])
            self.parted.add(frozenset(pair))

    def _join(self, retract: list[str]) -> Iterator[Claim]:
        """Say that a loan is that of another key, or is not, or when it ended, or take back what was said."""
        r, alive = self.joining, self._alive()
        loans = [row for row in alive if row["kind"] == "edge" and row["name"] == "LENDS_TO"]
        judged = [row for row in alive if row["kind"] in ("same_edge", "not_same_edge")]
        if loans and r.random() < 0.3:
            yield self._end(r.choice(loans))
        elif judged and r.random() < 0.3:
            retract.append(r.choice(judged)["claim"])
        elif loans:
            denied = judged and r.random() < 0.3
            one = r.choice(judged if denied else loans)
            statement = one["value_text"] if denied else one["statement"]
            key = one["key"] if denied else r.choice("fgh")
            what = SameEdge(one["name"], one["subject"], one["object"], statement, key, not denied)
            yield Claim(what, Evidence("doc joins", f"row:{r.randrange(99)}", "as said", "resolve.obligation@1"), START)

    def _end(self, row: dict[str, Any]) -> Claim:
        """The document of a loan says later when it ended."""
        start, props = row["valid_from"], {"amount": row["value_decimal"], "currency": row["unit"]}
        edge = Edge("LENDS_TO", row["subject"], row["object"], props, row["key"])
        place = f"row:end {self.joining.randrange(9)}"
        evidence = Evidence(row["document"], place, "as said", row["extractor"], 0.9)
        end = start + timedelta(days=self.joining.randrange(50, 900))
        return Claim(edge, evidence, row["published"] + timedelta(days=200), start, end)

    def _operation(self, retract: list[str]) -> Iterator[Claim]:
        kind = self.random.choices(
            ("assert", "correct", "merge", "unmerge", "forbid", "retract", "score", "node"),
            (40, 20, 12, 8, 2, 10, 6, 2),
        )[0]
        pick, two = self.random.choice, self.random.sample(self.ids, 2)
        if kind == "correct":
            self._retract(("edge", "property"), retract)
        if kind in ("assert", "correct"):
            yield self._claim(pick((self._loan, self._share, self._payment, self._sector, self._equity))(*two))
        elif kind == "merge":
            yield self._claim(Judgement(*two))
        elif kind == "forbid":
            yield self._claim(Judgement(*two, same=False))
        elif kind == "node":
            yield self._claim(Node("Company", f"name:late {self.random.randrange(9)}", {"name": "Late"}))
        elif kind == "score":
            props = {"distress": round(self.random.random(), 6)}
            yield self._claim(Facts(two[0], props, key="model a"), score=True)
        else:
            self._retract(("same", "not_same") if kind == "unmerge" else ("edge", "property", "node"), retract)

    def _retract(self, kinds: tuple[str, ...], retract: list[str]) -> None:
        """Mark one alive claim of these kinds for retraction, if there is one."""
        choices = [r["claim"] for r in self._alive() if r["kind"] in kinds and r["claim"] not in retract]
        if choices:
            retract.append(self.random.choice(choices))

    def _claim(self, what: Node | Facts | Edge | Judgement, score: bool = False) -> Claim:
        document = f"doc{self.random.randrange(60)}"
        extractor = "model.risk@1" if score else self.random.choice(EXTRACTORS)
        evidence = Evidence(
            document, f"row:{self.random.randrange(5)}", "as said", extractor, self.random.choice((1.0, 0.9, 0.5))
        )
        start = START + timedelta(days=self.random.randrange(0, 2000, 100))
        end = self.random.choice((None, start + timedelta(days=self.random.randrange(100, 900, 100))))
        event = (isinstance(what, Edge) and what.type == "PAID") or (isinstance(what, Facts) and "equity" in what.props)
        if isinstance(what, Node):
            start, end = START - timedelta(days=400), None
        published = START + timedelta(days=self.random.randrange(0, 2400, 50))
        return Claim(what, evidence, published, start, None if event else end)

    def _loan(self, a: str, b: str) -> Edge:
        return Edge(
            "LENDS_TO",
            a,
            b,
            {"amount": Decimal(self.random.randrange(1, 9)), "currency": "EUR"},
            self.random.choice("fg"),
        )

    def _share(self, a: str, b: str) -> Edge:
        return Edge("OWNS", a, b, {"share": self.random.randrange(1, 5) / 10})

    def _payment(self, a: str, b: str) -> Edge:
        return Edge(
            "PAID",
            a,
            b,
            {"amount": Decimal(self.random.randrange(1, 99)), "currency": "USD", "count": 1},
            f"t{self.random.randrange(4)}",
        )

    def _sector(self, a: str, _: str) -> Facts:
        return Facts(a, {"description": self.random.choice(("bank", "shop", "mine"))})

    def _equity(self, a: str, _: str) -> Facts:
        return Facts(
            a,
            {"equity": Decimal(self.random.randrange(-5, 50)), "currency": "EUR"},
            key=f"202{self.random.randrange(3)}-12-31",
        )


@dataclass(frozen=True)
class Growth:
    """A world after 1,000 operations, and copies of its ledger at stages of its growth."""

    world: World
    stages: tuple[Path, ...]


def grow(folder: Path, seed: int = 7, parts: tuple[int, ...] = (1, 49, 150, 300, 500)) -> Growth:
    """Run the operations part by part, keeping a copy of the ledger after each."""
    world = World(Ledger.open(folder / "ledger", clock=Ticking()), seed=seed)
    world.start()
    stages = []
    for number, part in enumerate(parts):
        world.run(part)
        stages.append(folder / f"stage-{number}" / "ledger")
        copytree(world.ledger.folder, stages[-1])
    return Growth(world, tuple(stages))


def instants(ledger: Ledger, count: int, seed: int) -> list[tuple[datetime, datetime, datetime]]:
    """Random (valid, known, published) within and just outside what the ledger holds."""
    random = Random(seed)
    knowns = ledger.commits()["known_from"].to_pylist()
    return [
        (
            START + timedelta(days=random.randrange(-100, 2600)),
            random.choice(knowns) + timedelta(seconds=random.choice((0, 0, 1))),
            START + timedelta(days=random.choice((random.randrange(0, 2500), 9999))),
        )
        for _ in range(count)
    ]
