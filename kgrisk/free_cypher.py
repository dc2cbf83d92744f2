"""Free Cypher: a reading text that somebody wrote, asked of a store, with remarks on the clocks it forgets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from kg.errors import CatalogError
from kg.model import AsOf
from kg.ontology import EDGES, HAS, NODES, VALUE_NODES
from kg.store import LIMIT, TIMEOUT, GraphStore
from kgrisk.result import Result
from queries.cypher import CLOCKS, Text
from queries.parameter import suggestion

MOST = 5
"""Remarks told."""
UNCHECKED = (
    "the clocks of this text could not be checked: its rows are of every version, also of what is no longer true or "
    "known, unless the text itself compares with $valid, $known and $published"
)
TELLS_EVERY_VERSION = "reads every version, also what is no longer true or known: add the clocks"


@dataclass(frozen=True)
class Asked:
    """A Cypher text with its parameters, and how much it may cost."""

    text: str
    params: Mapping[str, Any] = field(default_factory=dict)
    limit: int = LIMIT
    """Rows at most; `kg.store.truncated` tells if there were more."""
    timeout: float = TIMEOUT
    """Seconds at most."""


def ask(store: GraphStore, asked: Asked, at: AsOf = AsOf()) -> Result:
    """Its rows. QueryError says what was refused and what is allowed."""
    table = store.ask(asked.text, asked.params, at, asked.limit, asked.timeout)
    found = list(dict.fromkeys((*unknown(asked.text), *unclocked(asked.text))))
    more = [f"and {len(found) - MOST} more like these"] if len(found) > MOST else []
    return Result(table, "cypher", (*found[:MOST], *more))


def unknown(text: str) -> Iterator[str]:
    """A remark on every label and relationship type of a text that no graph has: such a pattern finds nothing."""
    try:
        read = Text(text)
    except CatalogError:
        return  # told by `unclocked`
    labels, types = [*NODES, *VALUE_NODES, "Entity", "Ledger"], [*EDGES, *HAS.values()]
    for label, line in _labels(read):
        if label not in labels:
            yield f"line {line}: no graph has the label {label!r}{suggestion(label, labels)}"
    for edge in read.relationships():
        for type in edge.types:
            if type not in types:
                yield f"line {edge.line}: no graph has the relationship type {type!r}{suggestion(type, types)}"


def _labels(read: Text) -> Iterator[tuple[str, int]]:
    """Every label that a pattern begins a node with, `(:Bank)` or `(b:Bank)`, with its line."""
    for place, token in enumerate(read.tokens):
        if token.text == "(" and token.kind == "mark":
            rest = read.tokens[place + 1 : place + 4]
            rest = rest[1:] if rest and rest[0].identifier else rest
            if len(rest) > 1 and rest[0].text == ":" and (label := rest[1].identifier):
                yield label, token.line


def unclocked(text: str) -> Iterator[str]:
    """A remark on every relationship of a text that the clocks do not bind; named queries that do so do not load."""
    try:
        read = Text(text)
    except CatalogError:  # it says what a named query may not be, and this is none
        yield UNCHECKED
        return
    for edge in read.relationships():
        if free := read.unbound(edge, frozenset(CLOCKS)):
            name = f"{edge.variable or edge.path} in " if edge.variable or edge.path else ""
            needed = " AND ".join(f"r.{prop} {op} ${clock}" for clock in free for prop, op in CLOCKS[clock])
            yield f"line {edge.line}: {name}{edge.shape} {TELLS_EVERY_VERSION}, such as {needed}"
