"""FinBench tables as files and claims: each row of a CSV file is the evidence of what it states."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import astuple, fields
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from kg.model import Claim, Edge, Evidence, Node, digest
from tests.finbench_tables import Account, Link, Loan, Medium, Move, Party, Tables

LATER = timedelta(days=30)
"""How long after it happened a bank's file makes a thing public."""


class Sheet:
    """One table as a CSV file whose rows are evidence."""

    def __init__(self, rows: Iterable[Any]) -> None:
        self.rows = list(rows)
        head = [field.name for field in fields(self.rows[0])] if self.rows else []
        self.lines = [",".join(map(_cell, astuple(row))) for row in self.rows]
        self.data = "\n".join([",".join(head), *self.lines, ""]).encode()
        self.document = digest(self.data)

    def evidence(self) -> Iterator[tuple[Any, Evidence]]:
        for number, (row, line) in enumerate(zip(self.rows, self.lines, strict=True), 1):
            yield row, Evidence(self.document, f"row:{number}", line.replace(",", " | "), "registers.finbench@1", 0.95)


def _cell(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def sheets(tables: Tables) -> list[Sheet]:
    """The files a bank would hand over: one of each table and kind."""
    whole: list[Iterable[Any]] = [tables.parties, tables.accounts, tables.loans, tables.media]
    moves = [list(tables.moved(kind)) for kind in ("transfer", "withdraw", "deposit", "repay")]
    links = [list(tables.linked(kind)) for kind in ("own", "apply", "sign_in", "invest", "guarantee")]
    return [Sheet(rows) for rows in [*whole, *moves, *links] if rows]


def claims(tables: Tables) -> Iterator[Claim]:
    """Every row of every file as the claims it makes."""
    for sheet in sheets(tables):
        for row, evidence in sheet.evidence():
            yield from of_row(row, evidence)


def of_row(row: Any, evidence: Evidence) -> list[Claim]:
    """What one row states."""
    if isinstance(row, Move | Link):
        edge = _moved(row) if isinstance(row, Move) else _linked(row)
        return [Claim(edge, evidence, row.moment + LATER, row.moment)]
    if not isinstance(row, Party | Account | Loan | Medium):
        raise TypeError(f"{row!r} is no row of a FinBench table")
    public, since = row.created + LATER, row.created
    made = [Claim(node, evidence, public, since) for node in _things(row)]
    if not isinstance(row, Loan) and row.blocked:
        made.append(Claim(Node(_label(row), row.id, {"flag": "blocked"}), evidence, public, since))
    return made


def _label(row: Party | Account | Loan | Medium) -> str:
    return row.label if isinstance(row, Party) else "Device" if isinstance(row, Medium) else "Account"


def _things(row: Party | Account | Loan | Medium) -> list[Node]:
    if isinstance(row, Party):
        return [Node(row.label, row.id, {"name": row.name})]
    if isinstance(row, Loan):
        amounts: dict[str, Decimal] = {"loan_amount": row.amount, "loan_balance": row.balance}
        money = [Node("Account", row.id, {"fact": v, "currency": row.currency}, k) for k, v in amounts.items()]
        return [*money, Node("Account", row.id, {"statement": "loan"}, "account_type")]
    key = "device_type" if isinstance(row, Medium) else "account_type"
    return [Node(_label(row), row.id, {"statement": row.type}, key)]


def _moved(move: Move) -> Edge:
    """Money between accounts is PAID, in a role; a transfer may come without one, as in other sources."""
    props: dict[str, Any] = {"amount": move.amount, "currency": move.currency}
    if move.kind != "transfer" or move.cents % 2:
        props["role"] = move.kind
    return Edge("PAID", move.source, move.target, props, move.key)


def _linked(link: Link) -> Edge:
    source, target = link.source, link.target
    if link.kind in ("own", "apply"):
        return Edge("HAS_ACCOUNT", source, target)
    if link.kind == "sign_in":
        return Edge("SIGNED_IN", source, target, {"role": "branch"}, link.key)
    if link.kind == "invest":
        return Edge("OWNS", source, target, {"share": link.ratio}, link.key)
    return Edge("EXPOSED_TO", source, target, {"role": "guarantee"}, link.key)
