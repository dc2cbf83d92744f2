"""How far a loss can be trusted: against every world there is, against closed forms, and on a real ledger."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.errors import MeasureError
from kg.model import Claim, ClaimBatch, Edge, Evidence, Node, RunManifest, digest
from kg.plugins import load, names
from kgrisk.api import Graph
from kgrisk.settings import Settings
from queries.belief import Belief, by_counterparty, direct_loss
from queries.exposures import Exposures
from queries.measure import RiskMeasure
from queries.measures.debtrank import DebtRank
from queries.measures.eisenberg_noe import EisenbergNoe
from queries.measures.pagerank import PageRank
from queries.scenario import Shocks
from queries.uncertainty import (
    added_variance,
    drawn_worlds,
    every_world,
    interval,
    losses_in,
    most_telling,
    simulate,
)
from tests.kgrisk_world import kgrisk_here

MEASURES = names("queries.measures")
every_measure = pytest.mark.parametrize("name", MEASURES)


def measure(name: str) -> RiskMeasure:
    return load("queries.measures", name, RiskMeasure)()  # type: ignore[type-abstract]  # a role is asked for


def believed(x: Exposures, sure: list[float], documents: list[str] | None = None) -> Belief:
    """Each exposure a statement of its own, said by one document."""
    said = documents or [f"doc {row}" for row in range(len(sure))]
    claims = {"statement": x.edges["id"].to_pylist(), "document": said, "confidence": sure}
    return Belief.of(x, pa.table(claims))


def network(seed: int, n: int = 5, exposures: int = 6) -> Exposures:
    """A small random network in which losses travel."""
    r = np.random.default_rng(seed)
    claims = np.zeros((n, n))
    pairs = [(i, j) for i in range(n) for j in range(n) if i != j]
    for row in r.choice(len(pairs), exposures, replace=False):
        claims[pairs[row]] = r.uniform(5, 15)
    held, owed = claims.sum(axis=1), claims.sum(axis=0)
    equity = r.uniform(8, 20, n)
    assets = np.maximum(owed + equity - held, 0) + 5
    return Exposures.of(claims, assets, assets + held - owed - equity)


def book(creditors: int, debtors: int, seed: int = 4) -> tuple[Exposures, Belief]:
    """Creditors who lent to debtors and owe nobody: losses of one round, linear in the exposures."""
    r = np.random.default_rng(seed)
    claims = np.zeros((creditors + debtors, creditors + debtors))
    claims[:creditors, creditors:] = r.uniform(1, 9, (creditors, debtors))
    x = Exposures.of(claims, np.full(creditors + debtors, 1_000.0))
    return x, believed(x, r.uniform(0.5, 0.98, x.edges.num_rows).tolist())


def hit(x: Exposures) -> Shocks:
    """Whoever owes most loses nearly all it has outside, the others a part."""
    share = np.full(len(x), 0.35)
    share[int(x.owed.argmax())] = 0.98
    return Shocks.of(x, share, "external")


def fails(x: Exposures, row: int) -> Shocks:
    return Shocks.parse(x, x.ids[row])


# ---- belief


def test_independent_documents_make_a_statement_surer_and_one_document_counts_once() -> None:
    x = Exposures.of([[0, 5], [0, 0]], [10, 10])
    (id,) = x.edges["id"].to_pylist()
    claims = {"statement": [id] * 3, "document": ["a", "a", "b"], "confidence": [0.5, 0.8, 0.9]}
    belief = Belief.of(x, pa.table(claims))
    assert belief.likely.tolist() == pytest.approx([1 - 0.2 * 0.1]) and belief.documents == ("a", "b")
    assert belief.lowered(id, "b", 0.5).likely.tolist() == pytest.approx([1 - 0.2 * 0.5])


def test_an_exposure_that_no_claim_states_is_refused_by_name() -> None:
    x = Exposures.of([[0, 5], [0, 0]], [10, 10])
    empty = pa.table({"statement": pa.array([], pa.string()), "document": pa.array([], pa.string())})
    with pytest.raises(MeasureError, match="bank:0>bank:1"):
        Belief.of(x, empty.append_column("confidence", pa.array([], pa.float64())))
    with pytest.raises(MeasureError, match="0 to 1"):
        believed(x, [1.5])
    with pytest.raises(MeasureError, match="does not say"):
        believed(x, [0.5]).lowered("bank:0>bank:1", "another", 0.2)


def test_what_a_creditor_is_owed_by_each_debtor_has_a_range() -> None:
    x = Exposures.of([[0, 50, 30], [0, 0, 7], [0, 0, 0]], [100, 100, 100])
    rows = by_counterparty(x, believed(x, [0.9, 1.0, 1.0]), "bank:0").to_pylist()
    assert [(row["debtor"], row["amount"]) for row in rows] == [("bank:1", 50), ("bank:2", 30)]
    assert rows[0]["mean"] == pytest.approx(45) and rows[0]["sd"] == pytest.approx(15)
    assert (rows[0]["low"], rows[0]["high"]) == (0, pytest.approx(50))
    assert (rows[1]["low"], rows[1]["high"], rows[1]["sd"]) == (30, 30, 0)


# ---- the analytic interval, the sampled one and every world


def test_sampled_ranges_of_a_random_network_are_the_analytic_ones_within_2_percent() -> None:
    x, belief = book(creditors=6, debtors=40)
    shocks = Shocks.of(x, np.r_[np.zeros(6), np.full(40, 0.6)])  # each debtor loses 60 % of its equity
    drawn = simulate(DebtRank(), x, shocks, belief, draws=20_000, seed=11)
    analytic = direct_loss(x, belief, np.r_[np.zeros(6), np.full(40, 0.6)])
    assert not drawn.exact
    for name in ("mean", "sd", "low", "high"):
        np.testing.assert_allclose(getattr(drawn.each, name)[:6], getattr(analytic, name)[:6], rtol=0.02, err_msg=name)
    assert (analytic.low[:6] < analytic.mean[:6]).all() and (analytic.mean[:6] < analytic.high[:6]).all()


@pytest.mark.parametrize("seed", range(4))
def test_the_analytic_interval_is_that_of_all_worlds(seed: int) -> None:
    x, belief = book(creditors=1, debtors=8, seed=seed)
    lost = np.random.default_rng(seed).random(len(x))
    truth, weights = every_world(belief)
    amount = x.edges["amount"].to_numpy() * lost[x.edges["target"].to_numpy()]
    brute = interval((belief.exposed(truth) * amount).sum(axis=1, keepdims=True), weights)
    analytic = direct_loss(x, belief, lost)
    assert weights.sum() == pytest.approx(1)
    assert analytic.mean[0] == pytest.approx(brute.mean[0]) and analytic.sd[0] == pytest.approx(brute.sd[0])
    for name in ("low", "high"):  # to a few cells of the grid
        assert getattr(analytic, name)[0] == pytest.approx(getattr(brute, name)[0], abs=amount.sum() / 500)


@every_measure
def test_sampled_ranges_are_those_of_every_world(name: str) -> None:
    x = network(5, exposures=8)
    belief, shocks = believed(x, np.linspace(0.55, 0.95, 8).tolist()), hit(x)
    exact = simulate(measure(name), x, shocks, belief, draws=256)
    truth, weights = drawn_worlds(belief, 60_000, 3)
    sampled = losses_in(measure(name), x, shocks, belief.exposed(truth))
    found = interval(sampled, weights)
    assert exact.exact and len(exact.weights) == 256
    scale = exact.each.mean.max()
    np.testing.assert_allclose(found.mean, exact.each.mean, rtol=0.02, atol=1e-9 * scale)
    np.testing.assert_allclose(found.sd, exact.each.sd, rtol=0.02, atol=1e-9 * scale)
    assert (exact.each.sd > 0).sum() >= 2


@every_measure
def test_many_worlds_at_once_are_each_world_alone(name: str) -> None:
    for seed in range(3):
        x = network(seed, exposures=9)
        stands = np.random.default_rng(seed).random((30, 9)) < 0.6
        together = losses_in(measure(name), x, hit(x), stands)
        ids = x.edges["id"].to_pylist()
        for row in range(30):
            alone = measure(name).spread(x.without([ids[k] for k in np.flatnonzero(~stands[row])]), hit(x))
            np.testing.assert_allclose(together[row], alone.loss[0], rtol=1e-9, atol=1e-9)


def test_a_measure_that_looks_at_the_whole_is_asked_world_by_world() -> None:
    x, walk = network(2, exposures=7), PageRank(dangling="uniform")
    stands = np.random.default_rng(2).random((9, 7)) < 0.6
    ids = x.edges["id"].to_pylist()
    for row, found in enumerate(losses_in(walk, x, fails(x, 0), stands)):
        alone = walk.spread(x.without([ids[k] for k in np.flatnonzero(~stands[row])]), fails(x, 0))
        np.testing.assert_allclose(found, alone.loss[0], rtol=1e-9)


def test_the_same_seed_gives_the_same_ranges_and_sure_evidence_gives_none() -> None:
    x = network(1)
    unsure = believed(x, [0.7] * 6)
    one, two = (simulate(DebtRank(), x, hit(x), unsure, draws=20, seed=5) for _ in range(2))
    assert not one.exact and np.array_equal(one.each.high, two.each.high)
    sure = simulate(DebtRank(), x, hit(x), believed(x, [1.0] * 6))
    answer = DebtRank().spread(x, hit(x))
    np.testing.assert_allclose(sure.each.low, answer.loss[0])
    assert sure.total.sd[0] == 0 and sure.total.high[0] == pytest.approx(answer.total[0])
    with pytest.raises(MeasureError, match="at least 1"):
        simulate(DebtRank(), x, hit(x), unsure, draws=0)


@pytest.mark.slow
def test_a_thousand_draws_over_a_hundred_banks_do_not_ask_a_thousand_times() -> None:
    r = np.random.default_rng(8)
    claims = r.exponential(5, (100, 100)) * (r.random((100, 100)) < 0.06)
    np.fill_diagonal(claims, 0)
    x = Exposures.of(claims, np.full(100, 60.0))
    asked = 0

    class Counted(DebtRank):
        def spread(self, exposures: Exposures, shocks: Shocks):  # type: ignore[no-untyped-def]
            nonlocal asked
            asked += 1
            return super().spread(exposures, shocks)

    found = simulate(Counted(), x, hit(x), believed(x, [0.9] * x.edges.num_rows), draws=1_000)
    assert len(found.weights) == 1_000 and asked < 100


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


# ---- from claims to the answer


THEN = datetime(2024, 1, 1, tzinfo=UTC)
A, B, C = "lei:A", "lei:B", "lei:C"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report (0.8) says what B lent to A, a rumour (0.6) what C lent to B; a paper (0.5) bears it out, a rival does not."""
    home = tmp_path_factory.mktemp("doubt") / "home"
    with Graph(home, Settings.load(home=home)) as graph:
        claims = [
            said(Node("Bank", id, money(equity="30", external_assets="90"), "FY2023"), "books") for id in (A, B, C)
        ]
        claims += [
            said(Edge("LENDS_TO", B, A, money(amount="60"), ""), "report", 0.8),
            said(Edge("LENDS_TO", C, B, money(amount="40"), ""), "rumour", 0.6),
            said(Edge("LENDS_TO", C, B, money(amount="40"), ""), "paper", 0.5, datetime(2023, 6, 1, tzinfo=UTC)),
            said(Edge("LENDS_TO", C, B, money(amount="99"), ""), "rival", 0.5, datetime(2023, 6, 1, tzinfo=UTC)),
        ]
        graph.ledger.commit(ClaimBatch.of(claims), RunManifest("ingest"))
    return home


