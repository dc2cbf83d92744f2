"""Unknown: why a named query found nothing, where a parameter names what the ledger does not know."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from kg import plugins
from kg.judged import register_identity
from kg.ledger import Ledger
from kgrisk.result import plain
from queries.parameter import suggestion
from queries.recorded import SHORT

LISTED: Final = 8
"""Most known names told."""
ENTITIES: Final = ("id", "a", "b", "source", "target", "payer", "receiver")
"""Parameters that name an entity."""


def unknown(ledger: Ledger, values: Mapping[str, Any]) -> tuple[str, ...]:
    """A remark for each parameter of a query that names no run, entity, scenario, pattern or measure of the ledger."""
    found = (_unknown(ledger, name, str(plain(value))) for name, value in values.items() if value)
    return tuple(remark for remark in found if remark)


def _unknown(ledger: Ledger, name: str, value: str) -> str:
    """What to say of one parameter; "" where its value is known, or names nothing."""
    if name in ENTITIES:
        ids = ledger.labels()["id"].to_pylist()
        if value not in ids:
            return f"no entity {value} is known{suggestion(value, ids)}"
        now = _called(ledger, value)
        return f"{value} was merged into {now}: ask for that id" if now in ids and now != value else ""
    if name not in KNOWN:
        return ""
    reader, where = KNOWN[name]
    known, short = reader(ledger), value[:SHORT] if name == "run" else value
    if short in known:
        return ""
    some = f" ({', '.join(known[:LISTED])}{', ...' if len(known) > LISTED else ''})" if known else ""
    # digits that look alike mean nothing: of runs only one that begins so is near
    near = [one for one in known if one.startswith(short.lower())] if name == "run" else known
    return f"no {name} {value} is known{suggestion(short.lower(), near)}; {where} lists them{some}"


def _called(ledger: Ledger, id: str) -> str:
    """What an id is called since it was judged to be one with others."""
    con, head = ledger.cursor(), ledger.head
    register_identity(con, head)
    asked = "SELECT canon FROM canon WHERE raw = ? AND c_from <= ? AND ? < c_to"
    return str((con.execute(asked, [id, head, head]).fetchone() or (id,))[0])


def _runs(ledger: Ledger) -> list[str]:
    return sorted({document[:SHORT] for document in _told(ledger, "run")["document"].to_pylist()})


def _names(ledger: Ledger) -> list[str]:
    return sorted({*_told(ledger, "run")["value_text"].to_pylist()})


def _scenarios(ledger: Ledger) -> list[str]:
    return sorted({*_told(ledger, "run_total")["key"].to_pylist()})


def _patterns(_: Ledger) -> list[str]:
    return sorted(plugins.summaries("queries.patterns"))


def _told(ledger: Ledger, property: str) -> pa.Table:
    """What runs say of themselves."""
    alive = ledger.alive()
    return alive.filter(pc.and_(pc.equal(alive["kind"], "property"), pc.equal(alive["name"], property)))


KNOWN: Final[Mapping[str, tuple[Callable[[Ledger], list[str]], str]]] = {
    "run": (_runs, "`kgrisk query risk_runs`"),
    "name": (_names, "`kgrisk query risk_runs`"),
    "scenario": (_scenarios, "`kgrisk query risk_runs`"),
    "pattern": (_patterns, "`kgrisk patterns`"),
}
"""Parameters that name something else than an entity: what is known, and where it is listed."""
