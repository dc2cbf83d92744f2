"""Values that want to be code, for every parameter of every named query: they are values, on both stores."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from kg.errors import KgRiskError
from kg.ledger import Ledger
from kg.model import AsOf, as_time
from kg.store import GraphStore
from queries.catalog import Catalog, NamedQuery
from tests.injection_values import LONE, VALUES
from tests.store_world import START, lend_in_a_ring

CATALOG = Catalog()
AT = AsOf(valid=as_time(START.replace(year=2022)))


@pytest.fixture(scope="module")
def filled(module_store: GraphStore, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GraphStore]:
    with Ledger.open(tmp_path_factory.mktemp("ring") / "ledger") as ledger:
        lend_in_a_ring(ledger)
        module_store.sync(ledger)
        yield module_store


def right(query: NamedQuery) -> dict[str, object]:
    """Parameters that the query takes: of its first example, or such as fit."""
    example = query.examples[0] if query.examples else ""
    given = dict(re.findall(r"(\w+)=(.*?)(?= \w+=|$)", example))
    return {name: given.get(name, getattr(item, "default", None)) for name, item in query.inputs.items()}


def slots() -> Iterator[tuple[NamedQuery, str]]:
    """Every parameter of every query."""
    yield from ((query, name) for query in CATALOG for name in query.inputs)


def ask(store: GraphStore, query: NamedQuery, name: str, value: object) -> bool:
    """Was it asked, and not refused? Rows there may be: a value can be one that a query takes as "all"."""
    try:
        CATALOG.run(store, query.name, {**right(query), name: value}, AT, limit=5)
    except KgRiskError:
        return False
    return True


def test_the_corpus_is_as_large_as_was_promised() -> None:
    assert len(set(VALUES)) >= 150
    assert len(list(slots())) > len(CATALOG.queries)


def test_values_stay_values_in_every_parameter_of_every_query(filled: GraphStore) -> None:
    before, kind = filled.graph_hash(), type(filled).__name__
    asked = set()
    turn = 0
    for query, name in slots():
        # In this process all of them; over Bolt every twelfth, another twelfth for each parameter that takes any text.
        values = VALUES if kind == "ArcadeStore" else VALUES[turn % 12 :: 12]
        turn += getattr(query.inputs[name], "type", "") == "string"
        asked |= {value for value in values if ask(filled, query, name, value)}
        assert not ask(filled, query, name, LONE)
    assert filled.graph_hash() == before
    assert asked == set(VALUES), "every value came as far as the store at least once"
