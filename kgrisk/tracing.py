"""Tracing: from the money of a loss to the sentences it stands on, path by path."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from kg.errors import MeasureError
from kg.ledger import Ledger
from kg.model import AsOf
from kgrisk.result import Result
from kgrisk.risk import Risk, shocks_of
from queries.attribute import Attribution, attribute, counterfactuals
from queries.explain import Path, explain

SHARED_OUT = ("eisenberg_noe",)
"""Measures whose losses are taken apart by Aumann and Shapley; others by the share of each exposure in a loss."""


def attribution(risk: Risk, entity: str = "", top: int = 5, hops: int = 6) -> Attribution:
    """The loss of an entity (or, for clearing, of everyone) by its heaviest paths; paths and rest add up to it."""
    losses = risk.losses
    if losses.measure in SHARED_OUT:
        shocks = shocks_of(risk.question, losses.exposures, risk.snapshot)
        return attribute(losses.exposures, shocks, entity, top=top, hops=hops)
    if not entity:
        raise MeasureError(f"{losses.measure} is taken apart for one entity at a time; name it, or use eisenberg_noe")
    paths = tuple(explain(losses, entity, top=top, hops=hops))
    total = float(losses.loss[0, losses.exposures.index[entity]])
    origins: dict[str, float] = {}
    for path in paths:
        origins[path.entities[-1]] = origins.get(path.entities[-1], 0.0) + path.loss
    return Attribution(entity, total, paths, total - sum(path.loss for path in paths), origins)


def traced(ledger: Ledger, risk: Risk, entity: str = "", top: int = 5) -> Result:
    """One row per path: money, share, what its exposures cost if they are taken out, and a quote for every hop."""
    found = attribution(risk, entity, top)
    losses, snapshot = risk.losses, risk.snapshot
    shocks = shocks_of(risk.question, losses.exposures, snapshot)
    asks = risk.question.asks.fitted(snapshot, losses.exposures)
    less = counterfactuals(asks, losses.exposures, shocks, found.paths, entity)
    rows = [_row(ledger, risk, path, saved) for path, saved in zip(found.paths, less, strict=True)]
    rest = {"path": "all other paths", "loss": found.rest, "share": found.rest / found.total if found.total else 0.0}
    table = pa.Table.from_pylist([*rows, rest], schema=_ROWS)
    whole = f"{found.total:,.2f} {risk.unit}"
    remarks = (f"paths and the rest add up to {whole} ({found.adds_up:.0e} relative)", *_shocked(risk, found))
    return Result(table, f"why {risk.name(entity) if entity else 'everyone'} loses {whole}", remarks)


_ROWS = pa.schema(
    [
        pa.field("path", pa.string()),
        pa.field("loss", pa.float64()),
        pa.field("share", pa.float64()),
        pa.field("without", pa.float64()),  # how much less the loss is if the exposures of the path were safe
        pa.field("quotes", pa.list_(pa.string())),  # one for each hop, from who loses to who was shocked
        pa.field("statements", pa.list_(pa.string())),
        pa.field("predicted", pa.bool_()),
    ]
)


def _row(ledger: Ledger, risk: Risk, path: Path, saved: float) -> dict[str, Any]:
    at = AsOf(known=risk.snapshot.at.known, published=risk.snapshot.at.published)
    return {
        "path": " <- ".join(risk.name(id) for id in path.entities),
        "loss": path.loss,
        "share": path.share,
        "without": saved,
        "quotes": [_quote(ledger, statement, at) for statement in path.statements],
        "statements": list(path.statements),
        "predicted": path.predicted,
    }


def _quote(ledger: Ledger, statement: str, at: AsOf) -> str:
    """The words of the surest claim that says it; empty for what is only supposed."""
    claims = ledger.evidence(statement, at).sort_by([("confidence", "descending"), ("claim", "ascending")])
    return str(claims["quote"][0].as_py()) if claims.num_rows else ""


def _shocked(risk: Risk, found: Attribution, most: int = 3) -> tuple[str, ...]:
    """How much of the loss each shock causes, where there are several."""
    if len(found.origins) < 2:
        return ()
    told = [f"{risk.name(id)} {loss:,.0f}" for id, loss in [*found.origins.items()][:most]]
    more = f" and {len(found.origins) - most} more" if len(found.origins) > most else ""
    return (f"by the shock that causes it: {', '.join(told)}{more}",)
