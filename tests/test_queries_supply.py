"""Supply chains: the paper's steps firm by firm, what can be replaced, and the path of missing inputs."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.errors import MeasureError
from kg.ledger import Ledger
from kg.model import Claim, ClaimBatch, Edge, Evidence, Facts, Node, RunManifest, digest
from kgrisk.supplied import at_risk
from queries.contagion.supply import binding_path, cascade
from queries.exposures import Exposures
from queries.measure import RiskMeasure, build
from queries.measures.supply_cascade import SupplyCascade, esri
from queries.scenario import Shocks


def chain(*sales: tuple[str, str, float], also: tuple[str, ...] = ()) -> Exposures:
    """Firms by letter; each sale is supplier, customer, amount."""
    ids = sorted({id for supplier, customer, _ in sales for id in (supplier, customer)} | set(also))
    matrix = np.zeros((len(ids), len(ids)))
    for supplier, customer, amount in sales:
        matrix[ids.index(supplier), ids.index(customer)] = amount
    return Exposures.of(matrix, np.zeros(len(ids)), ids=ids)


def output(measure: SupplyCascade, x: Exposures, **stopped: float) -> dict[str, float]:
    losses = measure.spread(x, Shocks.of(x, np.array([stopped.get(id, 0.0) for id in x.ids])))
    return dict(zip(x.ids, (1 - losses.distress[0]).round(12).tolist(), strict=True))


def test_without_its_only_supplier_of_an_essential_input_a_firm_makes_nothing() -> None:
    x = chain(("a", "c", 1), ("b", "c", 99), ("c", "d", 200))
    sectors = {"a": "seed", "b": "coal", "c": "steel", "d": "cars"}
    assert output(SupplyCascade(sectors=sectors), x, a=1.0) == {"a": 0, "b": 1, "c": 0, "d": 0}
    linear = SupplyCascade(sectors=sectors, essential={"steel": "coal"}, otherwise="linear")
    assert output(linear, x, a=1.0)["c"] == pytest.approx(0.99)  # one hundredth of all that it buys
    assert output(linear, x, b=1.0)["c"] == 0


def test_little_is_missed_of_a_supplier_with_a_small_market_share() -> None:
    x = chain(("a", "c", 10), ("b", "c", 10), ("b", "e", 180), ("c", "d", 50))
    sectors = {"a": "ore", "b": "ore"}
    # half of c's ore is gone, and a makes 10 of the 190 of ore that are still made
    assert output(SupplyCascade(sectors=sectors), x, a=1.0)["c"] == pytest.approx(1 - 0.5 * 10 / 190)
    assert output(SupplyCascade(), x, a=1.0)["c"] == 0  # a product of its own cannot be replaced


def test_orders_are_lost_in_proportion() -> None:
    x = chain(("a", "b", 30), ("a", "c", 10), ("b", "d", 5))
    left = output(SupplyCascade(otherwise="linear", sectors={"a": "s"}), x, c=1.0)
    assert left == {"a": 0.75, "b": 1, "c": 0, "d": 1}
    assert output(SupplyCascade(revenue={"a": 100.0}), x, c=1.0)["a"] == pytest.approx(0.9)


def test_the_risk_of_a_leaf_is_its_own_share_of_all_sales() -> None:
    x = chain(("a", "b", 40), also=("z",))
    measure = SupplyCascade(revenue={"a": 50.0, "b": 150.0, "z": 100.0})
    # z deals with nobody; a takes b with it; b takes the 40 that a sells to it
    np.testing.assert_allclose(esri(measure, x), [200 / 300, 190 / 300, 100 / 300], rtol=1e-12)


def test_two_hits_of_one_firm_count_once_as_the_smaller_output() -> None:
    x = chain(("a", "b", 10), ("b", "c", 10))
    left = cascade(SupplyCascade(revenue={"c": 10.0}).chain(x), np.array([[0.7], [1.0], [0.4]]))
    np.testing.assert_allclose(left.inputs[:, 0], [0.7, 0.7, 0.4], rtol=1e-12)
    np.testing.assert_allclose(left.orders[:, 0], [0.4, 0.4, 0.4], rtol=1e-12)
    np.testing.assert_allclose(left.output[:, 0], 0.4, rtol=1e-12)


def test_coupled_lost_inputs_cut_orders_elsewhere() -> None:
    x = chain(("a", "c", 10), ("b", "c", 10), ("c", "d", 50))
    apart, coupled = SupplyCascade(), SupplyCascade(coupled=True)
    assert output(apart, x, a=1.0) == {"a": 0, "b": 1, "c": 0, "d": 0}
    assert output(coupled, x, a=1.0) == {"a": 0, "b": 0, "c": 0, "d": 0}  # c stops buying from b


# ---- against the paper's steps


def by_steps(
    w: np.ndarray, sector: list[str], vital: set[tuple[str, str]], psi: np.ndarray, steps: int = 300
) -> np.ndarray | None:
    """Diem et al. 2022 firm by firm; `vital` holds (buyer's sector, product). None if it is still moving."""
    n, sold = len(w), w.sum(axis=1)
    up, down = psi.copy(), psi.copy()
    for _ in range(steps):
        share = np.ones(n)
        for j in range(n):
            made = sum(sold[k] * down[k] for k in range(n) if sector[k] == sector[j])
            share[j] = min(1.0, sold[j] / made) if made > 0 else 1.0
        new_up, new_down = up.copy(), down.copy()
        for i in range(n):
            if sold[i] > 0:
                new_up[i] = min(psi[i], sum(w[i, j] * up[j] for j in range(n)) / sold[i])
            limits = [psi[i]]
            for product in {sector[j] for j in range(n) if w[j, i] > 0 and (sector[i], sector[j]) in vital}:
                makers = [j for j in range(n) if sector[j] == product]
                bought = sum(w[j, i] for j in makers)
                limits.append(1 - sum(share[j] * w[j, i] / bought * (1 - down[j]) for j in makers))
            others = [j for j in range(n) if w[j, i] > 0 and (sector[i], sector[j]) not in vital]
            limits.append(1 - sum(share[j] * w[j, i] / w[:, i].sum() * (1 - down[j]) for j in others))
            new_down[i] = min(limits)
        moved = max(abs(new_up - up).max(), abs(new_down - down).max())
        up, down = new_up, new_down
        if moved < 1e-14:
            return np.minimum(up, down)
    return None


@given(st.integers(0, 10**6))
@settings(max_examples=40, deadline=None)
def test_output_left_is_what_the_steps_of_the_paper_come_down_to(seed: int) -> None:
    r = np.random.default_rng(seed)
    n = 6
    w = np.triu(r.exponential(10, (n, n)) * (r.random((n, n)) < 0.6), 1)
    w[n - 1, 0] = 3.0 * (r.random() < 0.5)  # now and then a circle
    order = r.permutation(n)
    w = w[np.ix_(order, order)]
    kinds = ["p", "q", "r"]
    sector = [str(kind) for kind in r.choice(kinds, n)]
    vital = {(a, b) for a in kinds for b in kinds if r.random() < 0.5}
    x = Exposures.of(w, np.zeros(n))
    table = {a: ",".join(b for b in kinds if (a, b) in vital) for a in kinds}
    measure = SupplyCascade(sectors=dict(zip(x.ids, sector, strict=True)), essential=table)
    psi = np.where(r.random(n) < 0.4, r.random(n), 1.0)
    found = cascade(measure.chain(x), psi[:, None]).output[:, 0]
    if (expected := by_steps(w, sector, vital, psi)) is not None:
        np.testing.assert_allclose(found, expected, atol=1e-9)


def test_on_1000_networks_a_greater_stop_never_leaves_more_and_blocks_of_seeds_agree() -> None:
    for seed in range(1000):
        r = np.random.default_rng(seed)
        w = np.triu(r.exponential(10, (7, 7)) * (r.random((7, 7)) < 0.4), 1)
        x = Exposures.of(w, np.zeros(7))
        sectors = dict(zip(x.ids, [f"s{k}" for k in r.integers(0, 3, 7)], strict=True))
        measure = SupplyCascade(sectors=sectors, otherwise="linear", essential={"s0": "*", "s1": "s0,s2"})
        psi = r.random((7, 1))
        left = cascade(measure.chain(x), np.hstack([psi, psi * 0.8])).output
        assert (left[:, 1] <= left[:, 0] + 1e-12).all() and left.min() >= 0 and (left[:, 0] <= psi[:, 0]).all()
        if seed % 50 == 0:
            np.testing.assert_allclose(esri(measure, x, block=2), esri(measure, x, block=64), rtol=1e-12)


def test_a_closed_circle_that_loses_orders_slowly_is_solved_to_the_end() -> None:
    ring = [(f"f{i:02}", f"f{(i + 1) % 40:02}", 100.0) for i in range(40)]
    x = chain(*ring, ("f00", "g", 0.05))
    measure = SupplyCascade(otherwise="linear", revenue={"f07": 101.0})
    left = cascade(measure.chain(x), np.array([0.9999] * 1 + [1.0] * 39 + [0.0])[:, None])
    assert left.moved == 0
    chain_of = measure.chain(x)
    residual = np.minimum(np.r_[0.9999, np.ones(39), 0.0], chain_of.after_orders(left.orders)[:, 0]) - left.orders[:, 0]
    assert abs(residual).max() < 1e-12


# ---- the path of missing inputs, and the graph


def test_the_path_to_a_customer_names_each_missing_input_and_the_sales_at_risk() -> None:
    x = chain(("ore", "steel", 10), ("coal", "steel", 20), ("steel", "cars", 60), ("glass", "cars", 40))
    measure = SupplyCascade(revenue={"cars": 500.0})
    path = binding_path(measure.chain(x), np.array([1.0 if id != "ore" else 0.25 for id in x.ids]), "cars")
    assert [(hop.supplier, hop.customer, hop.edges) for hop in path] == [
        ("ore", "steel", ("ore>steel",)),
        ("steel", "cars", ("steel>cars",)),
    ]
    assert [hop.sales_at_risk for hop in path] == pytest.approx([0.75 * 60, 0.75 * 500])
    assert all(hop.essential and hop.short == pytest.approx(0.75) for hop in path)
    assert binding_path(measure.chain(x), np.ones(5), "cars") == []
    with pytest.raises(MeasureError, match="did you mean cars"):
        binding_path(measure.chain(x), np.ones(5), "cards")


def test_a_supplier_of_the_graph_puts_the_revenue_of_its_customers_at_risk(ledger: Ledger) -> None:
    then = datetime(2024, 1, 1, tzinfo=UTC)
    whats: list[Node | Edge | Facts] = [Node("Company", f"lei:{name}", {"name": name}) for name in "ABC"]
    whats += [
        Node("Sector", "sector:ore"),
        Edge("IN_SECTOR", "lei:A", "sector:ore"),
        Edge("SUPPLIES", "lei:A", "lei:B", {"amount": Decimal(40), "currency": "EUR"}),
        Edge("SUPPLIES", "lei:B", "lei:C", {"amount": Decimal(90), "currency": "EUR"}),
        Facts("lei:C", {"revenue": Decimal(1000), "currency": "EUR"}, "FY2023"),
        Facts("lei:B", {"revenue": Decimal(80), "currency": "EUR"}, "FY2023"),  # less than it sells to C alone
    ]
    said = [Claim(what, Evidence(digest(b"r"), f"row:{k}", "r", "t@1"), then, then) for k, what in enumerate(whats)]
    ledger.commit(ClaimBatch.of(said), RunManifest("ingest"))
    snapshot = ledger.view()
    measure = build(RiskMeasure, "supply_cascade", {"coupled": "no"})  # type: ignore[type-abstract]  # a role
    x = Exposures.from_snapshot(snapshot, measure.over)
    fitted = measure.fitted(snapshot, x)
    assert isinstance(fitted, SupplyCascade)
    assert fitted.revenue == {"lei:C": 1000} and fitted.sectors == {"lei:A": "sector:ore"}
    losses = fitted.spread(x, Shocks.parse(x, "lei:A"))
    assert dict(zip(x.ids, losses.loss[0].tolist(), strict=True)) == {"lei:A": 40, "lei:B": 90, "lei:C": 1000}
    path = at_risk(snapshot, SupplyCascade(), {"lei:A": 0.5}, "lei:C")
    assert [(hop["supplier_name"], hop["customer_name"], hop["sales_at_risk"]) for hop in path] == [
        ("A", "B", 45.0),
        ("B", "C", 500.0),
    ]
    for hop in path:
        (claims,) = (ledger.evidence(statement) for statement in hop["statements"])
        assert claims, "every hop leads to the words it stands on"
    assert at_risk(snapshot, SupplyCascade(), "lei:C", "lei:A") == []


def test_bad_revenues_and_policies_are_refused() -> None:
    x = chain(("a", "b", 10))
    with pytest.raises(MeasureError, match=r"revenue 5 of a is less than the 10\.00 it sells inside"):
        SupplyCascade(revenue={"a": 5}).chain(x)
    with pytest.raises(MeasureError, match="q has a revenue but no supplies"):
        SupplyCascade(revenue={"q": 5}).chain(x)
    with pytest.raises(MeasureError, match="known: essential, linear"):
        SupplyCascade(otherwise="maybe").chain(x)  # type: ignore[arg-type]  # the point
