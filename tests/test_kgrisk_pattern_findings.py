"""Findings of patterns are claims: read by Cypher with their evidence, dated, replaced by the next run, replayed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from kg.errors import KgRiskError
from kg.model import AsOf, RunManifest, as_time
from kgrisk.api import Graph
from kgrisk.api import open as open_graph
from tests.kgrisk_world import kgrisk_here
from tests.laundering_world import CYCLE, FAN, START, Paid


def written(folder: Path, name: str, payments: list[Paid]) -> Path:
    """A file of payments; days count from START."""
    lines = ["payment_id,time,payer_account,payee_account,amount,currency"]
    for n, (payer, payee, amount, day) in enumerate(payments):
        when = f"2023-01-{1 + int(day):02d}T{int(day % 1 * 24):02d}:00:00Z"
        lines.append(f"{name}{n},{when},{payer},{payee},{amount},EUR")
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.csv").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("findings")
    with open_graph(folder / "home") as graph:
        graph.ingest(written(folder / "in", "ring", [*CYCLE, *FAN]))
    return folder


@pytest.fixture
def graph(home: Path) -> Iterator[Graph]:
    with open_graph(home / "home") as opened:
        yield opened


def test_a_saved_finding_is_read_back_by_cypher_with_the_edges_it_stands_on(graph: Graph) -> None:
    before = graph.ledger.instant()[1].known
    (row,) = graph.pattern("cycles", save=True)
    (told,) = graph.query("pattern_findings", pattern="cycles")
    assert (told["finding"], told["subject"], told["score"]) == (row["id"], row["subject"], row["score"])
    assert told["stands_on"].split() == row["edges"] and told["edges"] == 4
    assert as_time(row["end"]).strftime("%Y-%m-%d") == told["ended"][:10]
    assert not len(graph.query("pattern_findings", AsOf(known=before)))
    assert not len(graph.query("pattern_findings", AsOf(valid=as_time(START))))
    assert not len(graph.query("pattern_findings", since="2023-02-01"))


def test_a_finding_and_each_of_its_edges_lead_to_the_run_and_to_the_rows_behind(graph: Graph) -> None:
    (row,) = graph.pattern("cycles", save=True)
    facts = graph.snapshot().facts_of("finding_edge").to_pylist()
    assert [fact["key"].split("|")[2] for fact in sorted(facts, key=lambda fact: fact["value_real"])] == row["edges"]
    for fact in facts:
        proof = graph.explain(fact["statement"]).evidence.rows()
        assert all(one["read_back"] for one in proof)
        assert {one["locator"].partition(":")[0] for one in proof} == {"run", "row"}
    (fact,) = graph.snapshot().facts_of("finding").to_pylist()
    assert repr(row["score"]) in graph.explain(fact["statement"]).evidence.rows()[0]["quote"]


def test_the_same_search_again_writes_nothing_and_finds_its_former_findings_replaced(home: Path) -> None:
    payments = [*CYCLE, *FAN]
    with open_graph(home / "own") as graph:
        graph.ingest(written(home / "first", "first", payments))
        graph.pattern("cycles", save=True)
        head = graph.ledger.head
        told = graph.pattern("cycles", save=True).remarks[-1]
        assert graph.ledger.head == head and f"commit {head}" in told
        then = graph.ledger.instant()[1].known
        (former,) = graph.query("pattern_findings", pattern="cycles")
        graph.ledger.retract(paid(graph, former["stands_on"].split()), RunManifest("test"))
        assert not len(graph.pattern("cycles", save=True))
        assert not len(graph.query("pattern_findings", pattern="cycles"))
        assert len(graph.query("pattern_findings", AsOf(known=then), pattern="cycles")) == 1


def paid(graph: Graph, edges: list[str]) -> list[str]:
    """Claims of payments."""
    told = graph.snapshot().edges
    statements = told.filter(pc.is_in(told["id"], pa.array(edges)))["statement"].combine_chunks()
    alive = graph.ledger.alive()
    claims: list[str] = alive.filter(pc.is_in(alive["statement"], statements))["claim"].to_pylist()
    assert claims
    return claims


def test_a_look_back_and_other_parameters_stand_beside_what_stands_today(graph: Graph) -> None:
    graph.pattern("cycles", save=True)
    graph.pattern("fan_in", save=True)
    for at, params in ((AsOf(published=as_time(START)), {}), (AsOf(valid=as_time(START)), {}), (None, {"days": 1})):
        assert not len(graph.pattern("cycles", at, save=True, **params))
        head = graph.ledger.head
        graph.pattern("cycles", at, save=True, **params)
        assert graph.ledger.head == head, "nothing was found again, and nothing is written"
    assert {row["pattern"] for row in graph.query("pattern_findings")} == {"cycles", "fan_in"}
    look_back = as_time(START) + timedelta(days=300)
    assert len(graph.pattern("cycles", AsOf(valid=look_back), save=True)) == 1
    graph.pattern("cycles", save=True)
    (row,) = graph.query("pattern_findings", pattern="cycles")
    assert len(graph.explain(row["statement"]).evidence.rows()) == 2, "the run of today, and that of the look back"
    runs = [row for row in graph.query("risk_runs", name="cycles") if row["kind"] == "pattern"]
    assert len(runs) == 5 and all(graph.replay(row["run"]).same for row in runs)


def test_a_saved_run_is_replayed_to_the_bit_on_its_own_commit(home: Path, graph: Graph) -> None:
    graph.pattern("cycles", save=True)
    (told,) = graph.query("pattern_findings", pattern="cycles")
    graph.ingest(written(home / "more", "more", [("a", "b", 5.0, 20), ("b", "a", 5.0, 21)]))
    assert graph.replay(told["statement"]).same, "of two runs that found it, either"
    again = graph.replay(told["run"])
    assert again.same and again.kind == "pattern" and again.commit < graph.ledger.head
    assert again.run.startswith(told["run"]) and again.moved == ()


def test_the_command_saves_findings_of_a_graph_and_refuses_to_save_those_of_a_file(home: Path, tmp_path: Path) -> None:
    done = kgrisk_here("patterns", "fan_in", "--save", "--json", "--home", home / "home", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["found"] == 1 and "saved as run" in said["remarks"][-1]
    table = home / "in" / "ring.csv"
    done = kgrisk_here("patterns", "fan_in", "--save", "--payments", table, cwd=tmp_path)
    assert done.returncode == 1 and "a plain file of payments has none" in done.stderr.replace("\n", " ")


def test_nothing_is_saved_for_a_pattern_that_does_not_exist(graph: Graph) -> None:
    head = graph.ledger.head
    with pytest.raises(KgRiskError, match="cyclez"):
        graph.pattern("cyclez", save=True)
    assert graph.ledger.head == head
