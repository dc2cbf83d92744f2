"""Catalog: the questions analysts ask, one Cypher file each.

The head comment of a file is its contract:

    // Who owes this entity how much.
    // @param id: string  the creditor
    // @param at_least: money = 0  smallest amount shown
    // @clock known_before  the earlier of two dates compared
    // @example id=lei:529900T8BM49AURSDO55

The body below it is never rewritten: it can be pasted into Neo4j Browser. A file whose relationships are not all
bound by all three clocks does not load. `name.neo4j.cypher` stands beside `name.cypher` where that engine needs
other words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from kg.errors import CatalogError
from kg.model import AsOf
from queries.cypher import CLOCKS, Relationship, Text
from queries.parameter import Parameter, suggestion

if TYPE_CHECKING:
    from kg.store import GraphStore

FOLDER = Path(__file__).parent / "named"
ENGINES = ("neo4j", "arcadedb")


@dataclass(frozen=True)
class Clock:
    """A further instant a query compares with: `known_before` is an instant of the known clock."""

    name: str
    doc: str

    def read(self, value: Any) -> Any:
        """Fixed-width UTC text."""
        return Parameter(self.name, "time", None, self.doc).read(value)


@dataclass(frozen=True)
class NamedQuery:
    """One question with its declared parameters."""

    name: str
    tells: str
    """First line of the head comment."""
    params: tuple[Parameter, ...]
    clocks: tuple[Clock, ...]
    examples: tuple[str, ...]
    texts: Mapping[str, str] = field(repr=False)
    """Cypher by engine; "" is the text for every engine that has none of its own."""

    def text(self, engine: str = "") -> str:
        return self.texts.get(engine, self.texts[""])

    @property
    def inputs(self) -> dict[str, Parameter | Clock]:
        """Everything a caller may give, by name."""
        return {**{param.name: param for param in self.params}, **{clock.name: clock for clock in self.clocks}}

    def values(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Checked values of all parameters. CatalogError names what is unknown, missing or of a wrong type."""
        inputs = self.inputs
        for name in given:
            if name not in inputs:
                known = ", ".join(inputs) or "none"
                raise CatalogError(
                    f"{self.name}: parameter {name!r} is unknown; known: {known}{suggestion(name, list(inputs))}"
                )
        values: dict[str, Any] = {}
        for name, item in inputs.items():
            default = item.default if isinstance(item, Parameter) else None
            value = given.get(name, default)
            if value is None:
                example = f"; for example {self.examples[0]}" if self.examples else ""
                raise CatalogError(f"{self.name}: parameter {name} is missing ({item.doc}){example}")
            try:
                values[name] = item.read(value)
            except CatalogError as error:
                raise CatalogError(f"{self.name}: {error}") from error
            if name in self.limits and values[name] < 1:
                raise CatalogError(f"{self.name}: parameter {name}: {values[name]} rows are none; give at least 1")
        return values

    @cached_property
    def limits(self) -> frozenset[str]:
        """Parameters that say how many rows are shown or followed: a store's own error for -1 names no parameter."""
        shown = r"(?:\bLIMIT |\[0\.\.)\$(\w+)"
        asked = frozenset(found for text in self.texts.values() for found in re.findall(shown, text))
        return frozenset(param.name for param in self.params if param.type == "int" and param.name in asked)

    @cached_property
    def relationships(self) -> list[Relationship]:
        """Every relationship pattern of the portable text."""
        return Text(self.texts[""]).relationships()


