"""Preview: what a ruling would change in the resolved graph, worked out in memory; nothing is written.

The ruling's rows are put behind the ledger's log as the commit it would become, and the graph is projected as of the
head and as of that commit by the one projection there is. So what is foretold is what will happen.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from ingest.rulings import Ruling
from kg.changes import Changes
from kg.ledger import Ledger
from kg.model import AsOf
from kg.ontology import PROPERTIES
from kg.project import Con, Delta, connect, project
from kg.resolved import resolve
from kg.snapshot import Snapshot

Value = str | int | float | Decimal | datetime | None


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is otherwise after than before. None stands for nothing there."""

    what: str
    """`entity`, `edge`, `score`, `embedding`, `fact` or `name`."""
    id: str
    name: str
    """Label, edge type or property."""
    key: str
    """Key of the edge or property; of an edge with its target before it."""
    before: Value
    after: Value

    @property
    def by(self) -> float | None:
        """By how much a number changes; None where it appears, goes or is none."""
        numbers = (self.before, self.after)
        if not all(isinstance(n, (int, float, Decimal)) for n in numbers):
            return None
        return float(self.after) - float(self.before)  # type: ignore[arg-type]  # both are numbers


@dataclass(frozen=True)
class Preview:
    """What a ruling would do."""

    differences: tuple[Difference, ...]
    delta: Delta
    """What a store would add and close, as kg.project gives it; the known time is a guess."""

    @property
    def touched(self) -> list[str]:
        """Every id that a difference names."""
        edges = {d.key.split(" ", 1)[0] for d in self.differences if d.what == "edge"}
        return sorted({d.id for d in self.differences} | edges)


def preview(ledger: Ledger, ruling: Ruling, at: AsOf = AsOf()) -> Preview:
    """What the ruling would change, seen at an instant of the valid and published clocks (now, for none)."""
    head, seen = ledger.instant(AsOf(valid=at.valid, published=at.published))
    con = connect()
    try:
        con.register("log", ledger.events())
        con.execute("CREATE TABLE events AS SELECT * FROM log")
        changes = Changes(_cursor(con), ruling.batch.table, ruling.retract, ())
        rows = changes.rows(head + 1, ledger.known(head) + timedelta(microseconds=1), ruling.manifest.id).read_all()
        con.register("more", rows)
        con.execute("INSERT INTO events BY NAME SELECT * FROM more")
        valid, published = seen.valid, seen.published
        assert valid is not None and published is not None  # Ledger.instant leaves none out
        tables, _ = resolve(_cursor(con), head + 1, valid, published)
        after = Snapshot(*tables, seen, head + 1)
        delta = project(_cursor(con), head, head + 1)
    finally:
        con.close()
    before = ledger.view(AsOf(seen.valid, seen.known, seen.published))
    return Preview(tuple(differences(before, after)), delta)


def _cursor(con: Con) -> Con:
    """Its own temporary tables beside the log."""
    cursor = con.cursor()
    cursor.execute("SET TimeZone='UTC'")
    return cursor


def differences(before: Snapshot, after: Snapshot) -> list[Difference]:
    """What is otherwise in the one snapshot than in the other."""
    old, new = dict(_rows(before)), dict(_rows(after))
    return [
        Difference(*key, _shown(old.get(key)), _shown(new.get(key)))
        for key in sorted(old.keys() | new.keys())
        if old.get(key) != new.get(key)
    ]


Key = tuple[str, str, str, str]
Said = tuple[Value, ...]
_SHOWN: Final = ("value_decimal", "value_real", "value_int", "value_text", "value_time", "unit", "statement")


def _rows(snapshot: Snapshot) -> Iterator[tuple[Key, Said]]:
    """Every entity, edge and property with all it says, each under a key of its own."""
    ids = snapshot.ids
    for id, label in zip(ids, snapshot.labels, strict=True):
        yield ("entity", id, label, ""), (label,)
    for edge in snapshot.edges.to_pylist():
        yield ("edge", ids[edge["source"]], edge["type"], f"{ids[edge['target']]} {edge['key']}"), _said(edge)
    for fact in snapshot.facts.to_pylist():
        name = fact["property"]
        key = fact["value_text"] if PROPERTIES[name].many else fact["key"]
        yield (PROPERTIES[name].node.lower(), ids[fact["subject"]], name, key), _said(fact)


def _said(row: dict[str, Any]) -> Said:
    """Every value of a row, amounts first; an edge that only is there says which statement it is."""
    found = tuple(row[name] for name in _SHOWN[:-1])
    return found if any(value is not None for value in found[:-1]) else (row["statement"],)


def _shown(said: Said | None) -> Value:
    return None if said is None else next((value for value in said if value is not None), None)
