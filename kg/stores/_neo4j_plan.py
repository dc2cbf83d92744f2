"""What Neo4j would do for a text, read from its EXPLAIN."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from neo4j import Transaction

from kg.free import Plan

_CALL = "ProcedureCall"


def plan(tx: Transaction, cypher: str) -> Plan:
    """Kind, operators and procedures of a text; it is planned and not run. Functions stand in no operator."""
    summary = tx.run(f"EXPLAIN {cypher}").consume()
    steps = list(_steps(summary.plan or {}))
    operators = frozenset(str(step.get("operatorType", "?")) for step in steps)
    calls = (step for step in steps if str(step.get("operatorType", "")).startswith(_CALL))
    return Plan(summary.query_type or "?", operators, procedures=frozenset(_procedure(step) for step in calls))


def _steps(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("children", ()):
        yield from _steps(child)


def _procedure(step: dict[str, Any]) -> str:
    return str(step.get("args", {}).get("Details", "?")).partition("(")[0].strip()
