"""The fictional firms: names, identifiers, country, sector, size and a hidden business type."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from kgrisk.sample.idents import cik, isin, lei

HERE = Path(__file__).parent
SEED = "kgrisk sample 1"
BANKS, FUNDS, COMPANIES, LATE = 24, 10, 296, 34
"""LATE companies enter the register only in 2023: nothing about them is known before the natural cut."""


@cache
def lexicon(name: str = "lexicon") -> dict[str, Any]:
    """A committed word list of this folder."""
    loaded: dict[str, Any] = json.loads((HERE / f"{name}.json").read_text(encoding="utf-8"))
    return loaded


@cache
def template(name: str) -> str:
    """A committed document with blanks for str.format."""
    return (HERE / "templates" / name).read_text(encoding="utf-8")


def stream(purpose: str) -> Random:
    """A random stream of its own for each purpose, so that a change in one leaves the others alone."""
    return Random(f"{SEED}: {purpose}")  # noqa: S311  # a sample, no secret


@dataclass
class Firm:
    """One fictional company, bank or fund."""

    n: int
    label: str
    name: str
    short: str
    country: str
    sector: str
    size: float
    """log10 of total assets in EUR."""
    kind: int
    """Hidden business type 0..5; shows in the description and in news, and shapes who deals with whom."""
    born: date
    """When the register first lists it."""
    former: str = ""
    ticker: str = ""
    isin: str = ""
    lei: str = ""
    cik: str = ""
    description: str = ""
    likes: tuple[str, ...] = ()
    """Sectors a bank lends to or a fund buys."""
    full_only: bool = False
    """Its short name is too close to another firm's."""
    gone: date | None = None
    """Date of its bankruptcy."""
    tone: dict[int, int] = field(default_factory=dict)
    """Year -> -1, 0 or 1: how the news of that year's second half sound."""
    stamp: dict[int, int] = field(default_factory=dict)
    """Year -> 1 where a page image of the year bears an overdue stamp, 0 where it is clean."""

    @property
    def id(self) -> str:
        return f"lei:{self.lei}" if self.lei else f"cik:{self.cik.lstrip('0')}"

    @property
    def place(self) -> str:
        places: list[str] = lexicon()["countries"][self.country]["places"]
        return places[self.n % len(places)]

    def alive(self, day: date) -> bool:
        return self.born <= day and (self.gone is None or day < self.gone)


class Names:
    """Hands out made-up names, each once."""

    def __init__(self) -> None:
        self.rng = stream("names")
        self.used: set[str] = set()

    def stem(self, country: str) -> str:
        first, second = lexicon()["stems"][lexicon()["countries"][country]["language"]]
        while True:
            stem: str = self.rng.choice(first) + self.rng.choice(second)
            if stem not in self.used:
                self.used.add(stem)
                return stem

    def company(self, country: str, sector: str) -> tuple[str, str]:
        """Full legal name and short name."""
        land, stem = lexicon()["countries"][country], self.stem(country)
        word = self.rng.choice(lexicon()["sectors"][sector][land["language"]])
        pattern = self.rng.choice(
            ["{s} {w}", "{s} {w}", "{s} {w}", "{w} {s}" if land["language"] in {"fr", "es", "it"} else "{s} {w}"]
        )
        short = pattern.format(s=stem, w=word)
        return f"{short} {self.rng.choice(land['forms'])}", short

    def bank(self, country: str) -> tuple[str, str]:
        land = lexicon()["countries"][country]
        pattern, stem = self.rng.choice(lexicon()["bank_names"][land["language"]]), self.stem(country)
        short = pattern.format(stem=stem).replace("eer ", "er ").replace("ofer ", "of ").replace("erer ", "er ")
        return f"{short} {land['forms'][0]}", short

    def fund(self, country: str) -> tuple[str, str]:
        short = (
            f"{self.stem(country)} {self.rng.choice(['Capital', 'Asset Management', 'Partners', 'Investment Fund'])}"
        )
        return f"{short} {lexicon()['countries'][country]['forms'][0]}", short


def _country(rng: Random) -> str:
    lands: dict[str, Any] = lexicon()["countries"]
    return rng.choices(list(lands), [c["weight"] for c in lands.values()])[0]


