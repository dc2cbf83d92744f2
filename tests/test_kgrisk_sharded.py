"""Scoring, refreshing and reading by the workers of an executor: what is committed is what one process commits."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gnn.rescore
from gnn.rescore import Scorer, manifest
from kg.executor import Executor, Here, Pool
from kg.model import Edge
from kgrisk.api import Graph
from kgrisk.champion import champion
from kgrisk.rescoring import rescored, score_again, scorer, standing, today
from tests.champion_world import LAST, SCORES, accounts, firms, said, served, tell
from tests.kgrisk_world import kgrisk_here, write_registers

pytestmark = pytest.mark.slow
PART = 16


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool(2) as made:
        yield made


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Graph]:
    with served(tmp_path_factory.mktemp("home")) as made:
        yield made


def test_parts_of_the_firms_have_scores_of_the_same_bits_whoever_makes_them(graph: Graph, pool: Pool) -> None:
    reign = champion(graph)
    assert reign is not None
    own: Scorer = scorer(graph, reign.run)
    now = standing(graph, today(graph, reign))
    whole, here, shared = (own.rescored(now, None, *how) for how in ((), (Here(), PART), (pool, PART)))
    assert here.part == shared.part == PART and whole.part == 0 and len(whole.scores) > 2 * PART
    assert shared.scores.equals(here.scores) and manifest(shared) == manifest(here)
    for name in ("distress", "low", "high"):
        apart = np.abs(whole.scores[name].to_numpy() - shared.scores[name].to_numpy())
        assert apart.max() < 1e-6  # the rounding of single precision
    assert whole.scores["id"].equals(shared.scores["id"])


def test_firms_that_one_part_holds_are_scored_as_one_process_scores_them(graph: Graph, pool: Pool) -> None:
    alone, shared = rescored(graph, whole=True), rescored(graph, whole=True, executor=pool)
    assert manifest(shared) == manifest(alone) and "part" not in manifest(shared).details


def test_a_scoring_by_parts_is_said_again_to_the_bit_by_one_process(
    graph: Graph, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gnn.rescore, "PART", PART)
    run = manifest(rescored(graph, whole=True, executor=pool))
    assert run.details["part"] == PART
    assert score_again(graph, run.details, run.details["commit"]).id == run.id


def refreshed(home: Path, folder: Path, executor: Executor | str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The log after something new was read and scored, but for the moments of commits, and what the run file tells."""
    with served(home) as graph:
        firm, other = firms(said(graph))[:2]
        tell(graph, LAST + timedelta(days=40), Edge("SUPPLIES", firm, other), accounts(firm, 1, 1_000_000))
        run = dict(graph.refresh(folder, sync=False, executor=executor))
        log: list[dict[str, Any]] = graph.ledger.events().drop_columns(["known_from"]).to_pylist()
    return [row for row in log if row["commit"] <= run["score"]["commit"]], run


def test_a_refresh_by_two_workers_commits_what_one_process_commits(tmp_path: Path, pool: Pool) -> None:
    folder = write_registers(tmp_path / "in", bad=True)
    alone, run = refreshed(tmp_path / "alone", folder, "here")
    shared, other = refreshed(tmp_path / "shared", folder, pool)
    assert shared == alone
    assert {row["name"] for row in shared} >= {"LENDS_TO", *SCORES} and other["score"]["moved"] > 0
    assert other["risk"]["answer"] == run["risk"]["answer"]  # its claims are of the moment at which it ran
    assert other["score"] == run["score"] and other["quarantined"] == run["quarantined"] == 1
    assert [row["name"] for row in other["stages"]] == [row["name"] for row in run["stages"]]


def test_the_command_line_reads_with_as_many_workers_as_it_is_told(tmp_path: Path) -> None:
    write_registers(tmp_path / "in", bad=True)
    told = []
    for home, more in (("alone", ()), ("shared", ("--workers", "2"))):
        done = kgrisk_here("ingest", "in", "--home", home, "--json", *more, cwd=tmp_path)
        assert done.returncode == 3, done.stderr
        told.append(json.loads(done.stdout))
    for report in told:
        for count in report["sources"].values():
            count.pop("seconds")
        report["stages"] = [stage["name"] for stage in report["stages"]]
    # no time is told by the registers' own rows, so documents, claims and the run have the same digests
    assert told[0] == told[1] and told[0]["claims"] > 40
    wrong = kgrisk_here("ingest", "in", "--home", "shared", "--workers", "many", cwd=tmp_path)
    assert wrong.returncode not in (0, 3) and "'many'" in wrong.stderr and "ray" in wrong.stderr
