"""What a key hides is in no answer of any route, in no form, and cannot be told from what is not there."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from functools import cache
from typing import Any
from urllib.parse import quote, unquote

import pyarrow as pa
import pyarrow.parquet
import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from kg.errors import LedgerError
from kg.model import AsOf, ClaimBatch, RunManifest
from kg.ontology import EDGES
from kg.partial import PartialLedger
from kgrisk.api import Graph
from kgrisk.api import open as open_graph
from kgrisk.serve.app import build
from kgrisk.serve.keys import MAY, Keys, Role
from kgrisk.settings import Settings
from tests.kgrisk_world import BIG, FIRM, SMALL
from tests.serve_planted import LISTED, PERSON, SECRETS, plant

HERE = "http://127.0.0.1"
HIDING: dict[str, dict[str, tuple[str, ...]]] = {
    "person": {"labels": ("Person",)},
    "sanctions": {"sources": ("sanctions",)},
    "both": {"labels": ("Person",), "sources": ("sanctions",)},
}
"""What each kind of key hides, by the name of its secrets."""
WORDS = {**SECRETS, "both": (*SECRETS["person"], *SECRETS["sanctions"])}
KINDS = ("", *HIDING)
FORMS = ("json", "arrow", "csv", "ndjson", "parquet")
UNASKED = {("POST", "/v1/jobs"), ("DELETE", "/v1/jobs/{id}")}
"""Routes that would begin or end work."""


class World:
    """A served graph with something planted, and a key of every role for every way of hiding and for none."""

    def __init__(self, graph: Graph, digests: dict[str, str]) -> None:
        self.graph, self.digests = graph, digests
        keys = Keys(graph.home / "keys.json")
        self.keys = {
            (hides, role): keys.add(f"{role}-{hides}", role, **HIDING[hides]) for hides in HIDING for role in MAY
        }
        self.keys |= {("", role): keys.add(role, role) for role in MAY}
        self.client = TestClient(build(graph), base_url=HERE, raise_server_exceptions=False)
        self.page = self.client.get("/openapi.json").json()

    def ask(self, method: str, path: str, hides: str, role: Role = "analyst", **more: Any) -> Response:
        return self.client.request(method, path, headers={"x-api-key": self.keys[hides, role]}, **more)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("hidden")
    home = folder / "home"
    settings = Settings(home=home, serve_rate=1e6, serve_burst=10**6)
    with open_graph(home, settings=settings) as graph:
        made = World(graph, plant(graph, folder / "in"))
        yield made
        made.client.app.state.desk.close()  # type: ignore[attr-defined]  # the app is a FastAPI


@cache
def ids_of_claims(graph: Graph) -> list[str]:
    """Ids of the statements, claims and edges that speak of something hidden, and of some others."""
    rows = graph.ledger.alive().to_pylist()
    some = [*(row for row in rows if found(str(row), "both")), *rows[::9]]
    edges = graph.ledger.view().edges["id"].to_pylist()
    return sorted({*(row["statement"] for row in some), *(row["claim"] for row in some), *edges})


def requests(world: World) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Requests of every route that is told, with what anybody may know: ids of visible entities, digests, dates."""
    for form in FORMS:
        yield "POST", f"/v1/queries/hit_if_fails?format={form}", {"json": {"id": BIG}}
    for path, ways in world.page["paths"].items():
        for method in (way.upper() for way in ways):
            if (method, path) not in UNASKED:
                own = of_route(world, method, path)
                yield from (one for one in own if not found(unquote(one[1]), "both"))  # an error echoes what was sent


