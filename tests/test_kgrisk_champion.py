"""A training challenges the champion; who is served can be replaced and taken back, to the bit, and is on record."""

from __future__ import annotations

import atexit
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from shutil import copytree, rmtree
from tempfile import mkdtemp
from typing import Any

import numpy as np
import pytest

from gnn.contest import judged
from gnn.evaluate import brier
from kg.errors import KgRiskError, ModelError
from kg.model import AsOf
from kgrisk.api import Graph
from kgrisk.challenge import challenge
from kgrisk.champion import CONTEST, champion
from kgrisk.rescoring import rescored
from tests.champion_world import QUICK, SCORED, reopened, said, served, served_table
from tests.gnn_world import CUT
from tests.kgrisk_world import kgrisk_here

RUNS = (Path("champion"), Path("challenger"))


@cache
def _contested() -> tuple[Path, dict[str, Any]]:
    """A home with a champion and a run that was held back: it reads no figures and was not shown to be no worse."""
    folder = Path(mkdtemp(prefix="contested-"))
    atexit.register(rmtree, folder, ignore_errors=True)
    with served(folder, margin=0.0) as graph:
        poorer = {**QUICK, "modalities": ("structure",), "cohorts": 3}
        return folder, challenge(graph, graph.train(CUT.date(), publish=False, settings=poorer))


def contested(home: Path) -> tuple[Graph, dict[str, Any]]:
    """A copy of it, and the verdict."""
    made, told = _contested()
    copytree(made, home, dirs_exist_ok=True)
    return reopened(home, margin=0.0), told


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Graph, dict[str, Any]]]:
    graph, told = contested(tmp_path_factory.mktemp("home"))
    with graph:
        yield graph, told


def test_a_challenger_that_is_better_or_alike_passes_and_a_worse_one_does_not() -> None:
    draw = np.random.default_rng(0)
    truth = (draw.random(400) < 0.2) * 1.0
    good, poor = np.clip(0.2 + 0.5 * (truth - 0.2), 0, 1), np.full(400, 0.2)
    day = CUT
    assert judged(RUNS, day, (truth, poor, good), 0.0).passed
    assert judged(RUNS, day, (truth, good, good), 0.0).passed and judged(RUNS, day, (truth, good, good), 0.0).high == 0
    worse = judged(RUNS, day, (truth, good, poor), 0.1)
    assert not worse.passed and worse.low > 0 and "not shown to be no worse" in worse.rule
    assert worse.difference == pytest.approx(brier(truth, poor) - brier(truth, good))


def test_a_few_firms_show_nothing_so_the_champion_stands() -> None:
    draw = np.random.default_rng(1)
    truth = np.array([1.0, 0, 0, 0, 0, 1.0, 0, 0])
    one, other = draw.random(8), draw.random(8)
    contest = judged(RUNS, CUT, (truth, one, other), 0.1)
    assert contest.high - contest.low > 0.1 and not contest.passed
    none = judged(RUNS, CUT, (np.zeros(8), one, one), 0.1)
    assert not none.passed and "nothing to judge by" in none.rule


def test_the_interval_of_the_difference_is_paired_by_firm() -> None:
    """Both err alike on the same hard firms: unpaired, their scores would overlap; paired, the small loss is seen."""
    draw = np.random.default_rng(2)
    truth = (draw.random(300) < 0.3) * 1.0
    one = np.clip(draw.random(300), 0.02, 0.98)
    other = np.clip(one + 0.02 * (1 - 2 * truth), 0, 1)
    contest = judged(RUNS, CUT, (truth, one, other), 0.0)
    assert 0 < contest.low < contest.difference < contest.high < 0.05


def test_a_worse_run_stays_in_the_shadow_with_its_figures(played: tuple[Graph, dict[str, Any]]) -> None:
    graph, told = played
    now = champion(graph)
    assert now is not None and not told["promoted"] and told["champion"] == now.run != told["challenger"]
    assert told["high"] > 0 and told["firms"] == 50 and "not shown" in told["rule"]
    rows = {row["role"]: row for row in graph.champions()}
    assert rows["champion"]["run"] == now.run and rows["shadow"]["run"] == told["challenger"]
    assert rows["shadow"]["brier"] == told["brier"][1] and rows["shadow"]["champion_brier"] == told["brier"][0]
    kept = json.loads((graph.home / "runs" / told["challenger"] / CONTEST).read_text())
    assert kept["difference"] == told["difference"]
    assert not any(
        row["document"] == told["challenger"] for row in graph.ledger.alive().select(["document"]).to_pylist()
    )


