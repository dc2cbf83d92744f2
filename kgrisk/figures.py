"""Figures: risk figures of plain tables or of a graph, and their numbers as claims where that is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as parquet

from kg import plugins
from kg.errors import MeasureError
from kg.files import Files
from kg.ledger import Ledger
from kg.model import AsOf, ClaimBatch, RunManifest, iso
from kg.snapshot import Snapshot
from kgrisk.result import Result, plain
from queries.figure import Figure, notes
from queries.figure import params as params_of
from queries.figure_rows import READERS, Asked, rows_of
from queries.figures.var_es import CERTIFIED, SEAL, sealed
from queries.measure import build
from queries.parameter import suggestion
from queries.recorded import Recorded, asking

PACKAGE = "queries.figures"
SERIES: Final = ("date",)
"""Columns of an answer that is a series: its rows are told of nobody and make no claims."""


@dataclass(frozen=True)
class Answer:
    """A figure of a graph, with what it was computed of."""

    figure: str
    table: pa.Table
    remarks: tuple[str, ...]
    asked: Asked
    snapshot: Snapshot

    @property
    def result(self) -> Result:
        """The answer as every other question of the API has one; its parameters are in the table's metadata."""
        return Result(self.table, self.figure, self.remarks)


def listing() -> list[dict[str, Any]]:
    """Every figure: what it tells, the columns it needs and reads, its parameters, whether a graph has its table."""
    rows = []
    for name, tells in plugins.summaries(PACKAGE).items():
        kind = plugins.load(PACKAGE, name, Figure)  # type: ignore[type-abstract]  # a role is asked for
        rows.append(
            {
                "name": name,
                "tells": tells,
                "columns": ", ".join(kind.columns),
                "read_if_there": ", ".join(kind.optional),
                "parameters": ", ".join(f"{f.name}={f.default}" for f in fields(kind)),  # type: ignore[arg-type]  # a dataclass
                "of_graph": name in READERS,
            }
        )
    return rows


def of_table(name: str, table: pa.Table | Path | str, params: Mapping[str, Any] | None = None) -> Result:
    """A figure of a table, or of a CSV or Parquet file; parameters as values or text. MeasureError if it cannot be."""
    figure = build(Figure, name, params)  # type: ignore[type-abstract]  # a role is asked for
    given = table if isinstance(table, pa.Table) else read(Path(table))
    found = figure.compute(given)
    unread = sorted({*given.column_names} - {*figure.columns, *figure.optional})
    told = (f"columns that {name} does not read: {', '.join(unread)}",) if unread else ()
    proof = _proof(given) if "breach" in figure.columns else ()  # of the forecasts that a back-test judges
    return Result(found, name, (*notes(found), *proof, *told))


def _proof(forecasts: pa.Table) -> tuple[str, ...]:
    """The certificate of forecasts, if their rows are still those that it was given for; else why there is none."""
    said = tuple(remark for remark in notes(forecasts) if remark.startswith(CERTIFIED))
    if not said:
        return (
            f"no {CERTIFIED.lower()} comes with this table, so whether its forecasts read the future is not known; "
            "`kgrisk figure var_es --param rolling=true --out days.parquet` keeps one (a CSV file cannot)",
        )
    if (forecasts.schema.metadata or {}).get(SEAL.encode(), b"").decode() != (sealed(forecasts) or "none"):
        return (f"{CERTIFIED} WITHHELD: the rows are not those it was given for; run var_es again and test its answer",)
    return said


def of_graph(
    snapshot: Snapshot, name: str, params: Mapping[str, Any] | None = None, asked: Mapping[str, Any] | None = None
) -> Answer:
    """A figure of the rows that a snapshot holds; `asked` are fields of `queries.figure_rows.Asked`."""
    figure = build(Figure, name, params)  # type: ignore[type-abstract]  # a role is asked for
    known = [field.name for field in fields(Asked)]
    for one in asked or {}:
        if one not in known:
            hint = suggestion(one, known)
            raise MeasureError(f"{one!r} says not which rows of the graph are meant; known: {', '.join(known)}{hint}")
    which = Asked(**(asked or {}))
    if name == "look_through" and not getattr(figure, "holder", ""):
        figure = build(Figure, name, {**(params or {}), "holder": which.holder})  # type: ignore[type-abstract]  # a role
    table, remarks = rows_of(snapshot, name, which)
    found = figure.compute(table)
    return Answer(name, found, (*remarks, *notes(found)), which, snapshot)


