"""Who owns, lends to and supplies whom, and who gets into distress: the planted truth, year by year."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

from kgrisk.sample.world import BANKS, FUNDS, Firm, lexicon

YEARS = (2019, 2020, 2021, 2022, 2023)
CUT = date(2023, 1, 1)
"""The natural split: what is published from here on is the test."""


@dataclass
class Link:
    """One relation that holds from `start` to `end`."""

    type: str
    source: int
    target: int
    start: date
    published: date
    end: date | None = None
    amount: float = 0.0
    share: float = 0.0
    key: str = ""
    carrier: str = "register"
    """Which source says so: register, news or page. One carrier each, so that sums do not count a loan twice."""
    told: bool = False
    """An article speaks of it."""
    rank: int = 0
    """Rank of the source among all candidates by the score without noise: what a perfect model could know."""

    @property
    def triple(self) -> tuple[int, str, int]:
        return self.source, self.type, self.target


@dataclass
class Distress:
    """A distress event and the probability it had."""

    firm: int
    day: date
    event: str
    told: bool = False


@dataclass
class World:
    """Everything that is true in the sample."""

    firms: list[Firm]
    links: list[Link] = field(default_factory=list)
    triples: set[tuple[int, str, int]] = field(default_factory=set)
    ratios: dict[tuple[int, int], dict[str, float]] = field(default_factory=dict)
    """(firm, financial year) -> leverage, liquidity, margin, turnover, assets."""
    distress: list[Distress] = field(default_factory=list)
    hazard: dict[tuple[int, int], float] = field(default_factory=dict)
    """(firm, year) -> true probability of distress in that year, for the firms at risk."""
    lenders: dict[int, set[int]] = field(default_factory=dict)
    suppliers: dict[int, set[int]] = field(default_factory=dict)
    customers: dict[int, set[int]] = field(default_factory=dict)
    parents: dict[int, set[int]] = field(default_factory=dict)
    popularity: list[float] = field(default_factory=list)

    def add(self, link: Link) -> bool:
        """Record a link unless the same triple is there already."""
        if link.triple in self.triples or link.source == link.target:
            return False
        self.triples.add(link.triple)
        self.links.append(link)
        book, a, b = (
            {"LENDS_TO": self.lenders, "SUPPLIES": self.suppliers, "OWNS": self.parents}[link.type],
            link.target,
            link.source,
        )
        book.setdefault(a, set()).add(b)
        if link.type == "SUPPLIES":
            self.customers.setdefault(link.source, set()).add(link.target)
        return True

    def partners(self, n: int) -> set[int]:
        return self.suppliers.get(n, set()) | self.customers.get(n, set()) | self.parents.get(n, set())


def _gumbel(rng: Random) -> float:
    return -math.log(-math.log(rng.random() * 0.999998 + 1e-6))


def lending_score(world: World, bank: Firm, firm: Firm) -> float:
    """How well a bank and a borrower fit: sector, country, hidden type, size and the bank's other clients around it."""
    near = any(bank.n in world.lenders.get(p, ()) for p in world.partners(firm.n))
    fit = 1.9 * (firm.sector in bank.likes) + 1.3 * (firm.country == bank.country) + 1.5 * (firm.kind == bank.kind)
    return fit + 1.2 * near - 0.8 * abs(bank.size - firm.size - 1.6) + world.popularity[bank.n]


def supply_score(world: World, supplier: Firm, customer: Firm) -> float:
    """How well a supplier and a customer fit: input sectors, hidden type, country, a shared lender, size."""
    inputs = lexicon()["inputs"][customer.sector]
    shared = bool(world.lenders.get(supplier.n, set()) & world.lenders.get(customer.n, set()))
    fit = (
        2.8 * (supplier.sector in inputs)
        + 1.2 * (supplier.kind == customer.kind)
        + 0.9 * (supplier.country == customer.country)
    )
    return fit + 0.8 * shared - 0.5 * abs(supplier.size - customer.size) + world.popularity[supplier.n]


def _published(start: date, rng: Random) -> date:
    return max(start, date(2019, 1, 21)) + timedelta(days=rng.randrange(5, 50))


def _start(first: date, last: date, rng: Random) -> date:
    return first + timedelta(days=rng.randrange(max(1, (last - first).days)))


def rank_of(n: int, scores: dict[int, float]) -> int:
    """1 for the best score."""
    return 1 + sum(score > scores[n] for score in scores.values())


def lend(world: World, firm: Firm, start: date, rng: Random, carrier: str = "register") -> bool:
    """One new loan to `firm` from the bank that fits best after noise."""
    banks = [b for b in world.firms[:BANKS] if b.n not in world.lenders.get(firm.n, ())]
    scores = {b.n: lending_score(world, b, firm) for b in banks}
    bank = world.firms[max(scores, key=lambda n: scores[n] + _gumbel(rng))]
    amount = round(min(10**firm.size * rng.uniform(0.02, 0.12), 10**bank.size * rng.uniform(0.004, 0.009)), -5)
    years = rng.choice([3, 5, 5, 7, 10])
    end = start + timedelta(days=365 * years)
    key = rng.choice(["term loan", "revolving credit", "term loan", "promissory note"])
    return world.add(
        Link(
            "LENDS_TO",
            bank.n,
            firm.n,
            start,
            _published(start, rng),
            end if end < date(2023, 12, 1) else None,
            amount,
            key=key,
            carrier=carrier,
            rank=rank_of(bank.n, scores),
        )
    )


