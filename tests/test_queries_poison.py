"""The poison test: every named query on every store answers exactly like its oracle, ids and order included.

The graph of `tests/poison` has 2,000 nodes and about 39,000 claims; beside every true statement stand twins that
must not be seen. No expected answer may be empty, or the query would prove nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cache
from math import isclose
from typing import Any

import pytest

from kg.model import AsOf, iso
from kg.store import GraphStore
from queries.catalog import Catalog
from tests import oracles
from tests.poison import NOW, Seen, World, day

pytestmark = pytest.mark.slow
CATALOG = Catalog()
ASKED_HERE = [name for name in CATALOG.queries if not name.startswith("finbench_")]
"""Queries of this world; the reads of FinBench have worlds, twins and an oracle of their own (test_finbench.py)."""

INSTANTS: dict[str, Callable[[World], AsOf]] = {
    "in 2024, after the withdrawals, by what was public by 2025": lambda w: w.at(NOW, 2, day(2025)),
    "in 2022, before the withdrawals, by what was public then": lambda w: w.at(
        datetime(2022, 6, 1, tzinfo=UTC), 1, day(2022, 300)
    ),
    "in 2024, with all that was ever learned or published": lambda w: w.at(NOW, 3, None),
}
MOST_ROWS = 1_500
"""Instances of a question are chosen with many rows, but not more than this."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("poison") / "ledger")


@pytest.fixture(scope="module")
def filled(world: World, module_store: GraphStore) -> Iterator[GraphStore]:
    module_store.sync(world.ledger)
    yield module_store


def busiest(world: World, at: AsOf, name: str, choices: list[dict[str, Any]]) -> dict[str, Any]:
    """The choice with most rows (but not too many), so that no expected answer is empty."""
    oracle, query = getattr(oracles, name), CATALOG[name]
    sizes = [(len(oracle(world, at, **query.values(choice))), i) for i, choice in enumerate(choices)]
    return choices[max((size, -i) for size, i in sizes if size <= MOST_ROWS)[1] * -1]


def params(name: str, world: World, at: AsOf) -> dict[str, Any]:
    """Parameters with which a question has an answer at this instant."""
    seen = world.seen(at)
    commit = world.ledger.commit_at(at.known)
    other = iso(world.ledger.known(1 if commit > 1 else 2))
    if name in ASKED_OF:
        more = {"top": 500} if name == "similar_companies" else {}
        return busiest(world, at, name, [{"id": id, **more} for id in _most(seen, *ASKED_OF[name])])
    return busiest(world, at, name, _choices(seen, other).get(name, [{}]))


