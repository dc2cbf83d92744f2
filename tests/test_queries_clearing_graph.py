"""Ranks of loans and holdings of equity come out of the graph, and parameters of a measure out of a question."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from kg.errors import MeasureError
from kg.ledger import Ledger
from kg.model import Edge
from kg.snapshot import Snapshot
from kgrisk.risk import Question, assess
from queries.contagion.ranks import held_in, ranks_of
from queries.exposures import Exposures
from tests.test_queries_exposures import A, B, C, bank, committed


def loan(creditor: str, debtor: str, amount: str, role: str = "") -> Edge:
    said = {"role": role} if role else {}
    return Edge("LENDS_TO", creditor, debtor, {"amount": Decimal(amount), "currency": "EUR"} | said)


@pytest.fixture
def owned(ledger: Ledger) -> Snapshot:
    """A has a secured claim on C, B a subordinated one; C owns half of B, and B a tenth of itself."""
    return committed(
        ledger,
        bank(A, "50", "50"),
        bank(B, "40", "30"),
        bank(C, "20", "40"),
        loan(A, C, "20", "senior secured term loan"),
        loan(B, C, "10", "subordinated notes"),
        loan(B, A, "5", "senior unsecured bond"),
        Edge("OWNS", C, B, {"share": 0.25}, "A shares"),
        Edge("OWNS", C, B, {"share": 0.25}, "B shares"),
        Edge("OWNS", B, B, {"share": 0.1}, ""),
    )


def test_ranks_are_read_out_of_the_roles_of_loans(owned: Snapshot) -> None:
    x = Exposures.from_snapshot(owned)
    found = ranks_of(owned, x)
    by_pair = {(x.ids[e["source"]], x.ids[e["target"]]): found.get(e["id"]) for e in x.edges.to_pylist()}
    assert by_pair == {(A, C): 1, (B, C): 3, (B, A): None}


def test_holdings_are_summed_over_classes_of_shares_and_leave_out_own_shares(owned: Snapshot) -> None:
    assert held_in(owned, Exposures.from_snapshot(owned)) == {f"{C}>{B}": 0.5}


def test_the_senior_loan_is_safe_and_the_holder_loses_with_the_firm_it_owns(owned: Snapshot) -> None:
    risk = assess(owned, Question("elsinger", C, kind="external"))
    loss = dict(zip(risk.losses.exposures.ids, risk.losses.loss[0].tolist(), strict=True))
    # C loses all 40 outside: what is left is its half of the equity of B, which pays the senior loan first
    held = risk.losses.exposures
    assert loss[B] == pytest.approx(10)
    assert loss[A] < 20
    assert loss[C] == pytest.approx(40 + 0.5 * loss[B])
    assert held.currency == "EUR"


def test_parameters_of_a_question_reach_the_measure_and_stand_before_the_graph(owned: Snapshot) -> None:
    plain = assess(owned, Question("elsinger", C, kind="external", params={"holdings": "", "seniority": ""}))
    same = assess(owned, Question("eisenberg_noe", C, kind="external"))
    np.testing.assert_allclose(plain.losses.loss, same.losses.loss, rtol=1e-9)
    costly = assess(owned, Question("rogers_veraart", C, kind="external", params={"beta": "0.5"}))
    assert costly.total >= same.total
    with pytest.raises(MeasureError, match="did you mean beta"):
        assess(owned, Question("rogers_veraart", C, params={"beta_": "0.5"}))


@pytest.mark.parametrize("measure", ["neva", "rogers_veraart", "elsinger"])
def test_a_predicted_loan_or_its_absence_is_no_trouble(owned: Snapshot, measure: str) -> None:
    risk = assess(owned, Question(measure, C, include_predicted=0.8))
    assert risk.without is not None
    np.testing.assert_allclose(risk.losses.loss, risk.without.loss)
    assert risk.adds_up() < 1e-9
