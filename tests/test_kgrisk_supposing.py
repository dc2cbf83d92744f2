"""What if: a scenario answered on an overlay is what a copy answers in which it was written, and writes nothing."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import date
from hashlib import sha256
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from kg.errors import LedgerError, StoreError
from kg.model import AsOf, Claim, ClaimBatch, Evidence, Facts, RunManifest, as_time, digest
from kg.supposed import Supposed
from kgrisk.api import Graph
from kgrisk.settings import Settings
from kgrisk.supposing import Supposition, difference
from queries.contagion.clearing import clear
from queries.exposures import Exposures
from queries.whatif import Scenario
from tests.kgrisk_world import BIG, FIRM, SMALL, write_registers

AT = AsOf(valid=as_time(date(2021, 1, 1)))
SCENARIO = Scenario.read(
    f"""
name: all_at_once
date: 2021-01-01
narrative: The steel maker fails, banks lose a third, one loan is halved, another is new.
source: made up for this test
shocks:
  - {{fails: "{FIRM}"}}
  - {{loses: 0.25, of: equity, who: {{label: Bank}}}}
  - {{loses: 0.5, of: external, who: {{id: "{BIG}", country: DE}}}}
changes:
  - {{edges: {{type: LENDS_TO, to: {{id: "{FIRM}"}}}}, scale: 0.5}}
  - {{edges: {{type: LENDS_TO, from: {{id: "{SMALL}"}}}}, scale: 0}}
  - {{add: {{type: LENDS_TO, from: "{SMALL}", to: "{FIRM}", amount: "12.50", currency: EUR}}}}
"""
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("what-if")
    home = folder / "home"
    with Graph(home, Settings.load(home=home)) as graph:
        graph.ingest(write_registers(folder / "files"))
        graph.resolve()
        told = Evidence(digest(b"later"), "row:1", "BIGB", "registers.test@1")
        ticker = Claim(Facts(BIG, {"ticker": "BIGB"}), told, as_time(date(2020, 3, 1)))
        graph.ledger.commit(ClaimBatch.of([ticker]), RunManifest("ingest", {"later": True}))
    return home


@pytest.fixture(scope="module")
def graph(home: Path) -> Iterator[Graph]:
    with Graph(home, Settings.load(home=home)) as graph:
        yield graph


@pytest.fixture(scope="module")
def what_if(graph: Graph) -> Supposition:
    return graph.suppose(SCENARIO, AT)


@pytest.fixture(scope="module")
def written(home: Path, what_if: Supposition) -> Iterator[Graph]:
    """A copy in which the scenario was committed."""
    copy = home.parent / "copy"
    shutil.copytree(home / "ledger", copy / "ledger", ignore=shutil.ignore_patterns("lease.json"))
    shutil.copytree(home / "files", copy / "files")
    claims = what_if.supposed._claims_of(what_if.whole.removed)
    with Graph(copy, Settings.load(home=copy)) as graph:
        graph.ledger.commit(what_if.whole.batch, RunManifest("scenario"), retract=claims)
        yield graph


def content(folder: Path) -> str:
    """Digest of every file below a folder but leases."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "lease.json")
    return sha256(b"".join(path.as_posix().encode() + path.read_bytes() for path in files)).hexdigest()


def without_known(table: pa.Table) -> list[dict[str, object]]:
    return [{name: value for name, value in row.items() if name != "known_from"} for row in table.to_pylist()]


def test_the_supposed_graph_is_the_graph_of_a_copy_in_which_it_was_written(
    what_if: Supposition, written: Graph
) -> None:
    supposed, real = what_if.snapshot, written.snapshot(AT)
    for name in ("nodes", "edges", "facts"):
        rows = without_known(getattr(supposed, name))
        assert rows and rows == without_known(getattr(real, name)), name


def test_every_named_query_answers_as_on_the_copy_and_some_answer_has_moved(
    graph: Graph, what_if: Supposition, written: Graph
) -> None:
    moved = []
    for query in graph.catalog:
        given = {"id": SMALL} if "id" in query.inputs else {}
        if any(item not in given and getattr(query.inputs[item], "default", None) is None for item in query.inputs):
            continue
        supposed = without_known(what_if.query(query.name, **given).table)
        assert supposed == without_known(written.query(query.name, AT, **given).table), query.name
        if supposed != without_known(graph.query(query.name, AT, **given).table):
            moved.append(query.name)
    assert {"exposure_by_counterparty", "exposure_to_distressed", "entity_profile"} <= set(moved)


def test_nothing_of_a_supposition_stays_behind(graph: Graph, what_if: Supposition) -> None:
    stored, head, kept = graph.store.graph_hash(), graph.ledger.head, content(graph.home / "ledger")
    before = graph.query("exposure_by_counterparty", AT, id=SMALL).rows()
    what_if.query("exposure_by_counterparty", id=SMALL)
    what_if.risk("debtrank")
    assert (graph.store.graph_hash(), graph.ledger.head, content(graph.home / "ledger")) == (stored, head, kept)
    assert graph.query("exposure_by_counterparty", AT, id=SMALL).rows() == before


def test_a_query_that_fails_on_the_overlay_leaves_the_store_as_it_was(graph: Graph, what_if: Supposition) -> None:
    stored = graph.store.graph_hash()
    with pytest.raises(Exception, match="nonsense"):
        what_if.cypher("MATCH (n:Entity) RETURN nonsense(n)")
    assert graph.store.graph_hash() == stored


def test_clearing_after_the_shock_is_clearing_of_the_copy(what_if: Supposition, written: Graph) -> None:
    losses = what_if.risk("eisenberg_noe").losses
    exposures = Exposures.from_snapshot(written.snapshot(AT))
    assert exposures.ids == losses.exposures.ids
    payments = clear(exposures, exposures.external_assets[None, :]).payments
    assert losses.payments is not None and losses.loss.sum() > 0
    np.testing.assert_allclose(losses.payments, payments, rtol=1e-9)


def test_what_has_changed_is_told_row_by_row(what_if: Supposition) -> None:
    rows = what_if.changed("exposure_by_counterparty", id=SMALL).rows()
    assert [(row["change"], row["counterparty"], row["owed_minor"]) for row in rows] == [
        ("gone", BIG, 10_000),
        ("new", FIRM, 1_250),
    ]


def test_equal_rows_are_matched_once() -> None:
    before, after = (pa.table({"a": values}) for values in ([1, 1, 2], [1, 3]))
    assert difference(before, after).to_pylist() == [
        {"change": "gone", "a": 1},
        {"change": "gone", "a": 2},
        {"change": "new", "a": 3},
    ]


def test_a_supposition_stands_on_what_was_known_then(graph: Graph) -> None:
    first = AsOf(valid=AT.valid, known=graph.ledger.known(1))
    then = graph.suppose(SCENARIO, first)
    assert then.snapshot.commit == 2 and then.base.commit == 1
    with pytest.raises(StoreError, match="sync first, and leave out the known time"):
        then.query("exposure_by_counterparty", id=SMALL)


def test_an_edge_that_is_not_there_cannot_be_taken_away(graph: Graph, what_if: Supposition) -> None:

    with pytest.raises(LedgerError, match="no edge 00ff at this instant"):
        Supposed(graph.ledger, ClaimBatch.of([]), ["00ff"], AT)
