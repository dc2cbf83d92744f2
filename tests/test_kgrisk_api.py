"""The Python API on a small graph, without training."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import networkx as nx
import pytest

import kgrisk
from kg.errors import CatalogError, KgRiskError, MeasureError, QueryError
from kg.model import AsOf, RunManifest
from kgrisk.api import Graph, instant
from kgrisk.settings import Settings
from tests.kgrisk_world import BIG, FIRM, SMALL, clean_environment, write_registers


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Graph]:
    folder = tmp_path_factory.mktemp("api")
    write_registers(folder / "inputs")
    settings = Settings.load(store=f"arcadedb://{folder / 'home' / 'store'}")
    with kgrisk.open(folder / "home", settings=settings) as made:
        report = made.ingest(folder / "inputs")
        assert report.committed and report.claims > 20
        yield made


def test_importing_kgrisk_loads_nothing_heavy() -> None:
    program = (
        "import sys, kgrisk; print([m for m in ('torch', 'spacy', 'duckdb', 'pyarrow', 'jpype') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], env=clean_environment(), capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


def test_a_question_of_analysts_loads_no_tensor_library_and_nothing_of_neo4j() -> None:
    heavy = ("torch", "sentence_transformers", "neo4j", "pandas", "networkx", "scipy.optimize", "matplotlib")
    program = f"import sys, kgrisk.cli; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], env=clean_environment(), capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


def test_the_store_is_filled_on_the_first_question_and_not_again(graph: Graph) -> None:
    mark = graph.store.mark
    assert mark is not None and mark.commit == graph.ledger.head
    assert graph.sync() is None, "nothing new, nothing to do"


def test_a_commit_is_seen_by_the_next_question(tmp_path: Path) -> None:
    settings = Settings.load(store=f"arcadedb://{tmp_path / 'home' / 'store'}")
    with kgrisk.open(tmp_path / "home", settings=settings) as graph:
        graph.ingest(write_registers(tmp_path / "inputs"))
        ask = {"id": SMALL}
        assert len(graph.query("exposure_by_counterparty", **ask)) == 1
        loans = graph.ledger.alive().to_pylist()
        claims = [
            row["claim"] for row in loans if row["kind"] == "edge" and row["subject"] == SMALL and row["object"] == BIG
        ]
        before = graph.ledger.known(graph.ledger.head)
        graph.ledger.retract(claims, RunManifest("correct"))
        assert len(graph.query("exposure_by_counterparty", **ask)) == 0
        assert len(graph.query("exposure_by_counterparty", at=AsOf(known=before), **ask)) == 1


def test_cypher_sees_the_clocks_and_cannot_write(graph: Graph) -> None:
    text = (
        "MATCH (a:Entity)-[r:LENDS_TO]->(b:Entity) WHERE r.valid_from <= $valid AND r.valid_to > $valid "
        "AND a.id = $id RETURN b.id AS debtor"
    )
    assert graph.cypher(text, id=BIG).rows() == [{"debtor": FIRM}]
    assert graph.cypher(text, at="2019-06-30", id=BIG).rows() == []
    with pytest.raises(QueryError):
        graph.cypher("MATCH (n:Entity) DETACH DELETE n")
    assert graph.cypher(text, id=BIG).rows() == [{"debtor": FIRM}]


def test_a_named_query_with_a_wrong_parameter_never_reaches_the_store(graph: Graph) -> None:
    with pytest.raises(CatalogError, match="unknown"):
        graph.query("exposure_by_counterparty", id=SMALL, colour="red")


def test_losses_are_the_worked_example(graph: Graph) -> None:
    risk = graph.risk("eisenberg_noe", BIG)
    losses = {row["id"]: row for row in risk.table()}
    # the big bank is left with its claim of 40 and owes 140, of it 100 to the small bank
    assert losses[SMALL]["loss"] == pytest.approx(100 * (1 - 40 / 140))
    assert losses[SMALL]["name"] == "Small Bank plc" and risk.unit == "EUR"
    assert [row["id"] for row in risk.table("Bank")] == [BIG, SMALL]
    path = risk.path()
    assert path is not None and path.entities == (SMALL, BIG)
    (step,) = risk.steps(path)
    assert (step["debtor_name"], step["creditor_name"], step["amount"]) == ("Big Bank AG", "Small Bank plc", 100)
    assert risk.path(hops=2) is None
    assert risk.adds_up() < 1e-9


def test_a_shock_is_a_graph_from_debtor_to_creditor(graph: Graph) -> None:
    network = graph.risk("eisenberg_noe", BIG).to_networkx()
    assert isinstance(network, nx.MultiDiGraph) and list(network.edges()) == [(BIG, SMALL)]
    assert network.nodes[SMALL]["loss"] > 0


def test_scores_that_were_never_published_cannot_be_a_shock(graph: Graph) -> None:
    with pytest.raises(MeasureError, match="train"):
        graph.risk("debtrank", "score:distress")
    with pytest.raises(KgRiskError, match="train first"):
        graph.scores()
    with pytest.raises(KgRiskError, match="train first"):
        graph.predict_links()


def test_an_unknown_measure_is_refused_with_the_known_ones(graph: Graph) -> None:
    with pytest.raises(KgRiskError, match="did you mean debtrank"):
        graph.risk("debtrnk", BIG)


def test_evidence_is_found_for_a_row_of_a_result(graph: Graph) -> None:
    risk = graph.risk("eisenberg_noe", BIG)
    path = risk.path()
    assert path is not None
    told = graph.explain(risk.steps(path)[0])
    (row,) = told.evidence.rows()
    assert row["read_back"] and row["locator"] == "row:2" and row["extractor"].startswith("registers.")
    assert (
        told.what["published"] == datetime(2020, 2, 2, tzinfo=UTC) and told.what["known_from"] > told.what["published"]
    )


def test_evidence_that_was_changed_no_longer_reads_back(tmp_path: Path) -> None:
    with kgrisk.open(tmp_path / "home", store=f"arcadedb://{tmp_path / 'home' / 'store'}") as graph:
        graph.ingest(write_registers(tmp_path / "inputs"))
        document = graph.explain(f"equity:{BIG}").evidence["document"][0]
        file = graph.files.path(document)
        file.chmod(0o644)
        file.write_bytes(file.read_bytes().replace(b"20.00", b"99.00"))
        (row,) = graph.explain(f"equity:{BIG}").evidence.rows()
    assert row["read_back"] is False and "was changed" in row["note"]


def test_a_statement_that_no_longer_holds_is_still_explained(graph: Graph) -> None:
    statement = next(r["statement"] for r in graph.ledger.alive().to_pylist() if r["object"] == FIRM)
    told = graph.explain(statement, at="2010-01-01")
    assert told.what["type"] == "LENDS_TO" and told.evidence.rows()[0]["read_back"]


def test_a_snapshot_becomes_a_networkx_graph(graph: Graph) -> None:
    network = graph.snapshot().to_networkx("LENDS_TO")
    assert set(network.edges()) == {(BIG, FIRM), (SMALL, BIG)}
    assert graph.snapshot("2019-01-01").to_networkx("LENDS_TO").number_of_edges() == 0


def test_an_instant_is_a_day_a_time_or_three_clocks() -> None:
    day = datetime(2024, 2, 3, tzinfo=UTC)
    assert instant("2024-02-03") == instant(date(2024, 2, 3)) == instant(day) == AsOf(valid=day)
    assert instant(None) == AsOf() and instant(AsOf(known=day)) == AsOf(known=day)
    with pytest.raises(KgRiskError, match="is no date"):
        instant("soon")


def test_a_small_graph_says_why_it_cannot_be_learned_from(tmp_path: Path) -> None:
    with kgrisk.open(tmp_path / "home", store=f"arcadedb://{tmp_path / 'home' / 'store'}") as graph:
        with pytest.raises(KgRiskError, match="is empty"):
            graph.train()
        assert json.loads((tmp_path / "home" / "ledger" / "ledger.json").read_text())["uuid"] == graph.ledger.uuid


def test_training_without_its_extra_says_what_to_install() -> None:
    program = (
        "import sys; sys.modules['torch'] = None\n"
        "from kgrisk.extras import learning\n"
        "from kg.errors import MissingExtraError\n"
        "try:\n    learning()\nexcept MissingExtraError as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], env=clean_environment(), capture_output=True, text=True)
    assert "'torch'" in done.stdout and "pip install 'kgrisk[learn]'" in done.stdout, done.stderr


def test_a_question_by_an_id_that_was_merged_says_which_id_to_ask_for(tmp_path: Path) -> None:
    lei, plain = "lei:5493001KJTIIGC8Y1R12", "name:acme steel holdings ltd"
    entities = [f"{lei},Company,Acme Steel Holdings Ltd", f"{plain},Company,Acme Steel Holdings Ltd", "name:b,Bank,B"]
    loan = f"name:b,{plain},5,EUR,a,2023-01-01,,2023-02-01"
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "entities.csv").write_text("\n".join(["id,label,name", *entities]))
    (tmp_path / "in" / "exposures.csv").write_text(
        f"creditor_id,debtor_id,amount,currency,facility,valid_from,valid_to,published\n{loan}\n"
    )
    with kgrisk.open(tmp_path / "home", settings=Settings.load(store=f"arcadedb://{tmp_path / 'store'}")) as graph:
        graph.ingest(tmp_path / "in")
        assert len(graph.query("hit_if_fails", id=plain, currency="EUR")) == 1
        graph.resolve()
        found = graph.query("hit_if_fails", id=plain, currency="EUR")
        assert not len(found) and found.remarks == (f"{plain} was merged into {lei}: ask for that id",)
        assert len(graph.query("hit_if_fails", id=lei, currency="EUR")) == 1
