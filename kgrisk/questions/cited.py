"""Cited: a sentence with the statements it rests on, and the claims behind these."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from kg.ledger import Ledger
from kg.model import EVER, AsOf, as_time

PLACES = ("claim", "document", "locator", "quote", "published", "extractor", "confidence")


@dataclass(frozen=True)
class Cited:
    """One sentence, the ids of the statements it says, and places of documents it was taken from word by word."""

    text: str
    statements: tuple[str, ...]
    places: tuple[dict[str, Any], ...] = field(default=())

    def and_of(self, *others: Cited) -> Cited:
        """The same sentence resting on others as well."""
        more = (statement for other in others for statement in other.statements)
        return Cited(self.text, tuple(dict.fromkeys((*self.statements, *more))), self.places)


def joined(sentences: Sequence[Cited], text: str) -> Cited:
    """One sentence in place of several, resting on all they rest on."""
    return Cited(text, ()).and_of(*sentences)


def behind(ledger: Ledger, at: AsOf, sentences: Iterable[Cited]) -> dict[str, list[dict[str, Any]]]:
    """The claims that say each statement of the sentences: the most certain and latest published first."""
    wanted = sorted({statement for sentence in sentences for statement in sentence.statements})
    if not wanted:
        return {}
    claims = ledger.alive(ledger.commit_at(at.known))
    public = pa.scalar(as_time(at.published or EVER), claims["published"].type)
    said = pc.is_in(claims["statement"], pa.array(wanted, pa.string()))
    found = claims.filter(pc.and_(said, pc.less_equal(claims["published"], public)))
    order = [("confidence", "descending"), ("published", "descending"), ("claim", "ascending")]
    rows: dict[str, list[dict[str, Any]]] = {statement: [] for statement in wanted}
    for row in found.select([*PLACES, "statement"]).sort_by(order).to_pylist():
        rows[row.pop("statement")].append(row)
    return rows
