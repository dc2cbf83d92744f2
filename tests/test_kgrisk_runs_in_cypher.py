"""What runs of the engine found is read back in Cypher, on both stores, as Python gave it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ingest.locate import locate
from kg.model import AsOf, Claim, ClaimBatch, Evidence, Facts, RunManifest, as_time
from kg.store import GraphStore
from kgrisk.api import Graph
from kgrisk.risk import Risk
from kgrisk.settings import Settings
from queries.catalog import Catalog
from queries.whatif import Scenario
from tests.kgrisk_world import BIG, FIRM, kgrisk_here, write_registers

AT = AsOf(valid=as_time(date(2021, 1, 1)))
OVER = 35.0
"""Losses of the story are 100, 40 and 30: the last lies under it."""
STORY = f"""
name: steel_fails
date: 2021-01-01
narrative: The steel maker fails.
source: made up for this test
shocks: [{{fails: "{FIRM}"}}]
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs-in-cypher")
    with Graph(folder / "home", Settings.load(home=folder / "home")) as graph:
        graph.ingest(write_registers(folder / "files"))
        graph.resolve()
        text = Evidence("0" * 64, "row:1", "said", "model.test@1")
        scores = [Claim(Facts(id, {"distress": 0.1}), text, as_time(date(2020, 6, 1))) for id in (BIG, FIRM)]
        graph.ledger.commit(ClaimBatch.of(scores), RunManifest("train"))
    return folder / "home"


@pytest.fixture(scope="module")
def graph(home: Path) -> Iterator[Graph]:
    with Graph(home, Settings.load(home=home)) as graph:
        yield graph


@pytest.fixture(scope="module")
def losses(graph: Graph) -> Risk:
    risk = graph.risk("eisenberg_noe", FIRM, at=AT, publish=True, draws=50)
    graph.attribution(risk, BIG, publish=True)
    what_if = graph.suppose(Scenario.read(STORY), AT)
    what_if.save(what_if.risk("debtrank"), over=OVER)
    graph.risk("pagerank", FIRM, at=AT, publish=True)
    graph.figure("expected_loss", {"rho": 0.1}, AT, publish=True)
    return risk


@pytest.fixture(scope="module")
def store(graph: Graph, losses: Risk, module_store: GraphStore) -> GraphStore:
    module_store.sync(graph.ledger)
    return module_store


