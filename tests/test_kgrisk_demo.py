"""The demo as a user runs it: one process, offline, from an empty folder to a report."""

from __future__ import annotations

import json
import re
import shlex
import urllib.request
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from shutil import copytree
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from kgrisk import open as kgrisk_open
from kgrisk.api import Graph
from kgrisk.doctor import SAMPLE
from kgrisk.refresh import runs
from kgrisk.relearning import STANDS
from kgrisk.settings import Settings
from tests.kgrisk_world import kgrisk, served
from tests.test_first_hour import hour

Run = dict[str, Any]
CUT = date(2023, 1, 1)
CLOCKS = (
    "{0}.valid_from <= $valid AND {0}.valid_to > $valid AND {0}.known_from <= $known AND {0}.known_to > $known "
    "AND {0}.published <= $published AND {0}.published_to > $published"
)


def clocks(*relationships: str) -> str:
    """The three clocks of every relationship of a Cypher text."""
    return " AND ".join(CLOCKS.format(name) for name in relationships)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, object], str]:
    """Folder, facts and what was told of one run."""
    folder = tmp_path_factory.mktemp("demo")
    done = kgrisk("demo", "--home", "home", "--out", "report.html", "--json", cwd=folder)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder, json.loads(done.stdout), done.stderr


@pytest.mark.slow
def test_the_demo_reads_the_sample_and_quarantines_what_is_bad_in_it(ran: tuple[Path, dict, str]) -> None:
    _, facts, told = ran
    read = facts["reading"]
    given = {name: count for name, count in read["sources"].items() if count["records"]}
    assert set(given) == {"filings", "images", "news", "registers", "trades"}
    assert all(count["claims"] for count in given.values())
    refused = {(row["path"].partition("#")[0], row["locator"]) for row in read["quarantined"]}
    assert ("registers/exposures.csv", "row:2719") in refused and ("images/torn.png") in {path for path, _ in refused}
    assert "desk_code" in told and "went into quarantine" in told


@pytest.mark.slow
def test_the_demo_builds_a_graph_of_the_size_promised(ran: tuple[Path, dict, str]) -> None:
    graph = ran[1]["graph"]
    ever = {row["kind"]: row["count"] for row in graph["ever_nodes"]}
    assert sum(ever.values()) >= 300 and ever["Company"] >= 200 and ever["Bank"] >= 20
    assert sum(row["count"] for row in graph["ever_edges"]) >= 2500
    assert graph["commits"] >= 2 and ran[1]["resolution"]["judgements"] > 100


@pytest.mark.slow
def test_the_demo_tells_extraction_on_held_out_forms_and_learning_beside_baselines(ran: tuple[Path, dict, str]) -> None:
    _, facts, told = ran
    forms = {(row["forms"], row["relation"]): row for row in facts["extraction"]}
    every, held_out = forms["all", "all"], forms["held out", "all"]
    assert every["precision"] >= 0.9 and every["recall"] >= 0.75, every
    assert held_out["said"] >= 50 and held_out["recall"] >= 0.4, held_out
    metrics = {(m["task"], m["model"], m["metric"]): m for m in facts["learning"]["metrics"]}
    for model in ("relational", "structure", "frequency"):
        mrr = metrics["links", model, "mrr"]
        assert mrr["low"] <= mrr["value"] <= mrr["high"] and mrr["count"] >= 200
    assert {("risk", "base_rate", "brier"), ("risk", "logistic", "auprc")} <= set(metrics)
    assert {row["modality"] for row in facts["learning"]["modalities"]} == {"text", "image", "numeric"}
    assert facts["learning"]["remarks"] and all(
        remark in told.replace("\n", " ") for remark in facts["learning"]["remarks"][:1]
    )
    assert facts["learning"]["links"] and all(link["hops"] for link in facts["learning"]["links"])


@pytest.mark.slow
def test_the_best_possible_is_told_of_the_firms_that_the_model_was_tested_on(ran: tuple[Path, dict, str]) -> None:
    _, facts, told = ran
    learning, top = facts["learning"], facts["learning"]["ceiling"]
    figures = {m["metric"]: m for m in learning["metrics"] if (m["task"], m["model"]) == ("risk", "base_rate")}
    assert top["firms"] == figures["auprc"]["count"]
    # the base rate ranks nobody above anybody, so its AUPRC is the share of firms that were hit: by the same outcomes
    assert top["base_rate"] == pytest.approx(figures["auprc"]["value"], abs=1e-3)
    assert f"AUPRC {top['auprc']:.3f} and Brier {top['brier']:.4f}" in " ".join(told.split())
    assert top["brier"] < figures["brier"]["value"] and top["auprc"] > 3 * top["base_rate"]


@pytest.mark.slow
def test_the_demo_tells_losses_in_money_that_add_up(ran: tuple[Path, dict, str]) -> None:
    failure, scores = ran[1]["shocks"]["told"]
    for one in (failure, scores):
        assert one["unit"] == "EUR" and one["total"] > 0 and len(one["banks"]) >= 3 and one["paths"]
        assert one["adds_up"] <= 1e-9 * max(one["total"], 1)
        assert one["total"] >= one["total_stated"], "predicted loans can only add losses to the same shock"
    assert failure["paths"][0]["steps"][0]["statement"]


