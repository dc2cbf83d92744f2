"""What a filing says of itself, and the voice in which its parts make claims.

A Witness is one part of one document: it turns nodes and edges with the place they stand at into claims. A Cover
holds form, period, publication and parties, and becomes the Document node with its FILED edges.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from ingest.extract.formats.identifier import corporate, identify, name_id, person_id
from kg.model import Claim, Edge, Evidence, Facts, Node, as_time

Label = Literal["", "Company", "Bank", "Fund", "Person"]
"""Label of a party; "" where it is told by the name."""
TEXT_LENGTH = 2000
"""Characters of a document that its `text` property holds."""
_BANK = re.compile(r"\b(bank|bancorp|bankshares|banc)\b", re.IGNORECASE)
_FUND_FORMS = ("N-", "NPORT", "24F", "485", "497")


@dataclass(frozen=True, slots=True)
class Spot:
    """Where something stands, and what."""

    locator: str
    quote: str


@dataclass(frozen=True, slots=True)
class Witness:
    """One part of one document: makes claims with its evidence and publication time."""

    document: str
    published: datetime
    extractor: str
    prefix: str = ""
    """`part:2 ` for the 2nd document of a submission."""

    def says(
        self,
        what: Node | Facts | Edge,
        spot: Spot,
        valid_from: datetime | None = None,
        valid_to: datetime | None = None,
        confidence: float = 1.0,
    ) -> Claim:
        """The claim that `what` holds, with the spot as its evidence."""
        evidence = Evidence(self.document, self.prefix + spot.locator, spot.quote, self.extractor, confidence)
        return Claim(what, evidence, self.published, valid_from, valid_to)


@dataclass(frozen=True, slots=True)
class Party:
    """A firm or person that a filing names, by CIK where it has one."""

    name: str
    spot: Spot
    cik: str = ""
    role: str = "filer"
    label: Label = ""
    former: tuple[tuple[Spot, date | None], ...] = ()
    """Earlier names, each with the day it was given up."""
    ticker: Spot | None = None

    @property
    def kind(self) -> str:
        """Label: as given, else a person for reporting owners without a corporate word, else by the name."""
        if self.label:
            return self.label
        if "owner" in self.role and not corporate(self.name):
            return "Person"
        return "Bank" if _BANK.search(self.name) else "Company"

    @property
    def id(self) -> str:
        """`person:` for people, else `cik:`, else `name:`."""
        known_by = identify(f"cik:{self.cik}") if self.cik else name_id(self.name)
        return person_id(known_by) if self.kind == "Person" else known_by

    def claims(self, witness: Witness) -> Iterator[Claim]:
        """The node with its names and ticker; a former name holds from the one before it until the day it changed."""
        dated = sorted(day for _, day in self.former if day)
        yield witness.says(Node(self.kind, self.id), self.spot)
        if self.name:
            since = as_time(dated[-1]) if dated else None
            yield witness.says(Node(self.kind, self.id, {"name": self.name}), self.spot, since)
        for name, until in self.former:
            before = max((day for day in dated if until and day < until), default=None)
            valid = as_time(before) if before else None, as_time(until) if until else None
            yield witness.says(Node(self.kind, self.id, {"name": name.quote}), name, *valid)
        if self.ticker and self.kind != "Person":
            yield witness.says(Node(self.kind, self.id, {"ticker": self.ticker.quote}), self.ticker)


@dataclass(slots=True)
class Cover:
    """Header facts of a filing; what it does not say is empty."""

    form: Spot | None = None
    published: datetime | None = None
    period: date | None = None
    title: Spot | None = None
    parties: list[Party] = field(default_factory=list)

    def claims(self, witness: Witness, start: Spot, text: Spot | None) -> Iterator[Claim]:
        """The Document node (evidence: form and title where they stand, else its start), its filers and their FILED
        edges.
        """
        id = f"doc:{witness.document}"
        yield witness.says(Node("Document", id), self.form or start)
        if self.form:
            yield witness.says(Node("Document", id, {"form": self.form.quote}), self.form)
        if self.title and self.title.quote:
            yield witness.says(Node("Document", id, {"title": self.title.quote}), self.title)
        if text and text.quote:
            yield witness.says(Node("Document", id, {"text": text.quote}), text)
        yield from self.filed(witness)

    def filed(self, witness: Witness, document: str = "") -> Iterator[Claim]:
        """The parties and that they filed the witness's document, or the one beside it."""
        for party in self.parties:
            yield from party.claims(witness)
            filed = Edge("FILED", party.id, f"doc:{document or witness.document}", {"role": party.role}, party.role)
            yield witness.says(filed, party.spot, witness.published)

    @property
    def label(self) -> Label:
        """Fund for filers of the forms that only funds file."""
        form = self.form.quote if self.form else ""
        return "Fund" if form.startswith(_FUND_FORMS) and not form.startswith("N-PX") else ""