def asked(store: GraphStore, query: str, **params: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = Catalog().run(store, query, params, AT).to_pylist()
    return rows


def run_of(store: GraphStore, name: str, kind: str = "risk") -> str:
    (run,) = {row["run"] for row in asked(store, "risk_runs", name=name) if row["kind"] == kind}
    return str(run)


def minor(amount: float) -> int:
    return int(round(Decimal(repr(float(amount))), 2) * 100)


def test_every_run_is_told_with_its_question_its_commit_and_its_loss(store: GraphStore, losses: Risk) -> None:
    (row,) = [row for row in asked(store, "risk_runs", name="eisenberg_noe") if row["kind"] == "risk"]
    assert (row["scenario"], row["total_minor"], row["currency"]) == (FIRM, minor(losses.total), "EUR")
    assert row["commit"] == losses.snapshot.commit and json.loads(row["question"])["shock"] == FIRM
    kinds = {(row["kind"], row["name"]) for row in asked(store, "risk_runs")}
    assert kinds == {
        ("risk", "eisenberg_noe"), ("attribution", "eisenberg_noe"), ("risk", "debtrank"), ("risk", "pagerank"),
        ("figure", "expected_loss"),
    }  # fmt: skip


def test_losses_are_those_of_python_with_equity_default_and_range(store: GraphStore, losses: Risk) -> None:
    rows = {row["entity"]: row for row in asked(store, "losses_of_run", run=run_of(store, "eisenberg_noe"))}
    found = {row["id"]: row for row in losses.table() if row["loss"] >= 0.01}
    assert rows.keys() == found.keys() and FIRM in rows
    failed = losses.losses.defaults()
    for id, row in rows.items():
        place = losses.losses.exposures.index[id]
        assert row["loss_minor"] == minor(found[id]["loss"]) and row["fails"] == (id in failed)
        assert losses.losses.worth is not None
        assert row["equity_minor"] == minor(losses.losses.worth[0, place])
        assert (row["low_minor"], row["high_minor"]) == (minor(found[id]["low"]), minor(found[id]["high"]))
    assert rows[FIRM]["fails"]


def test_ranks_are_told_as_scores(store: GraphStore) -> None:
    rows = asked(store, "losses_of_run", run=run_of(store, "pagerank"))
    assert rows and sum(row["score"] for row in rows) == pytest.approx(1)
    assert [row["score"] for row in rows] == sorted((row["score"] for row in rows), reverse=True)
    assert {row["loss_minor"] for row in rows} == {None}


def test_a_scenario_is_told_by_kind_of_entity_and_what_is_under_the_threshold_is_not(
    store: GraphStore, graph: Graph, losses: Risk
) -> None:
    rows = asked(store, "scenario_losses", scenario="steel_fails")
    whole = [row["loss"] for row in graph.suppose(Scenario.read(STORY), AT).risk("debtrank").table() if row["loss"] > 0]
    saved = [loss for loss in whole if loss > OVER]
    assert 0 < len(saved) < len(whole)
    assert {row["measure"] for row in rows} == {"debtrank"} and {row["total_minor"] for row in rows} == {
        minor(sum(whole))
    }
    assert sum(row["losing_saved"] for row in rows) == len(saved) and sum(row["failing_saved"] for row in rows) >= 1
    assert sum(row["saved_minor"] for row in rows) == minor(sum(saved))
    (run,) = asked(store, "risk_runs", name="debtrank")
    assert json.loads(run["question"])["over"] == OVER


def test_paths_of_a_loss_are_shares_of_it(store: GraphStore) -> None:
    rows = asked(store, "attribution_of_run", run=run_of(store, "eisenberg_noe"))
    assert {row["entity"] for row in rows} == {BIG} and FIRM in rows[0]["path"]
    assert sum(row["path_minor"] for row in rows) <= rows[0]["loss_minor"] + len(rows)
    assert rows[0]["share"] == pytest.approx(rows[0]["path_minor"] / rows[0]["loss_minor"])
    assert rows == asked(store, "attribution_of_run", run=run_of(store, "eisenberg_noe", "attribution"))


def test_a_published_figure_is_told_by_column(store: GraphStore, graph: Graph) -> None:
    rows = asked(store, "figures_of_run", run=run_of(store, "expected_loss", "figure"), label="Company")
    told = {row["figure"]: row["value"] for row in rows if row["entity"] == FIRM}
    (el,) = [row["el"] for row in graph.figure("expected_loss", {"rho": 0.1}, AT) if row["id"] == FIRM]
    assert told["expected_loss.el"] == pytest.approx(el, rel=1e-12) and json.loads(rows[0]["question"])["params"]


def test_every_claim_of_a_run_reads_back_its_words(graph: Graph, losses: Risk) -> None:
    alive = [row for row in graph.ledger.alive().to_pylist() if row["extractor"].startswith("risk.")]
    assert len(alive) > 20
    for row in alive:
        assert locate(graph.files.get(row["document"]), row["locator"], "risk") == row["quote"]


def test_a_run_is_no_publication_and_no_document_of_a_source(graph: Graph, losses: Risk) -> None:
    said = {row["property"] for row in graph.query("entity_profile", AT, id=f"doc:{runs(graph)[0]}").rows()}
    assert said <= {"label", "run", "run_question", "run_commit", "run_total"}


def runs(graph: Graph) -> list[str]:
    return sorted(id.removeprefix("doc:") for id in graph.snapshot(AT).ids if id.startswith("doc:"))


def test_an_attribution_is_replayed_to_the_bit(graph: Graph, losses: Risk) -> None:
    found = graph.replay(f"path_loss:{BIG}", AT)
    assert found.kind == "attribution" and found.same
    assert graph.replay(found.run[:12]) == replace(found, what=found.run[:12])
    assert graph.replay(f"contagion_loss:{FIRM}", AT).same


@pytest.mark.parametrize(
    ("query", "given", "told"),
    [
        ("losses_of_run", {"run": "abc"}, "no run abc is known; `kgrisk query risk_runs` lists them ("),
        ("figures_of_run", {"run": "abc"}, "no run abc is known"),
        ("pattern_findings", {"pattern": "cycls"}, "no pattern cycls is known; did you mean cycles?"),
        ("scenario_losses", {"scenario": "steel_fail"}, "no scenario steel_fail is known; did you mean steel_fails?"),
        ("risk_runs", {"name": "eisenberg_no"}, "no name eisenberg_no is known; did you mean eisenberg_noe?"),
        ("warnings_of", {"id": "nobody"}, "no entity nobody is known"),
        ("evidence_behind_edge", {"source": BIG, "relation": "OWNS", "target": "X"}, "no entity X is known"),
    ],
)
def test_an_empty_answer_says_what_nobody_knows(
    graph: Graph, losses: Risk, query: str, given: dict[str, str], told: str
) -> None:
    found = graph.query(query, AT, **given)
    assert not len(found) and len(found.remarks) == 1 and found.remarks[0].startswith(told)


def test_a_run_in_capitals_is_told_as_it_is_written_and_a_known_name_needs_no_remark(
    graph: Graph, losses: Risk
) -> None:
    run = next(run for run in (row["run"] for row in graph.query("risk_runs", AT)) if run != run.upper())
    assert f"did you mean {run}?" in graph.query("losses_of_run", AT, run=run.upper()).remarks[0]
    assert graph.query("warnings_of", AT, id=BIG).remarks == ()
    assert graph.replay(run.upper()).run.startswith(run)


def test_the_commands_publish_and_read_back(tmp_path: Path) -> None:
    with Graph(tmp_path / "home", Settings.load(home=tmp_path / "home")) as graph:
        graph.ingest(write_registers(tmp_path / "files"))

    def told(*words: str) -> Any:
        more = ("--home", str(tmp_path / "home"), "--json", "--valid", "2021-01-01")
        found = kgrisk_here(*words, *more, cwd=tmp_path)
        assert found.returncode == 0, found.stderr
        return json.loads(found.stdout)

    risk = told("risk", "eisenberg_noe", "--shock", FIRM, "--publish")
    (row,) = [row for row in told("query", "risk_runs") if row["kind"] == "risk"]
    assert row["total_minor"] == minor(risk["total"]) and risk["run"].startswith(row["run"])
    losses = told("query", "losses_of_run", f"run={row['run']}")
    assert kgrisk_here(
        "query", "warnings_of", "id=nobody", "--home", tmp_path / "home", cwd=tmp_path
    ).stderr.startswith("no entity nobody is known")
    assert [row["entity"] for row in losses] == [row["id"] for row in risk["losses"]]
    paths = told("attribute", "--shock", FIRM, "--entity", BIG, "--publish")
    (row,) = [row for row in told("query", "risk_runs") if row["kind"] == "attribution"]
    of = json.loads(row["question"])["of"]
    assert paths["run"].startswith(row["run"])
    supposed = told("suppose", "banks_lose_three_tenths", "--measure", "debtrank", "--save")["run"]
    assert supposed[:12] in {row["run"] for row in told("query", "risk_runs", "name=debtrank")}
    assert told("query", "attribution_of_run", f"run={of}")[0]["entity"] == BIG