@pytest.mark.slow
def test_the_demo_asks_three_questions_and_says_how_the_stores_compare(ran: tuple[Path, dict, str]) -> None:
    queries = ran[1]["queries"]
    assert len(queries["asked"]) == 3 and all(query["count"] > 0 for query in queries["asked"])
    if queries["neo4j"]["compared"]:
        assert all(query["difference"] == "" and query["neo4j_seconds"] > 0 for query in queries["asked"])
        assert "equal row by row" in ran[2]
    else:
        assert queries["neo4j"]["reason"] and "Neo4j was left out" in ran[2]


@pytest.mark.slow
def test_the_second_delivery_brings_every_other_kind_of_input(ran: tuple[Path, dict, str]) -> None:
    _, facts, said = ran
    found = facts["delivery"]
    kinds = {row["source"] for row in found["sources"]}
    assert kinds >= {
        "audio",
        "video",
        "pdf",
        "news",
        "gleif",
        "bods",
        "ftm",
        "sanctions",
        "market",
        "trades",
        "identities",
    }
    assert all(row["claims"] and row["says, for one"] and row["in these words"] for row in found["sources"])
    assert sum(row["right"] for row in found["planted"]) >= 0.8 * len(found["planted"])
    assert found["edges"]["after"] > found["edges"]["before"]
    assert "10. A second delivery" in said


@pytest.mark.slow
def test_the_demo_looks_ahead_and_its_parts_add_up(ran: tuple[Path, dict, str]) -> None:
    found, told = ran[1]["foresight"], ran[2]
    assert found["reverse"]["smallest"] and found["replay"]["same"]
    assert found["scenario"]["total"] > found["scenario"]["direct"] > 0
    assert sum(row["share"] for row in found["why"]["rows"]) == pytest.approx(1.0)
    assert found["warning"]["alerts"] and "8. What could happen" in told and "the same to the bit" in told


@pytest.mark.slow
def test_the_demo_ends_by_saying_how_to_open_the_page_and_that_page_knows_who_is_shown(
    ran: tuple[Path, dict, str],
) -> None:
    folder, facts, told = ran
    page = facts["page"]
    assert "Open the page" in told and page["command"] in told and page["link"] in told
    shown = dict(parse_qsl(urlsplit(page["link"]).fragment))
    command, *words = shlex.split(page["command"])
    assert command == "kgrisk"
    with served(*words, cwd=folder) as address:
        with urllib.request.urlopen(address) as answer:
            assert b"<title>kgrisk</title>" in answer.read()
        with urllib.request.urlopen(f"{address}/v1/entities/{shown['root']}?valid={shown['valid']}") as answer:
            assert json.load(answer)["name"] == facts["shocks"]["culprit"]["name"]


@pytest.mark.slow
def test_the_demo_opened_no_socket_off_this_machine_and_measured_every_stage(ran: tuple[Path, dict, str]) -> None:
    _, facts, told = ran
    assert facts["sockets"]["refused"] == facts["sockets"]["outside"] == 0
    assert "Sockets off this machine: 0 (asserted)" in told
    names = [stage["name"] for stage in facts["stages"]]
    assert names == [
        "reading",
        "resolution",
        "graph",
        "extraction",
        "learning",
        "shocks",
        "foresight",
        "queries",
        "delivery",
    ]
    assert all(stage["seconds"] > 0 and stage["peak_mb"] > 50 for stage in facts["stages"])


@pytest.mark.slow
def test_the_report_is_one_page_that_loads_nothing(ran: tuple[Path, dict, str]) -> None:
    page = (ran[0] / "report.html").read_text("utf-8")
    sources = re.findall(r"""(?:src|href)\s*=\s*["']([^"']*)""", page) + re.findall(r"url\(([^)]*)\)", page)
    assert len(sources) >= 5 and all(source.startswith("data:image/png;base64,") for source in sources)
    assert "<script" not in page and "@import" not in page
    assert "Every company here is fictional" in page and "Falkkamp Kreditbank AG" in page


@pytest.mark.slow
def test_an_analysts_first_hour_can_be_typed_and_the_score_passes_the_gate_of_fairness(
    ran: tuple[Path, dict, str], tmp_path: Path
) -> None:
    copytree(ran[0] / "home", tmp_path / "demo-home")
    hour(tmp_path)


@pytest.mark.slow
def test_what_the_demo_published_can_be_asked_for_afterwards(ran: tuple[Path, dict, str]) -> None:
    home, at = ran[0] / "home", "2023-03-31"
    with kgrisk_open(home, store=f"arcadedb://{home / 'store'}") as graph:
        links = graph.predict_links("LENDS_TO", at)
        assert len(links) > 0 and links["score"] == sorted(links["score"], reverse=True)
        worst = graph.scores(at=at).rows()[0]
        for asked in (links.rows()[0], f"distress:{worst['id']}"):
            told = graph.explain(asked, at)
            assert told.evidence.rows()[0]["read_back"] and told.run["kind"] == "train"
        vectors = graph.embeddings(at)
        assert len(vectors) > 300 and len({len(vector) for vector in vectors["vector"]}) == 1
        near = graph.nearest(worst["id"], 5, at=at).rows()
        assert len(near) == 5 and worst["id"] not in {row["id"] for row in near}
        assert near[0]["score"] >= near[-1]["score"] and all(row["name"] for row in near)


