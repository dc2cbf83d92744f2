"""Fire sales: the worked example, sales one by one by hand, and what caps them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.errors import MeasureError
from kg.ledger import Ledger
from kg.model import Claim, ClaimBatch, Edge, Evidence, Node, RunManifest, digest
from queries.explain import explain
from queries.exposures import Exposures
from queries.measures.fire_sales import FireSales
from queries.scenario import Shocks


def book(holdings: list[list[float]], equity: list[float], other: list[float] | None = None) -> Exposures:
    """Banks `bank:i` that hold assets `asset:k`; `other` is what they have besides."""
    held = np.array(holdings, float)
    banks, assets = held.shape
    claims = np.zeros((banks + assets, banks + assets))
    claims[:banks, banks:] = held
    ids = [f"bank:{i}" for i in range(banks)] + [f"asset:{k}" for k in range(assets)]
    outside = np.r_[other or np.zeros(banks), np.zeros(assets)]
    x = Exposures.of(claims, outside, ids=ids)
    return replace(x, equity=np.r_[np.array(equity, float), np.full(assets, np.nan)])


GLT = book([[60, 40], [16, 64]], [10, 16])  # assets 100 and 80 at leverages 9 and 4
IMPACT = {"asset:0": 1e-3, "asset:1": 2e-3}


def test_the_example_glt_1() -> None:
    """GLT-1: every quantity of the example at 1e-9."""
    shocks, measure = Shocks.parse(GLT, {"asset:0": 0.05}), FireSales(impacts=IMPACT)
    sales = measure.sell(GLT, shocks)
    assets = np.array([100, 80])
    np.testing.assert_allclose(sales.first[0, :2] / assets, [0.03, 0.01], rtol=1e-9)  # R1
    np.testing.assert_allclose(sales.sold[0, :2] * assets, [27, 3.2], rtol=1e-9)
    np.testing.assert_allclose(sales.amount[0, 2:], [16.84, 13.36], rtol=1e-9)  # phi
    np.testing.assert_allclose((sales.loss - sales.first)[0, :2] / assets, [0.020792, 0.024744], rtol=1e-9)  # R2
    np.testing.assert_allclose(sales.vulnerability(GLT.equity), 4.05872 / 26, rtol=1e-9)  # AV, printed .156105
    losses = measure.spread(GLT, shocks)
    np.testing.assert_allclose(losses.passed[0, 2:], [0.05 + 0.01684, 0.02672], rtol=1e-9)
    np.testing.assert_allclose(losses.distress[0], [0.50792, 2.77952 / 16, 0.06684, 0.02672], rtol=1e-9)


def test_every_loss_is_what_the_bank_holds_times_the_fall_of_its_price() -> None:
    shocks = Shocks.parse(GLT, [{"asset:0": 0.05}, {"bank:0": 0.5}, "asset:1"])
    losses = FireSales(impacts=IMPACT, rounds=0).spread(GLT, shocks)
    for scenario in range(3):
        total = losses.direct[scenario].copy()
        np.add.at(total, GLT.edges["source"].to_numpy(), losses.carried(scenario))
        np.testing.assert_allclose(total, losses.loss[scenario], rtol=1e-12)


def test_a_bank_shocked_itself_sells_and_presses_what_others_hold() -> None:
    losses = FireSales(impact=1e-3).spread(GLT, Shocks.parse(GLT, {"bank:0": 0.1}))  # loses 1 and sells 9
    np.testing.assert_allclose(losses.passed[0, 2:], [5.4e-3, 3.6e-3], rtol=1e-9)
    assert losses.loss[0, 1] == pytest.approx(16 * 5.4e-3 + 64 * 3.6e-3)


def test_nobody_sells_more_than_it_holds_and_the_insolvent_sell_all() -> None:
    shocks = Shocks.parse(GLT, [{"asset:0": 0.16}, {"asset:0": 0.17}, {"asset:0": 1.0}])
    sold = FireSales(impact=0.0).sell(GLT, shocks).sold
    np.testing.assert_allclose(sold[:, 0], [0.864, 1.0, 1.0])  # 0.17 * 60 is more than its equity of 10
    np.testing.assert_allclose(sold[2, 1], 1.0)
    held = np.array([[60, 40], [16, 64]])
    amount = FireSales(impact=0.0).sell(GLT, shocks).amount[:, 2:]
    assert (amount <= held.sum(axis=0) + 1e-12).all()


def test_prices_do_not_fall_below_nothing() -> None:
    losses = FireSales(impact=1.0).spread(GLT, Shocks.parse(GLT, {"asset:0": 0.05}))
    assert (losses.passed[0, 2:] == 1).all() and losses.loss[0, :2].tolist() == [100, 80]


def test_more_rounds_cost_more_until_nobody_sells_any_more() -> None:
    shocks = Shocks.parse(GLT, {"asset:0": 0.02})
    totals = [FireSales(impact=1e-4, rounds=k).spread(GLT, shocks).total[0] for k in (1, 2, 3)]
    last = FireSales(impact=1e-4, rounds=0).spread(GLT, shocks)
    assert totals[0] < totals[1] < totals[2] < last.total[0] and last.converged and last.rounds > 3
    # with neither cap reached the end is the linear solution f = (I - L)^-1 shock
    held, lever = np.array([[60, 40], [16, 64]], float), np.array([9, 4.0])
    spiral = 1e-4 * held.T @ np.diag(lever / np.array([100, 80])) @ held
    np.testing.assert_allclose(last.passed[0, 2:], np.linalg.solve(np.eye(2) - spiral, [0.02, 0]), rtol=1e-9)


# ---- Caccioli et al.


def by_hand(x: Exposures, banks: int, shock: np.ndarray, alpha: float) -> tuple[set[int], np.ndarray]:
    """Insolvent banks sell all, one after the other, at prices exp(-alpha x share sold)."""
    held = x.claims.toarray()[:banks, banks:]
    gone: set[int] = set()
    while True:
        share = sum((held[i] for i in gone), np.zeros(held.shape[1])) / np.maximum(held.sum(axis=0), 1e-300)
        price = (1 - shock) * np.exp(-alpha * share)
        broke = {i for i in range(banks) if held[i] @ (1 - price) >= x.equity[i] - 1e-12 and held[i] @ (1 - price) > 0}
        if broke <= gone:
            return gone, 1 - price
        gone |= {min(broke - gone)}


@given(st.integers(0, 10**6))
@settings(max_examples=80, deadline=None)
def test_overlapping_portfolios_fall_as_found_by_hand(seed: int) -> None:
    r = np.random.default_rng(seed)
    held = r.exponential(10, (5, 4)) * (r.random((5, 4)) < 0.6)
    x = book(held.tolist(), (r.exponential(2, 5) + 0.1).tolist())
    shock, alpha = np.array([r.random() * 0.4, 0, 0, 0]), 1.0536
    shock = np.where(held.sum(axis=0) > 0, shock, 0)
    gone, fall = by_hand(x, 5, shock, alpha)
    measure = FireSales(impact=alpha, rule="insolvency", form="exponential", rounds=0)
    losses = measure.spread(x, Shocks.of(x, np.r_[np.zeros(5), shock]))
    np.testing.assert_allclose(losses.passed[0, 5:], np.where(held.sum(axis=0) > 0, fall, 0), atol=1e-12)
    assert {i for i in range(5) if losses.distress[0, i] >= 1} == gone


def test_a_tenth_sold_moves_a_price_by_a_tenth_at_the_papers_impact() -> None:
    x = book([[10], [90]], [1, 50])
    losses = FireSales(impact=-10 * np.log(0.9), rule="insolvency", form="exponential").spread(
        x, Shocks.parse(x, "bank:0")
    )
    assert losses.passed[0, 2] == pytest.approx(0.1, rel=1e-12)


# ---- from the graph


def test_holdings_of_the_graph_are_sold_and_the_fall_reaches_another_holder(ledger: Ledger) -> None:
    then = datetime(2024, 1, 1, tzinfo=UTC)
    money = {"currency": "EUR"}
    whats: list[Node | Edge] = [
        Node("Bank", f"lei:{name}", {"equity": Decimal(equity), "assets": Decimal(assets)} | money, "FY2023")
        for name, equity, assets in (("A", 10, 100), ("B", 16, 80))
    ]
    whats += [Node("Security", f"isin:{name}") for name in ("X", "Y")]
    held = (("A", "X", 60), ("A", "Y", 40), ("B", "X", 16), ("B", "Y", 64))
    whats += [Edge("HOLDS", f"lei:{a}", f"isin:{k}", {"amount": Decimal(n)} | money, "2023-12-31") for a, k, n in held]
    said = [Claim(what, Evidence(digest(b"r"), f"row:{k}", "r", "t@1"), then, then) for k, what in enumerate(whats)]
    ledger.commit(ClaimBatch.of(said), RunManifest("ingest"))
    measure = FireSales(impacts={"isin:X": 1e-3, "isin:Y": 2e-3})
    x = Exposures.from_snapshot(ledger.view(), measure.over)
    losses = measure.spread(x, Shocks.parse(x, "isin:X=0.05"))
    told = dict(zip(x.ids, losses.loss[0].tolist(), strict=True))
    assert told["lei:A"] == pytest.approx(5.0792, rel=1e-9) and told["lei:B"] == pytest.approx(2.77952, rel=1e-9)
    paths = explain(losses, "lei:B")
    assert {path.entities[-1] for path in paths} == {"isin:X", "isin:Y"} and all(path.statements for path in paths)


# ---- laws and refusals


def test_on_1000_books_a_greater_shock_or_impact_never_costs_less() -> None:
    for seed in range(1000):
        r = np.random.default_rng(seed)
        held = r.exponential(10, (4, 3)) * (r.random((4, 3)) < 0.7)
        x = book(held.tolist(), (r.exponential(2, 4) + 0.1).tolist(), r.exponential(5, 4).tolist())
        small = np.r_[r.random(4) * 0.5, r.random(3) * 0.1]
        shocks = Shocks.of(x, np.vstack([small, small * 1.5]))
        for rule in ("leverage", "insolvency"):
            low = FireSales(impact=1e-3, rule=rule, rounds=3).spread(x, shocks).loss  # type: ignore[arg-type]  # a loop
            high = FireSales(impact=2e-3, rule=rule, rounds=3).spread(x, shocks).loss  # type: ignore[arg-type]
            assert (low[1] >= low[0] - 1e-12).all() and (high >= low - 1e-12).all()


def test_who_has_no_stated_equity_sells_nothing_unless_one_is_assumed() -> None:
    x = book([[60, 40], [16, 64]], [np.nan, 16])
    shocks = Shocks.parse(x, {"asset:0": 0.05})
    silent = FireSales(impacts=IMPACT).spread(x, shocks)
    assert "no equity is known of bank:0: losses stop there" in silent.remarks
    assumed = FireSales(impacts=IMPACT, assumed=0.1).spread(x, shocks)
    assert "equity is assumed, not stated, of bank:0" in assumed.remarks
    np.testing.assert_allclose(assumed.loss, FireSales(impacts=IMPACT).spread(GLT, shocks).loss, rtol=1e-12)


def test_unknown_rules_and_assets_are_refused() -> None:
    shocks = Shocks.parse(GLT, {"asset:0": 0.05})
    with pytest.raises(MeasureError, match="nobody holds asset:9"):
        FireSales(impacts={"asset:9": 1.0}).spread(GLT, shocks)
    with pytest.raises(MeasureError, match="known are"):
        FireSales(rule="panic").spread(GLT, shocks)  # type: ignore[arg-type]  # the point
    with pytest.raises(MeasureError, match="at least 0"):
        FireSales(impact=-1e-3).spread(GLT, shocks)
