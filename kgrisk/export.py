"""Export: the resolved graph at an instant as files that other tools read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as parquet

from kg.errors import KgRiskError
from kg.snapshot import Snapshot


def export(snapshot: Snapshot, folder: Path, form: str) -> list[Path]:
    """Write nodes, edges and facts in a form of FORMS; returns the files. KgRiskError names the known forms."""
    if form not in FORMS:
        raise KgRiskError(f"format {form!r} is unknown; known: {', '.join(FORMS)}")
    folder.mkdir(parents=True, exist_ok=True)
    return FORMS[form](snapshot, folder)


def tables(snapshot: Snapshot) -> dict[str, pa.Table]:
    """Nodes with a name, and edges and facts with ids in place of row numbers."""
    ids = pa.array(snapshot.ids, pa.string())
    nodes = snapshot.nodes.append_column("name", pa.array(snapshot.names, pa.string()))
    edges = snapshot.edges
    for end in ("source", "target"):
        edges = edges.set_column(edges.column_names.index(end), end, ids.take(edges[end].combine_chunks()))
    facts = snapshot.facts
    facts = facts.set_column(
        facts.column_names.index("subject"), "subject", ids.take(facts["subject"].combine_chunks())
    )
    return {"nodes": nodes, "edges": edges, "facts": facts}


def _parquet(snapshot: Snapshot, folder: Path) -> list[Path]:
    made = []
    for name, table in tables(snapshot).items():
        made.append(folder / f"{name}.parquet")
        parquet.write_table(table, made[-1])
    return made


def _csv(snapshot: Snapshot, folder: Path) -> list[Path]:
    made = []
    for name, table in tables(snapshot).items():
        made.append(folder / f"{name}.csv")
        csv.write_csv(table, made[-1])
    return made


def _graphml(snapshot: Snapshot, folder: Path) -> list[Path]:
    """One GraphML file; it knows neither money nor time, so both are text in it."""
    import networkx as nx

    graph = snapshot.to_networkx()
    for row, name in enumerate(snapshot.names):
        graph.nodes[snapshot.ids[row]]["name"] = name
    for _, _, values in graph.edges(data=True):
        told = {name: _simple(value) for name, value in values.items() if value is not None}
        values.clear()
        values.update(told)
    file = folder / "graph.graphml"
    nx.write_graphml(graph, file)
    return [file]


def _simple(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return format(value.normalize(), "f") if isinstance(value, Decimal) else value


FORMS: Mapping[str, Callable[[Snapshot, Path], list[Path]]] = {"parquet": _parquet, "csv": _csv, "graphml": _graphml}
