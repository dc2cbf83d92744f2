"""Saying: what an edge or a fact of the graph states, as an English sentence that cites it.

A sentence holds no name, number or day that its statements do not have; sums and comparisons are for the reader.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import pyarrow.compute as pc

from kg.model import LAST
from kgrisk.questions.cited import Cited
from kgrisk.serve.view import View

Row = Mapping[str, Any]
VERBS: Final[Mapping[str, str]] = {
    "LENDS_TO": "lends to",
    "EXPOSED_TO": "is exposed to",
    "OWNS": "owns a share of",
    "SUBSIDIARY_OF": "is a subsidiary of",
    "SUPPLIES": "supplies",
    "COMPETES_WITH": "competes with",
    "OFFICER_OF": "is an officer of",
    "HOLDS": "holds",
    "ISSUED": "issued",
    "PAID": "paid",
    "TRADED": "traded",
    "OBLIGED_TO": "is obliged to",
    "HAS_ACCOUNT": "has the account",
    "IN_SECTOR": "is in the sector",
    "IN_COUNTRY": "is domiciled in",
    "ASSOCIATED_WITH": "is linked to",
    "SHARES_IDENTIFIER": "shares an identifier with",
    "USES": "uses",
    "CORRELATES_WITH": "moves with",
    "MENTIONED_IN": "is named in",
    "FILED": "filed",
    "PAGE_OF": "is a page of",
    "REPORTED_IN": "is reported in",
}
FIRST: Final = 1000
"""Years before this are no beginning: the statement has none."""


def words(name: str) -> str:
    """The name of a property in words."""
    return name.replace("_", " ")


def number(value: Decimal | float | int) -> str:
    """A number as people read it, no digit lost of an exact one."""
    if isinstance(value, float):
        return f"{value:,.4f}".rstrip("0").rstrip(".")
    return format(Decimal(value).normalize(), ",f")


def days(row: Row, event: bool = False) -> str:
    """From when and until when, where the statement says so."""
    begin, end = row["valid_from"], row["valid_to"]
    if event:
        return f" on {begin:%Y-%m-%d}"
    since = f" from {begin:%Y-%m-%d}" if begin.year > FIRST else ""
    return since + (f" to {end:%Y-%m-%d}" if end != LAST else "")


def name(view: View, row: int) -> str:
    """What to call a node: the title of a document, the kind of an event, else its name."""
    s = view.snapshot
    if s.labels[row] in ("Document", "Page"):
        found = fact(view, row, "title") or fact(view, row, "caption")
        return f"“{found['value_text']}”" if found else s.ids[row]
    if s.labels[row] in ("Country", "Sector") and s.names[row] == s.ids[row]:
        return s.ids[row].partition(":")[2]
    return s.names[row]


def fact(view: View, row: int, property: str) -> dict[str, Any] | None:
    """The latest fact of a node under a name."""
    found = facts(view, row, property)
    return found[-1] if found else None


def facts(view: View, row: int, property: str) -> list[dict[str, Any]]:
    """Facts of a node under a name, by when they are true."""
    own = view.facts(row)
    rows: list[dict[str, Any]] = own.filter(pc.equal(own["property"], property)).to_pylist()
    return sorted(rows, key=lambda one: (one["valid_from"], one["published"], one["key"], one["statement"]))


def of_edge(view: View, edge: Row) -> Cited:
    """What an edge states."""
    if edge["type"] == "AFFECTED_BY":
        return _of_event(view, edge)
    source, target = name(view, edge["source"]), name(view, edge["target"])
    if edge["type"] == "PREDICTED":
        verb = VERBS.get(edge["key"], edge["key"])
        text = f"A model expects that {source} {verb} {target}, with a score of {number(edge['value_real'])}."
        return Cited(text, (edge["statement"],))
    verb = VERBS.get(edge["type"], words(edge["type"].lower()))
    if edge["type"] == "OFFICER_OF" and edge["value_text"]:
        verb = f"is {edge['value_text']} of"
    told = _values(edge)
    text = f"{source} {verb} {target}{told}{days(edge, edge['type'] in ('PAID', 'TRADED', 'MENTIONED_IN', 'FILED'))}."
    return Cited(text, (edge["statement"],))


def _values(edge: Row) -> str:
    """Amount, share and facility of an edge."""
    parts = []
    if edge["value_decimal"] is not None:
        parts.append(f"{number(edge['value_decimal'])} {edge['unit']}".rstrip())
    if edge["value_real"] is not None:
        share = edge["type"] in ("OWNS", "SUBSIDIARY_OF", "SUPPLIES")
        parts.append(f"{number(edge['value_real'] * 100)} %" if share else number(edge["value_real"]))
    if edge["key"] and edge["type"] in ("LENDS_TO", "EXPOSED_TO", "OWNS"):
        parts.append(edge["key"])
    return f" ({', '.join(parts)})" if parts else ""


def _of_event(view: View, edge: Row) -> Cited:
    kind = fact(view, edge["target"], "event_type")
    called = words(kind["value_text"]) if kind else "event"
    who, role = name(view, edge["source"]), edge["value_text"] or edge["key"]
    text = f"{who} is {role} of a {called}{days(edge, event=True)}."
    return Cited(text, (edge["statement"], *([kind["statement"]] if kind else [])))


def of_fact(view: View, row: Row) -> Cited:
    """What a fact states."""
    who, property = name(view, row["subject"]), row["property"]
    if row["value_decimal"] is not None:
        value = f"{number(row['value_decimal'])} {row['unit']}".rstrip()
        verb = "are" if property.endswith(("assets", "liabilities")) else "is"
        text = f"The {words(property)} of {who} for {row['key']} {verb} {value}."
    elif property == "description":
        text = f"{who} is described so: “{row['value_text']}”"
    elif property == "name":
        text = f"{view.snapshot.ids[row['subject']]} is called {row['value_text']}."
    elif row["value_real"] is not None:
        text = f"The {words(property)} of {who} is {number(row['value_real'])}{days(row)}."
    else:
        value = next((row[c] for c in ("value_text", "value_int", "value_time") if row[c] is not None), "")
        shown = f"{value:%Y-%m-%d}" if isinstance(value, datetime) else value
        text = f"The {words(property)} of {who} is {shown}."
    return Cited(text, (row["statement"],))


def of_tone(view: View, row: Row) -> Cited:
    """How a document speaks of an entity."""
    title = ""
    document = view.snapshot.index.get(row["key"])
    more: list[str] = []
    if document is not None and (found := fact(view, document, "title")):
        title, more = f" “{found['value_text']}”", [found["statement"]]
    who, tone = name(view, row["subject"]), number(row["value_real"])
    text = f"The document{title} of {row['published']:%Y-%m-%d} speaks of {who} with a tone of {tone}."
    return Cited(text, (row["statement"], *more))
