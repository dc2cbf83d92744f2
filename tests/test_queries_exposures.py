"""From claims to exposures, shocks, losses, the paths behind them, and back to claims: on a real ledger."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kg.errors import MeasureError
from kg.files import Files
from kg.ledger import Ledger
from kg.model import AsOf, Claim, ClaimBatch, Edge, Evidence, Node, RunManifest, digest
from kg.snapshot import Snapshot
from queries.explain import explain
from queries.exposures import Exposures
from queries.measure import with_and_without_predicted
from queries.measures.debtrank import DebtRank
from queries.measures.eisenberg_noe import EisenbergNoe
from queries.measures.pagerank import PageRank
from queries.publish import Told, publish
from queries.scenario import Shocks

THEN = datetime(2024, 1, 1, tzinfo=UTC)
A, B, C, D, E = (f"lei:{letter}" for letter in "ABCDE")


def said(what: Node | Edge, row: int, extractor: str = "registers.test@1") -> Claim:
    return Claim(what, Evidence(digest(b"register"), f"row:{row}", f"row {row}", extractor), THEN, THEN)


def bank(id: str, equity: str | None, external: str | None = None, currency: str = "EUR", **more: Any) -> Node:
    props: dict[str, Any] = {"equity": equity, "external_assets": external}
    props = {name: Decimal(value) for name, value in props.items() if value is not None}
    return Node("Bank", id, props | {"currency": currency} | more, "FY2023")


def loan(creditor: str, debtor: str, amount: str | None, key: str = "", currency: str = "EUR") -> Edge:
    props: dict[str, Any] = {"amount": Decimal(amount), "currency": currency} if amount else {}
    return Edge("LENDS_TO", creditor, debtor, props, key)


@pytest.fixture
def chain(ledger: Ledger) -> Snapshot:
    """A lent to B, B to C, C to D; E is only expected to borrow from A. D is likely in distress."""
    whats: list[Node | Edge] = [
        bank(A, "100", "900"),
        bank(B, "50", "300"),
        bank(C, "40", "200"),
        bank(D, "20"),
        bank(E, None),
        loan(A, B, "60", "one"),
        loan(A, B, "20", "two"),
        loan(B, C, "30"),
        loan(C, D, "32"),
        loan(A, A, "5"),
        loan(A, E, None),
    ]
    claims = [said(what, row) for row, what in enumerate(whats)]
    model: list[Node | Edge] = [
        Node("Bank", D, {"distress": 0.5}),
        Edge("PREDICTED", A, E, {"score": 0.9}, "LENDS_TO"),
        Edge("PREDICTED", B, E, {"score": 0.7}, "LENDS_TO"),
        Edge("PREDICTED", A, B, {"score": 0.95}, "LENDS_TO"),
        Edge("PREDICTED", B, E, {"score": 0.99}, "SUPPLIES"),
    ]
    claims += [said(what, 100 + row, "model.test@1") for row, what in enumerate(model)]
    ledger.commit(ClaimBatch.of(claims), RunManifest("ingest"))
    return ledger.view()


def committed(ledger: Ledger, *whats: Node | Edge) -> Snapshot:
    ledger.commit(ClaimBatch.of([said(what, row) for row, what in enumerate(whats)]), RunManifest("ingest"))
    return ledger.view()


def place(x: Exposures, *ids: str) -> list[int]:
    return [x.index[id] for id in ids]


# ---- exposures


def test_claims_run_from_creditor_to_debtor_and_parallel_loans_add_up(chain: Snapshot) -> None:
    x = Exposures.from_snapshot(chain)
    a, b, c, d = place(x, A, B, C, D)
    assert x.currency == "EUR"
    assert x.claims[a, b] == 80 and x.claims[b, c] == 30 and x.claims[c, d] == 32
    assert x.claims.nnz == 3 and x.edges.num_rows == 4
    assert x.equity[a] == 100 and x.owed[b] == 80 and x.held[b] == 30
    assert x.edges["statement"].to_pylist().count("") == 0


def test_a_loan_to_itself_is_dropped_and_one_without_an_amount_is_named(chain: Snapshot) -> None:
    x = Exposures.from_snapshot(chain)
    assert x.claims.diagonal().sum() == 0
    assert len(x.unpriced) == 1 and E not in x.ids


def test_every_balance_sheet_closes(chain: Snapshot) -> None:
    x = Exposures.from_snapshot(chain)
    np.testing.assert_allclose(x.external_assets + x.held - x.owed - x.external_liabilities, x.equity)
    assert x.assumed == (D,)  # its equity is known, its outside assets are not


def test_expected_loans_come_in_at_score_times_the_typical_loan_and_are_marked(chain: Snapshot) -> None:
    x = Exposures.from_snapshot(chain, include_predicted=0.8)
    assert [(row["source"], row["target"], row["amount"]) for row in x.predicted.to_pylist()] == [
        (x.index[A], x.index[E], pytest.approx(0.9 * 40))  # the median of A's loans of 60 and 20
    ]
    more = Exposures.from_snapshot(chain, include_predicted=0.6)
    assert sorted(more.predicted["amount"].to_pylist()) == pytest.approx([0.7 * 30, 0.9 * 40])
    assert more.without_predicted().edges.num_rows == 4


def test_several_currencies_need_rates_and_are_named(ledger: Ledger) -> None:
    snapshot = committed(ledger, bank(A, "10"), bank(B, "10"), loan(A, B, "5"), loan(B, A, "1000", currency="JPY"))
    with pytest.raises(MeasureError, match=r"several currencies \(EUR, JPY\); name one as `currency` and give `rates`"):
        Exposures.from_snapshot(snapshot)
    with pytest.raises(MeasureError, match="no rate from JPY to EUR"):
        Exposures.from_snapshot(snapshot, currency="EUR")
    x = Exposures.from_snapshot(snapshot, currency="EUR", rates={"JPY": 0.006})
    b, a = place(x, B, A)
    assert x.claims[b, a] == pytest.approx(6)
    with pytest.raises(MeasureError, match="must be a finite number above 0"):
        Exposures.from_snapshot(snapshot, currency="EUR", rates={"JPY": -1})


def test_a_negative_exposure_is_refused_with_its_id(ledger: Ledger) -> None:
    snapshot = committed(ledger, bank(A, "10"), bank(B, "10"), loan(A, B, "-5"))
    with pytest.raises(MeasureError, match=r"has amount -5\.0; expected a finite number of at least 0"):
        Exposures.from_snapshot(snapshot)


def test_an_empty_graph_gives_empty_exposures(ledger: Ledger) -> None:
    x = Exposures.from_snapshot(committed(ledger, bank(A, "10")))
    assert len(x) == 0 and x.claims.shape == (0, 0)


def test_what_was_published_later_is_no_exposure_earlier(ledger: Ledger) -> None:
    committed(ledger, bank(A, "10"), bank(B, "10"), loan(A, B, "5"))
    before = ledger.view(AsOf(THEN, None, datetime(2023, 1, 1, tzinfo=UTC)))
    assert Exposures.from_snapshot(before).edges.num_rows == 0


# ---- shocks


def test_a_shock_may_be_an_id_a_fraction_a_mapping_or_a_list_of_them(chain: Snapshot) -> None:
    x = Exposures.from_snapshot(chain)
    shocks = Shocks.parse(x, [D, f"{D}=0.25", {B: 0.5, C: 0.1}])
    b, c, d = place(x, B, C, D)
    assert shocks.distress[0, d] == 1
    assert shocks.lost[0, d] == 20 and shocks.outside[0, d] == x.external_assets[d]
    assert shocks.distress[1, d] == 0.25 and shocks.lost[1, d] == 0.25 * 20
    assert shocks.lost[2, b] == 25 and shocks.lost[2, c] == pytest.approx(4)
    assert shocks.names == (D, f"{D}=0.25", f"{B}=0.5, {C}=0.1")


def test_a_shock_of_predicted_scores_starts_from_the_probabilities_in_the_graph(chain: Snapshot) -> None:
    x = Exposures.from_snapshot(chain)
    shocks = Shocks.parse(x, "score:distress", snapshot=chain)
    assert shocks.distress[0].tolist() == [0.5 if id == D else 0 for id in x.ids]
    outside = Shocks.parse(x, "score:distress", snapshot=chain, kind="external")
    assert outside.lost[0, x.index[D]] == 0.5 * x.external_assets[x.index[D]]


@pytest.mark.parametrize(
    ("shock", "why"),
    [
        ("lei:DD", "lei:DD has no exposures here, so a shock to it reaches nobody; did you mean lei:D?"),
        (f"{D}=much", "'much' is no number"),
        (f"{D}=30", "a fraction lies from 0 to 1; write 0.3 for 30 %"),
        ({D: -0.5}, "a finite fraction of at least 0"),
        ([], "no shock was given"),
        ("score:distress", "give the snapshot that holds them"),
    ],
)
def test_a_shock_that_makes_no_sense_is_refused(shock: Any, why: str, chain: Snapshot) -> None:
    with pytest.raises(MeasureError, match=why):
        Shocks.parse(Exposures.from_snapshot(chain), shock)


def test_scores_that_nobody_has_or_that_are_no_probabilities_are_refused(chain: Snapshot) -> None:
    x = Exposures.from_snapshot(chain)
    with pytest.raises(MeasureError, match="no entity with exposures has a 'rank_score' score above 0"):
        Shocks.parse(x, "score:rank_score", snapshot=chain)
    with pytest.raises(MeasureError, match="a shock needs probabilities from 0 to 1"):
        Shocks.parse(x, "score:equity", snapshot=chain)


# ---- losses and what is behind them


def test_distress_walks_up_the_chain_of_loans(chain: Snapshot) -> None:
    x = Exposures.from_snapshot(chain)
    losses = DebtRank().spread(x, Shocks.parse(x, "score:distress", snapshot=chain))
    a, b, c, d = place(x, A, B, C, D)
    # D loses half its equity; C holds 32 of it against 40, B 30 of C against 50, A 80 of B against 100
    np.testing.assert_allclose(losses.loss[0, [d, c, b, a]], [10, 16, 12, 80 * 0.24])
    assert losses.table()["id"].to_pylist() == [A, C, B, D]
    assert losses.edges()["carried"].to_pylist() == pytest.approx([16, 14.4, 12, 4.8])


def test_the_heaviest_paths_come_first_and_all_paths_add_up_to_the_loss(chain: Snapshot) -> None:
    x = Exposures.from_snapshot(chain)
    losses = DebtRank().spread(x, Shocks.parse(x, "score:distress", snapshot=chain))
    paths = explain(losses, A)
    assert [path.entities for path in paths] == [(A, B, C, D)] * 2
    assert [path.loss for path in paths] == pytest.approx([14.4, 4.8])
    assert sum(path.share for path in paths) == pytest.approx(1)
    assert [len(path.edges) for path in paths] == [3, 3]


def test_each_edge_of_a_path_leads_to_the_words_it_stands_on(chain: Snapshot, ledger: Ledger) -> None:
    x = Exposures.from_snapshot(chain)
    path = explain(DebtRank().spread(x, Shocks.parse(x, D)), B)[0]
    quotes = [ledger.evidence(statement)["quote"].to_pylist() for statement in path.statements]
    assert quotes == [["row 7"], ["row 8"]]


def test_paths_through_a_circle_add_up_to_the_loss() -> None:
    x = Exposures.of(np.roll(np.eye(3), 1, axis=1) * 0.5, [10.0] * 3, [9.0] * 3)
    losses = DebtRank().spread(x, Shocks.of(x, np.array([0.3, 0.1, 0])))
    paths = explain(losses, "bank:2", top=200, hops=60)
    assert sum(path.loss for path in paths) == pytest.approx(losses.loss[0, 2], rel=1e-9)
    assert [path.loss for path in paths] == sorted((path.loss for path in paths), reverse=True)
    assert paths[0].entities == ("bank:2", "bank:0")


def test_who_loses_nothing_has_no_paths_and_a_stranger_is_named(chain: Snapshot) -> None:
    x = Exposures.from_snapshot(chain)
    losses = DebtRank().spread(x, Shocks.parse(x, B))
    assert explain(losses, C) == []
    with pytest.raises(MeasureError, match="lei:Z is not in this run"):
        explain(losses, "lei:Z")


def test_losses_with_and_without_what_is_only_predicted(chain: Snapshot) -> None:
    x = Exposures.from_snapshot(chain, include_predicted=0.8)
    for measure in (DebtRank(), EisenbergNoe()):
        both, stated = with_and_without_predicted(measure, x, Shocks.parse(x, [E, D]))
        a = x.index[A]
        assert both.loss[0, a] == pytest.approx(36) and stated.loss[0, a] == 0
        assert both.loss[1, a] == pytest.approx(stated.loss[1, a])
        assert [path.predicted for path in explain(both, A)] == [True]


def test_losses_say_what_they_rest_on(chain: Snapshot) -> None:
    x = Exposures.from_snapshot(chain, include_predicted=0.8)
    assert DebtRank().spread(x, Shocks.parse(x, D)).notes == (
        "5 exposures among 5 entities",
        "1 exposures have no stated amount and are left out",
        "1 exposures are predicted, at score times a typical loan",
        "2 entities have outside assets that no source states, so they are assumed",
        "1 entities have no known equity, so losses stop at them",
    )


def test_clearing_tells_the_waves_of_default_by_id(chain: Snapshot) -> None:
    x = Exposures.from_snapshot(chain)
    losses = EisenbergNoe().spread(x, Shocks.parse(x, D))
    assert losses.waves[0] == ((D,),)
    assert losses.loss[0, x.index[C]] == pytest.approx(32)


# ---- back to claims


def test_losses_go_back_as_claims_with_the_run_as_their_document(
    chain: Snapshot, ledger: Ledger, tmp_path: Path
) -> None:
    files = Files(tmp_path / "files")
    x = Exposures.from_snapshot(chain)
    losses = DebtRank().spread(x, Shocks.parse(x, "score:distress", snapshot=chain))
    commit = publish(losses, ledger, files, snapshot=chain, told=Told({"shock": "score:distress"}))
    assert commit == chain.commit + 1
    after = ledger.view()
    facts = after.facts_of("contagion_loss").to_pylist()
    assert {after.ids[f["subject"]]: f["value_decimal"] for f in facts} == {
        A: Decimal("19.20"), B: Decimal("12"), C: Decimal("16"), D: Decimal("10"),
    }  # fmt: skip
    assert {f["unit"] for f in facts} == {"EUR"} and len({f["key"] for f in facts}) == 1
    claim = ledger.evidence(facts[0]["statement"]).to_pylist()[0]
    assert claim["extractor"] == "risk.debtrank@1"
    assert claim["quote"] in files.get(claim["document"]).decode()


def test_the_same_run_again_adds_nothing(chain: Snapshot, ledger: Ledger, tmp_path: Path) -> None:
    files = Files(tmp_path / "files")
    x = Exposures.from_snapshot(chain)
    losses = PageRank().spread(x, Shocks.parse(x, D))
    first = publish(losses, ledger, files, snapshot=chain)
    assert publish(losses, ledger, files, snapshot=chain) == first
    scores = ledger.view().facts_of("rank_score")
    assert sum(scores["value_real"].to_pylist()) == pytest.approx(1)
