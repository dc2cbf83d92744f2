"""A small planted world for tests of learning: real claims in a real ledger, seeded, with known truth."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np

from kg.files import Files
from kg.ledger import Ledger
from kg.model import Claim, ClaimBatch, Edge, Evidence, Node, RunManifest, digest

CUT = datetime(2023, 1, 1, tzinfo=UTC)
SECTORS = 4


@dataclass
class World:
    """A ledger of firms, banks, documents, pages and events over 2019 to 2023."""

    ledger: Ledger
    files: Files
    firms: list[str]
    banks: list[str]
    doomed: dict[str, datetime]


def build(folder: Path, firms: int = 60, seed: int = 0, twins: int = 0, told: bool = False) -> World:
    """Banks lend within their sector, weak firms have little equity and bad press a few months before they fail.

    With `told` each claim stands in a document of its own among the files.
    """
    draw, files = np.random.default_rng(seed), Files(folder / "files")
    made = (Documented if told else Maker)(
        draw, files, [f"reg:firm{n:03d}" for n in range(firms)], [f"reg:bank{n:02d}" for n in range(8)]
    )
    made.entities()
    made.loans()
    made.supplies()
    made.accounts_of_the_years()
    made.news()
    made.twins(twins)
    ledger = Ledger.open(folder / "ledger")
    ledger.commit(ClaimBatch.of(made.claims), RunManifest("ingest", {"world": seed}))
    return World(ledger, files, made.firms, made.banks, made.doomed)


class Maker:
    """Claims in the making."""

    def __init__(self, draw: np.random.Generator, files: Files, firms: list[str], banks: list[str]) -> None:
        self.draw, self.files, self.firms, self.banks = draw, files, firms, banks
        self.claims: list[Claim] = []
        self.doomed = {firm: day(2019, 6 + 48 * number // (len(firms) // 3)) for number, firm in enumerate(firms[::3])}

    def say(self, what: Node | Edge, published: datetime, start: datetime | None = None) -> None:
        row = len(self.claims)
        evidence = Evidence(digest(b"world"), f"row:{row}", f"row {row}", "registers.world@1")
        self.claims.append(Claim(what, evidence, published, valid_from=start))

    def entities(self) -> None:
        for number, bank in enumerate(self.banks):
            self.say(Node("Bank", bank, {"name": f"Bank {number}"}), day(2019, 0))
        for number, firm in enumerate(self.firms):
            text = f"Makes {('steel', 'software', 'food', 'ships')[number % SECTORS]} for the market."
            self.say(Node("Company", firm, {"name": f"Firm {number}", "description": text}), day(2019, 0))

    def loans(self) -> None:
        """Each firm borrows from both banks of its sector, at some time over five years; a few from any bank."""
        for number, firm in enumerate(self.firms):
            for bank in self.banks[number % SECTORS :: SECTORS]:
                self._loan(bank, firm)
            if self.draw.random() < 0.3:
                self._loan(self.banks[self.draw.integers(len(self.banks))], firm)

    def _loan(self, bank: str, firm: str) -> None:
        when = day(2019, int(self.draw.integers(0, 60)))
        props = {"amount": Decimal(int(self.draw.integers(1, 90))) * 100_000, "currency": "EUR"}
        self.say(Edge("LENDS_TO", bank, firm, props, key="loan"), when, when)

    def supplies(self) -> None:
        """A firm sells to the next firms of the next sector: direction carries meaning."""
        for number, firm in enumerate(self.firms):
            for step in (1, 5, 9):
                other = self.firms[(number + step) % len(self.firms)]
                when = day(2019, int(self.draw.integers(0, 60)))
                self.say(Edge("SUPPLIES", firm, other), when, when)

    def accounts_of_the_years(self) -> None:
        for firm in self.firms:
            fails = self.doomed.get(firm)
            for year in range(2018, 2023):
                end = day(year, 11)
                near = fails is not None and timedelta(0) < fails - end < timedelta(days=550)
                assets = float(self.draw.lognormal(18, 0.4))
                share = self.draw.normal(0.08 if near else 0.4, 0.08)
                figures = {
                    "assets": assets,
                    "equity": assets * share,
                    "cash": assets * abs(self.draw.normal(0.1, 0.03)),
                }
                props = {name: Decimal(int(value)) for name, value in figures.items()} | {"currency": "EUR"}
                self.say(Node("Company", firm, props, key=str(year)), end + timedelta(days=60), end)

    def news(self) -> None:
        """An article and a page per firm and year; the ones before a failure say so in words and in colour."""
        for number, firm in enumerate(self.firms):
            fails = self.doomed.get(firm)
            for year in range(2019, 2024):
                when = day(year, int(self.draw.integers(0, 12)))
                near = fails is not None and timedelta(0) < fails - when < timedelta(days=400)
                self._article(firm, f"{number}-{year}", when, near)
            if fails is not None:
                self._failure(firm, fails)

    def twins(self, count: int) -> None:
        """Pairs of firms with the same words, figures, lenders and customers."""
        for pair in range(count):
            lenders = self.draw.choice(self.banks, 2, replace=False)
            customers = self.draw.choice(self.firms, 3, replace=False)
            assets = Decimal(int(self.draw.lognormal(18, 1.0)))
            for half in "ab":
                firm = f"reg:twin{pair:02d}{half}"
                self.say(Node("Company", firm, {"description": f"Trades in goods of kind {pair}."}), day(2019, 0))
                figures = {"assets": assets, "equity": assets / (2 + pair % 5), "currency": "EUR"}
                self.say(Node("Company", firm, figures, key="2020"), day(2021, 2), day(2020, 11))
                for bank in lenders:
                    self.say(Edge("LENDS_TO", str(bank), firm, key="loan"), day(2020, 1), day(2020, 1))
                for other in customers:
                    self.say(Edge("SUPPLIES", firm, str(other)), day(2020, 2), day(2020, 2))

    def _article(self, firm: str, name: str, when: datetime, bad: bool) -> None:
        text = (
            "The firm missed a payment and seeks more time." if bad else "The firm opened a new plant and hired staff."
        )
        document = f"doc:{digest(name.encode())}"
        self.say(Node("Document", document, {"title": f"Report {name}", "text": text}), when, when)
        self.say(Edge("MENTIONED_IN", firm, document), when, when)
        image = self.files.put(picture((200, 40, 40) if bad else (40, 160, 60), self.draw))
        self.say(Node("Page", f"page:{image}", {"path": image}), when, when)
        self.say(Edge("PAGE_OF", f"page:{image}", document), when, when)

    def _failure(self, firm: str, when: datetime) -> None:
        event = f"event:default-{firm[4:]}"
        self.say(Node("Event", event, {"event_type": "default", "title": "Default"}), when, when)
        self.say(Edge("AFFECTED_BY", firm, event, {"role": "subject"}, key="subject"), when, when)


class Documented(Maker):
    """Claims each of which stands in a small document, and reads back; pages name their firms themselves."""

    def _article(self, firm: str, name: str, when: datetime, bad: bool) -> None:
        super()._article(firm, name, when, bad)
        paged = self.claims[-1].what
        assert isinstance(paged, Edge)
        self.say(Edge("MENTIONED_IN", firm, paged.source), when, when)

    def say(self, what: Node | Edge, published: datetime, start: datetime | None = None) -> None:
        super().say(what, published, start)
        made, props = self.claims[-1], what.props
        words = str(props.get("text") or props.get("description") or " ".join(map(str, props.values())) or "it is so")
        head = f"Record {len(self.claims)} of {published:%Y-%m-%d}: "
        document = self.files.put(f"{head}{words}".encode())
        proof = Evidence(document, f"chars:{len(head)}-{len(head) + len(words)}", words, made.evidence.extractor)
        self.claims[-1] = replace(made, evidence=proof)


def day(year: int, month: int) -> datetime:
    """First day of the month, counted from 0 and on into later years."""
    return datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)


def picture(colour: tuple[int, int, int], draw: np.random.Generator) -> bytes:
    """A small PNG of one colour with noise."""
    from PIL import Image

    noise = draw.integers(-20, 20, (16, 16, 3))
    array = np.clip(np.array(colour) + noise, 0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(array).save(file, "PNG")
    return file.getvalue()
