"""A statement of the poison world, and the words it is made of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any

from kg.model import Claim, Edge, Evidence, Node

SUSPECTED = ("laundering", "laundering_low", "laundering_high", "finding", "finding_edge")
"""What detectors and patterns find among payments."""
EVENTS = {"TRADED", "PAID", "MENTIONED_IN", "AFFECTED_BY", "equity", "sentiment", *SUSPECTED}
"""Types without an end of validity."""
RANK = {"registers": 4, "filings": 3, "trades": 3, "news": 2, "model": 0, "risk": 0}
LOST = ("contagion_loss", "equity_after", "loss_low", "loss_high", "path_loss", "run_total")
"""Money that runs tell."""
SCORED = (
    "distress",
    "sentiment",
    "rank_score",
    "figure",
    "warning",
    "alarm",
    "fails",
    "run",
    "run_question",
    "run_commit",
    *SUSPECTED,
)
HAS = {"name": "HAS_NAME", **dict.fromkeys((*SCORED, *LOST), "HAS_SCORE")}
PLACE = ("latitude", "longitude", "radius")
PROPERTIES = {"name", "equity", "event_type", "label", *PLACE, *SCORED, *LOST}
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