def read(path: Path) -> pa.Table:
    """A CSV or Parquet file as a table; columns keep the types they have, or that their text shows."""
    try:
        if path.suffix.lower() in (".parquet", ".pq"):
            return parquet.read_table(path)
        # an empty cell is missing, in a column of words too: a figure then names its row
        options = csv.ConvertOptions(strings_can_be_null=True)
        table = csv.read_csv(path, convert_options=options)
        return table.rename_columns([name.strip().removeprefix("\ufeff") for name in table.column_names])
    except (OSError, pa.ArrowException) as error:
        raise MeasureError(f"{path} cannot be read as a table ({error}); give a CSV or Parquet file") from error


def write(table: pa.Table, path: Path) -> None:
    """The answer as a file that `read` takes back."""
    try:
        parquet.write_table(table, path) if path.suffix.lower() in (".parquet", ".pq") else csv.write_csv(table, path)
    except (OSError, pa.ArrowException) as error:
        raise MeasureError(f"{path} cannot be written ({error}); name a .csv or .parquet file in a folder") from error


def manifest(answer: Answer) -> RunManifest:
    """What was asked of which data, and one line for each number; the same question has the same id."""
    at, snapshot = answer.snapshot.at, answer.snapshot
    asked = {
        "params": params_of(answer.table),
        "asked": plain({**asdict(answer.asked), "rates": dict(answer.asked.rates)}),
    }
    lines = [f"{id}: {answer.figure} {column} {value!r}" for id, column, value in _told(answer)]
    details = {
        "figure": answer.figure,
        **asked,
        "ledger": snapshot.ledger,
        "commit": snapshot.commit,
        "valid": iso(at.valid) if at.valid else "",
        "published": iso(at.published) if at.published else "",
        "remarks": list(answer.remarks),
        "rows": [*lines, asking("figure", answer.figure, asked, snapshot.commit)],
    }
    return RunManifest("figure", details)


def again(ledger: Ledger, details: Mapping[str, Any], commit: int) -> RunManifest:
    """The manifest that the question of a manifest gives now, on the commit of the ledger it was asked of."""
    valid, published = (datetime.fromisoformat(details[n]) if details[n] else None for n in ("valid", "published"))
    snapshot = ledger.view(AsOf(valid, ledger.known(commit), published))
    asked = {name: tuple(value) if isinstance(value, list) else value for name, value in details["asked"].items()}
    return manifest(of_graph(snapshot, details["figure"], details["params"], asked))


def publish(ledger: Ledger, files: Files, answer: Answer) -> int:
    """Put the numbers of an answer into the ledger as claims of its run; returns the commit.

    Each number of each row that is told of an entity is one score `figure`, whose key is `<figure>.<column>|<first 12
    digits of the run>`; its document is the run's manifest with question, parameters and one line for each. The same
    snapshot published again changes nothing.
    """
    found, run = _told(answer), manifest(answer)
    if not found:
        raise MeasureError(f"{answer.figure} tells nothing of an entity of the graph, so there is nothing to publish")
    files.put(run.to_bytes())
    recorded = Recorded(run, answer.figure, answer.snapshot)
    claims = recorded.itself({name: run.details[name] for name in ("params", "asked")}, len(found))
    for row, (id, column, value) in enumerate(found):
        claims.append(recorded.of(id, {"figure": value}, f"{answer.figure}.{column}|{recorded.short}", row))
    return ledger.commit(ClaimBatch.of(claims), run)


def _told(answer: Answer) -> list[tuple[str, str, float]]:
    """(entity, column, number) of each row that names an entity of the graph; totals are told of the holder."""
    names = answer.table.column_names
    who = next((name for name in ("id", "group", "owned", "controlled") if name in names), "")
    if any(name in names for name in SERIES) or not who:
        return []
    numbers = [f.name for f in answer.table.schema if pa.types.is_floating(f.type) or pa.types.is_integer(f.type)]
    found = []
    for row in answer.table.to_pylist():
        id = row[who] or answer.asked.holder
        if id in answer.snapshot.index:
            kept = ((name, row[name]) for name in numbers if row[name] is not None and np.isfinite(row[name]))
            found += [(id, name, float(value)) for name, value in kept]
    return found
