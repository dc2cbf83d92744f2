"""A sorted table with rows taken out and others put in is what sorting all of them anew gives."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zlib import crc32

import numpy as np
import pyarrow as pa
import pytest
from numpy.random import Generator

from kg.cache import _write
from kg.snapshot import EDGES, FACTS, NODES
from kg.sorting import SORTING, numbered, stretches, within
from kg.splice import Order, Splice

NAMES = [f"lei:{n:03d}" for n in range(60)]


def drawn(draw: Generator, table: str, count: int, ids: list[str], widths: int) -> pa.Table:
    """Rows that name nodes by their ids; texts are of one length, or of as many as `widths`."""
    ends = {name: draw.choice(ids, count) for name in SORTING[table].nodes}
    word = ["LENDS_TO", "OWNS", "PAID"][:widths]
    hashes = [f"{number:032x}" for number in draw.choice(10**9, count, replace=False)]
    same = {"key": draw.choice(["f", "", "gg"][:widths], count), "unit": ["EUR"] * count}
    told = {**ends, **same, "confidence": draw.random(count), "id": hashes, "statement": hashes, "claim": hashes}
    told |= {name: draw.choice(word, count) for name in ("type", "property")}
    told["value_real"] = [None if widths > 1 and number < 0.5 else number for number in draw.random(count)]
    told["value_decimal"] = [Decimal(int(number)) for number in draw.integers(0, 99, count)]
    told["valid_from"] = [datetime(2020, 1, 1, tzinfo=UTC) + timedelta(int(n)) for n in draw.integers(0, 99, count)]
    fields = {"edges": EDGES, "facts": FACTS}[table]
    schema = pa.schema([pa.field(f.name, pa.string()) if f.name in ends else f for f in fields])
    columns = [pa.array(told[f.name], f.type) if f.name in told else pa.nulls(count, f.type) for f in schema]
    return pa.table(columns, schema)


def placed(rows: pa.Table, ids: list[str], table: str) -> pa.Table:
    """The rows with rows of nodes for ids, sorted."""
    sorting = SORTING[table]
    for name in sorting.nodes:
        row = pa.array([ids.index(id) for id in rows[name].to_pylist()], pa.int32())
        rows = rows.set_column(rows.column_names.index(name), name, row)
    return rows.sort_by([(name, "ascending") for name in (*sorting.by, *sorting.ties)])


@pytest.mark.parametrize("table", ["edges", "facts"])
@pytest.mark.parametrize("widths", [1, 3])
@pytest.mark.parametrize("seed", range(6))
def test_random_rows_and_nodes_that_come_and_go(table: str, widths: int, seed: int) -> None:
    draw = np.random.default_rng(seed)
    ids, later = (sorted(draw.choice(NAMES, size, replace=False).tolist()) for size in (20, 22))
    if seed % 3 == 0:
        later = ids
    both = [id for id in ids if id in later]
    old, new = drawn(draw, table, 400, ids, widths), drawn(draw, table, 60, later, widths)
    before = placed(old, ids, table)
    ends = [np.array(ids)[before[name].to_numpy()] for name in SORTING[table].nodes]
    gone = np.flatnonzero(~np.all([np.isin(end, both) for end in ends], axis=0) | (draw.random(400) < 0.1))
    left = before.filter(pa.array(~np.isin(np.arange(400), gone)))
    for name, end in zip(SORTING[table].nodes, ends, strict=True):
        texts = pa.array(np.delete(end, gone), pa.string())
        left = left.set_column(left.column_names.index(name), name, texts)
    added = [id for id in later if id not in ids]
    nodes = [pa.table([own, ["Bank"] * len(own)], schema=NODES) for own in (ids, added, later)]
    place = np.array([ids.index(id) if id in ids else -1 for id in NAMES])
    dead = np.flatnonzero(~np.isin(ids, later))
    numbers = numbered(nodes[0], dead, nodes[1], pa.array(NAMES), place)
    assert numbers.table.equals(nodes[2])
    way = SORTING[table].merged(before, gone, new, numbers)
    assert isinstance(way, Splice)
    found = way.table()
    found.validate(full=True)
    assert found.equals(placed(pa.concat_tables([left, new]), later, table))


def test_rows_that_are_equal_to_those_asked_for_are_found_by_halving() -> None:
    table = pa.table({"word": ["a", "a", "b", "b", "b", "d"], "row": pa.array([1, 2, 0, 0, 5, 3], pa.int32())})
    low, high = stretches(table, ("word", "row"), pa.table({"word": ["b", "a", "c", "d"], "row": [0.0, 1.5, 0.0, 3.0]}))
    assert (low.tolist(), high.tolist()) == ([2, 1, 5, 5], [4, 1, 5, 6])
    assert within(low, high).tolist() == [2, 3, 5]


def test_rows_go_where_they_are_told() -> None:
    old, new = pa.table({"n": [0, 1, 2, 3]}), pa.table({"n": [10, 11]})
    order = Order.of(4, np.array([1]), np.array([1, 4]))
    assert Splice(old, new, order).table()["n"].to_pylist() == [0, 10, 2, 3, 11]
    assert order.went(4).tolist() == [0, -1, 2, 3]


def test_an_empty_column_takes_no_memory_of_its_own() -> None:
    old, new = (pa.table([pa.nulls(n, pa.string())], ["text"]) for n in (3, 1))
    found = Splice(old, new, Order.of(3, np.array([0]), np.array([2]))).table()
    assert found["text"].to_pylist() == [None] * 3
    found.validate(full=True)


def test_what_is_written_piece_by_piece_is_what_is_made_in_memory(tmp_path: Path) -> None:
    draw = np.random.default_rng(3)
    old, new = (placed(drawn(draw, "edges", count, NAMES, 1), NAMES, "edges") for count in (9_000, 90))
    gone, place = (np.sort(draw.choice(9_000, count, replace=False)) for count in (80, 90))
    way = Splice(old, new, Order.of(9_000, gone, place))
    told = _write(way, tmp_path / "edges.arrow")
    assert told == crc32((tmp_path / "edges.arrow").read_bytes())
    with pa.memory_map(str(tmp_path / "edges.arrow")) as file:
        assert pa.ipc.open_file(file).read_all().equals(way.table())