def stored(graph: Graph) -> list[tuple[Any, ...]]:
    """Every score that the graph store tells as of now."""
    rows = graph.cypher(
        "MATCH (n:Entity)-[d:HAS_SCORE]->(s:Score) WHERE d.property STARTS WITH 'distress' AND d.valid_from <= $valid "
        "AND d.valid_to > $valid AND d.known_from <= $known AND d.known_to > $known AND d.published <= $published "
        "AND d.published_to > $published RETURN n.id AS id, d.property AS property, s.number AS value"
    )
    return sorted((row["id"], row["property"], row["value"]) for row in rows)


@pytest.mark.slow
def test_a_promotion_and_its_rollback_restore_every_score_to_the_bit(tmp_path: Path) -> None:
    graph, told = contested(tmp_path)
    with graph:
        shadow = told["challenger"]
        old, before, kept, table = champion(graph), served_table(graph), stored(graph), said(graph)
        assert old is not None and kept
        new = graph.promote(shadow[:10])
        assert new["champion"] == shadow and new["score"]["whole"] and new["score"]["day"] == SCORED
        between, then = graph.ledger.known(graph.ledger.head), served_table(graph)
        changed = stored(graph)
        assert then != before and changed != kept and champion(graph).run == shadow  # type: ignore[union-attr]
        back = graph.rollback()
        assert back["champion"] == old.run and champion(graph) == old
        assert served_table(graph) == before and stored(graph) == kept
        claims = {key: (claim, value) for key, (claim, _, value) in said(graph).items()}
        assert claims == {key: (claim, value) for key, (claim, _, value) in table.items()}
        past = graph.scores(at=AsOf(known=between)).table
        assert past["distress"].to_pylist() != graph.scores().table["distress"].to_pylist()
        again = graph.promote(shadow)
        assert stored(graph) == changed and again["champion"] == shadow, "and it can be promoted again from the ledger"


def test_after_a_rollback_a_refresh_goes_on_from_what_the_old_scores_were_of(tmp_path: Path) -> None:
    graph, told = contested(tmp_path)
    with graph:
        graph.promote(told["challenger"])
        graph.rollback()
        run = graph.refresh(sync=False)
        assert run["state"] == "done" and not run["score"]["whole"] and run["score"]["moved"] == 0


def test_names_of_no_run_or_of_the_champion_are_refused_with_what_there_is(
    played: tuple[Graph, dict[str, Any]],
) -> None:
    graph, told = played
    head = graph.ledger.head
    with pytest.raises(
        KgRiskError, match=rf"no training run in .* begins with 'ffff'; there are: .*{told['champion'][:12]}"
    ):
        graph.promote("ffff")
    with pytest.raises(KgRiskError, match="is the champion already, since commit 2"):
        graph.promote(told["champion"])
    with pytest.raises(KgRiskError, match="no champion before the one that is served"):
        graph.rollback()
    assert graph.ledger.head == head


def test_a_champion_whose_folder_is_gone_cannot_be_asked_and_the_next_run_takes_its_place(tmp_path: Path) -> None:
    with served(tmp_path) as graph:
        now = champion(graph)
        assert now is not None
        (graph.home / "runs" / now.run).rename(tmp_path / "elsewhere")
        with pytest.raises(ModelError, match="restore that folder or train again"):
            rescored(graph)
        result = graph.train(CUT.date(), publish=False, settings={**QUICK, "dim": 4})
        told = challenge(graph, result)
        assert told["promoted"] and "cannot be asked any more" in told["rule"]
        assert champion(graph).run == result.run  # type: ignore[union-attr]


def test_the_commands_list_promote_and_roll_back(tmp_path: Path) -> None:
    graph, told = contested(tmp_path / "home")
    graph.close()
    listed = kgrisk_here("champion", "list", "--home", "home", "--json", cwd=tmp_path)
    assert [row["role"] for row in json.loads(listed.stdout)] == ["champion", "shadow"]
    done = kgrisk_here("champion", "promote", told["challenger"][:8], "--home", "home", cwd=tmp_path)
    assert done.returncode == 0 and told["challenger"][:12] in done.stdout
    back = kgrisk_here("champion", "rollback", "--home", "home", "--json", cwd=tmp_path)
    assert json.loads(back.stdout)["champion"] == told["champion"]
    wrong = kgrisk_here("champion", "promote", "zz", "--home", "home", cwd=tmp_path)
    assert wrong.returncode == 1 and "begins with 'zz'" in wrong.stderr and "Traceback" not in wrong.stderr
