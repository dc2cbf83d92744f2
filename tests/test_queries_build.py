"""A measure is built from its name and its parameters, as text or as values; what does not fit is told."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal

import pytest

from kg.errors import MeasureError
from queries.field import read
from queries.measure import RiskMeasure, build
from queries.measures.debtrank import DebtRank
from queries.measures.pagerank import PageRank


def test_text_is_read_by_the_type_of_the_field() -> None:
    assert build(RiskMeasure, "pagerank", {"alpha": "0.5", "dangling": "restart"}) == PageRank(0.5, "restart")
    assert build(RiskMeasure, "debtrank", {"recovery": 0.25}) == DebtRank(recovery=0.25)
    assert build(RiskMeasure, "debtrank") == DebtRank()


@pytest.mark.parametrize(
    ("name", "params", "told"),
    [
        ("debtrnk", {}, "has no 'debtrnk'; known: .*; did you mean debtrank"),
        ("debtrank", {"recovry": 0.1}, "debtrank has no parameter 'recovry'; known: .*; did you mean recovery"),
        ("debtrank", {"recovery": "much"}, "recovery of debtrank is 'much'; expected a finite number"),
        ("debtrank", {"recovery": "nan"}, "expected a finite number"),
        ("pagerank", {"dangling": "stays"}, "expected one of stay, restart, uniform; did you mean stay"),
    ],
)
def test_what_is_unknown_or_does_not_fit_is_told(name: str, params: dict[str, Any], told: str) -> None:
    with pytest.raises(MeasureError, match=told):
        build(RiskMeasure, name, params)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (float, "1e-3", 0.001),
        (int, "12", 12),
        (bool, "yes", True),
        (str, "as it is", "as it is"),
        (Decimal, "1.10", Decimal("1.10")),
        (float | None, "none", None),
        (float | None, "2", 2.0),
        (tuple[float, ...], "0.1, 0.2", (0.1, 0.2)),
        (Mapping[str, float], "lei:a=0.1; b=c=2", {"lei:a": 0.1, "b=c": 2.0}),
        (Mapping[str, str], "", {}),
        (Literal["a", "b"], "b", "b"),
        (Literal[1, 2], "2", 2),
    ],
)
def test_every_kind_of_field_is_read(kind: Any, text: str, value: Any) -> None:
    assert read("x", kind, text) == value


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        (int, "1.5"),
        (int, True),
        (float, "inf"),
        (bool, "maybe"),
        (str, 3),
        (Mapping[str, float], "a:0.1"),
        (Mapping[str, float], "a=b"),
        (tuple[float, ...], "0.1,x"),
        (Literal["a"], "c"),
        (object, "text"),
    ],
)
def test_what_a_field_cannot_be_is_refused_with_what_was_expected(kind: Any, given: Any) -> None:
    with pytest.raises(MeasureError, match="parameter x"):
        read("x", kind, given)
