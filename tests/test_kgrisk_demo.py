"""The demo as a user runs it: one process, offline, from an empty folder to a report."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from kg.errors import KgRiskError
from kgrisk import open as kgrisk_open
from kgrisk.demo import MARK, fresh
from kgrisk.findings import difference
from kgrisk.result import Result
from tests.kgrisk_world import kgrisk


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
    assert set(read["sources"]) == {"filings", "images", "news", "registers", "trades"}
    assert all(source["claims"] for source in read["sources"].values())
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
    assert 0 < forms["held out", "all"]["precision"] <= 1 and forms["held out", "all"]["said"] >= 50
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
def test_the_demo_opened_no_socket_off_this_machine_and_measured_every_stage(ran: tuple[Path, dict, str]) -> None:
    _, facts, told = ran
    assert facts["sockets"]["refused"] == facts["sockets"]["outside"] == 0
    assert "Sockets off this machine: 0 (asserted)" in told
    names = [stage["name"] for stage in facts["stages"]]
    assert names == ["reading", "resolution", "graph", "extraction", "learning", "shocks", "queries"]
    assert all(stage["seconds"] > 0 and stage["peak_mb"] > 50 for stage in facts["stages"])


@pytest.mark.slow
def test_the_report_is_one_page_that_loads_nothing(ran: tuple[Path, dict, str]) -> None:
    page = (ran[0] / "report.html").read_text("utf-8")
    sources = re.findall(r"""(?:src|href)\s*=\s*["']([^"']*)""", page) + re.findall(r"url\(([^)]*)\)", page)
    assert len(sources) >= 5 and all(source.startswith("data:image/png;base64,") for source in sources)
    assert "<script" not in page and "@import" not in page
    assert "Every company here is fictional" in page and "Falkkamp Kreditbank AG" in page


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


def test_the_demo_removes_only_a_home_that_it_made(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("years of work")
    with pytest.raises(KgRiskError, match="was not made by the demo"):
        fresh(mine)
    assert (mine / "thesis.txt").read_text() == "years of work"
    fresh(tmp_path / "home")
    (tmp_path / "home" / "old").touch()
    fresh(tmp_path / "home")
    assert [file.name for file in (tmp_path / "home").iterdir()] == [MARK]


def test_two_answers_are_compared_row_by_row() -> None:
    import pyarrow as pa

    one = Result(pa.table({"id": ["a", "b"], "share": [0.1 + 0.2, 1.0]}))
    assert difference(one, Result(pa.table({"id": ["a", "b"], "share": [0.3, 1.0]}))) == ""
    assert "row 2, id" in difference(one, Result(pa.table({"id": ["a", "c"], "share": [0.3, 1.0]})))
    assert "2 and 1 rows" in difference(one, Result(pa.table({"id": ["a"], "share": [0.3]})))
    assert "columns" in difference(one, Result(pa.table({"id": ["a", "b"]})))
