"""Reviewing at the command line: undecided pairs with evidence, what a judgement changes, who judged and why."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest

from kg.errors import KgRiskError
from kgrisk import reviewing
from kgrisk.api import Graph
from kgrisk.settings import Settings
from tests.kgrisk_world import BIG, FIRM, kgrisk_here, write_registers

TWIN = "cik:123"
ROW = f"{TWIN},Bank,BIG BANK AG,,DE,banking,,,,0000000123,2020-01-07,The same bank by its filer number.\n"
LOAN = f"{TWIN},{FIRM},bond,60.00,EUR,2020-01-01,,2020-02-01\n"
JUDGED = ("--by", "Iris Hallam", "--why", "one address and one board")


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A graph in which a bank stands twice, with two loans to one firm."""
    folder = tmp_path_factory.mktemp("review")
    inputs = write_registers(folder / "inputs")
    with (inputs / "registers" / "entities.csv").open("a") as file:
        file.write(ROW)
    with (inputs / "registers" / "exposures.csv").open("a") as file:
        file.write(LOAN)
    with Graph(folder / "home", Settings()) as graph:
        assert graph.ingest(inputs, sources=["registers"]).quarantined == []
        assert graph.resolve().undecided == 1
    return folder


@pytest.fixture
def graph(filled: Path, tmp_path: Path) -> Iterator[Graph]:
    """A copy of it that a test may write to."""
    copytree(filled / "home", tmp_path / "home")
    with Graph(tmp_path / "home", Settings()) as opened:
        yield opened


def said(done: Any) -> Any:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_review_lists_the_pair_with_reasons_and_quotes_of_both_sides(filled: Path) -> None:
    (doubt,) = said(kgrisk_here("resolve", "--review", "--json", "--home", "home", cwd=filled))
    assert {doubt["a"], doubt["b"]} == {BIG, TWIN}
    assert sum(part for _, part in doubt["reasons"]) == pytest.approx(doubt["score"])
    assert all("Big Bank AG".lower() in doubt["evidence"][id][0]["quote"].lower() for id in (BIG, TWIN))
    text = kgrisk_here("resolve", "--review", "--home", "home", cwd=filled).stdout
    assert f"said of {TWIN}" in text and "row:" in text


@pytest.mark.slow
def test_a_preview_tells_the_alerts_and_answers_that_change_and_writes_nothing(filled: Path) -> None:
    before = sorted((f.name, f.stat().st_size) for f in (filled / "home" / "ledger").rglob("*.parquet"))
    found = said(kgrisk_here("resolve", "--preview", BIG, TWIN, "--json", "--home", "home", cwd=filled))
    assert sorted((f.name, f.stat().st_size) for f in (filled / "home" / "ledger").rglob("*.parquet")) == before
    assert any(d["id"] == TWIN and d["what"] == "entity" and d["after"] is None for d in found["differences"])
    asked = {answer["query"] for answer in found["answers"]}
    assert {"exposure_by_counterparty", "entity_profile"} <= asked


@pytest.mark.slow
def test_the_answers_after_a_judgement_are_those_of_its_preview(graph: Graph) -> None:
    foretold = reviewing.impact(graph, BIG, TWIN)
    _, at = graph.ledger.instant()
    before = {n: _ask(graph, a, at.valid) for n, a in enumerate(foretold.answers)}
    reviewing.judge(graph, BIG, TWIN, "same", reviewing.Author("Iris Hallam", "one board"))
    assert foretold.answers
    for n, answer in enumerate(foretold.answers):
        rows = _ask(graph, answer, at.valid)
        assert [r for r in rows if r not in before[n]] == list(answer.new)
        assert [r for r in before[n] if r not in rows] == list(answer.gone)


def _ask(graph: Graph, answer: reviewing.Answer, valid: Any) -> list[dict[str, Any]]:
    return reviewing.timeless(graph.query(answer.query, valid, **answer.params).rows())


def test_a_judgement_without_name_or_reason_is_refused(graph: Graph) -> None:
    with pytest.raises(KgRiskError, match="--by NAME and --why TEXT"):
        reviewing.judge(graph, BIG, TWIN, "same", reviewing.Author("", "because"))


def test_judging_at_the_command_line_keeps_who_and_why_and_settles_the_pair(filled: Path, tmp_path: Path) -> None:
    copytree(filled / "home", tmp_path / "home")
    told = said(
        kgrisk_here("resolve", "--judge", BIG, TWIN, "different", *JUDGED, "--json", "--home", "home", cwd=tmp_path)
    )
    assert told["by"] == "Iris Hallam" and told["commit"] > 1
    assert said(kgrisk_here("resolve", "--review", "--json", "--home", "home", cwd=tmp_path)) == []
    refused = kgrisk_here("resolve", "--judge", BIG, TWIN, "same", *JUDGED, "--home", "home", cwd=tmp_path)
    assert refused.returncode == 1 and "forbidden" in refused.stderr
    wrong = kgrisk_here("resolve", "--judge", BIG, TWIN, "skip", *JUDGED, "--home", "home", cwd=tmp_path)
    assert wrong.returncode == 1 and "write same or different" in wrong.stderr


def test_an_interview_takes_replies_until_it_is_quit(graph: Graph) -> None:
    shown: list[str] = []
    replies = iter([reviewing.Reply("same", "one board")])
    done = reviewing.interview(graph, "Iris Hallam", lambda d: shown.append(d.a), lambda _: next(replies))
    assert len(shown) == 1 and done[0]["verdict"] == "same" and done[0]["commit"] == graph.ledger.head
    assert reviewing.listed(graph) == []
    (row,) = (r for r in graph.ledger.alive().to_pylist() if r["extractor"] == "resolve.judged@1")
    assert "said by Iris Hallam: one board" in row["quote"] and row["document"] in graph.files


@pytest.mark.parametrize(("typed", "means"), [("s", "same"), ("N", "different"), ("", "skip"), ("quit", "quit")])
def test_replies_are_read(typed: str, means: str) -> None:
    assert reviewing.read_reply(typed) == means
    with pytest.raises(KgRiskError, match="type same, different, skip or quit"):
        reviewing.read_reply("perhaps")
