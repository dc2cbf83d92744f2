"""A ledger of several drawn FinBench worlds, each true claim beside twins that must never be seen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

from kg.ledger import Ledger
from kg.model import AsOf, Claim, ClaimBatch, Edge, Facts, Node, RunManifest
from tests.finbench_claims import claims
from tests.finbench_oracle import Asked, Oracle
from tests.finbench_tables import Account, Draw, Medium, Tables

ABSURD = Decimal("777777.77")
NOW = datetime(2023, 6, 1, tzinfo=UTC)
PUBLIC = datetime(2022, 12, 1, tzinfo=UTC)
STATES = ("HAS_ACCOUNT", "OWNS", "EXPOSED_TO")


@dataclass
class Twins:
    """False statements by when they come and go: said first and withdrawn, said at once and unseen, said too late."""

    gone: list[Claim]
    unseen: list[Claim]
    late: list[Claim]


def twins(tables: Tables, seed: int) -> Twins:
    """Beside every third edge and fact, one of each kind of falsehood."""
    random, made = Random(seed), Twins([], [], [])
    for claim in claims(tables):
        if isinstance(claim.what, Edge) and random.random() < 0.34:
            _beside_edge(claim, tables, random, made)
    things: list[Account | Medium] = [*tables.accounts, *tables.media]
    for thing in things:
        if not thing.blocked:
            _beside_flag(thing.id, tables, made)
    for loan in tables.loans:
        _beside_loan(loan.id, tables, made)
    return made


def _told(claim: Claim, word: str, **changes: Any) -> Claim:
    """A twin, at a place of its own in the document."""
    evidence = replace(claim.evidence, locator=f"{claim.evidence.locator} {word}", confidence=0.5)
    return replace(claim, evidence=evidence, **changes)


def _beside_edge(claim: Claim, tables: Tables, random: Random, made: Twins) -> None:
    edge = claim.what
    assert isinstance(edge, Edge)
    wrong = _wrong(edge, tables, random)
    far = datetime(2029, 1, 1, tzinfo=UTC)
    made.gone.append(_told(claim, "gone", what=replace(wrong, key=edge.key + "~g")))
    made.late.append(_told(claim, "late", what=replace(wrong, key=edge.key + "~l")))
    made.unseen.append(_told(claim, "future", what=replace(wrong, key=edge.key + "~f"), valid_from=far))
    hidden = replace(wrong, key=edge.key + "~u")
    made.unseen.append(_told(claim, "unpublished", what=hidden, published=datetime(2031, 1, 1, tzinfo=UTC)))
    if edge.type in STATES:
        begin = datetime(2010, 1, 1, tzinfo=UTC)
        past = {"valid_from": begin, "valid_to": begin + timedelta(days=900)}
        made.unseen.append(_told(claim, "past", what=replace(wrong, key=edge.key + "~p"), **past))
    if edge.type == "PAID":  # the same payment as an earlier paper had it
        earlier = replace(edge, props={**edge.props, "amount": ABSURD})
        made.unseen.append(_told(claim, "superseded", what=earlier, published=claim.published - timedelta(days=20)))


def _wrong(edge: Edge, tables: Tables, random: Random) -> Edge:
    """The edge with an absurd amount, or to somebody else."""
    if "amount" in edge.props and (edge.props.get("role") in ("withdraw", "deposit", "repay") or random.random() < 0.5):
        return replace(edge, props={**edge.props, "amount": ABSURD})
    kind = {"OWNS": "Company", "EXPOSED_TO": edge.target.partition(":")[0]}
    others = {
        "HAS_ACCOUNT": [a.id for a in tables.accounts] if "loan" not in edge.target else [ln.id for ln in tables.loans],
        "SIGNED_IN": [a.id for a in tables.accounts],
        "PAID": [a.id for a in tables.accounts],
        "OWNS": [p.id for p in tables.parties if p.label == kind["OWNS"]],
        "EXPOSED_TO": [p.id for p in tables.parties if p.id.startswith(kind["EXPOSED_TO"])],
    }[edge.type]
    return replace(edge, target=random.choice([id for id in others if id != edge.target]))


def _beside_flag(id: str, tables: Tables, made: Twins) -> None:
    """An account that is not blocked, said to be."""
    (first, *_) = claims(replace(tables, moves=[], links=[]))
    what = Facts(id, {"flag": "blocked"})
    said = _told(first, f"flag {id}", what=what)
    far, begin = datetime(2029, 1, 1, tzinfo=UTC), datetime(2010, 1, 1, tzinfo=UTC)
    made.gone.append(said)
    made.late.append(_told(said, "late"))
    made.unseen.append(_told(said, "unpublished", published=datetime(2031, 1, 1, tzinfo=UTC)))
    made.unseen.append(_told(said, "future", valid_from=far))
    made.unseen.append(_told(said, "past", valid_from=begin, valid_to=begin + timedelta(days=900)))


def _beside_loan(id: str, tables: Tables, made: Twins) -> None:
    """The amount of a loan as an earlier paper had it, as a later commit will, and as nobody has published yet."""
    for claim in claims(replace(tables, parties=[], accounts=[], media=[], moves=[], links=[])):
        what = claim.what
        if isinstance(what, Node) and what.id == id and what.key == "loan_amount":
            wrong = Facts(id, {**what.props, "fact": ABSURD}, what.key)
            made.unseen.append(_told(claim, "superseded", what=wrong, published=claim.published - timedelta(days=20)))
            later = claim.published + timedelta(days=9)
            made.late.append(_told(claim, "late", what=wrong, published=later))


class World:
    """Three commits (what is said, what is withdrawn, what comes late) of several draws and of hand-made tables."""

    def __init__(self, folder: Path, seeds: Iterable[int], size: int, *more: Tables) -> None:
        self.tables = [Draw(seed, size).made() for seed in seeds]
        self.oracles = [Oracle(tables) for tables in self.tables]
        self.ledger = Ledger.open(folder)
        made = [twins(tables, place) for place, tables in enumerate(self.tables)]
        true = [claim for tables in [*self.tables, *more] for claim in claims(tables)]
        gone = [claim for each in made for claim in each.gone]
        unseen = [claim for each in made for claim in each.unseen]
        self._commit([*true, *gone, *unseen])
        places = {claim.evidence.locator + claim.evidence.document for claim in gone}
        events = self.ledger.events().to_pylist()
        self._commit([], [e["claim"] for e in events if e["locator"] + e["document"] in places])
        self._commit([claim for each in made for claim in each.late])
        self.at = AsOf(NOW, self.ledger.known(2), PUBLIC)

    def _commit(self, said: list[Claim], retract: Iterable[str] = ()) -> None:
        self.ledger.commit(ClaimBatch.of(said), RunManifest("ingest", {"n": self.ledger.head}), retract=list(retract))


@dataclass(frozen=True)
class Question:
    """One drawn question: which oracle knows, what it is asked, and the same as a named query takes it."""

    oracle: Oracle
    name: str
    given: dict[str, Any]
    asked: Asked | None

    def expected(self) -> list[dict[str, Any]]:
        extra = {} if self.asked is None else {"asked": self.asked}
        rows: list[dict[str, Any]] = getattr(self.oracle, self.name)(**self.given, **extra)
        return rows

    def params(self, inputs: Iterable[str]) -> dict[str, Any]:
        """As the catalogue takes them: money as text, instants as text."""
        values = {n: f"{v // 100}.{v % 100:02d}" if n.endswith("above") else v for n, v in self.given.items()}
        if (asked := self.asked) is not None:
            shared = {"after": asked.after.isoformat(), "before": asked.before.isoformat(), "currency": asked.currency,
                      "truncation_limit": asked.limit, "truncation_order": asked.order}  # fmt: skip
            values |= {name: value for name, value in shared.items() if name in inputs}
        return values


def questions(world: World, name: str, count: int, seed: int) -> Iterator[Question]:
    """`count` questions of each world, of things that are rarely without an answer."""
    for place, oracle in enumerate(world.oracles):
        random = Random(f"{name} {seed} {place}")
        for turn in range(count):
            given = {key: draw(random, oracle.tables) for key, draw in INPUTS[name].items()}
            if name == "transfer_cycle":
                given = dict(zip(("payer", "receiver"), _in_a_ring(random, oracle.tables), strict=True))
            yield Question(
                oracle, name, given, None if name == "account" else _shared(random, oracle.tables, name, turn)
            )


def _in_a_ring(random: Random, tables: Tables) -> tuple[str, str]:
    """Two accounts that a third, paid by the second, makes a circle of."""
    paid = {(move.source, move.target) for move in tables.moved("transfer") if move.source != move.target}
    to = {one: {target for source, target in paid if source == one} for one, _ in paid}
    rings = sorted(
        (one, other) for one, other in paid if any((third, one) in paid for third in to.get(other, set()) - {one})
    )
    return random.choice(rings)


def _shared(random: Random, tables: Tables, name: str, turn: int) -> Asked:
    """Every other window ends at instants at which something happens."""
    links = {"investor_similarity": "invest", "guarantee_chain": "guarantee"}
    rows = list(tables.linked(links[name])) if name in links else tables.moves
    moments = sorted(row.moment for row in rows)
    window = (moments[random.randrange(len(moments) // 5)], moments[-1 - random.randrange(len(moments) // 5)])
    timed = ("TIMESTAMP_ASCENDING", "TIMESTAMP_DESCENDING")
    orders = timed if name == "guarantee_chain" else (*timed, "AMOUNT_ASCENDING", "AMOUNT_DESCENDING")
    limit = random.choice((4, 9, 10_000) if name == "withdrawal_after_pooling" else (2, 4, 9, 10_000))
    shared = Asked(limit=limit, order=random.choice(orders), currency="USD" if random.random() < 0.15 else "EUR")
    return replace(shared, after=window[0], before=window[1]) if turn % 3 else shared


def _account(random: Random, tables: Tables) -> str:
    """Mostly a hub."""
    return tables.accounts[int(len(tables.accounts) * random.random() ** 3)].id


def _anyone(random: Random, tables: Tables) -> str:
    return random.choice(tables.accounts).id


def _person(random: Random, tables: Tables) -> str:
    people = {party.id for party in tables.parties if party.label == "Person"}
    return random.choice([link.source for link in tables.linked("own") if link.source in people])


def _card(random: Random, tables: Tables) -> str:
    """The hub among the cards, or another that money was drawn to."""
    return random.choice([min(move.target for move in tables.moved("withdraw")), _any_card(random, tables)])


def _any_card(random: Random, tables: Tables) -> str:
    return random.choice([move.target for move in tables.moved("withdraw")])


def _loan(random: Random, tables: Tables) -> str:
    return random.choice(tables.loans).id


def _investor(random: Random, tables: Tables) -> str:
    return random.choice([link.source for link in tables.linked("invest")][:12])


def _guarantor(random: Random, tables: Tables) -> str:
    return random.choice([link.source for link in tables.linked("guarantee")])


def _line(random: Random, _: Tables) -> int:
    """An amount that some payments have to the cent."""
    return random.choice((0, 10_000, 25_000, 100_000))


def _low(random: Random, _: Tables) -> int:
    return random.choice((0, 10_000))


def _part(random: Random, _: Tables) -> float:
    return random.choice((0.0, 0.05, 0.3, 0.9))


INPUTS: dict[str, dict[str, Any]] = {
    "blocked_devices": {"id": _account},
    "funds_from_loans": {"id": _person},
    "shortest_transfer": {"payer": _anyone, "receiver": _anyone},
    "transfer_cycle": {},
    "transfer_traces": {"id": _person},
    "withdrawal_after_pooling": {"id": _card, "paid_in_above": _low, "withdrawn_above": _low},
    "fast_in_fast_out": {"id": _account, "above": _line},
    "loan_trace": {"id": _loan, "threshold": _part},
    "loan_laundering": {"id": _account, "above": _line},
    "investor_similarity": {"a": _investor, "b": _investor},
    "guarantee_chain": {"id": _guarantor},
    "transfers_to_companies": {"id": _person},
    "account": {"id": _account},
    "turnover": {"id": _account},
    "blocked_share": {"id": _account, "above": _line},
    "sent_above": {"id": _account, "above": _line},
    "received_above": {"id": _account, "above": _line},
    "same_sources": {"id": _account},
}
"""The 12 complex and 6 simple reads, in the order of the specification, with how each of their own inputs is drawn."""
