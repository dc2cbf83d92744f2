"""Many scenarios in one run: each costs what it costs alone, and nothing is written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet
import pytest

from kg.errors import MeasureError
from kg.model import AsOf, as_time
from kgrisk.api import Graph
from kgrisk.settings import Settings
from kgrisk.supposing_many import Many
from queries.many import drawn, identity, read_many
from queries.whatif import Scenario
from tests.kgrisk_world import BIG, FIRM, SMALL, kgrisk_here, write_registers

AT = AsOf(valid=as_time(date(2021, 1, 1)))
LIST = f"""
- {{name: one, date: 2021-01-01, narrative: n, source: s, shocks: [{{fails: "{FIRM}"}}]}}
- name: two
  date: 2021-01-01
  narrative: n
  source: s
  shocks: [{{loses: 0.9, who: {{id: "{BIG}"}}}}]
  changes: [{{edges: {{type: LENDS_TO, to: {{id: "{FIRM}"}}}}, scale: 0.5}}]
- name: three
  date: 2021-01-01
  narrative: n
  source: s
  changes: [{{edges: {{type: LENDS_TO, to: {{id: "{FIRM}"}}}}, scale: 0.5}}]
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("many")
    with Graph(folder / "home", Settings.load(home=folder / "home")) as graph:
        graph.ingest(write_registers(folder / "files"))
    (folder / "list.yaml").write_text(LIST)
    return folder / "home"


@pytest.fixture(scope="module")
def graph(home: Path) -> Iterator[Graph]:
    with Graph(home, Settings.load(home=home)) as graph:
        yield graph


@pytest.fixture(scope="module")
def thousand(graph: Graph) -> Many:
    return graph.suppose_many(1000, "eisenberg_noe", at=AT, seed=5)


def differences(found: Many, name: str) -> dict[str, float]:
    return {row["entity"]: row["loss"] for row in found.difference.to_pylist() if row["scenario"] == name}


@pytest.mark.parametrize("measure", ["eisenberg_noe", "debtrank"])
def test_of_a_thousand_scenarios_each_costs_what_it_costs_alone(graph: Graph, measure: str) -> None:
    scenarios = drawn(graph.snapshot(AT), 1000, seed=5)
    found = graph.suppose_many(scenarios, measure, at=AT)
    rows = found.summary.rows()
    assert [row["scenario"] for row in rows] == [one.name for one in scenarios]
    assert len({row["id"] for row in rows}) == 1000
    for place in range(0, 1000, 83):
        alone = graph.suppose(scenarios[place], AT).risk(measure)
        assert rows[place]["total"] == pytest.approx(alone.total, rel=1e-9)
        losses = {id: loss for id, loss in zip(alone.losses.exposures.ids, alone.losses.loss[0], strict=True) if loss}
        assert differences(found, scenarios[place].name) == pytest.approx(losses, rel=1e-9)


def test_the_answer_does_not_depend_on_how_many_are_asked_at_a_time(graph: Graph, thousand: Many) -> None:
    again = graph.suppose_many(1000, "eisenberg_noe", at=AT, seed=5, block=7)
    for row, other in zip(thousand.summary, again.summary, strict=True):
        assert (row["id"], row["failing"]) == (other["id"], other["failing"])
        assert row["total"] == pytest.approx(other["total"], rel=1e-9)


def test_the_first_of_a_thousand_are_those_of_a_hundred_and_a_seed_is_another_draw(graph: Graph) -> None:
    snapshot = graph.snapshot(AT)
    assert drawn(snapshot, 1000, 5)[:100] == drawn(snapshot, 100, 5)
    assert identity(drawn(snapshot, 1, 5)[0]) != identity(drawn(snapshot, 1, 6)[0])
    with pytest.raises(MeasureError, match="has label Fund at this instant; labels here"):
        drawn(snapshot, 3, label="Fund")


def test_a_list_with_changed_edges_costs_what_each_costs_alone(graph: Graph, home: Path) -> None:
    file = home.parent / "list.yaml"
    found, scenarios = graph.suppose_many(file, "eisenberg_noe", at=AT), read_many(file)
    assert found.summary["scenario"] == ["one", "two", "three"]
    for row, scenario in zip(found.summary, scenarios, strict=True):
        assert row["total"] == pytest.approx(graph.suppose(scenario, AT).risk("eisenberg_noe").total, rel=1e-9)
    one = found.by_scenario(5)[found.summary["id"][0]]
    assert one[0] == {"entity": FIRM, "loss": 90.0, "more": 90.0, "fails": True} and one[-1]["entity"] == SMALL


def test_two_scenarios_of_one_name_each_cost_what_they_cost(graph: Graph) -> None:
    when, hit = date(2021, 1, 1), {"loses": 0.9, "who": {"id": BIG}}
    mild, harsh = (Scenario("same", when, "n", "s", (dict(hit, loses=part),)) for part in (0.1, 0.9))
    halved = Scenario(
        "same", when, "n", "s", (hit,), ({"edges": {"type": "LENDS_TO", "to": {"id": FIRM}}, "scale": 0.5},)
    )
    found = graph.suppose_many([mild, halved, harsh, mild], "debtrank", at=AT)
    alone = [graph.suppose(one, AT).risk("debtrank").total for one in (mild, halved, harsh, mild)]
    assert found.summary["total"] == pytest.approx(alone, rel=1e-9) and alone[0] < alone[2]
    assert found.summary["id"] == [identity(one) for one in (mild, halved, harsh, mild)]
    hits = found.by_scenario(5)[identity(mild)]
    assert sum(row["loss"] for row in hits) == pytest.approx(alone[0]) and len(hits) == len({r["entity"] for r in hits})


def test_neither_store_nor_ledger_moves(graph: Graph, home: Path) -> None:
    before = graph.store.graph_hash(), graph.ledger.head
    graph.suppose_many(home.parent / "list.yaml", "debtrank", at=AT)
    assert (graph.store.graph_hash(), graph.ledger.head) == before


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("name: a", "expected a list of scenarios"),
        ("[]", "expected a list of scenarios"),
        ("- {name: a}", "scenario 1: date, narrative, source is missing"),
        (LIST.replace("name: two", "name: one"), "scenarios 1 and 2 are both called 'one'"),
        ("- [", "is no YAML"),
    ],
)
def test_a_list_that_cannot_be_read_names_the_place(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "list.yaml").write_text(text)
    with pytest.raises(MeasureError, match=told):
        read_many(tmp_path / "list.yaml")


def test_the_command_tells_what_python_tells(graph: Graph, home: Path, tmp_path: Path, thousand: Many) -> None:
    graph.close()

    def told(*words: str) -> Any:
        more = ("--measure", "eisenberg_noe", "--home", str(home), "--valid", "2021-01-01", "--json")
        found = kgrisk_here("suppose-many", *words, *more, cwd=tmp_path)
        assert found.returncode == 0, found.stderr
        return json.loads(found.stdout)

    rows = told("--draw", "1000", "--seed", "5", "--out", "all.parquet")["scenarios"]
    assert [row["total"] for row in rows] == thousand.summary["total"]
    assert parquet.read_table(tmp_path / "all.parquet").equals(thousand.difference)
    assert told(str(home.parent / "list.yaml"))["scenarios"][0]["difference"][0]["entity"] == FIRM
    assert kgrisk_here("suppose-many", "--home", str(home), cwd=tmp_path).returncode != 0
