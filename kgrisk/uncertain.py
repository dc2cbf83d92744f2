"""Uncertain: the range of a risk answer given how sure its evidence is, and the documents that would change it most."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from kg.ledger import Ledger
from kg.model import EVER, TIME, as_time
from kgrisk.result import Result
from kgrisk.risk import Risk
from queries.belief import Belief
from queries.measure import RiskMeasure
from queries.scenario import Shocks
from queries.uncertainty import DRAWS, most_telling, simulate

TELLING = pa.schema(
    [
        pa.field("document", pa.string()),
        pa.field("title", pa.string()),
        pa.field("without", pa.float64()),
        pa.field("change", pa.float64()),
        pa.field("statements", pa.int64()),
        pa.field("statement", pa.string()),
        pa.field("locator", pa.string()),
        pa.field("quote", pa.string()),
    ]
)
"""A document, the answer without it, how many exposures it alone states, and one of its claims to read."""


def ranged(ledger: Ledger, risk: Risk, draws: int = DRAWS, seed: int = 0) -> Risk:
    """The same answer with the range of every loss over worlds in which each exposure is as sure as its evidence."""
    measure, shocks, belief = _asked(risk, claims_behind(ledger, risk))
    return replace(risk, uncertain=simulate(measure, risk.losses.exposures, shocks, belief, draws, seed))


def telling(ledger: Ledger, risk: Risk, entity: str = "") -> Result:
    """The documents without which the loss of an entity, or of everyone, would move, most first."""
    claims = claims_behind(ledger, risk)
    measure, shocks, belief = _asked(risk, claims)
    # of the claims of a document the surest, then the smallest id, is the one to read
    surest = claims.sort_by([("confidence", "descending"), ("claim", "ascending")]).to_pylist()
    read: dict[tuple[str, str], dict[str, Any]] = {}
    for claim in surest:
        read.setdefault((claim["document"], claim["statement"]), claim)
    rows = []
    amount = _amounts(risk)
    for found in most_telling(measure, risk.losses.exposures, shocks, belief, entity):
        largest = max(found.statements, key=lambda statement: (amount[statement], statement))
        claim = read[found.document, largest]
        evidence = {name: claim[name] for name in ("statement", "locator", "quote")}
        numbers = {"without": found.without, "change": found.change, "statements": len(found.statements)}
        rows.append({"document": found.document, "title": _title(risk, found.document), **numbers, **evidence})
    return Result(pa.Table.from_pylist(rows, TELLING), "documents that would change the answer most")


def claims_behind(ledger: Ledger, risk: Risk) -> pa.Table:
    """Claims that state the exposures of an answer, as valid, recorded and published at its instants.

    Whoever states the same amount of the same exposure for this instant is a witness, also where the start or the end
    differs; `statement` is then the one that the answer stands on.
    """
    edges, at = risk.losses.exposures.edges, risk.snapshot.at
    wanted = pa.array(edges.filter(pc.invert(edges["predicted"]))["statement"].to_pylist(), pa.string())
    valid, public = (pa.scalar(as_time(moment or EVER), TIME) for moment in (at.valid, at.published))
    claims = ledger.alive(risk.snapshot.commit)
    holds = pc.and_(pc.less_equal(claims["valid_from"], valid), pc.greater(claims["valid_to"], valid))
    claims = claims.filter(pc.and_(holds, pc.less_equal(claims["published"], public)))
    stated = claims.filter(pc.is_in(claims["statement"], wanted))
    claims = claims.filter(pc.is_in(claims["group"], pc.unique(stated["group"])))
    answer = dict(zip(_said(stated), stated["statement"].to_pylist(), strict=True))
    place = claims.column_names.index("statement")
    claims = claims.set_column(place, "statement", pa.array([answer.get(said) for said in _said(claims)], pa.string()))
    return claims.filter(pc.is_valid(claims["statement"]))


def _said(claims: pa.Table) -> list[tuple[str, Decimal, str]]:
    """Exposure, amount and currency of each claim."""
    return list(zip(*(claims[name].to_pylist() for name in ("group", "value_decimal", "unit")), strict=True))


def _asked(risk: Risk, claims: pa.Table) -> tuple[RiskMeasure, Shocks, Belief]:
    """The measure and the first shock of an answer once more, and what is believed of its exposures."""
    exposures, asked = risk.losses.exposures, risk.question
    measure = asked.asks.fitted(risk.snapshot, exposures)
    shocks = Shocks.parse(exposures, asked.shock, kind=asked.kind, snapshot=risk.snapshot)
    return measure, shocks, Belief.of(exposures, claims)


def _amounts(risk: Risk) -> dict[str, float]:
    edges = risk.losses.exposures.edges
    return dict(zip(edges["statement"].to_pylist(), edges["amount"].to_pylist(), strict=True))


def _title(risk: Risk, digest: str) -> str:
    """What a document is called: its title, else its form or address; empty where the graph has no name for it."""
    snapshot = risk.snapshot
    row = snapshot.index.get(f"doc:{digest}", snapshot.index.get(f"page:{digest}"))
    for property in ("title", "form", "url", "path") if row is not None else ():
        facts = snapshot.facts_of(property)
        for text in facts.filter(pc.equal(facts["subject"], row))["value_text"].to_pylist():
            return str(text)
    return ""
