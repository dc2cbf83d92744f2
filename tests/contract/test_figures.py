"""What every figure found in queries/figures must keep, whatever it computes."""

from __future__ import annotations

import json
from dataclasses import asdict, is_dataclass
from importlib import import_module
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pytest

from kg import plugins
from kg.errors import MeasureError
from queries.figure import Domain, Figure, notes, params

FIGURES = plugins.names("queries.figures")
every_figure = pytest.mark.parametrize("name", FIGURES)
ROWS = 40


def figure(name: str, **given: Any) -> Figure:
    return plugins.load("queries.figures", name, Figure)(**given)  # type: ignore[type-abstract]


def column(domain: Domain, r: np.random.Generator) -> Any:
    """ROWS values that a domain allows."""
    made = {
        "text": [f"n{i:02}" for i in range(ROWS)],
        "time": np.datetime64("2024-01-01T00:00:00.000000") + np.arange(ROWS) * np.timedelta64(1, "D"),
        "real": r.normal(0, 0.02, ROWS),
        "amount": r.exponential(100, ROWS),
        "positive": r.exponential(100, ROWS) + 1,
        "share": r.random(ROWS) * 0.5,
        "level": 0.05 + r.random(ROWS) * 0.9,
        "correlation": r.random(ROWS) * 2 - 1,
        "count": r.integers(0, 3, ROWS),
        "flag": r.integers(0, 2, ROWS),
    }
    return made[domain]


def several_series(r: np.random.Generator) -> dict[str, Any]:
    days = column("time", r)[: ROWS // 2]
    return {"date": np.tile(days, 2), "id": ["A"] * len(days) + ["B"] * len(days)}


def states(r: np.random.Generator) -> dict[str, Any]:
    """Two bonds that can end in four states each."""
    return {
        "id": ["A"] * 4 + ["B"] * 4,
        "state": ["good", "fair", "poor", "lost"] * 2,
        "rank": [0, 1, 2, 3] * 2,
        "probability": [0.1, 0.8, 0.08, 0.02, 0.05, 0.85, 0.06, 0.04],
        "value": [105.0, 100.0, 90.0, 40.0, 206.0, 200.0, 170.0, 90.0],
    }


def stakes(r: np.random.Generator) -> dict[str, Any]:
    """People who hold a part of firms that each hold most of another."""
    firms = [f"firm{i:02}" for i in range(ROWS)]
    half = ROWS // 2
    owners = [*(f"person{i:02}" for i in range(half)), *firms[:half]]
    return {"owner": owners, "owned": [*firms[:half], *firms[half:]], "share": [0.4] * half + [0.6] * half}


SPECIAL = {
    "credit_metrics": states,
    "look_through": lambda r: {"holder": ["A"] * ROWS},
    "kri": lambda r: {"id": ["A"] * (ROWS // 2) + ["B"] * (ROWS // 2)},
    **dict.fromkeys(("covar", "lrmes", "mes"), several_series),
    **dict.fromkeys(("beneficial_owner", "control", "fifty_percent", "integrated_ownership"), stakes),
}
"""Columns of figures whose rows belong together; the rest follow from what each column may hold."""


def table(name: str, seed: int = 0) -> pa.Table:
    """A table that the figure takes."""
    r = np.random.default_rng(seed)
    kind = plugins.load("queries.figures", name, Figure)  # type: ignore[type-abstract]
    special = SPECIAL.get(name, lambda r: {})(r)
    rows = len(next(iter(special.values()))) if special else ROWS
    made = {column_: column(domain, r)[:rows] for column_, domain in kind.columns.items()}
    return pa.table({**made, **special})


def numbers(name: str) -> list[str]:
    kind = plugins.load("queries.figures", name, Figure)  # type: ignore[type-abstract]
    return [column_ for column_, domain in kind.columns.items() if domain not in ("text", "time")]


def test_figures_are_found_with_a_line_of_help_each() -> None:
    found = plugins.summaries("queries.figures")
    assert FIGURES
    assert all(found.values())
    assert [figure(name).name for name in FIGURES] == FIGURES


@every_figure
def test_parameters_are_fields_that_stand_in_the_answer(name: str) -> None:
    asked = figure(name)
    assert is_dataclass(asked)
    answer = asked.compute(table(name))
    assert params(answer) == json.loads(json.dumps(asdict(cast(Any, asked))))
    assert answer.schema.metadata[b"figure"].decode() == name
    assert answer.num_columns
    assert all(isinstance(note, str) for note in notes(answer))


@every_figure
def test_equation_source_and_edge_cases_are_told(name: str) -> None:
    text = import_module(f"queries.figures.{name}").__doc__ or ""
    assert len(text.splitlines()) > 3, "say the equation, its source and the edge cases"


@every_figure
def test_a_missing_column_is_named(name: str) -> None:
    whole = table(name)
    for missing in type(figure(name)).columns:
        if missing in figure(name).derive(whole.drop_columns([missing])).column_names:
            continue
        with pytest.raises(MeasureError, match=f"column '{missing}'"):
            figure(name).compute(whole.drop_columns([missing]))


@every_figure
@pytest.mark.parametrize("bad", [float("nan"), float("inf"), None])
def test_what_is_no_finite_number_is_refused_with_its_row(name: str, bad: float | None) -> None:
    whole = table(name)
    for spoilt in numbers(name):
        values = [float(value) for value in whole[spoilt].to_pylist()]
        values[2] = cast(float, bad)
        place = whole.column_names.index(spoilt)
        with pytest.raises(MeasureError, match=rf"'{spoilt}'.* row 3"):
            figure(name).compute(whole.set_column(place, spoilt, pa.array(values)))


@every_figure
def test_text_where_a_number_belongs_is_refused(name: str) -> None:
    whole = table(name)
    for spoilt in numbers(name):
        place = whole.column_names.index(spoilt)
        words = pa.array(["about ten"] * whole.num_rows)
        with pytest.raises(MeasureError, match=f"'{spoilt}'"):
            figure(name).compute(whole.set_column(place, spoilt, words))


@every_figure
def test_a_column_that_is_there_twice_is_refused(name: str) -> None:
    whole, first = table(name), next(iter(type(figure(name)).columns))
    with pytest.raises(MeasureError, match=f"'{first}' twice"):
        figure(name).compute(whole.append_column(first, whole[first]))


@every_figure
def test_an_empty_table_is_refused(name: str) -> None:
    with pytest.raises(MeasureError, match="no rows"):
        figure(name).compute(table(name).slice(0, 0))


@every_figure
def test_the_order_of_rows_does_not_matter_at_all(name: str) -> None:
    whole = table(name)
    order = np.random.default_rng(5).permutation(whole.num_rows)
    assert figure(name).compute(whole.take(pa.array(order))).equals(figure(name).compute(whole))


@every_figure
def test_the_same_question_gives_the_same_bits(name: str) -> None:
    first, second = (figure(name).compute(table(name)) for _ in range(2))
    assert first.equals(second, check_metadata=True)


@every_figure
def test_columns_that_it_does_not_read_change_nothing(name: str) -> None:
    whole = table(name)
    more = whole.append_column("remark", pa.array(["seen"] * whole.num_rows))
    assert figure(name).compute(more).equals(figure(name).compute(whole))


@every_figure
def test_a_number_that_is_none_is_no_parameter(name: str) -> None:
    floats = [field for field, value in asdict(cast(Any, figure(name))).items() if isinstance(value, float)]
    for field in floats:
        with pytest.raises(MeasureError, match=field):
            figure(name, **{field: float("nan")})
