"""The FinBench reads as a user asks them, `kgrisk query finbench_...` on a home and over HTTP, answer as the oracle."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from kgrisk.api import open as open_graph
from kgrisk.serve.app import build
from kgrisk.settings import Settings
from queries.catalog import Catalog
from tests.conftest import HEAP, STORES
from tests.finbench_world import INPUTS, Question, World, questions
from tests.kgrisk_world import kgrisk, kgrisk_here
from tests.neo4j_server import wipe

pytestmark = pytest.mark.slow
CATALOG = Catalog()
SEED, SIZE = 4, 30
TYPED = ("blocked_devices", "shortest_transfer", "transfer_traces", "loan_trace", "guarantee_chain", "account",
         "turnover", "received_above")  # fmt: skip
"""Reads that are typed; every one is asked over HTTP."""


@dataclass(frozen=True)
class Home:
    """A home folder whose ledger holds a drawn world with its twins, and the URL of an empty store."""

    folder: Path
    world: World
    url: str

    def clocks(self) -> dict[str, str]:
        at = self.world.at
        told = {"valid": at.valid, "known": at.known, "published": at.published}
        return {name: moment.isoformat() for name, moment in told.items() if moment is not None}

    def question(self, name: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """Parameters of a question as text and what the oracle answers: of eight, the one that has most to tell."""

        def told(question: Question) -> int:
            rows = question.expected()
            tells = sum(value not in (0, -1, 0.0, -1.0) for row in rows[:1] for value in row.values())
            return len(rows) * tells if len(rows) < 500 else 0

        asked = max(questions(self.world, name, 8, seed=2), key=told)
        return asked.params(CATALOG[f"finbench_{name}"].inputs), asked.expected()


@pytest.fixture(scope="module", params=STORES)
def home(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Home:
    folder = tmp_path_factory.mktemp("doors")
    open_graph(folder / "home", settings=Settings.load(home=folder / "home")).close()
    world = World(folder / "home" / "ledger", (SEED,), SIZE)
    world.ledger.close()
    if request.param == "arcadedb":
        return Home(folder / "home", world, f"arcadedb://{folder}/home/store?heap={HEAP}")
    url: str = request.getfixturevalue("neo4j_server")
    wipe(url)
    return Home(folder / "home", world, url)


@pytest.fixture
def client(home: Home) -> Iterator[TestClient]:
    with (
        open_graph(home.folder, settings=Settings.load(home=home.folder, store=home.url)) as graph,
        TestClient(build(graph), base_url="http://127.0.0.1", raise_server_exceptions=False) as made,
    ):
        yield made


def typed(home: Home, name: str) -> tuple[str, ...]:
    given = [f"{key}={value}" for key, value in home.question(name)[0].items()]
    clocks = [word for clock, moment in home.clocks().items() for word in (f"--{clock}", moment)]
    return ("query", f"finbench_{name}", *given, *clocks, "--home", str(home.folder), "--store", home.url, "--json")


@pytest.mark.parametrize("name", TYPED)
def test_a_read_that_is_typed_answers_like_the_oracle(name: str, home: Home) -> None:
    done = kgrisk_here(*typed(home, name), cwd=home.folder)
    assert done.returncode == 0, done.stderr
    expected = home.question(name)[1]
    assert json.loads(done.stdout) == expected and expected


def test_a_read_in_a_process_of_its_own_answers_like_the_oracle(home: Home) -> None:
    done = kgrisk(*typed(home, "loan_trace"), cwd=home.folder)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == home.question("loan_trace")[1]


def test_every_read_over_http_answers_like_the_oracle(home: Home, client: TestClient) -> None:
    wrong = []
    for name in INPUTS:
        given, expected = home.question(name)
        answer = client.post(f"/v1/queries/finbench_{name}", params=home.clocks(), json=given)
        told = answer.json()
        if answer.status_code != 200 or told["truncated"] or told["rows"] != expected:
            wrong.append((name, answer.status_code, given))
    assert wrong == []


def test_what_was_not_known_then_is_not_told_and_a_wrong_limit_is_a_problem(home: Home, client: TestClient) -> None:
    given, expected = home.question("turnover")
    early = home.clocks() | {"published": "2021-01-01T00:00:00+00:00"}
    (row,) = client.post("/v1/queries/finbench_turnover", params=early, json=given).json()["rows"]
    assert (row["sent"], row["received"]) == (0, 0) and expected[0]["sent"] + expected[0]["received"] > 0
    traces = home.question("transfer_traces")[0] | {"truncation_limit": 0}
    refused = client.post("/v1/queries/finbench_transfer_traces", params=home.clocks(), json=traces)
    assert refused.status_code == 422 and "truncation_limit" in refused.json()["detail"]


def test_the_reads_are_listed_with_the_inputs_that_the_specification_names(client: TestClient) -> None:
    listed = {query["name"]: query for query in client.get("/v1/queries").json()["queries"]}
    assert {f"finbench_{name}" for name in INPUTS} <= set(listed)
    window = {"after", "before", "truncation_limit", "truncation_order"}
    for name in ("blocked_devices", "funds_from_loans", "transfer_traces", "loan_trace", "guarantee_chain"):
        assert window <= {field["name"] for field in listed[f"finbench_{name}"]["parameters"]}