@cache
def asked(name: str, world: World, at: AsOf) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Parameters of a question and what its oracle answers, worked out once for both stores and all tests."""
    given = params(name, world, at)
    return given, getattr(oracles, name)(world, at, **CATALOG[name].values(given))


ASKED_OF = {
    "exposure_by_counterparty": ("source", "LENDS_TO", "EXPOSED_TO"),
    "ownership_chain": ("target", "OWNS"),
    "ultimate_owner": ("target", "OWNS"),
    "hit_if_fails": ("target", "LENDS_TO", "EXPOSED_TO"),
    "payment_trail": ("source", "PAID"),
    "similar_companies": ("target", "SUPPLIES"),
    "concentration_by_sector": ("source", "LENDS_TO"),
    "supply_chain_upstream": ("target", "SUPPLIES"),
    "entity_profile": ("source", "equity"),
    "largest_holders": ("source", "ISSUED"),
    "payments_between_owners": ("source", "HAS_ACCOUNT"),
    "sentiment_by_day": ("source", "sentiment"),
    "said_about": ("source", "LENDS_TO", "sentiment"),
    "warnings_of": ("source", "warning"),
    "shared_identifiers": ("source", "SHARES_IDENTIFIER"),
}
"""Questions about one entity: the end of which rows it is."""


def _most(seen: Seen, end: str, *types: str) -> list[str]:
    """Entities that stand most often at this end of such rows, and some that do less often."""
    ranked = [id for id, _ in Counter(getattr(r, end) for r in seen.of(*types)).most_common()]
    return ranked[:8] + ranked[8::10][:8]


def _choices(seen: Seen, other: str) -> dict[str, list[dict[str, Any]]]:
    """Parameters of the questions that ask otherwise; `other` is a second known instant."""
    return {
        "evidence_behind_edge": [
            {"source": r.source, "relation": r.type, "target": r.target} for r in seen.of("LENDS_TO", "OWNS")[:40]
        ],
        "what_changed_between": [
            {"id": id, "known_before": other} for id in _most(seen, "source", "LENDS_TO", "OWNS", "SUPPLIES")
        ],
        "restatements": [{"known_before": other}],
        "believed_at": [{"id": id, "known_then": other} for id in _most(seen, "source", "LENDS_TO")],
        "documents_that_mention_both": _mentioned_together(seen),
        "common_officers": [{"at_least": n} for n in (1, 2, 3, 4)],
        "assets_hit": [{"event_type": kind} for kind in ("default", "bankruptcy", "lawsuit")],
        "circular_payments": [{"at_least": n} for n in ("0", "100", "5000")],
        "conflicting_sources": [{"top": 1_500}],
        "distress_ranking": [{"top": 200}],
        "top_predicted_links": [{"top": 500}],
        "suspicious_payments": [{"top": 500}],
        "pattern_findings": [{"top": 500}],
        "risk_runs": [{"name": "debtrank", "top": 500}],
        "losses_of_run": [{"run": f"run{i:09d}"} for i in range(6)],
        "attribution_of_run": [{"run": f"run{i:09d}"} for i in range(6)],
        "figures_of_run": [{"run": f"run{i:09d}"} for i in (7, 8)],
        "scenario_losses": [{"scenario": "crash"}, {"scenario": "flood"}],
    }


def _mentioned_together(seen: Seen) -> list[dict[str, Any]]:
    by_document: dict[str, list[str]] = {}
    for row in seen.of("MENTIONED_IN"):
        by_document.setdefault(row.target, []).append(row.source)
    pairs = Counter(
        (min(a, b), max(a, b)) for ids in by_document.values() for a in set(ids) for b in set(ids) if a != b
    )
    return [{"a": a, "b": b} for (a, b), _ in pairs.most_common(20)]


def differences(got: list[dict[str, Any]], expected: list[dict[str, Any]]) -> list[str]:
    """What is different, row by row in order; floats to 1e-9 relative, all else exactly."""
    found = [f"{len(got)} rows instead of {len(expected)}"] if len(got) != len(expected) else []
    for i, (here, there) in enumerate(zip(got, expected, strict=False)):
        if here.keys() != there.keys():
            return [*found, f"columns {list(here)} instead of {list(there)}"]
        for column, value in here.items():
            want = there[column]
            near = isinstance(want, float) and isinstance(value, (int, float)) and isclose(value, want, rel_tol=1e-9)
            if not near and value != want:
                found.append(f"row {i} {column}: {value!r} instead of {want!r}")
    return found


@pytest.mark.parametrize("instant", INSTANTS)
@pytest.mark.parametrize("name", ASKED_HERE)
def test_a_query_sees_no_poison(name: str, instant: str, world: World, filled: GraphStore) -> None:
    at = INSTANTS[instant](world)
    given, expected = asked(name, world, at)
    assert expected, "an empty answer proves nothing"
    got = CATALOG.run(filled, name, given, at).to_pylist()
    assert not differences(got, expected)[:5]


def test_every_query_has_an_oracle() -> None:
    assert all(callable(getattr(oracles, name, None)) for name in ASKED_HERE)


COMPARISONS = ("valid_from <=", "valid_to >", "known_from <=", "known_to >", "published <=", "published_to >")
NEVER = {  # events have no end of validity, and a later publication cannot take back who someone's partners are
    "circular_payments": {"valid_to >"},
    "payment_trail": {"valid_to >"},
    "suspicious_payments": {"valid_to >"},
    "pattern_findings": {"valid_to >"},
    "sentiment_by_day": {"valid_to >"},
    "documents_that_mention_both": {"valid_to >", "published_to >"},
    "restatements": {"valid_from <=", "valid_to >"},
    "common_officers": {"published_to >"},
    "similar_companies": {"published_to >"},
}
"""Comparisons that cannot change the answer of a query in this world."""


@pytest.mark.parametrize("name", ASKED_HERE)
def test_every_comparison_of_every_query_keeps_some_poison_out(name: str, world: World, filled: GraphStore) -> None:
    """The twins bite: with any one comparison left out, the answer of the store is wrong at some instant."""
    query, harmless = CATALOG[name], set(COMPARISONS)
    for make in INSTANTS.values():
        at = make(world)
        given, expected = asked(name, world, at)
        values = query.values(given)
        for comparison in sorted(harmless - NEVER.get(name, set())):
            mutant = re.sub(rf"\b\w+\.{re.escape(comparison)} \$\w+", "true", query.text())
            assert mutant != query.text()
            if differences(filled.query(mutant, values, at).to_pylist(), expected):
                harmless.discard(comparison)
    assert harmless == NEVER.get(name, set())
