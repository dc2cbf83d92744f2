"""Results in every table form, and as JSON that loses nothing."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from kg.model import MONEY, TIME
from kgrisk.console import cell
from kgrisk.result import Result, as_json, dicts, plain


@pytest.fixture
def result() -> Result:
    return Result(pa.table({"id": ["a", "b"], "loss": [1.5, 2.5]}), "who loses")


def test_a_result_is_the_same_rows_in_every_form(result: Result) -> None:
    rows = [{"id": "a", "loss": 1.5}, {"id": "b", "loss": 2.5}]
    assert result.rows() == list(result) == rows
    assert isinstance(result.to_pandas(), pd.DataFrame) and result.to_pandas().to_dict("records") == rows
    assert isinstance(result.to_polars(), pl.DataFrame) and result.to_polars().to_dicts() == rows
    assert result.to_arrow().to_pylist() == rows
    assert (len(result), result.columns, result["loss"]) == (2, ["id", "loss"], [1.5, 2.5])


def test_a_result_shows_itself_in_a_notebook_with_values_escaped() -> None:
    html = Result(pa.table({"name": ["<b>Bold</b>"]}))._repr_html_()
    assert "&lt;b&gt;" in html and "<b>Bold" not in html


def test_plain_values_keep_every_digit_of_money_and_every_instant() -> None:
    value = {
        "money": Decimal("12345678901234567890.120000000"),
        "nothing": Decimal("0E-9"),
        "when": datetime(2024, 1, 2, 3, 4, 5, 6, tzinfo=UTC),
        "day": date(2024, 1, 2),
        "odd": [float("nan"), float("inf"), 0.5],
        "vector": np.array([1.0, 2.0], np.float32),
        "bytes": b"\x00\xff",
    }
    assert json.loads(json.dumps(plain(value))) == {
        "money": "12345678901234567890.12",
        "nothing": "0",
        "when": "2024-01-02T03:04:05.000006+00:00",
        "day": "2024-01-02",
        "odd": [None, None, 0.5],
        "vector": [1.0, 2.0],
        "bytes": "AP8=",
    }


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "yes"),
        (1234567, "1,234,567"),
        (0.25, "0.25"),
        (0.000012, "1.2e-05"),
        (98765.4, "98,765"),
        (Decimal("1500.500000000"), "1,500.5"),
        (datetime(2024, 1, 2, tzinfo=UTC), "2024-01-02"),
        (["a", 1000], "a, 1,000"),
    ],
)
def test_cells_read_well(value: object, text: str) -> None:
    assert cell(value) == text


def test_rows_of_a_table_are_those_that_arrow_gives_open_ends_and_gaps_included() -> None:
    moments = [
        datetime(1, 1, 1, tzinfo=UTC),
        None,
        datetime(9999, 12, 31, tzinfo=UTC),
        datetime(2024, 2, 29, 1, 2, 3, 4),
    ]
    columns = {
        "at": pa.array([m and m.replace(tzinfo=UTC) for m in moments], TIME),
        "sum": pa.array([Decimal("1.5"), None, Decimal(0), Decimal("1e-9")], MONEY),
        "name": pa.array(["a", None, "", "d"]),
    }
    table = pa.concat_tables([pa.table(columns), pa.table(columns)])
    assert dicts(table) == table.to_pylist() and len(dicts(table)) == 8
    assert dicts(table.slice(8)) == [] and dicts(pa.table({})) == []
    assert [row["at"].isoformat() for row in dicts(table)[:1]] == ["0001-01-01T00:00:00+00:00"]


def test_json_text_is_that_of_the_plain_value() -> None:
    value = {
        "sum": Decimal("10.50"), "day": date(2024, 2, 1), "when": datetime(2024, 2, 1, 3, tzinfo=UTC), "raw": b"\x00a",
        "nested": [{"n": np.int64(3), "f": np.float64(0.1), "a": np.array([1.0, 2.0])}, (1, "zwei — drei"), None, True],
    }  # fmt: skip
    for given in (value, {**value, "odd": float("nan"), "vector": np.array([1.0, np.inf])}, {1: value}, {date.min: 1}):
        assert as_json(given) == json.dumps(plain(given), ensure_ascii=False)
