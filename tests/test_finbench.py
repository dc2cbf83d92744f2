"""The 18 reads of LDBC FinBench answer like an oracle over the drawn tables, on both stores, whatever stands beside.

The worlds are drawn here (no LDBC data, no audited result); beside true claims stand twins that no query may see.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from kg.ontology import EDGES
from kg.store import GraphStore
from queries.catalog import Catalog
from tests.finbench_cases import CASES, Case
from tests.finbench_oracle import Asked, Oracle
from tests.finbench_tiny import tiny
from tests.finbench_world import INPUTS, Question, World, questions

pytestmark = pytest.mark.slow
CATALOG = Catalog()
SEEDS, SIZE, DRAWS = (1, 2, 3), 36, 6


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("finbench") / "ledger", SEEDS, SIZE, tiny())


@pytest.fixture(scope="module")
def filled(world: World, module_store: GraphStore) -> Iterator[GraphStore]:
    module_store.sync(world.ledger)
    yield module_store


def answer(store: GraphStore, world: World, question: Question) -> list[dict[str, Any]]:
    query = CATALOG[f"finbench_{question.name}"]
    table = CATALOG.run(store, query.name, question.params(query.inputs), world.at, limit=100_000)
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows


def telling(rows: list[dict[str, Any]]) -> bool:
    """Is there anything in the answer but nothing, none and not at all?"""
    values = [value for row in rows for name, value in row.items() if name != "complete"]
    return any(value not in (0, -1, 0.0, -1.0) for value in values)


def test_the_page_tells_how_many_cases_were_made_by_hand() -> None:
    page = Path(__file__).parents[1] / "docs" / "scale" / "finbench.md"
    assert re.findall(r"(\d+) cases made by hand", page.read_text("utf-8")) == [str(len(CASES))]


def test_there_are_the_twelve_complex_and_the_six_simple_reads() -> None:
    named = {query.name for query in CATALOG if query.name.startswith("finbench_")}
    assert named == {f"finbench_{name}" for name in INPUTS} and len(named) == 18


@pytest.mark.parametrize("name", INPUTS)
def test_a_read_answers_like_the_oracle_row_by_row(name: str, world: World, filled: GraphStore) -> None:
    told = 0
    for question in questions(world, name, DRAWS, seed=0):
        expected = question.expected()
        assert answer(filled, world, question) == expected, question.params(CATALOG[f"finbench_{name}"].inputs)
        told += telling(expected)
    assert told >= len(SEEDS) * DRAWS * 0.5, "most draws must have something to say"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.what)
def test_a_small_case_has_the_answer_that_is_seen_by_eye(case: Case, world: World, filled: GraphStore) -> None:
    rows = CATALOG.run(filled, f"finbench_{case.name}", case.given, world.at).to_pylist()
    assert rows == case.rows


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.what)
def test_the_oracle_sees_what_the_eye_sees(case: Case) -> None:
    query = CATALOG[f"finbench_{case.name}"]
    values = query.values(case.given)
    names = {"truncation_limit": "limit", "truncation_order": "order", "currency": "currency"}
    shared = {names[name]: value for name, value in values.items() if name in names}
    shared |= {name: datetime.fromisoformat(values[name]) for name in ("after", "before") if name in values}
    given = {name: value for name, value in values.items() if name not in (*names, "after", "before")}
    question = Question(Oracle(tiny()), case.name, given, Asked(**shared) if shared else None)
    far = case.what.startswith("eleven")  # the specification has no bound of ten
    assert question.expected() == ([{"transfers": 11, "complete": True}] if far else case.rows)


COMPARISONS = ("valid_from <=", "valid_to >", "known_from <=", "known_to >", "published <=", "published_to >")
EVENTS_ONLY = ("shortest_transfer", "transfer_cycle", "withdrawal_after_pooling", "fast_in_fast_out", "loan_trace",
               "loan_laundering", "turnover", "sent_above", "received_above")  # fmt: skip
UNPRICED = ("shortest_transfer", "investor_similarity", "account", "same_sources")
NEVER = [f"{name}: valid_to >" for name in EVENTS_ONLY] + [f"{name}: published_to >" for name in UNPRICED]
"""Comparisons that cannot change an answer: an event has no end, and a later paper corrects amounts only."""


def test_every_comparison_of_every_read_keeps_some_twin_out(world: World, filled: GraphStore) -> None:
    if type(filled).__name__ != "ArcadeStore":
        pytest.skip("the twins are the same on both stores, and the other one has answered rightly above")
    idle = set()
    for name in INPUTS:
        text = CATALOG[f"finbench_{name}"].text()
        for comparison in COMPARISONS:
            mutant = re.sub(rf"\b\w+\.{re.escape(comparison)} \$\w+", "true", text)
            assert mutant != text
            drawn = questions(world, name, 1 if f"{name}: {comparison}" in NEVER else 6, seed=1)
            if not any(_differs(mutant, question, world, filled) for question in drawn):
                idle.add(f"{name}: {comparison}")
    assert sorted(idle) == sorted(NEVER)


def _differs(mutant: str, question: Question, world: World, store: GraphStore) -> bool:
    query = CATALOG[f"finbench_{question.name}"]
    values = query.values(question.params(query.inputs))
    rows: list[dict[str, Any]] = store.query(mutant, values, world.at, limit=100_000).to_pylist()
    return rows != question.expected()


def test_a_sign_in_is_an_event_from_a_device_to_an_account() -> None:
    spec = EDGES["SIGNED_IN"]
    assert (spec.source, spec.target, spec.time) == (("Device",), ("Account",), "event")
