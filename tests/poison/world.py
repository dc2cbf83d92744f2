"""The poison world in a ledger, and the plain-Python answer to what must be seen of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from random import Random

import pyarrow.compute as pc

from kg.ledger import Ledger
from kg.model import FIRST, LAST, AsOf, Claim, ClaimBatch, Evidence, Judgement, Node, RunManifest
from tests.poison.builder import Builder
from tests.poison.said import HAS, NOW, PROPERTIES, RANK, Said, day
from tests.poison.seen import Row, Seen


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