def _identify(firm: Firm, rng: Random) -> None:
    """Identifiers: most firms have an LEI, filers a CIK, listed ones ISIN and ticker."""
    if firm.country == "US" or firm.label == "Fund" or rng.random() < 0.06:
        firm.cik = cik(rng)
    if not firm.cik or rng.random() < 0.45:
        firm.lei = lei(rng)
    if rng.random() < 0.6 or firm.label == "Bank":
        firm.isin = isin(rng, firm.country)
        firm.ticker = "".join(c for c in firm.short.upper() if "A" <= c <= "Z")[:3] + f"{firm.n:X}"


def _describe(firm: Firm, rng: Random) -> str:
    kind = lexicon()["types"][firm.kind]
    if firm.label == "Bank":
        return f"{firm.short} is a bank based in {firm.place}. {rng.choice(kind['bank'])}"
    if firm.label == "Fund":
        liked = f"{firm.likes[0]} and {firm.likes[1]}"
        return f"{firm.short} is an investment fund based in {firm.place} with a preference for {liked}."
    products = lexicon()["sectors"][firm.sector]["products"]
    product = products[firm.n % len(products)]
    return f"{firm.short} of {firm.place} makes or provides {product}. {rng.choice(kind['company'])}"


def _bank(n: int, names: Names, rng: Random) -> Firm:
    country = "DE" if n == 0 else _country(rng)
    name, short = names.bank(country)
    size = (
        11.3 + rng.uniform(-0.1, 0.2)
        if n < 4
        else 10.6 + rng.uniform(-0.2, 0.2)
        if n < 12
        else 9.8 + rng.uniform(-0.25, 0.25)
    )
    likes = tuple(rng.sample(sorted(lexicon()["sectors"]), 4))
    return Firm(n, "Bank", name, short, country, "banking", size, n % 6, date(2019, 1, 7), likes=likes)


def _company(n: int, late: bool, names: Names, rng: Random) -> Firm:
    country, sector = _country(rng), rng.choice(sorted(lexicon()["sectors"]))
    name, short = names.company(country, sector)
    born = date(2019, 1, 7) + timedelta(days=rng.randrange(20))
    if late:
        born = date(2023, 1, 9) + timedelta(days=rng.randrange(240))
    elif rng.random() < 0.08:
        born = date(2019, 6, 1) + timedelta(days=rng.randrange(1000))
    favourite = sorted(lexicon()["sectors"]).index(sector) % 6
    kind = favourite if rng.random() < 0.35 else rng.randrange(6)
    return Firm(n, "Company", name, short, country, sector, min(max(rng.gauss(8.9, 0.5), 7.6), 10.3), kind, born)


def _twins(firms: list[Firm]) -> None:
    """Two pairs of unrelated firms whose names are almost alike."""
    pairs = [
        (40, "Brightrigg Energy plc", "GB", 41, "Brightrigg Energie AG", "DE"),
        (42, "Norvarre Foods Inc.", "US", 43, "Norvarre Foods Holdings plc", "GB"),
    ]
    for one, name, land, two, name2, land2 in pairs:
        for n, full, country in ((one, name, land), (two, name2, land2)):
            firms[n].name, firms[n].country, firms[n].full_only = full, country, True
            firms[n].short = full.rsplit(" ", 1)[0]
            firms[n].sector = "energy" if "Energ" in full else "foods"


def make_firms() -> list[Firm]:
    """All firms: banks first, then funds, then companies, the late ones last."""
    rng, names = stream("firms"), Names()
    firms = [_bank(n, names, rng) for n in range(BANKS)]
    for n in range(BANKS, BANKS + FUNDS):
        country = _country(rng)
        name, short = names.fund(country)
        likes = tuple(rng.sample(sorted(lexicon()["sectors"]), 3))
        firms.append(
            Firm(
                n,
                "Fund",
                name,
                short,
                country,
                "funds",
                9.5 + rng.uniform(-0.4, 0.4),
                n % 6,
                date(2019, 1, 9),
                likes=likes,
            )
        )
    start = len(firms)
    firms += [_company(start + k, k >= COMPANIES - LATE, names, rng) for k in range(COMPANIES)]
    _twins(firms)
    for firm in firms:
        _identify(firm, rng)
        firm.description = _describe(firm, rng)
        if firm.label == "Company" and not firm.full_only and rng.random() < 0.12:
            firm.former = names.company(firm.country, firm.sector)[0]
    return firms
