"""The HTTP API over a small graph: entities, named queries, clocks, forms, and every error as a problem."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest
from fastapi.testclient import TestClient

from kg.ontology import EDGES, NODES
from kgrisk.api import Graph
from kgrisk.api import open as open_graph
from kgrisk.result import plain
from kgrisk.serve.app import build
from kgrisk.serve.finding import TELLING
from kgrisk.settings import Settings
from tests.kgrisk_world import BIG, FIRM, SMALL, write_registers

HERE = "http://127.0.0.1"


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Graph]:
    folder = tmp_path_factory.mktemp("serve")
    with open_graph(folder / "home", settings=Settings(home=folder / "home")) as made:
        made.ingest(write_registers(folder / "in"))
        yield made


@pytest.fixture(scope="module")
def client(graph: Graph) -> Iterator[TestClient]:
    with TestClient(build(graph), base_url=HERE, raise_server_exceptions=False) as made:
        yield made


def test_entities_are_listed_page_by_page_without_gap_or_double(client: TestClient) -> None:
    whole = [row["id"] for row in client.get("/v1/entities", params={"limit": 500}).json()["rows"]]
    seen, cursor = [], ""
    while cursor is not None:
        page = client.get("/v1/entities", params={"limit": 2, "cursor": cursor}).json()
        seen += [row["id"] for row in page["rows"]]
        cursor = page["next_cursor"]
    assert seen == whole == sorted(whole)
    assert {BIG, SMALL} <= set(seen)


def test_an_entity_tells_its_facts_with_statements_and_the_three_clocks(client: TestClient) -> None:
    told = client.get(f"/v1/entities/{BIG}").json()
    facts = {fact["property"]: fact for fact in told["facts"]}
    assert told["name"] == "Big Bank AG" and told["label"] == "Bank"
    assert (facts["equity"]["value"], facts["equity"]["unit"]) == ("20", "EUR")
    assert len(facts["equity"]["statement"]) == 32
    assert set(told["at"]) == {"valid", "known", "published"} and told["commit"] == 1


def test_the_clocks_move_what_is_told(client: TestClient) -> None:
    before = client.get(f"/v1/entities/{BIG}", params={"published": "2020-02-10"}).json()
    assert "equity" not in {fact["property"] for fact in before["facts"]}
    never = client.get(f"/v1/entities/{BIG}", params={"published": "2019-01-01"})
    assert never.status_code == 404 and "published" not in never.json()["title"]


def test_neighbours_are_capped_and_the_rest_is_counted(client: TestClient) -> None:
    whole = client.get(f"/v1/entities/{BIG}/neighbours", params={"types": "LENDS_TO"}).json()
    one = client.get(f"/v1/entities/{BIG}/neighbours", params={"types": "LENDS_TO", "limit": 1}).json()
    assert len(whole["nodes"]) == 2 and whole["more"] == 0 and len(whole["edges"]) == 2
    assert len(one["nodes"]) == 1 and one["more"] == 1 and len(one["edges"]) == 1
    assert client.get("/v1/entities/nobody/neighbours").status_code == 404


def test_a_named_query_has_a_form_and_gives_rows_in_every_form(client: TestClient) -> None:
    form = client.get("/v1/queries/hit_if_fails").json()
    assert [field["name"] for field in form["parameters"]] == ["id", "currency"] and "MATCH" in form["cypher"]
    rows = client.post("/v1/queries/hit_if_fails", json={"id": BIG}).json()["rows"]
    assert rows == [{"creditor": SMALL, "label": "Bank", "nearest": 1, "routes": 1, "at_risk_minor": 10000}]
    nobody = client.post("/v1/queries/hit_if_fails", json={"id": "lei:NOBODY ł"}).json()
    assert nobody["rows"] == [] and "no entity lei:NOBODY ł is known" in nobody["remarks"][0]
    bare = client.post("/v1/queries/hit_if_fails?format=csv", json={"id": "lei:NOBODY ł"})
    assert bare.status_code == 200 and "x-remarks" not in bare.headers
    asked = {name: client.post(f"/v1/queries/hit_if_fails?format={name}", json={"id": BIG}) for name in FORMS}
    tables = {name: FORMS[name](answer.content) for name, answer in asked.items()}
    assert all(table.to_pylist() == rows for table in tables.values())
    assert asked["csv"].text.splitlines()[1] == f'"{SMALL}","Bank",1,1,10000'
    lines = client.post("/v1/queries/hit_if_fails", json={"id": BIG}, headers={"accept": "application/x-ndjson"})
    assert lines.headers["content-type"] == "application/x-ndjson" and lines.text.count("\n") == 1


FORMS = {
    "arrow": lambda content: pa.ipc.open_stream(content).read_all(),
    "parquet": lambda content: pyarrow.parquet.read_table(io.BytesIO(content)),
    "csv": lambda content: pyarrow.csv.read_csv(io.BytesIO(content)),
}


def test_names_are_found_by_likeness_and_ids_exactly(client: TestClient) -> None:
    def found(q: str, **more: str) -> list[str]:
        return [row["id"] for row in client.get("/v1/search", params={"q": q, **more}).json()["rows"]]

    assert found("big bank")[0] == BIG and found("Bigg Bnk")[0] == BIG
    assert found(SMALL)[0] == SMALL
    assert found("bank", label="Company") == []
    assert found("zzzz qqqq") == []


def test_paths_go_over_the_edges_between_two_entities_shortest_first(client: TestClient) -> None:
    asked = {"source": SMALL, "target": FIRM, "types": "LENDS_TO"}
    told = client.get("/v1/paths", params=asked).json()
    (path,) = told["paths"]
    assert [(edge["source"], edge["target"], edge["value"]) for edge in path] == [
        (SMALL, BIG, "100"),
        (BIG, FIRM, "40"),
    ]
    assert {node["name"] for node in told["nodes"]} == {"Small Bank plc", "Big Bank AG", "Steel Works SA"}
    by_sector = {"source": SMALL, "target": FIRM, "types": "IN_SECTOR"}
    assert {e["type"] for p in client.get("/v1/paths", params=by_sector).json()["paths"] for e in p} <= {"IN_SECTOR"}
    free = client.get("/v1/paths", params={"source": BIG, "target": SMALL, "hops": 2, "k": 100}).json()["paths"]
    assert free and {edge["type"] for path in free for edge in path} <= set(TELLING)
    assert client.get("/v1/paths", params={**asked, "hops": 1}).json()["paths"] == []
    assert client.get("/v1/paths", params={**asked, "target": "lei:none"}).status_code == 404


def test_a_statement_leads_to_the_marked_row_of_its_document(client: TestClient) -> None:
    edge = client.get(f"/v1/entities/{BIG}/neighbours", params={"types": "LENDS_TO"}).json()["edges"][0]
    told = client.get(f"/v1/evidence/{edge['statement']}").json()
    (claim,) = told["claims"]
    assert claim["read_back"] and told["what"]["type"] == "LENDS_TO"
    place = client.get(claim["place"]).json()
    (marked,) = [row for row in place["rows"] if row["marked"]]
    assert place["kind"] == "rows" and place["columns"][0] == "creditor_id" and edge["source"] == marked["cells"][0]
    assert client.get("/v1/evidence/nothing").status_code == 404
    assert client.get(claim["place"].replace("row%3A", "row%3A9")).status_code == 404
    assert client.get(f"/v1/documents/{'0' * 64}/page").status_code == 404
    assert client.get("/v1/documents/..%2F..%2Fkeys.json/page").status_code in (404, 422)


def test_a_shock_is_asked_and_nothing_is_written(client: TestClient, graph: Graph) -> None:
    asked = {"measure": "debtrank", "shock": {FIRM: 1.0}}
    told = client.post("/v1/risk", json=asked).json()
    same = graph.risk("debtrank", {FIRM: 1.0})
    assert told["losses"] == plain(same.table().rows()) and len(told["losses"]) == 3
    assert (told["unit"], told["total"]) == ("EUR", same.total)
    assert client.get("/readyz").json()["commit"] == told["commit"] == 1
    for wrong, says in (
        ({"measure": "none"}, "known"),
        ({"shock": {FIRM: 2}}, "shock"),
        ({"scenario": "/etc/x"}, "/v1/sc"),
    ):
        refused = client.post("/v1/risk", json={**asked, **wrong})
        assert refused.status_code in (404, 422) and says in refused.json()["detail"]
    assert "debtrank" in client.get("/v1/measures").json()["measures"]
    assert client.get("/v1/scenarios").json()["scenarios"][0]["narrative"]


def test_what_the_asker_has_is_not_sent_again(client: TestClient) -> None:
    first = client.get(f"/v1/entities/{BIG}")
    again = client.get(f"/v1/entities/{BIG}", headers={"if-none-match": first.headers["etag"]})
    assert again.status_code == 304 and not again.content
    assert client.get(f"/v1/entities/{SMALL}", headers={"if-none-match": first.headers["etag"]}).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status", "says"),
    [
        ("GET", "/v1/entities/lei:none", 404, "/v1/search"),
        ("GET", "/v1/nothing", 404, "/docs"),
        (
            "DELETE",
            "/v1/entities",
            405,
            "DELETE is not answered here; allowed: GET, HEAD; the routes are listed at /docs",
        ),
        ("PATCH", "/v1/cases", 405, "allowed: GET, HEAD, POST"),
        ("POST", "/v1/nonsense", 404, "nothing is at '/v1/nonsense'; the routes are listed at /docs"),
        ("POST", "/", 405, "allowed: GET, HEAD"),
        ("GET", "/v1/entities?limit=0", 422, "query/limit"),
        ("GET", "/v1/entities?cursor=bm90aGluZw", 422, "next_cursor"),
        ("GET", "/v1/entities?valid=someday", 422, "write 2024-09-28"),
        ("GET", "/v1/entities?format=xls", 406, "arrow"),
        ("POST", "/v1/queries/hit_if_fail", 404, "did you mean hit_if_fails"),
        ("POST", "/v1/queries/hit_if_fails", 422, "parameter id is missing"),
    ],
)
def test_every_error_is_a_problem_that_says_what_to_do(
    client: TestClient, method: str, path: str, status: int, says: str
) -> None:
    answer = client.request(method, path)
    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, problem["status"]) == (status, status)
    assert says in problem["detail"] and problem["instance"] == path.partition("?")[0]


def test_alive_and_ready(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"state": "alive"}
    assert client.get("/readyz").json() == {"state": "ready", "commit": 1, "store": "ArcadeStore"}


def test_every_answer_names_the_runs_whose_results_the_graph_held_at_its_clocks(tmp_path: Path) -> None:
    with open_graph(tmp_path / "home", settings=Settings(home=tmp_path / "home")) as graph:
        graph.ingest(write_registers(tmp_path / "in"))
        before = graph.ledger.known(graph.ledger.head).isoformat()
        with TestClient(build(graph), base_url=HERE) as client:
            assert client.get(f"/v1/entities/{BIG}").json()["runs"] == []
            graph.risk("debtrank", BIG, publish=True)
            graph.risk("debtrank", SMALL, publish=True)
            published = sorted(row["run"] for row in client.get("/v1/risk/runs").json()["rows"])
            told = client.get("/v1/entities").json()["runs"]
            assert len(set(published)) == 2 and [run[:12] for run in told] == published
            for path in (f"/v1/entities/{BIG}", "/v1/scores/contagion_loss"):
                assert client.get(path).json()["runs"] == told, path
            table = client.get("/v1/entities?format=csv")
            assert table.headers["x-runs"] == ", ".join(told)
            assert client.get("/v1/entities", params={"known": before}).json()["runs"] == []


def test_a_name_that_the_ontology_has_not_is_refused_with_what_is_near(client: TestClient) -> None:
    page = client.get("/v1/graph").json()
    assert {*page["nodes"]} <= {*NODES} and {*page["edges"]} <= {*EDGES}
    for path, near in (
        ("/v1/entities?label=Bnak", "did you mean Bank?"),
        ("/v1/search?q=big&label=Bnak", "did you mean Bank?"),
        ("/v1/scores/distres", "did you mean distress?"),
        ("/v1/scores/nonsense", "known: "),
        ("/v1/scores/name", "there is no score that is a number 'name'"),
        (f"/v1/entities/{BIG}/neighbours?types=LENDS_TO&types=OWN", "did you mean OWNS?"),
        (f"/v1/entities/{BIG}/neighbours?by=distres", "did you mean distress?"),
        (f"/v1/entities/{BIG}/history?property=equit", "did you mean equity?"),
        (f"/v1/paths?source={SMALL}&target={FIRM}&types=LEND_TO", "did you mean LENDS_TO?"),
        ("/v1/links?relation=LEND_TO", "did you mean LENDS_TO?"),
        ("/v1/subgraph?by=distres", "did you mean distress?"),
    ):
        refused = client.get(path)
        assert refused.status_code == 422 and near in refused.json()["detail"], (path, refused.text[:300])
    for path, body in (
        ("/v1/risk", {"shock": {FIRM: 1.0}, "label": "Bnak"}),
        ("/v1/search", {"what": "x", "labels": ["Bnak"]}),
        ("/v1/subgraph/nodes", {"ids": [BIG], "by": "distres"}),
    ):
        assert client.post(path, json=body).status_code == 422, path
    assert client.get("/v1/entities?label=").status_code == 200


def test_an_object_is_told_as_json_alone_and_says_so(client: TestClient) -> None:
    for path in (f"/v1/entities/{BIG}", f"/v1/brief/{BIG}", "/v1/graph", f"/v1/entities/{BIG}/neighbours"):
        for more in ({"params": {"format": "csv"}}, {"headers": {"accept": "text/csv"}}):
            refused = client.get(path, **more)  # type: ignore[arg-type]  # one of two
            assert refused.status_code == 406 and "JSON alone" in refused.json()["detail"], path
        for kind in ("application/json", "*/*", "text/html,*/*;q=0.8", "text/csv, application/json"):
            assert client.get(path, headers={"accept": kind}).status_code == 200, (path, kind)
