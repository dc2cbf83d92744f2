"""Seeded tables of the FinBench schema: who owns which account, who moved what to whom and when.

The schema (persons, companies, accounts, loans, media, and nine kinds of links between them) is that of the LDBC
FinBench specification; every value is drawn here. No data of the LDBC is used.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from random import Random

BEGIN = datetime(2022, 1, 1, tzinfo=UTC)
DAYS = 90
ROADS = ("POS", "RFID", "phone", "browser")


@dataclass(frozen=True, slots=True)
class Party:
    """A person or a company."""

    id: str
    label: str
    name: str
    created: datetime
    blocked: bool


@dataclass(frozen=True, slots=True)
class Account:
    """An account; withdrawals go to accounts of the type card."""

    id: str
    type: str
    created: datetime
    blocked: bool


@dataclass(frozen=True, slots=True)
class Loan:
    """A loan: what was granted and what is still owed."""

    id: str
    amount: Decimal
    balance: Decimal
    currency: str
    created: datetime


@dataclass(frozen=True, slots=True)
class Medium:
    """What somebody signs in with."""

    id: str
    type: str
    created: datetime
    blocked: bool


@dataclass(frozen=True, slots=True)
class Move:
    """Money that moved: transfer, withdraw, deposit (loan to account) or repay (account to loan)."""

    kind: str
    key: str
    source: str
    target: str
    amount: Decimal
    currency: str
    moment: datetime

    @property
    def cents(self) -> int:
        return int(self.amount * 100)


@dataclass(frozen=True, slots=True)
class Link:
    """Everything else between two things: own, apply, sign_in, invest, guarantee."""

    kind: str
    key: str
    source: str
    target: str
    moment: datetime
    ratio: float = 0.0


@dataclass
class Tables:
    """All rows of one draw."""

    parties: list[Party] = field(default_factory=list)
    accounts: list[Account] = field(default_factory=list)
    loans: list[Loan] = field(default_factory=list)
    media: list[Medium] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)

    def moved(self, *kinds: str) -> Iterator[Move]:
        return (move for move in self.moves if move.kind in kinds)

    def linked(self, kind: str) -> Iterator[Link]:
        return (link for link in self.links if link.kind == kind)


class Draw:
    """Draws tables of about `size` accounts: skewed degrees, hubs, rings, loops, parallel and simultaneous moves."""

    def __init__(self, seed: int, size: int = 60, days: int = DAYS) -> None:
        self.random = Random(seed)
        self.seed, self.size, self.days = seed, size, days
        self.tables = Tables()
        self.numbers = 0

    def made(self) -> Tables:
        self._things()
        self._owned()
        self._borrowed()
        self._moved()
        self._rings()
        self._signed_in()
        return self.tables

    # ---- what exists

    def _id(self, scheme: str, what: str, number: int) -> str:
        return f"{scheme}:{what}{self.seed}n{number:05d}"

    def _things(self) -> None:
        r, n, t = self.random, self.size, self.tables
        for i in range(n // 3):
            t.parties.append(
                Party(self._id("person", "fb", i), "Person", f"Person {i}", self._early(), r.random() < 0.1)
            )
        for i in range(n // 6):
            t.parties.append(
                Party(self._id("reg", "fb", i), "Company", f"Firm {i} Ltd", self._early(), r.random() < 0.1)
            )
        for i in range(n):
            type = "card" if i % 6 == 5 else r.choice(("checking", "savings", "corporate"))
            t.accounts.append(Account(self._id("acct", "fb", i), type, self._early(), r.random() < 0.2))
        for i in range(n // 3):
            amount = Decimal(r.randrange(10_000, 5_000_000)) / 100
            balance = (amount * r.randrange(0, 100) / 100).quantize(Decimal("0.01"))
            currency = "USD" if r.random() < 0.1 else "EUR"
            t.loans.append(Loan(self._id("acct", "loan", i), amount, balance, currency, self._early()))
        for i in range(n // 4):
            t.media.append(Medium(self._id("device", "fb", i), r.choice(ROADS), self._early(), r.random() < 0.4))

    def _early(self) -> datetime:
        return BEGIN - timedelta(days=self.random.randrange(1, 700), hours=self.random.randrange(24))

    def _moment(self) -> datetime:
        """On the hour, so that several things happen at once."""
        return BEGIN + timedelta(hours=self.random.randrange(self.days * 24))

    def _key(self) -> str:
        self.numbers += 1
        return f"{self.seed}-{self.numbers:06d}"

    # ---- who has what

    def _link(self, kind: str, source: str, target: str, ratio: float = 0.0) -> None:
        self.tables.links.append(Link(kind, self._key(), source, target, self._moment(), ratio))

    def _owned(self) -> None:
        r, t = self.random, self.tables
        people = [party.id for party in t.parties if party.label == "Person"]
        firms = [party.id for party in t.parties if party.label == "Company"]
        for account in t.accounts:
            self._link("own", r.choice(firms if r.random() < 0.3 else people), account.id)
        for _ in range(self.size):
            self._link("invest", r.choice(people[: len(people) // 2] if r.random() < 0.8 else firms),
                       self._hub(firms), round(r.random(), 4))  # fmt: skip
        for group in (people, people, firms):
            for _ in range(len(group) // 2 + 1):
                self._link("guarantee", r.choice(group), r.choice(group))
        for place in range(0, len(people) - 4, 9):  # a chain, some closed to a ring
            chain = people[place : place + 4]
            for one, other in pairwise(chain):
                self._link("guarantee", one, other)
            if place % 2:
                self._link("guarantee", chain[-1], chain[0])

    def _borrowed(self) -> None:
        r, t = self.random, self.tables
        accounts = [account.id for account in t.accounts]
        for loan in t.loans:
            self._link("apply", r.choice(t.parties).id, loan.id)
            for _ in range(r.choice((1, 1, 2))):
                part = (loan.amount * r.randrange(30, 100) / 100).quantize(Decimal("0.01"))
                receiver = self._hub(accounts)
                self._move("deposit", (loan.id, receiver), part, loan.currency)
                for _ in range(r.randrange(3)):
                    back = Decimal(r.randrange(100, 200_000)) / 100
                    payer = receiver if r.random() < 0.7 else r.choice(accounts)
                    self._move("repay", (payer, loan.id), back, loan.currency)

    # ---- who moved what

    def _hub(self, ids: list[str]) -> str:
        """The first are drawn far more often than the last."""
        return ids[int(len(ids) * self.random.random() ** 3)]

    def _move(
        self, kind: str, ends: tuple[str, str], amount: Decimal, currency: str = "EUR", at: datetime | None = None
    ) -> None:
        self.tables.moves.append(Move(kind, self._key(), *ends, amount, currency, at or self._moment()))

    def _amount(self) -> Decimal:
        """Many small, few large; some drawn from four values, so that amounts tie."""
        if self.random.random() < 0.2:
            return Decimal(self.random.choice((100, 250, 1000, 5000)))
        return Decimal(int(100 * 10 ** self.random.uniform(1, 4.5))) / 100

    def _moved(self) -> None:
        r, accounts = self.random, [account.id for account in self.tables.accounts]
        cards = [account.id for account in self.tables.accounts if account.type == "card"]
        for _ in range(self.size * 4):
            source, target = self._hub(accounts), self._hub(accounts) if r.random() < 0.5 else r.choice(accounts)
            moment, currency = self._moment(), "USD" if r.random() < 0.1 else "EUR"
            for _ in range(1 if r.random() < 0.85 else 3):  # parallel, and at one instant
                self._move("transfer", (source, target), self._amount(), currency, moment)
        for _ in range(self.size):
            self._move("withdraw", (self._hub(accounts), self._hub(cards)), self._amount())

    def _rings(self) -> None:
        """Three accounts that pay around, a little less each time."""
        r, accounts = self.random, [account.id for account in self.tables.accounts]
        for _ in range(self.size // 6):
            ring, moment, amount = r.sample(accounts, 3), self._moment(), self._amount() + 100
            for one, other in zip(ring, ring[1:] + ring[:1], strict=True):
                self._move("transfer", (one, other), amount, at=moment)
                moment, amount = moment + timedelta(hours=r.randrange(1, 30)), amount - 1
        for account in accounts[:3]:
            self._move("transfer", (account, account), self._amount())

    def _signed_in(self) -> None:
        media = [medium.id for medium in self.tables.media]
        for _ in range(self.size * 2):
            self._link("sign_in", self._hub(media), self.random.choice(self.tables.accounts).id)
