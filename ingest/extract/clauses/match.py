"""A match is one relation or event that the words of a sentence say, with the names that take part."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from ingest.extract.clauses.certainty import Certainty
from ingest.extract.text.names import Mention

Parties = tuple[tuple[str, Mention], ...]


@dataclass(frozen=True, slots=True)
class Match:
    """A relation or event found at one place of a sentence."""

    type: str
    parties: Parties
    place: int
    """Where in the text its quantities are looked for first."""
    certainty: Certainty
    event: str = ""
    role: str = ""
    share: float | None = None
    """A share that the words say without a number: `wholly owned`."""
    implied: bool = False
    """True if no rule of grammar reads it, only the company its words keep."""
    doubt: bool = False
    """True for what is only alleged or announced: kept with half the confidence."""


def edges(
    type: str,
    sources: Sequence[Mention],
    targets: Sequence[Mention],
    certainty: Certainty,
    *,
    share: float | None = None,
    implied: bool = False,
    role: str = "",
) -> Iterator[Match]:
    """An edge from each source to each target."""
    for source, target in product(sources, targets):
        parties = (("source", source), ("target", target))
        yield Match(type, parties, target.start, certainty, role=role, share=share, implied=implied)


def event(kind: str, roles: Sequence[tuple[str, Sequence[Mention]]], certainty: Certainty) -> Iterator[Match]:
    """An event for each choice of one name per role; roles without a name are left out, the last must have one."""
    filled = [[(role, m) for m in mentions] for role, mentions in roles if mentions]
    for parties in product(*filled):
        yield Match("AFFECTED_BY", tuple(parties), parties[-1][1].start, certainty, kind)