def supply(world: World, customer: Firm, start: date, rng: Random, carrier: str = "register") -> bool:
    """One new supply relation to `customer`."""
    pool = [
        s
        for s in world.firms[BANKS + FUNDS :]
        if s.alive(max(start, date(2019, 2, 1)))
        and s.n != customer.n
        and s.n not in world.suppliers.get(customer.n, ())
    ]
    scores = {s.n: supply_score(world, s, customer) for s in pool}
    supplier = world.firms[max(scores, key=lambda n: scores[n] + _gumbel(rng))]
    amount = round(min(10**supplier.size, 10**customer.size) * rng.uniform(0.01, 0.08), -4)
    end = start + timedelta(days=365 * 4) if rng.random() < 0.15 and start.year < 2019 else None
    return world.add(
        Link(
            "SUPPLIES",
            supplier.n,
            customer.n,
            start,
            _published(start, rng),
            end,
            amount,
            carrier=carrier,
            rank=rank_of(supplier.n, scores),
        )
    )


def stake(world: World, start: date, rng: Random, carrier: str = "register") -> bool:
    """A minority stake: a fund buys into a sector it likes, or a company into a smaller one of its own sector."""
    pool = [f for f in world.firms[BANKS + FUNDS :] if f.alive(start)]
    if rng.random() < 0.55:
        owner = rng.choice(world.firms[BANKS : BANKS + FUNDS])
        target = max(
            pool,
            key=lambda f: (
                2.2 * (f.sector in owner.likes)
                + 1.2 * (f.kind == owner.kind)
                + (f.country == owner.country)
                + _gumbel(rng)
            ),
        )
    else:
        owner = rng.choice(pool)
        target = max(
            (f for f in pool if f is not owner),
            key=lambda f: (
                2.4 * (f.sector == owner.sector)
                + (f.country == owner.country)
                + 0.8 * (f.size < owner.size)
                + _gumbel(rng)
            ),
        )
    if (target.n, "OWNS", owner.n) in world.triples:
        return False
    return world.add(
        Link(
            "OWNS",
            owner.n,
            target.n,
            start,
            _published(start, rng),
            share=round(rng.uniform(0.03, 0.29), 3),
            key="ordinary",
            carrier=carrier,
        )
    )


def groups(world: World, rng: Random) -> None:
    """Groups of several levels, so that an ultimate owner is some steps away; and one ring of cross-holdings."""
    pool = [f.n for f in world.firms[BANKS + FUNDS :] if f.born < date(2019, 3, 1)]
    rng.shuffle(pool)
    for _ in range(26):
        top, *rest = (pool.pop() for _ in range(rng.choice([3, 4, 4, 5, 6])))
        level = [top]
        for n in rest:
            parent = rng.choice(level[-2:])
            start = (
                date(rng.randrange(2005, 2019), rng.randrange(1, 13), 1)
                if rng.random() < 0.7
                else _start(date(2019, 2, 1), date(2022, 9, 1), rng)
            )
            world.add(
                Link(
                    "OWNS",
                    parent,
                    n,
                    start,
                    _published(start, rng),
                    share=round(rng.choice([1.0, 0.51, 0.75, rng.uniform(0.55, 0.95)]), 3),
                    key="ordinary",
                )
            )
            world.firms[n].size = min(world.firms[n].size, world.firms[parent].size - 0.2)
            level.append(n)
    ring = [pool.pop() for _ in range(3)]
    for a, b, share in zip(ring, ring[1:] + ring[:1], (0.31, 0.42, 0.36), strict=True):
        start = date(2015, 6, 1)
        world.add(Link("OWNS", a, b, start, _published(start, rng), share=share, key="ordinary"))


def year_links(world: World, year: int, rng: Random) -> None:
    """The new loans, supplies and stakes of one year; late entrants get theirs soon after they are listed."""
    first, last = date(year, 1, 10), date(year, 11, 5)
    firms = [f for f in world.firms[BANKS + FUNDS :] if f.gone is None and f.born <= last]
    fresh = [f for f in firms if f.born.year == year and f.born > date(2019, 2, 1)]
    for firm in fresh:
        for _ in range(rng.choice([1, 2, 2])):
            lend(world, firm, _start(firm.born + timedelta(days=5), last, rng), rng)
        for _ in range(rng.choice([1, 1, 2])):
            supply(world, firm, _start(firm.born + timedelta(days=5), last, rng), rng)
    counts = {2019: (60, 50, 25), 2020: (75, 70, 30), 2021: (80, 75, 30), 2022: (90, 85, 35), 2023: (100, 100, 55)}[
        year
    ]
    for count, act in zip(counts, (lend, supply), strict=False):
        for _ in range(count):
            firm = rng.choice(firms)
            act(world, firm, _start(max(first, firm.born), last, rng), rng, _carrier(rng, 0.14))
    for _ in range(counts[2]):
        stake(world, _start(first, last, rng), rng, _carrier(rng, 0.32))
    for firm in firms:
        if year in firm.stamp:
            lend(world, firm, _start(date(year, 7, 5), last, rng), rng, "page")


def _carrier(rng: Random, news: float) -> str:
    return "news" if rng.random() < news else "register"


def base_links(world: World, rng: Random) -> None:
    """What was there before 2019 and is first published early in 2019."""
    old = [f for f in world.firms[BANKS + FUNDS :] if f.born < date(2019, 3, 1)]
    for firm in old:
        for _ in range(rng.choice([1, 1, 2])):
            lend(world, firm, _start(date(2014, 1, 1), date(2018, 12, 1), rng), rng)
        for _ in range(rng.choice([0, 1, 1, 2])):
            supply(world, firm, _start(date(2015, 1, 1), date(2018, 12, 1), rng), rng)
    for link in world.links:
        if link.end and link.end < date(2019, 6, 1):
            link.end = date(2020 + link.source % 3, 6, 30)
