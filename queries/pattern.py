"""Pattern: a shape looked for in a whole snapshot, such as layering of payments, and the table of what it finds.

A pattern is one file in `queries/patterns/`, found by its file name; its first docstring line is its help. Its fields
are its parameters. It sees nothing but the snapshot: what was published after the snapshot's cut is not in it.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from hashlib import sha256
from typing import Any, ClassVar, Final, cast

import pyarrow as pa

from kg.errors import MeasureError
from kg.model import TIME
from kg.snapshot import Snapshot

FINDINGS: Final = pa.schema(
    [
        pa.field("id", pa.string()),  # of pattern and edges: the same shape is the same finding in every run
        pa.field("pattern", pa.string()),
        pa.field("subject", pa.string()),  # whom it is about
        pa.field("parties", pa.list_(pa.string())),
        pa.field("edges", pa.list_(pa.string())),
        pa.field("statements", pa.list_(pa.string())),  # of the edges, in their order: they lead to the evidence
        pa.field("amount", pa.float64()),
        pa.field("unit", pa.string()),
        pa.field("start", TIME),
        pa.field("end", TIME),
        pa.field("score", pa.float64()),  # 0 to 1, higher is worse; it orders alerts and is no probability
        pa.field("remark", pa.string()),
    ]
)
"""One finding a row, worst first."""


class Pattern(ABC):
    """A shape looked for in a whole snapshot. A pattern is one file in queries/patterns/."""

    name: ClassVar[str]
    """File name of the pattern."""

    @abstractmethod
    def find(self, snapshot: Snapshot) -> pa.Table:
        """Findings in FINDINGS, worst first. MeasureError for parameters that make no sense."""

    def require(self, **rules: bool) -> None:
        """MeasureError naming the first parameter whose rule does not hold."""
        for name, holds in rules.items():
            if not holds:
                given = getattr(self, name)
                raise MeasureError(f"{self.name}: {name}={given!r} is out of range; {described(type(self), name)}")


@dataclass(frozen=True)
class Finding:
    """One finding before it becomes a row: its edges as they stand in the snapshot."""

    subject: str
    parties: Sequence[str]
    edges: Sequence[str]
    statements: Sequence[str]
    score: float
    amount: float = 0.0
    unit: str = ""
    span: tuple[Any, Any] = (None, None)
    """Microseconds since 1970 of its first and last moment."""
    remark: str = ""


def findings(pattern: str, found: Sequence[Finding], notes: Sequence[str] = ()) -> pa.Table:
    """Findings as a table, worst first, then by id; `notes` (what a cap left out) stand in its metadata."""
    rows = [
        {
            "id": sha256("\n".join((pattern, *sorted(one.edges))).encode()).hexdigest()[:16],
            "pattern": pattern,
            "subject": one.subject,
            "parties": list(one.parties),
            "edges": list(one.edges),
            "statements": list(one.statements),
            "amount": float(one.amount),
            "unit": one.unit,
            "start": one.span[0],
            "end": one.span[1],
            "score": float(one.score),
            "remark": one.remark,
        }
        for one in found
    ]
    rows.sort(key=lambda row: (-cast(float, row["score"]), row["id"]))
    made = pa.Table.from_pylist(rows, schema=FINDINGS)
    return made.replace_schema_metadata({"notes": json.dumps(list(notes))}) if notes else made


def remarks(found: pa.Table) -> tuple[str, ...]:
    """What `findings` were told with."""
    return tuple(json.loads((found.schema.metadata or {}).get(b"notes", b"[]")))


def blend(parts: Mapping[str, float]) -> float:
    """Mean of parts from 0 to 1: a score that grows with each of them and saturates in none."""
    return sum(parts.values()) / len(parts)


def parameters(pattern: Pattern) -> dict[str, Any]:
    """The parameters a pattern was made with."""
    return asdict(cast(Any, pattern))


def described(pattern: type[Pattern], name: str) -> str:
    """Where a parameter and its default stand, to show in an error."""
    known = {field.name: field.default for field in fields(cast(Any, pattern))}
    return f"its default is {known.get(name)!r}; parameters: {', '.join(known)}"
