"""The agents' door over HTTP: who gets in, how often, and what is written down of them."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

from starlette.responses import JSONResponse, PlainTextResponse
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from kgrisk.agents.http import Keyed
from kgrisk.agents.server import build
from kgrisk.api import open as open_graph
from kgrisk.audit import Audit
from kgrisk.audit_list import listed
from kgrisk.serve.keys import Keys
from kgrisk.serve.rate import Rate
from kgrisk.settings import Settings
from tests.kgrisk_world import BIG, kgrisk_here, write_registers


def test_over_http_agents_need_a_key_a_known_host_and_only_read(tmp_path: Path) -> None:
    none = kgrisk_here("mcp", "--http", "--home", "home", cwd=tmp_path)
    assert none.returncode == 1 and "every agent needs a key" in none.stderr
    writes = kgrisk_here("mcp", "--http", "--writes", "--home", "home", cwd=tmp_path)
    assert writes.returncode == 1 and "agents only read" in writes.stderr


def test_a_key_that_hides_something_is_turned_away(tmp_path: Path) -> None:
    keys = Keys(tmp_path / "keys.json")
    analyst, viewer = keys.add("ada", "analyst"), keys.add("vic", "viewer")

    async def inside(scope: Scope, receive: Receive, send: Send) -> None:
        await JSONResponse({"in": True})(scope, receive, send)

    client = TestClient(Keyed(inside, keys, tmp_path, Rate(1, 6)))
    asked = {key: client.get("/mcp", headers={"Authorization": f"Bearer {key}"}) for key in (analyst, viewer, "kgr_x")}
    assert [asked[key].status_code for key in (analyst, viewer, "kgr_x")] == [200, 403, 401]
    assert client.get("/mcp").status_code == 401
    two = {"X-Api-Key": analyst, "Authorization": f"Bearer {viewer}"}
    assert client.get("/mcp", headers=two).status_code == 401, "two keys that differ are none"
    hiding = keys.find(analyst)
    assert hiding is not None
    hidden = replace(hiding, hidden_sources=("news",))
    (tmp_path / "keys.json").write_text(json.dumps([asdict(hidden)]))
    assert client.get("/mcp", headers={"X-Api-Key": analyst}).status_code == 403
    acts = [(row["who"], row["role"], row["what"], row["status"]) for row in listed(Audit(tmp_path))]
    nobody = ("", "", "GET /mcp", 401)
    assert acts == [("vic", "viewer", "GET /mcp", 403), *[nobody] * 3, ("ada", "analyst", "GET /mcp", 403)]


def test_who_asks_too_often_waits_and_others_do_not(tmp_path: Path) -> None:
    keys = Keys(tmp_path / "keys.json")
    ada, bob = ({"X-Api-Key": keys.add(name, "analyst")} for name in ("ada", "bob"))
    client = TestClient(Keyed(PlainTextResponse("in"), keys, rate=Rate(0.01, 2)))
    told = [client.get("/mcp", headers=ada) for _ in range(3)]
    assert [one.status_code for one in told] == [200, 200, 429]
    assert int(told[2].headers["Retry-After"]) > 1 and "more than 2 requests" in told[2].json()["detail"]
    assert client.get("/mcp", headers=bob).status_code == 200


def test_a_call_over_http_is_written_down_with_the_holder_of_the_key(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with open_graph(home, settings=Settings(home=home)) as made:
        made.ingest(write_registers(tmp_path / "in"))
    keys = Keys(home / "agents.json")
    bearer = {"Authorization": f"Bearer {keys.add('ada', 'analyst')}", "Accept": "application/json, text/event-stream"}
    app = build(Settings(home=home)).streamable_http_app(host="127.0.0.1", json_response=True, stateless_http=True)
    calls = [{"name": name, "arguments": given} for name, given in (("entity", {"id": BIG}), ("entity", {"id": "x"}))]
    with TestClient(Keyed(app, keys, home), base_url="http://127.0.0.1:8081") as client:
        for number, call in enumerate(calls):
            message = {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": call}
            assert client.post("/mcp", json=message, headers=bearer).status_code == 200
    found = list(listed(Audit(home)))[-2:]
    assert [(row["who"], row["role"], row["what"], row["status"]) for row in found] == [
        ("ada", "analyst", "entity", 0),
        ("ada", "analyst", "entity", 1),
    ]