def money(**amounts: str) -> Mapping[str, Any]:
    return {name: Decimal(value) for name, value in amounts.items()} | {"currency": "EUR"}


def said(what: Node | Edge, document: str, confidence: float = 1.0, since: datetime = THEN) -> Claim:
    quote = f"{document} says so"
    evidence = Evidence(digest(document.encode()), "row:1", quote, "registers.test@1", confidence)
    return Claim(what, evidence, THEN, since)


@pytest.fixture
def graph(home: Path) -> Iterator[Graph]:
    with Graph(home, Settings.load(home=home)) as graph:
        yield graph


def test_an_answer_carries_the_range_that_its_claims_allow(graph: Graph) -> None:
    risk = graph.risk("debtrank", A, draws=100)
    assert risk.uncertain is not None and risk.uncertain.exact
    place = risk.losses.exposures.index
    # B loses 60 with probability 0.8 and then fails, so C loses 40 with probability 0.8 x (1 - 0.4 x 0.5)
    each = risk.uncertain.each
    assert each.mean[[place[B], place[C]]].tolist() == pytest.approx([0.8 * 60, 0.8 * 0.8 * 40])
    rows = {row["id"]: row for row in risk.table()}
    assert (rows[B]["low"], rows[B]["loss"], rows[B]["high"]) == pytest.approx((0, 60, 60))
    assert risk.range["mean"] == pytest.approx(30 + 48 + 25.6) and risk.range["worlds"] == 4
    assert graph.risk("debtrank", A).range == {} and "low" not in graph.risk("debtrank", A).table().columns