def of_route(world: World, method: str, path: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Requests of one route: every way to fill its path, and what its query and body may ask."""
    for filled in fillings(world, path):
        for query, body in asked(world, method, path):
            yield method, filled + query, {"json": body} if method == "POST" else {}


def fillings(world: World, path: str) -> list[str]:
    """A path with every value that its parameters may have here."""
    what = [*ids_of_claims(world.graph), f"distress:{BIG}", f"description:{FIRM}", f"finding:{BIG}"]
    runs, short = [world.digests["run"]], "0" * 12
    values = {
        "/v1/evidence/": {"what": what},
        "/v1/documents/": {"digest": sorted(world.digests.values())},
        "/v1/queries/": {"name": (names := [query.name for query in world.graph.catalog])},
        "/v1/scores/": {"property": ["distress", "finding", "sentiment"], "id": [BIG, FIRM]},
        "/v1/links/": {"id": world.graph.ledger.view().edges_of("PREDICTED")["id"].to_pylist()},
        "/v1/subgraph/": {"part": ["nodes", "edges"]},
        "/v1/risk/runs/": {"id": runs},
        "/v1/": {"id": [BIG, FIRM, SMALL, short], "name": names[:2], "property": ["distress"]},
    }
    own = next((given for begin, given in values.items() if path.startswith(begin)), {})
    filled = [path]
    for name in re.findall(r"{(\w+)}", path):
        filled = [
            one.replace(f"{{{name}}}", quote(value, safe=":")) for one in filled for value in own.get(name, ["x"])
        ]
    return filled


def asked(world: World, method: str, path: str) -> list[tuple[str, Any]]:
    """Queries and bodies that a route is asked with."""
    forms = [(f"?format={form}", None) for form in FORMS]
    words = ("Big Bank", "Quarz", "Zobel", "embargo", "press lawyer", "leads May")
    own: dict[str, list[tuple[str, Any]]] = {
        "GET /v1/search": [(f"?by={by}&q={quote(word)}&k=100", None) for by in ("name", "text") for word in words],
        "GET /v1/paths": [
            (f"?source={SMALL}&target={FIRM}&hops=6&k=100", None),
            (f"?source={BIG}&target={FIRM}&hops=6&k=100" + "".join(f"&types={name}" for name in EDGES), None),
        ],
        "GET /v1/documents/{digest}/place": [
            (f"?source=filings&locator={quote(place)}", None)
            for place in {*world.graph.ledger.alive()["locator"].to_pylist(), "chars:0-40", "chars:0-99", "withheld"}
        ],
        "GET /v1/entities/{id}/history": [(f"?property={name}", None) for name in ("distress", "flag", "revenue")],
        "POST /v1/risk": [
            ("", {"measure": "debtrank", "shock": {FIRM: 1.0}, "top": 1000}),
            ("", {"measure": "eisenberg_noe", "shock": {BIG: 0.5}, "draws": 5}),
            ("", {"scenario": "banks_lose_three_tenths"}),
            ("", {"include_predicted": 0.1, "shock": {SMALL: 1.0}}),
        ],
        "POST /v1/queries/{name}": [("", {"id": BIG})],
        "POST /v1/queries/{name}/cypher": [("", {"id": BIG})],
        "POST /v1/subgraph/{part}": [(form, {"ids": [BIG, FIRM, SMALL, PERSON, LISTED]}) for form, _ in forms],
        "POST /v1/cypher": [("", {"text": "MATCH (n) RETURN n.id AS id, n.text AS text"})],
        "POST /v1/cases": [("", {"title": "a case", "items": [BIG]})],
        "POST /v1/ask": [("", {"question": text}) for text in ("Who leads Big Bank AG?", "Who lends to Big Bank AG?")],
    }
    return own.get(f"{method} {path}", [*forms, ("?limit=1", None), ("?known=2200-01-01&published=2200-01-01", None)])


def texts(answer: Response) -> str:
    """All that an answer says, whatever its form."""
    kind = answer.headers.get("content-type", "")
    told = [answer.text if "parquet" not in kind and "arrow" not in kind else "", str(dict(answer.headers))]
    if "arrow" in kind:
        told.append(str(pa.ipc.open_stream(answer.content).read_all().to_pylist()))
    if "parquet" in kind:
        told.append(str(pyarrow.parquet.read_table(io.BytesIO(answer.content)).to_pylist()))
    return " ".join(told)


def found(told: str, hides: str) -> list[str]:
    """Secrets that stand in a text."""
    return [secret for secret in WORDS[hides] if secret.casefold() in told.casefold()]


@pytest.mark.slow
@pytest.mark.parametrize("role", ["viewer", "analyst"])
def test_what_is_hidden_is_in_no_answer_of_any_route(world: World, role: Role) -> None:
    asked_of, seen = set(), 0
    for method, path, more in requests(world):
        answer = world.ask(method, path, "both", role, **more)
        assert answer.status_code < 500 or answer.status_code == 501, (method, path, answer.text)
        asked_of.add((method, path.partition("?")[0]))
        seen += answer.status_code == 200
        assert not found(texts(answer), "both"), (method, path, more, texts(answer)[:3000])
    assert len(asked_of) > 150 and seen > 200


@pytest.mark.slow
def test_whoever_sees_everything_finds_in_the_same_answers_what_is_hidden_from_others(world: World) -> None:
    told: dict[str, set[str]] = {hides: set() for hides in HIDING}
    for method, path, more in requests(world):
        said = texts(world.ask(method, path, "", **more))
        for hides in HIDING:
            if found(said, hides):
                told[hides].add(path.split("/")[2].partition("?")[0])
    for hides in HIDING:
        assert {"entities", "evidence", "search", "queries", "documents", "subgraph"} <= told[hides], (hides, told)
    assert {"scores", "links", "paths", "risk"} <= told["sanctions"], told


@pytest.mark.parametrize("hides", list(HIDING))
def test_a_part_of_the_ledger_never_held_what_is_left_out(world: World, hides: str) -> None:
    part = PartialLedger(world.graph.ledger, *(HIDING[hides].get(kind, ()) for kind in ("labels", "sources")))
    s = part.view()
    tables = [s.nodes, s.edges, s.facts, part.events(), part.alive(), part.labels(), part.delta(0).opens]
    assert not found(str([table.to_pylist() for table in tables]), hides)
    whole = world.graph.ledger
    assert found(str(whole.events().to_pylist()), hides) and len(part.events()) > 40
    others = {"person", "sanctions"} - {hides}
    assert hides == "both" or all(found(str(part.events().to_pylist()), other) for other in others)
    with pytest.raises(LedgerError, match="only be read"):
        part.commit(ClaimBatch.of([]), RunManifest("test"))
    part.close()


def test_what_is_hidden_answers_as_what_is_not_there(world: World) -> None:
    """The same status and the same words, but for the id that was sent."""
    for hides, hidden in (("person", PERSON), ("sanctions", LISTED)):
        absent = hidden[:-1] + "0"
        for method, path, more in of_ids(hidden):
            answers = [
                world.ask(
                    method,
                    path.replace(quote(hidden, safe=":"), quote(id, safe=":")),
                    hides,
                    **swapped(more, hidden, id),
                )
                for id in (hidden, absent)
            ]
            same = [
                answer.text.replace(id, "ID").replace(quote(id, safe=":"), "ID")
                for answer, id in zip(answers, (hidden, absent), strict=True)
            ]
            assert (answers[0].status_code, same[0]) == (answers[1].status_code, same[1]), (method, path)
            assert set(answers[0].headers) == set(answers[1].headers)
    gone, none = world.digests["list"], "0" * 64
    for rest in ("place?locator=chars:0-5", "page", "sound?begin=0&end=1"):
        answers = [world.ask("GET", f"/v1/documents/{digest}/{rest}", "sanctions") for digest in (gone, none)]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert answers[0].text.replace(gone, "") == answers[1].text.replace(none, "")


def of_ids(hidden: str) -> list[tuple[str, str, dict[str, Any]]]:
    """Requests that name an entity."""
    id = quote(hidden, safe=":")
    return [
        ("GET", f"/v1/entities/{id}", {}),
        ("GET", f"/v1/entities/{id}/neighbours", {}),
        ("GET", f"/v1/entities/{id}/history?property=distress", {}),
        ("GET", f"/v1/paths?source={id}&target={BIG}", {}),
        ("GET", f"/v1/evidence/name:{id}", {}),
        ("GET", f"/v1/evidence/distress:{id}", {}),
        ("POST", "/v1/queries/hit_if_fails", {"json": {"id": hidden}}),
        ("POST", "/v1/risk", {"json": {"shock": {hidden: 1.0}}}),
        ("POST", "/v1/subgraph/nodes", {"json": {"ids": [hidden]}}),
    ]


def swapped(more: dict[str, Any], hidden: str, id: str) -> dict[str, Any]:
    """A body with another id."""

    def swap(part: Any) -> Any:
        if isinstance(part, dict):
            return {swap(name): swap(value) for name, value in part.items()}
        if isinstance(part, list):
            return [swap(value) for value in part]
        return id if part == hidden else part

    return {name: swap(value) for name, value in more.items()}


def test_free_cypher_is_asked_of_a_store_that_never_held_what_is_hidden(world: World) -> None:
    for text in (
        "MATCH (n) RETURN n.id AS id, n.text AS text",
        "MATCH ()-[r]->() RETURN r.quote AS quote, r.key AS key",
    ):
        told = {hides: world.ask("POST", "/v1/cypher", hides, "analyst_cypher", json={"text": text}) for hides in KINDS}
        assert {answer.status_code for answer in told.values()} == {200}
        for hides in HIDING:
            assert found(told[""].text, hides) and not found(told[hides].text, hides), (hides, text)


def test_why_a_model_says_something_is_told_to_who_sees_everything_alone(world: World) -> None:
    refused = world.ask("GET", f"/v1/scores/distress/{BIG}/why", "person")
    assert refused.status_code == 403 and "--hide-label" in refused.json()["detail"]


def test_a_name_that_becomes_known_later_is_hidden_in_what_was_said_before(world: World) -> None:
    """Before the second commit nobody was hidden; at every known time the store and the ledger agree."""
    whole, part = world.graph.ledger, world.client.app.state.desk  # type: ignore[attr-defined]  # the app is a FastAPI
    holder = Keys(world.graph.home / "keys.json").find(world.keys["person", "viewer"])
    with part.turn():
        ledger = part.graph_of(holder).ledger
        for commit in (1, 2):
            seen = {*ledger.view(AsOf(known=whole.known(commit))).ids}
            assert seen == {*whole.view(AsOf(known=whole.known(commit))).ids} - {PERSON}


def test_etags_and_counts_are_those_of_what_is_seen(world: World) -> None:
    whole, part = (world.ask("GET", "/v1/graph", hides) for hides in ("", "person"))
    assert "Person" in whole.json()["nodes"] and "Person" not in part.json()["nodes"]
    assert whole.headers["etag"] != part.headers["etag"] and "X-Api-Key" in part.headers["vary"]
    again = world.client.get(
        "/v1/graph", headers={"x-api-key": world.keys["person", "analyst"], "if-none-match": whole.headers["etag"]}
    )
    assert again.status_code == 200
