"""What `kgrisk export neo4j-import` writes becomes, through Neo4j's own import tool, the store that a sync makes."""

from __future__ import annotations

import csv
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from neo4j import GraphDatabase

from kg.files import Files
from kg.ledger import Ledger
from kg.model import AsOf
from kg.ontology import EDGES, NODES
from kg.store import CLOCK_TEXT, GraphStore, open_store
from kg.sync import stage
from kg.vectors import Vectors
from kgrisk.export_neo4j import FORM, NOTES, SCRIPT, export_import
from kgrisk.neo4j_local import LocalNeo4j
from tests.import_world import HOSTILE, grown
from tests.kgrisk_world import kgrisk_here, write_registers
from tests.neo4j_server import NoNeo4jError, admin_tool, own_jars, required, wipe
from tests.operations import instants
from tests.store_world import Cut, banks, claim, commit, loan, rows, versions

Dump = tuple[list[str], list[str]]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> tuple[Ledger, Files, Path]:
    home = tmp_path_factory.mktemp("grown")
    return (*grown(home), home)


@pytest.fixture(scope="module")
def lib() -> Path:
    try:
        return own_jars()
    except NoNeo4jError as error:
        if required():
            raise
        pytest.skip(str(error))


def imported(folder: Path, lib: Path, home: Path) -> str:
    """Run the exported script as its notes say; returns what the tool told."""
    tool = admin_tool(lib, home)
    environment = {"NEO4J_ADMIN": str(tool), "PATH": "/usr/bin:/bin"}
    command = ["sh", str(folder / SCRIPT), "neo4j", "--overwrite-destination"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, cwd=home)
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def bulk(
    world: tuple[Ledger, Files, Path], lib: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[LocalNeo4j, str, str]]:
    """A server on what the tool made of the export: (server, what the tool told, the notes)."""
    home, folder = tmp_path_factory.mktemp("server"), tmp_path_factory.mktemp("export")
    export_import(world[0], world[1], folder)
    told = imported(folder, lib, home)
    with LocalNeo4j.start(lib, home) as server:
        yield server, told, (folder / NOTES).read_text()


@pytest.fixture(scope="module")
def synced(world: tuple[Ledger, Files, Path], neo4j_server: str) -> Iterator[tuple[GraphStore, str]]:
    """The same ledger synced into another Neo4j."""
    wipe(neo4j_server)
    store = open_store(neo4j_server, world[2])
    store.sync(world[0])
    yield store, neo4j_server
    store.close()


@pytest.fixture(scope="module")
def store(world: tuple[Ledger, Files, Path], bulk: tuple[LocalNeo4j, str, str]) -> Iterator[GraphStore]:
    """The imported store, opened as any other."""
    store = open_store(bulk[0].url, world[2])
    yield store
    store.close()


def dumped(url: str) -> Dump:
    """Every node and relationship with all labels and properties, read past our own code, in an order of its own."""
    parts = urlsplit(url)
    login = (unquote(parts.username or ""), unquote(parts.password or ""))
    with GraphDatabase.driver(f"bolt://{parts.hostname}:{parts.port}", auth=login) as driver:
        nodes = driver.execute_query("MATCH (n) RETURN labels(n) AS labels, n {.*, turn: NULL} AS values").records
        edges = driver.execute_query(
            "MATCH (a)-[r]->(b) RETURN a.id AS a, type(r) AS type, b.id AS b, properties(r) AS values"
        ).records
    return sorted(plain(row.data()) for row in nodes), sorted(plain(row.data()) for row in edges)


def plain(row: dict[str, Any]) -> str:
    values = {name: value for name, value in row.pop("values").items() if value is not None}
    if "labels" in row:
        row["labels"] = sorted(row["labels"])
    return repr((sorted(row.items()), sorted(values.items())))


def test_the_files_are_named_in_the_script_and_each_has_its_header(
    world: tuple[Ledger, Files, Path], tmp_path: Path
) -> None:
    files = export_import(world[0], world[1], tmp_path)
    script = (tmp_path / SCRIPT).read_text()
    named = re.findall(r"--(?:nodes|relationships)=([\w:]+)=([\w.-]+),([\w.-]+)", script)
    assert {file for _, *pair in named for file in pair} == {f.name for f in files} - {SCRIPT, NOTES}
    kinds = [kind for kind, *_ in named]
    assert sorted(kinds) == sorted(
        [
            *(f"Entity:{label}" for label in NODES),
            *("Ledger", "Fact", "Name", "Score", "Embedding"),
            *EDGES,
            *("HAS_FACT", "HAS_NAME", "HAS_SCORE", "HAS_EMBEDDING"),
        ]
    )
    assert (tmp_path / "nodes-Ledger.header.csv").read_text().startswith("id:ID(Ledger),")
    assert f"commit {world[0].head}" in (tmp_path / NOTES).read_text()


def test_rows_written_a_few_at_a_time_are_those_of_a_sync_and_have_the_same_bytes(
    world: tuple[Ledger, Files, Path], tmp_path: Path
) -> None:
    ledger, files, _ = world
    whole, few = (export_import(ledger, files, tmp_path / str(rows), rows) for rows in (1 << 30, 60))
    assert [file.name for file in whole] == [file.name for file in few]
    assert [file.read_bytes() for file in whole] == [file.read_bytes() for file in few]
    synced = stage(None, ledger, Vectors(files))
    assert synced is not None and synced.plan.count("close") == 0
    steps = list(synced.plan.steps(1 << 30))
    assert max(step.rows.num_rows for step in steps if step.kind == "edge") > 4 * 60
    for step in steps:
        name = f"{'edges' if step.kind == 'edge' else 'nodes'}-{step.name}.csv"
        with (tmp_path / "60" / name).open(newline="", encoding="utf-8") as file:
            told = [row[3 if step.kind == "edge" else 0] for row in csv.reader(file)]
        assert told == step.rows["version" if step.kind == "edge" else "id"].to_pylist(), name


