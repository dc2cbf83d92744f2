"""A person is erased from a Neo4j server as well: nothing there names her, all that is said of others stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from kgrisk.api import open as open_graph
from kgrisk.erasing import erase_person
from kgrisk.settings import Settings
from tests.erased_person import NAME, OTTO, VERA, write_world
from tests.neo4j_server import session_at

pytestmark = [pytest.mark.neo4j, pytest.mark.slow]
EVERYTHING = ("MATCH (n) RETURN properties(n) AS had", "MATCH ()-[r]->() RETURN properties(r) AS had")


def told(url: str) -> str:
    """Every property of every node and relationship, as the server itself tells it."""
    with session_at(url) as session:
        return repr([session.run(text).value("had") for text in EVERYTHING])


def test_nothing_on_the_server_names_somebody_who_was_erased(neo4j_url: str, tmp_path: Path) -> None:
    home = tmp_path / "home"
    with open_graph(home, settings=Settings(home=home, store=neo4j_url)) as graph:
        graph.ingest(write_world(tmp_path / "in", news=True))
        graph.resolve()
        graph.sync()
        was = told(neo4j_url)
        assert all(part in was for part in (VERA, NAME, OTTO, "Otto Brandt"))
        erase_person(graph, [VERA], "case 7", "dpo")
        now = told(neo4j_url)
        assert not [part for part in (VERA, VERA.partition(":")[2], NAME, "Lomskaya", "kgs-2") if part in now]
        assert all(part in now for part in (OTTO, "Otto Brandt"))
        mark = graph.store.mark
        graph.sync()
        assert graph.store.mark == mark and told(neo4j_url) == now
