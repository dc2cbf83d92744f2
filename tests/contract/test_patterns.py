"""What every pattern found in queries/patterns must keep, whatever it looks for."""

from __future__ import annotations

from dataclasses import is_dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from kg import plugins
from kg.errors import MeasureError
from kg.model import AsOf, Node
from kg.snapshot import Snapshot
from queries.pattern import FINDINGS, Pattern, parameters
from tests.laundering_world import DECOYS, PLANTED, START, Book

PATTERNS = plugins.names("queries.patterns")
every_pattern = pytest.mark.parametrize("name", PATTERNS)


def pattern(name: str) -> Pattern:
    return plugins.load("queries.patterns", name, Pattern)()  # type: ignore[type-abstract]


@pytest.fixture(scope="module", params=PATTERNS)
def planted(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Pattern, Snapshot]:
    return pattern(request.param), PLANTED[request.param].snapshot(tmp_path_factory.mktemp(request.param) / "ledger")


def test_every_pattern_has_help_an_instance_and_a_decoy() -> None:
    found = plugins.summaries("queries.patterns")
    assert all(found.values())
    assert {*PATTERNS} == {*PLANTED} == {*DECOYS}
    assert [pattern(name).name for name in PATTERNS] == PATTERNS


@every_pattern
def test_parameters_are_fields(name: str) -> None:
    assert is_dataclass(pattern(name))
    assert parameters(pattern(name))


def test_the_planted_instance_is_found_whole_with_its_evidence(planted: tuple[Pattern, Snapshot]) -> None:
    asked, snapshot = planted
    found = asked.find(snapshot)
    assert found.schema.equals(FINDINGS)
    edges = {edge["id"]: edge for edge in snapshot.edges.to_pylist()}
    assert {id for row in found.to_pylist() for id in row["edges"]} == set(edges)
    for row in found.to_pylist():
        assert row["statements"] == [edges[id]["statement"] for id in row["edges"]]
        assert {*row["parties"]} <= {*snapshot.ids}
        assert row["subject"] in row["parties"]
        assert 0 < row["score"] <= 1
        if row["start"]:
            times = [edges[id]["valid_from"] for id in row["edges"] if edges[id]["type"] == "PAID"]
            assert (row["start"], row["end"]) == (min(times), max(times))


@every_pattern
def test_what_only_looks_alike_is_not_found(name: str, tmp_path: Path) -> None:
    for number, decoy in enumerate(DECOYS[name]):
        assert not len(pattern(name).find(decoy.snapshot(tmp_path / str(number))))


@every_pattern
def test_the_order_in_which_claims_came_does_not_matter(name: str, tmp_path: Path) -> None:
    book = Book([*PLANTED[name].claims, *DECOYS[name][-1].claims])
    once, again = (book.snapshot(tmp_path / str(seed), seed=seed) for seed in (1, 2))
    assert pattern(name).find(once).equals(pattern(name).find(again))


def test_nothing_published_after_the_cut_is_used(planted: tuple[Pattern, Snapshot], tmp_path: Path) -> None:
    """With its last edge published too late, the finding that it completes is not there yet."""
    asked, whole = planted
    claims = list(PLANTED[asked.name].claims)
    late = START + timedelta(days=40)
    last = max(k for k, claim in enumerate(claims) if type(claim.what).__name__ == "Edge")
    claims[last] = replace(claims[last], published=late)
    cut = late - timedelta(days=1)
    before = Book(claims).snapshot(tmp_path / "ledger", AsOf(published=cut))
    hidden = {*whole.edges["id"].to_pylist()} - {*before.edges["id"].to_pylist()}
    assert len(hidden) == 1
    found = asked.find(before)
    assert not hidden & {id for row in found.to_pylist() for id in row["edges"]}
    assert not found.equals(asked.find(whole))


def test_where_nothing_is_paid_or_shared_nothing_is_found(tmp_path: Path) -> None:
    book = Book()
    book.say(Node("Country", "iso:DE"))
    empty = book.snapshot(tmp_path / "ledger")
    assert not any(len(pattern(name).find(empty)) for name in PATTERNS)


def test_parameters_that_make_no_sense_are_refused(planted: tuple[Pattern, Snapshot]) -> None:
    asked, snapshot = planted
    wrong = {"days": -1.0, "least": 0, "keeps": 2.0, "method": "sorcery"}
    for field, value in {field: value for field, value in wrong.items() if field in parameters(asked)}.items():
        with pytest.raises(MeasureError, match=str(value) if field == "method" else field):
            replace(asked, **{field: value}).find(snapshot)
