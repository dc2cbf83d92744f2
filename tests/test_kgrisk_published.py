"""What is said about a graph by models and by people at the door: cut, links, scores, judgements taken back, losses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

import kgrisk
from kg.errors import KgRiskError, MeasureError
from kg.model import Claim, ClaimBatch, Edge, Evidence, Facts, Node, RunManifest
from kgrisk import published
from kgrisk.api import Graph
from kgrisk.settings import Settings
from tests.kgrisk_world import BIG, FIRM, SMALL, kgrisk_here, write_registers

CUT = datetime(2019, 6, 1, tzinfo=UTC)
WRITTEN = "name:steel works sa"


def of_a_model(graph: Graph, *said: Edge | Facts) -> None:
    """Claims as a training run of this moment writes them."""
    run = RunManifest("train", {"rows": [repr(what) for what in said]})
    document = graph.files.put(run.to_bytes())
    made = [
        Claim(what, Evidence(document, f"run:{run.id} row:{n}", repr(what), "model.relational@1", 0.9), CUT, CUT)
        for n, what in enumerate(said)
    ]
    graph.ledger.commit(ClaimBatch.of(made), run)


def expected(source: str, target: str, score: float) -> Edge:
    return Edge("PREDICTED", source, target, {"score": score, "role": "LENDS_TO"}, key="LENDS_TO")


def of_a_newspaper(graph: Graph) -> None:
    """A firm that is no more than a name, written like one in the registers."""
    document = graph.files.put(b"Steel Works SA has a new owner.")
    evidence = Evidence(document, "chars:0-14", "Steel Works SA", "news.names@1", 0.9)
    claim = Claim(Node("Company", WRITTEN, {"name": "Steel Works SA"}), evidence, datetime(2020, 1, 1, tzinfo=UTC))
    graph.ledger.commit(ClaimBatch.of([claim]), RunManifest("ingest", {"file": "article"}))


@pytest.fixture
def graph(tmp_path: Path) -> Iterator[Graph]:
    home = tmp_path / "home"
    with kgrisk.open(home, settings=Settings.load(store=f"arcadedb://{home / 'store'}")) as made:
        made.ingest(write_registers(tmp_path / "inputs"))
        yield made


def test_the_cut_is_a_year_before_a_source_last_published_whatever_was_judged_or_scored_since(graph: Graph) -> None:
    last_balance = datetime(2019, 2, 21, tzinfo=UTC)  # the end of the day the register gives
    assert graph.default_cut() == last_balance
    of_a_newspaper(graph)
    assert graph.resolve().judgements == 1
    graph.forbid(BIG, SMALL)
    of_a_model(graph, Facts(FIRM, {"distress": 0.2}))
    graph.risk("eisenberg_noe", BIG, publish=True)
    latest = max(row["published"] for row in graph.ledger.alive().to_pylist())
    assert latest.year >= 2026, "the judgements are dated by the clock of this machine"
    assert graph.default_cut() == last_balance


def test_the_cut_of_a_ledger_that_no_source_filled_is_an_error(tmp_path: Path) -> None:
    with kgrisk.open(tmp_path, store=f"arcadedb://{tmp_path / 'store'}") as graph, pytest.raises(KgRiskError) as told:
        graph.default_cut()
    assert "is empty; run `kgrisk ingest" in str(told.value)


def test_a_cut_after_all_that_sources_published_is_refused_with_the_range_there_is(graph: Graph) -> None:
    first, last = published.span(graph.ledger.alive()) or (CUT, CUT)
    told = f"cut 2099-01-01 is after all.*from {first:%Y-%m-%d} to {last:%Y-%m-%d}: nothing would be left to test on"
    with pytest.raises(KgRiskError, match=told):
        graph.train("2099-01-01")
    with pytest.raises(KgRiskError, match=told):
        graph.compare_fusions("2099-01-01")
    assert published.testable(graph.ledger.alive(), last) == last and first < last
    of_a_model(graph, Facts(FIRM, {"distress": 0.2}))
    graph.forbid(BIG, SMALL)
    assert published.span(graph.ledger.alive()) == (first, last), "judgements and scores are no news of the world"


def test_a_predicted_link_is_listed_until_a_source_states_it(graph: Graph) -> None:
    of_a_model(graph, expected(BIG, FIRM, 0.9), expected(SMALL, FIRM, 0.7))
    assert [(row["source"], row["target"], row["score"]) for row in graph.predict_links(at="2019-07-01")] == [
        (BIG, FIRM, 0.9),
        (SMALL, FIRM, 0.7),
    ], "the loan of the big bank runs from 2020 only"
    (row,) = graph.predict_links("LENDS_TO").rows()
    assert (row["source_name"], row["target_name"], row["score"]) == ("Small Bank plc", "Steel Works SA", 0.7)
    asked = graph.query("top_predicted_links", relation="LENDS_TO").rows()
    assert [(r["source"], r["target"]) for r in asked] == [(SMALL, FIRM)], "the named query says the same"
    with pytest.raises(KgRiskError, match="no predicted OWNS that no source states"):
        graph.predict_links("OWNS")


def test_links_and_scores_are_commands(graph: Graph, tmp_path: Path) -> None:
    of_a_model(graph, expected(SMALL, FIRM, 0.7), Facts(FIRM, {"distress": 0.25}), Facts(BIG, {"distress": 0.5}))
    done = kgrisk_here("links", "LENDS_TO", "--home", "home", "--json", cwd=tmp_path)
    (link,) = json.loads(done.stdout)
    assert (link["source"], link["target"], link["score"]) == (SMALL, FIRM, 0.7)
    done = kgrisk_here("scores", "--home", "home", "--json", cwd=tmp_path)
    assert [(row["id"], row["distress"]) for row in json.loads(done.stdout)] == [(BIG, 0.5), (FIRM, 0.25)]
    assert "Small Bank plc" in kgrisk_here("links", "--home", "home", cwd=tmp_path).stdout
    done = kgrisk_here("scores", "charm", "--home", "home", cwd=tmp_path)
    assert done.returncode == 1 and "no 'charm' score" in done.stderr


def test_a_judgement_taken_back_makes_two_of_one_until_it_is_judged_again(graph: Graph) -> None:
    of_a_newspaper(graph)
    graph.resolve()
    assert WRITTEN not in graph.snapshot().index
    head = graph.ledger.head
    assert graph.undo(WRITTEN, FIRM) == head + 1
    assert {WRITTEN, FIRM} <= set(graph.snapshot().index)
    assert graph.resolve().judgements == 1 and WRITTEN not in graph.snapshot().index


def test_two_ids_that_may_not_be_one_stay_two(graph: Graph) -> None:
    of_a_newspaper(graph)
    graph.resolve()
    graph.forbid(WRITTEN, FIRM)
    assert {WRITTEN, FIRM} <= set(graph.snapshot().index)
    assert graph.resolve().judgements == 0 and WRITTEN in graph.snapshot().index


def test_what_was_never_joined_or_never_seen_is_refused(graph: Graph) -> None:
    head = graph.ledger.head
    with pytest.raises(KgRiskError, match="no alive judgement says"):
        graph.undo(BIG, SMALL)
    with pytest.raises(KgRiskError, match="has no lei:nobody; take ids"):
        graph.forbid(BIG, "lei:nobody")
    assert graph.ledger.head == head


def test_judgements_are_taken_back_from_the_command_line(graph: Graph, tmp_path: Path) -> None:
    of_a_newspaper(graph)
    resolve = ("resolve", "--home", "home", "--json")
    assert json.loads(kgrisk_here(*resolve, cwd=tmp_path).stdout)["judgements"] == 1
    undone = json.loads(kgrisk_here(*resolve, "--undo", WRITTEN, FIRM, cwd=tmp_path).stdout)
    assert undone["undone"] == [WRITTEN, FIRM]
    assert json.loads(kgrisk_here(*resolve, cwd=tmp_path).stdout)["judgements"] == 1
    forbidden = json.loads(kgrisk_here(*resolve, "--forbid", WRITTEN, FIRM, cwd=tmp_path).stdout)
    assert forbidden["commit"] > undone["commit"]
    assert json.loads(kgrisk_here(*resolve, cwd=tmp_path).stdout)["judgements"] == 0
    both = kgrisk_here(*resolve, "--undo", WRITTEN, FIRM, "--forbid", WRITTEN, FIRM, cwd=tmp_path)
    assert both.returncode == 2


def test_losses_that_are_published_are_answered_by_cypher(graph: Graph, tmp_path: Path) -> None:
    ask = (
        "MATCH (n:Entity {id: $id})-[r:HAS_SCORE {property: 'contagion_loss'}]->(s:Score) "
        "RETURN s.amount AS loss, s.currency AS currency"
    )
    loss = graph.risk("eisenberg_noe", BIG).table()["loss"]
    assert graph.cypher(ask, id=SMALL).rows() == [], "without being told to, a question writes nothing"
    graph.risk("eisenberg_noe", BIG, publish=True)
    (row,) = graph.cypher(ask, id=SMALL).rows()
    assert row["currency"] == "EUR" and row["loss"] == pytest.approx(min(loss), abs=0.01)
    head = graph.ledger.head
    done = kgrisk_here("risk", "eisenberg_noe", "--shock", SMALL, "--publish", "--home", "home", cwd=tmp_path)
    assert done.returncode == 0 and f"commit {head + 1}" in done.stderr


def test_a_shock_of_more_than_all_is_refused_and_a_part_of_what_lies_outside_is_taken(graph: Graph) -> None:
    with pytest.raises(MeasureError, match=r"=7: a fraction lies from 0 to 1; write 0\.3 for 30 %"):
        graph.risk("eisenberg_noe", {BIG: 7.0})
    assert graph.risk("eisenberg_noe", {BIG: 0.7}, kind="external").total > 0


def test_the_kind_of_a_shock_is_an_option(graph: Graph, tmp_path: Path) -> None:
    ask = ("risk", "eisenberg_noe", "--shock", f"{BIG}=0.5", "--home", "home", "--json")
    equity = json.loads(kgrisk_here(*ask, cwd=tmp_path).stdout)
    external = json.loads(kgrisk_here(*ask, "--kind", "external", cwd=tmp_path).stdout)
    # half of the equity of 20 is lost outside; half of the external assets of 120 is six times that
    assert {r["id"]: r["direct"] for r in equity["losses"]}[BIG] == pytest.approx(10)
    assert external["total"] > equity["total"]
    assert kgrisk_here(*ask, "--kind", "weather", cwd=tmp_path).returncode == 2


def test_a_shock_that_nobody_passes_on_has_no_steps(graph: Graph) -> None:
    risk = graph.risk("eisenberg_noe", f"{SMALL}=0.1")
    assert risk.path() is None and risk.steps(risk.path()) == []
