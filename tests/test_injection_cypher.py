"""Free Cypher that attacks, on both stores: refused or harmless, no address asked, no file read, no row changed."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from kg.errors import KgRiskError, QueryError, QueryMemoryError, QueryTimeoutError, StoreError
from kg.ledger import Ledger
from kg.store import GraphStore
from tests.injection import ATTACKS, BOMBS, PLANNED, SCHEMA_AND_SERVER, WRITES
from tests.store_world import banks, claim, commit, loan, loans

SECRET = "the canary sings"
NAMES = [f"n{i:02d}" for i in range(40)]


@dataclass
class Canary:
    """An address and a file that nobody may touch."""

    url: str
    file: Path
    hits: list[str] = field(default_factory=list)

    def lay(self) -> None:
        """Set the time of the file's last reading far back: the next reading moves it."""
        os.utime(self.file, (0, self.file.stat().st_mtime))

    def text(self, attack: str) -> str:
        return attack.replace("{url}", self.url).replace("{file}", str(self.file))

    def check(self) -> None:
        assert self.hits == []
        assert self.file.stat().st_atime == 0


@pytest.fixture(scope="module")
def canary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Canary]:
    file = tmp_path_factory.mktemp("canary") / "canary.csv"
    file.write_text(f"{SECRET}\n")
    made = Canary("", file)

    class Ears(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.hits.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(SECRET.encode())

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Ears) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        made.url = f"http://127.0.0.1:{server.server_port}/canary.csv"
        yield made
        server.shutdown()


@pytest.fixture(scope="module")
def filled(module_store: GraphStore, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GraphStore]:
    """A store of each kind: forty banks, of which each lends to five."""
    with Ledger.open(tmp_path_factory.mktemp("lent") / "ledger") as ledger:
        lent = (claim(loan(a, NAMES[(i + j) % 40])) for i, a in enumerate(NAMES) for j in range(1, 6))
        commit(ledger, *banks(*NAMES), *lent)
        module_store.sync(ledger)
        yield module_store


def test_the_canary_hears_and_its_file_tells_of_being_read(canary: Canary) -> None:
    from urllib.request import urlopen

    with urlopen(canary.url) as heard:
        assert heard.read().decode() == SECRET
    assert canary.hits.pop() == "/canary.csv"
    canary.lay()
    if SECRET in canary.file.read_text() and canary.file.stat().st_atime == 0:
        pytest.skip("this disk does not note when a file was read; the answers are still searched for its text")


def test_the_corpus_is_as_large_as_was_promised() -> None:
    assert len(set(ATTACKS)) >= 150


def test_every_attack_is_refused_and_changes_nothing(filled: GraphStore, canary: Canary) -> None:
    canary.lay()
    before = filled.graph_hash()
    for attack in ATTACKS:
        with pytest.raises(QueryError):
            filled.ask(canary.text(attack), {"u": canary.url, "l": [1]}, timeout=5)
    canary.check()
    assert filled.graph_hash() == before and len(loans(filled)) == 200


def test_without_the_check_of_the_text_the_plan_still_lets_nothing_through(
    filled: GraphStore, canary: Canary, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("arcadedb", "neo4j"):
        monkeypatch.setattr(f"kg.stores.{module}.check_free", lambda text: None)
    canary.lay()
    before, answered = filled.graph_hash(), {}
    for attack in PLANNED:
        given = {"u": canary.url, "p": "x", "l": "Fund", "id": "x", "x": 1}
        try:
            answered[attack] = str(filled.ask(canary.text(attack), given, timeout=5).to_pylist())
        except KgRiskError:
            continue
    canary.check()
    assert filled.graph_hash() == before and len(loans(filled)) == 200
    assert not [attack for attack, told in answered.items() if SECRET in told]
    writing = {line.replace("~", "\n") for line in (WRITES + SCHEMA_AND_SERVER).split("\n")}
    assert {attack.split()[0] for attack in writing & answered.keys()} <= {"EXPLAIN", "PROFILE", "CYPHER", "USE"}


def test_what_costs_too_much_ends_in_time_and_the_store_goes_on(filled: GraphStore) -> None:
    before, ended = filled.graph_hash(), {}
    for bomb in BOMBS:
        try:
            filled.ask(bomb, timeout=1)
            ended[bomb] = "answered"
        except (QueryTimeoutError, QueryMemoryError, QueryError) as error:
            ended[bomb] = type(error).__name__
        assert recovered(filled), bomb
    assert {"QueryTimeoutError", "QueryMemoryError"} <= set(ended.values())
    assert filled.graph_hash() == before


def recovered(store: GraphStore, seconds: float = 60) -> bool:
    """Does it take free queries again? Not while one still runs that nobody could break off."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            return store.ask("RETURN 1 AS one").to_pylist() == [{"one": 1}]
        except StoreError:
            time.sleep(0.5)
    return False
