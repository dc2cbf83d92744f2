"""Patterns: shapes of laundering and fraud looked for in a graph, in a plain file, or in payments as they come in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from kg import plugins
from kg.errors import MeasureError
from kg.snapshot import Snapshot
from kgrisk.figures import read
from kgrisk.pattern_findings import Findings
from kgrisk.result import Result
from queries.measure import build
from queries.pattern import Pattern, remarks
from queries.payments.flows import Flows
from queries.payments.pattern import PaymentPattern
from queries.payments.watch import Watch

PACKAGE: Final = "queries.patterns"


def listing() -> list[dict[str, Any]]:
    """Every pattern: what it tells, its parameters, and whether a plain file of payments is enough for it."""
    rows = []
    for name, tells in plugins.summaries(PACKAGE).items():
        kind: Any = plugins.load(PACKAGE, name, Pattern)
        given = ", ".join(f"{field.name}={field.default}" for field in fields(kind))
        rows.append(
            {"name": name, "tells": tells, "parameters": given, "of_payments": issubclass(kind, PaymentPattern)}
        )
    return rows


def find(snapshot: Snapshot, name: str, params: Mapping[str, Any] | None = None) -> Result:
    """Findings of a pattern in a snapshot, worst first. MeasureError for what is unknown or makes no sense."""
    return Findings.of(snapshot, name, params).result


def find_in(payments: pa.Table | Path | str, name: str, params: Mapping[str, Any] | None = None) -> Result:
    """The same in a table, or a CSV or Parquet file, with columns id, source, target, amount, time."""
    table = payments if isinstance(payments, pa.Table) else read(Path(payments))
    found = _of_payments(name, params).among(Flows.of(table))
    return Result(found, name, remarks(found))


def watch(names: Mapping[str, Mapping[str, Any]] | Iterable[str], payments: pa.Table | None = None) -> Watch:
    """What tells new findings batch by batch: `watch(["fan_in"], so_far).take(batch)`. `names` may carry parameters."""
    asked = names if isinstance(names, Mapping) else {name: {} for name in names}
    made = [_of_payments(name, params) for name, params in asked.items()]
    return Watch(made) if payments is None else Watch(made, payments)


def _of_payments(name: str, params: Mapping[str, Any] | None) -> PaymentPattern:
    made = build(Pattern, name, params)  # type: ignore[type-abstract]  # a role is asked for
    if not isinstance(made, PaymentPattern):
        known = ", ".join(row["name"] for row in listing() if row["of_payments"])
        raise MeasureError(f"{name} needs more than payments: look for it in a graph. Of payments alone: {known}")
    return made