def test_an_export_that_breaks_off_leaves_no_script_that_would_run(
    world: tuple[Ledger, Files, Path], tmp_path: Path
) -> None:
    export_import(world[0], world[1], tmp_path)
    (tmp_path / "edges-OWNS.csv").unlink()
    (tmp_path / "edges-OWNS.csv").mkdir()  # nothing can be written there
    with pytest.raises(OSError):
        export_import(world[0], world[1], tmp_path)
    assert not (tmp_path / SCRIPT).exists()


@pytest.mark.neo4j
@pytest.mark.slow
def test_the_tool_counts_what_the_notes_say(bulk: tuple[LocalNeo4j, str, str]) -> None:
    counted = [int(n) for n in re.findall(r"(\d+) (?:nodes|relationships|properties)\b", bulk[1].split("Imported")[1])]
    noted = re.search(r"([\d,]+) nodes, ([\d,]+) relationships, ([\d,]+) properties", bulk[2])
    assert noted is not None
    assert counted[:3] == [int(n.replace(",", "")) for n in noted.groups()]


@pytest.mark.neo4j
@pytest.mark.slow
def test_every_node_relationship_and_value_is_that_of_a_sync_to_the_letter(
    bulk: tuple[LocalNeo4j, str, str], synced: tuple[GraphStore, str]
) -> None:
    ours, theirs = dumped(bulk[0].url), dumped(synced[1])
    assert ours == theirs
    for text in HOSTILE:
        assert any(repr(text)[1:-1] in row for row in (*ours[0], *ours[1])), repr(text[:40])


@pytest.mark.neo4j
@pytest.mark.slow
def test_its_hash_is_that_of_a_sync_and_the_next_sync_writes_nothing(
    world: tuple[Ledger, Files, Path], store: GraphStore, synced: tuple[GraphStore, str]
) -> None:
    assert store.graph_hash() == synced[0].graph_hash()
    assert store.mark == synced[0].mark
    counting = Cut()
    assert store.sync(world[0], counting).opened == 0
    assert counting.calls == []


@pytest.mark.neo4j
@pytest.mark.slow
def test_questions_at_many_instants_have_the_same_rows(
    world: tuple[Ledger, Files, Path], store: GraphStore, synced: tuple[GraphStore, str]
) -> None:
    text = f"""MATCH (a:Entity)-[r:LENDS_TO|OWNS|PAID|HAS_NAME|HAS_FACT]->(b) WHERE {CLOCK_TEXT}
      RETURN a.id AS a, type(r) AS type, b.id AS b, r.key AS key, r.quote AS quote, r.claims AS claims
      ORDER BY a, type, b, key, r.version"""
    found = 0
    for valid, known, published in instants(world[0], 12, seed=3):
        at = AsOf(valid, known, published)
        expected = rows(synced[0], text, at)
        assert rows(store, text, at) == expected
        found += len(expected)
    assert found > 100
    vector = [1.0, -1.0, 0.5, 0.0, 0.25, 0.0, -0.125, 2.0]
    nearest = store.nearest("Bank", vector, 3).to_pylist()
    assert len(nearest) == 3 and nearest == synced[0].nearest("Bank", vector, 3).to_pylist()


@pytest.mark.neo4j
@pytest.mark.slow
def test_what_is_committed_later_is_synced_behind_the_import(
    world: tuple[Ledger, Files, Path], store: GraphStore, synced: tuple[GraphStore, str]
) -> None:
    ledger = world[0]
    gone = ledger.view().edges["claim"].to_pylist()[:5]
    commit(ledger, *banks("later", "latest"), claim(loan("later", "latest", "7")), retract=gone)
    reports = [store.sync(ledger), synced[0].sync(ledger)]
    assert reports[0].opened == reports[1].opened > 0
    assert reports[0].closed == reports[1].closed > 0
    assert store.graph_hash() == synced[0].graph_hash()
    assert versions(store) == versions(synced[0])


def test_the_command_writes_it_and_refuses_what_it_would_not_heed(tmp_path: Path) -> None:
    write_registers(tmp_path / "in")
    assert kgrisk_here("ingest", "in", "--home", "home", cwd=tmp_path).returncode == 0
    done = kgrisk_here("export", FORM, "out", "--home", "home", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / SCRIPT).exists() and "Big Bank AG" in (tmp_path / "out" / "nodes-Name.csv").read_text()
    flagged = kgrisk_here("export", "again", "--format", FORM, "--home", "home", cwd=tmp_path)
    assert flagged.returncode == 0
    same = [(tmp_path / name / "edges-LENDS_TO.csv").read_bytes() for name in ("out", "again")]
    assert same[0] == same[1] != b""
    for more in (("--valid", "2020-01-01"), ("--pseudonyms",), ("--format", "csv")):
        refused = kgrisk_here("export", FORM, "no", *more, "--home", "home", cwd=tmp_path)
        assert refused.returncode == 2 and FORM in refused.stderr, refused.stderr
    assert not (tmp_path / "no").exists()