@pytest.fixture(scope="module")
def refreshed(ran: tuple[Path, dict, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Graph, Run]]:
    """The graph of the demo, in a home of its own, after one refresh, and the run file of that."""
    home = tmp_path_factory.mktemp("refresh") / "home"
    copytree(ran[0] / "home", home)
    settings = Settings.load(store=f"arcadedb://{home / 'store'}", cut=CUT, epochs=2, currency="EUR")
    with kgrisk_open(home, settings=settings) as graph:
        yield graph, graph.refresh(SAMPLE)


@pytest.mark.slow
def test_a_refresh_of_a_graph_that_can_be_learned_from_goes_through_to_the_end(refreshed: tuple[Graph, Run]) -> None:
    graph, run = refreshed
    (on_disk,) = [told.content for told in runs(graph.home / "runs")]
    assert on_disk["state"] == run["state"] == "done" and on_disk["skipped"] == {"train": STANDS}
    assert [stage["name"] for stage in on_disk["stages"]] == ["ingest", "resolve", "score", "risk", "monitor", "sync"]
    assert on_disk["commit"] == on_disk["head"] == graph.ledger.head
    assert on_disk["risk"]["unit"] == "EUR" and on_disk["risk"]["total"] > 0
    mark = graph.store.mark
    assert mark is not None and mark.commit == graph.ledger.head


@pytest.mark.slow
def test_what_a_refresh_made_is_answered_by_cypher_beside_what_it_was_made_from(refreshed: tuple[Graph, Run]) -> None:
    graph, run = refreshed
    rows = graph.cypher(
        "MATCH (n:Entity)-[e:HAS_FACT]->(f:Fact), (n)-[d:HAS_SCORE]->(s:Score), (n)-[c:HAS_SCORE]->(l:Score), "
        "(n)-[v:HAS_EMBEDDING]->(m:Embedding) WHERE e.property = 'equity' AND d.property = 'distress' "
        f"AND c.property = 'contagion_loss' AND {clocks('e', 'd', 'c', 'v')} "
        "RETURN n.id AS id, f.currency AS currency, f.amount AS equity, s.number AS distress, l.amount AS loss, "
        "c.document AS losses, v.document AS run, size(m.vector) AS numbers ORDER BY id, f.key"
    ).rows()
    scores = {row["id"]: row["distress"] for row in graph.scores()}
    told = {row["id"]: row for row in graph.risk().table()}
    commits = {run: json.loads(graph.files.get(run))["details"]["commit"] for run in {row["losses"] for row in rows}}
    rows = [row for row in rows if commits[row["losses"]] == max(commits.values())]  # the demo has published a run too
    assert len({row["id"] for row in rows}) > 150
    for row in rows:
        assert row["distress"] == scores[row["id"]] and row["loss"] == pytest.approx(told[row["id"]]["loss"], abs=0.01)
        assert (
            row["run"] == run["score"]["champion"] and row["losses"] != run["score"]["champion"] and row["numbers"] > 8
        )
        assert row["equity"] is not None and row["currency"]


@pytest.mark.slow
def test_a_link_that_a_refresh_predicts_is_answered_beside_the_loans_of_its_ends(refreshed: tuple[Graph, Run]) -> None:
    graph, run = refreshed
    rows = graph.cypher(
        "MATCH (a:Entity)-[p:PREDICTED]->(b:Entity)-[d:HAS_SCORE]->(s:Score), (x:Entity)-[q:LENDS_TO]->(b) "
        f"WHERE p.key = 'LENDS_TO' AND d.property = 'distress' AND {clocks('p', 'd', 'q')} "
        "RETURN p.id AS edge, p.document AS run, p.score AS score, s.number AS distress, count(q) AS loans "
        "ORDER BY edge"
    ).rows()
    assert len(rows) >= 5 and {row["run"] for row in rows} == {run["score"]["champion"]}
    assert all(0 < row["score"] <= 1 and 0 < row["distress"] < 1 and row["loans"] >= 1 for row in rows)
    assert {row["edge"] for row in graph.predict_links("LENDS_TO")} & {row["edge"] for row in rows}


@pytest.mark.slow
def test_a_second_refresh_of_the_same_files_says_that_nothing_is_new(refreshed: tuple[Graph, Run]) -> None:
    graph, run = refreshed
    again = graph.refresh(SAMPLE)
    assert again["state"] == "done" and again["ingest"]["committed"] is False
    assert set(again["skipped"]) == {"train", "score", "risk"} and "nothing new" in again["skipped"]["train"]
    assert graph.ledger.head == run["head"]