class Catalog:
    """All named queries of a folder, checked when they are read."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self.folder = folder
        self.queries = {query.name: query for query in _read(folder)}

    def __iter__(self) -> Iterator[NamedQuery]:
        return iter(self.queries.values())

    def __getitem__(self, name: str) -> NamedQuery:
        if name not in self.queries:
            known = list(self.queries)
            raise CatalogError(f"query {name!r} is unknown; known: {', '.join(known)}{suggestion(name, known)}")
        return self.queries[name]

    def run(
        self,
        store: GraphStore,
        name: str,
        params: Mapping[str, Any] | None = None,
        at: AsOf = AsOf(),
        *,
        limit: int | None = None,
        timeout: float | None = None,
    ) -> pa.Table:
        """Rows of a query as a table. CatalogError for a wrong name or parameter, before the store is asked."""
        query = self[name]
        values = query.values(params or {})
        text = query.text(type(store).__module__.rpartition(".")[2])  # a store module is called like its engine
        caps = {name: cap for name, cap in (("limit", limit), ("timeout", timeout)) if cap is not None}
        return store.query(text, values, at, **caps)  # type: ignore[arg-type]  # a limit counts rows


def _read(folder: Path) -> Iterator[NamedQuery]:
    """Every query of a folder, by name."""
    files = sorted(folder.glob("*.cypher"))
    plain = {file.stem: file for file in files if "." not in file.stem}
    special: dict[str, dict[str, Path]] = {}
    for file in files:
        name, _, engine = file.stem.partition(".")
        if not engine:
            continue
        if name not in plain or engine not in ENGINES:
            raise CatalogError(
                f"{file.name}: stands beside no {name}.cypher, or {engine!r} is none of {', '.join(ENGINES)}"
            )
        special.setdefault(name, {})[engine] = file
    for name, file in plain.items():
        yield load(file, special.get(name, {}))


def load(file: Path, special: Mapping[str, Path] | None = None) -> NamedQuery:
    """One query file with its engines' own texts, checked. CatalogError names file, line and what is missing."""
    head = _head(file)
    texts = {"": file.read_text("utf-8")} | {e: f.read_text("utf-8") for e, f in (special or {}).items()}
    query = NamedQuery(file.stem, head.tells, head.params, head.clocks, head.examples, texts)
    for engine, text in texts.items():
        _check(query, text, (special or {}).get(engine, file).name)
    return query


@dataclass
class _Head:
    tells: str = ""
    params: tuple[Parameter, ...] = ()
    clocks: tuple[Clock, ...] = ()
    examples: tuple[str, ...] = ()


def _head(file: Path) -> _Head:
    """The comment lines a file opens with."""
    head = _Head()
    for line in file.read_text("utf-8").splitlines():
        if not line.startswith("//"):
            break
        text = line[2:].strip()
        word, _, rest = text.partition(" ")
        try:
            if word == "@param":
                head.params += (Parameter.parse(rest),)
            elif word == "@clock":
                head.clocks += (_clock(rest),)
            elif word == "@example":
                head.examples += (rest.strip(),)
            elif word.startswith("@"):
                raise CatalogError(f"{word} is unknown; known: @param, @clock, @example")
            else:
                head.tells = head.tells or text
        except CatalogError as error:
            raise CatalogError(f"{file.name}: {error}") from error
    if not head.tells:
        raise CatalogError(f"{file.name}: the first line must be a comment that says what the query tells")
    return head


def _clock(text: str) -> Clock:
    name, _, doc = text.strip().partition(" ")
    family = name.partition("_")[0]
    if family not in CLOCKS or name == family:
        raise CatalogError(f"@clock {name}: expected valid_..., known_... or published_..., such as known_before")
    return Clock(name, doc.strip())


def _check(query: NamedQuery, cypher: str, file: str) -> None:
    """CatalogError unless clocks bind every relationship and parameters are just the declared ones."""
    try:
        text = Text(cypher)
    except CatalogError as error:
        raise CatalogError(f"{file}: {error}") from error
    clocks = frozenset(CLOCKS) | {clock.name for clock in query.clocks}
    for edge in text.relationships():
        if edge.variable is None and not (edge.many and edge.path):
            raise CatalogError(
                f"{file} line {edge.line}: {edge.shape} has no variable, so no clock can bind it; name it"
            )
        unbound = text.unbound(edge, clocks)
        if unbound:
            name, free = edge.variable or edge.path, ", ".join(f"${clock}" for clock in unbound)
            raise CatalogError(
                f"{file} line {edge.line}: {name} in {edge.shape} is not bound by {free}; "
                f"add {_needed(edge, unbound)} to the WHERE of the same MATCH, joined by AND"
            )
    declared = {*CLOCKS, *query.inputs}
    if strange := text.params - declared:
        raise CatalogError(f"{file}: ${', $'.join(sorted(strange))} is used but not declared with @param or @clock")
    if idle := query.inputs.keys() - text.params:
        raise CatalogError(f"{file}: {', '.join(sorted(idle))} is declared but not used")


def _needed(edge: Relationship, unbound: list[str]) -> str:
    """The text that would bind the clocks."""
    name = "x" if edge.many else edge.variable
    each = " AND ".join(f"{name}.{prop} {op} ${clock}" for clock in unbound for prop, op in CLOCKS[clock])
    over = edge.variable or f"relationships({edge.path})"
    return f"all(x IN {over} WHERE {each})" if edge.many else each