def test_the_document_that_would_change_most_leads_to_its_words(graph: Graph) -> None:
    (row,) = graph.telling(graph.risk("debtrank", A)).rows()  # two papers say what C lent: it hangs on neither
    assert row["document"] == digest(b"report") and row["quote"] == "report says so" and row["locator"] == "row:1"
    assert row["change"] == pytest.approx(-100) and row["without"] == pytest.approx(30) and row["statements"] == 1
    assert graph.explain(row["statement"]).what["target"] == A
    assert graph.telling(graph.risk("debtrank", A), C).rows()[0]["change"] == pytest.approx(-40)


def test_the_command_shows_ranges_and_documents(home: Path) -> None:
    args = ("risk", "debtrank", "--shock", A, "--home", str(home), "--draws", "100")
    told = json.loads(kgrisk_here(*args, "--json", cwd=home).stdout)
    assert {row["id"]: row["low"] for row in told["losses"]} == pytest.approx({A: 30, B: 0, C: 0})
    assert told["range"]["high"] == pytest.approx(130) and told["telling"][0]["document"] == digest(b"report")
    text = kgrisk_here(*args, cwd=home)
    assert text.returncode == 0, text.stderr
    assert "from 30 to 130" in text.stdout and "report says so" in text.stdout and "high" in text.stdout
    assert "worlds" not in kgrisk_here(*args[:-2], cwd=home).stdout
