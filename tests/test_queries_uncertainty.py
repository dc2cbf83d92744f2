"""How far a loss can be trusted: the flip test against brute force, and the document that would change most."""

from __future__ import annotations

import itertools

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.errors import MeasureError
from queries.belief import Belief, direct_loss
from queries.exposures import Exposures
from queries.measures.debtrank import DebtRank
from queries.measures.eisenberg_noe import EisenbergNoe
from queries.scenario import Shocks
from queries.uncertainty import (
    added_variance,
    most_telling,
    simulate,
)
from tests.doubtful_world import believed, book, every_measure, fails, hit, measure, network

# ---- the flip test


def depends(name: str, x: Exposures, shocks: Shocks, row: int) -> np.ndarray:
    """By brute force, one world and one call at a time: whose loss changes with one exposure in some world?"""
    ids, found = x.edges["id"].to_pylist(), np.zeros(len(x), bool)
    others = [k for k in range(len(ids)) if k != row]
    for gone in itertools.chain.from_iterable(itertools.combinations(others, k) for k in range(len(others) + 1)):
        out = [ids[k] for k in gone]
        with_it = measure(name).spread(x.without(out), shocks).loss[0]
        without = measure(name).spread(x.without([*out, ids[row]]), shocks).loss[0]
        found |= np.abs(with_it - without) > 1e-7
    return found


@every_measure
@settings(max_examples=5, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 4), st.floats(0.55, 0.95))
def test_lowering_one_confidence_widens_all_and_only_what_depends_on_it(
    name: str, seed: int, row: int, sure: float
) -> None:
    x = network(seed, n=4, exposures=5)
    shocks = hit(x)
    belief = believed(x, np.random.default_rng(seed).uniform(0.6, 1.0, 5).tolist())
    statement = x.edges["id"][row].as_py()
    before = belief.lowered(statement, f"doc {row}", (1 + sure) / 2)
    after = belief.lowered(statement, f"doc {row}", sure)
    dependent = depends(name, x, shocks, row)

    was, now = (added_variance(measure(name), x, shocks, one, statement) for one in (before, after))
    assert np.array_equal(now > was + 1e-12, dependent)
    old, new = (simulate(measure(name), x, shocks, one) for one in (before, after))
    np.testing.assert_allclose(old.each.sd[~dependent], new.each.sd[~dependent], atol=1e-7)
    np.testing.assert_allclose(old.each.mean[~dependent], new.each.mean[~dependent], atol=1e-7)


@every_measure
@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 4), st.floats(0.5, 0.9))
def test_doubt_in_sure_evidence_widens_the_range_of_all_and_only_who_need_it(
    name: str, seed: int, row: int, sure: float
) -> None:
    x = network(seed, n=4, exposures=5)
    shocks, certain = hit(x), believed(x, [1.0] * 5)
    doubted = simulate(measure(name), x, shocks, certain.lowered(x.edges["id"][row].as_py(), f"doc {row}", sure))
    without = measure(name).spread(x.without([x.edges["id"][row].as_py()]), shocks).loss[0]
    need = np.abs(measure(name).spread(x, shocks).loss[0] - without) > 1e-7
    assert np.array_equal(doubted.each.sd > 1e-8, need)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 29), st.floats(0.5, 0.95))
def test_in_a_sum_the_range_of_the_one_creditor_widens_and_no_other(seed: int, row: int, sure: float) -> None:
    x, _ = book(creditors=3, debtors=10, seed=seed)
    before = believed(x, np.random.default_rng(seed).uniform(0.96, 1.0, 30).tolist())
    after = before.lowered(x.edges["id"][row].as_py(), f"doc {row}", sure)
    wide, narrow = (direct_loss(x, one, np.ones(len(x))) for one in (after, before))
    widened = np.flatnonzero(wide.sd > narrow.sd)
    assert widened.tolist() == [x.edges["source"][row].as_py()]
    others = np.arange(len(x)) != widened[0]
    for name in ("mean", "low", "high"):
        assert np.array_equal(getattr(wide, name)[others], getattr(narrow, name)[others])


# ---- the document that would change most


def test_the_planted_key_source_ranks_first() -> None:
    claims = np.zeros((6, 6))
    claims[1, 0] = 60.0  # the key: without it nothing travels on
    claims[2, 1], claims[3, 1], claims[4, 0], claims[5, 2] = 20.0, 15.0, 8.0, 3.0
    x = Exposures.of(claims, [200.0, 60.0, 60.0, 60.0, 60.0, 60.0])
    place = {id: row for row, id in enumerate(x.edges["id"].to_pylist())}
    documents = [f"d{row}" for row in range(5)]
    documents[place["bank:1>bank:0"]] = "key"
    belief, shocks = believed(x, [0.9] * 5, documents), Shocks.parse(x, "bank:0")
    for name in ("debtrank", "eisenberg_noe"):
        ranked = most_telling(measure(name), x, shocks, belief)
        full = measure(name).spread(x, shocks)
        without = measure(name).spread(x.without(["bank:1>bank:0"]), shocks)
        assert ranked[0].document == "key" and ranked[0].statements == ("bank:1>bank:0",)
        assert ranked[0].change == pytest.approx(without.total[0] - full.total[0])
        assert ranked[0].without == pytest.approx(without.total[0])
        assert [abs(one.change) for one in ranked] == sorted((abs(one.change) for one in ranked), reverse=True)
    (only,) = most_telling(DebtRank(), x, shocks, belief, "bank:4")
    assert only.statements == ("bank:4>bank:0",) and only.change == pytest.approx(-8)


def test_what_two_documents_say_hangs_on_neither_and_ties_go_by_digest() -> None:
    claims = np.zeros((4, 4))
    claims[1, 0] = claims[2, 0] = claims[3, 0] = 10.0
    x = Exposures.of(claims, [100.0] * 4)
    ids = x.edges["id"].to_pylist()
    said = pa.table({"statement": [*ids, ids[0]], "document": ["c", "b", "a", "d"], "confidence": [0.9] * 4})
    ranked = most_telling(DebtRank(), x, Shocks.parse(x, "bank:0"), Belief.of(x, said))
    assert [one.document for one in ranked] == ["a", "b"]
    with pytest.raises(MeasureError, match="not in this run"):
        most_telling(DebtRank(), x, Shocks.parse(x, "bank:0"), Belief.of(x, said), "bank:9")


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_every_document_that_moves_the_answer_is_ranked_by_what_it_moves(seed: int) -> None:
    x = network(seed, exposures=8)
    r = np.random.default_rng(seed)
    documents = [f"d{k}" for k in r.integers(0, 4, 8)]
    ids, shocks = x.edges["id"].to_pylist(), fails(x, 0)
    full = EisenbergNoe().spread(x, shocks).total[0]
    moved = {}
    for document in set(documents):
        out = x.without([id for id, said in zip(ids, documents, strict=True) if said == document])
        moved[document] = EisenbergNoe().spread(out, shocks).total[0] - full
    ranked = most_telling(EisenbergNoe(), x, shocks, believed(x, [0.9] * 8, documents))
    assert {one.document for one in ranked} == {name for name, change in moved.items() if abs(change) > 1e-7}
    for one in ranked:
        assert one.change == pytest.approx(moved[one.document], abs=1e-7)
